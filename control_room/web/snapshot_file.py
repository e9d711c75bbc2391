"""The bytes the writer left, ready to be sent: read again only when the file changes.

It believes the writer for everything but the age: that is measured on this process's own clock.
"""

from __future__ import annotations

import gzip
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

import orjson

FILE = "sala.json"


@dataclass(frozen=True, slots=True)
class Served:
    """One snapshot, both ways, and what `/salud` needs of it."""

    etag: str
    plain: bytes
    packed: bytes
    seq: int
    boot_id: str
    made_real_ms: int
    stale_ms: int
    database_ok: bool


class SnapshotFile:
    """`sala.json` (and `.gz`) of a folder. `current` may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._plain = folder / FILE
        self._packed = folder / f"{FILE}.gz"
        self._seen: tuple[int, int, int] | None = None
        self._served: Served | None = None
        self._lock = threading.Lock()

    def current(self) -> Served | None:
        """What the writer left last; None when it has never written, or what it wrote cannot be read."""
        try:
            stat = self._packed.stat()
        except OSError:
            return None
        seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if seen == self._seen:
            return self._served
        with self._lock:
            if seen != self._seen:
                try:
                    self._served = _read(self._packed.read_bytes())
                except (OSError, ValueError, KeyError, TypeError, EOFError, zlib.error):
                    return None
                self._seen = seen
            return self._served


def _read(packed: bytes) -> Served:
    plain = gzip.decompress(packed)
    data = orjson.loads(plain)
    seq, boot = int(data["seq"]), str(data["boot_id"])
    return Served(
        etag=f'"{boot}-{seq}"',
        plain=plain,
        packed=packed,
        seq=seq,
        boot_id=boot,
        made_real_ms=int(data["generado_real_ms"]),
        stale_ms=int(float(data["viejo_s"]) * 1000),
        database_ok=bool(data["base"]["ok"]),
    )
