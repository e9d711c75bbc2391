"""The writing side of the database: one transaction per batch of commands.

`Store.write` opens a transaction that no other writer can interleave with; inside it the engine
reads what it needs and flushes one `Batch`. Nothing here decides anything about an election.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, CursorResult, Engine, Table, bindparam, func, select

from core.domain.acta import Status
from core.domain.catalog import Catalog, decode_catalog
from core.domain.events import Event, EventKind, decode_data, encode_data
from core.domain.holding import PUBLICATION_EVENTS
from core.domain.operation import ROOM_EVENTS
from core.domain.transitions import OutsideActa
from core.errors import PrepError
from core.storage import schema

GENESIS = bytes(32)
"""What the first row of the ledger chains to."""

_LOCK_KEY = 0x50524550
"""Advisory lock of the writer in PostgreSQL."""

_IN_LIST = 400


class OtherElectionError(PrepError):
    """The database already holds another catalogue or another mode."""


@dataclass(slots=True)
class Answered:
    """What was answered to a command key."""

    digest: bytes
    refusal: str | None
    detail: str
    seq_first: int | None
    seq_last: int | None


@dataclass(slots=True)
class Batch:
    """Rows that one batch of commands adds or changes."""

    ledger: list[tuple[Any, ...]] = field(default_factory=list)
    commands: list[tuple[Any, ...]] = field(default_factory=list)
    actas: list[tuple[Any, ...]] = field(default_factory=list)
    results_gone: list[tuple[int]] = field(default_factory=list)
    results: list[tuple[Any, ...]] = field(default_factory=list)
    images: list[tuple[Any, ...]] = field(default_factory=list)
    outside: list[tuple[Any, ...]] = field(default_factory=list)
    outside_identified: list[tuple[int, int]] = field(default_factory=list)
    cut_seq_high: int | None = None


def chain(previous: bytes, row: Sequence[Any]) -> bytes:
    """Hash of a ledger row: SHA-256 of the previous hash and the row's columns as a JSON array."""
    return hashlib.sha256(previous + orjson.dumps(row)).digest()


def ledger_row(seq: int, event: Event) -> tuple[Any, ...]:
    """The columns of an event in table order, without the hash."""
    return (
        seq, event.kind.value, event.acta, event.at, event.device_at, event.recorded_at,
        event.actor, event.station, encode_data(event.data).decode(),
    )  # fmt: skip


def event_of(row: Sequence[Any]) -> Event:
    """The event of a row of the ledger (columns in table order)."""
    kind = EventKind(row[1])
    return Event(kind, row[2], row[3], row[4], row[5], row[6], row[7], decode_data(kind, row[8]))


class Store:
    """The database as the engine sees it. One writing connection is held open."""

    def __init__(self, database: Engine) -> None:
        self.database = database
        self._mark = "?" if database.dialect.name == "sqlite" else "%s"
        self._connection: Connection | None = None
        self._sql: dict[str, str] = {}

    def close(self) -> None:
        """Give the writing connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # -- the fixed part ------------------------------------------------------------------------

    def initialize(self, catalog: Catalog, mode: str) -> None:
        """Store catalogue and mode in an empty database; check them in one that is not.

        Raises OtherElectionError when the database holds another catalogue or mode: a rehearsal
        and an official night never share one.
        """
        fingerprint = catalog.fingerprint()
        with self.write() as transaction:
            connection = transaction.connection
            found = {row.key: row.value for row in connection.execute(select(schema.meta))}
            if found:
                if found.get("catalog") != fingerprint:
                    raise OtherElectionError("La base ya contiene otro catálogo.")
                if found.get("mode") != mode:
                    raise OtherElectionError(f"La base es de modo «{found.get('mode')}», no «{mode}».")
                return
            body = zlib.compress(catalog.encoded(), 6)
            connection.execute(schema.catalog.insert(), {"fingerprint": fingerprint, "body": body})
            connection.execute(
                schema.meta.insert(),
                [{"key": "catalog", "value": fingerprint}, {"key": "mode", "value": mode}],
            )
            rows = []
            for entry in catalog.actas:
                casilla = catalog.casillas[entry.casilla]
                rows.append(
                    (
                        entry.id, entry.key, entry.contest, entry.casilla, casilla.distrito,
                        casilla.municipio, casilla.seccion, casilla.catd, Status.EXPECTED.value, 0,
                        None, None, None, None,
                    )
                )  # fmt: skip
            transaction.insert(schema.acta, rows)

    def load_catalog(self) -> Catalog:
        """The catalogue of this database. Raises OtherElectionError when there is none."""
        with self.database.connect() as connection:
            return read_catalog(connection)

    # -- transactions --------------------------------------------------------------------------

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One exclusive write transaction; committed at the end, rolled back on any exception."""
        if self._connection is None or self._connection.closed:
            self._connection = self.database.connect().execution_options(prep_write=True)
        connection = self._connection
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})")
            yield Transaction(connection, self)

    def insert_sql(self, table: Table) -> str:
        """INSERT of every column of a table, in table order, with the driver's own placeholders."""
        sql = self._sql.get(table.name)
        if sql is None:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            marks = ", ".join([self._mark] * len(table.columns))
            sql = self._sql[table.name] = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'
        return sql

    def placeholders(self, sql: str) -> str:
        """SQL written with `?` in the placeholders of this database's driver."""
        return sql if self._mark == "?" else sql.replace("?", self._mark)


