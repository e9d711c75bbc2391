"""Fits the capture centre to a real night: one half of the hours is looked at, the other never.

The model is a FIFO pool for capture, played by `simulator.fast.kernel` on the night's own acopio times, with
total stops as `core.published.analysis` finds them and delays that occupy nobody; verification is only
such a delay, because it was never seen to be a queue of its own. An acta belongs to the hour of the local
clock in which it enters a stage; of the actas of odd hours only the entry is used. Capacity comes from
`capacity`; delays, by contest and half hour, from `delays`.

It does not model people, arrivals or the contents of the actas, and it forces nothing: judging is
`judge`, and what is out of bounds is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
from numpy.typing import NDArray

from core.published.analysis import HOUR_MS, MINUTE_MS, TEN_MINUTES_MS
from simulator.calibration.capacity import Point, pieces
from simulator.calibration.delays import FEWEST, HALF_HOUR_MS, Bases, drawn, even_luck, measured, pooled
from simulator.calibration.order import at_random, capture_order
from simulator.calibration.traced import Bools, Ints, Traced
from simulator.fast.kernel import Pool, WorkClock, hold, serve

CAPTURE_WORK_MS = 60_000
"""Work of one capture in the model. Only the capacity (servers over work) is fitted, not this."""
NO_QUEUE_MS = 15 * MINUTE_MS
"""A longer way from acopio to captura is taken to be a queue."""
QUIET_MS = 5 * MINUTE_MS
"""A half hour met no queue when three quarters of its ways are shorter: they give the base delay."""
FEWEST_OF_A_POINT = 5
APART = 0.2
"""By how much the territory must help to explain the ways for the pool to be taken as one per territory."""
IN_TURN = 0.75
"""With fewer pairs in turn than this (half way from any order to the order of arrival), any order."""
POINTS_BOUND, DELAY_BOUND = 3.0, 0.20
GOLDEN, SILVER = (5**0.5 - 1) / 2, 2**0.5 - 1
SIZES = tuple(float(size) for size in np.geomspace(0.5, 2.0, 41))
"""Sizes of a lent pool that are tried, as shares of the busiest fitted hour."""
PLAYS, TRIAL_PLAYS = 25, 5
"""Nights played to judge and to try a size: the median of an hour of few actas must not hang on one draw."""


@dataclass(frozen=True)
class Fitted:
    """The numbers of a fit.

    `per_hour` is the capture capacity (actas an hour) from each of `starts_ms` on. With `by_territory`
    each territory has a pool of its own, of a size in proportion to its actas. Without `in_turn` a pool
    takes any acta of those waiting; only a lent model is ever so.
    """

    starts_ms: tuple[int, ...]
    per_hour: tuple[int, ...]
    capture_base: Bases
    verify_base: Bases
    by_territory: bool = False
    in_turn: bool = True


@dataclass(frozen=True)
class Played:
    """The night as the model says it went: ms per traced acta."""

    captura: Ints
    verificacion: Ints


def play(traced: Traced, fitted: Fitted, seed: int = 1) -> Played:
    """Run the model on the night's acopio times; the same seed gives every acta the same luck."""
    done = _served(traced, fitted, seed)
    luck = even_luck(seed, "captura", GOLDEN)
    base = drawn(fitted.capture_base, traced.contest, traced.acopio, luck)
    captura = np.array(hold(done.tolist(), base.tolist(), traced.pauses), dtype="int64")
    luck = even_luck(seed, "verificacion", SILVER)
    base = drawn(fitted.verify_base, traced.contest, captura, luck)
    return Played(captura, np.array(hold(captura.tolist(), base.tolist(), traced.pauses), dtype="int64"))


def plays(traced: Traced, fitted: Fitted, count: int = PLAYS) -> list[Played]:
    """The nights that are judged: the same model with other luck each time."""
    return [play(traced, fitted, seed) for seed in range(1, count + 1)]


def _served(traced: Traced, fitted: Fitted, seed: int) -> Ints:
    arrivals = traced.acopio
    done = np.zeros(len(arrivals), dtype="int64")
    if not fitted.by_territory:
        return _one_pool(arrivals, CAPTURE_WORK_MS, capture_pool(traced, fitted), fitted.in_turn, seed, "")
    for territory in np.unique(traced.territory):
        rows = np.flatnonzero(traced.territory == territory)
        size = fitted.per_hour[0] * len(rows) / len(arrivals)
        servers = max(1, round(size * CAPTURE_WORK_MS / HOUR_MS))
        # Whole people and an exact capacity: the work gives way. A constant size is all a lent model has.
        work = max(1, round(HOUR_MS * servers / size))
        pool = Pool((servers,), stops=traced.pauses)
        done[rows] = _one_pool(arrivals[rows], work, pool, fitted.in_turn, seed, str(territory))
    return done


