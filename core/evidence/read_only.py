"""Opening a database so that nothing can be written in it, and saying what it is made of.

For evidence: who takes it must be able to prove that taking it changed nothing. Nothing here knows actas.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError

from core.errors import UsageError
from core.storage.database import MIGRATIONS, DatabaseVersionError, parse_url

_PG_DDL = (
    # One row per thing the schema is made of, in the server's own words.
    "SELECT 'columna', table_name || '.' || column_name, "
    "data_type || ' ' || is_nullable || ' ' || coalesce(character_maximum_length::text, '') || ' ' "
    "|| coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = current_schema()",
    "SELECT 'restriccion', conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid) "
    "FROM pg_constraint WHERE connamespace = current_schema()::regnamespace",
    "SELECT 'indice', indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
    "SELECT 'disparador', tgrelid::regclass::text || '.' || tgname, "
    "tgenabled::text || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT 'funcion', proname, pg_get_functiondef(oid) FROM pg_proc "
    "WHERE pronamespace = current_schema()::regnamespace AND prokind = 'f'",
)


def open_read_only(base: str) -> Engine:
    """Connect to a database of this version without being able to write in it.

    SQLite is opened with `mode=ro`, and with `immutable` when nobody else has it open, so that its folder may
    be read-only too; PostgreSQL with every transaction read-only, so that a role with only SELECT is enough.
    Raises UsageError when it is not there or does not answer, DatabaseVersionError for another version.
    """
    url = parse_url(base)
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if not path.is_file():
            raise UsageError(f"No existe la base «{url.database}».")
        engine = _sqlite(path)
    else:
        engine = create_engine(url, connect_args={"options": "-c default_transaction_read_only=on"})
    try:
        with engine.connect() as connection:
            found = revision(connection)
    except DatabaseError as error:
        engine.dispose()
        if type(error) not in (DatabaseError, OperationalError):
            raise
        named = url.render_as_string(hide_password=True)
        raise UsageError(f"No se pudo abrir la base «{named}»: {error.orig}") from error
    wanted = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if found != wanted:
        engine.dispose()
        raise DatabaseVersionError(
            f"La base es de la versión {found or 'desconocida'}; se esperaba la {wanted}."
        )
    return engine


def _sqlite(path: Path) -> Engine:
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    log = path.with_name(path.name + "-wal")

    def connect() -> sqlite3.Connection:
        # A database that nobody has open has no log; read as it lies, reading leaves no file beside it.
        at_rest = "" if log.exists() else "&immutable=1"
        return sqlite3.connect(address + at_rest, uri=True, check_same_thread=False, isolation_level=None)

    engine = create_engine("sqlite://", creator=connect)

    @event.listens_for(engine, "connect")
    def only_read(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA busy_timeout = 30000")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def revision(connection: Connection) -> str | None:
    """The version of the database's schema, None when it has none."""
    return MigrationContext.configure(connection).get_current_revision()


def table_counts(connection: Connection) -> dict[str, int]:
    """Rows of every table there is, those this program does not know included."""
    names = sorted(inspect(connection).get_table_names())
    quoted = connection.dialect.identifier_preparer.quote
    return {
        name: int(connection.execute(text(f"SELECT count(*) FROM {quoted(name)}")).scalar_one())
        for name in names
    }


def schema_parts(connection: Connection) -> list[tuple[str, str, str]]:
    """(class, name, definition) of everything in the schema, triggers included, in order."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT type, name, coalesce(sql, '') FROM sqlite_master"))
        found = [(str(kind), str(name), str(sql)) for kind, name, sql in rows]
    else:
        found = [
            (str(kind), str(name), str(definition))
            for query in _PG_DDL
            for kind, name, definition in connection.execute(text(query))
        ]
    return sorted((kind, name, re.sub(r"\s+", " ", what).strip()) for kind, name, what in found)


def schema_fingerprint(connection: Connection) -> str:
    """SHA-256 of `schema_parts`, one a line. It differs between SQLite and PostgreSQL."""
    lines = "".join(f"{kind}\t{name}\t{what}\n" for kind, name, what in schema_parts(connection))
    return hashlib.sha256(lines.encode()).hexdigest()
