"""What the portal does: a new cut, no network, damage, the keyboard, the theme, an acta and its proof."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from tests.portal.conftest import Served, serving
from tests.portal.night import CUTS, HOSTILE, PortalNight
from tests.portal.visitor import Visitor


def says(visitor: Visitor, what: str) -> bool:
    """True once the view says it."""
    return what in visitor.text()


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Served]:
    """A night with one cut to go, behind a server."""
    night = PortalNight(tmp_path / "noche").start(CUTS - 1)
    try:
        with serving(night.folder) as url:
            yield Served(night, url)
    finally:
        night.close()


def test_texts_of_the_data_are_never_markup(browser: Browser, served: Served) -> None:
    with Visitor(browser, served.url) as visitor:
        for address in ("#/DIP_LOC", "#/DIP_LOC/cobertura", "#/DIP_LOC/t/2"):
            assert HOSTILE in visitor.go(address)
            assert visitor.page.locator("main img").count() == 0
        visitor.go("#/buscar/" + "%3Cimg%20src%3Dx%3E")
        assert visitor.page.locator("main img").count() == 0


def test_a_view_that_is_not_the_one_the_acta_publishes_is_not_shown(browser: Browser, served: Served) -> None:
    night = served.night
    with Visitor(browser, served.url) as visitor:
        visitor.page.route(
            "**/vistas/**", lambda route: route.fulfill(body=b"RIFF....WEBP", content_type="image/webp")
        )
        visitor.go(f"#/DIP_LOC/t/1/s/2/a/{night.clave(4)}")
        visitor.page.locator("main .aviso", has_text="La vista de esta imagen no se puede mostrar").wait_for()
        assert visitor.page.locator(".imagen img").count() == 0
        original = visitor.page.get_by_role("link", name="Imagen original, como se recibió")
        assert (night.folder / str(original.get_attribute("href"))).is_file()


def test_an_acta_shows_its_image_its_marks_and_is_verified_by_following_its_button(
    browser: Browser, served: Served
) -> None:
    night = served.night
    with Visitor(browser, served.url) as visitor:
        visitor.go(f"#/DIP_LOC/t/1/s/2/a/{night.clave(4)}")
        picture = visitor.page.locator(".imagen img")
        visitor.until("la imagen", lambda: picture.evaluate("one => one.complete && one.naturalWidth > 0"))
        original = visitor.page.locator(".imagen").get_attribute("href")
        assert original is not None and (night.folder / original).is_file()
        text = visitor.text()
        assert "Digitalización" in text and "Ilegible" in text and "Algún campo ilegible" in text
        assert Path(original).stem in text, "its code of integrity"
        visitor.page.get_by_role("link", name="Verificar esta acta").click()
        visitor.page.wait_for_url("**/verificar.html#*")
        verdict = visitor.page.locator("#veredicto")
        visitor.page.locator("html[data-listo=si]").wait_for(state="attached")
        assert verdict.inner_text().startswith(f"VERIFICADO el corte {CUTS} (SIMULACRO")
        visitor.page.locator("#acta", has_text=night.clave(4)).wait_for()


def test_a_new_cut_is_announced_and_takes_the_place_of_the_old_one_whole(
    browser: Browser, growing: Served
) -> None:
    with Visitor(browser, growing.url) as visitor:
        page = visitor.page
        visitor.go("#/DIP_LOC/t/1")
        page.evaluate("() => { window.sameDocument = true; }")
        page.get_by_role("link", name="Sección 10").focus()
        where = page.evaluate("() => window.scrollY")
        before = len(visitor.asked)
        page.wait_for_timeout(500)
        quiet = visitor.asked[before:]
        assert quiet and all(one.endswith("corte.json") for one in quiet), (
            "an unchanged cut only asks its pointer"
        )
        growing.night.play(CUTS)
        visitor.until("el corte nuevo", lambda: visitor.cut() == str(CUTS))
        said = page.inner_text("#voz")
        assert said.startswith(f"Corte {CUTS}, ") and "% de las actas" in said
        assert page.locator("[aria-live]").count() == 1
        assert f"Corte {CUTS} ·" in page.inner_text("#corte-cual")
        assert page.evaluate("() => document.activeElement.textContent") == "Sección 10"
        assert page.evaluate("() => window.scrollY") == where > 0
        assert page.evaluate("() => window.sameDocument"), "without loading the page again"
        # The witnesses come after, without a new cut.
        assert page.inner_text("#corte-testigos") == "0 de 2 testigos: verificar"
        growing.night.witness(0)
        growing.night.witness(1)
        bar = page.locator("#corte-testigos")
        visitor.until("los testigos", lambda: bar.inner_text() == "2 de 2 testigos: verificar")
        assert bar.get_attribute("href") == "verificar.html"
        assert "Está viendo el corte 2" in visitor.go("#/@2/DIP_LOC/t/1")
        assert visitor.complaints == []


def test_the_timestamp_of_a_cut_is_offered_where_there_is_one(browser: Browser, served: Served) -> None:
    def stamped(route: Route) -> None:
        pointer = json.loads((served.night.folder / "corte.json").read_bytes())
        route.fulfill(json={**pointer, "sello": "sellos/0003.tsr"})

    with Visitor(browser, served.url) as visitor:
        assert "Sello de tiempo" not in visitor.go("#/estado")
        visitor.page.route("**/corte.json", stamped)
        visitor.until("el sello", lambda: "Sello de tiempo (RFC 3161)" in visitor.text())
        assert visitor.page.get_by_role("link", name="sellos/0003.tsr").is_visible()


def test_without_network_the_last_cut_stays_and_says_so(browser: Browser, served: Served) -> None:
    with Visitor(browser, served.url) as visitor:
        visitor.go("#/DIP_LOC")
        text = visitor.text()
        visitor.context.set_offline(True)
        problem = visitor.page.locator("#corte-problema")
        visitor.until("el aviso", problem.is_visible)
        assert "Sin conexión" in problem.inner_text()
        assert visitor.text() == text and visitor.cut() == str(CUTS)
        assert "Elección Ayun" in visitor.go("#/AYUN"), "what is in memory is still shown"
        assert "No se pudo mostrar" in visitor.go("#/AYUN/t/30")
        visitor.context.set_offline(False)
        visitor.until("la red", lambda: not problem.is_visible())
        visitor.page.get_by_role("button", name="Volver a intentar").click()
        visitor.until("el municipio", lambda: "Votos por candidatura" in visitor.text())


def test_a_damaged_object_is_never_shown(browser: Browser, served: Served) -> None:
    def spoil(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub(rb'"MC":\d+', b'"MC":999777', answer.body()))

    with Visitor(browser, served.url) as visitor:
        visitor.page.route("**/objetos/**", spoil)
        text = visitor.go("#/DIP_LOC/t/1")
        assert "llegó dañado" in text
        assert "999" not in text


def test_everything_is_reached_with_the_keyboard(browser: Browser, served: Served) -> None:
    with Visitor(browser, served.url) as visitor:
        page = visitor.page
        focused = "() => document.activeElement"
        page.keyboard.press("Tab")
        assert page.evaluate(f"{focused}.id") == "salto"
        page.keyboard.press("Enter")
        assert page.evaluate(f"{focused}.id") == "contenido"
        assert page.evaluate("() => location.hash") == ""
        # From the content to the results, to a distrito, a sección and an acta, without a mouse.
        for name, arrived in (
            ("Ver resultados de Elección Dip_loc", "Donde más faltan"),
            ("Distrito 1", "Votos por candidatura"),
            ("Sección 1", "Casillas y sus actas"),
            ("Básica 1", "Código de integridad"),
        ):
            for _ in range(60):
                page.keyboard.press("Tab")
                said = page.evaluate(
                    f"{focused}.getAttribute('aria-label') || document.activeElement.textContent"
                )
                if said == name and page.evaluate("() => !!document.activeElement.closest('main')"):
                    break
            else:
                pytest.fail(f"no se llega a «{name}» con el tabulador")
            ring = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert ring == "solid"
            page.keyboard.press("Enter")
            visitor.until(name, partial(says, visitor, arrived))
            visitor.until("el foco", lambda: page.evaluate(f"{focused}.tagName") == "H1")
        visitor.go("#/buscar")
        page.get_by_label("Número de sección").focus()
        page.keyboard.type("2")
        page.keyboard.press("Enter")
        visitor.until("la búsqueda", lambda: "Sección 2" in visitor.text())
        # A long table shows the rest where the focus goes on.
        visitor.go("#/AYUN/cobertura")
        page.get_by_role("button", name="Ver los 30").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("() => document.activeElement.closest('tr').rowIndex") == 21


def test_the_theme_chosen_is_kept_and_a_telephone_has_a_menu(browser: Browser, served: Served) -> None:
    with Visitor(browser, served.url, 320, color_scheme="light") as visitor:
        page = visitor.page
        ground = "() => getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        theme = page.locator("#tema")
        while "oscuro" not in theme.inner_text():
            theme.click()
        assert page.evaluate(ground) != light
        page.reload()
        visitor.until("el corte", lambda: visitor.cut() == str(CUTS))
        assert "oscuro" in theme.inner_text()
        menu = page.get_by_role("button", name="Menú")
        link = page.locator("#principal").get_by_role("link", name="Base de datos")
        assert not link.is_visible()
        menu.click()
        assert visitor.violations() == []
        link.click()
        visitor.until("la vista", lambda: "Archivos del corte" in visitor.text())
        assert not link.is_visible()


def test_first_view_fits_in_sixty_kilobytes_and_an_unchanged_refresh_is_empty(
    browser: Browser, served: Served
) -> None:
    with Visitor(browser, served.url) as visitor:
        asked = {one.removeprefix(visitor.url) or "index.html" for one in visitor.asked}
        sizes = {name: len(gzip.compress((served.night.folder / name).read_bytes())) for name in asked}
        assert sum(sizes.values()) < 60_000
        assert len(sizes) <= 7, sizes
        with visitor.page.expect_response("**/corte.json") as again:
            pass
        # The browser answers its page with what it kept; over the network nothing came but the headers.
        assert again.value.request.sizes()["responseBodySize"] == 0
