"""Writes a file in one step: whoever looks, at any moment, finds the one before or this one, whole.

The one place where that is done with what fits in memory. It keeps nothing of what was there, and takes
no lock: of two that write at once the last one stays.
"""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, data: bytes, *, durable: bool = True, mode: int = 0o666) -> None:
    """Replace a file, or make it with its folders. `mode` is what the umask leaves of it.

    `durable`: it is on disk when the call returns, also after a cut of power. Raises OSError; what was
    there stays then.
    """
    fresh = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    # One that a process of this number left behind may have other rights.
    temporary.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            stream.write(data)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError:
        # On a full disk what is left behind would be in the way of everything else.
        temporary.unlink(missing_ok=True)
        raise
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
