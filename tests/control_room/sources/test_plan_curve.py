"""The plan of a night: its curve, its pauses, and that what is kept of it is for this very night."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import orjson
import pytest

from control_room.sources.plan_curve import FILE, PlanCurve, plan_of
from core.domain.catalog import Catalog
from simulator.night.run import catalog_of_the_night
from simulator.scenario.document import Scenario
from simulator.scenario.file import load_scenario, open_scenario_catalog
from tests.control_room.night_folder import MINUTE, load


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load().scenario


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    loaded = load()
    return catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)


@pytest.fixture(scope="module")
def plan(scenario: Scenario, catalog: Catalog) -> PlanCurve:
    made = plan_of(scenario, catalog)
    assert made is not None
    return made


def test_without_scenario_there_is_no_plan(catalog: Catalog, tmp_path: Path) -> None:
    assert plan_of(None, catalog, tmp_path) is None
    assert not (tmp_path / FILE).exists()


def test_the_plan_starts_at_nothing_never_falls_and_stays_at_its_end(plan: PlanCurve) -> None:
    assert plan.progress_at(plan.start_ms - MINUTE) == 0
    assert plan.progress_at(plan.start_ms) == 0
    assert 70 < plan.progress_at(plan.end_ms) <= 100
    assert plan.progress_at(plan.end_ms + 10 * MINUTE) == plan.progress_at(plan.end_ms)
    for curve in (plan.registered, plan.digitized, plan.received, *plan.packages):
        assert all(a <= b for a, b in pairwise(curve))
    for received, digitized in zip(plan.received, plan.digitized, strict=True):
        assert received >= digitized


def test_the_rates_add_up_to_what_is_registered(plan: PlanCurve) -> None:
    quarters = range(plan.start_ms + 15 * MINUTE, plan.end_ms + 1, 15 * MINUTE)
    total = sum(plan.rate_at(at) * 15 for at in quarters)
    assert total == pytest.approx(plan.registered[-1], abs=1e-6)
    assert plan.rate_at(plan.start_ms) == 0
    assert plan.rate_at(plan.end_ms + MINUTE) == 0


def test_the_plan_of_a_catd_is_what_it_receives_and_has_pauses_of_that_size(
    plan: PlanCurve, catalog: Catalog
) -> None:
    places = {catd.id for catd in catalog.catds}
    for catd in places:
        packages = plan.packages[catd][-1]
        casillas = sum(casilla.catd == catd for casilla in catalog.casillas)
        assert 0 < packages <= casillas
        busiest = plan.start_ms + 90 * MINUTE
        gap = plan.gap_ms(catd, busiest)
        assert gap is not None
        assert (plan.end_ms - plan.start_ms) / casillas / 10 < gap < 60 * MINUTE
        assert plan.gap_ms(catd, plan.end_ms) is None, "al cierre ya no se espera nada"
    assert plan.gap_ms(len(catalog.catds), plan.start_ms) is None
    assert plan.gap_ms(-1, plan.start_ms) is None


def test_before_anything_comes_the_pause_is_the_time_until_it_does(plan: PlanCurve, catalog: Catalog) -> None:
    first = plan.gap_ms(catalog.catds[0].id, plan.start_ms)
    later = plan.gap_ms(catalog.catds[0].id, plan.start_ms + 90 * MINUTE)
    assert first is not None and later is not None
    assert first > later


def test_the_people_of_the_plan_are_those_of_the_shifts(plan: PlanCurve, scenario: Scenario) -> None:
    for minute in (0, 100, 130, 149, 150, 200):
        assert plan.people_at(plan.start_ms + minute * MINUTE) == scenario.staff.at_the_centre(minute)
    assert plan.people_at(plan.start_ms - 1) == 0


def test_faults_do_not_move_the_plan(plan: PlanCurve, scenario: Scenario, catalog: Catalog) -> None:
    assert scenario.link_faults
    assert plan_of(scenario.without_faults(), catalog) == plan


def test_a_plan_is_kept_and_taken_again(
    plan: PlanCurve, scenario: Scenario, catalog: Catalog, tmp_path: Path
) -> None:
    assert plan_of(scenario, catalog, tmp_path) == plan
    kept = orjson.loads((tmp_path / FILE).read_bytes())
    kept["notas"] = ["leído"]
    (tmp_path / FILE).write_bytes(orjson.dumps(kept))
    again = plan_of(scenario, catalog, tmp_path)
    assert again is not None and again.notes == ("leído",)


@pytest.mark.parametrize("spoilt", [b"", b"{", b'{"llave": "otra"}', b"[1]"])
def test_a_spoilt_plan_is_worked_out_again(
    plan: PlanCurve, scenario: Scenario, catalog: Catalog, tmp_path: Path, spoilt: bytes
) -> None:
    (tmp_path / FILE).write_bytes(spoilt)
    assert plan_of(scenario, catalog, tmp_path) == plan
    kept = orjson.loads((tmp_path / FILE).read_bytes())
    kept["registradas"] = kept["registradas"][::-1]
    (tmp_path / FILE).write_bytes(orjson.dumps(kept))
    assert plan_of(scenario, catalog, tmp_path) == plan


def test_another_scenario_does_not_take_the_plan_that_was_kept(
    plan: PlanCurve, scenario: Scenario, catalog: Catalog, tmp_path: Path
) -> None:
    plan_of(scenario, catalog, tmp_path)
    slow = scenario.model_copy(update={"arrivals": scenario.arrivals.model_copy(update={"base_min": 60.0})})
    other = plan_of(slow, catalog, tmp_path)
    assert other is not None
    assert other.progress_at(plan.start_ms + 90 * MINUTE) < plan.progress_at(plan.start_ms + 90 * MINUTE)


def test_what_the_fast_night_cannot_play_is_approached_and_said(
    plan: PlanCurve, scenario: Scenario, catalog: Catalog
) -> None:
    local = scenario.staff.model_copy(update={"capture_place": "por_catd", "capturistas": ()})
    made = plan_of(scenario.model_copy(update={"staff": local}), catalog)
    assert made is not None
    assert made.notes == ("El plan reúne en un solo grupo a los capturistas de todos los CATD.",)
    assert made.progress_at(made.end_ms) > 70
    assert made.people_at(made.start_ms) >= 2 * sum(1 for row in made.packages if row[-1])
    assert plan.notes == ()


def test_the_plan_of_a_state_takes_seconds_and_is_told_in_microseconds() -> None:
    loaded = load_scenario(Path(__file__).parents[3] / "scenarios" / "jalisco-2021" / "simulacro-5.toml")
    catalog = open_scenario_catalog(loaded)
    began = time.perf_counter()
    plan = plan_of(loaded.scenario, catalog)
    took = time.perf_counter() - began
    assert plan is not None
    assert took < 10, f"el plan tardó {took:.1f} s"
    assert 90 < plan.progress_at(plan.end_ms) < 100
    middle = plan.start_ms + 240 * MINUTE
    began = time.perf_counter()
    gaps = [plan.gap_ms(catd.id, middle) for catd in catalog.catds]
    assert time.perf_counter() - began < 0.1
    assert sum(gap is not None for gap in gaps) > 100
