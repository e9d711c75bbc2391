"""The incidents: a board by state, the table of all of them, and the story of one.

Only the skeleton: `assets/31-incidentes.js` fills it from the snapshot. What each state allows is
`core.domain.incidents`, and who may do it is checked again in each action.
"""

from __future__ import annotations

from typing import Any

from dash import html

from control_room.pages.registry import ApiRoute, Page
from control_room.web.roles import ROLES, allows, require


def layout() -> Any:
    """The skeleton of the page. Raises ForbiddenError or NoSessionError."""
    require("ver")
    named: dict[str, Any] = {"data-pagina": "incidentes"}
    return html.Div(
        id="pagina",
        children=[
            html.Div(
                [
                    html.H1("Incidentes"),
                    html.Div(id="inc-resumen", className="tiras"),
                    html.Div(id="inc-acciones", className="botones accion"),
                ],
                className="panel encabezado",
            ),
            html.Div(
                [
                    html.Div(
                        [
                            html.Section(
                                [html.H2("Por atender", className="oculto"), html.Div(id="inc-tablero")],
                                className="tablero-marco",
                            ),
                            html.Section(
                                [html.H2("Todos", className="panel-titulo"), html.Div(id="inc-tabla")],
                                className="panel",
                            ),
                        ],
                        className="inc-lista",
                    ),
                    html.Div(id="inc-detalle", hidden=True),
                ],
                id="inc-cuerpo",
            ),
        ],
        **named,
    )


def _people() -> dict[str, Any]:
    """Who an incident may be assigned to: the users that may work on one."""
    from control_room.web.context import current_room

    room = current_room()
    people = [
        {"usuario": one["usuario"], "nombre": one["nombre"], "rol": ROLES[str(one["rol"])]}
        for one in room.users.list()
        if one["baja_ms"] is None and allows(str(one["rol"]), "incidente", room.mode)
    ]
    return {"personas": people}


PAGE = Page(
    path="/incidentes",
    name="incidentes",
    title="Incidentes",
    permission="ver",
    layout=layout,
    api=(ApiRoute("/api/incidentes/personas.json", "incidente_coordinar", _people),),
)
