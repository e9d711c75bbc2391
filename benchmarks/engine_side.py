"""`motor` and `escritor`: the engine and the group writer against bare sqlite3.

Both sides take turns over short stretches of the same night, so that whatever else the machine does
falls on both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from itertools import islice

from benchmarks.context import ENGINE_BATCH, MODE, Context
from benchmarks.figures import Figure
from benchmarks.nights import START_MS, GeneratedNight, batched, opening, times_of, without_pauses
from benchmarks.raw import RawWriter, RecordingStore, cut_down
from core.catalogs.jalisco.build import jalisco
from core.catalogs.national import national
from core.domain.catalog import Catalog
from core.domain.commands import AnyCommand
from core.engine import Answer, Engine
from core.storage.database import open_database
from core.storage.store import Batch
from core.writer import GroupWriter

RAW_BATCH = 100
STRETCH = 5_000
"""Commands of each turn."""


def catalog_of(quick: bool) -> Catalog:
    """Two contests of Jalisco 2021; something small in its place when in a hurry."""
    if quick:
        return national(600, 2)
    return jalisco(2021)


def motor(context: Context) -> list[Figure]:
    """A whole night through the engine."""

    def regroup(batches: Sequence[Batch]) -> list[Batch]:
        return [piece for batch in batches for piece in cut_down(batch, RAW_BATCH)]

    def drive(engine: Engine, commands: list[AnyCommand]) -> int:
        refused = 0
        for batch in batched(iter(commands), ENGINE_BATCH):
            refused += sum(not answer.accepted for answer in engine.execute(batch, times_of(batch)))
        return refused

    return _against_raw(
        "motor",
        "noche de dos contiendas por el motor, sin cortes",
        (f"motor, lotes de {ENGINE_BATCH} órdenes", f"sqlite3, lotes de {RAW_BATCH} eventos"),
        0.25,
        context,
        drive,
        regroup,
    )


def escritor(context: Context) -> list[Figure]:
    """The same night, command by command, through the group writer with full batches."""

    def drive(engine: Engine, commands: list[AnyCommand]) -> int:
        answers: list[Future[Answer]] = []
        # The clock of a drill: recorded when the last of the stretch happened.
        at = commands[-1].at
        with GroupWriter(engine, lambda: at, max_batch=RAW_BATCH) as writer:
            answers = [writer.submit(command) for command in commands]
        wait(answers)
        return sum(not answer.result().accepted for answer in answers)

    return _against_raw(
        "escritor",
        f"escritor por grupos, {RAW_BATCH} órdenes por lote",
        (f"GroupWriter, lotes de {RAW_BATCH} órdenes", "sqlite3, los mismos lotes"),
        0.4,
        context,
        drive,
        list,
    )


def _against_raw(
    name: str,
    what: str,
    sides: tuple[str, str],
    bound: float,
    context: Context,
    drive: Callable[[Engine, list[AnyCommand]], int],
    regroup: Callable[[Sequence[Batch]], list[Batch]],
) -> list[Figure]:
    catalog, folder = catalog_of(context.quick), context.room(name)
    database = open_database(str(folder / "motor.db"))
    store = RecordingStore(database)
    engine = Engine(store, catalog, MODE)
    engine.execute([opening()], START_MS)
    raw = RawWriter(folder / "directo.db", catalog, MODE)
    raw.write(store.batches)
    before = engine.seq
    ours = bare = 0.0
    refused = commands_sent = 0
    calibration = context.calibrate()
    night = GeneratedNight(catalog).commands()
    with without_pauses():
        for stretch in _stretches(night):
            store.batches.clear()
            started = time.perf_counter()
            refused += drive(engine, stretch)
            ours += time.perf_counter() - started
            commands_sent += len(stretch)
            batches = regroup(store.batches)
            started = time.perf_counter()
            raw.write(batches)
            bare += time.perf_counter() - started
    events = engine.seq - before
    if refused or raw.events() != engine.seq or engine.pending:
        raise RuntimeError(f"the two sides differ: {refused} refused, {raw.events()} of {engine.seq} events")
    raw.close()
    store.close()
    database.dispose()
    return [
        Figure(
            name,
            what,
            bare / ours,
            calibration,
            bound,
            at_least=True,
            unit="eventos/s",
            part=(sides[0], events / ours),
            whole=(sides[1], events / bare),
            note=f"{len(catalog.actas):,} actas, {commands_sent:,} órdenes, {events:,} eventos",
        )
    ]


def _stretches(commands: Iterator[AnyCommand]) -> Iterator[list[AnyCommand]]:
    while stretch := list(islice(commands, STRETCH)):
        yield stretch
