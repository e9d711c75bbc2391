"""The plan of 2027: three mandated Sundays and election night, each as it is expected to end."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from simulator.fast.replication import Replicator
from simulator.night.probes import evaluate
from simulator.night.results import verdict_of
from simulator.night.run import catalog_of_the_night
from simulator.scenario.document import Scenario
from simulator.scenario.file import load_scenario, open_scenario_catalog
from tests.simulator.conftest import RunNight

SEED = 2021
ELECTION = date(2027, 6, 6)
SIMULACROS = ("simulacro-1", "simulacro-2", "simulacro-3")


@pytest.fixture
def folder(repository: Path) -> Path:
    return repository / "scenarios" / "jalisco-2027"


@pytest.fixture
def nights(folder: Path) -> dict[str, Scenario]:
    return {name: load_scenario(folder / f"{name}.toml").scenario for name in (*SIMULACROS, "jornada")}


@pytest.mark.parametrize("name", SIMULACROS[:2])
def test_a_first_simulacro_ends_as_expected_in_the_fast_night(folder: Path, name: str) -> None:
    loaded = load_scenario(folder / f"{name}.toml")
    scenario = loaded.scenario
    expected = scenario.expected.captured_pct
    assert expected is not None
    night = Replicator(scenario, catalog_of_the_night(open_scenario_catalog(loaded), scenario)).play(SEED)
    share = night.share_pct_at(night.close_ms)
    assert abs(share - expected) <= scenario.expected.tolerance_points


@pytest.mark.parametrize("name", ["simulacro-3", "jornada"])
def test_a_planned_night_ends_as_expected(run: RunNight, folder: Path, name: str) -> None:
    ran = run(folder / f"{name}.toml", SEED, batch=2000)
    scenario = ran.night.loaded.scenario
    judged = [*verdict_of(scenario.expected, ran.results), *evaluate(ran.night, ran.results)]
    assert [one for one in judged if not one["cumple"]] == []
    # One expectation, and every probe but the one about cuts: nothing was published.
    assert len(judged) == 1 + len(scenario.probes) - 1
    assert ran.night.feed.refusals == {}


def test_the_simulacros_are_the_three_sundays_before(nights: dict[str, Scenario]) -> None:
    days = [nights[name].calendar.start.date() for name in SIMULACROS]
    assert days == [ELECTION - timedelta(weeks=weeks) for weeks in (3, 2, 1)]
    assert nights["jornada"].calendar.start.date() == ELECTION
    assert {night.calendar.utc_offset_minutes for night in nights.values()} == {-360}
    assert all(night.calendar.cuts_per_hour >= 3 for night in nights.values())


def test_each_simulacro_asks_for_every_acta_and_exercises_the_plan(
    nights: dict[str, Scenario], folder: Path
) -> None:
    every = set(open_scenario_catalog(load_scenario(folder / "jornada.toml")).distritos)
    exercised = []
    for name in SIMULACROS:
        night = nights[name]
        assert night.expected.captured_pct == 100.0
        exercised.append({number for one in night.continuity.exercises for number in one.distritos})
    # Partial, wider and at last total.
    assert 0 < len(exercised[0]) < len(exercised[1]) < len(exercised[2])
    assert exercised[2] == every


def test_actas_come_faster_from_one_simulacro_to_the_next(nights: dict[str, Scenario]) -> None:
    counts = [nights[name].arrivals.per_ballot_min for name in SIMULACROS]
    phones = [nights[name].phone.adoption for name in (*SIMULACROS, "jornada")]
    assert counts == sorted(counts, reverse=True)
    assert phones == sorted(phones)
    assert phones[0] > 0


def test_every_catd_has_a_second_link_and_every_measure_somebody_who_authorises(
    nights: dict[str, Scenario],
) -> None:
    for night in nights.values():
        assert night.links.backup_share == 1.0
        assert len(night.continuity.measures) == 3
        assert all(measure.authorised_by and measure.activation_min for measure in night.continuity.measures)


def test_the_power_cut_is_timed_as_in_puebla(nights: dict[str, Scenario]) -> None:
    (cut,) = nights["simulacro-2"].power_faults
    assert cut.place == "captura"
    assert cut.at_min is not None
    begins = nights["simulacro-2"].calendar.start + timedelta(minutes=cut.at_min)
    assert f"{begins:%H:%M}" == "14:20"
    assert round(cut.plant_min * 60) == 2 * 60 + 36
    assert round((cut.plant_min + cut.restart_min) * 60) == 7 * 60 + 26
