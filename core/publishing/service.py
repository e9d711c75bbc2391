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
from typing import Any, Protocol

from sqlalchemy import Engine as Database

from core.errors import PrepError, UsageError
from core.publication.cut import CutReport
from core.publishing.config import Config, iso
from core.publishing.due import Action, Due, Schedule, due
from core.publishing.lease import Lease, acquire, release, renew
from core.publishing.office import PublicationState
from core.publishing.slots import SlotTable
from core.publishing.state import PublisherState, Status
from core.publishing.watchdog import OverBudgetError, Watchdog, WorkerDiedError

ASK_S = 60.0
"""How long anything but a cut may take."""
RENEW_MS = 5_000

Log = Callable[[str, dict[str, Any]], None]
"""Told of everything that happens: what, and its data."""


class LeaseLostError(PrepError):
    """Another process publishes by now."""


class Announcer(Protocol):
    """Takes what was published to where people read it; never waits."""

    def announce(self) -> None:
        """There is something new."""

    def states(self) -> list[dict[str, Any]]:
        """How each destination is."""


class Service:
    """The publisher of one database into one folder. `clock` gives ms UTC; used by one thread.

    `destinations` are told after every cut, and `after_cut` is called then; neither may wait.
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
        after_cut: Callable[[], None] = lambda: None,
    ) -> None:
        self._config = config
        self._database = database
        self._workdir = workdir
        self._watchdog = watchdog
        self._clock = clock
        self._log = log
        self._destinations = destinations
        self._after_cut = after_cut
        self._slots = SlotTable(database)
        self._lease: Lease | None = None
        self._renewed = 0
        self._settled = False
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
        finally:
            self._write()

    def close(self) -> None:
        """Let the other process end, give the lease back and say that nobody publishes."""
        self._watchdog.close()
        if self._lease is not None:
            release(self._database, self._lease)
        if self.state.status is not Status.CLOSED:
            self.state.status = Status.OUTSIDE
        self._write()

    def _step(self) -> bool:
        """One decision; True when there may be another at once."""
        now = self._clock()
        if not self._hold_lease(now):
            self.state.status = Status.STANDBY
            return False
        try:
            return self._decide(now)
        except UsageError:
            raise
        except PrepError as error:
            self._alarm("servicio", f"El servicio no pudo trabajar: {error}")
            return False

    def _decide(self, now: int) -> bool:
        if not self._settled:
            went_out = self._slots.settle(now)
            self._settled = True
            if went_out:
                self._log("ranura_completada", {"ranuras": went_out})
        known: PublicationState = self._ask("estado", now)
        self.state.cut = known.last_cut
        self.state.at = known.last_cut_at or None
        self.state.clear("servicio")
        if not known.opened:
            self.state.status, self.state.next_at = Status.OUTSIDE, self._config.inicio
            return False
        schedule = self._config.schedule(known.starts_at, known.ends_at)
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
            return self._end(known)
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
            self._config.cierre_anticipado
            and known.pending == 0
            and not (known.finished or known.held or known.closed)
            and schedule.first <= now < schedule.end
        )

    # -- what is done --------------------------------------------------------------------------

    def _cut(
        self, slot: int, now: int, schedule: Schedule, *, last: bool = False, early: bool = False
    ) -> bool:
        assert self._lease is not None
        if not self._slots.claim(slot, self._lease, now):
            return False
        self.state.status = Status.PUBLISHING
        self._write()
        budget = self._config.presupuesto or schedule.budget / 1000
        what: tuple[Any, ...] = (
            ("cierre", now, self._config.responsable)
            if early
            else ("corte", now, last, schedule.following(now))
        )
        try:
            report: CutReport = self._watchdog.ask(*what, budget_s=budget, pulse=self._pulse)
        except (OverBudgetError, WorkerDiedError) as error:
            return self._stopped(slot, now, str(error))
        except LeaseLostError:
            # The slot is for the other process to settle.
            raise
        except PrepError as error:
            self._slots.failed(slot, str(error), self._clock())
            self._failed(slot, now, str(error))
            return False
        if report.refused is not None:
            self._slots.failed(slot, report.refused, self._clock())
            self._failed(slot, now, report.refused)
            return False
        ended = self._clock()
        self._slots.published(slot, report.number, ended)
        self._went_out(slot, now, report.number, ended)
        return True

    def _stopped(self, slot: int, now: int, why: str) -> bool:
        """The process was killed or died: what it had recorded counts, and the rest never happened."""
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
        if known.held:
            reason = f"La publicación está detenida: {known.hold_reason}"
        elif attempts and self.state.last_attempt.get("error"):
            reason = str(self.state.last_attempt["error"])
        else:
            reason = "El publicador no estaba trabajando o seguía con el corte anterior."
        self._slots.missed(todo.missed, reason, self._lease, now)
        self._ask("perdidas", todo.missed, now, reason, not known.held)
        self.state.missed += list(todo.missed)
        hours = ", ".join(iso(slot) for slot in todo.missed)
        self._alarm("corte_perdido", f"No salió el corte de {hours}: {reason}")
        self._announce()

    def _end(self, known: PublicationState) -> bool:
        self.finished = True
        self.state.status, self.state.next_at = Status.CLOSED, None
        if known.finished:
            self._log("terminado", {"corte": known.last_cut})
        else:
            self._alarm("sin_ultimo_corte", "Terminó el periodo de publicación sin el último corte.")
        return False

    def _announce(self) -> None:
        if self._destinations is not None:
            self._destinations.announce()

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
                self._watchdog.kill()
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
            self.state.write(self._workdir, self._clock())
