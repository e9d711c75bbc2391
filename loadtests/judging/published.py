"""JSON of a publication, read with the place of whatever is wrong in it.

A reader of objects one knows: each key is asked for with its kind, and what is not there is told with its
file and its key. It validates nothing that is not asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from core.errors import InputError, shown
from core.foreign_text import json_of
from loadtests.reasons import why


@dataclass(frozen=True, slots=True)
class Part:
    """An object (or a list) of a JSON file, and where it is. Everything here raises InputError."""

    file: str
    place: str
    data: Any

    def text(self, key: str | int) -> str:
        """A text."""
        found = self._get(key)
        if not isinstance(found, str):
            self._wrong(key, "un texto", found)
        return found

    def whole(self, key: str | int) -> int:
        """A whole number."""
        found = self._get(key)
        if not isinstance(found, int) or isinstance(found, bool):
            self._wrong(key, "un entero", found)
        return found

    def part(self, key: str | int) -> Part:
        """An object."""
        found = self._get(key)
        if not isinstance(found, dict):
            self._wrong(key, "un objeto", found)
        return Part(self.file, self._name(key), found)

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Each key of this object, whose values are objects."""
        for key in self.data:
            yield key, self.part(key)

    def rows(self, key: str | int) -> list[Part]:
        """A list of objects."""
        return self._list(key, dict, "un objeto")

    def lists(self, key: str | int) -> list[Part]:
        """A list of lists."""
        return self._list(key, list, "una lista")

    def _list(self, key: str | int, kind: type, expected: str) -> list[Part]:
        found = self._get(key)
        if not isinstance(found, list):
            self._wrong(key, "una lista", found)
        for number, one in enumerate(found):
            if not isinstance(one, kind):
                self._wrong(f"{key}[{number}]", expected, one)
        return [Part(self.file, f"{self._name(key)}[{n}]", one) for n, one in enumerate(found)]

    def _get(self, key: str | int) -> Any:
        try:
            return self.data[key]
        except (KeyError, IndexError):
            self._wrong(key, "que estuviera", None)

    def _name(self, key: str | int) -> str:
        name = f"[{key}]" if isinstance(key, int) else f".{key}" if self.place else key
        return f"{self.place}{name}"

    def _wrong(self, key: str | int, expected: str, found: Any) -> NoReturn:
        message = f"{self._name(key)}: se esperaba {expected}"
        if found is not None:
            message += f"; se encontró «{shown(found, 80)}»"
        raise InputError(self.file, message=message)


def read_part(get: Callable[[str], bytes], name: str) -> Part:
    """The object of a public file. Raises InputError when it is not JSON or not an object."""
    try:
        found = json_of(get(name))
    except ValueError as error:
        raise InputError(name, message=f"no es JSON: {why(error)}") from error
    if not isinstance(found, dict):
        raise InputError(name, message="se esperaba un objeto JSON")
    return Part(name, "", found)
