"""A folder of immutable objects named by their SHA-256: `<2 hex>/<64 hex>.json`.

An object is written once, under a temporary name first, so that a name always means its whole
content. Nothing is ever changed here, and only what does not hold its name is taken away.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

SUFFIX = ".json"


class ObjectStore:
    """The objects of a folder. `written` and `bytes_written` count those this process added.

    `names_written` are the names added since whoever asks last cleared it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.written = 0
        self.bytes_written = 0
        self.names_written: set[str] = set()
        self._base = os.fspath(root)
        self._known: set[str] = set()
        self._folders: set[str] = set()
        if root.is_dir():
            for folder in os.scandir(root):
                if folder.is_dir():
                    self._folders.add(folder.name)
                    self._known.update(
                        item.name.removesuffix(SUFFIX)
                        for item in os.scandir(folder.path)
                        if item.name.endswith(SUFFIX)
                    )

    def put(self, data: bytes) -> str:
        """Keep an object; returns its SHA-256. One that is already there is not written again."""
        name = sha256(data).hexdigest()
        if name in self._known:
            return name
        folder = name[:2]
        if folder not in self._folders:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        path = f"{self._base}/{folder}/{name}{SUFFIX}"
        temporary = f"{path}.{os.getpid()}.tmp"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(descriptor, left) :]
        finally:
            os.close(descriptor)
        # Whole or absent: a process killed half way leaves only a temporary that nobody reads.
        os.rename(temporary, path)  # noqa: PTH104 - a Path per object would double the cost of the write
        self._known.add(name)
        self.written += 1
        self.bytes_written += len(data)
        self.names_written.add(name)
        return name

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
