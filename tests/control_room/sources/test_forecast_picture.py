"""The estimated close: when the goal is registered, also when that is after the legal close or never."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine as Database

from control_room.sources.forecast_picture import BEYOND_MS, finish_of, picture
from simulator.forecast.night import Forecast, forecast
from simulator.forecast.plan import fit_plan
from simulator.forecast.state import state_as_of
from tests.control_room.night_folder import MINUTE, database, load, play

START = load().scenario.calendar.start_ms


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = database(play(tmp_path_factory.mktemp("noche") / "corrida", cuts=False))
    yield opened
    opened.dispose()


def made_at(base: Database, minute: int, **changes: object) -> Forecast:
    state = replace(state_as_of(base, START + minute * MINUTE), **changes)  # type: ignore[arg-type]
    return forecast(state, replicas=80)


def test_a_night_with_time_to_spare_closes_before_its_close(base: Database) -> None:
    made = made_at(base, 120)
    state = made.state
    made = forecast(replace(state, ends_ms=state.ends_ms + 12 * 60 * MINUTE), replicas=80)
    finish = finish_of(made, None, 1)
    assert finish.goal_pct == 95
    assert finish.p50 is not None and finish.p10 is not None
    assert state.now_ms < finish.p10 < made.state.ends_ms
    assert finish.p10 <= finish.p50


def test_a_night_that_will_not_make_it_is_late_by_an_hour_or_by_more_than_is_drawn(base: Database) -> None:
    made = made_at(base, 90, ends_ms=START + 100 * MINUTE)
    finish = finish_of(made, None, 1)
    assert finish.probability == 0
    data = picture(made, finish)
    assert data["eta_p90_ms"] > made.state.ends_ms
    if finish.p90 is None:
        assert data["eta_p90_ms"] == made.state.ends_ms + BEYOND_MS
    assert data["cierre"]["hasta_ms"] == finish.p90
    assert data["cierre"]["final_pct"]["p90"] < 95


def test_the_goal_is_what_the_plan_itself_gets_to(base: Database) -> None:
    made = made_at(base, 60)
    plan = fit_plan(made.state, load().scenario, 1)
    goal = finish_of(made, plan, 1).goal_pct
    assert 60 < goal <= 95
    arrived = (plan.times <= made.state.ends_ms - made.state.starts_ms).mean() * 100
    assert goal <= arrived


def test_the_catds_at_risk_are_those_least_likely_to_meet_their_goal(base: Database) -> None:
    made = made_at(base, 120)
    risks = picture(made, finish_of(made, None, 1))["catd_riesgo"]
    chances = [chance for _, chance in risks]
    assert chances == sorted(chances, reverse=True)
    sizes = {catd: (made.state.catd == catd).sum() for catd, _ in risks}
    for catd, chance in risks:
        missed = (made.base.by_catd[:, catd] * 100 / sizes[catd] < made.target).mean()
        assert chance == pytest.approx(missed, abs=1e-3)


def test_the_picture_is_json_and_small(base: Database, tmp_path: Path) -> None:
    import orjson

    made = made_at(base, 120)
    assert len(orjson.dumps(picture(made, finish_of(made, None, 1)))) < 30_000
