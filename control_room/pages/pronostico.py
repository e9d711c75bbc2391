"""Pronóstico: how the rest of the night may go, by CATD too, and what would change it."""

from __future__ import annotations

from dash import html

from control_room.pages.pieces import (
    button,
    chart,
    data,
    figures,
    folded,
    form,
    page,
    panel,
    said,
    slot,
    text,
)
from control_room.pages.registry import Page
from control_room.web.roles import require


def layout() -> html.Div:
    """The skeleton."""
    require("ver")
    return page(
        "pronostico",
        html.H1("Pronóstico", className="hoja-titulo"),
        slot("pro-motivo"),
        figures(
            data("pro-final", "Registradas al cierre"),
            data("pro-banda", "Banda de 80 %"),
            data("pro-cierre", "Cierre estimado"),
            data("pro-hecho", "Hecho a las"),
        ),
        html.Div(
            [
                panel(
                    "Avance y banda",
                    chart("pro-grafica", tall=True),
                    folded("Tabla de la curva", slot("pro-curva")),
                    note="8 de cada 10 noches sorteadas quedan dentro de la banda",
                    wide=True,
                ),
                panel(
                    "¿Qué pasaría si…?",
                    html.Div(
                        [
                            text(
                                "Cada cambio se compara con no cambiar nada, con los mismos números al azar: "
                                "la diferencia es del cambio y no de la suerte."
                            ),
                            form("pro-forma", "Agregar un cambio"),
                            html.Ul(id="pro-cambios", className="fichas"),
                            button("Pronosticar con estos cambios", "pro-pide", "principal", disabled=True),
                            said("pro-estado"),
                        ],
                        id="pro-si",
                        hidden=True,
                    ),
                    html.P("Su cuenta no puede pedir pronósticos.", id="pro-sin-permiso", hidden=True),
                    slot("pro-resultado"),
                ),
                panel("CATD con menos probabilidad de llegar", slot("pro-catd"), id="pro-catd-panel"),
            ],
            className="hojas-rejilla",
        ),
    )


PAGE = Page(path="/pronostico", name="pronostico", title="Pronóstico", permission="ver", layout=layout)
