"""`agregados`, `csv`, `xlsx` and `corte_incremental`: what a cut costs, piece by piece and whole.

All of them look at the same night of three contests (about 32,700 actas). The limits are those of the
measured prototype of the stack.
"""

from __future__ import annotations

import csv
import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.context import Context, Office, by_turns, seconds
from benchmarks.figures import Figure
from benchmarks.nights import START_MS
from core.domain.catalog import Catalog
from core.publication.cut import Publisher
from core.publication.dialects import DEFAULT_DIALECT, load_dialect
from core.publication.json_levels import JsonLevels
from core.publication.objects import ObjectStore
from core.publication.results_csv import ResultsCsv
from core.publication.xlsx import ActaSheet, write_sheet
from core.storage.reading import SnapshotReader
from core.storage.schema import VOTE_SLOTS
from core.tally.levels import Levels, SectionKey
from core.tally.snapshot import Snapshot

TURNS = 5
HOUR_MS = 3_600_000


def agregados(context: Context) -> list[Figure]:
    """Sums by level in SQL over the wide slots, beside the same sums of everything at once."""
    office = context.office
    contest = next(iter(office.catalog.contests.values()))
    sums = ", ".join(f"SUM(r.{slot})" for slot in VOTE_SLOTS[: len(contest.columns)])
    body = f"FROM result r JOIN acta a ON a.id = r.acta WHERE r.contabilizada AND a.contest = '{contest.id}'"

    def ask(columns: str, tail: str) -> Callable[[], object]:
        def run() -> object:
            with office.store.database.connect() as connection:
                return connection.exec_driver_sql(f"SELECT {columns}{sums} {body} {tail}").fetchall()

        return run

    calibration = context.calibrate()
    whole, distrito, seccion = by_turns(
        [
            ask("", ""),
            ask("a.distrito, ", "GROUP BY a.distrito"),
            ask("a.distrito, a.seccion, ", "GROUP BY a.distrito, a.seccion"),
        ],
        TURNS,
    )
    levels = Levels(office.catalog, contest.id)
    snapshot = _snapshot(office)
    memory = seconds(lambda: levels.update(snapshot))
    size = f"{office.catalog.expected(contest.id):,} actas, {len(contest.columns)} columnas"
    total = ("sin GROUP BY", whole * 1000)
    return [
        Figure(
            "agregados", f"sumas por {name} en SQL", taken / whole, calibration, 4.0, unit="ms",
            part=(f"por {name}", taken * 1000), whole=total, note=size,
        )
        for name, taken in (("distrito", distrito), ("sección", seccion))
    ] + [
        Figure(
            "agregados", "todos los niveles en memoria, acta por acta (lo que usa el corte)", memory / whole,
            calibration, unit="ms", part=("Levels.update", memory * 1000), whole=total, note=size,
        )
    ]  # fmt: skip


def csv_(context: Context) -> list[Figure]:
    """The results CSV of every contest, all its rows, from the snapshot to the file."""
    office, place = context.office, context.room("csv")
    snapshot = _snapshot(office)
    tables = _tables(office.catalog)
    tuples = [_ready(table, snapshot) for table in tables]

    calibration = context.calibrate()
    mine, bare = by_turns(
        [_writing(office, tables, snapshot, place), partial(_csv_module, tuples, place)], TURNS
    )
    return [
        Figure(
            "csv", "CSV completo, de los datos del acta al archivo", mine / bare, calibration, 1.2, unit="s",
            part=("ResultsCsv", mine), whole=("módulo csv con tuplas listas", bare),
            note=f"{sum(map(len, tuples)):,} filas",
        )
    ]  # fmt: skip


def xlsx(context: Context) -> list[Figure]:
    """The sheet of actas of every contest, from the cells to the file."""
    office, place = context.office, context.room("xlsx")
    snapshot = _snapshot(office)
    tables = _tables(office.catalog)
    for table in tables:
        table.update(snapshot)
    cells = [[tuple(row) for row in table.cells()] for table in tables]

    def sheets() -> list[ActaSheet]:
        made = []
        for table, rows in zip(tables, cells, strict=True):
            sheet = ActaSheet(table.canonical, table.contest.codes, table.dialect.file.wrapped, len(rows))
            for position, row in enumerate(rows):
                sheet.put(position, row)
            made.append(sheet)
        return made

    xml = [b"".join(sheet.chunks()) for sheet in sheets()]

    def ours() -> None:
        for table, sheet in zip(tables, sheets(), strict=True):
            with (place / f"{table.contest.id}.xlsx").open("wb") as stream:
                write_sheet(stream, table.contest.id, [], table.columns, sheet.chunks())

    def deflate() -> None:
        for sheet in xml:
            packer = zlib.compressobj(1, zlib.DEFLATED, -15)
            packer.compress(sheet)
            packer.flush()

    calibration = context.calibrate()
    mine, bare, text = by_turns([ours, deflate, _writing(office, tables, snapshot, place)], 3)
    note = f"{sum(map(len, cells)):,} filas, {sum(map(len, xml)) / 1e6:.1f} MB de XML"
    return [
        Figure(
            "xlsx", "XLSX de actas, de las celdas al archivo", mine / bare, calibration, 4.0, unit="s",
            part=("ActaSheet y write_sheet", mine), whole=("zlib nivel 1 del mismo XML", bare), note=note,
        ),
        Figure(
            "xlsx", "XLSX de actas frente al CSV de esas filas", mine / text, calibration, 2.0, unit="s",
            part=("ActaSheet y write_sheet", mine), whole=("ResultsCsv", text), note=note,
        ),
    ]  # fmt: skip