def _one_pool(arrivals: Ints, work: int, pool: Pool, in_turn: bool, seed: int, name: str) -> Ints:
    done = np.array(serve(arrivals.tolist(), [work] * len(arrivals), pool), dtype="int64")
    return done if in_turn else at_random(arrivals, done, work, seed, name)


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

    A given model lends its base delays, the same all night and for every contest because its hours and
    its ballots were of another night; its capacity becomes constant. How the fitted actas were captured
    says whether the pool is also tried as one per territory, and whether it takes them in turn.
    Raises UsageError when no fitted half hour was without a queue.
    """
    if model is not None:
        return _one_size(traced, model)
    seen = traced.fitted(traced.acopio)
    clock = WorkClock(traced.pauses)
    arrivals, served, checked = (
        np.array([clock.work(at) for at in times.tolist()], dtype="int64")
        for times in (traced.acopio, traced.captura, traced.verificacion)
    )
    way = served - arrivals
    quiet = seen & _quiet(traced.acopio, way, seen)
    base = measured(traced.contest, traced.acopio, way, quiet, CAPTURE_WORK_MS)
    middle = drawn(base, traced.contest, traced.acopio, lambda count: np.full(count, 0.5)) + CAPTURE_WORK_MS
    points = []
    groups = traced.acopio // TEN_MINUTES_MS
    for group in np.unique(groups[seen]):
        rows = np.flatnonzero(seen & (groups == group))
        if len(rows) < FEWEST_OF_A_POINT:
            continue
        usual = float(np.median(middle[rows]))
        waited = float(np.median(way[rows])) - usual
        queued = waited > usual
        at = float(np.median(arrivals[rows])) + (waited if queued else 0.0)
        points.append(Point(at, float(np.median(rows)) + 0.5, queued))
    found = pieces(arrivals, points)
    return Fitted(
        tuple(clock.wall(int(at)) for at, _ in found),
        tuple(max(60, round(rate * HOUR_MS)) for _, rate in found),
        base,
        measured(traced.contest, traced.captura, checked - served, traced.fitted(traced.captura)),
    )


def _quiet(entered: Ints, way: Ints, seen: Bools) -> Bools:
    """The actas of the fitted half hours that met no queue."""
    answer = np.zeros(len(entered), dtype=bool)
    halves = entered // HALF_HOUR_MS
    for half in np.unique(halves[seen]):
        rows = np.flatnonzero(seen & (halves == half))
        if len(rows) >= FEWEST and float(np.percentile(way[rows], 75)) < QUIET_MS:
            answer[rows] = way[rows] < NO_QUEUE_MS
    return answer


def _one_size(traced: Traced, model: Fitted) -> Fitted:
    seen = traced.fitted(traced.acopio)
    captured = traced.hour(traced.captura)
    busiest = max(int((captured[seen] == hour).sum()) for hour in np.unique(captured[seen]))
    start = replace(
        model,
        starts_ms=(int(traced.acopio[0]),),
        capture_base=pooled(model.capture_base),
        verify_base=pooled(model.verify_base),
    )
    order = capture_order(traced, seen)
    shapes = [(False, order.in_turn >= IN_TURN)]
    if order.with_territory - order.hour >= APART:
        shapes.append((True, order.in_turn_apart >= IN_TURN))
    goal = _Goal(traced, seen)
    tried = [
        replace(start, per_hour=(max(60, round(busiest * size)),), by_territory=apart, in_turn=in_turn)
        for apart, in_turn in shapes
        for size in SIZES
    ]
    return min(tried, key=lambda one: goal.cost(plays(traced, one, TRIAL_PLAYS)))


class _Goal:
    """How far played nights are from the real one in what is judged, looking only at the fitted actas."""

    def __init__(self, traced: Traced, seen: Bools) -> None:
        self._traced = traced
        self._seen = seen
        came = traced.hour(traced.acopio)
        self._groups: list[tuple[Ints, float]] = []
        for hour in np.unique(came[seen]):
            rows = np.flatnonzero(came == hour).astype("int64")
            if len(rows) >= FEWEST:
                self._groups.append((rows, median_ms(traced.acopio, [traced.captura], rows)))
        # To the last of the fitted actas: how late the others ended is not looked at.
        hours = range(int(came.min()), int(traced.hour(traced.verificacion[seen]).max()) + 1)
        self._ends = np.array([traced.hour_start(hour + 1) for hour in hours if traced.is_fitted(hour)])
        self._real = [self._curve(traced.captura), self._curve(traced.verificacion)]

    def _curve(self, times: Ints) -> NDArray[np.float64]:
        """Percent of the fitted actas done at the end of each fitted hour."""
        shares: NDArray[np.float64] = (times[self._seen] < self._ends[:, None]).mean(axis=1) * 100
        return shares

    def cost(self, played: list[Played]) -> float:
        """Squared differences of both curves and of the ways to capture, each in units of its bound."""
        captured = [one.captura for one in played]
        stages = (captured, [one.verificacion for one in played])
        cost = 0.0
        for real, times in zip(self._real, stages, strict=True):
            model = np.mean([self._curve(one) for one in times], axis=0)
            cost += float((((model - real) / POINTS_BOUND) ** 2).sum())
        for rows, way in self._groups:
            ratio = median_ms(self._traced.acopio, captured, rows) / way
            cost += (log(ratio) / log(1 + DELAY_BOUND)) ** 2
        return cost


def median_ms(before: Ints, nights: Sequence[Ints], rows: Ints) -> float:
    """Median way of some actas in all those nights put together, at least 1 ms."""
    return max(1.0, float(np.median(np.concatenate([after[rows] - before[rows] for after in nights]))))
