"""What an action may bring: the fields of its JSON body, checked before anybody looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from core.errors import UsageError

Kind: TypeAlias = Literal["text", "number", "decimal", "numbers", "object"]

LONGEST_TEXT = 500
LONGEST_KEY = 120
MOST_NUMBERS = 5000


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its kind, whether it must be there, the characters of a text, the range of a number."""

    kind: Kind = "text"
    required: bool = True
    longest: int = LONGEST_TEXT
    least: int = 0
    most: int = 2**31


KEY = Field(longest=LONGEST_KEY)
TEXT = Field()
OPTIONAL_TEXT = Field(required=False)
CATDS = Field("numbers", required=False)
STEP = Field("number", most=99)

Values: TypeAlias = dict[str, Any]

_TOLD = {
    "titulo": "título", "catds": "CATD", "catd": "CATD", "contrasena": "contraseña",
    "actual": "contraseña actual", "nueva": "contraseña nueva", "activacion": "activación", "a": "persona",
    "en": "incidente en el que queda",
}  # fmt: skip
"""How people read the names that are not the word itself."""


def _told(name: str) -> str:
    return _TOLD.get(name, name)


class BadFieldError(UsageError):
    """A field is missing, unknown or not what it must be; `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)

    def as_data(self) -> dict[str, object]:
        """Adds the name of the field."""
        return {"mensaje": str(self), "campo": self.field}


def check(fields: Mapping[str, Field], given: object) -> Values:
    """The values of a body: every field of the action, None (or empty) for those left out.

    Raises BadFieldError at the first that will not do.
    """
    if not isinstance(given, dict):
        raise BadFieldError("", "Se esperaba un objeto JSON.")
    for name in given:
        if name not in fields:
            raise BadFieldError(str(name)[:40], f"No hay un campo «{str(name)[:40]}».")
    return {name: _value(name, field, given.get(name)) for name, field in fields.items()}


def _value(name: str, field: Field, value: Any) -> Any:
    if value is None or value == "":
        if field.required:
            raise BadFieldError(name, f"Falta «{_told(name)}».")
        return {"text": "", "numbers": (), "object": {}}.get(field.kind)
    if field.kind == "text":
        return _text(name, field, value)
    if field.kind == "numbers":
        if not isinstance(value, list) or len(value) > MOST_NUMBERS:
            raise BadFieldError(name, f"«{_told(name)}» debe ser una lista de números.")
        return tuple(dict.fromkeys(_number(name, field, one) for one in value))
    if field.kind == "object":
        if not isinstance(value, dict):
            raise BadFieldError(name, f"«{_told(name)}» debe ser un objeto.")
        return value
    if field.kind == "decimal":
        if type(value) not in (int, float) or not field.least <= value <= field.most:
            raise BadFieldError(name, f"«{_told(name)}» debe ser un número de {field.least} a {field.most}.")
        return float(value)
    return _number(name, field, value)


def _text(name: str, field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise BadFieldError(name, f"«{_told(name)}» debe ser un texto.")
    text = value.strip()
    if field.required and not text:
        raise BadFieldError(name, f"Falta «{_told(name)}».")
    if len(text) > field.longest:
        raise BadFieldError(name, f"«{_told(name)}» pasa de {field.longest} caracteres.")
    if any(not one.isprintable() and one not in "\n\t" for one in text):
        raise BadFieldError(name, f"«{_told(name)}» tiene caracteres que no se pueden escribir.")
    return text


def _number(name: str, field: Field, value: Any) -> int:
    if type(value) is not int or not field.least <= value <= field.most:
        raise BadFieldError(
            name, f"«{_told(name)}» debe ser un número entero de {field.least} a {field.most}."
        )
    return value
