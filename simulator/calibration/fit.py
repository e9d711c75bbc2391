"""Fits the capture centre to a real night: one half of the hours is looked at, the other never.

The model is a FIFO pool for capture, played by `simulator.fast.kernel` on the night's own acopio times, with
total stops as `core.published.analysis` finds them and delays that occupy nobody; verification is only
such a delay, because it was never seen to be a queue of its own. An acta belongs to the hour of the local
clock in which it enters a stage; of the actas of odd hours only the entry is used. Capacity comes from
`calibrate_capacity`; base delays are those of half hours, with a straight line between them.

It does not model people, arrivals or the contents of the actas, and it forces nothing: judging is
`calibrate_judge`, and what is out of bounds is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import UsageError
from core.published.analysis import HOUR_MS, MINUTE_MS, TEN_MINUTES_MS, Stop, stops
from core.published.night import Night
from simulator.calibration.capacity import Point, pieces
from simulator.fast.kernel import Pool, WorkClock, hold, serve
from simulator.seeds import Seeds

CAPTURE_WORK_MS = 60_000
"""Work of one capture in the model. Only the capacity (servers over work) is fitted, not this."""
NO_QUEUE_MS = 15 * MINUTE_MS
"""A longer way from acopio to captura is taken to be a queue."""
QUIET_MS = 5 * MINUTE_MS
"""A half hour met no queue when three quarters of its ways are shorter: they give the base delay."""
HALF_HOUR_MS = 30 * MINUTE_MS
FEWEST = 20
"""Hours with fewer actas have no median worth judging (they are still in the curves)."""
FEWEST_OF_A_POINT = 5
APART = 0.2
"""By how much the territory must help to explain the ways for the pool to be taken as one per territory."""
POINTS_BOUND, DELAY_BOUND = 3.0, 0.20
GOLDEN, SILVER = (5**0.5 - 1) / 2, 2**0.5 - 1
SIZES = tuple(float(size) for size in np.geomspace(0.3, 3.0, 70))
"""Sizes of a lent pool that are tried, as shares of the busiest fitted hour."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Traced:
    """The actas of a night whose three times are known and in order: what the model can be given.

    Times are ms, in order of acopio; `territory` and `medium` are those of each acta. `left_out`
    captured actas have no usable times and are not modelled. The fitted hours are the even ones, or the odd
    ones when `parity` is 1.
    """

    night: Night
    acopio: Ints
    captura: Ints
    verificacion: Ints
    territory: NDArray[np.str_]
    medium: NDArray[np.str_]
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


@dataclass(frozen=True)
class Base:
    """A delay that occupies nobody: 101 quantiles (ms) at moments of the night, a line between them.

    `actas` are those behind each moment.
    """

    at_ms: tuple[int, ...]
    actas: tuple[int, ...]
    quantiles: tuple[tuple[int, ...], ...]

    def drawn(self, times: Ints, uniforms: NDArray[np.float64]) -> list[int]:
        """The delay (ms) of each acta that enters at a time with its luck in [0, 1)."""
        table = np.array(self.quantiles, dtype="float64")
        place = np.interp(times, self.at_ms, np.arange(len(self.at_ms)))
        row = np.minimum(place.astype("int64"), max(0, len(table) - 2))
        part = place - row
        following = np.minimum(row + 1, len(table) - 1)
        luck = uniforms * 100
        low = luck.astype("int64")
        rest = luck - low
        high = np.minimum(low + 1, 100)
        one = table[row, low] * (1 - rest) + table[row, high] * rest
        two = table[following, low] * (1 - rest) + table[following, high] * rest
        return [int(value) for value in one * (1 - part) + two * part]

    def all_night(self) -> Base:
        """The same delay at every moment: what can be lent to another night."""
        weights = np.array(self.actas, dtype="float64") / sum(self.actas)
        pooled = (np.array(self.quantiles, dtype="float64") * weights[:, None]).sum(axis=0)
        return Base((0,), (sum(self.actas),), (tuple(int(value) for value in pooled),))


@dataclass(frozen=True)
class Fitted:
    """The numbers of a fit.

    `per_hour` is the capture capacity (actas an hour) from each of `starts_ms` on. With `by_territory`
    each territory has a pool of its own, of a size in proportion to its actas.
    """

    starts_ms: tuple[int, ...]
    per_hour: tuple[int, ...]
    capture_base: Base
    verify_base: Base
    by_territory: bool = False


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
    return Traced(
        night, acopio, captura, verificacion,
        known["territory"].to_numpy().astype("str"), known["medium"].to_numpy().astype("str"),
        total, left_out,
    )  # fmt: skip


