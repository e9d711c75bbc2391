"""The lines of a published file that come before its rows.

Finds the counters and the columns by name, the cut by its shape, and the separator by what
follows ACTAS_ESPERADAS. It refuses what has none of them and looks at no row.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from core.domain.counters import COUNTER_NAMES
from core.published.contest import refusal
from core.published.layout import canonical_counter

MAX_PREAMBLE_LINES = 40
"""Lines within which the counters and the columns must appear."""

_CUT = re.compile(
    r"(?:(?P<y1>\d{4})(?P<s1>[-/])(?P<m1>\d{1,2})[-/](?P<d1>\d{1,2})"
    r"|(?P<d2>\d{1,2})(?P<s2>[-/])(?P<m2>\d{1,2})[-/](?P<y2>\d{4}))"
    r"\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"(?P<gap>\s*)\(\s*UTC\s*(?P<offset>[-\u2212+]\s*\d{1,2})\s*\)"
)


@dataclass(frozen=True, slots=True)
class Preamble:
    """What stands before the rows. Indexes (`title_at`, `counters_at`, `columns_at`) count lines from 0."""

    lines: list[str]
    separator: str
    has_sep_line: bool
    title: str
    title_at: int
    date_line: str
    cut_at: datetime
    utc_offset_hours: int
    cut_format: str
    after_date: tuple[str, ...]
    names: list[str]
    values: list[str]
    header: dict[str, str]
    counters_at: int
    after_counters: tuple[str, ...]
    columns: list[str]
    columns_at: int


def decode(raw: bytes, path: Path) -> tuple[str, str, bool]:
    """The text of a file, its encoding and whether it had a BOM. Raises InputError for what is not text."""
    if raw[:2] == b"PK":
        raise refusal(
            path, "es un archivo ZIP", line=1, expected="el CSV de resultados que va dentro del ZIP"
        )
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in raw[:4096]:
        raise refusal(
            path,
            "no es texto en UTF-8 ni en ISO-8859-1",
            line=1,
            expected="texto en UTF-8 (con o sin BOM) o en ISO-8859-1",
        )
    bom = raw.startswith(b"\xef\xbb\xbf")
    try:
        return raw[3 if bom else 0 :].decode("utf-8"), "utf-8", bom
    except UnicodeDecodeError:
        return raw.decode("iso-8859-1"), "iso-8859-1", False


def read_preamble(path: Path, text: str) -> Preamble:
    """Read what comes before the rows; `path` is only for the messages.

    Raises InputError when the lines of a PREP file are not there.
    """
    head = _head_lines(text)
    counters_at = _find(head, "ACTAS_ESPERADAS")
    if counters_at is None:
        raise refusal(
            path,
            "no se encontró la línea de contadores",
            line=1,
            expected="una línea que empiece con ACTAS_ESPERADAS en el encabezado",
        )
    columns_at = _find(head, "CLAVE_CASILLA", counters_at + 1)
    if columns_at is None:
        raise refusal(
            path,
            "no se encontró la línea de nombres de columna",
            line=counters_at + 2,
            expected="una línea que empiece con CLAVE_CASILLA después de los contadores",
        )
    separator = _separator(path, head[counters_at], counters_at)
    names = _cells(head[counters_at], separator)
    values = _cells(head[counters_at + 1], separator) if counters_at + 1 < columns_at else []
    header = _header(path, names, values, counters_at)
    has_sep_line, title, date_line, date_at = _opening(path, head, counters_at, separator)
    cut_at, offset, cut_format = _cut(path, date_line, date_at)
    return Preamble(
        lines=head,
        separator=separator,
        has_sep_line=has_sep_line,
        title=title,
        title_at=1 if has_sep_line else 0,
        date_line=date_line,
        cut_at=cut_at,
        utc_offset_hours=offset,
        cut_format=cut_format,
        after_date=tuple(head[date_at + 1 : counters_at]),
        names=names,
        values=values,
        header=header,
        counters_at=counters_at,
        after_counters=tuple(head[counters_at + 2 : columns_at]),
        columns=_cells(head[columns_at], separator),
        columns_at=columns_at,
    )


def _head_lines(text: str) -> list[str]:
    """The first lines of the file, with any line end, without it."""
    probe = text[: 64 * 1024]
    return re.split(r"\r\n|\n|\r", probe)[:MAX_PREAMBLE_LINES]


def _find(lines: list[str], name: str, start: int = 0) -> int | None:
    for number in range(start, len(lines)):
        if lines[number].lstrip(" \"'\t").upper().startswith(name):
            return number
    return None


def _separator(path: Path, line: str, at: int) -> str:
    rest = line.lstrip(" \"'\t")[len("ACTAS_ESPERADAS") :].lstrip(" \"'")
    if rest[:1] in ("|", ","):
        return rest[0]
    raise refusal(
        path,
        f"separador desconocido: «{rest[:1]}»",
        line=at + 1,
        column=1,
        expected="columnas separadas con | o con coma",
    )


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])


def _trimmed(cells: list[str]) -> list[str]:
    """The cells without the empty ones a trailing separator leaves."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _header(path: Path, names: list[str], values: list[str], at: int) -> dict[str, str]:
    names, values = _trimmed(names), _trimmed(values)
    if len(values) != len(names):
        raise refusal(
            path,
            f"hay {len(names)} contadores y {len(values)} valores",
            line=at + 2,
            expected="un valor por contador",
        )
    header = {canonical_counter(name): value for name, value in zip(names, values, strict=True)}
    missing = [name for name in COUNTER_NAMES if name not in header]
    if missing:
        raise refusal(
            path,
            f"faltan contadores en el encabezado: {', '.join(missing)}",
            line=at + 1,
            expected="los 13 contadores de la estructura del INE",
        )
    return {name: header[name] for name in COUNTER_NAMES}