def read_catalog(connection: Connection) -> Catalog:
    """The catalogue stored in a database. Raises OtherElectionError when there is none."""
    body = connection.execute(select(schema.catalog.c.body)).scalar_one_or_none()
    if body is None:
        raise OtherElectionError("La base no tiene catálogo: nadie ha iniciado una operación en ella.")
    return decode_catalog(zlib.decompress(body))


EVENTS = select(
    schema.ledger.c.seq,
    schema.ledger.c.kind,
    schema.ledger.c.acta,
    schema.ledger.c["at"],
    schema.ledger.c.device_at,
    schema.ledger.c.recorded_at,
    schema.ledger.c.actor,
    schema.ledger.c.station,
    schema.ledger.c.data,
    schema.ledger.c.hash,
)
# What every batch asks goes to the driver as text: building these with the library costs as much as
# deciding the batch.
_HEAD = "SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1"
_EVENTS_OF = (
    'SELECT seq, kind, acta, "at", device_at, recorded_at, actor, station, data FROM ledger '
    "WHERE acta IN ({}) ORDER BY seq"
)
_ANSWERS = "SELECT key, digest, refusal, detail, seq_first, seq_last FROM command WHERE key IN ({})"
# Contest first, as in the primary key: by the hash alone every image of the night would be looked at.
_IMAGES = "SELECT contest, sha256, acta FROM image WHERE contest = ? AND sha256 IN ({})"
_OUTSIDE = select(schema.outside).where(schema.outside.c.id.in_(bindparam("ids", expanding=True)))


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _IN_LIST] for start in range(0, len(items), _IN_LIST))


