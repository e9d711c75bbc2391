"""What time it is in the night: by the wall, by the run that plays it, or by what was recorded last.

An official night goes by the machine's clock; a rehearsal that runs live, by the clock of its run, which
may be faster or paused; a night that is over, by its last event. `clock_for` says which. Whether that time
is right is for `platform` to watch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine as Database
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from core.errors import PrepError
from core.storage import schema
from core.storage.reading import read_catalog
from simulator.live.control import CONTROL, SUMMARY, ControlClient

ASK_EVERY_S = 1.0
"""The run is asked at most this often; in between its speed is enough."""
WAIT_S = 0.25
"""How long a turn of the room waits for the answer; a later one is taken when it comes."""
SILENT_S = 10.0
"""An answer older than this says nothing of now."""
NEAR_MS = 12 * 3_600_000
"""A rehearsal whose data is nearer than this to the machine's time is taken to go by it."""

Milliseconds = Callable[[], "int | None"]


class NightClock(Protocol):
    """What time it is in the night, and how it goes."""

    def now_ms(self) -> int:
        """The moment of the night, ms UTC."""
        ...

    def as_data(self) -> dict[str, Any]:
        """`reloj` of the snapshot: `ahora_ms`, `velocidad`, `estado` and `utc_min`."""
        ...


@dataclass(frozen=True)
class WallClock:
    """The machine's own clock."""

    utc_min: int
    wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def now_ms(self) -> int:
        """The machine's time."""
        return self.wall_ms()

    def as_data(self) -> dict[str, Any]:
        """Always `real`, at speed 1."""
        return _data(self.now_ms(), 1.0, "real", self.utc_min)


@dataclass(frozen=True)
class DataClock:
    """The time of the last thing recorded: `last` gives it, None when there is nothing yet."""

    last: Milliseconds
    utc_min: int
    ended: bool = False
    wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def now_ms(self) -> int:
        """The last moment recorded; the machine's while there is none."""
        last = self.last()
        return self.wall_ms() if last is None else last

    def as_data(self) -> dict[str, Any]:
        """It stands still: no speed."""
        return _data(self.now_ms(), None, "terminada" if self.ended else "datos", self.utc_min)


