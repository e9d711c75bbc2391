"""A small styled workbook for people: counters and votes of each contest by territory.

Thousands of cells, so a general library is the right tool; the acta sheet is `xlsx`. The bytes
depend only on the content: the creation date is that of the cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

import xlsxwriter

from core.domain.catalog import Catalog, Scope
from core.domain.counters import COUNTER_NAMES, PERCENT_SCALE, Counters
from core.publication.times import local, utc_label
from core.tally.levels import Levels

_PERCENT = "0.0000"
_INTEGER = "#,##0"


def write_summary(
    stream: BinaryIO,
    catalog: Catalog,
    levels: Mapping[str, Levels],
    *,
    number: int,
    at_ms: int,
    last: bool,
    simulacro: bool,
) -> None:
    """Write the workbook: one sheet of counters, and two per contest (by territory, by contender)."""
    moment = local(at_ms, catalog.entidad.utc_offset_minutes)
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"title": "PREP", "created": moment.replace(tzinfo=None)})
    styles = _styles(book)
    stamp = (
        f"Corte {number}, {moment.strftime('%d/%m/%Y %H:%M')} {utc_label(catalog.entidad.utc_offset_minutes)}"
    )
    if simulacro:
        stamp = f"SIMULACRO - datos ficticios. {stamp}"
    _summary(book, styles, catalog, levels, stamp, last)
    for contest_id, sums in levels.items():
        _territories(book, styles, catalog, contest_id, sums, stamp, last)
        _contenders(book, styles, contest_id, sums, stamp)
    book.close()


def _styles(book: Any) -> dict[str, Any]:
    return {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "stamp": book.add_format({"font_color": "#555555"}),
        "head": book.add_format(
            {"bold": True, "bg_color": "#E8E8E8", "bottom": 1, "text_wrap": True, "valign": "top"}
        ),
        "total": book.add_format({"bold": True, "num_format": _INTEGER, "top": 1}),
        "total_percent": book.add_format({"bold": True, "num_format": _PERCENT, "top": 1}),
        "integer": book.add_format({"num_format": _INTEGER}),
        "percent": book.add_format({"num_format": _PERCENT}),
        "text": book.add_format({}),
    }


def _sheet(book: Any, styles: Mapping[str, Any], name: str, title: str, stamp: str) -> Any:
    sheet = book.add_worksheet(name[:31])
    sheet.write_string(0, 0, title, styles["title"])
    sheet.write_string(1, 0, stamp, styles["stamp"])
    sheet.freeze_panes(4, 1)
    return sheet


def _values(counters: Counters) -> list[tuple[int | float, str]]:
    """The thirteen values and the style of each; percentages are already cut at four decimals."""
    values: list[tuple[int | float, str]] = []
    for name, field in zip(COUNTER_NAMES, counters.__slots__, strict=True):
        value: int = getattr(counters, field)
        if name.startswith("PORCENTAJE"):
            values.append((value / PERCENT_SCALE, "percent"))
        else:
            values.append((value, "integer"))
    return values


def _summary(
    book: Any,
    styles: Mapping[str, Any],
    catalog: Catalog,
    levels: Mapping[str, Levels],
    stamp: str,
    last: bool,
) -> None:
    sheet = _sheet(book, styles, "Resumen", catalog.election, stamp)
    sheet.set_column(0, 0, 42)
    sheet.set_column(1, len(levels), 22)
    sheet.write_string(3, 0, "Contador", styles["head"])
    for row, name in enumerate(COUNTER_NAMES, start=4):
        sheet.write_string(row, 0, name, styles["text"])
    for column, sums in enumerate(levels.values(), start=1):
        sheet.write_string(3, column, sums.contest.name, styles["head"])
        for row, (value, style) in enumerate(_values(sums.counters(last_cut=last)), start=4):
            sheet.write_number(row, column, value, styles[style])


def _territories(
    book: Any,
    styles: Mapping[str, Any],
    catalog: Catalog,
    contest_id: str,
    levels: Levels,
    stamp: str,
    last: bool,
) -> None:
    municipal = levels.contest.scope is Scope.MUNICIPIO
    name = f"{contest_id} por {'municipio' if municipal else 'distrito'}"
    sheet = _sheet(book, styles, name, levels.contest.name, stamp)
    names = catalog.territories(contest_id)
    heads = ["Municipio" if municipal else "Distrito", "Nombre", *COUNTER_NAMES, *levels.contest.codes]
    sheet.set_column(0, 0, 10)
    sheet.set_column(1, 1, 28)
    sheet.set_column(2, len(heads) - 1, 13)
    for column, head in enumerate(heads):
        sheet.write_string(3, column, head, styles["head"])
    row = 4
    for territory in sorted(levels.territories, key=lambda number: (number is None, number or 0)):
        sums = levels.territories[territory]
        if territory is None:
            sheet.write_string(row, 1, "Sin territorio", styles["text"])
        else:
            sheet.write_number(row, 0, territory)
            sheet.write_string(row, 1, names[territory].name if territory in names else "", styles["text"])
        cells = [*_values(sums.counters(last_cut=last)), *((votes, "integer") for votes in sums.votes)]
        for column, (value, style) in enumerate(cells, start=2):
            sheet.write_number(row, column, value, styles[style])
        row += 1
    sheet.write_string(row, 1, "Total", styles["total"])
    total = [*_values(levels.counters(last_cut=last)), *((votes, "integer") for votes in levels.whole.votes)]
    for column, (value, style) in enumerate(total, start=2):
        sheet.write_number(row, column, value, styles["total_percent" if style == "percent" else "total"])


def _contenders(book: Any, styles: Mapping[str, Any], contest_id: str, levels: Levels, stamp: str) -> None:
    """Votes of the whole entidad by party and by candidacy, side by side."""
    sheet = _sheet(book, styles, f"{contest_id} por partido", levels.contest.name, stamp)
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 14)
    sheet.set_column(3, 3, 40)
    sheet.set_column(4, 4, 14)
    sides = ((0, "Partido o candidatura", levels.whole_by_party()),
             (3, "Candidatura, con sus combinaciones", levels.whole_by_candidacy()))  # fmt: skip
    for first, head, votes in sides:
        sheet.write_string(3, first, head, styles["head"])
        sheet.write_string(3, first + 1, "Votos", styles["head"])
        for row, (name, value) in enumerate(votes.items(), start=4):
            sheet.write_string(row, first, name, styles["text"])
            sheet.write_number(row, first + 1, value, styles["integer"])