def play(traced: Traced, fitted: Fitted, seed: int = 1) -> Played:
    """Run the model on the night's acopio times; the same seed gives every acta the same luck."""
    done = _served(traced, fitted)
    base = fitted.capture_base.drawn(traced.acopio, _luck(seed, "captura", len(done), GOLDEN))
    captura = np.array(hold(done.tolist(), base, traced.pauses), dtype="int64")
    base = fitted.verify_base.drawn(captura, _luck(seed, "verificacion", len(done), SILVER))
    return Played(captura, np.array(hold(captura.tolist(), base, traced.pauses), dtype="int64"))


def _luck(seed: int, stage: str, count: int, step: float) -> NDArray[np.float64]:
    """Evenly spread numbers from a drawn beginning: any stretch of them has hardly any chance in it."""
    begin = Seeds(seed).stream(f"calibrar/{stage}").random()
    luck: NDArray[np.float64] = np.mod(begin + step * np.arange(count), 1.0)
    return luck


def _served(traced: Traced, fitted: Fitted) -> Ints:
    arrivals = traced.acopio
    if not fitted.by_territory:
        pool = capture_pool(traced, fitted)
        return np.array(serve(arrivals.tolist(), [CAPTURE_WORK_MS] * len(arrivals), pool), dtype="int64")
    done = np.zeros(len(arrivals), dtype="int64")
    for territory in np.unique(traced.territory):
        rows = np.flatnonzero(traced.territory == territory)
        size = fitted.per_hour[0] * len(rows) / len(arrivals)
        servers = max(1, round(size * CAPTURE_WORK_MS / HOUR_MS))
        # Whole people and an exact capacity: the work gives way. A constant size is all a lent model has.
        work = max(1, round(HOUR_MS * servers / size))
        done[rows] = serve(arrivals[rows].tolist(), [work] * len(rows), Pool((servers,), stops=traced.pauses))
    return done


def capture_pool(traced: Traced, fitted: Fitted) -> Pool:
    """The servers of capture every ten minutes: whole servers whose sum follows the fitted capacity."""
    first = int(traced.acopio[0]) // TEN_MINUTES_MS * TEN_MINUTES_MS
    last = int(traced.verificacion.max())
    starts = np.arange(first, last + 1, TEN_MINUTES_MS, dtype="int64")
    minutes = first + np.arange(10 * len(starts), dtype="int64") * MINUTE_MS
    piece = np.maximum(0, np.searchsorted(fitted.starts_ms, minutes, side="right") - 1)
    line = np.array(fitted.per_hour, dtype="float64")[piece].reshape(-1, 10).mean(axis=1)
    whole = np.diff(np.rint(np.cumsum(line * CAPTURE_WORK_MS / HOUR_MS)), prepend=0.0)
    servers = tuple(max(1, int(count)) for count in whole)
    return Pool(servers, tuple(starts.tolist()), traced.pauses)


