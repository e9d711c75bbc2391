"""Only the database its cuts came from publishes into a folder, and only what it recorded is signed."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageError
from core.publication.interference import CutStep, Interference
from core.publication.ledger_match import RecordedCut, check_folder, entries_of, recorded_cuts
from core.publication.public_tree import public_keys
from core.publishing.assembly import publication
from tests.publication_sample import Night, sample


class _DiedError(Exception):
    pass


class _Dies(Interference):
    """Ends the second cut at a step, as the death of the publisher would."""

    def __init__(self, step: str) -> None:
        self._step = step

    def at(self, step: str, about: CutStep) -> None:
        if (step, about.number) == (self._step, 2):
            raise _DiedError


def half_done(folder: Path, step: str = "registrado") -> Path:
    """A night whose second cut died at a step."""
    night = Night(folder, interfere=_Dies(step))
    night.first_part()
    assert night.cut().refused is None
    night.second_part()
    with pytest.raises(_DiedError):
        night.cut()
    night.close()
    return folder


def digests(work: Path) -> dict[str, str]:
    """Everything in a folder but the database, hidden files included."""
    return {
        path.relative_to(work).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(work.rglob("*"))
        if path.is_file() and not path.name.startswith("prep.db")
    }


def opened(night: Night) -> object:
    """What the service and the simulator do to publish."""
    return publication(night.engine, night.database, night.folder, key=night.key, images=night.images)


def test_a_folder_of_another_night_is_refused_before_anything_in_it_is_touched(tmp_path: Path) -> None:
    work = sample(tmp_path / "a")
    # As many cuts, at the same instants, of the same catalogue and with the same key: other actas.
    other = Night(tmp_path / "b")
    for part in (other.second_part, other.first_part, other.third_part):
        part()
        assert other.cut().refused is None
    assert [cut.number for cut in recorded_cuts(other.database)] == [1, 2, 3]
    # Something a publisher would finish at once, were the folder its own.
    (work / "corte.json").unlink()
    before = digests(work)
    other.folder = work
    with pytest.raises(UsageError, match="El corte 1 de la bitácora"):
        opened(other)
    assert digests(work) == before
    other.close()


@pytest.mark.parametrize("what", ["at", "seq_high", "manifest_sha256"])
def test_each_thing_the_ledger_recorded_of_a_cut_is_compared(tmp_path: Path, what: str) -> None:
    work = sample(tmp_path / "a")
    entries = [one for one in entries_of(work) if one["clase"] == "emision"]
    cuts = [
        RecordedCut(one["corte"], one["instante_ms"], one["seq_high"], one["manifiesto_sha256"])
        for one in entries
    ]
    check_folder(work, cuts)
    other: dict[str, Any] = {what: "0" * 64 if what == "manifest_sha256" else 1}
    cuts[1] = cuts[1]._replace(**other)
    with pytest.raises(UsageError, match="El corte 2"):
        check_folder(work, cuts)


def test_a_database_with_fewer_or_more_cuts_than_the_folder_is_refused(tmp_path: Path) -> None:
    work = sample(tmp_path / "a")
    night = Night(work)
    cuts = recorded_cuts(night.database)
    night.close()
    check_folder(work, cuts)
    check_folder(tmp_path / "nueva", [])
    with pytest.raises(UsageError, match="tiene el corte 3, que la base no tiene"):
        check_folder(work, cuts[:2])
    with pytest.raises(UsageError, match="tiene el corte 1, que la base no tiene"):
        check_folder(work, [])
    with pytest.raises(UsageError, match="no tiene el último"):
        check_folder(work, [*cuts, cuts[-1]._replace(number=4)])
    with pytest.raises(UsageError, match="no tiene el 1"):
        check_folder(tmp_path / "nueva", cuts)


@pytest.mark.parametrize("name", ["manifiesto.json", "indice.json"])
def test_a_cut_changed_while_the_publisher_was_dead_is_not_signed(tmp_path: Path, name: str) -> None:
    work = half_done(tmp_path / "a")
    path = work / "cortes" / "0002" / name
    document = json.loads(path.read_bytes())
    if name == "manifiesto.json":
        document["actas"]["raiz"] = "0" * 64
    else:
        document["contiendas"]["AYUN"]["encabezado"]["TOTAL_VOTOS_C_CS"] = "999999"
    good = path.read_bytes()
    path.write_bytes(json.dumps(document).encode())
    before = digests(work)
    with pytest.raises(UsageError, match=name):
        Night(work)
    assert digests(work) == before
    path.write_bytes(good)
    night = Night(work)
    assert [one["clase"] for one in entries_of(work)] == ["apertura", "emision", "emision"]
    opened(night)
    night.close()


@pytest.mark.parametrize("step", ["registrado", "bitacora", "emision", "difusion"])
def test_what_a_death_left_half_done_is_still_finished(tmp_path: Path, step: str) -> None:
    work = half_done(tmp_path / "a", step)
    shutil.copytree(work, tmp_path / "copia")
    night = Night(work)
    opened(night)
    night.close()
    assert json.loads((work / "corte.json").read_bytes())["corte"] == 2
    assert "difusion/0002.zip" in set(public_keys(work))
