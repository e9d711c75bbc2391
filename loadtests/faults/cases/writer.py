"""The process of the night that writes to the database is killed, with commands on their way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping

from loadtests.faults.checks import NONE_EXTRA, NONE_LOST, NOTHING_LOST, SAME_ACTAS, SAME_COUNTS
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import TRACEBACK, Program, last_line, wait_until

BUSY = 600.0
"""Virtual seconds per second: commands are always on their way."""
SAME_NIGHT = (NONE_LOST, NONE_EXTRA, SAME_ACTAS, SAME_COUNTS)
"""What is asked of the night at its end, against the one nobody broke."""
SAID_WHY = "quien terminó dijo por qué, sin traza"


class WriterKilled(Fault):
    """It dies without goodbye; whoever ran the night stops and says so."""

    key = "escritor-muerto"
    family = "escritor"
    title = "Muere el proceso que escribe en la base"
    what = "SIGKILL al proceso escritor de la noche en vivo, con órdenes en camino (noche a ×600)"
    promises: Mapping[str, tuple[str, ...]] = {
        "lo asentado queda": (NOTHING_LOST,),
        "la corrida se detiene y dice por qué": (SAID_WHY,),
        "al continuar la noche termina igual que sin la falla": SAME_NIGHT,
    }
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
        return {"la corrida termina y lo dice": lambda: ended(drill.night)}

    def during(self, drill: Drill, case: str) -> list[Check]:
        assert drill.night is not None
        return [Check(SAID_WHY, ended(drill.night) is not None, last_line(drill.night.said()))]

    def recover(self, drill: Drill, case: str) -> str:
        continue_night(drill)
        return "se vuelve a arrancar con `--continuar`"


def ended(program: Program | None, since: int = 0) -> str | None:
    """How a program that should be there ended and what it said, of what it wrote after `since` characters.

    None while it runs, and also when it ended with a trace or with nothing: that is not saying it.
    """
    if program is None or program.alive:
        return None
    said = program.said()[since:]
    if TRACEBACK in said or not said.strip():
        return None
    return f"salida {program.code}: {last_line(said)}"


def continue_night(drill: Drill) -> None:
    """Start again a night that ended, and see it go on."""
    assert drill.night is not None
    drill.night.end(60)
    drill.start_night(again=True)
    wait_until("la noche sigue", lambda: drill.night is not None and drill.night.alive, 10)
    drill.cut()
