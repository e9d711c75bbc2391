"""Every view of the portal in Chromium: three widths, both themes, on paper, at 400 %, forced colours."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.portal.conftest import Served
from tests.portal.night import HOSTILE, PortalNight
from tests.portal.visitor import Visitor

CONTRAST = "color-contrast"


def views(night: PortalNight) -> dict[str, str]:
    """Each address and something only its view says."""
    key = night.clave
    return {
        "#/": "Resultados preliminares de Jalisco",
        "#/DIP_LOC": "Donde más faltan",
        "#/DIP_LOC/cobertura": "no ha llegado ningún acta",
        "#/DIP_LOC/partidos": "Votos por partido y candidatura independiente",
        "#/DIP_LOC/participacion": "Participación ciudadana",
        "#/DIP_LOC/estadistica": "Los trece contadores",
        "#/DIP_LOC/inconsistencias": "Algún campo ilegible",
        "#/DIP_LOC/t/1": "Sección 10",
        "#/DIP_LOC/t/2": HOSTILE,
        "#/DIP_LOC/t/1/s/1": "Especial 1",
        f"#/DIP_LOC/t/1/s/1/a/{key(0)}": "Código de integridad",
        f"#/DIP_LOC/t/1/s/2/a/{key(4)}": "Ilegible",
        f"#/DIP_LOC/t/1/s/4/a/{key(7)}": "Sin acta: paquete no entregado",
        f"#/DIP_LOC/t/1/s/4/a/{key(8)}": "Esta acta todavía no llega",
        "#/AYUN": "Por municipio",
        "#/AYUN/cobertura": "Actas fuera de catálogo",
        "#/AYUN/t/30/s/30": "Contigua 1",
        "#/buscar/2": "Distrito 1",
        "#/buscar/9999": "no está en el catálogo",
        "#/buscar/juan": "Escriba solo el número",
        "#/base": "JAL_DIP_LOC_2021.csv",
        "#/historia": "Sin corte (aviso 1)",
        "#/cambios/3": "Actas corregidas y retiradas",
        "#/cambios/3/DIP_LOC/1": "Corregida",
        "#/@1/DIP_LOC": "Está viendo el corte 1",
        "#/difusores": "Diario <b>",
        "#/estado": "Un corte no salió a tiempo",
        "#/aviso": "no definitivos",
        "#/ayuda": "¿Qué es un corte?",
        "#/nada/que/ver": "Esta página no existe",
    }


BROKEN = """() => [...document.querySelectorAll("main td > a:only-child")].filter(one => {
  const lines = one.offsetHeight / parseFloat(getComputedStyle(one).fontSize);
  return !one.textContent.trim().includes(" ") && lines > 1.9;
}).map(one => one.outerHTML.slice(0, 120))"""
"""Links of one word, in a cell, that take more than one line."""


@pytest.mark.parametrize("width", [320, 768, 1366])
def test_every_view_says_its_own_in_both_themes_without_errors_nor_scroll_nor_asking_others(
    browser: Browser, served: Served, width: int
) -> None:
    with Visitor(browser, served.url, width, color_scheme="light") as visitor:
        page = visitor.page
        light = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        faults: list[tuple[str, object]] = []
        for address, said in views(served.night).items():
            text = visitor.go(address)
            assert said.lower() in text.lower(), (address, text[:400])
            page_wide, *tables_wide = visitor.overflow()
            # Where there is little room a wide table is a list: nothing is scrolled sideways.
            sideways = page_wide > 0 or (width <= 768 and any(one > 0 for one in tables_wide))
            marked = all(page.locator(one).is_visible() for one in (".simulacro", ".marca"))
            found = {
                "se desplaza de lado": sideways,
                "un solo título": page.locator("h1").count() != 1,
                "marcada como simulacro": not marked or not page.title().startswith("SIMULACRO · "),
                "blancos de 24 px": visitor.small_targets(),
                "palabras cortadas": width > 320 and page.evaluate(BROKEN),
                "axe": visitor.violations(skip=CONTRAST),
            }
            # Weighing contrast takes most of the time, a theme has the same colours at any width, and what is
            # around the view is the same in all: the light ones are weighed at the widest, the dark ones at
            # the narrowest, and what is around once.
            where = None if address == "#/" else "main"
            if width == 1366:
                found["contraste en claro"] = visitor.violations(only=CONTRAST, where=where)
            page.emulate_media(color_scheme="dark")
            found["se desplaza de lado en oscuro"] = visitor.overflow() != [page_wide, *tables_wide]
            if width == 320:
                found["contraste en oscuro"] = visitor.violations(only=CONTRAST, where=where)
            page.emulate_media(color_scheme="light")
            faults += [(f"{address}: {what}", fault) for what, fault in found.items() if fault]
        assert faults == []
        page.emulate_media(color_scheme="dark")
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") != light
        assert visitor.complaints == []
        assert visitor.outside() == []
        assert visitor.context.cookies() == []


def test_a_time_without_cuts_is_told_where_it_was(browser: Browser, served: Served) -> None:
    with Visitor(browser, served.url) as visitor:
        visitor.go("#/historia")
        rows = visitor.page.locator("main tbody tr").all_inner_texts()
        assert [row.split("\t")[0] for row in rows] == [
            "Corte 3",
            "Sin corte (aviso 1)",
            "Corte 2",
            "Corte 1",
        ]
        assert "Un corte no salió a tiempo" in rows[1]
        assert "faltaron cortes: aviso 1" in visitor.go("#/DIP_LOC/estadistica")


def test_on_paper_the_results_stay_and_the_controls_go(browser: Browser, served: Served) -> None:
    """An A4 sheet is 794 px wide; a reader with the dark theme does not print a black page."""
    with Visitor(browser, served.url, 794, color_scheme="dark") as visitor:
        page = visitor.page
        page.emulate_media(media="print", color_scheme="dark")
        for address in ("#/", "#/DIP_LOC", "#/DIP_LOC/cobertura", "#/DIP_LOC/t/1/s/1"):
            text = visitor.go(address)
            assert visitor.overflow() == [0] * len(visitor.overflow()), address
            assert "Ver resultados" not in text, address
            for control in ("header nav", ".pestanas", ".tarjeta:has(.buscador)", "footer ul", "#tema"):
                assert all(not one.is_visible() for one in page.locator(control).all()), (address, control)
            assert page.locator(".simulacro").is_visible() and page.locator(".marca").is_visible()
            assert page.locator("#corte-cual").is_visible()
        visitor.go("#/DIP_LOC/estadistica")
        assert page.locator(".miga").is_visible(), "a sheet says by itself of which election it is"
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert page.pdf(format="A4").startswith(b"%PDF")


def test_at_400_percent_nothing_is_cut_and_only_down_is_scrolled(browser: Browser, served: Served) -> None:
    """A window of 1280 by 1024 at 400 % is 320 by 256 with four dots each."""
    cut = """() => [...document.querySelectorAll("main *, header *, footer *")].filter(one => {
      const box = one.getBoundingClientRect();
      return !one.closest(".oculto, thead, svg") && one.textContent.trim() && box.width > 1
        && (box.right > innerWidth + 1 || box.left < -1);
    }).map(one => one.outerHTML.slice(0, 100))"""
    with Visitor(browser, served.url, 320, height=256, device_scale_factor=4) as visitor:
        # One of each kind: the tour at 320 px is of the same width.
        for address in list(views(served.night))[::3]:
            visitor.go(address)
            assert visitor.page.evaluate(cut) == [], address
            assert max(visitor.overflow()) <= 0, address


def test_movement_is_only_for_who_did_not_ask_for_less(browser: Browser, served: Served) -> None:
    moves = "() => getComputedStyle(document.querySelector('.lleno')).transitionDuration"
    with Visitor(browser, served.url, reduced_motion="no-preference") as visitor:
        assert visitor.page.evaluate(moves) == "0.3s"
        visitor.page.emulate_media(reduced_motion="reduce")
        assert visitor.page.evaluate(moves) == "0s"


def test_bars_and_the_current_view_are_seen_with_forced_colours(browser: Browser, served: Served) -> None:
    with Visitor(browser, served.url, forced_colors="active") as visitor:
        visitor.go("#/DIP_LOC")
        look = """one => ["backgroundColor", "borderTopWidth", "borderBottomStyle"]
          .map(name => getComputedStyle(one)[name])"""
        full, _, _ = visitor.page.locator(".llegado .barra .lleno").first.evaluate(look)
        ground, border, _ = visitor.page.locator(".llegado .barra").first.evaluate(look)
        assert full != ground and border == "1px"
        assert visitor.page.locator(".pestanas [aria-current]").evaluate(look)[2] == "solid"
