"""Reads a published results CSV, whatever its year and institute, and refuses what is not one.

The lines are found by their names (the counters by ACTAS_ESPERADAS, the columns by
CLAVE_CASILLA), because layouts differ by a line or two (regulation §6.2). Cells are kept exactly
as written: nothing is stripped, converted or mended. Whether the content is right is the business
of `review`.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core.foreign_text import foreign_bytes
from core.published.contest import FEDERAL_CONTESTS, contest_of, refusal
from core.published.layout import (
    REQUIRED_COLUMNS,
    TIME_COLUMNS,
    Layout,
    canonical_column,
    layout_name,
    parse_time,
    time_format_of,
    unwrap,
    wrapper_of,
)
from core.published.preamble import Preamble, decode, read_preamble
from core.system_reasons import system_reason

__all__ = ["Layout", "PublishedFile", "parse_time", "read_published", "unwrap"]

LARGEST = 2 << 30
"""Bytes of a published file; those of a national election are about a tenth."""


@dataclass(frozen=True)
class PublishedFile:
    """A published results CSV, as written.

    `header` maps the 13 canonical counter names to their raw text; `header_line` and
    `column_line` are physical lines from 1. `canonical` has one name per column; `vote_columns`
    are the written names of the vote fields of the acta, in the file's order (parties,
    combinations, independents, no registradas, nulos). `rows` are raw cell texts and `row_lines`
    the physical line where each begins. `contest` is one of GUB, DIP_LOC, AYUN, PRES, SEN,
    DIP_FED.
    """

    path: Path
    layout: Layout
    title: str
    date_line: str
    cut_at: datetime
    utc_offset_hours: int
    header: dict[str, str]
    header_names: list[str]
    header_line: int
    columns: list[str]
    canonical: list[str]
    column_line: int
    vote_columns: list[str]
    rows: list[list[str]]
    row_lines: list[int]
    contest: str
    header_values: list[str] = field(default_factory=list)
    _positions: dict[str, int] = field(default_factory=dict, repr=False)

    def has(self, name: str) -> bool:
        """True when the file has that column (canonical or written name)."""
        return name in self._positions

    def index(self, canonical_name: str) -> int:
        """Position of a column by its canonical name, or by its written one.

        Raises KeyError when the file has no such column.
        """
        return self._positions[canonical_name]

    def cell(self, row: list[str], canonical_name: str) -> str:
        """The raw text of a row's cell; '' when the file has no such column or the row is short."""
        position = self._positions.get(canonical_name)
        return row[position] if position is not None and position < len(row) else ""

    @property
    def vote_indexes(self) -> list[int]:
        """Positions of `vote_columns`."""
        return [self._positions[name] for name in self.vote_columns]

    @property
    def territory(self) -> tuple[str | None, str | None]:
        """Canonical names of the columns that hold the district or municipality: (id, name)."""
        for key, name in (("ID_MUNICIPIO", "MUNICIPIO"), ("ID_DISTRITO", "DISTRITO")):
            if self.has(key) or self.has(name):
                return (key if self.has(key) else None, name if self.has(name) else None)
        return None, None

    @property
    def cut_ms(self) -> int:
        """The cut in milliseconds since the epoch."""
        return int(self.cut_at.timestamp()) * 1000


def read_published(path: Path, *, keep_ragged: bool = False) -> PublishedFile:
    """Read a published PREP results CSV.

    Raises InputError (file, line, column, what was expected) when the file is not one. A row with
    more or fewer cells than columns is refused too, unless `keep_ragged` (the linter wants to see
    them all).
    """
    path = Path(path)
    try:
        raw = foreign_bytes(path, LARGEST)
    except OSError as error:
        raise refusal(
            path, f"no se puede leer el archivo: {system_reason(error)}", expected="un archivo CSV legible"
        ) from error
    text, encoding, bom = decode(raw, path)
    del raw
    newline = "\r\n" if "\r\n" in text else ("\n" if "\n" in text else "\r")
    return _parse(path, text, encoding, bom, newline, keep_ragged)


def _parse(path: Path, text: str, encoding: str, bom: bool, newline: str, keep_ragged: bool) -> PublishedFile:
    top = read_preamble(path, text)
    columns = top.columns
    canonical = [canonical_column(name) for name in columns]
    positions = _positions(path, columns, canonical, top.columns_at)
    votes = _vote_positions(path, canonical, positions, top.columns_at)
    rows, lines, trailer = _rows(path, text, top, keep_ragged)
    del text

    # The commonest of a sample: one odd cell must not set the format of the file.
    formats = Counter(
        found
        for name in TIME_COLUMNS
        for row in rows[:4000]
        if positions[name] < len(row)
        if (found := time_format_of(row[positions[name]]))
    ).most_common(1)
    date_format, time_suffix = formats[0][0] if formats else (top.cut_format + ":%S", "")
    wrapper, wrapped = _wrappers(rows, canonical)
    entities = {unwrap(row[positions["ID_ENTIDAD"]]) for row in rows if positions["ID_ENTIDAD"] < len(row)}
    contest = contest_of(path, top.title, columns, len(entities - {"", "-", "N/A"}), top.title_at)
    layout = Layout(
        name=layout_name(
            separator=top.separator,
            federal=contest in FEDERAL_CONTESTS,
            columns=columns,
            has_sep_line=top.has_sep_line,
            key_wrapper=wrapper,
            after_date=top.after_date,
            year=top.cut_at.year,
        ),
        separator=top.separator,
        encoding=encoding,
        bom=bom,
        newline=newline,
        date_format=date_format,
        cut_format=top.cut_format,
        key_wrapper=wrapper,
        wrapped_columns=wrapped,
        has_sep_line=top.has_sep_line,
        after_date=top.after_date,
        after_counters=top.after_counters,
        trailer=trailer,
        time_suffix=time_suffix,
    )
    return PublishedFile(
        path=path,
        layout=layout,
        title=top.title,
        date_line=top.date_line,
        cut_at=top.cut_at,
        utc_offset_hours=top.utc_offset_hours,
        header=top.header,
        header_names=top.names,
        header_line=top.counters_at + 1,
        columns=columns,
        canonical=canonical,
        column_line=top.columns_at + 1,
        vote_columns=[columns[i] for i in votes],
        rows=rows,
        row_lines=lines,
        contest=contest,
        header_values=top.values,
        _positions=positions,
    )


