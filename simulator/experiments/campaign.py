"""Many nights of one scenario: bands of the curve, times, chances, and the CATDs that end worst.

A replica leaves a small summary, never its actas; any one of them is run again whole with `prep
simular` and its seed. A PREP night begins empty and ends at its close, so there is no warm-up to
discard. It compares plans on the same nights (common random numbers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, t

from simulator.fast.replication import Outcome, Replicator, summary_of
from simulator.night.arrivals import actas_by_catd
from simulator.scenario.base import MS_PER_MINUTE

STEP_MS = 5 * MS_PER_MINUTE
TARGETS = (50, 80, 95, 100)
"""Percentages of the expected actas whose times are told."""
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Replica:
    """What is kept of a night. Times in ms since the start, -1 when never."""

    seed: int
    curve: NDArray[np.int32]
    """Actas registered at each step of the grid, the close last."""
    times: tuple[int, ...]
    """When each of TARGETS is reached."""
    registered: int
    """At the close."""
    arrived: int
    """Actas that had arrived, or were known not to, by the close."""
    by_catd: NDArray[np.int32]
    """Registered at the close by CATD."""
    captures: int
    disputes: int
    fingerprint: str


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval at CONFIDENCE."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Campaign:
    """The summaries of many nights of one scenario, in replica order."""

    expected: int
    expected_by_catd: NDArray[np.int64]
    close_ms: int
    replicas: tuple[Replica, ...]

    @property
    def grid_ms(self) -> NDArray[np.int64]:
        """The moments of the curves."""
        return grid(self.close_ms)

    def bands(self) -> NDArray[np.float64]:
        """Percent registered: one row per quantile of QUANTILES, one column per moment of the grid."""
        curves = np.array([replica.curve for replica in self.replicas], dtype="float64")
        found = np.quantile(curves, QUANTILES, axis=0) * 100 / self.expected
        return np.asarray(found, dtype="float64")

    def reach(self, target: int) -> tuple[float, list[float | None]]:
        """(share of the nights that reach a percentage by the close, its 10, 50 and 90 % times in minutes).

        A quantile is None when that share of the nights does not get there before the close.
        """
        place = TARGETS.index(target)
        times = [replica.times[place] for replica in self.replicas]
        reached = [at if 0 <= at <= self.close_ms else np.inf for at in times]
        ends = np.quantile(reached, (0.1, 0.5, 0.9), method="inverted_cdf")
        minutes = [None if np.isinf(end) else float(end) / MS_PER_MINUTE for end in ends]
        return float(np.isfinite(reached).mean()), minutes

    def at_close_pct(self) -> NDArray[np.float64]:
        """Percent registered at the close, by replica."""
        return np.array([replica.registered for replica in self.replicas]) * 100 / self.expected

    def meets(self, share_pct: float) -> tuple[int, float, float]:
        """(nights that close with that percentage or more, interval of their share)."""
        met = int((self.at_close_pct() >= share_pct - 1e-9).sum())
        return met, *share_interval(met, len(self.replicas))

    def left_behind(self) -> NDArray[np.float64]:
        """Percent of the actas that had arrived by the close and were not registered, by replica."""
        return np.array([one.arrived - one.registered for one in self.replicas]) * 100 / self.expected

    def worst_catds(self, count: int) -> list[tuple[int, int, float, float]]:
        """(CATD, expected, mean percent at the close, its 10 % quantile), from the worst."""
        shares = np.array([replica.by_catd for replica in self.replicas], dtype="float64")
        sizes = np.maximum(self.expected_by_catd, 1)
        percent = shares * 100 / sizes
        mean, low = percent.mean(axis=0), np.quantile(percent, 0.1, axis=0)
        order = sorted(np.flatnonzero(self.expected_by_catd), key=lambda catd: (mean[catd], catd))
        return [
            (int(catd), int(self.expected_by_catd[catd]), float(mean[catd]), float(low[catd]))
            for catd in order[:count]
        ]


def grid(close_ms: int) -> NDArray[np.int64]:
    """Moments at which the curves are kept: every five minutes, and the close."""
    steps = np.arange(0, close_ms, STEP_MS, dtype="int64")
    return np.append(steps, np.int64(close_ms))


def summarise(outcome: Outcome) -> Replica:
    """Keep of a night what the campaign needs."""
    close = outcome.close_ms
    moments = grid(close)
    times = tuple(-1 if at is None else int(at) for at in map(outcome.time_to, TARGETS))
    # An acta that was marked sin acta never arrived: it was known not to.
    came = (outcome.arrived_ms <= close) | (outcome.registered_ms <= close)
    registered_by_catd, _ = outcome.by_catd_at(close)
    return Replica(
        outcome.seed,
        outcome.curve_at(moments).astype("int32"),
        times,
        outcome.registered_at(close),
        int(came.sum()),
        registered_by_catd.astype("int32"),
        outcome.captures,
        outcome.disputes,
        outcome.fingerprint(),
    )


def work_of(replicator: Replicator) -> partial[Replica]:
    """What each worker does with a seed."""
    return partial(summary_of, replicator, summarise)


def gather(replicator: Replicator, replicas: Sequence[Replica]) -> Campaign:
    """The campaign of some summaries."""
    catalog = replicator.catalog
    sizes = np.array(actas_by_catd(catalog), dtype="int64")
    close = replicator.scenario.calendar.length_ms
    return Campaign(len(catalog.actas), sizes, close, tuple(replicas))


def mean_interval(values: NDArray[np.float64]) -> Estimate:
    """The mean with Student's interval; of one value, the value."""
    mean, count = float(values.mean()), len(values)
    if count < 2:
        return Estimate(mean, mean, mean)
    half = float(t.ppf(0.5 + CONFIDENCE / 2, count - 1)) * float(values.std(ddof=1)) / sqrt(count)
    return Estimate(mean, mean - half, mean + half)


def share_interval(met: int, of: int) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share."""
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if met == 0 else float(beta.ppf(tail, met, of - met + 1))
    high = 1.0 if met == of else float(beta.ppf(1 - tail, met + 1, of - met))
    return low, high


@dataclass(frozen=True)
class Comparison:
    """Another plan less this one, on the same nights."""

    at_close: Estimate
    """Points of percentage at the close."""
    minutes: dict[int, Estimate | None]
    """Difference in minutes to each of TARGETS; None when some night of either never gets there."""
    better_share: float
    """Share of the nights in which the other plan closes higher."""


def compare(one: Campaign, other: Campaign) -> Comparison:
    """Paired comparison; both campaigns have the same seeds in the same order."""
    minutes: dict[int, Estimate | None] = {}
    for place, target in enumerate(TARGETS):
        pairs = [(a.times[place], b.times[place]) for a, b in zip(one.replicas, other.replicas, strict=True)]
        if any(a < 0 or b < 0 for a, b in pairs):
            minutes[target] = None
        else:
            minutes[target] = mean_interval(np.array([(b - a) / MS_PER_MINUTE for a, b in pairs]))
    difference = other.at_close_pct() - one.at_close_pct()
    return Comparison(mean_interval(difference), minutes, float((difference > 0).mean()))
