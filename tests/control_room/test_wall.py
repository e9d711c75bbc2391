"""The wall in a real browser, over its own skeleton and a small night: whole rows, the worst first.

Its assets are served from disk to an address that does not exist; there is no room behind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from control_room.pages import general
from tests.control_room.test_base_library import ASSETS, NIGHT_MS

URL = "http://sala.prueba/"
MINUTE = 60_000
SCRIPTS = ("05-dom", "06-formatos", "10-sala", "11-barra", "12-dialogos", "20-general")
SIZES = ((1920, 1080), (1366, 768), (1280, 720))
Show = Callable[..., Page]


def markup(node: Any) -> str:
    """A component of the skeleton as HTML; charts are left as empty boxes."""
    if node is None or isinstance(node, str):
        return escape(node or "")
    if isinstance(node, list | tuple):
        return "".join(map(markup, node))
    said = node.to_plotly_json()
    props = dict(said["props"])
    inner = props.pop("children", None)
    tag = "div" if said["type"] == "Graph" else said["type"].lower()
    names = {"id": "id", "className": "class", "data-pagina": "data-pagina", "tabIndex": "tabindex"}
    words = "".join(f' {names[key]}="{escape(str(props[key]))}"' for key in names if key in props)
    return f"<{tag}{words}{' hidden' if props.get('hidden') else ''}>{markup(inner)}</{tag}>"


def catd(number: int, state: str = "normal", **changed: Any) -> dict[str, Any]:
    return {
        "id": number, "nombre": f"CATD municipal {number:02d} Lugar", "distrito": 1 + number // 10,
        "municipio": 1, "esperadas": 100, "verificadas": 40, "estado": state, "motivo": "",
        "latido_ms": NIGHT_MS, "ultima_ms": NIGHT_MS, "alertas": [],
    } | changed  # fmt: skip


def silent(number: int, minutes: int, state: str = "p1", **changed: Any) -> dict[str, Any]:
    why = {"motivo": f"CATD sin señal: {minutes} min sin latido", "alertas": [f"A01:catd:{number}"]}
    return catd(number, state, latido_ms=NIGHT_MS - minutes * MINUTE, **why) | changed


def alert(number: int, catds: list[int]) -> dict[str, Any]:
    return {
        "id": f"A01:distrito:{number}", "regla": "A01", "prioridad": 1, "titulo": f"Alerta {number}",
        "detalle": "una línea y algo más de lo que cabe en ella " * (1 + number % 2), "catds": catds,
        "ambito": {"tipo": "distrito", "id": number}, "desde_ms": NIGHT_MS - MINUTE, "estado": "activa",
        "por": None, "reconocida_ms": None, "incidente": None, "valor": "9 min", "umbral": "3 min",
    }  # fmt: skip


def snapshot(catds: list[dict[str, Any]], alerts: int = 0, **kpis: Any) -> dict[str, Any]:
    end = {"mediana_ms": NIGHT_MS, "desde_ms": NIGHT_MS, "hasta_ms": None, "final_pct": None}
    return {
        "seq": 1, "boot_id": "a", "version": "1", "tick_s": 2.0, "viejo_s": 600, "generado_real_ms": 0,
        "titulo": "PREP de prueba", "eleccion": "", "modo": "simulacro", "fase": "operacion",
        "reloj": {"ahora_ms": NIGHT_MS, "velocidad": 60, "estado": "corriendo", "utc_min": -300},
        "base": {"ok": True, "error": None, "desde_real_ms": None, "seq": 1},
        "entidad": {"id": 14, "nombre": "JALISCO"}, "distritos": [[n, f"Distrito {n}"] for n in range(1, 21)],
        "operacion": {"inicio_ms": NIGHT_MS - 200 * MINUTE, "fin_ms": NIGHT_MS}, "corte": None, "catd": catds,
        "alertas": [alert(n, [1]) for n in range(alerts)], "incidentes": [],
        "alertas_resumen": {"p1": alerts, "p2": 0, "p3": 0, "silenciadas": 0, "inhibidas": 0},
        "kpis": {
            "avance_pct": "47.9300", "verificadas": 400, "esperadas": 1000, "vs_plan_pp": -12.8,
            "plan_pct": 60.7,
            "rezago": 3, "rezago_min": 1.0, "ritmo": 7, "ritmo_plan": 8, "inconsistencias_pct": "9.9400",
            "inconsistentes": 39, "revisadas": 392, "cierre": end,
        } | kpis,
    }  # fmt: skip


@pytest.fixture
def show(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    """Opens the wall of a snapshot at a size of screen."""
    monkeypatch.setattr(general, "require", lambda permission: None)
    styles = "".join(f'<link rel="stylesheet" href="/assets/{one}.css">' for one in ("sala", "20-general"))
    scripts = "".join(f'<script src="/assets/{one}.js"></script>' for one in SCRIPTS)
    shell = (
        '<!DOCTYPE html><html lang="es-MX"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        f'{styles}</head><body><div id="sala"><header id="barra"><div id="barra-titulo"></div>'
        '<nav id="menu"></nav><div id="barra-estado"></div></header><div id="franja"></div>'
        '<main id="contenido"><div>'
        f'<div id="_pages_content">{markup(general.layout())}</div></div></main></div>{scripts}'
        "<script>PREP.map = {enter() {}, apply() {}}; PREP.wallCharts = () => {};"
        "dash_clientside.sala.pull();</script></body></html>"
    )
    contexts = []

    def opened(data: dict[str, Any], size: tuple[int, int] = SIZES[0]) -> Page:
        def answer(route: Route) -> None:
            path = route.request.url.removeprefix(URL).split("?")[0]
            if not path:
                route.fulfill(body=shell, content_type="text/html; charset=utf-8")
            elif path.startswith("assets/"):
                route.fulfill(path=ASSETS / path.removeprefix("assets/"))
            elif path == "api/sala.json":
                route.fulfill(
                    body=json.dumps(data), content_type="application/json", headers={"ETag": '"a-1"'}
                )
            else:
                me = {"usuario": "ana", "nombre": "Ana", "csrf": "x", "permisos": ["ver"], "momentos": []}
                route.fulfill(body=json.dumps(me), content_type="application/json")

        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        page = context.new_page()
        page.route(URL + "**", answer)
        page.goto(URL)
        page.wait_for_function("document.getElementById('kpi-avance').textContent !== '—'")
        return page

    yield opened
    for context in contexts:
        context.close()


ROWS = """list => {
  const host = document.getElementById(list), box = host.getBoundingClientRect();
  const rows = [...host.children].map(row => row.getBoundingClientRect());
  return {all: rows.length, whole: rows.filter(row => row.bottom <= box.bottom + 1.5).length,
          seen: rows.filter(row => row.top < box.bottom - 1.5).length};
}"""


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_list_ends_in_a_whole_row_and_says_how_many_more_there_are(
    show: Show, size: tuple[int, int]
) -> None:
    page = show(snapshot([silent(n, n) for n in range(4, 60)], alerts=12), size)
    for name in ("alertas", "problemas"):
        rows = page.evaluate(ROWS, name)
        assert 0 < rows["seen"] == rows["whole"] < rows["all"]
        assert page.locator(f"#{name}-mas").inner_text() == f"y {rows['all'] - rows['whole']} más"


def test_a_list_that_fits_is_shown_whole_and_says_nothing_more(show: Show) -> None:
    page = show(snapshot([silent(1, 5), silent(2, 9)], alerts=1))
    for name, many in (("alertas", 1), ("problemas", 2)):
        assert page.evaluate(ROWS, name) == {"all": many, "whole": many, "seen": many}
        assert page.locator(f"#{name}-mas").is_hidden()


def test_the_worst_catd_comes_first(show: Show) -> None:
    catds = [
        catd(1), silent(2, 47), silent(30, 230), silent(4, 4, "p3"),
        catd(5, "p2", alertas=["A09:catd:5"], verificadas=90), catd(6, "p2", alertas=["A09:catd:6"]),
        catd(7, "p2", alertas=["A02:catd:7"], ultima_ms=NIGHT_MS - 30 * MINUTE, verificadas=99),
    ]  # fmt: skip
    page = show(snapshot(catds))
    names = page.locator("#problemas a").all_inner_texts()
    assert [name.split()[0] for name in names] == ["30", "2", "7", "6", "5", "4"]
    assert page.locator("#problemas .problema-motivo").first.inner_text() == "sin señal 230 min"


def test_the_tile_of_a_catd_of_a_district_is_not_named_as_the_district(show: Show) -> None:
    page = show(snapshot([catd(1), catd(40, nombre="CATD distrital 05 Puerto", distrito=5)]))
    labels = page.locator(".flujo .distrito").all_inner_texts()
    tiles = page.locator(".flujo .numero").all_inner_texts()
    assert labels == ["D1", "D5"] and tiles == ["1", "CD5"]


def test_the_wall_says_of_what_its_percentage_of_inconsistencies_is(show: Show) -> None:
    page = show(snapshot([catd(1)]))
    assert page.locator("#kpi-inconsistencias").inner_text() == "9.94 %"
    assert page.locator("#kpi-inconsistencias-nota").inner_text() == "de 392 revisadas"


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_indicator_leaves_its_box_and_an_end_that_is_not_known_is_said(
    show: Show, size: tuple[int, int]
) -> None:
    page = show(snapshot([catd(1)]), size)
    assert page.locator("#kpi-plan").inner_text() == "−12.8 pp"
    wide = "nodes => nodes.filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.id)"
    assert page.locator(".kpi-valor").evaluate_all(wide) == []
    assert page.locator("#kpi-cierre-nota").inner_text().endswith("; quizá no llegue")
