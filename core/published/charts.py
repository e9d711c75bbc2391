"""What each chart of the analysis shows, apart from how it is drawn.

A `Chart` is data: series, axes, shaded stretches and words in Spanish. `chart_png` and
`chart_html` draw the same charts, one for reports and one to look into. Series are told apart by
colour (Okabe and Ito's palette, safe for colour-blind readers) and also by dash or place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from core.published import analysis
from core.published.analysis_report import PHASE_WORDS, as_share, observation_words
from core.published.night import PHASES, Night

BLUE, ORANGE, GREEN, VERMILION, SKY, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#666666"

PHASE_COLOURS = {"acopio": BLUE, "captura": VERMILION, "verificacion": GREEN}
PHASE_DASHES = {"acopio": "solid", "captura": "dash", "verificacion": "dot"}

X = list[datetime] | list[float] | list[str]


@dataclass(frozen=True)
class Series:
    """One line, band or set of bars.

    `style` is 'line', 'step', 'bar' or 'band' (from `low` to `y`); `dash` is 'solid', 'dash' or 'dot'.
    """

    name: str
    x: X
    y: list[float]
    colour: str
    style: str = "line"
    dash: str = "solid"
    label: list[str] | None = None
    low: list[float] | None = None


@dataclass(frozen=True)
class Span:
    """A shaded stretch of the time axis, with its words."""

    start: datetime
    end: datetime
    words: str


@dataclass(frozen=True)
class Chart:
    """One chart. `horizontal` bars have their categories on the vertical axis."""

    key: str
    title: str
    subtitle: str
    x_label: str
    y_label: str
    series: list[Series]
    spans: tuple[Span, ...] = ()
    time_axis: bool = True
    horizontal: bool = False
    y_max: float | None = None
    source: str = ""


def charts_of(night: Night, other: Night | None = None) -> list[Chart]:
    """The charts of a night, in reading order; with `other`, the comparison at the end."""
    makers = (progress, pace, waiting, delay_by_hour, delay_distribution, observation_bars)
    charts = [make(night) for make in makers]
    if other is not None:
        charts.append(comparison(night, other))
    return [chart for chart in charts if any(series.y for series in chart.series)]


def _subtitle(night: Night) -> str:
    return f"{night.name} · {night.expected:,} actas esperadas · hora local (UTC{night.utc_offset_hours:+d})"


def _source(night: Night) -> str:
    return "Fuente: " + ", ".join(file.path.name for file in night.files)


def _clock(night: Night, value: float) -> datetime:
    # Drawing libraries move aware times to UTC: the axis is given the clock of the entity.
    return night.local(value).replace(tzinfo=None)


def _times(night: Night, values: list[float]) -> list[datetime]:
    return [_clock(night, value) for value in values]


def _stops(night: Night) -> tuple[Span, ...]:
    return tuple(
        Span(_clock(night, stop.start), _clock(night, stop.end), f"paro de {stop.minutes:.0f} min")
        for stop in analysis.stops(night)
        if stop.phase == "total"
    )


def progress(night: Night) -> Chart:
    """Cumulative share of the expected actas, by phase, every ten minutes."""
    table = analysis.curve(night, analysis.TEN_MINUTES_MS)
    x = _times(night, table["at"].tolist())
    series = [
        Series(
            PHASE_WORDS[p],
            x,
            [as_share(v) for v in table[f"share_{p}"]],
            PHASE_COLOURS[p],
            dash=PHASE_DASHES[p],
        )
        for p in PHASES
    ]
    return Chart(
        "avance", "Avance acumulado por fase", _subtitle(night), "hora", "% de las actas esperadas", series,
        _stops(night), y_max=100, source=_source(night),
    )  # fmt: skip


def pace(night: Night) -> Chart:
    """Actas processed in each ten minutes, by phase."""
    table = analysis.rates(night, analysis.TEN_MINUTES_MS)
    x = _times(night, table["at"].tolist())
    series = [
        Series(PHASE_WORDS[p], x, [float(v) for v in table[p]], PHASE_COLOURS[p], "step", PHASE_DASHES[p])
        for p in PHASES
    ]
    return Chart(
        "ritmo", "Actas procesadas cada diez minutos", _subtitle(night), "hora", "actas en diez minutos",
        series, _stops(night), source=_source(night),
    )  # fmt: skip


def waiting(night: Night) -> Chart:
    """Actas waiting for capture and for verification."""
    table = analysis.curve(night, analysis.TEN_MINUTES_MS)
    x = _times(night, table["at"].tolist())
    series = [
        Series("en espera de captura", x, [float(v) for v in table["waiting_captura"]], VERMILION),
        Series(
            "en espera de verificación",
            x,
            [float(v) for v in table["waiting_verificacion"]],
            GREEN,
            dash="dash",
        ),
    ]
    return Chart(
        "espera", "Actas en espera", _subtitle(night), "hora", "actas", series, _stops(night),
        source=_source(night),
    )  # fmt: skip


def delay_by_hour(night: Night) -> Chart:
    """Median and ninth decile of the way from acopio to captura, by hour of acopio."""
    table = analysis.delays_by_hour(night)
    x = _times(night, (table["at"] + analysis.HOUR_MS / 2).tolist())
    series = [
        Series("mediana", x, table["p50"].tolist(), BLUE, "bar"),
        Series("90 % tardó esto o menos", x, table["p90"].tolist(), ORANGE, dash="dash"),
    ]
    return Chart(
        "demora-por-hora", "De acopio a captura, por hora de acopio", _subtitle(night), "hora de acopio",
        "minutos", series, _stops(night), source=_source(night),
    )  # fmt: skip


def delay_distribution(night: Night) -> Chart:
    """Share of actas that took at most so many minutes, by stage."""
    series: list[Series] = []
    shares = np.linspace(0, 99, 100)
    words = {"acopio_captura": "de acopio a captura", "captura_verificacion": "de captura a verificación",
             "acopio_verificacion": "de acopio a verificación"}  # fmt: skip
    colours = {"acopio_captura": VERMILION, "captura_verificacion": GREEN, "acopio_verificacion": BLUE}
    dashes = {"acopio_captura": "dash", "captura_verificacion": "dot", "acopio_verificacion": "solid"}
    for before, after in analysis.STAGES:
        stage = f"{before}_{after}"
        minutes = analysis.stage_minutes(night.frame, before, after)
        if len(minutes):
            values = [float(v) for v in np.percentile(minutes, shares)]
            series.append(Series(words[stage], values, shares.tolist(), colours[stage], dash=dashes[stage]))
    return Chart(
        "demoras", "Cuánto tardó cada acta", _subtitle(night), "minutos (hasta el 99 % de las actas)",
        "% de las actas que tardó eso o menos", series, time_axis=False, y_max=100, source=_source(night),
    )  # fmt: skip


def observation_bars(night: Night) -> Chart:
    """Rows by observation, the commonest on top."""
    table = analysis.observations(night)[::-1]
    names = [observation_words(name).capitalize() for name in table["observation"]]
    labels = [
        f"{int(n):,} ({as_share(share):.2f} %)"
        for n, share in zip(table["actas"], table["share"], strict=True)
    ]
    series = [Series("actas", names, [float(n) for n in table["actas"]], BLUE, "bar", label=labels)]
    return Chart(
        "observaciones", "Actas por observación", _subtitle(night), "actas", "", series, time_axis=False,
        horizontal=True, source=_source(night),
    )  # fmt: skip


def comparison(night: Night, other: Night) -> Chart:
    """Share captured by hours since the first capture, of both nights."""
    series = []
    for one, colour, dash in ((night, BLUE, "solid"), (other, ORANGE, "dash")):
        table = analysis.elapsed_curve(one)
        shares = [as_share(v) for v in table["share_captura"]]
        series.append(Series(one.name, table["hours"].tolist(), shares, colour, dash=dash))
    return Chart(
        "comparacion", "Captura de las dos noches", f"{night.name} y {other.name}",
        "horas desde la primera captura", "% de las actas esperadas", series, time_axis=False, y_max=100,
        source=f"{_source(night)}; {_source(other).removeprefix('Fuente: ')}",
    )  # fmt: skip
