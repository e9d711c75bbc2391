"""Line charts as SVG text, for the report: no script, no image, no library. It knows nothing of tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil

WIDTH, HEIGHT = 860, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 24, 32
DOTS = 130
"""With so many points or fewer each one is drawn, with its value for who points at it."""
FAR = 4
"""A limit this many times over everything is only told: drawn, it would flatten what there is to see."""
MARK_WIDTH = 52
"""Room that the text of a mark needs: the next one closer than that is a line only."""
TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
"""Seconds between two ticks."""


@dataclass(frozen=True, slots=True)
class Series:
    """A line: its name, its points (second, value) and its CSS class."""

    name: str
    points: Sequence[tuple[float, float]]
    style: str


def lines(
    title: str, unit: str, series: Sequence[Series], *, last: float, marks: Mapping[float, str] | None = None,
    limit: float | None = None, note: str = "",
) -> str:  # fmt: skip
    """A chart of series from second 0 to `last`; `marks` are vertical lines with a text, `limit` a
    horizontal one. The vertical axis goes from 0 to a tick over everything."""
    points = [point for one in series for point in one.points]
    if not points:
        return f"<p>{escape(title)}: sin datos.</p>"
    last, most = max(last, 1.0), max(value for _, value in points)
    drawn = limit is not None and limit <= FAR * most
    heights = ticks(max(most, limit or 0.0) if drawn else most)
    top, bottom = heights[-1], HEIGHT - BOTTOM

    def x(second: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * second / last

    def y(value: float) -> float:
        return bottom - (bottom - TOP) * value / top

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
    ]
    for value in heights:
        parts.append(_line("reja", LEFT, WIDTH - RIGHT, y(value), y(value)))
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{number(value)}</text>')
    step = next((one for one in TIMES if last / one <= 8), TIMES[-1])
    for count in range(int(last // step) + 1):
        place, text = x(count * step), clock(count * step, last)
        parts.append(_line("reja", place, place, bottom, bottom + 4))
        parts.append(f'<text x="{place:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{text}</text>')
    written = -float(MARK_WIDTH)
    for second, text in sorted((marks or {}).items()):
        parts.append(_line("marca", x(second), x(second), TOP, bottom))
        if x(second) - written >= MARK_WIDTH and x(second) + MARK_WIDTH < WIDTH:
            parts.append(f'<text class="marca" x="{x(second) + 3:.1f}" y="{TOP - 6}">{escape(text)}</text>')
            written = x(second)
    if limit is not None and drawn:
        parts.append(_line("limite", LEFT, WIDTH - RIGHT, y(limit), y(limit)))
    for one in series:
        path = " ".join(f"{x(second):.1f},{y(value):.1f}" for second, value in one.points)
        parts.append(f'<polyline class="{one.style}" points="{path}"/>')
        if len(one.points) <= DOTS:
            parts += [
                f'<circle class="{one.style}" cx="{x(second):.1f}" cy="{y(value):.1f}" r="2.2">'
                f"<title>{escape(one.name)}, {second:.0f} s: {number(value)} {escape(unit)}</title></circle>"
                for second, value in one.points
            ]
    parts.append("</svg>")
    legend = "".join(
        f'<span><i class="raya {one.style}"></i> {escape(one.name)}</span>' for one in series
    )  # fmt: skip
    if limit is not None:
        sample = '<i class="raya limite"></i> ' if drawn else ""
        where = "" if drawn else ", fuera de la escala"
        legend += f"<span>{sample}se pide {number(limit)} {escape(unit)} o menos{where}</span>"
    if note:
        legend += f"<span>{escape(note)}</span>"
    return (
        f"<figure><figcaption>{escape(title)}{f' ({escape(unit)})' if unit else ''}</figcaption>"
        f'<div class="ancho" tabindex="0">{"".join(parts)}</div>'
        f'<p class="leyenda">{legend}</p></figure>'
    )


def _line(style: str, x1: float, x2: float, y1: float, y2: float) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def ticks(most: float) -> list[float]:
    """Values of an axis from 0 to the first one that is not under `most`, between four and six of them.

    They are exact: 1, 2, 2.5 or 5 by a power of ten apart.

    >>> ticks(42), ticks(0), ticks(801)
    ([0, 10, 20, 30, 40, 50], [0.0, 0.25, 0.5, 0.75, 1.0], [0, 200, 400, 600, 800, 1000])
    """
    most = most if most > 0 else 1.0
    power = 1.0
    while power * 10 <= most:
        power *= 10
    while power > most:
        power /= 10
    step = next(one * power for one in (0.25, 0.5, 1, 2, 2.5) if ceil(round(most / (one * power), 9)) <= 5)
    step = int(step) if step == int(step) else step
    return [count * step for count in range(ceil(round(most / step, 9)) + 1)]


def number(value: float) -> str:
    """A value whole, without decimals that say nothing.

    >>> number(2500), number(0.25), number(12.5)
    ('2,500', '0.25', '12.5')
    """
    return f"{round(value, 2):,.12g}"


def clock(second: int, last: float) -> str:
    """A moment of a chart of so many seconds.

    >>> clock(90, 100), clock(90, 300), clock(5400, 7200)
    ('90 s', '1:30', '1:30 h')
    """
    if last <= 120:
        return f"{second} s"
    if last < 7200:
        return f"{second // 60}:{second % 60:02}"
    return f"{second // 3600}:{second // 60 % 60:02} h"
