"""How long requests took, counted by the millisecond: what is judged, instead of Locust's rounded times.

Locust keeps two significant figures (a p95 of 254 ms would be 250). Here each time goes to the whole
millisecond above it. It neither asks nor judges.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

ALL = "todas"
"""Name of the row of all the requests."""
EDGES = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)
"""Upper edges, in ms, of the ranges of the histogram; over the last one there is another range."""


@dataclass(slots=True)
class Timed:
    """The requests of one name: how many took each time (ms, rounded up), failures, bytes of the bodies."""

    times: Counter[int] = field(default_factory=Counter)
    failures: int = 0
    size: int = 0

    def add(self, ms: float, size: int, failed: bool) -> None:
        """Note one request."""
        self.times[ceil(ms)] += 1
        self.failures += failed
        self.size += size

    @property
    def requests(self) -> int:
        """How many there were."""
        return sum(self.times.values())

    def under(self, share: int) -> int | None:
        """The least time that so many of each hundred did not pass; None without requests."""
        total, passed = self.requests, 0
        for time, count in sorted(self.times.items()):
            passed += count
            if 100 * passed >= share * total:
                return time
        return None

    def histogram(self) -> list[int]:
        """How many took each range of `EDGES`, the last one everything slower."""
        found = [0] * (len(EDGES) + 1)
        for time, count in self.times.items():
            found[bisect_left(EDGES, time)] += count
        return found

    def join(self, other: Timed) -> None:
        """Add those of another process."""
        self.times.update(other.times)
        self.failures += other.failures
        self.size += other.size

    def as_data(self) -> list[Any]:
        """As JSON and the messages between processes hold it."""
        return [sorted(self.times.items()), self.failures, self.size]


def timed_from(data: list[Any]) -> Timed:
    """The counts of `Timed.as_data`."""
    times, failures, size = data
    return Timed(Counter({int(ms): int(many) for ms, many in times}), int(failures), int(size))


@dataclass(frozen=True, slots=True)
class Row:
    """Requests of one name, or of all. Times in ms; `mean_bytes` of a body."""

    name: str
    requests: int
    failures: int
    p50: int | None
    p95: int | None
    p99: int | None
    worst: int | None
    rps: float
    mean_bytes: int = 0
    lasted_s: float = 0.0
    """How long the run was."""


def rows(requests: Mapping[str, Timed], seconds: float) -> tuple[list[Row], Row]:
    """A row of each name, the most asked for first, and all of them together."""
    whole = Timed()
    for one in requests.values():
        whole.join(one)
    found = [_row(name, one, seconds) for name, one in requests.items()]
    return sorted(found, key=lambda row: -row.requests), _row(ALL, whole, seconds)


def _row(name: str, timed: Timed, seconds: float) -> Row:
    total = timed.requests
    return Row(
        name, total, timed.failures, timed.under(50), timed.under(95), timed.under(99),
        max(timed.times, default=None), total / max(0.001, seconds), timed.size // max(1, total), seconds,
    )  # fmt: skip


def coarse(ms: float) -> int:
    """A time to two significant figures, rounded up: what is kept of each second, which only is drawn.

    >>> [coarse(v) for v in (0.2, 99, 99.1, 101, 1234)]
    [1, 99, 100, 110, 1300]
    """
    whole, unit = ceil(ms), 1
    while whole > 99 * unit:
        unit *= 10
    return -(-whole // unit) * unit
