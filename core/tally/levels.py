"""Sums of a contest by entidad, distrito or municipio, and sección, kept up to date acta by acta.

Votes are those of contabilizadas only. A section holds the sums of its actas and every level above
the sums of its children, so levels add up to their parent. Nothing is read or written here; the
single acta is in the snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import add, sub
from typing import NamedTuple

from core.domain.catalog import Catalog
from core.domain.counters import Counters, Tally
from core.domain.fields import Mark
from core.domain.votes import by_candidacy, by_party
from core.tally.snapshot import PublishedActa, Snapshot


class SectionKey(NamedTuple):
    """A sección inside the territory it is published under; None where the acta has none."""

    territory: int | None
    seccion: int | None


class Sums:
    """One level: votes by column, in the order of the contest, and what its counters are made of."""

    __slots__ = ("tally", "votes")

    def __init__(self, columns: int) -> None:
        self.votes: list[int] = [0] * columns
        self.tally = Tally()

    def counters(self, *, last_cut: bool) -> Counters:
        """The thirteen counters of this level."""
        return self.tally.counters(last_cut=last_cut)


class Levels:
    """The levels of one contest. `update` brings them to a snapshot, touching what changed."""

    def __init__(self, catalog: Catalog, contest_id: str) -> None:
        self.contest = catalog.contests[contest_id]
        self.whole = Sums(len(self.contest.columns))
        self.sections: dict[SectionKey, Sums] = {}
        self.territories: dict[int | None, Sums] = {}
        self.actas_of: dict[SectionKey, list[int]] = {}
        """Ids of the actas of each section, in published order."""
        self.sections_of: dict[int | None, list[SectionKey]] = {}
        self._catalog = catalog
        self.section_of: dict[int, SectionKey] = {}
        """Section of each acta of the contest, in published order."""
        self.lista_of: dict[int | None, int] = {}
        """Lista nominal of the expected actas of each territory."""
        self._fixed: dict[int, tuple[int, bool]] = {}
        self._parties: dict[int | None, dict[str, int]] = {}
        self._candidacies: dict[int | None, dict[str, int]] = {}
        self._seen: dict[int, PublishedActa] = {}
        self._started = False
        shared: dict[SectionKey, SectionKey] = {}
        kinds: dict[tuple[int, bool], tuple[int, bool]] = {}
        for entry in catalog.actas_of(contest_id):
            casilla = catalog.casilla_of(entry)
            key = SectionKey(catalog.territory_of(entry), casilla.seccion)
            key = shared.setdefault(key, key)
            self.section_of[entry.id] = key
            fixed = (casilla.lista_nominal, casilla.special)
            self._fixed[entry.id] = kinds.setdefault(fixed, fixed)
            lista = self.lista_of.get(key.territory, 0)
            self.lista_of[key.territory] = lista + casilla.lista_nominal
            self.actas_of.setdefault(key, []).append(entry.id)
        width = len(self.contest.columns)
        for key, actas in self.actas_of.items():
            sums = self.sections[key] = Sums(width)
            sums.tally.esperadas = len(actas)
            self.sections_of.setdefault(key.territory, []).append(key)
        for territory in self.sections_of:
            self.territories[territory] = self._joined(self._children(territory))
        self.whole = self._joined(self.territories.values())

    def update(self, snapshot: Snapshot) -> frozenset[SectionKey]:
        """Bring the sums to a snapshot; returns the sections whose actas changed.

        The first update looks at every acta, and so does one whose snapshot does not say what
        changed.
        """
        section_of, seen, actas = self.section_of, self._seen, snapshot.actas
        todo: Iterable[int] = section_of
        if snapshot.changed is not None and self._started:
            todo = (acta for acta in snapshot.changed if acta in section_of)
        self._started = True
        dirty: set[SectionKey] = set()
        for acta_id in todo:
            new, old = actas[acta_id], seen.get(acta_id)
            if new is old or new == old:
                continue
            key = section_of[acta_id]
            sums = self.sections[key]
            if old is not None:
                self._apply(sums, old, -1)
            if new is not None:
                self._apply(sums, new, 1)
                seen[acta_id] = new
            else:
                del seen[acta_id]
            dirty.add(key)
        for territory in {key.territory for key in dirty}:
            self.territories[territory] = self._joined(self._children(territory))
            self._parties.pop(territory, None)
            self._candidacies.pop(territory, None)
        outside = sum(1 for acta in snapshot.outside if acta.contest == self.contest.id)
        if dirty:
            self.whole = self._joined(self.territories.values())
        self.whole.tally.fuera_catalogo = outside
        return frozenset(dirty)

    def counters(self, *, last_cut: bool) -> Counters:
        """The header of the contest."""
        return self.whole.counters(last_cut=last_cut)

    def votes(self, sums: Sums) -> dict[str, int]:
        """The votes of a level by column code."""
        return dict(zip(self.contest.codes, sums.votes, strict=True))

    def by_party(self, territory: int | None) -> Mapping[str, int]:
        """Votes of one distrito or municipio by party, combinations divided on its aggregate."""
        found = self._parties.get(territory)
        if found is None:
            found = by_party(self.contest, self.votes(self.territories[territory]))
            self._parties[territory] = found
        return found

    def by_candidacy(self, territory: int | None) -> Mapping[str, int]:
        """Votes of one distrito or municipio by the person each column supports there."""
        found = self._candidacies.get(territory)
        if found is None:
            found = by_candidacy(self.contest, territory, self.votes(self.territories[territory]))
            self._candidacies[territory] = found
        return found

    def whole_by_party(self) -> dict[str, int]:
        """Votes of the entidad by party: the sum of those of its territories, each divided on its own."""
        return _summed(self.by_party(territory) for territory in self.territories)

    def whole_by_candidacy(self) -> dict[str, int]:
        """Votes of the entidad by candidacy: the sum of those of its territories."""
        return _summed(self.by_candidacy(territory) for territory in self.territories)

    def _children(self, territory: int | None) -> Sequence[Sums]:
        return [self.sections[key] for key in self.sections_of[territory]]

    def _joined(self, children: Iterable[Sums]) -> Sums:
        result = Sums(len(self.contest.columns))
        votes, tally = result.votes, result.tally
        for child in children:
            votes = list(map(add, votes, child.votes))
            tally.merge(child.tally)
        result.votes = votes
        return result

    def _apply(self, sums: Sums, acta: PublishedActa, sign: int) -> None:
        sums.tally.add(acta.counted(*self._fixed[acta.acta]), sign)
        if not acta.contabilizada:
            return
        votes = sums.votes
        try:
            # Most actas are numbers from end to end; a mark cannot be added.
            sums.votes = list(map(add if sign > 0 else sub, votes, acta.votes))
        except TypeError:
            for column, field in enumerate(acta.votes):
                if field and not isinstance(field, Mark):
                    votes[column] += sign * field


def _summed(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    result: dict[str, int] = {}
    for part in parts:
        for name, votes in part.items():
            result[name] = result.get(name, 0) + votes
    return result
