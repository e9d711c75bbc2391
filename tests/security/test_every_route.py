"""Every route of the room, for everybody and nobody, as docs/sala-acceso.md says, and what it carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from control_room.web.roles import ROLES
from tests.control_room.web.rooms import PASSWORD, TestRoom, login, make_room

OPEN, SIGNED, PAGE = "(abierta)", "(sesión)", "página"
OTHER_HOST = "otro.sitio.example"
POSTED_WITHOUT_JSON = {"/entrar", "/salir"}
# What may stay in a browser: it says nothing of the night nor of the person, or is asked by its hash.
KEPT = {
    "/acceso.css", "/favicon.svg", "/assets/<path:name>",
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
}  # fmt: skip
WHO = (None, *ROLES)


@pytest.fixture(scope="module", params=["simulacro", "oficial"])
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRoom]:
    """A room of each mode, reached over https."""
    made = make_room(tmp_path_factory.mktemp("rutas"), request.param, behind_proxy=True)
    yield made
    made.room.close()


@pytest.fixture(scope="module")
def text(repository: Path) -> str:
    return (repository / "docs" / "sala-acceso.md").read_text(encoding="utf-8")


def routes_of(text: str) -> dict[tuple[str, str], str]:
    """Permission by (method, rule) of the table of the document; a page has the method «página»."""
    rows = re.findall(r"^\| `?([(\w)]+)`? \| (`(?:GET|POST|página) .+`) \|$", text, re.M)
    return {
        (method, rule): permission
        for permission, cells in rows
        for method, rule in re.findall(r"`(\S+) (\S+)`", cells)
    }


def roles_of(text: str) -> dict[str, set[str]]:
    """Roles of each permission, as the document says."""
    rows = re.findall(r"^\| `(\w+)` \| ([a-z, ]+) \|$", text, re.M)
    return {name: set(roles.split(", ")) for name, roles in rows}


def address(rule: str) -> str:
    """An address of a rule."""
    if rule.startswith("/_dash-component-suites"):
        return "/_dash-component-suites/dash/dcc/dash_core_components.js"
    rule = rule.replace("/assets/<path:name>", "/assets/sala.css")
    return re.sub(r"<(?:int:|string:|path:)?[a-z_]+>", "0", rule)


def client_of(room: TestRoom, who: str | None) -> FlaskClient:
    return room.anonymous() if who is None else room.as_role(who).client


def ask(room: TestRoom, client: FlaskClient, who: str | None, method: str, rule: str) -> TestResponse:
    """The answer to a route, over https and with a made-up host."""
    csrf = {} if who is None else {"X-CSRF": room.as_role(who).session.csrf}
    more = {"base_url": "https://localhost", "headers": {"X-Forwarded-Proto": "https", **csrf}}
    if method == "POST":
        if rule in POSTED_WITHOUT_JSON:
            return client.post(address(rule), data={}, **more)
        return client.post(address(rule), json={}, **more)
    return client.get(address(rule), **more)


def test_the_document_names_every_route_and_page_with_its_permission(room: TestRoom, text: str) -> None:
    table = room.app.extensions["sala.rutas"]
    found = {(method, rule): permission for (rule, method), permission in table.permissions.items()}
    for page in room.app.extensions["sala.paginas"]:
        found |= {(PAGE, path): page.permission for path in (page.path, *page.also)}
    assert routes_of(text) == found


@pytest.mark.parametrize("who", WHO)
def test_every_route_answers_who_the_document_says_and_carries_its_headers(
    who: str | None, room: TestRoom, text: str
) -> None:
    roles, rehearsal = roles_of(text), room.room.mode == "simulacro"
    for (method, rule), permission in sorted(routes_of(text).items()):
        if (method, rule) == ("POST", "/salir") and who is not None:
            continue  # It would end the session that the others go with; test_sessions leaves.
        answer = ask(room, client_of(room, who), who, method, rule)
        told = f"{who}: {method} {rule} ({permission}) answered {answer.status_code}"
        missing = permission == "simulacro" and not rehearsal
        if permission == OPEN:
            assert answer.status_code not in (401, 500) and (answer.status_code != 403 or method == "POST"), (
                told
            )
        elif who is None:
            assert answer.status_code == (303 if method == PAGE else 401), told
            assert method != PAGE or answer.location.startswith("/entrar"), told
        elif permission == SIGNED or (who in roles[permission] and not missing):
            assert answer.status_code not in (401, 403, 500), told
        elif missing and method == PAGE:
            assert answer.status_code == 404, told
        else:
            assert answer.status_code == 403, told
        check_headers(answer, rule, told)


def check_headers(answer: TestResponse, rule: str, told: str) -> None:
    """Raises unless the answer carries everything, gives no cookie but those of the form, and is not kept."""
    headers = answer.headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert (policy["default-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'",) * 3, told
    assert policy["form-action"] == policy["connect-src"] == "'self'", told
    assert "unsafe" not in policy["script-src"] and "*" not in headers["Content-Security-Policy"], told
    assert headers["X-Content-Type-Options"] == "nosniff", told
    assert headers["X-Frame-Options"] == "DENY", told
    assert headers["Referrer-Policy"] == "same-origin", told
    assert "geolocation=()" in headers["Permissions-Policy"], told
    assert (
        headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    ), told
    assert int(headers["Strict-Transport-Security"].removeprefix("max-age=").split(";")[0]) >= 31_536_000, (
        told
    )
    assert "Access-Control-Allow-Origin" not in headers, told
    kept = headers["Cache-Control"]
    if rule not in KEPT:
        assert "public" not in kept and ("no-store" in kept or "private" in kept), f"{told}: {kept}"
    names = {one.split("=")[0] for one in headers.getlist("Set-Cookie")}
    assert names <= ({"sala_entrada"} if rule == "/entrar" else set()), told


@pytest.mark.parametrize("who", [None, "administracion"], ids=["nadie", "administracion"])
def test_no_other_method_reaches_a_route(who: str | None, room: TestRoom, text: str) -> None:
    for method, rule in routes_of(text):
        for other in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "GET" if method == "POST" else "POST"):
            if (other, rule) in routes_of(text):
                continue
            csrf = {} if who is None else {"X-CSRF": room.as_role(who).session.csrf}
            answer = client_of(room, who).open(
                address(rule), method=other, base_url="https://localhost", headers=csrf, json={}
            )
            # A GET of an address that only takes POST is, for Dash's catch-all, a page that does not exist.
            assert answer.status_code in (303, 401, 403, 404, 405), f"{other} {rule}: {answer.status_code}"


def test_nobody_reads_by_asking_for_the_headers_alone(room: TestRoom, text: str) -> None:
    for (method, rule), permission in routes_of(text).items():
        if method == "GET" and permission != OPEN:
            status = room.anonymous().head(address(rule), base_url="https://localhost").status_code
            assert status == 401, rule


@pytest.mark.parametrize(
    "path",
    [
        "//api/sala.json", "/api//sala.json", "/api/sala.json/", "/API/sala.json", "/./api/sala.json",
        "/%61pi/sala.json", "/api/../api/sala.json", "/entrar/../api/sala.json", "/api/sala.json%00",
        "/api/sala.json;.css", "/acceso.css/../api/sala.json", "/%2e%2e/sala/sala.db",
    ],
)  # fmt: skip
def test_no_spelling_of_an_address_goes_around_the_door(path: str, room: TestRoom) -> None:
    answer = room.anonymous().get(path, base_url="https://localhost", follow_redirects=True)
    assert answer.status_code in (200, 400, 401, 404)
    assert answer.status_code != 200 or answer.request.path == "/entrar"
    assert b'"seq"' not in answer.data


def test_the_host_that_is_asked_for_is_repeated_nowhere(room: TestRoom, text: str) -> None:
    client = room.anonymous()
    for headers in ({"Host": OTHER_HOST}, {"X-Forwarded-Host": OTHER_HOST}):
        for path in ("/", "/entrar", "/incidentes?x=1", "/api/sala.json", "/no-hay"):
            answer = client.get(path, headers=headers, base_url="https://localhost")
            assert OTHER_HOST not in answer.text, path
            assert OTHER_HOST not in " ".join(value for _, value in answer.headers), path


def test_the_only_callback_opens_pages(room: TestRoom) -> None:
    from dash._callback import GLOBAL_CALLBACK_LIST

    dependencies = room.as_role("lectura").get("/_dash-dependencies", base_url="https://localhost").get_json()
    served = [one for one in dependencies if one["clientside_function"] is None]
    assert [one["output"] for one in served] == ["contenido.children"]
    assert GLOBAL_CALLBACK_LIST == []


def cookies_of(answer: TestResponse) -> dict[str, set[str]]:
    """Attributes of each cookie that an answer puts, in lower case; without its value."""
    found = {}
    for one in answer.headers.getlist("Set-Cookie"):
        name, *attributes = (part.strip().lower() for part in one.split(";"))
        found[name.split("=")[0]] = {
            part for part in attributes if not part.startswith(("expires", "max-age"))
        }
    return found


def test_over_https_every_cookie_is_secure_of_this_host_and_strict(room: TestRoom) -> None:
    client = room.anonymous()
    more = {"base_url": "https://localhost", "headers": {"X-Forwarded-Proto": "https"}}
    form = cookies_of(client.get("/entrar", **more))
    entered = login(client, "auditor", PASSWORD, **more)
    assert entered.status_code == 303
    strict = {"secure", "path=/", "samesite=strict"}
    assert form == {"sala_entrada": strict | {"httponly"}}
    given = cookies_of(entered)
    assert given["__host-sala"] == strict | {"httponly"}
    # The one that scripts read: it is of use only beside the other.
    assert given["sala_csrf"] == strict
    assert set(given) == {"__host-sala", "sala_csrf", "sala_entrada"}


def test_without_https_the_cookies_are_strict_and_hidden_all_the_same(tmp_path: Path) -> None:
    made = make_room(tmp_path, write=False)
    given = cookies_of(login(made.anonymous(), "auditor", PASSWORD))
    assert given["sala_sesion"] == {"path=/", "samesite=strict", "httponly"}
    assert "Strict-Transport-Security" not in made.anonymous().get("/entrar").headers
    made.room.close()


@pytest.mark.parametrize(
    "change",
    [
        {"output": None}, {"output": "otra.children"}, {"outputs": []}, {"inputs": []}, {"inputs": "x"},
        {"inputs": [{"id": "url", "property": "pathname", "value": 7}]}, {"inputs": [{"id": "otro"}]},
        {"state": [1]}, {"changedPropIds": 3}, {"changedPropIds": [{"a": 1}]}, {"changedPropIds": ["x.y"]},
    ],
    ids=lambda change: str(next(iter(change.items()))),
)  # fmt: skip
def test_a_callback_dash_would_not_have_sent_is_a_bad_request(
    change: dict[str, object], room: TestRoom
) -> None:
    body: dict[str, object] = {
        "output": "contenido.children",
        "outputs": {"id": "contenido", "property": "children"},
        "inputs": [{"id": "url", "property": "pathname", "value": "/catd"}],
        "changedPropIds": ["url.pathname"],
    }
    browser = room.as_role("lectura")
    for sent, expected in ((body, 200), (body | change, 400), ([], 400)):
        answer = browser.client.post(
            "/_dash-update-component",
            json=sent,
            headers={"X-CSRF": browser.session.csrf},
            base_url="https://localhost",
        )
        assert answer.status_code == expected, answer.text
