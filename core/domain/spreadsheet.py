"""What a spreadsheet would take for a formula when it opens a text file of ours.

A name that begins with «=» is executed by whoever opens the CSV. Names that come from outside are refused
where they enter (catalogues, commands), so that the published files keep the format of the INE untouched;
`safe_cell` is for the exports of people's free texts, which are not that format. It knows no file.

A program may ignore what is invisible before the sign, and may cut a line where its region does: at «;» or
at a tab, also inside the quotes of a cell that are not at the beginning of what it cut. So each piece of a
text counts as the beginning of a cell.
"""

from __future__ import annotations

import re
import unicodedata

_SIGNS = frozenset("=+-@\N{MINUS SIGN}\N{HYPHEN}\N{HEAVY PLUS SIGN}\N{HEAVY MINUS SIGN}")
"""How a formula begins, once the full width, small, raised and lowered forms are made plain (NFKC)."""
_BLANK = frozenset(
    '"\N{COMBINING GRAPHEME JOINER}\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HANGUL FILLER}'
    "\N{HALFWIDTH HANGUL FILLER}\N{BRAILLE PATTERN BLANK}"
)
"""What shows nothing and is of no category of blanks; and the quote, which a cut may leave behind."""
_BLANKS = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))
_SKIPPED = ("\t", "\r", "\n")
"""A cell that begins with these is trimmed by some programs before they look."""
_PIECE = re.compile(r"[^;|\t\r\n]+")
_COMMAS = re.compile(r"[^;|,\t\r\n]+")
"""A name may go in files separated by bars: who opens them with commas cuts there, with no quotes."""
_NUMBER = re.compile(r"[+-][0-9]{1,15}(?:[.,][0-9]{1,15})?")
# All that may stand before a sign, or be one, is outside of these.
_PLAIN = re.compile(r"[A-Za-z0-9ÁÉÍÓÚÑáéíóúñ][A-Za-z0-9ÁÉÍÓÚÑÜáéíóúñü .:_/()*#'-]*")

EXPECTED = "un texto que no empiece con =, +, - o @ (una hoja de cálculo lo tomaría por fórmula)"
PRINTABLE = "un texto sin caracteres de control"


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would obey the text, or a piece of it.

    A lone sign is no formula, nor is a number; but a piece that begins so goes on with the next cell.
    """
    if _PLAIN.fullmatch(text):
        return False
    if len(text) > 1 and text.startswith(_SKIPPED):
        return True
    return _obeyed(text) or any(_obeyed(piece[0], text) for piece in _PIECE.finditer(text))


def _obeyed(piece: str, whole: str | None = None) -> bool:
    """Whether a piece of a text would be obeyed; of the whole text when it is not given."""
    bare = _bare(piece)
    if whole in (None, piece) and (not _bare(bare[1:]) or _NUMBER.fullmatch(bare.rstrip())):
        return False
    return bare != "" and unicodedata.normalize("NFKC", bare[0])[0] in _SIGNS


def _bare(piece: str) -> str:
    """The piece from the first character that shows."""
    for place, one in enumerate(piece):
        if one not in _BLANK and unicodedata.category(one) not in _BLANKS and not _is_selector(one):
            return piece[place:]
    return ""


def _is_selector(one: str) -> bool:
    return "\ufe00" <= one <= "\ufe0f" or "\U000e0100" <= one <= "\U000e01ef"


def unfit(text: str) -> str | None:
    """What was expected of a name instead of this text, in Spanish; None when it will do."""
    if _PLAIN.fullmatch(text):
        return None
    if is_formula(text) or any(_obeyed(piece[0]) for piece in _COMMAS.finditer(text)):
        return EXPECTED
    return None if text.isprintable() else PRINTABLE


def safe_cell(text: str) -> str:
    """The cell of an export: each piece that would be a formula goes after an apostrophe."""
    if not is_formula(text):
        return text
    safe = _PIECE.sub(lambda piece: f"'{piece[0]}" if _obeyed(piece[0], text) else piece[0], text)
    return f"'{safe}" if safe.startswith(_SKIPPED) or _obeyed(safe) else safe
