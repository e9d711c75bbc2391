"""The room's own database, `sala.db`: users, sessions, failed logins, access log and alert log.

Never election data: that lives in the ledger of the engine. The two logs only grow; triggers refuse to
change or delete their rows. Times `ms` are of the night, `ms_real` of the machine, both ms UTC.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError

from core.errors import UsageError
from core.system_reasons import system_reason

FILE = "sala.db"
VERSION = "1"

metadata = MetaData()

meta = Table("meta", metadata, Column("clave", Text, primary_key=True), Column("valor", Text, nullable=False))
users = Table(
    "usuario",
    metadata,
    Column("usuario", Text, primary_key=True),
    Column("nombre", Text, nullable=False),
    Column("rol", Text, nullable=False),
    Column("clave", Text, nullable=False),
    Column("alta_ms", BigInteger, nullable=False),
    Column("baja_ms", BigInteger),
)
sessions = Table(
    "sesion",
    metadata,
    Column("huella", Text, primary_key=True),
    Column("usuario", Text, nullable=False),
    Column("nombre", Text, nullable=False),
    Column("rol", Text, nullable=False),
    Column("origen", Text, nullable=False),
    Column("csrf", Text, nullable=False),
    Column("inicio_ms", BigInteger, nullable=False),
    Column("ultima_ms", BigInteger, nullable=False),
    Column("vence_ms", BigInteger, nullable=False),
    Column("direccion", Text, nullable=False),
    Column("cerrada_ms", BigInteger),
    Column("cierre", Text),
)
Index("sesion_usuario", sessions.c.usuario)
failures = Table(
    "fallo",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ms_real", BigInteger, nullable=False),
    Column("usuario", Text, nullable=False),
    Column("direccion", Text, nullable=False),
)
Index("fallo_ms", failures.c.ms_real)
access_log = Table(
    "acceso",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ms", BigInteger, nullable=False),
    Column("ms_real", BigInteger, nullable=False),
    Column("que", Text, nullable=False),
    Column("usuario", Text, nullable=False),
    Column("rol", Text, nullable=False),
    Column("direccion", Text, nullable=False),
    Column("detalle", Text, nullable=False),
)
Index("acceso_ms", access_log.c.ms)
alert_log = Table(
    "alerta",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ms", BigInteger, nullable=False),
    Column("ms_real", BigInteger, nullable=False),
    Column("alerta", Text, nullable=False),
    Column("regla", Text, nullable=False),
    Column("prioridad", Integer, nullable=False),
    Column("que", Text, nullable=False),
    Column("detalle", Text, nullable=False),
    Column("catds", Text, nullable=False),
)
Index("alerta_ms", alert_log.c.ms)
orders = Table(
    "orden",
    metadata,
    Column("clave", Text, primary_key=True),
    Column("usuario", Text, nullable=False),
    Column("ms", BigInteger, nullable=False),
)
"""Time of the night of each command sent under a key of the browser: sent again, it is the same command."""
effects = Table("efecto", metadata, Column("activacion", Text, primary_key=True))
"""Measures whose effect was told to a rehearsal: an authorisation sent again tells it nothing."""

_ONLY_GROWS = ("acceso", "alerta")


def open_room(folder: Path) -> Engine:
    """Open `sala.db` in the room's folder, making folder and tables when they are not there.

    Raises UsageError when the file cannot be opened or is of another version.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    # Hashes of passwords and the secret of the forms live here. SQLite gives its side files the permissions
    # this one has when they are made, so it has them before it is opened. A file that is there is not opened:
    # closing it would let go of the locks this process has on it.
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        path.chmod(0o600)
        for end in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(FILE + end).chmod(0o600)
    except OSError as error:
        raise UsageError(f"No se pudo abrir la base de la sala «{path}»: {system_reason(error)}") from error
    engine = create_engine(URL.create("sqlite", database=str(path)))

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 5000")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            metadata.create_all(connection)
            for table in _ONLY_GROWS:
                for act in ("UPDATE", "DELETE"):
                    connection.exec_driver_sql(
                        f"CREATE TRIGGER IF NOT EXISTS {table}_sin_{act.lower()} BEFORE {act} ON {table} "
                        "BEGIN SELECT RAISE(ABORT, 'este registro solo crece'); END"
                    )
            given = {"version": VERSION, "secreto": secrets.token_hex(32)}
            for key, value in given.items():
                connection.execute(insert(meta).values(clave=key, valor=value).on_conflict_do_nothing())
            found = connection.execute(select(meta.c.valor).where(meta.c.clave == "version")).scalar_one()
    except DatabaseError as error:
        raise UsageError(f"No se pudo abrir la base de la sala «{path}»: {error.orig}") from error
    if found != VERSION:
        raise UsageError(f"La base de la sala «{path}» es de la versión {found}; se esperaba la {VERSION}.")
    return engine


def secret(room: Engine) -> bytes:
    """The secret this room signs its forms with; it survives restarts."""
    with room.connect() as connection:
        return bytes.fromhex(
            connection.execute(select(meta.c.valor).where(meta.c.clave == "secreto")).scalar_one()
        )


def first_effect(room: Engine, activation: str) -> bool:
    """Whether the effect of a measure is still to be told to the run; from now on it is not."""
    with room.begin() as connection:
        row = insert(effects).values(activacion=activation).on_conflict_do_nothing()
        return connection.execute(row).rowcount == 1


def log_alerts(room: Engine, transitions: Sequence[Mapping[str, Any]]) -> None:
    """Append changes of alerts, all or none.

    Each has `ms`, `ms_real`, `alerta` (its id), `regla`, `prioridad`, `que` (activa, despejada,
    reconocida, silenciada, vence_silencio, sube, baja), `detalle` and `catds` (ids); extra keys are ignored.
    """
    if not transitions:
        return
    rows = [
        {
            "ms": one["ms"],
            "ms_real": one["ms_real"],
            "alerta": one["alerta"],
            "regla": one["regla"],
            "prioridad": one["prioridad"],
            "que": one["que"],
            "detalle": one.get("detalle", ""),
            "catds": json.dumps(list(one.get("catds", ()))),
        }
        for one in transitions
    ]
    with room.begin() as connection:
        connection.execute(alert_log.insert(), rows)
