"""Writes a report as PDF with the standard fonts, its banner as a watermark and page numbers.

The standard fonts hold Latin-1 and little more; `_plain` writes the few other signs of a report with
what they have. Same report, same bytes: the document is dated at the end of the night.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    Image,
    KeepTogether,
    ListFlowable,
    ListItem,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
)
from reportlab.platypus import PageBreak as PdfPageBreak
from reportlab.platypus import Table as PdfTable

from core.documents.document import (
    Block,
    Cell,
    Document,
    Heading,
    Items,
    PageBreak,
    Picture,
    Status,
    Table,
    Text,
)
from core.documents.png import draw_png, size_of

MARGIN = 0.7 * inch
_WIDE = letter[0] - 2 * MARGIN - 12
"""The frame keeps 6 points on each side."""
_INK, _MUTE, _LINE, _SOFT, _BAND = (
    HexColor(one) for one in ("#1d2126", "#5b636c", "#c4cad0", "#f1f3f5", "#7a3b00")
)
_TONES = {True: "#00664a", False: "#a33c00", None: "#5b636c"}
_SIGNS = {"→": "a", "−": "-", "…": "...", "\u2009": " "}


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:
    bold = more.pop("bold", False)
    return ParagraphStyle(
        name, fontName="Helvetica-Bold" if bold else "Helvetica", fontSize=size, leading=size * 1.25,
        textColor=more.pop("textColor", _INK), **more,
    )  # fmt: skip


_TITLE = _style("title", 19, bold=True, spaceAfter=4)
_SUBTITLE = _style("subtitle", 10.5, textColor=_MUTE, spaceAfter=10)
_HEADINGS = {
    1: _style("h1", 13.5, bold=True, spaceBefore=14, spaceAfter=6),
    2: _style("h2", 11, bold=True, spaceBefore=8, spaceAfter=4),
}
_ROOM = {1: 1.6 * inch, 2: 1.1 * inch}
_BODY = _style("body", 9.5, spaceAfter=6)
_STRONG = _style("strong", 10, bold=True, spaceAfter=6)
_CAPTION = _style("caption", 9.5, bold=True, spaceBefore=6)
_CELLS = {
    (small, number): _style(
        f"cell{small}{number}", 7.2 if small else 8.4, alignment=TA_RIGHT if number else 0
    )
    for small in (False, True)
    for number in (False, True)
}
_HEADS = {
    (small, number): _style(
        f"head{small}{number}", 6.7 if small else 8.2, bold=True, alignment=TA_RIGHT if number else 0
    )
    for small in (False, True)
    for number in (False, True)
}  # fmt: skip


def write_pdf(document: Document) -> bytes:
    """The document as the bytes of a PDF."""
    out = BytesIO()
    title = f"{document.banner}: {document.title}" if document.banner else document.title
    made = SimpleDocTemplate(
        out, pagesize=letter, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN + 10,
        bottomMargin=MARGIN, title=title, subject=document.banner_words if document.banner else "", author="",
        lang="es-MX", invariant=1,
    )  # fmt: skip
    flow: list[Flowable] = [
        Paragraph(_plain(document.title), _TITLE),
        Paragraph(_plain(document.subtitle), _SUBTITLE),
    ]
    for block in document.blocks:
        flow += _block(block)

    def decorate(canvas: Any, _: Any) -> None:
        _decorate(canvas, document)

    made.build(flow, onFirstPage=decorate, onLaterPages=decorate)
    return out.getvalue()


def _plain(text: str) -> str:
    for sign, instead in _SIGNS.items():
        text = text.replace(sign, instead)
    return escape(text.replace(" %", "\xa0%"))


def _decorate(canvas: Any, document: Document) -> None:
    _date(canvas._doc._timeStamp, document.at)
    canvas.saveState()
    canvas.setFillColor(_MUTE)
    canvas.setFont("Helvetica", 8)
    canvas.drawString(MARGIN, 0.4 * inch, document.title)
    canvas.drawRightString(letter[0] - MARGIN, 0.4 * inch, f"Página {canvas.getPageNumber()}")
    if document.banner:
        canvas.setFillColor(_BAND)
        canvas.setFont("Helvetica-Bold", 8.5)
        canvas.drawCentredString(letter[0] / 2, letter[1] - 0.5 * inch, document.band)
        canvas.setFillColor(HexColor("#b35900"), alpha=0.07)
        canvas.setFont("Helvetica-Bold", 92)
        canvas.translate(letter[0] / 2, letter[1] / 2)
        canvas.rotate(52)
        canvas.drawCentredString(0, -30, document.banner)
    canvas.restoreState()


def _date(stamp: Any, at: datetime) -> None:
    """Date the file: reportlab's own stamp is the day it was made, or one fixed for all."""
    offset = at.utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    stamp.t, stamp.lt, stamp.YMDhms = at.timestamp(), at.timetuple(), tuple(at.timetuple())[:6]
    stamp.dhh, stamp.dmm = int(minutes / 60), abs(minutes) % 60


