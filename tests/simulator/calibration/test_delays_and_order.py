"""Delays by contest and pools that take any acta, on figures small enough to be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import UsageError
from simulator.calibration.delays import ANY, HALF_HOUR_MS, Base, drawn, even_luck, measured, pooled
from simulator.calibration.order import at_random
from simulator.fast.kernel import Pool, serve

MINUTE_MS = 60_000


def flat(contest: str, delay: int, actas: int) -> Base:
    return Base(contest, (0,), (actas,), ((delay,) * 101,))


def test_each_contest_has_its_own_delay_and_an_unknown_one_takes_the_first() -> None:
    bases = (flat("AYUN", 1_000, 30), flat("GUB", 4_000, 30))
    contests = np.array(["GUB", "AYUN", "OTRA"])
    times = np.arange(3, dtype="int64")
    assert drawn(bases, contests, times, even_luck(1, "x", 0.618)).tolist() == [4_000, 1_000, 1_000]


def test_the_lent_delay_is_that_of_all_the_actas_in_proportion_to_how_many_they_were() -> None:
    (base,) = pooled((flat("AYUN", 1_000, 30), flat("GUB", 4_000, 90)))
    assert base.contest == ANY
    assert base.actas == (120,)
    quantiles = base.quantiles[0]
    assert (quantiles[20], quantiles[30]) == (1_000, 4_000)


def test_a_half_hour_with_few_actas_is_put_together_with_its_neighbours() -> None:
    entered = np.repeat(np.arange(4, dtype="int64") * HALF_HOUR_MS, [5, 30, 25, 6])
    contests = np.full(len(entered), "GUB")
    (base,) = measured(contests, entered, entered * 0 + 9_000, entered >= 0, work_ms=2_000)
    assert base.actas == (35, 31)
    assert set(base.quantiles[0]) == {7_000}


def test_a_night_without_actas_enough_of_any_contest_has_no_delays() -> None:
    entered = np.arange(30, dtype="int64")
    contests = np.array(["GUB", "AYUN"])[entered % 2]
    with pytest.raises(UsageError, match="sin cola"):
        measured(contests, entered, entered + 1, entered >= 0)


def test_a_pool_that_takes_any_acta_ends_as_many_at_the_same_moments_and_none_before_it_came() -> None:
    arrivals = np.sort(np.random.default_rng(3).integers(0, 60 * MINUTE_MS, 300))
    work = 3 * MINUTE_MS
    done = np.array(serve(arrivals.tolist(), [work] * 300, Pool((10,))), dtype="int64")
    other = at_random(arrivals, done, work, 1, "1")
    assert sorted(other.tolist()) == sorted(done.tolist())
    assert (other - arrivals >= work).all()
    assert np.abs(other - done).max() > 10 * MINUTE_MS
    assert (at_random(arrivals, done, work, 1, "1") == other).all()
    assert (at_random(arrivals, done, work, 2, "1") != other).any()


def test_where_nobody_waits_any_acta_is_the_one_that_came() -> None:
    arrivals = np.arange(50, dtype="int64") * 2 * MINUTE_MS
    done = arrivals + MINUTE_MS
    assert (at_random(arrivals, done, MINUTE_MS, 1, "") == done).all()
