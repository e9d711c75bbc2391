"""The replay of a real night: its own actas, votes and times, driven through the engine.

The files give what people did; the engine decides, tallies and publishes again. Cuts go out every
so many minutes of that night and a last one at the instant of the files. What differs from the
files at the end is explained by `compare`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.catalogs.importer import ImportedCatalog, import_published
from core.domain.commands import AnyCommand, CloseOperation, OpenOperation
from core.domain.refusals import Refusal
from core.engine import Engine
from core.errors import UsageError
from core.publication.cut import CutReport, Publisher
from core.publication.dialects import dialect_for
from core.publication.package import Output
from core.published.layout import MS_PER_DAY, MS_PER_HOUR, parse_time
from core.published.reader import PublishedFile, read_published
from core.storage.database import open_database
from core.storage.store import Store
from simulator.output import state_fingerprint
from simulator.replays.rows import Period, RowReader, Step, in_order

MODE = "simulacro"
"""A replay is never official, whatever night it repeats."""

POLLS_CLOSE_HOUR = 18
"""Local hour at which casillas close: no acta of the night is earlier (LGIPE 285)."""

PERIOD_HOURS = 26
"""24 hours of operation (RE 353) and the two that acopio may begin before publication."""

BATCH = 500


@dataclass(frozen=True)
class Plan:
    """A night ready to be replayed: every file read, nothing written yet."""

    files: tuple[PublishedFile, ...]
    imported: ImportedCatalog
    period: Period
    closes_at: int
    steps: tuple[Step, ...]


@dataclass
class Replayed:
    """A finished replay. `refused` are the commands the engine did not take: (contest, row, code)."""

    files: list[PublishedFile]
    imported: ImportedCatalog
    period: Period
    cuts: list[CutReport]
    refused: list[tuple[str, int, str, Refusal]] = field(default_factory=list)
    events: int = 0
    fingerprint: str = ""


def read_files(paths: Sequence[Path]) -> list[PublishedFile]:
    """Read the files of one night. Raises UsageError when two are of the same contest."""
    files = [read_published(path) for path in paths]
    seen: dict[str, PublishedFile] = {}
    for file in files:
        if file.contest in seen:
            raise UsageError(f"«{file.path}» y «{seen[file.contest].path}» son de la misma contienda.")
        seen[file.contest] = file
    return files


def period_of(files: Sequence[PublishedFile]) -> Period:
    """The operating period of a night, from its captures: machines stamped those, people did not.

    It starts when casillas close, or at the hour of the first capture if that is earlier (a
    rehearsal by day), and lasts what the law allows.
    """
    stamps = [
        at
        for file in files
        for row in file.rows
        if (at := parse_time(file.cell(row, "FECHA_HORA_CAPTURA"), file.layout, file.utc_offset_hours))
    ]
    first = min(stamps, default=min(file.cut_ms for file in files) - 24 * MS_PER_HOUR)
    offset = files[0].utc_offset_hours * MS_PER_HOUR
    midnight = (first + offset) // MS_PER_DAY * MS_PER_DAY - offset
    starts_at = min(first - first % MS_PER_HOUR, midnight + POLLS_CLOSE_HOUR * MS_PER_HOUR)
    return Period(starts_at, starts_at + PERIOD_HOURS * MS_PER_HOUR)


def cut_times(period: Period, closes_at: int, every_minutes: int) -> list[int]:
    """Instants of the cuts before the last one, every so many minutes; none when `every_minutes` is 0."""
    if not every_minutes:
        return []
    step = every_minutes * 60_000
    return list(range(period.starts_at + step, closes_at, step))


class _Driver:
    """Sends steps to the engine in batches, and publishes between them."""

    def __init__(self, engine: Engine, publisher: Publisher, advance: Callable[[int, str], None]) -> None:
        self.engine = engine
        self.publisher = publisher
        self.refused: list[tuple[str, int, str, Refusal]] = []
        self.cuts: list[CutReport] = []
        self._advance = advance
        self._sent = 0

    def send(self, steps: Sequence[Step]) -> None:
        for start in range(0, len(steps), BATCH):
            some = steps[start : start + BATCH]
            answers = self.engine.execute([s.command for s in some], [s.recorded_at for s in some])
            for answer in answers:
                if answer.refusal is not None:
                    contest, row, what = answer.key.split("-", 2)
                    self.refused.append((contest, int(row), what, answer.refusal))
            self._sent += len(some)
            self._advance(self._sent, f"{len(self.cuts)} cortes")

    def publish(self, at: int, *, last: bool = False) -> None:
        self.cuts.append(self.publisher.cut(at, last=last))

    def operation(self, command: AnyCommand) -> None:
        (answer,) = self.engine.execute([command], command.at)
        if not answer.accepted:
            raise UsageError(f"La base no admite la repetición: {answer.refusal}. {answer.detail}")


def outputs_of(files: Sequence[PublishedFile]) -> tuple[Output, ...]:
    """Results CSVs written as the source wrote them: dialect, columns, title and file name."""
    return tuple(
        Output(
            file.contest,
            dialect_for(file.layout),
            csv_name=file.path.name,
            columns_like=file,
            mark_title=False,
        )
        for file in files
    )


def prepare(files: Sequence[PublishedFile]) -> Plan:
    """Rebuild the catalogue of a night and turn its rows into commands.

    Raises InputError for a file whose rows cannot be read.
    """
    imported = import_published(files)
    period = period_of(files)
    steps = in_order(
        step for place, file in enumerate(files) for step in RowReader(file, place, imported, period).steps()
    )
    return Plan(tuple(files), imported, period, max(file.cut_ms for file in files), tuple(steps))


def replay(
    plan: Plan,
    folder: Path,
    *,
    base: str | None = None,
    every_minutes: int = 20,
    advance: Callable[[int, str], None] = lambda done, detail: None,
) -> Replayed:
    """Replay a night into `folder`; the database is `base`, or `folder/prep.db`.

    `advance` is called with the commands sent so far and a few words, for a progress bar.
    """
    steps = plan.steps
    database = open_database(base or str(folder / "prep.db"))
    store = Store(database)
    try:
        engine = Engine(store, plan.imported.catalog, MODE)
        publisher = Publisher(engine, database, folder, outputs=outputs_of(plan.files))
        driver = _Driver(engine, publisher, advance)
        driver.operation(
            OpenOperation(
                key="apertura", actor="repeticion", station="ccv", at=plan.period.starts_at,
                starts_at=plan.period.starts_at, ends_at=plan.period.ends_at,
            )
        )  # fmt: skip
        done = 0
        for instant in cut_times(plan.period, plan.closes_at, every_minutes):
            until = done
            while until < len(steps) and steps[until].recorded_at <= instant:
                until += 1
            driver.send(steps[done:until])
            done = until
            driver.publish(instant)
        driver.send(steps[done:])
        driver.publish(plan.closes_at, last=True)
        driver.operation(
            CloseOperation(key="cierre", actor="repeticion", station="ccv", at=plan.period.ends_at)
        )
        return Replayed(
            list(plan.files), plan.imported, plan.period, driver.cuts, driver.refused, engine.seq,
            state_fingerprint(database),
        )  # fmt: skip
    finally:
        store.close()
        database.dispose()


def written_file(replayed: Replayed, file: PublishedFile) -> PublishedFile:
    """The last results CSV of a contest, read back from disk."""
    directory = replayed.cuts[-1].directory
    if directory is None:
        raise UsageError(f"El último corte se rechazó: {replayed.cuts[-1].refused}")
    return read_published(directory / file.path.name)
