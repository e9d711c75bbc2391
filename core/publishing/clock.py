"""The hour of the service: that of the machine when it started, and from then on what really passed.

A clock of the machine that jumps would skip slots, or leave the public without cuts until it caught up. Small
corrections are followed; a big one is told and not followed, because nobody here knows which hour is right.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

JUMP_MS = 60_000
"""A correction smaller than this is followed."""


def elapsed_ms() -> int:
    """ms that passed since some moment; counts also those the machine slept, where the system says so."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    return time.monotonic_ns() // 1_000_000


def machine_ms() -> int:
    """ms UTC by the clock of the machine."""
    return time.time_ns() // 1_000_000


class SteadyClock:
    """Gives ms UTC when called. `jump` is how far the machine's clock is ahead of it, 0 when they agree."""

    def __init__(
        self, machine: Callable[[], int] = machine_ms, elapsed: Callable[[], int] = elapsed_ms
    ) -> None:
        self._machine = machine
        self._elapsed = elapsed
        self._offset = machine() - elapsed()

    def __call__(self) -> int:
        if not self.jump:
            self._offset = self._machine() - self._elapsed()
        return self._elapsed() + self._offset

    @property
    def jump(self) -> int:
        """ms the clock of the machine jumped, and is still away; negative when it went back."""
        away = self._machine() - self._elapsed() - self._offset
        return away if abs(away) > JUMP_MS else 0
