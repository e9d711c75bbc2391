"""The kept snapshots of the night: one file per moment, to open any of them as it was.

Files `<ahora_ms>-<seq>.json.gz` in one folder; the folder is the index, so it survives restarts and
anybody may copy it. It decides neither what a snapshot holds nor how often one is kept.
"""

from __future__ import annotations

import os
import re
import threading
from bisect import bisect_right
from contextlib import suppress
from pathlib import Path

from core.errors import UsageError

_NAME = re.compile(r"(-?\d+)-(\d+)\.json\.gz$")


class NoSuchMomentError(UsageError):
    """No snapshot was kept at or before the moment asked."""


class History:
    """The snapshots kept in a folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[int, str] = {}
        self._moments: list[int] = []
        self._seen_ns = -1
        self._lock = threading.Lock()
        self._refresh()

    def keep(self, now_ms: int, seq: int, gz: bytes) -> None:
        """Keep a compressed snapshot as that of `now_ms`; a later one of the same moment takes its place."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{now_ms}-{seq}.json.gz"
        with self._lock:
            before = self._files.get(now_ms)
        temporary = self.folder / f".{name}.tmp"
        temporary.write_bytes(gz)
        temporary.replace(self.folder / name)
        if before is not None and before != name:
            (self.folder / before).unlink(missing_ok=True)
        with self._lock:
            self._refresh(force=True)

    def moments(self) -> list[int]:
        """The moments kept, ms UTC of the night, in order."""
        with self._lock:
            self._refresh()
            return list(self._moments)

    def at(self, ms: int) -> bytes:
        """The compressed snapshot of the last moment not after `ms`. Raises NoSuchMomentError."""
        for again in (False, True):
            with self._lock:
                self._refresh(force=again)
                position = bisect_right(self._moments, ms)
                if not position:
                    break
                name = self._files[self._moments[position - 1]]
            # Between both, another process may have put a later one of the same moment in its place.
            with suppress(FileNotFoundError):
                return (self.folder / name).read_bytes()
        raise NoSuchMomentError("No se guardó ninguna fotografía de ese momento ni de antes.")

    def _refresh(self, *, force: bool = False) -> None:
        """Read the folder again when it changed: another process may be the one that keeps."""
        try:
            changed = self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            self._files, self._moments, self._seen_ns = {}, [], -1
            return
        if changed == self._seen_ns and not force:
            return
        found: dict[int, tuple[int, str]] = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                match = _NAME.fullmatch(entry.name)
                if match:
                    one = (int(match[2]), entry.name)
                    found[int(match[1])] = max(found.get(int(match[1]), one), one)
        self._files = {ms: name for ms, (_, name) in found.items()}
        self._moments = sorted(self._files)
        self._seen_ns = changed
