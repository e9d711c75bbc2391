"""Fits the capture centre to a real night and judges the fit on hours it never saw.

The model is one statewide FIFO pool for capture and another for verification, played by
`simulator.kernel` on the night's own acopio times: total stops as `core.published.analysis` finds
them, a capture capacity that is a straight line between one number per even hour, and delays that
occupy nobody (the way of an acta that met no queue). Even hours of the local clock are fitted; odd hours
are only judged. It does not model people, arrivals or the contents of the actas, and it does not
force a fit: what is out of bounds is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import UsageError
from core.published.analysis import HOUR_MS, MINUTE_MS, TEN_MINUTES_MS, Stop, stops
from core.published.night import Night
from simulator.kernel import Pool, hold, serve
from simulator.seeds import Seeds

CAPTURE_WORK_MS = 60_000
"""Work of one capture in the model. Only the capacity (servers over work) is fitted, not this."""
VERIFY_WORK_MS = 20_000
NO_QUEUE_MS = 15 * MINUTE_MS
"""A longer way from acopio to captura is taken to be a queue."""
QUIET_HOUR_MS = 5 * MINUTE_MS
"""An hour whose median way is shorter met no queue: its captures give the base delay."""
FEWEST = 20
"""Hours with fewer actas have no median worth judging (they are still in the curves)."""
POINTS_BOUND, DELAY_BOUND, STOP_BOUND_MS = 3.0, 0.20, MINUTE_MS
STEPS = (0.5, 0.7, 0.85, 0.93, 0.97, 0.99, 1.01, 1.03, 1.07, 1.15, 1.4, 2.0)
SWEEPS = 4

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Traced:
    """The actas of a night whose three times are known and in order: what the model can be given.

    Times are ms, in order of acopio. `left_out` captured actas have no usable times and are not
    modelled.
    """

    night: Night
    acopio: Ints
    captura: Ints
    verificacion: Ints
    stops: tuple[Stop, ...]
    left_out: int

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


@dataclass(frozen=True)
class Fitted:
    """The numbers of a fit.

    `knots_ms` and `per_hour` are the capture capacity (actas an hour) at moments of the night, a line
    between them; `capture_base_ms` and `verify_base_ms` are 101 quantiles of the delay that occupies
    nobody; `verify_per_hour` is the constant capacity of verification.
    """

    knots_ms: tuple[int, ...]
    per_hour: tuple[int, ...]
    verify_per_hour: int
    capture_base_ms: tuple[int, ...]
    verify_base_ms: tuple[int, ...]


@dataclass(frozen=True)
class Played:
    """The night as the model says it went: ms per traced acta."""

    captura: Ints
    verificacion: Ints


def trace(night: Night) -> Traced:
    """The actas of a night that can be modelled. Raises UsageError when there are too few."""
    frame = night.frame.reset_index(drop=True)
    known = frame.dropna(subset=["acopio", "captura", "verificacion"])
    known = known[(known["acopio"] <= known["captura"]) & (known["captura"] <= known["verificacion"])]
    if len(known) < 500:
        raise UsageError(
            f"solo {len(known)} actas tienen acopio, captura y verificación en orden; se necesitan 500"
        )
    known = known.sort_values(["acopio", "file", "line"])
    acopio, captura, verificacion = (
        known[phase].to_numpy().astype("int64") for phase in ("acopio", "captura", "verificacion")
    )
    total = tuple(stop for stop in stops(night) if stop.phase == "total")
    left_out = int(frame["captura"].notna().sum()) - len(known)
    return Traced(night, acopio, captura, verificacion, total, left_out)


def play(traced: Traced, fitted: Fitted, seed: int = 1) -> Played:
    """Run the model on the night's acopio times; the same seed gives every acta the same luck."""
    captura = _capture(traced, fitted, _base(traced, fitted.capture_base_ms, "captura", seed))
    servers = max(1, round(fitted.verify_per_hour * VERIFY_WORK_MS / HOUR_MS))
    pool = Pool((servers,), stops=traced.pauses)
    done = serve(captura.tolist(), [VERIFY_WORK_MS] * len(captura), pool)
    base = _base(traced, fitted.verify_base_ms, "verificacion", seed)
    return Played(captura, np.array(hold(done, base, traced.pauses), dtype="int64"))


def _capture(traced: Traced, fitted: Fitted, base: Sequence[int]) -> Ints:
    pool = capture_pool(traced, fitted)
    done = serve(traced.acopio.tolist(), [CAPTURE_WORK_MS] * len(traced.acopio), pool)
    return np.array(hold(done, base, traced.pauses), dtype="int64")


