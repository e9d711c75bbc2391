"""With the least it may do each process still does its work, and nobody rewrites what is in the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from psycopg import errors
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from control_room.app import build
from control_room.web.commands import PREFIX
from control_room.web.context import RoomOptions, open_room
from core.domain.commands import AnyCommand
from core.domain.events import EventKind
from core.engine import Engine
from core.operations.check import check
from core.publishing.due import MINUTE_MS
from core.storage.database import open_database
from core.storage.roles import PUBLISHER_KEYS, ROLES, ROOM_KEYS, TABLES, script
from core.storage.store import chain
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
        "prep_sala": orders.incident(key="sala-1"),
        "prep_publicador": orders.refuse_cut(1, key="corte-rechazado-1"),
    }
    for role, own in ours.items():
        with _opened(as_role(night, role)) as engine:
            assert engine.execute([own], START + MINUTE_MS)[0].accepted
    others: dict[str, AnyCommand] = {
        "prep_sala": orders.receive(2, key="sala-2"),
        "prep_publicador": orders.note(key="corte-2"),
    }
    for role, other in others.items():
        with _opened(as_role(night, role)) as engine, pytest.raises(DBAPIError, match="row-level security"):
            engine.execute([other], START + MINUTE_MS)
    refused(night, "prep_auditor", "INSERT INTO ledger SELECT * FROM ledger")


def add(url: str, role: str | None, *rows: tuple[Any, ...]) -> None:
    """Insert rows in the ledger as they are, in one transaction. Raises what the server answers."""
    with psycopg.connect(_plain(as_role(url, role) if role else url)) as connection:
        connection.cursor().executemany(f"INSERT INTO ledger VALUES ({', '.join(['%s'] * 10)})", rows)


def head(url: str) -> tuple[int, bytes]:
    """Last sequence of the ledger and its hash."""
    with psycopg.connect(_plain(url)) as connection:
        row = connection.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    assert row is not None
    return row[0], row[1]


def next_row(url: str, **over: Any) -> tuple[Any, ...]:
    """A row that follows the last one and chains to it, as the room would add it."""
    seq, before = head(url)
    values = {
        "seq": seq + 1, "kind": "incident_noted", "acta": None, "at": START, "device_at": None,
        "recorded_at": START, "actor": "a", "station": "e", "data": '{"incident":"i","text":"t"}', **over,
    }  # fmt: skip
    row = tuple(values.values())
    return (*row, chain(before, row))


AWKWARD = "".join(map(chr, range(1, 256))) + "\u2028\ufeff\N{PILE OF POO}"


def test_what_is_added_to_the_ledger_is_what_follows_and_chains_whoever_adds_it(night: str) -> None:
    good = next_row(night)
    for role in ("prep_sala", "prep_motor", None):
        for bad in (
            (good[0] + 1, *good[1:]),
            (good[0] - 1, *good[1:]),
            (2**62, *good[1:]),
            (*good[:6], "otro", *good[7:]),
            (*good[:9], bytes(32)),
            next_row(night, data="[]"),
            next_row(night, data="null"),
        ):
            with pytest.raises(errors.CheckViolation):
                add(night, role, bad)
        with pytest.raises(errors.InvalidTextRepresentation):
            add(night, role, next_row(night, data="{"))
    assert head(night)[0] == good[0] - 1
    add(night, "prep_sala", good)


def test_the_guard_of_the_chain_adds_up_what_the_engine_does_with_any_text(night: str) -> None:
    data = orjson.dumps({"incident": "i", "text": AWKWARD}).decode()
    add(night, "prep_sala", next_row(night, actor=AWKWARD[:64], station=AWKWARD[64:128], data=data))
    add(night, "prep_sala", next_row(night, actor=AWKWARD[128:192], station=AWKWARD[-64:], device_at=-1))
    first = next_row(night, at=2**62)
    second = (first[0] + 1, *next_row(night)[1:9])
    add(night, "prep_sala", first, (*second, chain(first[9], second)))
    with _opened(night) as engine:
        found = check(engine._store.database).findings.listed
    assert {one.code for one in found} & {"K01", "K02", "K03"} == set()


def test_a_room_or_a_publisher_adds_no_event_of_an_acta(night: str) -> None:
    for role, kind in (("prep_sala", "incident_noted"), ("prep_publicador", "cut_refused")):
        with pytest.raises(errors.InsufficientPrivilege):
            add(night, role, next_row(night, kind=kind, acta=0))


@pytest.mark.parametrize(("role", "own"), [("prep_sala", "sala-9"), ("prep_publicador", "corte-9")])
def test_nobody_answers_under_the_key_of_another_nor_with_events_of_another(
    role: str, own: str, night: str
) -> None:
    answer = "INSERT INTO command VALUES ('{}', '\\x00', {}, NULL, {}, {})"
    for key in ("k99", "escaner-1", "salas-1", "Sala-1", "", "sala-1" if role != "prep_sala" else "corte-1"):
        refused(night, role, answer.format(key, "'ESTADO'", "NULL", "NULL"))
    # Its own key, and as its own yes what the engine's role recorded, or nothing, or what is not there.
    for first, last in ((1, 1), (1, 3), ("NULL", "NULL"), (2, 1), (900, 900), (900, 899)):
        refused(night, role, answer.format(own, "NULL", first, last))
    refused(night, role, answer.format(own, "'ESTADO'", 1, 1))
    with psycopg.connect(_plain(as_role(night, role))) as connection:
        connection.execute(answer.format(own, "'ESTADO'", "NULL", "NULL").encode())


def test_the_keys_of_the_publisher_and_of_the_room_are_those_their_roles_may_write(repository: Path) -> None:
    found = set()
    for folder in ("core/publishing", "core/publication"):
        for path in (repository / folder).glob("*.py"):
            # Keys of commands; those of objects have an underscore or a slash.
            found |= set(re.findall(r'\bkey=f"([a-z]+-)', path.read_text("utf-8")))
    assert found == set(PUBLISHER_KEYS)
    assert (PREFIX,) == ROOM_KEYS


def changed(url: str, statement: str) -> int:
    """How many actas the publisher changes with a statement. Raises what the server answers."""
    with psycopg.connect(_plain(as_role(url, "prep_publicador"))) as connection:
        return connection.execute(statement.encode()).rowcount


def test_the_publisher_only_makes_published_what_is_verified_and_its_cut_includes(night: str) -> None:
    with _opened(as_role(night, "prep_motor")) as engine:
        orders = Orders("m")
        engine.execute([orders.receive(2)], START + MINUTE_MS)
        high = engine.seq
        engine.execute(orders.agreed(1), START + MINUTE_MS)
    # No cut has included it yet.
    with pytest.raises(errors.InsufficientPrivilege):
        changed(night, "UPDATE acta SET status = 'publicada' WHERE id = 0")
    with _opened(as_role(night, "prep_publicador")) as engine:
        (told,) = engine.execute([orders.cut(1, high, key="corte-1-x")], START + 2 * MINUTE_MS)
        assert told.accepted
    with psycopg.connect(_plain(night)) as connection:
        found = connection.execute("SELECT status FROM acta WHERE id < 3 ORDER BY id").fetchall()
    assert [row[0] for row in found] == ["publicada", "verificada", "acopiada"]
    for status in ("publicada", "esperada", "capturada_una_vez", "x"):
        with pytest.raises(errors.InsufficientPrivilege):
            changed(night, f"UPDATE acta SET status = '{status}' WHERE id = 1")
    # What is published, expected or on its way is not there for it to change.
    assert changed(night, "UPDATE acta SET status = 'publicada' WHERE id IN (2, 3)") == 0
    assert changed(night, "UPDATE acta SET status = 'esperada' WHERE id = 0") == 0


def test_a_role_that_is_not_the_engine_cannot_take_every_connection(night: str) -> None:
    limits = {role.name: role.connections for role in ROLES}
    assert sum(one or 0 for one in limits.values()) < 70 and limits["prep_motor"] is None
    with ExitStack() as stack:
        url = _plain(as_role(night, "prep_auditor"))
        for _ in range(limits["prep_auditor"] or 0):
            stack.enter_context(psycopg.connect(url))
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(url)
        stack.enter_context(psycopg.connect(_plain(as_role(night, "prep_motor"))))


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
