"""Bitácora: everything that is on record, of the election and of the room, filtered and exported."""

from __future__ import annotations

from dash import html

from control_room.pages.pieces import button, data, figures, form, page, panel, row, said, slot, text
from control_room.pages.registry import Page
from control_room.web.roles import require


def layout() -> html.Div:
    """The skeleton."""
    require("bitacora")
    return page(
        "bitacora",
        html.H1("Bitácora", className="hoja-titulo"),
        figures(
            data("bit-ritmo", "Alarmas por operador cada 10 min"),
            data("bit-presupuesto", "Presupuesto de alarmas"),
            data("bit-activas", "Alertas activas ahora"),
            data("bit-seq", "Último evento de la base"),
        ),
        panel(
            "Eventos",
            form("bit-filtros", "Filtros de la bitácora"),
            html.Div(
                [
                    said("bit-cuenta"),
                    row(
                        html.A("Descargar CSV", id="bit-csv", className="boton chico", hidden=True),
                        html.A("Descargar PDF", id="bit-pdf", className="boton chico", hidden=True),
                    ),
                ],
                className="entre",
            ),
            slot("bit-tabla"),
            row(
                button("◀ Más recientes", "bit-antes", disabled=True),
                button("Más antiguos ▶", "bit-despues", disabled=True),
            ),
            wide=True,
        ),
        text(
            "La bitácora de la elección solo crece: cada evento lleva la huella SHA-256 que sigue a la del "
            "anterior, y la base rechaza cambiarlo o borrarlo. Aquí se ven los de la operación; los de cada "
            "acta, en su CATD. Los accesos y las alertas de la sala se guardan aparte."
        ),
    )  # fmt: skip


PAGE = Page(path="/bitacora", name="bitacora", title="Bitácora", permission="bitacora", layout=layout)
