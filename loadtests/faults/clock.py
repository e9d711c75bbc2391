"""The hour of the rehearsal, in a file its processes read: it runs, is moved on, and can be stepped.

Written by the harness, read by `edge` in the processes it starts. The machine's own clock is never touched;
time itself passes as on the machine (its monotonic clock).
"""

from __future__ import annotations

import json
import time
from pathlib import Path

VARIABLE = "PREP_FALLAS_RELOJ"
"""Where the file is, in the environment of the processes of a rehearsal."""


class RehearsalClock:
    """The file. `step_ms` is how far the «machine's» hour is from the right one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def set(self, utc_ms: int, step_ms: int | None = None) -> None:
        """From this moment on it is `utc_ms`, and the clock of the machine says `step_ms` more.

        Without it, as far from the right hour as it was: the night that is moved on mends no clock.
        """
        if step_ms is None:
            step_ms = self._read()[1] if self._path.is_file() else 0
        body = {"monotonico_ms": _now(), "utc_ms": utc_ms, "desvio_ms": step_ms}
        temporary = self._path.with_name(f".{self._path.name}.tmp")
        temporary.write_text(json.dumps(body), encoding="utf-8")
        temporary.replace(self._path)

    def right_ms(self) -> int:
        """The right hour, ms UTC."""
        return self._read()[0]

    def machine_ms(self) -> int:
        """What the clock of the machine says, ms UTC."""
        right, step = self._read()
        return right + step

    def step(self, step_ms: int) -> None:
        """The machine's clock jumps to `step_ms` from the right hour (0: it is put right)."""
        self.set(self.right_ms(), step_ms)

    def _read(self) -> tuple[int, int]:
        body = json.loads(self._path.read_text(encoding="utf-8"))
        return body["utc_ms"] + _now() - body["monotonico_ms"], body["desvio_ms"]


def _now() -> int:
    return time.monotonic_ns() // 1_000_000