def corte_incremental(context: Context) -> list[Figure]:
    """A whole cut, and the one after it in which about 2 % of the actas are new."""
    office, place = context.office, context.room("json")
    calibration = context.calibrate()
    publisher = Publisher(office.engine, office.store.database, office.folder)
    whole = _timed_cut(publisher, START_MS + 21 * HOUR_MS)

    trees = _Trees(office, place)
    everything = trees.update()
    office.finish()
    changed = trees.update()
    after = _timed_cut(publisher, START_MS + 22 * HOUR_MS)
    size = len(office.catalog.actas)
    share = f"{trees.changed:,} de {size:,} actas cambiaron; {trees.dirty:,} de {trees.sections:,} secciones"
    return [
        Figure(
            "corte_incremental", "objetos JSON escritos / secciones que cambiaron y sus superiores",
            trees.written / trees.due, calibration, 1.0, exact=True, unit="objetos",
            part=("escritos", trees.written), whole=("cambiaron", trees.due), note=share,
        ),
        Figure(
            "corte_incremental", "JSON de lo que cambió / JSON completo", changed / everything, calibration,
            0.25, unit="s", part=("incremental", changed), whole=("completo", everything), note=share,
        ),
        Figure(
            "corte_incremental", "corte completo: todos los paquetes, durable", whole, calibration, 5.0,
            unit="s", note=f"{size:,} actas",
        ),
        Figure(
            "corte_incremental", "el corte siguiente, todos los paquetes", after / whole, calibration,
            unit="s", part=("siguiente", after), whole=("completo", whole), note=share,
        ),
    ]  # fmt: skip


class _Trees:
    """The JSON of every contest by itself, and what the last update of it did."""

    def __init__(self, office: Office, place: Path) -> None:
        catalog = office.catalog
        self._reader = SnapshotReader(office.store.database, len(catalog.actas))
        self._levels = [Levels(catalog, contest) for contest in catalog.contests]
        store = ObjectStore(place)
        self._trees = [JsonLevels(catalog, levels, store, mode="simulacro") for levels in self._levels]
        self.sections = sum(len(levels.sections) for levels in self._levels)
        self.written = self.due = self.dirty = self.changed = 0

    def update(self) -> float:
        """Seconds to bring levels and objects to the present of the database, reading apart."""
        snapshot = self._reader.read()
        self.written = self.due = self.dirty = 0
        self.changed = len(snapshot.changed or ())
        taken = 0.0
        for levels, tree in zip(self._levels, self._trees, strict=True):
            before = time.perf_counter()
            dirty: frozenset[SectionKey] = levels.update(snapshot)
            self.written += tree.update(snapshot, dirty, last=False).written
            taken += time.perf_counter() - before
            self.dirty += len(dirty)
            self.due += len(dirty) + len({key.territory for key in dirty}) + bool(dirty)
        return taken


def _timed_cut(publisher: Publisher, at: int) -> float:
    before = time.perf_counter()
    report = publisher.cut(at)
    if report.refused is not None:
        raise RuntimeError(f"the cut was refused: {report.refused}")
    return time.perf_counter() - before


def _snapshot(office: Office) -> Snapshot:
    """Everything in the database now, as the first cut sees it."""
    return SnapshotReader(office.store.database, len(office.catalog.actas)).read()


def _tables(catalog: Catalog) -> list[ResultsCsv]:
    dialect = load_dialect(DEFAULT_DIALECT)
    return [ResultsCsv(catalog, contest, dialect) for contest in catalog.contests]


def _writing(
    office: Office, tables: Sequence[ResultsCsv], snapshot: Snapshot, place: Path
) -> Callable[[], object]:
    """What renders every row of every table and writes the files."""
    headers = [Levels(office.catalog, table.contest.id).counters(last_cut=False) for table in tables]

    def run() -> None:
        for table, header in zip(tables, headers, strict=True):
            table.update(snapshot)
            with (place / f"{table.contest.id}.csv").open("wb") as stream:
                table.write(stream, header, START_MS)

    return run


def _ready(table: ResultsCsv, snapshot: Snapshot) -> list[tuple[str | int, ...]]:
    """The rows of a table as tuples of texts and numbers, which is what a database would give."""
    table.update(snapshot)
    return _numbers([tuple(row) for row in table.cells()])


def _numbers(rows: Sequence[Sequence[str]]) -> list[tuple[str | int, ...]]:
    return [
        tuple(int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 10 else cell for cell in row)
        for row in rows
    ]


def _csv_module(tables: Sequence[Sequence[Sequence[str | int]]], place: Path) -> None:
    for number, rows in enumerate(tables):
        with (place / f"modulo-{number}.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
