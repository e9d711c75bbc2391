"""Writes a report as DOCX, with its banner on every page. Same report, same bytes."""

from __future__ import annotations

import zipfile
from datetime import UTC
from io import BytesIO
from typing import Any

import docx
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches, Pt, RGBColor

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
from core.documents.png import draw_png

PAGE_IN = (8.5, 11.0)
MARGIN_IN = 0.8
FONT = "Arial"
"""Every office program has it or one of the same widths."""
_WIDE_IN = PAGE_IN[0] - 2 * MARGIN_IN
_TONES = {
    True: RGBColor(0x00, 0x66, 0x4A),
    False: RGBColor(0xA3, 0x3C, 0x00),
    None: RGBColor(0x5B, 0x63, 0x6C),
}
_BAND = RGBColor(0x7A, 0x3B, 0x00)
_INK = RGBColor(0x1D, 0x21, 0x26)
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""A file inside the DOCX cannot be dated earlier, and the day it was packed says nothing."""


def write_docx(document: Document) -> bytes:
    """The document as the bytes of a DOCX."""
    # python-docx types its paragraphs' parts as optional.
    made: Any = docx.Document()
    _page(made, document)
    made.add_heading(document.title, 0)
    made.add_paragraph(document.subtitle, style="Subtitle")
    for block in document.blocks:
        _block(made, block)
    out = BytesIO()
    made.save(out)
    return _undated(out.getvalue())


def _page(made: Any, document: Document) -> None:
    section = made.sections[0]
    section.page_width, section.page_height = Inches(PAGE_IN[0]), Inches(PAGE_IN[1])
    section.left_margin = section.right_margin = Inches(MARGIN_IN)
    section.top_margin = section.bottom_margin = Inches(MARGIN_IN)
    normal = made.styles["Normal"]
    normal.font.name, normal.font.size = FONT, Pt(10)
    normal.paragraph_format.space_after = Pt(6)
    for name, points in (("Title", 20), ("Subtitle", 10.5), ("Heading 1", 14), ("Heading 2", 11)):
        style = made.styles[name]
        style.font.size, style.font.color.rgb = Pt(points), _INK
        # The headings of the template name a theme font, which would win over a plain name.
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for kind in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{kind}"), None)
        style.font.name = FONT
    if document.band:
        head = section.header.paragraphs[0]
        head.alignment = WD_ALIGN_PARAGRAPH.CENTER
        band = head.add_run(document.band)
        band.bold, band.font.size, band.font.color.rgb = True, Pt(9), _BAND
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _field(foot.add_run(), "PAGE")
    properties = made.core_properties
    properties.title, properties.subject, properties.language = document.title, document.banner, "es-MX"
    properties.author, properties.comments, properties.keywords = (
        "",
        document.banner_words if document.banner else "",
        "",
    )
    properties.created = properties.modified = document.at.astimezone(UTC).replace(tzinfo=None)
    properties.last_modified_by, properties.revision = "", 1


def _field(run: Any, code: str) -> None:
    for kind, text in (("begin", ""), ("", code), ("end", "")):
        if text:
            element = OxmlElement("w:instrText")
            element.text = text
        else:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        run._r.append(element)


def _block(made: Any, block: Block) -> None:
    match block:
        case Heading(text, level):
            made.add_heading(text, level)
        case Text(text, strong):
            made.add_paragraph().add_run(text).bold = strong
        case Items(items):
            for item in items:
                made.add_paragraph(item, style="List Bullet")
        case Table():
            _table(made, block)
        case Picture(chart):
            title = made.add_paragraph()
            title.paragraph_format.keep_with_next = True
            title.paragraph_format.space_before = Pt(8)
            title.add_run(chart.title).bold = True
            words = title.add_run(f"\n{chart.words}")
            words.font.size, words.font.color.rgb = Pt(9), _TONES[None]
            made.add_picture(BytesIO(draw_png(chart)), width=Inches(_WIDE_IN))
            _describe(made, chart.title)
        case PageBreak():
            made.add_paragraph().add_run().add_break(WD_BREAK.PAGE)


def _describe(made: Any, words: str) -> None:
    """Alternative text for who cannot see the picture."""
    made.inline_shapes[-1]._inline.docPr.set("descr", words)


def _table(made: Any, table: Table) -> None:
    size = Pt(7.5 if table.small else 8.5)
    drawn = made.add_table(rows=1, cols=len(table.titles), style="Normal Table")
    _lines(drawn)
    drawn.alignment = WD_TABLE_ALIGNMENT.CENTER
    drawn.autofit = False
    whole = sum(table.weights)
    widths = [Inches(_WIDE_IN * weight / whole) for weight in table.weights]
    for column, width in zip(drawn.columns, widths, strict=True):
        column.width = width
    for at, (cell, title) in enumerate(zip(drawn.rows[0].cells, table.titles, strict=True)):
        _write(cell, title, size, at in table.numeric, widths[at], bold=True)
        _shade(cell, "F1F3F5")
    _repeat(drawn.rows[0])
    for row in table.rows:
        made_row = drawn.add_row()
        _whole(made_row)
        # `row.cells` walks the whole table each time; the elements of one row are enough.
        for at, (cell, value) in enumerate(zip(made_row.cells, row, strict=True)):
            _write(cell, value, size, at in table.numeric, widths[at])
    made.add_paragraph().paragraph_format.space_after = Pt(2)


def _lines(drawn: Any) -> None:
    """Thin lines between rows and narrow margins, so that whole words fit the columns."""
    properties = drawn._tbl.tblPr
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "bottom", "insideH"):
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "C4CAD0")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    margins = OxmlElement("w:tblCellMar")
    for side, width in (("top", "20"), ("left", "90"), ("bottom", "20"), ("right", "70")):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), width)
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    # The order is that of the schema; the look of the table comes last.
    look = properties.find(qn("w:tblLook"))
    for element in (borders, margins):
        if look is None:
            properties.append(element)
        else:
            look.addprevious(element)


def _write(cell: Any, value: Cell, size: Any, number: bool, width: Any, *, bold: bool = False) -> None:
    cell.width = width
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(0)
    if number:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    words = f"{value.shape} {value.word}" if isinstance(value, Status) else value
    run = paragraph.add_run(words)
    run.font.size, run.bold = size, bold or None
    if isinstance(value, Status):
        run.bold, run.font.color.rgb = value.good is not None, _TONES[value.good]


def _shade(cell: Any, colour: str) -> None:
    element = OxmlElement("w:shd")
    element.set(qn("w:val"), "clear")
    element.set(qn("w:fill"), colour)
    cell._tc.get_or_add_tcPr().append(element)


def _repeat(row: Any) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _whole(row: Any) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _undated(packed: bytes) -> bytes:
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(packed)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            info = zipfile.ZipInfo(name, _FIRST_DAY)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, source.read(name))
    return out.getvalue()
