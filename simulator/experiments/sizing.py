"""How much of a resource it takes to reach a goal: an integer search, night by night.

Every night is searched on its own, always with its own luck (common random numbers): the least level
with which that night reaches the goal. The answer for a confidence is a quantile of those levels, and
its interval comes from their order, with no assumption on their shape. More of a resource is taken to
never be worse; a night that contradicts it by a few seconds moves the answer by one at most.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.stats import binom

from core.domain.catalog import Catalog
from simulator.experiments.plans import CAPTURISTAS, Resource
from simulator.fast.replication import Outcome, Replicator, replica_seed
from simulator.scenario.base import MS_PER_MINUTE

INTERVAL = 0.95
"""Of the interval around a quantile."""
ACTAS_PER_CAPTURISTA = 10
"""With so few actas each, more people have nothing to do."""
NEAR_CEILING_PCT = 0.5
"""A night is as good as it gets when it is this close to what it reaches with people to spare."""


@dataclass(frozen=True)
class Goal:
    """So much of the actas registered within so long. Share in percent of the expected actas."""

    share_pct: float
    within_ms: int
    below_ceiling: bool = False
    """The share is under what each night reaches with plenty, not of the expected actas."""

    def met(self, outcome: Outcome, ceiling_pct: float = 100.0) -> bool:
        """True when the night reaches the goal."""
        wanted = ceiling_pct - NEAR_CEILING_PCT if self.below_ceiling else self.share_pct
        return outcome.share_pct_at(self.within_ms) >= wanted - 1e-9


@dataclass(frozen=True)
class Search:
    """One search: what is changed, on which plan, for which goal; `hint` is a position to begin at."""

    replicator: Replicator
    resource: Resource
    goal: Goal
    hint: int = 0

    @property
    def plenty(self) -> int:
        """The last position worth trying: of capturistas, one for every ten actas or five hundred."""
        last = len(self.resource.levels) - 1
        if self.resource is not CAPTURISTAS:
            return last
        return min(last, max(500, len(self.replicator.catalog.actas) // ACTAS_PER_CAPTURISTA))

    def play(self, position: int, seed: int) -> Outcome:
        """The night of a seed with the level at a position of the ladder."""
        scenario = self.resource.put(self.replicator.scenario, self.resource.levels[position])
        return self.replicator.with_scenario(scenario).play(seed)

    def least(self, seed: int) -> int | None:
        """Position of the least level with which that night reaches the goal; None when none does."""
        last = self.plenty
        ceiling = 100.0
        if self.goal.below_ceiling:
            ceiling = self.play(last, seed).share_pct_at(self.goal.within_ms)

        def met(position: int) -> bool:
            return self.goal.met(self.play(position, seed), ceiling)

        low, high = self._bracket(met, last)
        if high is None:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            if met(middle):
                high = middle
            else:
                low = middle
        return high

    def _bracket(self, met: Callable[[int], bool], last: int) -> tuple[int, int | None]:
        """(a position that fails or -1, a position that is enough), galloping from the hint."""
        at, step = min(self.hint, last), max(1, self.hint // 16)
        if met(at):
            high = at
            while high > 0:
                at = max(0, high - step)
                if not met(at):
                    return at, high
                high, step = at, step * 2
            return -1, 0
        while at < last:
            low, at = at, min(last, at + step)
            if met(at):
                return low, at
            step *= 2
        return last, None


@dataclass(frozen=True)
class Needed:
    """The answer of a search over many nights.

    `least` has the least level of every night, in replica order, None for the nights no level saves.
    `level` is enough in the asked share of nights, None when it is not to be had; `low` and `high` are
    the ends of its interval (None: beyond the ladder).
    """

    resource: Resource
    confidence: float
    least: tuple[float | None, ...]
    level: float | None
    low: float | None
    high: float | None

    def probability(self, level: float) -> float:
        """Share of the nights in which a level is enough."""
        order = {value: position for position, value in enumerate(self.resource.levels)}
        at = order[level]
        return sum(one is not None and order[one] <= at for one in self.least) / len(self.least)


def needed(search: Search, confidence: float, positions: Sequence[int | None]) -> Needed:
    """Turn the least positions of many nights into an answer."""
    levels = search.resource.levels
    beyond = len(levels)
    ordered = sorted(beyond if position is None else position for position in positions)
    count = len(ordered)
    rank = max(1, int(np.ceil(confidence * count)))
    tail = (1 - INTERVAL) / 2
    low_rank = max(1, int(binom.ppf(tail, count, confidence)))
    high_rank = min(count, int(binom.ppf(1 - tail, count, confidence)) + 1)

    def level_at(place: int) -> float | None:
        position = ordered[place - 1]
        return None if position == beyond else float(levels[position])

    least = tuple(None if position is None else float(levels[position]) for position in positions)
    return Needed(search.resource, confidence, least, level_at(rank), level_at(low_rank), level_at(high_rank))


def hinted(search: Search, root: int) -> Search:
    """The search with the answer of the night of the root seed as its hint."""
    found = replace(search, hint=_first_hint(search)).least(root)
    return replace(search, hint=found or 0)


def _first_hint(search: Search) -> int:
    """Near the level of the plan, when the ladder has it; else the middle."""
    levels = list(search.resource.levels)
    if levels[0] < levels[-1]:
        return min(len(levels) - 1, max(0, bisect_right(levels, 64) - 1)) if len(levels) > 100 else 0
    return 0


def least_of(search: Search, seed: int) -> int | None:
    """`search.least(seed)`, as a function that can be sent to another process."""
    return search.least(seed)


def work_of(search: Search) -> Callable[[int], int | None]:
    """What each worker does with a seed."""
    return partial(least_of, search)


def seeds_of(root: int, replicas: int) -> list[int]:
    """Seeds of the nights: the first is the root itself."""
    return [replica_seed(root, number) for number in range(replicas)]


@dataclass(frozen=True)
class Level:
    """What a level gives over some nights: times in minutes to the goal (None: not reached)."""

    level: float
    probability: float
    minutes: tuple[float | None, float | None, float | None]
    """10 %, median and 90 % of the nights."""
    share_pct: tuple[float, float, float]
    """The same of the share registered at the limit."""


def describe(search: Search, level: float, seeds: Sequence[int]) -> Level:
    """Play a level on some nights."""
    position = list(search.resource.levels).index(level)
    times: list[float] = []
    shares: list[float] = []
    met = 0
    for seed in seeds:
        outcome = search.play(position, seed)
        reached = outcome.time_to(search.goal.share_pct)
        times.append(float("inf") if reached is None else reached / MS_PER_MINUTE)
        shares.append(outcome.share_pct_at(search.goal.within_ms))
        met += search.goal.met(outcome)
    ends = np.quantile(times, (0.1, 0.5, 0.9), method="inverted_cdf")
    low, middle, high = (None if np.isinf(value) else float(value) for value in ends)
    bounds = np.quantile(shares, (0.1, 0.5, 0.9), method="inverted_cdf")
    return Level(
        level, met / len(seeds), (low, middle, high), (float(bounds[0]), float(bounds[1]), float(bounds[2]))
    )


def variance_ratio(search: Search, level: float, other: float, root: int, pairs: int) -> float | None:
    """How many times the variance of a comparison falls by giving both plans the same nights.

    Compares the minutes to the goal under two levels (or the share registered at the limit, when some
    night never gets there): once on the same seeds, once on different ones. None when the comparison
    does not vary at all.
    """
    ladder = list(search.resource.levels)
    a, b = ladder.index(level), ladder.index(other)
    same = seeds_of(root, pairs)
    apart = seeds_of(root + 1, pairs)
    runs = [
        [search.play(place, seed) for seed in seeds] for place, seeds in ((a, same), (b, same), (b, apart))
    ]
    times = [[outcome.time_to(search.goal.share_pct) for outcome in run] for run in runs]
    if any(at is None for run in times for at in run):
        limit = search.goal.within_ms
        measured = [[outcome.share_pct_at(limit) for outcome in run] for run in runs]
    else:
        measured = [[float(at or 0) for at in run] for run in times]
    first, paired, independent = (np.array(run) for run in measured)
    under_same = float(np.var(first - paired, ddof=1))
    if under_same <= 0.0:
        return None
    return float(np.var(first - independent, ddof=1)) / under_same


def plan_level(resource: Resource, catalog: Catalog, level: float | None) -> str:
    """A level in words, or that there is none."""
    return "ninguna cantidad alcanza" if level is None else resource.words(level, catalog)