def _opening(path: Path, head: list[str], counters_at: int, separator: str) -> tuple[bool, str, str, int]:
    """The sep= line, the title, the line of the cut and its index."""
    at = 0
    has_sep_line = head[0].lower().startswith("sep=")
    if has_sep_line:
        if head[0][4:5] != separator:
            raise refusal(
                path,
                f"la línea «{head[0]}» no es el separador que usa el archivo",
                line=1,
                column=1,
                expected=f"sep={separator}",
            )
        at = 1
    if counters_at - at < 2:
        raise refusal(
            path,
            "falta el nombre de la elección o la línea del corte",
            line=at + 1,
            expected="el nombre de la elección y después la fecha y hora del corte",
        )
    for number in range(at + 1, counters_at):
        if _CUT.search(head[number]):
            return has_sep_line, "\n".join(head[at:number]), head[number], number
    raise refusal(
        path,
        f"no se entiende la línea del corte: «{head[at + 1]}»",
        line=at + 2,
        column=1,
        expected="fecha, hora y huso, como 03/06/2024 20:00 (UTC-6)",
    )


def _cut(path: Path, line: str, at: int) -> tuple[datetime, int, str]:
    match = _CUT.search(line)
    assert match is not None  # _opening chose the line because it matches
    offset = int(match["offset"].replace("\u2212", "-").replace(" ", ""))
    year, month, day = (
        (match["y1"], match["m1"], match["d1"]) if match["y1"] else (match["y2"], match["m2"], match["d2"])
    )
    mark = match["s1"] or match["s2"]
    order = "%Y{0}%m{0}%d" if match["y1"] else "%d{0}%m{0}%Y"
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(match["hour"]),
            int(match["minute"]),
            int(match["second"] or 0),
            tzinfo=timezone(timedelta(hours=offset)),
        )
    except ValueError:
        raise refusal(
            path,
            f"la fecha del corte no existe: «{line}»",
            line=at + 1,
            column=1,
            expected="una fecha, hora y huso que existan",
        ) from None
    return moment, offset, order.format(mark) + " %H:%M"
