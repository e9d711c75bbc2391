"""One visit to every page, in a theme and in every size: what was seen, for the tests to judge.

It asserts nothing. Visiting once and judging many times is what makes sixty screens affordable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from control_room.app import load_pages
from control_room.pages.registry import Page
from control_room.web.roles import COORDINADOR, PERMISSIONS
from tests.control_room.browser.screens import SIZES, Log, Screen
from tests.control_room.browser.served import ServedRoom

PAGES: tuple[Page, ...] = tuple(load_pages())
THEMES = ("light", "dark")
BAD = ("serious", "critical")

LOOK = """() => {
  const root = document.documentElement;
  const shown = node => node && getComputedStyle(node).visibility !== 'hidden';
  const heading = document.querySelector('#pagina h1');
  const open = [...document.querySelectorAll('#menu [aria-current]')].filter(shown);
  const far = [...document.querySelectorAll('#sala *')].filter(node => {
    const box = node.getBoundingClientRect();
    if (box.width === 0 || box.right <= root.clientWidth + 1) return false;
    for (let up = node.parentElement; up && up !== document.body; up = up.parentElement)
      if (getComputedStyle(up).overflowX !== 'visible') return false;
    return true;
  });
  return {
    wide: root.scrollWidth - root.clientWidth,
    tall: root.scrollHeight - root.clientHeight,
    far: far.slice(0, 5).map(node => node.tagName + '#' + node.id + '.' + node.getAttribute('class')),
    heading: heading ? heading.textContent.trim() : '',
    menu: open.map(node => node.textContent.trim()),
    title: document.title,
    dark: matchMedia('(prefers-color-scheme: dark)').matches,
    background: getComputedStyle(document.body).backgroundColor,
    buttons: [...document.querySelectorAll('.modebar, .modebar-btn')].length,
    share: root.outerHTML.includes('Share chart'),
    stale: PREP.freshness().stale,
  };
}"""


@dataclass(frozen=True)
class Shot:
    """A page in a size: what `LOOK` found, and its screenshot."""

    seen: dict[str, Any]
    file: Path


@dataclass
class Tour:
    """Everything of one theme."""

    shots: dict[tuple[str, str], Shot] = field(default_factory=dict)
    violations: dict[str, list[str]] = field(default_factory=dict)
    logs: list[Log] = field(default_factory=list)


def visitor_of(page: Page) -> str:
    """The demonstration user who sees a page: the coordinator, who has most buttons, where he may."""
    allowed = PERMISSIONS[page.permission]
    return COORDINADOR if COORDINADOR in allowed else sorted(allowed)[0]


def visits(room: ServedRoom) -> Iterator[tuple[str, str, str, str]]:
    """(what it is called, address, name of the page, user) of all there is to look at."""
    snapshot = room.snapshot()
    for page in PAGES:
        yield page.name, page.path, page.name, visitor_of(page)
    bad = next(row for row in snapshot["catd"] if row["incidentes"])
    yield "catd-detalle", f"/catd?catd={bad['id']}", "catd", COORDINADOR
    incident = snapshot["incidentes"][0]["clave"]
    yield "incidente-detalle", f"/incidentes?incidente={incident}", "incidentes", COORDINADOR


def make_tour(browser: Browser, room: ServedRoom, theme: str, captures: Path) -> Tour:
    """Visit everything in a theme."""
    tour = Tour()
    everything = list(visits(room))
    for user in dict.fromkeys(visit[3] for visit in everything):
        screen = Screen(browser, room, user, theme=theme)
        tour.logs.append(screen.log)
        try:
            for called, path, name, who in everything:
                if who == user:
                    _visit(tour, screen, called, path, name, captures / f"{called}-{theme}")
        finally:
            screen.close()
    return tour


def _visit(tour: Tour, screen: Screen, called: str, path: str, name: str, captures: Path) -> None:
    screen.go(path, name)
    for size in SIZES:
        screen.resize(size)
        screen.settle()
        file = captures.with_name(f"{captures.name}-{size}.png")
        seen = screen.page.evaluate(LOOK)
        screen.page.screenshot(path=file)
        tour.shots[called, size] = Shot(seen, file)
        if size == "portatil":
            tour.violations[called] = violations(screen)


def violations(screen: Screen) -> list[str]:
    """What axe-core (the copy inside its package) finds serious or critical."""
    found = Axe().run(screen.page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['html'][:160]}"
        for one in found
        if one["impact"] in BAD
        for node in one["nodes"]
    ]
