"""What the engine is told of everything that goes wrong: opened, answered with measures, resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.domain.events import Event, EventKind
from simulator.night.continuity import Applied, together
from simulator.scenario.document import Scenario
from simulator.scenario.faults import ContestFault, Continuity, Exercise, PublicationFault
from tests.simulator.conftest import RunNight
from tests.simulator.field import MEASURES, MINUTE, Field, link_fault, power_fault
from tests.simulator.night.test_night import events_of

MakeField = Callable[..., Field]
TOLD = (EventKind.INCIDENT_OPENED, EventKind.MEASURE_APPLIED, EventKind.INCIDENT_RESOLVED)


@pytest.fixture
def field(tmp_path: Path) -> Iterator[MakeField]:
    made: list[Field] = []

    def make(**values: Any) -> Field:
        made.append(Field(tmp_path, lambda scenario: scenario.model_copy(update=values)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def told(night: Field) -> list[tuple[str, int]]:
    """(kind, minute) of every record of an incident; each is recorded when it happens."""
    events = night.events(*TOLD)
    assert all(event.at == event.recorded_at for event in events)
    return [(event.kind.value, night.ms(event.at) // MINUTE) for event in events]


def test_an_outage_is_opened_answered_and_resolved_at_its_times(field: MakeField) -> None:
    fault = link_fault(at_min=60.0, minutes=60.0, measures=True, cause="Se cortó la fibra", catds=(0, 2))
    night = field(link_faults=(fault,), continuity=Continuity(measures=MEASURES, detection_min=7))
    night.finish()
    assert told(night) == [("incident_opened", 67), ("measure_applied", 80), ("incident_resolved", 120)]
    opened, applied, resolved = night.events(*TOLD)
    assert opened.data["kind"] == "enlace"
    assert opened.data["cause"] == "Se cortó la fibra"
    assert opened.data["catds"] == [0, 2]
    assert applied.data["incident"] == resolved.data["incident"] == opened.data["incident"]
    assert applied.data["authorised_by"] == "Coordinación"
    assert night.ms(applied.data["authorised_at"]) == 74 * MINUTE
    assert night.ms(applied.data["active_at"]) == 80 * MINUTE
    assert applied.data["catds"] == [0, 2]
    assert resolved.data["remedy"] == "Datos móviles: 2"
    (incident,) = night.faults.incidents
    assert (incident.detected_ms, incident.authorised_ms, incident.active_ms) == (
        67 * MINUTE, 74 * MINUTE, 80 * MINUTE,
    )  # fmt: skip
    assert incident.effect == "el enlace da 50 % de su capacidad"


def test_whoever_authorises_a_measure_has_noticed(field: MakeField) -> None:
    fault = link_fault(at_min=60.0, minutes=60.0, measures=True)
    night = field(link_faults=(fault,), continuity=Continuity(measures=MEASURES, detection_min=40))
    night.finish()
    assert told(night)[:2] == [("incident_opened", 74), ("measure_applied", 80)]


def test_an_injected_outage_is_told_like_a_planned_one(field: MakeField) -> None:
    fault = link_fault(at_min=60.0, minutes=60.0, measures=True)
    planned = field(link_faults=(fault,), continuity=Continuity(measures=MEASURES))
    injected = field(continuity=Continuity(measures=MEASURES))
    injected.run_until(60 * MINUTE)
    injected.faults.inject(fault)
    for night in (planned, injected):
        night.finish()
    assert planned.events(*TOLD) == injected.events(*TOLD)
    assert planned.faults.incidents == injected.faults.incidents


def test_an_outage_mended_early_is_resolved_then(field: MakeField) -> None:
    fault = link_fault(at_min=60.0, minutes=100.0, measures=True, catds=(0, 1))
    night = field(link_faults=(fault,), continuity=Continuity(measures=MEASURES))
    night.run_until(70 * MINUTE)
    night.faults.restore([1])
    night.run_until(90 * MINUTE)
    assert told(night) == [("incident_opened", 65), ("measure_applied", 80)]
    # Only where the link was still down.
    assert night.events(EventKind.MEASURE_APPLIED)[0].data["catds"] == [0]
    night.faults.restore([0, 1])
    night.finish()
    assert told(night)[2:] == [("incident_resolved", 90)]
    assert night.faults.incidents[0].end_ms == 90 * MINUTE
    assert night.events(EventKind.INCIDENT_RESOLVED)[0].data["remedy"].endswith("enlace restablecido")


def test_an_outage_mended_where_it_lasted_longest_is_resolved_with_the_others(field: MakeField) -> None:
    faults = tuple(link_fault(at_min=60.0, minutes=minutes, catds=(0,)) for minutes in (30.0, 100.0))
    night = field(link_faults=faults)
    night.run_until(95 * MINUTE)
    night.faults.restore([0])
    night.finish()
    assert told(night) == [
        ("incident_opened", 65),
        ("incident_opened", 65),
        ("incident_resolved", 90),
        ("incident_resolved", 95),
    ]


def test_mending_a_link_does_not_mend_what_has_not_begun(field: MakeField) -> None:
    faults = (link_fault(at_min=10.0, minutes=60.0), link_fault(at_min=100.0, minutes=20.0))
    night = field(link_faults=faults)
    night.run_until(30 * MINUTE)
    night.faults.restore([0])
    night.finish()
    assert told(night) == [
        ("incident_opened", 15),
        ("incident_resolved", 30),
        ("incident_opened", 105),
        ("incident_resolved", 120),
    ]
    assert night.links[0].down_ms(night.model.length_ms) == 40 * MINUTE


def test_what_lasts_beyond_the_close_stays_open(field: MakeField) -> None:
    night = field(link_faults=(link_fault(at_min=60.0, minutes=1_000.0),))
    night.finish()
    assert told(night) == [("incident_opened", 65)]


def test_every_kind_of_fault_is_an_incident(field: MakeField) -> None:
    night = field(
        power_faults=(power_fault(at_min=10.0, plant_share=1.0), power_fault(place="captura", at_min=20.0)),
        contest_faults=(ContestFault(at_min=30, contest="AYUN", name="Sin carpeta", minutes=20),),
        publication_faults=(PublicationFault(kind="sitio", name="Portal caído", at_min=40, minutes=20),),
        continuity=Continuity(
            exercises=(Exercise(distritos=(2,), at_min=50, activation_min=5, minutes=20, capacity=0.5),)
        ),
    )
    night.finish()
    opened = night.events(EventKind.INCIDENT_OPENED)
    assert [(event.data["kind"], event.data["catds"]) for event in opened] == [
        ("luz", [0]), ("luz", []), ("contienda", []), ("publicacion", []), ("ejercicio", [2, 3]),
    ]  # fmt: skip
    assert [minute for kind, minute in told(night) if kind == "incident_resolved"] == [20, 35, 50, 60, 75]
    plant, plan = night.events(EventKind.MEASURE_APPLIED)
    assert (plant.data["measure"], plant.data["catds"]) == ("Planta de luz", [0])
    assert (plan.data["measure"], plan.data["catds"]) == ("Plan de continuidad", [2, 3])
    assert night.feed.refusals == {}


def test_a_fault_that_touches_no_catd_is_told_to_nobody(field: MakeField) -> None:
    night = field(link_faults=(link_fault(at_min=60.0, share=0.0),))
    night.finish()
    assert told(night) == []
    assert [incident.places for incident in night.faults.incidents] == [0]


def test_the_same_measure_at_several_catds_within_five_minutes_is_told_once() -> None:
    applied = [
        Applied("Datos", "X", at - 1, at, "e", (catd,)) for catd, at in enumerate((10, 290_000, 300_000))
    ]
    assert [(one.authorised_ms, one.active_ms, one.catds) for one in together(applied)] == [
        (9, 290_000, (0, 1)),
        (299_999, 300_000, (2,)),
    ]


def test_a_whole_night_tells_each_incident_in_order(run: RunNight) -> None:
    ran = run("chica")
    by_incident: dict[str, list[Event]] = {}
    for event in events_of(ran):
        if event.kind in TOLD:
            by_incident.setdefault(event.data["incident"], []).append(event)
    assert len(by_incident) == len(ran.night.incidents) == 4
    for events in by_incident.values():
        assert events[0].kind is EventKind.INCIDENT_OPENED
        assert [event.kind for event in events].count(EventKind.INCIDENT_RESOLVED) <= 1
        for event in events:
            if event.kind is EventKind.MEASURE_APPLIED:
                assert events[0].at <= event.data["authorised_at"] <= event.data["active_at"] == event.at


def test_without_faults_nothing_is_told(run: RunNight) -> None:
    ran = run("chica", change=Scenario.without_faults)
    assert not [event for event in events_of(ran) if event.kind in TOLD]
