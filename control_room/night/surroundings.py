"""What the room knows besides the ledger: the plan, the forecast, what is public, the portal, the platform.

Filled by the writer from the modules that find it out; every part may be missing. Values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from control_room.night.facts import CanaryFacts, PlatformFacts, ProbeFacts


class Plan(Protocol):
    """The night as it was planned (`plan_curve.PlanCurve`). Instants in ms UTC."""

    def progress_at(self, ms: int) -> float:
        """Actas registered, as a percentage of those expected."""

    def rate_at(self, ms: int) -> float:
        """Actas registered a minute, over the 15 minutes before."""

    def gap_ms(self, catd: int, ms: int) -> int | None:
        """Time between two actas of a CATD; None when none is planned any more."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that is not in the ledger. `forecast` is what `read_forecast` gives."""

    plan: Plan | None = None
    forecast: Mapping[str, Any] | None = None
    canary: CanaryFacts | None = None
    portal: ProbeFacts | None = None
    platform: PlatformFacts = field(default_factory=PlatformFacts)
    publisher: Mapping[str, Any] | None = None
    """What the publisher says of itself (`sources.publisher_file`); None without one."""
    publisher_age_s: float | None = None
    """How long ago it said it, by the machine's clock."""
    cut_every_ms: int = 20 * 60_000
