"""Whatever is asked of the control room, it answers: no 500, no trace, no path of the machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from control_room.web.actions import ACTIONS
from control_room.web.security import MOST_BYTES
from tests.control_room.web.rooms import TestRoom, make_room

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
WHO = (None, "lectura", "coordinador", "administracion", "instructor", "auditor")
TYPES = {
    "application/json",
    "text/html",
    "text/css",
    "text/csv",
    "text/plain",
    "text/javascript",
    "application/pdf",
    "application/javascript",
    "image/svg+xml",
    "image/png",
    "image/x-icon",
    "image/vnd.microsoft.icon",
    "font/woff2",
    "application/manifest+json",
}
LEAKS = re.compile(r"Traceback|File \"/|/site-packages/|sqlalche\.me|werkzeug\.exceptions")
VALUES: tuple[Any, ...] = (
    "",
    "x",
    "0",
    "-1",
    0,
    -1,
    1,
    2**31,
    2**63,
    10**400,
    1.5,
    1e308,
    True,
    None,
    [],
    {},
    [0],
    ["x"],
    [[0]],
    [None],
    {"a": {"a": []}},
    "../../etc/passwd",
    "\x00",
    "\ud800",
    "=1+1",
    "<script>",
    "9" * 5_000,
    "x" * 20_000,
    "enlace-1",
    "2021-06-06T18:00:00-06:00",
    "a01",
    "A01",
    "{{7*7}}",
    "%s",
    "' OR 1=1 --",
    "\u202e",
)
TEXTS = tuple(one for one in VALUES if isinstance(one, str))
PAGES = (
    "/",
    "/incidentes",
    "/bitacora",
    "/catd",
    "/continuidad",
    "/publicacion",
    "/usuarios",
    "/cuenta",
    "/muro",
)
QUERY = (
    "texto",
    "con",
    "hasta",
    "desde",
    "clase",
    "h",
    "numero",
    "catd",
    "incidente",
    "pagina",
    "siguiente",
    "orden",
    "actor",
    "antes",
    "despues",
    "cuantos",
    "de",
    "a",
    "corte",
    "contienda",
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRoom]:
    """A room of this file's own: its actions are really tried."""
    made = make_room(tmp_path_factory.mktemp("sala"))
    yield made
    made.room.close()


def answered(room: TestRoom, response: TestResponse) -> None:
    """What every answer must be, whatever was asked."""
    told = f"{response.request.method} {response.request.path!r} → {response.status_code}"
    text = response.get_data(as_text=True) if response.mimetype != "application/pdf" else ""
    busy = response.status_code == 503 and "Traceback" not in text
    assert response.status_code < 500 or response.status_code == 501 or busy, f"{told}: {text[:500]}"
    assert not LEAKS.search(text), f"{told}: {text[:500]}"
    assert str(room.room.folder.parent) not in text, told
    assert str(Path(__file__).parent.parent.parent) not in text, told
    if text:
        assert response.mimetype in TYPES, f"{told}: {response.content_type}"
    assert response.headers.get("X-Content-Type-Options") == "nosniff", told
    assert "Content-Security-Policy" in response.headers, told


def client_of(room: TestRoom, who: str | None) -> tuple[Any, dict[str, str]]:
    """A client with the session of a role, and its token; after an action that closed it, with another."""
    if who is None:
        return room.anonymous(), {}
    browser = room.as_role(who)
    if room.room.sessions.find(browser.token, room.machine.ms, touch=False) is None:
        room.tokens.pop(who)
        browser = room.as_role(who)
    return browser.client, {"X-CSRF": browser.session.csrf}


def rules(room: TestRoom) -> list[str]:
    """Every rule of the application, from the application itself."""
    return sorted({one.rule for one in room.app.url_map.iter_rules()} - {"/salir"})


def filled(rule: str, values: list[str]) -> str:
    """An address of a rule, its places taken by hostile texts."""
    given = iter(values)
    path = re.sub(r"<[^>]+>", lambda _: next(given, "0"), rule)
    return path.encode("utf-8", "surrogateescape" if "\ud800" not in path else "replace").decode(
        "utf-8", "replace"
    )


