"""Going on with a run that was killed: what its database already has, and whether it is the same run.

The model is run again from the start and says the same commands in the same order; the database has the
first of them, whole batches of them. `Recorded` is what it has: the feed takes those commands as done and
the cuts that went out are not published again. It executes nothing.
"""

from __future__ import annotations

import fcntl
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import orjson
from sqlalchemy import Connection, func, select
from sqlalchemy import Engine as Database

from core.domain.events import EventKind
from core.domain.holding import HOLD_TABLE
from core.domain.operation import ROOM_EVENTS
from core.errors import UsageError
from core.foreign_text import foreign_bytes
from core.storage import schema
from core.storage.reading import reading

LOCK = ".prep-en-uso"
"""Held by the process that is running in a folder; the system lets it go however that process dies."""

PATIENCE_S = 2.0
"""How long a folder in use is waited for."""

FLAGGED = (EventKind.ACTA_RECEIVED.value, EventKind.ACTA_CAPTURED.value)
ROOM_KEYS = "sala-"
"""How the keys of the commands of the control room begin: they are of its people, not of the run."""
_TOLD_IN_ROOM = tuple(kind.value for kind in (*ROOM_EVENTS, *HOLD_TABLE))
CUT_EVENTS = (
    EventKind.CUT_PUBLISHED.value,
    EventKind.CUT_REFUSED.value,
    EventKind.CUT_MISSED.value,
    EventKind.NOTICE_ISSUED.value,
)


class OtherRunError(UsageError):
    """What is to be continued is not this run: another scenario, seed, catalogue or database."""


@dataclass(frozen=True, slots=True)
class PublishedCut:
    """A cut the ledger has. `at` in ms UTC; `refused` is the reason when it did not go out."""

    number: int
    at: int
    seq_high: int
    last: bool
    refused: str | None = None


@dataclass
class Recorded:
    """What the database of a run holds, by the key of each command the model sent.

    `digests` are those of the commands (`core.engine.command_digest`); `refusals` code and detail of the
    refused ones; `events` and `flags` count the ledger without the cuts; `until_ms` is the latest time it
    was written at, ms UTC, 0 when it is empty.
    """

    digests: dict[str, bytes] = field(default_factory=dict)
    refusals: dict[str, tuple[str, str]] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    cuts: dict[int, PublishedCut] = field(default_factory=dict)
    missed: dict[int, str] = field(default_factory=dict)
    """Why each slot (ms UTC) that was told as missed was."""
    until_ms: int = 0


def recorded_in(database: Database) -> Recorded:
    """Read what a database has of a run."""
    found = Recorded()
    ledger, command = schema.ledger, schema.command
    with reading(database) as connection:
        cut_seqs = set()
        query = select(ledger.c.seq, ledger.c.kind, ledger.c["at"], ledger.c.data)
        for seq, kind, at, data in connection.execute(
            query.where(ledger.c.kind.in_(CUT_EVENTS)).order_by(ledger.c.seq)
        ):
            cut_seqs.add(seq)
            body = orjson.loads(data)
            if kind == EventKind.CUT_MISSED.value:
                found.missed[body["slot"]] = body["reason"]
            if kind in (EventKind.CUT_MISSED.value, EventKind.NOTICE_ISSUED.value):
                continue
            # A refused cut may be tried again at the same time only by another run of ours: the last rules.
            found.cuts[at] = PublishedCut(
                body["number"], at, body.get("seq_high", 0), body.get("last", False), body.get("reason")
            )
        columns = (command.c.key, command.c.digest, command.c.refusal, command.c.detail, command.c.seq_first)
        rows = connection.execution_options(stream_results=True, yield_per=5_000).execute(select(*columns))
        for key, digest, refusal, detail, seq in rows:
            if seq in cut_seqs or key.startswith(ROOM_KEYS):
                continue
            found.digests[key] = bytes(digest)
            if refusal is not None:
                found.refusals[key] = (refusal, detail or "")
        for kind, count in connection.execute(
            select(ledger.c.kind, func.count())
            .where(ledger.c.kind.not_in(CUT_EVENTS))
            .group_by(ledger.c.kind)
        ):
            found.events[kind] = int(count)
        for (data,) in connection.execute(select(ledger.c.data).where(ledger.c.kind.in_(FLAGGED))):
            found.flags.update(orjson.loads(data)["flags"])
        ours = ledger.c.kind.not_in(_TOLD_IN_ROOM)
        found.until_ms = int(
            connection.execute(select(func.max(ledger.c.recorded_at)).where(ours)).scalar() or 0
        )
        theirs = _room_seqs(connection)
        told = select(ledger.c.seq, ledger.c.kind, ledger.c.recorded_at).where(
            ledger.c.kind.in_(_TOLD_IN_ROOM)
        )
        for seq, kind, recorded_at in connection.execute(told):
            if seq in theirs:
                found.events[kind] -= 1
            else:
                found.until_ms = max(found.until_ms, recorded_at)
        found.events = +found.events
    return found


