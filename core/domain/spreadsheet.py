"""What a spreadsheet would take for a formula when it opens a text file of ours.

A name that begins with «=» is executed by whoever opens the CSV. Names that come from outside are refused
where they enter (catalogues, commands), so that the published files keep the format of the INE untouched;
`safe_cell` is for the exports of people's free texts, which are not that format. It knows no file.
"""

from __future__ import annotations

import re

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula begins, also in the full width forms that some programs read as the plain ones."""
_NUMBER = re.compile(r"[+-][0-9]{1,15}(?:[.,][0-9]{1,15})?")

EXPECTED = "un texto que no empiece con =, +, - o @ (una hoja de cálculo lo tomaría por fórmula)"
PRINTABLE = "un texto sin caracteres de control"


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would obey the text. A lone sign is none, nor is a number."""
    return len(text) > 1 and text.startswith(_STARTS) and _NUMBER.fullmatch(text) is None


def unfit(text: str) -> str | None:
    """What was expected of a name instead of this text, in Spanish; None when it will do."""
    if is_formula(text):
        return EXPECTED
    return None if text.isprintable() else PRINTABLE


def safe_cell(text: str) -> str:
    """The cell of an export: what would be a formula goes after an apostrophe."""
    return f"'{text}" if is_formula(text) else text
