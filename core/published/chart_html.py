"""Draws the charts of the analysis as one HTML page that works without network.

The JavaScript of plotly is written once beside the page, so several analyses in one folder share
it and nothing is asked of anybody else's server.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from core.published.charts import Chart, Series

PAGE = "analisis.html"
CONFIG = {"displayModeBar": False, "showSendToCloud": False, "plotlyServerURL": "", "responsive": True}
"""No button bar: its texts are in English, and one of them sends the chart to somebody else's server."""

SCRIPT = "plotly.min.js"
BAND_ALPHA = 0.25

_HEAD = """<!doctype html>
<html lang="es-MX">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<script src="{script}"></script>
<style>
body {{ font-family: system-ui, sans-serif; margin: 0 auto; max-width: 1100px; padding: 1rem; color: #222; }}
h1 {{ font-size: 1.5rem; }} pre {{ white-space: pre-wrap; font: inherit; }} section {{ margin: 2rem 0; }}
</style>
</head>
<body>
<h1>{title}</h1>
<pre>{summary}</pre>
"""

_LOCALE = """<script>
Plotly.register({moduleType: 'locale', name: 'es', dictionary: {'Zoom': 'Acercar', 'Pan': 'Mover',
'Reset axes': 'Ver todo', 'Download plot as a png': 'Guardar como PNG', 'Autoscale': 'Ajustar',
'Zoom in': 'Acercar', 'Zoom out': 'Alejar'},
format: {days: ['domingo', 'lunes', 'martes', 'miércoles', 'jueves', 'viernes', 'sábado'],
shortDays: ['dom', 'lun', 'mar', 'mié', 'jue', 'vie', 'sáb'],
months: ['enero', 'febrero', 'marzo', 'abril', 'mayo', 'junio', 'julio', 'agosto', 'septiembre', 'octubre',
'noviembre', 'diciembre'],
shortMonths: ['ene', 'feb', 'mar', 'abr', 'may', 'jun', 'jul', 'ago', 'sep', 'oct', 'nov', 'dic'],
date: '%d/%m/%Y'}});
</script>
"""


def draw_html(charts: Sequence[Chart], folder: Path, title: str, summary: str) -> Path:
    """Write the page and, beside it, plotly's JavaScript; return the path of the page."""
    script = folder / SCRIPT
    if not script.exists():
        script.write_text(get_plotlyjs(), encoding="utf-8")
    parts = [_HEAD.format(title=html.escape(title), script=SCRIPT, summary=html.escape(summary)), _LOCALE]
    for chart in charts:
        drawn = figure(chart).to_html(
            full_html=False, include_plotlyjs=False, div_id=chart.key,
            config=CONFIG,
        )  # fmt: skip
        parts.append(f"<section>{drawn}</section>\n")
    parts.append("</body>\n</html>\n")
    path = folder / PAGE
    path.write_text("".join(parts), encoding="utf-8")
    return path


def figure(chart: Chart) -> go.Figure:
    """One chart as a plotly figure."""
    drawn = go.Figure([trace for series in chart.series for trace in _traces(chart, series)])
    heading = f"<b>{html.escape(chart.title)}</b><br><sup>{html.escape(chart.subtitle)}</sup>"
    drawn.update_layout(
        title={"text": heading, "x": 0, "xref": "paper"},
        template="plotly_white",
        hovermode="closest" if chart.horizontal or not chart.time_axis else "x unified",
        separators=".,",
        height=max(460, 120 + 34 * len(chart.series[0].x)) if chart.horizontal else 480,
        margin={"l": 60, "r": 20, "t": 90, "b": 90},
        legend={"orientation": "h", "y": -0.18, "x": 0},
        showlegend=len(chart.series) > 1,
    )
    drawn.update_xaxes(title=chart.x_label, automargin=True)
    drawn.update_yaxes(title=chart.y_label, rangemode="tozero", automargin=True)
    if chart.y_max is not None:
        drawn.update_yaxes(range=[0, chart.y_max * 1.01])
    if chart.time_axis:
        drawn.update_xaxes(tickformat="%H:%M<br>%d %b", hoverformat="%d %b, %H:%M", type="date")
    if chart.horizontal:
        # Room for the words at the end of the longest bar.
        drawn.update_xaxes(range=[0, max(max(series.y) for series in chart.series) * 1.25], tickformat=",")
        drawn.update_yaxes(ticksuffix="  ")
    for span in chart.spans:
        drawn.add_vrect(
            x0=span.start, x1=span.end, fillcolor="grey", opacity=0.22, line_width=0,
            annotation_text=span.words, annotation_position="top right",
        )  # fmt: skip
    return drawn


def _traces(chart: Chart, series: Series) -> list[go.Bar | go.Scatter]:
    if series.style != "band":
        return [_trace(chart, series)]
    edge = {"color": series.colour, "width": 0}
    return [
        go.Scatter(
            x=series.x, y=series.low, mode="lines", line=edge, showlegend=False, hoverinfo="skip",
            legendgroup=series.name,
        ),
        go.Scatter(
            x=series.x, y=series.y, name=series.name, mode="lines", line=edge, fill="tonexty",
            fillcolor=_faint(series.colour), legendgroup=series.name,
        ),
    ]  # fmt: skip


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{BAND_ALPHA})"


def _trace(chart: Chart, series: Series) -> go.Bar | go.Scatter:
    if chart.horizontal:
        return go.Bar(
            x=series.y, y=series.x, orientation="h", name=series.name, marker_color=series.colour,
            text=series.label, textposition="outside", cliponaxis=False,
            hovertemplate="%{y}: %{x:,}<extra></extra>",
        )  # fmt: skip
    if series.style == "bar":
        return go.Bar(x=series.x, y=series.y, name=series.name, marker_color=series.colour)
    return go.Scatter(
        x=series.x, y=series.y, name=series.name, mode="lines",
        line={
            "color": series.colour, "width": 2.5, "dash": series.dash,
            "shape": "hv" if series.style == "step" else "linear",
        },
    )  # fmt: skip
