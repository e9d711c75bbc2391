"""A night that runs live: the clock, the thread that writes, the channel, and the orders it takes.

It joins the pieces: an order that changes something is checked, written to the record of instructions
with its virtual ms, and only then applied in the model's own thread. What an instruction does is
`instructions`; how the clock waits, `environment`.
"""

from __future__ import annotations

import gc
import math
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import Engine as Database

from core.domain.commands import AnyCommand
from core.errors import InputError, UsageError
from simulator.live.control import ControlServer, Order
from simulator.live.environment import Lateness, LiveEnvironment, plan
from simulator.live.instructions import (
    InstructionLog,
    Source,
    apply_document,
    check_fragment,
    read_fragment,
    refuse_idle,
)
from simulator.live.office import Office
from simulator.live.writer import OrderedWriter
from simulator.night.publication_faults import spoiling_of
from simulator.night.restart import Recorded
from simulator.night.run import rehearsal_of
from simulator.scenario.base import MS_PER_MINUTE

if TYPE_CHECKING:
    from core.operations.pulses import Pulse
    from core.publication.cut import CutReport
    from simulator.night.run import Night

ORDERS = ("estado", "pausa", "reanudar", "velocidad", "inyectar")
SWITCH_S = 0.0005
"""How often the threads take turns while live: the default is as long as an injection may take."""
COLLECT = (5_000, 20, 10_000)
"""Thresholds of the cycle collector while live."""
PULSES_S = 0.2
"""How often, at most, pulses go behind the commands that are waiting, in real time."""
WAIT_S = 30.0
"""How long an order waits for the model."""


