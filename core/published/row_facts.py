"""What a row of a published file says, in the terms of the domain.

Turns cell texts into fields, marks and observation classes, whatever the institute's spelling,
and keeps what was odd about the spelling for the linter to tell. It judges nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from core.domain.fields import Field, Mark
from core.foreign_text import whole_of
from core.published.reader import PublishedFile

CAPTURED = "captured"
OUTSIDE = "outside"
PENDING = "pending"

NO_SECTION_TYPES = frozenset("AMPV")
"""Casilla types without section: voto anticipado, extranjero, prisión preventiva (P in 2024, V in 2021)."""


class Quantity(NamedTuple):
    """A cell that should hold a quantity. `field` is None when it is empty or cannot be understood.

    `slip` names what is wrong with the spelling: '', 'leak' (214.0), 'mark' (sin_dato), 'empty',
    'unknown'. `sin_acta` and `pending` tell the two texts that are no field of an acta.
    """

    field: Field | None
    slip: str = ""
    sin_acta: bool = False
    pending: bool = False


_MARK_SPELLINGS = frozenset(
    {"ILEGIBLE", "Ilegible", "SIN DATO", "Sin dato", "SIN ACTA", "Sin acta", "Sin Acta"}
)
"""The spellings the published structures use (regulation §6.4)."""


@lru_cache(maxsize=65536)
def quantity(cell: str) -> Quantity:
    """Understand one quantity cell."""
    number = whole_of(cell)
    if number is not None:
        return Quantity(number)
    text = cell.strip()
    if text == "":
        return Quantity(None, "empty")
    if text == "-":
        return Quantity(Mark.NO_APLICA, pending=True)
    if text.upper() == "N/A":
        return Quantity(Mark.NO_APLICA)
    whole, point, decimals = text.partition(".")
    number = whole_of(whole)
    if number is not None and (not point or (decimals and not decimals.strip("0"))):
        return Quantity(number, "leak" if point else "unknown")
    plain = normal(text).replace("_", " ")
    slip = "" if text in _MARK_SPELLINGS else "mark"
    if plain.startswith("ILEGIBLE"):
        return Quantity(Mark.ILEGIBLE, slip)
    if plain in ("SIN DATO", "SIN DATOS"):
        return Quantity(Mark.SIN_DATO, slip)
    if plain == "SIN ACTA":
        return Quantity(Mark.NO_APLICA, slip, sin_acta=True)
    return Quantity(None, "unknown")


def normal(text: str) -> str:
    """Upper case without accents or outer spaces, to compare texts of different institutes."""
    decomposed = unicodedata.normalize("NFD", text.strip().upper())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


class Observed(NamedTuple):
    """What an OBSERVACIONES text claims."""

    excede: bool = False
    parcial: bool = False
    todos: bool = False
    sin_acta: bool = False
    fuera: bool = False
    known: bool = True

    @property
    def inconsistent(self) -> bool:
        """Enters PORCENTAJE_ACTAS_INCONSISTENCIAS: never sin acta nor fuera de catálogo."""
        return (self.excede or self.parcial or self.todos) and not self.sin_acta and not self.fuera


@lru_cache(maxsize=1024)
def observed(text: str) -> Observed:
    """Read an observation in any of the dialects of regulation §5.1 (the Python-list text included)."""
    plain = normal(text.replace("[", "").replace("]", "").replace("'", "").replace('"', ""))
    if plain in ("", "-", "--", "N/A"):
        return Observed()
    if plain.startswith("SIN ACTA"):
        return Observed(sin_acta=True)
    if "FUERA DE CATALOGO" in plain or plain == "NO IDENTIFICADA":
        return Observed(fuera=True)
    excede = "EXCEDE" in plain
    todos = "TODOS" in plain
    parcial = not todos and ("ILEGIBLE" in plain or "SIN DATO" in plain or "ALGUN" in plain)
    known = excede or todos or parcial or plain.startswith("IDENTIFICACION POR")
    return Observed(excede=excede, parcial=parcial, todos=todos, known=known)


@dataclass(frozen=True, slots=True)
class RowFacts:
    """One row understood. `status` is 'captured', 'outside' (fuera de catálogo) or 'pending'."""

    number: int
    line: int
    cells: list[str]
    status: str
    observed: Observed
    counted: bool
    casilla_type: str
    votes: list[Quantity]
    total: int | None
    lista_nominal: int | None

    @property
    def vote_sum(self) -> int:
        """Sum of the numbers among the vote fields."""
        return sum(q.field for q in self.votes if type(q.field) is int)

    @property
    def without_section(self) -> bool:
        """A row of votes that belong to no section."""
        return self.casilla_type in NO_SECTION_TYPES


def as_int(cell: str) -> int | None:
    """A quantity cell as a number (214.0 included), or None."""
    value = quantity(cell).field
    return value if type(value) is int else None


def rows_of(published: PublishedFile) -> Iterator[RowFacts]:
    """The rows that have all their cells, understood, in file order."""
    width = len(published.columns)
    votes = published.vote_indexes
    observation = published.index("OBSERVACIONES")
    contabilizada = published.index("CONTABILIZADA")
    casilla_type = published.index("TIPO_CASILLA")
    total = published.index("TOTAL_VOTOS_CALCULADO")
    lista = published.index("LISTA_NOMINAL")
    for number, (row, line) in enumerate(zip(published.rows, published.row_lines, strict=True)):
        if len(row) != width:
            continue
        seen = observed(row[observation])
        counted = row[contabilizada].strip()
        if counted == "2" or seen.fuera:
            status = OUTSIDE
        elif counted in ("0", "1"):
            status = CAPTURED
        else:
            status = PENDING
        yield RowFacts(
            number=number,
            line=line,
            cells=row,
            status=status,
            observed=seen,
            counted=counted == "1",
            casilla_type=row[casilla_type].strip(),
            votes=[quantity(row[i]) for i in votes],
            total=as_int(row[total]),
            lista_nominal=as_int(row[lista]),
        )
