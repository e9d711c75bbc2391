"""Certifies a recorded cut: its actas in a tree, its entry in the public log, its portal, the pointer.

Before the cut is recorded it adds to the manifest what the log entry will need; after, it writes from the
folder of the cut alone, so that whatever a death left undone is done later with the same bytes. The
package itself is `package`; whether and when a cut goes out, `cut` and the service.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import orjson

from core.domain.catalog import Catalog
from core.domain.events import Event
from core.errors import UsageError
from core.publication.difusion import write_difusion
from core.publication.json_levels import ShownImage
from core.publication.ledger_match import check_manifest, notice_entry
from core.publication.package import CUTS, INDEX, MANIFEST, PackageBuilder, PackageError, Parts
from core.publication.pointer import LogState, canonical, pointer_document, write_pointer, write_whole
from core.publication.portal_data.changes import (
    PublishedTree,
    compare,
    load_tree,
    new_names,
    tree_of,
)
from core.publication.portal_data.portal import PortalData, PortalInput
from core.publication.public_tree import (
    cut_folder,
    difusion_key,
    emission_key,
    image_name,
    notice_key,
    object_key,
    record_path,
    stamp_key,
)
from core.tally.snapshot import Snapshot
from core.transparency import keyring
from core.transparency.acta_tree import ActaTree
from core.transparency.entries import Apertura, Cierre, Emision
from core.transparency.keys import SigningKey
from core.transparency.log import EmissionLog
from core.transparency.notes import parse_note, witnesses_of

FORMAT = 1


class ImageSource(Protocol):
    """Where the images are (`core.images.store`)."""

    def key(self, name: str) -> str | None:
        """Public name of an original, None when it is not here."""

    def present(self, names: Collection[str]) -> set[str]:
        """Which of those originals are here."""

    def view_sha256(self, name: str) -> str | None:
        """SHA-256 of the web view of an original, None when there is none that can be shown."""


@dataclass(frozen=True, slots=True)
class EmissionInfo:
    """A certified cut. `leaf` is its place in the log of `size` entries; roots in hexadecimal.

    `new_keys` are the public names this cut added, other than those of the log; `with_image` and
    `missing_images` count captured actas, both 0 when images are not published.
    """

    leaf: int
    size: int
    root: str
    acta_root: str
    acta_leaves: int
    portal: str
    new_keys: tuple[str, ...]
    with_image: int
    missing_images: int


class Emission:
    """The public side of one operation in its work folder."""

    def __init__(
        self,
        workdir: Path,
        catalog: Catalog,
        builder: PackageBuilder,
        key: SigningKey,
        *,
        mode: str,
        images: ImageSource | None,
        witnesses: Sequence[tuple[str, str]] | None,
        threshold: int | None,
        durable: bool = True,
    ) -> None:
        if key.mode != mode:
            raise PackageError(f"la llave es de modo {key.mode} y la operación, de {mode}; no se mezclan")
        if builder.levels.keys() != catalog.contests.keys():
            raise PackageError("una emisión certificada lleva todas las contiendas del catálogo")
        self.log = EmissionLog(workdir, key, durable=durable)
        self._work = workdir
        self._catalog = catalog
        self._builder = builder
        self._mode = mode
        self._durable = durable
        self._images = images
        self._witnesses = witnesses
        self._threshold = threshold
        self._catalog_sha256 = builder.fingerprint
        self._actas = ActaTree(workdir)
        self._portal = PortalData(catalog, builder.levels, builder.store, mode=mode)
        self._present: set[str] = set()
        self._previous = 0
        self._before: dict[str, PublishedTree] | None = None
        self._now: dict[str, PublishedTree] = {}
        self._names: list[str] = []
        self._shown: set[str] | None = None
        """Images published in the recorded cuts, by public name."""
        self._views: dict[str, str] = {}
        """SHA-256 of the web view of each original, told in the record of the cut that showed it."""
        self._images_now: list[str] = []
        self._found = (0, 0)
        self._unsynced: set[str] = set()
        """Tiles of the acta tree since the last recorded cut."""

    def after(self, number: int) -> None:
        """Say which cut is the last recorded one; 0 before the first."""
        if number != self._previous:
            self._previous, self._before, self._shown = number, None, None

    # -- before the cut is recorded ------------------------------------------------------------------

    def look_for_images(self, snapshot: Snapshot) -> None:
        """Find out which images of a snapshot are here, once for the whole cut."""
        if self._images is None:
            return
        wanted = {acta.image_hash for acta in snapshot.actas if acta is not None and acta.image_hash}
        wanted |= {acta.image_hash for acta in snapshot.outside if acta.image_hash}
        self._present = self._images.present(wanted)

    def image_key(self, name: str) -> ShownImage | None:
        """How an image of the snapshot that was looked at is published."""
        if self._images is None or name not in self._present:
            return None
        key = self._images.key(name)
        if key is None:
            return None
        self._shown_before()
        view = self._views.get(name)
        if view is None and (view := self._images.view_sha256(name)) is not None:
            self._views[name] = view
        return ShownImage(key, view)

    def prepare(self, parts: Parts) -> dict[str, Any]:
        """Write the acta tree and the portal of a cut; returns what its manifest gains."""
        store, levels = self._builder.store, self._builder.json
        if self._before is None:
            self._before = self._trees_of(self._previous)
        before = self._before
        leaves: dict[int, bytes] = {}
        for one in levels.values():
            leaves |= one.taken_leaves()
        size = len(self._catalog.actas) + len(parts.snapshot.outside)
        root = self._actas.update(leaves, size)
        self._unsynced.update(self._actas.new_keys)
        self._now = {contest: tree_of(levels[contest], tree.root) for contest, tree in parts.trees.items()}
        changes = {
            contest: compare(store, before.get(contest, PublishedTree()), now)
            for contest, now in self._now.items()
        }
        with_image, missing = self._count_images(parts.snapshot)
        manifest = self._manifest(self._previous)
        portal, names = self._portal.build(
            PortalInput(
                number=parts.number,
                at_ms=parts.at_ms,
                last=parts.last,
                snapshot=parts.snapshot,
                trees=parts.trees,
                headers=parts.headers,
                changes=changes,
                with_image=with_image,
                missing_images=missing,
                previous=None if manifest is None else manifest["portal"],
                previous_leaf=None if manifest is None else self._leaf(self._previous),
            )
        )
        fresh = {
            name
            for contest, now in self._now.items()
            for name in new_names(before.get(contest, PublishedTree()), now)
        }
        self._names = sorted(fresh.union(names))
        self._found = (sum((with_image or {}).values()), missing)
        self._images_now = sorted(self._public_images().difference(self._shown_before()))
        return {
            "actas": {"raiz": root.hex(), "hojas": size},
            "imagenes": {"con_imagen": self._found[0], "faltantes": missing},
            "portal": portal,
        }

    def unsynced(self) -> list[Path]:
        """The tiles of the acta tree that are written and not on disk for good."""
        return [self._work / key for key in sorted(self._unsynced)]

    def intend(self, number: int, next_ms: int | None, generated_ms: int) -> None:
        """Keep what a restart needs to finish a cut that is about to be recorded."""
        self._keep(
            number,
            {
                "objetos": self._names,
                "imagenes": self._images_now,
                "vistas": {
                    name: view
                    for name in map(image_name, self._images_now)
                    if (view := self._views.get(name)) is not None
                },
                "siguiente_ms": next_ms,
                "generado_ms": generated_ms,
            },
        )

    # -- after it is recorded ------------------------------------------------------------------------

    def recorded(self, number: int) -> None:
        """The cut that was prepared is the last one of the ledger."""
        self._previous, self._before = number, self._now
        self._unsynced.clear()
        self._shown_before().update(self._images_now)

    def enter(self, number: int, since_ms: int, recorded: str) -> int:
        """Put a recorded cut in the log, and the closing entry after the last one; returns its leaf.

        `since_ms` is when the key began to be used, for `llaves.json`; `recorded`, the SHA-256 of the
        manifest in the ledger. Raises UsageError, with nothing signed, when the folder has another one.
        """
        folder = self._work / CUTS / f"{number:04d}"
        data, listed = (folder / MANIFEST).read_bytes(), (folder / INDEX).read_bytes()
        check_manifest(folder / MANIFEST, number, data, recorded)
        manifest, index = self._certified(number), orjson.loads(listed)
        if sha256(listed).hexdigest() not in [one["sha256"] for one in manifest["archivos"]]:
            raise UsageError(f"{folder / INDEX}: no es el que dice el manifiesto del corte; no se firma.")
        self._begin(since_ms)
        leaf = self.log.append(
            Emision(
                self._mode,
                self._catalog.entidad.id,
                self._catalog.election,
                self._catalog_sha256,
                number,
                manifest["instante_ms"],
                manifest["ultimo"],
                manifest["seq_high"],
                sha256(data).hexdigest(),
                manifest["actas"]["raiz"],
                manifest["actas"]["hojas"],
                {
                    contest: (manifest["raices_json"][contest], told["encabezado"])
                    for contest, told in index["contiendas"].items()
                },
            ).encode()
        )
        if manifest["ultimo"] and not self.log.frozen:
            kinds = Counter(orjson.loads(entry)["clase"] for entry in self.log.entries())
            closing = Cierre(self._mode, number, kinds[Emision.KIND], manifest["instante_ms"])
            self.log.append(closing.encode())
        return leaf

    def write_proof(self, number: int, leaf: int) -> None:
        """Write the proof bundle of a cut."""
        size = leaf + 1
        document = {
            "formato": FORMAT,
            "entrada": base64.b64encode(self.log.entries()[leaf]).decode(),
            "hoja": leaf,
            "prueba": [node.hex() for node in self.log.inclusion(leaf, size)],
            "checkpoint": self.log.note_at(size),
            "tamano": size,
        }
        write_whole(self._work / emission_key(number), canonical(document), durable=self._durable)

    def write_difusion(self, number: int) -> None:
        """Write the package for difusores of a cut."""
        if not (self._work / difusion_key(number)).is_file():
            write_difusion(self._work, number, durable=self._durable)

    def point(self, number: int) -> None:
        """Write `corte.json` for a certified cut, from its folder, its record and the log."""
        folder = self._work / CUTS / f"{number:04d}"
        record = orjson.loads(record_path(self._work, number).read_bytes())
        ring = keyring.read(self._work)
        witnesses = [] if ring is None else ring.witness_verifiers
        cosigned = witnesses_of(parse_note(self.log.checkpoint()), witnesses)
        document = pointer_document(
            manifest=self._certified(number),
            entidad=self._catalog.entidad.id,
            election=self._catalog.election,
            index_sha256=sha256((folder / INDEX).read_bytes()).hexdigest(),
            manifest_sha256=sha256((folder / MANIFEST).read_bytes()).hexdigest(),
            leaf=self._leaf(number),
            log=LogState(self.log.key.origin, self.log.size, self.log.root.hex()),
            difusion=(self._work / difusion_key(number)).is_file(),
            witnesses=(len(witnesses), len(cosigned)),
            stamp=stamp_key(number) if (self._work / stamp_key(number)).is_file() else None,
            next_ms=record["siguiente_ms"],
            notices=sum(b'"clase":"aviso"' in entry for entry in self.log.entries()),
            generated_ms=record["generado_ms"],
        )
        write_pointer(self._work, document, durable=self._durable)

    def info(self, number: int) -> EmissionInfo:
        """What was certified of the cut just published."""
        manifest = self._certified(number)
        folder = cut_folder(number)
        files = [folder + path.name for path in sorted((self._work / folder).iterdir())]
        more = [emission_key(number), difusion_key(number)]
        objects = [object_key(name) for name in self._names]
        return EmissionInfo(
            self._leaf(number),
            self.log.size,
            self.log.root.hex(),
            manifest["actas"]["raiz"],
            manifest["actas"]["hojas"],
            manifest["portal"],
            (
                *objects,
                *self._images_now,
                *self._actas.new_keys,
                *files,
                *(key for key in more if (self._work / key).is_file()),
            ),
            *self._found,
        )

    def notices(self, events: Iterable[Event], since_ms: int) -> int:
        """Put in the log the notices of the ledger it has not; returns how many."""
        added = 0
        for event in events:
            data = event.data
            entry = notice_entry(self._mode, data)
            if self.log.index_of(entry) is None:
                self._begin(since_ms)
                self.log.append(entry)
                added += 1
            write_whole(self._work / notice_key(data["number"]), entry, durable=self._durable)
        return added

    def cosigned(self, lines: Sequence[str], of: str, since_ms: int) -> int:
        """Add cosignatures to the checkpoint they are of; returns how many, 0 if the log has grown since."""
        if not lines or not self.log.size:
            return 0
        self._begin(since_ms)
        return self.log.add_cosignatures(lines, of=of)

    def restated(self, number: int, generated_ms: int) -> None:
        """Say in the record of a cut when its pointer is written again; the rest stays."""
        record = orjson.loads(record_path(self._work, number).read_bytes())
        self._keep(number, record | {"generado_ms": generated_ms})

    def is_certified(self, number: int) -> bool:
        """True when a recorded cut was prepared here, whatever is missing of it."""
        manifest = self._manifest(number)
        return manifest is not None and record_path(self._work, number).is_file()

    def has_proof(self, number: int) -> bool:
        """True when nothing of a cut is missing but perhaps the pointer."""
        return (self._work / emission_key(number)).is_file()

    # -- inside --------------------------------------------------------------------------------------

    def _begin(self, since_ms: int) -> None:
        """The first entry and the keys, before anything else is in the log."""
        keyring.ensure(
            self._work, self.log.key.vkey, since_ms, witnesses=self._witnesses, threshold=self._threshold
        )
        if self.log.size == 0:
            opening = Apertura(
                self._mode,
                self.log.key.origin,
                self._catalog.entidad.id,
                self._catalog.election,
                self._catalog_sha256,
            )
            self.log.append(opening.encode())

    def _keep(self, number: int, record: Mapping[str, Any]) -> None:
        write_whole(record_path(self._work, number), canonical(record), durable=self._durable)

    def _manifest(self, number: int) -> dict[str, Any] | None:
        """The manifest of a cut that was prepared with its portal; None for any other."""
        try:
            found = orjson.loads((self._work / CUTS / f"{number:04d}" / MANIFEST).read_bytes())
        except FileNotFoundError:
            return None
        return found if "portal" in found else None

    def _certified(self, number: int) -> dict[str, Any]:
        manifest = self._manifest(number)
        if manifest is None:
            raise PackageError(f"el corte {number} no se preparó para certificarse")
        return manifest

    def _leaf(self, number: int) -> int:
        return int(orjson.loads((self._work / emission_key(number)).read_bytes())["hoja"])

    def _public_images(self) -> set[str]:
        """Public names of the images of the snapshot that was looked at, those that are here."""
        images = (self.image_key(name) for name in self._present)
        return {image.key for image in images if image is not None}

    def _shown_before(self) -> set[str]:
        if self._shown is None:
            records = (record_path(self._work, number) for number in range(1, self._previous + 1))
            self._shown = set()
            for told in (orjson.loads(path.read_bytes()) for path in records if path.is_file()):
                self._shown.update(told["imagenes"])
                # What was said of a view is said for ever, whatever happens to its file.
                self._views.update(told.get("vistas", {}))
        return self._shown

    def _trees_of(self, number: int) -> dict[str, PublishedTree]:
        manifest = self._manifest(number)
        if manifest is None:
            return {}
        store = self._builder.store
        return {contest: load_tree(store, root) for contest, root in manifest["raices_json"].items()}

    def _count_images(self, snapshot: Snapshot) -> tuple[dict[str, int] | None, int]:
        """Captured actas with their image published, by contest, and how many lack it."""
        if self._images is None:
            return None, 0
        found = dict.fromkeys(self._catalog.contests, 0)
        missing = 0
        for acta in snapshot.actas:
            if acta is None or not acta.image_hash:
                continue
            if acta.image_hash in self._present:
                found[self._catalog.actas[acta.acta].contest] += 1
            else:
                missing += 1
        return found, missing
