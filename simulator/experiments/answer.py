"""The whole answer of `prep dimensionar`: people first, then what else holds it back or could be spared.

It puts together searches of `sizing`; the goal, the plan and the number of nights are given. When no
number of people is enough it says how far people alone go, and what would have to change with them.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from simulator.experiments.parallel import opened, spread
from simulator.experiments.plans import OTHERS, Resource, all_at_start, capturistas_of
from simulator.experiments.sizing import (
    Goal,
    Level,
    Needed,
    Search,
    describe,
    hinted,
    needed,
    seeds_of,
    variance_ratio,
    work_of,
)
from simulator.fast.replication import Replicator

DESCRIBED = 20
"""Nights with which the levels of the curve are described, and pairs of the variance ratio."""
AROUND = (0.5, 0.7, 0.85, 0.95, 1.0, 1.05, 1.15, 1.35, 1.7)
"""Levels of the curve, as multiples of the answer."""


@dataclass(frozen=True)
class Sizing:
    """What it takes.

    `people` answers the goal; when it has no level, `best` says what people alone reach (a quantile of
    the nights) and `enough` how many come within half a point of it. `others` are the least levels of
    what else there is, with the people of the answer; `unlocks` what each of them in plenty would let
    be reached, when people alone do not do.
    """

    replicator: Replicator
    goal: Goal
    confidence: float
    root: int
    replicas: int
    at_start: bool
    people: Needed
    arrived_pct: float
    best_pct: float | None
    enough: Needed | None
    curve: tuple[Level, ...]
    variance_ratio: float | None
    others: tuple[Needed, ...]
    unlocks: tuple[tuple[Resource, float], ...]

    @property
    def attainable(self) -> bool:
        """True when some number of people reaches the goal with the asked confidence."""
        return self.people.level is not None

    @property
    def answer(self) -> Needed:
        """People for the goal, or for the most that people alone can do."""
        if self.people.level is not None or self.enough is None:
            return self.people
        return self.enough


def size(
    replicator: Replicator,
    *,
    goal_pct: float,
    within_ms: int,
    confidence: float,
    root: int,
    replicas: int,
    at_start: bool,
    others: bool,
    processes: int | None = None,
    dask: str | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Sizing:
    """Search for what the goal takes. Raises UsageError when the executor cannot be had."""
    if at_start:
        replicator = replicator.with_scenario(all_at_start(replicator.scenario))
    goal = Goal(goal_pct, within_ms)
    seeds = seeds_of(root, replicas)
    search = Search(replicator, capturistas_of(replicator.scenario), goal)
    with opened(processes, dask) as executor:

        def searched(one: Search) -> Needed:
            return needed(one, confidence, spread(work_of(hinted(one, root)), seeds, executor))

        plenty = _shares(search, seeds, executor)
        arrived = _arrived_pct(search, root)
        best = None
        enough = None
        note("Buscando capturistas…")
        if _lower(plenty, confidence) >= goal_pct - 1e-9:
            people = searched(search)
        else:
            people = needed(search, confidence, [None] * replicas)
        if people.level is None:
            best = _lower(plenty, confidence)
            note("La meta no se alcanza solo con gente; buscando hasta dónde llega…")
            enough = searched(replace(search, goal=replace(goal, below_ceiling=True)))
        answer = enough or people
        level = answer.level
        curve: tuple[Level, ...] = ()
        ratio = None
        if level is not None:
            note("Describiendo la curva…")
            curve = _curve(search, level, answer, seeds[:DESCRIBED], executor)
            ratio = variance_ratio(search, level, _another(search, level), root, min(DESCRIBED, replicas))
        rest: list[Needed] = []
        unlocks: list[tuple[Resource, float]] = []
        if others and level is not None:
            staffed = replicator.with_scenario(search.resource.put(replicator.scenario, level))
            for resource in OTHERS:
                if resource.key == "adopcion" and at_start:
                    continue
                note(f"Buscando {resource.name}…")
                one = Search(staffed, resource, goal)
                if people.level is not None:
                    rest.append(searched(one))
                else:
                    shares = _shares(one, seeds[:DESCRIBED], executor)
                    unlocks.append((resource, _lower(shares, confidence)))
    return Sizing(
        replicator, goal, confidence, root, replicas, at_start, people, arrived, best, enough, curve, ratio,
        tuple(rest), tuple(unlocks),
    )  # fmt: skip


def _curve(
    search: Search, level: float, answer: Needed, seeds: list[int], executor: Executor | None
) -> tuple[Level, ...]:
    """What the levels around the answer give, from the least one."""
    levels = sorted({*_around(search, level), *_told(answer)}, key=list(search.resource.levels).index)
    return tuple(spread(partial(_described, search, tuple(seeds)), levels, executor))


def _described(search: Search, seeds: tuple[int, ...], level: float) -> Level:
    return describe(search, level, seeds)


def _told(answer: Needed) -> list[float]:
    """Levels at which the chance goes from nothing to everything: where the curve is worth drawing."""
    found = sorted(one for one in answer.least if one is not None)
    return [found[round(part * (len(found) - 1))] for part in (0.0, 0.25, 0.5, 0.75, 1.0)] if found else []


def _share_with_plenty(search: Search, seed: int) -> float:
    return search.play(search.plenty, seed).share_pct_at(search.goal.within_ms)


def _shares(search: Search, seeds: list[int], executor: Executor | None) -> list[float]:
    return spread(partial(_share_with_plenty, search), seeds, executor)


def _lower(shares: list[float], confidence: float) -> float:
    """What that part of the nights reaches or passes."""
    return float(np.quantile(shares, 1 - confidence, method="inverted_cdf"))


def _arrived_pct(search: Search, root: int) -> float:
    """Percent of the actas that have arrived by the limit, on the night of the root seed."""
    outcome = search.replicator.play(root)
    return float((outcome.arrived_ms <= search.goal.within_ms).mean()) * 100


def _around(search: Search, level: float) -> list[float]:
    levels = search.resource.levels
    if search.resource.key == "capturistas":
        wanted = {min(max(int(levels[0]), round(level * times)), int(levels[-1])) for times in AROUND}
        return [float(one) for one in sorted(wanted)]
    ladder = list(levels)
    at = ladder.index(level)
    places = sorted({min(max(0, at + step), len(ladder) - 1) for step in (-40, -20, -10, -4, 0, 4, 10, 20)})
    return [float(ladder[place]) for place in places]


def _another(search: Search, level: float) -> float:
    """A level a tenth above, to be compared with."""
    if search.resource.key == "capturistas":
        return float(min(search.resource.levels[-1], round(level * 1.1) + 1))
    ladder = list(search.resource.levels)
    return float(ladder[min(len(ladder) - 1, ladder.index(level) + 4)])
