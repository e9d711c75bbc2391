"""What an acta is called and how much it can hold: keys, representatives' margin, limits.

Shared by everything that makes a catalogue. It knows no file and no particular election.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.catalog import SPECIAL, WITHOUT_SECTION
from core.domain.contenders import BallotLayout, Contender, ContenderKind

REPRESENTATIVES_PER_CONTENDER = 2
"""Representatives a party or independent may have at a casilla and who may vote there: owner and alternate.

Modelled: it reproduces the six counted actas of Quintana Roo 2019 whose votes exceed the lista nominal.
"""

SPECIAL_BALLOTS = 1_000
"""Ballots approved for a casilla especial when nobody says otherwise (Puebla 2024 publishes 1000)."""

_WITH_LINE = (ContenderKind.PARTIDO, ContenderKind.INDEPENDIENTE)


def casilla_key(entidad: int, seccion: int | None, tipo: str, numero: int, ext_contigua: int) -> str:
    """CLAVE_CASILLA: entidad 2, sección 4, type 1, number 2, extension 2 (LEEME INE 2018, OPL 2024).

    >>> casilla_key(14, 41, "C", 2, 0)
    '140041C0200'
    """
    return f"{entidad:02d}{seccion or 0:04d}{tipo}{numero:02d}{ext_contigua:02d}"


def representatives_margin(
    columns: Sequence[Contender], applies: Sequence[bool], each: int = REPRESENTATIVES_PER_CONTENDER
) -> int:
    """Representatives who may vote at a casilla: `each` per party or independent with a line of its own."""
    lines = zip(columns, applies, strict=True)
    return each * sum(1 for column, here in lines if here and column.kind in _WITH_LINE)


def acta_limit(
    tipo: str, lista_nominal: int, margin: int, special_ballots: int = SPECIAL_BALLOTS
) -> int | None:
    """The largest sum of votes an acta may have and still be counted; None in types without section.

    Lista nominal plus representatives; in a casilla especial, approved ballots plus
    representatives (Anexo 13 nums. 26 and 31).
    """
    if tipo in WITHOUT_SECTION:
        return None
    return (special_ballots if tipo == SPECIAL else lista_nominal) + margin


class LayoutBook:
    """Gives each different mask of a contest one `BallotLayout`, ids in order of first use."""

    def __init__(self) -> None:
        self.layouts: list[BallotLayout] = []
        self._ids: dict[tuple[str, tuple[bool, ...]], int] = {}

    def id_of(self, contest: str, applies: tuple[bool, ...]) -> int:
        """The id of a mask, new if it had none."""
        key = (contest, applies)
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self.layouts)
            self.layouts.append(BallotLayout(found, contest, applies))
        return found
