"""Who comes to work, when they rest and how they tire."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from core.catalogs import load_catalog
from core.domain.catalog import Catalog
from core.errors import UsageError
from simulator.night.people import People, estimated_actas, plan_people, reinforcements
from simulator.scenario.document import Planned, Scenario
from simulator.scenario.file import load_scenario
from simulator.scenario.people import Rests, Shift
from simulator.seeds import Seeds
from tests.simulator.capturing import Room, captures, staffed
from tests.simulator.conftest import DATA

MINUTE = 60_000
ONE_SHIFT = (Shift(people=12),)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(DATA / "catalogo")


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(DATA / "chica.toml").scenario


def people_of(catalog: Catalog, scenario: Scenario, seed: int = 1, **staff: object) -> People:
    return plan_people(catalog, staffed(scenario, **staff), Seeds(seed))


def test_a_larger_absence_only_adds_absences(catalog: Catalog, scenario: Scenario) -> None:
    names = []
    for share in (0.0, 0.1, 0.3, 0.6):
        people = people_of(catalog, scenario, capturistas=(Shift(people=200),), absent_capture=share)
        names.append({person.name for person in people.capturistas[0]})
        assert abs(len(names[-1]) / 200 - (1 - share)) < 0.1
    assert names[0] > names[1] > names[2] > names[3]


def test_who_comes_is_as_fast_as_if_nobody_were_absent(catalog: Catalog, scenario: Scenario) -> None:
    everybody = {person.name: person for person in people_of(catalog, scenario).capturistas[0]}
    for person in people_of(catalog, scenario, absent_capture=0.5).capturistas[0]:
        assert person == everybody[person.name]


def test_two_capturistas_stay_however_many_are_absent(catalog: Catalog, scenario: Scenario) -> None:
    assert len(people_of(catalog, scenario, absent_capture=1.0).capturistas[0]) == 2
    local = people_of(catalog, scenario, absent_capture=1.0, capture_place="por_catd", capturistas=())
    assert [len(pool) for pool in local.capturistas] == [2] * len(catalog.catds)


def test_staff_is_planned_on_what_the_institute_estimated(catalog: Catalog, scenario: Scenario) -> None:
    usual = estimated_actas(catalog, {})
    assert sum(usual) == len(catalog.actas)
    changed = scenario.model_copy(update={"plan": Planned(by_catd={"2": 10 * usual[2]})})
    before, after = (plan_people(catalog, one, Seeds(1)).centres for one in (scenario, changed))
    assert after[2].scanners == -(-10 * usual[2] // scenario.staff.actas_per_scanner) > before[2].scanners
    assert [after[k] for k in (0, 1, 3)] == [before[k] for k in (0, 1, 3)]


@pytest.mark.parametrize("name", ["4", "-1", "CATD A"])
def test_an_estimate_of_a_catd_that_does_not_exist_is_refused(catalog: Catalog, name: str) -> None:
    with pytest.raises(UsageError, match="no es un CATD del catálogo"):
        estimated_actas(catalog, {name: 5})


def test_first_rests_are_spread_over_the_time_between_rests(catalog: Catalog, scenario: Scenario) -> None:
    rests = Rests(every_min=60, minutes=10)
    people = people_of(catalog, scenario, capturistas=ONE_SHIFT, rests=rests).capturistas[0]
    assert [person.first_rest_ms for person in people] == [5 * MINUTE * k for k in range(1, 13)]
    assert all(person.first_rest_ms is None for person in people_of(catalog, scenario).capturistas[0])


def test_reinforcements_are_other_people_each_time(scenario: Scenario) -> None:
    first = reinforcements(scenario, Seeds(1), 0, 3, "captura", 0)
    then = reinforcements(scenario, Seeds(1), 3, 2, "captura", 0)
    assert len({person.name for person in first + then}) == 5
    assert {person.speed for person in first}.isdisjoint(person.speed for person in then)
    together = reinforcements(scenario, Seeds(1), 0, 5, "captura", 0)
    assert [person.speed for person in together] == [person.speed for person in first + then]


def resting(scenario: Scenario) -> Scenario:
    rests = Rests(every_min=40, minutes=20)
    return staffed(scenario, capturistas=(Shift(people=6),), rests=rests)


def test_everybody_rests_and_never_all_at_once(tmp_path: Path) -> None:
    # Few people and a queue at all times: whoever does not capture for a while is resting.
    room = Room(tmp_path, resting, every_ms=5_000)
    ends: dict[str, list[float]] = defaultdict(list)
    for event in captures(room.run()):
        ends[event.actor].append(room.minute(event))
    assert len(ends) == 6
    gaps = {}
    for name, times in ends.items():
        pauses = [(a, b) for a, b in pairwise(times) if b - a > 20]
        assert pauses
        gaps[name] = pauses[0]
        assert times[0] < pauses[0][0] <= 40 + 6
    # The first rests begin one after another, as planned.
    assert sorted(gaps.values()) == list(gaps[name] for name in sorted(gaps))
    for minute in range(1, 60):
        assert sum(a < minute < b - 5 for a, b in gaps.values()) < 6


def test_somebody_idle_rests_when_his_rest_falls_due(tmp_path: Path) -> None:
    def idle(scenario: Scenario) -> Scenario:
        rests = Rests(every_min=10, minutes=200)
        return staffed(scenario, capturistas=(Shift(people=2),), rests=rests)

    # The first acta comes when both rest already: nobody captures it before they come back.
    room = Room(tmp_path, idle, every_ms=11 * MINUTE)
    first = captures(room.run())[0]
    assert 205 < room.minute(first) < 210


def test_people_without_rest_slow_down_and_err_more(tmp_path: Path) -> None:
    def tired(slower: float, errors: float, every: float = 0.0) -> Room:
        rests = Rests(every_min=every, minutes=1, slower_per_hour=slower, errors_per_hour=errors)
        return Room(
            tmp_path,
            lambda scenario: staffed(
                scenario, capturistas=(Shift(people=3),), rests=rests, speed_sigma=0.0, resolvers=3
            ),
            every_ms=1_000,
        )

    fresh, slow, rested = tired(0.0, 0.0), tired(0.3, 0.0), tired(0.3, 0.0, every=15.0)
    late = [
        max(room.minute(event) for event in captures(room.run())) for room in (fresh, slow, rested)
    ]  # fmt: skip
    assert late[0] < late[2] < late[1]
    careless = tired(0.0, 1.0)
    careless.run()
    assert careless.model.wrong_captures > 1.2 * fresh.model.wrong_captures
