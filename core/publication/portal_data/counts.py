"""How many actas there are of each kind, kept in step acta by acta: the statistics panel and the coverage.

Counts by contest, territory, CATD, type of casilla and urban or not. Votes by column are in `core.tally`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from core.domain.catalog import Catalog
from core.tally.snapshot import PublishedActa, Snapshot


class Kind(NamedTuple):
    """What the actas of a cell have in common; `ubicacion` is 1 urbana, 2 no urbana."""

    contest: str
    territory: int | None
    catd: int
    tipo: str
    ubicacion: int


class Cell:
    """The counts of one kind of acta."""

    __slots__ = ("capturadas", "con_codigo", "contabilizadas", "esperadas", "lista_esperada", "sin_acta")

    def __init__(self) -> None:
        self.esperadas = self.lista_esperada = 0
        self.capturadas = self.contabilizadas = self.sin_acta = self.con_codigo = 0


class Counts:
    """The counts of every contest of a catalogue."""

    def __init__(self, catalog: Catalog) -> None:
        self.cells: dict[Kind, Cell] = {}
        self.codes: dict[str, Counter[str]] = {contest: Counter() for contest in catalog.contests}
        """By contest, how many actas have each code of `rules`."""
        self.origins: dict[str, Counter[tuple[str, str]]] = {
            contest: Counter() for contest in catalog.contests
        }
        """By contest, how many actas with data came from each place and by each medium."""
        self._contest = [entry.contest for entry in catalog.actas]
        self._cell: list[Cell] = []
        for entry in catalog.actas:
            casilla = catalog.casilla_of(entry)
            territory = catalog.territory_of(entry)
            kind = Kind(entry.contest, territory, casilla.catd, casilla.tipo, casilla.ubicacion)
            cell = self.cells.get(kind)
            if cell is None:
                cell = self.cells[kind] = Cell()
            cell.esperadas += 1
            cell.lista_esperada += casilla.lista_nominal
            self._cell.append(cell)
        self._seen: list[PublishedActa | None] = [None] * len(catalog.actas)

    def update(self, snapshot: Snapshot) -> None:
        """Bring the counts to a snapshot, whatever the one before was."""
        seen = self._seen
        for acta, new in enumerate(snapshot.actas):
            old = seen[acta]
            if new is old:
                continue
            if old is not None:
                self._apply(acta, old, -1)
            if new is not None:
                self._apply(acta, new, 1)
            seen[acta] = new

    def of(self, contest: str) -> list[tuple[Kind, Cell]]:
        """The cells of a contest."""
        return [(kind, cell) for kind, cell in self.cells.items() if kind.contest == contest]

    def _apply(self, acta: int, published: PublishedActa, sign: int) -> None:
        cell, contest = self._cell[acta], self._contest[acta]
        cell.capturadas += sign
        if published.contabilizada:
            cell.contabilizadas += sign
        if published.sin_acta:
            cell.sin_acta += sign
        else:
            cell.con_codigo += sign * bool(published.image_hash)
            self.origins[contest][published.origin, published.medium] += sign
        codes = self.codes[contest]
        for code in published.codes:
            codes[code] += sign


def progress(cells: Iterable[Cell]) -> list[int]:
    """Expected, captured and counted actas of some cells.

    >>> progress([])
    [0, 0, 0]
    """
    found = [0, 0, 0]
    for cell in cells:
        found[0] += cell.esperadas
        found[1] += cell.capturadas
        found[2] += cell.contabilizadas
    return found
