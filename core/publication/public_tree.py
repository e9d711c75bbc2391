"""What a publication shows: the names of its files, what kind each is, and how it is served.

The same relative names are used in the work folder and at every destination. The one place that
says which files of the work folder may leave it (the database and everything hidden never do) and
with which headers. It neither copies nor serves anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from core.errors import InputError

POINTER = "corte.json"
CHECKPOINT = "checkpoint"
KEYS = "llaves.json"
PRIVATE = ".emision"
"""Folder of the work folder with what a restart needs of each cut; not public."""


class Kind(StrEnum):
    """How a file behaves once it is out."""

    IMMUTABLE = "immutable"
    TILE = "tile"
    """Of the log: immutable too, but it may only appear after what it proves."""
    CHECKPOINT = "checkpoint"
    PAGE = "page"
    """Changes rarely: pages of the portal, the keys."""
    POINTER = "pointer"


_IMMUTABLE = re.compile(
    r"cortes/\d{4,}/[\w() -][\w.() -]*"
    r"|objetos/([0-9a-f]{2})/\1[0-9a-f]{62}\.json"
    r"|hojas/([0-9a-f]{2})/\2[0-9a-f]{62}"
    r"|(?:emisiones|avisos)/\d{4,}\.json"
    r"|difusion/\d{4,}\.zip"
    r"|sellos/\d{4,}\.tsr"
    r"|relevos/\d{4,}\.txt"
    r"|imagenes/([0-9a-f]{2})/\3[0-9a-f]{62}\.(?:jpg|png)"
    r"|vistas/([0-9a-f]{2})/\4[0-9a-f]{62}(?:_m)?\.webp"
    r"|sitio/[0-9a-f]{16}\.[a-z0-9]{2,12}"
)
_TILE = re.compile(r"tile/(?:\d+|entries)/(?:x\d{3}/)*\d{3}(?:\.p/\d{1,3})?")
_PAGE = re.compile(r"llaves\.json|[a-z0-9_-]+\.(?:html|py|txt|md|ico|svg|png|webmanifest)")

_FOREVER = "public, max-age=31536000, immutable"
_CACHE = {
    Kind.IMMUTABLE: _FOREVER,
    Kind.TILE: _FOREVER,
    Kind.CHECKPOINT: "public, max-age=5, must-revalidate",
    Kind.PAGE: "public, max-age=60, must-revalidate",
    Kind.POINTER: "public, max-age=5, must-revalidate",
}
_TYPES = {
    "": "application/octet-stream",
    "css": "text/css; charset=utf-8",
    "csv": "text/csv",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "jpg": "image/jpeg",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
    "png": "image/png",
    "py": "text/x-python; charset=utf-8",
    "svg": "image/svg+xml",
    "tsr": "application/timestamp-reply",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
    "woff2": "font/woff2",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
_COMPRESSIBLE = frozenset({"css", "csv", "html", "js", "json", "md", "py", "svg", "txt", "webmanifest"})


def kind(key: str) -> Kind:
    """What a public name is. Raises ValueError when no file of that name may be published."""
    if key == POINTER:
        return Kind.POINTER
    if key == CHECKPOINT:
        return Kind.CHECKPOINT
    if _IMMUTABLE.fullmatch(key):
        return Kind.IMMUTABLE
    if _TILE.fullmatch(key):
        return Kind.TILE
    if _PAGE.fullmatch(key):
        return Kind.PAGE
    raise ValueError(f"not a public name: {key!r}")


def is_public(key: str) -> bool:
    """True when a file of that name may leave the work folder."""
    try:
        kind(key)
    except ValueError:
        return False
    return True


def headers(key: str) -> dict[str, str]:
    """Content-Type and Cache-Control of a public name. Raises ValueError for one that is not."""
    return {"Content-Type": _TYPES.get(_suffix(key), _TYPES[""]), "Cache-Control": _CACHE[kind(key)]}


def compressible(key: str) -> bool:
    """True when the content of that name gets smaller by compressing it."""
    return key == CHECKPOINT or _suffix(key) in _COMPRESSIBLE


def object_key(name: str) -> str:
    """Where the JSON object of a SHA-256 is."""
    return f"objetos/{name[:2]}/{name}.json"


def cut_folder(number: int) -> str:
    """Folder of a cut, with its final slash."""
    return f"cortes/{number:04d}/"


def emission_key(number: int) -> str:
    """Where the proof bundle of a cut is."""
    return f"emisiones/{number:04d}.json"


def difusion_key(number: int) -> str:
    """Where the package for difusores of a cut is."""
    return f"difusion/{number:04d}.zip"


def notice_key(number: int) -> str:
    """Where a notice is."""
    return f"avisos/{number:04d}.json"


def image_name(key: str) -> str:
    """The SHA-256 of the original that a public name of an image or of one of its views is about."""
    return _digest(key)[:64]


def stamp_key(number: int) -> str:
    """Where the RFC 3161 timestamp of the checkpoint of a cut's proof is."""
    return f"sellos/{number:04d}.tsr"