class Transaction:
    """What can be read and written inside one write transaction."""

    def __init__(self, connection: Connection, store: Store) -> None:
        self.connection = connection
        self._store = store

    def head(self) -> tuple[int, bytes]:
        """Last sequence of the ledger and its hash; (0, GENESIS) when it is empty."""
        row = self.connection.exec_driver_sql(_HEAD).first()
        return (int(row[0]), bytes(row[1])) if row is not None else (0, GENESIS)

    def hash_at(self, seq: int) -> bytes | None:
        """Hash of the ledger row with a sequence, None when there is none."""
        found = self.connection.execute(
            select(schema.ledger.c.hash).where(schema.ledger.c.seq == seq)
        ).scalar_one_or_none()
        return None if found is None else bytes(found)

    def answers(self, keys: Sequence[str]) -> dict[str, Answered]:
        """Answers already given to some keys."""
        found: dict[str, Answered] = {}
        for some in _chunks(keys):
            for row in self._among(_ANSWERS, some):
                found[row[0]] = Answered(bytes(row[1]), row[2], row[3] or "", row[4], row[5])
        return found

    def events_of(self, actas: Sequence[int]) -> Iterator[tuple[int, Event]]:
        """(seq, event) of some actas, in order."""
        for some in _chunks(actas):
            for row in self._among(_EVENTS_OF, some):
                yield int(row[0]), event_of(row)

    def events_after(self, seq: int) -> Iterator[tuple[int, Event]]:
        """(seq, event) of the whole ledger after a sequence."""
        rows = self.connection.execute(EVENTS.where(schema.ledger.c.seq > seq).order_by(schema.ledger.c.seq))
        for row in rows:
            yield int(row[0]), event_of(row)

    def operation_events(self) -> Iterator[tuple[int, Event]]:
        """(seq, event) of the operation, its cuts, its incidents and its measures, in order."""
        kinds = [
            kind.value
            for kind in (
                EventKind.OPERATION_OPENED,
                EventKind.OPERATION_CLOSED,
                EventKind.CUT_PUBLISHED,
                *PUBLICATION_EVENTS,
                *ROOM_EVENTS,
            )
        ]
        rows = self.connection.execute(
            EVENTS.where(schema.ledger.c.acta.is_(None), schema.ledger.c.kind.in_(kinds)).order_by(
                schema.ledger.c.seq
            )
        )
        for row in rows:
            yield int(row[0]), event_of(row)

    def marks(self) -> Iterator[tuple[str, str, int]]:
        """(actor, station, time) of every mark sin acta."""
        rows = self.connection.execute(
            select(schema.ledger.c.actor, schema.ledger.c.station, schema.ledger.c["at"]).where(
                schema.ledger.c.kind == EventKind.SIN_ACTA_MARKED.value
            )
        )
        for row in rows:
            yield row[0], row[1], int(row[2])

    def images(self, contests: Iterable[str], hashes: Sequence[str]) -> dict[tuple[str, str], int]:
        """(contest, hash) -> acta of the images already known in some contests."""
        found: dict[tuple[str, str], int] = {}
        for some in _chunks(hashes):
            for contest in contests:
                for row in self._among(_IMAGES, some, contest):
                    found[(row[0], row[1])] = int(row[2])
        return found

    def outside(self, ids: Sequence[int]) -> dict[int, OutsideActa]:
        """Actas fuera de catálogo by id."""
        found: dict[int, OutsideActa] = {}
        for some in _chunks(ids):
            for row in self.connection.execute(_OUTSIDE, {"ids": some}):
                found[row.id] = OutsideActa(
                    row.id, row.contest, row.received_at, row.claimed, row.origin, row.image_hash,
                    row.medium, row.document, row.identified_as,
                )  # fmt: skip
        return found

    def outside_count(self) -> int:
        """How many actas fuera de catálogo there are."""
        return int(self.connection.execute(select(func.count()).select_from(schema.outside)).scalar_one())

    def result_count(self) -> int:
        """How many actas of the catalogue are registered."""
        return int(self.connection.execute(select(func.count()).select_from(schema.result)).scalar_one())

    def _among(self, sql: str, items: Sequence[Any], *before: Any) -> CursorResult[*tuple[Any, ...]]:
        """Run a query whose `{}` is a list of items, after the parameters that come before it."""
        marks = ", ".join("?" * len(items))
        return self.connection.exec_driver_sql(self._store.placeholders(sql.format(marks)), (*before, *items))

    def insert(self, table: Table, rows: list[tuple[Any, ...]]) -> None:
        """Insert rows given in table column order."""
        if rows:
            self.connection.exec_driver_sql(self._store.insert_sql(table), rows)

    def flush(self, batch: Batch) -> None:
        """Write a batch."""
        run, place = self.connection.exec_driver_sql, self._store.placeholders
        self.insert(schema.ledger, batch.ledger)
        self.insert(schema.command, batch.commands)
        if batch.actas:
            run(
                place(
                    "UPDATE acta SET status = ?, seq = ?, received_at = ?, digitized_at = ?, "
                    "captured_at = ?, verified_at = ? WHERE id = ?"
                ),
                batch.actas,
            )
        if batch.results_gone:
            run(place("DELETE FROM result WHERE acta = ?"), batch.results_gone)
        self.insert(schema.result, batch.results)
        self.insert(schema.image, batch.images)
        self.insert(schema.outside, batch.outside)
        if batch.outside_identified:
            run(place("UPDATE outside SET identified_as = ? WHERE id = ?"), batch.outside_identified)
        if batch.cut_seq_high is not None:
            run(
                place("UPDATE acta SET status = ? WHERE status = ? AND seq <= ?"),
                (Status.PUBLISHED.value, Status.VERIFIED.value, batch.cut_seq_high),
            )
