"""The images of a night's actas, drawn when they leave the scanner or the phone and kept as they are sent.

Drawing is done at once, because the command carries the hash of the bytes; keeping them and making their
views is done by threads, and `settle` waits for it. Drawing again, as a run that is continued does, gives
the same bytes and finds them there. Which actas have an image is decided by their id before the night.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.images.store import ImageStore
    from simulator.night.model import NightModel

MOBILE = "movil"
"""Attempt of a photo by PREP Casilla; the others are of a scanner."""
WORKERS = 2
_WAITING = 64
"""Images drawn and not kept yet from which whoever draws waits: they are in memory."""


@dataclass(frozen=True, slots=True)
class WantedImages:
    """Where images go and of which part of the actas (more than 0, up to 1)."""

    store: ImageStore
    fraction: float


class ActaImages:
    """Draws and keeps the images of the actas of a night that were chosen; `in` says whether one was."""

    def __init__(self, model: NightModel, wanted: WantedImages) -> None:
        # A night without images needs none of what draws them.
        from simulator.drawing.draw import Drawer

        catalog, seeds = model.catalog, model.seeds
        self._model = model
        self._wanted = wanted
        self._drawer = Drawer(catalog, seeds)
        self._chosen = [
            number < wanted.fraction for number in seeds.uniforms("imagenes/muestra", len(catalog.actas))
        ]
        self._shot_ms = {photo.acta: photo.shot_ms for package in model.packages for photo in package.photos}
        self._first = {entry.contest: entry.id for entry in reversed(catalog.actas)}
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="imagenes")
        self._pending: deque[Future[None]] = deque()
        self._drawn = 0
        self._bytes = 0

    @property
    def store(self) -> ImageStore:
        """Where the pictures are."""
        return self._wanted.store

    @property
    def fraction(self) -> float:
        """Part of the actas that is drawn."""
        return self._wanted.fraction

    def __contains__(self, acta: int) -> bool:
        return self._chosen[acta]

    def includes_outside(self, contest: str, number: int) -> bool:
        """Whether an acta fuera de catálogo was chosen."""
        draw = self._model.seeds.stream(f"imagenes/fuera/{contest}/{number}")
        return draw.random() < self._wanted.fraction

    def drawn(self, acta: int, attempt: str) -> str:
        """Draw an image of an acta; returns the SHA-256 of its bytes, which are on their way to the store."""
        from simulator.drawing.looks import Look

        look = Look.MOVIL if attempt == MOBILE else Look.ESCANER
        taken_ms = self._model.start_ms + self._shot_ms.get(acta, 0)
        return self._keep(self._drawer.draw(acta, self._model.truth[acta], look, attempt, taken_ms))

    def drawn_outside(self, contest: str, number: int, claimed: str) -> str:
        """The same of an acta fuera de catálogo, with the numbers of some acta of its contest."""
        like = self._first[contest]
        return self._keep(self._drawer.draw_outside(like, self._model.truth[like], claimed, number))

    def settle(self) -> None:
        """Wait until everything drawn is in the store. Raises StoreError when it cannot be kept."""
        while self._pending:
            self._pending.popleft().result()

    def close(self) -> None:
        """Stop keeping; what was not kept yet is drawn again by whoever continues."""
        self._pool.shutdown(cancel_futures=True)

    def as_data(self) -> dict[str, object]:
        """How much was drawn, for the summary."""
        return {"fraccion": self._wanted.fraction, "dibujadas": self._drawn, "bytes": self._bytes}

    def _keep(self, data: bytes) -> str:
        while len(self._pending) >= _WAITING:
            self._pending.popleft().result()
        self._pending.append(self._pool.submit(self._put, data))
        self._drawn += 1
        self._bytes += len(data)
        return sha256(data).hexdigest()

    def _put(self, data: bytes) -> None:
        store = self._wanted.store
        name = store.put(data)
        if not store.has_views(name):
            from core.images.derive import views

            store.put_views(name, views(data))
