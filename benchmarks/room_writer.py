"""One turn of the room's writer, piece by piece: `python -m benchmarks.room_writer`, a process of its own.

With `--base` the night of a database, up to its middle. With `--actas N` a generated nation: a small night
goes through the engine and its events are repeated, each on as many actas of the same contest as fit.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import orjson
import psutil

from benchmarks.context import ENGINE_BATCH, MODE
from benchmarks.nights import START_MS, GeneratedNight, batched, opening, times_of
from control_room.alerts.thresholds import default_thresholds
from control_room.files import write_atomic
from control_room.night.builder import NightRoom, new_book
from control_room.night.facts_of import facts as facts_of
from control_room.night.snapshot import Frame, build
from control_room.night.state import CHUNK, NightState, Row, read_rows
from control_room.night.surroundings import Surroundings
from core.catalogs.national import national
from core.cli import collect_less_often
from core.domain.catalog import Catalog
from core.engine import Engine
from core.operations.pulses import Pulse, pulses_after
from core.storage.database import open_database, open_existing
from core.storage.reading import read_catalog, reading
from core.storage.store import Store

TURNS = 21
LAST = 1_000
"""Events kept for the turns that are measured: those of two seconds of a nation, many times over."""
MIDDLE = 0.5
"""How much of a night is read first: half of it, when most is wrong."""
COPIES = 25
MINUTES = 35


class Watched(NamedTuple):
    """A room that has read its night up to some events that are left."""

    room: NightRoom
    left: list[Row]
    now_ms: int
    started_s: float


def of_database(base: str) -> Watched:
    """The night of a database."""
    before = time.perf_counter()
    database = open_existing(base)
    with reading(database) as connection:
        state = NightState(read_catalog(connection))
        rows: list[Row] = []
        while more := read_rows(connection, rows[-1][0] if rows else 0):
            rows += more
            if len(more) < CHUNK:
                break
        middle = int(len(rows) * MIDDLE)
        state.apply_rows(rows[:middle])
        for pulse in pulses_after(connection, -1):
            if pulse.recorded_at <= state.recorded_at:
                state.pulse(pulse)
    database.dispose()
    return _watched(state, rows[middle : middle + LAST], before)


def of_nation(actas: int, folder: Path) -> Watched:
    """A generated nation of `actas` actas of three contests."""
    copies = COPIES if actas >= COPIES * 600 else 2
    small = national(actas // 3 // copies)
    rows = _rows_of(small, folder)
    large = national(actas // 3 // copies * copies)
    before = time.perf_counter()
    state = NightState(large)
    left: list[Row] = []
    for row in _repeated(rows[: -LAST // copies], small, large, copies):
        state.apply(*row)
    left += _repeated(rows[-LAST // copies :], small, large, copies, state.seq)
    last_ms = rows[-1][4]
    for minute in range(MINUTES):
        at = last_ms - (MINUTES - minute) * 60_000
        for catd in large.catds:
            # A tenth of them went silent a while ago.
            if catd.id % 10 or minute < MINUTES // 2:
                state.pulse(Pulse(catd.id, at, at, 100, catd.id % 7, {"acopiadores": 3}))
    return _watched(state, left, before)


def _watched(state: NightState, left: list[Row], before: float) -> Watched:
    room = NightRoom(state, new_book(state.catalog, default_thresholds()))
    return Watched(room, left, left[0][4], time.perf_counter() - before)


def _rows_of(catalog: Catalog, folder: Path) -> list[Row]:
    """The ledger of a generated night."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        store = Store(open_database(str(Path(place) / "prep.db")))
        engine = Engine(store, catalog, MODE)
        engine.execute([opening()], START_MS)
        for batch in batched(GeneratedNight(catalog).commands(), ENGINE_BATCH):
            engine.execute(batch, times_of(batch))
        rows: list[Row] = []
        with reading(store.database) as connection:
            while more := read_rows(connection, rows[-1][0] if rows else 0):
                rows += more
        store.close()
        store.database.dispose()
    return rows


def _repeated(rows: list[Row], small: Catalog, large: Catalog, copies: int, seq: int = 0) -> Iterator[Row]:
    casillas, many = len(small.casillas), len(large.casillas)
    for _, kind, acta, at, recorded_at, actor, station, data in rows:
        if acta is None:
            seq += 1
            yield (seq, kind, None, at, recorded_at, actor, station, data)
            continue
        contest, casilla = divmod(acta, casillas)
        for copy in range(copies):
            seq += 1
            where = contest * many + copy * casillas + casilla
            yield (seq, kind, where, at, recorded_at, actor, station, data)


class Marks:
    """How long each piece of a turn took, ms, one list by name."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = {}
        self._last = 0.0

    def begin(self) -> None:
        """A turn begins."""
        self._last = time.perf_counter()

    def done(self, name: str) -> None:
        """A piece ended here."""
        now = time.perf_counter()
        self.taken.setdefault(name, []).append((now - self._last) * 1000)
        self._last = now


def measure(watched: Watched, folder: Path) -> dict[str, Any]:
    """Turns of the writer, each with its share of the events that are left."""
    room, now_ms = watched.room, watched.now_ms
    state, around, incidents = room.state, Surroundings(), room.state.incidents
    marks = Marks()
    share = max(1, len(watched.left) // TURNS)
    size = packed_size = 0
    for turn in range(TURNS):
        rows = watched.left[turn * share : (turn + 1) * share]
        now_ms = max(now_ms + 2_000, rows[-1][4] if rows else 0)
        clock = {"ahora_ms": now_ms, "velocidad": 1.0, "estado": "corriendo", "utc_min": -360}
        frame = Frame(turn + 1, "banco", now_ms, 2.0, 12.0, "0", MODE, "", None, clock)
        marks.begin()
        state.apply_rows(rows)
        marks.done("leer")
        facts = facts_of(state, now_ms, around)
        marks.done("hechos")
        view = room.book.step(facts, incidents.acks(), incidents.silences(), incidents.of_alert())
        marks.done("alertas")
        snapshot = build(state, facts, view, around, frame)
        marks.done("armar")
        body = orjson.dumps(snapshot)
        marks.done("json")
        packed = gzip.compress(body, 6, mtime=0)
        marks.done("gzip")
        write_atomic(folder / "turno.json", body)
        write_atomic(folder / "turno.json.gz", packed)
        marks.done("escribir")
        size, packed_size = len(body), len(packed)
    taken = marks.taken
    whole = [sum(times) for times in zip(*taken.values(), strict=True)]
    return {
        "actas": state.size,
        "catd": len(state.catalog.catds),
        "eventos": state.seq,
        "turno_ms": median(whole),
        "turno_max_ms": max(whole),
        "piezas_ms": {name: median(times) for name, times in taken.items()},
        "bytes": size,
        "comprimidos": packed_size,
        "empezar_s": watched.started_s,
        # Not the peak: until it runs, a process has that of who started it.
        "mb": psutil.Process().memory_info().rss / 1e6,
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.room_writer")
    parser.add_argument("--base")
    parser.add_argument("--actas", type=int, default=510_000)
    parser.add_argument("--carpeta", type=Path, required=True)
    args = parser.parse_args()
    collect_less_often()
    watched = of_database(args.base) if args.base else of_nation(args.actas, args.carpeta)
    with tempfile.TemporaryDirectory(dir=args.carpeta) as place:
        print(json.dumps(measure(watched, Path(place))))


if __name__ == "__main__":
    main()
