"""When something begins: at a minute of the night, or when what is seen of it meets a condition.

Faults, transfers of people and of capture begin through here. A condition is looked at once every
virtual minute, at the whole minute, so that the answer does not depend on how fast the night runs.
It begins nothing by itself: it calls what it was given, once.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from simulator.night.model import NightModel, Process
from simulator.scenario.base import MS_PER_MINUTE, Moment, When, ms_of
from simulator.scenario.faults import Exercise


def holds(when: When, seen: float) -> bool:
    """True when what is seen meets the condition."""
    if when.over is not None:
        return seen >= when.over
    assert when.under is not None
    return seen <= when.under


def begin_when(model: NightModel, moment: Moment | Exercise, begin: Callable[[], None]) -> None:
    """Call `begin` once, at the minute of the moment or when its condition is met.

    A minute that has passed begins at once. What the condition looks at is `NightModel.seen`.
    """
    when = moment.when if isinstance(moment, Moment) else None
    if when is None:
        assert moment.at_min is not None
        model.env.process(_at(model, ms_of(moment.at_min), begin))
    else:
        model.env.process(_watch(model, when, begin))


def _at(model: NightModel, at: int, begin: Callable[[], None]) -> Process:
    if at > model.env.now:
        yield model.env.timeout(at - int(model.env.now))
    begin()


def _watch(model: NightModel, when: When, begin: Callable[[], None]) -> Process:
    env = model.env
    first = max(ceil(when.after_min), ceil(int(env.now) / MS_PER_MINUTE)) * MS_PER_MINUTE
    yield env.timeout(first - int(env.now))
    while not holds(when, model.seen(when.seen)):
        yield env.timeout(MS_PER_MINUTE)
    begin()
