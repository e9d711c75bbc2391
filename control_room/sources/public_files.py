"""The files of the cut that is public, in a folder or behind a web address.

It reads them and says how they look from outside (`marks`), so that what has not changed need not be read
again. What they should hold is for `canary` to say.
"""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

TIMEOUT_S = 10.0
MOST_BYTES = 1 << 30
_BLOCK = 1 << 20
POINTER = "corte.json"
_BASE = re.compile(r"cortes/\d{4,9}/?")
_SUFFIXES = (".csv", ".json", ".xlsx", ".zip")


class MissingFileError(OSError):
    """A file of the cut is not where the public would look for it."""


class PublicFiles(Protocol):
    """The files of one cut."""

    where: str
    """How to name the place to a person."""

    def marks(self, names: tuple[str, ...]) -> Mapping[str, object]:
        """Something for each file that changes when it is written again; without the ones missing."""
        ...

    def extra(self, names: frozenset[str]) -> list[str]:
        """Files of a cut's kinds that are none of these; empty where they cannot be listed."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises MissingFileError, or OSError when it cannot be read."""
        ...

    def digest(self, name: str) -> tuple[int, str]:
        """Size and SHA-256 of a file. Raises as `read`."""
        ...

    def object(self, name: str) -> bytes | None:
        """An object of the JSON tree by its hash; None where the tree is not published beside the cut."""
        ...


class FolderFiles:
    """The cut of a folder: what `ultimo` leads to at this moment, or the folder itself."""

    def __init__(self, folder: Path, tree: Path | None = None) -> None:
        # Followed once: while the cut is looked at, the next one may take its place.
        self._folder = folder.resolve()
        self.where = str(folder)
        tree = tree or folder.parent / "objetos"
        self._tree = tree if tree.is_dir() else None

    def marks(self, names: tuple[str, ...]) -> Mapping[str, object]:
        """Inode, size and times of each file."""
        found: dict[str, object] = {"": self._folder}
        for name in names:
            try:
                seen = os.stat(self._folder / name)  # noqa: PTH116 - one call for all that is needed
            except OSError:
                continue
            found[name] = (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
        return found

    def extra(self, names: frozenset[str]) -> list[str]:
        """Data files that nobody verified."""
        try:
            there = [one.name for one in os.scandir(self._folder)]
        except OSError:
            return []
        return sorted(name for name in there if name not in names and name.lower().endswith(_SUFFIXES))

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError as error:
            raise MissingFileError(name) from error

    def digest(self, name: str) -> tuple[int, str]:
        """Size and SHA-256, read by pieces."""
        try:
            with (self._folder / name).open("rb") as stream:
                return _digest_of(stream)
        except FileNotFoundError as error:
            raise MissingFileError(name) from error

    def object(self, name: str) -> bytes | None:
        """An object of `objetos`, beside `ultimo`."""
        if self._tree is None:
            return None
        try:
            return (self._tree / name[:2] / f"{name}.json").read_bytes()
        except FileNotFoundError as error:
            raise MissingFileError(f"objetos/{name[:2]}/{name}.json") from error


class WebFiles:
    """The cut behind an address: `<address>/indice.json` and its companions, by plain GET."""

    def __init__(self, address: str, timeout_s: float = TIMEOUT_S) -> None:
        self.where = address
        self._address = address.rstrip("/") + "/"
        self._timeout = timeout_s

    def marks(self, names: tuple[str, ...]) -> Mapping[str, object]:
        """What the server says of each file without sending it."""
        found: dict[str, object] = {}
        for name in names:
            request = urllib.request.Request(self._address + quote(name), method="HEAD")
            try:
                with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                    said = answer.headers
                    found[name] = (said.get("ETag"), said.get("Last-Modified"), said.get("Content-Length"))
            except urllib.error.HTTPError as error:
                # A server without HEAD may still have the file.
                if error.code not in (404, 410):
                    found[name] = None
        return found

    def extra(self, names: frozenset[str]) -> list[str]:
        """A web server does not list its files."""
        return []

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        with self._open(name) as stream:
            data = bytes(stream.read(MOST_BYTES))
        return data

    def digest(self, name: str) -> tuple[int, str]:
        """Size and SHA-256 of what the server sends."""
        with self._open(name) as stream:
            return _digest_of(stream)

    def object(self, name: str) -> bytes | None:
        """Not looked for: where a portal keeps its tree is its own business."""
        return None

    def _open(self, name: str) -> _Readable:
        request = urllib.request.Request(
            self._address + quote(name), headers={"Cache-Control": "no-cache", "Accept-Encoding": "identity"}
        )
        try:
            found: _Readable = urllib.request.urlopen(request, timeout=self._timeout)
        except urllib.error.HTTPError as error:
            if error.code in (404, 410):
                raise MissingFileError(name) from error
            raise OSError(f"{name}: HTTP {error.code}") from error
        return found


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...
    def __enter__(self) -> _Readable: ...
    def __exit__(self, *error: object) -> None: ...


def open_public(public: Path | str) -> PublicFiles | None:
    """The cut that is public at a folder or an address; None when the folder is not there.

    Where there is a pointer (`corte.json`) it is the cut that it names; otherwise the place itself, as the
    `ultimo` of a run. Raises OSError when the address does not answer, ValueError for a broken pointer.
    """
    if isinstance(public, str) and public.startswith(("http://", "https://")):
        place = WebFiles(public)
        try:
            pointer = place.read(POINTER)
        except MissingFileError:
            return place
        return WebFiles(f"{public.rstrip('/')}/{_base_of(pointer)}")
    folder = Path(public)
    try:
        pointer = (folder / POINTER).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return FolderFiles(folder) if folder.is_dir() else None
    return FolderFiles(folder / _base_of(pointer), folder / "objetos")


def _base_of(pointer: bytes) -> str:
    """Where the pointer says its cut is. Raises ValueError when it says nothing of the kind."""
    said = json.loads(pointer)
    base = said.get("base") if isinstance(said, dict) else None
    # Only a cut's own folder: what a pointer names is joined to a path.
    if not isinstance(base, str) or not _BASE.fullmatch(base):
        raise ValueError("corte.json")
    return base.rstrip("/")


def _digest_of(stream: _Readable | object) -> tuple[int, str]:
    size, digest = 0, sha256()
    while block := stream.read(_BLOCK):  # type: ignore[union-attr]
        size += len(block)
        digest.update(block)
    return size, digest.hexdigest()
