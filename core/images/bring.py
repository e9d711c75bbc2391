"""Brings to the work folder the images a cut needs from wherever they are kept: another folder or a bucket.

What is published is what is in the work folder: the destinations copy from there. An image that does not
come in time, or not whole, is one that is missing from this cut, and is looked for again in the next: data
never wait for images. Which images a cut needs is decided by whoever publishes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, wait
from time import monotonic

from core.images.derive import Views, views
from core.images.errors import ImageError, MissingImageError
from core.images.store import ImageStore

_LOG = logging.getLogger(__name__)

WIDTH = 16
"""How many are asked for at once."""
PATIENCE_S = 15.0
"""How long a cut waits for images, in all."""


class BroughtImages:
    """The images of `store` that a cut may show: those that are in `near`, the work folder, in the end."""

    def __init__(
        self,
        store: ImageStore,
        near: ImageStore,
        *,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._far = store
        self._near = near
        self._patience_s = patience_s
        self._clock = clock

    def key(self, name: str) -> str | None:
        """Public name of an original of the work folder, None when it is not there."""
        return self._near.key(name)

    def present(self, names: Collection[str]) -> set[str]:
        """Which of those originals are in the work folder, after bringing those that were not."""
        here = self._near.present(names)
        wanted = set(names) - here
        if not wanted:
            return here
        limit = self._clock() + self._patience_s
        pool = ThreadPoolExecutor(WIDTH, thread_name_prefix="imagenes")

        def bring(name: str) -> str | None:
            return name if self._clock() < limit and self._bring(name) else None

        try:
            there = pool.submit(self._far.present, wanted).result(self._patience_s)
            asked = [pool.submit(bring, name) for name in sorted(there)]
            done, _ = wait(asked, max(0.0, limit - self._clock()))
            return here | {name for name in (one.result() for one in done) if name is not None}
        except (ImageError, TimeoutError) as error:
            _LOG.warning("no se trajeron las imágenes de %s: %s", self._far.root, str(error) or "no responde")
            return here
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _bring(self, name: str) -> bool:
        """Copy one original and its views, or make them; False when it is not whole or no image."""
        try:
            data = self._far.get(name)
            if not self._near.has_views(name):
                self._near.put_views(name, self._views(name, data))
            # The original last: where it is, its views are.
            return self._near.put(data) == name
        except ImageError as error:
            _LOG.warning("no se trajo la imagen %s: %s", name, error)
            return False

    def _views(self, name: str, data: bytes) -> Views:
        try:
            return Views(self._far.view(name), self._far.thumb(name))
        except MissingImageError:
            return views(data)
