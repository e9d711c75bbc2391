"""The totals of a catalogue, and the estimado de actas: how many each CATD will gather.

Plain counting for people who plan a night; it reads and writes nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from core.domain.catalog import Catalog, Catd


@dataclass(frozen=True, slots=True)
class Totals:
    """What a catalogue holds. `casillas` is by TIPO_CASILLA, `actas` and `ballots` by contest."""

    actas: dict[str, int]
    ballots: dict[str, int]
    casillas: dict[str, int]
    lista_nominal: int
    sections: int

    @property
    def all_actas(self) -> int:
        """Actas of every contest."""
        return sum(self.actas.values())

    @property
    def all_casillas(self) -> int:
        """Casillas of every type."""
        return sum(self.casillas.values())


@dataclass(frozen=True, slots=True)
class Load:
    """What one CATD gathers."""

    catd: Catd
    casillas: int
    actas: dict[str, int]

    @property
    def total(self) -> int:
        """Actas of every contest."""
        return sum(self.actas.values())


def totals(catalog: Catalog) -> Totals:
    """Count a catalogue."""
    ballots = Counter(layout.contest for layout in catalog.layouts)
    types: Counter[str] = Counter()
    sections: set[int] = set()
    voters = 0
    for casilla in catalog.casillas:
        types[casilla.tipo] += 1
        voters += casilla.lista_nominal
        if casilla.seccion is not None:
            sections.add(casilla.seccion)
    return Totals(
        actas={code: catalog.expected(code) for code in catalog.contests},
        ballots={code: ballots[code] for code in catalog.contests},
        casillas=dict(sorted(types.items())),
        lista_nominal=voters,
        sections=len(sections),
    )


def loads(catalog: Catalog) -> list[Load]:
    """The estimado de actas of every CATD, in the catalogue's order, those that gather nothing included."""
    casilla_catd = [casilla.catd for casilla in catalog.casillas]
    casillas = Counter(casilla_catd)
    actas: list[dict[str, int]] = [dict.fromkeys(catalog.contests, 0) for _ in catalog.catds]
    for acta in catalog.actas:
        actas[casilla_catd[acta.casilla]][acta.contest] += 1
    return [Load(catd, casillas[catd.id], actas[catd.id]) for catd in catalog.catds]
