"""The capture centre: total stops, capture in the CATDs, forms with swapped boxes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.events import Event, EventKind
from core.domain.fields import Mark
from core.errors import UsageError
from simulator.night.ballots import write_actas
from simulator.night.keying import Typist
from simulator.scenario.actas import Inconsistencies, Keying, Votes
from simulator.scenario.document import Scenario
from simulator.scenario.faults import PowerFault
from simulator.scenario.file import load_scenario, open_scenario_catalog
from simulator.scenario.people import Shift
from simulator.seeds import Seeds
from tests.simulator.capturing import MINUTE, Room, captures, staffed
from tests.simulator.conftest import DATA, RunNight
from tests.simulator.night.test_night import events_of, updated

STOP, BACK = 31.0, 63.0
"""Capture stopped for 32 minutes on the night of Puebla."""
REJECTED = 3
"""What cotejo records of an acta whose published data are not those of the physical one."""


def crowded(scenario: Scenario) -> Scenario:
    """Few people, and errors and cotejo enough to keep everybody busy."""
    keying = scenario.keying.model_copy(update={"per_capture": 0.4})
    return staffed(
        updated(scenario, keying=keying),
        capturistas=(Shift(people=4),),
        collators=2,
        collate_before_end_min=240,
    )


def by_catd(scenario: Scenario) -> Scenario:
    return staffed(scenario, capture_place="por_catd", capturistas=(), collators=0, actas_per_capturista=20)


WORK = (
    EventKind.ACTA_CAPTURED,
    EventKind.ACTA_VERIFIED,
    EventKind.ACTA_DISPUTED,
    EventKind.ACTA_COLLATED,
)


def stopped(room: Room, start: float = STOP, end: float = BACK) -> Room:
    room.at(start, room.capture.stop_work)
    room.at(end, room.capture.resume_work)
    return room


@pytest.mark.parametrize("change", [crowded, by_catd])
def test_in_a_total_stop_nothing_ends_and_then_all_of_it_goes_on(
    tmp_path: Path, change: Callable[[Scenario], Scenario]
) -> None:
    # An acta every 20 s: everybody is busy or has work waiting when the stop begins and when it ends.
    usual = Room(tmp_path, change)
    before = {(event.acta, event.actor): usual.minute(event) for event in captures(usual.run())}
    assert any(STOP < minute < BACK for minute in before.values())
    room = stopped(Room(tmp_path, change))
    events = room.run()
    assert not [event for event in events if event.kind in WORK and STOP < room.minute(event) <= BACK]
    after = {(event.acta, event.actor): room.minute(event) for event in captures(events)}
    in_hand = {
        (actor, acta): minute for (acta, actor), minute in before.items()
        if minute > STOP and minute == min(
            later for (_, who), later in before.items() if who == actor and later > STOP
        )
    }  # fmt: skip
    busy = [
        (actor, acta) for (actor, acta), minute in in_hand.items()
        if after.get((acta, actor)) == pytest.approx(minute + BACK - STOP)
    ]  # fmt: skip
    # Whoever had an acta in hand ends it exactly as much later as the stop lasted.
    assert len(busy) >= 3
    verified = {event.acta for event in events if event.kind is EventKind.ACTA_VERIFIED}
    assert len(verified) == len(room.model.catalog.actas)


def test_a_power_cut_of_the_capture_centre_is_a_total_stop_of_the_whole_night(run: RunNight) -> None:
    def dark(scenario: Scenario) -> Scenario:
        fault = PowerFault(at_min=60, minutes=27, restart_min=5, place="captura", name="Sin luz")
        return updated(scenario, power_faults=(fault,))

    usual, ran = run("chica"), run("chica", change=dark)
    assert ran.night.feed.refusals == {}

    def between(events: list[Event], start: float, end: float) -> int:
        first = ran.night.model.start_ms
        return sum(start * MINUTE < event.at - first <= end * MINUTE for event in events)

    assert between(captures(events_of(usual)), 60, 92) > 10
    assert between(captures(events_of(ran)), 60, 92) == 0
    assert between(captures(events_of(ran)), 92, 98) > 0


def plenty(scenario: Scenario) -> Scenario:
    return staffed(scenario, capturistas=(Shift(people=40),))


def plenty_by_catd(scenario: Scenario) -> Scenario:
    return staffed(scenario, capture_place="por_catd", capturistas=(), actas_per_capturista=2)


@pytest.mark.parametrize("change", [plenty, plenty_by_catd])
def test_what_comes_in_a_stop_waits_and_whoever_is_idle_takes_it_at_its_end(
    tmp_path: Path, change: Callable[[Scenario], Scenario]
) -> None:
    room = Room(tmp_path, change, every_ms=2 * MINUTE)
    room.at(60.5, room.capture.stop_work)
    room.at(92.5, room.capture.resume_work)
    waiting: list[int] = []
    room.at(92.4, lambda: waiting.append(room.capture.backlog))
    events = captures(room.run())
    # Actas of the minutes 62 to 92.
    assert waiting == [16]
    soon = [event.acta for event in events if 92.5 < room.minute(event) < 98]
    assert len(set(soon)) >= 16


def test_a_shift_that_begins_in_a_stop_takes_nothing_before_its_end(tmp_path: Path) -> None:
    def late(scenario: Scenario) -> Scenario:
        return staffed(scenario, capturistas=(Shift(people=30, from_min=40),), collators=0)

    room = stopped(Room(tmp_path, late))
    waiting: list[int] = []
    room.at(59, lambda: waiting.append(room.capture.backlog))
    events = captures(room.run())
    # Three actas a minute have been waiting for somebody.
    assert waiting[0] > 130
    assert min(room.minute(event) for event in events) > BACK


def test_a_stop_inside_a_stop_ends_when_both_have_ended(tmp_path: Path) -> None:
    room = stopped(Room(tmp_path, crowded), 40, 60)
    stopped(room, 50, 80)
    events = room.run()
    assert not [event for event in events if event.kind in WORK and 40 < room.minute(event) <= 80]
    assert [event for event in captures(events) if room.minute(event) > 80]


def test_stops_that_come_and_go_within_one_instant_change_nothing(tmp_path: Path) -> None:
    def flicker(room: Room) -> None:
        for _ in range(3):
            room.capture.stop_work()
            room.capture.resume_work()

    usual, room = Room(tmp_path, crowded), Room(tmp_path, crowded)
    room.at(50, lambda: flicker(room))
    assert captures(room.run()) == captures(usual.run())


def test_the_light_of_one_catd_stops_its_own_capture_only(tmp_path: Path) -> None:
    room = Room(tmp_path, by_catd)
    room.at(20, lambda: room.capture.stop_work(0))
    room.at(70, lambda: room.capture.resume_work(0))
    stopping = [event for event in captures(room.run()) if 20 < room.minute(event) <= 70]
    places = Counter(event.actor[:7] for event in stopping)
    assert places["catd000"] == 0
    assert len(places) >= 2


def test_where_capture_is_statewide_the_light_of_a_catd_does_not_stop_it(tmp_path: Path) -> None:
    usual, room = Room(tmp_path, crowded), Room(tmp_path, crowded)
    room.at(20, lambda: room.capture.stop_work(0))
    room.at(70, lambda: room.capture.resume_work(0))
    assert captures(room.run()) == captures(usual.run())


# -- capture in the CATDs -----------------------------------------------------------------------


class Slow:
    """A link that delivers in order, and nothing before the moment it comes back."""

    def __init__(self, room: Room, back: float) -> None:
        self._room = room
        self._back = round(back * MINUTE)

    def transmit(self, work_ms: int, arrived: object) -> None:
        assert callable(arrived)
        env = self._room.model.env
        moment = max(int(env.now) + work_ms, self._back)
        self._room.at((moment - env.now) / MINUTE, arrived)


def linked(room: Room, back: float) -> Slow:
    slow = Slow(room, back)
    room.capture.connect([slow.transmit] * len(room.model.catalog.catds))
    return slow


def test_a_catd_without_link_goes_on_capturing_and_sends_it_later(tmp_path: Path) -> None:
    room = Room(tmp_path, by_catd, every_ms=10 * 60 * MINUTE)
    slow = linked(room, 100)

    def scan(acta: int) -> None:
        room.receive(acta)
        slow.transmit(5_000, lambda: room.digitize(acta))
        room.capture.scanned(acta)

    for acta in range(30):
        room.at(10 + acta, lambda acta=acta: scan(acta))  # type: ignore[misc]
    room.at(99, lambda: verified.append(room.model.registered))
    verified: list[int] = []
    events = room.run()
    assert verified == [0]
    made = captures(events)
    assert {event.acta for event in made} == set(range(30))
    # Captured while there was no link, recorded when there was, each behind its image.
    early = [event for event in made if room.minute(event) < 99]
    assert len(early) >= 50
    assert all(event.recorded_at - room.model.start_ms >= 100 * MINUTE for event in made)
    order: dict[int | None, list[EventKind]] = defaultdict(list)
    for event in events:
        order[event.acta].append(event.kind)
    for acta in range(30):
        kinds = order[acta]
        assert kinds.index(EventKind.ACTA_DIGITIZED) < kinds.index(EventKind.ACTA_CAPTURED)


def test_captures_wait_for_an_image_that_cannot_be_stored(tmp_path: Path) -> None:
    room = Room(tmp_path, by_catd, every_ms=10 * 60 * MINUTE)
    linked(room, 0)
    room.at(5, lambda: room.receive(0))
    room.at(5, lambda: room.capture.scanned(0))
    # Its captures get through long before its image does; the engine would refuse them.
    room.at(90, lambda: room.digitize(0))
    events = room.run()
    assert [room.minute(event) < 30 for event in captures(events)][:2] == [True, True]
    assert all(event.recorded_at - room.model.start_ms == 90 * MINUTE for event in captures(events)[:2])


# -- a form with two boxes swapped ----------------------------------------------------------------


def swapped(scenario: Scenario) -> Scenario:
    keying = Keying(per_capture=0.0, marks=0.0, shared=0.0, swapped={"AYUN": ("ROJO", "AZUL")})
    return updated(scenario, keying=keying)


def test_a_form_with_swapped_boxes_fools_everybody_and_no_difference_shows_it(run: RunNight) -> None:
    ran = run("perfecta", change=swapped)
    model, catalog = ran.night.model, ran.night.catalog
    assert model.disputes == 0
    one, other = (catalog.contests["AYUN"].codes.index(code) for code in ("ROJO", "AZUL"))
    wrong = 0
    for entry in catalog.actas:
        truth, final = model.truth[entry.id].votes, model.final[entry.id].votes
        if entry.contest == "AYUN" and Mark.NO_APLICA not in (truth[one], truth[other]):
            assert (final[one], final[other]) == (truth[other], truth[one])
            wrong += truth[one] != truth[other]
        else:
            assert final == truth
    assert ran.results.accuracy.wrong_actas == wrong > 0
    collated = [event for event in events_of(ran) if event.kind is EventKind.ACTA_COLLATED]
    assert any(event.data["cotejada"] == REJECTED for event in collated)


@pytest.mark.parametrize(
    ("pair", "named"), [({"GUB": ("ROJO", "AZUL")}, "GUB"), ({"AYUN": ("ROJO", "GRIS")}, "GRIS")]
)
def test_boxes_of_a_contest_or_contender_that_does_not_exist_are_refused(
    pair: dict[str, tuple[str, ...]], named: str
) -> None:
    loaded = load_scenario(DATA / "chica.toml")
    catalog = open_scenario_catalog(loaded)
    with pytest.raises(UsageError, match=f"columnas_cambiadas.*{named}"):
        Typist(Keying(swapped=pair), Seeds(1), len(catalog.actas)).use_form(catalog)


def test_totals_are_mistaken_only_where_the_scenario_says_so() -> None:
    catalog = open_scenario_catalog(load_scenario(DATA / "chica.toml"))
    truth = write_actas(catalog, Votes(), Inconsistencies(), Seeds(1))

    def typed(totals: float) -> list[bool]:
        keying = Keying(per_capture=0.3, shared=0.0, marks=0.0, totals=totals)
        typist = Typist(keying, Seeds(1), len(truth))
        return [typist.type(acta, one, 0, 1.0).totals != one.totals for acta, one in enumerate(truth)]

    assert not any(typed(0.0))
    assert 0.1 < sum(typed(0.2)) / len(truth) < 0.3
    without = Typist(Keying(per_capture=0.3, shared=0.0, marks=0.0), Seeds(1), len(truth))
    with_totals = Typist(Keying(per_capture=0.3, shared=0.0, marks=0.0, totals=0.5), Seeds(1), len(truth))
    for acta, one in enumerate(truth):
        assert without.type(acta, one, 0, 1.0).votes == with_totals.type(acta, one, 0, 1.0).votes
