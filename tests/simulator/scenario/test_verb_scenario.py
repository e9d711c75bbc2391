"""`prep escenario`: what a person sees of a scenario before running it."""

from __future__ import annotations

import argparse
import csv
import io
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.cli import main
from core.cli_output import Output
from core.cli_verb import ANSWER_IS_NO, BAD_INPUT, DONE, Answer
from core.errors import InputError, UsageError
from simulator.scenario.schema import scenario_schema
from simulator.scenario.verb import VERB
from tests.conftest import REPOSITORY
from tests.simulator.conftest import DATA

CHICA = DATA / "chica.toml"
X04 = REPOSITORY / "scenarios" / "incidencias" / "x04-sincronia-detenida.toml"
SHIPPED = sorted((REPOSITORY / "scenarios").rglob("*.toml"))
Ask = Callable[..., Answer]


@pytest.fixture
def ask() -> Ask:
    """Runs the verb with the arguments a user types after its name."""

    def go(*arguments: str | Path) -> Answer:
        parser = argparse.ArgumentParser()
        VERB.add_arguments(parser)
        return VERB.run(parser.parse_args([str(one) for one in arguments]), Output(silent=True))

    return go


# -- the schema ------------------------------------------------------------------------------------


def test_the_schema_is_json_in_spanish(ask: Ask, tmp_path: Path) -> None:
    answer = ask("esquema")
    schema = json.loads(answer.text)
    assert schema == answer.data == scenario_schema()
    link = schema["definitions"]["falla_enlace"]["properties"]["dura_min"]
    assert (link["title"], link["description"]) == ("dura_min", "cuánto dura si nadie hace nada")
    assert (link["exclusiveMinimum"], link["maximum"]) == (0, 1560)
    assert "english" not in answer.text and "Scenario" not in answer.text
    written = ask("esquema", "--salida", tmp_path / "e.json")
    assert (written.exit_code, written.data) == (DONE, {"salida": tmp_path / "e.json"})
    assert (tmp_path / "e.json").read_text(encoding="utf-8") == answer.text + "\n"


def test_a_schema_that_cannot_be_written_is_told_in_spanish(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "no" / "hay" / "e.json"
    assert main(["escenario", "esquema", "--salida", str(target)]) == BAD_INPUT
    assert f"no se pudo abrir «{target}»: no existe" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["apuntes", "{}", "[1]", '{"title": "Escenario del PREP, formato 1"}', ""])
def test_a_schema_is_never_written_over_something_else(ask: Ask, tmp_path: Path, text: str) -> None:
    target = tmp_path / "e.json"
    target.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="no se sobrescribe"):
        ask("esquema", "--salida", target)
    assert target.read_text(encoding="utf-8") == text


def test_a_schema_is_written_over_an_older_one(ask: Ask, tmp_path: Path) -> None:
    target = tmp_path / "e.json"
    older = {**scenario_schema(), "title": "Escenario del PREP, formato 0"}
    target.write_text(json.dumps(older), encoding="utf-8")
    assert ask("esquema", "--salida", target).exit_code == DONE
    assert json.loads(target.read_text(encoding="utf-8")) == scenario_schema()


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    schema = scenario_schema()
    references = {value for key, value in _leaves(schema) if key == "$ref"}
    assert references == {f"#/definitions/{name}" for name in schema["definitions"]}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_file_fits_the_schema(path: Path) -> None:
    assert _misfits(tomllib.loads(path.read_text(encoding="utf-8"))) == []


def test_the_schema_asks_a_whole_scenario_for_what_it_does_not_ask_an_incident() -> None:
    whole = tomllib.loads(CHICA.read_text(encoding="utf-8"))
    assert _misfits(whole) == []
    assert _misfits({name: value for name, value in whole.items() if name != "personal"}) == [
        "falta personal"
    ]
    part = {"incidencia": _header(), "personal": {"ausencia": 0.5}}
    assert _misfits(part) == []
    assert _misfits({"base": "x.toml", "nombre": "y"}) == []
    assert _misfits({**whole, "personl": {}}) == ["personl"]


