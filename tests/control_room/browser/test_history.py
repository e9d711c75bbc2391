"""The past of the night on the screen, and two nights side by side."""

from __future__ import annotations

import gzip
import json
from typing import Any

from tests.control_room.browser.conftest import OTHER_NIGHT, NewScreen
from tests.control_room.browser.served import ServedRoom


def kept(room: ServedRoom, ms: int) -> dict[str, Any]:
    """The kept snapshot of a moment, from its file."""
    (file,) = room.folder.glob(f"historia/{ms}-*.json.gz")
    return dict(json.loads(gzip.decompress(file.read_bytes())))


def test_the_slider_opens_a_moment_exactly_as_it_was_kept(state_room: ServedRoom, screen: NewScreen) -> None:
    person = screen(state_room)
    page = person.page
    person.go("/historia", "historia")
    slider = page.locator("#his-momento")
    slider.focus()
    last = person.wait("los momentos", "() => Number(document.getElementById('his-momento').max)")
    assert last > 200, "un momento por minuto de la noche"
    for key in ("Home", *["PageUp"] * 5, "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    page.locator("#his-enlaces a.principal").click()
    person.wait(
        "la banda de historia", "() => PREP.historical && !document.querySelector('.franja-historia').hidden"
    )
    person.on_page("general")

    shown = person.snapshot()
    moment = int(page.evaluate("() => PREP.param('momento')"))
    assert shown == kept(state_room, moment)
    assert shown["reloj"]["ahora_ms"] < state_room.snapshot()["reloj"]["ahora_ms"]
    assert page.locator("#kpi-avance-nota").inner_text() == (
        f"{shown['kpis']['verificadas']:,} de {shown['kpis']['esperadas']:,}"
    )
    assert "HISTORIA" in page.locator("#franja").inner_text()
    assert page.locator("#momento").inner_text() == page.locator("#reloj").inner_text()
    assert page.locator(".accion:visible").count() == 0, "el pasado no se cambia"

    page.get_by_role("button", name="Un momento después").click()
    person.wait("el momento siguiente", "ms => Number(PREP.param('momento')) > ms && PREP.snapshot", moment)
    assert person.snapshot() == kept(state_room, int(page.evaluate("() => PREP.param('momento')")))

    page.get_by_role("button", name="Volver a en vivo").click()
    person.wait("los datos de ahora", "() => !PREP.historical && PREP.snapshot && !PREP.param('momento')")
    assert person.snapshot()["reloj"]["ahora_ms"] == state_room.snapshot()["reloj"]["ahora_ms"]


def test_two_nights_are_drawn_side_by_side(state_room: ServedRoom, screen: NewScreen) -> None:
    person = screen(state_room)
    page = person.page
    person.go("/historia", "historia")
    page.get_by_label("Corrida").select_option(OTHER_NIGHT)
    page.get_by_role("button", name="Comparar").click()
    page.locator("#his-comparacion").wait_for(state="visible")
    person.wait(
        "las dos curvas", "() => document.querySelectorAll('#his-grafica .scatterlayer .trace').length === 2"
    )
    said = page.locator("#his-estado").inner_text()
    assert "Noche chica de prueba" in said or OTHER_NIGHT in said
    assert "catálogos distintos" in said
    rows = page.locator("#his-diferencias tbody tr")
    assert rows.count() > 5
    assert all(row.locator("td, th").count() == 4 for row in rows.all())
    assert person.log.complaints == []
