"""What a benchmark says: one figure beside its denominator, its bound and the state of the machine.

Seconds of two runs are never compared: the machine is shared and a figure can move four times. The
calibration says how it was while the figure was taken.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_LOOP = 1_000_000
_SYNCS = 60


@dataclass(frozen=True, slots=True)
class Calibration:
    """The machine at one moment: a fixed loop of the interpreter, and the median fdatasync of 4 KiB."""

    cpu_ms: float
    fdatasync_us: float

    def as_data(self) -> dict[str, float]:
        """For `--json`."""
        return {"cpu_ms": round(self.cpu_ms, 2), "fdatasync_p50_us": round(self.fdatasync_us, 1)}


def calibrate(folder: Path) -> Calibration:
    """Measure the machine now, on the disk that holds `folder`. About a tenth of a second."""
    before = time.perf_counter()
    total = 0
    for number in range(_LOOP):
        total += number & 7
    cpu = (time.perf_counter() - before) * 1000
    # macOS has no fdatasync; fsync is what SQLite would call there too.
    flush = getattr(os, "fdatasync", os.fsync)
    block = b"\0" * 4096
    lengths = []
    with TemporaryDirectory(dir=folder) as place:
        descriptor = os.open(Path(place) / "bloque", os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            for _ in range(_SYNCS):
                os.write(descriptor, block)
                before = time.perf_counter()
                flush(descriptor)
                lengths.append(time.perf_counter() - before)
        finally:
            os.close(descriptor)
    lengths.sort()
    return Calibration(cpu, lengths[len(lengths) // 2] * 1e6)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    `value` is `part` over `whole` when there is a denominator (both in `unit`), and the measure
    itself otherwise. `bound` is what it is held to: `at_least` or at most, or exactly with `exact`;
    None is only informative.
    """

    name: str
    what: str
    value: float
    calibration: Calibration
    bound: float | None = None
    at_least: bool = False
    exact: bool = False
    unit: str = ""
    part: tuple[str, float] | None = None
    whole: tuple[str, float] | None = None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Does it meet its bound? None without one."""
        if self.bound is None:
            return None
        if self.exact:
            return self.value == self.bound
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def required(self) -> str:
        """The bound as people read it."""
        if self.bound is None:
            return "—"
        sign = "=" if self.exact else "≥" if self.at_least else "≤"
        return f"{sign} {_number(self.bound)}{_tail(self._measure)}"

    @property
    def shown(self) -> str:
        """The value as people read it."""
        return f"{_number(self.value)}{_tail(self._measure)}"

    @property
    def verdict(self) -> str:
        """ok, no cumple, or informativa."""
        return {True: "ok", False: "no cumple", None: "informativa"}[self.holds]

    @property
    def _measure(self) -> str:
        return "" if self.whole is not None else self.unit

    def as_data(self) -> dict[str, Any]:
        """For `--json`."""

        def side(one: tuple[str, float] | None) -> dict[str, Any] | None:
            return None if one is None else {"que": one[0], "valor": one[1], "unidad": self.unit}

        return {
            "nombre": self.name,
            "que": self.what,
            "valor": self.value,
            "razon": self.whole is not None,
            "unidad": self._measure,
            "numerador": side(self.part),
            "denominador": side(self.whole),
            "exigido": None if self.bound is None else self.required,
            "cumple": self.holds,
            "calibracion": self.calibration.as_data(),
            "nota": self.note,
        }


def side_text(one: tuple[str, float] | None, unit: str) -> str:
    """Numerator or denominator in a cell of the table."""
    return "" if one is None else f"{one[0]}: {_number(one[1])}{_tail(unit)}"


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _tail(unit: str) -> str:
    return f" {unit}" if unit else ""
