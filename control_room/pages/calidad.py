"""Calidad: inconsistencies by kind, CATDs and capturistas against limits, disputes, the gap to counted."""

from __future__ import annotations

from typing import Any

from dash import html

from control_room.night.quality import People
from control_room.pages.pieces import (
    button,
    chart,
    data,
    figures,
    folded,
    page,
    panel,
    row,
    sheets,
    slot,
    text,
)
from control_room.pages.registry import ApiRoute, Page
from control_room.web.context import current_room
from control_room.web.roles import require
from core.domain.rules import RULES, SITUATIONS, Severity

_EFFECTS = {
    Severity.NOT_COUNTED: "no se contabiliza",
    Severity.OBSERVED: "se contabiliza, con observación",
    Severity.NOTICE: "aviso interno",
}


def layout() -> html.Div:
    """The skeleton."""
    require("ver")
    return page(
        "calidad",
        html.H1("Calidad", className="hoja-titulo"),
        figures(
            data("cal-pct", "Actas con inconsistencia"),
            data("cal-errores", "Capturas distintas del valor definitivo"),
            data("cal-resueltas", "Diferencias resueltas"),
            data("cal-catd", "CATD fuera de límite"),
            data("cal-personas", "Capturistas fuera de límite"),
        ),
        sheets(
            panel(
                "Actas por tipo",
                chart("cal-tipos-grafica", tall=True),
                text("En color, las que entran en el porcentaje de inconsistencias."),
            ),
            panel(
                "Brecha: capturadas que no se contabilizan",
                chart("cal-brecha-grafica"),
                slot("cal-brecha"),
                text(
                    "La brecha son las actas registradas cuyos votos no se suman: sin acta, por encima de la "
                    "lista nominal o sin ningún número legible."
                ),
            ),
            panel(
                "Qué dice cada regla",
                folded("Tabla de tipos con el texto y la fuente de cada regla", slot("cal-tipos")),
                wide=True,
            ),
            panel("CATD contra el límite", slot("cal-catd-tabla"), note="los quince que más se apartan"),
            panel(
                "Capturistas contra el límite",
                row(
                    button("Mostrar nombres", "cal-nombres", "chico", hidden=True),
                    html.Span(id="cal-nombres-nota", className="tenue"),
                ),
                slot("cal-personas-tabla"),
                note="los quince que más se apartan",
            ),
        ),
        slot("cal-explica"),
    )


def rules() -> Any:
    """GET: the catalogue of rules and situations, by code."""
    found = {
        rule.code: {
            "titulo": rule.title,
            "texto": rule.text_supervisor,
            "fuente": rule.source,
            "efecto": _EFFECTS[rule.severity],
            "serie": rule.series,
            "inconsistencia": rule.in_inconsistency_percentage,
        }
        for rule in RULES
    }
    for situation in SITUATIONS:
        found[situation.code] = {
            "titulo": situation.title,
            "texto": situation.text,
            "fuente": situation.source,
            "efecto": "situación del acta",
            "serie": situation.series,
            "inconsistencia": False,
        }
    return {"reglas": found}


def people() -> Any:
    """GET: names of the capturistas by their number in the snapshot."""
    room = current_room()
    known: People = room.shared.setdefault("capturistas", People(room.database))
    return known.names()


PAGE = Page(
    path="/calidad",
    name="calidad",
    title="Calidad",
    permission="ver",
    layout=layout,
    api=(
        ApiRoute("/api/reglas.json", "ver", rules),
        ApiRoute("/api/calidad/personas.json", "calidad_personas", people),
    ),
)
