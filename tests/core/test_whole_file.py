"""A file written whole: nobody sees half of it, and one that cannot be written leaves the one before."""

from __future__ import annotations

import resource
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.whole_file import write_whole


@contextmanager
def small_disk(most: int) -> Iterator[None]:
    """No file of this process may be bigger than `most` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_who_reads_meanwhile_sees_the_old_one_or_the_new_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    bodies = [bytes([place]) * 100_000 for place in range(40)]
    write_whole(path, bodies[0])
    seen: set[bytes] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=look)
    reader.start()
    for body in bodies:
        write_whole(path, body, durable=False)
    done.set()
    reader.join()
    assert seen <= set(bodies)
    assert path.read_bytes() == bodies[-1]


def test_one_that_does_not_fit_leaves_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "hondo" / "mas" / "a"
    write_whole(path, b"antes")
    with small_disk(1000), pytest.raises(OSError, match="large"):
        write_whole(path, bytes(10_000))
    assert path.read_bytes() == b"antes"
    assert [one.name for one in path.parent.iterdir()] == ["a"]


def test_its_rights_are_those_asked_for_whatever_was_there(tmp_path: Path) -> None:
    path = tmp_path / "secreto"
    path.write_bytes(b"a")
    path.chmod(0o644)
    write_whole(path, b"b", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
