"""Pulses: what each CATD says of itself every so often, kept beside the ledger for the control room.

Telemetry and not election data: no event, no count and no check depends on it, and a pulse that is lost is
only a gap. A CATD without link or without power sends none, and that is how the room knows. What a pulse
means for the night is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, select
from sqlalchemy import Engine as Database

from core.storage import schema

_INSERT = (
    'INSERT INTO pulse (catd, "at", recorded_at, link, waiting, staff) VALUES (?, ?, ?, ?, ?, ?) '
    "ON CONFLICT DO NOTHING"
)
_STEP = 2_000


class Pulse(NamedTuple):
    """One pulse of a CATD (its number in the catalogue). Times in ms UTC."""

    catd: int
    at: int
    recorded_at: int
    """When it reached the database's side."""
    link: int
    """Per cent of its link there was, 1 to 100."""
    waiting: int
    """Shipments waiting to go out over its link."""
    staff: Mapping[str, int]
    """People present by role: acopiadores, digitalizadores and, where there are, capturistas."""


def record_pulses(database: Database, pulses: Iterable[Pulse]) -> None:
    """Store pulses in one transaction. A second one of the same CATD and instant changes nothing.

    To be read with `pulses_after`, those with the same `recorded_at` must come in the same call.
    """
    rows = [
        (
            pulse.catd, pulse.at, pulse.recorded_at, pulse.link, pulse.waiting,
            orjson.dumps(dict(pulse.staff), option=orjson.OPT_SORT_KEYS).decode(),
        )
        for pulse in pulses
    ]  # fmt: skip
    if not rows:
        return
    sql = _INSERT if database.dialect.name == "sqlite" else _INSERT.replace("?", "%s")
    with database.connect().execution_options(prep_write=True) as connection, connection.begin():
        connection.exec_driver_sql(sql, rows)


def pulses_after(connection: Connection, recorded_at: int) -> Iterator[Pulse]:
    """Pulses recorded after an instant (ms UTC), in that order and then by CATD, streamed."""
    pulse = schema.pulse
    query = select(pulse).where(pulse.c.recorded_at > recorded_at)
    rows = connection.execution_options(stream_results=True, yield_per=_STEP).execute(
        query.order_by(pulse.c.recorded_at, pulse.c.catd)
    )
    for catd, at, recorded, link, waiting, staff in rows:
        yield Pulse(catd, at, recorded, link, waiting, orjson.loads(staff))
