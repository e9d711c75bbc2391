"""Faults while the night runs: links, light, one contest, marks that should not be, clocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from core.domain.events import EventKind
from core.domain.refusals import Refusal
from core.errors import UsageError
from simulator.night.arrivals import Package
from simulator.night.conditions import begin_when
from simulator.scenario.base import SEEN, Moment, Service, When
from simulator.scenario.document import Scenario, Times
from simulator.scenario.faults import ContestFault, DeviceClocks, Duplicates, Exercise, MassMarking
from tests.simulator.conftest import Ran, RunNight
from tests.simulator.field import MINUTE, Field, link_fault, power_fault
from tests.simulator.night.test_night import events_of

MakeField = Callable[..., Field]
SECOND = 1_000


@pytest.fixture
def field(tmp_path: Path) -> Iterator[MakeField]:
    made: list[Field] = []

    def make(change: Callable[[Scenario], Scenario] = lambda scenario: scenario, **values: Any) -> Field:
        made.append(Field(tmp_path, change, **values))
        return made[-1]

    yield make
    for one in made:
        one.close()


def changed(**values: Any) -> Callable[[Scenario], Scenario]:
    return lambda scenario: scenario.model_copy(update=values)


# -- links -----------------------------------------------------------------------------------------


def test_an_outage_on_the_way_keeps_what_was_sent_and_ends_at_the_right_ms(field: MakeField) -> None:
    night = field()
    acta, behind = night.send_from(0, 60 * SECOND), night.send_from(0, 5 * SECOND)
    elsewhere = night.send_from(1, 60 * SECOND)
    night.run_until(25_001)
    night.faults.inject(link_fault())
    night.finish()
    # 25,001 ms were sent before, the other 34,999 after ten minutes.
    assert night.arrived(acta) == [660 * SECOND]
    assert night.arrived(behind) == [665 * SECOND]
    assert night.arrived(elsewhere) == [60 * SECOND]
    assert night.feed.repeated == 0


@pytest.mark.parametrize(
    ("kind", "values", "ends"),
    [
        ("ancho_de_banda", {"bandwidth": 0.5}, [90_000, 92_000]),
        ("perdida", {"loss": 0.5}, [90_000, 92_000]),
        # What is on its way was sent before: only what follows answers late.
        ("latencia", {"latency_s": 7}, [60_000, 68_000]),
    ],
)
def test_a_worse_link_on_the_way_slows_what_is_left(
    field: MakeField, kind: str, values: dict[str, float], ends: list[int]
) -> None:
    night = field()
    actas = [night.send_from(0, 60 * SECOND), night.send_from(0, SECOND)]
    night.run_until(30 * SECOND)
    night.faults.inject(link_fault(kind, minutes=60.0, **values))
    night.finish()
    assert [night.arrived(acta) for acta in actas] == [[end] for end in ends]


def test_faults_that_come_and_go_on_the_same_shipment_lose_nothing(field: MakeField) -> None:
    night = field()
    acta = night.send_from(0, 60 * SECOND)
    for at in (10, 20, 20, 400):
        if at > night.model.env.now // SECOND:
            night.run_until(at * SECOND)
        night.faults.inject(link_fault(minutes=2.0))
        night.faults.inject(link_fault("ancho_de_banda", bandwidth=0.5, minutes=1.0))
    night.finish()
    # Ten seconds, down from 10 to 140, and the other fifty.
    assert night.arrived(acta) == [190 * SECOND]
    assert len(night.events(EventKind.ACTA_RECEIVED)) == 1


def test_a_link_restored_early_sends_at_once(field: MakeField) -> None:
    night = field()
    acta = night.send_from(0, 60 * SECOND)
    night.run_until(30 * SECOND)
    night.faults.inject(link_fault(minutes=100.0))
    night.run_until(2 * MINUTE)
    night.faults.restore([0])
    night.finish()
    assert night.arrived(acta) == [2 * MINUTE + 30 * SECOND]


def test_a_catd_that_had_lost_its_link_for_the_night_sends_when_it_comes_back(field: MakeField) -> None:
    night = field(changed(link_faults=(link_fault(minutes=1_000.0),)))
    actas = [night.send_from(0, SECOND) for _ in range(3)]
    night.run_until(60 * MINUTE)
    assert night.centres[0].waiting == 3
    night.faults.restore([0])
    night.finish()
    assert [night.arrived(acta) for acta in actas] == [[60 * MINUTE + (i + 1) * SECOND] for i in range(3)]
    assert night.centres[0].waiting == 0


def test_short_outages_lose_nothing_of_a_night_and_send_nothing_twice(field: MakeField) -> None:
    quiet, hit = field(packages=True), field(packages=True)
    quiet.finish()
    for at in range(40, 200, 7):
        hit.run_until(at * MINUTE + at)
        for catd in range(4):
            hit.faults.inject(link_fault(catds=(catd,), minutes=3.0))
        hit.faults.inject(power_fault(catds=(at % 4,), minutes=2.0, restart_min=1.0))
    hit.finish()

    def done(night: Field) -> Counter[tuple[EventKind, int | None]]:
        kinds = (EventKind.ACTA_RECEIVED, EventKind.ACTA_DIGITIZED, EventKind.ACTA_VERIFIED)
        return Counter((event.kind, event.acta) for event in night.events(*kinds))

    assert done(hit) == done(quiet)
    assert max(done(hit).values()) == 1
    assert hit.feed.refusals == {}
    assert hit.feed.repeated == 0


def test_the_same_faults_injected_at_the_same_time_do_the_same(field: MakeField) -> None:
    nights = [field(packages=True) for _ in range(2)]
    for night in nights:
        night.run_until(60 * MINUTE)
        night.faults.inject(link_fault("intermitente", catds=(), minutes=120.0, jitter=0.5, share=0.5))
        night.faults.inject(power_fault(catds=(), plant_share=0.5))
        night.finish()
    assert nights[0].events() == nights[1].events()


def test_what_cannot_be_injected_changes_nothing(field: MakeField) -> None:
    night = field()
    with pytest.raises(UsageError, match="No hay una contienda «GUB»"):
        night.faults.inject(ContestFault(at_min=0, contest="GUB", name="x", minutes=5))
    with pytest.raises(UsageError, match="No hay un CATD con el número 40"):
        night.faults.inject(power_fault(catds=(0, 40)))
    with pytest.raises(UsageError, match="No hay un CATD con el número 4"):
        night.faults.restore([0, 4])
    assert night.faults.incidents == []


def test_an_exercise_can_be_ordered_while_the_night_runs(field: MakeField) -> None:
    night = field()
    acta = night.send_from(0, 60 * SECOND)
    night.run_until(30 * SECOND)
    night.faults.inject(Exercise(distritos=(1,), at_min=0, activation_min=10, minutes=60, capacity=0.5))
    night.finish()
    assert night.arrived(acta) == [30 * SECOND + 10 * MINUTE + 60 * SECOND]


# -- conditions ------------------------------------------------------------------------------------


def test_a_condition_is_met_at_a_whole_minute_and_only_once(field: MakeField) -> None:
    night = field()
    begun: list[int] = []
    when = When(seen="registradas_pct", over=50.0, after_min=3)
    begin_when(night.model, Moment(when=when), lambda: begun.append(int(night.model.env.now)))
    night.run_until(5 * MINUTE + 1)
    assert begun == []
    night.model.registered = len(night.catalog.actas) // 2
    night.run_until(20 * MINUTE)
    night.model.registered = 0
    night.run_until(30 * MINUTE)
    night.model.registered = len(night.catalog.actas)
    night.run_until(40 * MINUTE)
    assert begun == [6 * MINUTE]


def test_a_condition_is_not_looked_at_before_its_minute(field: MakeField) -> None:
    night = field()
    begun: list[int] = []
    when = When(seen="por_capturar", under=0.0, after_min=12.5)
    begin_when(night.model, Moment(when=when), lambda: begun.append(int(night.model.env.now)))
    night.run_until(60 * MINUTE)
    assert begun == [13 * MINUTE]


def test_a_fault_may_wait_for_others(field: MakeField) -> None:
    down = When(seen="catd_sin_enlace", over=2)
    night = field(
        changed(
            link_faults=(
                link_fault(at_min=10.0, catds=(1,), minutes=30.0),
                link_fault(at_min=20.0, catds=(2,), minutes=30.0),
                link_fault(when=down, catds=(0,), minutes=100.0),
            )
        )
    )
    night.run_until(20 * MINUTE)
    assert night.links[0].capacity(20 * MINUTE) == 1.0
    night.run_until(21 * MINUTE)
    # The second one begins on the minute; the condition sees it then or at the following one.
    assert night.links[0].capacity(21 * MINUTE - 1) == 0.0
    night.finish()
    assert night.links[0].down_ms(night.model.length_ms) == 100 * MINUTE
    assert [incident.start_ms // MINUTE for incident in night.faults.incidents] == [10, 20, 20]


# -- light -----------------------------------------------------------------------------------------


def scanned_at(night: Field, catd: int, at_ms: int) -> tuple[int, int]:
    """Put an acta before the scanners: when it is scanned, and how long it takes."""
    acta = night.actas_of(catd)[0]
    night.run_until(at_ms)
    night.centres[catd].packages.put(Package(0, catd, at_ms, "F", (), (acta,), ()))
    durations = night.model.durations
    takes = durations.receive[0] + durations.scan[acta] * (2 if durations.rescan[acta] else 1)
    night.finish()
    (event,) = night.events(EventKind.ACTA_DIGITIZED)
    return night.ms(event.at) - at_ms, takes


def test_a_power_cut_freezes_the_work_in_hand_exactly(field: MakeField) -> None:
    began = 100 * MINUTE - 10 * SECOND
    took, takes = scanned_at(field(changed(power_faults=(power_fault(at_min=100.0),))), 0, began)
    assert took == takes + 15 * MINUTE
    took, takes = scanned_at(field(changed(power_faults=(power_fault(at_min=100.0),))), 1, began)
    assert took == takes


def test_a_plant_shortens_the_cut_to_what_it_takes_to_start(field: MakeField) -> None:
    fault = power_fault(at_min=100.0, plant_share=1.0, plant_min=2.0, restart_min=1.0)
    night = field(changed(power_faults=(fault,)))
    took, takes = scanned_at(night, 0, 100 * MINUTE - 10 * SECOND)
    assert took == takes + 3 * MINUTE
    assert night.links[0].down_ms(night.model.length_ms) == 3 * MINUTE
    (incident,) = night.faults.incidents
    assert (incident.start_ms, incident.end_ms) == (100 * MINUTE, 110 * MINUTE)
    assert incident.measures[0].measure == "Planta de luz"


def test_without_light_nothing_goes_out(field: MakeField) -> None:
    night = field()
    acta = night.send_from(0, 60 * SECOND)
    night.run_until(30 * SECOND)
    night.faults.inject(power_fault())
    night.faults.restore([0])
    night.finish()
    assert night.arrived(acta) == [15 * MINUTE + 60 * SECOND]


def test_power_cuts_at_the_same_time_end_with_the_last_one(field: MakeField) -> None:
    cuts = (power_fault(at_min=100.0), power_fault(at_min=105.0, minutes=20.0))
    took, takes = scanned_at(field(changed(power_faults=cuts)), 0, 100 * MINUTE - 10 * SECOND)
    assert took == takes + 30 * MINUTE


def test_without_light_in_the_capture_centre_nobody_captures(field: MakeField) -> None:
    def captured(night: Field) -> list[int]:
        night.finish()
        return [night.ms(event.at) for event in night.events(EventKind.ACTA_CAPTURED)]

    cut = power_fault(place="captura", at_min=90.0, minutes=20.0)
    dark = captured(field(changed(power_faults=(cut,)), packages=True))
    light = captured(field(packages=True))
    stopped = range(90 * MINUTE + 1, 115 * MINUTE)
    assert not any(at in stopped for at in dark)
    assert any(at in stopped for at in light)
    assert len(dark) == len(light)


# -- one contest -----------------------------------------------------------------------------------


def test_only_the_images_of_the_failing_contest_wait_and_none_is_lost(field: MakeField) -> None:
    fault = ContestFault(at_min=60, contest="AYUN", name="Sin carpeta", minutes=60)
    night, quiet = field(changed(contest_faults=(fault,)), packages=True), field(packages=True)
    night.finish()
    quiet.finish()

    def digitized(one: Field, contest: str) -> list[int]:
        return sorted(
            one.ms(event.recorded_at)
            for event in one.events(EventKind.ACTA_DIGITIZED)
            if event.acta is not None and one.catalog.actas[event.acta].contest == contest
        )

    failing = range(60 * MINUTE, 120 * MINUTE)
    assert any(at in failing for at in digitized(quiet, "AYUN"))
    assert not any(at in failing for at in digitized(night, "AYUN"))
    assert any(at in failing for at in digitized(night, "DIP_LOC"))
    assert len(digitized(night, "AYUN")) == len(digitized(quiet, "AYUN"))
    # What does not carry an image of it is not held: envelopes are received as before.
    received = [
        len([event for event in one.events(EventKind.ACTA_RECEIVED) if one.ms(event.recorded_at) in failing])
        for one in (night, quiet)
    ]
    assert received[0] >= received[1]


def test_a_photo_waits_in_its_phone_while_its_contest_fails(field: MakeField) -> None:
    night = field()
    acta = next(entry.id for entry in night.catalog.actas if entry.contest == "AYUN")
    other = next(entry.id for entry in night.catalog.actas if entry.contest == "DIP_LOC")
    sent: list[int] = []
    night.faults.inject(ContestFault(at_min=0, contest="AYUN", name="x", minutes=30))
    night.faults.inject(ContestFault(at_min=0, contest="AYUN", name="x", minutes=45))
    night.run_until(10 * MINUTE)
    assert not night.model.holds(other, lambda: None)
    assert night.model.holds(acta, lambda: sent.append(int(night.model.env.now)))
    assert night.model.photos_held == 1
    night.finish()
    assert sent == [45 * MINUTE]
    assert night.model.photos_held == 0


# -- marks that should not be ----------------------------------------------------------------------


def test_the_engine_refuses_most_marks_of_actas_that_are_there(field: MakeField) -> None:
    rush = MassMarking(at_min=100, name="Vaciar la fila", actas=60, each_s=2)
    slow = Times(scan=Service(median_s=400))
    night = field(changed(mass_markings=(rush,), times=slow), packages=True)
    night.finish()
    marked = night.events(EventKind.SIN_ACTA_MARKED)
    refused = night.feed.provoked
    assert night.feed.refusals == {}
    assert night.feed.missed_provocations == 0
    assert refused[Refusal.NEEDS_SUPERVISOR.value] > 0
    assert len(marked) > 0
    for event in marked:
        near = [one for one in marked if one.actor == event.actor and 0 <= one.at - event.at < 10 * MINUTE]
        assert len(near) <= 10
    # What was marked left the night; what was refused did not.
    verified = {event.acta for event in night.events(EventKind.ACTA_VERIFIED)}
    assert not verified & {event.acta for event in marked}
    assert night.model.registered == len(verified) + len(marked) == len(night.catalog.actas)
    (incident,) = night.faults.incidents
    assert incident.remedy == (f"el sistema rechazó {sum(refused.values())} marcas y admitió {len(marked)}")


def test_a_marked_acta_that_is_seen_after_all_is_no_longer_registered(field: MakeField) -> None:
    night = field()
    model = night.model
    model.sin_acta.add(night.actas_of(0)[0])
    model.registered = 1
    night.send_from(0, SECOND)
    night.run_until(MINUTE)
    assert model.registered == 0
    assert model.sin_acta == set()


# -- clocks and duplicates -------------------------------------------------------------------------


def test_a_wrong_clock_is_told_and_changes_nothing(field: MakeField) -> None:
    night = field(changed(clocks=DeviceClocks(share=1.0, drift_min=-90.0)), packages=True)
    right = field(packages=True)
    night.finish()
    right.finish()
    kinds = (EventKind.ACTA_RECEIVED, EventKind.ACTA_DIGITIZED)
    assert {event.device_at and event.device_at - event.at for event in night.events(*kinds)} == {
        -90 * MINUTE
    }
    assert {event.device_at for event in right.events(*kinds)} == {None}
    assert [event._replace(device_at=None) for event in night.events(*kinds)] == right.events(*kinds)


def test_only_some_clocks_are_wrong_and_always_the_same_ones(field: MakeField) -> None:
    model = field(changed(clocks=DeviceClocks(share=0.3, drift_min=10.0))).model
    drifts = [model.device_clock(f"movil-{number:05d}", 0) for number in range(400)]
    assert set(drifts) == {0, 10 * MINUTE}
    assert 80 < sum(drift > 0 for drift in drifts) < 160
    assert [model.device_clock(f"movil-{number:05d}", 0) for number in range(400)] == drifts


def test_hours_of_acopio_typed_ahead_are_flagged_and_stay_inside_the_night(field: MakeField) -> None:
    night = field(changed(clocks=DeviceClocks(mistyped=1.0, mistyped_min=700.0)), packages=True)
    night.finish()
    assert night.feed.refusals == {}
    received = night.events(EventKind.ACTA_RECEIVED)
    assert received
    for event in received:
        assert night.ms(event.at) == night.model.length_ms
        assert "hora_adelantada" in event.data["flags"]


def test_an_image_sent_as_that_of_another_acta_counts_for_nobody(field: MakeField) -> None:
    night = field(changed(duplicates=Duplicates(share=0.5)), packages=True)
    quiet = field(packages=True)
    night.finish()
    quiet.finish()
    repeated = [
        event for event in night.events(EventKind.DUPLICATE_RECORDED) if event.data["owner"] is not None
    ]
    assert repeated
    assert all(event.data["owner"] != event.acta for event in repeated)
    assert night.feed.refusals == {}
    # Sent as of an acta that was not there yet: refused, as foreseen.
    assert set(night.feed.provoked) == {Refusal.STATE.value}
    assert night.feed.missed_provocations == 0
    assert len(night.events(EventKind.ACTA_VERIFIED)) == len(quiet.events(EventKind.ACTA_VERIFIED))


# -- people of a CATD ------------------------------------------------------------------------------


def test_people_who_leave_a_catd_finish_what_they_have_in_hand(field: MakeField) -> None:
    night = field()
    centre = night.centres[0]
    actas = night.actas_of(0)[:6]
    for acta in actas:
        centre.scans.put(acta)
    here = centre.staff["digitalizadores"]
    gone: list[int] = []
    night.run_until(SECOND)
    assert centre.remove_staff("digitalizadores", 99, lambda: gone.append(int(night.model.env.now))) == here
    assert gone == []
    night.run_until(60 * MINUTE)
    assert len(gone) == here
    assert len(centre.scans.items) == len(actas) - here
    centre.add_staff("digitalizadores", 1)
    night.run_until(120 * MINUTE)
    assert len(centre.scans.items) == 0
    assert centre.remove_staff("digitalizadores", 1, lambda: gone.append(-1)) == 1
    assert gone[-1] == -1
    centre.scans.put(night.actas_of(0)[6])
    night.finish()
    assert len(centre.scans.items) == 1


# -- whole nights ----------------------------------------------------------------------------------


def test_photos_and_scans_of_a_failing_contest_all_arrive_later(run: RunNight) -> None:
    fault = ContestFault(at_min=60, contest="AYUN", name="Sin carpeta", minutes=60)
    failing, quiet = run("perfecta", change=changed(contest_faults=(fault,))), run("perfecta")
    start = failing.night.model.start_ms

    def phones(ran: Ran) -> list[int]:
        return [
            event.recorded_at - start
            for event in events_of(ran)
            if event.kind is EventKind.ACTA_DIGITIZED and event.data["medium"] == "MOVIL"
            and event.acta is not None and ran.night.catalog.actas[event.acta].contest == "AYUN"
        ]  # fmt: skip

    during = range(60 * MINUTE, 120 * MINUTE)
    assert any(at in during for at in phones(quiet))
    assert not any(at in during for at in phones(failing))
    assert failing.results.headers == quiet.results.headers
    assert failing.night.feed.refusals == {}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("place", ["estatal", "por_catd"])
def test_whatever_goes_wrong_every_answer_of_the_engine_is_foreseen(
    run: RunNight, seed: int, place: str
) -> None:
    draw = Random(seed)
    seen_at_night: list[SEEN] = ["registradas_pct", "por_capturar", "en_enlaces", "catd_sin_enlace"]

    def moment() -> dict[str, Any]:
        if draw.random() < 0.5:
            return {"at_min": draw.uniform(0, 230)}
        seen = draw.choice(seen_at_night)
        return {"when": When(seen=seen, over=draw.choice([1, 2, 5, 20]), after_min=draw.uniform(0, 150))}

    kinds = ["sin_enlace", "intermitente", "latencia", "ancho_de_banda", "perdida"]
    everything: dict[str, Any] = {
        "link_faults": tuple(
            link_fault(
                kind, catds=(), share=draw.random(), jitter=draw.random(), measures=True,
                minutes=draw.uniform(1, 120), **moment(),
            )
            for kind in kinds
        ),
        "power_faults": tuple(
            power_fault(
                place=where, catds=(), share=draw.random(), minutes=draw.uniform(1, 60), plant_share=0.5,
                **moment(),
            )
            for where in ("catd", "catd", "captura")
        ),
        "contest_faults": tuple(
            ContestFault(contest=contest, name="x", minutes=draw.uniform(1, 60), **moment())
            for contest in ("AYUN", "DIP_LOC", "AYUN")
        ),
        "mass_markings": tuple(
            MassMarking(name="x", actas=30, each_s=draw.uniform(0.5, 10), **moment()) for _ in range(2)
        ),
        "clocks": DeviceClocks(share=0.3, drift_min=-20, mistyped=0.2, mistyped_min=draw.uniform(-300, 300)),
        "duplicates": Duplicates(share=0.3),
        "times": Times(scan=Service(median_s=draw.choice([45, 300]))),
    }  # fmt: skip

    def change(scenario: Scenario) -> Scenario:
        people = () if place == "por_catd" else scenario.staff.capturistas
        staff = {"capture_place": place, "capturistas": people}
        links = scenario.links.model_copy(update={"backup_share": 0.5, "switch_min": 2.0})
        staffed = scenario.staff.model_copy(update=staff)
        return scenario.model_copy(update=everything | {"staff": staffed, "links": links})

    ran = run("chica", seed, change=change)
    night, events = ran.night, ran.night.feed.events
    assert night.feed.refusals == {}
    assert night.feed.missed_provocations == 0
    assert events[EventKind.INCIDENT_RESOLVED.value] <= events[EventKind.INCIDENT_OPENED.value]
    # What the model takes for registered is what the database counts.
    assert ran.results.total.captured == night.model.registered
