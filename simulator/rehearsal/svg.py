"""Draws the charts of a report as inline SVG: no script, no request, and the colours of the page.

Text and grid take the page's own colour (`currentColor`), so that a chart reads in light and dark.
"""

from __future__ import annotations

from html import escape

from core.documents.document import Bars, Chart, Curve

WIDTH = 860
_LEFT, _RIGHT, _TOP, _PLOT = 48, 14, 34, 260
_LANE, _LANE_BAR = 30, 9
"""An incident has two lines: its label and, under it, its bar; neither covers the other."""
_LEGEND_ROW = 18
_BAR, _GAP = 17, 9
_NAMES = 300


def draw_svg(chart: Chart) -> str:
    """One chart as an `<svg>` element."""
    return _curve(chart) if isinstance(chart, Curve) else _bars(chart)


def _open(height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg" font-size="13">'
    )


def _text(x: float, y: float, words: str, anchor: str = "start", more: str = "") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {where} fill="currentColor"{more}>{escape(words)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float, opacity: float = 0.18) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="currentColor" '
        f'stroke-opacity="{opacity}"/>'
    )


def _legend(names: list[tuple[str, str, bool]]) -> tuple[list[str], int]:
    """Its parts, and how much lower the chart begins because of the rows after the first."""
    parts, x, down = [], float(_LEFT), 0
    for name, colour, dashed in names:
        wide = 32 + 7.4 * len(name) + 26
        if x > _LEFT and x + wide > WIDTH:
            x, down = float(_LEFT), down + _LEGEND_ROW
        dash = ' stroke-dasharray="7 4"' if dashed else ""
        parts.append(
            f'<line x1="{x:.1f}" y1="{14 + down}" x2="{x + 26:.1f}" y2="{14 + down}" stroke="{colour}" '
            f'stroke-width="4"{dash}/>'
        )
        parts.append(_text(x + 32, 18 + down, name))
        x += wide
    return parts, down


def _curve(chart: Curve) -> str:
    legend, down = _legend([(line.name, line.colour, line.dashed) for line in chart.lines])
    top = _TOP + down
    lanes_top = top + _PLOT + 44
    height = lanes_top + _LANE * len(chart.lanes) + 8
    wide = WIDTH - _LEFT - _RIGHT

    def x_of(minute: float) -> float:
        return _LEFT + wide * minute / max(1.0, chart.length)

    def y_of(percent: float) -> float:
        return top + _PLOT * (1 - percent / 100)

    parts = [_open(height, chart.title), *legend]
    for percent in range(0, 101, 20):
        parts.append(_rule(_LEFT, y_of(percent), WIDTH - _RIGHT, y_of(percent), 0.5 if not percent else 0.18))
        parts.append(_text(_LEFT - 6, y_of(percent) + 4, f"{percent} %", "end"))
    for minute, words in chart.ticks:
        parts.append(_text(min(x_of(minute), WIDTH - 24), top + _PLOT + 32, words, "middle"))
    for line in chart.lines:
        points = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line.points)
        dash = ' stroke-dasharray="7 4"' if line.dashed else ""
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="2.4"{dash}>'
            f"<title>{escape(line.name)}</title></polyline>"
        )
    bottom = top + _PLOT
    for at in chart.cuts:
        parts.append(_rule(x_of(at), bottom, x_of(at), bottom + 9, 0.8))
    for at in chart.missed:
        x = x_of(at)
        parts.append(
            f'<path d="M{x - 5:.1f},{bottom + 1} l10,10 m0,-10 l-10,10" stroke="#D55E00" stroke-width="2.4">'
            "<title>corte no publicado</title></path>"
        )
    for number, lane in enumerate(chart.lanes):
        y = lanes_top + _LANE * number
        start, end = x_of(lane.start), x_of(min(lane.end, chart.length))
        parts.append(
            f'<rect x="{start:.1f}" y="{y + 17}" width="{max(2.0, end - start):.1f}" height="{_LANE_BAR}" '
            f'fill="#E69F00"><title>{escape(lane.label)}</title></rect>'
        )
        parts.append(_text(_LEFT, y + 12, lane.label, more=' font-size="12"'))
    parts.append("</svg>")
    return "".join(parts)


def _bars(chart: Bars) -> str:
    row = _BAR + _GAP
    legend, down = _legend([(name, colour, False) for name, colour, _ in chart.series])
    top = _TOP + down
    height = top + row * len(chart.categories) + 8
    wide = WIDTH - _NAMES - 120
    most = max((value for _, _, values in chart.series for value in values), default=0) or 1
    if chart.unit == "%":
        most = 100
    parts = [_open(height, chart.title), *legend]
    for number, category in enumerate(chart.categories):
        y = top + row * number
        parts.append(_text(_NAMES - 8, y + 13, category, "end", ' font-size="12"'))
        parts.append(_rule(_NAMES, y + _BAR + 4, WIDTH - 10, y + _BAR + 4, 0.08))
        for layer, (name, colour, values) in enumerate(chart.series):
            thick = _BAR - 8 * layer
            said = f"{category}: {name} {values[number]:,.{chart.decimals}f} {chart.unit}"
            parts.append(
                f'<rect x="{_NAMES}" y="{y + (_BAR - thick) / 2:g}" '
                f'width="{wide * values[number] / most:.1f}" height="{thick}" fill="{colour}">'
                f"<title>{escape(said)}</title></rect>"
            )
        told = " / ".join(f"{values[number]:,.{chart.decimals}f}" for _, _, values in chart.series)
        longest = max(values[number] for _, _, values in chart.series)
        parts.append(
            _text(_NAMES + wide * longest / most + 6, y + 13, f"{told} {chart.unit}", more=' font-size="12"')
        )
    parts.append("</svg>")
    return "".join(parts)
