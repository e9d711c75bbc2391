"""The lease: of several publishers over one database, which one works.

A process that dies leaves its lease to end by itself; `fence` grows with every holder, so that one that woke
up late finds out. The time is the caller's, ms UTC. What is done while holding it is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, update
from sqlalchemy import Engine as Database

from core.storage import schema

NAME = "publicacion"
TTL_MS = 45_000
"""How long a lease lasts without being renewed; the service renews it every few seconds."""

_LEASE = schema.lease


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that was obtained."""

    holder: str
    fence: int


def acquire(database: Database, holder: str, now: int, ttl: int = TTL_MS) -> Lease | None:
    """Take the lease when nobody has it, it ended, or it is one's own; None when another has it."""
    with _writing(database) as connection, connection.begin():
        placeholder = "?" if database.dialect.name == "sqlite" else "%s"
        marks = ", ".join([placeholder] * 4)
        connection.exec_driver_sql(
            f"INSERT INTO lease (name, holder, until, fence) VALUES ({marks}) ON CONFLICT DO NOTHING",
            (NAME, "", 0, 0),
        )
        query = _LEASE.select().where(_LEASE.c.name == NAME).with_for_update()
        found = connection.execute(query).one()
        if found.until > now and found.holder != holder:
            return None
        # The same process again keeps its number: what it claimed goes on being its own.
        fence = int(found.fence) + (found.holder != holder)
        connection.execute(
            update(_LEASE).where(_LEASE.c.name == NAME).values(holder=holder, until=now + ttl, fence=fence)
        )
        return Lease(holder, fence)


def renew(database: Database, lease: Lease, now: int, ttl: int = TTL_MS) -> bool:
    """Make the lease last longer; False when another process has it by now."""
    with _writing(database) as connection, connection.begin():
        done = connection.execute(
            update(_LEASE)
            .where(_LEASE.c.name == NAME, _LEASE.c.holder == lease.holder, _LEASE.c.fence == lease.fence)
            .values(until=now + ttl)
        )
        return done.rowcount == 1


def release(database: Database, lease: Lease) -> None:
    """Let another process take it at once."""
    with _writing(database) as connection, connection.begin():
        connection.execute(
            update(_LEASE)
            .where(_LEASE.c.name == NAME, _LEASE.c.holder == lease.holder, _LEASE.c.fence == lease.fence)
            .values(until=0)
        )


def still_held(connection: Connection, lease: Lease) -> bool:
    """True inside a transaction while nobody else has taken the lease."""
    query = _LEASE.select().where(_LEASE.c.name == NAME).with_for_update()
    found = connection.execute(query).one_or_none()
    return found is not None and (found.holder, int(found.fence)) == (lease.holder, lease.fence)


def _writing(database: Database) -> Connection:
    return database.connect().execution_options(prep_write=True)
