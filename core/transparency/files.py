"""A lock between processes, besides the files written whole of `core.whole_file`."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.transparency.errors import LogBusyError
from core.whole_file import sync_folder, write_whole

__all__ = ["locked", "sync_folder", "write_whole"]


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
