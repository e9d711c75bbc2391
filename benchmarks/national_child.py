"""One generated national night in a process of its own: `python -m benchmarks.national_child`.

Prints one JSON object: seconds, events and peak memory of the night without cuts, and then of a
complete certified cut. With `--base` the night is one that another run left, and only the cut is
measured. A process apart, because the peak of memory of a process never goes down.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.context import cpu_seconds
from benchmarks.nights import START_MS, GeneratedNight, batched, opening, times_of
from core.catalogs.national import national
from core.cli import collect_less_often
from core.engine import Engine
from core.storage.database import open_database
from core.storage.store import Store

BATCH = 500


def peak_mb() -> float:
    """Peak resident memory of this process, in MB (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB and macOS in bytes.
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def run(actas: int, folder: Path, cut: bool) -> dict[str, Any]:
    """A night of `actas` actas in three contests, and a cut of it."""
    started = time.perf_counter()
    catalog = national(actas // 3)
    database = open_database(str(folder / "prep.db"))
    store = Store(database)
    engine = Engine(store, catalog, "simulacro")
    prepared = time.perf_counter() - started
    engine.execute([opening()], START_MS)
    in_engine = cpu = 0.0
    refused = sent = 0
    for batch in batched(GeneratedNight(catalog).commands(), BATCH):
        times = times_of(batch)
        before, cpu_before = time.perf_counter(), time.process_time()
        answers = engine.execute(batch, times)
        in_engine += time.perf_counter() - before
        cpu += time.process_time() - cpu_before
        sent += len(batch)
        refused += sum(not answer.accepted for answer in answers)
        if sent % 200_000 < BATCH:
            print(
                f"nacional: {sent:,} órdenes, {time.perf_counter() - started:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    found: dict[str, Any] = {
        "actas": len(catalog.actas),
        "ordenes": sent,
        "rechazos": refused,
        "pendientes": engine.pending,
        "eventos": engine.seq,
        "preparar_s": prepared,
        "motor_s": in_engine,
        "motor_cpu_s": cpu,
        "noche_s": time.perf_counter() - started,
        "noche_mb": peak_mb(),
    }
    if cut:
        found |= _cut(engine, store, folder)
    store.close()
    database.dispose()
    return found


def run_cut(actas: int, base: Path, folder: Path) -> dict[str, Any]:
    """A cut of a night that is already in a database, which is copied and not touched."""
    shutil.copy(base, folder / "prep.db")
    database = open_database(str(folder / "prep.db"))
    store = Store(database)
    engine = Engine(store, national(actas // 3), "simulacro")
    found = {"actas": len(engine.catalog.actas), **_cut(engine, store, folder)}
    store.close()
    database.dispose()
    return found


def _cut(engine: Engine, store: Store, folder: Path) -> dict[str, Any]:
    from core.publication.cut import Publisher
    from core.transparency.keys import origin_of, rehearsal_key

    catalog = engine.catalog
    origin = origin_of(catalog.entidad.abbreviation, catalog.election, engine.mode)
    before = time.perf_counter()
    publisher = Publisher(engine, store.database, folder, key=rehearsal_key(origin, "rendimiento"))
    ready, cpu = time.perf_counter(), cpu_seconds()
    report = publisher.cut(START_MS + 22 * 3_600_000)
    done, spent, peak = time.perf_counter(), cpu_seconds(), peak_mb()
    again = publisher.cut(START_MS + 23 * 3_600_000)
    return {
        "publicador_s": ready - before,
        "corte_s": done - ready,
        "corte_cpu_s": spent - cpu,
        "corte_mb": peak,
        "corte_rechazado": report.refused or again.refused,
        "corte_pasos": report.timings,
        "sin_novedad_s": time.perf_counter() - done,
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.national_child")
    parser.add_argument("--actas", type=int, default=510_000)
    parser.add_argument("--carpeta", type=Path, required=True)
    parser.add_argument("--sin-corte", action="store_true")
    parser.add_argument("--base", type=Path, help="prep.db de una noche de tantas actas que ya se corrió")
    args = parser.parse_args()
    collect_less_often()
    if args.base is None:
        found = run(args.actas, args.carpeta, not args.sin_corte)
    else:
        found = run_cut(args.actas, args.base, args.carpeta)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
