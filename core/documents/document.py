"""The model of a document: a title and blocks, the same for every format it is written in.

What the blocks say is decided by whoever builds them; how they look, by each writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias

from core.published.charts import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION

BANNER = "SIMULACRO"
BANNER_WORDS = "Datos ficticios: no son resultados de ninguna elección"
COLOURS = (BLUE, ORANGE, GREEN, VERMILION, SKY, "#CC79A7", "#8A6D00", GREY)


class Status(NamedTuple):
    """A word that is good, bad or neither; always shown as word plus shape plus colour."""

    word: str
    good: bool | None

    @property
    def shape(self) -> str:
        """What goes before the word; of the characters every font has."""
        return {True: "+", False: "×", None: "·"}[self.good]


Cell: TypeAlias = str | Status


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is a section."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table. `weights` share out the width; `numeric` are the columns aligned to the right."""

    titles: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    weights: tuple[float, ...]
    numeric: frozenset[int] = frozenset()
    small: bool = False


@dataclass(frozen=True)
class Line:
    """A curve: points (minute, percent)."""

    name: str
    colour: str
    points: tuple[tuple[float, float], ...]
    dashed: bool = False


@dataclass(frozen=True)
class Lane:
    """Something that lasted, drawn under the curve."""

    label: str
    start: float
    end: float


@dataclass(frozen=True)
class Curve:
    """Percent against minutes since the start. `ticks` are (minute, label); `cuts` and `missed`, minutes."""

    key: str
    title: str
    words: str
    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    length: float
    lanes: tuple[Lane, ...] = ()
    cuts: tuple[float, ...] = ()
    missed: tuple[float, ...] = ()


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, one over another: the wide one is the first series."""

    key: str
    title: str
    words: str
    categories: tuple[str, ...]
    series: tuple[tuple[str, str, tuple[float, ...]], ...]
    """(name, colour, values)."""
    unit: str
    decimals: int = 1


Chart: TypeAlias = Curve | Bars


@dataclass(frozen=True)
class Picture:
    """A chart in its place."""

    chart: Chart


@dataclass(frozen=True)
class PageBreak:
    """A new page where there are pages."""


Block: TypeAlias = Heading | Text | Items | Table | Picture | PageBreak


@dataclass(frozen=True)
class Document:
    """A report. `at` dates the files (the end of the night): no clock is read.

    `banner` goes on every page and behind it, with `banner_words` beside it; empty, there is none.
    """

    title: str
    subtitle: str
    at: datetime
    blocks: tuple[Block, ...] = field(default=())
    banner: str = BANNER
    banner_words: str = BANNER_WORDS

    @property
    def band(self) -> str:
        """What the top of every page says; empty when there is no banner."""
        return f"{self.banner} · {self.banner_words}" if self.banner else ""


def facts(rows: Sequence[tuple[str, Cell]]) -> Table:
    """A table of names and values."""
    return Table(("dato", "valor"), tuple(rows), (3, 6))


def numbers_from(first: int, columns: int) -> frozenset[int]:
    """The columns from `first` on, aligned as numbers."""
    return frozenset(range(first, columns))
