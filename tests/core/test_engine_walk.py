"""Random nights: whatever is sent, the engine agrees with the transition table and its ledger explains it.

Each example is a list of steps; a step either does what comes next for an acta or anything at all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.acta import (
    EXPECTED,
    ActaState,
    AwaitingCapture,
    InDispute,
    Status,
    captures_of,
    evolve,
    published_in,
    value_of,
)
from core.domain.commands import ActaCommand, AnyCommand, Choice
from core.domain.events import Event, EventKind
from core.domain.fields import Field, Mark
from core.domain.marking import MarkingLimits
from core.domain.refusals import Refusal
from core.domain.transitions import TRANSITIONS
from core.engine import Answer, Engine
from core.operations.check import check
from core.storage.reading import SnapshotReader, ledger_events, reading
from core.tally.levels import Levels
from tests.core.domain.small import CATALOG, MINUTE, START, WIDTH, Orders, open_engine, votes

NOW = START + 5 * MINUTE
ACTAS = (0, 2, 4, 8)
PEOPLE = ("ana", "beto", "carla")
UNLIMITED = MarkingLimits(without_supervisor=10**6, with_supervisor=10**6)

LEADS_TO: dict[tuple[Status, type[ActaCommand]], set[Status]] = {}
for _row in TRANSITIONS:
    for _state in _row.states:
        LEADS_TO.setdefault((_state.status, _row.command), set()).update(_row.leads_to)

KINDS = (
    "receive", "digitize", "capture", "resolve", "sin_acta", "replace_image", "request_recall",
    "approve_recall", "dismiss_recall", "collate", "identify",
)  # fmt: skip
NEXT = {
    Status.EXPECTED: "receive",
    Status.RECEIVED: "digitize",
    Status.DIGITIZED: "capture",
    Status.CAPTURED_ONCE: "capture",
    Status.IN_DISPUTE: "resolve",
    Status.AWAITING_CAPTURE: "capture",
    Status.RECALLED: "capture",
    Status.VERIFIED: "request_recall",
    Status.PUBLISHED: "collate",
    Status.COLLATED: "request_recall",
    Status.SIN_ACTA: "receive",
    Status.RECALL_REQUESTED: "approve_recall",
}


ROOM = (
    "attend", "assign", "note", "contain", "close_incident", "reopen", "merge", "propose", "authorise",
    "dismiss_measure", "step", "end_measure", "acknowledge", "silence",
)  # fmt: skip
PUBLICATION = (
    "hold", "authorise_hold", "dismiss_hold", "release", "authorise_release", "dismiss_release", "miss",
    "notice",
)  # fmt: skip
WHOLE = ("cut", "outside", "incident", "measure", "resolve_incident", *ROOM, *PUBLICATION)
"""Commands of no acta in particular."""


@dataclass(frozen=True)
class Step:
    """`kind` None means what comes next for that acta; `variant` picks among values."""

    acta: int
    kind: str | None
    person: str
    variant: int


STEPS = st.lists(
    st.one_of(
        st.builds(Step, st.sampled_from(ACTAS), st.none(), st.sampled_from(PEOPLE), st.integers(0, 3)),
        st.builds(
            Step,
            st.sampled_from(ACTAS),
            st.sampled_from((*KINDS, *WHOLE)),
            st.sampled_from(PEOPLE),
            st.integers(0, 3),
        ),
    ),
    min_size=5,
    max_size=45,
)


def _values(acta: int, variant: int) -> tuple[Field, ...]:
    """Two that agree most of the time, one that exceeds and one with nothing legible."""
    if variant == 3:
        return votes(acta, *(Mark.ILEGIBLE,) * WIDTH)
    return votes(acta, 5_000 if variant == 2 else 40, 3)


def command_of(step: Step, orders: Orders, engine: Engine) -> AnyCommand:
    """The command of a step, given what state the acta is in."""
    acta, variant, person = step.acta, step.variant, step.person
    kind = step.kind or NEXT[engine.state(acta).status]
    match kind:
        case "capture":
            return orders.capture(acta, person, _values(acta, variant))
        case "resolve":
            return orders.resolve(acta, tuple(Choice)[variant], "dora" if step.kind is None else person)
        case "digitize":
            return orders.digitize(acta, variant)
        case "replace_image":
            return orders.replace_image(acta, f"otra {variant}")
        case "sin_acta":
            return orders.sin_acta(acta, person, PEOPLE[variant % 3])
        case "cut":
            operation = engine.operation
            return orders.cut(operation.last_cut + 1, max(engine.seq - variant, 0))
        case "incident":
            return orders.incident(f"i{variant}", catds=(int(person == "ana"),))
        case "measure":
            return orders.measure(f"i{variant}")
        case "resolve_incident":
            return orders.resolve_incident(f"i{variant}")
        case "merge":
            return orders.merge(f"i{variant}", f"i{(variant + 1) % 4}")
        case "propose":
            return orders.propose(f"a{variant % 2}", f"i{variant}" if variant else "", actor=person)
        case "step":
            return orders.step(f"a{variant % 2}", variant // 2)
        case "authorise" | "dismiss_measure" | "end_measure":
            return getattr(orders, kind)(f"a{variant % 2}", actor=person)  # type: ignore[no-any-return]
        case "attend" | "assign" | "note" | "contain" | "close_incident" | "reopen":
            return getattr(orders, kind)(f"i{variant}", actor=person)  # type: ignore[no-any-return]
        case "hold" | "authorise_hold" | "release" | "authorise_release":
            return getattr(orders, kind)(f"d{variant % 2}", actor=person)  # type: ignore[no-any-return]
        case "dismiss_hold" | "dismiss_release":
            return getattr(orders, kind)(f"d{variant % 2}")  # type: ignore[no-any-return]
        case "miss":
            return orders.miss(START + variant)
        case "notice":
            return orders.notice()
        case "acknowledge" | "silence":
            return getattr(orders, kind)()  # type: ignore[no-any-return]
        case "outside":
            return orders.receive_outside(f"fuera {variant}")
        case "identify":
            return orders.identify(acta if acta < 5 else 0, variant + 1)
        case "request_recall":
            return orders.request_recall(acta, person)
        case "approve_recall":
            return orders.approve_recall(acta, person)
        case "dismiss_recall":
            return orders.dismiss_recall(acta, person)
        case "collate":
            return orders.collate(acta, variant > 0, person)
    return orders.receive(acta)


class Walk:
    """A night under way: sends one command at a time and checks each against the table."""

    def __init__(self, base: Path) -> None:
        self.base = str(base)
        self.engine = open_engine(self.base, limits=UNLIMITED)
        self.orders = Orders()
        self.sent: list[AnyCommand] = []
        self.answers: list[Answer] = []
        self.send(self.orders.open())

    def send(self, command: AnyCommand) -> Answer:
        answer = self.engine.execute([command], NOW)[0]
        self.sent.append(command)
        self.answers.append(answer)
        return answer

    def step(self, step: Step) -> None:
        command = command_of(step, self.orders, self.engine)
        if not isinstance(command, ActaCommand):
            self.send(command)
            return
        before, seq = self.engine.state(command.acta), self.engine.seq
        answer = self.send(command)
        after = self.engine.state(command.acta)
        allowed = LEADS_TO.get((before.status, type(command)))
        if allowed is None:
            assert answer.refusal is Refusal.STATE
        if answer.accepted:
            assert allowed is not None
            assert after.status in allowed
        else:
            assert (after, self.engine.seq) == (before, seq)

    def close(self) -> None:
        self.engine._store.close()
        self.engine._store.database.dispose()


def replay(engine: Engine) -> tuple[list[ActaState], list[tuple[int, Event]]]:
    """Every acta by the plainest reading of the ledger: each event in turn, each cut over every acta."""
    states: list[ActaState] = [EXPECTED] * len(CATALOG.actas)
    last = [0] * len(states)
    with reading(engine._store.database) as connection:
        events = [(seq, event) for seq, event, _ in ledger_events(connection)]
    for seq, event in events:
        if event.acta is not None:
            states[event.acta] = evolve(states[event.acta], event)
            last[event.acta] = seq
        elif event.kind is EventKind.CUT_PUBLISHED:
            for acta, state in enumerate(states):
                if last[acta] <= event.data["seq_high"]:
                    states[acta] = published_in(state, event.data["number"])
    return states, events


def nobody_agreed_with_himself(events: list[tuple[int, Event]]) -> None:
    """Reads the log as a suspicious person would, without the engine."""
    states: list[ActaState] = [EXPECTED] * len(CATALOG.actas)
    asked: dict[int, str] = {}
    for _, event in events:
        if event.acta is None:
            continue
        state = states[event.acta]
        people = [capture.actor for capture in captures_of(state)]
        assert len(people) == len(set(people))
        match event.kind:
            case EventKind.ACTA_CAPTURED:
                assert event.actor not in people
                assert not (isinstance(state, AwaitingCapture) and state.resolver == event.actor)
            case EventKind.ACTA_VERIFIED:
                assert isinstance(state, InDispute)
                if event.data["basis"] == "coincidencia":
                    chosen = state.captures[event.data["chosen"]]
                    assert chosen.actor != event.actor == people[-1]
                    assert chosen.agrees_with(state.captures[-1])
                else:
                    assert event.actor not in people
            case EventKind.RECALL_REQUESTED:
                asked[event.acta] = event.actor
            case EventKind.RECALL_APPROVED:
                assert asked[event.acta] != event.actor
            case EventKind.SIN_ACTA_MARKED:
                assert event.data["supervisor"] != event.actor
            case EventKind.ACTA_COLLATED:
                value = value_of(state)
                assert value is not None
                assert value.value.actor != event.actor
        states[event.acta] = evolve(state, event)


def the_figures_add_up(engine: Engine, states: list[ActaState]) -> None:
    """Identities of the header, and every level against its children."""
    snapshot = SnapshotReader(engine._store.database, len(CATALOG.actas)).read()
    for contest in CATALOG.contests:
        levels = Levels(CATALOG, contest)
        levels.update(snapshot)
        whole = levels.counters(last_cut=False)
        assert whole.registradas == whole.capturadas + whole.fuera_catalogo
        assert whole.capturadas == whole.contabilizadas + whole.no_contabilizadas
        values = [
            value
            for entry in CATALOG.actas_of(contest)
            if (value := value_of(states[entry.id])) is not None and value.contabilizada
        ]
        assert whole.total_votos_c_cs == sum(value.total for value in values)
        assert whole.contabilizadas == len(values)
        assert sum(levels.whole.votes) == whole.total_votos_c_cs
        for children, parent in (
            (list(levels.territories.values()), levels.whole),
            *(
                ([levels.sections[key] for key in keys], levels.territories[territory])
                for territory, keys in levels.sections_of.items()
            ),
        ):
            assert [sum(column) for column in zip(*(c.votes for c in children), strict=True)] == parent.votes
            for name in (
                "esperadas",
                "capturadas",
                "contabilizadas",
                "inconsistentes",
                "lista_nominal",
                "votes",
            ):
                assert sum(getattr(c.tally, name) for c in children) == getattr(parent.tally, name)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty database of the small election, to be copied."""
    path = tmp_path_factory.mktemp("plantilla") / "base.db"
    engine = open_engine(str(path))
    engine._store.close()
    engine._store.database.dispose()
    yield path


