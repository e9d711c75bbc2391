"""How many lines of the access log whoever has no session may cause: so many a minute, the rest counted.

The log only grows and each line is a write to disk: somebody who tries passwords without end must not fill
it. It says which lines are written and what to tell of the others; it writes nothing and has no clock.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

MS_PER_MINUTE = 60_000
LINES_A_MINUTE = 5
"""Lines of one kind and one address that are written each minute."""
LINES_OF_ALL = 60
"""Lines that are written each minute, whatever their kind and address."""


class Untold(NamedTuple):
    """Lines of one minute that were only counted. `address` is empty for those of many addresses."""

    what: str
    address: str
    lines: int


class Flood:
    """The lines of the minute that goes on. Every method may be called from any thread."""

    def __init__(self, lines_a_minute: int = LINES_A_MINUTE, lines_of_all: int = LINES_OF_ALL) -> None:
        self._each = lines_a_minute
        self._all = lines_of_all
        self._minute = 0
        self._written: dict[tuple[str, str], int] = {}
        self._untold: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def admits(self, what: str, address: str, now_ms: int) -> bool:
        """Whether a line is to be written; one that is not is counted."""
        key = (what, address)
        with self._lock:
            if not self._untold:
                # Otherwise what was counted is told first (`ended`).
                self._turn(now_ms)
            written = self._written.get(key, 0)
            if written < self._each and sum(self._written.values()) < self._all:
                self._written[key] = written + 1
                return True
            # Addresses cost an attacker nothing: one that has no line yet is not told apart.
            kept = key if written else (what, "")
            self._untold[kept] = self._untold.get(kept, 0) + 1
            return False

    def ended(self, now_ms: int) -> list[Untold]:
        """What was only counted in a minute that is over, once; usually nothing."""
        if now_ms // MS_PER_MINUTE == self._minute:
            return []
        with self._lock:
            return self._turn(now_ms)

    def _turn(self, now_ms: int) -> list[Untold]:
        minute = now_ms // MS_PER_MINUTE
        if minute == self._minute:
            return []
        told = [Untold(what, address, lines) for (what, address), lines in self._untold.items()]
        self._minute = minute
        self._written.clear()
        self._untold.clear()
        return told
