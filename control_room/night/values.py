"""The values the fold of the night is made of: sums by place, cuts, heartbeats. They compute nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class PulseLike(Protocol):
    """One heartbeat, as `core.operations.pulses.Pulse`."""

    @property
    def catd(self) -> int: ...
    @property
    def at(self) -> int: ...
    @property
    def recorded_at(self) -> int: ...
    @property
    def link(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def staff(self) -> Mapping[str, int]: ...


class Totals(NamedTuple):
    """Actas of the whole election by step, at an instant."""

    received: int = 0
    digitized: int = 0
    captured: int = 0
    registered: int = 0
    published: int = 0

    @property
    def backlog(self) -> int:
        """Actas with image and not registered."""
        return self.digitized - self.registered


@dataclass(frozen=True, slots=True)
class CutRecord:
    """A cut that went out. `registered` is the actas it includes; times in ms UTC."""

    number: int
    at_ms: int
    seq_high: int
    manifest_sha256: str
    registered: int
    last: bool


@dataclass(frozen=True, slots=True)
class RefusedCut:
    """A cut that did not pass its own check."""

    number: int
    at_ms: int
    reason: str


@dataclass(slots=True)
class ContestCounts:
    """Legal counters of one contest: `registered` is ACTAS_CAPTURADAS."""

    expected: int = 0
    registered: int = 0
    counted: int = 0
    inconsistent: int = 0
    outside: int = 0


@dataclass(slots=True)
class PulseRecord:
    """The heartbeats of one CATD. `recent` is (minute, link) of the last ones, oldest first."""

    last_ms: int
    link: int
    waiting: int
    staff: Mapping[str, int]
    in_a_row: int
    recent: deque[tuple[int, int]]


class Groups:
    """The steps of every group (CATD) of the catalogue; lists by position."""

    def __init__(self, size: int) -> None:
        self.expected = [0] * size
        self.received = [0] * size
        self.digitized = [0] * size
        self.captured = [0] * size
        self.registered = [0] * size
        self.published = [0] * size
        self.sin_acta = [0] * size
        self.inconsistent = [0] * size
        self.last_acta_ms: list[int | None] = [None] * size
        self.registered_at: list[deque[int]] = [deque() for _ in range(size)]
        """When its actas of the last hour were registered (those withdrawn since stay)."""
