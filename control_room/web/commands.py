"""The room's orders to the engine: one writer in front of one engine, on the database the night uses.

It stamps each command with the night's clock, gives it a key that begins `sala-`, and sends it; the same
key from the same person is the same command with the same stamp, so that a browser may repeat itself.
What a command means the engine decides; who may give it, `actions`.
"""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import NamedTuple

from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from control_room.night.state import ROOM_STATION
from control_room.room_db import orders
from core.domain.catalog import Catalog
from core.domain.commands import AnyCommand
from core.domain.events import EventKind, decode_data
from core.domain.refusals import REFUSAL_TEXTS
from core.engine import Answer, Engine
from core.errors import PrepError
from core.storage import schema
from core.storage.database import open_existing
from core.storage.store import Store
from core.writer import GroupWriter

STATION = ROOM_STATION
PREFIX = "sala-"
TRIES = 3
"""Times a command is given to a database that is busy."""
PAUSE_S = 0.25
ANSWER_S = 8.0
"""Longest a browser waits for its answer, all tries included."""
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""For keys people read aloud: no O for 0, no I or L for 1."""


class RefusedError(PrepError):
    """The engine said no; answered with 409 and its text."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)

    def as_data(self) -> dict[str, object]:
        """Adds the stable code of the refusal."""
        return {"mensaje": str(self), "codigo": self.code}


class NotWrittenError(PrepError):
    """The database did not answer in time; answered with 503. The same key may be sent again."""

    def __init__(self) -> None:
        super().__init__(
            "La base de datos no contestó a tiempo y no se sabe si la orden quedó asentada. "
            "Vuelva a intentarlo: no se hará dos veces."
        )


class Stamp(NamedTuple):
    """What the server puts on a command: its key and when it happened (ms UTC of the night)."""

    key: str
    at: int

    def name(self, prefix: str) -> str:
        """A short key for something this command creates, the same every time for the same command."""
        number = int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:5], "big")
        letters = []
        for _ in range(6):
            number, rest = divmod(number, len(_ALPHABET))
            letters.append(_ALPHABET[rest])
        return f"{prefix}-{''.join(letters)}"


class Proposal(NamedTuple):
    """A measure somebody proposed: who, which, and for which CATDs."""

    by: str
    measure: str
    catds: tuple[int, ...]


def find_proposal(database: Database, activation: str) -> Proposal | None:
    """The proposal of an activation, from the ledger; None when there is none."""
    kind = EventKind.MEASURE_PROPOSED
    ledger = schema.ledger.c
    query = select(ledger.actor, ledger.data).where(ledger.acta.is_(None), ledger.kind == kind.value)
    with database.connect() as connection:
        for actor, raw in connection.execute(query):
            data = decode_data(kind, raw)
            if data["activation"] == activation:
                return Proposal(str(actor), str(data["measure"]), tuple(data["catds"]))
    return None


class CommandDesk:
    """Sends commands and waits for their answers. The engine is opened with the first one, or by `warm`."""

    def __init__(
        self, base: str, catalog: Catalog, mode: str, now_ms: Callable[[], int], room: Database
    ) -> None:
        self._base = base
        self._catalog = catalog
        self._mode = mode
        self._now_ms = now_ms
        self._room = room
        self._lock = threading.Lock()
        self._writer: GroupWriter | None = None
        self._store: Store | None = None
        self._opening: Future[GroupWriter] | None = None
        self._closed = False

    def warm(self) -> None:
        """Open the engine in another thread: it reads the ledger, and no order should wait for that."""
        self._begin()

    def stamp(self, user: str, given: str | None) -> Stamp:
        """Key and time of a command. `given` is the browser's own key: repeated, it keeps its first time."""
        if given is None:
            return Stamp(f"{PREFIX}{uuid.uuid4()}", self._now_ms())
        # The person is in it, so that nobody's key stands in the way of another's.
        digest = hashlib.sha256(f"{user}\0{given}".encode()).digest()
        key = f"{PREFIX}{uuid.UUID(bytes=digest[:16], version=4)}"
        row = {"clave": key, "usuario": user, "ms": self._now_ms()}
        with self._room.begin() as connection:
            connection.execute(insert(orders).values(row).on_conflict_do_nothing())
            at = connection.execute(select(orders.c.ms).where(orders.c.clave == key)).scalar_one()
        return Stamp(key, int(at))

    def send(self, command: AnyCommand) -> Answer:
        """The engine's yes. Raises RefusedError with its no, NotWrittenError without an answer in time."""
        until = time.monotonic() + ANSWER_S
        for attempt in range(TRIES):
            try:
                future = self._begin().result(max(0.1, until - time.monotonic())).submit(command)
            except (DBAPIError, RuntimeError, FutureTimeoutError) as error:
                raise NotWrittenError from error
            try:
                answer = future.result(max(0.1, until - time.monotonic()))
            except (FutureTimeoutError, CancelledError) as error:
                future.cancel()
                raise NotWrittenError from error
            except DBAPIError as error:
                if attempt == TRIES - 1 or time.monotonic() + PAUSE_S > until:
                    raise NotWrittenError from error
                time.sleep(PAUSE_S)
                continue
            if answer.refusal is not None:
                text = REFUSAL_TEXTS[answer.refusal]
                raise RefusedError(answer.refusal.value, f"{text} {answer.detail}".strip())
            return answer
        raise NotWrittenError

    def close(self) -> None:
        """Finish what was accepted; nothing more is."""
        with self._lock:
            self._closed = True
            writer, store, self._writer = self._writer, self._store, None
        if writer is not None:
            writer.close()
        if store is not None:
            store.close()
            store.database.dispose()

    def _begin(self) -> Future[GroupWriter]:
        """The engine, open or being opened by one thread: whoever wants it waits no longer than he wishes."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the desk is closed")
            opening = self._opening
            if opening is None or (opening.done() and opening.exception() is not None):
                opening = self._opening = Future()
                threading.Thread(target=self._open, args=(opening,), name="ventanilla", daemon=True).start()
            return opening

    def _open(self, opening: Future[GroupWriter]) -> None:
        store: Store | None = None
        try:
            store = Store(open_existing(self._base))
            engine = Engine(store, self._catalog, self._mode)
            with self._lock:
                if self._closed:
                    raise RuntimeError("the desk is closed")
                self._store, self._writer = store, GroupWriter(engine, self._now_ms)
                writer = self._writer
        except Exception as error:  # noqa: BLE001 - whoever waits for the engine raises it
            if store is not None:
                store.close()
                store.database.dispose()
            opening.set_exception(error)
            return
        opening.set_result(writer)
