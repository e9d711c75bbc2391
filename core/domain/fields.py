"""What one box of an acta can hold: a number, or a mark that says why there is no number.

A mark is never zero: it is not an `int`, so adding one by mistake raises instead of counting.
This module does not decide what a mark means for the acta; `rules` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeAlias

MAX_VOTES_IN_A_FIELD = 999_999
"""Largest number a field accepts; the widest real box is three or four digits."""


class Mark(StrEnum):
    """Why a field has no number. `str` so that it is written to the ledger as its own name."""

    ILEGIBLE = "ILEGIBLE"
    """Unreadable in letter and in number (Anexo 13, inconsistencies)."""
    SIN_DATO = "SIN_DATO"
    """Nothing written in letter nor in number."""
    NO_APLICA = "NO_APLICA"
    """The acta has no such field: a contender that does not run there, a section of a voto anticipado."""


Field: TypeAlias = int | Mark
"""One captured field."""

_MARKS = {mark.value: mark for mark in Mark}


def count_sum(fields: Iterable[Field]) -> int:
    """Add up the numbers among `fields`; marks add nothing."""
    return sum(field for field in fields if not isinstance(field, Mark))


def valid_field(field: object) -> bool:
    """True for a mark or an integer between 0 and `MAX_VOTES_IN_A_FIELD` (a bool is not a number)."""
    if isinstance(field, Mark):
        return True
    return type(field) is int and 0 <= field <= MAX_VOTES_IN_A_FIELD


def decode_field(raw: object) -> Field:
    """Read back a field written to the ledger (an integer or a mark's name).

    Raises ValueError for anything else.
    """
    if type(raw) is int:
        return raw
    if isinstance(raw, str) and raw in _MARKS:
        return _MARKS[raw]
    raise ValueError(f"not a field: {raw!r}")


def decode_fields(raw: Sequence[object]) -> tuple[Field, ...]:
    """Read back a row of fields; see `decode_field`."""
    return tuple(item if type(item) is int else decode_field(item) for item in raw)
