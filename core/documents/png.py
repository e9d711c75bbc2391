"""Draws the charts of a report as PNG, for DOCX and PDF. No display, no clock: same chart, same bytes."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from core.documents.document import Bars, Chart, Curve

INK, GREY, GRID = "#222222", "#666666", "#DDDDDD"
WIDTH_IN, DPI = 8.6, 160
_LANE_IN = 0.32
"""An incident has two lines: its label and, under it, its bar; neither covers the other."""
_LEGEND_ROW_IN, _LEGEND_LETTERS = 0.17, 120
_ROW_IN = 0.23


def size_of(chart: Chart) -> tuple[float, float]:
    """Width and height in inches."""
    if isinstance(chart, Curve):
        return WIDTH_IN, 3.7 + _LANE_IN * len(chart.lanes) + _LEGEND_ROW_IN * (_legend_shape(chart)[1] - 1)
    return WIDTH_IN, 0.9 + _ROW_IN * max(4, len(chart.categories))


def _legend_shape(chart: Curve) -> tuple[int, int]:
    """Columns and rows of the legend, by how long the names are."""
    names = [line.name for line in chart.lines]
    names += ["corte"] * bool(chart.cuts) + ["corte no publicado"] * bool(chart.missed)
    lengths = [len(name) + 7 for name in names] or [1]
    if len(lengths) <= 6 and sum(lengths) <= _LEGEND_LETTERS:
        return len(lengths), 1
    columns = max(1, min(6, _LEGEND_LETTERS // max(lengths)))
    return columns, -(-len(lengths) // columns)


@lru_cache(maxsize=16)
def draw_png(chart: Chart) -> bytes:
    """One chart as PNG; kept, because DOCX and PDF ask for the same ones."""
    figure = Figure(figsize=size_of(chart), dpi=DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    if isinstance(chart, Curve):
        _curve(figure, chart)
    else:
        _bars(figure.add_subplot(), chart)
    out = BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _bare(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.tick_params(labelsize=8.5, colors=INK, length=0)
    axes.set_axisbelow(True)


def _curve(figure: Figure, chart: Curve) -> None:
    lanes = len(chart.lanes)
    if lanes:
        axes, below = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [3.2, max(0.25, _LANE_IN * lanes)]}
        )
        _lanes(below, chart)
    else:
        axes = figure.add_subplot()
    for line in chart.lines:
        axes.plot(
            [x for x, _ in line.points], [y for _, y in line.points], color=line.colour, linewidth=1.9,
            label=line.name, linestyle=(0, (5, 2)) if line.dashed else "-",
        )  # fmt: skip
    _bare(axes)
    axes.grid(axis="y", color=GRID)
    axes.set_ylim(0, 100)
    axes.set_xlim(0, chart.length)
    axes.set_yticks(range(0, 101, 20), [f"{p} %" for p in range(0, 101, 20)])
    axes.set_xticks([at for at, _ in chart.ticks], [words for _, words in chart.ticks])
    axes.tick_params(axis="x", labelbottom=True)
    place = axes.get_xaxis_transform()
    if chart.cuts:
        axes.plot(
            chart.cuts,
            [0.018] * len(chart.cuts),
            "|",
            color=INK,
            transform=place,
            markersize=6,
            label="corte",
        )
    if chart.missed:
        axes.plot(
            chart.missed, [0.03] * len(chart.missed), "x", color="#D55E00", transform=place, markersize=6,
            markeredgewidth=1.8, label="corte no publicado",
        )  # fmt: skip
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=_legend_shape(chart)[0], frameon=False, fontsize=8.5,
        handlelength=2.2, borderaxespad=0.2,
    )  # fmt: skip


def _lanes(axes: Axes, chart: Curve) -> None:
    for number, lane in enumerate(chart.lanes):
        width = max(chart.length / 400, min(lane.end, chart.length) - lane.start)
        axes.barh(number + 0.28, width, left=lane.start, height=0.3, color="#E69F00")
        where = chart.length * 0.004, number - 0.2
        axes.text(*where, lane.label, va="center", ha="left", fontsize=8, color=INK)
    axes.set_ylim(len(chart.lanes) - 0.5, -0.5)
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(axis="x", length=0, labelbottom=False)


def _bars(axes: Axes, chart: Bars) -> None:
    rows = list(range(len(chart.categories)))
    for layer, (name, colour, values) in enumerate(chart.series):
        axes.barh(rows, values, height=0.72 - 0.36 * layer, color=colour, label=name)
    most = max((value for _, _, values in chart.series for value in values), default=0) or 1
    if chart.unit == "%":
        most = 100
    for row in rows:
        told = " / ".join(f"{values[row]:,.{chart.decimals}f}" for _, _, values in chart.series)
        longest = max(values[row] for _, _, values in chart.series)
        axes.text(longest + most * 0.008, row, f"{told} {chart.unit}", va="center", fontsize=8, color=INK)
    _bare(axes)
    axes.grid(axis="x", color=GRID)
    axes.set_yticks(rows, chart.categories)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, most * 1.2)
    if chart.unit == "%":
        axes.set_xticks(range(0, 101, 20))
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False, fontsize=8.5, borderaxespad=0.2
    )
