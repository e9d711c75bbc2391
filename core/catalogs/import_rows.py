"""The rows of a published file read as what they say of the catalogue.

One row in catalogue is one expected acta. Contiguas numbered 10 and up that a publisher wrote as
C01 get their number back from their order in the section, each change listed as a `Repair`. Nothing
here looks at votes or times, nor joins files.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from core.catalogs.problems import Problems
from core.domain.catalog import CASILLA_TYPES, WITHOUT_SECTION, Scope
from core.domain.spreadsheet import unfit
from core.foreign_text import whole_of
from core.published.layout import wrap, wrapper_of
from core.published.reader import PublishedFile, unwrap

SCOPES = {
    "GUB": Scope.ENTIDAD,
    "PRES": Scope.ENTIDAD,
    "SEN": Scope.ENTIDAD,
    "DIP_LOC": Scope.DISTRITO,
    "DIP_FED": Scope.DISTRITO,
    "AYUN": Scope.MUNICIPIO,
}
"""Where each contest a reader can tell is decided."""

OUT_OF_CATALOGUE = "2"
"""CONTABILIZADA of a row fuera de catálogo; UBICACION_CASILLA says 3."""

CAPTURED = frozenset({"0", "1"})
"""CONTABILIZADA of a row that was captured, sin acta included."""

LONG_CONTIGUA = "contigua 10 o mayor escrita como C01"

_LAST_TWO_DIGIT = 9
NOT_THERE = frozenset({"", "-", "N/A"})


@dataclass(frozen=True, slots=True)
class Repair:
    """A cell whose published value the catalogue does not take. Both values are as written in a file."""

    file: str
    row_line: int
    column: str
    official: str
    own: str
    reason: str


@dataclass(slots=True)
class CatalogueRow:
    """What a row in catalogue says of its acta, keys already repaired."""

    line: int
    position: int
    key: str
    acta_key: str
    tipo_acta: str
    seccion: int | None
    tipo: str
    numero: int
    ext: int
    ubicacion: int
    lista_nominal: int
    representantes: int | None
    territory: int | None
    ordinal: int


_TEXTS = ("CLAVE_CASILLA", "CLAVE_ACTA", "TIPO_ACTA", "ENTIDAD", "DISTRITO", "MUNICIPIO")
"""Texts of a row that the catalogue keeps, and a publication would repeat."""


def territory_column_of(file: PublishedFile) -> str:
    return "ID_MUNICIPIO" if SCOPES[file.contest] is Scope.MUNICIPIO else "ID_DISTRITO"


def whole(cell: str) -> int | None:
    """The whole number in a cell, its wrapper off; None where the cell says there is none or is no number."""
    return whole_of(unwrap(cell))


def outside(file: PublishedFile, row: list[str]) -> bool:
    return (
        unwrap(file.cell(row, "CONTABILIZADA")) == OUT_OF_CATALOGUE
        or file.cell(row, "UBICACION_CASILLA").strip() == "3"
        or unwrap(file.cell(row, "CLAVE_CASILLA")) in NOT_THERE
    )


def read_rows(file: PublishedFile, problems: Problems, repairs: list[Repair]) -> list[CatalogueRow]:
    """Rows in catalogue, with the number of long contiguas rebuilt from their order in the section."""
    result: list[CatalogueRow] = []
    times_seen: Counter[tuple[object, ...]] = Counter()
    last_contigua: dict[tuple[int | None, str], int] = {}
    territory_column = territory_column_of(file)
    for position, (row, line) in enumerate(zip(file.rows, file.row_lines, strict=True)):
        if outside(file, row):
            continue
        item = _read_row(file, row, line, position, territory_column, problems)
        if item is None:
            continue
        if item.tipo == "C" and item.ext == 0:
            series = (item.seccion, item.tipo_acta)
            last = last_contigua.get(series, 0)
            # C01 again after C09 is the tenth: the publisher kept one digit of the number.
            if item.numero == 1 and last >= _LAST_TWO_DIGIT:
                _renumber(file, row, item, last + 1, repairs)
            last_contigua[series] = max(last, item.numero)
        identity = identity_of(item)
        item.ordinal = times_seen[identity, item.tipo_acta]
        times_seen[identity, item.tipo_acta] += 1
        result.append(item)
    return result


def _read_row(
    file: PublishedFile, row: list[str], line: int, position: int, territory_column: str, problems: Problems
) -> CatalogueRow | None:
    key = unwrap(file.cell(row, "CLAVE_CASILLA"))
    tipo = unwrap(file.cell(row, "TIPO_CASILLA"))
    faults = len(problems.found)
    if tipo not in CASILLA_TYPES:
        problems.add(file.path, line, "TIPO_CASILLA", f"uno de {', '.join(sorted(CASILLA_TYPES))}", tipo)
    without = tipo in WITHOUT_SECTION
    seccion = whole(file.cell(row, "SECCION"))
    if seccion is None and not without:
        problems.add(file.path, line, "SECCION", "el número de la sección", file.cell(row, "SECCION"))
    numero = whole(file.cell(row, "ID_CASILLA"))
    if numero is None and without:
        # Types without section say N/A; the number is only in the key, before the two of the extension.
        numero = whole_of(key[-4:-2]) or 0
    ext = whole(file.cell(row, "EXT_CONTIGUA"))
    lista = whole(file.cell(row, "LISTA_NOMINAL"))
    for column, value in (("ID_CASILLA", numero), ("EXT_CONTIGUA", ext), ("LISTA_NOMINAL", lista)):
        if value is None:
            problems.add(file.path, line, column, "un número entero sin signo", file.cell(row, column))
    ubicacion = whole(file.cell(row, "UBICACION_CASILLA")) if file.has("UBICACION_CASILLA") else 1
    if ubicacion not in (1, 2):
        found = file.cell(row, "UBICACION_CASILLA")
        problems.add(file.path, line, "UBICACION_CASILLA", "1 (urbana) o 2 (no urbana)", found)
    for column in _TEXTS:
        text = unwrap(file.cell(row, column)) if file.has(column) else ""
        expected = unfit(text)
        if expected is not None:
            problems.add(file.path, line, column, expected, text)
    if len(problems.found) > faults or numero is None or ext is None or lista is None or ubicacion is None:
        return None
    tipo_acta = unwrap(file.cell(row, "TIPO_ACTA"))
    return CatalogueRow(
        line,
        position,
        key,
        unwrap(file.cell(row, "CLAVE_ACTA")) or key + tipo_acta,
        tipo_acta,
        None if without else seccion,
        tipo,
        numero,
        ext,
        ubicacion,
        lista,
        whole(file.cell(row, "REPRESENTANTES_PP_CI")),
        whole(file.cell(row, territory_column)),
        0,
    )


def _renumber(
    file: PublishedFile, row: list[str], item: CatalogueRow, numero: int, repairs: list[Repair]
) -> None:
    """Give a row its rebuilt contigua number and list the three cells that say otherwise."""
    key = f"{item.key[:-4]}{numero:02d}{item.key[-2:]}"
    acta_key = key + item.acta_key[len(item.key) :] if item.acta_key.startswith(item.key) else item.acta_key
    for column, own in (("CLAVE_CASILLA", key), ("CLAVE_ACTA", acta_key), ("ID_CASILLA", f"{numero:02d}")):
        official = file.cell(row, column)
        if unwrap(official) != own:
            mended = wrap(own, wrapper_of(official))
            repairs.append(Repair(str(file.path), item.line, column, official, mended, LONG_CONTIGUA))
    item.numero, item.key, item.acta_key = numero, key, acta_key


def identity_of(item: CatalogueRow) -> tuple[object, ...]:
    """What tells a casilla from another inside one file; types without section share their key by format."""
    return (item.key, item.territory) if item.tipo in WITHOUT_SECTION else (item.key,)
