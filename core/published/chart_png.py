"""Draws the charts of the analysis as PNG, for reports. No display is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.dates
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from core.published.charts import GREY, Chart, Series

# Its stubs know neither the functions of this module nor dates and categories as coordinates.
mdates: Any = matplotlib.dates

INK = "#222222"
GRID = "#DDDDDD"
WIDTH_IN, HEIGHT_IN, DPI = 11.0, 6.2, 150
DASHES: dict[str, tuple[float, ...]] = {"dash": (5, 2), "dot": (1.5, 1.5)}
BAR_HOURS = 0.8
BAND_ALPHA = 0.25


def draw_png(chart: Chart, folder: Path) -> Path:
    """Write `folder/<key>.png` and return its path."""
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for series in chart.series:
        _series(axes, chart, series)
    _frame(axes, chart)
    axes.set_title(chart.title, loc="left", fontsize=17, fontweight="bold", color=INK, pad=30)
    axes.text(0, 1.025, chart.subtitle, transform=axes.transAxes, fontsize=11, color=GREY, va="bottom")
    figure.supxlabel(chart.source, x=0.01, ha="left", fontsize=9, color=GREY)
    if len(chart.series) > 1:
        axes.legend(frameon=True, framealpha=0.9, edgecolor="white", fontsize=11, handlelength=3, loc="best")
    path = folder / f"{chart.key}.png"
    figure.savefig(path)
    return path


def _series(axes: Axes, chart: Chart, series: Series) -> None:
    x: Any = series.x
    y = series.y
    if chart.horizontal:
        bars = axes.barh(x, y, color=series.colour, height=0.7)
        if series.label:
            axes.bar_label(bars, labels=series.label, padding=4, fontsize=10, color=INK)
            axes.set_xlim(right=max(y) * 1.22)
        return
    if series.style == "bar":
        axes.bar(
            x,
            y,
            color=series.colour,
            width=BAR_HOURS / 24 if chart.time_axis else BAR_HOURS,
            label=series.name,
        )
        return
    if series.style == "band":
        axes.fill_between(
            x, series.low or 0.0, y, color=series.colour, alpha=BAND_ALPHA, linewidth=0, label=series.name
        )
        return
    (line,) = axes.plot(
        x, y, color=series.colour, linewidth=2.2, label=series.name,
        drawstyle="steps-post" if series.style == "step" else "default",
    )  # fmt: skip
    if series.dash in DASHES:
        line.set_dashes(DASHES[series.dash])


def _frame(axes: Axes, chart: Chart) -> None:
    thousands = FuncFormatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel(chart.x_label, fontsize=11, color=INK)
    axes.set_ylabel(chart.y_label, fontsize=11, color=INK)
    axes.tick_params(labelsize=10, colors=INK)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    if chart.horizontal:
        axes.grid(axis="x", color=GRID)
        axes.xaxis.set_major_formatter(thousands)
        axes.tick_params(axis="y", length=0)
        return
    axes.grid(axis="y", color=GRID)
    axes.yaxis.set_major_formatter(thousands)
    axes.set_ylim(bottom=0, top=chart.y_max)
    if not chart.time_axis:
        axes.set_xlim(left=0)
        return
    locator = mdates.AutoDateLocator(minticks=6, maxticks=14)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%H:%M"))
    axes.margins(x=0.01)
    top = axes.get_ylim()[1]
    for span in chart.spans:
        start, end = mdates.date2num(span.start), mdates.date2num(span.end)
        axes.axvspan(start, end, color=GREY, alpha=0.22, linewidth=0)
        axes.text(end, top * 0.985, f" {span.words}", va="top", ha="left", fontsize=10, color=INK)
