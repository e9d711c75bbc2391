"""Brings to the work folder the images a cut needs from wherever they are kept: another folder or a bucket.

What is published is what is in the work folder: the destinations copy from there. An image that does not
come in time, or not whole, is one that is missing from this cut, and is looked for again in the next: data
never wait for images. Which images a cut needs is decided by whoever publishes.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable
from threading import Event, Thread
from time import monotonic
from typing import TypeVar

from core.images.derive import Views, views
from core.images.errors import ImageError, MissingImageError
from core.images.store import ImageStore

T = TypeVar("T")
R = TypeVar("R")
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

    def view_sha256(self, name: str) -> str | None:
        """SHA-256 of the web view of an original of the work folder, None when it has none."""
        return self._near.view_sha256(name)

    def present(self, names: Collection[str]) -> set[str]:
        """Which of those originals are in the work folder, after bringing those that were not."""
        here = self._near.present(names)
        wanted = set(names) - here
        if not wanted:
            return here
        limit = self._clock() + self._patience_s

        def bring(name: str) -> str | None:
            return name if self._clock() < limit and self._bring(name) else None

        there = at_once(self._there, [wanted], self._patience_s)
        if not there:
            _LOG.warning("no se trajeron las imágenes de %s: no responde", self._far.root)
            return here
        came = at_once(bring, sorted(there[0]), max(0.0, limit - self._clock()))
        return here | {name for name in came if name is not None}

    def _there(self, wanted: Collection[str]) -> set[str]:
        try:
            return self._far.present(wanted)
        except ImageError as error:
            _LOG.warning("no se trajeron las imágenes de %s: %s", self._far.root, error)
            return set()

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
        except Exception:  # noqa: BLE001 - whatever one photo does to its reader, the cut comes out without it
            _LOG.exception("no se trajo la imagen %s", name)
            return False

    def _views(self, name: str, data: bytes) -> Views:
        try:
            return Views(self._far.view(name), self._far.thumb(name))
        except MissingImageError:
            return views(data)


def at_once(work: Callable[[T], R], items: Iterable[T], patience_s: float) -> list[R]:
    """What came in time of doing `work` with each, WIDTH at once; `work` raises nothing.

    Threads that still wait for an answer are left behind and do not hold the end of the process, as those
    of a pool do.
    """
    pending, done, late = deque(items), list[R](), Event()

    def go() -> None:
        while not late.is_set():
            try:
                item = pending.popleft()
            except IndexError:
                return
            done.append(work(item))

    threads = [Thread(target=go, name="imagenes", daemon=True) for _ in range(min(WIDTH, len(pending)))]
    for thread in threads:
        thread.start()
    limit = monotonic() + patience_s
    for thread in threads:
        thread.join(max(0.0, limit - monotonic()))
    late.set()
    return list(done)
