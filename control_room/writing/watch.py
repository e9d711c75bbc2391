"""One night under watch: its room, and what is asked about it besides the ledger.

Everything that would be another if the night were another: fold and alerts, clock, plan, canary, platform,
forecasts, kept moments. `writer` owns one and replaces it when the database holds another night.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.exc import SQLAlchemyError

from control_room.alerts.thresholds import Thresholds
from control_room.config import RoomConfig, load_config
from control_room.files import read_json, write_atomic
from control_room.night.builder import NightRoom, new_book
from control_room.night.facts import CanaryFacts, PlatformFacts
from control_room.night.state import MS_PER_MINUTE, NightState
from control_room.night.surroundings import Plan
from control_room.sources.canary import Canary, CanaryWatch
from control_room.sources.clock import NightClock, clock_for
from control_room.sources.forecast_worker import ForecastWorker
from control_room.sources.platform import Platform
from control_room.writing.filling import Missing, fill
from control_room.writing.history import History
from control_room.writing.ledger_reader import DatabaseGoneError, LedgerReader, Question
from control_room.writing.room_folder import ALERTS, HISTORY, WRITER
from core.domain.catalog import Catalog
from core.errors import PrepError
from core.storage.database import parse_url
from core.storage.reading import read_catalog, read_meta
from core.storage.store import OtherElectionError
from simulator.scenario.file import LoadedScenario

LAG_S = 15.0
"""Real seconds that the database of a live rehearsal may be behind its clock and still be on time."""
STEP_BACK_MS = MS_PER_MINUTE
"""A clock that goes back by less than this is only waited for."""
PLAN_WAIT_S = 120.0
"""How long the filling of the history waits for the plan: without it, past moments have no curve of it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """What to watch and where to write.

    `database` is a `--base` URL or the path of a SQLite file; `room` the room's folder; `run_folder` that of
    the run of the simulator, when the night is one; `public` where the public reads, over the configuration;
    `clock` as in `clock_for`.
    """

    database: str
    room: Path
    config: RoomConfig = field(default_factory=load_config)
    run_folder: Path | None = None
    scenario: LoadedScenario | None = None
    public: str | None = None
    clock: str = "auto"
    forecast: bool = True
    """Run the process of the forecasts."""
    fill_history: bool = True
    """Keep the moments from before the first one kept, told again from the ledger."""

    @property
    def scenario_name(self) -> str | None:
        """Name of the scenario, when the night is one."""
        return None if self.scenario is None else self.scenario.scenario.name