def told_by_the_room(database: Database) -> set[str]:
    """Incidents that people of the control room did something about."""
    ledger = schema.ledger
    with reading(database) as connection:
        theirs = _room_seqs(connection)
        told = select(ledger.c.seq, ledger.c.data).where(ledger.c.kind.in_(_TOLD_IN_ROOM))
        bodies = [orjson.loads(data) for seq, data in connection.execute(told) if seq in theirs]
    return {body["incident"] for body in bodies if body.get("incident")}


def _room_seqs(connection: Connection) -> set[int]:
    """Sequences of the events that commands of the control room caused."""
    command = schema.command
    found: set[int] = set()
    query = select(command.c.seq_first, command.c.seq_last).where(
        command.c.key.startswith(ROOM_KEYS), command.c.seq_first.is_not(None)
    )
    for first, last in connection.execute(query):
        found.update(range(first, last + 1))
    return found


def published_headers(folder: Path, number: int) -> dict[str, dict[str, str]]:
    """The thirteen counters by contest of a cut, from its own package; empty when it is not there."""
    index = folder / "cortes" / f"{number:04d}" / "indice.json"
    if not index.is_file():
        return {}
    contests = orjson.loads(index.read_bytes())["contiendas"]
    return {name: dict(contest["encabezado"]) for name, contest in contests.items()}


def hold(folder: Path) -> IO[bytes]:
    """Take the folder of a run for this process until the file returned is closed.

    A process that was killed may be finishing its last transaction: it is waited for. Raises UsageError
    when another process goes on running there.
    """
    handle = (folder / LOCK).open("ab")
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                handle.close()
                raise UsageError(f"Otra corrida está usando la carpeta «{folder}».") from error
            time.sleep(0.05)
        else:
            return handle


def check_same_run(folder: Path, marker: Path, wanted: dict[str, object]) -> None:
    """Raises OtherRunError when the run in a folder is not the one wanted, UsageError when there is none."""
    names = {
        "escenario_sha256": "el escenario (con lo que lleve encima)",
        "semilla": "la semilla",
        "catalogo_sha256": "el catálogo",
        "cortes": "si publica cortes",
        "imagenes": "la parte de las actas que se dibuja",
    }
    if not marker.is_file():
        raise UsageError(f"En «{folder}» no hay ninguna corrida que continuar.")
    try:
        found = orjson.loads(foreign_bytes(marker))
        run = found.get("corrida") if isinstance(found, dict) else None
    except orjson.JSONDecodeError:
        run = None
    if not isinstance(run, dict):
        raise UsageError(f"La corrida de «{folder}» no se puede continuar: su marca no dice cuál es.")
    for name, words in names.items():
        if run.get(name) != wanted.get(name):
            raise OtherRunError(
                f"La corrida de «{folder}» es otra: no coincide {words} "
                f"(la de la carpeta: {_told(run.get(name))}; la pedida: {_told(wanted.get(name))})."
            )


def _told(value: object) -> str:
    """A value of the marker, for people."""
    if isinstance(value, bool):
        return "sí" if value else "no"
    return "no lo dice" if value is None else str(value)
