"""The portal in Chromium: every view, both themes, three widths, the keyboard, a new cut, no network."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page

from tests.portal.conftest import Served
from tests.portal.tree import CUTS, HOSTILE, publish

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
LATEST = CUTS - 1
ACTA = "#/DIP_LOC/t/1/s/501/a/140501B01003"
VIEWS = {
    "#/": "Resultados preliminares de Jalisco",
    "#/DIP_LOC": "Cuánto ha llegado",
    "#/DIP_LOC/partidos": "Votos por partido",
    "#/DIP_LOC/participacion": "33.3333 %",
    "#/DIP_LOC/estadistica": "Los trece contadores",
    "#/DIP_LOC/inconsistencias": "Algún campo ilegible",
    "#/DIP_LOC/cobertura": "todavía no llega ninguna acta",
    "#/DIP_LOC/t/1": "Sección 502",
    "#/DIP_LOC/t/2": "Todavía no hay actas contabilizadas",
    "#/DIP_LOC/t/1/s/502": "Todavía no llega",
    ACTA: "Código de integridad",
    "#/DIP_LOC/t/1/s/502/a/140502B01003": "Ilegible",
    "#/DIP_LOC/t/1/s/502/a/140502C01003": "Esta acta todavía no llega",
    "#/AYUN": "Por municipio",
    "#/AYUN/t/39/s/501": "Contigua 1",
    "#/buscar/501": "Guadalajara",
    "#/buscar/9999": "no está en el catálogo",
    "#/buscar/juan": "Escriba solo el número",
    "#/base": "JAL_DIP_LOC_2021.csv",
    "#/historia": "Corte 1",
    "#/cambios/2": "+1",
    "#/cambios/2/DIP_LOC/1": "Llegó",
    "#/@1/DIP_LOC": "Está viendo el corte 1",
    "#/difusores": "Diario <b>",
    "#/estado": "Un corte no salió a tiempo",
    "#/aviso": "no definitivos",
    "#/ayuda": "¿Qué es un corte?",
    "#/nada/que/ver": "Esta página no existe",
}
"""Each address and something only its view says."""


class Visitor:
    """Somebody before the portal, and everything their browser asked for and complained about."""

    def __init__(self, browser: Browser, served: Served, width: int = 1366, theme: str = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            locale="es-MX",
        )
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.context.on(
            "console", lambda said: self.complaints.append(said.text) if said.type == "error" else None
        )
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page: Page = self.context.new_page()
        self.url = served.url
        self.page.goto(served.url)
        self.until("el primer corte", lambda: self.cut() == str(LATEST))

    def cut(self) -> str:
        """Number of the cut drawn."""
        return str(self.page.evaluate("() => document.getElementById('contenido').dataset.corte || ''"))

    def text(self) -> str:
        """What the view says."""
        return self.page.inner_text("main")

    def until(self, what: str, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        """Wait by asking: the policy of the page admits no `eval`, so the library cannot wait for us."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"no pasó: {what}; {self.complaints}; {self.text()[:300]}"
            self.page.wait_for_timeout(25)

    def go(self, address: str) -> None:
        """Another view, by its address."""
        script = """address => {
          const main = document.getElementById("contenido");
          if (location.hash === address) return;
          delete main.dataset.vista;
          location.hash = address;
        }"""
        self.page.evaluate(script, address)
        drawn = "() => document.getElementById('contenido').dataset.vista === location.hash"
        self.until(address, lambda: self.page.evaluate(drawn))

    def overflow(self) -> int:
        """Pixels the page is wider than its window."""
        return int(self.page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth"))

    def outside(self) -> list[str]:
        """What was asked of anybody else."""
        return [one for one in self.asked if not one.startswith((self.url, "data:", "blob:"))]

    def violations(self) -> list[str]:
        """What axe finds serious or critical."""
        found = self.page.evaluate(
            "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
        )
        return [
            f"{one['id']}: {node['html'][:120]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]


@pytest.mark.parametrize(("width", "theme"), [(1366, "light"), (768, "dark"), (320, "light")])
def test_every_view_says_its_own_without_errors_nor_scroll_nor_asking_others(
    browser: Browser, served: Served, width: int, theme: str
) -> None:
    visitor = Visitor(browser, served, width, theme)
    visitor.page.evaluate(AXE)
    for address, said in VIEWS.items():
        visitor.go(address)
        text = visitor.text()
        assert said.lower() in text.lower(), (address, text[:400])
        assert visitor.overflow() <= 0, address
        assert visitor.page.locator("h1").count() == 1, address
        assert visitor.page.title().startswith("SIMULACRO · "), address
        assert visitor.page.locator(".simulacro").is_visible(), address
        assert visitor.violations() == [], address
    assert visitor.complaints == []
    assert visitor.outside() == []
    assert visitor.context.cookies() == []
    visitor.context.close()


def test_texts_of_the_data_are_never_markup(browser: Browser, served: Served) -> None:
    visitor = Visitor(browser, served)
    visitor.go("#/DIP_LOC")
    assert HOSTILE in visitor.text()
    assert visitor.page.locator("main img").count() == 0
    visitor.go("#/buscar/" + "%3Cimg%20src%3Dx%3E")
    assert visitor.page.locator("main img").count() == 0
    visitor.context.close()


def test_an_acta_shows_its_image_its_marks_and_how_to_verify_it(browser: Browser, served: Served) -> None:
    visitor = Visitor(browser, served)
    visitor.go(ACTA)
    picture = visitor.page.locator(".imagen img")
    visitor.until("la imagen", lambda: picture.evaluate("one => one.complete && one.naturalWidth > 0"))
    original = visitor.page.locator(".imagen").get_attribute("href")
    assert original is not None and (served.folder / original).is_file()
    link = visitor.page.get_by_role("link", name="Verificar esta acta").get_attribute("href")
    assert link == (
        f"verificar.html#corte={LATEST}&contienda=DIP_LOC&acta=140501B01003&territorio=1&seccion=501"
    )
    text = visitor.text()
    assert "Móvil, tomada en la casilla" in text
    assert "03/06/2021 18:50:27" in text
    assert "Sin dato" in text
    visitor.context.close()


def test_a_new_cut_is_announced_and_takes_the_place_of_the_old_one_whole(
    browser: Browser, served: Served
) -> None:
    visitor = Visitor(browser, served)
    visitor.go("#/DIP_LOC/t/1")
    page = visitor.page
    page.get_by_role("link", name="Sección 502").focus()
    where = page.evaluate("() => window.scrollY")
    before = len(visitor.asked)
    page.wait_for_timeout(700)
    quiet = visitor.asked[before:]
    assert quiet and all(one.endswith("corte.json") for one in quiet), (
        "an unchanged cut only asks its pointer"
    )
    publish(served.folder, CUTS)
    visitor.until("el corte nuevo", lambda: visitor.cut() == str(CUTS))
    said = page.inner_text("#voz")
    assert said.startswith(f"Corte {CUTS}, ") and "% de las actas" in said
    assert f"Corte {CUTS} ·" in page.inner_text("#corte-cual")
    assert page.evaluate("() => document.activeElement.textContent") == "Sección 502"
    assert page.evaluate("() => window.scrollY") == where > 0
    visitor.go("#/@2/DIP_LOC/t/1")
    assert "Está viendo el corte 2" in visitor.text()
    assert visitor.complaints == []
    visitor.context.close()


def test_without_network_the_last_cut_stays_and_says_so(browser: Browser, served: Served) -> None:
    visitor = Visitor(browser, served)
    visitor.go("#/DIP_LOC")
    served.process.terminate()
    served.process.wait(15)
    problem = visitor.page.locator("#corte-problema")
    visitor.until("el aviso", problem.is_visible)
    assert "Sin conexión" in problem.inner_text()
    assert "62" in visitor.text() and visitor.cut() == str(LATEST)
    visitor.go("#/AYUN")
    assert "Munícipes" in visitor.text(), "what is in memory is still shown"
    visitor.go("#/AYUN/t/39")
    assert "No se pudo mostrar" in visitor.text()
    assert visitor.page.get_by_role("button", name="Volver a intentar").is_visible()
    visitor.context.close()


def test_a_damaged_object_is_never_shown(browser: Browser, served: Served) -> None:
    for path in (served.folder / "objetos").rglob("*.json"):
        data = path.read_bytes()
        if b'"nivel":"territorio"' in data:
            path.write_bytes(data.replace(b'"por_candidatura":{"MC":', b'"por_candidatura":{"MC":999'))
    visitor = Visitor(browser, served)
    visitor.go("#/DIP_LOC/t/1")
    text = visitor.text()
    assert "llegó dañado" in text
    assert "999" not in text
    visitor.context.close()


def test_everything_is_reached_with_the_keyboard(browser: Browser, served: Served) -> None:
    visitor = Visitor(browser, served)
    page = visitor.page
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "salto"
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "contenido"
    assert page.evaluate("() => location.hash") == ""
    page.keyboard.press("Tab")
    seen = page.evaluate(
        "() => ['outline-style', 'outline-width']"
        ".map(one => getComputedStyle(document.activeElement).getPropertyValue(one)).join('')"
    )
    assert seen == "solid3px"
    page.get_by_label("Número de sección").focus()
    page.keyboard.type("501")
    page.keyboard.press("Enter")
    visitor.until("la búsqueda", lambda: "Sección 501" in visitor.text())
    assert page.evaluate("() => document.activeElement.tagName") == "H1", (
        "a new view is told to who cannot see it"
    )
    small = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input, select, summary")].filter(one => {
          const box = one.getBoundingClientRect();
          const exempt = one.classList.contains("salto") || one.closest("p");
          return box.width && !exempt && (box.height < 24 || box.width < 24);
        }).map(one => one.outerHTML.slice(0, 100))"""
    )
    assert small == []
    visitor.context.close()


def test_the_theme_chosen_is_kept_and_a_telephone_has_a_menu(browser: Browser, served: Served) -> None:
    visitor = Visitor(browser, served, 320, "light")
    page = visitor.page
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    theme = page.locator("#tema")
    while "oscuro" not in theme.inner_text():
        theme.click()
    assert page.evaluate(ground) != light
    page.reload()
    visitor.until("el corte", lambda: visitor.cut() == str(LATEST))
    assert "oscuro" in theme.inner_text()
    menu = page.get_by_role("button", name="Menú")
    link = page.locator("#principal").get_by_role("link", name="Base de datos")
    assert not link.is_visible()
    menu.click()
    link.click()
    visitor.until("la vista", lambda: "Archivos del corte" in visitor.text())
    assert not link.is_visible()
    visitor.context.close()


def test_first_view_fits_in_sixty_kilobytes_and_asks_five_files(browser: Browser, served: Served) -> None:
    visitor = Visitor(browser, served)
    asked = {one.removeprefix(visitor.url) or "index.html" for one in visitor.asked}
    sizes = {name: len(gzip.compress((served.folder / name).read_bytes())) for name in asked}
    assert sum(sizes.values()) < 60_000
    assert len(sizes) <= 7, sizes
    visitor.context.close()
