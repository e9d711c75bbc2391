"""An action that a browser sends twice is done once, when it is not a command of the engine.

The engine knows its own commands by their key; what changes users or governs a rehearsal is remembered here,
by the key of the browser, in this process and for the last ones only. It keeps results, never fields.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

MOST_KEPT = 500


class _Done:
    """One action: whoever comes while it is being done waits for its result."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.result: dict[str, Any] | None = None


class Once:
    """Results by key. `do` may be called from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Done] = OrderedDict()
        self._lock = threading.Lock()

    def do(self, key: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result of `act`, called only the first time; what failed may be tried again."""
        # What makes the key may hold a password: only its digest is kept.
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        with self._lock:
            one = self._kept.setdefault(digest, _Done())
            self._kept.move_to_end(digest)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        with one.lock:
            if one.result is None:
                one.result = act()
            return one.result
