"""The pages of the CATDs, the incidents and the continuity plan: skeletons and the data they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_room.alerts.rules import RULES
from control_room.pages import catd, continuidad, incidentes
from control_room.pages.registry import Page
from control_room.web.roles import PERMISSIONS
from core.domain.events import EventKind
from core.domain.incidents import IncidentState
from tests.control_room.web.rooms import TestRoom, make_room

ASSETS = Path(catd.__file__).parents[1] / "assets"
PAGES = {"30-catd.js": catd.PAGE, "31-incidentes.js": incidentes.PAGE, "32-continuidad.js": continuidad.PAGE}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRoom]:
    made = make_room(tmp_path_factory.mktemp("sala"))
    yield made
    made.room.close()


def _ids(component: Any) -> set[str]:
    """Every id of a skeleton."""
    found = {component.id} if getattr(component, "id", None) else set()
    children = getattr(component, "children", None)
    for child in children if isinstance(children, list) else [children]:
        if hasattr(child, "to_plotly_json"):
            found |= _ids(child)
    return found


def _script(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _skeleton(room: TestRoom, page: Page) -> set[str]:
    with room.app.test_request_context(page.path):
        from flask import g

        g.session = room.as_role("lectura").session
        return _ids(page.layout())


@pytest.mark.parametrize("script", PAGES)
def test_every_place_a_script_writes_to_is_in_the_skeleton_of_its_page(script: str, room: TestRoom) -> None:
    code = _script(script)
    wanted = set(re.findall(r"\$\(\"([\w-]+)\"\)", code))
    made = set(re.findall(r"\bid: \"([\w-]+)\"", code))
    assert len(wanted) > 3
    assert wanted - made <= _skeleton(room, PAGES[script])


@pytest.mark.parametrize("script", [*PAGES, "29-operacion.js"])
def test_what_people_wrote_never_becomes_markup(script: str) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", _script(script))


@pytest.mark.parametrize("script", [*PAGES, "29-operacion.js"])
def test_the_scripts_ask_only_for_permissions_that_exist(script: str) -> None:
    asked = set(re.findall(r"PREP\.can\(\"(\w+)\"\)", _script(script)))
    assert asked <= set(PERMISSIONS)


def test_every_action_the_scripts_send_is_one_of_the_room() -> None:
    from control_room.web.actions import ACTIONS

    code = "".join(_script(name) for name in [*PAGES, "29-operacion.js"])
    sent = set(re.findall(r"\"([a-z]+_(?:incidente|medida|paso|alerta))\"", code)) - {"sin_incidente"}
    assert len(sent) >= 14
    assert sent <= set(ACTIONS)


def test_every_state_of_an_incident_and_every_movement_of_an_acta_has_its_word() -> None:
    shared, detail = _script("29-operacion.js"), _script("30-catd.js")
    for state in IncidentState:
        assert f"{state.value}: [" in shared
    of_actas = [kind for kind in EventKind if kind.value.startswith(("acta_", "sin_acta", "recall", "image"))]
    for kind in of_actas:
        assert f"{kind.value}:" in detail


def test_the_plan_says_its_measures_and_what_a_rehearsal_feels_of_them(room: TestRoom) -> None:
    plan = room.as_role("lectura").get("/api/continuidad/plan.json").get_json()["medidas"]
    assert [one["clave"] for one in plan] == [one.key for one in room.room.plan.measures]
    assert all(one["pasos"] and one["en_simulacro"] for one in plan)


def test_the_shipped_plan_answers_the_failures_a_night_has(room: TestRoom) -> None:
    plan = room.room.plan
    for failure in ("enlace", "luz", "publicacion", "contienda", "marcado", "ejercicio"):
        assert plan.next_at(0, 1, failure, []), failure
    assert plan.next_at(0, 1, "enlace", ["Datos móviles"])[0].key == "sede_alterna"


def test_an_official_night_says_nothing_of_simulations(tmp_path: Path) -> None:
    official = make_room(tmp_path, "oficial")
    plan = official.as_role("lectura").get("/api/continuidad/plan.json").get_json()["medidas"]
    assert plan and not any("en_simulacro" in one for one in plan)
    official.room.close()


def test_the_rules_that_can_be_silenced_are_those_of_the_catalogue(room: TestRoom) -> None:
    rules = room.as_role("operador").get("/api/alertas/reglas.json").get_json()["reglas"]
    assert [rule[0] for rule in rules] == [rule.code for rule in RULES]
    assert ["A01", "CATD sin señal", "catd"] in rules


def test_an_incident_is_assigned_to_somebody_who_may_work_on_it(room: TestRoom) -> None:
    assert room.as_role("operador").get("/api/incidentes/personas.json").status_code == 403
    people = room.as_role("coordinador").get("/api/incidentes/personas.json").get_json()["personas"]
    roles = {one["usuario"]: one["rol"] for one in people}
    assert roles == {"operador": "Operador", "coordinador": "Coordinador", "publicacion": "Publicación"}


def test_one_catd_is_asked_by_its_number_and_an_unknown_one_is_a_404(room: TestRoom) -> None:
    browser = room.as_role("lectura")
    assert browser.get("/api/catd/0.json").get_json()["id"] == 0
    assert browser.get("/api/catd/999.json").status_code == 404
