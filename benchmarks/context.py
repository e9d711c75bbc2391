"""What the benchmarks share: where to write, which size, and the half-run night they publish."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from statistics import median

from benchmarks.figures import Calibration, calibrate
from benchmarks.nights import START_MS, GeneratedNight, batched, opening, times_of
from core.catalogs.jalisco.build import jalisco
from core.catalogs.national import national
from core.domain.catalog import Catalog
from core.domain.commands import AnyCommand
from core.engine import Engine
from core.storage.database import open_database
from core.storage.store import Store

MODE = "simulacro"
ENGINE_BATCH = 500
"""How the simulator and the replay feed the engine."""
ALMOST_ALL = 0.98
"""How much of the night is in when the first cut is measured; the second brings the rest."""


def feed(engine: Engine, commands: list[AnyCommand]) -> None:
    """Give the engine some commands, all of which it must accept. Raises RuntimeError."""
    for batch in batched(iter(commands), ENGINE_BATCH):
        for answer in engine.execute(batch, times_of(batch)):
            if not answer.accepted:
                raise RuntimeError(f"the engine refused {answer.key}: {answer.refusal}")


@dataclass
class Office:
    """A night of three contests of Jalisco 2024 in a database, at 98 %, and the commands that are left."""

    folder: Path
    catalog: Catalog
    engine: Engine
    store: Store
    left: list[AnyCommand]

    @classmethod
    def open(cls, folder: Path, quick: bool) -> Office:
        """Run the night up to 98 % of its commands."""
        catalog = national(600, 3) if quick else jalisco(2024)
        store = Store(open_database(str(folder / "prep.db")))
        engine = Engine(store, catalog, MODE)
        engine.execute([opening()], START_MS)
        commands = list(GeneratedNight(catalog).commands())
        end = int(len(commands) * ALMOST_ALL)
        feed(engine, list(islice(commands, end)))
        return cls(folder, catalog, engine, store, commands[end:])

    def finish(self) -> None:
        """Run the rest of the night."""
        feed(self.engine, self.left)
        self.left = []

    def close(self) -> None:
        """Let the database go."""
        self.store.close()
        self.store.database.dispose()


@dataclass
class Context:
    """One run of the benchmarks. `note` tells whoever watches what is being done."""

    folder: Path
    quick: bool = False
    note: Callable[[str], None] = field(default=lambda text: None)
    _others: list[Office] = field(default_factory=list)

    def room(self, name: str) -> Path:
        """An empty folder for one benchmark."""
        place = self.folder / name
        place.mkdir()
        return place

    @cached_property
    def office(self) -> Office:
        """The night that the publication benchmarks share."""
        self.note("se prepara la noche de tres contiendas que se publica")
        return Office.open(self.room("oficina"), self.quick)

    def office_apart(self, name: str) -> Office:
        """A night like `office` for who goes on with it; closed with the rest."""
        self.note("se prepara otra noche de tres contiendas")
        made = Office.open(self.room(name), self.quick)
        self._others.append(made)
        return made

    def calibrate(self) -> Calibration:
        """The machine now."""
        return calibrate(self.folder)

    def close(self) -> None:
        """Let go of what is open."""
        if "office" in self.__dict__:
            self.office.close()
        for office in self._others:
            office.close()


def cpu_seconds() -> float:
    """Seconds of CPU so far of this process and of those it waited for."""
    return sum(
        one.ru_utime + one.ru_stime
        for one in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def seconds(what: Callable[[], object]) -> float:
    """How long a call takes."""
    before = time.perf_counter()
    what()
    return time.perf_counter() - before


def by_turns(sides: list[Callable[[], object]], times: int) -> list[float]:
    """Median seconds of several calls, taken in turns so that the load of the machine falls on all."""
    taken: list[list[float]] = [[] for _ in sides]
    for _ in range(times):
        for side, lengths in zip(sides, taken, strict=True):
            lengths.append(seconds(side))
    return [median(lengths) for lengths in taken]
