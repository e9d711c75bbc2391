"""Line charts as SVG text, for the report: no script, no image, no library. It knows nothing of tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 18, 30


@dataclass(frozen=True, slots=True)
class Series:
    """A line: its name, its points (second, value) and its CSS class."""

    name: str
    points: Sequence[tuple[float, float]]
    style: str


def lines(
    title: str, unit: str, series: Sequence[Series], *, marks: Mapping[float, str] | None = None,
    limit: float | None = None,
) -> str:  # fmt: skip
    """A chart of series over seconds; `marks` are vertical lines with a text, `limit` a horizontal one."""
    points = [point for one in series for point in one.points]
    if not points:
        return f"<p>{escape(title)}: sin datos.</p>"
    last = max(max(second for second, _ in points), 1.0)
    top = nice(max(max(value for _, value in points), limit or 0.0, 1.0))

    def x(second: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * second / last

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top

    bottom = HEIGHT - BOTTOM
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
    ]
    for step in range(5):
        value = top * step / 4
        parts.append(
            f'<line class="reja" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        )
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{_number(value)}</text>')
    for step in range(7):
        second = last * step / 6
        parts.append(
            f'<text x="{x(second):.1f}" y="{HEIGHT - 10}" text-anchor="middle">{second:.0f} s</text>'
        )
    for second, text in sorted((marks or {}).items()):
        parts.append(
            f'<line class="marca" x1="{x(second):.1f}" x2="{x(second):.1f}" y1="{TOP}" y2="{bottom}"/>'
        )
        parts.append(f'<text class="marca" x="{x(second) + 3:.1f}" y="{TOP - 5}">{escape(text)}</text>')
    if limit is not None:
        parts.append(
            f'<line class="limite" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(limit):.1f}" y2="{y(limit):.1f}"/>'
        )
    for one in series:
        path = " ".join(f"{x(second):.1f},{y(value):.1f}" for second, value in one.points)
        parts.append(f'<polyline class="{one.style}" points="{path}"/>')
    parts.append("</svg>")
    legend = "".join(f'<span class="{one.style}">▬ {escape(one.name)}</span>' for one in series)
    if limit is not None:
        legend += f'<span class="limite">┄ umbral: {_number(limit)} {escape(unit)}</span>'
    return (
        f"<figure><figcaption>{escape(title)}{f' ({unit})' if unit else ''}</figcaption>{''.join(parts)}"
        f'<p class="leyenda">{legend}</p></figure>'
    )


def nice(value: float) -> float:
    """The least of 1, 2, 4, 5 or 8 by a power of ten that is not under a value.

    >>> [nice(v) for v in (0.7, 3, 42, 801)]
    [0.8, 4.0, 50.0, 1000.0]
    """
    power = 1.0
    while power > value:
        power /= 10
    while power * 10 <= value:
        power *= 10
    return next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