def record_path(work: Path, number: int) -> Path:
    """The private record of a cut: what it added to the public tree and what its pointer says."""
    return work / PRIVATE / f"{number:04d}.json"


def public_keys(work: Path) -> Iterator[str]:
    """Every public name the pointer of a work folder announces, in the order they may be published.

    What nothing names until the pointer does (objects, leaves, images) comes first, then tiles, pages,
    the checkpoint and, last, the pointer. Objects of a cut that was refused or never recorded are not
    among them, nor the images of actas not published yet. Without a pointer there are only pages. Raises
    InputError when the pointer, or the record of a cut, is not readable.
    """
    pointer = work / POINTER
    if pointer.is_file():
        number = int(_document(pointer)["corte"])
        yield from _of_cuts(work, number)
        yield from _files(work, "hojas")
        for folder in ("emisiones", "difusion", "sellos"):
            yield from (key for key in _files(work, folder) if _number(key) <= number)
        yield from _of_notices(work)
        yield from _files(work, "relevos")
    yield from _files(work, "sitio")
    if pointer.is_file():
        yield from _files(work, "tile")
    yield from sorted(
        item.name
        for item in os.scandir(work)
        if item.is_file(follow_symlinks=False) and is_public(item.name) and kind(item.name) is Kind.PAGE
    )
    if pointer.is_file():
        if (work / CHECKPOINT).is_file():
            yield CHECKPOINT
        yield POINTER


def _of_cuts(work: Path, last: int) -> Iterator[str]:
    """Files and objects of the cuts up to one, each name once."""
    seen: set[str] = set()
    brought = False
    for number in range(1, last + 1):
        record = record_path(work, number)
        if not record.is_file():
            # A number nobody recorded here: the folder was brought from a destination, which has no records,
            # or the database was published into another one half way, and then there is no such cut.
            brought = brought or (work / cut_folder(number)).is_dir()
            yield from _files(work, cut_folder(number).rstrip("/"))
            continue
        told = _document(record)
        yield from _images_of(work, number)
        for name in told["objetos"]:
            if name not in seen:
                seen.add(name)
                yield object_key(name)
        yield from _files(work, cut_folder(number).rstrip("/"))
    if brought:
        # What is there was public.
        yield from (key for key in _files(work, "objetos") if _digest(key) not in seen)
        shown = {key for number in range(1, last + 1) for key in _images_of(work, number)}
        for folder in ("imagenes", "vistas"):
            yield from (key for key in _files(work, folder) if key not in shown)


def _images_of(work: Path, number: int) -> Iterator[str]:
    record = record_path(work, number)
    if record.is_file():
        for key in _document(record)["imagenes"]:
            yield from _with_views(work, key)


def _of_notices(work: Path) -> Iterator[str]:
    """Notices, each after the list it names: an early close has that of the actas sin acta."""
    for key in _files(work, "avisos"):
        detail = _document(work / key).get("detalle")
        if not isinstance(detail, dict):
            raise InputError(work / key, column="detalle", expected="un objeto JSON")
        listed = detail.get("lista")
        if isinstance(listed, str) and is_public(listed) and (work / listed).is_file():
            yield listed
        yield key


def _with_views(work: Path, key: str) -> Iterator[str]:
    """An image and its views, those that are in the work folder."""
    folder, _, name = key.removeprefix("imagenes/").partition("/")
    name = name.partition(".")[0]
    for one in (key, f"vistas/{folder}/{name}.webp", f"vistas/{folder}/{name}_m.webp"):
        if (work / one).is_file():
            yield one


def _files(work: Path, folder: str) -> Iterator[str]:
    """Public names under a folder, in order."""
    base = work / folder
    if base.is_symlink():
        # Following it would publish what nobody said is public; leaving it out, a cut without its files.
        raise InputError(base, message="es un enlace simbólico; de la carpeta de trabajo no se sigue ninguno")
    if not base.is_dir():
        return
    for item in sorted(os.scandir(base), key=lambda entry: entry.name):
        key = f"{folder}/{item.name}"
        if item.is_dir():
            yield from _files(work, key)
        elif is_public(key):
            yield key


def _number(key: str) -> int:
    return int(key.rpartition("/")[2].partition(".")[0])


def _digest(key: str) -> str:
    return key.rpartition("/")[2].partition(".")[0]


def _suffix(key: str) -> str:
    if key == CHECKPOINT:
        return "txt"
    name = key.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name and kind(key) is not Kind.TILE else ""


def _document(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(path, message=f"no se puede leer: {error}") from error
    if not isinstance(found, dict):
        raise InputError(path, expected="un objeto JSON")
    return found
