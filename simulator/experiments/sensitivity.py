"""Which inputs decide the outcome: Morris's screening, then Sobol's indices, both by SALib.

Every evaluation plays the same few nights with the inputs moved by multipliers (common random
numbers), so that what varies is the inputs and not the luck. The outcome is the mean percentage
registered at the close, or the mean minutes to a percentage. It draws no conclusion.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from SALib.analyze import morris as analyze_morris
from SALib.analyze import sobol as analyze_sobol
from SALib.sample import morris as sample_morris
from SALib.sample import sobol as sample_sobol

from simulator.experiments.parallel import spread
from simulator.experiments.plans import FACTORS, Factor
from simulator.fast.replication import Replicator
from simulator.scenario.base import MS_PER_MINUTE
from simulator.scenario.document import Scenario

LEVELS = 4
"""Of Morris's grid."""
KEPT = 4
"""Factors that Morris's screening hands to Sobol."""


@dataclass(frozen=True)
class Screened:
    """Morris: mean absolute effect and its spread, in units of the outcome, by factor."""

    factor: Factor
    effect: float
    spread: float


@dataclass(frozen=True)
class Shared:
    """Sobol: part of the variance due to a factor alone and in all, with their intervals (half widths)."""

    factor: Factor
    alone: float
    alone_half: float
    total: float
    total_half: float


@dataclass(frozen=True)
class Question:
    """What is looked at: minutes to `target` percent when given, else percent at the close."""

    target: int | None

    @property
    def words(self) -> str:
        """The outcome, for people."""
        return "% registrado al cierre" if self.target is None else f"minutos al {self.target} %"

    def ask(self, replicator: Replicator, scenario: Scenario, seeds: Sequence[int]) -> float:
        """The mean outcome of a scenario on some nights."""
        changed = replicator.with_scenario(scenario)
        close = scenario.calendar.length_ms
        answers = []
        for seed in seeds:
            outcome = changed.play(seed)
            if self.target is None:
                answers.append(outcome.share_pct_at(close))
            else:
                reached = outcome.time_to(self.target)
                # A night that never gets there counts as twice the operation: worse than any that does.
                answers.append((2 * close if reached is None else reached) / MS_PER_MINUTE)
        return float(np.mean(answers))


def _evaluate(replicator: Replicator, question: Question, seeds: Sequence[int], scenario: Scenario) -> float:
    return question.ask(replicator, scenario, seeds)


def _problem(factors: Sequence[Factor]) -> dict[str, Any]:
    return {
        "num_vars": len(factors),
        "names": [factor.key for factor in factors],
        "bounds": [[factor.low, factor.high] for factor in factors],
    }


def _moved(scenario: Scenario, factors: Sequence[Factor], point: Sequence[float]) -> Scenario:
    for factor, by in zip(factors, point, strict=True):
        scenario = factor.put(scenario, float(by))
    return scenario


def _answers(
    replicator: Replicator,
    question: Question,
    seeds: Sequence[int],
    factors: Sequence[Factor],
    points: Any,
    executor: Executor | None,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    work = partial(_evaluate, replicator, question, tuple(seeds))
    scenarios = [_moved(replicator.scenario, factors, point) for point in points]
    return np.array(spread(work, scenarios, executor))


def usable(scenario: Scenario) -> list[Factor]:
    """Factors that can change this scenario: a share of zero stays zero whatever multiplies it."""
    return [factor for factor in FACTORS if factor.key != "adopcion" or scenario.phone.adoption > 0]


def screen(
    replicator: Replicator,
    question: Question,
    seeds: Sequence[int],
    trajectories: int,
    executor: Executor | None = None,
) -> list[Screened]:
    """Morris's screening of every usable factor, from the one that matters most."""
    factors = usable(replicator.scenario)
    problem = _problem(factors)
    points = sample_morris.sample(problem, trajectories, num_levels=LEVELS, seed=seeds[0] % 2**32)
    answers = _answers(replicator, question, seeds, factors, points, executor)
    found = analyze_morris.analyze(problem, points, answers, num_levels=LEVELS, seed=seeds[0] % 2**32)
    rows = [
        Screened(factor, float(effect), float(sigma))
        for factor, effect, sigma in zip(factors, found["mu_star"], found["sigma"], strict=True)
    ]
    return sorted(rows, key=lambda row: (-row.effect, row.factor.key))


def share_out(
    replicator: Replicator,
    question: Question,
    seeds: Sequence[int],
    factors: Sequence[Factor],
    samples: int,
    executor: Executor | None = None,
) -> list[Shared]:
    """Sobol's indices of some factors. `samples` is a power of two."""
    problem = _problem(factors)
    seed = seeds[0] % 2**32
    points = sample_sobol.sample(problem, samples, calc_second_order=False, seed=seed)
    answers = _answers(replicator, question, seeds, factors, points, executor)
    if float(np.ptp(answers)) == 0.0:
        return [Shared(factor, 0.0, 0.0, 0.0, 0.0) for factor in factors]
    found = analyze_sobol.analyze(problem, answers, calc_second_order=False, seed=seed)
    rows = [
        Shared(
            factor, float(found["S1"][k]), float(found["S1_conf"][k]), float(found["ST"][k]),
            float(found["ST_conf"][k]),
        )
        for k, factor in enumerate(factors)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row.total, row.factor.key))
