"""The sheets of the room: skeletons and scripts speak of the same places, and their routes answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import control_room
from control_room.app import load_pages
from control_room.pages.registry import Page
from core.domain.rules import RULES, SITUATIONS
from tests.control_room.web.rooms import TestRoom, make_room

ASSETS = Path(control_room.__file__).parent / "assets"
SHEETS = ("publicacion", "calidad", "pronostico", "simulacro", "bitacora", "historia")
_USED = re.compile(r"""hojas\.(?:id|dato)\("([a-z-]+)"[,)]|getElementById\("([a-z-]+)"\)""")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRoom]:
    made = make_room(tmp_path_factory.mktemp("hojas"))
    yield made
    made.room.close()


def page_of(name: str) -> Page:
    return next(page for page in load_pages() if page.name == name)


def ids(node: Any) -> Iterator[str]:
    """Every id of a Dash component and of what is inside it."""
    if isinstance(node, list | tuple):
        for one in node:
            yield from ids(one)
    elif hasattr(node, "to_plotly_json"):
        if getattr(node, "id", None):
            yield node.id
        yield from ids(getattr(node, "children", None))


def skeleton(room: TestRoom, name: str, role: str = "coordinador") -> Any:
    """The layout of a page as a person of a role gets it."""
    from flask import g

    with room.app.test_request_context(page_of(name).path):
        g.session = room.as_role(role).session
        return page_of(name).layout()


@pytest.mark.parametrize("name", SHEETS)
def test_every_place_a_script_fills_is_in_the_skeleton_of_its_page(room: TestRoom, name: str) -> None:
    there = set(ids(skeleton(room, name, "instructor" if name == "simulacro" else "coordinador")))
    assert len(there) > 5
    (script,) = ASSETS.glob(f"4[0-5]-{name}.js")
    text = script.read_text(encoding="utf-8")
    used = {first or second for first, second in _USED.findall(text)}
    assert used, "the script fills something"
    assert used - there == set()
    assert f'PREP.register("{name}"' in text


@pytest.mark.parametrize("name", SHEETS)
def test_free_text_never_becomes_markup(name: str) -> None:
    (script,) = ASSETS.glob(f"4[0-5]-{name}.js")
    text = script.read_text(encoding="utf-8") + (ASSETS / "40-hojas.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text)


def test_the_texts_of_every_rule_are_served(room: TestRoom) -> None:
    rules = room.as_role("lectura").get("/api/reglas.json").get_json()["reglas"]
    assert set(rules) == {rule.code for rule in RULES} | {one.code for one in SITUATIONS}
    assert rules["V4"]["efecto"] == "no se contabiliza"
    assert all(one["titulo"] and one["texto"] and one["fuente"] for one in rules.values())


def test_names_of_capturistas_are_only_for_who_may_see_them(room: TestRoom) -> None:
    assert room.as_role("operador").get("/api/calidad/personas.json").status_code == 403
    answer = room.as_role("auditor").get("/api/calidad/personas.json")
    assert answer.get_json() == {"personas": {}}


def test_a_cut_tells_what_it_added_and_one_that_is_not_there_is_an_error_in_words(room: TestRoom) -> None:
    browser = room.as_role("lectura")
    first = browser.get("/api/publicacion/cortes/1.json").get_json()
    assert (first["numero"], first["agregadas"]) == (1, 0)
    assert browser.get("/api/publicacion/cortes/pendiente.json").get_json()["anterior"] == 1
    for wrong in ("7", "x", "-1", "99999999999"):
        answer = browser.get(f"/api/publicacion/cortes/{wrong}.json")
        assert answer.status_code == 400
        assert "corte" in answer.get_json()["error"]["mensaje"]


def test_the_desk_without_a_live_run_says_why(room: TestRoom) -> None:
    desk = room.as_role("instructor").get("/api/simulacro.json").get_json()
    assert desk["estado"] is None
    assert desk["motivo"]
    assert desk["inyectado"] == []
    felt = {one["clave"] for one in desk["efectos"] if one["siente"]}
    assert "reinicio_enrutador" in felt
    assert "planta_luz" not in felt


def test_every_measure_the_simulation_feels_is_one_of_the_plan(room: TestRoom) -> None:
    from control_room.simulacro_control import EFFECTS

    assert set(EFFECTS) <= {measure.key for measure in room.room.plan.measures}
