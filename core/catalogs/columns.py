"""The vote columns of a contest and which of them each ballot has.

Turns what a plan says (parties in registration order, coalitions, candidaturas comunes,
independents, and where each runs) into columns and masks. Combinations are generated, never
written by hand. It reads no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.domain.contenders import LAST_COLUMNS, Contender, ContenderKind, coalition_combinations

Mask = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Coalition:
    """Parties that go together; `territories` None means everywhere."""

    parties: tuple[str, ...]
    territories: frozenset[int] | None = None

    @property
    def code(self) -> str:
        """Code of its complete combination."""
        return "C_" + "_".join(self.parties)


@dataclass(frozen=True, slots=True)
class Common:
    """A candidatura común: one emblem. `own_lines` says if its parties keep theirs where it runs."""

    code: str
    name: str
    parties: tuple[str, ...]
    territories: frozenset[int] | None = None
    own_lines: bool = True


@dataclass(frozen=True, slots=True)
class Independent:
    """A candidatura independiente and where it runs."""

    code: str
    name: str
    territories: frozenset[int] | None = None


@dataclass(frozen=True)
class Field:
    """Who runs in a contest.

    `only` restricts a contender to some territories by its code; a coalition goes by the code of its
    complete combination.
    """

    parties: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    coalitions: tuple[Coalition, ...] = ()
    commons: tuple[Common, ...] = ()
    independents: tuple[Independent, ...] = ()
    independents_first: bool = True
    only: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def columns(self) -> tuple[Contender, ...]:
        """Columns in published order: parties, combinations by coalition, comunes, the last two.

        Independents go before the combinations (OPL 2024) or after them and the comunes (QROO 2019).
        A combination two coalitions share appears once.
        """
        parties = [
            Contender(code, ContenderKind.PARTIDO, self.names.get(code, code), (code,))
            for code in self.parties
        ]
        independents = [Contender(i.code, ContenderKind.INDEPENDIENTE, i.name) for i in self.independents]
        combined: dict[str, Contender] = {}
        for coalition in self.coalitions:
            for combination in coalition_combinations(coalition.parties):
                combined.setdefault(combination.code, combination)
        comunes = [Contender(c.code, ContenderKind.COMUN, c.name, c.parties) for c in self.commons]
        middle = [*combined.values(), *comunes]
        if self.independents_first:
            return (*parties, *independents, *middle, *LAST_COLUMNS)
        return (*parties, *middle, *independents, *LAST_COLUMNS)

    def mask(self, columns: tuple[Contender, ...], territory: int | None, rp: bool = False) -> Mask:
        """Which of `columns` are on the ballot of a territory; an RP ballot has only parties."""
        hidden: set[str] = set()
        for common in self.commons:
            if common.own_lines or not _runs(self.only.get(common.code), territory):
                continue
            if _runs(common.territories, territory):
                hidden.update(common.parties)
        return tuple(self._applies(column, territory, rp, hidden) for column in columns)

    def _applies(self, column: Contender, territory: int | None, rp: bool, hidden: set[str]) -> bool:
        kind = column.kind
        if kind in (ContenderKind.NO_REGISTRADAS, ContenderKind.NULOS):
            return True
        if kind is ContenderKind.PARTIDO:
            here = _runs(self.only.get(column.code), territory)
            return here and (rp or column.code not in hidden)
        if rp:
            return False
        if kind is ContenderKind.COMBINACION:
            members = set(column.parties)
            return all(_runs(self.only.get(party), territory) for party in members) and any(
                members <= set(coalition.parties)
                and _runs(coalition.territories, territory)
                and _runs(self.only.get(coalition.code), territory)
                for coalition in self.coalitions
            )
        own: tuple[Independent | Common, ...] = (*self.independents, *self.commons)
        here = any(one.code == column.code and _runs(one.territories, territory) for one in own)
        return here and _runs(self.only.get(column.code), territory)


def _runs(territories: frozenset[int] | None, territory: int | None) -> bool:
    return territories is None or (territory is not None and territory in territories)
