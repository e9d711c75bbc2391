"""An acta written and photographed: the sheet, what its truth says in somebody's hand, and the image of it.

It is drawn from the sealed truth, never from a capture: an image shows what is on the paper. The same
catalogue, acta, truth, seed, look and time give the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from core.domain.catalog import Catalog
from core.domain.fields import Field, Mark
from simulator.drawing.form import BOX_DIGITS, HEIGHT, WIDTH, Line, Sheet, sheet_of
from simulator.drawing.handwriting import HANDS, VARIANTS, Plane, blot, digit, signature, stamp, word
from simulator.drawing.looks import Look, photographed, scanned
from simulator.drawing.numerals import in_words
from simulator.seeds import Seeds

if TYPE_CHECKING:
    from simulator.night.ballots import Content

SIGNATURES = 60
"""Different signatures; a mesa directiva signs with four of them."""


class Drawer:
    """Draws the actas of one night. `seeds` are those of the night."""

    def __init__(self, catalog: Catalog, seeds: Seeds) -> None:
        self._catalog = catalog
        self._seeds = seeds

    def draw(self, acta: int, content: Content, look: Look, attempt: str, taken_ms: int) -> bytes:
        """The JPEG of an acta by its id; `attempt` tells two images of one acta apart.

        `taken_ms` is the time of the phone's clock in ms UTC; a scanner writes none.
        """
        entry = self._catalog.actas[acta]
        form = sheet_of(self._catalog, entry, self._catalog.casilla_of(entry))
        name = f"{entry.contest}/{entry.key}/{entry.id}"
        return self._image(form, content, look, name, attempt, taken_ms)

    def draw_outside(self, like: int, content: Content, claimed: str, number: int) -> bytes:
        """The scan of an acta fuera de catálogo: the sheet of the acta `like` with the key it claims to be.

        `claimed` begins with entidad (2 digits) and sección (4); `number` tells those of a contest apart.
        """
        entry = replace(self._catalog.actas[like], key=claimed)
        casilla = replace(self._catalog.casilla_of(entry), seccion=int(claimed[2:6]), tipo="B", numero=1)
        form = sheet_of(self._catalog, entry, casilla)
        return self._image(form, content, Look.ESCANER, f"{entry.contest}/fuera/{number}", "escaner", 0)

    def _image(
        self, form: Sheet, content: Content, look: Look, name: str, attempt: str, taken_ms: int
    ) -> bytes:
        ink = self._written(form, content, self._seeds.stream(f"imagen/{name}"))
        draw = self._seeds.stream(f"imagen/{name}/{attempt}")
        if look is Look.ESCANER:
            return scanned(form.paper, ink, draw)
        return photographed(form.paper, ink, draw, taken_ms, self._catalog.entidad.utc_offset_minutes)

    def _written(self, form: Sheet, content: Content, draw: Random) -> Plane:
        """What the mesa directiva wrote: white where nothing."""
        ink = np.full((HEIGHT, WIDTH), 255, dtype=np.uint8)
        hand = draw.randrange(HANDS)
        said = self._words_of(form, content, draw)
        lines = [*form.votes.items()]
        for position, line in lines:
            only_words = said.only == position
            _write(ink, line, content.votes[position], said.of(position), hand, draw, number=not only_words)
        for line, value in zip(form.totals, content.totals, strict=True):
            _write(ink, line, value, None, hand, draw)
        for x, y in form.signatures:
            stamp(ink, signature(draw.randrange(SIGNATURES), 170, 44), x + draw.randint(0, 12), y)
        for x, y in form.representatives:
            if draw.random() < 0.6:
                stamp(ink, signature(draw.randrange(SIGNATURES), 92, 32), x + 2, y)
        return ink

    def _words_of(self, form: Sheet, content: Content, draw: Random) -> _Said:
        """In which rows the letters say another number, or are alone."""
        numbers = [position for position in form.votes if not isinstance(content.votes[position], Mark)]
        said = _Said()
        if numbers and content.letter_differs:
            position = draw.choice(numbers)
            value = content.votes[position]
            assert isinstance(value, int)
            said.other[position] = value + draw.choice((1, 2, 10))
        if numbers and content.only_letter_or_number:
            said.only = draw.choice(numbers)
        return said


class _Said:
    """Rows whose letters say something else."""

    def __init__(self) -> None:
        self.other: dict[int, int] = {}
        self.only = -1

    def of(self, position: int) -> int | None:
        """The number the letters of a row say, None when it is the one of the boxes."""
        return self.other.get(position)


def _write(
    ink: Plane, line: Line, value: Field, letters: int | None, hand: int, draw: Random, *, number: bool = True
) -> None:
    if value is Mark.ILEGIBLE:
        height = max(10, line.height)
        stamp(ink, blot(draw.randrange(40), line.box * BOX_DIGITS, height), line.boxes_x, line.top)
        stamp(ink, blot(draw.randrange(40), 190, height), line.letters_x + draw.randint(0, 60), line.top)
        return
    if isinstance(value, Mark):
        return
    height = max(7, line.height - 5)
    if number:
        text = str(value)
        for place, which in enumerate(text, start=BOX_DIGITS - len(text)):
            sprite = digit(hand, which, draw.randrange(VARIANTS), height)
            room = (line.box - sprite.shape[1]) // 2
            x = line.boxes_x + place * line.box + room + draw.randint(-2, 1)
            stamp(ink, sprite, x, line.top + 2 + draw.randint(-1, 1))
    x = line.letters_x + draw.randint(0, 14)
    y = line.top + (line.height - height) // 2 + draw.randint(-2, 1)
    for one in in_words(value if letters is None else letters):
        sprite = word(hand, one, height)
        stamp(ink, sprite, x, y)
        x += sprite.shape[1] - height // 4
