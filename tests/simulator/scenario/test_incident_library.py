"""The library of incidents: every one composes, its probes hold, and it moves the night as it says."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from core.storage.database import open_database
from core.storage.store import Store
from simulator.night.probes import evaluate, seen_by
from simulator.night.results import Results, results_of
from simulator.night.run import Night, catalog_of_the_night, open_engine, run_night
from simulator.scenario.file import load_scenario, open_scenario_catalog
from simulator.scenario.overlays import IncidentHeader, read_incident
from tests.conftest import REPOSITORY
from tests.simulator.conftest import DATA

FOLDER = REPOSITORY / "scenarios" / "incidencias"
FILES = sorted(FOLDER.glob("*.toml"))
CHICA = DATA / "chica.toml"
SIMULACRO = REPOSITORY / "scenarios" / "jalisco-2021" / "simulacro-5.toml"
SEED = 1
ONLY_RECORDED = ("X06", "X07", "X10", "X19")
"""They belong to the portal: the night must not change."""
OF_IMAGES = ("X25",)
"""Their effect is on published images, which this night does not draw: `night/test_publication_faults`."""

_every_incident = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem[:3].upper())


def _play(overlays: list[Path], folder: Path) -> tuple[Night, Results]:
    loaded = load_scenario(CHICA, overlays)
    catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
    store = Store(open_database(str(folder / "noche.db")))
    try:
        engine = open_engine(store, catalog, loaded.scenario.mode)
        night = run_night(loaded, engine, SEED, store.database, folder / "cortes")
        return night, results_of(night, store.database)
    finally:
        store.close()
        store.database.dispose()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Night, Results]]:
    """The small night with nothing on top."""
    yield _play([], tmp_path_factory.mktemp("base"))


@cache
def _document() -> str:
    return (REPOSITORY / "docs" / "incidencias.md").read_text(encoding="utf-8")


def test_all_twenty_six_are_there_once() -> None:
    assert [read_incident(path).code for path in FILES] == [f"X{number:02d}" for number in range(1, 27)]
    assert all(path.stem.startswith(f"{read_incident(path).code.lower()}-") for path in FILES)


@_every_incident
def test_an_incident_is_documented_under_its_own_title(path: Path) -> None:
    header = read_incident(path)
    section = _document().split(f"\n### {header.code} · {header.title}\n")
    assert len(section) == 2
    assert f"`{path.name}`" in section[1].split("\n### ")[0]


@_every_incident
def test_an_incident_composes_on_a_state_night(path: Path) -> None:
    plain = load_scenario(SIMULACRO)
    composed = load_scenario(SIMULACRO, [path])
    assert composed.sha256 != plain.sha256
    assert composed.overlays[0].header == read_incident(path)
    open_scenario_catalog(composed)


@_every_incident
def test_an_incident_moves_the_night_as_it_says(
    path: Path, base: tuple[Night, Results], tmp_path: Path
) -> None:
    plain, plain_results = base
    night, results = _play([path], tmp_path)
    probes = night.loaded.scenario.probes
    assert [one for one in evaluate(night, results) if not one["cumple"]] == []
    # The first probe is the effect of the incident: without it the night is on the other side.
    effect = probes[0]
    if read_incident(path).code in OF_IMAGES:
        assert effect.seen == "imagenes_faltantes"
        assert len(evaluate(night, results)) == len(probes) - 1
    else:
        seen, before = seen_by(effect, night, results), seen_by(effect, plain, plain_results)
        assert seen > before if effect.least is not None else seen < before
    # Whatever goes wrong, nothing is refused that the scenario did not provoke.
    assert night.feed.refusals == {}
    assert night.feed.missed_provocations == 0
    if read_incident(path).code in ONLY_RECORDED:
        assert results.headers == plain_results.headers
        assert len(night.cuts) == len(plain.cuts)


@_every_incident
def test_an_incident_that_is_only_recorded_says_so(path: Path) -> None:
    header: IncidentHeader = read_incident(path)
    assert ("solo la registra" in header.limits) == (header.code in ONLY_RECORDED)
