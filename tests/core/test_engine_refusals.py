"""Every reason for refusing a command, provoked through the engine on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.commands import AnyCommand, Choice
from core.domain.fields import Field, Mark
from core.domain.marking import MarkingLimits
from core.domain.refusals import REFUSAL_TEXTS, Refusal, Rejection
from core.engine import Engine
from tests.core.domain.publication_refusals import PUBLICATION_SCENARIOS
from tests.core.domain.room_refusals import ROOM_SCENARIOS, Scenario
from tests.core.domain.small import END, MINUTE, START, TOTALS, WIDTH, Orders, open_engine, votes

NOW = START + 5 * MINUTE
LIMITS = MarkingLimits(window_ms=10 * MINUTE, without_supervisor=2, with_supervisor=4)


def _bad_votes(orders: Orders, *fields: Field) -> list[AnyCommand]:
    return [*orders.arrived(0), orders.capture(0, "ana", fields)]


def _marks(orders: Orders, how_many: int, supervisor: str | None) -> list[AnyCommand]:
    # Marking and receiving again frees the acta for the next mark.
    commands: list[AnyCommand] = []
    for number in range(how_many):
        commands.append(orders.sin_acta(number % 9, supervisor=supervisor))
        if number < how_many - 1:
            commands.append(orders.receive(number % 9))
    return commands


def _reused(orders: Orders) -> list[AnyCommand]:
    first = orders.receive(0)
    return [first, replace(orders.receive(1), key=first.key)]


SCENARIOS: list[tuple[str, Refusal, Scenario]] = [
    ("capture before there is an image", Refusal.STATE, lambda o: [o.receive(0), o.capture(0, "ana")]),
    ("recall of what is not verified", Refusal.STATE, lambda o: [o.receive(0), o.request_recall(0)]),
    ("after closing", Refusal.OPERATION_CLOSED, lambda o: [o.close(at=END), o.receive(0)]),
    ("a cut after closing", Refusal.OPERATION_CLOSED, lambda o: [o.close(at=END), o.cut(1, 0)]),
    ("opening after closing", Refusal.OPERATION_CLOSED, lambda o: [o.close(at=END), o.open()]),
    ("opening twice", Refusal.OPERATION_OPEN, lambda o: [o.open()]),
    ("before the start", Refusal.OUTSIDE_PERIOD, lambda o: [o.receive(0, at=START - 1)]),
    ("after the end", Refusal.OUTSIDE_PERIOD, lambda o: [o.receive(0, at=END + 1)]),
    ("outside, before the start", Refusal.OUTSIDE_PERIOD, lambda o: [o.receive_outside("x", at=START - 1)]),
    ("an incident opened twice", Refusal.INCIDENT_STATE, lambda o: [o.incident(), o.incident()]),
    (
        "an incident resolved twice", Refusal.INCIDENT_STATE,
        lambda o: [o.incident(), o.resolve_incident(), o.resolve_incident()],
    ),
    ("a measure for no known incident", Refusal.INCIDENT_STATE, lambda o: [o.measure()]),
    (
        "a measure after the incident", Refusal.INCIDENT_STATE,
        lambda o: [o.incident(), o.resolve_incident(), o.measure()],
    ),
    ("a measure nobody authorised", Refusal.NEEDS_REASON, lambda o: [o.measure("", authorised_by="")]),
    ("a measure active too soon", Refusal.NEEDS_REASON, lambda o: [o.measure("", active_at=START)]),
    ("an incident without a name", Refusal.NEEDS_REASON, lambda o: [o.incident(title="")]),
    ("an incident outside the period", Refusal.OUTSIDE_PERIOD, lambda o: [o.incident(at=END + 1)]),
    ("an incident at no known CATD", Refusal.UNKNOWN_CATD, lambda o: [o.incident(catds=(0, 9))]),
    ("an incident after closing", Refusal.OPERATION_CLOSED, lambda o: [o.close(at=END), o.incident()]),
    ("more CATDs than there can be", Refusal.UNWRITABLE, lambda o: [o.incident(catds=(0,) * 5_001)]),
    (
        "both captures", Refusal.SAME_PERSON,
        lambda o: [*o.arrived(0), o.capture(0, "ana"), o.capture(0, "ana")],
    ),
    (
        "resolver captured", Refusal.SAME_PERSON,
        lambda o: [*o.disputed(0), o.resolve(0, Choice.FIRST, "beto")],
    ),
    (
        "resolver captures", Refusal.SAME_PERSON,
        lambda o: [*o.disputed(0), o.resolve(0, Choice.ASK_FOR_ANOTHER), o.capture(0, "resuelve")],
    ),
    (
        "third capture by the first", Refusal.SAME_PERSON,
        lambda o: [*o.disputed(0), o.resolve(0, Choice.ASK_FOR_ANOTHER), o.capture(0, "ana")],
    ),
    (
        "recall approved by who asked", Refusal.SAME_PERSON,
        lambda o: [*o.agreed(0), o.request_recall(0), o.approve_recall(0, "pide")],
    ),
    ("own mark authorised", Refusal.SAME_PERSON, lambda o: [o.sin_acta(0, "marca", "marca")]),
    ("collated by who captured", Refusal.SAME_PERSON, lambda o: [*o.agreed(0), o.collate(0, actor="ana")]),
    ("no such acta", Refusal.UNKNOWN_ACTA, lambda o: [o.receive(9)]),
    ("a negative acta", Refusal.UNKNOWN_ACTA, lambda o: [o.receive(-1)]),
    ("no such outside", Refusal.UNKNOWN_ACTA, lambda o: [o.identify(0, 1)]),
    (
        "outside of another contest", Refusal.UNKNOWN_ACTA,
        lambda o: [o.receive_outside("x", "AYUN"), o.identify(0, 1)],
    ),
    (
        "outside identified twice", Refusal.UNKNOWN_ACTA,
        lambda o: [o.receive_outside("x"), o.identify(0, 1), o.identify(1, 1)],
    ),
    ("no such contest", Refusal.UNKNOWN_CONTEST, lambda o: [o.receive_outside("x", "DIP")]),
    ("too few fields", Refusal.BAD_FIELDS, lambda o: _bad_votes(o, *votes(0)[:-1])),
    ("too many fields", Refusal.BAD_FIELDS, lambda o: _bad_votes(o, *votes(0), 0)),
    ("a negative vote", Refusal.BAD_FIELDS, lambda o: _bad_votes(o, *votes(0, -1))),
    ("seven digits", Refusal.BAD_FIELDS, lambda o: _bad_votes(o, *votes(0, 1_000_000))),
    (
        "a negative total", Refusal.BAD_FIELDS,
        lambda o: [*o.arrived(0), o.capture(0, "ana", totals=replace(TOTALS, votos_sacados=-1))],
    ),
    (
        "a contender who does not run there", Refusal.FIELD_DOES_NOT_APPLY,
        lambda o: [*o.arrived(8), o.capture(8, "ana", (0,) * WIDTH)],
    ),
    (
        "a contender left out", Refusal.FIELD_DOES_NOT_APPLY,
        lambda o: _bad_votes(o, Mark.NO_APLICA, *votes(0)[1:]),
    ),
    ("upper case hash", Refusal.BAD_HASH, lambda o: [o.receive(0), o.digitize(0, image_hash="A" * 64)]),
    ("short hash outside", Refusal.BAD_HASH, lambda o: [o.receive_outside("x", image_hash="ab")]),
    (
        "hash of a replacement", Refusal.BAD_HASH,
        lambda o: [*o.arrived(0), o.replace_image(0, "x", image_hash="")],
    ),
    ("third of two", Refusal.BAD_CHOICE, lambda o: [*o.disputed(0), o.resolve(0, Choice.THIRD)]),
    (
        "a fourth capture", Refusal.BAD_CHOICE,
        lambda o: [
            *o.disputed(0), o.resolve(0, Choice.ASK_FOR_ANOTHER), o.capture(0, "carla", votes(0, 1)),
            o.resolve(0, Choice.ASK_FOR_ANOTHER),
        ],
    ),
    ("bulk without supervisor", Refusal.NEEDS_SUPERVISOR, lambda o: _marks(o, 3, None)),
    ("bulk with supervisor", Refusal.TOO_FAST, lambda o: _marks(o, 5, "supervisa")),
    (
        "replacement without reason", Refusal.NEEDS_REASON,
        lambda o: [*o.arrived(0), o.replace_image(0, "x", reason=" ")],
    ),
    ("recall without reason", Refusal.NEEDS_REASON, lambda o: [*o.agreed(0), o.request_recall(0, reason="")]),
    (
        "dismissal without reason", Refusal.NEEDS_REASON,
        lambda o: [*o.agreed(0), o.request_recall(0), o.dismiss_recall(0, reason="")],
    ),
    ("key of another command", Refusal.KEY_REUSED, _reused),
    ("closing early", Refusal.NOT_COMPLETE, lambda o: [o.receive(0), o.close()]),
    ("a cut that goes back", Refusal.WRONG_CUT, lambda o: [o.receive(0), o.cut(2, 2), o.cut(2, 2)]),
    ("a cut of less than the last", Refusal.WRONG_CUT, lambda o: [o.receive(0), o.cut(1, 2), o.cut(2, 1)]),
    ("a cut of the future", Refusal.WRONG_CUT, lambda o: [o.cut(1, 2)]),
    ("a key too long", Refusal.UNWRITABLE, lambda o: [o.receive(0, key="k" * 81)]),
    ("no key", Refusal.UNWRITABLE, lambda o: [o.receive(0, key="")]),
    ("half a surrogate pair", Refusal.UNWRITABLE, lambda o: [o.receive(0, actor="ana\ud800")]),
    ("a null character", Refusal.UNWRITABLE, lambda o: [o.receive(0, station="a\0b")]),
    ("a number no column holds", Refusal.UNWRITABLE, lambda o: [o.receive(0, device_at=2**70)]),
    ("a reason without end", Refusal.UNWRITABLE, lambda o: [*o.arrived(0), o.replace_image(0, 1, "a" * 501)]),
    *ROOM_SCENARIOS,
    *PUBLICATION_SCENARIOS,
]  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    yield open_engine(str(tmp_path / "base.db"), limits=LIMITS)


@pytest.mark.parametrize(("name", "refusal", "scenario"), SCENARIOS, ids=[name for name, _, _ in SCENARIOS])
def test_a_command_that_cannot_be_accepted_says_why_and_changes_nothing(
    engine: Engine, name: str, refusal: Refusal, scenario: Scenario
) -> None:
    orders = Orders()
    commands: list[AnyCommand] = [orders.open(), *scenario(orders)]
    for command in commands[:-1]:
        answer = engine.execute([command], NOW)[0]
        assert answer.accepted, (command, answer)
    before = (engine.seq, engine.operation, [engine.state(acta) for acta in range(9)])
    answer = engine.execute([commands[-1]], NOW)[0]
    assert answer.refusal is refusal
    assert not answer.events
    assert (engine.seq, engine.operation, [engine.state(acta) for acta in range(9)]) == before


@pytest.mark.parametrize("length", [0, -1, 26 * 60 * MINUTE + 1])
def test_an_operation_of_impossible_length_is_refused(engine: Engine, length: int) -> None:
    answer = engine.execute([Orders().open(ends_at=START + length)], NOW)[0]
    assert answer.refusal is Refusal.BAD_PERIOD
    assert not engine.operation.opened


def test_nothing_is_accepted_before_opening(engine: Engine) -> None:
    orders = Orders()
    commands: list[AnyCommand] = [
        orders.receive(0),
        orders.receive_outside("x"),
        orders.cut(1, 0),
        orders.close(),
        orders.incident(),
        orders.attend(),
        orders.propose(),
        orders.step(),
        orders.acknowledge(),
        orders.silence(),
    ]
    assert {a.refusal for a in engine.execute(commands, NOW)} == {Refusal.OPERATION_CLOSED}


def test_every_refusal_has_a_scenario_that_provokes_it() -> None:
    assert {refusal for _, refusal, _ in SCENARIOS} | {Refusal.BAD_PERIOD} == set(Refusal)


def test_every_refusal_has_a_text_for_people_and_its_detail_completes_it() -> None:
    assert set(REFUSAL_TEXTS) == set(Refusal)
    assert Rejection(Refusal.STATE, "Está «esperada».").message == (
        "El acta no está en un estado que permita esa acción. Está «esperada»."
    )


def test_a_refused_command_is_remembered_and_answered_the_same_again(engine: Engine) -> None:
    orders = Orders()
    engine.execute([orders.open()], NOW)
    early = orders.capture(0, "ana")
    first = engine.execute([early], NOW)[0]
    engine.execute(orders.arrived(0), NOW)
    again = engine.execute([early], NOW)[0]
    assert (again.refusal, again.detail, again.repeated) == (first.refusal, first.detail, True)
    assert engine.state(0).status.value == "digitalizada"
