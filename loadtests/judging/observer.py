"""Somebody who only watches the clock: when each cut was published, from outside the generator.

Threads of the process that runs the test. When the published folder is known, the folder is the truth: a
server that goes on showing an old cut cannot hide the new one. Otherwise the target is asked, without a tag
and past any cache that may be in between. What readers saw is compared with this (`loadtests.judging.tally`).
"""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from core.foreign_text import json_of
from loadtests.bounded import SMALL_BYTES
from loadtests.target import Target

NEAR_S, FAR_S = 0.25, 1.0
"""Between two questions: to this machine, and to somebody else's."""
LOOK_S = 0.05
"""Between two looks at the published folder."""
POINTER = "corte.json"


@dataclass(slots=True)
class Watch:
    """How well the observer could see: questions to the target, those not answered well, and its source."""

    asked: int = 0
    lost: int = 0
    disk: bool = False

    @property
    def lost_pct(self) -> float | None:
        """Percentage of questions without a good answer; None when none was asked."""
        return 100 * self.lost / self.asked if self.asked else None


class Observer:
    """Looks for new cuts until it is told to end. `appeared` is when each was there, by its number.

    Folder and target have a thread each: a target that does not answer would hide what the folder says.
    """

    def __init__(self, target: Target, published: Path | None = None) -> None:
        self._target = target
        self._folder = published
        self._every_s = NEAR_S if target.own else FAR_S
        self._ended = threading.Event()
        self._query = True
        self._stamp: tuple[int, int] | None = None
        self.appeared: dict[int, float] = {}
        self.first: int | None = None
        self.watch = Watch(disk=published is not None)

        self._threads = [threading.Thread(target=self._asking, name="vigía", daemon=True)]
        if published is not None:
            looking = threading.Thread(
                target=self._looking, args=(published,), name="vigía de la carpeta", daemon=True
            )
            self._threads.append(looking)

    def start(self) -> None:
        """Begin to watch."""
        for one in self._threads:
            one.start()

    def _asking(self) -> None:
        connection = self._target.connect(most=SMALL_BYTES)
        while True:
            self._ask(connection)
            if self._ended.wait(self._every_s):
                break
        connection.close()

    def _looking(self, folder: Path) -> None:
        while True:
            self._look(folder)
            if self._ended.wait(LOOK_S):
                break

    def _look(self, folder: Path) -> None:
        """The published folder."""
        try:
            found = (folder / POINTER).stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp != self._stamp:
                self._note(int(json_of((folder / POINTER).read_bytes())["corte"]), time.time())
                self._stamp = stamp
        except (OSError, ValueError, KeyError, TypeError):
            return  # not there yet, or being written: it is looked at again

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        """The target. A query that nobody knows keeps caches out; a site that refuses it is asked without."""
        self.watch.asked += 1
        path = f"/{POINTER}?vigia={self.watch.asked}-{time.time_ns()}" if self._query else f"/{POINTER}"
        try:
            connection.request("GET", path, headers={"Cache-Control": "no-cache", "Pragma": "no-cache"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                self.watch.lost += 1
                self._query = self._query and answer.status in (404, 429, 503)
                return
            cut = int(json_of(body)["corte"])
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            self.watch.lost += 1
            connection.close()
            return
        if self._folder is None:
            self._note(cut, time.time())

    def _note(self, cut: int, now: float) -> None:
        if self.first is None:
            self.first = cut
        elif cut != self.first:
            self.appeared.setdefault(cut, now)

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()
        for one in self._threads:
            one.join(10)
