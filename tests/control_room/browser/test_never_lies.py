"""The room never passes old data for live: each way of losing the night, and how the page tells it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.cluster import Cluster, find_binaries
from tests.conftest import missing_postgres
from tests.control_room.browser.conftest import NewScreen
from tests.control_room.browser.screens import Screen
from tests.control_room.browser.served import PREP, ServedRoom
from tests.control_room.night_folder import play

STALE_S = 12.0
TICK_S = 2.0
SLACK_S = 2.0
"""For the test itself to notice, on a busy machine."""
LOOK = """() => {
  const strip = document.querySelector('.franja-vieja');
  const shown = Boolean(strip && !strip.hidden && strip.getBoundingClientRect().height > 0);
  return {
    stale: shown,
    says: shown ? strip.innerText : '',
    spoken: document.querySelector('#franja [role=status]')?.textContent || '',
    badge: document.getElementById('insignia').textContent,
    filter: getComputedStyle(document.getElementById('contenido')).filter,
    opacity: getComputedStyle(document.getElementById('contenido')).opacity,
    age: PREP.freshness().age,
  };
}"""


def look(person: Screen) -> dict[str, Any]:
    """What the page says of its own data."""
    return dict(person.page.evaluate(LOOK))


def dimmed(seen: dict[str, Any]) -> bool:
    """True when the page is drawn as one that is not to be trusted."""
    return float(seen["opacity"]) < 1 or seen["filter"] != "none"


def fresh(person: Screen) -> None:
    """Wait until the page shows live data and nothing else."""

    def young() -> dict[str, Any] | None:
        now = look(person)
        recent = now["age"] is not None and now["age"] < TICK_S + 1
        return now if recent and not now["stale"] else None

    seen = person.until("la página vuelve a estar al día", young, 30)
    assert not dimmed(seen)
    assert seen["spoken"] == ""


def goes_stale(person: Screen, since: float, limit_s: float = STALE_S + TICK_S) -> dict[str, Any]:
    """What the page says when it stops trusting its data; fails when it takes longer than it may."""
    seen = person.until("la página lo dice", lambda: (now := look(person))["stale"] and now, limit_s + 20)
    assert time.monotonic() - since <= limit_s + SLACK_S
    assert dimmed(seen)
    assert "DATOS SIN ACTUALIZAR" in seen["says"]
    assert seen["spoken"]
    return dict(seen)


@pytest.fixture(scope="module")
def small_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedRoom]:
    """A room on a small night that ended."""
    folder = play(tmp_path_factory.mktemp("fallas") / "noche")
    with ServedRoom(folder / "prep.db", folder / "sala") as room:
        yield room


@pytest.fixture
def wall(small_room: ServedRoom, screen: NewScreen) -> Screen:
    """The wall, with live data on it."""
    made = screen(small_room, "muro", size="muro", path="/?muro=1")
    fresh(made)
    return made


def test_a_frozen_writer_is_told_within_twelve_seconds(small_room: ServedRoom, wall: Screen) -> None:
    with small_room.frozen(small_room.writer_pid):
        seen = goes_stale(wall, time.monotonic())
        assert "el escritor de la sala se detuvo" in seen["says"]
        assert STALE_S <= seen["age"] < STALE_S + 3
        assert small_room.health()["ok"] is False, "las sondas también lo saben"
    fresh(wall)


def test_a_frozen_web_process_is_told_within_twelve_seconds(small_room: ServedRoom, wall: Screen) -> None:
    with small_room.frozen(small_room.web_pid):
        seen = goes_stale(wall, time.monotonic())
        assert "el servidor no responde" in seen["says"]
    fresh(wall)


def test_a_database_file_that_goes_away_is_told_and_its_return_too(
    small_room: ServedRoom, wall: Screen
) -> None:
    base = Path(small_room.base)
    away = base.with_suffix(".fuera")
    base.rename(away)
    try:
        seen = goes_stale(wall, time.monotonic())
        assert "SIN BASE DE DATOS" in seen["says"]
        assert "no hay conexión con la base de datos" in seen["says"]
    finally:
        away.rename(base)
    fresh(wall)


def test_a_writer_that_died_is_replaced_and_the_page_notices(small_room: ServedRoom, wall: Screen) -> None:
    before = wall.snapshot()["boot_id"]
    pid = small_room.writer_pid
    subprocess.run(["kill", "-KILL", str(pid)], check=True)
    wall.wait("otro arranque de la sala", "before => PREP.snapshot.boot_id !== before", before)
    assert wall.page.evaluate("() => PREP.state.stats.restarts") == 1
    wall.page.get_by_text("La sala se reinició").wait_for()
    assert small_room.writer_pid != pid
    fresh(wall)


def test_the_page_survives_a_restart_of_the_whole_room(small_room: ServedRoom, screen: NewScreen) -> None:
    person = screen(small_room, "muro", path="/catd")
    before = person.snapshot()["boot_id"]
    small_room.restart()
    another = "before => PREP.snapshot && PREP.snapshot.boot_id !== before"
    person.wait("otro arranque de la sala", another, before)
    assert person.page.evaluate("() => PREP.state.stats.restarts") == 1
    assert person.page.url.endswith("/catd"), "la sesión del muro sigue"
    fresh(person)


@pytest.mark.parametrize("how", ["revocada", "vencida"])
def test_a_session_that_ended_takes_the_page_to_the_form(
    small_room: ServedRoom, screen: NewScreen, how: str
) -> None:
    person = screen(small_room, "operador", path="/catd")
    if how == "revocada":
        order: list[str | Path] = [PREP, "sala", "usuario", "contrasena", "operador", "--generar", "--json"]
        done = subprocess.run(
            [*order, "--sala", small_room.folder], check=True, capture_output=True, text=True
        )
        small_room.passwords["operador"] = json.loads(done.stdout)["contrasena"]
    else:
        _expire(small_room.folder / "sala.db", "operador")
    person.until("la página pide entrar", lambda: "/entrar" in person.page.url)
    person.page.get_by_label("Contraseña").wait_for()
    assert "%2Fcatd" in person.page.url or "/catd" in person.page.url, "y recuerda a dónde volver"


def _expire(database: Path, user: str) -> None:
    """End the time of every session of a user, as the clock would in twelve hours."""
    import sqlite3

    with sqlite3.connect(database, timeout=10) as connection:
        changed = connection.execute("UPDATE sesion SET vence_ms = inicio_ms WHERE usuario = ?", (user,))
        assert changed.rowcount > 0
    connection.close()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server that only this test stops."""
    binaries = find_binaries()
    if binaries is None:
        missing_postgres()
    with Cluster(binaries) as cluster:
        yield cluster


def test_a_postgresql_server_that_stops_is_told_and_its_return_too(
    own_cluster: Cluster, browser: Browser, tmp_path: Path
) -> None:
    url = own_cluster.url(own_cluster.create_database())
    folder = play(tmp_path / "noche", base=url)
    with ServedRoom(url, folder / "sala") as room:
        person = Screen(browser, room, "muro", path="/?muro=1")
        try:
            fresh(person)
            own_cluster.stop()
            seen = goes_stale(person, time.monotonic())
            assert "SIN BASE DE DATOS" in seen["says"]
            own_cluster.start()
            fresh(person)
        finally:
            person.close()
