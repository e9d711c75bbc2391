"""The service: at each tick it asks the database where the night is, and has done what is due.

It holds the lease, takes the slot, has the cut made by a process it watches over, says at once what did not
go out and lets the destinations know. When is `due`, how is `office`, who makes it `worker`. Its clock is the
caller's.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from core.errors import PrepError, UsageError
from core.publication.cut import CutReport
from core.publishing.config import Config, iso
from core.publishing.due import RETRY_MS, Action, Due, Schedule, due
from core.publishing.failures import told
from core.publishing.lease import Lease, acquire, release, renew
from core.publishing.office import PublicationState
from core.publishing.outward import Announcer, Attesting
from core.publishing.slots import SlotTable
from core.publishing.state import PublisherState, Status
from core.publishing.watchdog import Watchdog

ASK_S = 60.0
"""How long anything but a cut may take."""
RENEW_MS = 5_000
TROUBLE = (PrepError, SQLAlchemyError, OSError)
"""What the service outlives: it tells it and tries again at the next tick."""

Log = Callable[[str, dict[str, Any]], None]
"""Told of everything that happens: what, and its data."""


class LeaseLostError(PrepError):
    """Another process publishes by now."""


class Service:
    """The publisher of one database into one folder. `clock` gives ms UTC; used by one thread.

    `destinations` are told after every cut, and `after_cut` is called then; neither may wait. `jump` gives
    how many ms the clock of the machine is away from `clock`.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        mode: str,
        workdir: Path,
        watchdog: Watchdog,
        clock: Callable[[], int],
        log: Log,
        *,
        destinations: Announcer | None = None,
        attestors: Attesting | None = None,
        after_cut: Callable[[], None] = lambda: None,
        jump: Callable[[], int] = lambda: 0,
    ) -> None:
        self._config = config
        self._database = database
        self._workdir = workdir
        self._watchdog = watchdog
        self._clock = clock
        self._log = log
        self._destinations = destinations
        self._attestors = attestors
        self._after_cut = after_cut
        self._jump = jump
        self._slots = SlotTable(database)
        self._lease: Lease | None = None
        self._renewed = 0
        self._settled = False
        self._works = False
        """Whether it has worked once: what is wrong from the start is for whoever started it."""
        self._early_again = 0
        boot_id = uuid.uuid4().hex
        self._holder = f"{os.uname().nodename}:{os.getpid()}:{boot_id[:8]}"[:120]
        self.state = PublisherState(boot_id, os.getpid(), mode)
        self.finished = False
        """True when there is nothing left to publish."""

    # -- one tick ------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do everything that is due at this moment; a cut that came due meanwhile goes at once."""
        try:
            while self._step():
                pass
            self.attest()
        finally:
            self._write()

    def close(self) -> None:
        """Let the other process end, give the lease back and say that nobody publishes."""
        self._watchdog.close()
        if self._lease is not None:
            try:
                release(self._database, self._lease)
            except SQLAlchemyError as error:
                # It ends by itself.
                self._log("alarma", {"clave": "servicio", "texto": str(told(error))})
        if self.state.status is not Status.CLOSED:
            self.state.status = Status.OUTSIDE
        self._write()

    def _step(self) -> bool:
        """One decision; True when there may be another at once."""
        now = self._clock()
        try:
            if not self._hold_lease(now):
                # In reserve it waits, also for the folder, whatever the other one is doing.
                self.state.status, self._works = Status.STANDBY, True
                return False
            return self._decide(now)
        except TROUBLE as error:
            if isinstance(error, UsageError) and not self._works:
                raise
            # What it was doing may have gone out: that is seen before anything else is done.
            self._settled = False
            if self.state.status in (Status.PUBLISHING, Status.STANDBY):
                self.state.status = Status.WAITING
            self._alarm("servicio", f"El publicador no puede trabajar y lo sigue intentando. {told(error)}")
            return False

    def _decide(self, now: int) -> bool:
        known: PublicationState = self._ask("estado", now)
        # The process has the folder by now: no other one is writing what is settled here.
        self._settle(now)
        behind = self.state.cut != known.last_cut
        self.state.cut = known.last_cut
        self.state.at = known.last_cut_at or None
        self.state.clear("servicio")
        self._look_at_clock(now, known)
        if not known.opened:
            self._works = True
            self.state.status, self.state.next_at = Status.OUTSIDE, self._config.inicio
            return False
        schedule = self._config.schedule(known.starts_at, known.ends_at)
        self._config.budget(schedule)
        self._works = True
        if behind:
            self._announce()
        if self._ask("detencion", now):
            self._log("aviso", {"tipo": "reanudada" if not known.held else "detenida", "clave": known.hold})
            self._announce()
        past = self._slots.past(schedule, now, told=known.last_missed, finished=known.finished)
        todo = due(now, schedule, past, held=known.held)
        self.state.next_at = todo.next_at
        if todo.missed:
            self._miss(todo, past.attempts, known, now)
        if self._early(known, schedule, now):
            return self._cut(now, now, schedule, early=True)
        if todo.action is Action.TOO_LATE:
            return self._end(known, now)
        if known.held:
            self.state.status = Status.HELD
            self._alarm("detenida", f"Publicación detenida por dos personas: {known.hold_reason}")
            return False
        self.state.clear("detenida")
        if todo.action is Action.WAIT:
            self.state.status = Status.OUTSIDE if now < schedule.first else Status.WAITING
            return False
        assert todo.slot is not None
        return self._cut(todo.slot, now, schedule, last=todo.last)

    def _early(self, known: PublicationState, schedule: Schedule, now: int) -> bool:
        return (
            (self._config.cierre_anticipado or known.closed)
            and known.pending == 0
            and not (known.finished or known.held)
            and max(schedule.first, self._early_again) <= now < schedule.end
        )

    def _settle(self, now: int) -> None:
        """See what became of what was being made when somebody died, once."""
        if self._settled:
            return
        went_out = self._slots.settle(now)
        self.state.missed = self._slots.lost()
        self._settled = True
        if went_out:
            self._log("ranura_completada", {"ranuras": went_out})

    def _look_at_clock(self, now: int, known: PublicationState) -> None:
        jump = self._jump()
        if jump:
            self._alarm(
                "reloj",
                f"El reloj del equipo se movió {jump / 1000:+,.0f} s de golpe y no se le sigue. Si la hora "
                "del equipo es la buena, reinicie el publicador.",
            )
        elif now < known.last_cut_at:
            self._alarm(
                "reloj",
                f"El reloj del equipo ({iso(now)}) va atrás del último corte ({iso(known.last_cut_at)}): "
                "no habrá corte hasta que lo alcance.",
            )
        else:
            self.state.clear("reloj")

    # -- what is done --------------------------------------------------------------------------

    def _cut(
        self, slot: int, now: int, schedule: Schedule, *, last: bool = False, early: bool = False
    ) -> bool:
        assert self._lease is not None
        if not self._slots.claim(slot, self._lease, now):
            return False
        self.state.status = Status.PUBLISHING
        self._write()
        budget = self._config.budget(schedule) / 1000
        what: tuple[Any, ...] = (
            ("cierre", now, self._config.responsable)
            if early
            else ("corte", now, last, schedule.following(now))
        )
        try:
            report: CutReport = self._watchdog.ask(*what, budget_s=budget, pulse=self._pulse)
        except LeaseLostError:
            # The slot is for the other process to settle.
            raise
        except PrepError as error:
            self._early_again = now + RETRY_MS
            return self._stopped(slot, now, str(error))
        if report.refused is not None:
            self._early_again = now + RETRY_MS
            self._slots.failed(slot, report.refused, self._clock())
            self._failed(slot, now, report.refused)
            return False
        ended = self._clock()
        self._slots.published(slot, report.number, ended)
        self._look_at_images(report)
        self._went_out(slot, now, report.number, ended)
        return True

    def _look_at_images(self, report: CutReport) -> None:
        if report.emission is None:
            return
        missing = report.emission.missing_images
        wanted = missing + report.emission.with_image
        if missing * 100 > self._config.imagenes_faltantes_pct * wanted:
            self._alarm(
                "imagenes_faltantes",
                f"Al corte {report.number} le faltan {missing:,} de {wanted:,} imágenes.",
            )
        else:
            self.state.clear("imagenes_faltantes")

    def _stopped(self, slot: int, now: int, why: str) -> bool:
        """The process died, was killed or failed: what it had recorded counts, the rest never happened."""
        # Also when its cut is completed and nobody would miss anything: somebody should find out why.
        self._log("proceso_muerto", {"motivo": why, "ranura": iso(slot)})
        ended = self._clock()
        if slot in self._slots.settle(ended, why):
            # The next process completes what is around it.
            known: PublicationState = self._ask("estado", ended)
            self._went_out(slot, now, known.last_cut, ended)
            return True
        self._failed(slot, now, why)
        self._ask("detenido", now, why)
        return True

    def _went_out(self, slot: int, now: int, number: int, ended: int) -> None:
        self.state.cut, self.state.at = number, now
        self.state.last_attempt = {
            "ranura_ms": slot, "inicio_ms": now, "fin_ms": ended, "corte": number, "error": None
        }  # fmt: skip
        self.state.missed = [one for one in self.state.missed if one != slot]
        self.state.clear("corte_fallido", "corte_perdido")
        self._log("corte", {"corte": number, "ranura": iso(slot), "segundos": (ended - now) / 1000})
        self._announce()
        self._after_cut()

    def _failed(self, slot: int, now: int, why: str) -> None:
        self.state.last_attempt = {
            "ranura_ms": slot, "inicio_ms": now, "fin_ms": self._clock(), "corte": None, "error": why
        }  # fmt: skip
        self._alarm("corte_fallido", f"El corte de las {iso(slot)} no salió: {why}")

    def _miss(self, todo: Due, attempts: int, known: PublicationState, now: int) -> None:
        assert self._lease is not None
        failed = False
        if known.held:
            reason = f"La publicación está detenida: {known.hold_reason}"
        elif attempts and self.state.last_attempt.get("error"):
            failed = True
            reason = str(self.state.last_attempt["error"])
        else:
            reason = "El publicador no estaba trabajando o seguía con el corte anterior."
        self._slots.missed(todo.missed, reason, self._lease, now)
        self._ask("perdidas", todo.missed, now, reason, not known.held, failed)
        self.state.missed += list(todo.missed)
        hours = ", ".join(iso(slot) for slot in todo.missed)
        self._alarm("corte_perdido", f"No salió el corte de {hours}: {reason}")
        self._announce()

    def _end(self, known: PublicationState, now: int) -> bool:
        """Nothing is left to publish: the operation ends with its last cut."""
        closed = known.finished and not known.closed and self._ask("cerrar", now)
        self.finished = True
        self.state.status, self.state.next_at = Status.CLOSED, None
        if known.finished:
            self._log("terminado", {"corte": known.last_cut, "cerrada": bool(closed)})
        else:
            held = " Estaba detenida por dos personas." if known.held else ""
            self._alarm(
                "sin_ultimo_corte",
                f"Terminó el periodo de publicación sin el último corte.{held} El último publicado es el "
                f"{known.last_cut}; la operación queda para que la cierre quien la coordina.",
            )
        return False

    def _announce(self) -> None:
        if self._destinations is not None:
            self._destinations.announce()
        if self._attestors is not None:
            self._attestors.wake()

    def attest(self) -> None:
        """Publish the cosignatures and stamps that have come. What goes wrong is told, and stops no cut."""
        if self._attestors is None or self._lease is None:
            return
        found = self._attestors.take()
        if found is not None:
            try:
                wrong = self._ask("cofirmas", found.lines, found.note, self._clock())
            except TROUBLE as error:
                wrong = str(told(error))
            else:
                self._attestors.done(found)
                self._log("constancias", {"testigos": len(found.lines), "sellos": found.stamps})
                if self._destinations is not None:
                    self._destinations.announce()
            if wrong:
                self._alarm("constancias", f"No se publicaron las firmas de los testigos. {wrong}")
            else:
                self.state.clear("constancias")
        self.state.witnesses = self._attestors.witness_states()
        self.state.stamp = self._attestors.stamp_state()
        against = [one["error"] for one in self.state.witnesses["detalle"] if one["estado"] == "conflicto"]
        if against:
            self._alarm("testigo_en_conflicto", "; ".join(against))
        else:
            self.state.clear("testigo_en_conflicto")

    # -- lease, state, alarms ------------------------------------------------------------------

    def _hold_lease(self, now: int) -> bool:
        if self._lease is not None and renew(self._database, self._lease, now):
            self._renewed = now
            return True
        if self._lease is not None:
            # Another process took it while this one slept: whatever was being made is not ours any more.
            self._log("reserva_perdida", {})
            self._watchdog.close()
        self._lease = acquire(self._database, self._holder, now)
        if self._lease is None:
            return False
        self._renewed, self._settled = now, False
        self._log("reserva", {"numero": self._lease.fence})
        return True

    def _pulse(self) -> None:
        """While something is being made: the lease goes on being ours, and the file says we live."""
        now = self._clock()
        if self._lease is not None and now - self._renewed >= RENEW_MS:
            if not renew(self._database, self._lease, now):
                raise LeaseLostError("Otro publicador tomó la reserva mientras se hacía el corte.")
            self._renewed = now
            self._write()

    def _ask(self, what: str, *arguments: Any) -> Any:
        return self._watchdog.ask(what, *arguments, budget_s=ASK_S, pulse=self._pulse)

    def _alarm(self, key: str, text: str) -> None:
        if self.state.alarm(key, text, self._clock()):
            self._log("alarma", {"clave": key, "texto": text})

    def _write(self) -> None:
        if self._destinations is not None:
            self.state.destinations = self._destinations.states()
        if self._lease is not None:
            # One in reserve must not write over what the one that works says.
            before = self.state.alarms.pop("estado", None)
            try:
                self.state.write(self._workdir, self._clock())
            except OSError as error:
                if before is not None:
                    self.state.alarms["estado"] = before
                self._alarm("estado", f"No se puede escribir publicador.json. {told(error)}")
