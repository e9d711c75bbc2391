"""The slots in the database: each hour of publication is taken once, and what became of it is kept.

Only who holds the lease may take one. It decides nothing: which slot is due is `due`.
"""

from __future__ import annotations

from enum import StrEnum

import orjson
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy import Engine as Database

from core.domain.events import EventKind
from core.publishing.due import Past, Schedule
from core.publishing.lease import Lease, still_held
from core.storage import schema

_SLOT = schema.emission_slot
LONGEST_ERROR = 500


class SlotState(StrEnum):
    """What became of a slot."""

    TAKEN = "tomada"
    PUBLISHED = "publicada"
    FAILED = "fallida"
    MISSED = "perdida"


class SlotTable:
    """The slots of one database. Times in ms UTC, given by the caller."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, slot: int, lease: Lease, now: int) -> bool:
        """Take a slot for an attempt; False when its cut went out or the lease is another's."""
        with self._writing() as connection, connection.begin():
            if not still_held(connection, lease):
                return False
            found = connection.execute(select(_SLOT).where(_SLOT.c.slot == slot)).one_or_none()
            if found is None:
                connection.execute(
                    insert(_SLOT).values(
                        slot=slot, state=SlotState.TAKEN, attempts=1, holder=lease.holder, started_at=now
                    )
                )
                return True
            if found.state == SlotState.PUBLISHED:
                return False
            # Taken by whoever held the lease before: it died, or it would still have it.
            connection.execute(
                update(_SLOT)
                .where(_SLOT.c.slot == slot)
                .values(
                    state=SlotState.TAKEN, attempts=found.attempts + 1, holder=lease.holder, started_at=now,
                    ended_at=None, error=None,
                )
            )  # fmt: skip
            return True

    def published(self, slot: int, number: int, now: int) -> None:
        """The cut of a slot went out."""
        self._end(slot, now, state=SlotState.PUBLISHED, number=number, error=None)

    def failed(self, slot: int, error: str, now: int) -> None:
        """The attempt at a slot did not publish; it may be taken again."""
        self._end(slot, now, state=SlotState.FAILED, error=error[:LONGEST_ERROR])

    def missed(self, slots: tuple[int, ...], reason: str, lease: Lease, now: int) -> None:
        """These slots are told as missed; one of them that is published later stops being so."""
        with self._writing() as connection, connection.begin():
            for slot in slots:
                found = connection.execute(select(_SLOT.c.slot).where(_SLOT.c.slot == slot)).one_or_none()
                if found is None:
                    connection.execute(
                        insert(_SLOT).values(
                            slot=slot, state=SlotState.MISSED, attempts=0, holder=lease.holder,
                            started_at=now, ended_at=now, error=reason[:LONGEST_ERROR],
                        )
                    )  # fmt: skip
                else:
                    connection.execute(
                        update(_SLOT)
                        .where(_SLOT.c.slot == slot, _SLOT.c.state != SlotState.PUBLISHED)
                        .values(state=SlotState.MISSED)
                    )

    def past(self, schedule: Schedule, now: int, *, told: int, finished: bool) -> Past:
        """What `due` needs. `told` is the latest missed slot of the ledger; `finished`, whether it ended."""
        current = schedule.current(now)
        with self._database.connect() as connection:
            served = connection.execute(
                select(func.max(_SLOT.c.slot)).where(_SLOT.c.state == SlotState.PUBLISHED)
            ).scalar()
            row = connection.execute(select(_SLOT).where(_SLOT.c.slot == current)).one_or_none()
        attempts = row.attempts if row is not None else 0
        failed_at = (row.ended_at or 0) if row is not None else 0
        return Past(-1 if served is None else int(served), told, attempts, failed_at, finished)

    def settle(self, now: int, error: str = "El proceso que lo hacía terminó.") -> list[int]:
        """Decide what became of slots that were taken by a process that died; returns those published.

        The cut of an attempt carries its instant: when the ledger has it, it went out.
        """
        went_out = []
        with self._writing() as connection, connection.begin():
            query = select(_SLOT.c.slot, _SLOT.c.started_at).where(_SLOT.c.state == SlotState.TAKEN)
            for slot, started in connection.execute(query).all():
                data = connection.execute(
                    select(schema.ledger.c.data).where(
                        schema.ledger.c.kind == EventKind.CUT_PUBLISHED.value,
                        schema.ledger.c["at"] == started,
                    )
                ).scalar()
                if data is None:
                    values: dict[str, object] = {"state": SlotState.FAILED, "error": error[:LONGEST_ERROR]}
                else:
                    number = orjson.loads(data)["number"]
                    values = {"state": SlotState.PUBLISHED, "number": number}
                    went_out.append(int(slot))
                connection.execute(update(_SLOT).where(_SLOT.c.slot == slot).values(ended_at=now, **values))
        return went_out

    def states(self) -> dict[int, str]:
        """State by slot."""
        with self._database.connect() as connection:
            rows = connection.execute(select(_SLOT.c.slot, _SLOT.c.state).order_by(_SLOT.c.slot))
            return {int(slot): str(state) for slot, state in rows}

    def lost(self) -> list[int]:
        """The slots told as missed that were not published later, in order."""
        return [slot for slot, state in self.states().items() if state == SlotState.MISSED]

    def _end(self, slot: int, now: int, **values: object) -> None:
        with self._writing() as connection, connection.begin():
            connection.execute(
                update(_SLOT)
                .where(_SLOT.c.slot == slot, _SLOT.c.state != SlotState.PUBLISHED)
                .values(ended_at=now, **values)
            )

    def _writing(self) -> Connection:
        return self._database.connect().execution_options(prep_write=True)
