"""The state of a live night as the database tells it, now or at any earlier moment.

It reads the ledger only, never the wall clock, and only events recorded up to the moment asked: what was
in a link without transmission was not known, and is not known here. The catalogue is the one the database
keeps. It forecasts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Engine as Database
from sqlalchemy import case, func, select

from core.domain.catalog import Catalog
from core.domain.events import EventKind
from core.errors import UsageError
from core.storage import schema
from core.storage.reading import read_catalog, read_meta, reading
from simulator.scenario.base import MS_PER_HOUR

NOT_YET = -1
RECENT_MS = MS_PER_HOUR
"""Whoever captured in this last while is taken to be capturing now."""

_ARRIVALS = (EventKind.ACTA_RECEIVED.value, EventKind.ACTA_DIGITIZED.value, EventKind.SIN_ACTA_MARKED.value)
_READ = (
    *_ARRIVALS,
    EventKind.ACTA_CAPTURED.value,
    EventKind.ACTA_DISPUTED.value,
    EventKind.ACTA_VERIFIED.value,
    EventKind.RECALL_APPROVED.value,
    EventKind.OUTSIDE_IDENTIFIED.value,
)
_WITH_DATA = (EventKind.ACTA_RECEIVED.value, EventKind.ACTA_DIGITIZED.value)
_FROM_A_PHONE = ('"CASILLA"', '"MOVIL"')

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class NightState:
    """What is known of a night at `now_ms`.

    Times are ms UTC as recorded. `received`, `digitized` and `registered` have one time per acta of the
    catalogue, NOT_YET when it has not happened (registered: verified, or marked sin acta). `captures` are
    the captures of an acta not yet registered and `disputed` says whether they differ. `catd` is the CATD
    of each acta and `heard` the last time each CATD sent anything of its own (photographs do not pass
    through it), NOT_YET if never. `capturistas` is who captured in the last hour.
    """

    catalog: Catalog
    mode: str
    now_ms: int
    starts_ms: int
    ends_ms: int
    last_event_ms: int
    received: Ints
    digitized: Ints
    registered: Ints
    captures: Ints
    disputed: NDArray[np.bool_]
    catd: Ints
    heard: Ints
    capturistas: int

    @property
    def zone(self) -> timezone:
        """The time zone of the entity."""
        return timezone(timedelta(minutes=self.catalog.entidad.utc_offset_minutes))

    @property
    def size(self) -> int:
        """Actas expected."""
        return len(self.catd)

    @property
    def entered(self) -> Ints:
        """When each acta could first be captured, or was registered without it; NOT_YET."""
        times = np.where(self.digitized >= 0, self.digitized, self.registered)
        both = (self.digitized >= 0) & (self.registered >= 0)
        return np.asarray(np.where(both, np.minimum(self.digitized, self.registered), times))

    def counts(self) -> dict[str, int]:
        """How many actas are in each step; they add up to the actas expected."""
        done = self.registered >= 0
        image = ~done & (self.digitized >= 0)
        return {
            "por_llegar": int((~done & (self.digitized < 0) & (self.received < 0)).sum()),
            "acopiadas": int((~done & (self.digitized < 0) & (self.received >= 0)).sum()),
            "digitalizadas": int((image & (self.captures == 0)).sum()),
            "con_una_captura": int((image & (self.captures > 0) & ~self.disputed).sum()),
            "en_disputa": int((image & self.disputed).sum()),
            "registradas": int(done.sum()),
        }


def state_as_of(database: Database, at: int | None = None) -> NightState:
    """The state at `at` (ms UTC), or at the last event recorded when None.

    Raises UsageError when no operation had been opened by then, and OtherElectionError when the database
    has no catalogue.
    """
    table = schema.ledger
    with reading(database) as connection:
        catalog = read_catalog(connection)
        mode = read_meta(connection).get("mode", "")
        last = connection.execute(select(func.max(table.c.recorded_at))).scalar()
        now = int(last or 0) if at is None else at
        opened = connection.execute(
            select(table.c.data)
            .where(table.c.kind == EventKind.OPERATION_OPENED.value, table.c.recorded_at <= now)
            .order_by(table.c.seq)
        ).first()
        if opened is None:
            raise UsageError("La operación no se había abierto en ese momento: no hay qué pronosticar.")
        bounds = orjson.loads(opened[0])
        rows = connection.execution_options(stream_results=True, yield_per=5000).execute(
            select(
                table.c.kind,
                table.c.acta,
                table.c.recorded_at,
                table.c.actor,
                case((table.c.kind.in_(_WITH_DATA), table.c.data), else_=""),
            )
            .where(table.c.kind.in_(_READ), table.c.recorded_at <= now, table.c.acta.is_not(None))
            .order_by(table.c.seq)
        )
        folded = _Fold(catalog, now)
        for kind, acta, recorded, actor, data in rows:
            folded.add(kind, acta, recorded, actor, data)
    return NightState(
        catalog,
        mode,
        now,
        int(bounds["starts_at"]),
        int(bounds["ends_at"]),
        int(last or 0),
        np.array(folded.received, dtype="int64"),
        np.array(folded.digitized, dtype="int64"),
        np.array(folded.registered, dtype="int64"),
        np.array(folded.captures, dtype="int64"),
        np.array(folded.disputed, dtype=bool),
        np.array(folded.catd, dtype="int64"),
        np.array(folded.heard, dtype="int64"),
        len(folded.people),
    )


class _Fold:
    """The events, one after another, into one row per acta."""

    def __init__(self, catalog: Catalog, now: int) -> None:
        size = len(catalog.actas)
        self.received = [NOT_YET] * size
        self.digitized = [NOT_YET] * size
        self.registered = [NOT_YET] * size
        self.captures = [0] * size
        self.disputed = [False] * size
        self.catd = [catalog.casillas[entry.casilla].catd for entry in catalog.actas]
        self.heard = [NOT_YET] * len(catalog.catds)
        self.people: set[str] = set()
        self._recent = now - RECENT_MS

    def add(self, kind: str, acta: int, at: int, actor: str, data: str) -> None:
        """One event, in order."""
        if kind in _ARRIVALS and not any(mark in data for mark in _FROM_A_PHONE):
            self.heard[self.catd[acta]] = at
        if kind == EventKind.ACTA_CAPTURED:
            self.captures[acta] += 1
            if at > self._recent:
                self.people.add(actor)
        elif kind == EventKind.ACTA_RECEIVED:
            if self.received[acta] < 0:
                self.received[acta] = at
        elif kind in (EventKind.ACTA_DIGITIZED, EventKind.OUTSIDE_IDENTIFIED):
            if self.received[acta] < 0:
                self.received[acta] = at
            if self.digitized[acta] < 0:
                self.digitized[acta] = at
        elif kind == EventKind.ACTA_DISPUTED:
            self.disputed[acta] = True
        elif kind == EventKind.RECALL_APPROVED:
            # It goes back to be captured from the beginning.
            self.registered[acta], self.captures[acta], self.disputed[acta] = NOT_YET, 0, False
        elif self.registered[acta] < 0:
            self.registered[acta] = at


def offset_of(database: Database) -> int:
    """Minutes from UTC of the entity of the database's catalogue."""
    with reading(database) as connection:
        return read_catalog(connection).entidad.utc_offset_minutes
