"""How many users there are at each moment of a run: the stages of a profile. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """Users there must be, and how many come (or leave) per second to get there."""

    users: int
    rate: float


@dataclass(frozen=True, slots=True)
class Step:
    """Until `until_s` there are `users`, reached at `rate` per second."""

    until_s: float
    users: int
    rate: float


def steps(stages: Sequence[tuple[int, int, int]], users: int, seconds: float) -> list[Step]:
    """The stages (until_pct, users_pct, ramp_s) of a run of `users` and `seconds`.

    >>> steps([(10, 60, 4), (100, 100, 10)], 100, 60)
    [Step(until_s=6.0, users=60, rate=15.0), Step(until_s=60.0, users=100, rate=4.0)]
    """
    found = []
    before = 0
    for until, share, ramp in stages:
        wanted = max(1, round(users * share / 100)) if share else 0
        change = abs(wanted - before)
        found.append(
            Step(seconds * until / 100, wanted, max(0.1, change / ramp) if ramp else float(max(1, change)))
        )
        before = wanted
    return found


def at(plan: Sequence[Step], second: float) -> Moment | None:
    """What there must be at a second of the run; None once it is over."""
    for step in plan:
        if second < step.until_s:
            return Moment(step.users, step.rate)
    return None
