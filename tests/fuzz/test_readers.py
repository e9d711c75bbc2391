"""Whatever is in a file, who reads it says so: no trace, its name in the message, nothing half-written."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings

from core.errors import PrepError
from tests.fuzz.hostile import WHOLE, one_value_spoiled
from tests.fuzz.places import build, prep
from tests.fuzz.readers import READERS, Reader

LONGEST = 60_000
"""Characters of what is said, however large the file was."""
SLOWEST_S = 5.0
"""CPU seconds of one reading."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The good files."""
    return build(tmp_path_factory.mktemp("lugar"))


@contextmanager
def put_back(path: Path) -> Iterator[bytes]:
    """The good bytes of a file, which is as it was afterwards."""
    good = path.read_bytes()
    try:
        yield good
    finally:
        if path.is_dir():
            path.rmdir()
        path.write_bytes(good)


def put(path: Path, data: bytes) -> None:
    """Write the file, without what SQLite left beside another one of its name."""
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    path.write_bytes(data)


def read(reader: Reader, place: Path, what: str) -> None:
    """Ask the reader, and look at how it takes it."""
    out = place / reader.out if reader.out else None
    if out is not None and out.exists():
        shutil.rmtree(out)
    begun = time.process_time()
    refused, said = True, ""
    if reader.call is None:
        told = prep(*(one.replace("{}", str(place)) for one in reader.argv))
        assert told.code in (0, 1, 2), f"{what}: {told.code}\n{told.text[-1500:]}"
        assert "Traceback" not in told.text, what
        refused, said = told.code == 2, told.text
    else:
        try:
            reader.call(place)
            refused = False
        except PrepError as error:
            said = str(error)
        except OSError as error:
            assert error.filename is not None, what
            said = str(error.filename)
    assert time.process_time() - begun < SLOWEST_S, what
    assert len(said) < LONGEST, f"{what}: {len(said)}"
    assert not (refused and reader.silent), f"{what}: {said[:500]}"
    if refused:
        assert any(one in said for one in reader.names or (Path(reader.file).name,)), f"{what}: {said[:500]}"
        assert out is None or not out.exists(), what


@pytest.mark.parametrize("reader", READERS, ids=[one.name for one in READERS])
def test_a_good_file_is_read_and_a_spoiled_one_is_refused_or_taken(reader: Reader, place: Path) -> None:
    path = place / reader.file
    with put_back(path) as good:
        read(reader, place, "bueno")
        for name, spoil in WHOLE.items():
            put(path, spoil(good))
            read(reader, place, name)
        path.unlink()
        read(reader, place, "no está")
        path.unlink(missing_ok=True)
        path.mkdir()
        read(reader, place, "es una carpeta")


TEXTS = [one for one in READERS if one.text]


@pytest.mark.parametrize("reader", TEXTS, ids=[one.name for one in TEXTS])
def test_one_hostile_value_in_a_good_file_is_refused_or_taken(reader: Reader, place: Path) -> None:
    path = place / reader.file
    with put_back(path) as good:

        @settings(max_examples=20)
        @given(one_value_spoiled(good))
        def tried(data: bytes) -> None:
            path.write_bytes(data)
            read(reader, place, repr(data[:2000]))

        tried()
