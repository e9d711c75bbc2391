"""Keys and order of the rows of a published file.

A key is checked against the parts it is made of, against the other keys, and against the way the
file itself writes them (leading zeros, wrapper). It does not know the catalogue: a key that is
well formed may still belong to no casilla.
"""

from __future__ import annotations

from collections import defaultdict

from core.foreign_text import whole_of
from core.published.findings import Findings
from core.published.layout import unwrap, wrapper_of
from core.published.reader import PublishedFile
from core.published.row_facts import OUTSIDE, RowFacts

PADDED_WIDTHS = {
    "ID_ENTIDAD": 2,
    "ID_DISTRITO": 3,
    "ID_MUNICIPIO": 3,
    "SECCION": 4,
    "ID_CASILLA": 2,
    "EXT_CONTIGUA": 2,
}
"""Digits of each part of a key (LEEME OPL 2024, fields 3 to 10)."""

NUMBERED_UP_TO = 9
"""Contiguas up to this number keep their number in the files that write the later ones C01."""

_NONE = ("", "-", "N/A")


def check_keys(published: PublishedFile, rows: list[RowFacts], findings: Findings) -> None:
    """Composition, repetition, padding and wrapper of the keys; order of the rows."""
    rewritten = _repeated(published, rows, findings)
    _composition(published, rows, findings)
    _padding(published, rows, findings)
    _wrappers(published, rows, findings)
    _order(published, rows, rewritten, findings)


def _part(published: PublishedFile, row: RowFacts, name: str) -> str:
    return unwrap(published.cell(row.cells, name))


def _composition(published: PublishedFile, rows: list[RowFacts], findings: Findings) -> None:
    has_acta_type = published.has("TIPO_ACTA")
    federal = published.layout.name.startswith("ine-")
    for row in rows:
        if row.status == OUTSIDE:
            continue
        entity, section, number, extension = (
            _part(published, row, name) for name in ("ID_ENTIDAD", "SECCION", "ID_CASILLA", "EXT_CONTIGUA")
        )
        casilla = _part(published, row, "CLAVE_CASILLA")
        # Votes of no section have N/A in both parts; the key then has zeros and a number of its own.
        if section in _NONE and len(casilla) >= 6:
            section = "0000"
        if number in _NONE and len(casilla) >= 9:
            number = casilla[7:9]
        made = entity.zfill(2) + section.zfill(4) + row.casilla_type + number.zfill(2) + extension.zfill(2)
        if casilla != made:
            findings.add(
                "K01", f"dice {casilla or '(vacía)'} y sus partes dan {made}", row.line, "CLAVE_CASILLA"
            )
        acta = _part(published, row, "CLAVE_ACTA")
        kind = _part(published, row, "TIPO_ACTA")
        if has_acta_type and not federal:
            if acta not in (casilla + kind, casilla + kind.zfill(2)):
                findings.add(
                    "K02", f"dice {acta or '(vacía)'} y debe ser {casilla + kind}", row.line, "CLAVE_ACTA"
                )
        elif not acta.startswith(casilla) or len(acta) <= len(casilla):
            # The federal files add the code of the election, which no column repeats.
            findings.add(
                "K02", f"dice {acta or '(vacía)'} y no empieza con {casilla}", row.line, "CLAVE_ACTA"
            )


def _repeated(published: PublishedFile, rows: list[RowFacts], findings: Findings) -> set[int]:
    """Repeated CLAVE_ACTA, by cause. Returns the row numbers whose number was lost (C01 for C10)."""
    by_key: dict[str, list[RowFacts]] = defaultdict(list)
    top: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        key = _part(published, row, "CLAVE_ACTA")
        if key in _NONE:
            continue
        by_key[key].append(row)
    rewritten: set[int] = set()
    lost: dict[int, int] = {}
    for row in rows:
        number = _part(published, row, "ID_CASILLA")
        if row.casilla_type != "C" or not number.isdigit():
            continue
        place = (_part(published, row, "SECCION"), _part(published, row, "TIPO_ACTA"))
        if int(number) == 1 and top[place] >= NUMBERED_UP_TO:
            top[place] += 1
            lost[row.number] = top[place]
        else:
            top[place] = max(top[place], int(number))
    for key, group in by_key.items():
        if len(group) == 1:
            continue
        first = group[0]
        for row in group[1:]:
            if row.without_section:
                message = (
                    f"{key} ya está en la línea {first.line}: sin sección la clave no distingue territorios"
                )
                findings.add("K05", message, row.line, "CLAVE_ACTA")
            elif row.number in lost:
                rewritten.add(row.number)
                findings.add(
                    "K04",
                    f"{key} ya está en la línea {first.line}; por su lugar es la contigua {lost[row.number]}",
                    row.line,
                    "CLAVE_ACTA",
                )
            else:
                findings.add("K03", f"{key} ya está en la línea {first.line}", row.line, "CLAVE_ACTA")
    return rewritten


def _padding(published: PublishedFile, rows: list[RowFacts], findings: Findings) -> None:
    """Parts without leading zeros, in a file that writes them."""
    for name, width in PADDED_WIDTHS.items():
        if not published.has(name):
            continue
        values = [(row, _part(published, row, name)) for row in rows]
        padded = any(value.isdigit() and len(value) == width and value.startswith("0") for _, value in values)
        if not padded:
            continue
        for row, value in values:
            if value.isdigit() and len(value) < width:
                findings.add("K06", f"dice {value} y debe ser {value.zfill(width)}", row.line, name)


def _wrappers(published: PublishedFile, rows: list[RowFacts], findings: Findings) -> None:
    wrapper = published.layout.key_wrapper
    if wrapper == "none":
        return
    for row in rows:
        for name in ("CLAVE_CASILLA", "CLAVE_ACTA"):
            cell = published.cell(row.cells, name)
            if name in published.layout.wrapped_columns and cell not in _NONE and wrapper_of(cell) != wrapper:
                findings.add("K07", f"se escribió {cell}", row.line, name)


def _order(published: PublishedFile, rows: list[RowFacts], rewritten: set[int], findings: Findings) -> None:
    """Each row against the one before it; rows without section come first and outside rows last."""
    territory = published.territory[0]
    last_inside = max((row.number for row in rows if row.status != OUTSIDE), default=-1)
    before: tuple[tuple[int, int, int, str, int, int], int] | None = None
    for row in rows:
        if row.status == OUTSIDE:
            if row.number < last_inside:
                findings.add("R02", "hay actas del catálogo después de esta", row.line)
            continue
        if row.without_section or row.number in rewritten:
            continue
        place = (
            _number(published, row, "ID_ENTIDAD"),
            _number(published, row, territory) if territory else 0,
            _number(published, row, "SECCION"),
            row.casilla_type,
            _number(published, row, "ID_CASILLA"),
            _number(published, row, "EXT_CONTIGUA"),
        )
        if before and place < before[0]:
            findings.add("R01", f"debe ir antes de la línea {before[1]}", row.line)
        before = (place, row.line)


def _number(published: PublishedFile, row: RowFacts, name: str) -> int:
    number = whole_of(_part(published, row, name))
    return -1 if number is None else number
