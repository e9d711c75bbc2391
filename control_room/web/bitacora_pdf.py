"""The log as a PDF: what a notary keeps. Layout only; the lines come made."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

HEADERS = ("Evento", "Hora de la noche", "Clase", "Qué", "Quién", "Desde", "Detalle")
_SHOWN = (0, 1, 3, 4, 5, 6, 7)
_WIDTHS = (44, 100, 58, 92, 100, 70, 260)
ROWS_AT_ONCE = 400
"""Rows per table: one table of thousands of rows takes its square in time."""


def document(title: str, mode: str, lines: Sequence[Sequence[str]], notes: Sequence[str]) -> bytes:
    """A landscape letter PDF: the notes, the lines in a table, the second note (the seal) at each foot."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import landscape, letter
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    small = ParagraphStyle("celda", fontName="Helvetica", fontSize=7, leading=8.5, splitLongWords=True)
    head = ParagraphStyle("titulo", fontName="Helvetica-Bold", fontSize=14, leading=18)
    note = ParagraphStyle("nota", fontName="Helvetica", fontSize=8, leading=10)
    look = TableStyle(
        [
            ("FONT", (0, 0), (-1, 0), "Helvetica-Bold", 7),
            ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.grey),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ]
    )
    name = "SIMULACRO" if mode == "simulacro" else "Jornada oficial"
    story: list[Any] = [Paragraph(escape(f"Bitácora de la sala de control · {title}"), head)]
    story += [Paragraph(escape(text), note) for text in (name, *notes, f"{len(lines):,} renglones")]
    story.append(Spacer(1, 8))
    for start in range(0, max(1, len(lines)), ROWS_AT_ONCE):
        rows: list[list[Any]] = [list(HEADERS)]
        for line in lines[start : start + ROWS_AT_ONCE]:
            rows.append([Paragraph(escape(line[place]), small) for place in _SHOWN])
        story.append(Table(rows, colWidths=_WIDTHS, repeatRows=1, style=look))
    seal = notes[1] if len(notes) > 1 else ""

    def foot(canvas: Any, page: Any) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 6.5)
        canvas.drawString(30, 18, seal[:170])
        canvas.drawRightString(landscape(letter)[0] - 30, 18, f"{name} · página {page.page}")
        canvas.restoreState()

    stream = io.BytesIO()
    SimpleDocTemplate(
        stream, pagesize=landscape(letter), leftMargin=30, rightMargin=30, topMargin=30, bottomMargin=32,
        title=f"Bitácora · {title}", author="Sala de control", lang="es-MX",
    ).build(story, onFirstPage=foot, onLaterPages=foot)  # fmt: skip
    return stream.getvalue()