def fit(traced: Traced, model: Fitted | None = None) -> Fitted:
    """Fit the centre on the even hours; with `model`, only the size of its capture pool (one number).

    A given model lends its base delays, the same all night because its hours were of another night; its
    capacity becomes constant. One pool per territory is tried too when the order in which the fitted actas
    were captured says that the capture was not one queue.
    Raises UsageError when no fitted half hour was without a queue.
    """
    if model is not None:
        return _one_size(traced, model)
    seen = traced.fitted(traced.acopio)
    way = traced.captura - traced.acopio
    base = _base(traced.acopio, way, seen, CAPTURE_WORK_MS, _without_queue)
    clock = WorkClock(traced.pauses)
    arrivals = np.array([clock.work(at) for at in traced.acopio.tolist()], dtype="int64")
    served = np.array([clock.work(at) for at in traced.captura.tolist()], dtype="int64")
    middle = np.interp(traced.acopio, base.at_ms, [row[50] for row in base.quantiles]) + CAPTURE_WORK_MS
    points = []
    groups = traced.acopio // TEN_MINUTES_MS
    for group in np.unique(groups[seen]):
        rows = np.flatnonzero(seen & (groups == group))
        if len(rows) < FEWEST_OF_A_POINT:
            continue
        usual = float(middle[rows[len(rows) // 2]])
        waited = float(np.median((served - arrivals)[rows])) - usual
        queued = waited > usual
        at = float(np.median(arrivals[rows])) + (waited if queued else 0.0)
        points.append(Point(at, float(np.median(rows)) + 0.5, queued))
    found = pieces(arrivals, points)
    checked = traced.fitted(traced.captura)
    return Fitted(
        tuple(clock.wall(int(at)) for at, _ in found),
        tuple(max(60, round(rate * HOUR_MS)) for _, rate in found),
        base,
        _base(traced.captura, traced.verificacion - traced.captura, checked, 0, _whole),
    )


def _base(entered: Ints, delays: Ints, seen: Bools, work_ms: int, usable: Callable[[Ints], Ints]) -> Base:
    """The delay of each fitted half hour, of those of its actas that are `usable`; few actas give none."""
    groups = entered // HALF_HOUR_MS
    found = []
    for group in np.unique(groups[seen]):
        rows = np.flatnonzero(seen & (groups == group))
        taken = usable(delays[rows])
        if len(rows) >= FEWEST and len(taken):
            found.append((int(np.median(entered[rows])), len(rows), _quantiles(taken, work_ms)))
    if not found:
        raise UsageError("ninguna media hora de ajuste estuvo sin cola: no se puede medir la demora de base")
    at, actas, quantiles = zip(*found, strict=True)
    return Base(at, actas, quantiles)


def _without_queue(way: Ints) -> Ints:
    return way[way < NO_QUEUE_MS] if float(np.percentile(way, 75)) < QUIET_MS else way[:0]


def _whole(delays: Ints) -> Ints:
    return delays


def _quantiles(delays: Ints, work_ms: int) -> tuple[int, ...]:
    values = np.percentile(delays, np.arange(101)) - work_ms
    return tuple(max(0, int(value)) for value in values)


def _one_size(traced: Traced, model: Fitted) -> Fitted:
    seen = traced.fitted(traced.acopio)
    captured = traced.hour(traced.captura)
    busiest = max(int((captured[seen] == hour).sum()) for hour in np.unique(captured[seen]))
    start = replace(
        model,
        starts_ms=(int(traced.acopio[0]),),
        capture_base=model.capture_base.all_night(),
        verify_base=model.verify_base.all_night(),
    )
    order = capture_order(traced, seen)
    shapes = (False, True) if order.with_territory - order.hour >= APART else (False,)
    goal = _Goal(traced, seen)
    tried = [
        replace(start, per_hour=(max(60, round(busiest * size)),), by_territory=shape)
        for shape in shapes
        for size in SIZES
    ]
    return min(tried, key=lambda one: goal.cost(play(traced, one).captura))


class _Goal:
    """How far a simulated capture is from the real one, looking only at the fitted actas."""

    def __init__(self, traced: Traced, seen: Bools) -> None:
        self._traced = traced
        self._seen = seen
        came = traced.hour(traced.acopio)
        self._groups: list[tuple[Ints, float]] = []
        for hour in np.unique(came[seen]):
            rows = np.flatnonzero(came == hour).astype("int64")
            if len(rows) >= FEWEST:
                self._groups.append((rows, median_ms(traced.acopio, traced.captura, rows)))
        self._ends = np.array([traced.hour_start(h + 1) for h in traced.hours() if traced.is_fitted(h)])
        self._real = np.searchsorted(np.sort(traced.captura[seen]), self._ends)

    def cost(self, captura: Ints) -> float:
        """Squared differences, each in units of its bound."""
        mine = np.sort(captura[self._seen])
        curve = (np.searchsorted(mine, self._ends) - self._real) * 100 / len(mine)
        cost = float(((curve / POINTS_BOUND) ** 2).sum())
        for rows, real in self._groups:
            ratio = median_ms(self._traced.acopio, captura, rows) / real
            cost += (log(ratio) / log(1 + DELAY_BOUND)) ** 2
        return cost


def median_ms(before: Ints, after: Ints, rows: Ints) -> float:
    """Median way of some actas, at least 1 ms."""
    return max(1.0, float(np.median(after[rows] - before[rows])))


@dataclass(frozen=True)
class Order:
    """How much of the (logarithm of the) way to capture is explained, adjusted R², from 0 to 1.

    One statewide queue in order of arrival is explained by the hour alone; queues by territory are not.
    """

    hour: float
    with_territory: float
    with_medium: float


def capture_order(traced: Traced, rows: Bools | None = None) -> Order:
    """Was it one queue in order of arrival? Of all the traced actas, or of some."""
    frame = pd.DataFrame(
        {
            "way": np.log((traced.captura - traced.acopio) / MINUTE_MS + 0.5),
            "hour": traced.hour(traced.acopio),
            "territory": traced.territory,
            "medium": traced.medium,
        }
    )
    if rows is not None:
        frame = frame[rows]

    def explained(*by: str) -> float:
        groups = frame.groupby(list(by))["way"]
        left = frame["way"] - groups.transform("mean")
        free = len(frame) - groups.ngroups
        total = float(((frame["way"] - frame["way"].mean()) ** 2).sum())
        if free <= 0 or total == 0:
            return 0.0
        return max(0.0, 1 - float((left**2).sum()) / free / (total / (len(frame) - 1)))

    return Order(explained("hour"), explained("hour", "territory"), explained("hour", "medium"))
