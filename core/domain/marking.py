"""How fast actas may be marked sin acta.

Puebla 2024's repeated rehearsal reached «100 %» by marking 2,977 actas in bulk. Here a person may
mark a few by himself; beyond that a supervisor must authorise, and beyond a second limit nobody
may. Sliding window over the times of the commands; no clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from core.domain.transitions import Refusal, Rejection


@dataclass(frozen=True, slots=True)
class MarkingLimits:
    """Marks allowed per person and station within `window_ms`."""

    window_ms: int = 600_000
    without_supervisor: int = 10
    with_supervisor: int = 120


@dataclass
class MarkingRate:
    """Recent marks by (actor, station)."""

    limits: MarkingLimits = field(default_factory=MarkingLimits)
    _recent: dict[tuple[str, str], deque[int]] = field(default_factory=dict)

    def check(self, actor: str, station: str, at: int, supervised: bool) -> Rejection | None:
        """None when one more mark is allowed at `at`; the rejection otherwise."""
        recent = self._recent.get((actor, station))
        if recent is None:
            return None
        while recent and recent[0] <= at - self.limits.window_ms:
            recent.popleft()
        minutes = self.limits.window_ms // 60_000
        if len(recent) >= self.limits.with_supervisor:
            return Rejection(
                Refusal.TOO_FAST, f"Máximo {self.limits.with_supervisor} por persona en {minutes} minutos."
            )
        if not supervised and len(recent) >= self.limits.without_supervisor:
            return Rejection(
                Refusal.NEEDS_SUPERVISOR,
                f"Más de {self.limits.without_supervisor} en {minutes} minutos es marcado masivo.",
            )
        return None

    def note(self, actor: str, station: str, at: int) -> None:
        """Remember an accepted mark."""
        self._recent.setdefault((actor, station), deque()).append(at)

    def forget(self) -> None:
        """Drop everything, before reading the ledger again."""
        self._recent.clear()
