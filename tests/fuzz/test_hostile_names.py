"""Names made to be obeyed: a spreadsheet never takes them for a formula, nor a browser for markup."""

from __future__ import annotations

import ast
import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from core.catalogs import load_catalog
from core.catalogs.problems import CatalogError
from core.domain.catalog import Catalog, Territory
from core.domain.commands import Digitize, Medium, Origin, Receive
from core.domain.spreadsheet import is_formula, safe_cell, unfit
from core.domain.writable import unwritable
from core.portal.site import SiteOptions, build_site
from core.publication.xlsx import number_cell, text_cell
from tests import publication_sample
from tests.builders import small_catalog
from tests.conftest import REPOSITORY
from tests.core.catalogs.test_documented_example import documented_example
from tests.core.published.sample import clean
from tests.fuzz.places import prep
from tests.portal.conftest import serving
from tests.portal.visitor import Visitor
from tests.publication_sample import Night

FORMULAS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|'/C calc'!A0", "＝1+1", "\ufeff=1+1", "\xa0=1+1", "\u200b-x"),
    *("\N{MINUS SIGN}1+1", ' "=1+1"', 'Ana;=HYPERLINK("x")', "Ana, =1+1", "Ana|@x", "\u2800+x", "\ufe66x"),
)
MARKUP = "\"><img src=/hostil onerror='window.hostil=1'><script>window.hostil=2</script>{{7*7}}</title>"
CELLS = st.text(
    st.sampled_from(
        "=+-@\t\r\n＝ '\"0123456789aAñ;,|!<&\ufeff\u200b\xa0\u3000\u2212\ufe63\u2800\u3164\u0301"
    ),
    max_size=12,
)
NUMBER = re.compile(r"[+-][0-9]+([.,][0-9]+)?")


# -- spreadsheets ----------------------------------------------------------------------------------


def executed(cell: str) -> bool:
    """Whether the most obliging of spreadsheets would take a cell for a formula; written apart on purpose."""
    shown = "".join(
        one for one in cell if unicodedata.category(one)[0] not in "CZ" and one not in '"\u2800\u3164'
    )
    return shown[:1] in tuple("=+-@＝\u2212\ufe63") and len(shown) > 1 and not NUMBER.fullmatch(shown)


@given(CELLS)
def test_no_cell_of_an_export_is_obeyed_and_none_loses_its_text(text: str) -> None:
    cell = safe_cell(text)
    assert not is_formula(cell)
    assert cell.replace("'", "") == text.replace("'", "")
    assert is_formula(text) or cell == text


@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=3), st.sampled_from(",;\t"))
def test_an_export_is_not_obeyed_either_where_the_separator_is_another(
    rows: list[list[str]], separator: str
) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerows(["1", *map(safe_cell, row)] for row in rows)
    read = csv.reader(io.StringIO(stream.getvalue(), newline=""), delimiter=separator)
    cells = [cell for row in read for cell in row]
    # The first column is always a number of ours: no row begins with what somebody wrote.
    assert [cell for cell in cells if executed(cell)] == []


@pytest.mark.parametrize(
    "name",
    ["José Ñandú", "-", "+", "–", "Calle 5, 2-B", "-5", "A; B", "CATD 1 - Centro", "(=)", "N/A", "«=1»"],
)
def test_an_ordinary_name_is_left_alone(name: str) -> None:
    assert (unfit(name), safe_cell(name)) == (None, name)


WRITERS = {
    "control_room.web.bitacora": "celda",
    "core.operations.event_log": "celda",
    "simulator.night.score": "celda",
    "simulator.scenario.verb": "celda",
    "core.catalogs.writer": "nombres",
    "core.publication.candidaturas": "nombres",
    "core.publication.results_csv": "nombres",
    "core.publication.summary_xlsx": "libro",
    "core.publication.xlsx": "libro",
    "core.published.render": "nadie: rehace en memoria, byte por byte, lo que se leyó; no escribe archivos",
    "control_room.territory.tile_layout": "nadie: hace un archivo del programa, a mano",
}
"""Every module that writes tables: its cells go through `safe_cell`, or hold names that were looked at where
they entered (catalogues and commands), or are typed cells of a workbook."""
WRITES = {"writer", "DictWriter", "Workbook", "to_csv", "to_excel", "write_row_csv"}


