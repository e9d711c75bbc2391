"""Who is put out stays out, whoever guesses is slowed though the room starts again, and one is not two."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.security import check_password_hash, generate_password_hash

from control_room.app import build
from control_room.web import users
from control_room.web.context import open_room
from control_room.web.oidc import OidcConfig
from control_room.web.users import User
from tests.conftest import Prep
from tests.control_room.web.rooms import CHEAP, PASSWORD, Browser, TestRoom, login, make_room


def inside(client: FlaskClient) -> bool:
    return client.get("/api/yo.json").status_code == 200


def entered(room: TestRoom, user: str) -> FlaskClient:
    client = room.anonymous()
    assert login(client, user, PASSWORD).status_code == 303
    return client


def browser_of(room: TestRoom, user: User, origin: str = "local") -> Browser:
    token, _ = room.room.sessions.start(user, "127.0.0.1", room.machine.ms, origin)
    return Browser(room, token)


# -- being put out ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("usuario_baja", {"usuario": "operador"}),
        ("usuario_rol", {"usuario": "operador", "rol": "auditor"}),
        ("usuario_contrasena", {"usuario": "operador", "contrasena": "otra-clave-larga-8"}),
        ("usuario_sesiones", {"usuario": "operador"}),
    ],
    ids=["baja", "rol", "contrasena", "sesiones"],
)
def test_what_administration_does_to_a_user_ends_all_its_sessions_and_no_other(
    name: str, fields: dict[str, object], room: TestRoom
) -> None:
    first, second, other = entered(room, "operador"), entered(room, "operador"), entered(room, "auditor")
    assert inside(first) and inside(second)
    room.as_role("administracion").done(name, **fields)
    assert [inside(one) for one in (first, second, other)] == [False, False, True]


def test_somebody_of_the_provider_is_put_out_too(room: TestRoom) -> None:
    rosa = browser_of(room, User("rosa@oidc", "Rosa", "coordinador"), "oidc")
    assert inside(rosa.client)
    told = room.as_role("administracion").done("usuario_sesiones", usuario="rosa@oidc")
    assert told["cerradas"] == 1
    assert not inside(rosa.client)
    assert room.as_role("administracion").done("usuario_sesiones", usuario="rosa@oidc")["cerradas"] == 0
    assert [what for what, _, detail in room.log() if "rosa@oidc" in detail] == ["usuario", "usuario"]


def test_a_person_leaves_everywhere_but_where_he_is(room: TestRoom) -> None:
    here, there, other = (
        browser_of(room, User(name, name, name)) for name in ("auditor", "auditor", "operador")
    )
    assert here.done("mi_sesiones")["cerradas"] == 1
    assert [inside(one.client) for one in (here, there, other)] == [True, False, True]


def test_the_console_puts_somebody_out_too(prep: Prep, tmp_path: Path) -> None:
    room = make_room(tmp_path, write=False)
    client = entered(room, "operador")
    done = prep("sala", "usuario", "sesiones", "operador", "--sala", room.room.folder)
    assert (done.returncode, done.stdout) == (0, "Sesiones cerradas de «operador»: 1.\n")
    room.machine.forward(0.1)
    assert not inside(client)
    room.room.close()


def test_a_stolen_cookie_is_of_no_use_after_leaving(room: TestRoom) -> None:
    browser = browser_of(room, User("auditor", "A", "auditor"))
    stolen = Browser(room, browser.token)
    assert browser.client.post("/salir", data={"csrf": browser.session.csrf}).status_code == 303
    assert not inside(stolen.client)


# -- guessing --------------------------------------------------------------------------------------


def test_a_lock_outlives_the_process_that_put_it(tmp_path: Path) -> None:
    room = make_room(tmp_path, write=False)
    for number in range(5):
        login(room.anonymous(), "operador", f"adivinando-{number}")
    room.room.close()
    again = open_room(room.room.options, method=CHEAP, now=room.machine)
    app = build(again)
    assert login(app.test_client(), "operador", PASSWORD).status_code == 429
    room.machine.forward(6)
    assert login(app.test_client(), "operador", PASSWORD).status_code == 303
    again.close()


def test_a_user_that_does_not_exist_costs_the_same_one_hash(
    room: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def counted(pwhash: str, password: str) -> bool:
        looked.append(pwhash.split("$")[0])
        return check_password_hash(pwhash, password)

    monkeypatch.setattr(users, "check_password_hash", counted)
    room.as_role("administracion").done("usuario_baja", usuario="instructor")
    answers = [
        login(room.anonymous(), user, "no-es-esta-clave") for user in ("operador", "nadie", "instructor")
    ]
    assert looked == [CHEAP] * 3
    assert {answer.status_code for answer in answers} == {401}


def test_guessing_through_the_change_of_password_is_locked_as_well(room: TestRoom) -> None:
    browser = browser_of(room, User("auditor", "A", "auditor"))
    answers = [
        browser.act("mi_contrasena", actual=f"adivinando-{n}", nueva="otra-clave-larga-8") for n in range(6)
    ]
    assert [answer.status_code for answer in answers] == [400] * 6
    assert "Demasiados intentos" in answers[-1].text
    assert login(room.anonymous(), "auditor", PASSWORD).status_code == 429


def test_a_hash_of_the_shipped_strength_takes_its_time() -> None:
    begun = time.process_time()
    generate_password_hash("una-clave-larga-7", users.SCRYPT)
    assert time.process_time() - begun > 0.02


# -- two persons -----------------------------------------------------------------------------------


def test_one_coordinator_with_two_sessions_authorises_nothing_of_his_own(room: TestRoom) -> None:
    one, two = (browser_of(room, User("coordinador", "C", "coordinador")) for _ in range(2))
    measure = next(iter(room.room.plan.measures)).key
    proposed = one.done("proponer_medida", medida=measure, catds=[0], incidente="enlace-1")["activacion"]
    for browser in (one, two):
        assert browser.act("autorizar_medida", activacion=proposed).status_code == 409
    assert room.as_role("operador").done("autorizar_medida", activacion=proposed)


def test_whoever_proposed_a_hold_does_not_authorise_it_with_another_role(room: TestRoom) -> None:
    one = browser_of(room, User("publicacion", "P", "publicacion"))
    hold = one.done("detener_publicacion", motivo="una duda")["detencion"]
    room.as_role("administracion").done("usuario_rol", usuario="publicacion", rol="coordinador")
    two = browser_of(room, User("publicacion", "P", "coordinador"))
    assert two.act("autorizar_detencion", detencion=hold).status_code == 409
    assert room.as_role("coordinador").done("autorizar_detencion", detencion=hold)


def test_one_account_of_the_provider_is_one_person_however_it_is_spelled() -> None:
    config = OidcConfig(
        "https://x", "sala", "", "groups", "preferred_username", "oidc", "openid", (("g", "operador"),)
    )
    spelled = ("rosa", "Rosa", "ROSA", "ｒｏｓａ")
    assert {config.user_of({"preferred_username": one, "groups": ["g"]}).user for one in spelled} == {
        "rosa@oidc"
    }
    by_sub = OidcConfig("https://x", "sala", "", "groups", "sub", "oidc", "openid", (("g", "operador"),))
    assert by_sub.user_of({"sub": "aB", "groups": ["g"]}).user == "aB@oidc"
