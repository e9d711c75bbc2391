"""`publicacion`: what a certified cut costs and leaves, whole and one after the other.

The same night as `corte_incremental`, through everything a published cut goes through: packages, objects
read back, tree of actas, log, data of the portal, package for difusores, pointer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from benchmarks.context import MODE, Context, Office, cpu_seconds
from benchmarks.figures import Calibration, Figure
from benchmarks.nights import START_MS
from core.publication.cut import CutReport, Publisher
from core.publication.pointer import read_pointer
from core.storage.reading import SnapshotReader
from core.tally.levels import Levels
from core.transparency.acta_tree import proof
from core.transparency.keys import SigningKey, origin_of, rehearsal_key

HOUR_MS = 3_600_000
NODE_BYTES = 32


def key_of(office: Office) -> SigningKey:
    """The key the benchmarks sign with: a rehearsal's, of nobody."""
    origin = origin_of(office.catalog.entidad.abbreviation, office.catalog.election, MODE)
    return rehearsal_key(origin, "rendimiento")


@dataclass(frozen=True, slots=True)
class TimedCut:
    """A cut and what it took: seconds by the clock, and of CPU of all its processes."""

    report: CutReport
    seconds: float
    cpu: float

    @property
    def steps(self) -> str:
        """The longest steps, for people."""
        told = (f"{name} {taken:.2f}" for name, taken in self.report.timings.items() if taken >= 0.02)
        return ", ".join(told)


def timed(publisher: Publisher, at: int) -> TimedCut:
    """Publish a cut. Raises RuntimeError when it is refused."""
    before, cpu = time.perf_counter(), cpu_seconds()
    report = publisher.cut(at)
    if report.refused is not None:
        raise RuntimeError(f"the cut was refused: {report.refused}")
    return TimedCut(report, time.perf_counter() - before, cpu_seconds() - cpu)


def publicacion(context: Context) -> list[Figure]:
    """A whole certified cut, the next one with about 2 % of the actas new, and one without anything new."""
    office, place = context.office_apart("certificada"), context.room("publicacion")
    calibration = context.calibrate()
    publisher = Publisher(office.engine, office.store.database, place, key=key_of(office))
    watch = _Watch(office)
    watch.changes()
    whole = timed(publisher, START_MS + 21 * HOUR_MS)
    before = _files(place / "objetos")
    office.finish()
    due = watch.changes()
    after = timed(publisher, START_MS + 22 * HOUR_MS)
    now = _files(place / "objetos")
    again = timed(publisher, START_MS + 23 * HOUR_MS)
    last = _files(place / "objetos")

    new = len(now.keys() - before.keys() - _of_portal(place, after))
    size = len(office.catalog.actas)
    share = f"{watch.changed:,} de {size:,} actas cambiaron"
    return [
        Figure(
            "publicacion", "corte completo certificado", whole.seconds, calibration, 5.0, unit="s",
            note=f"{size:,} actas; {whole.cpu:.2f} s de CPU entre sus procesos; pasos en s: {whole.steps}",
        ),
        Figure(
            "publicacion", "el corte siguiente, certificado", after.seconds / whole.seconds, calibration,
            unit="s", part=("siguiente", after.seconds), whole=("completo", whole.seconds), note=share,
        ),
        Figure(
            "publicacion", "objetos nuevos, sin los del portal / secciones que cambiaron y sus superiores",
            new / due, calibration, 1.0, exact=True, unit="objetos", part=("nuevos", new),
            whole=("cambiaron", due), note=share,
        ),
        Figure(
            "publicacion", "objetos ya publicados que un corte volvió a escribir",
            _touched(before, now, last), calibration, 0.0, exact=True, unit="objetos",
            note=f"{len(before):,} ya publicados",
        ),
        Figure(
            "publicacion", "corte sin nada nuevo: objetos escritos, sin los del portal",
            len(last.keys() - now.keys() - _of_portal(place, again)), calibration, 0.0, exact=True,
            unit="objetos", note=f"{len(last.keys() - now.keys())} del portal; {again.seconds:.2f} s",
        ),
        _proofs(place, again, calibration),
    ]  # fmt: skip


class _Watch:
    """Which objects must change from one reading of the database to the next, by the sums alone."""

    def __init__(self, office: Office) -> None:
        catalog = office.catalog
        self._reader = SnapshotReader(office.store.database, len(catalog.actas))
        self._levels = [Levels(catalog, contest) for contest in catalog.contests]
        self.changed = 0

    def changes(self) -> int:
        """Sections with an acta that changed, their territories and the contests they are of."""
        snapshot = self._reader.read()
        self.changed = len(snapshot.changed or ())
        due = 0
        for levels in self._levels:
            dirty = levels.update(snapshot)
            due += len(dirty) + len({key.territory for key in dirty}) + bool(dirty)
        return due


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Each object by its name: which file it is, and when it was written."""
    return {
        item.name: (stat.st_ino, stat.st_mtime_ns)
        for inner in os.scandir(folder)
        for item in os.scandir(inner.path)
        for stat in (item.stat(),)
    }


def _touched(*moments: Mapping[str, tuple[int, int]]) -> int:
    """Objects of one moment that are not the same file in the next."""
    return sum(
        later.get(name) != stamp for earlier, later in pairwise(moments) for name, stamp in earlier.items()
    )


def _of_portal(place: Path, cut: TimedCut) -> set[str]:
    """The objects that are the portal's own: it has some of each cut, whatever changed."""
    assert cut.report.emission is not None
    root = cut.report.emission.portal
    document = _object(place, root)
    own = {root, document["catalogo"], document["historial"], document["detalle_cambios"]}
    for contest in document["contiendas"]:
        own |= {contest["inconsistencias"], contest["cobertura"]}
    return {f"{name}.json" for name in own}


def _object(place: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((place / "objetos" / name[:2] / f"{name}.json").read_bytes())
    return found


def _proofs(place: Path, cut: TimedCut, calibration: Calibration) -> Figure:
    """The longest of a thousand proofs of actas of the cut, as a stranger takes them from its files."""
    emission, pointer = cut.report.emission, read_pointer(place)
    assert emission is not None
    assert pointer is not None
    root, size = bytes.fromhex(emission.acta_root), emission.acta_leaves

    def get(key: str) -> bytes:
        return (place / key).read_bytes()

    longest = max(len(proof(get, root, size, acta)) for acta in range(0, size, max(1, size // 1000)))
    most = (size - 1).bit_length()
    return Figure(
        "publicacion", "la prueba más larga de un acta del corte", longest / most, calibration, 1.0,
        unit="bytes", part=("la más larga de mil", longest * NODE_BYTES),
        whole=("⌈log2 n⌉ hashes", most * NODE_BYTES), note=f"{size:,} hojas; corte {pointer['corte']}",
    )  # fmt: skip
