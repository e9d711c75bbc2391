"""The room with the keyboard alone: what is reached, what a dialog does with the focus, what Enter does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control_room.browser.conftest import NewScreen
from tests.control_room.browser.screens import Screen
from tests.control_room.browser.served import ServedRoom

MOST_STOPS = 120
ACTIVE = """() => {
  const node = document.activeElement;
  const style = getComputedStyle(node);
  const line = node.querySelector(':scope > path');
  const drawn = line && parseFloat(getComputedStyle(line).strokeWidth) >= 3;
  const dialog = document.querySelector('dialog[open]');
  return {
    tag: node.tagName, class: node.getAttribute('class') || '', href: node.getAttribute('href') || '',
    name: node.getAttribute('aria-label') || node.textContent.trim(),
    shown: style.outlineStyle !== 'none' && style.outlineWidth !== '0px'
      || style.boxShadow !== 'none' || Boolean(drawn),
    inside: Boolean(dialog && dialog.contains(node)), dialog: Boolean(dialog),
  };
}"""


def active(person: Screen) -> dict[str, Any]:
    """What has the focus."""
    return dict(person.page.evaluate(ACTIVE))


def tab_to(person: Screen, **wanted: str) -> list[dict[str, Any]]:
    """Press Tab until what has the focus contains what is wanted; every stop on the way, with that one."""
    stops: list[dict[str, Any]] = []
    while len(stops) < MOST_STOPS:
        person.page.keyboard.press("Tab")
        stops.append(active(person))
        if all(text in stops[-1][key] for key, text in wanted.items()):
            return stops
    raise AssertionError(f"{wanted} no se alcanza con el tabulador: {[stop['name'][:20] for stop in stops]}")


@pytest.fixture
def person(state_room: ServedRoom, screen: NewScreen) -> Screen:
    """A coordinator before the wall, with alerts on it."""
    made = screen(state_room)
    made.wait("hay una alerta sin reconocer", "() => document.querySelector('#alertas button:not([hidden])')")
    return made


def test_the_menu_is_reached_and_opens_a_page(person: Screen) -> None:
    first = tab_to(person, href="#contenido")
    assert len(first) == 1, "lo primero es el salto al contenido"
    tab_to(person, href="/incidentes", tag="A")
    person.page.keyboard.press("Enter")
    person.on_page("incidentes")
    assert person.page.locator("#menu [aria-current=page]").inner_text() == "Incidentes"


def test_every_stop_shows_where_the_focus_is(person: Screen) -> None:
    stops = tab_to(person, name="Reconocer:")
    assert [stop for stop in stops if not stop["shown"]] == []


def test_the_tiles_are_walked_with_the_arrows_and_open_their_catd(person: Screen) -> None:
    first = tab_to(person, **{"class": "mosaico"})[-1]
    person.page.keyboard.press("ArrowRight")
    second = active(person)
    assert second["href"].startswith("/catd?catd=")
    assert second["href"] != first["href"]
    person.page.keyboard.press("ArrowDown")
    third = active(person)
    assert third["href"] not in (first["href"], second["href"])
    person.page.keyboard.press("Enter")
    person.on_page("catd")
    assert third["href"] in person.page.url


def test_a_dialog_keeps_the_focus_and_gives_it_back(person: Screen) -> None:
    opener = tab_to(person, name="Reconocer:")[-1]
    person.page.keyboard.press("Enter")
    person.wait("el diálogo", "() => document.querySelector('dialog[open]')")
    assert active(person)["inside"], "el foco entra al diálogo"
    stops = []
    for key in [*["Tab"] * 8, *["Shift+Tab"] * 8]:
        person.page.keyboard.press(key)
        stops.append(active(person))
    # Past the last control a browser gives the focus to its own window, which is nothing of the page.
    assert [stop for stop in stops if not stop["inside"] and stop["tag"] != "BODY"] == []
    assert len({stop["name"] for stop in stops if stop["inside"]}) >= 3
    person.page.keyboard.press("Escape")
    assert active(person)["dialog"] is False
    assert active(person)["name"] == opener["name"]


def test_an_alert_is_acknowledged_without_a_mouse(person: Screen) -> None:
    tab_to(person, name="Reconocer:")
    which = person.page.evaluate("() => document.activeElement.closest('.alerta').prepAlert.id")
    person.page.keyboard.press("Enter")
    person.page.keyboard.type("la veo desde el teclado")
    person.page.keyboard.press("Enter")
    taken = "id => PREP.snapshot.alertas.find(one => one.id === id && one.estado === 'reconocida')"
    alert = person.wait("la alerta queda reconocida", taken, which)
    assert alert["por"] == "coordinador"
    shown = """id => [...document.querySelectorAll('#alertas .alerta')]
        .some(node => node.prepAlert.id === id && node.textContent.includes('@coordinador'))"""
    person.wait("la alerta dice quién la atiende", shown, which)
