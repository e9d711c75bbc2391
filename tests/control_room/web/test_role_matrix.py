"""Every role against every route, page, layout and action: 200, 401 or 403, as the tables say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import g

from control_room.pages.registry import Page
from control_room.web.actions import ACTIONS, perform
from control_room.web.fields import BadFieldError
from control_room.web.gate import OPEN, SIGNED, RouteTable
from control_room.web.roles import PERMISSIONS, ROLES, ForbiddenError, NoSessionError, allows
from core.errors import PrepError
from tests.control_room.web.rooms import TestRoom

DASH_CLOSED = {
    "/",
    "/<path:path>",
    "/_reload-hash",
    "/_favicon.ico",
    "/_sin_uso/<path:filename>",
}
"""Rules of Dash without a row: the first two are the pages, the rest answer nobody."""
EXPECTED_PERMISSIONS = {
    "ver": set(ROLES),
    "reconocer": {"operador", "coordinador", "publicacion"},
    "silenciar": {"operador", "coordinador"},
    "incidente": {"operador", "coordinador", "publicacion"},
    "incidente_coordinar": {"coordinador"},
    "medida_proponer": {"operador", "coordinador"},
    "medida_autorizar": {"operador", "coordinador"},
    "publicacion_proponer": {"publicacion"},
    "publicacion_autorizar": {"coordinador"},
    "publicacion_descartar": {"publicacion", "coordinador"},
    "simulacro": {"instructor"},
    "bitacora": set(ROLES) - {"lectura"},
    "bitacora_exportar": {"auditor", "coordinador", "administracion"},
    "calidad_personas": {"coordinador", "auditor", "administracion"},
    "pronosticar": {"operador", "coordinador", "instructor", "auditor"},
    "usuarios": {"administracion"},
    "cuenta": set(ROLES) - {"lectura"},
}
WHO = (None, *ROLES)


def _table(room: TestRoom) -> RouteTable:
    table: RouteTable = room.app.extensions["sala.rutas"]
    return table


def _pages(room: TestRoom) -> list[Page]:
    return list(room.app.extensions["sala.paginas"])


def _filled(rule: str) -> str:
    """An address of a rule: numbers where it wants numbers."""
    if rule.startswith("/_dash-component-suites"):
        return "/_dash-component-suites/dash/dcc/dash_core_components.js"
    rule = rule.replace("/assets/<path:name>", "/assets/sala.css")
    return re.sub(r"<(?:int|string|path):[a-z_]+>|<[a-z_]+>", "0", rule)


def _rows(room: TestRoom) -> Iterator[tuple[str, str, str]]:
    for (rule, method), permission in sorted(_table(room).permissions.items()):
        if rule != "/_dash-update-component":
            yield rule, method, permission


def test_the_permissions_are_the_ones_agreed() -> None:
    assert {name: set(roles) for name, roles in PERMISSIONS.items()} == EXPECTED_PERMISSIONS


def test_every_route_of_the_application_has_a_row(shared_room: TestRoom) -> None:
    table = _table(shared_room)
    for rule in shared_room.app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            known = table.permission(rule.rule, method) is not None
            assert known or rule.rule in DASH_CLOSED, f"{method} {rule.rule} has no row"


def test_every_permission_of_the_tables_exists(shared_room: TestRoom) -> None:
    named = {permission for _, _, permission in _rows(shared_room)} - {OPEN, SIGNED}
    named |= {page.permission for page in _pages(shared_room)}
    assert named <= set(PERMISSIONS)


def test_a_route_without_a_row_answers_nobody(shared_room: TestRoom) -> None:
    for path in ("/_reload-hash", "/_favicon.ico", "/_sin_uso/sala.css", "/_dash-ws-callback", "/_alive_x"):
        assert shared_room.as_role("administracion").get(path).status_code == 404, path


@pytest.mark.parametrize("mode", ["simulacro", "oficial"])
@pytest.mark.parametrize("who", WHO)
def test_each_role_meets_each_route_as_its_row_says(
    who: str | None, mode: str, shared_room: TestRoom, official_room: TestRoom
) -> None:
    room = shared_room if mode == "simulacro" else official_room
    client = room.anonymous() if who is None else room.as_role(who).client
    csrf = "" if who is None else room.as_role(who).session.csrf
    for rule, method, permission in _rows(room):
        if rule in ("/entrar", "/salir"):
            continue
        path = _filled(rule)
        if method == "POST":
            status = client.post(path, json={}, headers={"X-CSRF": csrf}).status_code
        else:
            status = client.get(path).status_code
        if permission == OPEN:
            expected = status not in (401, 403)
        elif who is None:
            expected = status == 401
        elif permission == SIGNED or allows(who, permission, room.room.mode):
            expected = status not in (401, 403)
        else:
            expected = status == 403
        assert expected, f"{who}: {method} {path} ({permission}) answered {status}"


@pytest.mark.parametrize("mode", ["simulacro", "oficial"])
@pytest.mark.parametrize("who", WHO)
def test_each_role_meets_each_page_as_its_row_says(
    who: str | None, mode: str, shared_room: TestRoom, official_room: TestRoom
) -> None:
    room = shared_room if mode == "simulacro" else official_room
    for page in _pages(room):
        for path in (page.path, *page.also):
            address = _filled(path)
            if who is None:
                answer = room.anonymous().get(address)
                assert answer.status_code == 303, address
                assert answer.location.startswith("/entrar")
                continue
            status = room.as_role(who).get(address).status_code
            missing = page.only_rehearsal and mode == "oficial"
            allowed = allows(who, page.permission, mode)
            assert status == (404 if missing else 200 if allowed else 403), f"{who} {address} {status}"


@pytest.mark.parametrize("who", WHO)
def test_the_callback_that_opens_pages_checks_each_one(who: str | None, shared_room: TestRoom) -> None:
    for page in _pages(shared_room):
        body = {
            "output": "contenido.children",
            "outputs": {"id": "contenido", "property": "children"},
            "inputs": [{"id": "url", "property": "pathname", "value": _filled(page.path)}],
            "changedPropIds": ["url.pathname"],
        }
        if who is None:
            status = shared_room.anonymous().post("/_dash-update-component", json=body).status_code
            assert status == 401
            continue
        status = shared_room.as_role(who).post("/_dash-update-component", body).status_code
        assert status == (200 if allows(who, page.permission, "simulacro") else 403), page.path


@pytest.mark.parametrize("who", WHO)
def test_each_layout_checks_its_permission_by_itself(who: str | None, shared_room: TestRoom) -> None:
    for page in _pages(shared_room):
        with shared_room.app.test_request_context(page.path):
            g.session = None if who is None else shared_room.as_role(who).session
            if who is None:
                with pytest.raises(NoSessionError):
                    page.layout()
            elif allows(who, page.permission, "simulacro"):
                assert page.layout().id == "pagina"
            else:
                with pytest.raises(ForbiddenError):
                    page.layout()


@pytest.mark.parametrize("who", WHO)
def test_each_action_checks_its_permission_by_itself(who: str | None, shared_room: TestRoom) -> None:
    for action in ACTIONS.values():
        with shared_room.app.test_request_context(f"/api/acciones/{action.name}", method="POST"):
            g.session = None if who is None else shared_room.as_role(who).session
            if who is None:
                with pytest.raises(NoSessionError):
                    perform(action.name, {"campo que no existe": 1})
            elif allows(who, action.permission, "simulacro"):
                with pytest.raises(BadFieldError):
                    perform(action.name, {"campo que no existe": 1})
            else:
                with pytest.raises(ForbiddenError):
                    perform(action.name, {"campo que no existe": 1})


def test_nobody_governs_a_rehearsal_in_an_official_night(official_room: TestRoom) -> None:
    for role in ROLES:
        assert official_room.as_role(role).act("simulacro_pausa").status_code == 403


def test_a_denied_action_is_written_down(room: TestRoom) -> None:
    assert room.as_role("lectura").act("reconocer_alerta", alerta="A01:catd:0").status_code == 403
    assert ("negado", "lectura", "POST /api/acciones/reconocer_alerta") in room.log()


def test_an_action_that_does_not_exist_is_not_found(shared_room: TestRoom) -> None:
    answer = shared_room.as_role("coordinador").act("apagar_todo")
    assert answer.status_code == 404
    assert answer.is_json


@pytest.mark.parametrize("path", ["/api", "/api/no-hay", "/api/sala", "/api/catd/-1.json", "/_dash-no-hay"])
def test_an_unknown_address_of_the_interface_is_json_and_never_the_page(
    path: str, shared_room: TestRoom
) -> None:
    answer = shared_room.as_role("coordinador").get(path)
    assert answer.status_code == 404
    assert answer.is_json
    assert shared_room.anonymous().get(path).status_code == 401


@pytest.mark.parametrize("path", ["/no-hay", "/incidentes/otro", "/../etc/passwd", "/index.php"])
def test_an_unknown_page_is_not_found(path: str, shared_room: TestRoom) -> None:
    answer = shared_room.as_role("coordinador").get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "_dash-config" not in answer.text


def test_the_errors_are_of_the_project() -> None:
    assert issubclass(ForbiddenError, PrepError)
    assert issubclass(NoSessionError, PrepError)
