"""People and capture that change place during the night."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from core.domain.events import Event, EventKind
from core.errors import UsageError
from simulator.night.capture import CaptureCentre
from simulator.night.centre import Centre
from simulator.night.links import Link
from simulator.night.transfers import Transfers
from simulator.scenario.base import When
from simulator.scenario.document import Scenario
from simulator.scenario.people import CaptureTransfer, Shift, Transfer
from tests.simulator.capturing import Room, captures, staffed
from tests.simulator.conftest import RunNight
from tests.simulator.night.test_night import events_of


def few(scenario: Scenario) -> Scenario:
    return staffed(scenario, capturistas=(Shift(people=3),), collators=0, resolvers=3)


def by_catd(scenario: Scenario) -> Scenario:
    return staffed(scenario, capture_place="por_catd", capturistas=(), collators=0, actas_per_capturista=30)


def transfers_of(room: Room) -> Transfers:
    model = room.model
    centres = [Centre(model, catd.id, Link(), room.capture.digitized, False) for catd in model.catalog.catds]
    return Transfers(model, centres, room.capture)


def moved(transfer: Transfer | CaptureTransfer, room: Room) -> list[Event]:
    """The events of the room's night with one transfer."""
    transfers_of(room).apply(transfer)
    return room.run()


def measures(events: list[Event]) -> list[Event]:
    return [event for event in events if event.kind is EventKind.MEASURE_APPLIED]


def test_people_of_the_reserve_add_to_those_at_work_once_they_arrive(tmp_path: Path) -> None:
    usual, room = Room(tmp_path, few), Room(tmp_path, few)
    before = captures(usual.run())
    events = moved(Transfer(at_min=30, people=5, travel_min=15, authorised_by="Presidencia"), room)
    after = captures(events)
    assert [event for event in after if room.minute(event) <= 30] == [
        event for event in before if room.minute(event) <= 30
    ]
    reserve = [event for event in after if event.actor.startswith("reserva-")]
    assert len({event.actor for event in reserve}) == 5
    assert 45 < min(room.minute(event) for event in reserve) < 50
    assert max(map(room.minute, after)) < max(map(usual.minute, before))
    (measure,) = measures(events)
    assert measure.data["authorised_by"] == "Presidencia"
    assert measure.data["active_at"] - measure.data["authorised_at"] == 15 * 60_000
    assert measure.data["effect"] == "5 de 5 de la reserva al centro estatal"


def test_who_moves_ends_the_acta_in_hand_travels_and_works_there(tmp_path: Path) -> None:
    usual, room = Room(tmp_path, few), Room(tmp_path, few)
    expected: dict[str, tuple[int | None, int]] = {}
    for event in captures(usual.run()):
        if usual.minute(event) > 30:
            expected.setdefault(event.actor, (event.acta, event.at))
    after = captures(moved(Transfer(at_min=30, people=2, target=1, travel_min=40), room))
    leavers = Counter(event.actor for event in after if event.station.startswith("catd-001"))
    assert sorted(leavers) == ["cap-0001", "cap-0002"]
    for actor in leavers:
        later = [event for event in after if event.actor == actor and room.minute(event) > 30]
        first, then = later[:2]
        assert (first.acta, first.at) == expected[actor]
        assert not first.station.startswith("catd")
        # The trip begins when the acta in hand is done.
        assert then.at - first.at > 40 * 60_000
        assert then.station.startswith("catd-001")


def test_nobody_captures_twice_an_acta_because_he_changed_place(tmp_path: Path) -> None:
    room = Room(tmp_path, by_catd)
    transfers = transfers_of(room)
    transfers.apply(Transfer(at_min=20, people=1, origin=0, target=1, travel_min=1))
    transfers.apply(Transfer(at_min=40, people=9, origin=1, target=0, travel_min=1))
    transfers.apply(CaptureTransfer(at_min=30, origin=0))
    transfers.apply(CaptureTransfer(at_min=45, origin=1, target=2))
    made = Counter((event.acta, event.actor) for event in captures(room.run()))
    assert max(made.values()) == 1


