"""CSV tables of a catalogue folder: opened, checked column by column, read cell by cell.

A cell that is wrong is noted with its line and column and reads as None; reading goes on, so that
all the faults of a table are told at once. What the values mean is `loader`'s business.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.catalogs.problems import Problems
from core.domain.spreadsheet import unfit
from core.foreign_text import foreign_bytes
from core.system_reasons import system_reason


class Row:
    """One line of a table. The getters note a fault and return None when the cell is not what it must be."""

    __slots__ = ("_cells", "_table", "line")

    def __init__(self, table: Table, line: int, cells: dict[str, str]) -> None:
        self._table = table
        self.line = line
        self._cells = cells

    def raw(self, column: str) -> str:
        """The cell without spaces around; '' when the table has no such column."""
        return self._cells.get(column, "")

    def text(self, column: str) -> str | None:
        """A text that must be there."""
        value = self.raw(column)
        if not value:
            self.fault(column, "un valor", message="falta el valor")
            return None
        return value

    def whole(self, column: str, least: int = 0, most: int = 9_999_999) -> int | None:
        """A whole number that must be there, from `least` to `most`."""
        value = self.raw(column)
        if not value:
            self.fault(column, message=f"falta; se esperaba {_span(least, most)}")
            return None
        number = _number(value)
        if number is None or not least <= number <= most:
            self.fault(column, _span(least, most), value)
            return None
        return number

    def optional(self, column: str, least: int = 0, most: int = 9_999_999) -> int | None:
        """A whole number that may be left empty: None both when empty and when wrong (which is noted)."""
        return self.whole(column, least, most) if self.raw(column) else None

    def fault(
        self, column: str | None, expected: str = "", found: object = None, *, message: str = ""
    ) -> None:
        """Note a fault of this line."""
        self._table.problems.add(self._table.path, self.line, column, expected, found, message=message)


def _number(text: str) -> int | None:
    digits = text[1:] if text.startswith("-") else text
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else None


def _span(least: int, most: int) -> str:
    if most >= 9_999_999:
        return f"un número entero desde {least}"
    return f"un número entero de {least} a {most}"


class Table:
    """A CSV file in UTF-8, comma separated, column names in its first line.

    `rows` is empty when the file could not be read at all; the reason is then among the problems.
    """

    def __init__(
        self, path: Path, problems: Problems, required: Sequence[str], optional: Sequence[str] = ()
    ) -> None:
        self.path = path
        self.problems = problems
        self.columns: list[str] = []
        self.rows: list[Row] = list(self._read(required, optional))

    def _read(self, required: Sequence[str], optional: Sequence[str]) -> Iterator[Row]:
        text = read_text(self.path, self.problems)
        if text is None:
            return
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            self.columns = [name.strip() for name in next(reader, [])]
            known = [*required, *optional]
            faults = len(self.problems.found)
            for number, name in enumerate(self.columns, start=1):
                if name not in known:
                    self.problems.add(self.path, 1, number, f"una de las columnas {', '.join(known)}", name)
                elif self.columns.index(name) != number - 1:
                    self.problems.add(self.path, 1, number, message=f"la columna {name} está repetida")
            for name in required:
                if name not in self.columns:
                    self.problems.add(self.path, 1, name, message="falta la columna")
            if len(self.problems.found) > faults:
                return
            before = reader.line_num
            empty = True
            for cells in reader:
                line, before = before + 1, reader.line_num
                if not cells:
                    continue
                empty = False
                if len(cells) != len(self.columns):
                    self.problems.add(
                        self.path, line, None, f"{len(self.columns)} valores, uno por columna", len(cells)
                    )
                    continue
                values = dict(zip(self.columns, (cell.strip() for cell in cells), strict=True))
                # What a cell holds is published, and opened in spreadsheets.
                for name, value in values.items():
                    expected = unfit(value)
                    if expected is not None:
                        self.problems.add(self.path, line, name, expected, value)
                        values[name] = ""
                yield Row(self, line, values)
            if empty:
                self.problems.add(self.path, 1, None, message="no tiene ninguna fila después de los nombres")
        except csv.Error as error:
            self.problems.add(
                self.path, reader.line_num, None, message=f"no se puede separar en columnas: {error}"
            )


def present(path: Path) -> bool:
    """Whether a file that may be left out was put there; a link that leads nowhere was, and is told."""
    return path.exists() or path.is_symlink()


def read_text(path: Path, problems: Problems) -> str | None:
    """The text of a file in UTF-8 (a BOM is accepted); None, and a fault noted, when it cannot be had."""
    try:
        raw = foreign_bytes(path)
    except FileNotFoundError:
        problems.add(path, None, None, message="falta el archivo")
        return None
    except OSError as error:
        problems.add(path, None, None, message=f"no se puede leer: {system_reason(error)}")
        return None
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    if not raw.strip():
        problems.add(path, None, None, message="está vacío")
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        wrong = raw[error.start : error.start + 1].hex()
        problems.add(path, line, column, message=f"no está en UTF-8 (byte {wrong}); guárdelo como UTF-8")
        return None
