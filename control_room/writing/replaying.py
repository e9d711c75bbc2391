"""A night that is over, seen again: the snapshot of each past moment as the room would have had it.

Only what was recorded up to each moment is known in it. What was outside the ledger then (what was public,
the machine, the forecasts of the time) is not known now and is not invented.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import inspect

from control_room.alerts.thresholds import read as read_thresholds
from control_room.config import RoomConfig, load_config
from control_room.night.builder import NightRoom, Step, new_book
from control_room.night.snapshot import Frame
from control_room.night.state import CHUNK, MS_PER_MINUTE, NightState, Row, read_rows
from control_room.night.surroundings import Plan, Surroundings
from core.domain.catalog import Catalog
from core.operations.pulses import Pulse, pulses_after
from core.storage.reading import read_catalog, read_meta, reading

BOOT_ID = "repeticion"


def replay(
    database: Database,
    moments: Iterable[int],
    *,
    config: RoomConfig | None = None,
    plan: Plan | None = None,
    scenario: str | None = None,
    version: str = "0",
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(moment, snapshot) of each of the moments, ms UTC of the night in ascending order."""
    for now_ms, step in replay_steps(
        database, moments, config=config, plan=plan, scenario=scenario, version=version
    ):
        yield now_ms, step.snapshot


def replay_steps(
    database: Database,
    moments: Iterable[int],
    *,
    config: RoomConfig | None = None,
    plan: Plan | None = None,
    scenario: str | None = None,
    version: str = "0",
) -> Iterator[tuple[int, Step]]:
    """As `replay`, with the facts and the changes of the alerts, which need every tick to be as they were."""
    config = config or load_config()
    with reading(database) as connection:
        catalog, mode = read_catalog(connection), read_meta(connection).get("mode", "")
        has_pulses = inspect(connection).has_table("pulse")
        pulses = _Ahead(pulses_after(connection, -1) if has_pulses else iter(()))
        rows = _Rows(connection)
        room = NightRoom(
            NightState(catalog, config.plan),
            new_book(catalog, read_thresholds(config.alerts, str(config.path))),
            None if config.cut_every_min is None else round(config.cut_every_min * MS_PER_MINUTE),
        )
        around = Surroundings(plan=plan)
        for seq, now_ms in enumerate(moments, start=1):
            room.state.apply_rows(rows.until(now_ms))
            for pulse in pulses.until(now_ms):
                room.state.pulse(pulse)
            frame = _frame(seq, now_ms, config, mode, scenario, catalog, version)
            yield now_ms, room.step(now_ms, around, frame)


def _frame(
    seq: int, now_ms: int, config: RoomConfig, mode: str, scenario: str | None, catalog: Catalog, version: str
) -> Frame:
    clock = {
        "ahora_ms": now_ms,
        "velocidad": None,
        "estado": "datos",
        "utc_min": catalog.entidad.utc_offset_minutes,
    }
    return Frame(
        seq=seq, boot_id=BOOT_ID, generated_real_ms=now_ms, tick_s=config.tick_s, stale_s=config.stale_s,
        version=version, mode=mode, title=config.title, scenario=scenario, clock=clock,
    )  # fmt: skip


class _Rows:
    """The ledger up to one moment after another."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._rows: list[Row] = []
        self._next = 0
        self._seq = 0
        self._ended = False

    def until(self, ms: int) -> list[Row]:
        """The rows not yet given that were recorded up to an instant."""
        found: list[Row] = []
        while True:
            rows, start = self._rows, self._next
            end = start
            while end < len(rows) and rows[end][4] <= ms:
                end += 1
            found += rows[start:end]
            self._next = end
            if end < len(rows) or self._ended:
                return found
            self._rows, self._next = read_rows(self._connection, self._seq), 0
            self._ended = len(self._rows) < CHUNK
            if self._rows:
                self._seq = self._rows[-1][0]


class _Ahead:
    """Heartbeats up to one moment after another."""

    def __init__(self, pulses: Iterator[Pulse]) -> None:
        self._pulses = pulses
        self._next = next(pulses, None)

    def until(self, ms: int) -> Iterator[Pulse]:
        """Those not yet given that were recorded up to an instant."""
        while self._next is not None and self._next.recorded_at <= ms:
            yield self._next
            self._next = next(self._pulses, None)
