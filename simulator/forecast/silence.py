"""Which CATDs have fallen silent, or far behind their plan, by a moment of the night.

A CATD is silent when it should have sent something and has not, or when a person says that its link is
down. What becomes of the actas it holds is `night`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.forecast.model import PACKAGE
from simulator.forecast.plan import Plan
from simulator.forecast.state import NightState
from simulator.scenario.base import MS_PER_HOUR, MS_PER_MINUTE

SILENCE_MS = 20 * MS_PER_MINUTE
SILENCE_CHANCE = 0.01
"""A CATD is silent when it sent nothing for this long and the chance of that was smaller than this."""
LATE_MS = 30 * MS_PER_MINUTE
"""A CATD this far behind its plan has a slow link."""


@dataclass(frozen=True)
class Silence:
    """A CATD from which nothing has come since `since_ms` (the start when it never sent), or that by its
    plan is as far as it should have been then, and its pending actas. `declared` when a person said that
    its link is down."""

    catd: int
    since_ms: int
    pending: int
    chance: float
    declared: bool
    rate: float = 0.0
    """Actas an hour that get through: more than none where the link is slow and the plan shows it."""


def silences(state: NightState, plan: Plan | None, declared: set[int]) -> tuple[Silence, ...]:
    """CATDs that should have sent something by now and have not, and those a person says are down."""
    entered = state.entered
    missing = entered < 0
    found = []
    for catd in range(len(state.heard)):
        pending = np.flatnonzero(missing & (state.catd == catd))
        since = max(int(state.heard[catd]), state.starts_ms)
        if not len(pending):
            continue
        if plan is not None:
            start = np.full(len(pending), float(since - state.starts_ms))
            due = float(plan.expected_between(pending, start, state.now_ms - state.starts_ms).sum())
        else:
            due = len(pending) * came_since(state, since)
        chance = float(np.exp(-due / PACKAGE))
        quiet = state.now_ms - since >= SILENCE_MS and chance < SILENCE_CHANCE
        if quiet or catd in declared:
            found.append(Silence(catd, since, len(pending), chance, catd in declared))
        elif plan is not None:
            late = _late(state, plan, catd, len(pending), declared)
            found += [late] if late is not None else []
    return tuple(sorted(found, key=lambda one: (-one.declared, -one.pending)))


def _late(state: NightState, plan: Plan, catd: int, pending: int, declared: set[int]) -> Silence | None:
    """A CATD that sends, but is far behind its plan: its link lets through what came in the last hour."""
    actas = np.flatnonzero(state.catd == catd)
    times = state.entered[actas]
    arrived = int((times >= 0).sum())
    now = state.now_ms - state.starts_ms
    reached, planned = plan.caught_up(actas, arrived, now)
    if now - reached < LATE_MS or planned - arrived < max(2 * PACKAGE, 3 * (PACKAGE * planned) ** 0.5):
        return None
    rate = float((times > state.now_ms - MS_PER_HOUR).sum())
    return Silence(catd, state.starts_ms + int(reached), pending, 0.0, catd in declared, rate)


def came_since(state: NightState, since: int) -> float:
    """Share of the actas of the state pending at a moment that have come since."""
    entered = state.entered
    pending = (entered < 0) | (entered > since)
    return float((pending & (entered > since)).sum()) / max(1, int(pending.sum()))
