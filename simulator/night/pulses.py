"""The pulse of every CATD, once a virtual minute: its link, what waits in it, who is there.

It looks at the night and changes nothing of it: with or without pulses it is the same night. A CATD whose
link is down, or without light, says nothing. What is done with pulses is `core.operations.pulses`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sqlalchemy import Engine as Database

from core.operations.pulses import Pulse, record_pulses
from simulator.night.capture import CaptureCentre
from simulator.night.centre import Centre
from simulator.night.model import NightModel, Process
from simulator.scenario.base import MS_PER_MINUTE

PutPulses: TypeAlias = Callable[[list[Pulse]], None]
"""Takes all the pulses of one minute."""

TOGETHER = 20_000
"""Pulses that go to the database in one transaction, about, in virtual time."""


def start_pulses(
    model: NightModel, centres: Sequence[Centre], capture: CaptureCentre, put: PutPulses
) -> None:
    """Have every centre send its pulse from the first minute to the end."""
    model.env.process(_beat(model, centres, capture, put))


def _beat(model: NightModel, centres: Sequence[Centre], capture: CaptureCentre, put: PutPulses) -> Process:
    while True:
        put(pulses_at(model.now_utc, centres, _capturing(capture)))
        yield model.env.timeout(MS_PER_MINUTE)


def pulses_at(at: int, centres: Sequence[Centre], capturing: Counter[int] | None) -> list[Pulse]:
    """Pulses of one instant (ms UTC); `capturing` are the people who capture by CATD, None if none do."""
    found = []
    for centre in centres:
        link = centre.link_pct
        if not link:
            continue
        staff = {str(role): count for role, count in centre.staff.items()}
        if capturing is not None:
            staff["capturistas"] = capturing[centre.number]
        found.append(Pulse(centre.number, at, at, link, centre.waiting, staff))
    return found


def _capturing(capture: CaptureCentre) -> Counter[int] | None:
    if not capture.by_catd:
        return None
    return capture.clerks.by_place()


class PulseBuffer:
    """Pulses of a night in virtual time on their way to the database, many minutes at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pulses: list[Pulse] = []

    def put(self, pulses: list[Pulse]) -> None:
        """Take the pulses of a minute."""
        self._pulses += pulses
        if len(self._pulses) >= TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Store what is waiting."""
        pulses, self._pulses = self._pulses, []
        record_pulses(self._database, pulses)
