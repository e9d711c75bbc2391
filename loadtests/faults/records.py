"""What the database has recorded, read for the faults: the log, the answers, what each acta counts, the cuts.

Each function opens the database by itself, looks at one consistent point of it and writes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.domain.events import Event, EventKind
from core.storage import schema
from core.storage.database import open_existing
from core.storage.reading import ledger_events, reading
from core.storage.store import EVENTS, event_of

COLLATED = "cotejada"
"""The column of `result` that the night goes on filling in after an acta is counted."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the engine keeps of a key: its digest, its refusal, and the events of the log it caused."""

    digest: bytes
    refusal: str | None
    first: int | None
    last: int | None


@contextlib.contextmanager
def connected(base: str) -> Iterator[Connection]:
    """A connection that sees one point of the database."""
    database = open_existing(base)
    try:
        with reading(database) as connection:
            yield connection
    finally:
        database.dispose()


def head(base: str) -> int:
    """The last sequence of the log."""
    with connected(base) as connection:
        return int(connection.execute(select(func.max(schema.ledger.c.seq))).scalar() or 0)


def events_after(base: str, seq: int) -> list[Event]:
    """What was recorded after a sequence."""
    with connected(base) as connection:
        return [event for _, event, _ in ledger_events(connection, seq)]


def answers(base: str, keys: Sequence[str]) -> dict[str, Answered]:
    """What is kept of some keys; those nobody has sent are not there."""
    command, found = schema.command.c, {}
    with connected(base) as connection:
        for start in range(0, len(keys), 500):
            wanted = keys[start : start + 500]
            asked = select(command.key, command.digest, command.refusal, command.seq_first, command.seq_last)
            for row in connection.execute(asked.where(command.key.in_(wanted))):
                found[str(row[0])] = Answered(bytes(row[1]), row[2], row[3], row[4])
    return found


def counted(base: str) -> dict[str, tuple[object, ...]]:
    """Every acta with its state, and everything of it that a cut publishes."""
    with connected(base) as connection:
        rows = connection.execute(select(schema.result)).all()
        found: dict[str, tuple[object, ...]] = {f"resultado {row.acta}": tuple(row) for row in rows}
        for number, status in connection.execute(select(schema.acta.c.id, schema.acta.c.status)):
            found[f"acta {number}"] = (status,)
        for row in connection.execute(select(schema.outside)):
            found[f"fuera de catálogo {row.id}"] = tuple(row)
    return found


def acta_of_image(base: str, sha256: str) -> dict[str, object]:
    """Everything a cut publishes of the acta with an image, by column; empty when nobody captured it.

    Whether it was collated is left out: the night goes on collating.
    """
    with connected(base) as connection:
        row = connection.execute(
            select(schema.result).where(schema.result.c.image_hash == sha256)
        ).one_or_none()
    return {} if row is None else {k: v for k, v in row._mapping.items() if k != COLLATED}


def cuts(base: str) -> list[tuple[int, str]]:
    """Number and manifest of every cut of the log, in the order recorded."""
    ledger = schema.ledger.c
    asked = EVENTS.where(ledger.kind == EventKind.CUT_PUBLISHED.value).order_by(ledger.seq)
    with connected(base) as connection:
        events = [event_of(row) for row in connection.execute(asked)]
    return [(int(event.data["number"]), str(event.data["manifest_sha256"])) for event in events]


def slots(base: str) -> list[tuple[int, str, int | None]]:
    """Hour (ms UTC), state and cut of every slot of publication, in order."""
    slot = schema.emission_slot.c
    with connected(base) as connection:
        rows = connection.execute(select(slot.slot, slot.state, slot.number).order_by(slot.slot))
        return [(int(at), str(state), None if number is None else int(number)) for at, state, number in rows]
