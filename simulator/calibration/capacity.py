"""The capacity of a FIFO pool read from the actas of the fitted hours, without seeing the others.

An acta that came as number n (n is known: every acopio is) and was captured at T, its base delay apart,
says that the pool had dealt with n actas by T. Between two such points with a queue the capacity is
actas over time. Where there was no queue the capacity cannot be seen and these rules are used:

- a queue that is gone by the next point: the last capacity seen is held, or the least that empties it;
- a queue that is there at the next point: the one constant capacity that makes it that long;
- no queue at either end: the highest capacity seen, so that the model explains no queue nobody saw.

Times are milliseconds of working time (total stops taken out). It knows nothing of hours or files.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
MINUTE_MS = 60_000
HELD_MS = 20 * MINUTE_MS
"""Stretch over which «the last capacity seen» is measured."""
PEAK_MS = 10 * MINUTE_MS
BISECTIONS = 40


@dataclass(frozen=True)
class Point:
    """A group of actas: when they were served, how many came up to its middle, whether they queued."""

    at: float
    rank: float
    queued: bool


def pieces(arrivals: Ints, points: list[Point]) -> list[tuple[float, float]]:
    """(beginning, actas per ms) of each stretch of constant capacity, by time; the last has no end.

    `arrivals` are the sorted arrivals of every acta; `points` are sorted by rank.
    """
    ordered: list[Point] = []
    for point in points:
        after = ordered[-1].at + 1000.0 if ordered else point.at
        ordered.append(Point(max(point.at, after), point.rank, point.queued))
    seen = [_seen(a, b) for a, b in pairwise(ordered)]
    spans = [b.at - a.at for a, b in pairwise(ordered)]
    top = _top(arrivals, seen, spans)
    found = [(float(arrivals[0]) - 60 * MINUTE_MS, top)]
    for k, (a, b) in enumerate(pairwise(ordered)):
        rate = seen[k]
        if rate is None and a.queued:
            least = _rate_to(arrivals, a, b.at, b.rank - 1.5, top)
            rate = max(_held(seen[:k], spans[:k]), least)
        elif rate is None and b.queued:
            rate = _rate_to(arrivals, a, b.at, b.rank, top)
        found.append((a.at, top if rate is None else rate))
    if ordered:
        found.append((ordered[-1].at, top))
    return found


def _seen(a: Point, b: Point) -> float | None:
    return (b.rank - a.rank) / (b.at - a.at) if a.queued and b.queued else None


def _top(arrivals: Ints, seen: list[float | None], spans: list[float]) -> float:
    """The highest capacity kept up for a while, or the busiest ten minutes of arrivals if higher."""
    busiest = (np.searchsorted(arrivals, arrivals + PEAK_MS) - np.arange(len(arrivals))).max()
    best = float(busiest) / PEAK_MS
    for first in range(len(seen)):
        done = time = 0.0
        for rate, span in zip(seen[first:], spans[first:], strict=True):
            if rate is None:
                break
            done, time = done + rate * span, time + span
            if time >= HELD_MS:
                best = max(best, done / time)
                break
    return best


def _held(seen: list[float | None], spans: list[float]) -> float:
    done = time = 0.0
    for rate, span in zip(reversed(seen), reversed(spans), strict=True):
        if rate is None or time >= HELD_MS:
            break
        done, time = done + rate * span, time + span
    return done / time if time else 0.0


def _rate_to(arrivals: Ints, start: Point, until: float, rank: float, top: float) -> float:
    """The constant capacity with which `rank` actas are dealt with by `until`; the least one."""
    minutes = np.append(np.arange(start.at, until, MINUTE_MS), until)
    came = np.searchsorted(arrivals, minutes)
    low, high = 0.0, 4 * top
    for _ in range(BISECTIONS):
        rate = (low + high) / 2
        if _served(minutes, came, start.rank, rate) < rank:
            low = rate
        else:
            high = rate
    return high


def _served(minutes: NDArray[np.float64], came: Ints, begun: float, rate: float) -> float:
    done = begun
    for k in range(1, len(minutes)):
        done = min(done + rate * float(minutes[k] - minutes[k - 1]), max(float(came[k]), done))
    return done
