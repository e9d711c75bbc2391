"""The sheet of actas as XLSX, streamed: the same cells as the results CSV, as Excel would want them.

General libraries are twenty times slower on this one sheet. Keys and identifiers stay text, numbers
are numbers, and a text that begins with = is a text (inlineStr is never a formula). The bytes
depend only on the content. Styled workbooks are not made here; see `summary_xlsx`.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import getitem
from typing import BinaryIO

from core.published.layout import unwrap

MAX_ROWS = 1_048_576
"""Rows a sheet can hold."""

FIXED_DATE = (1980, 1, 1, 0, 0, 0)
"""Date of every member: the first a ZIP can have, so that the bytes do not depend on the clock."""

NUMBER_COLUMNS = frozenset({
    "UBICACION_CASILLA", "TOTAL_BOLETAS_SOBRANTES", "TOTAL_PERSONAS_VOTARON", "TOTAL_REP_PARTIDO_CI_VOTARON",
    "TOTAL_VOTOS_SACADOS", "TOTAL_VOTOS_ASENTADO", "TOTAL_VOTOS_CALCULADO", "LISTA_NOMINAL",
    "REPRESENTANTES_PP_CI", "CONTABILIZADA", "COTEJADA",
})  # fmt: skip
"""Canonical columns, votes apart, whose whole numbers are written as numbers."""

UNIQUE_COLUMNS = frozenset({
    "CLAVE_CASILLA", "CLAVE_ACTA", "CODIGO_INTEGRIDAD", "FECHA_HORA_ACOPIO", "FECHA_HORA_CAPTURA",
    "FECHA_HORA_VERIFICACION",
})  # fmt: skip
"""Columns that hardly repeat: keeping their fragments would only fill memory."""

_CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
_RELATIONSHIPS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    '{kind}" Target="{target}"/></Relationships>'
)
_WORKBOOK = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="{name}" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_SHEET_OPEN = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="{frozen}" topLeftCell="A{below}" '
    'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_SHEET_CLOSE = "</sheetData></worksheet>"

_SPECIAL = re.compile("[&<>\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|^\\s|\\s$|\r")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_KEPT_FRAGMENTS = 20_000
_CHUNK_ROWS = 512
_LONGEST_NUMBER = 15


def text_cell(text: str) -> str:
    """A cell that holds a text, whatever it begins with. Characters XML forbids are dropped."""
    if not text:
        return "<c/>"
    # Most texts are keys and hashes, which the first question settles.
    if text.isalnum() or not _SPECIAL.search(text):
        return f'<c t="inlineStr"><is><t>{text}</t></is></c>'
    clean = _FORBIDDEN.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    clean = clean.replace("\r", "&#13;")
    return f'<c t="inlineStr"><is><t xml:space="preserve">{clean}</t></is></c>'


def number_cell(text: str) -> str:
    """A cell that holds a whole number when the text is one; otherwise the text."""
    plain = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    if plain and (text[0] != "0" or text == "0"):
        return f"<c><v>{text}</v></c>"
    return text_cell(text)


class _Fragments(dict[str, str]):
    """XML of each different text of a kind of column; few texts make most of a sheet."""

    def __init__(self, make: Callable[[str], str], kept: int) -> None:
        super().__init__()
        self._make = make
        self._kept = kept

    def __missing__(self, text: str) -> str:
        fragment = self._make(text)
        if len(self) < self._kept:
            self[text] = fragment
        return fragment


def _key_cell(text: str) -> str:
    return text_cell(unwrap(text))


class ActaSheet:
    """The rows of one contest as XML. It is a `RowSink`: it keeps each row until it is put again.

    `canonical` are the columns of the file in order, `votes` the codes among them and `wrapped`
    those whose wrapper against spreadsheets must come off.
    """

    def __init__(
        self, canonical: Sequence[str], votes: Sequence[str], wrapped: frozenset[str], rows: int
    ) -> None:
        kinds = {
            "number": _Fragments(number_cell, _KEPT_FRAGMENTS),
            "text": _Fragments(text_cell, _KEPT_FRAGMENTS),
            "unique": _Fragments(text_cell, 0),
            "key": _Fragments(_key_cell, _KEPT_FRAGMENTS),
            "unique key": _Fragments(_key_cell, 0),
        }
        numbers = NUMBER_COLUMNS | set(votes)
        self._tables: list[_Fragments] = []
        for name in canonical:
            if name in numbers:
                self._tables.append(kinds["number"])
                continue
            kind = "key" if name in wrapped else "text"
            if name in UNIQUE_COLUMNS:
                kind = "unique key" if name in wrapped else "unique"
            self._tables.append(kinds[kind])
        self._rows: list[bytes] = [b""] * rows
        self._outside: list[bytes] = []

    def put(self, position: int, cells: Sequence[str]) -> None:
        """Render the row of the acta at a position."""
        self._rows[position] = self.row(cells)

    def put_outside(self, rows: Sequence[Sequence[str]]) -> None:
        """Render the rows fuera de catálogo."""
        self._outside = [self.row(cells) for cells in rows]

    def row(self, cells: Sequence[str]) -> bytes:
        """One row of the sheet."""
        if len(cells) != len(self._tables):
            raise ValueError(f"{len(cells)} cells for {len(self._tables)} columns")
        return f"<row>{''.join(map(getitem, self._tables, cells))}</row>".encode()

    def chunks(self) -> Iterator[bytes]:
        """The kept rows in order, joined some hundreds at a time."""
        for start in range(0, len(self._rows), _CHUNK_ROWS):
            yield b"".join(self._rows[start : start + _CHUNK_ROWS])
        yield b"".join(self._outside)

    def chunks_of(self, rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
        """Rows given as cells, for a contest too large to keep."""
        pending: list[bytes] = []
        for cells in rows:
            pending.append(self.row(cells))
            if len(pending) == _CHUNK_ROWS:
                yield b"".join(pending)
                pending.clear()
        yield b"".join(pending)


def write_sheet(
    stream: BinaryIO,
    name: str,
    preamble: Sequence[Sequence[str]],
    columns: Sequence[str],
    rows: Iterable[bytes],
) -> int:
    """Write the workbook: the header block, the names of the columns and the rows as XML.

    Returns the bytes of sheet XML before compression.
    """
    top = "".join(f"<row>{''.join(map(number_cell, cells))}</row>" for cells in [*preamble, columns])
    opening = _SHEET_OPEN.format(frozen=len(preamble) + 1, below=len(preamble) + 2)
    size = 0
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        package.writestr(_member("[Content_Types].xml"), _CONTENT_TYPES, compresslevel=1)
        kinds = (("_rels/.rels", "officeDocument", "xl/workbook.xml"),
                 ("xl/_rels/workbook.xml.rels", "worksheet", "worksheets/sheet1.xml"))  # fmt: skip
        for path, kind, target in kinds:
            package.writestr(_member(path), _RELATIONSHIPS.format(kind=kind, target=target), compresslevel=1)
        workbook = _WORKBOOK.format(name=_sheet_name(name))
        package.writestr(_member("xl/workbook.xml"), workbook, compresslevel=1)
        with package.open(_member("xl/worksheets/sheet1.xml"), "w", force_zip64=True) as sheet:
            size += sheet.write((opening + top).encode())
            for chunk in rows:
                size += sheet.write(chunk)
            size += sheet.write(_SHEET_CLOSE.encode())
    return size


def _member(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, FIXED_DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info._compresslevel = 1  # type: ignore[attr-defined]  # ZipFile.open takes the level from nowhere else
    info.create_system = 3
    info.external_attr = 0o644 << 16
    return info


def _sheet_name(name: str) -> str:
    return re.sub(r"[\[\]:*?/\\&<>\"']", " ", name)[:31] or "Actas"
