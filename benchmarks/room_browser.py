"""Real pages of the room in Chromium, for the room's benchmarks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.room_night import Player
from benchmarks.room_servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGES, SECONDS = 10, 40.0
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
COUNT = """() => { window.__vistos = new Set(); PREP.on("snapshot", s => window.__vistos.add(s.seq)); }"""


@dataclass(frozen=True, slots=True)
class Pages:
    """What some pages cost the web process, and the share of the snapshots that each one drew."""

    pages: int
    seconds: float
    core_pct: float
    seen: float


@contextmanager
def browser() -> Iterator[Browser | None]:
    """The Chromium of the system; None when there is none."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


def page_of(opened: Browser, server: Server, cookie: str, path: str = "/") -> Page:
    """A page of the room, entered and with its first snapshot drawn."""
    name, _, value = cookie.partition("=")
    address = f"http://127.0.0.1:{server.port}"
    context = opened.new_context(viewport={"width": 1920, "height": 1080})
    context.add_cookies([{"name": name, "value": value, "url": address}])
    page = context.new_page()
    page.goto(address + path)
    page.wait_for_function("() => window.PREP && PREP.snapshot", timeout=60_000)
    return page


def browser_pages(server: Server, cookie: str, player: Player, quick: bool) -> Pages | None:
    """Open the wall in ten pages and let them be."""
    with browser() as opened:
        if opened is None:
            return None
        pages = [page_of(opened, server, cookie) for _ in range(1 if quick else PAGES)]
        for page in pages:
            page.evaluate(COUNT)
        spent, begun = server.cpu_s(), time.monotonic()
        until = begun + (3.0 if quick else SECONDS)
        while time.monotonic() < until:
            pages[0].wait_for_timeout(500)
        spent, lasted = server.cpu_s() - spent, time.monotonic() - begun
        # The last ones may be on their way.
        wanted = {seq for at, seq in player.published if begun + 3 <= at <= begun + lasted - 3}
        drawn = [set(page.evaluate("() => [...window.__vistos]")) for page in pages]
        seen = sum(len(wanted & one) for one in drawn)
        return Pages(len(pages), lasted, 100 * spent / lasted, seen / max(1, len(wanted) * len(pages)))
