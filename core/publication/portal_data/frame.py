"""What the portal needs that does not change in the night: contests, columns, places, people, sections.

`catalogo` leads to the rest. Nothing of a cut is here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.domain.catalog import Catalog
from core.publication.times import utc_label
from core.tally.levels import Levels

Group = tuple[str, tuple[int, ...]]
"""A candidacy: the name of the person (or the code of its only column) and its columns, by position."""


class Frame:
    """The unchanging side of one contest. Territories are in the order of its levels."""

    def __init__(self, catalog: Catalog, levels: Levels) -> None:
        self.catalog = catalog
        self.contest = levels.contest
        self.levels = levels
        self.territories = list(levels.sections_of)
        running = self._columns_that_run()
        self.groups = {
            territory: self.grouped(territory, running[territory]) for territory in self.territories
        }
        """The candidacies of each territory."""
        self.whole = self.grouped(None, set().union(*running.values()))
        """Those of the entidad; only of use where it is one contest."""

    def grouped(self, territory: int | None, columns: Iterable[int]) -> list[Group]:
        """The candidacies of a territory, in the order of their first column."""
        who = {
            candidacy.code: candidacy.propietaria
            for candidacy in self.contest.candidacies
            if candidacy.territory in (None, territory)
        }
        here = set(columns)
        groups: dict[str, list[int]] = {}
        for place, contender in enumerate(self.contest.columns):
            if place in here:
                groups.setdefault(who.get(contender.code, contender.code), []).append(place)
        return [(name, tuple(group)) for name, group in groups.items()]

    def document(self, candidacies: str | None) -> dict[str, Any]:
        """The entry of the contest in the object `catalogo`; `candidacies` is the object of `people`."""
        catalog, contest, lista = self.catalog, self.contest, self.levels.lista_of
        places = catalog.territories(contest.id)
        return {
            "id": contest.id,
            "nombre": contest.name,
            "ambito": contest.scope.value,
            "columnas": [
                {"codigo": c.code, "tipo": c.kind.value, "nombre": c.name, "partidos": list(c.parties)}
                for c in contest.columns
            ],
            "territorios": [
                [number, places[number].name if number in places else None, lista[number]]
                for number in self.territories
            ],
            "esperadas": catalog.expected(contest.id),
            "lista_nominal": sum(lista.values()),
            "candidaturas": candidacies,
        }

    def people(self, mode: str) -> dict[str, Any] | None:
        """The object `candidaturas`, None where the catalogue has none."""
        if not self.contest.candidacies:
            return None
        rows = [[one.territory, one.code, one.propietaria, one.suplente] for one in self.contest.candidacies]
        return {"formato": 1, "modo": mode, "contienda": self.contest.id, "filas": rows}

    def _columns_that_run(self) -> dict[int | None, set[int]]:
        catalog = self.catalog
        found: dict[int | None, set[int]] = {territory: set() for territory in self.territories}
        seen: set[tuple[int | None, int]] = set()
        for number, (territory, _) in self.levels.section_of.items():
            layout = catalog.actas[number].layout
            if (territory, layout) not in seen:
                seen.add((territory, layout))
                applies = catalog.layouts[layout].applies
                found[territory].update(place for place, here in enumerate(applies) if here)
        return found


def sections(catalog: Catalog, mode: str) -> dict[str, Any]:
    """The object `secciones`: where each section is, to find it by its number."""
    rows = sorted(
        {(c.seccion, c.distrito or 0, c.municipio or 0) for c in catalog.casillas if c.seccion is not None}
    )
    return {
        "formato": 1,
        "modo": mode,
        "filas": [[seccion, distrito or None, municipio or None] for seccion, distrito, municipio in rows],
    }


def catalogue(
    catalog: Catalog, mode: str, contests: list[dict[str, Any]], sections_object: str
) -> dict[str, Any]:
    """The object `catalogo`, which leads to everything that does not change."""
    entidad = catalog.entidad
    return {
        "formato": 1,
        "modo": mode,
        "entidad": {"id": entidad.id, "nombre": entidad.name, "abreviatura": entidad.abbreviation},
        "eleccion": catalog.election,
        "utc_min": entidad.utc_offset_minutes,
        "zona": utc_label(entidad.utc_offset_minutes),
        "secciones": sections_object,
        "contiendas": contests,
    }
