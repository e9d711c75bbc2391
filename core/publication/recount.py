"""Recomputes the header of a results CSV from its bytes alone, as a citizen with the file would.

Independent on purpose: its own parsing and its own arithmetic, nothing shared with what made the
header or the rows. A row that contradicts itself is refused, because its figure would be in the
header too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain

from core.errors import PrepError
from core.publication.dialects import Dialect

NAMES = (
    "ACTAS_ESPERADAS",
    "ACTAS_REGISTRADAS",
    "ACTAS_FUERA_CATALOGO",
    "ACTAS_CAPTURADAS",
    "PORCENTAJE_ACTAS_CAPTURADAS",
    "ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_INCONSISTENCIAS",
    "ACTAS_NO_CONTABILIZADAS",
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
    "TOTAL_VOTOS_C_CS",
    "TOTAL_VOTOS_S_CS",
    "PORCENTAJE_PARTICIPACION_CIUDADANA",
)
"""The thirteen values, in the order every structure prints them."""


class HeaderMismatchError(PrepError):
    """What the rows of a results CSV say is not what its header says: the cut must not go out.

    `differences` are triples: counter, what the header says, what the rows say.
    """

    def __init__(self, message: str, differences: Sequence[tuple[str, str, str]] = ()) -> None:
        super().__init__(message)
        self.differences = tuple(differences)


class RowMismatchError(HeaderMismatchError):
    """A row contradicts itself, or is not a row of the file."""


def recount(data: bytes, dialect: Dialect, *, last: bool) -> dict[str, str]:
    """The thirteen header values, recomputed from the rows of the file.

    `last` says which participation applies: with casillas especiales in the last cut, without
    them before (Anexo 13, numeral 29). The dialect only tells the separator, the encoding and
    which observations are inconsistencies. Raises RowMismatchError.
    """
    columns, rows = _table(data, dialect)
    width = len(columns)
    kind, seen = columns.index("CONTABILIZADA"), columns.index("OBSERVACIONES")
    casilla, lista = columns.index("TIPO_CASILLA"), columns.index("LISTA_NOMINAL")
    first, end, total = _vote_block(columns)
    inconsistent_texts = dialect.inconsistent
    expected = captured = counted = outside = inconsistent = electors = votes = special = 0
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise RowMismatchError(f"la fila {number} tiene {len(row)} celdas; se esperaban {width}")
        status = row[kind]
        if status == "1":
            expected += 1
            captured += 1
            counted += 1
            try:
                here = sum(map(int, row[first:end]))
            except ValueError:
                here = _partial(row[first:end], number)
            if row[total] != str(here):
                raise RowMismatchError(
                    f"la fila {number} dice {row[total]} votos y sus celdas suman {here}",
                    (("TOTAL_VOTOS_CALCULADO", row[total], str(here)),),
                )
            votes += here
            if row[casilla] == "S":
                special += here
            electors += int(row[lista])
        elif status == "0":
            expected += 1
            captured += 1
        elif status == "2":
            outside += 1
        elif status == "-":
            expected += 1
        else:
            raise RowMismatchError(
                f"la fila {number} dice «{status}» en CONTABILIZADA; se esperaba 0, 1, 2 o -"
            )
        if row[seen] in inconsistent_texts:
            inconsistent += 1
    regular = votes - special
    values = (
        str(expected),
        str(captured + outside),
        str(outside),
        str(captured),
        _share(captured, expected),
        str(counted),
        _share(counted, expected),
        _share(inconsistent, expected),
        str(captured - counted),
        str(electors),
        str(votes),
        str(regular),
        _share(votes if last else regular, electors),
    )
    return dict(zip(NAMES, values, strict=True))


def written_header(data: bytes, dialect: Dialect) -> dict[str, str]:
    """The thirteen values as the file's own header has them, by their standard names."""
    lines = _head(data, dialect)
    at = next((i for i, line in enumerate(lines) if line.startswith("ACTAS_ESPERADAS")), None)
    if at is None or at + 1 >= len(lines):
        raise RowMismatchError("el archivo no tiene línea de contadores")
    values = lines[at + 1].split(dialect.file.separator)
    if len(values) != len(NAMES):
        raise RowMismatchError(f"el encabezado tiene {len(values)} valores; se esperaban {len(NAMES)}")
    return dict(zip(NAMES, values, strict=True))


def check_header(data: bytes, dialect: Dialect, *, last: bool, name: str) -> dict[str, str]:
    """The header of the file, once the rows agree with it.

    Raises HeaderMismatchError naming the file and each counter that differs.
    """
    written = written_header(data, dialect)
    try:
        recounted = recount(data, dialect, last=last)
    except RowMismatchError as error:
        raise RowMismatchError(f"{name}: {error}", error.differences) from error
    differences = [(key, written[key], value) for key, value in recounted.items() if written[key] != value]
    if differences:
        told = "; ".join(f"{key} dice {said} y las filas dan {found}" for key, said, found in differences)
        raise HeaderMismatchError(f"{name}: {told}", differences)
    return written


def _share(part: int, whole: int) -> str:
    """A percentage cut at four decimals."""
    if whole <= 0:
        return "0.0000"
    digits = str(part * 10**6 // whole).rjust(5, "0")
    return f"{digits[:-4]}.{digits[-4:]}"


def _partial(cells: Sequence[str], number: int) -> int:
    """The sum of the cells that hold a number; one at least, or the acta cannot be counted."""
    numbers = [int(cell) for cell in cells if cell.isdecimal()]
    if not numbers:
        raise RowMismatchError(f"la fila {number} está contabilizada y no tiene ningún voto legible")
    return sum(numbers)


def _vote_block(columns: Sequence[str]) -> tuple[int, int, int]:
    """Where the votes begin and end, and where their computed total is."""
    first = max(
        (i + 1 for i, name in enumerate(columns) if name.startswith(("TOTAL_VOTOS_SACADOS", "CODIGOS_"))),
        default=0,
    )
    end = next((i for i, name in enumerate(columns) if name.startswith("TOTAL_VOTOS_ASENTADO")), 0)
    total = next((i for i, name in enumerate(columns) if name.startswith("TOTAL_VOTOS_CALCULADO")), 0)
    if not 0 < first < end < total:
        raise RowMismatchError("no se encuentran las columnas de votos y sus totales")
    return first, end, total


def _head(data: bytes, dialect: Dialect) -> list[str]:
    text = data[:65536].decode(dialect.file.encoding, "replace").removeprefix("\ufeff")
    return text.splitlines()[:40]


def _table(data: bytes, dialect: Dialect) -> tuple[list[str], Iterator[list[str]]]:
    """Names of the columns and the rows after them."""
    # Streamed: a national file is not held twice as text.
    lines = io.TextIOWrapper(io.BytesIO(data), encoding=dialect.file.encoding)
    start = "CLAVE_CASILLA" + dialect.file.separator
    first = next((line for line in lines if line.removeprefix("\ufeff").startswith(start)), None)
    if first is None:
        raise RowMismatchError("el archivo no tiene línea de nombres de columna")
    rows = (line for line in lines if line != "\n")
    reader = csv.reader(chain([first], rows), delimiter=dialect.file.separator)
    columns = next(reader)
    missing = {"CONTABILIZADA", "OBSERVACIONES", "TIPO_CASILLA", "LISTA_NOMINAL"} - set(columns)
    if missing:
        raise RowMismatchError(f"faltan columnas: {', '.join(sorted(missing))}")
    return columns, reader
