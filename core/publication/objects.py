"""A folder of immutable objects named by their SHA-256: `<2 hex>/<64 hex>.json`.

An object is written once, under a temporary name first, so that a name always means its whole
content. Nothing is ever changed here, and only what does not hold its name is taken away.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from core.publication import object_helper
from core.publication.object_helper import FLUSH, LENGTH_BYTES, SUFFIX, write_object

HELPED_FROM = 2_000
"""Objects written by this process before another one is started for the rest of a `bulk`."""

_BLOCK = 1 << 18


class ObjectStore:
    """The objects of a folder. `written` counts those this process added.

    `names_written` are the names added since whoever asks last cleared it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.written = 0
        self.names_written: set[str] = set()
        self._base = os.fspath(root)
        self._known: set[str] = set()
        self._alone: int | None = None
        """In a bulk, objects left to write before there is a helper; None outside."""
        self._helper: _Helper | None = None
        if root.is_dir():
            for folder in os.scandir(root):
                if folder.is_dir():
                    self._known.update(
                        item.name.removesuffix(SUFFIX)
                        for item in os.scandir(folder.path)
                        if item.name.endswith(SUFFIX)
                    )

    def put(self, data: bytes) -> str:
        """Keep an object; returns its SHA-256. One that is already there is not written again.

        Inside a `bulk` it may not be there until the end of it.
        """
        name = sha256(data).hexdigest()
        if name in self._known:
            return name
        if self._alone is not None:
            if self._alone == 0:
                self._helper = _Helper.start(self._base)
            self._alone -= 1
        if self._helper is not None:
            self._helper.send(name, data)
        else:
            write_object(self._base, name, data)
        self._known.add(name)
        self.written += 1
        self.names_written.add(name)
        return name

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Many objects follow: past some thousands another process writes them while this one makes more.

        At the end they are all there. Raises OSError when one could not be written; then whatever was put
        inside is taken for not written.
        """
        before = set(self.names_written)
        self._alone = HELPED_FROM
        try:
            yield
            if self._helper is not None:
                self._helper.flush()
        except BaseException:
            if self._helper is not None:
                self._known -= self.names_written - before
            raise
        finally:
            self._alone = None
            helper, self._helper = self._helper, None
            if helper is not None:
                helper.close()

    def path(self, name: str) -> Path:
        """Where an object is, or will be."""
        return self.root / name[:2] / f"{name}{SUFFIX}"

    def discard(self, name: str) -> None:
        """Take away a file that does not hold what its name says, so that it can be written again."""
        self._known.discard(name)
        self.path(name).unlink(missing_ok=True)

    def get(self, name: str) -> bytes:
        """The bytes of an object. Raises FileNotFoundError."""
        return self.path(name).read_bytes()


class _Helper:
    """The process that writes objects for this one."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._to, self._from = process.stdin, process.stdout
        self._pending: list[bytes] = []
        self._size = 0

    @classmethod
    def start(cls, base: str) -> _Helper | None:
        """None where another process cannot be had: one is enough, only slower."""
        command = [sys.executable, "-I", "-S", object_helper.__file__, base]
        try:
            return cls(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0))
        except OSError:
            return None

    def send(self, name: str, data: bytes) -> None:
        self._pending += (name.encode(), len(data).to_bytes(LENGTH_BYTES, "big"), data)
        self._size += len(data)
        if self._size >= _BLOCK:
            self._drain()

    def flush(self) -> None:
        """Wait until everything sent is in its place. Raises OSError."""
        self._pending += (FLUSH, bytes(LENGTH_BYTES))
        self._drain()
        answer = self._from.readline().decode().strip()
        if answer != "ok":
            code, _, text = answer.partition(" ")
            raise OSError(int(code or 0), text or "el proceso que escribe los objetos terminó", self._path)

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()

    @property
    def _path(self) -> str:
        return str(self._process.args[-1])  # type: ignore[index]  # a list

    def _drain(self) -> None:
        left = memoryview(b"".join(self._pending))
        self._pending.clear()
        self._size = 0
        while left:
            left = left[self._to.write(left) :]
