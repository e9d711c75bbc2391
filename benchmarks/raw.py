"""The denominator of the engine: bare sqlite3 writing the very rows the engine wrote.

The same tables, triggers, indexes and pragmas, the same statements, no SQLAlchemy and nothing
decided: what the disk and SQLite alone would take.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as Database

from core.domain.catalog import Catalog
from core.storage import schema
from core.storage.database import open_database
from core.storage.store import Batch, Store, Transaction

_INSERTS = (
    ("ledger", schema.ledger),
    ("commands", schema.command),
    ("results", schema.result),
    ("images", schema.image),
)
_UPDATE = (
    "UPDATE acta SET status = ?, seq = ?, received_at = ?, digitized_at = ?, captured_at = ?, "
    "verified_at = ? WHERE id = ?"
)


class _Recording(Transaction):
    def __init__(self, connection: Any, store: RecordingStore) -> None:
        super().__init__(connection, store)
        self._kept = store.batches

    def flush(self, batch: Batch) -> None:
        super().flush(batch)
        self._kept.append(batch)


class RecordingStore(Store):
    """A store that keeps the rows of each batch in `batches`, to write them again."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.batches: list[Batch] = []

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """As in `Store`."""
        with super().write() as transaction:
            yield _Recording(transaction.connection, self)


class RawWriter:
    """A database like the engine's, written with bare sqlite3. One transaction per batch, WAL, FULL."""

    def __init__(self, path: Path, catalog: Catalog, mode: str) -> None:
        database = open_database(str(path))
        store = Store(database)
        store.initialize(catalog, mode)
        store.close()
        self._inserts = [(name, store.insert_sql(table)) for name, table in _INSERTS]
        database.dispose()
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in (
            "busy_timeout = 30000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON",
            "temp_store = MEMORY", "cache_size = -65536",
        ):  # fmt: skip
            self._connection.execute(f"PRAGMA {pragma}")

    def write(self, batches: Sequence[Batch]) -> None:
        """Write each batch in a transaction of its own."""
        connection, inserts = self._connection, self._inserts
        for batch in batches:
            connection.execute("BEGIN IMMEDIATE")
            for name, sql in inserts:
                rows = getattr(batch, name)
                if rows:
                    connection.executemany(sql, rows)
            if batch.actas:
                connection.executemany(_UPDATE, batch.actas)
            connection.execute("COMMIT")

    def events(self) -> int:
        """Rows of its ledger."""
        return int(self._connection.execute("SELECT COUNT(*) FROM ledger").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def cut_down(batch: Batch, size: int) -> list[Batch]:
    """The rows of a batch in batches of about `size` events, none repeated nor lost."""
    parts = max(1, round(len(batch.ledger) / size))
    pieces = [Batch() for _ in range(parts)]
    for one in fields(Batch):
        rows = getattr(batch, one.name)
        if not isinstance(rows, list):
            continue
        for number, piece in enumerate(pieces):
            start, end = (len(rows) * n // parts for n in (number, number + 1))
            setattr(piece, one.name, rows[start:end])
    return pieces