def test_with_capture_by_catd_people_work_on_the_actas_of_where_they_go(tmp_path: Path) -> None:
    room = Room(tmp_path, by_catd)
    events = captures(moved(Transfer(at_min=10, people=1, origin=0, target=2, travel_min=5), room))
    actas, casillas = room.model.catalog.actas, room.model.catalog.casillas
    visitor = {event.actor for event in events if event.station.startswith("catd-002-catd000")}
    assert len(visitor) == 1
    for event in events:
        assert event.acta is not None
        home = casillas[actas[event.acta].casilla].catd
        if event.actor in visitor and room.minute(event) > 20:
            assert home == 2
        else:
            assert event.actor in visitor or event.actor.startswith(f"catd{home:03d}")


def test_the_capture_of_a_catd_can_be_done_in_another(tmp_path: Path) -> None:
    room = Room(tmp_path, by_catd)
    events = moved(CaptureTransfer(at_min=15, origin=0, target=2, activation_min=5), room)
    actas, casillas = room.model.catalog.actas, room.model.catalog.casillas
    after = [event for event in captures(events) if room.minute(event) > 25]
    of_zero = [
        event for event in after
        if event.acta is not None and casillas[actas[event.acta].casilla].catd == 0
    ]  # fmt: skip
    assert {event.actor[:7] for event in of_zero} == {"catd002"}
    assert len(of_zero) > 10
    # It kept capturing until the other was ready: whatever it began before the minute 20 it also ended.
    handed = [event for event in captures(events) if event.acta in {one.acta for one in of_zero}]
    assert min(room.minute(event) for event in handed if event.actor.startswith("catd002")) > 20
    assert any(event.actor.startswith("catd000") for event in captures(events) if room.minute(event) > 18)
    verified = [event for event in events if event.kind is EventKind.ACTA_VERIFIED]
    assert len(verified) == len(room.model.catalog.actas)
    (measure,) = measures(events)
    assert measure.data["catds"] == [0, 2]
    assert measure.data["effect"] == "la captura del CATD 0 va al CATD 2"


def test_the_capture_of_a_catd_can_be_spread_over_all_the_others(tmp_path: Path) -> None:
    room = Room(tmp_path, by_catd)
    events = captures(moved(CaptureTransfer(at_min=0, origin=0), room))
    actas, casillas = room.model.catalog.actas, room.model.catalog.casillas
    places = {
        event.actor[:7] for event in events
        if event.acta is not None and casillas[actas[event.acta].casilla].catd == 0
    }  # fmt: skip
    assert places == {"catd001", "catd002", "catd003"}


def test_capture_sent_back_and_forth_is_done_somewhere(tmp_path: Path) -> None:
    room = Room(tmp_path, by_catd)
    transfers = transfers_of(room)
    for minute, origin, target in ((10, 0, 1), (20, 1, 2), (30, 2, 0), (40, 0, 0), (50, 3, None), (60, 0, 3)):
        transfers.apply(CaptureTransfer(at_min=minute, origin=origin, target=target))
    verified = [event for event in room.run() if event.kind is EventKind.ACTA_VERIFIED]
    assert len(verified) == len(room.model.catalog.actas)


def test_capture_moves_elsewhere_only_with_images_that_got_out_of_the_catd(tmp_path: Path) -> None:
    room = Room(tmp_path, by_catd, every_ms=10 * 60 * 60_000)
    model, capture = room.model, room.capture
    capture.connect([lambda work_ms, arrived: arrived()] * len(model.catalog.catds))
    mine = [entry.id for entry in model.catalog.actas if model.catalog.catd_of(entry.id).id == 0][:12]

    def scan(acta: int) -> None:
        room.receive(acta)
        capture.scanned(acta)

    for acta in mine:
        room.at(1, lambda acta=acta: scan(acta))  # type: ignore[misc]
        room.at(60, lambda acta=acta: room.digitize(acta))  # type: ignore[misc]
    events = captures(moved(CaptureTransfer(at_min=4, origin=0, target=1), room))
    elsewhere = [event for event in events if event.actor.startswith("catd001")]
    assert {event.acta for event in events} == set(mine)
    assert len(elsewhere) > len(mine)
    assert min(room.minute(event) for event in elsewhere) > 60


