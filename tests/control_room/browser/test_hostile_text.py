"""What people write is text on every page, whatever it looks like."""

from __future__ import annotations

from tests.control_room.browser.conftest import NewScreen
from tests.control_room.browser.served import ServedRoom

TITLE = "<img src=/hostil.png onerror=\"window.hostil=1\"><b id=hostil>negritas</b> 'y' &amp;"
NOTE = "</p><script>window.hostil=2</script><svg onload=window.hostil=3> {{7*7}} ${7*7}"
CLEAN = (
    "() => window.hostil === undefined && !document.querySelector('#hostil, img[src*=hostil], #sala script')"
)


def test_markup_in_an_incident_is_shown_and_never_obeyed(state_room: ServedRoom, screen: NewScreen) -> None:
    person = screen(state_room)
    page = person.page
    person.go("/incidentes", "incidentes")
    page.get_by_role("button", name="Abrir incidente").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Qué pasa").fill(TITLE)
    dialog.get_by_label("Causa, si ya se sabe").fill(NOTE)
    dialog.get_by_role("checkbox").first.check()
    dialog.get_by_role("button", name="Abrir incidente").click()
    card = page.locator("#inc-tablero").get_by_role("button").filter(has_text=TITLE)
    card.click()
    page.get_by_label("Nota para la bitácora").fill(NOTE)
    page.get_by_role("button", name="Guardar nota").click()
    page.locator("#inc-detalle .nota-texto").filter(has_text=NOTE).wait_for()
    assert page.locator("#inc-detalle h2").inner_text() == TITLE
    assert page.evaluate(CLEAN)

    one = next(row for row in person.snapshot()["incidentes"] if row["titulo"] == TITLE)
    for path, name in (
        ("/bitacora?texto=hostil", "bitacora"),
        (f"/catd?catd={one['catds'][0]}", "catd"),
        ("/continuidad", "continuidad"),
        ("/", "general"),
    ):
        person.go(path, name)
        person.settle()
        if name in ("bitacora", "catd"):
            page.locator("#pagina").get_by_text("onerror=").first.wait_for()
        assert page.evaluate(CLEAN), name
    assert not [url for url in person.log.requests if "hostil.png" in url]
    assert person.log.complaints == []


def test_markup_in_the_address_is_never_obeyed(state_room: ServedRoom, screen: NewScreen) -> None:
    person = screen(state_room)
    for path, name in (
        ("/incidentes?incidente=%3Cimg%20src%3Dhostil%20onerror%3Dwindow.hostil%3D1%3E", "incidentes"),
        ("/bitacora?texto=%3Cscript%3Ewindow.hostil%3D1%3C%2Fscript%3E", "bitacora"),
        ("/catd?catd=%22%3E%3Cimg%20src%3Dhostil%20onerror%3Dwindow.hostil%3D1%3E", "catd"),
    ):
        person.go(path, name)
        person.settle()
        assert person.page.evaluate(CLEAN), path
