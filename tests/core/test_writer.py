"""The group writer: one commit for many, nothing acknowledged is lost, whoever dies and whenever."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import DBAPIError

from core.domain.acta import Status
from core.domain.commands import AnyCommand
from core.domain.refusals import Refusal
from core.engine import Answer, Engine
from core.operations.check import check
from core.storage import schema
from core.storage.database import connect
from core.writer import GroupWriter
from tests.conftest import REPOSITORY
from tests.core.domain.small import START, Orders, open_engine
from tests.core.storage.writer_child import THREADS, order


@pytest.fixture
def base(tmp_path: Path) -> str:
    return str(tmp_path / "base.db")


@pytest.fixture
def engine(base: str) -> Iterator[Engine]:
    engine = open_engine(base)
    engine.execute([Orders("abre").open()], START)
    yield engine
    engine._store.close()
    engine._store.database.dispose()


def committed(url: str) -> int:
    """Events in the ledger, as another connection sees them."""
    database = connect(url)
    with database.connect() as connection:
        found = connection.execute(select(func.count()).select_from(schema.ledger)).scalar_one()
    database.dispose()
    return int(found)


# -- queue -------------------------------------------------------------------------------------


def test_an_answer_is_given_only_when_its_event_is_committed(engine: Engine, base: str) -> None:
    seen: list[tuple[int, int]] = []
    with GroupWriter(engine, lambda: START) as writer:
        for number in range(5):
            future = writer.submit(order(0, number))
            answer = future.result(timeout=10)
            assert answer.seq_last is not None
            seen.append((answer.seq_last, committed(base)))
    assert all(seq <= count for seq, count in seen)


def test_many_stations_at_once_are_all_answered_and_each_in_its_order(engine: Engine) -> None:
    answers: dict[int, list[Answer]] = {}

    def station(thread: int, writer: GroupWriter) -> None:
        futures = [writer.submit(order(thread, number)) for number in range(30)]
        answers[thread] = [future.result(timeout=30) for future in futures]

    with GroupWriter(engine, lambda: START, max_batch=16) as writer:
        threads = [threading.Thread(target=station, args=(n, writer)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(answers) == set(range(THREADS))
    for own in answers.values():
        assert all(answer.accepted for answer in own)
        seqs = [answer.seq_first or 0 for answer in own]
        assert seqs == sorted(seqs)
    assert check(engine._store.database).correct


def test_waiting_commands_share_one_commit(base: str, engine: Engine) -> None:
    sizes: list[int] = []
    execute = engine.execute
    first = threading.Event()

    def counted(commands: Any, recorded_at: Any) -> list[Answer]:
        sizes.append(len(commands))
        first.wait(10)
        return execute(commands, recorded_at)

    engine.execute = counted  # type: ignore[method-assign]
    with GroupWriter(engine, lambda: START, max_batch=20) as writer:
        futures = [writer.submit(order(n % THREADS, n // THREADS)) for n in range(45)]
        first.set()
        assert all(future.result(timeout=10).accepted for future in futures)
    assert sum(sizes) == 45
    assert max(sizes) == 20


def test_a_refused_command_does_not_disturb_its_neighbours(engine: Engine) -> None:
    orders = Orders("propia")
    with GroupWriter(engine, lambda: START) as writer:
        futures = [writer.submit(c) for c in (order(0, 0), orders.capture(1, "ana"), order(0, 1))]
        assert [future.result(timeout=10).refusal for future in futures] == [None, Refusal.STATE, None]


class Gated:
    """An engine that waits to be let through, so that a batch can gather behind it."""

    def __init__(self, engine: Engine) -> None:
        self.gate = threading.Event()
        execute = engine.execute

        def gated(commands: Any, recorded_at: Any) -> list[Answer]:
            self.gate.wait(10)
            return execute(commands, recorded_at)

        engine.execute = gated  # type: ignore[method-assign]


def test_a_command_that_cannot_be_written_fails_alone(engine: Engine) -> None:
    gated = Gated(engine)
    with GroupWriter(engine, lambda: START) as writer:
        unwritable = Orders().receive(1, actor="\ud800")
        futures = [writer.submit(c) for c in (order(2, 0), order(0, 0), unwritable, order(0, 1))]
        gated.gate.set()
        assert [futures[n].result(timeout=10).accepted for n in (0, 1, 3)] == [True] * 3
        assert futures[2].result(timeout=10).refusal is Refusal.UNWRITABLE
    assert engine.state(1).status is Status.EXPECTED
    assert check(engine._store.database).correct


def test_a_command_that_breaks_its_batch_fails_alone(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = engine.execute
    broken = Orders().receive(1, key="rota")

    def breaking(commands: Any, recorded_at: Any) -> list[Answer]:
        if broken in commands:
            raise ValueError("rota")
        return execute(commands, recorded_at)

    monkeypatch.setattr(engine, "execute", breaking)
    gated = Gated(engine)
    with GroupWriter(engine, lambda: START) as writer:
        futures = [writer.submit(c) for c in (order(2, 0), broken, order(0, 0))]
        gated.gate.set()
        assert futures[0].result(timeout=10).accepted and futures[2].result(timeout=10).accepted
        with pytest.raises(ValueError, match="rota"):
            futures[1].result(timeout=10)


def test_a_caller_who_gives_up_does_not_stop_the_writer(engine: Engine) -> None:
    gated = Gated(engine)
    with GroupWriter(engine, lambda: START) as writer:
        first, given_up = writer.submit(order(0, 0)), writer.submit(order(1, 0))
        cancelled = given_up.cancel()
        gated.gate.set()
        assert first.result(timeout=10).accepted
        assert writer.submit(order(2, 0)).result(timeout=10).accepted
    # Either it was in time and nothing was recorded, or it was not and it was.
    assert (engine.state(1).status is Status.EXPECTED) is cancelled


def test_closing_waits_for_what_was_accepted_and_takes_no_more(engine: Engine, base: str) -> None:
    writer = GroupWriter(engine, lambda: START)
    futures = [writer.submit(order(0, number)) for number in range(10)]
    writer.close()
    assert all(future.done() for future in futures)
    assert committed(base) == sum(len(f.result().events) for f in futures) + 1
    with pytest.raises(RuntimeError, match="closed"):
        writer.submit(order(0, 10))
    writer.close()


# -- the database fails ------------------------------------------------------------------------


def _fail_results(url: str, fail: bool) -> None:
    """Make every insert of a result fail, in the middle of the transaction, or stop doing so."""
    database = connect(url)
    with database.begin() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER broken BEFORE INSERT ON result BEGIN SELECT RAISE(ABORT, 'no disk'); END"
                if fail
                else "DROP TRIGGER broken"
            )
        )
    database.dispose()


def test_a_database_that_fails_in_the_middle_loses_nothing_and_the_engine_goes_on(
    engine: Engine, base: str
) -> None:
    orders = Orders()
    engine.execute(orders.agreed(0)[:3], START)
    seq, states = engine.seq, [engine.state(acta) for acta in range(9)]
    batch: list[AnyCommand] = [orders.capture(0, "beto"), *orders.agreed(1), orders.receive_outside("x")]
    _fail_results(base, True)
    with pytest.raises(DBAPIError, match="no disk"):
        engine.execute(batch, START)
    assert committed(base) == seq
    _fail_results(base, False)
    assert [engine.state(acta) for acta in range(9)] == states
    answers = engine.execute(batch, START)
    assert all(answer.accepted and not answer.repeated for answer in answers)
    assert engine.state(1).status is Status.VERIFIED
    assert check(engine._store.database).correct


def test_the_writer_tells_everybody_waiting_and_goes_on(engine: Engine, base: str) -> None:
    engine.execute([order(0, 0), order(0, 1), order(0, 2)], START)
    _fail_results(base, True)
    with GroupWriter(engine, lambda: START) as writer:
        failed: Future[Answer] = writer.submit(order(0, 3))
        with pytest.raises(DBAPIError, match="no disk"):
            failed.result(timeout=10)
        _fail_results(base, False)
        assert writer.submit(order(0, 3)).result(timeout=10).accepted
    assert check(engine._store.database).correct


def test_an_engine_whose_connection_was_cut_goes_on_with_another(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    engine.execute([Orders("abre").open(), order(0, 0)], START)
    outside = create_engine(postgres_url)
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
    with outside.connect() as connection:
        assert connection.execute(text(cut + "AND datname = current_database()")).scalar() or 0 > 0
    outside.dispose()
    with pytest.raises(DBAPIError):
        engine.execute([order(0, 1)], START)
    assert engine.execute([order(0, 1)], START)[0].accepted
    assert check(engine._store.database).correct
    engine._store.close()
    engine._store.database.dispose()


# -- kill -9 -----------------------------------------------------------------------------------


def _write_until_killed(url: str, first: list[int], seconds: float) -> list[str]:
    """The keys a child acknowledged before SIGKILL reached it, `seconds` after the first one."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.core.storage.writer_child", url, *map(str, first)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert child.stdout is not None
    lines = [child.stdout.readline()]
    timer = threading.Timer(seconds, child.kill)
    timer.start()
    lines += child.stdout.readlines()
    timer.join()
    assert child.wait() == -9
    return [line.strip() for line in lines if line.endswith("\n")]