def test_a_transfer_may_wait_for_what_is_seen_of_the_night(tmp_path: Path) -> None:
    room = Room(tmp_path, few)
    room.model.sources["por_capturar"] = lambda: room.capture.backlog
    events = moved(Transfer(when=When(seen="por_capturar", over=20), people=5), room)
    (measure,) = measures(events)
    assert room.minute(measure) > 5
    assert any(event.actor.startswith("reserva") for event in captures(events))


WRONG = [
    (few, Transfer(at_min=0, people=1, target=4), "No existe el CATD 4"),
    (few, Transfer(at_min=0, people=1, origin=-1), "No existe el CATD -1"),
    (few, Transfer(at_min=0, people=1, origin=1, target=1), "de un lugar a otro"),
    (few, Transfer(at_min=0, people=1, role="digitalizadores", origin=1), "necesita a_catd"),
    (few, CaptureTransfer(at_min=0, origin=1), "por_catd"),
    (by_catd, Transfer(at_min=0, people=1, origin=1), "necesita a_catd"),
    (by_catd, CaptureTransfer(at_min=0, origin=9), "No existe el CATD 9"),
]


@pytest.mark.parametrize(("change", "transfer", "why"), WRONG)
def test_a_transfer_that_makes_no_sense_is_refused(
    tmp_path: Path, change: object, transfer: Transfer | CaptureTransfer, why: str
) -> None:
    assert callable(change)
    room = Room(tmp_path, change)
    with pytest.raises(UsageError, match=why):
        transfers_of(room).apply(transfer)
    assert measures(room.run()) == []


# -- in the whole night --------------------------------------------------------------------------


def test_scanning_people_sent_to_a_catd_work_there(run: RunNight) -> None:
    def sent(scenario: Scenario) -> Scenario:
        transfers = (
            Transfer(at_min=40, people=3, role="digitalizadores", target=0, travel_min=20),
            Transfer(at_min=40, people=1, role="digitalizadores", origin=1, target=0, travel_min=20),
        )
        return staffed(scenario, transfers=transfers)

    usual, ran = run("perfecta"), run("perfecta", change=sent)
    assert len(measures(events_of(ran))) == 2

    def scanners(events: list[Event], catd: int) -> set[str]:
        return {
            event.actor for event in events
            if event.kind is EventKind.ACTA_DIGITIZED and event.actor.startswith(f"catd-{catd:03d}")
        }  # fmt: skip

    before, after = events_of(usual), events_of(ran)
    assert scanners(before, 0) < scanners(after, 0)
    assert scanners(after, 1) <= scanners(before, 1)


def test_a_catd_without_link_keeps_capturing_in_the_whole_night(run: RunNight) -> None:
    def local(scenario: Scenario) -> Scenario:
        return staffed(scenario, capture_place="por_catd", capturistas=())

    ran = run("chica", change=local)
    assert ran.night.feed.refusals == {}
    late = [event for event in captures(events_of(ran)) if event.recorded_at - event.at > 10 * 60_000]
    assert late


def test_a_transfer_of_the_scenario_changes_the_night_from_its_minute_on(run: RunNight) -> None:
    def sent(scenario: Scenario) -> Scenario:
        return staffed(scenario, transfers=(Transfer(at_min=100, people=20),))

    usual, ran = run("chica"), run("chica", change=sent)
    start = ran.night.model.start_ms + 100 * 60_000
    before, after = (
        [(event.acta, event.actor, event.at) for event in captures(events_of(one)) if event.at < start]
        for one in (usual, ran)
    )
    assert before == after
    assert ran.results.total.captured >= usual.results.total.captured


def test_the_capture_centre_of_a_night_is_the_one_transfers_move(run: RunNight) -> None:
    night = run("perfecta").night
    assert isinstance(night.capture, CaptureCentre)
    with pytest.raises(UsageError, match="No existe el CATD"):
        night.transfers.apply(Transfer(at_min=0, people=20, target=77))
