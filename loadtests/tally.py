"""What the processes that generate load count besides times: faults of content, cuts seen, their own strain.

Plain numbers that add up: each process keeps one, and the one that reports adds those of all. Times are
seconds of the clock of the machine. It judges nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

EXAMPLES = 5
FOLLOWED = 5_000
"""Readers of a process whose cuts are followed one by one; beyond them only content is checked."""


@dataclass(slots=True)
class Reader:
    """When a reader came and left, and when it saw each cut for the first time."""

    since: float
    until: float | None = None
    seen: list[tuple[int, float]] = field(default_factory=list)
    shown: list[tuple[int, float]] = field(default_factory=list)
    """When everything of the cut was loaded, not only its pointer."""


@dataclass(slots=True)
class Tally:
    """The counts of a process."""

    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    """Objects checked, packages verified, snapshots seen and missed, by name."""
    readers: list[Reader] = field(default_factory=list)
    cpu_pct: list[float] = field(default_factory=list)
    """Share of a core used by the process, each second."""
    lag_ms: list[float] = field(default_factory=list)
    """How late the process woke up when it asked to, several times a second."""
    ceiling_rps: float | None = None

    def fault(self, kind: str, where: str) -> None:
        """Note a fault of content."""
        self.faults[kind] += 1
        kept = self.examples.setdefault(kind, [])
        if len(kept) < EXAMPLES:
            kept.append(where)

    def reader(self, now: float) -> Reader | None:
        """A reader that comes; None when there are enough of them to follow."""
        if len(self.readers) >= FOLLOWED:
            return None
        one = Reader(now)
        self.readers.append(one)
        return one

    def as_data(self) -> dict[str, Any]:
        """The counts as JSON (or the messages between processes) hold them."""
        return {
            "fallas": dict(self.faults),
            "ejemplos": self.examples,
            "cuentas": dict(self.counts),
            "lectores": [[one.since, one.until, one.seen, one.shown] for one in self.readers],
            "cpu_pct": self.cpu_pct,
            "retraso_ms": self.lag_ms,
            "techo_rps": self.ceiling_rps,
        }


def from_data(data: dict[str, Any]) -> Tally:
    """The counts of `as_data`."""
    return Tally(
        Counter(data["fallas"]),
        {kind: list(found) for kind, found in data["ejemplos"].items()},
        Counter(data["cuentas"]),
        [
            Reader(since, until, [(int(n), t) for n, t in seen], [(int(n), t) for n, t in shown])
            for since, until, seen, shown in data["lectores"]
        ],
        list(data["cpu_pct"]),
        list(data["retraso_ms"]),
        data["techo_rps"],
    )


def merge(tallies: list[Tally]) -> Tally:
    """The counts of several processes together; their ceilings add up when all are known."""
    whole = Tally()
    for one in tallies:
        whole.faults += one.faults
        whole.counts += one.counts
        for kind, found in one.examples.items():
            whole.examples[kind] = [*whole.examples.get(kind, []), *found][:EXAMPLES]
        whole.readers += one.readers
        whole.cpu_pct += one.cpu_pct
        whole.lag_ms += one.lag_ms
    ceilings = [one.ceiling_rps for one in tallies]
    if ceilings and all(one is not None for one in ceilings):
        whole.ceiling_rps = sum(one for one in ceilings if one is not None)
    return whole


@dataclass(frozen=True, slots=True)
class CutsSeen:
    """How many sightings of new cuts were due, how many came in time, and the worst delay, in seconds."""

    cuts: int
    due: int
    in_time: int
    worst_s: float | None
    shown_worst_s: float | None

    @property
    def share_pct(self) -> float:
        """Of those due, the percentage that came in time; 100 when none was due."""
        return 100.0 if not self.due else 100 * self.in_time / self.due


def cuts_seen(readers: list[Reader], appeared: dict[int, float], within_s: float, end: float) -> CutsSeen:
    """Join what readers saw with when each cut appeared (seconds of the same clock).

    A reader owes a cut that appeared while it was there and for `within_s` more; a newer cut counts as that
    one. What was not yet due when the reader left, and was not seen, is not counted.
    """
    due = in_time = 0
    worst: float | None = None
    shown_worst: float | None = None
    used: set[int] = set()
    for one in readers:
        leaves = end if one.until is None else one.until
        for number, at in appeared.items():
            if at < one.since:
                continue
            seen = min((when for cut, when in one.seen if cut >= number), default=None)
            shown = min((when for cut, when in one.shown if cut >= number), default=None)
            if seen is None and leaves < at + within_s:
                continue
            due += 1
            used.add(number)
            if seen is not None:
                late = seen - at
                worst = late if worst is None else max(worst, late)
                in_time += late <= within_s
            if shown is not None:
                shown_worst = shown - at if shown_worst is None else max(shown_worst, shown - at)
    return CutsSeen(len(used), due, in_time, worst, shown_worst)


def percentile(values: list[float], share: float) -> float | None:
    """The value under which that share (0 to 1) of them is; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