def _positions(path: Path, columns: list[str], canonical: list[str], at: int) -> dict[str, int]:
    positions: dict[str, int] = {}
    for number, name in enumerate(canonical):
        if name in positions:
            raise refusal(
                path,
                f"la columna {columns[number]} está repetida",
                line=at + 1,
                column=number + 1,
                expected="cada columna una sola vez",
            )
        positions[name] = number
    missing = [name for name in REQUIRED_COLUMNS if name not in positions]
    if missing:
        raise refusal(
            path,
            f"faltan columnas: {', '.join(missing)}",
            line=at + 1,
            column=len(columns),
            expected="las columnas de un CSV de resultados PREP",
        )
    for number, name in enumerate(columns):
        positions.setdefault(name, number)
    return positions


def _vote_positions(path: Path, canonical: list[str], positions: dict[str, int], at: int) -> list[int]:
    """The vote fields: everything between the stated totals (and CODIGOS_*) and TOTAL_VOTOS_ASENTADO."""
    start = next(
        (
            positions[name]
            for name in ("TOTAL_VOTOS_SACADOS", "TOTAL_REP_PARTIDO_CI_VOTARON", "TIPO_ACTA", "EXT_CONTIGUA")
            if name in positions
        ),
    )
    end = positions["TOTAL_VOTOS_ASENTADO"]
    votes = [i for i in range(start + 1, end) if not canonical[i].startswith("CODIGOS_")]
    for name in ("NO_REGISTRADAS", "NULOS"):
        if positions[name] not in votes:
            raise refusal(
                path,
                f"la columna {name} está fuera del bloque de votos",
                line=at + 1,
                column=positions[name] + 1,
                expected="los votos entre TOTAL_VOTOS_SACADOS y TOTAL_VOTOS_ASENTADO",
            )
    if len(votes) < 3:
        raise refusal(
            path,
            "no hay columnas de partidos ni candidaturas",
            line=at + 1,
            column=start + 2,
            expected="al menos una columna de votos antes de NO_REGISTRADAS",
        )
    return votes


def _rows(path: Path, text: str, top: Preamble, keep_ragged: bool) -> tuple[list[list[str]], list[int], str]:
    """Cells of every row, the physical line where each begins, and what follows the last one."""
    head, columns_at, separator, width = top.lines, top.columns_at, top.separator, len(top.columns)
    start = 0
    for number in range(columns_at + 1):
        start += len(head[number])
        start += 2 if text.startswith("\r\n", start) else (1 if start < len(text) else 0)
    end = len(text.rstrip("\r\n"))
    reader = csv.reader(_lines(text, start, end), delimiter=separator)
    rows: list[list[str]] = []
    lines: list[int] = []
    intern = sys.intern
    before = 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise refusal(
                path,
                f"no se puede separar en celdas: {error}",
                line=columns_at + 2 + before,
                expected=f"celdas separadas con «{separator}»",
            ) from error
        if row is None:
            break
        line = columns_at + 2 + before
        before = reader.line_num
        if len(row) != width and not keep_ragged:
            raise refusal(
                path,
                f"la fila tiene {len(row)} celdas",
                line=line,
                column=min(len(row), width),
                expected=f"{width} celdas, una por columna",
            )
        # Most cells repeat (marks, names, small numbers): one object each keeps a national file small.
        rows.append(list(map(intern, row)))
        lines.append(line)
    return rows, lines, text[max(end, start) :]


_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\n|\r|\Z)")


def _lines(text: str, start: int, end: int) -> Iterator[str]:
    """The lines between two offsets; LF, CRLF and CR all end one. Nothing of the text is copied whole."""
    while start < end:
        match = _LINE.match(text, start, end)
        assert match is not None  # the pattern matches any text, the empty one included
        yield match[1] + "\n"
        start = match.end()


def _wrappers(rows: list[list[str]], canonical: list[str]) -> tuple[str, tuple[str, ...]]:
    """The key wrapper of the file and the columns that carry it."""
    sample = rows[:500]
    key = canonical.index("CLAVE_CASILLA")
    wrapper = next(
        (wrapper_of(row[key]) for row in sample if len(row) > key and row[key] not in ("", "-")), "none"
    )
    if wrapper == "none":
        return wrapper, ()
    wrapped = tuple(
        name
        for i, name in enumerate(canonical)
        if any(len(r) > i and wrapper_of(r[i]) == wrapper for r in sample)
    )
    return wrapper, wrapped
