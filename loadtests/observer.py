"""Somebody who only watches the clock: when each cut appeared at the target, from outside the generator.

A thread of the process that runs the test, with its own connection. What readers saw is compared with this
(`loadtests.tally.cuts_seen`).
"""

from __future__ import annotations

import http.client
import json
import threading
import time

from loadtests.target import Target

NEAR_S, FAR_S = 0.25, 1.0
"""Between two questions: to this machine, and to somebody else's."""


class Observer(threading.Thread):
    """Asks for the pointer until it is told to end. `appeared` is when each new cut was there."""

    def __init__(self, target: Target) -> None:
        super().__init__(name="vigía", daemon=True)
        self._target = target
        self._every_s = NEAR_S if target.own else FAR_S
        self._ended = threading.Event()
        self.appeared: dict[int, float] = {}
        self.first: int | None = None
        self.lost = 0
        """Questions without an answer."""

    def run(self) -> None:
        """Watch."""
        connection = self._target.connect()
        tag = ""
        while not self._ended.wait(self._every_s):
            try:
                connection.request("GET", "/corte.json", headers={"If-None-Match": tag} if tag else {})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 200:
                    tag = answer.headers.get("ETag", "")
                    self._note(int(json.loads(body)["corte"]), time.time())
            except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
                self.lost += 1
                connection.close()
        connection.close()

    def _note(self, cut: int, now: float) -> None:
        if self.first is None:
            self.first = cut
        elif cut != self.first:
            self.appeared.setdefault(cut, now)

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()
        self.join(10)
