"""The clock of the publisher's machine jumps an hour, forwards or back, and is later put right.

Only the clock that the publisher reads at its edge is stepped (`clock`); the machine's own is not touched.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from loadtests.faults.cases.database import alarm
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import read_json, wait_until

HOUR_MS = 3_600_000
STEPS = {"+1 h": HOUR_MS, "−1 h": -HOUR_MS}


class ClockStepped(Fault):
    """An hour more or an hour less."""

    key = "reloj"
    family = "reloj"
    title = "El reloj del publicador salta una hora"
    what = "el reloj que lee `prep publicar` salta +1 h o −1 h y luego se corrige"
    invariant = "los cortes salen a su hora y con su hora; ninguna ranura se pierde ni se repite"

    def cases(self, short: bool) -> tuple[str, ...]:
        return tuple(STEPS)

    def prepare(self, drill: Drill, case: str) -> None:
        self._missed = len(drill.publisher_state().get("perdidas", ()))

    def inject(self, drill: Drill, case: str) -> float:
        drill.clock.step(STEPS[case])
        return time.monotonic()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {
            "alarma del publicador": lambda: alarm(drill, "reloj"),
            "alerta de la sala": lambda: drill.alert("A14"),
        }

    def during(self, drill: Drill, case: str) -> list[Check]:
        before = drill.cut_number()
        number = drill.cut()
        at = int(read_json(drill.run / "corte.json")["instante_ms"])
        late = drill.clock.right_ms() - at
        missed = len(drill.publisher_state().get("perdidas", ()))
        return [
            Check("el corte siguiente sale con el reloj mal", number == before + 1, str(number)),
            Check("con la hora de la noche", 0 <= late < 120_000, f"{late} ms"),
            Check("ninguna ranura dada por perdida", missed == self._missed, f"{missed - self._missed}"),
        ]

    def recover(self, drill: Drill, case: str) -> str:
        drill.clock.step(0)
        self.since = time.monotonic()
        wait_until("el publicador deja de quejarse del reloj", lambda: alarm(drill, "reloj") is None, 60)
        drill.cut()
        return "sola: los cortes no siguen el salto; la alarma termina al corregir el reloj"

    def undo(self, drill: Drill, case: str) -> None:
        drill.clock.step(0)
