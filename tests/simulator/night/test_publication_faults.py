"""The three defects of the rehearsals of 2021 are refused or told by the very publisher of the real night.

Each overlay (X24, X25, X26) is laid over a tiny night that the real engine and publisher play: the cut is
refused or says what it lacks, the one before stays whole and verifies, the gap is in the signed log, the
room is told, and with the fault over the next cut is what it would have been.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from control_room.alerts.detection import pictures, places_of, transitions
from core.domain.events import EventKind
from core.images.store import ImageStore
from core.publication.cut import CutReport
from core.publication.interference import CutStep, Interference
from core.publication.public_tree import Kind, kind, object_key, public_keys
from core.publishing.office import FAILED, PublicationOffice
from core.storage.reading import ledger_events, reading
from core.transparency.log import LogReader
from core.verification.verificar import add_arguments, verify
from simulator.night.publication_faults import (
    WITHHELD,
    ScenarioInterference,
    Spoiling,
    interference_of,
    spoiling_of,
)
from simulator.scenario.faults import PublicationFault
from simulator.scenario.file import load_scenario
from tests.conftest import REPOSITORY
from tests.publication_sample import MINUTE, START, Night, sample_catalog
from tests.simulator.conftest import DATA

FOLDER = REPOSITORY / "scenarios" / "incidencias"
SEED = 7


def overlay(name: str) -> Spoiling:
    """What an overlay spoils, put on the hours of the tiny night."""
    (path,) = FOLDER.glob(f"{name}-*.toml")
    found = spoiling_of(load_scenario(DATA / "chica.toml", [path]).scenario, SEED)
    assert found is not None
    return Spoiling(found.faults, START, SEED)


class Played:
    """The tiny night with something that spoils its cuts; every cut has new actas."""

    def __init__(self, folder: Path, spoiling: Spoiling | None) -> None:
        self.work = folder
        images = ImageStore(folder)
        spoiler = interference_of(spoiling, sample_catalog(), images)
        self.night = night = Night(folder, interfere=spoiler, images=images)
        self.office = PublicationOffice(night.engine, night.database, night.publisher, folder)
        self.todo = iter(range(len(self.night.catalog.actas)))

    def cut(self, minute: int) -> CutReport:
        """Three more actas, two minutes before, and the cut of a minute; nothing comes before the start."""
        self.night.at = START + max(0, minute - 2) * MINUTE
        for _ in range(3 if minute else 0):
            self.night.acta(next(self.todo))
        self.night.at = START + minute * MINUTE
        return self.office.attempt(self.night.at)

    def public(self) -> dict[str, bytes]:
        return {key: (self.work / key).read_bytes() for key in public_keys(self.work)}

    def events(self, *kinds: EventKind) -> list[Any]:
        with reading(self.night.database) as connection:
            return [event for _, event, _ in ledger_events(connection) if event.kind in kinds]

    def log(self) -> list[dict[str, Any]]:
        """The entries of the public log."""
        reader = LogReader(lambda key: (self.work / key).read_bytes())
        return [orjson.loads(entry) for entry in reader.entries()]

    def pointer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.work / "corte.json").read_bytes())
        return found

    def verified(self) -> bool:
        """What `prep verificar` says of the folder."""
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        return bool(verify(parser.parse_args([str(self.work)])).verified)

    def alerts(self, until_min: int) -> list[tuple[str, str]]:
        """What the room told of this night, from its database alone."""
        places = places_of(self.night.catalog)
        told = transitions(pictures(self.night.database, None, until_min=until_min), places)
        return [(one["regla"], one["que"]) for one in told]


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Any]:
    made: list[Played] = []

    def play(spoiling: Spoiling | None) -> Played:
        made.append(Played(tmp_path / f"w{len(made)}", spoiling))
        return made[-1]

    yield play
    for one in made:
        one.night.close()


def columns(report: CutReport, work: Path) -> dict[str, bytes]:
    """The tables of a cut."""
    assert report.directory is not None, report.refused
    return {path.name: path.read_bytes() for path in report.directory.glob("*.csv")}


REFUSED: dict[str, dict[int, str]] = {
    "x24": dict.fromkeys((100, 120, 140), "no es un objeto JSON"),
    "x26": {
        60: "es del corte",
        80: "es del corte",
        100: "no es el de este corte",
        120: "la lectura está atrasada",
        140: "la lectura está atrasada",
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_spoiled_is_refused_told_and_leaves_the_cut_before_whole(played: Any, name: str) -> None:
    wrong = REFUSED[name]
    one, other = played(overlay(name)), played(None)
    for minute in range(0, min(wrong), 20):
        assert one.cut(minute).refused is None
        other.cut(minute)
    before, last = one.public(), one.pointer()["corte"]
    for number, (minute, why) in enumerate(wrong.items(), start=1):
        report = one.cut(minute)
        other.cut(minute)
        assert report.refused is not None
        assert why in report.refused
        # The public sees the cut before, every file of it as it was, and that this one did not go out.
        seen = one.public()
        assert {key for key in before if kind(key) is Kind.IMMUTABLE} <= seen.keys()
        assert all(seen[key] == data for key, data in before.items() if kind(key) is Kind.IMMUTABLE)
        assert {key for key in seen.keys() - before.keys() if kind(key) is Kind.IMMUTABLE} == {
            f"avisos/{n:04d}.json" for n in range(1, number + 1)
        }
        assert (one.pointer()["corte"], one.pointer()["avisos"]) == (last, number)
        notice = one.log()[-1]
        assert (notice["clase"], notice["tipo"], notice["ranuras"]) == (
            "aviso", "hueco", [START + minute * MINUTE],
        )  # fmt: skip
        assert report.refused in notice["detalle"]["motivo"]
        assert notice["motivo"] == FAILED
    assert one.verified()
    for event in (EventKind.CUT_REFUSED, EventKind.CUT_MISSED, EventKind.NOTICE_ISSUED):
        assert len(one.events(event)) == len(wrong)
    assert ("A07", "activa") in one.alerts(max(wrong) + 5)
    # The fault is over: the next cut has everything that changed meanwhile, as if nothing had happened.
    minute = max(wrong) + 20
    good, plain = one.cut(minute), other.cut(minute)
    assert columns(good, one.work) == columns(plain, other.work)
    assert good.headers == plain.headers
    assert good.emission.acta_root == plain.emission.acta_root
    assert one.pointer()["corte"] == last + 1
    assert one.verified()
    assert ("A07", "activa") not in other.alerts(minute)


def test_images_that_do_not_come_are_counted_and_come_later_without_touching_the_data(played: Any) -> None:
    one, other = played(overlay("x25")), played(None)
    for minute in (20, 40):
        assert one.cut(minute).emission.missing_images == 0
        other.cut(minute)
    shown = {key for key in one.public() if key.startswith("imagenes/")}
    assert len(shown) == 6
    lacking = 0
    for minute in (80, 100, 120):
        report, plain = one.cut(minute), other.cut(minute)
        assert report.refused is None
        assert report.headers == plain.headers
        found = report.emission
        assert found.missing_images >= lacking
        assert found.with_image + found.missing_images == plain.emission.with_image
        lacking = found.missing_images
    assert lacking > 0
    seen = one.public()
    assert shown <= seen.keys()
    assert sum(key.startswith("imagenes/") for key in seen) == found.with_image
    assert len(list((one.work / WITHHELD).iterdir())) == lacking
    manifest = json.loads(seen["cortes/0005/manifiesto.json"])
    assert manifest["imagenes"] == {"con_imagen": found.with_image, "faltantes": lacking}
    assert one.verified()
    after, plain = one.cut(180), other.cut(180)
    assert (after.emission.missing_images, after.emission.with_image) == (0, plain.emission.with_image)
    assert after.emission.acta_root == plain.emission.acta_root
    assert {key for key in one.public() if key.startswith("imagenes/")} == {
        key for key in other.public() if key.startswith("imagenes/")
    }
    assert one.verified()


def fault(kind: Any, minute: float = 30, minutes: float = 10, **more: Any) -> PublicationFault:
    return PublicationFault(kind=kind, name="f", at_min=minute, minutes=minutes, **more)


@pytest.mark.parametrize("defect", ["estructura", "truncado", "vacio"])
def test_with_every_file_malformed_one_cut_is_lost_and_not_one_for_each_file(
    played: Any, defect: str
) -> None:
    one = played(Spoiling(((0, fault("json_malformado", defect=defect)),), START, SEED))
    assert one.cut(20).refused is None
    assert one.cut(30).refused is not None
    assert one.cut(40).refused is None
    assert one.verified()


class SpoilsPortal(Interference):
    """Every object that the portal of one cut would load is wrapped in a list."""

    def __init__(self, at: int) -> None:
        self.at_ms = at
        self.before: set[Path] = set()

    def at(self, step: str, about: CutStep) -> None:
        if step == "objetos":
            self.before = set(about.objects())
        if step == "anexo" and about.at == self.at_ms:
            for path in set(about.objects()) - self.before:
                path.write_bytes(b"[" + path.read_bytes() + b"]")


@pytest.mark.parametrize("first", [0, 20], ids=["first cut", "second cut"])
def test_an_object_of_the_portal_that_is_malformed_refuses_the_cut_and_comes_out_sound(
    played: Any, first: int
) -> None:
    one = played(None)
    publisher = one.night.publisher
    publisher._interfere = publisher._builder._interfere = SpoilsPortal(START + first * MINUTE)
    reports = [one.cut(minute).refused for minute in range(0, first + 40, 20)]
    assert "no es un objeto JSON" in reports[first // 20]
    assert [why is None for why in reports].count(False) == 1
    assert _not_objects(one) == _not_objects(_unspoiled(played, range(0, first + 40, 20)))
    assert one.verified()


def _unspoiled(played: Any, minutes: range) -> Any:
    other = played(None)
    for minute in minutes:
        other.cut(minute)
    return other


def _not_objects(one: Any) -> set[str]:
    """What the portal names and is no object: the images of its actas, and whatever is missing."""
    names = _objects_named(one.pointer()["portal"], one.work)
    return {name for name in names if not (one.work / object_key(name)).is_file()}


def _objects_named(document: Any, work: Path) -> set[str]:
    """Every SHA-256 in a document of the portal and in those it names."""
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        return set().union(*(_objects_named(one, work) for one in document))
    if not isinstance(document, str) or len(document) != 64:
        return set()
    path = work / object_key(document)
    inside = _objects_named(json.loads(path.read_bytes()), work) if path.is_file() else set()
    return {document} | inside


def test_with_every_file_malformed_the_first_cut_is_not_the_ruin_of_the_portal(played: Any) -> None:
    one = played(Spoiling(((0, fault("json_malformado", 0, 10)),), START, SEED))
    assert [one.cut(minute).refused is None for minute in (0, 20)] == [False, True]
    assert _not_objects(one) == _not_objects(_unspoiled(played, range(0, 40, 20)))
    assert one.verified()


def test_only_the_images_of_the_catd_that_is_named_are_withheld(played: Any) -> None:
    catalog = sample_catalog()
    catd = catalog.catd_of(0).id
    one = played(Spoiling(((0, fault("imagenes_faltantes", catds=(catd,))),), START, SEED))
    one.cut(20)
    for minute in (31, 32, 33):
        one.cut(minute)
    images = {
        acta.image_hash
        for acta in one.night.publisher._reader.read().actas
        if acta is not None
        and catalog.catd_of(acta.acta).id == catd
        and acta.verified_at >= START + 30 * MINUTE
    }
    assert images
    assert {path.stem for path in (one.work / WITHHELD).iterdir()} == images


def test_the_same_seed_spoils_the_same_files_and_another_one_others(tmp_path: Path) -> None:
    catalog, wanted = sample_catalog(), (0, fault("json_malformado", share=0.3))

    def spoiled(folder: Path, seed: int) -> list[str]:
        folder.mkdir()
        paths = [folder / f"{number}.json" for number in range(20)]
        for path in paths:
            path.write_bytes(b"{}")
        step = CutStep(2, START + 30 * MINUTE, False, folder, folder, lambda: paths)
        ScenarioInterference(Spoiling((wanted,), START, seed), catalog).at("objetos", step)
        return [path.name for path in paths if path.read_bytes() != b"{}"]

    first = spoiled(tmp_path / "a", 1)
    assert len(first) == 6
    assert spoiled(tmp_path / "b", 1) == first
    assert spoiled(tmp_path / "c", 2) != first


def test_an_old_package_is_the_last_one_that_is_old_enough(played: Any) -> None:
    one = played(Spoiling(((0, fault("paquete_atrasado", 50, behind_min=25)),), START, SEED))
    for minute in (20, 30, 40):
        assert one.cut(minute).refused is None
    told = one.cut(59).refused
    assert "es del corte" in told
    hour = json.loads((one.work / "cortes/0002/manifiesto.json").read_bytes())["instante"]
    assert hour[11:16] in told.split("se esperaba")[0]


def test_before_the_first_cut_there_is_no_old_package(played: Any) -> None:
    one = played(Spoiling(((0, fault("paquete_atrasado", 0, 30)),), START, SEED))
    assert one.cut(20).refused is None
    assert one.cut(25).refused is not None


def test_a_night_with_nothing_that_spoils_has_no_interference() -> None:
    assert spoiling_of(load_scenario(DATA / "chica.toml").scenario, SEED) is None
    assert interference_of(None, sample_catalog(), None) is None
