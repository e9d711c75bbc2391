"""What of a command can be written down: lengths of its texts, ranges of its numbers.

A station can send anything. What no database could store is refused with a typed no before it is
looked at, so that it harms nobody else in its batch. Captured fields have their own check.
"""

from __future__ import annotations

from dataclasses import fields
from enum import Enum

from core.domain.commands import Command
from core.domain.spreadsheet import unfit

LENGTHS = {
    "key": 80, "actor": 64, "station": 64, "document": 24, "mechanism": 4, "contest": 16,
    "incident": 120, "into": 120, "activation": 120, "alert": 120, "rule": 120, "assignee": 64, "hold": 60,
    "detail": 16_000,
}  # fmt: skip
"""Characters a text may have, where a column or a key limits it."""

PUBLISHED = frozenset({"document", "mechanism"})
"""Texts of a command that are cells of the published files: nobody's spreadsheet may obey them."""

FREE_TEXT = 500
"""Characters of the texts that people write: reasons, what can be read of an identification."""

MOST_CATDS = 5_000
"""CATDs a command may name; the whole country has fewer."""

MOST_SLOTS = 1_500
"""Slots a notice may name: one a minute for a whole day."""

MOST_STEPS = 100
"""Steps the checklist of a measure may have."""

LARGEST = 2**53
"""Largest number of a command: JSON readers agree up to here."""


_LIMITS: dict[type[Command], tuple[tuple[str, int, bool], ...]] = {}


def _limits(kind: type[Command]) -> tuple[tuple[str, int, bool], ...]:
    """(name, longest, whether it is published) of the fields of a kind of command; worked out once."""
    found = _LIMITS.get(kind)
    if found is None:
        found = tuple(
            (field.name, LENGTHS.get(field.name, FREE_TEXT), field.name in PUBLISHED)
            for field in fields(kind)
        )
        _LIMITS[kind] = found
    return found


def unwritable(command: Command) -> str | None:
    """Why a command cannot be written down, in Spanish; None when it can."""
    for name, longest, published in _limits(type(command)):
        value = getattr(command, name)
        if isinstance(value, str):
            if isinstance(value, Enum):
                continue
            if len(value) > longest:
                return f"«{name}» pasa de {longest} caracteres."
            if published and unfit(value) is not None:
                return f"«{name}» debe ser {unfit(value)}."
            if not value.isascii() and not _encodes(value):
                return f"«{name}» no es texto válido."
            if "\0" in value:
                return f"«{name}» no es texto válido."
        elif isinstance(value, tuple) and name == "catds":
            if len(value) > MOST_CATDS or any(type(one) is not int for one in value):
                return f"«{name}» debe ser una lista de a lo más {MOST_CATDS} números de CATD."
        elif isinstance(value, tuple) and name == "steps":
            if len(value) > MOST_STEPS or any(not _is_text(one) for one in value):
                return (
                    f"«{name}» debe ser una lista de a lo más {MOST_STEPS} textos de {FREE_TEXT} caracteres."
                )
        elif isinstance(value, tuple) and name == "slots":
            if len(value) > MOST_SLOTS or any(
                type(one) is not int or not -LARGEST <= one <= LARGEST for one in value
            ):
                return f"«{name}» debe ser una lista de a lo más {MOST_SLOTS} horas."
        elif type(value) is int and not -LARGEST <= value <= LARGEST:
            return f"«{name}» es un número fuera de rango."
    return None if command.key else "«key» está vacía."


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= FREE_TEXT and "\0" not in value and _encodes(value)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
