"""The closing of a night says of every file that was published whether it is what the ledger recorded."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.commands import CloseOperation
from core.evidence.closing import closing
from core.evidence.published import LISTED
from core.evidence.read_only import open_read_only
from core.publishing.office import PublicationOffice
from tests.publication_sample import MINUTE, START, STEP, Night


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed night with a notice and images."""
    folder = tmp_path_factory.mktemp("noche")
    night = Night(folder)
    night.first_part()
    assert night.cut().refused is None
    office = PublicationOffice(night.engine, night.database, night.publisher, folder)
    office.missed([night.at + 1], night.at + 1, "se cayó la luz")
    night.second_part()
    night.at = START + 24 * 60 * MINUTE - STEP
    assert night.cut(last=True).refused is None
    night.send(CloseOperation(key="cierre", actor="coordina", station="E1", at=night.at))
    night.close()
    return folder


def faults(work: Path) -> list[str]:
    database = open_read_only(str(work / "prep.db"))
    try:
        found: list[str] = closing(database, START + 30 * 60 * MINUTE, work)["faltas"]
        return found
    finally:
        database.dispose()


def _first(work: Path, pattern: str) -> Path:
    return sorted(work.glob(pattern))[0]


def _spoil(pattern: str) -> Callable[[Path], str]:
    def spoil(work: Path) -> str:
        path = _first(work, pattern)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        return path.relative_to(work).as_posix()

    return spoil


def _lose(pattern: str) -> Callable[[Path], str]:
    def lose(work: Path) -> str:
        path = _first(work, pattern)
        path.unlink()
        return path.relative_to(work).as_posix()

    return lose


def _add(name: str) -> Callable[[Path], str]:
    def add(work: Path) -> str:
        (work / name).write_text("{}", encoding="utf-8")
        return name

    return add


def _old_log(work: Path) -> str:
    """The log of a folder whose last cut was taken out of it."""
    shutil.rmtree(work / "cortes" / "0002")
    return "cortes/0002/manifiesto.json"


CHANGES = {
    "csv cambiado": _spoil("cortes/0001/*.csv"),
    "zip cambiado": _spoil("cortes/0002/*.zip"),
    "csv que falta": _lose("cortes/0001/*.csv"),
    "indice cambiado": _spoil("cortes/0001/indice.json"),
    "archivo de mas": _add("cortes/0001/otro.csv"),
    "aviso cambiado": _spoil("avisos/*.json"),
    "aviso que falta": _lose("avisos/*.json"),
    "aviso de mas": _add("avisos/0009.json"),
    "imagen cambiada": _spoil("imagenes/*/*.jpg"),
    "imagen que falta": _lose("imagenes/*/*.jpg"),
    "vista cambiada": _spoil("vistas/*/*.webp"),
    "vista que falta": _lose("vistas/*/*.webp"),
    "corte que falta": _old_log,
}


def test_a_night_nobody_touched_has_no_fault_and_says_how_many_actas_show_their_image(whole: Path) -> None:
    database = open_read_only(str(whole / "prep.db"))
    made = closing(database, START + 30 * 60 * MINUTE, whole)
    database.dispose()
    assert made["faltas"] == []
    assert made["conforme"]
    said: dict[str, Any] = made["publicado"]
    # One acta of the first part came without its image; its integrity code is in the ledger all the same.
    assert said["actas_sin_su_imagen"] == 1
    codes = sum(one["con_codigo"] for one in made["imagenes"].values())
    assert said["actas_con_imagen"] == codes - 1
    assert len(said["avisos"]) == 1


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_was_changed_after_it_was_published_is_named(
    whole: Path, tmp_path: Path, change: str
) -> None:
    work = tmp_path / "w"
    shutil.copytree(whole, work, symlinks=True)
    name = CHANGES[change](work)
    found = faults(work)
    assert found
    assert any(name in one for one in found), found


def test_an_object_that_is_gone_is_named_and_a_great_many_are_counted(whole: Path, tmp_path: Path) -> None:
    work = tmp_path / "w"
    shutil.copytree(whole, work, symlinks=True)
    shutil.rmtree(work / "objetos")
    assert any("objetos/" in one for one in faults(work))
    for path in (work / "imagenes").glob("*/*"):
        path.write_bytes(b"otra")
    extra = work / "imagenes" / "zz"
    extra.mkdir()
    for number in range(LISTED + 5):
        (extra / f"{number}.jpg").write_bytes(b"ajena")
    found = [one for one in faults(work) if "no es la imagen" in one]
    assert len(found) == LISTED


def test_a_public_log_of_another_night_is_told(whole: Path, tmp_path: Path) -> None:
    work, other = tmp_path / "w", tmp_path / "otra"
    shutil.copytree(whole, work, symlinks=True)
    night = Night(other)
    night.second_part()
    assert night.cut().refused is None
    night.close()
    shutil.copy(other / "checkpoint", work / "checkpoint")
    shutil.rmtree(work / "tile")
    shutil.copytree(other / "tile", work / "tile")
    assert any("no es la de esta base" in one for one in faults(work))
