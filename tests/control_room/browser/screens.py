"""Chromium as the tests see it: where it is, contexts that write down everything they ask for, entering."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Playwright, Request

from tests.control_room.browser.served import ServedRoom

NAMES = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"muro": (1920, 1080), "portatil": (1366, 768), "telefono": (390, 844)}
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    # What would leave this machine fails at once, and says so in the console.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
ANSWER_S = 20.0
"""How long a page may take to show something when nothing is wrong: the machine may be busy."""


def missing_browser() -> NoReturn:
    """Ends a test that needs Chromium where there is none: a failure under CI, a skip elsewhere."""
    reason = "no está instalado Chromium (scripts/sistema.sh lo instala)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def launch(playwright: Playwright) -> Browser:
    """The browser of the system, without a window."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        missing_browser()
    return playwright.chromium.launch(executable_path=found, args=list(FLAGS))


@dataclass
class Log:
    """What the pages of a context asked for and complained about."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def outside(self) -> list[str]:
        """Addresses of other machines. What is inside the page itself (data:, blob:) asks nobody."""
        inside = {"data", "blob", "about"}
        parts = [(url, urlsplit(url)) for url in self.requests]
        return [url for url, part in parts if part.scheme not in inside and part.hostname != "127.0.0.1"]


class Screen:
    """A person before the room: a browser context with a session and one page, and its log."""

    def __init__(
        self,
        browser: Browser,
        room: ServedRoom,
        user: str = "coordinador",
        *,
        size: str = "portatil",
        theme: str = "light",
        path: str = "/",
    ) -> None:
        self.room = room
        self.user = user
        self.log = Log()
        self._open: set[Request] = set()
        width, height = SIZES[size]
        self.context: BrowserContext = browser.new_context(
            base_url=room.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            locale="es-MX",
        )
        self.context.set_default_timeout(ANSWER_S * 1000)
        self.context.on("request", self._asked)
        self.context.on("requestfinished", lambda request: self._open.discard(request))
        self.context.on("requestfailed", lambda request: self._open.discard(request))
        self.context.on("console", self._said)
        self.context.on("weberror", lambda error: self.log.complaints.append(str(error.error)))
        self.page: Page = self.context.new_page()
        self.page.on("websocket", lambda socket: self.log.requests.append(socket.url))
        self.enter(path)

    def _asked(self, request: Request) -> None:
        self.log.requests.append(request.url)
        self._open.add(request)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.log.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def enter(self, path: str = "/") -> None:
        """Go to a page through the form, and wait until it shows the night."""
        self.page.goto(path)
        self.page.get_by_label("Usuario").fill(self.user)
        self.page.get_by_label("Contraseña").fill(self.room.passwords[self.user])
        self.page.get_by_role("button", name="Entrar", exact=True).click()
        self.wait(
            "la noche en la página", "() => PREP.snapshot && PREP.user && document.getElementById('pagina')"
        )

    def go(self, href: str, name: str) -> None:
        """Another page of the room, without loading it again."""
        self.page.evaluate("href => PREP.navigate(href)", href)
        self.on_page(name)

    def on_page(self, name: str) -> None:
        """Wait until a page is open and has drawn the night."""
        ready = """name => {
          const root = document.getElementById("pagina");
          return root && root.dataset.pagina === name && document.documentElement.dataset.pagina === name
            && PREP.snapshot;
        }"""
        self.wait(f"la página {name}", ready, name)

    def wait(self, what: str, script: str, argument: Any = None, seconds: float = ANSWER_S) -> Any:
        """What the script gives once it is true. By asking again: the page's policy admits no `eval`."""
        return self.until(what, lambda: self._ask(script, argument), seconds)

    def until(self, what: str, condition: Callable[[], Any], seconds: float = ANSWER_S) -> Any:
        """What a condition gives once it is true, letting the page live in between."""
        until = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > until:
                raise AssertionError(
                    f"no pasó en {seconds:.0f} s: {what}; la página dice {self.log.complaints}"
                )
            self.page.wait_for_timeout(50)
        return found

    def _ask(self, script: str, argument: Any) -> Any:
        try:
            return self.page.evaluate(script, argument)
        except Error:
            return None  # the page is going from one document to another, or its scripts are not there yet

    def settle(self) -> None:
        """Wait until nothing is being asked for and what came is drawn."""
        self.until("la página acaba de pedir lo suyo", lambda: not self._open)
        self.page.evaluate(FRAMES)

    def resize(self, size: str) -> None:
        """Another size of window, once everything has moved."""
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.evaluate(FRAMES)

    def snapshot(self) -> dict[str, Any]:
        """What the page shows."""
        return dict(self.page.evaluate("() => PREP.snapshot"))

    def close(self) -> None:
        """The person leaves."""
        self.context.close()
