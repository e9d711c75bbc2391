"""Fitting, judging and the scenario written, on a night whose centre is known because it was made here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import UsageError
from core.published.analysis import Stop
from core.published.night import Night
from simulator.calibration.curve import captured_at, share_by
from simulator.calibration.delays import ANY, pooled
from simulator.calibration.fit import fit, plays
from simulator.calibration.judge import Judgement, judge
from simulator.calibration.order import at_random, capture_order
from simulator.calibration.scenario import Written, write_scenario
from simulator.calibration.traced import Traced
from simulator.fast.kernel import Pool, hold, serve
from simulator.night.run import catalog_of_the_night
from simulator.scenario.document import Scenario
from simulator.scenario.file import load_scenario, open_scenario_catalog
from tests.simulator.conftest import DATA, RunNight

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
START = 1_717_372_800_000
"""18:00 of 2 June 2024 at UTC-6."""
ACTAS = 9_000


@pytest.fixture(scope="module")
def night() -> Traced:
    """Nine thousand actas, 30 % by phone; a pool that falls behind from 23 h and catches up by 06 h."""
    draw = np.random.default_rng(7)
    phone = draw.random(ACTAS) < 0.3
    counted = 260 * np.exp(0.25 * draw.standard_normal(ACTAS))
    travel = np.where(phone, 0.0, 150 * np.exp(0.6 * draw.standard_normal(ACTAS)))
    order = np.argsort(counted + travel)
    acopio = (START + (counted + travel)[order] * MINUTE_MS).astype("int64")
    pool = Pool((24, 22), (0, START + 8 * HOUR_MS))
    done = serve(acopio.tolist(), [MINUTE_MS] * ACTAS, pool)
    captura = np.array(hold(done, draw.integers(20_000, 120_000, ACTAS).tolist()), dtype="int64")
    verificacion = captura + draw.integers(60_000, 400_000, ACTAS)
    medium = np.where(phone, "MOVIL", "ESCANER")[order]
    territory = draw.integers(1, 11, ACTAS).astype("str")
    contest = np.array(("GUB", "DIP", "AYUN"))[np.arange(ACTAS) % 3]
    frame = pd.DataFrame({"acopio": acopio, "captura": captura, "verificacion": verificacion})
    made = Night((), frame.astype("float64"), 10_000, START, int(verificacion.max()), -6)
    return Traced(made, acopio, captura, verificacion, territory, medium, contest, (), 0)


@pytest.fixture(scope="module")
def judged(night: Traced) -> Judgement:
    return judge(night, plays(night, fit(night)))


@pytest.fixture(scope="module")
def written(night: Traced, tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_scenario(night, fit(night), "jalisco-2021", tmp_path_factory.mktemp("escenario"))


def test_the_centre_of_a_made_night_is_found_again(judged: Judgement) -> None:
    bounds = {bound.key: bound for bound in judged.bounds}
    assert bounds["captura"].met
    assert bounds["verificacion"].met
    assert bounds["demora_verificacion"].met
    # The hour in which the queue dies may be missed; every other one is there.
    assert bounds["demora_captura"].held >= bounds["demora_captura"].of - 1
    assert bounds["demora_captura"].of >= 5


def test_nothing_that_happened_to_the_actas_of_the_judged_hours_moves_the_fit(night: Traced) -> None:
    unseen = ~night.fitted(night.acopio)
    late = night.captura + np.where(unseen, 2 * HOUR_MS, 0)
    moved = replace(night, captura=late, verificacion=np.maximum(night.verificacion, late))
    again, before = fit(moved), fit(night)
    assert (again.starts_ms, again.per_hour) == (before.starts_ms, before.per_hour)
    assert again.capture_base == before.capture_base


def test_the_way_to_verification_of_the_judged_hours_does_not_move_the_fit(night: Traced) -> None:
    unseen = ~night.fitted(night.captura)
    moved = replace(night, verificacion=night.verificacion + np.where(unseen, HOUR_MS, 0))
    assert fit(moved) == fit(night)


def test_what_happened_to_the_actas_of_the_fitted_hours_does_move_it(night: Traced) -> None:
    later = replace(night, captura=night.captura + 20 * MINUTE_MS * night.fitted(night.acopio))
    with pytest.raises(UsageError, match="sin cola"):
        fit(later)


def test_with_the_halves_changed_the_other_hours_are_fitted(night: Traced) -> None:
    other = replace(night, parity=1)
    assert (other.fitted(night.acopio) == ~night.fitted(night.acopio)).all()
    rows = judge(other, plays(other, fit(other))).rows
    assert [row.fitted for row in rows[:2]] == [not judged for judged in (row.fitted for row in rows[1:3])]
    assert fit(other) != fit(night)


def test_one_queue_in_order_of_arrival_is_told_from_queues_by_territory(night: Traced) -> None:
    one = capture_order(night)
    assert one.with_territory - one.hour < 0.05
    captura = night.captura.copy()
    for number, territory in enumerate(np.unique(night.territory)):
        captura[night.territory == territory] += number**2 * MINUTE_MS
    apart = capture_order(replace(night, captura=captura))
    assert apart.with_territory - apart.hour > 0.2
    assert one.in_turn > 0.9
    assert apart.in_turn < one.in_turn
    assert apart.in_turn_apart > 0.9


def test_a_contest_that_is_verified_faster_is_so_in_the_hours_left_out_whatever_their_mixture(
    night: Traced,
) -> None:
    fast = night.contest == "AYUN"
    # From 05 h on nearly all that comes is of the fast contest.
    late = (night.acopio > START + 11 * HOUR_MS) & (np.arange(ACTAS) % 10 > 0)
    contest = np.where(late, "AYUN", night.contest)
    fast = contest == "AYUN"
    verificacion = night.captura + np.where(fast, 1, 4) * (night.verificacion - night.captura)
    mixed = replace(night, contest=contest, verificacion=verificacion)
    found = {bound.key: bound for bound in judge(mixed, plays(mixed, fit(mixed))).bounds}
    assert found["demora_verificacion"].met
    alike = replace(mixed, contest=np.full(ACTAS, "GUB"))
    found = {bound.key: bound for bound in judge(alike, plays(alike, fit(alike))).bounds}
    assert not found["demora_verificacion"].met


def test_the_time_of_a_total_stop_is_not_in_the_delays(night: Traced) -> None:
    begin, end = START + 5 * HOUR_MS + 10 * MINUTE_MS, START + 5 * HOUR_MS + 42 * MINUTE_MS
    frozen = (night.captura < begin) & (night.verificacion >= begin)
    assert frozen.sum() > 20
    moved = np.where(night.acopio >= begin, night.acopio + end - begin, night.acopio)
    captura = np.where(night.captura >= begin, night.captura + end - begin, night.captura)
    verificacion = np.where(night.verificacion >= begin, night.verificacion + end - begin, night.verificacion)
    stop = Stop("total", begin, end, 100)
    stopped = replace(night, acopio=moved, captura=captura, verificacion=verificacion, stops=(stop,))
    for odd in (0, 1):
        longest = max(max(row) for b in fit(replace(stopped, parity=odd)).verify_base for row in b.quantiles)
        assert longest < 401_000


def test_a_lent_model_changes_one_number(night: Traced) -> None:
    model = fit(night)
    lent = fit(night, model)
    assert len(lent.per_hour) == len(lent.starts_ms) == 1
    assert lent.capture_base == pooled(model.capture_base)
    assert [base.contest for base in lent.verify_base] == [ANY]
    assert not lent.by_territory
    assert lent.in_turn
    # The made centre has 24 and then 22 servers of a minute: one size for all night is near them.
    assert 1_200 <= lent.per_hour[0] <= 1_560


def test_a_lent_model_takes_any_acta_where_the_fitted_ones_were_not_captured_in_turn(night: Traced) -> None:
    model = fit(night)
    columns = ("acopio", "captura", "verificacion", "territory", "medium", "contest")
    night = replace(night, **{column: getattr(night, column)[::5] for column in columns})
    captura = night.captura.copy()
    for number, territory in enumerate(np.unique(night.territory)):
        rows = np.flatnonzero(night.territory == territory)
        # From a territory that falls hours behind to one where nobody waits.
        work = [5 * MINUTE_MS] * len(rows)
        done = np.array(serve(night.acopio[rows].tolist(), work, Pool((1 + number // 2,))), dtype="int64")
        captura[rows] = at_random(night.acopio[rows], done, 5 * MINUTE_MS, 3, territory)
    apart = replace(night, captura=captura, verificacion=captura + night.verificacion - night.captura)
    lent = fit(apart, model)
    assert lent.by_territory
    assert not lent.in_turn
    unseen = ~apart.fitted(apart.acopio)
    late = apart.captura + np.where(unseen, 2 * HOUR_MS, 0)
    assert fit(replace(apart, captura=late, verificacion=np.maximum(apart.verificacion, late)), model) == lent


def test_the_scenario_written_loads_and_its_curve_is_near_the_night(night: Traced, written: Written) -> None:
    loaded = load_scenario(written.path)
    assert loaded.scenario.name == "calibrado"
    assert loaded.scenario.catalog == "jalisco-2021"
    assert open_scenario_catalog(loaded).actas
    assert loaded.scenario.phone.adoption == pytest.approx(0.3 * 0.9 / 0.95, abs=0.02)
    assert loaded.scenario.calendar.start_ms == START
    assert written.worst <= 5
    last = written.hours[-1]
    assert last[1] == pytest.approx(90, abs=0.1)


def test_the_people_of_a_total_stop_go_home_for_as_long_as_it_lasts(night: Traced, tmp_path: Path) -> None:
    begin, end = START + 5 * HOUR_MS + 10 * MINUTE_MS, START + 5 * HOUR_MS + 42 * MINUTE_MS
    stopped = replace(night, stops=(Stop("total", begin, end, 100),))
    shifts = load_scenario(
        write_scenario(stopped, fit(night), "jalisco-2021", tmp_path).path
    ).scenario.staff.capturistas
    assert not [one for one in shifts if one.from_min < 342 and one.until_min > 310]
    assert [one for one in shifts if one.until_min == 310]
    assert [one for one in shifts if one.from_min == 342]


def test_the_quick_curve_is_that_of_the_night(run: RunNight) -> None:
    def plain(scenario: Scenario) -> Scenario:
        envelopes = scenario.envelopes.model_copy(update={"marking_catds": 0.0})
        return scenario.without_faults().model_copy(update={"envelopes": envelopes})

    night = run("chica", 5, change=plain).night
    scenario = night.loaded.scenario
    loaded = load_scenario(DATA / "chica.toml")
    catalog = catalog_of_the_night(open_scenario_catalog(loaded), scenario)
    points = [point for point in night.curve if point.at_ms % HOUR_MS == 0]
    quick = share_by(captured_at(catalog, scenario, 5), [p.at_ms for p in points], len(catalog.actas))
    real = [point.registered * 100 / len(catalog.actas) for point in points]
    assert max(real) > 50
    assert max(abs(a - b) for a, b in zip(quick, real, strict=True)) < 8
