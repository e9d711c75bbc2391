"""Somebody before the portal in Chromium, and everything their browser asked for and complained about."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

_GO = """address => {
  const main = document.getElementById("contenido");
  if (location.hash === address) return;
  delete main.dataset.vista;
  location.hash = address;
}"""
_DRAWN = "() => document.getElementById('contenido').dataset.vista === location.hash"
# Nothing is preloaded: axe would ask again for the style sheet, only for a rule of orientation.
_AXE = """async ([only, skip, where]) => {
  const options = {resultTypes: ["violations"], preload: false};
  if (only) options.runOnly = {type: "rule", values: [only]};
  if (skip) options.rules = {[skip]: {enabled: false}};
  return (await axe.run(where || document, options)).violations;
}"""
_TABLE = """caption => {
  const table = [...document.querySelectorAll("main table")].find(one => one.caption.textContent === caption);
  return table && [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent));
}"""
_WIDE = """() => [document.documentElement.scrollWidth - innerWidth,
  ...[...document.querySelectorAll("main .rollo")].map(one => one.scrollWidth - one.clientWidth)]"""
_SMALL = """() => [...document.querySelectorAll("a, button, input, select, summary")].filter(one => {
  const box = one.getBoundingClientRect();
  const exempt = one.classList.contains("salto") || one.closest("p:not(.botones)");
  return box.width && !exempt && (box.height < 24 || box.width < 24);
}).map(one => one.outerHTML.slice(0, 120))"""


class Visitor:
    """A context of its own with one page, at the root of `url`, with a cut drawn."""

    def __init__(
        self, browser: Browser, url: str, width: int = 1366, *, height: int = 900, **options: Any
    ) -> None:
        given: dict[str, Any] = {"reduced_motion": "reduce", "locale": "es-MX", **options}
        self.context = browser.new_context(viewport={"width": width, "height": height}, **given)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.context.on(
            "console", lambda said: self.complaints.append(said.text) if said.type == "error" else None
        )
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page: Page = self.context.new_page()
        self.url = url
        self.page.goto(url)
        self.until("el primer corte", self.cut)

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def cut(self) -> str:
        """Number of the cut drawn; empty when there is none."""
        return str(self.page.evaluate("() => document.getElementById('contenido').dataset.corte || ''"))

    def text(self) -> str:
        """What the view says."""
        return self.page.inner_text("main")

    def until(self, what: str, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        """Wait by asking: the policy of the page admits no `eval`, so the library cannot wait for us."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"no pasó: {what}; {self.complaints}; {self.text()[:300]}"
            self.page.wait_for_timeout(10)

    def go(self, address: str) -> str:
        """Another view, by its address; what it says."""
        self.page.evaluate(_GO, address)
        self.until(address, lambda: self.page.evaluate(_DRAWN))
        return self.text()

    def table(self, caption: str) -> list[list[str]]:
        """The rows of the table of that caption."""
        found = self.page.evaluate(_TABLE, caption)
        assert found is not None, f"no hay tabla «{caption}»"
        return [[str(cell) for cell in row] for row in found]

    def overflow(self) -> list[int]:
        """Pixels that the page, and then each table, is wider than its place."""
        return [int(one) for one in self.page.evaluate(_WIDE)]

    def small_targets(self) -> list[str]:
        """What may be pressed and is under 24 pixels. Links inside a sentence are exempt."""
        return [str(one) for one in self.page.evaluate(_SMALL)]

    def outside(self) -> list[str]:
        """What was asked of anybody else."""
        return [one for one in self.asked if not one.startswith((self.url, "data:", "blob:"))]

    def violations(
        self, *, only: str | None = None, skip: str | None = None, where: str | None = None
    ) -> list[str]:
        """What axe finds serious or critical: by one rule, all but one, or all; in all or a part."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE)
        found = self.page.evaluate(_AXE, [only, skip, where])
        return [
            f"{one['id']}: {node['html'][:120]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
