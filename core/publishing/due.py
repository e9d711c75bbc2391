"""When a cut is due: the hours of publication of a night, and what should be done at an instant.

Pure: no clock, no database. The service asks every few seconds and the simulator in virtual time, so that
both publish by the same rule (at least three cuts an hour: Anexo 13; RE 353). It makes no cut.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from core.errors import UsageError

MINUTE_MS = 60_000
LONGEST_MIN = 20
"""Minutes between cuts at most: three an hour."""
DEFAULT_MIN = 15
"""Minutes between cuts when nobody says: a cut that had to be repeated still leaves three an hour."""
LATE_MS = 60 * MINUTE_MS
"""How long after the end the last cut may still go out, when it could not in its hour."""
RETRY_MS = 30_000
"""The second attempt at a slot is immediate; each one after waits this much more than the one before."""


@dataclass(frozen=True)
class Schedule:
    """The slots of a night: the first at `first`, then every `every`, and one at the very `end`. ms.

    Raises UsageError when the period is empty or the cuts would be fewer than three an hour.
    """

    first: int
    end: int
    every: int

    def __post_init__(self) -> None:
        if self.end <= self.first:
            raise UsageError("El cierre de la publicación debe ser posterior a su inicio.")
        if not MINUTE_MS <= self.every <= LONGEST_MIN * MINUTE_MS:
            raise UsageError(
                f"Entre un corte y otro van de 1 a {LONGEST_MIN} minutos: son al menos tres por hora."
            )

    @cached_property
    def slots(self) -> list[int]:
        """Every slot, in order."""
        return [*range(self.first, self.end, self.every), self.end]

    def current(self, now: int) -> int | None:
        """The latest slot that has come, None before the first."""
        position = bisect_right(self.slots, now)
        return self.slots[position - 1] if position else None

    def following(self, now: int) -> int | None:
        """The first slot after an instant, None after the end."""
        position = bisect_right(self.slots, now)
        return self.slots[position] if position < len(self.slots) else None

    def between(self, after: int, until: int) -> list[int]:
        """Slots later than `after`, up to `until` included."""
        return self.slots[bisect_right(self.slots, after) : bisect_right(self.slots, until)]

    @property
    def tolerance(self) -> int:
        """How late a cut may be before its slot is told as missed, ms."""
        return min(self.every // 3, 5 * MINUTE_MS)

    @property
    def budget(self) -> int:
        """The most a cut may take, ms: stopped and made again, twenty minutes pass from one to the next.

        Where the step leaves no room for that, a minute.
        """
        return max((LONGEST_MIN * MINUTE_MS - self.every) // 2, MINUTE_MS)


class Action(StrEnum):
    """What there is to do."""

    WAIT = "esperar"
    CUT = "cortar"
    TOO_LATE = "terminado"


@dataclass(frozen=True, slots=True)
class Past:
    """What has become of the slots. `served` is the latest one published and `told` the latest one missed.

    `attempts` are those at the current slot since it came, and `failed_at` when the last of them failed, ms.
    """

    served: int = -1
    told: int = -1
    attempts: int = 0
    failed_at: int = 0
    finished: bool = False
    """True when the last cut went out."""


@dataclass(frozen=True, slots=True)
class Due:
    """The answer: what to do, for which slot, what to tell as missed first, and when something comes next."""

    action: Action
    slot: int | None = None
    last: bool = False
    missed: tuple[int, ...] = ()
    next_at: int | None = None


def due(now: int, schedule: Schedule, past: Past, *, held: bool = False) -> Due:
    """What to do at `now` (ms), when no cut is being made.

    A slot that came while another cut was being made is due at once; of several that came, only the latest
    (the others are missed). While `held` nothing is cut and every slot is missed as it comes.
    """
    following = schedule.following(now)
    current = schedule.current(now)
    if past.finished:
        return Due(Action.TOO_LATE)
    if current is None or current <= past.served:
        return Due(Action.WAIT, next_at=following)
    last = current == schedule.end
    too_late = last and now > schedule.end + LATE_MS
    # One that goes out at the first attempt, however late, is not told as missed.
    late = bool(past.attempts) and now >= current + schedule.tolerance
    behind = max(past.served, past.told)
    missed = tuple(
        slot
        for slot in schedule.between(behind, current)
        if slot < current or late or too_late or (held and not last)
    )
    if too_late:
        return Due(Action.TOO_LATE, missed=missed)
    if held:
        return Due(Action.WAIT, missed=missed, next_at=following)
    again = past.failed_at + max(past.attempts - 1, 0) * RETRY_MS
    if past.attempts and now < again:
        return Due(Action.WAIT, missed=missed, next_at=again if following is None else min(again, following))
    return Due(Action.CUT, current, last, missed, following)
