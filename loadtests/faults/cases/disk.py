"""The disk of the work folder fills up: a small file system of its own, or a limit of size."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Mapping

from loadtests.faults.cases.database import alarm
from loadtests.faults.cases.writer import continue_night
from loadtests.faults.checks import NO_STEP_BACK, NOTHING_LOST, SOUND, publication_verifies
from loadtests.faults.continuity import PUBLICATION
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import TRACEBACK, descendants, wait_until

WHOLE = "prep verificar de lo que ve el público, con el disco lleno"
CAME_OUT = "el público ve el corte que faltaba"
ROOM_LEFT = 8_192
SMALLEST_FILE = 4_096


class DiskFull(Fault):
    """Nothing more can be written where the night and the publisher work."""

    key = "disco-lleno"
    family = "disco"
    incident = PUBLICATION
    title = "Se llena el disco de la carpeta de trabajo"
    what = (
        "la carpeta de trabajo está en un sistema de archivos pequeño (tmpfs) que se llena; donde no se "
        "permite montarlo, el publicador no puede escribir archivos de más de 4 KiB (RLIMIT_FSIZE)"
    )
    promises: Mapping[str, tuple[str, ...]] = {
        "el corte público sigue entero": (WHOLE, NO_STEP_BACK),
        "lo asentado queda": (SOUND, NOTHING_LOST),
        "al haber lugar sale lo que faltaba": (CAME_OUT,),
    }
    by_itself = False
    others_s = 10.0

    def prepare(self, drill: Drill, case: str) -> None:
        assert drill.publisher is not None
        self._said = len(drill.publisher.said())

    def inject(self, drill: Drill, case: str) -> float:
        if drill.small_disk is None:
            self._limit(drill, SMALLEST_FILE)
        else:
            drill.small_disk.fill(ROOM_LEFT)
        at = time.monotonic()
        self._number = drill.come_slot()
        return at

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {
            "alarma del publicador": lambda: alarm(drill, "corte_fallido", "servicio", "estado", "disco"),
            "suceso del publicador": lambda: _on_screen(drill, self._said),
            "alerta de la sala": lambda: drill.alert("A13", "A16"),
        }

    def during(self, drill: Drill, case: str) -> list[Check]:
        return [publication_verifies(drill.public, WHOLE)]

    def checks(self, drill: Drill, case: str) -> list[Check]:
        cut = drill.public_cut()
        return [Check(CAME_OUT, cut >= self._number, f"el público ve el {cut} y faltaba el {self._number}")]

    def recover(self, drill: Drill, case: str) -> str:
        assert drill.night is not None and drill.publisher is not None
        self.undo(drill, case)
        self.since = time.monotonic()
        how = "se libera espacio; el publicador sigue solo"
        if not drill.publisher.alive:
            drill.start_publisher()
            how = "se libera espacio y se vuelve a arrancar el publicador"
        drill.wait_published(self._number)
        wait_until(
            "el publicador queda sin alarmas",
            lambda: alarm(drill, "corte_fallido", "servicio", "estado", "disco") is None, 90,
        )  # fmt: skip
        if not drill.night.alive:
            continue_night(drill)
            how += "; la corrida, con `--continuar`"
        return how

    def undo(self, drill: Drill, case: str) -> None:
        if drill.small_disk is None:
            self._limit(drill, resource.RLIM_INFINITY)
        else:
            drill.small_disk.empty()

    def _limit(self, drill: Drill, most: int) -> None:
        assert drill.publisher is not None
        pid = drill.publisher.process.pid
        for one in (pid, *descendants(pid)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                resource.prlimit(one, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def _on_screen(drill: Drill, since: int) -> str | None:
    """What the publisher says where people look when it has no room for a file; a traceback says nothing."""
    assert drill.publisher is not None
    said = drill.publisher.said()[since:]
    if TRACEBACK in said:
        return None
    return next((line for line in said.splitlines() if "espacio" in line or os.strerror(27) in line), None)
