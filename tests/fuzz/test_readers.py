"""Whatever is in a file, who reads it says so: no trace, its name in the message, nothing half-written."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given, settings

from core.cli import ENTRY_POINT_GROUP, OWN_VERBS
from core.errors import PrepError
from tests.conftest import REPOSITORY
from tests.fuzz.hostile import WHOLE, one_value_spoiled
from tests.fuzz.places import build, prep
from tests.fuzz.readers import READERS, Reader
from tests.fuzz.registry import OPTIONS, PARSERS

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
        path.unlink(missing_ok=True)
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


def _enormous(path: Path) -> None:
    path.touch()
    os.truncate(path, 10**12)


ODD: dict[str, Callable[[Path], object]] = {
    "una tubería": os.mkfifo,
    "un enlace a sí mismo": lambda path: path.symlink_to(path.name),
    "un enlace a nada": lambda path: path.symlink_to("no-está"),
    "un dispositivo sin fin": lambda path: path.symlink_to("/dev/zero"),
    "un archivo de un millón de millones": _enormous,
}
"""What a path may lead to that is no ordinary file, or is one that nothing could hold."""


@contextmanager
def patience(what: str) -> Iterator[None]:
    """Fails whoever is still reading after some seconds, also if it waits for what never comes."""

    def enough(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"{what}: no acaba")

    before = signal.signal(signal.SIGALRM, enough)
    signal.setitimer(signal.ITIMER_REAL, SLOWEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def modules_run() -> Iterator[set[str]]:
    """The modules of the project that run meanwhile, filled in at the end."""
    files: set[str] = set()
    found: set[str] = set()

    def seen(frame: FrameType, event: str, argument: object) -> None:
        files.add(frame.f_code.co_filename)

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        yield found
    finally:
        sys.setprofile(before)
    inside = (Path(one) for one in files if one.startswith(f"{REPOSITORY}/"))
    found |= {".".join(one.relative_to(REPOSITORY).with_suffix("").parts) for one in inside}


@cache
def _imported(module: str) -> frozenset[str]:
    """What a module of the project imports, anywhere in it: modules, and names that may be modules."""
    path = REPOSITORY / f"{module.replace('.', '/')}.py"
    if not path.is_file():
        return frozenset()
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{one.name}" for one in node.names)}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return frozenset(found)


@cache
def reached(verb: str) -> frozenset[str]:
    """Every module a verb imports, and those import."""
    targets = {**OWN_VERBS, **{one.name: one.value for one in entry_points(group=ENTRY_POINT_GROUP)}}
    found: set[str] = set()
    todo = [targets[verb].partition(":")[0]]
    while todo:
        module = todo.pop()
        if module not in found:
            found.add(module)
            todo += _imported(module)
    return frozenset(found)


READING = (PARSERS.keys() | {"core.transparency.keys"}) - {"core.foreign_text", "core.catalogs.toml_file"}
"""Modules that read a kind of file; those taken away are of any kind. Keys are parsed by their library."""


def named(reader: Reader, table: dict[str, str]) -> list[str]:
    """What of a table says that this reader tries it."""
    return [one for one, said in table.items() if reader.name in said.split("; ")]


def untried(reader: Reader, run: set[str]) -> list[str]:
    """What the registry says that the reader tries, and its trial has not touched."""
    wrong = [one for one in named(reader, PARSERS) if one not in run]
    for option in named(reader, OPTIONS):
        words = option.split()[:-1]
        if list(reader.argv[: len(words)]) != words and not run & READING & reached(words[0]):
            wrong.append(option)
    return wrong


@pytest.mark.parametrize("reader", READERS, ids=[one.name for one in READERS])
def test_a_reader_runs_what_the_registry_says_that_it_tries(reader: Reader, place: Path) -> None:
    with put_back(place / reader.file), modules_run() as run:
        read(reader, place, "bueno")
    assert untried(reader, run) == []


def test_a_reader_that_runs_something_else_would_be_seen(place: Path) -> None:
    pointer = next(one for one in READERS if one.name == "apuntador")
    with modules_run() as run:
        read(pointer, place, "bueno")
    assert untried(pointer, run) == []
    assert untried(pointer, run - {"core.publication.pointer"}) == [
        "core.publication.pointer",
        "publicar --trabajo",
    ]


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
        for name, make in ODD.items() if reader.odd else ():
            path.unlink(missing_ok=True)
            make(path)
            with patience(name):
                read(reader, place, name)
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
