"""A link: how much of it works at every moment, and when something sent over it arrives.

Its schedule may change while the night runs: what has passed stays, so a transmission in progress
keeps what it had sent (store and forward). Why it changes is `network`; it moves no acta.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

FULL = 1.0


@dataclass(frozen=True, slots=True)
class Limit:
    """From `start` to `end` (ms since the start) the link gives at most `capacity` of itself.

    Every shipment begun meanwhile takes `latency_ms` more. `source` names what made the limit.
    """

    start: int
    end: int
    capacity: float
    latency_ms: int = 0
    source: str = ""


@dataclass
class Link:
    """One link: its capacity is piecewise constant. `changed` is called when its schedule changes."""

    limits: list[Limit] = field(default_factory=list)
    backup: bool = False
    """Whether a second link takes over when this one is down."""
    changed: Callable[[], None] | None = None
    _times: list[int] = field(default_factory=list)
    _capacities: list[float] = field(default_factory=list)
    _latencies: list[int] = field(default_factory=list)

    def settle(self, since: int = 0) -> None:
        """Turn the limits into steps; where several overlap the worst one rules.

        The steps before `since` stay as they are.
        """
        kept = bisect_left(self._times, since)
        del self._times[kept:], self._capacities[kept:], self._latencies[kept:]
        if since > 0 and not self._times:
            # Until the first change the whole link was there.
            self._times, self._capacities, self._latencies = [0], [FULL], [0]
        turns: dict[int, list[tuple[int, Limit]]] = {since: []}
        for limit in self.limits:
            if limit.end > max(limit.start, since):
                turns.setdefault(max(limit.start, since), []).append((1, limit))
                turns.setdefault(limit.end, []).append((-1, limit))
        capacities: dict[float, int] = {FULL: 1}
        latencies: dict[int, int] = {0: 1}
        for at in sorted(turns):
            for step, limit in turns[at]:
                _count(capacities, limit.capacity, step)
                _count(latencies, limit.latency_ms, step)
            self._times.append(at)
            self._capacities.append(min(capacities))
            self._latencies.append(max(latencies))

    def steps(self) -> Iterator[tuple[int, float, int]]:
        """(from when, capacity, ms more for what begins then) of every step; none with the whole link."""
        return zip(self._times, self._capacities, self._latencies, strict=True)

    def capacity(self, at: int) -> float:
        """Capacity at an instant."""
        if not self._times:
            return FULL
        return self._capacities[bisect_right(self._times, at) - 1]

    def finish(self, at: int, work_ms: int) -> int | None:
        """When something that takes `work_ms` with the whole link, begun at `at`, ends; None if never.

        What has passed of a schedule never changes, so asking again with the same `at` after a change
        tells when it ends now.
        """
        if not self.limits:
            return at + work_ms
        left = float(work_ms)
        position = bisect_right(self._times, at) - 1
        latency = self._latencies[position]
        while True:
            capacity = self._capacities[position]
            following = self._times[position + 1] if position + 1 < len(self._times) else None
            if following is None or left <= (following - at) * capacity:
                return at + ceil(left / capacity) + latency if capacity > 0 else None
            left -= (following - at) * capacity
            at = following
            position += 1

    def down_ms(self, until: int) -> int:
        """Ms without any link before `until`."""
        total = 0
        for position, (start, capacity) in enumerate(zip(self._times, self._capacities, strict=True)):
            end = self._times[position + 1] if position + 1 < len(self._times) else until
            if capacity == 0:
                total += max(0, min(end, until) - start)
        return total

    def add(self, limits: Sequence[Limit], now: int = 0) -> None:
        """Limits that begin at `now` (ms since the start) or later; whoever is sending is told."""
        self.limits.extend(limits)
        self._change(now)

    def restore(self, now: int, sources: Collection[str]) -> None:
        """What these sources did to the link ends now."""
        kept = []
        for limit in self.limits:
            if limit.end <= now or limit.source not in sources:
                kept.append(limit)
            elif limit.start < now:
                kept.append(replace(limit, end=now))
        if kept != self.limits:
            self.limits = kept
            self._change(now)

    def _change(self, now: int) -> None:
        self.settle(now)
        if self.changed is not None:
            self.changed()


def _count(numbers: dict[Any, int], value: float, step: int) -> None:
    """One more, or one less, of a value among those in force."""
    left = numbers.get(value, 0) + step
    if left:
        numbers[value] = left
    else:
        del numbers[value]
