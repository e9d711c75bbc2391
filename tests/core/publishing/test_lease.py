"""Only one publisher works over a database, and each slot is published once: with real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine as Database

from core.publishing.lease import TTL_MS, acquire, release, renew
from core.publishing.slots import SlotState, SlotTable
from core.storage.database import open_database
from tests.conftest import REPOSITORY

SLOTS = 12


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return str(tmp_path / "base.db")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = open_database(url)
    yield database
    database.dispose()


def test_two_processes_never_publish_at_the_same_time_nor_the_same_slot(database: Database, url: str) -> None:
    command = [sys.executable, "-m", "tests.core.publishing.claimer", url]
    processes = [
        subprocess.Popen([*command, name, str(SLOTS)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
        for name in ("uno", "dos")
    ]
    told = [line.split() for process in processes for line in process.communicate(timeout=60)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(int(line[0]) for line in told) == list(range(SLOTS))
    spans = sorted((float(line[2]), float(line[3])) for line in told)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert set(SlotTable(database).states().values()) == {SlotState.PUBLISHED}


def test_the_lease_of_a_dead_process_is_waited_for_and_then_its_holder_cannot_come_back(
    database: Database,
) -> None:
    first = acquire(database, "uno", 0)
    assert first is not None
    assert acquire(database, "dos", TTL_MS - 1) is None
    assert renew(database, first, 10)
    second = acquire(database, "dos", TTL_MS + 10)
    assert second is not None and second.fence == first.fence + 1
    assert not renew(database, first, TTL_MS + 11)
    assert not SlotTable(database).claim(5, first, TTL_MS + 11)
    assert SlotTable(database).claim(5, second, TTL_MS + 11)
    release(database, first)
    assert acquire(database, "tres", TTL_MS + 12) is None
    release(database, second)
    assert acquire(database, "tres", TTL_MS + 12) is not None


def test_a_slot_left_half_way_can_be_taken_again_but_not_one_that_went_out(database: Database) -> None:
    lease = acquire(database, "uno", 0)
    assert lease is not None
    table = SlotTable(database)
    assert table.claim(5, lease, 1)
    assert table.settle(2) == []
    assert table.states() == {5: SlotState.FAILED}
    assert table.claim(5, lease, 3)
    table.published(5, 1, 4)
    assert not table.claim(5, lease, 5)
    table.missed((5, 6), "no salió", lease, 6)
    assert table.states() == {5: SlotState.PUBLISHED, 6: SlotState.MISSED}