class LiveClock:
    """The clock of the live run of a folder, and that of the data when no run answers.

    The run is asked by another thread: one that hangs does not hold the room. Time never goes back while
    one run goes on.
    """

    def __init__(
        self,
        folder: Path,
        data: DataClock,
        *,
        ask: Callable[[], dict[str, Any]] | None = None,
        wait_s: float = WAIT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._data = data
        self._ask = ask or ControlClient(folder).state
        self._monotonic = monotonic
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._asking = False
        self._asked = float("-inf")
        self._state: dict[str, Any] | None = None
        self._at = float("-inf")
        self._shown = 0

    def now_ms(self) -> int:
        """The time of the run as its last answer and its speed have it."""
        return self._now()[0]

    def as_data(self) -> dict[str, Any]:
        """`corriendo` or `pausada` with the run's speed; `terminada` or `datos` when there is none."""
        now, speed, state = self._now()
        return _data(now, speed, state, self._data.utc_min)

    def live(self) -> dict[str, Any] | None:
        """The last answer of the run (`prep control estado`), None when it does not answer."""
        self._refresh()
        with self._lock:
            return None if self._state is None or not self._fresh() else dict(self._state)

    def _now(self) -> tuple[int, float | None, str]:
        self._refresh()
        with self._lock:
            state, at = self._state, self._at
            fresh = self._fresh()
        if state is None or not fresh or "utc_ms" not in state:
            ended = state is not None and state.get("estado") == "terminada"
            ended = ended or (not (self._folder / CONTROL).exists() and (self._folder / SUMMARY).exists())
            return self._shown_not_before(self._data.now_ms()), None, "terminada" if ended else "datos"
        speed = float(state["velocidad"])
        told = int(state["utc_ms"])
        name = str(state["estado"])
        if name != "corriendo":
            # Catching up with what was recorded is not a speed anybody chose.
            self._shown = told
            return told, speed if name == "pausada" else None, "pausada" if name == "pausada" else "corriendo"
        gone = round((self._monotonic() - at) * 1000 * speed)
        end = told - int(state["virtual_ms"]) + round(float(state["duracion_min"]) * 60_000)
        now = min(told + gone, end)
        # Between answers the guess may run a little ahead; a run begun again is really earlier.
        if 0 < self._shown - now <= 3000 * max(1.0, speed):
            now = self._shown
        self._shown = now
        return now, speed, "corriendo"

    def _shown_not_before(self, data_ms: int) -> int:
        # The run died or ended between two records: its last known time is not taken back.
        if 0 < self._shown - data_ms <= NEAR_MS:
            return self._shown
        return data_ms

    def _fresh(self) -> bool:
        return self._monotonic() - self._at <= SILENT_S

    def _refresh(self) -> None:
        with self._lock:
            if self._asking or self._monotonic() - self._asked < ASK_EVERY_S:
                return
            self._asking, self._asked = True, self._monotonic()
        thread = threading.Thread(target=self._question, name="reloj", daemon=True)
        thread.start()
        thread.join(self._wait_s)

    def _question(self) -> None:
        answer: dict[str, Any] | None = None
        with suppress(PrepError, OSError, ValueError):
            answer = self._ask()
        with self._lock:
            self._asking = False
            self._state, self._at = answer, self._monotonic()


def clock_for(
    mode: str,
    run_folder: Path | None,
    database: Database,
    *,
    last: Milliseconds | None = None,
    kind: str = "auto",
    start_ms: int | None = None,
) -> NightClock:
    """The clock of a night. `kind` is `real`, `vivo`, `datos` or `auto`.

    By itself: official nights go by the machine; a rehearsal with a run folder, by its run (and by the data
    while none answers); another rehearsal, by the machine when its data is of these hours and by the data
    when it is of another day. `last` gives the last moment recorded, for who already knows it; otherwise
    the database is asked, at most once a second. `start_ms` is when a rehearsal begins by its scenario: the
    time while nothing is recorded and no run answers, which may be years from the machine's.
    """
    with database.connect() as connection:
        utc_min = read_catalog(connection).entidad.utc_offset_minutes
    last = last or LastRecorded(database)
    data = DataClock(last, utc_min)
    if start_ms is not None:
        data = DataClock(last, utc_min, wall_ms=lambda: start_ms)
    if kind == "real" or (kind == "auto" and mode == "oficial"):
        return WallClock(utc_min)
    if run_folder is not None and (kind == "vivo" or (kind == "auto" and _of_a_run(run_folder))):
        return LiveClock(run_folder, data)
    if kind == "auto":
        at = last()
        if at is not None and abs(WallClock(utc_min).now_ms() - at) <= NEAR_MS:
            return WallClock(utc_min)
    return data


class LastRecorded:
    """The last moment recorded in a database, asked at most once a second; the last known while it fails."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._asked = float("-inf")
        self._last: int | None = None

    def __call__(self) -> int | None:
        if self._monotonic() - self._asked >= ASK_EVERY_S:
            self._asked = self._monotonic()
            # By the key and not the greatest of a column without index: the ledger is long.
            newest = select(func.max(schema.ledger.c.seq)).scalar_subquery()
            with suppress(SQLAlchemyError), self._database.connect() as connection:
                found = connection.execute(
                    select(schema.ledger.c.recorded_at).where(schema.ledger.c.seq == newest)
                ).scalar()
                self._last = None if found is None else int(found)
        return self._last


def _of_a_run(folder: Path) -> bool:
    """Was this folder made by `prep simular`?"""
    return any((folder / name).exists() for name in (CONTROL, SUMMARY, ".prep-salida.json"))


def _data(now: int, speed: float | None, state: str, utc_min: int) -> dict[str, Any]:
    return {"ahora_ms": now, "velocidad": speed, "estado": state, "utc_min": utc_min}
