"""`python -m loadtests.faults.edge publicar …`: the real `prep`, with the clock and the death of a rehearsal.

The same verb and the same processes as `prep publicar`; what is put in at the edge is where the hour is read
(`clock`), how often the service looks (only the short rehearsal hurries it), and that the process that makes
the cuts is `cutter`, which a trap can kill at a named step. Nothing in between is another.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from core.publishing import run
from core.publishing.clock import SteadyClock
from core.publishing.watchdog import Watchdog
from core.publishing.worker import WorkerConfig
from loadtests.faults.clock import VARIABLE, RehearsalClock

TICK = "PREP_FALLAS_LATIDO"
"""Seconds between two looks of the service, in its environment; without it, the service's own."""
CUTTER = ("-m", "loadtests.faults.cutter")


class _CutterWatchdog(Watchdog):
    def __init__(self, config: WorkerConfig, command: tuple[str, ...] = CUTTER) -> None:
        super().__init__(config, command)


def install(clock: RehearsalClock, tick_s: float | None) -> None:
    """Put the edge of a rehearsal around the service of this process."""

    def steady() -> SteadyClock:
        return SteadyClock(clock.machine_ms, clock.right_ms)

    for name, value in (("SteadyClock", steady), ("Watchdog", _CutterWatchdog), ("TICK_S", tick_s)):
        if value is not None:
            if not hasattr(run, name):
                raise AttributeError(f"core.publishing.run has no {name}: nothing to put it in")
            setattr(run, name, value)


def main() -> int:
    """Be the process."""
    from core.cli import main as prep

    tick = os.environ.get(TICK)
    install(RehearsalClock(Path(os.environ[VARIABLE])), float(tick) if tick else None)
    return prep(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
