"""The writer of the room: the one process that watches the database and writes what every page shows.

Each tick it reads what is new, goes one step on and puts `sala.json` and `sala.json.gz` in their place
whole. It goes on, and says so, while the database does not answer; after a restart it takes up the alerts
where they were. Only one writes in a room's folder. It never writes election data.
"""

from __future__ import annotations

import logging
import secrets
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from control_room.alerts.thresholds import read as read_thresholds
from control_room.night.snapshot import Frame
from control_room.night.surroundings import Surroundings
from control_room.room_db import log_alerts, open_room
from control_room.sources.forecast_worker import read_forecast
from control_room.sources.probe import probe_for
from control_room.sources.publisher_file import publisher_age_s, read_publisher
from control_room.writing.ledger_reader import DatabaseGoneError, LedgerReader, OtherLedgerError
from control_room.writing.replaying import replay
from control_room.writing.room_folder import SNAPSHOT, hold_room, put_snapshot, say_again
from control_room.writing.watch import Watch, WriterOptions, program_version

__all__ = ["Writer", "WriterOptions", "replay", "run_writer"]

_log = logging.getLogger(__name__)


def machine_ms() -> int:
    """The machine's clock, ms UTC."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class _Gone:
    """The database does not answer: what it said, and since when by the machine and by the night."""

    error: str
    since_real_ms: int
    since_ms: int


class Writer:
    """One writer, for one thread. `tick` is one turn; `close` lets the folder go.

    Raises UsageError when another process writes in the folder, InputError when a table of the configuration
    is wrong, and DatabaseGoneError when the database cannot be read at the start.
    """

    def __init__(self, options: WriterOptions, *, real_ms: Callable[[], int] = machine_ms) -> None:
        self.options = options
        self._real_ms = real_ms
        self._thresholds = read_thresholds(options.config.alerts, str(options.config.path))
        self._lock = hold_room(options.room)
        try:
            self._reader = LedgerReader(options.database, options.config.database_wait_s)
            self._probe = probe_for(options.config.portal_url)
            self._log_database = open_room(options.room)
            self.watch = self._new_watch()
        except BaseException:
            self._lock.close()
            raise

    def _new_watch(self) -> Watch:
        """Begin to watch the night the database holds."""
        watch = Watch(self.options, self._reader, self._thresholds, self._real_ms)
        self.boot_id = secrets.token_hex(8)
        self.seq = 0
        self._gone: _Gone | None = None
        self._other_night = False
        self._wrote_real_ms: int | None = None
        watch.say_who(self.boot_id)
        return watch

    # -- one turn ------------------------------------------------------------------------------

    def tick(self) -> dict[str, Any]:
        """One turn: read, fold, step, write. Returns the snapshot it wrote."""
        self._read()
        watch, real_ms = self.watch, self._real_ms()
        clock = watch.clock.as_data()
        now_ms = watch.judged_ms(clock)
        if self._gone is not None and self._gone.since_ms < 0:
            self._gone.since_ms = now_ms
        self.seq += 1
        step = watch.room.step(now_ms, self._around(real_ms), self._frame(clock, real_ms))
        packed = put_snapshot(self.options.room, step.snapshot)
        self._wrote_real_ms = real_ms
        if self._gone is None:
            watch.keep(int(clock["ahora_ms"]), self.seq, packed)
        watch.keep_alerts()
        self._log_transitions(step.transitions, real_ms)
        return step.snapshot

    def _read(self) -> None:
        try:
            if self._other_night:
                before = self.watch
                # Its forecasts are of the night that went away: none may be told of the one that came.
                before.end_forecasts()
                self.watch = self._new_watch()
                before.close()
            else:
                self.watch.catch_up()
        except DatabaseGoneError as error:
            self._lost(str(error))
        except OtherLedgerError:
            # Nothing of the night that went away may stay on the screen as that of now.
            self._other_night = True
            self._lost("la base tiene ahora otra noche; se está leyendo")
        else:
            self._gone = None

    def _lost(self, error: str) -> None:
        if self._gone is None:
            _log.warning("se perdió la base: %s", error)
            self._gone = _Gone(error, self._real_ms(), -1)
        self._gone.error = error

    def _frame(self, clock: Mapping[str, Any], real_ms: int) -> Frame:
        config, gone = self.options.config, self._gone
        return Frame(
            seq=self.seq,
            boot_id=self.boot_id,
            generated_real_ms=real_ms,
            tick_s=config.tick_s,
            stale_s=config.stale_s,
            version=program_version(),
            mode=self.watch.mode,
            title=config.title,
            scenario=self.options.scenario_name,
            clock=clock,
            base_ok=gone is None,
            base_error=None if gone is None else gone.error,
            base_since_real_ms=None if gone is None else gone.since_real_ms,
        )

    def _around(self, real_ms: int) -> Surroundings:
        watch, gone = self.watch, self._gone
        age_s = 0.0 if self._wrote_real_ms is None else max(0, real_ms - self._wrote_real_ms) / 1000
        watch.look_after_forecasts()
        return Surroundings(
            plan=watch.plan(),
            forecast=read_forecast(self.options.room),
            canary=watch.canary(),
            portal=None if self._probe is None else self._probe.facts(),
            platform=watch.platform(age_s, gone_since_ms=None if gone is None else gone.since_ms),
            publisher=read_publisher(self.options.run_folder),
            publisher_age_s=publisher_age_s(self.options.run_folder, real_ms),
        )

    def _log_transitions(self, transitions: Sequence[Mapping[str, Any]], real_ms: int) -> None:
        if not transitions:
            return
        try:
            log_alerts(self._log_database, [{**one, "ms_real": real_ms} for one in transitions])
        except SQLAlchemyError:
            _log.exception("no se pudo anotar en la bitácora de alertas")

    def close(self) -> None:
        """Stop watching and let the room's folder go."""
        self.watch.close()
        if self._probe is not None:
            self._probe.close()
        self._reader.close()
        self._log_database.dispose()
        self._lock.close()


def run_writer(options: WriterOptions, stop: threading.Event | None = None) -> None:
    """Write a snapshot every `tick_s` until SIGTERM, Ctrl-C or `stop`.

    Raises as `Writer`; but where a writer was before, a database that does not answer is waited for, and the
    last snapshot says so meanwhile.
    """
    stop = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    writer = _first_writer(options, stop)
    if writer is None:
        return
    try:
        due = time.monotonic()
        while not stop.is_set():
            writer.tick()
            due = max(due + options.config.tick_s, time.monotonic())
            stop.wait(max(0.0, due - time.monotonic()))
    finally:
        writer.close()


def _first_writer(options: WriterOptions, stop: threading.Event) -> Writer | None:
    boot_id, since = secrets.token_hex(8), machine_ms()
    while not stop.is_set():
        try:
            return Writer(options)
        except DatabaseGoneError as error:
            if not (options.room / SNAPSHOT).is_file():
                raise
            with hold_room(options.room):
                say_again(options.room, boot_id, str(error), since, machine_ms())
        stop.wait(options.config.tick_s)
    return None
