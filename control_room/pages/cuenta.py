"""Mi cuenta: who one is here, until when, what one may do, and one's own password."""

from __future__ import annotations

from dash import html

from control_room.pages.pieces import button, page, panel, slot
from control_room.pages.registry import Page
from control_room.web.roles import require


def layout() -> html.Div:
    """The skeleton."""
    require("cuenta")
    return page(
        "cuenta",
        html.H1("Mi cuenta", className="hoja-titulo"),
        panel(
            "Quién soy",
            slot("cta-datos"),
            html.Div(
                [
                    button("Cambiar mi contraseña", "cta-contrasena", "principal"),
                    button("Cerrar mis otras sesiones", "cta-sesiones"),
                ],
                className="fila-campos",
            ),
        ),
    )


PAGE = Page(path="/cuenta", name="cuenta", title="Mi cuenta", permission="cuenta", layout=layout, menu=False)
