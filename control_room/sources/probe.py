"""The portal as a citizen sees it: GET its address every few seconds and keep the last minute.

Only when the configuration gives an address: without one nothing leaves the machine. An answer that is not
2xx or 304, one that does not come in time and one that cannot be had at all are errors. What is too slow or
too often is for the alert rules.
"""

from __future__ import annotations

import threading
import time
import urllib.request
from collections import deque
from contextlib import suppress
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit

from control_room.night.facts import ProbeFacts
from core.errors import UsageError

EVERY_S = 2.0
WINDOW_S = 60.0
TIMEOUT_S = 5.0
FEWEST = 5
"""With fewer requests than this in the window there is nothing to tell yet."""
_BLOCK = 1 << 16


class Probe:
    """Asks for an address in a thread of its own until `close`. Raises UsageError for what is not one."""

    def __init__(
        self,
        url: str,
        *,
        every_s: float = EVERY_S,
        window_s: float = WINDOW_S,
        timeout_s: float = TIMEOUT_S,
        fewest: int = FEWEST,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"[portal] url «{url}»: se esperaba una dirección http:// o https://.")
        self.url = url
        self._every_s = every_s
        self._window_s = window_s
        self._timeout_s = timeout_s
        self._fewest = fewest
        self._seen: deque[tuple[float, float, bool]] = deque()
        """(when it ended, ms it took, was it well)."""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sonda", daemon=True)
        self._thread.start()

    def facts(self) -> ProbeFacts | None:
        """The last minute; None while there is too little of it."""
        since = time.monotonic() - self._window_s
        with self._lock:
            while self._seen and self._seen[0][0] < since:
                self._seen.popleft()
            seen = list(self._seen)
        if len(seen) < self._fewest:
            return None
        took = sorted(ms for _, ms, _ in seen)
        # The 95th of a hundred: with few, the slowest of them.
        p95 = took[min(len(took) - 1, -(-len(took) * 95 // 100) - 1)]
        errors = sum(not well for _, _, well in seen)
        return ProbeFacts(round(p95, 1), errors / len(seen), len(seen))

    def close(self) -> None:
        """Ask no more."""
        self._stop.set()

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            well = self._get()
            ended = time.monotonic()
            with self._lock:
                self._seen.append((ended, (ended - began) * 1000, well))
            if self._stop.wait(max(0.0, self._every_s - (ended - began))):
                return

    def _get(self) -> bool:
        request = urllib.request.Request(self.url, headers={"Cache-Control": "no-cache"})
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:
                # To the last byte: half a page is not a page.
                while answer.read(_BLOCK):
                    pass
                # Read by pieces, an answer that was cut ends as if it were whole.
                return not answer.length
        except HTTPError as error:
            with suppress(OSError, HTTPException):
                error.close()
            return error.code == 304
        except (OSError, HTTPException):
            return False


def probe_for(url: str | None) -> Probe | None:
    """The probe of an address of the configuration; None without one."""
    return Probe(url) if url else None
