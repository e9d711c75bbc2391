"""The reading side: snapshots for the publisher, everything else for checks and screens.

Every function reads one consistent point of the ledger and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, select

from core.domain.events import Event
from core.storage import schema
from core.storage.rows import published_acta
from core.storage.store import EVENTS, event_of, read_catalog
from core.tally.snapshot import PublishedActa, PublishedOutside, Snapshot

__all__ = ["SnapshotReader", "ledger_events", "read_catalog", "read_meta", "reading"]

_RESULTS = select(schema.result)
_CHANGED_SHARE = 4
"""Above one changed acta in this many the whole table is read: cheaper than picking rows out."""


@contextmanager
def reading(database: Engine) -> Iterator[Connection]:
    """A connection whose queries all see the same point of the ledger."""
    connection = database.connect()
    try:
        if database.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection
    finally:
        connection.close()


def read_meta(connection: Connection) -> dict[str, str]:
    """Mode, catalogue fingerprint and notes of the database."""
    return {row.key: row.value for row in connection.execute(select(schema.meta))}


def ledger_events(connection: Connection, after: int = 0) -> Iterator[tuple[int, Event, bytes]]:
    """(seq, event, hash) of the ledger, in order, streamed."""
    rows = connection.execution_options(stream_results=True, yield_per=2000).execute(
        EVENTS.where(schema.ledger.c.seq > after).order_by(schema.ledger.c.seq)
    )
    for row in rows:
        yield int(row[0]), event_of(row), bytes(row[9])


class SnapshotReader:
    """Reads what is published at each cut, fetching only what changed since the one before."""

    def __init__(self, database: Engine, size: int) -> None:
        """`size` is the number of actas of the catalogue."""
        self._database = database
        self._actas: list[PublishedActa | None] = [None] * size
        self._seq = -1

    def read(self) -> Snapshot:
        """The snapshot at the present end of the ledger.

        `Snapshot.changed` is relative to the previous call (None in the first).
        """
        with reading(self._database) as connection:
            high = connection.execute(select(func.max(schema.ledger.c.seq))).scalar() or 0
            changed = self._refresh(connection, int(high))
            outside = [
                PublishedOutside(
                    row.id, row.contest, row.claimed, row.origin, row.medium, row.document,
                    row.image_hash, row.received_at,
                )
                for row in connection.execute(
                    select(schema.outside)
                    .where(schema.outside.c.identified_as.is_(None))
                    .order_by(schema.outside.c.id)
                )
            ]  # fmt: skip
        self._seq = int(high)
        return Snapshot(int(high), self._actas, outside, changed)

    def _refresh(self, connection: Connection, high: int) -> frozenset[int] | None:
        if self._seq < 0:
            self._fill(connection)
            return None
        ids = [
            int(row[0])
            for row in connection.execute(
                select(schema.ledger.c.acta)
                .where(schema.ledger.c.seq > self._seq, schema.ledger.c.seq <= high)
                .where(schema.ledger.c.acta.is_not(None))
                .distinct()
            )
        ]
        before = {acta: self._actas[acta] for acta in ids}
        if len(ids) * _CHANGED_SHARE > len(self._actas):
            self._actas[:] = [None] * len(self._actas)
            self._fill(connection)
        else:
            for acta in ids:
                self._actas[acta] = None
            for start in range(0, len(ids), 500):
                some = ids[start : start + 500]
                rows = connection.execute(_RESULTS.where(schema.result.c.acta.in_(some)))
                for row in rows:
                    self._actas[row[0]] = published_acta(row)
        return frozenset(acta for acta, old in before.items() if self._actas[acta] != old)

    def _fill(self, connection: Connection) -> None:
        rows = connection.execution_options(stream_results=True, yield_per=5000).execute(_RESULTS)
        for row in rows:
            self._actas[row[0]] = published_acta(row)
