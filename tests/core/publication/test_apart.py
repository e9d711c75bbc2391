"""A large cut uses two more processes, one that writes its objects and one that reads them back.

The same bytes and the same refusals come out as when one process does it all.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from core.publication import check_apart, objects
from core.publication.archives import Deflated, copy_deflated, write_zip
from core.publication.check_apart import CheckFailedError
from core.publication.interference import CutStep, Interference
from core.publication.object_check import ObjectDefectError
from core.publication.objects import ObjectStore
from core.publication.package import PackageBuilder
from core.publication.public_tree import public_keys
from core.publication.times import local
from tests.builders import START_MS, random_snapshot, small_catalog
from tests.publication_sample import sample

CATALOG = small_catalog()
CUT_MS = START_MS + 40_000_000


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cut is large."""
    monkeypatch.setattr(objects, "HELPED_FROM", 1)
    monkeypatch.setattr(check_apart, "APART_FROM", 1)


@pytest.fixture
def started(apart: None, monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that were started."""
    found: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def watched(*args: object, **kwargs: object) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = real(*args, **kwargs)  # type: ignore[call-overload]
        found.append(process)
        return process

    for module in (objects, check_apart):
        monkeypatch.setattr(module.subprocess, "Popen", watched)
    return found


def contents(work: Path) -> dict[str, str]:
    return {key: sha256((work / key).read_bytes()).hexdigest() for key in public_keys(work)}


def test_a_publication_has_the_same_bytes_with_the_other_processes_and_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = contents(sample(tmp_path / "sola"))
    monkeypatch.setattr(objects, "HELPED_FROM", 1)
    monkeypatch.setattr(check_apart, "APART_FROM", 1)
    assert contents(sample(tmp_path / "ayudada")) == alone
    assert any(key.startswith("objetos/") for key in alone)


class Spoils(Interference):
    """Does something to the objects of a cut before they are read back."""

    def __init__(self, spoil: Callable[[Path], object]) -> None:
        self.spoil = spoil

    def at(self, step: str, about: CutStep) -> None:
        if step == "objetos":
            self.spoil(about.objects()[0])


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("spoil", "reason"), [(cut_short, "no es JSON"), (Path.unlink, "no se puede leer")], ids=["cut", "gone"]
)
def test_the_process_that_reads_back_refuses_what_the_publisher_would(
    spoil: Callable[[Path], object], reason: str, started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    builder = PackageBuilder(CATALOG, tmp_path, mode="oficial", interfere=Spoils(spoil))
    with pytest.raises(ObjectDefectError, match=reason) as caught:
        builder.build(random_snapshot(CATALOG, 1), 1, CUT_MS, False)
    assert caught.value.name == caught.value.path.stem
    assert [path.name for path in (tmp_path / "cortes").iterdir()] == []
    assert len(started) == 2
    assert all(process.returncode == 0 for process in started)


def test_a_defect_explains_what_failed_because_of_it(apart: None, tmp_path: Path) -> None:
    builder = PackageBuilder(CATALOG, tmp_path, mode="oficial", interfere=Spoils(cut_short))

    def stumbles(parts: object) -> dict[str, str]:
        raise ValueError("it read the object that is cut short")

    builder.annex = stumbles
    with pytest.raises(ObjectDefectError, match="no es JSON"):
        builder.build(random_snapshot(CATALOG, 1), 1, CUT_MS, False)


def test_without_the_answer_of_who_reads_back_there_is_no_cut(
    started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    builder = PackageBuilder(CATALOG, tmp_path, mode="oficial")

    def kill(parts: object) -> dict[str, str]:
        started[-1].kill()
        return {}

    def stop(path: Path) -> None:
        """A pipe in the place of an object: whoever reads it waits, and can be killed before it answers."""
        path.unlink()
        os.mkfifo(path)

    builder.annex = kill
    builder._interfere = Spoils(stop)
    with pytest.raises(CheckFailedError, match="sin respuesta"):
        builder.build(random_snapshot(CATALOG, 1), 1, CUT_MS, False)
    assert [path.name for path in (tmp_path / "cortes").iterdir()] == []


def test_what_the_writing_process_cannot_write_fails_the_cut_and_is_written_by_the_next(
    apart: None, tmp_path: Path
) -> None:
    snapshot = random_snapshot(CATALOG, 1)
    builder = PackageBuilder(CATALOG, tmp_path, mode="oficial")
    blocked = [tmp_path / "objetos" / f"{number:02x}" for number in range(256)]
    (tmp_path / "objetos").mkdir()
    for folder in blocked:
        folder.write_bytes(b"")
    with pytest.raises(OSError, match=r"Not a directory|No such file"):
        builder.build(snapshot, 1, CUT_MS, False)
    for folder in blocked:
        folder.unlink()
    built = builder.build(snapshot, 1, CUT_MS, False)
    anew = PackageBuilder(CATALOG, tmp_path / "otro", mode="oficial").build(snapshot, 1, CUT_MS, False)
    assert built.trees["AYUN"].root == anew.trees["AYUN"].root
    names = {path.name for path in (tmp_path / "objetos").rglob("*.json")}
    assert names == {path.name for path in (tmp_path / "otro" / "objetos").rglob("*.json")}


def test_objects_put_with_a_writer_that_died_are_put_again(
    started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    store = ObjectStore(tmp_path)
    with pytest.raises(OSError), store.bulk():
        for number in range(3):
            store.put(b"%d" % number)
        started[0].send_signal(signal.SIGKILL)
        started[0].wait()
    for number in range(3):
        assert store.get(store.put(b"%d" % number)) == b"%d" % number


def test_a_member_copied_without_compressing_it_again_leaves_the_same_zip(tmp_path: Path) -> None:
    table = tmp_path / "Tabla ñ.csv"
    table.write_bytes(b"".join(b"%d,%d\n" % (number, number * number) for number in range(90_000)))
    moment = local(CUT_MS, -360)
    write_zip(tmp_path / "uno.zip", [(table.name, table), ("otro.txt", b"texto")], moment)
    found = Deflated([tmp_path / "uno.zip"]).find(table)
    assert found is not None
    with zipfile.ZipFile(tmp_path / "dos.zip", "w") as archive:
        for name in (f"cortes/{table.name}", "otra vez.csv"):
            info = zipfile.ZipInfo(name, moment.timetuple()[:6])
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            copy_deflated(archive, info, *found)
    write_zip(tmp_path / "tres.zip", [(f"cortes/{table.name}", table), ("otra vez.csv", table)], moment)
    assert (tmp_path / "dos.zip").read_bytes() == (tmp_path / "tres.zip").read_bytes()
    shutil.copy(tmp_path / "uno.zip", tmp_path / "roto.zip")
    (tmp_path / "roto.zip").write_bytes((tmp_path / "roto.zip").read_bytes()[:-40])
    assert Deflated([tmp_path / "roto.zip", tmp_path / "no está.zip"]).find(table) is None
    table.write_bytes(table.read_bytes().replace(b"1", b"2"))
    assert Deflated([tmp_path / "uno.zip"]).find(table) is None
