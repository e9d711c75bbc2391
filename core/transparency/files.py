"""Files that are whole or absent, and on disk when the call returns; and a lock between processes."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.transparency.errors import LogBusyError


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace a file by one with these bytes; a reader sees the old one or the new one."""
    fresh = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        if durable:
            os.fsync(stream.fileno())
    temporary.replace(path)
    if durable:
        sync_folder(path.parent)
        for folder in fresh:
            sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Put the names of a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, patience_s: float) -> Iterator[None]:
    """Hold a lock file; it is let go even when the process dies.

    Raises LogBusyError when another one holds it for longer than `patience_s` seconds.
    """
    with path.open("ab") as handle:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise LogBusyError(
                        f"{path.parent}: otro proceso está escribiendo en el registro público"
                    ) from None
                time.sleep(0.01)
        yield