def test_every_module_that_writes_a_table_says_why_nothing_in_it_is_obeyed() -> None:
    found = {"core.publication.results_csv", "core.publication.xlsx"}  # These put the separators themselves.
    safe = set()
    for package in ("core", "control_room", "simulator", "loadtests"):
        for path in (REPOSITORY / package).rglob("*.py"):
            text = path.read_text("utf-8")
            if not any(word in text for word in (*WRITES, "safe_cell")):
                continue
            nodes = list(ast.walk(ast.parse(text)))
            module = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
            calls = [one.func for one in nodes if isinstance(one, ast.Call)]
            names = [one.attr for one in calls if isinstance(one, ast.Attribute)]
            if WRITES & set(names) or any(isinstance(one, ast.Name) and one.id in WRITES for one in calls):
                found.add(module)
            if any(isinstance(one, ast.Name) and one.id == "safe_cell" for one in calls):
                safe.add(module)
    assert found == WRITERS.keys()
    assert safe == {module for module, how in WRITERS.items() if how == "celda"}


@given(CELLS)
def test_no_cell_of_a_workbook_is_a_formula_whatever_its_text(text: str) -> None:
    for made in (text_cell(text), number_cell(text)):
        cell = ElementTree.fromstring(made)
        assert {one.tag for one in cell.iter()} <= {"c", "v", "is", "t"}


