"""The past moments of a night that nobody watched: kept from the ledger, as the writer would have.

For a finished night that is opened, and for a room that begins in the middle of one. It fills only what is
before the first kept moment: a gap of the writer's own is a gap.
"""

from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
from sqlalchemy.exc import SQLAlchemyError

from control_room.config import RoomConfig
from control_room.night.state import MS_PER_MINUTE
from control_room.night.surroundings import Plan
from control_room.writing.history import History
from control_room.writing.replaying import replay
from core.storage.database import connect

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Missing:
    """The moments to fill, ms UTC of the night: from the opening on, those nobody kept.

    `kept` are the stretches of `every_ms` (counted from the epoch) that have one.
    """

    starts_ms: int
    before_ms: int
    every_ms: int
    kept: frozenset[int] = frozenset()

    def moments(self) -> Iterator[int]:
        """Whole minutes, `every_ms` apart."""
        first = -(-self.starts_ms // MS_PER_MINUTE) * MS_PER_MINUTE
        for moment in range(first, self.before_ms, self.every_ms):
            if moment // self.every_ms not in self.kept:
                yield moment


def fill(
    database: str,
    folder: Path,
    missing: Missing,
    config: RoomConfig,
    *,
    plan: Plan | None = None,
    scenario: str | None = None,
    version: str = "0",
    stop: threading.Event | None = None,
) -> int:
    """Keep the missing moments; how many. Ends early at `stop`, or if the database fails (and says so)."""
    history, engine, count = History(folder), connect(database), 0
    try:
        told = replay(engine, missing.moments(), config=config, plan=plan, scenario=scenario, version=version)
        for now_ms, snapshot in told:
            if stop is not None and stop.is_set():
                break
            history.keep(now_ms, int(snapshot["seq"]), gzip.compress(orjson.dumps(snapshot), 6, mtime=0))
            count += 1
    except SQLAlchemyError:
        _log.exception("no se pudo completar la historia")
    finally:
        engine.dispose()
    return count
