"""Election night of 2024: what was captured and what was counted drift apart as they did."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.night.arrivals import plan_arrivals
from simulator.night.probes import evaluate
from simulator.night.results import verdict_of
from simulator.scenario.file import LoadedScenario, load_scenario, open_scenario_catalog
from simulator.seeds import Seeds
from tests.simulator.conftest import RunNight

SEED = 2021


@pytest.fixture
def path(repository: Path) -> Path:
    return repository / "scenarios" / "jalisco-2024" / "jornada.toml"


@pytest.fixture
def loaded(path: Path) -> LoadedScenario:
    return load_scenario(path)


def test_the_night_of_2024_ends_as_reported(run: RunNight, path: Path) -> None:
    ran = run(path, SEED, batch=2000)
    verdict = verdict_of(ran.night.loaded.scenario.expected, ran.results)
    probes = evaluate(ran.night, ran.results)
    assert {one["prueba"] for one in verdict} == {"capturadas_pct GUB"}
    assert [one for one in [*verdict, *probes] if not one["cumple"]] == []
    assert len(probes) == 2
    assert ran.night.feed.refusals == {}
    # It is not for lack of hands: at the close nobody has anything left to capture.
    assert ran.night.capture.backlog == 0


def test_it_has_three_contests_and_six_ballots_at_the_casilla(loaded: LoadedScenario) -> None:
    assert list(open_scenario_catalog(loaded).contests) == ["GUB", "DIP_LOC", "AYUN"]
    assert loaded.scenario.arrivals.ballots == 6
    assert loaded.scenario.calendar.utc_offset_minutes == -360
    # Publication begins at 20:00 and ends twenty-four hours later.
    publication = loaded.scenario.calendar.start.hour + loaded.scenario.calendar.publication_min / 60
    assert (publication, loaded.scenario.calendar.end.hour) == (20, 20)


def test_envelopes_are_missing_above_all_in_the_metropolitan_zone(loaded: LoadedScenario) -> None:
    scenario, catalog = loaded.scenario, open_scenario_catalog(loaded)
    missing, all_of = {True: 0, False: 0}, {True: 0, False: 0}
    for package in plan_arrivals(catalog, scenario, Seeds(SEED)):
        inside = catalog.casillas[package.casilla].municipio in scenario.metropolitan
        missing[inside] += len(package.missing)
        photographed = {photo.acta for photo in package.photos}
        all_of[inside] += len(package.missing) + len(photographed.union(package.envelopes))
    assert missing[True] / all_of[True] > 1.8 * missing[False] / all_of[False]
