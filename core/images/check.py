"""Which captured actas have their image in the store, and how many there are by contest and by CATD.

'Captured with image' is counted here from what is really kept, not from what a capturista saw. It only
counts: whether a cut goes out without some image is the publisher's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.domain.catalog import Catalog
from core.images.store import ImageStore
from core.tally.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Missing:
    """Ids, in order, of what has a hash whose image is not in the store: actas, and fuera de catálogo."""

    actas: tuple[int, ...] = ()
    outside: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.actas or self.outside)

    def __len__(self) -> int:
        return len(self.actas) + len(self.outside)


@dataclass(slots=True)
class ImageCount:
    """Of some expected actas: captured, captured without any acta to photograph, with image, image missing.

    captured = sin_acta + with_image + missing.
    """

    captured: int = 0
    sin_acta: int = 0
    with_image: int = 0
    missing: int = 0

    def as_data(self) -> dict[str, int]:
        """By the names people read."""
        return {
            "capturadas": self.captured,
            "sin_acta": self.sin_acta,
            "con_imagen": self.with_image,
            "imagen_faltante": self.missing,
        }


@dataclass(frozen=True, slots=True)
class ImageCounts:
    """The counts of a snapshot: all of it, by contest (id) and by CATD (id)."""

    total: ImageCount = field(default_factory=ImageCount)
    by_contest: Mapping[str, ImageCount] = field(default_factory=dict)
    by_catd: Mapping[int, ImageCount] = field(default_factory=dict)


def missing(snapshot: Snapshot, store: ImageStore) -> Missing:
    """What of a snapshot has a hash and no image. Raises StoreError when the store does not answer."""
    hashes = {acta.image_hash for acta in snapshot.actas if acta is not None and acta.image_hash}
    hashes |= {one.image_hash for one in snapshot.outside}
    absent = hashes - store.present(hashes)
    if not absent:
        return Missing()
    return Missing(
        tuple(acta.acta for acta in snapshot.actas if acta is not None and acta.image_hash in absent),
        tuple(one.id for one in snapshot.outside if one.image_hash in absent),
    )


def counts(catalog: Catalog, snapshot: Snapshot, lacking: Missing) -> ImageCounts:
    """How many captured actas have their image; `lacking` is the answer of `missing` for this snapshot.

    Actas fuera de catálogo are of no acta esperada and are not counted.
    """
    found = ImageCounts(
        ImageCount(),
        {contest: ImageCount() for contest in catalog.contests},
        {catd.id: ImageCount() for catd in catalog.catds},
    )
    absent = set(lacking.actas)
    for acta in snapshot.actas:
        if acta is None:
            continue
        entry = catalog.actas[acta.acta]
        catd = catalog.casillas[entry.casilla].catd
        for count in (found.total, found.by_contest[entry.contest], found.by_catd[catd]):
            count.captured += 1
            if not acta.image_hash:
                count.sin_acta += 1
            elif acta.acta in absent:
                count.missing += 1
            else:
                count.with_image += 1
    return found
