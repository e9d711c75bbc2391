"""Entering: the right password, the wrong one, too many, sessions that end, and what is written of it all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from control_room.room_db import open_room
from control_room.room_db import users as user_table
from control_room.web.limits import AccessLimits
from control_room.web.security import CSRF_COOKIE, session_cookie
from control_room.web.sessions import Session
from control_room.web.users import AT_ONCE, IN_LINE, BusyError, Users
from core.errors import UsageError
from tests.control_room.web.rooms import CHEAP, PASSWORD, TestRoom, login, make_room


def _status(room: TestRoom, client: object) -> int:
    return client.get("/api/yo.json").status_code  # type: ignore[attr-defined, no-any-return]


def test_a_person_enters_with_the_right_password_and_is_known(room: TestRoom) -> None:
    client = room.anonymous()
    answer = login(client, "operador", PASSWORD)
    assert answer.status_code == 303
    assert answer.location == "/"
    me = client.get("/api/yo.json").get_json()
    assert (me["usuario"], me["rol"]) == ("operador", "operador")
    assert "reconocer" in me["permisos"]
    assert "usuarios" not in me["permisos"]
    assert me["vence_ms"] == room.machine.ms + 12 * 3_600_000
    assert room.log()[-1][:2] == ("entra", "operador")


@pytest.mark.parametrize(
    ("user", "password"), [("operador", "otra-clave-larga"), ("nadie", PASSWORD), ("", "")]
)
def test_a_wrong_user_and_a_wrong_password_are_told_alike(user: str, password: str, room: TestRoom) -> None:
    client = room.anonymous()
    answer = login(client, user, password)
    assert answer.status_code == 401
    assert "El usuario o la contraseña no son correctos." in answer.text
    assert _status(room, client) == 401
    assert room.log()[-1][:2] == ("falla", user)


def test_five_failures_lock_the_user_even_for_the_right_password_until_time_passes(room: TestRoom) -> None:
    client = room.anonymous()
    assert [login(client, "operador", f"intento-{n}").status_code for n in range(5)] == [401] * 4 + [429]
    locked = login(client, "operador", PASSWORD)
    assert locked.status_code == 429
    assert "Demasiados intentos. Espere 5 min" in locked.text
    assert ("bloqueo", "operador", "empieza") in room.log()
    # The lock is of that user: others enter from the same place.
    assert login(room.anonymous(), "auditor", PASSWORD).status_code == 303
    room.machine.forward(5.1)
    assert login(client, "operador", PASSWORD).status_code == 303


def test_an_address_that_tries_many_users_is_locked_for_all_of_them(room: TestRoom) -> None:
    client = room.anonymous()
    codes = [login(client, f"persona{n}", "no-es-esta-clave").status_code for n in range(20)]
    assert codes == [401] * 19 + [429]
    assert login(client, "auditor", PASSWORD).status_code == 429
    other = {"environ_base": {"REMOTE_ADDR": "10.0.0.9"}}
    assert login(room.anonymous(), "auditor", PASSWORD, **other).status_code == 303


def test_a_long_guess_never_gets_more_tries_than_the_lock_allows(room: TestRoom) -> None:
    client = room.anonymous()
    tried = 0
    for _ in range(60):
        if login(client, "coordinador", "adivinando-la-clave").status_code == 401:
            tried += 1
        room.machine.forward(0.25)
    # A quarter of an hour of guessing without rest.
    assert tried <= 12


def _from(address: str) -> dict[str, Any]:
    return {"environ_base": {"REMOTE_ADDR": address}}


def test_somebody_elsewhere_cannot_keep_a_person_out_of_a_known_desk(room: TestRoom) -> None:
    desk = _from("10.0.0.5")
    assert login(room.anonymous(), "operador", PASSWORD, **desk).status_code == 303
    for number in range(30):
        login(room.anonymous(), "operador", "adivinando-la-clave", **_from(f"198.51.100.{number % 10}"))
    assert login(room.anonymous(), "operador", PASSWORD, **desk).status_code == 303
    # Guessing from many addresses gets no further all the same: where it never entered from, it is locked.
    assert login(room.anonymous(), "operador", PASSWORD, **_from("203.0.113.9")).status_code == 429


def test_getting_it_right_forgives_what_was_mistyped(room: TestRoom) -> None:
    client = room.anonymous()
    for _ in range(2):
        for _ in range(4):
            assert login(room.anonymous(), "operador", "me-equivoque-de-tecla").status_code == 401
        assert login(client, "operador", PASSWORD).status_code == 303
        client = room.anonymous()


def test_a_storm_of_passwords_leaves_threads_for_the_walls(room: TestRoom) -> None:
    users = room.room.users
    held = AT_ONCE + IN_LINE
    for _ in range(held):
        assert users._line.acquire(blocking=False)
    try:
        with pytest.raises(BusyError):
            users.attempt("operador", PASSWORD, "127.0.0.1", room.machine.ms)
        answer = login(room.anonymous(), "operador", PASSWORD)
        assert answer.status_code == 503
        assert "Espere unos segundos" in answer.text
    finally:
        for _ in range(held):
            users._line.release()
    assert login(room.anonymous(), "operador", PASSWORD).status_code == 303


def test_a_flood_of_attempts_is_counted_and_not_written_line_by_line(room: TestRoom) -> None:
    for _ in range(120):
        login(room.anonymous(), "operador", "adivinando-la-clave")
    first = [(what, detail) for what, _, detail in room.log()]
    assert first.count(("falla", "")) == 5
    assert ("bloqueo", "empieza") in first
    assert len(first) <= 10
    room.machine.forward(1)
    # Whoever comes next, though it is only a wall that asks for its snapshot.
    room.as_role("lectura").get("/api/sala.json")
    after = room.log()[len(first) :]
    assert [(what, user) for what, user, _ in after] == [("bloqueo", "")]
    told = int(after[0][2].split(" ")[0])
    assert told + len(first) == 121  # the lock's own line is besides
    assert after[0][2].endswith("más en el mismo minuto")


def test_a_flood_from_many_addresses_has_an_end_too(room: TestRoom) -> None:
    for number in range(300):
        room.room.log.write("falla", "x", "", f"10.1.{number // 250}.{number % 250}")
    assert len(room.log()) == 60
    room.room.log.close()
    assert room.log()[-1] == ("falla", "", "240 más en el mismo minuto, desde otras direcciones")


def test_the_lines_of_people_with_a_session_are_all_written(room: TestRoom) -> None:
    for _ in range(80):
        assert room.room.log.write("accion", "ana", "operador", "10.0.0.1")
    assert len(room.log()) == 80


def test_failures_far_apart_lock_nobody(room: TestRoom) -> None:
    client = room.anonymous()
    for _ in range(8):
        assert login(client, "operador", "se-me-olvido-otra-vez").status_code == 401
        room.machine.forward(6)


def test_a_session_ends_after_its_length_whatever_is_done(room: TestRoom) -> None:
    browser = room.as_role("operador")
    for _ in range(23):
        room.machine.forward(30)
        assert browser.get("/incidentes").status_code == 200
    room.machine.forward(30.1)
    assert browser.get("/api/yo.json").status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/api/sala.json", "/api/bitacora.json", "/api/catd/0.json", "/api/simulacro.json", "/api/yo.json",
     "/api/historia.json", "/api/publicacion/cortes/1.json"],
)  # fmt: skip
def test_a_desk_left_alone_ends_though_its_page_keeps_asking(path: str, room: TestRoom) -> None:
    browser = room.as_role("instructor")
    for _ in range(11):
        room.machine.forward(5)
        assert browser.get(path).status_code != 401
    room.machine.forward(6)
    assert browser.get(path).status_code == 401


def test_going_to_another_page_and_acting_keep_a_desk_open(room: TestRoom) -> None:
    browser = room.as_role("operador")
    for number in range(3):
        room.machine.forward(50)
        browser.done("anotar_incidente", incidente="enlace-1", texto=f"nota {number}")
        room.machine.forward(50)
        assert browser.get("/incidentes").status_code == 200
        room.machine.forward(50)
        # Inside the page Dash asks for the other one.
        answer = browser.post("/_dash-update-component", {})
        assert answer.status_code != 401
    room.machine.forward(61)
    assert browser.get("/incidentes").status_code == 303


def test_the_wall_stays_three_days_without_anybody_touching_it(room: TestRoom) -> None:
    browser = room.as_role("lectura")
    for _ in range(71):
        room.machine.forward(60)
        assert browser.get("/api/sala.json").status_code == 200
    room.machine.forward(61)
    assert browser.get("/api/sala.json").status_code == 401


def test_leaving_ends_the_session_on_the_server_and_not_only_in_the_browser(room: TestRoom) -> None:
    browser = room.as_role("auditor")
    answer = browser.client.post("/salir", data={"csrf": browser.session.csrf})
    assert (answer.status_code, answer.location) == (303, "/entrar")
    stolen = room.anonymous()
    stolen.set_cookie(session_cookie(room.room.options), browser.token)
    assert stolen.get("/api/yo.json").status_code == 401


def test_entering_again_takes_another_token_and_ends_the_one_before(room: TestRoom) -> None:
    client = room.anonymous()
    login(client, "operador", PASSWORD)
    name = session_cookie(room.room.options)
    first = client.get_cookie(name)
    client.post("/entrar", data={})
    assert first is not None
    client.delete_cookie(name)
    stale = room.anonymous()
    stale.set_cookie(name, first.value)
    assert login(client, "operador", PASSWORD).status_code == 303
    second = client.get_cookie(name)
    assert second is not None
    assert second.value != first.value
    # A browser that still had a session goes on with a new one, and the old one is of no use.
    again = room.anonymous()
    again.set_cookie(name, first.value)
    form = again.get("/entrar")
    assert form.status_code == 303


def test_a_token_planted_before_entering_is_never_the_session(room: TestRoom) -> None:
    client = room.anonymous()
    name = session_cookie(room.room.options)
    client.set_cookie(name, "token-que-puso-otro")
    assert login(client, "operador", PASSWORD).status_code == 303
    found = client.get_cookie(name)
    assert found is not None
    assert found.value != "token-que-puso-otro"
    planted = room.anonymous()
    planted.set_cookie(name, "token-que-puso-otro")
    assert planted.get("/api/yo.json").status_code == 401


def test_closing_a_user_ends_its_sessions_at_once(room: TestRoom) -> None:
    browser = room.as_role("auditor")
    assert browser.get("/api/yo.json").status_code == 200
    room.as_role("administracion").done("usuario_baja", usuario="auditor")
    assert browser.get("/api/yo.json").status_code == 401
    assert login(room.anonymous(), "auditor", PASSWORD).status_code == 401


def test_a_session_ended_by_another_process_is_seen_in_seconds(room: TestRoom) -> None:
    browser = room.as_role("auditor")
    assert browser.get("/api/yo.json").status_code == 200
    with room.room.room_database.begin() as connection:
        connection.execute(user_table.update().where(user_table.c.usuario == "auditor").values(baja_ms=1))
    # Two polls of a page cost one reading.
    room.machine.forward(4.5 / 60)
    assert browser.get("/api/yo.json").status_code == 200
    room.machine.forward(1 / 60)
    assert browser.get("/api/yo.json").status_code == 401


def test_a_session_ended_while_it_is_being_read_is_not_believed_afterwards(
    room: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = room.room.sessions
    browser = room.as_role("auditor")
    read = sessions._read

    def slow(digest: str) -> Session | None:
        found = read(digest)
        sessions.end(digest, room.machine.ms, "baja")
        return found

    monkeypatch.setattr(sessions, "_read", slow)
    assert sessions.find(browser.token, room.machine.ms, touch=False) is not None
    monkeypatch.undo()
    assert sessions.find(browser.token, room.machine.ms, touch=False) is None


def test_another_role_ends_the_sessions_of_the_one_before(room: TestRoom) -> None:
    browser = room.as_role("operador")
    room.as_role("administracion").done("usuario_rol", usuario="operador", rol="auditor")
    assert browser.get("/api/yo.json").status_code == 401


def test_changing_ones_password_asks_for_it_and_ends_the_other_sessions(room: TestRoom) -> None:
    browser, other = room.as_role("operador"), room.anonymous()
    login(other, "operador", PASSWORD)
    wrong = browser.act("mi_contrasena", actual="no-es-esta-clave", nueva="la-nueva-clave-9")
    assert wrong.status_code == 400
    browser.done("mi_contrasena", actual=PASSWORD, nueva="la-nueva-clave-9")
    assert browser.get("/api/yo.json").status_code == 200
    assert _status(room, other) == 401
    assert login(room.anonymous(), "operador", PASSWORD).status_code == 401
    assert login(room.anonymous(), "operador", "la-nueva-clave-9").status_code == 303
    assert not any("clave-9" in detail for _, _, detail in room.log())


def test_the_last_administrator_cannot_be_taken_away(room: TestRoom) -> None:
    admin = room.as_role("administracion")
    assert admin.act("usuario_baja", usuario="administracion").status_code == 400
    assert admin.act("usuario_rol", usuario="administracion", rol="lectura").status_code == 400
    admin.done("usuario_alta", usuario="relevo", nombre="Relevo", rol="administracion", contrasena=PASSWORD)
    admin.done("usuario_baja", usuario="administracion")


@pytest.mark.parametrize(
    ("user", "role", "password"),
    [
        ("Ana", "operador", PASSWORD),
        ("a", "operador", PASSWORD),
        ("ana@oidc", "operador", PASSWORD),
        ("ana", "jefe", PASSWORD),
        ("ana", "operador", "corta"),
        ("ana", "operador", "ana-y-su-clave-larga"),
        ("ana", "operador", "aaaaaaaaaaaaaaaa"),
        ("operador", "operador", PASSWORD),
    ],
)
def test_a_user_that_will_not_do_is_refused(user: str, role: str, password: str, room: TestRoom) -> None:
    with pytest.raises(UsageError):
        room.room.users.add(user, "Alguien", role, password, 1)


def test_passwords_are_kept_as_salted_scrypt(room: TestRoom) -> None:
    real = Users(room.room.room_database, AccessLimits())
    real.add("ana", "Ana", "operador", PASSWORD, 1)
    with room.room.room_database.connect() as connection:
        found = connection.execute(user_table.select().where(user_table.c.usuario == "ana")).one()
    assert found.clave.startswith("scrypt:32768:8:1$")
    assert PASSWORD not in found.clave
    assert real.matches("ana", PASSWORD)
    assert CHEAP != "scrypt:32768:8:1"


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(room: TestRoom) -> None:
    cookies = login(room.anonymous(), "operador", PASSWORD).headers.getlist("Set-Cookie")
    session = next(one for one in cookies if one.startswith("sala_sesion="))
    assert "HttpOnly" in session
    assert "SameSite=Strict" in session
    assert "Path=/" in session
    assert "Max-Age" not in session
    csrf = next(one for one in cookies if one.startswith(f"{CSRF_COOKIE}="))
    assert "SameSite=Strict" in csrf


def test_the_cookie_of_the_wall_outlives_its_browser(room: TestRoom) -> None:
    cookies = login(room.anonymous(), "lectura", PASSWORD).headers.getlist("Set-Cookie")
    assert "Max-Age=259200" in next(one for one in cookies if one.startswith("sala_sesion="))


def test_behind_a_proxy_the_cookie_is_secure_and_the_address_is_the_forwarded_one(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    room = make_room(tmp_path_factory.mktemp("proxy"), behind_proxy=True)
    more = {
        "headers": {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"},
        "base_url": "https://sala",
    }
    client = room.anonymous()
    answer = login(client, "operador", PASSWORD, **more)
    cookies = answer.headers.getlist("Set-Cookie")
    session = next(one for one in cookies if one.startswith("__Host-sala="))
    assert "Secure" in session
    assert "Strict-Transport-Security" in answer.headers
    with room.room.room_database.connect() as connection:
        found = connection.execute(text("SELECT direccion FROM acceso ORDER BY id DESC LIMIT 1")).scalar()
    assert found == "198.51.100.7"
    room.room.close()


@pytest.mark.parametrize(
    "target",
    ["//otro.sitio/", "https://otro.sitio/", "/\\otro.sitio", "/salir", "/api/yo.json", "x", "/a\nb"],
)
def test_entering_never_sends_people_elsewhere(target: str, room: TestRoom) -> None:
    client = room.anonymous()
    form = client.get("/entrar")
    token = form.text.split('name="csrf" value="')[1].split('"')[0]
    data = {"usuario": "operador", "contrasena": PASSWORD, "csrf": token, "siguiente": target}
    assert client.post("/entrar", data=data).location == "/"


def test_people_go_on_to_the_page_they_wanted(room: TestRoom) -> None:
    client = room.anonymous()
    first = client.get("/catd?catd=1")
    assert first.location == "/entrar?siguiente=%2Fcatd%3Fcatd%3D1"
    form = client.get(first.location)
    assert 'name="siguiente" value="/catd?catd=1"' in form.text


def test_what_somebody_types_as_user_cannot_break_the_form(room: TestRoom) -> None:
    answer = login(room.anonymous(), '"><script>alert(1)</script>', "x")
    assert answer.status_code == 401
    assert "<script" not in answer.text


@pytest.mark.parametrize("table", ["acceso", "alerta"])
def test_the_logs_only_grow(table: str, room: TestRoom) -> None:
    room.room.log.write("entra", "ana", "operador", "127.0.0.1")
    from control_room.room_db import log_alerts

    log_alerts(
        room.room.room_database,
        [{"ms": 1, "ms_real": 1, "alerta": "A01:catd:0", "regla": "A01", "prioridad": 1, "que": "activa"}],
    )
    for order in (f"UPDATE {table} SET que = 'x'", f"DELETE FROM {table}"):
        with (
            pytest.raises(DatabaseError, match="este registro solo crece"),
            room.room.room_database.begin() as connection,
        ):
            connection.execute(text(order))


def test_the_file_of_passwords_is_of_its_owner_alone(room: TestRoom) -> None:
    assert (room.room.folder / "sala.db").stat().st_mode & 0o077 == 0


def test_not_even_its_side_files_are_readable_by_others(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        made = open_room(tmp_path)
        with made.begin() as connection:
            connection.execute(text("INSERT INTO meta VALUES ('x', 'y')"))
        found = {file.name: file.stat().st_mode & 0o077 for file in tmp_path.glob("sala.db*")}
        assert found == dict.fromkeys(("sala.db", "sala.db-wal", "sala.db-shm"), 0)
        made.dispose()
    finally:
        os.umask(before)
