"""Historia: any kept moment of the night as it was, and this night beside another one."""

from __future__ import annotations

from dash import html

from control_room.pages.pieces import chart, folded, form, page, panel, said, slot, text
from control_room.pages.registry import Page
from control_room.web.roles import require


def layout() -> html.Div:
    """The skeleton."""
    require("ver")
    return page(
        "historia",
        html.H1("Historia", className="hoja-titulo"),
        html.Div(
            [
                panel(
                    "Abrir un momento de la noche",
                    html.P("Todavía no hay momentos guardados.", id="his-vacio", hidden=True),
                    html.Div(
                        [
                            html.Label("Momento", htmlFor="his-momento"),
                            # dcc has no plain range input, and this one is only read by our script.
                            html.Div(id="his-deslizador", className="deslizador"),
                            html.Output("—", id="his-hora", className="dato"),
                            html.Div(id="his-resumen", className="resumen", role="status"),
                            html.Div(id="his-enlaces", className="fila-campos"),
                        ],
                        id="his-momentos",
                        hidden=True,
                    ),
                    text("Se guarda una vista de la sala por minuto de la noche; la abre cualquier página."),
                    wide=True,
                ),
                panel(
                    "Comparar con otra noche",
                    form("his-forma", "Noche con la que se compara"),
                    said("his-estado"),
                    html.Div(
                        [
                            chart("his-grafica", tall=True),
                            text("Las dos curvas están alineadas por minutos desde el inicio de cada noche."),
                            slot("his-diferencias"),
                            folded("Tabla de las curvas", slot("his-curvas")),
                        ],
                        id="his-comparacion",
                        hidden=True,
                    ),
                    wide=True,
                ),
            ],
            className="hojas-rejilla",
        ),
    )  # fmt: skip


PAGE = Page(path="/historia", name="historia", title="Historia", permission="ver", layout=layout)
