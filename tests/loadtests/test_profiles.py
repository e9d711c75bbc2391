"""Profiles are data: those that come are valid, and each mistake is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError, UsageError
from loadtests import profile

GOOD = """\
formato = 1
nombre = "mio"
titulo = "Mío"
que_es = "Prueba."
objetivo = "portal"
usuarios = 10
duracion_s = 5

[[usuario]]
clase = "ciudadano"
peso = 1

[umbrales]
p95_max_ms = 250
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mio.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", profile.names())
def test_each_profile_that_comes_is_valid(name: str) -> None:
    found = profile.read(profile.find(name))
    assert found.name == name
    assert found.stages[-1].until_pct == 100


def test_the_shapes_the_office_needs_are_there() -> None:
    wanted = {"apertura", "noche-jalisco", "multitud-tamaulipas", "negacion", "corte", "muro", "ensayo"}
    assert wanted <= set(profile.names())


def test_what_is_not_written_has_its_value(tmp_path: Path) -> None:
    found = profile.read(written(tmp_path, GOOD))
    assert found.people[0].settings["sondeo_s"] == 30
    assert found.longest_poll_s == 36
    assert found.stages == (profile.Stage(100, 100, 5),)
    assert "p99_max_ms" not in found.thresholds, "a threshold nobody wrote is not judged"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('"ciudadano"', '"marciano"', 10, "ciudadano, difusor"),
        ("peso = 1", "peso = 1\nsondeos = 3", 12, "no se conoce"),
        ("peso = 1", 'peso = "uno"', 11, "un número entero"),
        ("peso = 1", "", 9, "peso"),
        ('objetivo = "portal"', 'objetivo = "sala"', 10, "alguien que use la sala"),
        ("p95_max_ms = 250", "p95_max_ms = 0", 14, "de 1 a 600000"),
        ("usuarios = 10", "usuarios = 0", 6, "de 1 a 1000000"),
        ('nombre = "mio"', 'nombre = "otro"', 2, "mio"),
        ("[umbrales]", "[umbrales", 13, "no es TOML"),
        (
            "[umbrales]",
            "[[tramo]]\nhasta_pct = 50\nusuarios_pct = 100\n\n[umbrales]",
            None,
            "hasta_pct = 100",
        ),
    ],
    ids=[
        "clase",
        "clave",
        "tipo",
        "sin_peso",
        "otro_objetivo",
        "umbral",
        "usuarios",
        "nombre",
        "toml",
        "tramos",
    ],
)
def test_a_mistake_is_told_with_its_file_its_line_and_what_was_expected(
    tmp_path: Path, old: str, new: str, line: int | None, said: str
) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(InputError) as caught:
        profile.read(written(tmp_path, GOOD.replace(old, new)))
    text = str(caught.value)
    assert "mio.toml" in text and said in text
    assert caught.value.line == line


def test_a_profile_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="noche-jalisco"):
        profile.find("no-hay")
