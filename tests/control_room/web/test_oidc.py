"""Entering with an identity provider: a real one (a test server), its groups, and what it cannot decide."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from control_room.web.entry import _claims
from control_room.web.oidc import NotAdmittedError, OidcConfig, read
from core.errors import InputError
from tests.control_room.web.rooms import PASSWORD, TestRoom, login, make_room

# It has no types.
oidc_provider_mock: Any = import_module("oidc_provider_mock")

PEOPLE = (
    oidc_provider_mock.User(
        sub="rosa",
        claims={"name": "Rosa Díaz", "preferred_username": "rosa", "groups": ["todos", "prep-coord"]},
    ),
    oidc_provider_mock.User(sub="luis", claims={"preferred_username": "luis", "groups": ["contabilidad"]}),
    oidc_provider_mock.User(
        sub="operador", claims={"preferred_username": "operador", "groups": ["prep-muro"]}
    ),
)


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of an identity provider with three people."""
    with oidc_provider_mock.run_server_in_thread(require_nonce=True, user_claims=PEOPLE) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def oidc_room(provider: str, tmp_path: Path) -> Iterator[TestRoom]:
    """A room that admits the people of the provider."""
    config = f"""
[oidc]
emisor = "{provider}"
cliente = "sala"
secreto_archivo = "secreto.txt"
[oidc.roles]
prep-coord = "coordinador"
prep-muro = "lectura"
"""
    (tmp_path / "secreto.txt").write_text("un-secreto\n", encoding="utf-8")
    room = make_room(tmp_path, config=config)
    yield room
    room.room.close()


def _go(room: TestRoom, person: str) -> tuple[FlaskClient, TestResponse]:
    """What a browser does: to the provider, say who one is there, and back with the code."""
    client = room.anonymous()
    away = client.get("/oidc/inicio?siguiente=/incidentes")
    assert away.status_code == 302
    assert "code_challenge_method=S256" in away.location
    assert "nonce=" in away.location
    back = requests.post(away.location, data={"sub": person}, allow_redirects=False, timeout=10)
    assert back.status_code == 302, back.text
    found = urlsplit(back.headers["Location"])
    assert found.path == "/oidc/regreso"
    return client, client.get(f"{found.path}?{found.query}")


def test_a_person_of_a_known_group_enters_with_the_role_of_the_configuration(oidc_room: TestRoom) -> None:
    client, answer = _go(oidc_room, "rosa")
    assert (answer.status_code, answer.location) == (303, "/incidentes")
    me = client.get("/api/yo.json").get_json()
    assert (me["usuario"], me["nombre"], me["rol"]) == ("rosa@oidc", "Rosa Díaz", "coordinador")
    assert oidc_room.log()[-1] == ("entra", "rosa@oidc", "oidc")
    cookies = answer.headers.getlist("Set-Cookie")
    assert "SameSite=Lax" in next(one for one in cookies if one.startswith("sala_sesion="))


@pytest.mark.parametrize(
    "issuer",
    [
        "http://localhost.malo.example",
        "http://127.0.0.1.malo.example",
        "http://sitio.example",
        "https://",
        "x",
    ],
)
def test_only_https_or_this_very_machine_may_be_the_provider(issuer: str, tmp_path: Path) -> None:
    raw = {"emisor": issuer, "cliente": "sala", "roles": {"a": "lectura"}}
    with pytest.raises(InputError, match="https"):
        read(raw, tmp_path / "sala.toml")
    for good in ("http://localhost:8080", "http://127.0.0.1:5000", "https://identidad.example.mx"):
        assert read({**raw, "emisor": good}, tmp_path / "sala.toml") is not None


def test_groups_of_somebody_else_are_not_taken() -> None:
    class Provider:
        def userinfo(self, token: object) -> dict[str, Any]:
            return {"sub": "rosa", "groups": ["prep-coord"]}

    assert _claims(Provider(), {"userinfo": {"sub": "rosa"}}, "groups")["groups"] == ["prep-coord"]
    with pytest.raises(ValueError, match="somebody else"):
        _claims(Provider(), {"userinfo": {"sub": "luis"}}, "groups")