# -- the review ------------------------------------------------------------------------------------


def test_a_review_tells_what_the_scenario_holds(ask: Ask) -> None:
    answer = ask("revisar", CHICA, "--con", X04)
    assert answer.exit_code == DONE
    for words in (
        "Noche chica de prueba",
        "Encima: X04",
        "del 03/06/2021 17:00 al 03/06/2021 21:00, UTC−5; 4 h",
        "captura estatal: 4 de 17:00 a 19:30, 4 de 19:00 al fin",
        "18:30, 60 min: X04: corte de luz en CATD",
        "ejercicio del plan en el distrito 2",
        "X04: hay CATD sin enlace: catd_sin_enlace a los 120 min, al menos 1",
        "Sin faltas.",
    ):
        assert words in answer.text
    data: dict[str, Any] = answer.data
    assert data["cumple"] is True
    assert data["encima"][0]["clave"] == "X04"
    assert data["actas"] == {"DIP_LOC": 69, "AYUN": 67}
    # Faults by time: what begins first is told first.
    assert [text[:5] for text in data["fallas"]] == sorted(text[:5] for text in data["fallas"])


def test_a_review_tells_every_fault_and_ends_with_no(ask: Ask, tmp_path: Path) -> None:
    overlay = tmp_path / "mala.toml"
    overlay.write_text("[prep_casilla]\nadopcion = 2.0\nrd = 1\n", encoding="utf-8")
    answer = ask("revisar", CHICA, "--con", overlay)
    assert answer.exit_code == ANSWER_IS_NO
    assert answer.text.splitlines()[0] == "2 faltas:"
    assert "mala.toml, línea 2, clave prep_casilla.adopcion" in answer.text
    assert "mala.toml, línea 3, clave prep_casilla.rd" in answer.text
    problems: Any = answer.data["problemas"]
    assert [one["linea"] for one in problems] == [2, 3]


def test_a_review_looks_into_the_catalogue_too(ask: Ask, tmp_path: Path) -> None:
    overlay = tmp_path / "mala.toml"
    overlay.write_text('[[falla_contienda]]\nnombre = "g"\ncontienda = "GUB"\na_los_min = 1\ndura_min = 9\n')
    answer = ask("revisar", CHICA, "--con", overlay)
    assert answer.exit_code == ANSWER_IS_NO
    assert "1 falta:" in answer.text and "línea 3" in answer.text and "«GUB»" in answer.text


