"""The night of the room beside others, for many viewers: one reading at a time, remembered a while.

Reading a night goes through its whole ledger, so the threads that serve walls must not each do it. What is
compared, and how, is of `control_room.compare`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as Database

from control_room.compare import Night, database_of, night_of, read_night, side_by_side
from core.errors import UsageError

CURRENT_S = 30.0
"""How long the reading of the night that goes on serves: its curves are of minutes."""
READING_S = 2.0
"""How long somebody waits while another comparison is read."""
MOST_OTHERS = 4


class Comparisons:
    """A night whose database is open, beside others. `with_night` may be called from any thread."""

    def __init__(
        self, database: Database, name: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._name = name
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._current: tuple[float, Night] | None = None
        self._others: dict[Path, tuple[object, Night]] = {}

    def with_night(self, other: Path) -> dict[str, Any]:
        """This night and the one of a folder, as `compare`. Raises UsageError, also while another is read."""
        if not self._lock.acquire(timeout=READING_S):
            raise UsageError("Se está leyendo otra noche para compararla; pídalo de nuevo en unos segundos.")
        try:
            return side_by_side(self._this(), self._that(other))
        finally:
            self._lock.release()

    def _this(self) -> Night:
        now = self._monotonic()
        if self._current is None or now - self._current[0] >= CURRENT_S:
            self._current = (now, night_of(self._database, self._name))
        return self._current[1]

    def _that(self, other: Path) -> Night:
        url, _ = database_of(other)
        files = [Path(url), Path(f"{url}-wal")]
        seen = [(file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.exists()]
        known = self._others.get(other)
        if known is None or known[0] != seen:
            if len(self._others) >= MOST_OTHERS:
                self._others.clear()
            known = self._others[other] = (seen, read_night(other))
        return known[1]
