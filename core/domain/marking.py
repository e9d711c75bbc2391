"""How fast actas may be marked sin acta.

Puebla 2024's repeated rehearsal reached «100 %» by marking 2,977 actas in bulk. Here a person may
mark a few by himself; beyond that a supervisor must authorise, and beyond a second limit nobody
may. Window over the times of the commands, to both sides because they may come out of order; no
clock. The answer depends on which marks there are, never on the order in which they were learnt.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field

from core.domain.refusals import Refusal, Rejection


@dataclass(frozen=True, slots=True)
class MarkingLimits:
    """Marks allowed per person and station within `window_ms`."""

    window_ms: int = 600_000
    without_supervisor: int = 10
    with_supervisor: int = 120


@dataclass
class MarkingRate:
    """Times of the marks by (actor, station), in order."""

    limits: MarkingLimits = field(default_factory=MarkingLimits)
    _marks: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def check(self, actor: str, station: str, at: int, supervised: bool) -> Rejection | None:
        """None when one more mark is allowed at `at`; the rejection otherwise."""
        marks = self._marks.get((actor, station))
        if marks is None:
            return None
        window = self.limits.window_ms
        near = bisect_left(marks, at + window) - bisect_right(marks, at - window)
        minutes = window // 60_000
        if near >= self.limits.with_supervisor:
            return Rejection(
                Refusal.TOO_FAST, f"Máximo {self.limits.with_supervisor} por persona en {minutes} minutos."
            )
        if not supervised and near >= self.limits.without_supervisor:
            return Rejection(
                Refusal.NEEDS_SUPERVISOR,
                f"Más de {self.limits.without_supervisor} en {minutes} minutos es marcado masivo.",
            )
        return None

    def note(self, actor: str, station: str, at: int) -> None:
        """Remember an accepted mark."""
        insort(self._marks.setdefault((actor, station), []), at)

    def forget(self) -> None:
        """Drop everything, before reading the ledger again."""
        self._marks.clear()
