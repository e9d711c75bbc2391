"""The control room: its snapshot writer frozen or dead, its web process dead."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping

from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import wait_until


class WriterFrozen(Fault):
    """The writer of the snapshots is alive and does nothing."""

    key = "sala-congelada"
    family = "sala"
    title = "El escritor de la sala se congela"
    what = "SIGSTOP al proceso que escribe las fotografías de la sala"
    invariant = "la sala dice que sus datos son viejos y no los enseña por nuevos; lo público sigue saliendo"
    by_itself = False
    short = True
    needs = frozenset({"sala"})
    detection_s = 40.0

    def inject(self, drill: Drill, case: str) -> float:
        self._pid = drill.snapshot_writer_pid()
        os.kill(self._pid, signal.SIGSTOP)
        return time.monotonic()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {"/salud de la sala (503)": lambda: said_by_probe(drill)}

    def during(self, drill: Drill, case: str) -> list[Check]:
        before = drill.public_cut()
        drill.cut()
        after = drill.public_cut()
        return [
            Check("lo público sigue saliendo con la sala congelada", after > before, f"{before} → {after}")
        ]

    def recover(self, drill: Drill, case: str) -> str:
        os.kill(self._pid, signal.SIGKILL)
        wait_until("la sala vuelve a tener datos frescos", lambda: drill.health().get("ok"), 60)
        return "se mata al escritor y la sala arranca otro"

    def undo(self, drill: Drill, case: str) -> None:
        with contextlib.suppress(ProcessLookupError, AttributeError):
            os.kill(self._pid, signal.SIGCONT)


class WebKilled(Fault):
    """The process that answers the browsers dies."""

    key = "sala-web"
    family = "sala"
    title = "Muere el proceso web de la sala"
    what = "SIGKILL al proceso que atiende a los navegadores"
    invariant = "la noche y la publicación siguen; la sala vuelve con los mismos datos"
    needs = frozenset({"sala"})

    def inject(self, drill: Drill, case: str) -> float:
        os.kill(drill.web_pid(), signal.SIGKILL)
        return time.monotonic()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {"sonda de /salud": lambda: said_by_probe(drill)}

    def recover(self, drill: Drill, case: str) -> str:
        wait_until("la sala vuelve a atender", lambda: drill.health().get("ok"), 60)
        return "sola: la sala arranca otro proceso web"


def said_by_probe(drill: Drill) -> str | None:
    """What a probe hears when the room is not well."""
    health = drill.health()
    return None if health.get("ok") else f"«{health.get('motivo')}»"
