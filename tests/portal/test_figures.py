"""What the portal says is what the CSV of the same cut says, added up apart from the publisher's code."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.portal.conftest import Served
from tests.portal.night import CUTS
from tests.portal.visitor import Visitor

Rows = list[dict[str, str]]


def percent(part: int, total: int) -> str:
    """Cut at the fourth decimal."""
    whole, rest = divmod(part * 1_000_000 // total, 10_000)
    return f"{whole}.{rest:04d} %"


def number(text: str) -> int:
    """A figure as it is read."""
    return int(text.replace(",", ""))


def read(folder: Path, contest: str, cut: int = CUTS) -> tuple[dict[str, str], Rows]:
    """The header and the rows of the CSV of a contest."""
    lines = (folder / f"cortes/{cut:04d}/JAL_{contest}_2021.csv").read_text("utf-8-sig").splitlines()
    header = dict(zip(lines[3].split(","), lines[4].split(","), strict=True))
    return header, [{k: v.strip("'") for k, v in row.items()} for row in csv.DictReader(lines[6:])]


@pytest.fixture(scope="module")
def visitor(browser: Browser, served: Served) -> Iterator[Visitor]:
    """One page for all: none of these tests changes anything."""
    with Visitor(browser, served.url) as one:
        yield one


@pytest.mark.parametrize("contest", ["DIP_LOC", "AYUN"])
def test_the_thirteen_counters_are_those_of_the_file(visitor: Visitor, served: Served, contest: str) -> None:
    header, _ = read(served.night.folder, contest)
    visitor.go(f"#/{contest}/estadistica")
    shown = [row[1] for row in visitor.table("Los trece contadores del encabezado")]
    asked = [f"{value} %" if "." in value else f"{int(value):,}" for value in header.values()]
    assert shown == asked and len(shown) == 13


def test_the_statistics_are_those_of_the_rows(visitor: Visitor, served: Served) -> None:
    _, rows = read(served.night.folder, "DIP_LOC")
    expected = [row for row in rows if row["CONTABILIZADA"] != "2"]
    taken = [row for row in expected if captured(row) and row["ORIGEN"] != "N/A"]
    visitor.go("#/DIP_LOC/estadistica")
    kinds = {"Básica": "B", "Contigua": "C", "Especial": "S", "Voto anticipado": "A"}
    for name, waited, _, counted, share in visitor.table("Tipos de casilla"):
        mine = [row for row in expected if row["TIPO_CASILLA"] == kinds[name]]
        sums = [row for row in mine if row["CONTABILIZADA"] == "1"]
        assert (number(waited), number(counted)) == (len(mine), len(sums))
        assert share == percent(len(sums), len(mine))
    origins = Counter((row["ORIGEN"], row["DIGITALIZACION"]) for row in taken)
    shown = visitor.table("Origen y digitalización de las actas capturadas")
    assert {(a, b): number(n) for a, b, n in shown} == origins


def test_votes_and_participation_are_the_sums_of_the_counted_rows(visitor: Visitor, served: Served) -> None:
    header, rows = read(served.night.folder, "DIP_LOC")
    counted = [row for row in rows if row["CONTABILIZADA"] == "1"]
    columns = [code for code in rows[0] if code in ("PAN", "PRI", "MC", "MORENA", "NULOS", "NO_REGISTRADAS")]
    names = {"NULOS": "Votos nulos", "NO_REGISTRADAS": "Candidaturas no registradas"}
    visitor.go("#/DIP_LOC")
    shown = visitor.table("Votos de las actas contabilizadas")
    for code in columns:
        votes = sum(int(row[code]) for row in counted if row[code].isdigit())
        found = next(row for row in shown if row[0].startswith(names.get(code, code)))
        assert number(found[1]) == votes
        assert found[2] == percent(votes, int(header["TOTAL_VOTOS_C_CS"]))
    by_place: dict[str, Rows] = defaultdict(list)
    for row in counted:
        by_place[row["DISTRITO_LOCAL"].capitalize()].append(row)
    visitor.go("#/DIP_LOC/participacion")
    for name, progress, total, share in visitor.table(
        "Participación en las actas contabilizadas por distrito"
    ):
        mine = next((found for place, found in by_place.items() if place == name.capitalize()), [])
        # Not the last cut: the especiales are out of the participation.
        plain = [row for row in mine if row["TIPO_CASILLA"] != "S"]
        assert progress.startswith(f"{len(mine)} de ")
        assert number(total) == sum(int(row["TOTAL_VOTOS_CALCULADO"]) for row in mine)
        listed = sum(int(row["LISTA_NOMINAL"]) for row in mine if row["LISTA_NOMINAL"].isdigit())
        assert share == percent(sum(int(row["TOTAL_VOTOS_CALCULADO"]) for row in plain), listed)


def test_what_is_missing_is_told_by_catd_by_section_and_outside_the_catalogue(
    visitor: Visitor, served: Served
) -> None:
    _, rows = read(served.night.folder, "AYUN")
    catalog = served.night.catalog
    outside = [row for row in rows if row["CONTABILIZADA"] == "2"]
    # Keys are shared where there is no section, so that rows and actas go together by their place.
    actas = list(catalog.actas_of("AYUN"))
    pairs = list(zip(actas, rows[: len(actas)], strict=True))
    assert all(acta.key == row["CLAVE_ACTA"] for acta, row in pairs)
    assert rows[len(actas) :] == outside
    visitor.go("#/AYUN/cobertura")
    for name, missing, _, _, empty in visitor.table("Actas que faltan por CATD, de más a menos"):
        mine = [row for acta, row in pairs if catalog.catds[catalog.casilla_of(acta).catd].name == name]
        assert number(missing) == sum(not captured(row) for row in mine), name
        assert number(empty) == sum(row["OBSERVACIONES"].startswith("SIN ACTA") for row in mine)
    sections = defaultdict(list)
    for acta, row in pairs:
        casilla = catalog.casilla_of(acta)
        sections[casilla.municipio, casilla.seccion].append(captured(row))
    lacking = sum(not any(found) for found in sections.values())
    assert f"De {lacking} secciones no ha llegado ningún acta" in visitor.text()
    assert len(visitor.table("Actas fuera de catálogo")) == len(outside) == 2
    assert visitor.page.get_by_role("button", name="Ver los 30").is_visible()
    first = visitor.page.locator("details", has_text="Municipio").first
    first.locator("summary").click()
    # What is inside is drawn when it opens.
    first.get_by_role("link").first.wait_for()


def captured(row: dict[str, str]) -> bool:
    """True for the row of an expected acta somebody captured or declared without acta."""
    return row["CONTABILIZADA"] in ("0", "1")


def test_inconsistencies_are_listed_one_by_one(visitor: Visitor, served: Served) -> None:
    header, rows = read(served.night.folder, "DIP_LOC")
    noted = [row for row in rows if captured(row) and row["OBSERVACIONES"].strip(" -")]
    text = visitor.go("#/DIP_LOC/inconsistencias")
    assert f"{header['PORCENTAJE_ACTAS_INCONSISTENCIAS']} %" in text
    listed = visitor.table("Actas con observaciones")
    assert [row[0] for row in listed] == [row["CLAVE_ACTA"] for row in noted]
    visitor.page.get_by_role("link", name=noted[0]["CLAVE_ACTA"]).click()
    visitor.until("el acta", lambda: "Datos capturados" in visitor.text())


def test_what_changed_is_what_two_files_differ_in(visitor: Visitor, served: Served) -> None:
    (_, old), (_, new) = (read(served.night.folder, "DIP_LOC", cut) for cut in (CUTS - 1, CUTS))
    fresh, corrected = set(), set()
    for was, row in zip(old, new, strict=True):
        if captured(row) and not captured(was):
            fresh.add(row["CLAVE_ACTA"])
        elif row != was:
            corrected.add(row["CLAVE_ACTA"])
    visitor.go(f"#/cambios/{CUTS}")
    named = visitor.table("Actas corregidas y retiradas")
    assert {row[0] for row in named} == corrected and corrected
    text = visitor.page.locator(".tarjeta").first.inner_text()
    assert f"Actas nuevas\n{len(fresh)}" in text and f"Actas corregidas\n{len(corrected)}" in text
    assert "Actas cotejadas, sin cambio en sus datos\n1" in text
    # The same, worked out by the browser place by place.
    links = visitor.page.locator(f"a[href^='#/cambios/{CUTS}/DIP_LOC/']")
    found = set()
    for address in [one.get_attribute("href") or "" for one in links.all()]:
        visitor.go(address)
        found |= {(row[0], row[3]) for row in visitor.table("Actas que cambiaron")}
    assert {key for key, what in found if what == "Corregida"} == corrected
    assert {key for key, what in found if what == "Nueva"} == fresh
    assert "Cotejada" in {what for _, what in found}


def test_the_status_says_the_witnesses_the_notice_and_the_log(visitor: Visitor, served: Served) -> None:
    pointer = json.loads((served.night.folder / "corte.json").read_text())
    text = visitor.go("#/estado")
    assert "1 de 2 testigos han confirmado la bitácora" in text
    assert pointer["bitacora"]["raiz"] in text
    assert visitor.table("Avisos, del último al primero")[0][1] == "Corte perdido"
