"""Shifts of acopio and scanning by CATD: they begin, they end, and they are of their place."""

from __future__ import annotations

from collections import defaultdict

from core.domain.events import EventKind
from core.storage.reading import ledger_events, reading
from simulator.scenario.document import Scenario
from simulator.scenario.people import PlaceShift
from tests.simulator.conftest import Ran, RunNight

MINUTE = 60_000


def with_shift(role: str, catds: tuple[int, ...], people: int, from_min: float, until_min: float) -> object:
    shift = PlaceShift.model_validate(
        {"rol": role, "catd": catds, "personas": people, "desde_min": from_min, "hasta_min": until_min}
    )

    def change(scenario: Scenario) -> Scenario:
        staff = scenario.staff.model_copy(update={"place_shifts": (shift,)})
        return scenario.without_faults().model_copy(update={"staff": staff})

    return change


def scanned_by(ran: Ran) -> dict[str, list[int]]:
    """Minutes of every scan by person."""
    start = ran.night.model.start_ms
    found: dict[str, list[int]] = defaultdict(list)
    with reading(ran.database) as connection:
        for _, event, _ in ledger_events(connection):
            if event.kind is EventKind.ACTA_DIGITIZED and "escaner" in event.actor:
                found[event.actor].append((event.at - start) // MINUTE)
    return found


def test_the_people_of_a_shift_work_at_their_catd_between_its_minutes(run: RunNight) -> None:
    plain = run("chica", 3, change=Scenario.without_faults)
    shifted = run("chica", 3, change=with_shift("digitalizadores", (0,), 3, 60, 150))
    before, after = scanned_by(plain), scanned_by(shifted)
    new = {name: minutes for name, minutes in after.items() if name not in before}
    assert new
    assert all(name.startswith("catd-000-") for name in new)
    assert min(min(minutes) for minutes in new.values()) >= 60
    others = {name for name in before if not name.startswith("catd-000-")}
    assert {name: before[name] for name in others} == {name: after[name] for name in others}
    staff = shifted.night.people.by_role()
    assert staff["digitalizadores"] == plain.night.people.by_role()["digitalizadores"] + 3


def test_when_the_shift_ends_as_many_as_came_have_left(run: RunNight) -> None:
    ran = run("chica", 3, change=with_shift("digitalizadores", (), 2, 30, 100))
    catds = len(ran.night.catalog.catds)
    planned = sum(centre.scanners for centre in ran.night.people.centres)
    assert ran.night.people.by_role()["digitalizadores"] == planned + 2 * catds
    late = {name for name, minutes in scanned_by(ran).items() if max(minutes) > 110}
    assert 0 < len(late) <= planned