def _block(block: Block) -> list[Flowable]:
    match block:
        case Heading(text, level):
            # Kept with a whole table, a heading would leave half a page empty.
            return [CondPageBreak(_ROOM[level]), Paragraph(_plain(text), _HEADINGS[level])]
        case Text(text, strong):
            return [Paragraph(_plain(text), _STRONG if strong else _BODY)]
        case Items(items):
            made = [ListItem(Paragraph(_plain(item), _BODY)) for item in items]
            return [ListFlowable(made, bulletType="bullet", start="•", bulletFontSize=9, leftIndent=14)]
        case Table():
            return [_table(block), Spacer(1, 8)]
        case Picture(chart):
            wide, high = size_of(chart)
            picture = Image(BytesIO(draw_png(chart)), width=_WIDE, height=_WIDE * high / wide)
            small = f'<font name="Helvetica" color="#5b636c">{_plain(chart.words)}</font>'
            words = f"{_plain(chart.title)}<br/>{small}"
            return [KeepTogether([Paragraph(words, _CAPTION), picture, Spacer(1, 6)])]
        case PageBreak():
            return [PdfPageBreak()]


def _table(table: Table) -> PdfTable:
    whole = sum(table.weights)
    head = [
        Paragraph(_plain(title), _HEADS[table.small, at in table.numeric])
        for at, title in enumerate(table.titles)
    ]
    rows = [
        [_cell(cell, _CELLS[table.small, at in table.numeric]) for at, cell in enumerate(row)]
        for row in table.rows
    ]
    pad = 1.6 if table.small else 3
    return PdfTable(
        [head, *rows],
        colWidths=[_WIDE * weight / whole for weight in table.weights],
        repeatRows=1,
        style=[
            ("BACKGROUND", (0, 0), (-1, 0), _SOFT),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
            ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("VALIGN", (0, 1), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), pad),
            ("BOTTOMPADDING", (0, 0), (-1, -1), pad),
            ("LEFTPADDING", (0, 0), (-1, -1), 3 if table.small else 6),
            ("RIGHTPADDING", (0, 0), (-1, -1), 5 if table.small else 6),
        ],
    )


def _cell(cell: Cell, style: ParagraphStyle) -> Paragraph:
    if isinstance(cell, Status):
        words = f"{cell.shape} {_plain(cell.word)}"
        bold = f"<b>{words}</b>" if cell.good is not None else words
        return Paragraph(f'<font color="{_TONES[cell.good]}">{bold}</font>', style)
    if " " not in cell and len(cell) > 40:
        # A hash has no place to break at.
        return Paragraph("<br/>".join(_plain(cell[at : at + 64]) for at in range(0, len(cell), 64)), style)
    return Paragraph(_plain(cell), style)