def test_a_person_of_no_known_group_stays_outside(oidc_room: TestRoom) -> None:
    client, answer = _go(oidc_room, "luis")
    assert answer.status_code == 403
    assert "no tiene un rol en esta sala" in answer.text
    assert client.get("/api/yo.json").status_code == 401
    assert oidc_room.log()[-1] == ("falla", "luis", "sin rol en la sala")


def test_a_person_of_the_provider_is_never_the_local_user_of_the_same_name(oidc_room: TestRoom) -> None:
    client, _ = _go(oidc_room, "operador")
    me = client.get("/api/yo.json").get_json()
    assert (me["usuario"], me["rol"]) == ("operador@oidc", "lectura")


def test_a_code_brought_without_having_gone_is_refused(oidc_room: TestRoom) -> None:
    client = oidc_room.anonymous()
    answer = client.get("/oidc/regreso?code=robado&state=inventado")
    assert answer.status_code == 502
    assert client.get("/api/yo.json").status_code == 401
    assert "robado" not in answer.text


def test_a_code_cannot_be_used_in_the_browser_of_somebody_else(oidc_room: TestRoom) -> None:
    client = oidc_room.anonymous()
    away = client.get("/oidc/inicio")
    back = requests.post(away.location, data={"sub": "rosa"}, allow_redirects=False, timeout=10)
    found = urlsplit(back.headers["Location"])
    other = oidc_room.anonymous()
    assert other.get(f"{found.path}?{found.query}").status_code == 502
    assert other.get("/api/yo.json").status_code == 401


def test_the_form_offers_the_provider_and_still_takes_local_users(oidc_room: TestRoom) -> None:
    assert "/oidc/inicio" in oidc_room.anonymous().get("/entrar").text
    assert login(oidc_room.anonymous(), "auditor", PASSWORD).status_code == 303


def test_a_provider_that_does_not_answer_leaves_the_local_door_open(tmp_path: Path) -> None:
    config = '[oidc]\nemisor = "http://127.0.0.1:9"\ncliente = "sala"\n[oidc.roles]\na = "lectura"\n'
    room = make_room(tmp_path, config=config)
    answer = room.anonymous().get("/oidc/inicio")
    assert answer.status_code == 502
    assert "use su usuario de la sala" in answer.text
    assert login(room.anonymous(), "auditor", PASSWORD).status_code == 303
    room.room.close()


def test_without_a_provider_its_addresses_do_not_exist(shared_room: TestRoom) -> None:
    assert "/oidc" not in shared_room.anonymous().get("/entrar").text
    assert shared_room.as_role("operador").get("/oidc/inicio").status_code == 404


def test_with_several_groups_the_first_of_the_configuration_counts() -> None:
    config = OidcConfig(
        "https://a",
        "c",
        "",
        "groups",
        "sub",
        "oidc",
        "openid",
        (("jefes", "coordinador"), ("todos", "lectura")),
    )
    assert config.user_of({"sub": "ana", "groups": ["todos", "jefes"]}).role == "coordinador"
    for claims in ({"groups": ["todos"]}, {"sub": "ana", "groups": 7}, {"sub": "a\nb", "groups": ["todos"]}):
        with pytest.raises(NotAdmittedError):
            config.user_of(claims)


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ({"emisor": "http://fuera.example", "cliente": "c", "roles": {"a": "lectura"}}, "oidc.emisor"),
        ({"emisor": "https://a.example", "roles": {"a": "lectura"}}, "oidc.cliente"),
        ({"emisor": "https://a.example", "cliente": "c"}, "oidc.roles"),
        ({"emisor": "https://a.example", "cliente": "c", "roles": {"a": "jefe"}}, "oidc.roles.a"),
        ({"emisor": "https://a.example", "cliente": "c", "roles": {"a": "lectura"}, "x": 1}, "oidc.x"),
        (
            {
                "emisor": "https://a.example",
                "cliente": "c",
                "roles": {"a": "lectura"},
                "secreto_archivo": "no",
            },
            "oidc.secreto_archivo",
        ),
    ],
)
def test_a_provider_badly_configured_is_told_with_its_key(
    raw: dict[str, object], key: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as told:
        read(raw, tmp_path / "sala.toml")
    assert told.value.column == key
