"""Usuarios: who may enter the room and with which role. Only for administration."""

from __future__ import annotations

from dash import html

from control_room.pages.pieces import button, page, panel, said, slot, text
from control_room.pages.registry import Page
from control_room.web.roles import require


def layout() -> html.Div:
    """The skeleton."""
    require("usuarios")
    return page(
        "usuarios",
        html.H1("Usuarios", className="hoja-titulo"),
        panel(
            "Quién puede entrar",
            html.Div(
                [
                    said("usu-cuenta"),
                    html.Div(
                        [
                            button("Cerrar sesiones", "usu-sesiones", "accion"),
                            button("Nuevo usuario", "usu-alta", "principal accion"),
                        ],
                        className="fila-campos",
                    ),
                ],
                className="entre",
            ),
            slot("usu-tabla"),
            wide=True,
        ),
        text(
            "Un usuario no se borra: se da de baja, y la bitácora conserva lo que hizo. Dar de baja, cambiar "
            "el rol o la contraseña cierra en el acto sus sesiones. El muro entra con un usuario de lectura, "
            "cuya sesión dura 72 horas. Quien entra con la cuenta institucional no aparece aquí: su rol sale "
            "de sus grupos, por configuración, y «Cerrar sesiones» la saca con su nombre y arroba."
        ),
    )


PAGE = Page(path="/usuarios", name="usuarios", title="Usuarios", permission="usuarios", layout=layout)
