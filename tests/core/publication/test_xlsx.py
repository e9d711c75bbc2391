"""The XLSX of actas, read back by two readers that did not write it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]
from python_calamine import CalamineWorkbook

from core.domain.catalog import Territory
from core.publication.dialects import DIALECTS, load_dialect
from core.publication.results_csv import ResultsCsv
from core.publication.summary_xlsx import write_summary
from core.publication.xlsx import ActaSheet, number_cell, text_cell, write_sheet
from core.published.layout import unwrap
from core.tally.levels import Levels
from tests.builders import START_MS, next_snapshot, random_snapshot, small_catalog

CATALOG = small_catalog()
HOSTILE = '=HYPERLINK("a";"b") & <c>\x07 '


def sheet_of(dialect: str, *, kept: bool, steps: int = 0) -> tuple[bytes, ResultsCsv]:
    catalog = small_catalog()
    catalog.municipios[1] = Territory(1, HOSTILE)
    results = ResultsCsv(catalog, "AYUN", load_dialect(dialect))
    sheet = ActaSheet(
        results.canonical,
        results.contest.codes,
        results.dialect.file.wrapped,
        catalog.expected("AYUN") if kept else 0,
    )
    if kept:
        results.send_rows_to(sheet)
    snapshot = random_snapshot(catalog, 7)
    results.update(snapshot)
    for step in range(steps):
        snapshot = next_snapshot(catalog, snapshot, step, share=0.2)
        results.update(snapshot)
    levels = Levels(catalog, "AYUN")
    levels.update(snapshot)
    stream = io.BytesIO()
    rows = sheet.chunks() if kept else sheet.chunks_of(results.cells())
    header = levels.counters(last_cut=False)
    write_sheet(stream, "AYUN", results.preamble(header, START_MS), results.columns, rows)
    return stream.getvalue(), results


def clean(text: str) -> str:
    return text.replace("\x07", "")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_reading_the_sheet_back_gives_the_cells_of_the_csv(dialect: str, tmp_path: Path) -> None:
    data, results = sheet_of(dialect, kept=True)
    path = tmp_path / "actas.xlsx"
    path.write_bytes(data)
    workbook = CalamineWorkbook.from_path(str(path))
    read = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    other = list(load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True))
    top = len(read) - len(results) - 1
    assert read[top][:4] == results.columns[:4]
    wrapped = results.dialect.file.wrapped
    for number, cells in enumerate(results.cells(), start=top + 1):
        for column, cell in enumerate(cells):
            name = results.canonical[column]
            plain = clean(unwrap(cell) if name in wrapped else cell)
            for value in (
                read[number][column],
                other[number][column] if column < len(other[number]) else None,
            ):
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    assert plain == str(int(value)), name
                else:
                    assert plain == (value or ""), name


def test_keys_stay_text_and_votes_are_numbers() -> None:
    data, results = sheet_of("opl-2024", kept=True)
    (sheet,) = load_workbook(io.BytesIO(data)).worksheets
    rows = list(sheet.iter_rows(values_only=True))
    top = next(i for i, row in enumerate(rows) if row[0] == "CLAVE_CASILLA")
    counted = next(row for row in rows[top + 1 :] if row[results.columns.index("CONTABILIZADA")] == 1)
    assert counted[0].startswith("14") and counted[results.columns.index("SECCION")].startswith("0")
    assert isinstance(counted[results.columns.index("TOTAL_VOTOS_CALCULADO")], int)
    assert counted[results.columns.index("ID_ENTIDAD")] == "14"


def test_a_text_that_looks_like_a_formula_is_a_text() -> None:
    data, results = sheet_of("opl-2024", kept=True)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert b"<f>" not in package.read("xl/worksheets/sheet1.xml")
    (sheet,) = load_workbook(io.BytesIO(data)).worksheets
    column = results.columns.index("MUNICIPIO") + 1
    found = [
        cell for (cell,) in sheet.iter_rows(min_col=column, max_col=column) if cell.value == clean(HOSTILE)
    ]
    assert found and all(cell.data_type != "f" for cell in found)
    for start in "=+-@":
        assert "inlineStr" in text_cell(f"{start}1+1") and "inlineStr" in number_cell(f"{start}1")


def test_leading_zeros_and_long_digits_are_not_numbers() -> None:
    assert "<v>" not in number_cell("007") and "<v>" not in number_cell("1234567890123456")
    assert number_cell("0") == "<c><v>0</v></c>"


@pytest.mark.parametrize("steps", [0, 3])
def test_the_bytes_are_the_same_with_rows_kept_or_made_again(steps: int) -> None:
    kept, _ = sheet_of("opl-2024", kept=True, steps=steps)
    made, _ = sheet_of("opl-2024", kept=False, steps=steps)
    assert kept == made


def test_the_summary_has_the_counters_and_the_votes_of_every_territory_and_fixed_bytes() -> None:
    snapshot = random_snapshot(CATALOG, 9)
    levels = {contest: Levels(CATALOG, contest) for contest in CATALOG.contests}
    for item in levels.values():
        item.update(snapshot)
    written = []
    for _ in range(2):
        stream = io.BytesIO()
        write_summary(stream, CATALOG, levels, number=3, at_ms=START_MS, last=False, simulacro=True)
        written.append(stream.getvalue())
    assert written[0] == written[1]
    book = CalamineWorkbook.from_filelike(io.BytesIO(written[0]))
    assert book.sheet_names[0] == "Resumen" and "AYUN por municipio" in book.sheet_names
    summary = book.get_sheet_by_name("Resumen").to_python(skip_empty_area=False)
    assert "SIMULACRO" in str(summary[1][0])
    assert summary[4][1] == CATALOG.expected("DIP_LOC")
    rows = book.get_sheet_by_name("AYUN por municipio").to_python(skip_empty_area=False)
    votes = {row[0]: row[-len(CATALOG.contests["AYUN"].columns) :] for row in rows[4:-1]}
    assert votes == {number: sums.votes for number, sums in levels["AYUN"].territories.items()}
    assert rows[-1][-len(levels["AYUN"].whole.votes) :] == levels["AYUN"].whole.votes
