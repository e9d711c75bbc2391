"""The database itself: its tables, its versions, what it refuses to forget."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from core.errors import UsageError
from core.storage import schema
from core.storage.database import (
    DatabaseVersionError,
    connect,
    open_database,
    open_existing,
    parse_url,
)
from core.storage.store import Store
from tests.core.domain.small import CATALOG, START, Orders, open_engine


@pytest.fixture
def base(tmp_path: Path) -> str:
    return str(tmp_path / "base.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, base: str) -> str:
    return str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else base


@pytest.fixture
def used(url: str) -> Iterator[Engine]:
    """A database with a few events in it."""
    engine = open_engine(url)
    orders = Orders()
    engine.execute([orders.open(), *orders.agreed(0), orders.capture(1, "ana")], START)
    engine._store.close()
    yield engine._store.database
    engine._store.database.dispose()


def test_the_migrations_build_exactly_the_tables_of_the_schema(url: str) -> None:
    database = open_database(url)
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    assert set(inspect(database).get_table_names()) == {*schema.metadata.tables, "alembic_version"}
    database.dispose()


def test_opening_twice_changes_nothing(url: str) -> None:
    open_database(url).dispose()
    open_database(url).dispose()
    open_existing(url).dispose()


APPEND_ONLY = [
    "UPDATE ledger SET actor = 'otra' WHERE seq = 1",
    "UPDATE ledger SET actor = actor",
    "DELETE FROM ledger WHERE seq = 1",
    "DELETE FROM ledger",
    "UPDATE command SET refusal = NULL",
    "DELETE FROM command",
]


@pytest.mark.parametrize("statement", APPEND_ONLY)
def test_the_database_refuses_to_change_what_is_written(used: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), used.begin() as connection:
        connection.execute(text(statement))


def test_postgresql_refuses_to_empty_what_is_written(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    engine.execute([Orders().open()], START)
    engine._store.close()
    for table in ("ledger", "command", "ledger, command"):
        with (
            pytest.raises(DBAPIError, match="append-only"),
            engine._store.database.begin() as connection,
        ):
            connection.execute(text(f"TRUNCATE {table}"))
    engine._store.database.dispose()


REPLACE = [
    "INSERT OR REPLACE INTO ledger SELECT seq, kind, acta, at, device_at, recorded_at, 'otra', station, "
    "data, hash FROM ledger WHERE seq = 1",
    "INSERT OR REPLACE INTO command SELECT key, digest, 'X', detail, NULL, NULL FROM command",
]


@pytest.mark.parametrize("statement", REPLACE)
def test_sqlite_refuses_to_replace_what_is_written(base: str, statement: str) -> None:
    engine = open_engine(base)
    engine.execute([Orders().open()], START)
    with pytest.raises(DBAPIError, match="append-only"), engine._store.database.begin() as connection:
        connection.execute(text(statement))


def test_sqlite_really_runs_with_wal_and_full_synchronization(base: str) -> None:
    engine = open_engine(base)
    with engine._store.write() as transaction:
        found = {
            name: transaction.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_postgresql_acknowledges_only_what_is_on_disk(postgres_url: str) -> None:
    store = Store(open_database(postgres_url))
    with store.write() as transaction:
        for name in ("fsync", "synchronous_commit"):
            assert transaction.connection.exec_driver_sql(f"SHOW {name}").scalar() == "on"
    store.close()
    store.database.dispose()


def test_a_database_of_a_later_version_is_refused_and_left_alone(url: str) -> None:
    database = open_database(url)
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()
    with pytest.raises(DatabaseVersionError, match="9999, posterior"):
        open_database(url)
    with pytest.raises(DatabaseVersionError, match="9999"):
        open_existing(url)


def test_a_database_without_version_is_not_taken_for_one_of_ours(url: str) -> None:
    with connect(url, create=True).begin() as connection:
        connection.execute(text("CREATE TABLE cosas (id INTEGER)"))
    with pytest.raises(DatabaseVersionError, match="desconocida"):
        open_existing(url)


def test_a_file_that_is_missing_is_told_plainly_and_not_created(tmp_path: Path) -> None:
    missing = tmp_path / "no-hay.db"
    with pytest.raises(UsageError, match=r"No existe la base «.*no-hay\.db»"):
        open_existing(str(missing))
    assert not missing.exists()


@pytest.mark.parametrize("opener", [open_database, open_existing])
def test_a_file_that_is_no_database_is_told_plainly(tmp_path: Path, opener: object) -> None:
    path = tmp_path / "texto.db"
    path.write_text("CLAVE_CASILLA,CLAVE_ACTA\n" * 100, encoding="utf-8")
    assert callable(opener)
    with pytest.raises(UsageError, match="No se pudo abrir la base"):
        opener(str(path))


def test_a_folder_that_does_not_exist_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No se pudo abrir la base"):
        open_database(str(tmp_path / "no" / "hay" / "base.db"))


@pytest.mark.parametrize("opener", [open_database, open_existing])
def test_a_server_that_does_not_answer_is_told_plainly(opener: object) -> None:
    assert callable(opener)
    with pytest.raises(UsageError, match="No se pudo abrir la base"):
        opener("postgresql://prep@127.0.0.1:1/prep?connect_timeout=2")


def test_a_password_is_not_repeated_in_the_error() -> None:
    with pytest.raises(UsageError) as refusal:
        open_existing("postgresql://prep:secreto@127.0.0.1:1/prep?connect_timeout=2")
    assert "secreto" not in str(refusal.value)


def test_the_base_is_a_path_or_a_url_of_sqlite_or_postgresql() -> None:
    assert parse_url("salida/prep.db").database == "salida/prep.db"
    assert parse_url("sqlite:///salida/prep.db").get_backend_name() == "sqlite"
    assert parse_url("postgresql://a@b/c").drivername == "postgresql+psycopg"
    with pytest.raises(UsageError, match="no es SQLite ni PostgreSQL"):
        parse_url("mysql://a:secreto@b/c")
    with pytest.raises(UsageError, match="no es una URL válida"):
        parse_url("://")


def test_the_catalogue_comes_back_from_the_database_as_it_went_in(used: Engine) -> None:
    assert Store(used).load_catalog().document() == CATALOG.document()


def test_a_copy_of_the_file_holds_the_night_without_its_log_of_changes(base: str, tmp_path: Path) -> None:
    engine = open_engine(base)
    engine.execute([Orders().open()], START)
    engine._store.close()
    engine._store.database.dispose()
    copy = tmp_path / "copia.db"
    shutil.copy(base, copy)
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT count(*) FROM ledger").fetchone() == (1,)


def test_a_file_that_is_moved_away_is_never_made_again_by_whoever_has_it_open(tmp_path: Path) -> None:
    path, away = tmp_path / "prep con espacio.db", tmp_path / "lejos.db"
    for opened in (open_database(str(path)), open_existing(str(path)), connect(str(path))):
        with opened.connect():
            pass
        opened.dispose()
        path.rename(away)
        with pytest.raises(OperationalError), opened.connect():
            pass
        assert not path.exists()
        away.rename(path)
        with opened.connect() as connection:
            assert connection.execute(select(func.count()).select_from(schema.ledger)).scalar() == 0
        opened.dispose()
