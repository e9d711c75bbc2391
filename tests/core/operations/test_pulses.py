"""Pulses: kept beside the ledger, read in order, and no part of what is checked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command as alembic_command
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.exc import DBAPIError

from core.operations.check import check
from core.operations.pulses import Pulse, pulses_after, record_pulses
from core.storage import schema
from core.storage.database import DatabaseVersionError, _alembic, connect, open_database, open_existing
from core.storage.reading import reading
from tests.core.domain.small import MINUTE, START, Orders, open_engine


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: object) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"{tmp_path}/base.db"


@pytest.fixture
def database(url: str) -> Iterator[Engine]:
    database = open_database(url)
    yield database
    database.dispose()


def minute(number: int, *catds: int, link: int = 100) -> list[Pulse]:
    at = START + number * MINUTE
    return [Pulse(catd, at, at, link, 3, {"acopiadores": 2, "digitalizadores": catd}) for catd in catds]


def after(database: Engine, recorded_at: int) -> list[Pulse]:
    with reading(database) as connection:
        return list(pulses_after(connection, recorded_at))


def test_pulses_come_back_as_they_went_in_order_of_time_and_catd(database: Engine) -> None:
    record_pulses(database, [*minute(2, 1, 0), *minute(1, 0, 1)])
    assert after(database, 0) == [*minute(1, 0, 1), *minute(2, 0, 1)]
    assert after(database, START + MINUTE) == minute(2, 0, 1)
    assert after(database, START + 2 * MINUTE) == []
    record_pulses(database, [])
    record_pulses(database, minute(3, 1))
    assert after(database, START + 2 * MINUTE) == minute(3, 1)


def test_a_pulse_sent_again_changes_nothing(database: Engine) -> None:
    record_pulses(database, minute(1, 0, 1))
    record_pulses(database, [*minute(1, 0, 1, link=7), *minute(2, 0)])
    assert after(database, 0) == [*minute(1, 0, 1), *minute(2, 0)]


@pytest.mark.parametrize("link", [-1, 101])
def test_a_link_is_a_percentage_and_nothing_of_a_bad_batch_stays(database: Engine, link: int) -> None:
    with pytest.raises(DBAPIError):
        record_pulses(database, [*minute(1, 0), *minute(2, 0, link=link)])
    assert after(database, 0) == []


def test_pulses_are_no_part_of_the_ledger_nor_of_its_check(url: str) -> None:
    engine = open_engine(url)
    orders = Orders()
    engine.execute([orders.open(), *orders.agreed(0)], START)
    before = check(engine._store.database)
    record_pulses(engine._store.database, minute(1, 0, 1))
    # A station may send while the engine holds its connection, and the other way round.
    assert engine.execute(orders.agreed(1), START)[0].accepted
    record_pulses(engine._store.database, minute(2, 0, 77))
    found = check(engine._store.database)
    assert (before.correct, found.correct) == (True, True)
    assert found.events > before.events
    engine._store.close()
    engine._store.database.dispose()


def test_a_database_of_the_first_version_is_brought_up_to_date_with_what_it_holds(url: str) -> None:
    database = connect(url, create=True)
    with database.begin() as connection:
        alembic_command.upgrade(_alembic(connection), "0001")
    assert "pulse" not in inspect(database).get_table_names()
    held = (1, "operation_opened", None, START, None, START, "ana", "E1", "{}", b"x" * 32)
    with database.begin() as connection:
        connection.execute(schema.ledger.insert().values(held))
    with pytest.raises(DatabaseVersionError, match="de la versión 0001; se esperaba la 0003"):
        open_existing(url)
    database.dispose()
    # To open it for use is what brings it up to date.
    open_database(url).dispose()
    database = open_existing(url)
    record_pulses(database, minute(1, 0))
    assert after(database, 0) == minute(1, 0)
    with database.connect() as connection:
        assert connection.execute(select(schema.ledger)).one() == held
    with pytest.raises(DBAPIError, match="append-only"), database.begin() as connection:
        connection.execute(text("DELETE FROM ledger"))
    database.dispose()