@dataclass
class LiveNight:
    """The live side of one run, at `speed` virtual seconds per real second. Used once."""

    speed: float
    folder: Path
    log: InstructionLog
    done: Recorded
    lock: IO[bytes] | None = None
    """The open file that holds the folder of the run."""
    forward_min: int = 0
    """Minute of the night up to which nothing waits for the clock, when the database has no later one."""
    destinations: Sequence[str] = ()
    """Addresses the cuts are taken to (`core.destinations`)."""
    shown: list[dict[str, Any]] = field(default_factory=list)
    """How each destination was left, once the night ended."""
    env: LiveEnvironment = field(init=False)
    cuts: Lateness = field(default_factory=Lateness)
    """How long each cut took, ms."""
    _night: Night | None = None
    _pulses: list[list[Pulse]] = field(default_factory=list)
    _pulses_written: float = 0.0
    _pulses_lock: threading.Lock = field(default_factory=threading.Lock)
    _office: Office | None = None
    _writer: OrderedWriter | None = None
    _server: ControlServer | None = None
    _before: float = field(default_factory=sys.getswitchinterval)
    _collects: tuple[int, int, int] = field(default_factory=gc.get_threshold)

    def __post_init__(self) -> None:
        self.env = LiveEnvironment(self.speed)

    def caught_up(self, start_ms: int) -> None:
        """The model has said all that the database has: from there, or `forward_min`, the clock paces."""
        self.env.pace_from(max(0, self.done.until_ms - start_ms, self._forward_ms))

    @property
    def _forward_ms(self) -> int:
        return self.forward_min * MS_PER_MINUTE

    def begin(self, night: Night, database: Database, cuts: Path | None) -> None:
        """Start what writes to the database, and what publishes into `cuts`, and answer orders."""
        self._night = night
        scenario, images = night.loaded.scenario, night.model.images
        self._office = office = Office(
            database, cuts, scenario.mode, self.lock, destinations=self.destinations,
            images=None if images is None else images.fraction, spoiling=spoiling_of(scenario, night.seed),
            rehearsal=rehearsal_of(night.loaded, night.seed),
        )  # fmt: skip

        def execute(commands: list[AnyCommand], times: list[int]) -> None:
            night.feed.take(office.execute(commands, times))
            self._pulses_after()

        sys.setswitchinterval(SWITCH_S)
        # What was made before the night stays until its end: the collector need not look at it again, and
        # it works in small steps so that no event waits for a large one.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT)
        self._writer = night.feed.writer = OrderedWriter(execute, self.env.fail)
        if self._forward_ms:
            # A model that does not wait goes far ahead of the database: the clock begins when both agree.
            plan(self.env, self._forward_ms, self._writer.drain)
        self._server = ControlServer(self.folder, self.handle)

    def end(self, *, interrupted: bool) -> None:
        """Stop answering and writing; interrupted, what waits for the database is left for a restart."""
        self.env.end()
        if self._server is not None:
            self._server.close()
        if self._writer is not None:
            self._writer.close(discard=interrupted)
        if self._office is not None:
            try:
                if not interrupted:
                    self._write_pulses()
                    if self.destinations:
                        from simulator.night.showing import wait_for

                        self.shown = wait_for(self._office.drain)
            finally:
                self._office.close()
        gc.set_threshold(*self._collects)
        gc.unfreeze()
        sys.setswitchinterval(self._before)

    def publish(self, at: int, stopped: str, next_ms: int | None) -> CutReport:
        """Have a cut published. Only from what is given to the feed to do in order."""
        assert self._office is not None
        before = perf_counter()
        report = self._office.cut(at, stopped=stopped, next_ms=next_ms)
        if not stopped:
            self.cuts.note((perf_counter() - before) * 1000)
        self._pulses_after()
        return report

    def put_pulses(self, pulses: list[Pulse]) -> None:
        """Take the pulses of a minute; the thread that writes has them recorded, several minutes at once.

        They go behind the commands that are waiting: a job of their own among them would make batches
        smaller, and the database later.
        """
        assert self._writer is not None
        with self._pulses_lock:
            self._pulses.append(pulses)
        if not self._writer.waiting:
            self._writer.call(self._write_pulses)

    def _pulses_after(self) -> None:
        """Behind something that was written: when nothing else waits, or they have waited enough."""
        assert self._writer is not None
        if not self._writer.waiting or perf_counter() - self._pulses_written >= PULSES_S:
            self._write_pulses()

    def _write_pulses(self) -> None:
        assert self._office is not None
        with self._pulses_lock:
            # What the model adds from here on goes the next time.
            minutes, self._pulses = self._pulses, []
        if minutes:
            self._office.pulses([pulse for minute in minutes for pulse in minute])
            self._pulses_written = perf_counter()

    def as_data(self) -> dict[str, Any]:
        """For the summary: speed and lags, in real ms."""
        assert self._writer is not None
        return {
            "velocidad": self.speed,
            "velocidad_final": self.env.speed,
            "adelantar_min": self.forward_min,
            "retraso": self.env.lag.as_data(),
            "inyeccion": self.env.injection.as_data(),
            "base": self._writer.delay.as_data(),
            "cortes": self.cuts.as_data(),
            "instrucciones": len(self.log.recorded) + self.env.injection.as_data()["medidas"],
        }

    def detail(self) -> str:
        """For the progress line."""
        paused = ", en pausa" if self.env.paused else ""
        return f"×{self.env.speed:g}{paused}, retraso {self.env.lag.last:.0f} ms"

    # -- orders --------------------------------------------------------------------------------

    def handle(self, order: Order) -> dict[str, Any]:
        """Answer an order of the channel. Raises PrepError when it cannot be done."""
        name = order.get("orden")
        if name == "pausa":
            self.env.pause()
        elif name == "reanudar":
            self.env.resume()
        elif name == "velocidad":
            self.env.set_speed(_number(order.get("velocidad")))
        elif name == "inyectar":
            return self._inject(order)
        elif name != "estado":
            raise UsageError(f"No existe la orden «{name}»; se esperaba una de {', '.join(ORDERS)}.")
        return self.state()

    def state(self) -> dict[str, Any]:
        """Where the night goes."""
        night, writer = self._night, self._writer
        assert night is not None and writer is not None
        model, env = night.model, self.env
        now = min(env.virtual_ms, model.length_ms)
        state = "pausada" if env.paused else "corriendo"
        return {
            "estado": state if env.paced else "poniendose_al_corriente",
            "escenario": night.loaded.scenario.name,
            "semilla": night.seed,
            "virtual_ms": now,
            "minuto": round(now / MS_PER_MINUTE, 2),
            "utc_ms": model.start_ms + now,
            "duracion_min": model.length_ms // MS_PER_MINUTE,
            "velocidad": env.speed,
            "retraso_ms": round(env.lag.last, 3),
            "retraso_maximo_ms": round(env.lag.most, 3),
            "registradas": model.registered,
            "esperadas": len(night.catalog.actas),
            "por_capturar": night.capture.backlog,
            "en_enlaces": model.waiting_in_links(),
            "cortes": len(night.cuts),
            "por_escribir": writer.waiting,
            "retraso_base_ms": round(writer.delay.last, 3),
        }

    def _inject(self, order: Order) -> dict[str, Any]:
        night = self._night
        assert night is not None
        document, name = order.get("documento"), str(order.get("archivo") or "(instrucción)")
        if not isinstance(document, dict):
            raise InputError(name, message="se esperaba un fragmento de escenario")
        lines = order.get("lineas")
        source = Source(name, lines if isinstance(lines, dict) else {})
        now = min(self.env.virtual_ms, night.model.length_ms)
        fragment = read_fragment(document, now, source)
        check_fragment(fragment, night.loaded.scenario, night.catalog, now, source)
        try:
            done = self.env.inject(self.instruct(document)).result(WAIT_S)
        except TimeoutError as error:
            raise UsageError(
                f"En {WAIT_S:.0f} s la noche no llegó a aplicarla; sigue pendiente: mira «estado»."
            ) from error
        assert isinstance(done, dict)
        return done

    def instruct(self, document: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
        """What to inject so that an instruction is recorded and takes effect; it gives what to answer."""
        night, writer = self._night, self._writer
        assert night is not None and writer is not None

        def apply(at: int) -> dict[str, Any]:
            fragment = read_fragment(document, at)
            refuse_idle(fragment, night.faults)
            self.log.append(at, document)
            # Nothing that follows from it reaches the database before it is itself on disk.
            writer.call(self.log.sync)
            restored = apply_document(document, at, night.model, night.faults, night.transfers)
            done: dict[str, Any] = {"virtual_ms": at, "minuto": round(at / MS_PER_MINUTE, 3)}
            if fragment.restore is not None:
                done["restablecidos"] = list(restored)
            return done

        return apply


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"Se esperaba una velocidad en números; se encontró «{value}».")
    return float(value)
