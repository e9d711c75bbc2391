"""What the processes that generate load count: times, faults of content, cuts seen, their own strain.

Plain numbers that add up: each process keeps one, and the one that reports adds those of all. Times are
seconds of the clock of the machine. It judges nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from loadtests.judging.timing import Timed, coarse, timed_from

EXAMPLES = 5
SLOTS = 600
"""At most so many slots of time are kept of a run."""
FOLLOWED = 5_000
"""Readers of a process whose cuts are followed one by one; beyond them only content is checked."""


@dataclass(slots=True)
class Reader:
    """When a reader came and left, and when it saw each cut for the first time."""

    since: float
    poll_s: float = 0.0
    """Longest time between two of its questions."""
    until: float | None = None
    seen: list[tuple[int, float]] = field(default_factory=list)
    shown: list[tuple[int, float]] = field(default_factory=list)
    """When everything of the cut was loaded, not only its pointer."""


@dataclass(slots=True)
class Writer:
    """The snapshots of one writer of the room, as its screens saw them: numbers, and when."""

    first: int
    since: float
    last: int
    tick_s: float
    """Seconds from one to the next, as the room says; 0 when it does not."""


@dataclass(slots=True)
class Tally:
    """The counts of a process."""

    requests: dict[str, Timed] = field(default_factory=dict)
    """Times of the requests, by their name."""
    slots: dict[int, Timed] = field(default_factory=dict)
    """The same by when they ended: number of the slot of `slot_s` seconds since the run began."""
    slot_s: int = 1
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    """Objects checked, packages verified, snapshots seen and missed, by name."""
    readers: list[Reader] = field(default_factory=list)
    cpu_pct: Counter[int] = field(default_factory=Counter)
    """Seconds in which the process used each percentage of a core."""
    lag_ms: Counter[int] = field(default_factory=Counter)
    """Times, several each second, that the process woke up so late; a test of days has millions."""
    strain: list[tuple[float | None, float | None]] = field(default_factory=list)
    """Of each process: 95 % of its seconds used less CPU, and 95 % of its wakings were less late."""
    ceiling_rps: float | None = None
    writers: dict[str, Writer] = field(default_factory=dict)
    """Of the room, by the name each writer gives itself."""
    watched_until: float = 0.0
    """When the last screen of the room left."""

    def timed(self, name: str) -> Timed:
        """The times of the requests of a name."""
        return self.requests.setdefault(name, Timed())

    def note(self, name: str, ms: float, size: int, *, failed: bool, at_s: float) -> None:
        """Note a request that ended so many seconds after the run began."""
        self.timed(name).add(ms, size, failed)
        self.slots.setdefault(int(at_s // self.slot_s), Timed()).add(coarse(ms), size, failed)

    def strains(self) -> list[tuple[float | None, float | None]]:
        """`strain` of a whole, or the one of this process."""
        return self.strain or [(percentile(self.cpu_pct, 0.95), percentile(self.lag_ms, 0.95))]

    def strained(self, lag_ms: float, cpu_pct: float | None = None) -> None:
        """Note how late the process woke up and, when a second of it ended, what it used of a core.

        More than a core is all of it: the threads of a process add theirs, and clocks are not read together.
        """
        self.lag_ms[max(0, ceil(lag_ms))] += 1
        if cpu_pct is not None:
            self.cpu_pct[min(100, ceil(cpu_pct))] += 1

    def fault(self, kind: str, where: str) -> None:
        """Note a fault of content."""
        self.faults[kind] += 1
        kept = self.examples.setdefault(kind, [])
        if len(kept) < EXAMPLES:
            kept.append(where)

    def reader(self, now: float, poll_s: float = 0.0) -> Reader | None:
        """A reader that comes, and asks at least that often; None when there are enough of them to follow."""
        if len(self.readers) >= FOLLOWED:
            return None
        one = Reader(now, poll_s)
        self.readers.append(one)
        return one

    def as_data(self) -> dict[str, Any]:
        """The counts as JSON (or the messages between processes) hold them."""
        return {
            "fallas": dict(self.faults),
            "ejemplos": self.examples,
            "cuentas": dict(self.counts),
            "peticiones": {name: one.as_data() for name, one in self.requests.items()},
            "cada_s": self.slot_s,
            "ritmo": [[number, one.as_data()] for number, one in self.slots.items()],
            "lectores": [[one.since, one.poll_s, one.until, one.seen, one.shown] for one in self.readers],
            "cpu_pct": sorted(self.cpu_pct.items()),
            "retraso_ms": sorted(self.lag_ms.items()),
            "esfuerzo": self.strains(),
            "techo_rps": self.ceiling_rps,
            "escritores": {
                boot: [one.first, one.since, one.last, one.tick_s] for boot, one in self.writers.items()
            },
            "vistos_hasta": self.watched_until,
        }


def slot_of(seconds: int) -> int:
    """How long the slots of a run of so many seconds are, in seconds."""
    return max(1, -(-seconds // SLOTS))


def from_data(data: dict[str, Any]) -> Tally:
    """The counts of `as_data`."""
    return Tally(
        requests={name: timed_from(one) for name, one in data["peticiones"].items()},
        slots={int(number): timed_from(one) for number, one in data["ritmo"]},
        slot_s=int(data["cada_s"]),
        faults=Counter(data["fallas"]),
        examples={kind: list(found) for kind, found in data["ejemplos"].items()},
        counts=Counter(data["cuentas"]),
        readers=[
            Reader(since, poll_s, until, [(int(n), t) for n, t in seen], [(int(n), t) for n, t in shown])
            for since, poll_s, until, seen, shown in data["lectores"]
        ],
        cpu_pct=Counter({int(pct): int(many) for pct, many in data["cpu_pct"]}),
        lag_ms=Counter({int(ms): int(many) for ms, many in data["retraso_ms"]}),
        strain=[(cpu, lag) for cpu, lag in data["esfuerzo"]],
        ceiling_rps=data["techo_rps"],
        writers={boot: Writer(*one) for boot, one in data["escritores"].items()},
        watched_until=data["vistos_hasta"],
    )


def merge(tallies: list[Tally]) -> Tally:
    """The counts of several processes together; their ceilings add up when all are known."""
    whole = Tally(slot_s=max((one.slot_s for one in tallies), default=1))
    for one in tallies:
        whole.faults += one.faults
        whole.counts += one.counts
        for kind, found in one.examples.items():
            whole.examples[kind] = [*whole.examples.get(kind, []), *found][:EXAMPLES]
        whole.readers += one.readers
        whole.cpu_pct.update(one.cpu_pct)
        whole.lag_ms.update(one.lag_ms)
        whole.strain += one.strains()
        for name, timed in one.requests.items():
            whole.timed(name).join(timed)
        for number, timed in one.slots.items():
            # Whoever was told of a longer run has wider slots.
            whole.slots.setdefault(number * one.slot_s // whole.slot_s, Timed()).join(timed)
        for boot, seen in one.writers.items():
            mine = whole.writers.setdefault(boot, replace(seen))
            if seen.since < mine.since:
                mine.first, mine.since = seen.first, seen.since
            mine.last = max(mine.last, seen.last)
        whole.watched_until = max(whole.watched_until, one.watched_until)
    ceilings = [one.ceiling_rps for one in tallies]
    if ceilings and all(one is not None for one in ceilings):
        whole.ceiling_rps = sum(one for one in ceilings if one is not None)
    return whole


def over_time(tally: Tally, seconds: int) -> list[tuple[int, Timed]]:
    """The second in which each slot of a run begins, and its requests; those without any too.

    What ended after the run is not of any. The last slot, when the run does not fill it, is left out.
    """
    many = seconds // tally.slot_s
    return [(number * tally.slot_s, tally.slots.get(number, Timed())) for number in range(many)]


@dataclass(frozen=True, slots=True)
class CutsSeen:
    """Sightings of new cuts by readers who had the time to: due, in time, the worst delays in seconds.

    Of those due, `shown` had all of that cut loaded and `skipped` went on to a newer one instead. `possible`
    are those of everybody who was there when a cut appeared, had it the time to see it or not.
    """

    cuts: int = 0
    due: int = 0
    in_time: int = 0
    worst_s: float | None = None
    shown_worst_s: float | None = None
    never: int = 0
    shown: int = 0
    skipped: int = 0
    possible: int = 0

    @property
    def share_pct(self) -> float | None:
        """Of those due, the percentage that came in time; None when none was due."""
        return 100 * self.in_time / self.due if self.due else None


def sightings(readers: list[Reader], appeared: dict[int, float], margin_s: float, end: float) -> CutsSeen:
    """Join what readers saw with when each cut appeared (seconds of the same clock).

    A reader owes a cut that appeared while it was there, and for its own longest poll and `margin_s` more;
    a newer cut counts as that one. A reader who left before is not counted, whether it saw the cut or not:
    counting only those who did would flatter.
    """
    due = in_time = never = shown = skipped = possible = 0
    worst: float | None = None
    shown_worst: float | None = None
    used: set[int] = set()
    for one in readers:
        leaves = end if one.until is None else min(end, one.until)
        for number, at in appeared.items():
            within = one.poll_s + margin_s
            possible += one.since <= at <= leaves
            if at < one.since or at + within > leaves:
                continue
            due += 1
            used.add(number)
            seen = min((when for cut, when in one.seen if cut >= number), default=None)
            loaded = min((when for cut, when in one.shown if cut >= number), default=None)
            if seen is None:
                never += 1
            else:
                worst = max(worst or 0.0, seen - at)
                in_time += seen - at <= within
            if loaded is not None:
                shown_worst = max(shown_worst or 0.0, loaded - at)
                itself = any(cut == number for cut, _ in one.shown)
                shown += itself
                skipped += not itself
    return CutsSeen(len(used), due, in_time, worst, shown_worst, never, shown, skipped, possible)


@dataclass(frozen=True, slots=True)
class Written:
    """Snapshots of the room while screens watched: how many there were, and how many its clock owed."""

    written: int
    due: int
    tick_s: float

    @property
    def share_pct(self) -> float | None:
        """Percentage of those due; None when none was."""
        return 100 * self.written / self.due if self.due else None


def written(tally: Tally) -> Written | None:
    """What the writers of the room wrote, by their own numbers; None when the room does not say how often.

    A writer that is frozen for a while, or that begins again, has written less than its time owed.
    """
    writers = tally.writers.values()
    ticks = [one.tick_s for one in writers]
    if not ticks or min(ticks) <= 0:
        return None
    span = tally.watched_until - min(one.since for one in writers)
    return Written(sum(one.last - one.first for one in writers), int(span / max(ticks)), max(ticks))


def percentile(values: Counter[int], share: float) -> int | None:
    """The value under which that share (0 to 1) of those counted is; None without any."""
    total = values.total()
    place, passed = min(total - 1, int(total * share)), 0
    for value, many in sorted(values.items()):
        passed += many
        if passed > place:
            return value
    return None
