"""The analysis of a night as tables for the terminal. Works nothing out (see `analysis`)."""

from __future__ import annotations

import pandas as pd
from rich.table import Table

from core.published import analysis
from core.published.analysis_report import PHASE_WORDS, as_share, indicator_data, observation_words
from core.published.night import PHASES, Night

STAGE_WORDS = {
    "acopio_captura": "acopio a captura",
    "captura_verificacion": "captura a verificación",
    "acopio_verificacion": "acopio a verificación",
}
INDICATOR_WORDS = {
    "actas_esperadas": "Actas esperadas",
    "porcentaje_capturadas": "Capturadas (%)",
    "porcentaje_contabilizadas": "Contabilizadas (%)",
    "porcentaje_con_imagen": "Capturadas con imagen (%)",
    "porcentaje_sin_acta": "Sin acta (%)",
    "porcentaje_inconsistencias": "Con inconsistencias (%)",
    "porcentaje_movil": "Por PREP Casilla, de las que tienen imagen (%)",
    "acopio_captura_p50": "Acopio a captura, mediana (min)",
    "acopio_captura_p90": "Acopio a captura, 90 % (min)",
    "captura_verificacion_p50": "Captura a verificación, mediana (min)",
    "captura_verificacion_p90": "Captura a verificación, 90 % (min)",
    "acopio_max_diez_minutos": "Acopio, máximo en 10 min",
    "captura_max_diez_minutos": "Captura, máximo en 10 min",
    "verificacion_max_diez_minutos": "Verificación, máximo en 10 min",
    "pendientes_captura_max": "Máximo en espera de captura",
    "pendientes_verificacion_max": "Máximo en espera de verificación",
    "minutos_parados": "Minutos de paro total",
    "acopios_apartados": "Acopios apartados por mal anotados",
}


def _table(title: str, *columns: str, left: int = 1) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number < left else "right", no_wrap=number >= left)
    return table


def tables(night: Night) -> list[Table]:
    """The tables of one night for the terminal, in the order in which they are read."""
    return [
        _curve_table(night),
        _peaks_table(night),
        _delays_table(night),
        _hours_table(night),
        _channels_table(night),
        *_stops_table(night),
        _observations_table(night),
    ]


def _curve_table(night: Night) -> Table:
    table = _table(
        "Avance por hora (% de las esperadas)", "hora", "acopio", "captura", "verificación",
        "espera captura", "espera verificación",
    )  # fmt: skip
    for row in analysis.curve(night).to_dict("records"):
        shares = [f"{as_share(row[f'share_{phase}']):.2f}" for phase in PHASES]
        waiting = [f"{int(row[name]):,}" for name in ("waiting_captura", "waiting_verificacion")]
        table.add_row(f"{night.local(row['at']):%d/%m %H:%M}", *shares, *waiting)
    return table


def _peaks_table(night: Night) -> Table:
    table = _table("Máximos de actas procesadas", "fase", "en un minuto", "en diez minutos", "en una hora")
    for phase, found in analysis.peaks(night).items():
        cells = [
            f"{found[name][0]:,} ({night.local(found[name][1]):%H:%M})" if name in found else "—"
            for name in ("minuto", "diez_minutos", "hora")
        ]
        table.add_row(PHASE_WORDS[phase], *cells)
    return table


def _delays_table(night: Night) -> Table:
    names = [f"p{q}" for q in analysis.QUANTILES]
    table = _table("Demoras en minutos", "etapa", "actas", *(f"{q} %" for q in analysis.QUANTILES))
    for stage, values in analysis.delays(night).items():
        cells = [f"{values[name]:,.1f}" if name in values else "—" for name in names]
        table.add_row(STAGE_WORDS[stage], f"{int(values['actas']):,}", *cells)
    return table


def _hours_table(night: Night) -> Table:
    table = _table("De acopio a captura, por hora de acopio (minutos)", "hora", "actas", "mediana", "90 %")
    for row in analysis.delays_by_hour(night).to_dict("records"):
        hour = f"{night.local(row['at']):%d/%m %H:%M}"
        table.add_row(hour, f"{int(row['actas']):,}", f"{row['p50']:,.1f}", f"{row['p90']:,.1f}")
    return table


def _channels_table(night: Night) -> Table:
    table = _table(
        "Por origen y medio (de acopio a captura, minutos)",
        "origen", "medio", "actas", "%", "mediana", "90 %",
        left=2,
    )  # fmt: skip
    for channel in analysis.channels(night):
        values = channel["acopio_captura"]
        assert isinstance(values, dict)
        cells = [f"{values[name]:,.1f}" if name in values else "—" for name in ("p50", "p90")]
        table.add_row(
            str(channel["origen"]), str(channel["digitalizacion"]), f"{channel['actas']:,}",
            f"{as_share(float(str(channel['porcentaje']))):.2f}", *cells,
        )  # fmt: skip
    return table


def _stops_table(night: Night) -> list[Table]:
    found = analysis.stops(night)
    if not found:
        return []
    table = _table("Paros del flujo", "fase", "desde", "hasta", "minutos", "actas que faltaron", left=3)
    for stop in found:
        table.add_row(
            PHASE_WORDS[stop.phase], f"{night.local(stop.start):%d/%m %H:%M:%S}",
            f"{night.local(stop.end):%d/%m %H:%M:%S}", f"{stop.minutes:.1f}", f"{stop.missed:,}",
        )  # fmt: skip
    return [table]


def _observations_table(night: Night) -> Table:
    table = _table("Observaciones", "observación", "actas", "% de las filas", "contabilizadas")
    for row in analysis.observations(night).to_dict("records"):
        share = f"{as_share(row['share']):.2f}"
        table.add_row(
            observation_words(row["observation"]), f"{int(row['actas']):,}", share, f"{int(row['counted']):,}"
        )
    return table


def comparison_table(night: Night, other: Night) -> Table:
    """Both nights side by side."""
    mine, theirs = (indicator_data(analysis.indicators(n)) for n in (night, other))
    table = _table("Comparación", "indicador", night.name, other.name, "diferencia")
    for name, words in INDICATOR_WORDS.items():
        a, b = mine[name], theirs[name]
        difference = _figure(a - b, sign="+") if a is not None and b is not None else "—"
        table.add_row(words, _figure(a), _figure(b), difference)
    return table


def _figure(value: float | None, sign: str = "") -> str:
    if value is None or pd.isna(value):
        return "—"
    # Counts come as integers; shares and minutes as floats, even when they are round.
    return f"{value:{sign},}" if isinstance(value, int) else f"{value:{sign},.2f}"
