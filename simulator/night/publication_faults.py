"""Spoils what a night publishes, as the scenario says: malformed JSON, images that do not come, old packages.

It is an `Interference` of the very publisher that everybody uses, and acts on the files of the cut being
made; what the publisher does about it is the publisher's. Everything follows from the scenario, the seed
and what is on disk, so that a run that is continued spoils the same. That no cut goes out at all is `run`.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from core.publication.interference import CutStep, Interference
from simulator.scenario.base import ms_of
from simulator.seeds import Seeds

if TYPE_CHECKING:
    from core.domain.catalog import Catalog
    from core.images.store import ImageStore
    from core.tally.snapshot import PublishedActa, PublishedOutside, Snapshot
    from simulator.scenario.document import Scenario
    from simulator.scenario.faults import PublicationFault

SPOILING = ("json_malformado", "imagenes_faltantes", "paquete_atrasado")
"""The kinds of publication fault that spoil what is published."""
REFUSED = ("json_malformado", "paquete_atrasado")
"""Those for which the publisher must refuse the cut."""
WITHHELD = ".imagenes_retenidas"
"""Folder of the run where images wait that did not come; it is not public."""


@dataclass(frozen=True, slots=True)
class Spoiling:
    """The publication faults of a night: each with its number in the scenario. It can go to another process.

    `start_ms` is the start of the night, ms UTC.
    """

    faults: tuple[tuple[int, PublicationFault], ...]
    start_ms: int
    seed: int

    def active(self, kind: str, at: int) -> list[tuple[int, PublicationFault]]:
        """The faults of a kind that are going on at an instant, ms UTC."""
        return [
            (number, fault)
            for number, fault in self.faults
            if fault.kind == kind and self.begins(fault) <= at < self.ends(fault)
        ]

    def begins(self, fault: PublicationFault) -> int:
        """First instant of a fault, ms UTC."""
        return self.start_ms + ms_of(fault.at_min)

    def ends(self, fault: PublicationFault) -> int:
        """First instant after a fault, ms UTC."""
        return self.start_ms + ms_of(fault.at_min + fault.minutes)

    def refuses(self, at: int) -> bool:
        """Whether the scenario means the cut of an instant to be refused."""
        return any(self.active(kind, at) for kind in REFUSED)


def spoiling_of(scenario: Scenario, seed: int) -> Spoiling | None:
    """What of a scenario spoils what is published; None when nothing does."""
    faults = tuple(
        (number, fault) for number, fault in enumerate(scenario.publication_faults) if fault.kind in SPOILING
    )
    return Spoiling(faults, scenario.calendar.start_ms, seed) if faults else None


def interference_of(
    spoiling: Spoiling | None, catalog: Catalog, images: ImageStore | None
) -> ScenarioInterference | None:
    """What spoils the cuts of a night, for `core.publishing.assembly.publication`; None when nothing does."""
    return None if spoiling is None else ScenarioInterference(spoiling, catalog, images)


class ScenarioInterference(Interference):
    """Spoils the cuts of one night.

    `images` is the store of the work folder from which images are published; without one, or with one that
    is no folder, no image is withheld.
    """

    def __init__(self, spoiling: Spoiling, catalog: Catalog, images: ImageStore | None = None) -> None:
        self._plan = spoiling
        self._seeds = Seeds(spoiling.seed)
        self._catalog = catalog
        self._images = images
        self._snapshot: Snapshot | None = None

    def snapshot(self, about: CutStep, found: Snapshot) -> Snapshot:
        """What was read, or something that says to be of the moment of an earlier cut."""
        self._snapshot = found
        for _, fault in self._plan.active("paquete_atrasado", about.at):
            old = _earlier(about, fault) if fault.piece == "lectura" else None
            if old is not None:
                manifest = json.loads((old / "manifiesto.json").read_bytes())
                found = replace(found, seq_high=min(found.seq_high, manifest["seq_high"]))
        return found

    def at(self, step: str, about: CutStep) -> None:
        """Spoil what there is at a step."""
        if step == "imagenes":
            self._withhold(about)
        elif step == "objetos":
            for number, fault in self._plan.active("json_malformado", about.at):
                self._malform(about, number, fault)
        elif step == "construido":
            for _, fault in self._plan.active("paquete_atrasado", about.at):
                _put_old(about, fault)

    # -- JSON ------------------------------------------------------------------------------------

    def _malform(self, about: CutStep, number: int, fault: PublicationFault) -> None:
        objects = about.objects()
        if not objects:
            return
        draw = self._seeds.stream(f"publicacion/{number}/json/{about.at}")
        for path in draw.sample(objects, max(1, ceil(fault.share * len(objects)))):
            path.write_bytes(_malformed(path.read_bytes(), fault.defect))

    # -- images ----------------------------------------------------------------------------------

    def _withhold(self, about: CutStep) -> None:
        """Take away the images of the actas read while they did not come; bring back what came since."""
        store, snapshot = self._images, self._snapshot
        if store is None or snapshot is None or "://" in store.root:
            return
        wanted = {
            one.image_hash for one in (*snapshot.actas, *snapshot.outside) if one is not None
        } - {""}  # fmt: skip
        away = self._not_come(snapshot, about.at)
        folder = about.workdir / WITHHELD
        kept = {path.stem for path in folder.iterdir()} if folder.is_dir() else set()
        moved = False
        for name in sorted(kept - away):
            for path in folder.glob(f"{name}.*"):
                target = Path(store.root, "imagenes", name[:2], path.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
                moved = True
        for name in sorted(away & wanted):
            for path in Path(store.root, "imagenes", name[:2]).glob(f"{name}.*"):
                folder.mkdir(exist_ok=True)
                path.replace(folder / path.name)
                moved = True
        if moved:
            store.forget()

    def _not_come(self, snapshot: Snapshot, at: int) -> set[str]:
        """The hashes of the images that the faults of this moment hold back.

        Those of the actas published from the beginning of the fault on: what was public before stays so.
        """
        away: set[str] = set()
        for number, fault in self._plan.active("imagenes_faltantes", at):
            since = self._plan.begins(fault)
            draws = self._seeds.uniforms(f"publicacion/{number}/imagenes", len(self._catalog.actas))
            away |= {
                acta.image_hash
                for acta in snapshot.actas
                if acta is not None
                and acta.image_hash
                and _moment(acta) >= since
                and draws[acta.acta] < fault.share
                and (not fault.catds or self._catalog.catd_of(acta.acta).id in fault.catds)
            }
            if not fault.catds:
                away |= {one.image_hash for one in snapshot.outside if self._outside_held(number, fault, one)}
        return away

    def _outside_held(self, number: int, fault: PublicationFault, one: PublishedOutside) -> bool:
        draw = self._seeds.stream(f"publicacion/{number}/fuera/{one.image_hash}").random()
        return one.received_at >= self._plan.begins(fault) and draw < fault.share


def _moment(acta: PublishedActa) -> int:
    return acta.verified_at or acta.captured_at or 0


def _malformed(data: bytes, defect: str) -> bytes:
    if defect == "vacio":
        return b""
    if defect == "truncado":
        return data[: len(data) // 2]
    # Good JSON, wrapped in a list that does not belong there.
    return b"[" + data + b"]"


# -- packages ----------------------------------------------------------------------------------------


def _earlier(about: CutStep, fault: PublicationFault) -> Path | None:
    """Folder of the last cut that is old enough, or of the oldest there is; None before the first."""
    limit = about.at - ms_of(fault.behind_min)
    oldest: Path | None = None
    for number in range(about.number - 1, 0, -1):
        folder = about.workdir / "cortes" / f"{number:04d}"
        if not folder.is_dir():
            continue
        oldest = folder
        if json.loads((folder / "manifiesto.json").read_bytes())["instante_ms"] <= limit:
            return folder
    return oldest


def _put_old(about: CutStep, fault: PublicationFault) -> None:
    """Put the tables, or the archives, of an earlier cut in the place of those of this one."""
    old = None if fault.piece == "lectura" else _earlier(about, fault)
    if old is None:
        return
    pattern = "*.csv" if fault.piece == "tablas" else "*.zip"
    # Archives carry the hour in their name; in order of name they are the same ones.
    for source, target in zip(
        sorted(old.glob(pattern)), sorted(about.directory.glob(pattern)), strict=False
    ):  # fmt: skip
        shutil.copyfile(source, target)
