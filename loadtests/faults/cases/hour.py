"""The clock of the publisher's machine jumps an hour, forwards or back, and is later put right.

Only the clock that the publisher reads at its edge is stepped (`clock`); the machine's own is not touched.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from loadtests.faults import records
from loadtests.faults.cases.database import alarm
from loadtests.faults.drill import EVERY_MS, MINUTE_MS, Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import read_json, wait_until

HOUR_MS = 3_600_000
STEPS = {"+1 h": HOUR_MS, "−1 h": -HOUR_MS}
PUBLISHED = "publicada"
ON_TIME_MS = MINUTE_MS
"""A cut is out this soon after its hour came."""


class ClockStepped(Fault):
    """An hour more or an hour less."""

    key = "reloj"
    family = "reloj"
    title = "El reloj del publicador salta una hora"
    what = "el reloj que lee `prep publicar` salta +1 h o −1 h y luego se corrige"
    promises: Mapping[str, tuple[str, ...]] = {
        "los cortes salen a su hora": ("con el reloj mal, el corte sale a su hora",),
        "y con su hora": ("y lleva la hora de su ranura",),
        "ninguna ranura se pierde ni se repite": (
            "ninguna ranura dada por perdida",
            "cada ranura con un corte, y solo uno",
        ),
    }

    def cases(self, short: bool) -> tuple[str, ...]:
        return tuple(STEPS)

    def prepare(self, drill: Drill, case: str) -> None:
        self._number = drill.cut()
        self._slot = records.slots(drill.base)[-1][0]
        self._missed = list(drill.publisher_state().get("perdidas", ()))

    def inject(self, drill: Drill, case: str) -> float:
        drill.clock.step(STEPS[case])
        return time.monotonic()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {
            "alarma del publicador": lambda: alarm(drill, "reloj"),
            "alerta de la sala": lambda: drill.alert("A14"),
        }

    def during(self, drill: Drill, case: str) -> list[Check]:
        before = drill.public_cut()
        number = drill.come_slot()
        came, slot = time.monotonic(), drill.last_slot()
        wait_until(f"sale el corte {number}", lambda: drill.public_cut() >= number, 90)
        # Since the hour came: how far past it the night was moved on is no doing of the publisher.
        out = round((time.monotonic() - came) * 1000)
        wrong_ms = drill.clock.machine_ms() - drill.clock.right_ms()
        drill.wait_published(number)
        pointer = read_json(drill.public / "corte.json")
        at = int(pointer["instante_ms"])
        return [
            Check(
                "con el reloj mal, el corte sale a su hora",
                pointer["corte"] == before + 1 and 0 <= out < ON_TIME_MS and abs(wrong_ms) > HOUR_MS // 2,
                f"{before} → {pointer['corte']} en {out} ms, con el reloj a {wrong_ms} ms",
            ),
            Check("y lleva la hora de su ranura", 0 <= at - slot < EVERY_MS, f"{at - slot} ms"),
        ]

    def recover(self, drill: Drill, case: str) -> str:
        drill.clock.step(0)
        self.since = time.monotonic()
        wait_until("el publicador deja de quejarse del reloj", lambda: alarm(drill, "reloj") is None, 60)
        drill.cut()
        return "sola: los cortes no siguen el salto; la alarma termina al corregir el reloj"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        # Those the rehearsal itself went past were nobody's to publish.
        missed = [
            slot
            for slot in drill.publisher_state().get("perdidas", ())
            if slot not in (*self._missed, *drill.jumped)
        ]
        after = [
            one
            for one in records.slots(drill.base)
            if one[0] > self._slot and (one[1] == PUBLISHED or one[0] not in drill.jumped)
        ]
        nobodys = set(drill.jumped) - {at for at, _, _ in after}
        wanted = every_slot(self._slot, self._number, drill.public_cut(), nobodys)
        numbers = [number for number, _ in records.cuts(drill.base)]
        return [
            Check("ninguna ranura dada por perdida", not missed, f"{missed}"),
            Check(
                "cada ranura con un corte, y solo uno",
                len(after) > 1 and after == wanted and len(set(numbers)) == len(numbers), f"{after}",
            ),
        ]  # fmt: skip

    def undo(self, drill: Drill, case: str) -> None:
        drill.clock.step(0)


def every_slot(after: int, number: int, last: int, but: Collection[int]) -> list[tuple[int, str, int | None]]:
    """The slots that follow one, which was cut `number`, when each has the next cut up to the `last`."""
    found: list[tuple[int, str, int | None]] = []
    while number < last:
        after += EVERY_MS
        if after not in but:
            number += 1
            found.append((after, PUBLISHED, number))
    return found
