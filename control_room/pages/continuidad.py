"""The continuity plan in use: what waits for a second person, what is active, what comes next, and where.

Only the skeleton: `assets/32-continuidad.js` fills it from the snapshot and the plan of the configuration.
That a measure needs two persons is the engine's rule; the page says it before it refuses.
"""

from __future__ import annotations

from typing import Any

from dash import html

from control_room.pages.registry import ApiRoute, Page
from control_room.web.roles import require


def layout() -> Any:
    """The skeleton of the page. Raises ForbiddenError or NoSessionError."""
    require("ver")
    named: dict[str, Any] = {"data-pagina": "continuidad"}

    def panel(id_: str, title: str) -> Any:
        return html.Section(
            [html.H2([title, html.Small(id=f"{id_}-nota")], className="panel-titulo"), html.Div(id=id_)],
            className="panel",
        )

    return html.Div(
        id="pagina",
        children=[
            html.Div(
                [
                    html.H1("Plan de continuidad"),
                    html.P(id="con-resumen", role="status"),
                    html.Div(id="con-filtro", className="filtros"),
                    html.Div(id="con-acciones", className="botones accion"),
                ],
                className="panel encabezado",
            ),
            panel("con-distritos", "Distritos con el plan activo"),
            html.Div(
                [
                    html.Div(
                        [
                            panel("con-propuestas", "Esperan autorización"),
                            panel("con-siguientes", "Qué sigue en cada CATD"),
                        ],
                        className="columna",
                    ),
                    html.Div([panel("con-activas", "Activas")], className="columna"),
                ],
                className="con-columnas",
            ),
            panel("con-plan", "Las medidas del plan, en orden"),
            panel("con-terminadas", "Terminadas y descartadas"),
        ],
        **named,
    )


def _plan() -> dict[str, Any]:
    """The measures of the configuration, and what each does to a rehearsal that runs."""
    from control_room.simulacro_control import effect_text
    from control_room.web.context import current_room

    room = current_room()
    measures = room.plan.as_data()
    if room.mode == "simulacro":
        for one in measures:
            one["en_simulacro"] = effect_text(one["clave"])
    return {"medidas": measures}


PAGE = Page(
    path="/continuidad",
    name="continuidad",
    title="Continuidad",
    permission="ver",
    layout=layout,
    api=(ApiRoute("/api/continuidad/plan.json", "ver", _plan),),
)
