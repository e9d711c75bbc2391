"""The printed sheet of an acta: its boxes, its rows of contenders, its legends, and where each thing goes.

A letter sheet at 100 dots per inch. What does not depend on the casilla is printed once per kind of sheet;
the rest is strips pasted on a copy. It writes nothing by hand and knows no result.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFont

from core.domain.catalog import ActaEntry, Casilla, Catalog, Contest
from core.domain.contenders import Contender, ContenderKind
from simulator.drawing.handwriting import Plane, font_file, stamp

WIDTH, HEIGHT, DPI = 850, 1_100, 100
MARGIN = 34
BOX_DIGITS = 4
"""Boxes of a number: the widest is of four digits, and a wrong sum may need them."""
TOTAL_TITLES = (
    "BOLETAS SOBRANTES",
    "PERSONAS QUE VOTARON",
    "REPRESENTANTES QUE VOTARON",
    "VOTOS SACADOS DE LA URNA",
    "RESULTADO DE LA VOTACIÓN (TOTAL)",
)
"""In the order of `Totals.as_tuple`; the last one closes the table of votes."""
SIGNERS = ("Presidencia", "Secretaría", "1.er escrutador(a)", "2.º escrutador(a)")
REPRESENTATIVES = 8

_BOXES_X = WIDTH - MARGIN - BOX_DIGITS * 25 - 6
_LABEL_W = 210
_TOTALS_Y, _TOTAL_H = 226, 25
_TABLE_Y = _TOTALS_Y + 4 * _TOTAL_H + 34
_SIGNS_Y = 958
_INK = 35


@dataclass(frozen=True, slots=True)
class Line:
    """A place where a number is written: its top, its height, the left of the letters and of the boxes."""

    top: int
    height: int
    letters_x: int = MARGIN + _LABEL_W + 8
    boxes_x: int = _BOXES_X

    @property
    def box(self) -> int:
        """Width of the box of one digit."""
        return 25


@dataclass(frozen=True, slots=True)
class Sheet:
    """A printed sheet of one acta and its places: the columns that exist, and the five totals."""

    paper: Plane
    votes: dict[int, Line]
    totals: tuple[Line, ...]
    signatures: tuple[tuple[int, int], ...]
    representatives: tuple[tuple[int, int], ...]


def sheet_of(catalog: Catalog, entry: ActaEntry, casilla: Casilla) -> Sheet:
    """The sheet of an acta of a casilla, without anything written on it."""
    contest = catalog.contests[entry.contest]
    applies = catalog.layouts[entry.layout].applies
    columns = [position for position, exists in enumerate(applies) if exists]
    height = max(9, min(27, (_SIGNS_Y - 22 - _TABLE_Y - _TOTAL_H) // max(1, len(columns))))
    paper = _blank(contest.name, catalog.election, catalog.entidad.name).copy()
    votes = {}
    for row, position in enumerate(columns):
        top = _TABLE_Y + row * height
        stamp(paper, _strip(_label(contest.columns[position]), height), MARGIN, top)
        votes[position] = Line(top, height)
    bottom = _TABLE_Y + len(columns) * height
    stamp(paper, _strip(TOTAL_TITLES[4], _TOTAL_H, heavy=True), MARGIN, bottom + 2)
    totals = [Line(_TOTALS_Y + row * _TOTAL_H, _TOTAL_H) for row in range(4)]
    totals.append(Line(bottom + 2, _TOTAL_H))
    _print_place(paper, catalog, entry, contest, casilla)
    signs = tuple((MARGIN + number * 196, _SIGNS_Y + 4) for number in range(len(SIGNERS)))
    others = tuple((MARGIN + number * 98, _SIGNS_Y + 72) for number in range(REPRESENTATIVES))
    return Sheet(paper, votes, tuple(totals), signs, others)


def qr_text(contest: str, key: str) -> str:
    """What the QR of a sheet says: the contest and the key of its acta."""
    return f"PREP|SIMULACRO|{contest}|{key}"


def _label(column: Contender) -> str:
    if column.kind is ContenderKind.COMBINACION:
        return " + ".join(column.parties)
    if column.kind is ContenderKind.NO_REGISTRADAS:
        return "CANDIDATURAS NO REGISTRADAS"
    if column.kind is ContenderKind.NULOS:
        return "VOTOS NULOS"
    if column.kind is ContenderKind.INDEPENDIENTE:
        return column.name or column.code.replace("CAND_IND_", "CANDIDATURA INDEPENDIENTE ")
    return column.code.replace("_", " ")


@lru_cache(maxsize=8)
def _blank(contest: str, election: str, entidad: str) -> Plane:
    """Everything that all the actas of a contest share."""
    paper = Image.new("L", (WIDTH, HEIGHT), 255)
    _watermark(paper)
    pen = ImageDraw.Draw(paper)
    right = WIDTH - MARGIN
    pen.rectangle((18, 18, WIDTH - 19, HEIGHT - 19), outline=_INK, width=2)
    pen.rectangle((MARGIN, 34, MARGIN + 96, 104), fill=_INK)
    pen.text((MARGIN + 48, 60), "PREP", font=_font(30, bold=True), fill=255, anchor="mm")
    pen.text((MARGIN + 48, 88), "SIMULACRO", font=_font(11, bold=True), fill=255, anchor="mm")
    middle = 410
    pen.text(
        (middle, 46), "ACTA DE ESCRUTINIO Y CÓMPUTO DE CASILLA", font=_font(18, True), fill=_INK, anchor="mm"
    )
    name = contest.upper()
    size = next((size for size in (15, 13, 11, 9) if _font(size, True).getlength(name) < 500), 8)
    pen.text((middle, 70), _cut(name, 86), font=_font(size, bold=True), fill=_INK, anchor="mm")
    pen.text((middle, 91), _cut(f"{election} · {entidad}", 62), font=_font(11), fill=_INK, anchor="mm")
    pen.text((MARGIN, 113), "DATOS DE LA CASILLA", font=_font(10, bold=True), fill=_INK)
    pen.rectangle((MARGIN, 128, right - 128, 196), outline=90)
    pen.line((MARGIN, 162, right - 128, 162), fill=150)
    pen.text((MARGIN, _TOTALS_Y - 20), "BOLETAS, PERSONAS Y VOTOS", font=_font(10, True), fill=_INK)
    for row, title in enumerate(TOTAL_TITLES[:4]):
        _paste(paper, _strip(title, _TOTAL_H), MARGIN, _TOTALS_Y + row * _TOTAL_H)
    head = _TABLE_Y - 15
    pen.text((MARGIN, head), "RESULTADOS DE LA VOTACIÓN", font=_font(10, bold=True), fill=_INK)
    pen.text((MARGIN + _LABEL_W + 8, head), "(con letra)", font=_font(9), fill=_INK)
    pen.text((_BOXES_X, head), "(con número)", font=_font(9), fill=_INK)
    pen.text((MARGIN, _SIGNS_Y - 12), "MESA DIRECTIVA DE CASILLA", font=_font(9, bold=True), fill=_INK)
    for number, who in enumerate(SIGNERS):
        x = MARGIN + number * 196
        pen.line((x, _SIGNS_Y + 46, x + 184, _SIGNS_Y + 46), fill=90)
        pen.text((x + 92, _SIGNS_Y + 55), f"{who} · firma", font=_font(9), fill=_INK, anchor="mm")
    for number in range(REPRESENTATIVES):
        x = MARGIN + number * 98
        pen.rectangle((x, _SIGNS_Y + 70, x + 96, _SIGNS_Y + 104), outline=130)
    foot = "Imagen dibujada por un simulador: no es un documento oficial ni contiene datos de nadie."
    pen.text((WIDTH // 2, HEIGHT - 28), foot, font=_font(9), fill=_INK, anchor="mm")
    return np.asarray(paper, dtype=np.uint8)


def _watermark(paper: Image.Image) -> None:
    layer = Image.new("L", (1_100, 190), 255)
    ImageDraw.Draw(layer).text((550, 95), "SIMULACRO", font=_font(150, bold=True), fill=222, anchor="mm")
    turned = layer.rotate(52, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    paper.paste(turned, ((WIDTH - turned.width) // 2, (HEIGHT - turned.height) // 2 + 40))


@lru_cache(maxsize=1_024)
def _strip(label: str, height: int, heavy: bool = False) -> Plane:
    """A row: its label, the line for the letters and the boxes for the number."""
    width = WIDTH - 2 * MARGIN + 1
    strip = Image.new("L", (width, height + 1), 255)
    pen = ImageDraw.Draw(strip)
    pen.rectangle((0, 0, width - 1, height), outline=70 if heavy else 120, width=2 if heavy else 1)
    pen.line((_LABEL_W, 0, _LABEL_W, height), fill=120)
    size = max(7, min(13, height - 7))
    while size > 6 and _font(size, bold=True).getlength(label) > _LABEL_W - 12:
        size -= 1
    pen.text((6, height // 2), _cut(label, 44), font=_font(size, bold=True), fill=_INK, anchor="lm")
    left = _BOXES_X - MARGIN
    for number in range(BOX_DIGITS):
        x = left + number * 25
        pen.rectangle((x, 2, x + 23, height - 2), outline=90)
    return np.asarray(strip, dtype=np.uint8)


def _print_place(
    paper: Plane, catalog: Catalog, entry: ActaEntry, contest: Contest, casilla: Casilla
) -> None:
    distrito = catalog.distritos.get(casilla.distrito) if casilla.distrito is not None else None
    municipio = catalog.municipios.get(casilla.municipio) if casilla.municipio is not None else None
    kinds = {"B": "Básica", "C": "Contigua", "E": "Extraordinaria", "S": "Especial", "A": "Voto anticipado"}
    fields = (
        (0, 0, 90, "ENTIDAD", f"{catalog.entidad.id:02d} {catalog.entidad.abbreviation}"),
        (92, 0, 250, "DISTRITO LOCAL", f"{distrito.id:02d} {distrito.name}" if distrito else "N/A"),
        (344, 0, 300, "MUNICIPIO", f"{municipio.id:03d} {municipio.name}" if municipio else "N/A"),
        (0, 34, 90, "SECCIÓN", "N/A" if casilla.seccion is None else f"{casilla.seccion:04d}"),
        (92, 34, 190, "CASILLA", f"{kinds.get(casilla.tipo, casilla.tipo)} {casilla.numero}"),
        (284, 34, 140, "LISTA NOMINAL", f"{casilla.lista_nominal:,}" if casilla.lista_nominal else "N/A"),
        (426, 34, 218, "CLAVE DEL ACTA", entry.key),
    )
    block = Image.new("L", (652, 68), 255)
    pen = ImageDraw.Draw(block)
    for x, y, width, title, value in fields:
        pen.text((x + 6, y + 4), title, font=_font(8), fill=80)
        pen.text((x + 6, y + 16), _cut(value, width // 8), font=_font(13, bold=True), fill=_INK)
    stamp(paper, np.asarray(block, dtype=np.uint8), MARGIN + 1, 128)
    code = _qr(qr_text(contest.id, entry.key))
    stamp(paper, code, WIDTH - MARGIN - code.shape[1], 30)
    caption = Image.new("L", (124, 30), 255)
    pen = ImageDraw.Draw(caption)
    pen.text((62, 8), entry.key, font=_font(11, bold=True), fill=_INK, anchor="mm")
    pen.text((62, 22), contest.id, font=_font(10), fill=_INK, anchor="mm")
    stamp(paper, np.asarray(caption, dtype=np.uint8), WIDTH - MARGIN - 124, 30 + code.shape[0])


def _qr(text: str) -> Plane:
    """The code with its quiet zone, four dots per module; its mask is fixed, which any reader takes."""
    rows = segno.make(text, error="m", micro=False, boost_error=False, mask=2).matrix_iter(border=2)
    modules = np.array([bytearray(row) for row in rows], dtype=np.uint8)
    return np.kron(255 - (modules > 0).astype(np.uint8) * 235, np.ones((4, 4), dtype=np.uint8))


def _paste(paper: Image.Image, strip: Plane, x: int, y: int) -> None:
    paper.paste(Image.fromarray(np.minimum(strip, 255)), (x, y))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


@lru_cache(maxsize=64)
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(font_file(name)), size)
