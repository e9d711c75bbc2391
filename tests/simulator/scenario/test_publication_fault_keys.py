"""The keys of a fault that spoils what is published: what is accepted, refused, and said to people."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.scenario.file import ScenarioError, load_scenario, review_scenario
from simulator.scenario.words import summary_data
from tests.conftest import REPOSITORY
from tests.simulator.conftest import DATA

CHICA = DATA / "chica.toml"
FOLDER = REPOSITORY / "scenarios" / "incidencias"
HEAD = '[[falla_publicacion]]\nnombre = "f"\na_los_min = 30\ndura_min = 20\n'


def overlay(folder: Path, text: str) -> Path:
    path = folder / "encima.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("kind", "line", "column", "words"),
    [
        ("json_malformado", "parte = 0", "parte", "mayor que 0"),
        ("json_malformado", "parte = 1.5", "parte", "menor o igual que 1"),
        ("json_malformado", 'defecto = "roto"', "defecto", "«estructura», «truncado»"),
        ("json_malformado", "catd = [1]", "catd", "solo va con tipo «imagenes_faltantes»"),
        ("json_malformado", "atraso_min = 5", "atraso_min", "solo va con tipo «paquete_atrasado»"),
        ("paquete_atrasado", 'pieza = "todo"', "pieza", "«tablas», «comprimidos»"),
        ("paquete_atrasado", "parte = 0.5", "parte", "«json_malformado» o «imagenes_faltantes»"),
        ("imagenes_faltantes", 'defecto = "vacio"', "defecto", "solo va con tipo «json_malformado»"),
        ("cortes_detenidos", 'pieza = "tablas"', "pieza", "solo va con tipo «paquete_atrasado»"),
    ],
)
def test_a_key_that_is_wrong_or_of_another_kind_is_refused_with_its_line(
    tmp_path: Path, kind: str, line: str, column: str, words: str
) -> None:
    path = overlay(tmp_path, f'tipo = "{kind}"\n{line}\n')
    with pytest.raises(ScenarioError) as caught:
        load_scenario(CHICA, [path])
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (str(path), 6)
    assert str(problem.column).endswith(f".{column}")
    assert words in str(caught.value)


def test_a_catd_that_is_not_in_the_catalogue_is_refused_with_its_line(tmp_path: Path) -> None:
    path = overlay(tmp_path, 'tipo = "imagenes_faltantes"\ncatd = [0, 99]\n')
    with pytest.raises(ScenarioError, match="un CATD del catálogo") as caught:
        review_scenario(CHICA, [path])
    assert caught.value.problems[0].line == 6


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        (
            "x24",
            [
                "18:40, 60 min: X24: los JSON traen una estructura que no corresponde (archivos JSON mal "
                "formados, con una estructura que no corresponde, en 25 % de los nuevos de cada corte)"
            ],
        ),
        (
            "x25",
            [
                "18:00, 120 min: X25: no llegan las imágenes de las actas (imágenes que no llegan, 60 % de "
                "las actas)"
            ],
        ),
        (
            "x26",
            [
                "18:00, 40 min: X26: tablas de un corte anterior (tablas al menos 20 min antes)",
                "18:40, 20 min: X26: comprimidos de un corte anterior (comprimidos del corte anterior)",
                "19:00, 40 min: X26: la base se lee con atraso (lectura de la base del corte anterior)",
            ],
        ),
    ],
    ids=["x24", "x25", "x26"],
)
def test_what_is_spoiled_is_told_to_people(name: str, sentences: list[str]) -> None:
    (path,) = FOLDER.glob(f"{name}-*.toml")
    loaded, catalog = review_scenario(CHICA, [path])
    told = summary_data(loaded, catalog)["fallas"]
    assert isinstance(told, list)
    assert [one for one in told if name.upper() in one] == sentences


def test_the_catd_of_a_fault_are_told(tmp_path: Path) -> None:
    loaded, catalog = review_scenario(
        CHICA, [overlay(tmp_path, 'tipo = "imagenes_faltantes"\ncatd = [0, 1]\nparte = 0.5\n')]
    )
    told = summary_data(loaded, catalog)["fallas"]
    assert isinstance(told, list)
    assert "17:30, 20 min: f (imágenes que no llegan en los CATD 0, 1, 50 % de las actas)" in told
