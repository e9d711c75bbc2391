"""What the engine does with the situations of a real night, on a real database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import core.engine
from core.domain.acta import Collated, Digitized, Published, Recalled, Status, Verified, value_of
from core.domain.commands import AnyCommand, Choice, Medium, Origin
from core.domain.continuity import MeasureState
from core.domain.events import EventKind
from core.domain.fields import Mark
from core.domain.incidents import IncidentState
from core.domain.marking import MarkingLimits
from core.domain.refusals import Refusal
from core.engine import Answer, Engine
from core.operations.check import check
from core.storage.reading import SnapshotReader
from tests.core.domain.small import (
    CATALOG,
    END,
    MINUTE,
    START,
    TOTALS,
    WIDTH,
    Orders,
    open_engine,
    sha,
    votes,
)

NOW = START + 5 * MINUTE


@pytest.fixture
def base(tmp_path: Path) -> str:
    return str(tmp_path / "base.db")


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def engine(base: str, orders: Orders) -> Iterator[Engine]:
    engine = open_engine(base)
    engine.execute([orders.open()], NOW)
    yield engine
    # Whatever a test did, the database must be what its ledger says.
    assert [finding.message for finding in check(engine._store.database).findings.listed] == []


def accepted(engine: Engine, commands: Sequence[AnyCommand], at: int = NOW) -> list[Answer]:
    """Execute one by one; all must be accepted."""
    answers = [engine.execute([command], at)[0] for command in commands]
    for command, answer in zip(commands, answers, strict=True):
        assert answer.accepted, (command, answer)
    return answers


def kinds(answers: Sequence[Answer]) -> list[EventKind]:
    return [event.kind for answer in answers for event in answer.events]


# -- agreement and dispute ---------------------------------------------------------------------


def test_two_equal_captures_by_two_persons_give_the_definitive_value(engine: Engine, orders: Orders) -> None:
    answers = accepted(engine, orders.agreed(0))
    assert kinds(answers)[-2:] == [EventKind.ACTA_CAPTURED, EventKind.ACTA_VERIFIED]
    state = engine.state(0)
    assert isinstance(state, Verified)
    assert (state.total, state.contabilizada, state.codes) == (83, True, ())


def test_captures_that_differ_only_in_a_total_are_disputed(engine: Engine, orders: Orders) -> None:
    accepted(engine, [*orders.arrived(0), orders.capture(0, "ana")])
    answer = accepted(engine, [orders.capture(0, "beto", totals=replace(TOTALS, total_asentado=84))])[0]
    assert kinds([answer]) == [EventKind.ACTA_CAPTURED, EventKind.ACTA_DISPUTED]
    assert answer.events[1].data["fields"] == 1
    assert engine.state(0).status is Status.IN_DISPUTE


def test_a_mark_is_a_different_value_from_zero_in_the_comparison(engine: Engine, orders: Orders) -> None:
    accepted(
        engine,
        [*orders.arrived(0), orders.capture(0, "ana", votes(0, 5)),
         orders.capture(0, "beto", votes(0, 5, Mark.SIN_DATO))],
    )  # fmt: skip
    assert engine.state(0).status is Status.IN_DISPUTE


@pytest.mark.parametrize(("choice", "total"), [(Choice.FIRST, 70), (Choice.SECOND, 71)])
def test_the_resolver_chooses_one_capture_and_types_nothing(
    engine: Engine, orders: Orders, choice: Choice, total: int
) -> None:
    accepted(engine, [*orders.disputed(0), orders.resolve(0, choice)])
    state = engine.state(0)
    assert isinstance(state, Verified)
    assert state.total == total
    assert state.value.actor in ("ana", "beto")


def test_a_third_capture_equal_to_one_of_the_first_settles_the_dispute(
    engine: Engine, orders: Orders
) -> None:
    accepted(
        engine,
        [*orders.disputed(0), orders.resolve(0, Choice.ASK_FOR_ANOTHER),
         orders.capture(0, "carla", votes(0, 40, 31))],
    )  # fmt: skip
    state = engine.state(0)
    assert isinstance(state, Verified)
    assert (state.value.actor, state.total) == ("beto", 71)


def test_three_captures_that_differ_are_settled_by_choosing_one(engine: Engine, orders: Orders) -> None:
    accepted(
        engine,
        [*orders.disputed(0), orders.resolve(0, Choice.ASK_FOR_ANOTHER),
         orders.capture(0, "carla", votes(0, 9)), orders.resolve(0, Choice.THIRD)],
    )  # fmt: skip
    value = value_of(engine.state(0))
    assert value is not None
    assert value.total == 9


# -- duplicates --------------------------------------------------------------------------------


def test_the_same_acta_by_phone_and_by_scanner_is_recorded_and_never_counted_twice(
    engine: Engine, orders: Orders
) -> None:
    accepted(
        engine, [orders.receive(0, origin=Origin.CASILLA), orders.digitize(0, "foto", medium=Medium.MOVIL)]
    )
    answers = accepted(engine, [orders.receive(0), orders.digitize(0, "escaneo")])
    assert kinds(answers) == [EventKind.DUPLICATE_RECORDED] * 2
    assert [a.events[0].data["what"] for a in answers] == ["acopio", "digitalizacion"]
    accepted(engine, [orders.capture(0, "ana"), orders.capture(0, "beto")])
    state = engine.state(0)
    assert isinstance(state, Verified)
    assert (state.image.medium, state.image.sha256) == ("MOVIL", sha("foto"))
    snapshot = SnapshotReader(engine._store.database, 9).read()
    assert sum(a is not None for a in snapshot.actas) == 1


def test_one_image_cannot_belong_to_two_actas_of_a_contest(engine: Engine, orders: Orders) -> None:
    accepted(engine, [*orders.arrived(0), orders.receive(1)])
    answer = accepted(engine, [orders.digitize(1, 0)])[0]
    assert answer.events[0].kind is EventKind.DUPLICATE_RECORDED
    assert answer.events[0].data["owner"] == 0
    assert engine.state(1).status is Status.RECEIVED


def test_the_same_image_in_another_contest_is_not_a_duplicate(engine: Engine, orders: Orders) -> None:
    accepted(engine, [orders.receive(0), orders.receive(5)])
    answers = engine.execute([orders.digitize(0, "una"), orders.digitize(5, "una")], NOW)
    assert kinds(answers) == [EventKind.ACTA_DIGITIZED] * 2


def test_a_duplicate_image_in_the_same_batch_is_noticed(engine: Engine, orders: Orders) -> None:
    answers = engine.execute(
        [orders.receive(0), orders.receive(1), orders.digitize(0, "una"), orders.digitize(1, "una")], NOW
    )
    assert kinds(answers)[2:] == [EventKind.ACTA_DIGITIZED, EventKind.DUPLICATE_RECORDED]


def test_an_acta_fuera_de_catalogo_sent_twice_is_registered_once(engine: Engine, orders: Orders) -> None:
    answers = accepted(engine, [orders.receive_outside("x"), orders.receive_outside("x")])
    assert kinds(answers) == [EventKind.OUTSIDE_RECEIVED, EventKind.DUPLICATE_RECORDED]
    assert len(SnapshotReader(engine._store.database, 9).read().outside) == 1


# -- keys --------------------------------------------------------------------------------------


def test_a_command_sent_twice_has_one_effect_and_one_answer(engine: Engine, orders: Orders) -> None:
    command = orders.receive(0)
    first = engine.execute([command], NOW)[0]
    seq = engine.seq
    again = engine.execute([command, command], NOW + MINUTE)
    assert engine.seq == seq
    for answer in again:
        assert answer._replace(repeated=False, events=first.events) == first
        assert answer.repeated


def test_a_command_repeated_inside_its_own_batch_has_one_effect(engine: Engine, orders: Orders) -> None:
    command = orders.receive(0)
    first, second = engine.execute([command, command], NOW)
    assert (first.repeated, second.repeated) == (False, True)
    assert first.seq_first == second.seq_first
    assert engine.seq == 2


def test_a_key_used_for_another_command_is_refused_in_the_same_batch_too(
    engine: Engine, orders: Orders
) -> None:
    command = orders.receive(0)
    other = replace(command, at=command.at + 1)
    answers = engine.execute([command, other], NOW)
    assert [a.refusal for a in answers] == [None, Refusal.KEY_REUSED]
    assert engine.execute([other], NOW)[0].refusal is Refusal.KEY_REUSED


# -- times -------------------------------------------------------------------------------------


def test_the_first_and_last_instants_of_the_period_are_inside(engine: Engine, orders: Orders) -> None:
    accepted(engine, [orders.receive(0, at=START), orders.receive(1, at=END)], at=END)


def test_times_out_of_order_are_flagged_and_accepted(engine: Engine, orders: Orders) -> None:
    late = orders.at + 60 * MINUTE
    answers = accepted(
        engine,
        [orders.receive(0, at=late), orders.digitize(0), orders.capture(0, "ana"), orders.capture(0, "beto")],
        at=late,
    )
    flags = [e.data["flags"] for a in answers for e in a.events if "flags" in e.data]
    assert flags == [[], ["digitalizacion_antes_de_acopio"], *[["captura_antes_de_acopio"]] * 2]
    assert engine.state(0).status is Status.VERIFIED


def test_a_time_ahead_of_the_engine_is_flagged(engine: Engine, orders: Orders) -> None:
    within, beyond = accepted(
        engine, [orders.receive(0, at=NOW + 120_000), orders.receive(1, at=NOW + 120_001)]
    )
    assert within.events[0].data["flags"] == []
    assert beyond.events[0].data["flags"] == ["hora_adelantada"]


def test_what_the_device_says_is_kept_and_decides_nothing(engine: Engine, orders: Orders) -> None:
    answer = accepted(engine, [orders.receive(0, device_at=12_345)])[0]
    assert (answer.events[0].device_at, answer.events[0].at, answer.events[0].recorded_at) == (
        12_345, orders.at, NOW,
    )  # fmt: skip


# -- sin acta ----------------------------------------------------------------------------------


def test_marking_in_bulk_needs_a_supervisor_and_then_is_limited_by_rate(base: str, orders: Orders) -> None:
    limits = MarkingLimits(window_ms=10 * MINUTE, without_supervisor=2, with_supervisor=4)
    engine = open_engine(base, limits=limits)
    accepted(engine, [orders.open(), orders.sin_acta(0), orders.sin_acta(1)])
    assert engine.execute([orders.sin_acta(2)], NOW)[0].refusal is Refusal.NEEDS_SUPERVISOR
    accepted(engine, [orders.sin_acta(2, supervisor="sara"), orders.sin_acta(3, supervisor="sara")])
    assert engine.execute([orders.sin_acta(4, supervisor="sara")], NOW)[0].refusal is Refusal.TOO_FAST
    # Another person has a count of his own, and the window passes.
    accepted(engine, [orders.sin_acta(4, actor="otra")])
    accepted(engine, [orders.sin_acta(5, at=orders.at + 10 * MINUTE)])


def test_the_rate_of_marking_survives_a_restart(base: str, orders: Orders) -> None:
    limits = MarkingLimits(window_ms=10 * MINUTE, without_supervisor=2, with_supervisor=4)
    accepted(open_engine(base, limits=limits), [orders.open(), orders.sin_acta(0), orders.sin_acta(1)])
    restarted = open_engine(base, limits=limits)
    assert restarted.execute([orders.sin_acta(2)], NOW)[0].refusal is Refusal.NEEDS_SUPERVISOR


@pytest.mark.parametrize("restart", [False, True])
def test_the_rate_of_marking_cannot_be_dodged_with_times_out_of_order(
    base: str, orders: Orders, restart: bool
) -> None:
    limits = MarkingLimits(window_ms=10 * MINUTE, without_supervisor=2, with_supervisor=4)
    engine = open_engine(base, limits=limits)
    early, later = orders.at + 30 * MINUTE, orders.at + 90 * MINUTE
    accepted(
        engine,
        [orders.open(), orders.sin_acta(0, at=early), orders.sin_acta(1, at=early),
         orders.sin_acta(2, "otra", at=later), orders.sin_acta(3, at=later)],
        at=later,
    )  # fmt: skip
    if restart:
        engine = open_engine(base, limits=limits)
    for at in (early, early + MINUTE, early - MINUTE):
        assert engine.execute([orders.sin_acta(4, at=at)], later)[0].refusal is Refusal.NEEDS_SUPERVISOR


def test_an_acta_marked_sin_acta_that_later_arrives_goes_on_as_any_other(
    engine: Engine, orders: Orders
) -> None:
    accepted(engine, [orders.sin_acta(0)])
    reader = SnapshotReader(engine._store.database, 9)
    first = reader.read().actas[0]
    assert first is not None
    assert first.sin_acta
    accepted(engine, orders.arrived(0))
    assert reader.read().actas[0] is None
    accepted(engine, [orders.capture(0, "ana"), orders.capture(0, "beto")])
    last = reader.read().actas[0]
    assert last is not None
    assert (last.total, last.contabilizada) == (83, True)


def test_an_acta_received_can_still_turn_out_to_be_sin_acta(engine: Engine, orders: Orders) -> None:
    accepted(engine, [orders.receive(0), orders.sin_acta(0, supervisor="sara")])
    assert engine.state(0).status is Status.SIN_ACTA
    assert engine.pending == 8


# -- images ------------------------------------------------------------------------------------


def test_replacing_the_image_discards_the_captures_made_from_the_old_one(
    engine: Engine, orders: Orders
) -> None:
    answers = accepted(engine, [*orders.disputed(0), orders.replace_image(0, "mejor")])
    assert answers[-1].events[0].data["discarded"] == 2
    state = engine.state(0)
    assert isinstance(state, Digitized)
    assert state.image.sha256 == sha("mejor")
    # The persons of the discarded captures may capture the better image.
    accepted(engine, [orders.capture(0, "ana"), orders.capture(0, "beto")])
    assert engine.state(0).status is Status.VERIFIED


def test_a_replacement_with_an_image_already_known_is_a_duplicate_and_keeps_the_captures(
    engine: Engine, orders: Orders
) -> None:
    accepted(engine, [*orders.arrived(0), orders.capture(0, "ana")])
    answer = accepted(engine, [orders.replace_image(0, 0)])[0]
    assert answer.events[0].kind is EventKind.DUPLICATE_RECORDED
    assert engine.state(0).status is Status.CAPTURED_ONCE


# -- recall and cotejo -------------------------------------------------------------------------


def test_a_recall_takes_two_persons_and_sends_the_acta_back_to_capture(
    engine: Engine, orders: Orders
) -> None:
    accepted(engine, [*orders.agreed(0), orders.request_recall(0)])
    assert value_of(engine.state(0)) is not None
    assert engine.pending == 8
    accepted(engine, [orders.approve_recall(0)])
    assert isinstance(engine.state(0), Recalled)
    assert engine.pending == 9
    accepted(engine, [orders.capture(0, "ana", votes(0, 1)), orders.capture(0, "beto", votes(0, 1))])
    value = value_of(engine.state(0))
    assert value is not None
    assert (value.total, value.modified) == (1, True)


def test_a_dismissed_recall_leaves_the_acta_as_it_was(engine: Engine, orders: Orders) -> None:
    accepted(engine, orders.agreed(0))
    before = engine.state(0)
    accepted(engine, [orders.request_recall(0), orders.dismiss_recall(0)])
    assert engine.state(0) == before


@pytest.mark.parametrize(("recalled", "ok", "code"), [(False, True, 1), (True, True, 2), (False, False, 3)])
def test_cotejo_says_accepted_accepted_after_a_change_or_not_accepted(
    engine: Engine, orders: Orders, recalled: bool, ok: bool, code: int
) -> None:
    accepted(engine, orders.agreed(0))
    if recalled:
        accepted(
            engine,
            [
                orders.request_recall(0),
                orders.approve_recall(0),
                orders.capture(0, "x"),
                orders.capture(0, "y"),
            ],
        )
    accepted(engine, [orders.collate(0, ok)])
    state = engine.state(0)
    assert isinstance(state, Collated)
    assert state.cotejada == code


# -- fuera de catálogo -------------------------------------------------------------------------


def test_an_acta_identified_later_is_counted_with_its_observation(engine: Engine, orders: Orders) -> None:
    accepted(engine, [orders.receive_outside("x"), orders.identify(0, 1)])
    assert SnapshotReader(engine._store.database, 9).read().outside == []
    state = engine.state(0)
    assert isinstance(state, Digitized)
    assert state.arrival.identified_later
    accepted(engine, [orders.capture(0, "ana"), orders.capture(0, "beto")])
    value = value_of(engine.state(0))
    assert value is not None
    assert (value.contabilizada, value.inconsistent, value.codes) == (True, False, ("I1",))


def test_an_acta_can_be_identified_in_the_batch_in_which_it_was_received(
    engine: Engine, orders: Orders
) -> None:
    answers = engine.execute([orders.receive_outside("x"), orders.identify(0, 1)], NOW)
    assert [a.refusal for a in answers] == [None, None]
    assert engine.state(0).status is Status.DIGITIZED


def test_an_acta_that_already_arrived_cannot_be_identified_again(engine: Engine, orders: Orders) -> None:
    accepted(engine, [orders.receive_outside("x"), orders.receive(0)])
    assert engine.execute([orders.identify(0, 1)], NOW)[0].refusal is Refusal.STATE


# -- cuts and closing --------------------------------------------------------------------------


def test_a_cut_publishes_what_it_includes_and_nothing_later(engine: Engine, orders: Orders) -> None:
    accepted(engine, orders.agreed(0))
    seq = engine.seq
    accepted(engine, [*orders.agreed(1), orders.cut(1, seq)])
    assert [engine.state(acta).status for acta in (0, 1)] == [Status.PUBLISHED, Status.VERIFIED]
    accepted(engine, [orders.cut(2, engine.seq)])
    states = [engine.state(acta) for acta in (0, 1)]
    assert [s.cut for s in states if isinstance(s, Published)] == [1, 2]


def test_a_cut_leaves_out_an_acta_touched_after_what_it_includes(
    engine: Engine, orders: Orders, base: str
) -> None:
    accepted(engine, orders.agreed(0))
    high = engine.seq
    accepted(engine, [orders.request_recall(0), orders.cut(1, high)])
    reloaded = open_engine(base)
    assert reloaded.state(0) == engine.state(0)
    accepted(engine, [orders.dismiss_recall(0)])
    assert [e.state(0).status for e in (engine, reloaded, open_engine(base))] == [Status.VERIFIED] * 3
    accepted(engine, [orders.cut(2, engine.seq)])
    assert engine.state(0) == open_engine(base).state(0)
    assert engine.state(0).status is Status.PUBLISHED


def test_a_refused_cut_is_recorded_and_its_number_can_be_used_again(engine: Engine, orders: Orders) -> None:
    answers = accepted(engine, [orders.refuse_cut(1), orders.cut(1, engine.seq), orders.cut(3, engine.seq)])
    assert kinds(answers)[0] is EventKind.CUT_REFUSED
    assert engine.operation.last_cut == 3


def test_the_operation_closes_early_only_when_every_acta_is_registered(
    engine: Engine, orders: Orders
) -> None:
    for acta in range(8):
        accepted(engine, orders.agreed(acta))
    refused = engine.execute([orders.close()], NOW)[0]
    assert (refused.refusal, refused.detail) == (Refusal.NOT_COMPLETE, "Faltan 1.")
    accepted(engine, [orders.sin_acta(8), orders.close()])
    assert engine.operation.closed


def test_at_its_end_the_operation_closes_with_what_there_is(engine: Engine, orders: Orders) -> None:
    answer = accepted(engine, [orders.close(at=END)])[0]
    assert answer.events[0].data["pending"] == 9


# -- memory, batches and other processes -------------------------------------------------------


def night(orders: Orders) -> list[AnyCommand]:
    """A night with everything in it, refusals included."""
    return [
        orders.open(),
        *orders.agreed(0), *orders.disputed(1), orders.receive_outside("x"), orders.receive_outside("z"),
        orders.cut(1, 5), orders.resolve(1, Choice.ASK_FOR_ANOTHER), orders.capture(1, "carla", votes(1, 7)),
        orders.sin_acta(2), orders.identify(3, 1), *orders.agreed(5, votes(5, 200)), *orders.agreed(6),
        orders.request_recall(0), orders.cut(2, 18), orders.approve_recall(0),
        orders.resolve(1, Choice.SECOND),
        orders.request_recall(5), orders.cut(3, 24), orders.dismiss_recall(5), orders.collate(6),
        orders.replace_image(0, "mejor"), orders.capture(0, "ana"), orders.capture(0, "ana"),
        orders.capture(0, "beto", votes(0, *(Mark.ILEGIBLE,) * WIDTH)), orders.resolve(0, Choice.SECOND),
        orders.receive(2), orders.digitize(2, "mejor"), orders.capture(3, "ana"), orders.capture(3, "beto"),
        *orders.agreed(8, votes(8, 1)), orders.refuse_cut(4), orders.cut(4, 40), orders.close(),
        orders.sin_acta(4), orders.sin_acta(7), orders.cut(5, 50, True),
    ]  # fmt: skip


def everything(engine: Engine) -> dict[str, Any]:
    """What the database holds, by table."""
    from core.storage.schema import metadata

    with engine._store.database.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(table.select()).all()))
            for table in metadata.sorted_tables
            if table.name not in ("meta", "catalog")
        }


def _one_by_one(engine: Engine) -> list[Answer]:
    return [engine.execute([command], NOW)[0] for command in night(Orders())]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Answer], dict[str, Any]]:
    """The night one command at a time: what every other way of running it must give."""
    engine = open_engine(str(tmp_path_factory.mktemp("noche") / "base.db"))
    answers = _one_by_one(engine)
    assert check(engine._store.database).correct
    assert {a.refusal for a in answers} >= {None, Refusal.SAME_PERSON, Refusal.NOT_COMPLETE}
    return answers, everything(engine)


def test_a_night_in_one_batch_gives_the_same_answers_and_the_same_database(
    base: str, expected: tuple[list[Answer], dict[str, Any]]
) -> None:
    engine = open_engine(base)
    answers = engine.execute(night(Orders()), NOW)
    assert answers == expected[0]
    assert everything(engine) == expected[1]


def test_forgetting_states_gives_the_same_answers(
    base: str, expected: tuple[list[Answer], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.engine, "CACHED_ACTAS", 4)
    engine = open_engine(base)
    assert _one_by_one(engine) == expected[0]
    assert everything(engine) == expected[1]


def test_an_engine_notices_what_another_process_wrote(
    base: str, expected: tuple[list[Answer], dict[str, Any]]
) -> None:
    engines = [open_engine(base), open_engine(base)]
    answers = [engines[n % 2].execute([command], NOW)[0] for n, command in enumerate(night(Orders()))]
    assert answers == expected[0]
    assert everything(engines[0]) == expected[1]
    assert [engines[0].state(a) for a in range(9)] == [engines[1].state(a) for a in range(9)]


def test_an_engine_started_again_after_every_command_gives_the_same_answers(
    base: str, expected: tuple[list[Answer], dict[str, Any]]
) -> None:
    answers = [open_engine(base).execute([command], NOW)[0] for command in night(Orders())]
    assert answers == expected[0]


def test_the_same_commands_on_postgresql_give_the_same_ledger(
    postgres_url: str, expected: tuple[list[Answer], dict[str, Any]]
) -> None:
    engine = open_engine(postgres_url)
    assert _one_by_one(engine) == expected[0]
    assert everything(engine) == expected[1]
    checked = check(engine._store.database)
    assert checked.correct
    engine._store.close()
    engine._store.database.dispose()


def test_an_engine_does_not_open_the_night_of_another_mode(base: str) -> None:
    from core.engine import Engine as EngineClass
    from core.storage.database import open_database
    from core.storage.store import OtherElectionError, Store

    open_engine(base)
    with pytest.raises(OtherElectionError, match="simulacro"):
        EngineClass(Store(open_database(base)), CATALOG, "oficial")
    with pytest.raises(OtherElectionError, match="otro catálogo"):
        EngineClass(Store(open_database(base)), replace_election(), "simulacro")


def replace_election() -> Any:
    """A catalogue that differs in one word."""
    return replace(CATALOG, election="Otra")


def test_an_incident_is_recorded_with_its_measures_and_survives_another_process(
    engine: Engine, orders: Orders
) -> None:
    before = engine.state(0)
    accepted(engine, [orders.incident("i1", catds=(0, 1)), orders.measure("i1"), orders.measure("")])
    assert {key: found.going_on for key, found in engine.operation.incidents.items()} == {"i1": True}
    accepted(engine, [orders.resolve_incident("i1"), orders.incident("i2")])
    other = Engine(engine._store, CATALOG, engine.mode)
    assert {key: one.going_on for key, one in other.operation.incidents.items()} == {"i1": False, "i2": True}
    assert engine.state(0) == before


def test_an_incident_goes_from_open_to_closed_and_every_engine_sees_it(
    engine: Engine, orders: Orders
) -> None:
    other = Engine(engine._store, CATALOG, engine.mode)
    accepted(engine, [orders.incident("i1", alert="A01:catd:1"), orders.incident("i2"), orders.attend("i1")])
    accepted(other, [orders.assign("i1"), orders.note("i1"), orders.contain("i1")])
    accepted(engine, [orders.resolve_incident("i1"), orders.close_incident("i1"), orders.note("i1")])
    assert engine.operation.incidents["i1"].state is IncidentState.CLOSED
    accepted(other, [orders.reopen("i1"), orders.merge("i1", "i2")])
    engine.state(0)
    for seen in (engine, other, Engine(engine._store, CATALOG, engine.mode)):
        assert seen.operation.incidents["i1"].state is IncidentState.MERGED
        assert seen.operation.incidents["i1"].into == "i2"


def test_a_measure_authorised_by_a_second_person_is_applied_and_its_steps_are_ticked(
    engine: Engine, orders: Orders
) -> None:
    active_at = orders.at + 3 * MINUTE
    answers = accepted(
        engine, [orders.incident(), orders.propose(), orders.authorise(active_at=active_at), orders.step()]
    )
    assert kinds(answers) == [
        EventKind.INCIDENT_OPENED, EventKind.MEASURE_PROPOSED, EventKind.MEASURE_AUTHORISED,
        EventKind.MEASURE_APPLIED, EventKind.MEASURE_STEP_DONE,
    ]  # fmt: skip
    applied = answers[2].events[1].data
    assert applied == {
        "incident": "i1", "measure": "Traslado de actas", "authorised_by": "coordina",
        "authorised_at": orders.at, "active_at": active_at, "effect": "captura en otro CATD", "catds": [0],
    }  # fmt: skip
    assert engine.operation.activations["a1"].done == {0}
    other = Engine(engine._store, CATALOG, engine.mode)
    assert other.operation.activations == engine.operation.activations
    accepted(other, [orders.step(step=2), orders.end_measure()])
    engine.state(0)
    assert engine.operation.activations["a1"].state is MeasureState.ENDED


def test_a_measure_for_an_incident_that_was_merged_is_applied_to_the_one_that_goes_on(
    engine: Engine, orders: Orders
) -> None:
    accepted(engine, [orders.incident("i1"), orders.incident("i2"), orders.incident("i3"), orders.propose()])
    accepted(engine, [orders.merge("i1", "i2"), orders.merge("i2", "i3")])
    (answer,) = accepted(engine, [orders.authorise()])
    assert answer.events[1].data["incident"] == "i3"


def test_what_follows_may_be_told_after_the_closing_and_what_begins_may_not(
    engine: Engine, orders: Orders
) -> None:
    accepted(engine, [orders.incident(), orders.propose(), orders.authorise(), orders.propose("a2")])
    accepted(engine, [orders.close(at=END)], END)
    later = END + 30 * MINUTE
    orders.at = later
    accepted(
        engine,
        [
            orders.attend(), orders.assign(), orders.note(), orders.contain(), orders.step(),
            orders.end_measure(), orders.dismiss_measure("a2"), orders.resolve_incident(),
            orders.close_incident(), orders.acknowledge(), orders.silence(catd=1),
        ],
        later,
    )  # fmt: skip
    for command in (orders.incident("i9"), orders.propose("a9", ""), orders.measure(""), orders.authorise()):
        assert engine.execute([command], later)[0].refusal is Refusal.OPERATION_CLOSED


def test_times_of_an_incident_and_of_a_measure_never_go_back(engine: Engine, orders: Orders) -> None:
    accepted(engine, [orders.incident(), orders.propose(), orders.attend(at=NOW)])
    early = NOW - 2 * MINUTE
    (contained,) = accepted(engine, [orders.contain(at=early)])
    assert (contained.events[0].at, contained.events[0].device_at) == (NOW, early)
    accepted(engine, [orders.authorise(at=NOW)])
    (step,) = accepted(engine, [orders.step(at=early, device_at=7)])
    assert (step.events[0].at, step.events[0].device_at) == (NOW, 7)
