"""The writer at work: whole files, a database that goes and comes, restarts, other nights, only one."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from control_room.config import load_config
from control_room.room_db import alert_log, open_room
from control_room.writing.history import History
from control_room.writing.ledger_reader import DatabaseGoneError, Question
from control_room.writing.room_folder import say_again
from control_room.writing.writer import Writer, WriterOptions, run_writer
from core.domain.commands import AcknowledgeAlert
from core.engine import Engine
from core.errors import UsageError
from core.storage.database import open_database
from core.storage.store import Store
from tests.control_room import night_folder
from tests.control_room.conftest import Watched
from tests.core.domain.small import END, MINUTE, START, Orders, open_engine

NOW = START + 5 * MINUTE
Open = Callable[..., Writer]


def options(base: str | Path, room: Path, **over: Any) -> WriterOptions:
    config = replace(load_config(), database_wait_s=over.pop("wait_s", 5.0), tick_s=0.05)
    return WriterOptions(
        **{
            "database": str(base), "room": room, "config": config, "clock": "datos", "forecast": False,
            "fill_history": False, **over,
        }
    )  # fmt: skip


@pytest.fixture
def open_writer(tmp_path: Path) -> Iterator[Open]:
    """Opens writers on the room of the test, closed at its end."""
    opened: list[Writer] = []

    def go(base: str | Path, **over: Any) -> Writer:
        opened.append(Writer(options(base, tmp_path / "sala", **over)))
        return opened[-1]

    yield go
    for writer in opened:
        writer.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Engine]:
    """A small night under way."""
    engine = open_engine(str(tmp_path / "base.db"))
    engine.execute([Orders("apertura").open()], NOW)
    yield engine
    engine._store.close()
    engine._store.database.dispose()


def told(room: Path) -> dict[str, Any]:
    return dict(orjson.loads((room / "sala.json").read_bytes()))


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_each_tick_leaves_the_same_snapshot_plain_and_compressed(
    watched: Watched, open_writer: Open, tmp_path: Path
) -> None:
    writer = open_writer(watched.folder / "prep.db")
    for seq in (1, 2, 3):
        snapshot = writer.tick()
        body = (tmp_path / "sala" / "sala.json").read_bytes()
        assert gzip.decompress((tmp_path / "sala" / "sala.json.gz").read_bytes()) == body
        assert orjson.loads(body) == snapshot
        assert (snapshot["seq"], snapshot["boot_id"]) == (seq, writer.boot_id)
    assert snapshot["reloj"]["estado"] in ("datos", "terminada")
    assert not list((tmp_path / "sala").glob(".*.tmp"))


def test_what_is_new_in_the_ledger_is_in_the_next_tick(
    small: Engine, open_writer: Open, tmp_path: Path
) -> None:
    writer = open_writer(tmp_path / "base.db")
    assert writer.tick()["kpis"]["verificadas"] == 0
    small.execute(Orders().agreed(0), NOW + MINUTE)
    snapshot = writer.tick()
    assert snapshot["kpis"]["verificadas"] == 1
    assert snapshot["reloj"]["ahora_ms"] == NOW + MINUTE


def test_one_moment_is_kept_per_minute_of_the_night(small: Engine, open_writer: Open, tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "base.db")
    for second in (0, 10, 59, 60, 61, 300):
        small.execute([Orders(f"k{second}-").receive_outside(second)], NOW + second * 1000)
        writer.tick()
    kept = History(tmp_path / "sala" / "historia")
    assert kept.moments() == [NOW, NOW + MINUTE, NOW + 5 * MINUTE]
    assert orjson.loads(gzip.decompress(kept.at(NOW)))["kpis"]["fuera_catalogo"] == 1


def test_a_fast_rehearsal_is_judged_at_what_its_database_knows_unless_it_stands_still(
    small: Engine, open_writer: Open, tmp_path: Path
) -> None:
    watch = open_writer(tmp_path / "base.db").watch

    def clock(minutes: float, speed: float | None, state: str = "corriendo") -> dict[str, Any]:
        return {"ahora_ms": NOW + round(minutes * MINUTE), "velocidad": speed, "estado": state}

    # Four seconds behind at x60 are four minutes of the night, and nobody's silence.
    assert watch.judged_ms(clock(4, 60.0)) == NOW
    # Sixteen are a database that stopped.
    assert watch.judged_ms(clock(16, 60.0)) == NOW + MINUTE
    small.execute([Orders("a").receive_outside("a")], NOW + 3 * MINUTE)
    watch.catch_up()
    assert watch.judged_ms(clock(17, 60.0, "pausada")) == NOW + 3 * MINUTE
    # By the wall there is no such excuse; and time only goes back when the clock does.
    assert watch.judged_ms(clock(20, 1.0, "real")) == NOW + 20 * MINUTE
    assert watch.judged_ms(clock(21, 60.0)) == NOW + 20 * MINUTE
    book = watch.room.book
    assert watch.judged_ms(clock(2, 60.0)) == NOW + 2 * MINUTE
    # What was timed by a clock that went back means nothing.
    assert watch.room.book is not book


def test_only_one_writes_in_a_room(watched: Watched, open_writer: Open) -> None:
    open_writer(watched.folder / "prep.db")
    with pytest.raises(UsageError, match="Ya hay un escritor"):
        open_writer(watched.folder / "prep.db")


def test_a_database_that_is_not_there_is_told_at_once(open_writer: Open, tmp_path: Path) -> None:
    with pytest.raises(DatabaseGoneError, match="no está el archivo"):
        open_writer(tmp_path / "nada.db")
    assert not (tmp_path / "nada.db").exists()
    empty = open_database(str(tmp_path / "vacia.db"))
    empty.dispose()
    with pytest.raises(DatabaseGoneError, match="no tiene catálogo"):
        open_writer(tmp_path / "vacia.db")


def test_a_lost_database_is_said_with_since_when_and_the_night_comes_back(
    small: Engine, open_writer: Open, tmp_path: Path
) -> None:
    small.execute(Orders().agreed(0), NOW)
    writer = open_writer(tmp_path / "base.db")
    assert writer.tick()["base"]["ok"]
    (tmp_path / "base.db").rename(tmp_path / "aparte.db")
    lost, still = writer.tick(), writer.tick()
    assert (lost["base"]["ok"], still["base"]["ok"]) == (False, False)
    assert "no está el archivo" in lost["base"]["error"]
    assert lost["base"]["desde_real_ms"] == still["base"]["desde_real_ms"]
    assert abs(lost["base"]["desde_real_ms"] - lost["generado_real_ms"]) < 5_000
    # It goes on: the last figures, with a newer sequence and time.
    assert still["seq"] == lost["seq"] + 1
    assert still["kpis"]["verificadas"] == 1
    assert any(alert["regla"] == "A12" for alert in still["alertas"])
    assert not (tmp_path / "base.db").exists()
    (tmp_path / "aparte.db").rename(tmp_path / "base.db")
    back = writer.tick()
    assert (back["base"]["ok"], back["base"]["error"], back["base"]["desde_real_ms"]) == (True, None, None)
    assert back["boot_id"] == lost["boot_id"]


def test_another_night_in_the_same_place_leaves_nothing_of_the_first(
    small: Engine, open_writer: Open, tmp_path: Path
) -> None:
    small.execute(Orders().agreed(0), NOW)
    writer = open_writer(tmp_path / "base.db")
    first = writer.tick()
    other = open_engine(str(tmp_path / "otra.db"))
    later = START + 60 * MINUTE
    other.execute([Orders("otra", at=later).open(starts_at=later)], later)
    other._store.close()
    other._store.database.dispose()
    (tmp_path / "otra.db").replace(tmp_path / "base.db")
    for leftover in tmp_path.glob("base.db-*"):
        leftover.unlink()
    assert not writer.tick()["base"]["ok"]
    second = writer.tick()
    assert second["base"] == {"ok": True, "error": None, "desde_real_ms": None, "seq": 1, "hasta_ms": later}
    assert (second["kpis"]["verificadas"], second["seq"]) == (0, 1)
    assert second["boot_id"] != first["boot_id"]
    assert History(tmp_path / "sala" / "historia").moments() == [later]
    assert len(list((tmp_path / "sala").glob("historia-*"))) == 1


def test_after_a_restart_the_alerts_are_where_they_were(
    watched: Watched, open_writer: Open, tmp_path: Path
) -> None:
    at = watched.starts_ms + 130 * MINUTE
    base = cut_short(watched, tmp_path / "noche", at)
    writer = open_writer(base)
    # Enough turns for everything that has to be seen twice, and for what follows from it.
    for _ in range(5):
        before = writer.tick()
    assert before["alertas"]
    seen = before["alertas"][0]["id"]
    store = Store(open_database(str(base)))
    engine = Engine(store, store.load_catalog(), "simulacro")
    acknowledge = AcknowledgeAlert(key="sala-1", actor="ana", station="sala", at=at, alert=seen, note="voy")
    assert engine.execute([acknowledge], at)[0].accepted
    store.close()
    writer.tick()
    acknowledged = writer.tick()["alertas"]
    assert {row["id"]: row["por"] for row in acknowledged}[seen] == "ana"
    writer.close()
    again = open_writer(base)
    first = again.tick()
    assert again.boot_id != writer.boot_id
    assert [(row["id"], row["desde_ms"], row["estado"], row["por"]) for row in first["alertas"]] == [
        (row["id"], row["desde_ms"], row["estado"], row["por"]) for row in acknowledged
    ]
    room = open_room(tmp_path / "sala")
    with room.connect() as connection:
        rows = connection.execute(select(alert_log.c.alerta, alert_log.c.que)).all()
    room.dispose()
    assert [what for alert, what in rows if alert == seen] == ["activa", "reconocida"]


def test_a_writer_that_saw_the_night_open_knows_it_again_after_a_restart(
    open_writer: Open, tmp_path: Path
) -> None:
    engine = open_engine(str(tmp_path / "base.db"))
    writer = open_writer(tmp_path / "base.db")
    writer.tick()
    engine.execute([Orders("apertura").open()], NOW)
    writer.tick()
    kept = History(tmp_path / "sala" / "historia").moments()
    assert kept
    writer.close()
    open_writer(tmp_path / "base.db").tick()
    assert History(tmp_path / "sala" / "historia").moments() == kept
    assert not list((tmp_path / "sala").glob("historia-*"))
    engine._store.close()
    engine._store.database.dispose()


def test_the_same_rehearsal_run_again_begins_with_no_memory_of_the_first(
    small: Engine, open_writer: Open, tmp_path: Path
) -> None:
    small.execute(Orders().agreed(0), NOW)
    writer = open_writer(tmp_path / "base.db")
    writer.tick()
    writer.close()
    again = open_engine(str(tmp_path / "otra.db"))
    again.execute([Orders("apertura").open()], NOW)
    again._store.close()
    again._store.database.dispose()
    (tmp_path / "otra.db").replace(tmp_path / "base.db")
    for leftover in tmp_path.glob("base.db-*"):
        leftover.unlink()
    open_writer(tmp_path / "base.db").tick()
    assert len(list((tmp_path / "sala").glob("historia-*"))) == 1


def test_a_small_step_back_of_the_clock_forgets_no_alert(watched: Watched, open_writer: Open) -> None:
    writer = open_writer(watched.database.url.render_as_string(hide_password=False))
    writer.tick()
    book, now = writer.watch.room.book, writer.watch.clock.now_ms()

    def clock(at: int) -> dict[str, Any]:
        return {"ahora_ms": at, "velocidad": None, "estado": "real"}

    assert writer.watch.judged_ms(clock(now - 50)) == now
    assert writer.watch.room.book is book
    assert writer.watch.judged_ms(clock(now - 10 * MINUTE)) == now - 10 * MINUTE
    assert writer.watch.room.book is not book


def test_once_closed_the_last_moment_kept_is_how_the_night_ended(
    small: Engine, open_writer: Open, tmp_path: Path
) -> None:
    writer = open_writer(tmp_path / "base.db")
    orders = Orders("fin", at=END)
    small.execute([Orders("corte").incident()], NOW)
    small.execute([orders.close()], END)
    writer.tick()
    small.execute([orders.attend()], END)
    ended = writer.tick()
    history = History(tmp_path / "sala" / "historia")
    last = orjson.loads(gzip.decompress(history.at(history.moments()[-1])))
    assert last["base"]["seq"] == ended["base"]["seq"]
    assert last["incidentes"][0]["estado"] == "atendido"


def cut_short(watched: Watched, to: Path, at: int) -> Path:
    """The database of the night as it was at a moment, with its heartbeats."""
    night_folder.copy(watched.folder, to)
    night_folder.stop_at(to, at)
    night_folder.write_behind_the_engine(to, "DELETE FROM pulse WHERE recorded_at > :ms", ms=at)
    return to / "prep.db"


def test_every_moment_nobody_kept_is_filled_and_what_was_kept_is_not_touched(
    watched: Watched, open_writer: Open, tmp_path: Path
) -> None:
    folder = tmp_path / "sala" / "historia"
    seen = watched.starts_ms + 100 * MINUTE
    History(folder).keep(seen, 7, b"lo visto")
    writer = open_writer(watched.folder / "prep.db", fill_history=True)
    assert writer.watch.wait_filled(60)
    history = History(folder)
    until_last = writer.watch.clock.now_ms() - MINUTE
    assert history.moments() == list(range(watched.starts_ms, until_last, MINUTE))
    assert history.at(seen) == b"lo visto"
    told_then = orjson.loads(gzip.decompress(history.at(seen - MINUTE)))
    assert told_then["reloj"]["ahora_ms"] == seen - MINUTE


def test_a_database_that_hangs_does_not_hold_the_tick(
    postgres_url: str, open_writer: Open, tmp_path: Path
) -> None:
    engine = open_engine(postgres_url)
    engine.execute([Orders("apertura").open(), *Orders().agreed(0)], NOW)
    writer = open_writer(postgres_url, wait_s=0.3)
    assert writer.tick()["base"]["ok"]
    with engine._store.database.connect() as connection, connection.begin():
        connection.exec_driver_sql("LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        hung = writer.tick()
        assert time.monotonic() - started < 3
        assert not hung["base"]["ok"]
        assert "no contesta" in hung["base"]["error"]
        assert hung["kpis"]["verificadas"] == 1
        writer.tick()
    until(lambda: bool(writer.tick()["base"]["ok"]))
    engine.execute(Orders("z").agreed(1), NOW)
    assert writer.tick()["kpis"]["verificadas"] == 2
    engine._store.close()
    engine._store.database.dispose()


def test_a_question_that_never_ends_is_not_waited_for() -> None:
    never = threading.Event()
    question = Question(never.wait)
    assert not question.wait(0.05)
    never.set()
    assert question.wait(5)
    assert question.value() is True


def test_a_writer_that_starts_without_database_says_so_over_what_was_there(
    small: Engine, tmp_path: Path
) -> None:
    room = tmp_path / "sala"
    assert not say_again(tmp_path, "b", "nada", 1, 2)
    first = Writer(options(tmp_path / "base.db", room))
    before = first.tick()
    first.close()
    (tmp_path / "base.db").rename(tmp_path / "aparte.db")
    stop = threading.Event()
    runner = threading.Thread(target=run_writer, args=(options(tmp_path / "base.db", room), stop))
    runner.start()
    try:
        until(lambda: not told(room)["base"]["ok"])
        lost = told(room)
        assert "no está el archivo" in lost["base"]["error"]
        assert lost["boot_id"] != before["boot_id"]
        assert lost["kpis"] == before["kpis"]
        (tmp_path / "aparte.db").rename(tmp_path / "base.db")
        until(lambda: bool(told(room)["base"]["ok"]))
    finally:
        stop.set()
        runner.join(20)
    assert not runner.is_alive()


def test_sigterm_ends_the_writer_and_leaves_a_whole_snapshot(watched: Watched, tmp_path: Path) -> None:
    room = tmp_path / "sala"
    program = (
        "import sys; from dataclasses import replace; from pathlib import Path\n"
        "from control_room.config import load_config\n"
        "from control_room.writing.writer import WriterOptions, run_writer\n"
        "run_writer(WriterOptions(sys.argv[1], Path(sys.argv[2]), replace(load_config(), tick_s=0.05),"
        " clock='datos', forecast=False, fill_history=False))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(watched.folder / "prep.db"), str(room)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        until(lambda: (room / "sala.json").is_file() and told(room)["seq"] > 3, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert gzip.decompress((room / "sala.json.gz").read_bytes()) == (room / "sala.json").read_bytes()
    # And the room is free for the next one.
    Writer(options(watched.folder / "prep.db", room)).close()
