"""How many people it takes: where arithmetic gives the answer, the search must find it."""

from __future__ import annotations

from math import ceil

import pytest

from simulator.experiments.answer import size
from simulator.experiments.plans import (
    CAPTURISTAS,
    CAPTURISTAS_BY_CATD,
    DIGITALIZADORES,
    all_at_start,
    changed,
    peak_capturistas,
    with_capturistas,
)
from simulator.experiments.sizing import Goal, Search, needed, seeds_of
from simulator.scenario.base import Service
from simulator.scenario.document import Scenario
from simulator.scenario.people import Shift
from tests.simulator.experiments.conftest import Make

MINUTE = 60_000
CAPTURE_S = 60.0


def only_capture(scenario: Scenario) -> Scenario:
    """Everything before capture is instantaneous and a capture always takes a minute."""
    at_once, minute = Service(median_s=0.001, sigma=0.0), Service(median_s=CAPTURE_S, sigma=0.0)
    plain = all_at_start(scenario).without_faults()
    return plain.model_copy(
        update={
            "times": changed(plain.times, receive=at_once, scan=at_once, capture=minute, rescan_share=0.0),
            "links": changed(plain.links, image=at_once, message=at_once, resent=0.0),
            "phone": changed(plain.phone, adoption=0.0),
            "keying": changed(plain.keying, per_capture=0.0, shared=0.0, marks=0.0),
            "staff": changed(plain.staff, speed_sigma=0.0, capturistas=(Shift(people=2),)),
        }
    )


@pytest.mark.parametrize("minutes", [30, 60, 90])
def test_the_people_found_are_those_the_arithmetic_asks_for(small: Make, minutes: int) -> None:
    replicator = small(only_capture)
    captures = 2 * len(replicator.catalog.actas)
    search = Search(replicator, CAPTURISTAS, Goal(100.0, minutes * MINUTE))
    position = search.least(3)
    assert position is not None
    # Two captures of a minute each per acta; the envelope of nothing else fits in the last minute.
    assert ceil(captures / minutes) <= CAPTURISTAS.levels[position] <= ceil(captures / (minutes - 2)) + 1


def test_with_one_fewer_the_goal_is_missed(small: Make) -> None:
    search = Search(small(), CAPTURISTAS, Goal(70.0, 230 * MINUTE))
    for seed in seeds_of(5, 6):
        position = search.least(seed)
        assert position is not None
        assert search.goal.met(search.play(position, seed))
        if position:
            assert not search.goal.met(search.play(position - 1, seed))


def test_the_hint_changes_the_way_but_not_the_answer(small: Make) -> None:
    replicator = small()
    goal = Goal(70.0, 230 * MINUTE)
    found = {Search(replicator, CAPTURISTAS, goal, hint).least(9) for hint in (0, 3, 40, 900)}
    assert len(found) == 1


def test_the_answer_is_a_quantile_of_the_nights_with_an_interval_around_it() -> None:
    search = Search.__new__(Search)
    object.__setattr__(search, "resource", CAPTURISTAS)
    found = needed(search, 0.9, [*range(95), None, None, None, None, None])
    # Ranks 84, 90 and 96 of 100 (binomial with p = 0.9); the ladder begins at two people.
    assert (found.level, found.low, found.high) == (91.0, 85.0, None)
    assert found.probability(91.0) == 0.90
    assert needed(search, 0.9, [*range(80), *[None] * 20]).level is None


def test_a_goal_that_people_alone_cannot_reach_says_how_far_they_go(small: Make) -> None:
    found = size(
        small(), goal_pct=100.0, within_ms=120 * MINUTE, confidence=0.9, root=2, replicas=12,
        at_start=False, others=False, processes=1,
    )  # fmt: skip
    assert not found.attainable
    assert found.best_pct is not None and 0 < found.best_pct < 100
    assert found.enough is not None and found.enough.level is not None
    more = Search(found.replicator, CAPTURISTAS, found.goal)
    place = list(CAPTURISTAS.levels).index(int(found.enough.level))
    shares = sorted(more.play(place, seed).share_pct_at(found.goal.within_ms) for seed in seeds_of(2, 12))
    assert shares[1] >= found.best_pct - 1.5


def test_a_reachable_goal_also_says_what_else_could_be_spared(small: Make) -> None:
    found = size(
        small(lambda scenario: scenario.without_faults()), goal_pct=100.0, within_ms=120 * MINUTE,
        confidence=0.9, root=2, replicas=10, at_start=True, others=True, processes=1,
    )  # fmt: skip
    assert found.attainable
    assert {one.resource.key for one in found.others} == {"digitalizadores", "enlaces", "respaldo"}
    scanners = next(one for one in found.others if one.resource is DIGITALIZADORES)
    assert scanners.level is not None
    assert found.variance_ratio is None or found.variance_ratio > 0
    chances = [found.people.probability(one.level) for one in found.curve]
    assert chances == sorted(chances)


def test_shifts_keep_their_shape_when_people_change() -> None:
    from simulator.scenario.file import load_scenario
    from tests.simulator.conftest import DATA

    scenario = load_scenario(DATA / "chica.toml").scenario
    assert peak_capturistas(scenario) == 8
    more = with_capturistas(scenario, 80)
    assert [shift.people for shift in more.staff.capturistas] == [40, 40]
    assert more.staff.capturistas[0].until_min == 150


def test_every_ladder_goes_from_little_to_plenty(small: Make) -> None:
    catalog = small().catalog
    for resource in (DIGITALIZADORES, CAPTURISTAS_BY_CATD):
        units = [resource.units(level, catalog) for level in resource.levels]
        assert units == sorted(units)
