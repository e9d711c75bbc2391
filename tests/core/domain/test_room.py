"""Incidents and measures as machines: whatever people send, in any order and with any clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.alerts import LONGEST_SILENCE_MS, alert_may_be
from core.domain.commands import AnyCommand
from core.domain.continuity import MEASURE_TABLE, MeasureState, measure_may_follow, same_person
from core.domain.events import EVENT_FIELDS, Event, EventKind, decode_data
from core.domain.incidents import INCIDENT_TABLE, IncidentState, may_follow
from core.domain.operation import ROOM_EVENTS, Operation, decide_operation, fold
from core.domain.refusals import Rejection
from tests.core.domain.small import MINUTE, START, Orders

HOUR = 60 * MINUTE

# Written here a second time on purpose, in words and not from the tables.
INCIDENT_MOVES = {
    ("abierto", "atendido"), ("abierto", "contenido"), ("abierto", "resuelto"), ("abierto", "fusionado"),
    ("atendido", "contenido"), ("atendido", "resuelto"), ("atendido", "fusionado"),
    ("contenido", "resuelto"), ("contenido", "fusionado"), ("contenido", "abierto"),
    ("resuelto", "cerrado"), ("resuelto", "fusionado"), ("resuelto", "abierto"),
    ("cerrado", "abierto"),
}  # fmt: skip
MEASURE_MOVES = {("propuesta", "autorizada"), ("propuesta", "descartada"), ("autorizada", "terminada")}

ACTIONS: dict[str, Callable[[Orders, str, str], AnyCommand]] = {
    "incident": lambda o, one, _: o.incident(one),
    "attend": lambda o, one, _: o.attend(one),
    "assign": lambda o, one, _: o.assign(one),
    "note": lambda o, one, _: o.note(one),
    "contain": lambda o, one, _: o.contain(one),
    "resolve": lambda o, one, _: o.resolve_incident(one),
    "close": lambda o, one, _: o.close_incident(one),
    "reopen": lambda o, one, _: o.reopen(one),
    "merge": lambda o, one, other: o.merge(one, other),
    "measure": lambda o, one, _: o.measure(one),
    "propose": lambda o, one, other: o.propose(one, other),
    "authorise": lambda o, one, _: o.authorise(one),
    "dismiss": lambda o, one, _: o.dismiss_measure(one),
    "step": lambda o, one, _: o.step(one, 0),
    "other step": lambda o, one, _: o.step(one, 2),
    "end": lambda o, one, _: o.end_measure(one),
    "silence": lambda o, one, _: o.silence(one),
}


@dataclass(frozen=True)
class Sent:
    """One thing somebody does, `late_ms` after the start by his own clock."""

    action: str
    one: str
    other: str
    actor: str
    late_ms: int


SENT = st.lists(
    st.builds(
        Sent,
        st.sampled_from(sorted(ACTIONS)),
        st.sampled_from(("x", "y", "z")),
        st.sampled_from(("x", "y", "z")),
        st.sampled_from(("ana", "beto")),
        st.integers(0, HOUR),
    ),
    max_size=60,
)


def command_of(sent: Sent, orders: Orders) -> AnyCommand:
    orders.at = START + sent.late_ms
    return replace(ACTIONS[sent.action](orders, sent.one, sent.other), actor=sent.actor)


def opened(orders: Orders) -> Operation:
    found = decide_operation(Operation(), orders.open(), START, 9, 0)
    assert isinstance(found, list)
    return fold(Operation(), found[0], 1)


@given(sent=SENT)
def test_whatever_is_sent_no_incident_nor_measure_reaches_a_state_the_table_forbids(sent: list[Sent]) -> None:
    orders = Orders()
    operation = opened(orders)
    last: dict[str, int] = {}
    for one in sent:
        before = operation
        answer = decide_operation(operation, command_of(one, orders), START + HOUR, 9, 1)
        if isinstance(answer, Rejection):
            assert answer.message
            continue
        for event in answer:
            assert tuple(event.data) == EVENT_FIELDS[event.kind]
            check_recorded(operation, event)
            operation = fold(operation, event, 1)
            key = event.data.get("activation") or (
                event.data.get("incident") and f"i {event.data['incident']}"
            )
            if key and event.kind is not EventKind.MEASURE_APPLIED:
                assert event.at >= last.get(key, 0)
                last[key] = event.at
        for incident, record in operation.incidents.items():
            was = before.incidents.get(incident)
            if was is None:
                assert record.state is IncidentState.OPEN
            elif was.state is not record.state:
                assert (was.state.value, record.state.value) in INCIDENT_MOVES
                assert (record.state is IncidentState.OPEN) is (one.action == "reopen")
        for activation, found in operation.activations.items():
            earlier = before.activations.get(activation)
            if earlier is None:
                assert found.state is MeasureState.PROPOSED
            elif earlier.state is not found.state:
                assert (earlier.state.value, found.state.value) in MEASURE_MOVES
                if found.state is MeasureState.AUTHORISED:
                    assert one.actor != earlier.proposed_by
            if earlier is not None:
                assert earlier.done <= found.done <= set(range(found.steps))


def check_recorded(operation: Operation, event: Event) -> None:
    """What the engine decides is what the check of a ledger allows."""
    if event.kind in MEASURE_TABLE or event.kind is EventKind.MEASURE_PROPOSED:
        assert measure_may_follow(operation.activations, operation.incidents, event)
        assert not same_person(operation.activations, event)
    elif event.kind is EventKind.ALERT_SILENCED:
        assert alert_may_be(event)
        assert not alert_may_be(event._replace(at=event.data["until"] - LONGEST_SILENCE_MS - 1))
    else:
        assert may_follow(operation.incidents, event)
        if event.kind in INCIDENT_TABLE:
            assert not may_follow({}, event)


def test_every_state_of_an_incident_and_of_a_measure_can_be_reached_and_the_end_is_the_end() -> None:
    incidents = {move.leads_to for move in INCIDENT_TABLE.values() if move.leads_to is not None}
    assert incidents == set(IncidentState)
    assert {move.leads_to for move in MEASURE_TABLE.values()} == set(MeasureState) - {MeasureState.PROPOSED}
    for move in INCIDENT_TABLE.values():
        assert IncidentState.MERGED not in move.states
    for row in MEASURE_TABLE.values():
        assert row.state in (MeasureState.PROPOSED, MeasureState.AUTHORISED)


@pytest.mark.parametrize("kind", ROOM_EVENTS)
def test_an_event_nobody_began_is_never_taken_for_a_good_one(kind: EventKind) -> None:
    """A check of a ledger with one of these alone: found out, or harmless by itself."""
    data: dict[str, object] = {
        name: 5 if name in ("step", "until", "active_at") else "x" for name in EVENT_FIELDS[kind]
    }
    data |= {name: [] for name in ("catds", "steps") if name in data}
    event = Event(kind, None, START, None, START, "ana", "E1", data)
    if kind in (EventKind.MEASURE_PROPOSED, *MEASURE_TABLE):
        assert not measure_may_follow({}, {}, event)
    elif kind is EventKind.ALERT_SILENCED:
        assert not alert_may_be(event)
    elif kind not in (EventKind.ALERT_ACKNOWLEDGED, EventKind.INCIDENT_OPENED):
        assert not may_follow({}, event)
    assert fold(Operation(), event, 1).activations.keys() <= {"x"}


def test_an_incident_of_an_older_database_came_from_no_alert() -> None:
    old = '{"catds":[],"cause":"","incident":"i1","kind":"luz","title":"Sin luz"}'
    assert decode_data(EventKind.INCIDENT_OPENED, old)["alert"] == ""
