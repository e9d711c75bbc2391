"""Publicación: the cuts that went out, the next one, what each added, and whether what is public is ours."""

from __future__ import annotations

from typing import Any

from dash import html

from control_room.night.cut_diff import cut_diff
from control_room.pages.pieces import chart, data, figures, page, panel, slot, text
from control_room.pages.registry import ApiRoute, Page
from control_room.web.context import current_room
from control_room.web.roles import require
from core.errors import UsageError
from core.storage.reading import reading


def layout() -> html.Div:
    """The skeleton."""
    require("ver")
    return page(
        "publicacion",
        html.H1("Publicación", className="hoja-titulo"),
        figures(
            data("pub-siguiente", "Próximo corte"),
            data("pub-ultimo", "Último corte publicado"),
            data("pub-actas", "Actas publicadas"),
            data("pub-pendientes", "Registradas sin publicar"),
            data("pub-canario", "Canario: lo público"),
        ),
        slot("pub-rechazo"),
        html.Div(
            [
                panel(
                    "El publicador",
                    slot("pub-servicio"),
                    slot("pub-destinos"),
                    note="lo que el servicio dice de sí",
                ),
                panel(
                    "Detener la publicación",
                    slot("pub-detencion"),
                    html.Div(id="pub-detencion-botones", className="botones"),
                    note="la proponen y la autorizan dos personas",
                ),
            ],
            className="hojas-rejilla",
        ),
        html.Div(
            [
                panel(
                    "Actas que agregó cada corte",
                    chart("pub-grafica"),
                    note="últimos doce",
                ),
                panel(
                    "Cortes",
                    slot("pub-cortes"),
                    note="la huella es el SHA-256 del manifiesto",
                ),
                panel(
                    "Qué cambió",
                    html.Div(
                        [
                            html.Label("Corte", htmlFor="pub-elige"),
                            html.Select(id="pub-elige"),
                        ],
                        className="fila-campos",
                    ),
                    slot("pub-cambio"),
                    wide=True,
                ),
            ],
            className="hojas-rejilla",
        ),
        text(
            "Un corte incluye todo lo registrado hasta su punto de la bitácora. El canario lee lo que está "
            "publicado y compara número, huella y cuentas con lo verificado en la base."
        ),
    )


def diff(numero: str) -> Any:
    """GET: what a cut added; «pendiente» is what no cut includes."""
    if numero != "pendiente" and not (numero.isdecimal() and len(numero) < 9):
        raise UsageError(f"«{numero}» no es un número de corte.")
    room = current_room()
    with reading(room.database) as connection:
        found = cut_diff(connection, room.catalog, None if numero == "pendiente" else int(numero))
    if found is None:
        raise UsageError(f"No se ha publicado el corte {numero}.")
    return found


PAGE = Page(
    path="/publicacion",
    name="publicacion",
    title="Publicación",
    permission="ver",
    layout=layout,
    api=(ApiRoute("/api/publicacion/cortes/<numero>.json", "ver", diff),),
)
