"""Pages of the room in real browsers, while others poll it: does each one see every snapshot?

Chromium opens the wall as a person does, through the form. What each page drew is what its own script says
(`PREP.state.stats.seen`, core of the room's pages); what there was to see is every number between.

On the night each page has a computer of its own. Here ten share the cores with the room and with whoever
polls it, so they give way (`NICE`): what is late is the page, which has two seconds, and neither the room nor
those who measure it. Nothing of what a page does is left out.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
import threading
from dataclasses import dataclass
from typing import Any

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
OPEN_MS = 90_000
NICE, LOWEST = 10, 19
_PR_CAPBSET_DROP, _CAP_SYS_NICE = 24, 23
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--mute-audio",
)
"""No page is throttled for being behind another: Playwright already asks for that."""
DRAWN = "() => window.PREP && PREP.state && PREP.state.seq !== null"
SEEN = "() => [...PREP.state.stats.seen]"


@dataclass(frozen=True, slots=True)
class Seen:
    """Snapshots all the pages had to see, and saw; `why` when it could not be looked at."""

    pages: int
    due: int
    seen: int
    why: str = ""

    @property
    def share_pct(self) -> float:
        """The percentage that was seen."""
        return 100 * self.seen / self.due if self.due else 0.0


class Pages(threading.Thread):
    """Opens some pages, lets them be until told, and counts. `ready` is set once all have drawn."""

    def __init__(self, url: str, user: str, password: str, count: int) -> None:
        super().__init__(name="páginas", daemon=True)
        self._url, self._user, self._password, self._count = url, user, password, count
        self.ready = threading.Event()
        self.started = threading.Event()
        self.finished = threading.Event()
        self.result = Seen(0, 0, 0, "no se abrieron")

    def run(self) -> None:
        """Open, wait, count."""
        give_way()
        try:
            self.result = self._look()
        except Exception as error:  # noqa: BLE001 - whatever the browser says is told, and nothing was seen
            self.result = Seen(0, 0, 0, told(error))
        finally:
            self.ready.set()

    def _look(self) -> Seen:
        path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
        if path is None:
            return Seen(0, 0, 0, "no está instalado Chromium")
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
            try:
                pages = [self._open(browser) for _ in range(self._count)]
                self.ready.set()
                while not self.started.is_set():
                    pages[0].wait_for_timeout(100)
                before = [max(page.evaluate(SEEN)) for page in pages]
                while not self.finished.is_set():
                    pages[0].wait_for_timeout(250)
                return counted([page.evaluate(SEEN) for page in pages], before)
            finally:
                browser.close()

    def _open(self, browser: Any) -> Any:
        context = browser.new_context(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
        page = context.new_page()
        page.goto(f"{self._url}/entrar", timeout=OPEN_MS)
        page.fill("#usuario", self._user)
        page.fill("#contrasena", self._password)
        page.click("button[type=submit]", timeout=OPEN_MS)
        page.wait_for_function(DRAWN, timeout=OPEN_MS)
        return page


def told(error: Exception) -> str:
    """Why the pages could not be looked at, in Spanish, with what the browser said."""
    name = type(error).__name__
    what = "no contestaron a tiempo" if name == "TimeoutError" else "no se pudieron mirar"
    said = (str(error).splitlines() or [""])[0]
    return f"las páginas {what} ({name}{f': {said}' if said else ''})"


def give_way() -> None:
    """Lower the priority of this thread and of what it starts, for good. Only where the system is Linux.

    A Chromium of root puts itself above everybody (nice -8): what it starts may not raise it again.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_SYS_NICE, 0, 0, 0)
        mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(mine + NICE, LOWEST))


def counted(seen: list[list[int]], before: list[int]) -> Seen:
    """How many each page had to see, from the one it showed at the start to the last of all, and saw."""
    # The very last ones may be on their way to some page.
    last = max(max(one) for one in seen) - 1
    due = found = 0
    for numbers, first in zip(seen, before, strict=True):
        wanted = set(range(first + 1, last + 1))
        due += len(wanted)
        found += len(wanted & set(numbers))
    return Seen(len(seen), due, found)
