"""Sala general, the wall: the static skeleton that `assets/20-general.js` and its neighbours fill.

For: what an operator must know in five seconds. It holds no data and no figure: numbers, tiles, map, alerts
and charts come with each snapshot, in the browser.
"""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from control_room.pages.pieces import aria
from control_room.pages.registry import Page
from control_room.web.roles import require

_PERMISSION = "ver"
KPIS = (
    ("avance", "Actas registradas"),
    ("plan", "Contra el plan"),
    ("rezago", "Rezago de captura"),
    ("ritmo", "Ritmo (actas/min)"),
    ("inconsistencias", "Inconsistencias"),
    ("corte", "Próximo corte"),
    ("cierre", "Cierre estimado"),
)
"""Identifier and name of each indicator of the strip, in order."""
CHARTS = (
    ("grafica-avance", "Avance (%)"),
    ("grafica-ritmo", "Ritmo (actas/min)"),
    ("grafica-rezago", "Rezago (actas)"),
    ("grafica-distritos", "Por distrito (%)"),
)
"""Identifier and title of the four charts, in order."""


def layout() -> html.Div:
    """The skeleton. Raises what `web.roles.require` raises for who may not see it."""
    require(_PERMISSION)
    name: dict[str, Any] = {"data-pagina": "general"}
    return html.Div(
        [
            html.H1("Sala general", className="oculto"),
            html.Dl([_kpi(*each) for each in KPIS], className="kpis"),
            _panel("mosaicos", "CATD por distrito", html.Div(id="mosaicos", className="mosaicos")),
            _panel("mapa", "Avance en el mapa", html.Div(id="mapa", className="mapa")),
            html.Section(
                [
                    html.H2(["Alertas activas ", html.Small(id="alertas-cuenta")], className="panel-titulo"),
                    html.Ul(id="alertas", className="alertas", tabIndex="0"),
                    html.P(id="alertas-mas", className="tenue"),
                    html.H2(
                        ["CATD con problema ", html.Small(id="problemas-cuenta")], className="panel-titulo"
                    ),
                    html.Ul(id="problemas", className="problemas", tabIndex="0"),
                    html.P(id="problemas-mas", className="tenue"),
                    _list("incidentes", "Incidentes abiertos", html.Small(id="incidentes-cuenta")),
                    _list("cortes", "Últimos cortes"),
                ],
                className="panel zona-alertas",
                **aria("Alertas y CATD con problema"),
            ),
            html.Div([_chart(*each) for each in CHARTS], className="graficas"),
        ],
        id="pagina",
        className="general",
        **name,
    )


def _list(name: str, title: str, *more: Any) -> html.Div:
    heading = html.H2([f"{title} ", *more], className="panel-titulo")
    return html.Div([heading, html.Ul(id=f"{name}-muro")], id=f"zona-{name}", hidden=True)


def _kpi(name: str, title: str) -> html.Div:
    return html.Div(
        [
            html.Dt(title, className="kpi-nombre"),
            html.Dd("—", id=f"kpi-{name}", className="kpi-valor"),
            html.Dd("", id=f"kpi-{name}-nota", className="kpi-nota"),
        ],
        id=f"kpi-{name}-marco",
        className="kpi",
    )


def _panel(zone: str, title: str, body: html.Div) -> html.Section:
    heading = html.H2([f"{title} ", html.Small(id=f"{zone}-leyenda")], className="panel-titulo")
    return html.Section([heading, body], className=f"panel zona-{zone}", **aria(title))


def _chart(name: str, title: str) -> html.Section:
    return html.Section(
        [
            html.H2([f"{title} ", html.Small(id=f"{name}-leyenda")], className="panel-titulo"),
            dcc.Graph(id=name, className="grafica", config={"staticPlot": True, "displayModeBar": False}),
            # What the chart says, for who does not see it.
            html.P(id=f"{name}-texto", className="oculto"),
        ],
        className="panel",
        **aria(title),
    )


PAGE = Page(path="/", name="general", title="Sala", permission=_PERMISSION, layout=layout)
