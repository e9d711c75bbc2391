"""The actas of a real night as the calibration takes them: their times, and which hours may be looked at.

It fits and plays nothing; `simulator.calibration.fit` does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.published.analysis import HOUR_MS, Stop, stops
from core.published.night import Night

FEWEST_ACTAS = 500
PHASES = ("acopio", "captura", "verificacion")

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]


@dataclass(frozen=True)
class Traced:
    """The actas of a night whose three times are known and in order: what the model can be given.

    Times are ms, in order of acopio; `territory`, `medium` and `contest` are those of each acta. `left_out`
    captured actas have no usable times and are not modelled. The fitted hours are the even ones, or the odd
    ones when `parity` is 1.
    """

    night: Night
    acopio: Ints
    captura: Ints
    verificacion: Ints
    territory: Texts
    medium: Texts
    contest: Texts
    stops: tuple[Stop, ...]
    left_out: int
    parity: int = 0

    @property
    def pauses(self) -> tuple[tuple[int, int], ...]:
        """The total stops as the kernel takes them."""
        return tuple((int(s.start), int(s.end)) for s in self.stops)

    def hour(self, times: Ints) -> Ints:
        """Number of the local hour of each time, counted from the epoch."""
        return (times + self.night.utc_offset_hours * HOUR_MS) // HOUR_MS

    def hour_start(self, hour: int) -> int:
        """The moment a local hour begins."""
        return hour * HOUR_MS - self.night.utc_offset_hours * HOUR_MS

    def fitted(self, times: Ints) -> Bools:
        """Which of these times are in an hour that is fitted; the others are only judged."""
        return np.asarray(self.hour(times) % 2 == self.parity)

    def is_fitted(self, hour: int) -> bool:
        """Is this hour (its number) fitted?"""
        return hour % 2 == self.parity

    def hours(self) -> list[int]:
        """Every local hour from the first acopio to the last verification."""
        first = int(self.hour(self.acopio).min())
        return list(range(first, int(self.hour(self.verificacion).max()) + 1))


def trace(night: Night) -> Traced:
    """The actas of a night that can be modelled. Raises UsageError when there are too few."""
    frame = night.frame.reset_index(drop=True)
    known = frame.dropna(subset=list(PHASES))
    known = known[(known["acopio"] <= known["captura"]) & (known["captura"] <= known["verificacion"])]
    if len(known) < FEWEST_ACTAS:
        raise UsageError(
            f"solo {len(known)} actas tienen acopio, captura y verificación en orden; "
            f"se necesitan {FEWEST_ACTAS}"
        )
    known = known.sort_values(["acopio", "file", "line"])
    acopio, captura, verificacion = (known[phase].to_numpy().astype("int64") for phase in PHASES)
    territory, medium, contest = (
        known[column].to_numpy().astype("str") for column in ("territory", "medium", "contest")
    )
    total = tuple(stop for stop in stops(night) if stop.phase == "total")
    left_out = int(frame["captura"].notna().sum()) - len(known)
    return Traced(night, acopio, captura, verificacion, territory, medium, contest, total, left_out)