def _walk(template: Path, steps: list[Step]) -> Walk:
    path = template.with_name("paseo.db")
    for leftover in template.parent.glob("paseo.db*"):
        leftover.unlink()
    shutil.copy(template, path)
    walk = Walk(path)
    for step in steps:
        walk.step(step)
    return walk


@settings(max_examples=40)
@given(steps=STEPS)
def test_any_walk_agrees_with_the_table_and_can_be_replayed_from_its_ledger(
    template: Path, steps: list[Step]
) -> None:
    walk = _walk(template, steps)
    engine = walk.engine
    states, events = replay(engine)
    assert [engine.state(acta) for acta in range(9)] == states
    reloaded = open_engine(walk.base, limits=UNLIMITED)
    assert [reloaded.state(acta) for acta in range(9)] == states
    assert (reloaded.seq, reloaded.operation, reloaded.pending) == (
        engine.seq,
        engine.operation,
        engine.pending,
    )
    nobody_agreed_with_himself(events)
    the_figures_add_up(engine, states)
    found = check(engine._store.database)
    assert [finding.message for finding in found.findings.listed] == []
    assert found.events == engine.seq
    reloaded._store.close()
    reloaded._store.database.dispose()
    walk.close()


@settings(max_examples=20)
@given(steps=STEPS)
def test_a_walk_sent_again_changes_nothing_and_gets_the_same_answers(
    template: Path, steps: list[Step]
) -> None:
    walk = _walk(template, steps)
    seq = walk.engine.seq
    reloaded = open_engine(walk.base, limits=UNLIMITED)
    for engine in (walk.engine, reloaded):
        again = engine.execute(walk.sent, NOW + 60 * MINUTE)
        assert all(answer.repeated for answer in again)
        assert [a._replace(repeated=False) for a in again] == [a._replace(events=()) for a in walk.answers]
        changed = [replace(command, station="otra") for command in walk.sent]
        assert {answer.refusal for answer in engine.execute(changed, NOW)} == {Refusal.KEY_REUSED}
        assert engine.seq == seq
    reloaded._store.close()
    reloaded._store.database.dispose()
    walk.close()


