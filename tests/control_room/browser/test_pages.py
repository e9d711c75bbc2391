"""Every page of the room, with the whole state on it, in both themes and in every size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.control_room.browser.conftest import NewScreen
from tests.control_room.browser.screens import SIZES
from tests.control_room.browser.served import ServedRoom
from tests.control_room.browser.tour import PAGES, THEMES, Shot, Tour, make_tour, violations

CALLED = [*(page.name for page in PAGES), "catd-detalle", "incidente-detalle"]
TITLES = {page.name: page.title for page in PAGES} | {
    "catd-detalle": "CATD",
    "incidente-detalle": "Incidentes",
}
in_every_theme = pytest.mark.parametrize("theme", THEMES)
in_every_page = pytest.mark.parametrize("called", CALLED)
in_every_size = pytest.mark.parametrize("size", SIZES)
Tours = Callable[[str], Tour]


@pytest.fixture(scope="module")
def tours(browser: Browser, state_room: ServedRoom, captures: Path) -> Tours:
    """The tour of a theme, made the first time it is asked for."""
    made: dict[str, Tour] = {}

    def tour(theme: str) -> Tour:
        if theme not in made:
            made[theme] = make_tour(browser, state_room, theme, captures)
        return made[theme]

    return tour


@in_every_theme
def test_no_request_leaves_the_machine(tours: Tours, theme: str) -> None:
    for log in tours(theme).logs:
        assert len(log.requests) > 20, "el registro de peticiones está vacío"
        assert log.outside() == []


@in_every_theme
def test_no_page_complains_in_the_console(tours: Tours, theme: str) -> None:
    assert [line for log in tours(theme).logs for line in log.complaints] == []


@in_every_theme
@in_every_page
def test_a_page_says_what_it_is(tours: Tours, theme: str, called: str) -> None:
    for size in SIZES:
        seen = tours(theme).shots[called, size].seen
        assert seen["heading"], f"sin encabezado en {size}"
        assert "PREP" in seen["title"]
        listed = [page.title for page in PAGES if page.menu and page.title == TITLES[called]]
        assert seen["menu"] == listed
        assert not seen["stale"]


@in_every_theme
@in_every_page
def test_a_page_draws_no_button_of_the_charts_library(tours: Tours, theme: str, called: str) -> None:
    for size in SIZES:
        seen = tours(theme).shots[called, size].seen
        assert not seen["share"]
        assert seen["buttons"] == 0


@in_every_theme
@in_every_size
@in_every_page
def test_a_page_never_scrolls_sideways(tours: Tours, theme: str, size: str, called: str) -> None:
    seen = tours(theme).shots[called, size].seen
    assert (seen["wide"] <= 0, seen["far"]) == (True, [])


@in_every_theme
def test_the_wall_fits_its_screen_without_scrolling(tours: Tours, theme: str) -> None:
    assert tours(theme).shots["general", "muro"].seen["tall"] <= 0


@in_every_page
def test_a_page_follows_the_theme_of_the_machine(tours: Tours, called: str) -> None:
    light, dark = (tours(theme).shots[called, "portatil"].seen for theme in THEMES)
    assert (light["dark"], dark["dark"]) == (False, True)
    assert _brightness(dark["background"]) < 80 < 200 < _brightness(light["background"])


def _brightness(color: str) -> float:
    """The mean of the three parts of `rgb(r, g, b)`."""
    parts = color.removeprefix("rgb(").removesuffix(")").split(",")
    return sum(map(float, parts)) / 3


@in_every_theme
@in_every_page
def test_a_page_has_no_serious_barrier(tours: Tours, theme: str, called: str) -> None:
    assert tours(theme).violations[called] == []


@in_every_theme
def test_every_screen_is_kept_as_a_picture(tours: Tours, theme: str, repository: Path) -> None:
    shots: dict[tuple[str, str], Shot] = tours(theme).shots
    assert len(shots) == len(CALLED) * len(SIZES)
    for shot in shots.values():
        assert shot.file.stat().st_size > 5_000
        assert repository not in shot.file.resolve().parents


@in_every_theme
def test_the_form_to_enter_has_no_serious_barrier(
    state_room: ServedRoom, screen: NewScreen, theme: str
) -> None:
    person = screen(state_room, theme=theme)
    person.context.clear_cookies()
    person.page.goto("/entrar")
    assert violations(person) == []


def test_a_moment_of_the_past_has_no_serious_barrier(state_room: ServedRoom, screen: NewScreen) -> None:
    person = screen(state_room)
    moments = person.page.evaluate("() => PREP.get('/api/historia.json')")["momentos"]
    person.page.evaluate("ms => PREP.goto(ms)", moments[len(moments) // 2])
    person.wait("la banda de historia", "() => PREP.historical")
    assert violations(person) == []
