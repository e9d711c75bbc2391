"""The results of a contest as JSON by level, each object named by its content.

One object per sección with its actas inside, one per distrito or municipio and one for the
entidad; a parent holds the names of its children, so the name of the top one fixes everything
below. Objects carry no cut number nor instant: what did not change keeps its name, and a browser
that has it does not ask again. The index of the cut (`package`) says which top belongs to it.

The document of each acta is also its leaf in the acta tree of the emission, byte for byte; the tree
itself is not made here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

import orjson

from core.domain.catalog import ActaEntry, Catalog
from core.domain.fields import Mark
from core.publication.objects import ObjectStore
from core.publication.times import Clock
from core.tally.levels import Levels, SectionKey, Sums
from core.tally.snapshot import PublishedActa, PublishedOutside, Snapshot
from core.transparency.merkle import leaf_hash

_NOT_CAPTURED = "no_capturada"
_SIN_ACTA = "sin_acta"
_CAPTURED = "capturada"


class ShownImage(NamedTuple):
    """A published image: the public name of its original and the SHA-256 of its web view (None: no view)."""

    key: str
    view: str | None


ImageKey: TypeAlias = Callable[[str], ShownImage | None]
"""How the image of a SHA-256 is published, None when it is not here."""


class Tree(NamedTuple):
    """The top object of a contest, how many objects hang from it and how many were new."""

    root: str
    objects: int
    written: int


class JsonLevels:
    """Keeps the objects of one contest in step with its `Levels`."""

    def __init__(
        self,
        catalog: Catalog,
        levels: Levels,
        store: ObjectStore,
        *,
        mode: str,
        leaves: bool = False,
        image_key: ImageKey | None = None,
    ) -> None:
        """`leaves` keeps the leaves for the acta tree; `image_key` says where an image is published."""
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
        self.section_names: dict[SectionKey, str] = {}
        """Object of each section, as of the last update."""
        self.territory_names: dict[int | None, str] = {}
        self._leaves: dict[int, bytes] = {}
        self._image_key = image_key
        self._awaited: dict[SectionKey, set[str]] = {}
        """Images that were not here when their section was last written."""
        self._keep_leaves = leaves
        self._leaf_end = b',"contienda":' + orjson.dumps(levels.contest.id) + b"}"
        self._last: bool | None = None

    def update(self, snapshot: Snapshot, dirty: Iterable[SectionKey], *, last: bool) -> Tree:
        """Write the objects that changed; `dirty` are the sections `Levels.update` returned.

        A change of participation formula (`last`) builds every object again: only those with votes
        of casillas especiales come out different.
        """
        before = self._store.written
        everything = last is not self._last
        todo = self._levels.sections if everything else {*dirty, *self._with_image_now()}
        territories: set[int | None] = set()
        for key in todo:
            self.section_names[key] = self._put(self._section(key, snapshot, last))
            territories.add(key.territory)
        for territory in territories:
            self.territory_names[territory] = self._put(self._territory(territory, last))
        root = self._put(self._whole(snapshot, last))
        # Only now: an update cut short must do everything again.
        self._last = last
        objects = len(self.section_names) + len(self.territory_names) + 1
        return Tree(root, objects, self._store.written - before)

    def forget(self) -> None:
        """Make everything again in the next update: what was written is not to be trusted."""
        self._last = None

    def taken_leaves(self) -> dict[int, bytes]:
        """The hash of each leaf written since the last call, by position in the acta tree; told once.

        A leaf is the canonical JSON of `{"acta": document, "contienda": id}`; its hash is that of RFC 6962.
        """
        leaves, self._leaves = self._leaves, {}
        return leaves

    def _with_leaf(self, position: int, document: dict[str, Any]) -> Any:
        """The document of an acta as it goes inside its object, its leaf kept."""
        document["hoja"] = position
        if not self._keep_leaves:
            return document
        encoded = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        self._leaves[position] = leaf_hash(b'{"acta":' + encoded + self._leaf_end)
        return orjson.Fragment(encoded)

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

    def _with_image_now(self) -> list[SectionKey]:
        if self._image_key is None:
            return []
        here = self._image_key
        return [key for key, names in self._awaited.items() if any(here(name) is not None for name in names)]

    def _image_of(self, key: SectionKey | None, name: str) -> dict[str, str | None]:
        """What a document says of an image: its code and, once published, its extension and its view.

        The view is what people look at: the leaf binds its bytes as `imagen` binds those of the original.
        The section waits for an image that is not published.
        """
        found = self._image_key(name) if name and self._image_key is not None else None
        if found is None:
            if key is not None and name and self._image_key is not None:
                self._awaited.setdefault(key, set()).add(name)
            return {"imagen": name, "imagen_archivo": None, "imagen_vista": None}
        return {"imagen": name, "imagen_archivo": found.key.rpartition(".")[2], "imagen_vista": found.view}

    def _section(self, key: SectionKey, snapshot: Snapshot, last: bool) -> dict[str, Any]:
        levels, catalog = self._levels, self._catalog
        self._awaited.pop(key, None)
        document = self._level("seccion", levels.sections[key], last)
        document["territorio"] = key.territory
        document["seccion"] = key.seccion
        document["actas"] = [
            self._with_leaf(acta, self._acta(key, catalog.actas[acta], snapshot.actas[acta]))
            for acta in levels.actas_of[key]
        ]
        return document

    def _acta(self, key: SectionKey, entry: ActaEntry, acta: PublishedActa | None) -> dict[str, Any]:
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
        document.update(self._image_of(key, acta.image_hash))
        document["cotejada"] = acta.cotejada
        return document

    def _outside(self, acta: PublishedOutside) -> dict[str, Any]:
        return {
            "acta": None,
            "estado": "fuera_de_catalogo",
            "identificacion": acta.claimed,
            "acopio": self._clock.text(acta.received_at),
            "origen": acta.origin,
            "digitalizacion": acta.medium,
            "documento": acta.document,
            **self._image_of(None, acta.image_hash),
        }

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
            [key.seccion, self.section_names[key], *_progress(levels.sections[key])]
            for key in levels.sections_of[territory]
        ]
        return document

    def _whole(self, snapshot: Snapshot, last: bool) -> dict[str, Any]:
        levels, first = self._levels, len(self._catalog.actas)
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
            [territory, self.territory_names[territory]] for territory in levels.sections_of
        ]
        document["fuera_de_catalogo"] = [
            self._with_leaf(first + place, self._outside(acta))
            for place, acta in enumerate(snapshot.outside)
            if acta.contest == contest.id
        ]
        return document


def _progress(sums: Sums) -> tuple[int, int, int]:
    tally = sums.tally
    return tally.esperadas, tally.capturadas, tally.contabilizadas
