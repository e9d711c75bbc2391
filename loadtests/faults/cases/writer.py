"""The process of the night that writes to the database is killed, with commands on their way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping

from loadtests.faults.drill import Drill
from loadtests.faults.model import Fault, Signal
from loadtests.faults.processes import last_line, wait_until

BUSY = 600.0
"""Virtual seconds per second: commands are always on their way."""


class WriterKilled(Fault):
    """It dies without goodbye; whoever ran the night stops and says so."""

    key = "escritor-muerto"
    family = "escritor"
    title = "Muere el proceso que escribe en la base"
    what = "SIGKILL al proceso escritor de la noche en vivo, con órdenes en camino (noche a ×600)"
    invariant = "lo asentado queda; al continuar la noche termina igual que sin la falla"
    by_itself = False
    short = True
    detection_s = 30.0

    def cases(self, short: bool) -> tuple[str, ...]:
        return ("",) if short else ("primera", "segunda")

    def prepare(self, drill: Drill, case: str) -> None:
        drill.pace(BUSY)
        time.sleep(0.5)

    def inject(self, drill: Drill, case: str) -> float:
        os.kill(drill.writer_pid(), signal.SIGKILL)
        return time.monotonic()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {"la corrida termina y lo dice": lambda: night_ended(drill)}

    def recover(self, drill: Drill, case: str) -> str:
        continue_night(drill)
        return "se vuelve a arrancar con `--continuar`"


def night_ended(drill: Drill) -> str | None:
    """How the night ended when it should not have, and what it said."""
    assert drill.night is not None
    code = drill.night.process.poll()
    return None if code is None else f"salida {code}: {last_line(drill.night.said())}"


def continue_night(drill: Drill) -> None:
    """Start again a night that ended, and see it go on."""
    assert drill.night is not None
    drill.night.end(60)
    drill.start_night(again=True)
    wait_until("la noche sigue", lambda: drill.night is not None and drill.night.alive, 10)
    drill.cut()
