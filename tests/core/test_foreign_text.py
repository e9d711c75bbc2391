"""Files of other people, as bytes: what is not an ordinary file, and what does not fit."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from core.foreign_text import foreign_bytes, foreign_str
from core.system_reasons import UnusableFileError


def test_a_pipe_that_was_given_is_read_and_one_nobody_writes_in_is_refused(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    try:
        os.write(theirs, b"clave,votos\n" * 3)
        os.close(theirs)
        assert foreign_bytes(Path(f"/dev/fd/{ours}")) == b"clave,votos\n" * 3
    finally:
        os.close(ours)
    os.mkfifo(tmp_path / "nadie")
    with pytest.raises(UnusableFileError, match="no es un archivo ordinario"):
        foreign_bytes(tmp_path / "nadie")


def test_what_is_larger_than_admitted_is_refused_whether_it_says_its_size_or_not(tmp_path: Path) -> None:
    path = tmp_path / "grande"
    path.write_bytes(b"x" * 11)
    assert foreign_bytes(path, 11) == b"x" * 11
    with pytest.raises(UnusableFileError, match="mide 11 bytes; caben 10"):
        foreign_bytes(path, 10)
    ours, theirs = os.pipe()
    try:
        os.write(theirs, b"x" * 11)
        os.close(theirs)
        with pytest.raises(UnusableFileError, match="tiene más de 10 bytes"):
            foreign_bytes(Path(f"/dev/fd/{ours}"), 10)
    finally:
        os.close(ours)


def test_a_small_file_takes_little_memory_and_keeps_its_text(tmp_path: Path) -> None:
    path = tmp_path / "chico"
    path.write_bytes("Jalisco\r\nÑ".encode())
    tracemalloc.start()
    try:
        assert foreign_str(path) == "Jalisco\nÑ"
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
