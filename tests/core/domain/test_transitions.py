"""The transition table, looked at whole: every pair of state and command."""

from __future__ import annotations

from itertools import product

import pytest

from core.domain.acta import (
    EXPECTED,
    ActaState,
    ImpossibleEventError,
    Published,
    Status,
    Verified,
    evolve,
    published_in,
)
from core.domain.commands import ActaCommand, Choice
from core.domain.events import EVENT_FIELDS, Event, EventKind, decode_data, encode_data
from core.domain.fields import Mark
from core.domain.refusals import REFUSAL_TEXTS, Refusal, Rejection
from core.domain.transitions import ALL_STATES, TRANSITIONS, Facts, OutsideActa, decide
from tests.core.domain.small import EVERYBODY, LIMIT, START, Orders, sha, votes

ORDERS = Orders()
OUTSIDE = OutsideActa(1, "GUB", START, "", "CATD", sha("fuera"), "ESCANER", "ACTA PREP")
FACTS = Facts(EVERYBODY, LIMIT, START, None, OUTSIDE)

COMMANDS: tuple[ActaCommand, ...] = (
    ORDERS.receive(0), ORDERS.digitize(0), ORDERS.capture(0, "carla"), ORDERS.resolve(0, Choice.FIRST),
    ORDERS.sin_acta(0), ORDERS.replace_image(0, "otra"), ORDERS.request_recall(0), ORDERS.approve_recall(0),
    ORDERS.dismiss_recall(0), ORDERS.collate(0), ORDERS.identify(0, 1),
)  # fmt: skip


def after(*commands: ActaCommand) -> ActaState:
    """The state the commands lead to, each of which must be accepted."""
    state: ActaState = EXPECTED
    for command in commands:
        decision = decide(state, command, FACTS)
        assert not isinstance(decision, Rejection), decision
        for event in decision:
            state = evolve(state, event)
    return state


def states() -> dict[Status, ActaState]:
    o = ORDERS
    arrived = (o.receive(0), o.digitize(0))
    disputed = (*arrived, o.capture(0, "ana", votes(0, 1)), o.capture(0, "beto", votes(0, 2)))
    agreed = (*arrived, o.capture(0, "ana"), o.capture(0, "beto"))
    every = [
        EXPECTED, after(o.receive(0)), after(*arrived), after(*arrived, o.capture(0, "ana")),
        after(*disputed), after(*disputed, o.resolve(0, Choice.ASK_FOR_ANOTHER)), after(*agreed),
        published_in(after(*agreed), 1), after(*agreed, o.collate(0)), after(o.sin_acta(0)),
        after(*agreed, o.request_recall(0)), after(*agreed, o.request_recall(0), o.approve_recall(0)),
    ]  # fmt: skip
    return {state.status: state for state in every}


STATES = states()
TABLE = {
    (state.status, row.command): set().union(
        *(r.leads_to for r in TRANSITIONS if r.command is row.command and state in r.states)
    )
    for row in TRANSITIONS
    for state in row.states
}


def test_there_is_one_state_of_each_status_and_one_command_of_each_kind() -> None:
    assert set(STATES) == set(Status) == {state.status for state in ALL_STATES}
    assert {type(command) for command in COMMANDS} == {row.command for row in TRANSITIONS}
    # By name: a dataclass with slots leaves its first class among the subclasses.
    assert {type(c).__name__ for c in COMMANDS} == {c.__name__ for c in ActaCommand.__subclasses__()}


@pytest.mark.parametrize(
    ("status", "command"),
    list(product(Status, COMMANDS)),
    ids=lambda value: value.value if isinstance(value, Status) else type(value).__name__,
)
def test_each_pair_does_what_the_table_says(status: Status, command: ActaCommand) -> None:
    state = STATES[status]
    decision = decide(state, command, FACTS)
    allowed = TABLE.get((status, type(command)))
    if allowed is None:
        assert isinstance(decision, Rejection)
        assert decision.code is Refusal.STATE
        assert status.value in decision.message
        return
    assert not isinstance(decision, Rejection)
    for event in decision:
        state = evolve(state, event)
    assert state.status in allowed


def test_no_pair_of_the_table_is_declared_twice() -> None:
    pairs = [(state, row.command) for row in TRANSITIONS for state in row.states]
    assert len(pairs) == len(set(pairs))


def test_every_status_can_be_reached_and_every_one_can_be_left() -> None:
    reached = {status for row in TRANSITIONS for status in row.leads_to} | {Status.EXPECTED, Status.PUBLISHED}
    assert reached == set(Status)
    for status in Status:
        assert any(leads - {status} for (start, _), leads in TABLE.items() if start is status)


@pytest.mark.parametrize("kind", list(EventKind))
@pytest.mark.parametrize("status", list(Status))
def test_an_event_that_cannot_follow_a_state_is_named_as_corruption(status: Status, kind: EventKind) -> None:
    event = Event(kind, 0, START, None, START, "ana", "E1", {name: 0 for name in EVENT_FIELDS[kind]})
    possible = {
        e.kind
        for command in COMMANDS
        if not isinstance(decision := decide(STATES[status], command, FACTS), Rejection)
        for e in decision
    }
    if kind in possible or kind is EventKind.DUPLICATE_RECORDED:
        return
    if status is Status.IN_DISPUTE and kind in (EventKind.ACTA_DISPUTED, EventKind.CAPTURE_REQUESTED):
        return
    with pytest.raises(ImpossibleEventError, match=f"{kind.value} after {status.value}"):
        evolve(STATES[status], event)


def test_only_a_verified_acta_is_published_and_keeps_its_first_cut() -> None:
    published = published_in(STATES[Status.VERIFIED], 3)
    assert isinstance(published, Published)
    assert isinstance(published.verified, Verified)
    assert published.cut == 3
    assert published_in(published, 4) == published
    for status in set(Status) - {Status.VERIFIED, Status.RECALL_REQUESTED}:
        assert published_in(STATES[status], 3) == STATES[status]


def test_what_an_event_says_survives_the_ledger() -> None:
    command = ORDERS.capture(0, "ana", votes(0, 1, Mark.ILEGIBLE, Mark.SIN_DATO))
    decision = decide(STATES[Status.DIGITIZED], command, FACTS)
    assert not isinstance(decision, Rejection)
    event = decision[0]
    assert decode_data(event.kind, encode_data(event.data)) == dict(event.data)


def test_every_event_carries_the_keys_declared_for_it() -> None:
    for status, command in product(Status, COMMANDS):
        decision = decide(STATES[status], command, FACTS)
        for event in [] if isinstance(decision, Rejection) else decision:
            assert tuple(event.data) == EVENT_FIELDS[event.kind]


def test_refusals_have_stable_values() -> None:
    assert all(code.value == code.value.upper() and " " not in code.value for code in Refusal)
    assert len(set(REFUSAL_TEXTS.values())) == len(Refusal)
