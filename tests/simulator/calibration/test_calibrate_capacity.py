"""The capacity of a pool is found again from the actas of a pool whose capacity is known."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.calibration.capacity import MINUTE_MS, Ints, Point, pieces
from simulator.fast.kernel import Pool, serve

HOUR_MS = 60 * MINUTE_MS


def capacity_at(found: list[tuple[float, float]], at: float) -> float:
    """Actas an hour at a moment."""
    return [rate for since, rate in found if since <= at][-1] * HOUR_MS


def arrivals_of(*per_hour: int) -> Ints:
    """Evenly spread arrivals, so many in each hour."""
    times = [
        hour * HOUR_MS + k * HOUR_MS // count for hour, count in enumerate(per_hour) for k in range(count)
    ]
    return np.array(times, dtype="int64")


def points_of(arrivals: Ints, done: list[int], hours: tuple[int, ...], work_ms: int) -> list[Point]:
    """Points of ten minutes of the given hours of arrival."""
    answer = []
    for ten in np.unique(arrivals // (10 * MINUTE_MS)):
        rows = np.flatnonzero(arrivals // (10 * MINUTE_MS) == ten)
        if int(arrivals[rows[0]]) // HOUR_MS not in hours:
            continue
        way = float(np.median(np.array(done)[rows] - arrivals[rows])) - work_ms
        queued = way > work_ms
        at = float(np.median(arrivals[rows])) + (way if queued else 0.0)
        answer.append(Point(at, float(np.median(rows)) + 0.5, queued))
    return answer


def test_a_pool_that_is_always_behind_shows_its_capacity_also_in_the_hours_not_looked_at() -> None:
    arrivals = arrivals_of(1800, 1500, 1200, 1100, 900)
    pool = Pool((15, 20), (0, 3 * HOUR_MS))
    done = serve(arrivals.tolist(), [MINUTE_MS] * len(arrivals), pool)
    found = pieces(arrivals, points_of(arrivals, done, (0, 2, 4), MINUTE_MS))
    # What came in hour 1 is captured between 02:00 and 03:40: the change at 03:00 is inside a stretch.
    assert capacity_at(found, 1.5 * HOUR_MS) == pytest.approx(900, rel=0.05)
    assert capacity_at(found, 4.5 * HOUR_MS) == pytest.approx(1200, rel=0.05)


def test_where_nobody_waits_the_capacity_is_not_invented_small() -> None:
    arrivals = arrivals_of(300, 300, 300)
    done = (arrivals + MINUTE_MS).tolist()
    found = pieces(arrivals, points_of(arrivals, done, (0, 2), MINUTE_MS))
    # Nothing was ever seen to wait, so nothing in the model may: no less than the busiest ten minutes.
    assert all(rate * HOUR_MS >= 300 for _, rate in found)


def test_a_queue_that_grows_unseen_gets_the_capacity_that_makes_it_that_long() -> None:
    arrivals = arrivals_of(600, 1500, 600)
    pool = Pool((40, 18), (0, HOUR_MS))
    done = serve(arrivals.tolist(), [MINUTE_MS] * len(arrivals), pool)
    found = pieces(arrivals, points_of(arrivals, done, (0, 2), MINUTE_MS))
    assert capacity_at(found, 1.5 * HOUR_MS) == pytest.approx(1080, rel=0.05)


def test_a_queue_that_dies_unseen_keeps_the_last_capacity_or_what_empties_it() -> None:
    arrivals = arrivals_of(1500, 900, 300)
    pool = Pool((20,))
    done = serve(arrivals.tolist(), [MINUTE_MS] * len(arrivals), pool)
    points = points_of(arrivals, done, (0, 2), MINUTE_MS)
    assert points[0].queued
    assert not points[-1].queued
    assert capacity_at(pieces(arrivals, points), 1.7 * HOUR_MS) == pytest.approx(1200, rel=0.05)
    # The same queue, and an acta of 01:18 that waited for nobody: by then it had been emptied.
    emptied = [*points[:6], Point(1.3 * HOUR_MS, 1_770.0, False)]
    assert capacity_at(pieces(arrivals, emptied), 1.2 * HOUR_MS) > 2_000
