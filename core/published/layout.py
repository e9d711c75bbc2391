"""How a published results CSV is written: names of its columns, codes of its cells, its bytes.

A `Layout` holds what a writer needs to give the same bytes back; `canonical_column` and
`canonical_counter` tell the names of thirty institutes and years apart from the thing named
(regulation §6). Nothing here opens a file (see `reader`) and nothing judges one (see `review`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

MS_PER_HOUR = 3_600_000
MS_PER_DAY = 24 * MS_PER_HOUR

TIME_COLUMNS = ("FECHA_HORA_ACOPIO", "FECHA_HORA_CAPTURA", "FECHA_HORA_VERIFICACION")

TOTAL_COLUMNS = (
    "TOTAL_BOLETAS_SOBRANTES",
    "TOTAL_PERSONAS_VOTARON",
    "TOTAL_REP_PARTIDO_CI_VOTARON",
    "TOTAL_VOTOS_SACADOS",
)
"""The four quantities an acta states before its votes."""

REQUIRED_COLUMNS = (
    "CLAVE_CASILLA",
    "CLAVE_ACTA",
    "ID_ENTIDAD",
    "SECCION",
    "ID_CASILLA",
    "TIPO_CASILLA",
    "EXT_CONTIGUA",
    "NO_REGISTRADAS",
    "NULOS",
    "TOTAL_VOTOS_ASENTADO",
    "TOTAL_VOTOS_CALCULADO",
    "LISTA_NOMINAL",
    "OBSERVACIONES",
    "CONTABILIZADA",
    *TIME_COLUMNS,
)
"""Canonical columns without which a file is not a PREP results CSV."""

COLUMN_ALIASES = {
    "ID_ESTADO": "ID_ENTIDAD",
    "ESTADO": "ENTIDAD",
    "NOMBRE_ESTADO": "ENTIDAD",
    "ID_DISTRITO_LOCAL": "ID_DISTRITO",
    "ID_DISTRITO_FEDERAL": "ID_DISTRITO",
    "DISTRITO_LOCAL": "DISTRITO",
    "DISTRITO_FEDERAL": "DISTRITO",
    "NOMBRE_DISTRITO": "DISTRITO",
    "ID_MUNICIPIO_LOCAL": "ID_MUNICIPIO",
    "ID_ALCALDIA": "ID_MUNICIPIO",
    "ALCALDIA": "MUNICIPIO",
    "PERSONAS_VOTARON": "TOTAL_PERSONAS_VOTARON",
    "NO_REGISTRADOS": "NO_REGISTRADAS",
    "TOTAL_VOTOS_ASENTADOS": "TOTAL_VOTOS_ASENTADO",
    "TOTAL_VOTOS_CALCULADOS": "TOTAL_VOTOS_CALCULADO",
    "MECANISMO_TRASLADO": "MECANISMOS_TRASLADO",
    "SHA": "CODIGO_INTEGRIDAD",
}
"""Names seen in published files for the same column (regulation §6.3)."""

COUNTER_ALIASES = {
    "ACTAS_FUERA_DE_CATALOGO": "ACTAS_FUERA_CATALOGO",
    "PORCENTAJE_ACTAS_CON_INCONSISTENCIAS": "PORCENTAJE_ACTAS_INCONSISTENCIAS",
}
"""Spellings of the LEEME texts that some files copied."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one published file is written, to the byte.

    `date_format` and `cut_format` are strftime formats of the row times and of the line of the
    cut. `key_wrapper` is what keeps spreadsheets from eating leading zeros: 'equals' (="X"),
    'quotes' ('X'), 'apostrophe' ('X) or 'none'; `wrapped_columns` are the canonical names that
    carry it. `after_date` and `after_counters` are the lines, as written, between the cut and the
    counters and between the values and the column names. `trailer` is what follows the last row.
    """

    name: str
    separator: str
    encoding: str
    bom: bool
    newline: str
    date_format: str
    cut_format: str
    key_wrapper: str
    wrapped_columns: tuple[str, ...]
    has_sep_line: bool
    after_date: tuple[str, ...]
    after_counters: tuple[str, ...]
    trailer: str
    time_suffix: str = ""

    @property
    def blank_after_date(self) -> bool:
        """True when at least one line separates the cut from the counters."""
        return bool(self.after_date)


def canonical_column(written: str) -> str:
    """The canonical name of a column as written (contenders keep their own name)."""
    name = written.strip().strip('"').upper()
    return COLUMN_ALIASES.get(name, name)


def canonical_counter(written: str) -> str:
    """The canonical name of a header counter; a name that is none of the thirteen comes back as it is."""
    name = written.strip().strip('"').upper()
    return COUNTER_ALIASES.get(name, name)


def unwrap(cell: str) -> str:
    """Take the wrapper against spreadsheets off a key: ="X", 'X' and 'X all give X.

    >>> [unwrap(x) for x in ('="230085B0100"', "'230085B0100'", "'230085B0100", '230085B0100')]
    ['230085B0100', '230085B0100', '230085B0100', '230085B0100']
    """
    text = cell.strip()
    if text.startswith('="') and text.endswith('"') and len(text) >= 3:
        return text[2:-1]
    if text.startswith("'"):
        return text[1:-1] if len(text) > 1 and text.endswith("'") else text[1:]
    return text


def wrapper_of(cell: str) -> str:
    """Which key wrapper a cell carries: 'equals', 'quotes', 'apostrophe' or 'none'."""
    if cell.startswith('="'):
        return "equals"
    if cell.startswith("'"):
        return "quotes" if len(cell) > 1 and cell.endswith("'") else "apostrophe"
    return "none"


def wrap(value: str, wrapper: str) -> str:
    """Put a key wrapper on; the inverse of `unwrap` for the given wrapper."""
    if wrapper == "equals":
        return f'="{value}"'
    if wrapper == "quotes":
        return f"'{value}'"
    if wrapper == "apostrophe":
        return f"'{value}"
    return value


_ISO = re.compile(r"(\d{4})([-/])(\d{2})\2(\d{2}) (\d{2}):(\d{2})(:(\d{2}))?")
_DMY = re.compile(r"(\d{2})([-/])(\d{2})\2(\d{4}) (\d{2}):(\d{2})(:(\d{2}))?")
_SUFFIX = re.compile(r"\s*\(UTC[-\u2212][0-9]{1,2}\)$")

EMPTY_TIMES = frozenset({"", "-", "N/A"})
"""What a time cell says when there is no time."""


def time_format_of(cell: str) -> tuple[str, str] | None:
    """The strftime format of a time cell and its suffix (' (UTC-6)' in CDMX 2024), or None."""
    text = cell.strip()
    suffix = _SUFFIX.search(text)
    bare = text[: suffix.start()] if suffix else text
    for pattern, order in ((_ISO, "%Y{0}%m{0}%d"), (_DMY, "%d{0}%m{0}%Y")):
        match = pattern.fullmatch(bare)
        if match:
            clock = " %H:%M:%S" if match.group(7) else " %H:%M"
            return order.format(match.group(2)) + clock, suffix.group(0) if suffix else ""
    return None


@lru_cache(maxsize=512)
def _day_ms(year: int, month: int, day: int) -> int:
    """Milliseconds from the epoch to the UTC midnight of a date. ValueError if there is no such date."""
    return (date(year, month, day).toordinal() - 719_163) * MS_PER_DAY


def parse_time(cell: str, layout: Layout, utc_offset: int) -> int | None:
    """Milliseconds since the epoch (UTC) of a row time written in local time.

    `utc_offset` is in hours (-6). Returns None where the cell says there is no time ('', '-',
    'N/A'). Raises ValueError, in Spanish, when the cell is neither or is not in the layout's format.
    """
    text = cell.strip()
    if text in EMPTY_TIMES:
        return None
    if layout.time_suffix:
        text = text.removesuffix(layout.time_suffix.strip()).rstrip()
    iso = layout.date_format.startswith("%Y")
    match = (_ISO if iso else _DMY).fullmatch(text)
    if match is None:
        raise ValueError(f"la hora «{cell}» no tiene la forma {human_format(layout.date_format)}")
    first, _, month, last, hours, minutes, _, seconds = match.groups(default="0")
    year, day = (int(first), int(last)) if iso else (int(last), int(first))
    hour, minute, second = int(hours), int(minutes), int(seconds)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"la hora «{cell}» no existe")
    try:
        start = _day_ms(year, int(month), day)
    except ValueError:
        raise ValueError(f"la fecha «{cell}» no existe") from None
    return start + ((hour - utc_offset) * 60 + minute) * 60_000 + second * 1000


def human_format(date_format: str) -> str:
    """A strftime format in the words of the LEEME: «dd/mm/aaaa HH:MM:SS».

    >>> human_format("%d/%m/%Y %H:%M:%S")
    'dd/mm/aaaa HH:MM:SS'
    """
    text = date_format
    for code, words in (("%Y", "aaaa"), ("%m", "mm"), ("%d", "dd"), ("%H", "HH"), ("%M", "MM"), ("%S", "SS")):
        text = text.replace(code, words)
    return text


def layout_name(
    *,
    separator: str,
    federal: bool,
    columns: list[str],
    has_sep_line: bool,
    key_wrapper: str,
    after_date: tuple[str, ...],
    year: int,
) -> str:
    """A name for the layout, for people: the institute and year that set that way of writing."""
    if separator == "|":
        return "ine-2018" if federal else ("qroo-2019" if has_sep_line else "opl-pipes")
    if federal:
        return "ine-2021" if any(c.startswith("CODIGOS_") for c in columns) or year < 2024 else "ine-2024"
    if any(line.strip(" ") for line in after_date) or "MECANISMO_TRASLADO" in columns:
        return "cdmx-2024"
    if key_wrapper == "equals":
        return "opl-2022"
    return "opl-2024"
