"""The room's view of one night, step by step: fold, facts, alerts, snapshot.

What the writer does at every tick and what a replay does at every past moment are this same code, so a
moment opened later is what was seen. It reads no database and no clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from control_room.alerts.book import AlertBook, AlertView, CatdPlace
from control_room.alerts.thresholds import Thresholds
from control_room.night.facts import Facts
from control_room.night.facts_of import facts as facts_of
from control_room.night.snapshot import Frame, build
from control_room.night.state import MS_PER_MINUTE, NightState
from control_room.night.surroundings import Surroundings
from core.domain.catalog import Catalog

DEFAULT_CUT_MS = 20 * MS_PER_MINUTE
"""Three cuts an hour, the least that is allowed (Anexo 13, numeral 29)."""
_GAPS = 6


@dataclass(frozen=True, slots=True)
class Step:
    """What a tick found. `transitions` are rows for the alert log, without the machine's time."""

    snapshot: dict[str, Any]
    facts: Facts
    transitions: Sequence[Mapping[str, Any]]


@dataclass
class NightRoom:
    """One night as the room sees it."""

    state: NightState
    book: AlertBook
    cut_every_ms: int | None = None
    """Time between cuts when something says it; otherwise it is told by the cuts themselves."""
    last: AlertView | None = field(default=None, init=False)

    def step(self, now_ms: int, around: Surroundings, frame: Frame) -> Step:
        """The snapshot at `now_ms`; the book goes one turn on."""
        around = replace(around, cut_every_ms=self.cut_every_ms or observed_cut_ms(self.state))
        facts = facts_of(self.state, now_ms, around)
        incidents = self.state.incidents
        view = self.book.step(facts, incidents.acks(), incidents.silences(), incidents.of_alert())
        self.last = view
        snapshot = build(self.state, facts, view, around, frame)
        return Step(snapshot, facts, list(view.transitions))


def new_book(catalog: Catalog, thresholds: Thresholds) -> AlertBook:
    """The alert book of a catalogue, empty."""
    return AlertBook(thresholds, {one.id: CatdPlace(one.name, one.distrito) for one in catalog.catds})


def observed_cut_ms(state: NightState) -> int:
    """The most usual time between the last cuts; the longest allowed while there are fewer than three."""
    times = [cut.at_ms for cut in state.cuts[-_GAPS - 1 :]]
    gaps = Counter(later - earlier for earlier, later in pairwise(times) if later > earlier)
    if sum(gaps.values()) < 2:
        return DEFAULT_CUT_MS
    return max(gaps.items(), key=lambda one: (one[1], -one[0]))[0]
