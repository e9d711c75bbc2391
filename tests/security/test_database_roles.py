"""With the least it may do each process still does its work, and nobody rewrites what is in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from control_room.app import build
from control_room.web.context import RoomOptions, open_room
from core.domain.commands import AnyCommand
from core.domain.events import EventKind
from core.engine import Engine
from core.publishing.due import MINUTE_MS
from core.storage.database import open_database
from core.storage.roles import ROLES, TABLES, script
from tests.conftest import Prep
from tests.control_room.web.rooms import CHEAP, Machine, TestRoom, take_turn
from tests.core.domain.small import START, Orders, open_engine
from tests.core.publishing.test_service import QUARTER, Room
from tests.simulator.conftest import DATA

SMALL = DATA / "chica.toml"


@pytest.fixture
def roles(postgres_url: str) -> str:
    """The URL of a database with its tables and its roles."""
    open_database(postgres_url).dispose()
    # Twice: whoever runs it again, after an upgrade, ends with the same.
    for _ in range(2):
        with psycopg.connect(_plain(postgres_url)) as connection:
            connection.execute(script().encode())
    return postgres_url


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def as_role(url: str, role: str) -> str:
    """The same database, entered with a role."""
    return make_url(url).set(username=role).render_as_string(hide_password=False)


def refused(url: str, role: str, statement: str) -> None:
    """Raises unless the server itself says no, for want of a permission or by the policy of the ledger."""
    with psycopg.connect(_plain(as_role(url, role)), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement.encode())


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine._store.close()
        engine._store.database.dispose()


@pytest.fixture
def night(roles: str) -> str:
    """A night with an acta, written by the role of the engine."""
    with _opened(as_role(roles, "prep_motor")) as engine:
        orders = Orders()
        answers = engine.execute([orders.open(), *orders.agreed(0)], START)
        assert [answer.refusal for answer in answers] == [None] * len(answers)
    return roles


def test_the_script_of_the_repository_is_the_one_of_the_schema(repository: Path) -> None:
    assert (repository / "deploy" / "roles.sql").read_text(encoding="utf-8") == script()


def test_every_table_of_the_database_has_its_permissions_said(postgres_url: str) -> None:
    open_database(postgres_url).dispose()
    database = create_engine(postgres_url)
    assert set(inspect(database).get_table_names()) == set(TABLES)
    database.dispose()


def test_a_rehearsal_runs_whole_with_the_role_of_the_engine(roles: str, prep: Prep, tmp_path: Path) -> None:
    url = as_role(roles, "prep_motor")
    done = prep("simular", SMALL, "--salida", "s", "--semilla", "4", "--base", url)
    assert done.returncode == 0, done.stderr
    auditor = as_role(roles, "prep_auditor")
    for order in (("comprobar", "--base", auditor), ("exportar", "--base", auditor, "--salida", "xes")):
        done = prep(*order)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("role", [role.name for role in ROLES])
def test_no_role_changes_or_erases_what_the_ledger_says(role: str, night: str) -> None:
    for statement in (
        "UPDATE ledger SET actor = 'otro'",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "UPDATE command SET refusal = NULL",
        "DELETE FROM command",
        "ALTER TABLE ledger DISABLE TRIGGER ALL",
        "ALTER TABLE ledger DISABLE ROW LEVEL SECURITY",
        "DROP TRIGGER ledger_no_change ON ledger",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN NEW; END $$",
        "DROP TABLE ledger",
        "CREATE TABLE otra (x int)",
        "CREATE TEMPORARY TABLE otra (x int)",
        "UPDATE meta SET value = 'oficial'",
        "UPDATE alembic_version SET version_num = '0'",
        "UPDATE acta SET contest = 'OTRA'",
        "SELECT pg_read_file('/etc/hostname')",
        "CREATE ROLE mas SUPERUSER LOGIN",
        "SET ROLE prep",
    ):
        refused(night, role, statement)


def test_only_the_role_of_the_engine_writes_results(night: str) -> None:
    for role in (role.name for role in ROLES if role.name != "prep_motor"):
        refused(night, role, "DELETE FROM result")
        refused(night, role, "INSERT INTO image (contest, sha256, acta) VALUES ('GUB', 'x', 0)")
        refused(night, role, "UPDATE acta SET seq = 0")


def test_each_process_adds_to_the_ledger_its_own_kinds_and_no_other(night: str) -> None:
    orders = Orders("cada")
    ours: dict[str, AnyCommand] = {
        "prep_motor": orders.receive(1),
        "prep_sala": orders.incident(),
        "prep_publicador": orders.refuse_cut(1),
    }
    for role, own in ours.items():
        with _opened(as_role(night, role)) as engine:
            assert engine.execute([own], START + MINUTE_MS)[0].accepted
    others: dict[str, AnyCommand] = {"prep_sala": orders.receive(2), "prep_publicador": orders.note()}
    for role, other in others.items():
        with _opened(as_role(night, role)) as engine, pytest.raises(DBAPIError, match="row-level security"):
            engine.execute([other], START + MINUTE_MS)
    refused(night, "prep_auditor", "INSERT INTO ledger SELECT * FROM ledger")


def test_the_publisher_makes_its_cuts_with_its_own_role(night: str, tmp_path: Path) -> None:
    room = Room(tmp_path, base=as_role(night, "prep_publicador"))
    assert room.tick(START)["corte"] == 1
    state = room.tick(START + QUARTER)
    assert (state["corte"], state["alarmas"]) == (2, [])
    assert len(room.events(EventKind.CUT_PUBLISHED)) == 2
    room.close()


def test_the_room_and_its_writer_work_with_their_own_role(night: str, tmp_path: Path) -> None:
    base, machine = as_role(night, "prep_sala"), Machine()
    take_turn(base, tmp_path, machine)
    opened = open_room(RoomOptions(base=base, folder=tmp_path), method=CHEAP, now=machine)
    room = TestRoom(opened, build(opened), machine)
    room.add("operador", "operador")
    operator = room.as_role("operador")
    assert operator.get("/salud").status_code == 200
    told = operator.done("abrir_incidente", titulo="Sin enlace", tipo="enlace", catds=[0])
    assert operator.done("atender_incidente", incidente=told["incidente"])["seq"] > told["seq"]
    assert operator.get("/api/catd/0.json").status_code == 200
    room.room.close()


def test_the_auditor_cannot_write_even_by_mistake(night: str) -> None:
    with (
        psycopg.connect(_plain(as_role(night, "prep_auditor"))) as connection,
        pytest.raises(errors.ReadOnlySqlTransaction),
    ):
        connection.execute("CREATE TABLE otra (x int)")


def test_nobody_without_a_role_enters_the_database(night: str) -> None:
    with psycopg.connect(_plain(night), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS ajeno")
        connection.execute("CREATE ROLE ajeno LOGIN")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(_plain(as_role(night, "ajeno")))
