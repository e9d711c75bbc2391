"""A scenario is read whole or refused, and every fault is told with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import InputError
from simulator.scenario.file import ScenarioError, load_scenario, open_scenario_catalog, review_scenario
from tests.simulator.conftest import DATA

GOOD = (DATA / "chica.toml").read_text(encoding="utf-8")
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes chica.toml with one text replaced by another, beside its catalogue."""
    (tmp_path / "catalogo").symlink_to(DATA / "catalogo")

    def go(old: str, new: str, name: str = "chica") -> Path:
        assert old in GOOD
        path = tmp_path / f"{name}.toml"
        path.write_text(GOOD.replace(old, new), encoding="utf-8")
        return path

    return go


def line_of(path: Path, text: str) -> int:
    return path.read_text(encoding="utf-8").splitlines().index(text) + 1


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("adopcion = 0.3", "adopcin = 0.3", "prep_casilla.adopcin", "no se conoce"),
        ("adopcion = 0.3", "adopcion = 1.3", "prep_casilla.adopcion", "menor o igual que 1"),
        ("adopcion = 0.3", 'adopcion = "mucha"', "prep_casilla.adopcion", "un número"),
        ("resolutores = 2", "resolutores = 2.5", "personal.resolutores", "un número entero"),
        ("cortes_por_hora = 3", "cortes_por_hora = 2", "calendario.cortes_por_hora", "mayor o igual que 3"),
        ('tipo = "intermitente"', 'tipo = "lento"', "falla_enlace#2.tipo", "«sin_enlace», «intermitente»"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_refused_with_its_line(write: Write, old: str, new: str, key: str, words: str) -> None:
    path = write(old, new)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert caught.value.line == line_of(path, new)
    assert caught.value.column == key
    assert words in str(caught.value)


def test_every_fault_is_told_at_once(write: Write) -> None:
    path = write("[personal]\nactas_por_acopiador = 20", "[personal]\nactas_por_acopiador = 0\nx = 1")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert len(caught.value.problems) == 2


def test_a_missing_key_is_told_in_its_table(write: Write) -> None:
    path = write("conteo_base_min = 20\n", "")
    with pytest.raises(ScenarioError, match="falta esta clave") as caught:
        load_scenario(path)
    assert caught.value.line == line_of(path, "[llegadas]")


def test_what_is_not_toml_is_told_with_its_line(write: Write) -> None:
    path = write("adopcion = 0.3", "adopcion = ")
    with pytest.raises(ScenarioError, match="no es TOML") as caught:
        load_scenario(path)
    assert caught.value.line == line_of(path, "adopcion = ")
    assert caught.value.column == 12


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a = nada\n", 1, "falta el valor"),
        ("a = 1\na = 2\n", 2, "la clave ya se había escrito"),
        ("[a]\n[a]\n", 2, "la tabla ya se había escrito"),
        ("a\n", 1, "se esperaba ="),
        ('a = "abierto\n', 1, "no se admite"),
        ("a = [1,\n2\n", 2, "no se cierra"),
        ("a = 1 2\n", 1, "sobra algo"),
    ],
)
def test_what_is_not_toml_is_told_in_spanish(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "mala.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert caught.value.line == line
    assert caught.value.reason.startswith("no es TOML válido")
    assert words in caught.value.reason


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("inicio = 2021-06-03T17:00:00-05:00", "inicio = 2021-06-03T17:00:00", "diferencia con UTC"),
        ("fin = 2021-06-03T21:00:00-05:00", "fin = 2021-06-03T16:00:00-05:00", "posterior a inicio"),
        ("fin = 2021-06-03T21:00:00-05:00", "fin = 2021-06-03T21:00:00-06:00", "misma diferencia"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(write: Write, old: str, new: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        load_scenario(write(old, new))


def test_a_name_that_is_not_the_file_s_is_refused(write: Write) -> None:
    with pytest.raises(InputError, match="otra"):
        load_scenario(write('nombre = "chica"', 'nombre = "chica"', "otra"))


@pytest.mark.parametrize(
    ("old", "new", "others"),
    [
        ("adopcion = 0.3", "adopcion = 1.3", ["prep_casilla.adopcion"]),
        ("distritos = [2]", "distritos = [2, 9]", ["continuidad.ejercicios#1.distritos"]),
        ('catalogo = "catalogo"', 'catalogo = "otro"', [None]),
        ('nombre = "chica"', 'nombre = "chica"', []),
    ],
)
def test_a_wrong_name_is_told_with_the_other_faults(
    write: Write, old: str, new: str, others: list[str | None]
) -> None:
    with pytest.raises(ScenarioError) as caught:
        review_scenario(write(old, new, "otra"))
    assert sorted(str(one.column) for one in caught.value.problems) == sorted(map(str, ["nombre", *others]))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no existe"):
        load_scenario(tmp_path / "nada.toml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("distritos = [2]", "distritos = [2, 9]", "un distrito del catálogo.*«9»"),
        ("zona_metropolitana = [1]", "zona_metropolitana = [77]", "un municipio del catálogo.*«77»"),
        ("AYUN = 0.08", "GUB = 0.08", "una contienda.*«GUB»"),
        ("AZUL = 35.0", "GRIS = 35.0", "un contendiente.*«GRIS»"),
        ('catalogo = "catalogo"', 'catalogo = "otro"', "no hay tal catálogo"),
    ],
)
def test_what_the_catalogue_does_not_have_is_refused(write: Write, old: str, new: str, words: str) -> None:
    loaded = load_scenario(write(old, new))
    with pytest.raises(InputError, match=words):
        open_scenario_catalog(loaded)


def test_the_content_hash_ignores_comments_and_order_but_not_values(write: Write) -> None:
    known = load_scenario(DATA / "chica.toml").sha256
    commented = write(
        "[prep_casilla]\nadopcion = 0.3\nreescaneo = 0.5",
        "[prep_casilla] # x\nreescaneo = 0.5\nadopcion = 0.3",
    )
    assert load_scenario(commented).sha256 == known
    assert load_scenario(write("adopcion = 0.3", "adopcion = 0.31")).sha256 != known
