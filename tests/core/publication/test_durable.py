"""A cut is on the disk before the ledger says that it exists, and a disk that does not take it stops it."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

import pytest

from core.publication import archives
from core.publication.ledger_match import entries_of
from core.publication.public_tree import public_keys
from tests.publication_sample import Night


def test_a_disk_that_fails_to_keep_a_cut_stops_it_and_the_next_one_goes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = Night(tmp_path)
    night.first_part()
    assert night.cut().refused is None

    def fails(_: int) -> int:
        ctypes.set_errno(errno.EIO)
        return -1

    night.second_part()
    with monkeypatch.context() as dying:
        dying.setattr(archives, "_syncfs", lambda: fails)
        with pytest.raises(OSError, match=os.strerror(errno.EIO)) as told:
            night.cut()
    assert told.value.errno == errno.EIO
    assert night.engine.operation.last_cut == 1
    assert [one["clase"] for one in entries_of(tmp_path)] == ["apertura", "emision"]
    assert night.cut().number == 2
    night.close()


def test_where_there_is_no_syncfs_every_file_of_the_cut_and_its_folder_are_synced_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()
    real = archives.sync

    def sync(path: Path) -> None:
        asked.add(Path(path).relative_to(tmp_path).as_posix())
        real(path)

    monkeypatch.setattr(archives, "_syncfs", lambda: None)
    monkeypatch.setattr(archives, "sync", sync)
    night = Night(tmp_path)
    night.first_part()
    assert night.cut().refused is None
    night.close()
    written = [key for key in public_keys(tmp_path) if key.startswith(("objetos/", "hojas/"))]
    assert len(written) > 30
    assert asked >= {*written, *(key.rpartition("/")[0] for key in written)}
    assert {f"cortes/.0001.tmp/{path.name}" for path in (tmp_path / "cortes" / "0001").iterdir()} <= asked
