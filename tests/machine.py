"""What the suite does with the machine so that hundreds of short processes take less time.

It changes where things are written, not what is tested: no test proves that the disk keeps what it was told
to keep when the power fails, and a killed process finds in memory what it would find on the disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

IN_MEMORY = Path("/dev/shm")
ROOM = 2 << 30
"""Bytes: a whole run writes some 1.3 GB, and most of it is removed as the tests pass."""


def faster_processes() -> None:
    """Set the environment of this process and of those it starts.

    Temporary files go to memory where there is room: the store and the packages are flushed at every step,
    and a small night waits for the disk as long as it works. A `TMPDIR` that was set is obeyed.

    Compiled modules are kept even where Python is told not to: each command would compile everything again.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if "TMPDIR" not in os.environ and room_in_memory():
        os.environ["TMPDIR"] = str(IN_MEMORY)
        tempfile.tempdir = None  # It is looked for once, and somebody may have asked.


def room_in_memory() -> bool:
    """True when the folder in memory holds a run, programs included, and the machine's memory twice more."""
    try:
        available = next(
            int(line.split()[1]) << 10
            for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
            if line.startswith("MemAvailable:")
        )
        limit = Path("/sys/fs/cgroup/memory.max")
        allowed = limit.read_text(encoding="ascii").strip() if limit.is_file() else "max"
        if allowed != "max":
            used = int(limit.with_name("memory.current").read_text(encoding="ascii"))
            available = min(available, int(allowed) - used)
        runs = not os.statvfs(IN_MEMORY).f_flag & os.ST_NOEXEC
        free = shutil.disk_usage(IN_MEMORY).free
        return runs and os.access(IN_MEMORY, os.W_OK) and free >= ROOM and available >= 3 * ROOM
    except (OSError, StopIteration, ValueError):
        return False
