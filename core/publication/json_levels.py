"""The results of a contest as JSON by level, each object named by its content.

One object per sección with its actas inside, one per distrito or municipio and one for the
entidad; a parent holds the names of its children, so the name of the top one fixes everything
below. Objects carry no cut number nor instant: what did not change keeps its name, and a browser
that has it does not ask again. The index of the cut (`package`) says which top belongs to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from core.domain.catalog import ActaEntry, Catalog
from core.domain.fields import Mark
from core.publication.objects import ObjectStore
from core.publication.times import Clock
from core.tally.levels import Levels, SectionKey, Sums
from core.tally.snapshot import PublishedActa, Snapshot

_NOT_CAPTURED = "no_capturada"
_SIN_ACTA = "sin_acta"
_CAPTURED = "capturada"


class Tree(NamedTuple):
    """The top object of a contest, how many objects hang from it and how many were new."""

    root: str
    objects: int
    written: int


class JsonLevels:
    """Keeps the objects of one contest in step with its `Levels`."""

    def __init__(self, catalog: Catalog, levels: Levels, store: ObjectStore, *, mode: str) -> None:
        self._catalog = catalog
        self._levels = levels
        self._store = store
        self._mode = mode
        offset = catalog.entidad.utc_offset_minutes
        sign, away = ("-", -offset) if offset < 0 else ("+", offset)
        zone = f"{sign}{away // 60:02d}:{away % 60:02d}"
        self._clock = Clock("%Y-%m-%dT%H:%M:%S", offset, suffix=zone)
        self._absent = [
            tuple(column for column, here in enumerate(layout.applies) if not here)
            for layout in catalog.layouts
        ]
        self._section_names: dict[SectionKey, str] = {}
        self._territory_names: dict[int | None, str] = {}
        self._last: bool | None = None

    def update(self, snapshot: Snapshot, dirty: Iterable[SectionKey], *, last: bool) -> Tree:
        """Write the objects that changed; `dirty` are the sections `Levels.update` returned.

        A change of participation formula (`last`) builds every object again: only those with votes
        of casillas especiales come out different.
        """
        before = self._store.written
        everything = last is not self._last
        todo = self._levels.sections if everything else dirty
        territories: set[int | None] = set()
        for key in todo:
            self._section_names[key] = self._put(self._section(key, snapshot, last))
            territories.add(key.territory)
        for territory in territories:
            self._territory_names[territory] = self._put(self._territory(territory, last))
        root = self._put(self._whole(last))
        # Only now: an update cut short must do everything again.
        self._last = last
        objects = len(self._section_names) + len(self._territory_names) + 1
        return Tree(root, objects, self._store.written - before)

    def _put(self, document: dict[str, Any]) -> str:
        return self._store.put(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))

    def _level(self, name: str, sums: Sums, last: bool) -> dict[str, Any]:
        """What every level says: what it is, how much of it is in, and its sums."""
        return {
            "modo": self._mode,
            "contienda": self._levels.contest.id,
            "nivel": name,
            "esperadas": sums.tally.esperadas,
            "capturadas": sums.tally.capturadas,
            "contadores": sums.counters(last_cut=last).as_header(),
            "votos": sums.votes,
        }

    def _section(self, key: SectionKey, snapshot: Snapshot, last: bool) -> dict[str, Any]:
        levels, catalog = self._levels, self._catalog
        document = self._level("seccion", levels.sections[key], last)
        document["territorio"] = key.territory
        document["seccion"] = key.seccion
        document["actas"] = [
            self._acta(catalog.actas[acta], snapshot.actas[acta]) for acta in levels.actas_of[key]
        ]
        return document

    def _acta(self, entry: ActaEntry, acta: PublishedActa | None) -> dict[str, Any]:
        casilla = self._catalog.casillas[entry.casilla]
        document: dict[str, Any] = {
            "acta": entry.key,
            "casilla": casilla.key,
            "tipo_casilla": casilla.tipo,
            "tipo_acta": entry.tipo_acta,
            "lista_nominal": casilla.lista_nominal,
        }
        if acta is None:
            document["estado"] = _NOT_CAPTURED
            return document
        when = self._clock.text
        document["observaciones"] = list(acta.codes)
        document["contabilizada"] = acta.contabilizada
        document["acopio"] = when(acta.received_at) or None
        document["captura"] = when(acta.captured_at) or None
        document["verificacion"] = when(acta.verified_at) or None
        if acta.sin_acta:
            document["estado"] = _SIN_ACTA
            return document
        document["estado"] = _CAPTURED
        # Most votes are numbers already; orjson writes a mark as its name, and only a field the
        # ballot does not have must become null.
        votes: list[Any] = list(acta.votes)
        for column in self._absent[entry.layout]:
            votes[column] = None
        document["votos"] = votes
        document["totales"] = [None if field is Mark.NO_APLICA else field for field in acta.totals]
        document["calculado"] = acta.total
        document["mecanismo"] = acta.mechanism
        document["origen"] = acta.origin
        document["digitalizacion"] = acta.medium
        document["documento"] = acta.document
        document["imagen"] = acta.image_hash
        document["cotejada"] = acta.cotejada
        return document

    def _territory(self, territory: int | None, last: bool) -> dict[str, Any]:
        levels = self._levels
        contest = levels.contest
        document = self._level("territorio", levels.territories[territory], last)
        place = None if territory is None else self._catalog.territories(contest.id).get(territory)
        document["territorio"] = territory
        document["nombre"] = place.name if place else None
        document["por_partido"] = levels.by_party(territory)
        document["por_candidatura"] = levels.by_candidacy(territory)
        document["secciones"] = [
            [key.seccion, self._section_names[key]] for key in levels.sections_of[territory]
        ]
        return document

    def _whole(self, last: bool) -> dict[str, Any]:
        levels = self._levels
        contest = levels.contest
        document = self._level("entidad", levels.whole, last)
        document["entidad"] = self._catalog.entidad.id
        document["nombre"] = self._catalog.entidad.name
        document["eleccion"] = contest.name
        document["columnas"] = [
            {"codigo": c.code, "tipo": c.kind.value, "nombre": c.name, "partidos": list(c.parties)}
            for c in contest.columns
        ]
        document["por_partido"] = levels.whole_by_party()
        document["por_candidatura"] = levels.whole_by_candidacy()
        document["territorios"] = [
            [territory, self._territory_names[territory]] for territory in levels.sections_of
        ]
        return document
