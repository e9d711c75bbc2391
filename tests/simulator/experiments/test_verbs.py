"""`prep dimensionar` and `prep experimento` as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import UsageError
from simulator.experiments.verb_size import parse_length
from tests.conftest import Prep
from tests.simulator.conftest import DATA

SMALL = DATA / "chica.toml"


def test_experimento_tells_the_bands_compares_and_writes_its_files(prep: Prep, tmp_path: Path) -> None:
    other = tmp_path / "menos.toml"
    text = SMALL.read_text(encoding="utf-8").replace('nombre = "chica"', 'nombre = "menos"')
    text = text.replace('catalogo = "catalogo"', f'catalogo = "{(DATA / "catalogo").as_posix()}"')
    other.write_text(text.replace("personas = 4", "personas = 1"), encoding="utf-8")
    done = prep(
        "experimento", SMALL, "--replicas", "12", "--procesos", "1", "--meta", "60", "--contra", other,
        "--salida", "e", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["replicas"] == 12
    assert len(set(answer["semillas"])) == 12 == len(set(answer["huellas"]))
    assert answer["comparacion"]["al_cierre_puntos"]["hasta"] < 0
    assert 0 <= answer["meta"]["intervalo"][0] <= answer["meta"]["probabilidad"] <= 1
    assert set(answer["tiempos"]) == {"50", "80", "95", "100"}
    written = {path.name for path in (tmp_path / "e").iterdir()}
    assert {"experimento.json", "experimento-curva.png", "analisis.html"} <= written
    assert "http" not in (tmp_path / "e" / "analisis.html").read_text(encoding="utf-8").replace(
        "http://www.w3.org", ""
    )


def test_dimensionar_answers_yes_with_a_number_and_no_with_the_most_there_is(
    prep: Prep, tmp_path: Path
) -> None:
    ask = ("dimensionar", SMALL, "--replicas", "8", "--procesos", "1", "--solo-capturistas")
    yes = prep(*ask, "--meta", "60", "--en", "4h", "--salida", "d", "--json")
    assert yes.returncode == 0, yes.stderr
    answer = json.loads(yes.stdout)
    assert answer["se_alcanza"]
    low, high = answer["capturistas"]["intervalo"]
    assert low <= answer["capturistas"]["nivel"] <= high
    assert (tmp_path / "d" / "dimensionar-probabilidad.png").is_file()
    no = prep(*ask, "--meta", "100", "--en", "90m")
    assert no.returncode == 1, no.stderr
    assert "Ninguna cantidad de capturistas" in no.stdout


@pytest.mark.parametrize(
    ("text", "minutes"), [("4h", 240), ("4h30m", 270), ("90m", 90), ("1.5h", 90), ("2H", 120)]
)
def test_a_length_is_read_as_people_write_it(text: str, minutes: int) -> None:
    assert parse_length(text) == minutes * 60_000


@pytest.mark.parametrize("text", ["", "h", "4", "-1h", "4h30", "27h", "0m"])
def test_a_length_that_is_not_one_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--en"):
        parse_length(text)


def test_impossible_numbers_are_refused_in_spanish(prep: Prep) -> None:
    for extra in (("--replicas", "1"), ("--confianza", "1"), ("--meta", "0"), ("--procesos", "0")):
        done = prep("dimensionar", SMALL, *extra)
        assert done.returncode == 2
        assert extra[0] in done.stderr