QUIET = st.sampled_from((None, "*/*", "text/html", "application/json", "\x7f", "x" * 5_000))
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept": QUIET,
        "If-None-Match": QUIET,
        "Accept-Encoding": st.sampled_from(("gzip", "gzip;q=0", "br", "x" * 999)),
        "Content-Type": st.sampled_from(
            ("application/json", "text/plain", "multipart/form-data", "application/json; charset=utf-16", "x")
        ),
        "X-Forwarded-For": st.sampled_from(("1.2.3.4", "x", "' OR 1=1", "::1, " * 500)),
        "Host": st.sampled_from(("x", "evil.mx", "a:99999")),
        "Range": st.just("bytes=0-99999999999"),
        "Origin": st.just("https://evil.mx"),
        "Cookie": st.sampled_from(("sala=x", "sala=\x01", "=;=", "x" * 9_000)),
        "X-CSRF": st.sampled_from(("", "0" * 64, "ñ")),
        "Content-Length": st.sampled_from(("-1", "x", "99999999999")),
    },
)


@settings(max_examples=300)
@given(data=st.data())
def test_any_request_to_any_route_is_answered(room: TestRoom, data: st.DataObject) -> None:
    rule = data.draw(st.sampled_from([*rules(room), "/no-existe", "/../etc/passwd", "//x", "/%00", "/api/"]))
    path = filled(rule, data.draw(st.lists(st.sampled_from(TEXTS), max_size=3)))
    query = data.draw(st.dictionaries(st.sampled_from(QUERY), st.sampled_from(TEXTS), max_size=3))
    # A path drawn with its own question mark takes no other.
    query = {} if "?" in path else {n: v.encode("utf-8", "replace").decode() for n, v in query.items()}
    who = data.draw(st.sampled_from(WHO))
    client, token = client_of(room, who)
    headers = {**token, **{k: v for k, v in data.draw(HEADERS).items() if v is not None}}
    body = data.draw(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(VALUES).map(lambda one: json.dumps(one).encode()),
            st.sampled_from(
                (b"[" * 100_000, b'{"a":' * 5_000, b"\xff\xfe{", b"9" * 5_000, b"NaN", b"a=b&c=" + b"x" * 900)
            ),
        )
    )
    method = data.draw(st.sampled_from(METHODS))
    kind = headers.pop("Content-Type", "application/json")
    answered(
        room,
        client.open(
            path, method=method, query_string=query or None, headers=headers, data=body, content_type=kind
        ),
    )


@pytest.mark.parametrize("name", sorted(ACTIONS))
@settings(max_examples=12)
@given(data=st.data())
def test_an_action_with_anything_in_its_fields_is_answered(
    room: TestRoom, name: str, data: st.DataObject
) -> None:
    fields = ACTIONS[name].fields
    body = {
        one: data.draw(st.sampled_from(VALUES))
        for one in data.draw(st.sets(st.sampled_from(sorted(fields) or ["x"])))
    }
    body |= data.draw(st.sampled_from(({}, {"llave": "abcdefgh"}, {"llave": "\x00"}, {"otra": 1})))
    who = data.draw(
        st.sampled_from(("coordinador", "administracion", "instructor", "publicacion", "operador"))
    )
    client, token = client_of(room, who)
    answered(room, client.post(f"/api/acciones/{name}", json=body, headers=token))


@settings(max_examples=120)
@given(data=st.data())
def test_what_dash_asks_may_be_anything(room: TestRoom, data: st.DataObject) -> None:
    address = data.draw(st.sampled_from((*VALUES, *PAGES)))
    shape: dict[str, Any] = {
        "output": "contenido.children",
        "outputs": {"id": "contenido", "property": "children"},
        "inputs": [{"id": "url", "property": "pathname", "value": address}],
        "changedPropIds": ["url.pathname"],
        "state": [],
    }
    for key in data.draw(st.sets(st.sampled_from(sorted(shape)), max_size=1)):
        shape[key] = data.draw(st.sampled_from((*VALUES, [{"id": {"x": 1}, "property": "y"}])))
    client, token = client_of(room, data.draw(st.sampled_from(WHO)))
    answered(room, client.post("/_dash-update-component", json=shape, headers=token))


def test_a_body_above_the_limit_is_refused_and_not_read(room: TestRoom) -> None:
    client, token = client_of(room, "coordinador")
    for rule in ("/api/acciones/anotar_incidente", "/_dash-update-component", "/entrar"):
        response = client.post(
            rule, data=b"x" * (MOST_BYTES + 1), headers=token, content_type="application/json"
        )
        answered(room, response)
        assert response.status_code in (400, 413), rule


def test_after_all_of_it_the_room_is_alive_and_says_the_same(room: TestRoom) -> None:
    client, token = client_of(room, "coordinador")
    assert client.get("/api/yo.json").get_json()["rol"] == "coordinador"
    assert client.get("/api/sala.json").status_code == 200
    done = client.post(
        "/api/acciones/anotar_incidente", json={"incidente": "enlace-1", "texto": "sigue"}, headers=token
    )
    assert done.status_code in (200, 400), done.text
