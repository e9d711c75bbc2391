"""The door at its worst: an office behind one address, a log that is lost, files left open to others."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from control_room.room_db import open_room
from control_room.web.oidc import read
from control_room.web.users import AT_ONCE, IN_LINE
from core.errors import InputError
from core.storage.database import open_existing
from tests.control_room.web.rooms import PASSWORD, TestRoom, login


def test_in_an_office_of_one_address_only_strangers_are_locked_by_what_others_try(room: TestRoom) -> None:
    assert login(room.anonymous(), "auditor", PASSWORD).status_code == 303
    codes = [login(room.anonymous(), f"persona{n}", "no-es-esta-clave").status_code for n in range(25)]
    assert codes[-1] == 429
    assert login(room.anonymous(), "auditor", PASSWORD).status_code == 303
    assert login(room.anonymous(), "operador", PASSWORD).status_code == 429


def test_a_known_person_is_still_guessed_five_times_and_no_more(room: TestRoom) -> None:
    assert login(room.anonymous(), "auditor", PASSWORD).status_code == 303
    codes = [login(room.anonymous(), "auditor", f"adivinando-{n}").status_code for n in range(8)]
    assert codes == [401] * 4 + [429] * 4


def test_a_right_entry_forgives_nobody_else(room: TestRoom) -> None:
    for _ in range(5):
        login(room.anonymous(), "operador", "me-equivoque-de-tecla")
    assert login(room.anonymous(), "auditor", PASSWORD).status_code == 303
    assert login(room.anonymous(), "operador", PASSWORD).status_code == 429


def test_whoever_finds_the_line_full_is_told_at_once(room: TestRoom) -> None:
    users, held = room.room.users, AT_ONCE + IN_LINE
    for _ in range(held):
        users._line.acquire()
    try:
        begun = time.monotonic()
        assert login(room.anonymous(), "operador", PASSWORD).status_code == 503
        assert time.monotonic() - begun < 2
    finally:
        for _ in range(held):
            users._line.release()


def test_a_denial_is_a_denial_though_its_line_is_lost(
    room: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(room.room.log, "write", full)
    assert room.as_role("auditor").act("atender_incidente", incidente="enlace-1").status_code == 403


@pytest.mark.parametrize("issuer", ["https://[", "http://[::1"])
def test_an_address_that_is_none_is_told_with_its_key(issuer: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        read({"emisor": issuer, "cliente": "c", "roles": {"a": "lectura"}}, tmp_path / "sala.toml")
    assert told.value.column == "oidc.emisor"


def test_side_files_left_open_to_others_are_closed_when_the_room_opens(tmp_path: Path) -> None:
    first = open_room(tmp_path)
    with first.begin() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('x', 'y')"))
    for name in ("sala.db", "sala.db-wal", "sala.db-shm"):
        (tmp_path / name).chmod(0o644)
    second = open_room(tmp_path)
    assert {one.name: one.stat().st_mode & 0o077 for one in tmp_path.glob("sala.db*")} == {
        "sala.db": 0, "sala.db-wal": 0, "sala.db-shm": 0,
    }  # fmt: skip
    second.dispose()
    first.dispose()


def _locks(path: Path) -> int:
    """Locks of this process on a file."""
    mine = f"{os.getpid()} "
    inode = f":{path.stat().st_ino} "
    lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    return sum(mine in f"{line} " and inode in f"{line} " for line in lines)


def test_opening_the_room_again_lets_go_of_no_lock_of_this_process(tmp_path: Path) -> None:
    first = open_room(tmp_path)
    with first.connect() as connection:
        connection.execute(text("SELECT * FROM meta")).all()
        before = _locks(tmp_path / "sala.db")
        assert before > 0
        second = open_room(tmp_path)
        assert _locks(tmp_path / "sala.db") >= before
        second.dispose()
    first.dispose()


def test_a_desk_that_is_closed_while_its_engine_opens_leaves_nothing_open(
    room: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    from control_room.web import commands

    gate = threading.Event()
    opened: list[Database] = []
    before = {thread.name for thread in threading.enumerate()}

    def slow(base: str) -> Database:
        gate.wait(20)
        opened.append(open_existing(base))
        return opened[0]

    monkeypatch.setattr(commands, "open_existing", slow)
    desk = room.room.desk
    desk.warm()
    begun = time.monotonic()
    desk.close()
    assert time.monotonic() - begun < 5
    gate.set()
    for thread in threading.enumerate():
        if thread.name == "ventanilla":
            thread.join(20)
    assert len(opened) == 1
    assert "group-writer" not in {thread.name for thread in threading.enumerate()} - before
