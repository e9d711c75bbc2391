"""Contenders of a contest and the columns their votes occupy.

A contest has one column per party, per combination of each coalition (generated, never written
by hand: 2^n - n - 1 for n parties), per candidatura común, per independent, and two last ones for
candidaturas no registradas and votos nulos. A `BallotLayout` says which columns exist on the acta
of one territory. How combination votes are divided is in `votes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

NO_REGISTRADAS = "NO_REGISTRADAS"
NULOS = "NULOS"

MAX_COLUMNS = 64
"""Vote columns a contest may have; the widest real one so far has 51 (Puebla 2024, ayuntamientos)."""


class ContenderKind(StrEnum):
    """What a vote column stands for."""

    PARTIDO = "partido"
    COMBINACION = "combinacion"
    COMUN = "candidatura_comun"
    INDEPENDIENTE = "independiente"
    NO_REGISTRADAS = "no_registradas"
    NULOS = "nulos"


@dataclass(frozen=True, slots=True)
class Contender:
    """One vote column. `parties` names the members of a combination or candidatura común."""

    code: str
    kind: ContenderKind
    name: str = ""
    parties: tuple[str, ...] = ()


LAST_COLUMNS: tuple[Contender, ...] = (
    Contender(NO_REGISTRADAS, ContenderKind.NO_REGISTRADAS, "Candidaturas no registradas"),
    Contender(NULOS, ContenderKind.NULOS, "Votos nulos"),
)


def coalition_combinations(parties: Sequence[str]) -> tuple[Contender, ...]:
    """Every combination of two or more parties of a coalition, largest first.

    Within a size the order follows the registration order of the parties, as the published
    files do.

    >>> [c.code for c in coalition_combinations(["PVEM", "PT", "MORENA"])]
    ['C_PVEM_PT_MORENA', 'C_PVEM_PT', 'C_PVEM_MORENA', 'C_PT_MORENA']
    """
    return tuple(
        Contender("C_" + "_".join(members), ContenderKind.COMBINACION, "-".join(members), members)
        for size in range(len(parties), 1, -1)
        for members in combinations(parties, size)
    )


@dataclass(frozen=True, slots=True)
class BallotLayout:
    """Which columns of a contest exist on the actas of one territory and kind of acta."""

    id: int
    contest: str
    applies: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Candidacy:
    """Who a column stands for in one territory (`territory` None: the whole entidad)."""

    territory: int | None
    code: str
    propietaria: str
    suplente: str = ""


def guess_contender(code: str) -> Contender:
    """The contender a published column name stands for, by its form alone.

    `C_A_B` is a combination, `CAND_IND_n` and `CI_n` an independent, `CC_A_B` a candidatura
    común; anything else is a party.
    """
    if code in (NO_REGISTRADAS, NULOS):
        return next(c for c in LAST_COLUMNS if c.code == code)
    if code.startswith("C_"):
        return Contender(code, ContenderKind.COMBINACION, code[2:], tuple(code[2:].split("_")))
    if code.startswith("CC_"):
        return Contender(code, ContenderKind.COMUN, code[3:], tuple(code[3:].split("_")))
    if code.startswith(("CAND_IND", "CI_")):
        return Contender(code, ContenderKind.INDEPENDIENTE, code)
    return Contender(code, ContenderKind.PARTIDO, code, (code,))