@settings(max_examples=20)
@given(steps=STEPS, sizes=st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_a_walk_sent_in_batches_of_any_size_gives_the_same_ledger(
    template: Path, steps: list[Step], sizes: list[int]
) -> None:
    walk = _walk(template, steps)
    batched = template.with_name("lotes.db")
    for leftover in template.parent.glob("lotes.db*"):
        leftover.unlink()
    shutil.copy(template, batched)
    engine = open_engine(str(batched), limits=UNLIMITED)
    answers: list[Answer] = []
    position = number = 0
    while position < len(walk.sent):
        size = sizes[number % len(sizes)]
        answers += engine.execute(walk.sent[position : position + size], NOW)
        position, number = position + size, number + 1
    assert answers == walk.answers
    with reading(engine._store.database) as one, reading(walk.engine._store.database) as other:
        assert [h for _, _, h in ledger_events(one)] == [h for _, _, h in ledger_events(other)]
    assert check(engine._store.database).correct
    engine._store.close()
    engine._store.database.dispose()
    walk.close()


def test_the_walks_reach_every_state_and_most_pairs_of_the_table(template: Path) -> None:
    """A walk that never left the first states would prove nothing."""
    import random

    generator = random.Random(2021)
    reached: set[Status] = set()
    pairs: set[tuple[Status, type[ActaCommand]]] = set()
    for _ in range(6):
        walk = _walk(template, [])
        for _ in range(150):
            kind = None if generator.random() < 0.6 else generator.choice((*KINDS, "cut", "outside"))
            step = Step(
                generator.choice(ACTAS), kind, generator.choice(PEOPLE), generator.choice((0, 1, 1, 2, 3))
            )
            before = {acta: walk.engine.state(acta).status for acta in ACTAS}
            walk.step(step)
            command = walk.sent[-1]
            if isinstance(command, ActaCommand) and walk.answers[-1].accepted and command.acta in before:
                pairs.add((before[command.acta], type(command)))
            reached.update(walk.engine.state(acta).status for acta in ACTAS)
        walk.close()
    assert reached == set(Status)
    assert len(pairs) >= 0.8 * len(LEADS_TO)
