"""Several files make one scenario, and every fault is still told with its own file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import InputError
from simulator.scenario.file import ScenarioError, load_scenario, open_scenario_catalog
from simulator.scenario.overlays import read_incident
from tests.simulator.conftest import DATA

CHICA = DATA / "chica.toml"
HEADER = """[incidencia]
clave = "X99"
titulo = "Prueba"
que_paso = "nada"
efecto = "nada"
detectar = "nada"
reaccionar = "nada"
fuente = "ninguna"
"""
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file by name and text in a folder of its own."""

    def go(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return go


def line_of(path: Path, text: str) -> int:
    return path.read_text(encoding="utf-8").splitlines().index(text) + 1


def test_tables_merge_values_replace_and_lists_of_tables_grow(write: Write) -> None:
    overlay = write(
        "encima.toml",
        "[prep_casilla]\nadopcion = 0.9\n\n[sobres]\nsin_sobre = { AYUN = 0.5 }\n\n[[falla_enlace]]\n"
        'tipo = "latencia"\nnombre = "Lento"\na_los_min = 5\ndura_min = 10\n',
    )
    base, composed = load_scenario(CHICA).scenario, load_scenario(CHICA, [overlay]).scenario
    assert composed.phone.adoption == 0.9
    assert composed.phone.rescanned == base.phone.rescanned == 0.5
    assert composed.envelopes.without_envelope == {"DIP_LOC": 0.05, "AYUN": 0.5}
    assert composed.link_faults[:-1] == base.link_faults
    assert composed.link_faults[-1].name == "Lento"
    assert composed.staff == base.staff


def test_an_empty_list_takes_the_tables_below_away(write: Write) -> None:
    overlay = write("encima.toml", "falla_enlace = []\nzona_metropolitana = [2]\n")
    composed = load_scenario(CHICA, [overlay]).scenario
    assert composed.link_faults == ()
    assert composed.metropolitan == (2,)


def test_the_last_overlay_has_the_last_word_and_all_are_remembered(write: Write) -> None:
    one = write("uno.toml", HEADER + "\n[prep_casilla]\nadopcion = 0.1\n")
    two = write("dos.toml", "[prep_casilla]\nadopcion = 0.2\n")
    loaded = load_scenario(CHICA, [one, two])
    assert loaded.scenario.phone.adoption == 0.2
    assert [(o.path, o.header.code if o.header else None) for o in loaded.overlays] == [
        (one, "X99"),
        (two, None),
    ]
    assert load_scenario(CHICA, [two, one]).scenario.phone.adoption == 0.1


def test_the_content_hash_is_of_the_composition(write: Write) -> None:
    changes = write("cambia.toml", "[prep_casilla]\nadopcion = 0.1\n")
    says_the_same = write("igual.toml", "[prep_casilla]\nadopcion = 0.3\n")
    known = load_scenario(CHICA).sha256
    assert load_scenario(CHICA, [changes]).sha256 != known
    assert load_scenario(CHICA, [says_the_same]).sha256 == known


def test_a_fault_of_an_overlay_is_told_with_its_own_file_and_line(write: Write) -> None:
    overlay = write(
        "mala.toml", '# nada\n\n[[falla_enlace]]\ntipo = "latencia"\nnombre = "L"\ndura_min = 0\n'
    )
    with pytest.raises(ScenarioError) as caught:
        load_scenario(CHICA, [overlay])
    wrong = {(Path(one.file).name, one.line, one.column) for one in caught.value.problems}
    # chica.toml has two link faults of its own: this one is the third of the composition.
    assert ("mala.toml", 6, "falla_enlace#3.dura_min") in wrong


def test_what_an_overlay_breaks_between_keys_is_told_where_it_was_written(write: Write) -> None:
    overlay = write("mala.toml", "\n[calendario]\nfin = 2021-06-03T16:00:00-05:00\n")
    with pytest.raises(ScenarioError, match="posterior a inicio") as caught:
        load_scenario(CHICA, [overlay])
    assert (Path(caught.value.file).name, caught.value.line) == ("mala.toml", 2)


def test_what_the_catalogue_does_not_have_is_told_in_the_overlay(write: Write) -> None:
    overlay = write(
        "mala.toml",
        '[[falla_electrica]]\nnombre = "L"\na_los_min = 1\ndura_min = 5\ncatd = [0, 77]\n\n'
        '[captura_errores]\ncolumnas_cambiadas = { AYUN = ["ROJO", "MORADO"] }\n',
    )
    with pytest.raises(ScenarioError) as caught:
        open_scenario_catalog(load_scenario(CHICA, [overlay]))
    assert [(Path(one.file).name, one.line, one.found) for one in caught.value.problems] == [
        ("mala.toml", 5, "77"),
        ("mala.toml", 8, "MORADO"),
    ]


@pytest.mark.parametrize(
    "key", ['nombre = "otra"', 'catalogo = "jalisco-2021"', "formato = 1", 'base = "x.toml"']
)
def test_an_overlay_may_not_say_which_night_it_is(write: Write, key: str) -> None:
    with pytest.raises(ScenarioError, match="no puede cambiarla") as caught:
        load_scenario(CHICA, [write("mala.toml", f"\n{key}\n")])
    assert caught.value.line == 2


def test_an_overlay_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nada\.toml: no existe"):
        load_scenario(CHICA, [tmp_path / "nada.toml"])


def test_an_incident_alone_is_not_a_scenario(write: Write) -> None:
    with pytest.raises(ScenarioError, match="va encima de un escenario") as caught:
        load_scenario(write("x99.toml", HEADER))
    assert len(caught.value.problems) == 1
    assert caught.value.line == 1


def test_a_header_with_a_key_of_more_or_of_less_is_refused(write: Write) -> None:
    more = write("mas.toml", HEADER + 'culpable = "nadie"\n')
    with pytest.raises(InputError, match=r"incidencia\.culpable"):
        load_scenario(CHICA, [more])
    less = write("menos.toml", HEADER.replace('fuente = "ninguna"\n', ""))
    with pytest.raises(InputError, match=r"incidencia\.fuente"):
        read_incident(less)
    with pytest.raises(InputError, match=r"falta la tabla \[incidencia\]"):
        read_incident(write("nada.toml", "[prep_casilla]\nadopcion = 0.1\n"))


# -- one document on another ---------------------------------------------------------------------


def test_a_document_stands_on_its_base_and_has_the_last_word(write: Write) -> None:
    (write("x.toml", "").parent / "catalogo").symlink_to(DATA / "catalogo")
    write("chica.toml", CHICA.read_text(encoding="utf-8"))
    write("encima.toml", "[prep_casilla]\nadopcion = 0.1\nexito = 0.5\n")
    own = write(
        "propia.toml",
        'base = "chica.toml"\ncon = ["encima.toml"]\nnombre = "propia"\n\n[prep_casilla]\nadopcion = 0.7\n',
    )
    loaded = load_scenario(own)
    assert loaded.scenario.name == "propia"
    assert (loaded.scenario.phone.adoption, loaded.scenario.phone.success) == (0.7, 0.5)
    assert loaded.scenario.phone.rescanned == 0.5
    assert [overlay.path.name for overlay in loaded.overlays] == ["encima.toml"]
    assert open_scenario_catalog(loaded).contests


def test_the_catalogue_is_looked_for_beside_the_file_that_names_it(write: Write, tmp_path: Path) -> None:
    own = write("propia.toml", f'base = "{CHICA}"\nnombre = "propia"\n')
    assert not (tmp_path / "catalogo").exists()
    assert len(open_scenario_catalog(load_scenario(own)).catds) == 4


def test_a_fault_of_the_base_is_told_in_the_base(write: Write) -> None:
    text = CHICA.read_text(encoding="utf-8").replace("resolutores = 2", "resolutores = -2")
    base = write("chica.toml", text)
    own = write("propia.toml", 'base = "chica.toml"\nnombre = "propia"\n\n[personal]\nausencia = 0.1\n')
    with pytest.raises(ScenarioError) as caught:
        load_scenario(own)
    assert (Path(caught.value.file).name, caught.value.line) == (
        "chica.toml",
        line_of(base, "resolutores = -2"),
    )


def test_a_base_that_comes_back_to_itself_is_refused(write: Write) -> None:
    write("dos.toml", 'base = "uno.toml"\nnombre = "dos"\n')
    with pytest.raises(ScenarioError, match="vuelve a este mismo escenario"):
        load_scenario(write("uno.toml", 'base = "dos.toml"\nnombre = "uno"\n'))


def test_a_base_that_is_not_there_is_told(write: Write) -> None:
    with pytest.raises(ScenarioError, match="no existe"):
        load_scenario(write("uno.toml", 'base = "nada.toml"\nnombre = "uno"\n'))


@pytest.mark.parametrize(
    ("key", "words"), [("base = 3", "la ruta de otro"), ('con = "x.toml"', "una lista de rutas")]
)
def test_base_and_con_are_paths(write: Write, key: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        load_scenario(write("uno.toml", f'{key}\nnombre = "uno"\n'))
