"""A small room for the tests of the web side: a database with an open operation, one turn of the writer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from control_room.app import build
from control_room.web.context import Room, RoomOptions, open_room
from control_room.web.roles import ROLES
from control_room.web.security import session_cookie
from control_room.web.sessions import Session
from control_room.writing.writer import Writer, WriterOptions
from core.domain.commands import OpenIncident, OpenOperation, PublishCut
from core.engine import Engine
from core.storage.database import open_database
from core.storage.store import Store
from tests.builders import START_MS, small_catalog

CHEAP = "scrypt:1024:8:1"
"""Hashes that cost nothing: what is tested is who enters, not how long a guess takes."""
PASSWORD = "una-clave-larga-7"
REAL_MS = 1_800_000_000_000
ENDS_MS = START_MS + 24 * 3_600_000


@dataclass
class Machine:
    """The machine's clock, moved by hand."""

    ms: int = REAL_MS

    def __call__(self) -> int:
        return self.ms

    def forward(self, minutes: float) -> None:
        """Let time pass."""
        self.ms += round(minutes * 60_000)


@dataclass
class TestRoom:
    """A room, its application and its clock."""

    __test__ = False

    room: Room
    app: Flask
    machine: Machine
    tokens: dict[str, str] = field(default_factory=dict)

    def anonymous(self) -> FlaskClient:
        """Somebody without a session."""
        return self.app.test_client()

    def add(self, user: str, role: str) -> None:
        """One more user, with the password of all of them."""
        self.room.users.add(user, f"Persona {user}", role, PASSWORD, self.machine.ms)

    def as_role(self, role: str) -> Browser:
        """A session of the user of a role (its name is the role), made on the first call."""
        if role not in self.tokens:
            user = self.room.users.get(role)
            assert user is not None
            self.tokens[role], _ = self.room.sessions.start(user, "127.0.0.1", self.machine.ms)
        return Browser(self, self.tokens[role])

    def log(self) -> list[tuple[str, str, str]]:
        """(what, who, detail) of the access log, in order."""
        from sqlalchemy import select

        from control_room.room_db import access_log

        query = select(access_log.c.que, access_log.c.usuario, access_log.c.detalle).order_by(access_log.c.id)
        with self.room.room_database.connect() as connection:
            return [(row.que, row.usuario, row.detalle) for row in connection.execute(query)]


class Browser:
    """A client with a session, which sends its token with every POST."""

    def __init__(self, test_room: TestRoom, token: str) -> None:
        self.room = test_room
        self.client = test_room.app.test_client()
        self.client.set_cookie(session_cookie(test_room.room.options), token)
        self.token = token

    @property
    def session(self) -> Session:
        """What the session is."""
        found = self.room.room.sessions.find(self.token, self.room.machine.ms, touch=False)
        assert found is not None
        return found

    def get(self, path: str, **more: Any) -> TestResponse:
        """GET."""
        return self.client.get(path, **more)

    def post(self, path: str, body: object, *, csrf: str | None = None) -> TestResponse:
        """POST of JSON with the token of the session, or another one."""
        given = self.session.csrf if csrf is None else csrf
        return self.client.post(path, json=body, headers={"X-CSRF": given} if given else {})

    def act(self, name: str, **fields: object) -> TestResponse:
        """An action."""
        return self.post(f"/api/acciones/{name}", fields)

    def done(self, name: str, **fields: object) -> dict[str, Any]:
        """An action that must be accepted; its data."""
        answer = self.act(name, **fields)
        assert answer.status_code == 200, answer.text
        data = answer.get_json()
        assert data["ok"] is True
        return dict(data["datos"])


def make_night(folder: Path, mode: str) -> str:
    """A database with an open operation, an incident and a cut; its path."""
    base = str(folder / "prep.db")
    store = Store(open_database(base))
    engine = Engine(store, small_catalog(), mode)
    common: dict[str, Any] = {"actor": "coordinacion", "station": "ccv"}
    engine.execute(
        [
            OpenOperation(key="inicio", at=START_MS, starts_at=START_MS, ends_at=ENDS_MS, **common),
            OpenIncident(
                key="falla", at=START_MS + 60_000, incident="enlace-1", kind="enlace",
                title="Sin enlace =SUMA(A1)", catds=(0,), **common,
            ),
            PublishCut(
                key="corte", at=START_MS + 120_000, number=1, seq_high=1, manifest_sha256="a" * 64,
                last=False, **common,
            ),
        ],
        START_MS + 180_000,
    )  # fmt: skip
    store.close()
    store.database.dispose()
    return base


def make_room(
    folder: Path,
    mode: str = "simulacro",
    *,
    config: str = "",
    write: bool = True,
    pages: Any = None,
    **options: Any,
) -> TestRoom:
    """A room with one user per role, named as the role. `config` is the text of its TOML."""
    base = make_night(folder, mode)
    sala = folder / "sala"
    path = None
    if config:
        path = folder / "config.toml"
        path.write_text(config, encoding="utf-8")
    machine = Machine()
    if write:
        take_turn(base, sala, machine)
    room = open_room(RoomOptions(base=base, folder=sala, config=path, **options), method=CHEAP, now=machine)
    test_room = TestRoom(room, build(room, pages), machine)
    for role in ROLES:
        test_room.add(role, role)
    return test_room


def take_turn(base: str, sala: Path, machine: Callable[[], int]) -> None:
    """One turn of the writer: `sala.json` of this moment."""
    writer = Writer(
        WriterOptions(database=base, room=sala, forecast=False, fill_history=False), real_ms=machine
    )
    try:
        writer.tick()
    finally:
        writer.close()


def login(client: FlaskClient, user: str, password: str, **more: Any) -> TestResponse:
    """Enter as a person does: take the form, fill it, send it."""
    form = client.get("/entrar", **more)
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', form.text)
    assert found is not None, form.text
    data = {"usuario": user, "contrasena": password, "csrf": found[1], "siguiente": "/"}
    return client.post("/entrar", data=data, **more)