class Watch:
    """One night, read up to its present.

    Raises DatabaseGoneError when the database cannot be read; nothing is left running then.
    """

    def __init__(
        self,
        options: WriterOptions,
        reader: LedgerReader,
        thresholds: Thresholds,
        real_ms: Callable[[], int],
    ) -> None:
        self.options = options
        self._reader = reader
        self._real_ms = real_ms
        self._hash = b""
        self._last_ms: int | None = None
        self._kept_seq = -1
        self._judged_ms = 0
        self.catalog, self.mode = self._read_fixed()
        self.room = NightRoom(
            NightState(self.catalog, options.config.plan),
            new_book(self.catalog, thresholds),
            _cut_every_ms(options),
        )
        self.night: str | None = None
        """What tells this night from another one of the same election; None until it opens."""
        self._boot_id: str | None = None
        # The whole ledger before the first snapshot: half a night must not be shown as the night.
        self.catch_up()
        self.clock = self._make_clock()
        # The same rehearsal run again is told by its ledger, which is shorter than the one that was followed.
        followed = (read_json(options.room / ALERTS) or {}).get("seq")
        self._began_again = isinstance(followed, int) and followed > self.room.state.seq
        self._history = self._open_history()
        self._load_alerts()
        self._stop = threading.Event()
        self._plan: Plan | None = None
        self._planning = None if options.scenario is None else Question(self._make_plan)
        self._canary = CanaryWatch(
            Canary(self._public(), reader.database(), self.catalog), self.clock.now_ms
        )  # fmt: skip
        self._platform = Platform(_folders(options), reader.database(), options.config.time_source or None)
        self._forecaster = self._start_forecasts()
        self._filler = self._start_filling()

    # -- the ledger ----------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Everything new into the fold. Raises DatabaseGoneError and OtherLedgerError."""
        state = self.room.state
        more = True
        while more:
            batch = self._reader.poll(state.seq, self._hash, state.heard_ms)
            state.apply_rows(batch.rows)
            for pulse in batch.pulses:
                state.pulse(pulse)
            self._hash, more = batch.hash, batch.more
        if self.night is None and state.opened:
            self.night = self._identity()
            if self._boot_id is not None:
                # Before anything of it is kept: a writer that starts again must know it for the same night.
                self.say_who(self._boot_id)

    def _read_fixed(self) -> tuple[Catalog, str]:
        try:
            with self._reader.database().connect() as connection:
                return read_catalog(connection), read_meta(connection).get("mode", "")
        except SQLAlchemyError as error:
            raise DatabaseGoneError(f"No se pudo leer la base: {getattr(error, 'orig', error)}") from error
        except OtherElectionError as error:
            raise DatabaseGoneError(str(error)) from error

    def _identity(self) -> str:
        text = f"{self.mode}/{self.catalog.fingerprint()}/{self.room.state.starts_ms}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _make_clock(self) -> NightClock:
        state, scenario = self.room.state, self.options.scenario
        start = None if scenario is None else scenario.scenario.calendar.start_ms
        return clock_for(
            self.mode, self.options.run_folder, self._reader.database(),
            last=lambda: state.known_ms or None, kind=self.options.clock, start_ms=start,
        )  # fmt: skip

    def judged_ms(self, clock: Mapping[str, Any]) -> int:
        """The moment of the night to judge, given `reloj` of the snapshot.

        A rehearsal that goes at many times the pace of a night runs ahead of its own database by what a
        transaction or a cut takes the machine: five seconds are five minutes at ×60, and they are nobody's
        silence. It is judged at what the database knows, unless that stands still for LAG_S real seconds.
        """
        now_ms, speed = int(clock["ahora_ms"]), clock["velocidad"]
        if speed is None or clock["estado"] not in ("corriendo", "pausada"):
            judged = now_ms
        else:
            oldest = now_ms - round(LAG_S * 1000 * float(speed))
            judged = min(now_ms, max(self.room.state.known_ms, oldest))
        if now_ms < self._judged_ms - STEP_BACK_MS:
            # The clock itself went back: that of the machine gave way to that of the night, or a run began
            # again. What was timed by the other means nothing in this one. A small correction of the
            # machine's clock is only waited for.
            self._judged_ms = judged
            self.room.book = new_book(self.catalog, self.room.book.thresholds)
        self._judged_ms = max(judged, self._judged_ms)
        return self._judged_ms

    # -- what is around it ---------------------------------------------------------------------

    def plan(self) -> Plan | None:
        """The plan, once it is worked out."""
        if self._planning is not None and self._planning.wait(0):
            try:
                self._plan = self._planning.value()
            except (PrepError, ArithmeticError, LookupError, ValueError):
                # A room without plan is a room; one that does not start is not.
                _log.exception("no se pudo calcular el plan")
            self._planning = None
        return self._plan

    def canary(self) -> CanaryFacts | None:
        """What is public against what is verified, as last looked at."""
        return self._canary.facts()

    def platform(self, age_s: float, *, gone_since_ms: int | None) -> PlatformFacts:
        """The machine and the room; `gone_since_ms` is since when the database does not answer."""
        return self._platform.facts(age_s, database_ok=gone_since_ms is None, database_since_ms=gone_since_ms)

    def look_after_forecasts(self) -> None:
        """See that the process of the forecasts is alive."""
        if self._forecaster is not None:
            self._forecaster.watch()

    def _make_plan(self) -> Plan | None:
        # The plan brings the simulator's numbers, which a night without scenario does not need.
        from control_room.sources.plan_curve import plan_of

        scenario = self.options.scenario
        return None if scenario is None else plan_of(scenario.scenario, self.catalog, self.options.room)

    def _public(self) -> Path | str | None:
        options = self.options
        told = options.public or options.config.public
        if told:
            return told if "://" in told else Path(told)
        return None if options.run_folder is None else options.run_folder / "ultimo"

    def _start_forecasts(self) -> ForecastWorker | None:
        options = self.options
        if not options.forecast:
            return None
        path = None if options.scenario is None else options.scenario.path
        worker = ForecastWorker(options.database, options.room, path, options.run_folder)
        worker.start()
        return worker

    # -- what it leaves ------------------------------------------------------------------------

    def keep(self, now_ms: int, seq: int, packed: bytes) -> None:
        """Keep a snapshot when its minute of the night has none yet; none before the operation opens.

        Once it has closed, also whenever the ledger grew: the last moment must be how the night ended.
        """
        state = self.room.state
        if not state.opened:
            return
        every = self.options.config.history_every_min * MS_PER_MINUTE
        fresh = self._last_ms is None or now_ms // every != self._last_ms // every
        if fresh or (state.closed and state.seq != self._kept_seq):
            self._history.keep(now_ms, seq, packed)
            self._last_ms, self._kept_seq = now_ms, state.seq

    def keep_alerts(self) -> None:
        """Leave the alerts as they are, for after a restart."""
        data = {"noche": self.night, "seq": self.room.state.seq, "libro": self.room.book.dump()}
        write_atomic(self.options.room / ALERTS, orjson.dumps(data))

    def say_who(self, boot_id: str) -> None:
        """Leave who writes, and of which night."""
        self._boot_id = boot_id
        data = {"pid": os.getpid(), "boot_id": boot_id, "noche": self.night, "desde_real_ms": self._real_ms()}
        write_atomic(self.options.room / WRITER, orjson.dumps(data))

    def _load_alerts(self) -> None:
        kept = read_json(self.options.room / ALERTS)
        if kept is None or kept.get("noche") != self.night or self._began_again:
            return
        try:
            if int(kept["libro"]["ahora_ms"]) > self.clock.now_ms() + STEP_BACK_MS:
                # Of a run of this same rehearsal that had got further.
                return
            self.room.book.load(kept["libro"])
        except (KeyError, TypeError, ValueError):
            _log.warning("las alertas guardadas no se pueden leer: se empieza sin ellas")

    def _open_history(self) -> History:
        room = self.options.room
        before = (read_json(room / WRITER) or {}).get("noche")
        other = before is not None and before != self.night
        if (other or self._began_again) and (room / HISTORY).is_dir():
            # The moments of another night are not of this one; nobody asked to delete them.
            (room / HISTORY).rename(room / f"{HISTORY}-{before}-{self._real_ms()}")
        history = History(room / HISTORY)
        moments = history.moments()
        self._last_ms = moments[-1] if moments else None
        return history

    def _start_filling(self) -> threading.Thread | None:
        state, options = self.room.state, self.options
        every = options.config.history_every_min * MS_PER_MINUTE
        if not options.fill_history or not state.opened:
            return None
        kept = frozenset(moment // every for moment in self._history.moments())
        missing = Missing(state.starts_ms, self.clock.now_ms() - every, every, kept)
        if next(missing.moments(), None) is None:
            return None
        thread = threading.Thread(target=self._fill, args=(missing,), name="historia", daemon=True)
        thread.start()
        return thread

    def _fill(self, missing: Missing) -> None:
        planning, plan = self._planning, None
        if planning is not None and planning.wait(PLAN_WAIT_S) and not planning.failed:
            plan = planning.value()
        options = self.options
        fill(
            options.database, options.room / HISTORY, missing, options.config,
            plan=plan, scenario=options.scenario_name, version=program_version(), stop=self._stop,
        )  # fmt: skip

    def wait_filled(self, timeout_s: float) -> bool:
        """Wait until the past moments are kept; False when they are not by then."""
        if self._filler is not None:
            self._filler.join(timeout_s)
        return self._filler is None or not self._filler.is_alive()

    def end_forecasts(self) -> None:
        """No more forecasts of this night."""
        if self._forecaster is not None:
            self._forecaster.close()
            self._forecaster = None

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        self._canary.close()
        self._platform.close()
        self.end_forecasts()
        if self._filler is not None:
            self._filler.join()


@cache
def program_version() -> str:
    """Version of the installed program."""
    try:
        return version("prep")
    except PackageNotFoundError:
        return "0"


def _folders(options: WriterOptions) -> list[Path]:
    """The folders whose disc matters: the room's, that of the database's file and the run's."""
    url = parse_url(options.database)
    folders = [options.room]
    if url.get_backend_name() == "sqlite":
        folders.append(Path(url.database or "").resolve().parent)
    if options.run_folder is not None:
        folders.append(options.run_folder)
    return folders


def _cut_every_ms(options: WriterOptions) -> int | None:
    every = options.config.cut_every_min
    if every is None and options.scenario is not None:
        every = 60 / options.scenario.scenario.calendar.cuts_per_hour
    return None if every is None else round(every * MS_PER_MINUTE)
