"""The disk of the work folder fills up: a small file system of its own, or a limit of size."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Mapping

from loadtests.faults.cases.database import alarm
from loadtests.faults.cases.writer import continue_night, night_ended
from loadtests.faults.drill import Drill
from loadtests.faults.model import Fault, Signal
from loadtests.faults.processes import descendants, wait_until

ROOM_LEFT = 8_192
SMALLEST_FILE = 4_096


class DiskFull(Fault):
    """Nothing more can be written where the night and the publisher work."""

    key = "disco-lleno"
    family = "disco"
    title = "Se llena el disco de la carpeta de trabajo"
    what = (
        "la carpeta de trabajo está en un sistema de archivos pequeño (tmpfs) que se llena; donde no se "
        "permite montarlo, el publicador no puede escribir archivos de más de 4 KiB (RLIMIT_FSIZE)"
    )
    invariant = "el corte público sigue entero; lo asentado queda; al haber lugar sale lo que faltaba"
    by_itself = False
    others_s = 10.0

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
            "suceso del publicador": lambda: _on_screen(drill),
            "alerta de la sala": lambda: drill.alert("A13", "A16"),
        }

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
        if night_ended(drill) is not None:
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


def _on_screen(drill: Drill) -> str | None:
    """What the publisher says where people look, when it cannot write its own file."""
    assert drill.publisher is not None
    said = drill.publisher.said().splitlines()[-3:]
    return next((line for line in said if "espacio" in line or os.strerror(27) in line), None)
