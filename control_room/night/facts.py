"""What the alerts look at: one frozen picture of the night, the publication and the platform.

Values only, filled by `facts_of` at each tick and by tests by hand. It decides nothing: the limits are
`alerts.rules`, their delays and groups `alerts.book`. Times are ms UTC of the night; those that end in
`_real_ms` are of the machine's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """Where the operation is."""

    BEFORE = "previa"
    OPEN = "operacion"
    CLOSED = "cerrada"


class CanaryState(StrEnum):
    """What the comparison of what is public with what is verified says."""

    EQUAL = "ok"
    BEHIND = "atrasado"
    """The public cut is an earlier one than the last that went out."""
    DIVERGENT = "divergente"
    """The public data is not what was verified: hash or counts differ."""
    NOTHING_PUBLIC = "sin_publico"


@dataclass(frozen=True, slots=True)
class CatdFacts:
    """One CATD. `registered` is verified or sin acta; `pending` is what has not been received.

    `last_pulse_ms` is its last heartbeat, None when it never sent one; `pulses_in_a_row` how many have come
    without a gap since the last silence. `last_acta_ms` is its last acopio or digitization of its own (not
    PREP Casilla). `planned_gap_ms` is the time the plan has between two of its actas, None without plan or
    when none is planned any more.
    """

    id: int
    distrito: int | None
    expected: int
    received: int
    digitized: int
    registered: int
    pending: int
    last_pulse_ms: int | None = None
    pulses_in_a_row: int = 0
    link_pct: int | None = None
    last_acta_ms: int | None = None
    planned_gap_ms: int | None = None
    reviewed: int = 0
    """Actas verified with values, on which the rules were evaluated."""
    inconsistent: int = 0


@dataclass(frozen=True, slots=True)
class CutFacts:
    """The publication by the ledger. `due_ms` is when the next cut must be out, None when no more are due."""

    number: int
    at_ms: int | None
    due_ms: int | None
    every_ms: int
    registered_unpublished: int
    """Actas registered that no cut includes."""
    registered_per_cut: float
    """Actas registered in one cut's interval at the present rate."""
    refused_number: int | None = None


@dataclass(frozen=True, slots=True)
class CanaryFacts:
    """What is public against what is verified. `since_ms` is since when it is as it is."""

    state: CanaryState
    reason: str = ""
    number: int | None = None
    since_ms: int | None = None
    checked_real_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ProbeFacts:
    """The portal seen from outside in the last minute; rates as shares from 0 to 1."""

    p95_ms: float
    error_share: float
    requests: int


@dataclass(frozen=True, slots=True)
class DestinationFacts:
    """One place the publication is taken to, by the publisher's own word."""

    name: str
    state: str
    behind_s: int = 0
    cuts: int = 0
    """Cuts it lacks."""


@dataclass(frozen=True, slots=True)
class PublisherFacts:
    """What the publisher says of itself in `publicador.json`, and how long ago it last said anything.

    `age_s` is of the machine's clock, None when it cannot be known. `alarms` are (key, text). `threshold` is
    how many of the `witnesses` must sign, None where nobody said.
    """

    state: str
    age_s: float | None = None
    alarms: tuple[tuple[str, str], ...] = ()
    destinations: tuple[DestinationFacts, ...] = ()
    witnesses: int = 0
    signed: int = 0
    threshold: int | None = None


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """The room and its machine. `database_since_ms` is since when the database does not answer."""

    snapshot_age_s: float = 0.0
    disk_free_pct: float | None = None
    clock_skew_s: float | None = None
    database_ok: bool = True
    database_since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the rules look at, at `now_ms`.

    `backlog` is the actas with image and not registered, as (ms, actas) points of the last half hour, oldest
    first. Rates are actas a minute over the last 15 minutes; `plan_rate` is that of the plan over the same
    minutes. `work_available` says whether there was backlog or arrivals to work on in them. Percentages are
    of the actas expected; `eta_p90_ms` is when 9 of 10 forecasts end, None when it is not known.
    """

    now_ms: int
    phase: Phase
    starts_ms: int
    ends_ms: int
    catds: tuple[CatdFacts, ...]
    backlog: tuple[tuple[int, int], ...] = ()
    capture_rate: float = 0.0
    plan_rate: float | None = None
    work_available: bool = False
    progress_pct: float = 0.0
    plan_pct: float | None = None
    eta_p90_ms: int | None = None
    cut: CutFacts | None = None
    canary: CanaryFacts | None = None
    portal: ProbeFacts | None = None
    publisher: PublisherFacts | None = None
    """None where no publisher left its file."""
    platform: PlatformFacts = field(default_factory=PlatformFacts)
    has_pulses: bool = False
    """False when no CATD ever sent a heartbeat: silence cannot be told then."""


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody said he has seen an alert."""

    by: str
    at_ms: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """A rule is not to be heard until a moment: of one CATD, or of all of them (None)."""

    rule: str
    catd: int | None
    until_ms: int
    by: str
    reason: str
