"""A rehearsal for the room's benchmarks: its database, its snapshots, and who publishes them on the beat."""

from __future__ import annotations

import threading
import time
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as Database

from benchmarks.context import MODE, Context, feed
from benchmarks.night_side import FOLDER, ROOT, child
from benchmarks.nights import START_MS, GeneratedNight, opening
from control_room.night.snapshot import iso
from control_room.sources.plan_curve import plan_of
from control_room.writing.replaying import replay
from control_room.writing.room_folder import put_snapshot
from core.catalogs.national import national
from core.engine import Engine
from core.storage.database import open_database, open_existing
from core.storage.reading import read_catalog, reading
from core.storage.store import Store
from simulator.scenario.file import load_scenario

SCENARIO = f"{FOLDER}/simulacro-5.toml"
FROM_MIN, FRAMES = 200, 120
"""The snapshots that are shown: one a minute of the part of the night when everything happens."""


def night(context: Context) -> Path:
    """The folder of a whole rehearsal with its cuts and heartbeats; a generated night when quick."""
    folder = context.folder / "noche-de-la-sala"
    if folder.exists():
        return folder
    context.note("sala: se corre la noche que se mira")
    if not context.quick:
        child(
            "-c", "import sys; from core.cli import main; sys.exit(main())", "simular", SCENARIO,
            "--salida", str(folder), "--semilla", "2021", "--latidos", "--silencio", "--json",
        )  # fmt: skip
        return folder
    folder.mkdir()
    catalog = national(300, 3)
    store = Store(open_database(str(folder / "prep.db")))
    engine = Engine(store, catalog, MODE)
    engine.execute([opening()], START_MS)
    feed(engine, list(islice(GeneratedNight(catalog).commands(), 2_000)))
    store.close()
    store.database.dispose()
    return folder


def frames(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """Snapshots of consecutive minutes of the night of a folder."""
    database = open_existing(str(folder / "prep.db"))
    try:
        starts_ms = START_MS if quick else load_scenario(ROOT / SCENARIO).scenario.calendar.start_ms
        moments = [starts_ms + (FROM_MIN + n) * 60_000 for n in range(5 if quick else FRAMES)]
        plan = None if quick else _plan(database)
        return [snapshot for _, snapshot in replay(database, moments, plan=plan)]
    finally:
        database.dispose()


def _plan(database: Database) -> Any:
    with reading(database) as connection:
        catalog = read_catalog(connection)
    return plan_of(load_scenario(ROOT / SCENARIO).scenario, catalog)


class Player(threading.Thread):
    """Puts one snapshot after another in a room's folder, as the writer does, every `every_s`."""

    def __init__(self, room: Path, shown: list[dict[str, Any]], every_s: float = 2.0) -> None:
        super().__init__(daemon=True)
        self._room, self._shown, self._every_s = room, shown, every_s
        self._ended = threading.Event()
        self.published: list[tuple[float, int]] = []
        """(monotonic second, seq) of each."""
        self.put()

    def put(self) -> None:
        """The next one."""
        seq = len(self.published) + 1
        real_ms = time.time_ns() // 1_000_000
        snapshot = self._shown[seq % len(self._shown)] | {
            "seq": seq, "boot_id": "banco", "generado_en": iso(real_ms), "generado_real_ms": real_ms,
        }  # fmt: skip
        put_snapshot(self._room, snapshot)
        self.published.append((time.monotonic(), seq))

    def run(self) -> None:
        """On the beat until it is stopped."""
        due = time.monotonic() + self._every_s
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            self.put()
            due += self._every_s

    def stop(self) -> None:
        """No more."""
        self._ended.set()
        self.join()
