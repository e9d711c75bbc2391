"""Opening a database: its URL, its pragmas, its version.

Knows nothing of actas. `open_database` makes it or brings its version up to date, `open_existing` only
opens one that is there.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command as alembic_command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from core.errors import UsageError

MIGRATIONS = Path(__file__).parent / "migrations"

_CANNOT_OPEN = (DatabaseError, OperationalError)
"""What a server that does not answer and a file that is not a database raise; the subclasses are defects."""


class DatabaseVersionError(UsageError):
    """The database was made by another version of the system, or is not one of ours."""


def parse_url(text: str) -> URL:
    """The URL of `--base`: a SQLAlchemy URL, or the path of a SQLite file.

    Raises UsageError when it is neither SQLite nor PostgreSQL.
    """
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise UsageError(f"La base «{text}» no es una URL válida.") from error
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise UsageError(f"La base «{_without_password(text)}» no es SQLite ni PostgreSQL.")
    return url


def _configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _: Any) -> None:
        # The driver must not open transactions by itself: a write transaction begins IMMEDIATE,
        # so that two writers queue at its start instead of failing in its middle.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 30000")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA temp_store = MEMORY")
        # A national night fills its keys in random order: the pages it returns to must stay in memory.
        cursor.execute("PRAGMA cache_size = -262144")
        cursor.execute("PRAGMA wal_autocheckpoint = 40000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("prep_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def connect(text: str, *, create: bool = False) -> Engine:
    """An SQLAlchemy engine for a `--base` URL, without touching the version of the database.

    A SQLite file that is not there is made only with `create`: one that somebody moved away for a moment must
    not come back to find an empty one in its place, which would cost it what its log still held.
    """
    url = parse_url(text)
    if url.get_backend_name() != "sqlite":
        return create_engine(url)
    if create or not _is_file(url):
        engine = create_engine(url)
    else:
        address = f"file:{quote(str(Path(url.database or '').absolute()))}?mode=rw"
        engine = create_engine(
            url, creator=lambda: sqlite3.connect(address, uri=True, check_same_thread=False)
        )
    _configure_sqlite(engine)
    return engine


def _is_file(url: URL) -> bool:
    """True for a SQLite file given by its path."""
    named = url.database not in (None, "", ":memory:")
    return url.get_backend_name() == "sqlite" and named and not url.query


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def open_database(text: str) -> Engine:
    """Connect and bring the database to the version of this code, creating it if it is empty.

    Raises UsageError when the server cannot be reached and DatabaseVersionError when the database
    is of a later version.
    """
    engine = connect(text, create=True)
    try:
        with engine.begin() as connection:
            _refuse_unknown_version(connection)
            alembic_command.upgrade(_alembic(connection), "head")
    except DatabaseError as error:
        if type(error) not in _CANNOT_OPEN:
            raise
        raise UsageError(f"No se pudo abrir la base «{_without_password(text)}»: {error.orig}") from error
    if not _is_file(engine.url):
        return engine
    # From here on the file is there, and nobody may make another one.
    engine.dispose()
    return connect(text)


def open_existing(text: str) -> Engine:
    """Connect to a database that must already be of this version; nothing is created or changed.

    Raises UsageError when it does not exist and DatabaseVersionError when it is of another version.
    """
    url = parse_url(text)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise UsageError(f"No existe la base «{url.database}».")
    engine = connect(text)
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as error:
        if type(error) not in _CANNOT_OPEN:
            raise
        raise UsageError(f"No se pudo abrir la base «{_without_password(text)}»: {error.orig}") from error
    wanted = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if found != wanted:
        raise DatabaseVersionError(
            f"La base «{_without_password(text)}» es de la versión {found or 'desconocida'}; "
            f"se esperaba la {wanted}."
        )
    return engine


def _without_password(text: str) -> str:
    return make_url(text).render_as_string(hide_password=True) if "://" in text else text


def _refuse_unknown_version(connection: Connection) -> None:
    found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseVersionError(f"La base es de la versión {found}, posterior a este programa.")
