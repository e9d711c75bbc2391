"""Judges a fit on the hours it never saw: curves, medians of the delays, total stops.

It fits nothing and tells nobody: `simulator.calibration.fit` fits and `simulator.calibration.report` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.published.analysis import MINUTE_MS, Stop, stops
from simulator.calibration.delays import FEWEST
from simulator.calibration.fit import DELAY_BOUND, POINTS_BOUND, Played, median_ms
from simulator.calibration.order import Order, capture_order
from simulator.calibration.traced import Ints, Traced

STOP_BOUND_MS = MINUTE_MS


@dataclass(frozen=True)
class HourRow:
    """One hour of the local clock, real and simulated.

    Shares are percent of the traced actas at the END of the hour; delays are medians in minutes by
    the hour in which the acta entered the stage, None with fewer than FEWEST actas.
    """

    start_ms: int
    fitted: bool
    actas: int
    captura: tuple[float, float]
    verificacion: tuple[float, float]
    wait: tuple[float, float] | None
    check: tuple[float, float] | None


@dataclass(frozen=True)
class Bound:
    """One accuracy bound: what was asked, the worst value seen, how many of how many hours hold."""

    key: str
    words: str
    worst: float
    held: int
    of: int

    @property
    def met(self) -> bool:
        """True when every hour holds."""
        return self.held == self.of


@dataclass(frozen=True)
class Judgement:
    """The verdict. `mae` is minutes per stage on the judged half; `stops` pairs real and simulated; `order`
    says whether the real capture was one queue in order of arrival."""

    rows: tuple[HourRow, ...]
    bounds: tuple[Bound, ...]
    mae: dict[str, float]
    stops: tuple[tuple[Stop, Stop | None], ...]
    order: Order

    @property
    def met(self) -> bool:
        """True when every bound is met."""
        return all(bound.met for bound in self.bounds)


def judge(traced: Traced, played: Sequence[Played]) -> Judgement:
    """Compare the played nights, put together, with the real one; hour by hour and stop by stop.

    Stops and errors by acta are those of the first of them.
    """
    first = played[0]
    rows = tuple(_row(traced, played, hour) for hour in traced.hours())
    judged = [row for row in rows if not row.fitted]
    bounds = [
        _points("captura", "curva de captura, ±3 puntos", [row.captura for row in judged]),
        _points("verificacion", "curva de verificación, ±3 puntos", [row.verificacion for row in judged]),
        _share("demora_captura", "mediana de acopio a captura, 20 %", [row.wait for row in judged]),
        _share("demora_verificacion", "mediana de captura a verificación, 20 %", [r.check for r in judged]),
    ]
    pairs = _stop_pairs(traced, first)
    if pairs:
        held = sum(
            found is not None
            and abs(found.start - real.start) <= STOP_BOUND_MS
            and abs(found.end - real.end) <= STOP_BOUND_MS
            for real, found in pairs
        )
        worst = max(
            max(abs(f.start - r.start), abs(f.end - r.end)) / MINUTE_MS if f else r.minutes for r, f in pairs
        )
        bounds.append(Bound("paros", "paros totales, inicio y fin ±1 min", round(worst, 2), held, len(pairs)))
    unseen = ~traced.fitted(traced.acopio)
    mae = {
        "captura": _mae(traced.captura, first.captura, unseen),
        "verificacion": _mae(traced.verificacion, first.verificacion, unseen),
    }
    return Judgement(rows, tuple(bounds), mae, pairs, capture_order(traced))


def _mae(real: Ints, simulated: Ints, rows: NDArray[np.bool_]) -> float:
    return round(float(np.abs(real - simulated)[rows].mean()) / MINUTE_MS, 2)


def _row(traced: Traced, played: Sequence[Played], hour: int) -> HourRow:
    end = traced.hour_start(hour + 1)
    came = np.flatnonzero(traced.hour(traced.acopio) == hour).astype("int64")

    def share(times: Ints) -> float:
        return float((times < end).mean()) * 100

    def wait() -> tuple[float, float] | None:
        if len(came) < FEWEST:
            return None
        real = median_ms(traced.acopio, [traced.captura], came)
        model = median_ms(traced.acopio, [one.captura for one in played], came)
        return real / MINUTE_MS, model / MINUTE_MS

    def check() -> tuple[float, float] | None:
        # Each night by its own hour of capture: that is how the figure of an hour is read.
        real = np.flatnonzero(traced.hour(traced.captura) == hour).astype("int64")
        ways = np.concatenate(
            [(one.verificacion - one.captura)[traced.hour(one.captura) == hour] for one in played]
        )
        if min(len(real), len(ways) / len(played)) < FEWEST:
            return None
        return (
            median_ms(traced.captura, [traced.verificacion], real) / MINUTE_MS,
            float(np.median(ways)) / MINUTE_MS,
        )

    return HourRow(
        traced.hour_start(hour),
        traced.is_fitted(hour),
        len(came),
        (share(traced.captura), float(np.mean([share(one.captura) for one in played]))),
        (share(traced.verificacion), float(np.mean([share(one.verificacion) for one in played]))),
        wait(),
        check(),
    )


def _points(key: str, words: str, pairs: list[tuple[float, float]]) -> Bound:
    errors = [abs(model - real) for real, model in pairs]
    return Bound(key, words, round(max(errors), 2), sum(e <= POINTS_BOUND for e in errors), len(errors))


def _share(key: str, words: str, pairs: list[tuple[float, float] | None]) -> Bound:
    errors = [abs(pair[1] / pair[0] - 1) for pair in pairs if pair is not None]
    worst = round(max(errors, default=0.0) * 100, 1)
    return Bound(key, words, worst, sum(e <= DELAY_BOUND for e in errors), len(errors))


def _stop_pairs(traced: Traced, played: Played) -> tuple[tuple[Stop, Stop | None], ...]:
    """Each real total stop and the one the same detector finds in the simulated night, if any."""
    times = {"acopio": traced.acopio, "captura": played.captura, "verificacion": played.verificacion}
    frame = pd.DataFrame({phase: values.astype("float64") for phase, values in times.items()})
    found = [s for s in stops(replace(traced.night, frame=frame)) if s.phase == "total"]
    pairs = []
    for real in traced.stops:
        over = [s for s in found if s.start < real.end and s.end > real.start]
        pairs.append((real, max(over, key=lambda s: s.minutes) if over else None))
    return tuple(pairs)
