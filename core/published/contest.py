"""Which election a published file is of, told from its title, its columns or its name.

Also the one shape in which this package refuses a file. Nothing here opens one.
"""

from __future__ import annotations

import re
from pathlib import Path

from core.errors import InputError
from core.published.layout import canonical_column

CONTESTS = ("GUB", "DIP_LOC", "AYUN", "PRES", "SEN", "DIP_FED")
FEDERAL_CONTESTS = ("PRES", "SEN", "DIP_FED")


def refusal(
    path: Path, what: str, *, expected: str, line: int | None = None, column: int | None = None
) -> InputError:
    """The error for a file that is not what it should be: what was seen and what was expected."""
    return InputError(path, line, column, expected, message=f"{what}; se esperaba {expected}")


_WORDS = (
    (
        "AYUN",
        (
            "AYUNTAMIENTO",
            "ALCALD",
            "MUNICIPE",
            "MUNÍCIPE",
            "PRESIDENCIAS MUNICIPALES",
            "PRESIDENCIA MUNICIPAL",
        ),
    ),
    ("GUB", ("GUBERNATURA", "GUBERNATURAS", "JEFATURA DE GOBIERNO", "GOBERNADOR")),
    ("SEN", ("SENADUR", "SENADOR")),
    ("PRES", ("PRESIDENCIA", "PRESIDENTE")),
)
_FILE_WORDS = (("GUB", "GUB"), ("AYUN", "AYUN"), ("ALC", "AYUN"), ("PRES", "PRES"), ("SEN", "SEN"))


def contest_of(path: Path, title: str, columns: list[str], entities: int, title_at: int) -> str:
    """GUB, DIP_LOC, AYUN, PRES, SEN or DIP_FED, from the title, the columns or the file's name."""
    heading = title.upper()
    name = path.stem.upper()
    if "DIPUTA" in heading or (not heading.strip() and "DIP" in name):
        local = "LOCAL" in heading or "DIP_LOC" in name or any(c.upper().endswith("_LOCAL") for c in columns)
        federal = "FEDERAL" in heading or any(c.upper().endswith("_FEDERAL") for c in columns) or entities > 1
        return "DIP_FED" if federal and not local else "DIP_LOC"
    for contest, words in _WORDS:
        if any(word in heading for word in words):
            return contest
    tokens = re.split(r"[^A-Z]+", name)
    for token, contest in _FILE_WORDS:
        if any(part.startswith(token) for part in tokens):
            return contest
    if any(canonical_column(c) in ("ID_MUNICIPIO", "MUNICIPIO") for c in columns):
        return "AYUN"
    raise refusal(
        path,
        f"no se reconoce la elección: «{title}»",
        line=title_at + 1,
        column=1,
        expected="gubernatura, diputaciones, ayuntamientos, presidencia o senadurías",
    )
