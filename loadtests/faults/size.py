"""How big a rehearsal is: the full one, and the short one of the continuous integration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How big a rehearsal is. Seconds of the services are their own when None."""

    secciones: int
    images: float
    tick_s: float | None
    """Between two looks of the publisher."""
    room_tick_s: float
    room_stale_s: float
    disk_mib: int
    """Of the file system of the work folder; 0 for the folder itself."""
    parts: frozenset[str]
    """What is started besides the night and its publisher: `sala`, `s3`, `imagenes`."""


SHORT = Size(16, 0.3, 0.25, 0.5, 2.0, 0, frozenset({"sala", "s3", "imagenes"}))
FULL = Size(240, 0.05, None, 2.0, 12.0, 192, frozenset({"sala", "s3", "imagenes"}))
