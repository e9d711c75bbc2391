"""Forgery, headers and what an error lets out."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from control_room.web.actions import ACTIONS
from tests.control_room.web.rooms import PASSWORD, TestRoom

PATHS = (
    "/",
    "/entrar",
    "/salud",
    "/api/yo.json",
    "/api/sala.json",
    "/no-hay",
    "/assets/sala.css",
    "/acceso.css",
)


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_security_headers(path: str, shared_room: TestRoom) -> None:
    for client in (shared_room.anonymous(), shared_room.as_role("operador").client):
        headers = client.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["connect-src"] == "'self'"
        assert "unsafe" not in policy["script-src"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert "Server" not in headers or "Werkzeug" not in headers["Server"]


def test_the_page_has_no_inline_script_but_those_the_policy_knows(shared_room: TestRoom) -> None:
    answer = shared_room.as_role("operador").get("/")
    policy = answer.headers["Content-Security-Policy"]
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>(.*?)</script>", answer.text, re.S)
    run = [body for attributes, body in inline if "application/json" not in attributes]
    assert run
    for body in run:
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert not re.search(r"\son[a-z]+=", answer.text)


def test_the_page_asks_nothing_of_any_other_place(shared_room: TestRoom) -> None:
    page = shared_room.as_role("operador").get("/").text
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert address.startswith("/") and not address.startswith("//"), address
    assert '<html lang="es-MX">' in page


@pytest.mark.parametrize("action", sorted(ACTIONS))
@pytest.mark.parametrize("token", ["", "otro"])
def test_no_action_goes_through_without_the_token_of_its_session(
    action: str, token: str, shared_room: TestRoom
) -> None:
    answer = shared_room.as_role("coordinador").post(f"/api/acciones/{action}", {}, csrf=token)
    assert answer.status_code == 403
    assert "token" not in answer.get_json()["error"]["mensaje"].lower()


def test_the_token_of_somebody_else_is_of_no_use(shared_room: TestRoom) -> None:
    other = shared_room.as_role("auditor").session.csrf
    assert (
        shared_room.as_role("coordinador").post("/api/pronostico", {"si": []}, csrf=other).status_code == 403
    )
    assert shared_room.as_role("coordinador").post("/salir", {}, csrf=other).status_code == 403


def test_the_callbacks_of_dash_want_the_token_too(shared_room: TestRoom) -> None:
    answer = shared_room.as_role("coordinador").post("/_dash-update-component", {}, csrf="")
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://otro.sitio"}, {"Origin": "null"}]
)
def test_a_post_from_another_site_is_refused_even_with_the_token(
    headers: dict[str, str], shared_room: TestRoom
) -> None:
    browser = shared_room.as_role("coordinador")
    answer = browser.client.post(
        "/api/acciones/abrir_incidente", json={}, headers={"X-CSRF": browser.session.csrf, **headers}
    )
    assert answer.status_code == 403


def test_the_login_form_wants_the_token_of_the_page_it_was_on(shared_room: TestRoom) -> None:
    data = {"usuario": "operador", "contrasena": PASSWORD}
    client = shared_room.anonymous()
    form = client.get("/entrar").text
    token = form.split('name="csrf" value="')[1].split('"')[0]
    assert client.post("/entrar", data=data).status_code == 403
    # Another browser has another cookie: a form filled by somebody else does not enter anybody.
    assert shared_room.anonymous().post("/entrar", data={**data, "csrf": token}).status_code == 403
    assert client.post("/entrar", data={**data, "csrf": token}).status_code == 303


def test_an_error_nobody_expected_says_a_number_and_no_more(room: TestRoom) -> None:
    def broken() -> int:
        raise RuntimeError("secreto de adentro")

    room.room.clock = type("Clock", (), {"now_ms": staticmethod(broken)})()
    answer = room.as_role("operador").get("/api/catd/0.json")
    assert answer.status_code == 500
    assert "secreto" not in answer.text
    assert "Traceback" not in answer.text
    assert re.search(r"número [0-9a-f]{8}", answer.get_json()["error"]["mensaje"])


def test_a_body_that_is_too_long_or_no_json_is_refused(shared_room: TestRoom) -> None:
    browser = shared_room.as_role("coordinador")
    headers = {"X-CSRF": browser.session.csrf}
    path = "/api/acciones/abrir_incidente"
    long = browser.client.post(path, json={"titulo": "x" * 300_000}, headers=headers)
    assert long.status_code == 413
    assert browser.client.post(path, data="a=1", headers=headers).status_code == 415
    broken = browser.client.post(path, data="{", headers=headers, content_type="application/json")
    assert broken.status_code == 400
    assert broken.is_json


def test_the_debugger_of_werkzeug_is_nowhere(shared_room: TestRoom) -> None:
    assert not shared_room.app.debug
    browser = shared_room.as_role("administracion")
    assert browser.get("/?__debugger__=yes&cmd=resource&f=debugger.js").mimetype == "text/html"
    assert browser.get("/console").status_code == 404


def test_scripts_are_kept_for_ever_by_their_content_and_only_with_a_session(shared_room: TestRoom) -> None:
    browser = shared_room.as_role("operador")
    page = browser.get("/").text
    scripts = re.findall(r'src="(/assets/[^"]+)"', page)
    assert scripts
    for address in scripts:
        answer = browser.get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert shared_room.anonymous().get(address).status_code == 401
    stale = browser.get(scripts[0].split("?")[0] + "?h=0000")
    assert "immutable" not in stale.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["../app.py", "%2e%2e/app.py", "..%2fapp.py", ".oculto", "/etc/passwd"])
def test_nothing_outside_the_assets_is_served(name: str, shared_room: TestRoom) -> None:
    assert shared_room.as_role("administracion").get(f"/assets/{name}").status_code == 404


def test_the_suites_of_dash_go_packed_and_kept(shared_room: TestRoom) -> None:
    browser = shared_room.as_role("operador")
    page = browser.get("/").text
    suites = re.findall(r'src="(/_dash-component-suites/[^"]+)"', page)
    assert suites
    answer = browser.get(suites[0], headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]
