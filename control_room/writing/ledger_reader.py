"""Reads what is new in a database without ever holding whoever asks.

The question goes in a thread of its own and is waited for a little; a database that does not answer leaves
the room with what it had, and said so. It folds nothing.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from sqlalchemy import Connection, inspect
from sqlalchemy import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from control_room.night.state import CHUNK, Row, read_rows
from core.errors import PrepError
from core.operations.pulses import Pulse, pulses_after
from core.storage.database import connect, parse_url
from core.storage.reading import read_catalog, read_meta, reading

MOST_CHUNKS = 5
"""Chunks of the ledger read in one question: bounds the memory of the first reading."""
ABANDON_S = 30.0
"""A question not answered in this long is given up and asked again over another connection."""
PULSE_BACK_MS = 2 * 60_000
"""Heartbeats are read again from this much earlier: those of one instant may be stored in two times."""

T = TypeVar("T")


class DatabaseGoneError(PrepError):
    """The database does not answer, or is not there."""


class OtherLedgerError(PrepError):
    """What was read before is not in the database any more: it is another night."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What was new. `more` says that the ledger goes on; `hash` is that of the last row."""

    rows: list[Row]
    pulses: Sequence[Pulse]
    hash: bytes
    more: bool


class Question(Generic[T]):
    """One job in a daemon thread: it may never end, and then nobody waits for it."""

    def __init__(self, job: Callable[[], T]) -> None:
        self._job = job
        self._done = threading.Event()
        self._value: list[T] = []
        self._error: Exception | None = None
        self.asked = time.monotonic()
        threading.Thread(target=self._run, name="base", daemon=True).start()

    def _run(self) -> None:
        try:
            self._value.append(self._job())
        except Exception as error:  # noqa: BLE001 - it is raised again to whoever asked
            self._error = error
        self._done.set()

    def wait(self, seconds: float) -> bool:
        """True once it has ended."""
        return self._done.wait(seconds)

    @property
    def failed(self) -> bool:
        """True when it ended with an error."""
        return self._error is not None

    def value(self) -> T:
        """What the job returned; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._value[0]


class LedgerReader:
    """What is new in one database. Every fault is DatabaseGoneError or OtherLedgerError."""

    def __init__(self, url: str, wait_s: float) -> None:
        self.url = url
        self._wait_s = wait_s
        parsed = parse_url(url)
        self._file = Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None
        self._file_id: tuple[int, int] | None = None
        self._database: Database | None = None
        self._question: Question[Batch] | None = None
        self._has_pulses = False

    def poll(self, after: int, seen: bytes, pulses_from: int) -> Batch:
        """Everything after a sequence whose row had the hash `seen` (empty: it was not read before).

        Waits at most the time given at the start; a slow answer is had by a later call.
        """
        if self._question is None:
            self._question = Question(lambda: self._read(after, seen, pulses_from))
        question = self._question
        if not question.wait(self._wait_s):
            gone = time.monotonic() - question.asked
            if gone > ABANDON_S:
                # A connection whose other end vanished without a word would hold it for hours.
                self._question = self._database = None
            raise DatabaseGoneError(f"la base no contesta desde hace {gone:.0f} s")
        self._question = None
        try:
            return question.value()
        except (SQLAlchemyError, OSError) as error:
            self._forget()
            raise DatabaseGoneError(_reason(error)) from error

    def database(self) -> Database:
        """The connection pool in use, opened when there is none. Raises DatabaseGoneError."""
        self._check_file()
        if self._database is None:
            self._database = connect(self.url)
        return self._database

    def close(self) -> None:
        """Give the connections back."""
        self._forget()

    def _forget(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with contextlib.suppress(SQLAlchemyError):
                database.dispose()

    def _check_file(self) -> None:
        """A SQLite file that is gone must not be made again, and one put in its place is another database."""
        if self._file is None:
            return
        try:
            found = self._file.stat()
        except OSError as error:
            self._forget()
            self._file_id = None
            raise DatabaseGoneError(f"no está el archivo «{self._file}»") from error
        identity = (found.st_dev, found.st_ino)
        if identity != self._file_id:
            self._forget()
            self._file_id = identity
            self._has_pulses = False

    def _read(self, after: int, seen: bytes, pulses_from: int) -> Batch:
        with reading(self.database()) as connection:
            if seen and self._hash(connection, after) != seen:
                raise OtherLedgerError("La base tiene ahora otra noche.")
            rows: list[Row] = []
            high, more = after, True
            for _ in range(MOST_CHUNKS):
                some = read_rows(connection, high)
                rows += some
                if len(some) < CHUNK:
                    more = False
                    break
                high = some[-1][0]
            last = self._hash(connection, rows[-1][0]) if rows else seen
            return Batch(rows, self._pulses(connection, pulses_from), last, more)

    def _hash(self, connection: Connection, seq: int) -> bytes:
        found = connection.exec_driver_sql(f"SELECT hash FROM ledger WHERE seq = {int(seq)}").scalar()
        return bytes(found) if found is not None else b""

    def _pulses(self, connection: Connection, since: int) -> list[Pulse]:
        # A database of an earlier version has no table of heartbeats.
        if not self._has_pulses:
            self._has_pulses = inspect(connection).has_table("pulse")
        return list(pulses_after(connection, since - PULSE_BACK_MS)) if self._has_pulses else []


def _reason(error: Exception) -> str:
    """The first line of what the database said, without the query."""
    origin = getattr(error, "orig", None) or error
    lines = str(origin).strip().splitlines()
    return lines[0][:200] if lines else type(origin).__name__


__all__ = [
    "Batch", "DatabaseGoneError", "LedgerReader", "OtherLedgerError", "Question", "read_catalog", "read_meta",
]  # fmt: skip
