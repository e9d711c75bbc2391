"""Every CATD in one table, and one of them in detail: what it has done, how it is, what it still owes.

Only the skeleton: `assets/30-catd.js` fills it from the snapshot, and from `/api/catd/<id>.json` what is
missing by casilla. The address decides which of the two is seen; `?distrito=`, `?municipio=` and `?estado=`
filter the table.
"""

from __future__ import annotations

from typing import Any

from dash import html

from control_room.pages.registry import ApiRoute, Page
from control_room.web.roles import require

FILTERS = (
    ("filtro-distrito", "distrito", "Distrito"),
    ("filtro-municipio", "municipio", "Municipio"),
    ("filtro-estado", "estado", "Estado"),
)


def layout() -> Any:
    """The skeleton of the page. Raises ForbiddenError or NoSessionError."""
    require("ver")
    named: dict[str, Any] = {"data-pagina": "catd"}
    return html.Div(id="pagina", children=[_grid(), _detail()], **named)


def _grid() -> Any:
    selects = [
        html.Div([html.Label(label, htmlFor=id_), html.Select(id=id_, name=name)], className="filtro")
        for id_, name, label in FILTERS
    ]
    search = html.Div(
        [
            html.Label("Buscar", htmlFor="filtro-texto"),
            html.Div(id="filtro-texto-lugar"),
        ],
        className="filtro",
    )
    return html.Section(
        id="catd-todos",
        hidden=True,
        className="panel",
        children=[
            html.Div(
                [
                    html.H1("Centros de Acopio y Transmisión de Datos"),
                    html.P(id="catd-cuenta", role="status"),
                ],
                className="encabezado",
            ),
            html.Div([*selects, search, html.Div(id="filtro-quitar")], className="filtros", role="search"),
            html.Div(id="catd-tabla"),
        ],
    )


def _detail() -> Any:
    def panel(id_: str, title: str, wide: bool = False) -> Any:
        return html.Section(
            [html.H2([title, html.Small(id=f"{id_}-nota")], className="panel-titulo"), html.Div(id=id_)],
            className="panel op-ancho" if wide else "panel",
        )

    return html.Div(
        id="catd-uno",
        hidden=True,
        children=[
            html.Div(id="catd-cabeza", className="panel cabeza"),
            html.Div(
                [
                    panel("catd-embudo", "Camino de las actas", wide=True),
                    panel("catd-senal", "Señal y personal"),
                    panel("catd-alertas", "Alertas"),
                    panel("catd-incidentes", "Incidentes"),
                    panel("catd-plan", "Plan de continuidad"),
                ],
                className="rejilla-catd",
            ),
            panel("catd-faltan", "Qué falta, por casilla", wide=True),
            panel("catd-movimientos", "Últimos movimientos", wide=True),
        ],
    )


def _rules() -> dict[str, Any]:
    """The alert rules by name, for whoever silences one."""
    from control_room.alerts.rules import RULES

    return {"reglas": [[rule.code, rule.title, rule.scope.name.lower()] for rule in RULES]}


PAGE = Page(
    path="/catd",
    name="catd",
    title="CATD",
    permission="ver",
    layout=layout,
    api=(ApiRoute("/api/alertas/reglas.json", "ver", _rules),),
    also=("/catd/<id>",),
)