@pytest.mark.parametrize("name", FORMULAS[::3], ids=range(len(FORMULAS[::3])))
@pytest.mark.parametrize(
    ("file", "good"),
    [
        ("distritos.csv", "DISTRITO 01"),
        ("municipios.csv", "Guadalajara"),
        ("catds.csv", "CATD Guadalajara"),
        ("candidaturas.csv", "Persona Tres"),
        ("catalogo.toml", "MUNÍCIPES"),
        ("catalogo.toml", "Candidatura independiente 1"),
        ("catalogo.toml", "Partido Rojo"),
        ("catalogo.toml", "Elección de ejemplo"),
    ],
    ids=["distrito", "municipio", "catd", "candidatura", "contienda", "independiente", "partido", "eleccion"],
)
def test_a_catalogue_with_a_name_that_is_a_formula_is_refused_with_its_place(
    tmp_path: Path, file: str, good: str, name: str
) -> None:
    folder = documented_example(REPOSITORY, tmp_path / "catalogo")
    path = folder / file
    text = path.read_text("utf-8")
    assert text.count(good) == 1
    written = name.replace('"', '""' if file.endswith(".csv") else '\\"')
    if file.endswith(".csv"):
        written = f'"{written}"'
    path.write_text(text.replace(good, written), encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        load_catalog(folder)
    assert str(path) in str(caught.value)
    assert "hoja de cálculo" in str(caught.value)
    assert caught.value.line == text[: text.index(good)].count("\n") + 1


def test_a_published_file_whose_names_are_formulas_is_not_imported(tmp_path: Path) -> None:
    made = clean()
    for row in made.rows:
        row["DISTRITO"] = "=1+1" if row["DISTRITO"] == "XICOTEPEC" else row["DISTRITO"]
    path = made.write(tmp_path)
    told = prep("catalogo", "importar", str(path), "--salida", str(tmp_path / "catalogo"))
    assert told.code == 2
    assert "columna DISTRITO" in told.text and "hoja de cálculo" in told.text
    assert not (tmp_path / "catalogo").exists()


def test_a_command_whose_text_would_be_published_as_a_formula_is_refused() -> None:
    common: dict[str, Any] = {"key": "k", "actor": "a", "station": "e", "at": 1, "acta": 0}
    image: dict[str, Any] = {"image_hash": "a" * 64, "medium": Medium.ESCANER}
    assert unwritable(Digitize(document="ACTA PREP", **image, **common)) is None
    assert unwritable(Receive(origin=Origin.CATD, mechanism="F", **common)) is None
    for text in (*FORMULAS, "\x1b[2J"):
        assert unwritable(Digitize(document=text, **image, **common)) is not None
    for text in ("=1+1", "+1+1", "\ufeff=1", "\xa0@x"):
        assert unwritable(Receive(origin=Origin.CATD, mechanism=text, **common)) is not None


# -- browsers --------------------------------------------------------------------------------------


def hostile_catalog() -> Catalog:
    """A catalogue whose every name is markup."""
    made = small_catalog(distritos=2, municipios=2, secciones=4, casillas=1)

    def named(places: dict[int, Territory]) -> dict[int, Territory]:
        return {number: Territory(number, f"{number} {MARKUP}") for number in places}

    contests = {
        code: replace(
            one,
            name=f"{code} {MARKUP}",
            columns=tuple(replace(column, name=f"{column.code} {MARKUP}") for column in one.columns),
        )
        for code, one in made.contests.items()
    }
    return replace(
        made,
        entidad=replace(made.entidad, name=MARKUP),
        election=f"Proceso {MARKUP}",
        distritos=named(made.distritos),
        municipios=named(made.municipios),
        contests=contests,
        catds=[replace(one, name=f"{one.id} {MARKUP}") for one in made.catds],
    )


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """Its night: one cut, pages, and difusores that are a script."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publication_sample, "sample_catalog", hostile_catalog)
        made = Night(tmp_path_factory.mktemp("hostil"))
    for acta in range(6):
        made.acta(acta)
    assert made.cut().refused is None
    options = SiteOptions(difusores=((MARKUP, "https://diario.example/"),), poll_ms=200, wait_ms=100)
    build_site(made.folder, mode="simulacro", place=MARKUP, election=MARKUP, options=options)
    yield made
    made.close()


def test_markup_in_every_name_is_shown_by_the_portal_and_never_obeyed(night: Night, browser: Browser) -> None:
    contest = next(iter(night.catalog.contests))
    with serving(night.folder) as url:
        visitor = Visitor(browser, url)
        page = visitor.page
        page.evaluate(
            "() => document.addEventListener("
            "'securitypolicyviolation', one => (window.violado = one.blockedURI))"
        )
        for address in (
            "#/",
            f"#/{contest}",
            f"#/{contest}/cobertura",
            f"#/{contest}/partidos",
            f"#/{contest}/t/1",
            "#/base",
            "#/historia",
            "#/difusores",
            "#/estado",
            "#/aviso",
            "#/ayuda",
            "#/buscar/<img src=hostil onerror=window.hostil=3>",
            "#/<script>window.hostil=4</script>/t/1",
        ):
            page.evaluate("where => { location.hash = where; }", address)
            page.wait_for_timeout(150)
            seen = page.evaluate(
                "() => [window.hostil, window.violado,"
                " document.querySelectorAll('img[src*=hostil], main script').length]"
            )
            assert seen == [None, None, 0], address
        page.evaluate("where => { location.hash = where; }", f"#/{contest}")
        page.get_by_text("onerror=").first.wait_for()
        assert not [one for one in visitor.asked if "hostil" in one.split("#")[0]]
        visitor.context.close()


def test_the_files_of_that_night_keep_the_names_and_hold_no_formula(night: Night) -> None:
    for archive in night.folder.glob("cortes/0001/*.zip"):
        with zipfile.ZipFile(archive) as package:
            for name in package.namelist():
                data = package.read(name)
                if name.endswith(".xlsx"):
                    with zipfile.ZipFile(io.BytesIO(data)) as book:
                        sheets = [
                            book.read(one) for one in book.namelist() if one.startswith("xl/worksheets/")
                        ]
                    assert sheets
                    assert not any(b"<f>" in one or b"<f " in one or b"<script" in one for one in sheets), (
                        name
                    )
                elif name.endswith(".csv"):
                    rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
                    cells = (cell for row in rows for cell in row if not cell.startswith('="'))
                    assert [one for one in cells if is_formula(one)] == [], name
