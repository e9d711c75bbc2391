"""The portal object of a cut, and the history it carries from the cut before.

Everything is put in the store of objects; what is given back is the name of the portal object and those
it brought. The history is taken from the previous cut's own object, so that a publisher that starts again
tells the same one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from core.domain.catalog import Catalog
from core.publication.json_levels import Tree
from core.publication.objects import ObjectStore
from core.publication.portal_data.changes import Changes
from core.publication.portal_data.contest import coverage, entry, observations
from core.publication.portal_data.counts import Counts
from core.publication.portal_data.frame import Frame, catalogue, sections
from core.publication.times import iso
from core.tally.levels import Levels
from core.tally.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class PortalInput:
    """What a portal object is made of.

    `previous` is the portal object of the cut before and `previous_leaf` its place in the log; None in the
    first.
    `with_image` is how many actas have their image published, by contest; None when images are not.
    """

    number: int
    at_ms: int
    last: bool
    snapshot: Snapshot
    trees: Mapping[str, Tree]
    headers: Mapping[str, Mapping[str, str]]
    changes: Mapping[str, Changes]
    with_image: Mapping[str, int] | None
    missing_images: int
    previous: str | None
    previous_leaf: int | None


class PortalData:
    """Makes the portal object of each cut of one operation."""

    def __init__(
        self, catalog: Catalog, levels: Mapping[str, Levels], store: ObjectStore, *, mode: str
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._mode = mode
        self._counts = Counts(catalog)
        self._frames = {contest: Frame(catalog, sums) for contest, sums in levels.items()}
        self._fixed: list[str] = []
        self._catalogue: str | None = None

    def build(self, given: PortalInput) -> tuple[str, list[str]]:
        """Write the objects of a cut; returns the name of the portal object and all the names it needs."""
        self._counts.update(given.snapshot)
        if self._catalogue is None or not all(self._store.path(name).is_file() for name in self._fixed):
            # Not written yet, or taken away because it did not hold what its name says.
            self._catalogue = self._write_catalogue()
        names: list[str] = [*self._fixed]

        def put(document: dict[str, Any]) -> str:
            name = self._put(document)
            names.append(name)
            return name

        contests = []
        for contest, frame in self._frames.items():
            objects = {
                "inconsistencias": put(observations(frame, given.snapshot, self._mode)),
                "cobertura": put(coverage(frame, self._counts, self._mode)),
            }
            contests.append(
                entry(
                    frame,
                    self._counts,
                    last=given.last,
                    root=given.trees[contest].root,
                    header=given.headers[contest],
                    with_image=(given.with_image or {}).get(contest, 0),
                    objects=objects,
                )
            )
        portal = put(
            {
                "formato": 1,
                "modo": self._mode,
                "corte": given.number,
                "instante": iso(given.at_ms, self._catalog.entidad.utc_offset_minutes),
                "instante_ms": given.at_ms,
                "ultimo": given.last,
                "catalogo": self._catalogue,
                "historial": put(self._history(given)),
                "imagenes": given.with_image is not None,
                "imagenes_faltantes": given.missing_images,
                "cambios": {contest: found.counts() for contest, found in given.changes.items()},
                "detalle_cambios": put(_details(self._mode, given)),
                "contiendas": contests,
            }
        )
        return portal, names

    def _write_catalogue(self) -> str:
        contests = []
        self._fixed = []
        for frame in self._frames.values():
            people = frame.people(self._mode)
            name = None if people is None else self._put(people)
            if name is not None:
                self._fixed.append(name)
            contests.append(frame.document(name))
        self._fixed.append(self._put(sections(self._catalog, self._mode)))
        made = self._put(catalogue(self._catalog, self._mode, contests, self._fixed[-1]))
        self._fixed.append(made)
        return made

    def _history(self, given: PortalInput) -> dict[str, Any]:
        """The cuts so far, this one included; of its own nobody knows the object nor the leaf yet."""
        cuts: list[dict[str, Any]] = []
        if given.previous is not None:
            before = orjson.loads(self._store.get(given.previous))
            cuts = orjson.loads(self._store.get(before["historial"]))["cortes"]
            cuts[-1] |= {"portal": given.previous, "hoja": given.previous_leaf}
        cuts.append(
            {
                "corte": given.number,
                "instante_ms": given.at_ms,
                "ultimo": given.last,
                "portal": None,
                "hoja": None,
                "contiendas": {
                    contest: _row(header, given.changes[contest]) for contest, header in given.headers.items()
                },
            }
        )
        return {"formato": 1, "modo": self._mode, "cortes": cuts}

    def _put(self, document: dict[str, Any]) -> str:
        return self._store.put(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))


def _row(header: Mapping[str, str], changes: Changes) -> Sequence[int]:
    return [
        int(header["ACTAS_CAPTURADAS"]),
        int(header["ACTAS_CONTABILIZADAS"]),
        changes.corregidas + changes.retiradas,
        changes.nuevas,
    ]


def _details(mode: str, given: PortalInput) -> dict[str, Any]:
    """The object of what changed since the cut before: by section of each territory, and acta by acta.

    A section comes with how many of its actas are new, corrected, withdrawn and collated. Those corrected and
    withdrawn are named: territory, section, key, leaf.
    """
    return {
        "formato": 1,
        "modo": mode,
        "contiendas": {
            contest: {
                "secciones": [[territory, found] for territory, found in changes.sections.items()],
                "corregidas": changes.corrected,
                "retiradas": changes.withdrawn,
            }
            for contest, changes in given.changes.items()
        },
    }
