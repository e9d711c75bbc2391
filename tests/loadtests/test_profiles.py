"""Profiles are data: those that come are valid, and each mistake is told with its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import InputError, UsageError
from loadtests import profile
from loadtests.judging.kinds import GROUPS

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


def test_a_limit_of_a_kind_of_request_counts_its_size_and_the_last_one_written_holds(tmp_path: Path) -> None:
    asked = """
[[umbrales.por_peticion]]
nombres = ["descargas", "página"]
p95_max_ms = 250
mbit_min = 20

[[umbrales.por_peticion]]
nombres = ["base de datos"]
p99_max_ms = 3000
"""
    found = profile.read(written(tmp_path, GOOD + asked)).per_request
    assert found["base de datos"] == profile.Limit(None, 3000)
    assert found["paquete de difusores"] == found["página"] == profile.Limit(250, None, 20)
    assert found["página"].allowed(250, 2_000_000) == 1050
    assert "corte.json" not in found


def test_every_small_request_of_the_rehearsal_has_the_limit_of_the_whole() -> None:
    found = profile.read(profile.find("ensayo"))
    assert {found.per_request[name].p95_ms for name in GROUPS["pequeñas"]} == {250}
    assert found.thresholds["p95_max_ms"] == 250


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('"ciudadano"', '"marciano"', 10, "ciudadano, difusor"),
        ("peso = 1", "peso = 1\nsondeos = 3", 12, "no se conoce"),
        ("peso = 1", 'peso = "uno"', 11, "un número entero"),
        ("peso = 1", "", 9, "peso"),
        ('objetivo = "portal"', 'objetivo = "sala"', 10, "alguien que use la sala"),
        ("p95_max_ms = 250", "p95_max_ms = 0", 14, "de 1 a 600000"),
        ("p95_max_ms = 250", "cortes_vistos_min_pct = 100", None, "cortes_min"),
        ("[umbrales]", "[abuso]\nclientes = 1\n\n[umbrales]", None, "abuso_min"),
        (
            "p95_max_ms = 250",
            '[[umbrales.por_peticion]]\nnombres = ["portada"]\np95_max_ms = 1',
            15,
            "pequeñas, descargas",
        ),
        ("p95_max_ms = 250", '[[umbrales.por_peticion]]\nnombres = ["página"]', 14, "p95_max_ms"),
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
        "sin_cortes_min",
        "sin_abuso_min",
        "peticion",
        "peticion_sin_limite",
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


DOC = Path(__file__).parents[2] / "docs" / "carga.md"
POLL = ("sondeo_s", "variacion_pct")


def documented() -> dict[tuple[str, str], tuple[str, str]]:
    """The table of the keys of a profile: range and value by table and key."""
    section = DOC.read_text(encoding="utf-8").split("\n### Escribir un perfil\n")[1].split("\n##")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    assert all(len(cells) == 5 and cells[4] for cells in lines)
    return {
        (where.replace("`", ""), key.strip("`")): (span, usual) for where, key, span, usual, _ in lines
    }  # fmt: skip


def wanted() -> dict[tuple[str, str], tuple[str, str]]:
    """What it must say, of the tables that read a profile."""
    found: dict[tuple[str, str], tuple[str, str]] = {}

    def add(where: str, keys: Mapping[str, profile.Key], unwritten: str | None = None) -> None:
        for name, key in keys.items():
            usual = "obligatoria" if key.default is None else f"{key.default:,}"
            if unwritten is not None and name != "margen_corte_s":
                usual = "no se suma nada" if name == "mbit_min" else unwritten
            found[where, name] = f"{key.least:,} a {key.most:,}", usual

    add("raíz", profile.WHOLE)
    add("[[usuario]]", profile.WHO)
    for kind, (_, keys) in profile.PEOPLE.items():
        polls = {name: key for name, key in keys.items() if name in POLL}
        add("ciudadano, difusor, medio", polls)
        add(kind, {name: key for name, key in keys.items() if name not in POLL})
    add("[[tramo]]", profile.STAGE)
    add("[umbrales]", profile.THRESHOLDS, "no se juzga")
    add("[[umbrales.por_peticion]]", profile.PER_REQUEST, "no se juzga")
    add("[validez]", profile.VALIDITY)
    add("[abuso]", profile.ABUSE)
    add("[escala]", profile.SCALE)
    return found


def test_every_key_of_a_profile_is_documented_with_its_range() -> None:
    assert documented() == wanted()


def test_the_classes_of_people_and_the_profiles_that_come_are_documented() -> None:
    text = DOC.read_text(encoding="utf-8")
    assert all(f"\n| `{name}` |" in text for name in (*profile.PEOPLE, *profile.names()))