def test_a_review_tells_a_wrong_name_among_the_other_faults(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "otra.toml"
    text = CHICA.read_text(encoding="utf-8").replace("adopcion = 0.3", "adopcion = 1.3")
    path.write_text(text, encoding="utf-8")
    answer = ask("revisar", path)
    assert answer.exit_code == ANSWER_IS_NO
    assert answer.text.startswith("2 faltas:")
    assert "prep_casilla.adopcion" in answer.text
    assert "se esperaba «otra», como el archivo; se encontró «chica»" in answer.text


def test_a_base_that_is_not_there_is_a_fault_of_the_scenario(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "uno.toml"
    path.write_text('base = "nada.toml"\nnombre = "uno"\n', encoding="utf-8")
    answer = ask("revisar", path)
    assert answer.exit_code == ANSWER_IS_NO
    assert "nada.toml: no existe" in answer.text


def test_a_review_of_nothing_is_bad_input(ask: Ask, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no existe"):
        ask("revisar", tmp_path / "nada.toml")


# -- the plan --------------------------------------------------------------------------------------


@pytest.fixture
def planned(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "plan.toml"
    path.write_text(
        '[plan]\nestimacion = "la segunda"\nactas_por_catd = { 0 = 40 }\n'
        "acopiadas_pct = { 120 = 50.0, 240 = 90.0 }\n",
        encoding="utf-8",
    )
    yield path


def test_the_plan_adds_up_to_the_catalogue(ask: Ask) -> None:
    data: Any = ask("plan", CHICA, "--semillas", "2").data
    assert (data["noches"], len(data["horas"]), len(data["catd"])) == (2, 4, 4)
    assert data["horas"][0] == "03/06 17:00"
    whole = sum(one["actas_del_catalogo"] for one in data["catd"])
    assert whole == 136
    came = sum(sum(one["por_hora"]) + one["despues_del_fin"] for one in data["catd"])
    never = sum(one["no_llegan"] for one in data["catd"])
    # Some actas come both by phone and in their envelope, and some only by phone.
    assert whole - sum(data["prep_casilla"]) <= came + never <= whole
    assert came > 100


def test_the_plan_is_set_beside_the_estimate(ask: Ask, planned: Path) -> None:
    answer = ask("plan", CHICA, "--con", planned)
    data: Any = answer.data
    assert data["catd"][0]["actas_del_plan"] == 40
    assert data["catd"][1]["actas_del_plan"] == data["catd"][1]["actas_del_catalogo"]
    compared = {one["minuto"]: one for one in data["acopiadas_pct"]}
    assert compared[120]["plan"] == 50.0
    assert 0 < compared[120]["escenario"] < compared[240]["escenario"] <= 100
    assert "Estimación del plan: la segunda" in answer.text
    assert "a los  120 min: plan  50.00" in answer.text


def test_the_plan_as_csv_has_a_row_per_catd(ask: Ask, planned: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(ask("plan", CHICA, "--con", planned, "--csv").text)))
    assert [row["CATD"] for row in rows] == ["0", "1", "2", "3"]
    assert rows[0]["ACTAS_PLAN"] == "40"
    assert all(float(row["03/06 18:00"]) > 0 for row in rows)


@pytest.mark.parametrize("number", ["0", "101"])
def test_the_plan_of_no_nights_or_too_many_is_refused(ask: Ask, number: str) -> None:
    with pytest.raises(UsageError, match="--semillas"):
        ask("plan", CHICA, "--semillas", number)


# -- a reader of the schema as small as the tests need -----------------------------------------------


def _header() -> dict[str, object]:
    return tomllib.loads(X04.read_text(encoding="utf-8"))["incidencia"]  # type: ignore[no-any-return]


def _leaves(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from _leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value)


def _misfits(document: dict[str, Any]) -> list[str]:
    """Keys the schema does not know, wrong kinds, values out of limits and obligatory keys not there."""
    schema = scenario_schema()
    found = _unfit(document, schema, schema["definitions"], "")
    condition = schema["if"]
    if "nombre" in document and "base" not in document:
        assert condition == {"required": ["nombre"], "not": {"required": ["base"]}}
        found += _unfit(document, schema["then"], schema["definitions"], "")
    return found


def _unfit(value: Any, node: dict[str, Any], definitions: dict[str, Any], place: str) -> list[str]:
    found: list[str] = []
    for part in (*node.get("allOf", ()), *([node] if "$ref" in node else ())):
        found += _unfit(value, definitions[part["$ref"].rpartition("/")[2]], definitions, place)
    kinds: dict[str, Any] = {
        "object": dict, "array": list, "integer": int, "number": (int, float), "boolean": bool,
    }  # fmt: skip
    kind = node.get("type")
    if kind in kinds and not isinstance(value, kinds[kind]):
        return [f"{place} no es {kind}"]
    if "enum" in node and value not in node["enum"]:
        found.append(f"{place} no es de la lista")
    if kind in ("integer", "number") and not node.get("minimum", value) <= value <= node.get(
        "maximum", value
    ):
        found.append(f"{place} fuera de límites")
    if isinstance(value, dict):
        inside = f"{place}." if place else ""
        found += [f"falta {inside}{name}" for name in node.get("required", ()) if name not in value]
        known, others = node.get("properties", {}), node.get("additionalProperties", True)
        for name, item in value.items():
            if name in known:
                found += _unfit(item, known[name], definitions, f"{inside}{name}")
            elif others is False:
                found.append(f"{inside}{name}")
    if isinstance(value, list) and "items" in node:
        for number, item in enumerate(value):
            found += _unfit(item, node["items"], definitions, f"{place}#{number}")
    return found