def capture_pool(traced: Traced, fitted: Fitted) -> Pool:
    """The servers of capture every ten minutes: whole servers whose sum follows the fitted line."""
    first = int(traced.acopio[0]) // TEN_MINUTES_MS * TEN_MINUTES_MS
    last = max(int(traced.verificacion.max()), fitted.knots_ms[-1])
    starts = np.arange(first, last + 1, TEN_MINUTES_MS, dtype="int64")
    line = np.interp(starts + TEN_MINUTES_MS // 2, fitted.knots_ms, fitted.per_hour)
    wanted = np.cumsum(line * CAPTURE_WORK_MS / HOUR_MS)
    whole = np.diff(np.rint(wanted), prepend=0.0)
    servers = tuple(max(1, int(count)) for count in whole)
    return Pool(servers, tuple(starts.tolist()), traced.pauses)


def _base(traced: Traced, quantiles: Sequence[int], name: str, seed: int) -> list[int]:
    uniforms = Seeds(seed).uniforms(f"calibrar/{name}", len(traced.acopio))
    drawn = np.interp(np.array(uniforms) * 100, np.arange(101), quantiles)
    return [int(value) for value in drawn]


def fit(traced: Traced, model: Fitted | None = None) -> Fitted:
    """Fit the centre on the even hours; with `model`, only the size of its capture pool (one number).

    A given model lends its base delays; its capacity becomes constant, because its hours were of
    another night. The verification capacity is not refitted either: it is scaled with the pool.
    """
    start = _first_guess(traced) if model is None else _one_size(traced, model)
    fitted = start
    base = _base(traced, start.capture_base_ms, "captura", 1)
    goal = _Goal(traced)
    best = goal.cost(_capture(traced, fitted, base))
    groups: list[tuple[int, ...]] = (
        [(k,) for k in range(len(start.per_hour))] if model is None else [tuple(range(len(start.per_hour)))]
    )
    for _ in range(SWEEPS):
        before = best
        for group in groups:
            for step in STEPS:
                sizes = list(fitted.per_hour)
                for k in group:
                    sizes[k] = max(60, round(fitted.per_hour[k] * step))
                tried = replace(fitted, per_hour=tuple(sizes))
                cost = goal.cost(_capture(traced, tried, base))
                if cost < best:
                    best, fitted = cost, tried
        if before - best < 1e-3 * before:
            break
    if model is not None:
        scale = max(fitted.per_hour) / max(model.per_hour)
        fitted = replace(fitted, verify_per_hour=max(180, round(model.verify_per_hour * scale)))
    return fitted


class _Goal:
    """How far a simulated capture is from the real one, on the fitted hours only."""

    def __init__(self, traced: Traced) -> None:
        self._traced = traced
        came = traced.hour(traced.acopio)
        self._groups: list[tuple[Ints, float]] = []
        for hour in np.unique(came):
            rows = np.flatnonzero(came == hour).astype("int64")
            if is_fitted(int(hour)) and len(rows) >= FEWEST:
                self._groups.append((rows, _median_ms(traced.acopio, traced.captura, rows)))
        hours = [h for h in _hours(traced) if is_fitted(h)]
        self._ends = np.array([traced.hour_start(h + 1) for h in hours])
        self._real = np.searchsorted(np.sort(traced.captura), self._ends)

    def cost(self, captura: Ints) -> float:
        """Squared differences, each in units of its bound."""
        curve = (np.searchsorted(np.sort(captura), self._ends) - self._real) * 100 / len(captura)
        cost = float(((curve / POINTS_BOUND) ** 2).sum())
        for rows, real in self._groups:
            cost += (log(_median_ms(self._traced.acopio, captura, rows) / real) / DELAY_BOUND) ** 2
        return cost


def is_fitted(hour: int) -> bool:
    """Even hours of the local clock are fitted, odd ones are kept for judging."""
    return hour % 2 == 0


def _hours(traced: Traced) -> range:
    first, last = traced.hour(np.array([traced.acopio.min(), traced.verificacion.max()]))
    return range(int(first), int(last) + 1)


def _median_ms(before: Ints, after: Ints, rows: Ints) -> float:
    return max(1.0, float(np.median(after[rows] - before[rows])))


def _fitted_rows(hours: Ints) -> NDArray[np.bool_]:
    return np.asarray(hours % 2 == 0)


def _first_guess(traced: Traced) -> Fitted:
    came, captured = traced.hour(traced.acopio), traced.hour(traced.captura)
    way = traced.captura - traced.acopio
    quiet = np.zeros(len(way), dtype=bool)
    for hour in np.unique(came):
        here = came == hour
        quiet |= here & (is_fitted(int(hour)) and float(np.median(way[here])) < QUIET_HOUR_MS)
    quiet &= way < NO_QUEUE_MS
    if quiet.sum() < FEWEST:
        raise UsageError("ninguna hora de ajuste estuvo sin cola: no se puede medir la demora de base")
    checked = (traced.verificacion - traced.captura)[_fitted_rows(captured)]
    knots, sizes = [], []
    for hour in _hours(traced):
        if is_fitted(hour):
            start = traced.hour_start(hour)
            lost = sum(max(0, min(e, start + HOUR_MS) - max(s, start)) for s, e in traced.pauses)
            done = int((captured == hour).sum())
            knots.append(start + HOUR_MS // 2)
            sizes.append(max(60, round(done * HOUR_MS / max(MINUTE_MS, HOUR_MS - lost))))
    # The busiest ten minutes of the fitted hours: verification was never seen to be the bottleneck.
    seen = np.sort(traced.verificacion[_fitted_rows(traced.hour(traced.verificacion))])
    busiest = int((np.searchsorted(seen, seen + TEN_MINUTES_MS) - np.arange(len(seen))).max())
    return Fitted(
        tuple(knots),
        tuple(sizes),
        max(180, busiest * 6),
        _quantiles(way[quiet], CAPTURE_WORK_MS),
        _quantiles(checked, VERIFY_WORK_MS),
    )


def _quantiles(delays: Ints, work_ms: int) -> tuple[int, ...]:
    values = np.percentile(delays, np.arange(101)) - work_ms
    return tuple(max(0, int(value)) for value in values)


def _one_size(traced: Traced, model: Fitted) -> Fitted:
    captured = traced.hour(traced.captura)
    busiest = max(int((captured == hour).sum()) for hour in _hours(traced) if is_fitted(hour))
    return replace(model, knots_ms=(int(traced.acopio[0]),), per_hour=(max(60, busiest),))


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
    """The verdict. `mae` is minutes per stage on the judged half; `stops` pairs real and simulated."""

    rows: tuple[HourRow, ...]
    bounds: tuple[Bound, ...]
    mae: dict[str, float]
    stops: tuple[tuple[Stop, Stop | None], ...]

    @property
    def met(self) -> bool:
        """True when every bound is met."""
        return all(bound.met for bound in self.bounds)


def judge(traced: Traced, played: Played) -> Judgement:
    """Compare the played night with the real one, hour by hour and stop by stop."""
    rows = tuple(_row(traced, played, hour) for hour in _hours(traced))
    judged = [row for row in rows if not row.fitted]
    bounds = [
        _points("captura", "curva de captura, ±3 puntos", [row.captura for row in judged]),
        _points("verificacion", "curva de verificación, ±3 puntos", [row.verificacion for row in judged]),
        _share("demora_captura", "mediana de acopio a captura, 20 %", [row.wait for row in judged]),
        _share("demora_verificacion", "mediana de captura a verificación, 20 %", [r.check for r in judged]),
    ]
    pairs = _stop_pairs(traced, played)
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
    unseen = ~_fitted_rows(traced.hour(traced.acopio))
    mae = {
        "captura": _mae(traced.captura, played.captura, unseen),
        "verificacion": _mae(traced.verificacion, played.verificacion, unseen),
    }
    return Judgement(rows, tuple(bounds), mae, pairs)


def _mae(real: Ints, simulated: Ints, rows: NDArray[np.bool_]) -> float:
    return round(float(np.abs(real - simulated)[rows].mean()) / MINUTE_MS, 2)


def _row(traced: Traced, played: Played, hour: int) -> HourRow:
    end = traced.hour_start(hour + 1)
    came = np.flatnonzero(traced.hour(traced.acopio) == hour).astype("int64")

    def share(times: Ints) -> float:
        return float((times < end).mean()) * 100

    def wait() -> tuple[float, float] | None:
        if len(came) < FEWEST:
            return None
        real = _median_ms(traced.acopio, traced.captura, came)
        return real / MINUTE_MS, _median_ms(traced.acopio, played.captura, came) / MINUTE_MS

    def check() -> tuple[float, float] | None:
        # Each night by its own hour of capture: that is how the figure of an hour is read.
        real = np.flatnonzero(traced.hour(traced.captura) == hour).astype("int64")
        model = np.flatnonzero(traced.hour(played.captura) == hour).astype("int64")
        if min(len(real), len(model)) < FEWEST:
            return None
        return (
            _median_ms(traced.captura, traced.verificacion, real) / MINUTE_MS,
            _median_ms(played.captura, played.verificacion, model) / MINUTE_MS,
        )

    return HourRow(
        traced.hour_start(hour),
        is_fitted(hour),
        len(came),
        (share(traced.captura), share(played.captura)),
        (share(traced.verificacion), share(played.verificacion)),
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
