"""A TOML file read key by key, with the line of each fault.

The parser of the standard library keeps no positions, so the lines of the keys are found again in
the text. It knows nothing of catalogues.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.catalogs.problems import Problems
from core.catalogs.tables import read_text
from core.foreign_text import TOO_DEEP, TOO_LONG, toml_of

_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")
_REASONS = {
    "Cannot overwrite a value": "la clave ya se había escrito",
    "Cannot declare": "la tabla ya se había escrito",
    "Cannot mutate": "eso ya se había escrito completo",
    "Cannot redefine": "eso ya se había escrito completo",
    "Duplicate inline table key": "la clave ya se había escrito",
    "Invalid value": "falta el valor, o no es un texto entre comillas, un número, una fecha, true o false",
    "Invalid initial character for a key": "ahí se esperaba el nombre de una clave",
    "Invalid statement": "ahí se esperaba una clave o una tabla",
    "Expected '=' after a key": "después de la clave se esperaba =",
    "Unterminated string": "un texto no se cierra",
    "Unclosed": "algo que se abre no se cierra",
    "Expected newline or end of document": "sobra algo después del valor",
    "Illegal character": "hay un carácter que no se admite",
    "Unescaped": "una diagonal invertida no se admite así",
    TOO_DEEP: TOO_DEEP,
    TOO_LONG: TOO_LONG,
}
"""What the parser says, by how it begins; anything else is told by its place alone."""
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*=""")


class TomlTable:
    """A table of a TOML file. Getters note a fault and return None when a value is not what it must be."""

    def __init__(self, file: TomlFile, data: Mapping[str, Any], place: str) -> None:
        self.file = file
        self.data = data
        self.place = place

    def line(self, key: str | None = None) -> int | None:
        """Line of a key, or of the table's own heading."""
        lines = self.file.lines
        return lines.get(f"{self.place}.{key}" if self.place else key or "", lines.get(self.place))

    def fault(self, key: str | None, expected: str = "", found: object = None, *, message: str = "") -> None:
        """Note a fault of a key of this table, or of the whole table."""
        self.file.problems.add(self.file.path, self.line(key), key, expected, found, message=message)

    def only(self, *keys: str) -> None:
        """Refuse keys other than these: a misspelt one would be silently ignored."""
        for key in self.data:
            if key not in keys:
                self.fault(key, message=f"no se conoce; se esperaba una de {', '.join(keys)}")

    def text(self, key: str, default: str | None = None) -> str | None:
        """A text; must be there when there is no default."""
        value: str | None = self._value(key, str, "un texto entre comillas", default)
        if value is not None and not value.strip() and default is None:
            self.fault(key, message="está vacío")
            return None
        return value

    def whole(self, key: str, least: int, most: int, default: int | None = None) -> int | None:
        """A whole number within [least, most]."""
        expected = f"un número entero de {least} a {most}"
        value: int | None = self._value(key, int, expected, default)
        if value is not None and not least <= value <= most:
            self.fault(key, expected, value)
            return None
        return value

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self._value(key, bool, "true o false", default)
        return default if value is None else bool(value)

    def texts(self, key: str, default: list[str] | None = None) -> list[str] | None:
        """A list of texts."""
        found: list[str] | None = self._list(key, str, "una lista de textos", default)
        return found

    def wholes(self, key: str) -> list[int] | None:
        """A list of whole numbers; None when the key is not there."""
        found: list[int] | None = None
        if key in self.data:
            found = self._list(key, int, "una lista de números enteros", [])
        return found

    def table(self, key: str, required: bool = True) -> TomlTable:
        """A table inside this one; an empty one, noted when required, if it is not there."""
        value = self.data.get(key, {})
        if not isinstance(value, dict):
            self.fault(key, f"una tabla [{key}]", value)
            value = {}
        elif required and key not in self.data:
            self.fault(None, message=f"falta la tabla [{key}]")
        return TomlTable(self.file, value, f"{self.place}.{key}" if self.place else key)

    def tables(self, key: str) -> list[TomlTable]:
        """The tables of a list of them ([[key]]); none when the key is not there."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fault(key, f"tablas [[{key}]]", value)
            return []
        prefix = f"{self.place}.{key}" if self.place else key
        return [TomlTable(self.file, item, f"{prefix}#{number}") for number, item in enumerate(value)]

    def _value(self, key: str, kind: type, expected: str, default: Any) -> Any:
        if key not in self.data:
            if default is None:
                self.fault(key, message=f"falta; se esperaba {expected}")
            return default
        value = self.data[key]
        # bool is an int in Python, not in TOML.
        if type(value) is not kind:
            self.fault(key, expected, value)
            return None
        return value

    def _list(self, key: str, kind: type, expected: str, default: Any) -> Any:
        value = self._value(key, list, expected, default)
        if value is None:
            return None
        if not all(type(item) is kind for item in value):
            self.fault(key, expected, value)
            return None
        return value


class TomlFile:
    """A TOML file; `root` is None when it could not be read, with the reason among the problems."""

    def __init__(self, path: Path, problems: Problems) -> None:
        self.path = path
        self.problems = problems
        self.lines: dict[str, int] = {}
        self.root: TomlTable | None = None
        text = read_text(path, problems)
        if text is None:
            return
        try:
            data = toml_of(text)
        except tomllib.TOMLDecodeError as error:
            place = _PLACE.search(str(error))
            # Without a place the parser stopped at the end of the document.
            line, column = (int(place[1]), int(place[2])) if place else (len(text.splitlines()), None)
            problems.add(path, line, column, message=_not_toml(str(error)))
            return
        self.lines = _key_lines(text)
        self.root = TomlTable(self, data, "")


def _not_toml(said: str) -> str:
    """What the parser said, in Spanish."""
    reason = next((words for start, words in _REASONS.items() if said.startswith(start)), "")
    return f"no es TOML válido: {reason}" if reason else "no es TOML válido"


def _key_lines(text: str) -> dict[str, int]:
    """Line of every heading and key: 'a.b' for a key, 'a#0.b' inside the first [[a]]."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    current: dict[str, str] = {}
    place = ""
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        quotes = line.count('"""') + line.count("'''")
        if inside:
            inside = quotes % 2 == 0
            continue
        header = _HEADER.match(line)
        if header:
            names = [part.strip().strip("\"'") for part in header[2].split(".")]
            place = _resolve(names, header[1] == "[[", counts, current)
            lines.setdefault(place, number)
            continue
        key = _KEY.match(line)
        if key:
            name = key[1] or key[2] or key[3]
            lines.setdefault(f"{place}.{name}" if place else name, number)
        inside = quotes % 2 == 1
    return lines


def _resolve(names: list[str], in_list: bool, counts: dict[str, int], current: dict[str, str]) -> str:
    place = ""
    for depth, name in enumerate(names):
        plain = f"{place}.{name}" if place else name
        if in_list and depth == len(names) - 1:
            number = counts.get(plain, 0)
            counts[plain] = number + 1
            current[plain] = f"{plain}#{number}"
        place = current.get(plain, plain)
    return place