def _killed_again_and_again(url: str, rounds: int) -> None:
    generator = random.Random(2021)
    acknowledged: dict[str, None] = {}
    first = [0] * THREADS
    for _ in range(rounds):
        keys = _write_until_killed(url, first, generator.uniform(0.05, 0.4))
        assert keys
        for key in keys:
            assert key not in acknowledged
            acknowledged[key] = None
            thread, _, number = key.partition("-")
            assert int(number) == first[int(thread)]
            first[int(thread)] += 1
    engine = open_engine(url)
    database = engine._store.database
    found = check(database)
    assert [f.message for f in found.findings.listed] == []
    with database.connect() as connection:
        rows = connection.execute(
            select(schema.command.c.key, schema.command.c.seq_first, schema.command.c.seq_last).where(
                schema.command.c.refusal.is_(None)
            )
        ).all()
    recorded = {row[0]: row[2] - row[1] + 1 for row in rows}
    assert set(acknowledged) <= set(recorded)
    # Each event belongs to one command: each was recorded exactly once.
    assert sum(recorded.values()) == found.events == engine.seq
    resent = engine.execute([order(t, n) for t in range(THREADS) for n in range(first[t])], START)
    assert all(answer.repeated and answer.accepted for answer in resent)
    assert engine.seq == found.events
    engine._store.close()
    database.dispose()


def test_kill_9_at_any_moment_loses_no_acknowledged_command_on_sqlite(base: str) -> None:
    _killed_again_and_again(base, 4)


def test_kill_9_of_the_client_loses_no_acknowledged_command_on_postgresql(postgres_url: str) -> None:
    _killed_again_and_again(postgres_url, 2)
