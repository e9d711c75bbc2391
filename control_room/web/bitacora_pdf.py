"""The log as a PDF: what a notary keeps. Layout only; the lines come made.

It draws on the canvas by itself: tables of paragraphs take seventeen times as long, in a process that has
walls to serve.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

HEADERS = ("Evento", "Hora de la noche", "Clase", "Qué", "Quién", "Desde", "Detalle")
_SHOWN = (0, 1, 3, 4, 5, 6, 7)
_WIDTHS = (44, 100, 58, 92, 100, 70, 268)
_LEFT, _BOTTOM = 30, 34
_FONT, _BOLD = "Helvetica", "Helvetica-Bold"
_SIZE, _LEADING, _GAP = 7, 8.5, 6


def document(title: str, mode: str, lines: Sequence[Sequence[str]], notes: Sequence[str]) -> bytes:
    """A landscape letter PDF: the notes, the lines in columns, the second note (the seal) at each foot.

    About 0.2 ms a line.
    """
    name = "SIMULACRO" if mode == "simulacro" else "Jornada oficial"
    sheet = _Sheet(title, name, notes[1] if len(notes) > 1 else "")
    sheet.text(f"Bitácora de la sala de control · {title}", _BOLD, 14)
    for note in (name, *notes, f"{len(lines):,} renglones"):
        sheet.text(note, _FONT, 8)
    sheet.headers()
    for line in lines:
        sheet.row([_wrapped(line[place], width) for place, width in zip(_SHOWN, _WIDTHS, strict=True)])
    return sheet.finish()


@lru_cache(maxsize=4096)
def _wrapped(text: str, width: int) -> list[str]:
    return _broken(text, _FONT, _SIZE, width - _GAP)


def _broken(text: str, font: str, size: float, width: float) -> list[str]:
    """A text in lines that fit; a word longer than a line is cut."""
    from reportlab.lib.utils import simpleSplit
    from reportlab.pdfbase.pdfmetrics import stringWidth

    found: list[str] = []
    for line in simpleSplit(text, font, size, width):
        while line and stringWidth(line, font, size) > width:
            fits = max(1, int(len(line) * width / stringWidth(line, font, size)))
            while fits > 1 and stringWidth(line[:fits], font, size) > width:
                fits -= 1
            found.append(line[:fits])
            line = line[fits:]
        found.append(line)
    return found


class _Sheet:
    """The pages, and how far down the last one is filled."""

    def __init__(self, title: str, name: str, seal: str) -> None:
        from reportlab.lib.pagesizes import landscape, letter
        from reportlab.pdfgen.canvas import Canvas

        self._stream = io.BytesIO()
        self._width, self._height = landscape(letter)
        self._canvas: Any = Canvas(
            self._stream, pagesize=(self._width, self._height), pageCompression=1, lang="es-MX"
        )
        self._canvas.setTitle(f"Bitácora · {title}")
        self._canvas.setAuthor("Sala de control")
        self._name, self._seal = name, seal[:170]
        self._number = 1
        self._y = self._height - 30

    def text(self, text: str, font: str, size: float) -> None:
        """A paragraph across the page."""
        for one in _broken(text, font, size, self._width - 2 * _LEFT):
            self._y -= size * 1.25
            self._canvas.setFont(font, size)
            self._canvas.drawString(_LEFT, self._y, one)

    def headers(self) -> None:
        """The names of the columns, which every page repeats."""
        self._y -= 6
        self._canvas.setFont(_BOLD, _SIZE)
        self._line([[one] for one in HEADERS], 0)
        self._rule()
        self._canvas.setFont(_FONT, _SIZE)

    def row(self, cells: Sequence[Sequence[str]]) -> None:
        """One row; what does not fit goes on in the next page."""
        self._y -= 1.5
        for number in range(max(1, *map(len, cells))):
            if self._y - _LEADING < _BOTTOM:
                self._turn()
            self._line(cells, number)
        self._rule()

    def finish(self) -> bytes:
        """The file."""
        self._foot()
        self._canvas.save()
        return self._stream.getvalue()

    def _line(self, cells: Sequence[Sequence[str]], number: int) -> None:
        self._y -= _LEADING
        x = _LEFT
        for cell, width in zip(cells, _WIDTHS, strict=True):
            if number < len(cell):
                self._canvas.drawString(x, self._y, cell[number])
            x += width

    def _rule(self) -> None:
        self._y -= 2
        self._canvas.setLineWidth(0.25)
        self._canvas.setStrokeGray(0.5)
        self._canvas.line(_LEFT, self._y, self._width - _LEFT, self._y)

    def _turn(self) -> None:
        self._foot()
        self._canvas.showPage()
        self._number += 1
        self._y = self._height - 30
        self.headers()

    def _foot(self) -> None:
        self._canvas.setFont(_FONT, 6.5)
        self._canvas.drawString(_LEFT, 18, self._seal)
        self._canvas.drawRightString(self._width - _LEFT, 18, f"{self._name} · página {self._number}")
