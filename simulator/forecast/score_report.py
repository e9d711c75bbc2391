"""How the scoring of forecasts on past nights is told: data, words, table and charts. It scores nothing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from core.published.charts import BLUE, GREEN, ORANGE, SKY, VERMILION, Chart, Series
from simulator.forecast.score import COVERAGE, Score

if TYPE_CHECKING:
    from rich.table import Table

SHOWN_AT = (10.0, 30.0, 60.0)
"""Forecasts drawn: the first made with this percent registered."""


def score_data(score: Score) -> dict[str, object]:
    """The whole score as JSON holds it; shares and errors in points of the actas expected."""
    return {
        "noche": score.curve.name,
        "fuera_de_la_previa": score.curve.key,
        "esperadas": score.curve.expected,
        "solo_curva": score.curve.arrived is None,
        "cada_min": score.every_min,
        "pronosticos": len(score.forecasts),
        "cobertura_pct": round(score.coverage, 1),
        "cobertura_pedida_pct": list(COVERAGE),
        "se_cumple": score.honest,
        "ancho_medio": round(score.width, 2),
        "error_medio": round(score.error, 2),
        "error_medio_de_la_regla": round(score.straight_error, 2),
        "error_medio_final": round(score.final_error, 2),
        "por_pronostico": [
            {
                "hora": score.curve.local(one.at_ms).isoformat(),
                "registradas_pct": round(one.seen, 2),
                "puntos": len(one.points),
                "dentro_pct": round(one.inside, 1),
                "ancho": round(one.width, 2),
                "final": [round(float(v[-1]), 2) for v in (one.low, one.middle, one.high)],
                "final_real": round(float(one.real[-1]), 2),
            }
            for one in score.forecasts
        ],
    }


def summary(score: Score) -> str:
    """The verdict in words."""
    verdict = "está" if score.honest else "NO está"
    left_out = (
        f"La previa no usa «{score.curve.key}»."
        if score.curve.key
        else "La noche no está en la biblioteca: la previa usa todas."
    )
    return (
        f"{score.curve.name}: {len(score.forecasts)} pronósticos, uno cada {score.every_min} min. "
        f"{left_out}\n"
        f"La banda de 80 % cubrió {score.coverage:.1f} % de los puntos posteriores; {verdict} entre "
        f"{COVERAGE[0]:g} y {COVERAGE[1]:g} %. Ancho medio {score.width:.1f} puntos.\n"
        f"Error medio de la mediana {score.error:.2f} puntos; el de seguir el ritmo de la última hora, "
        f"{score.straight_error:.2f}. Error medio del porcentaje final {score.final_error:.2f}."
    )


def table(score: Score) -> Table:
    """One row per forecast, as a rich table."""
    from rich.table import Table

    rows = Table(title="Pronósticos (porcentaje de las actas esperadas)")
    columns = (
        "hora",
        "registradas",
        "puntos después",
        "dentro",
        "ancho",
        "final: 10 / 50 / 90 %",
        "final real",
    )
    for column in columns:
        rows.add_column(column, justify="left" if column == "hora" else "right")
    for one in score.forecasts:
        rows.add_row(
            f"{score.curve.local(one.at_ms):%d %H:%M}",
            f"{one.seen:.1f}",
            str(len(one.points)),
            f"{one.inside:.0f} %",
            f"{one.width:.1f}",
            f"{one.low[-1]:.1f} / {one.middle[-1]:.1f} / {one.high[-1]:.1f}",
            f"{one.real[-1]:.1f}",
        )
    return rows


def charts(score: Score) -> list[Chart]:
    """The real curve with the bands of some forecasts, and the coverage forecast by forecast."""
    curve = score.curve

    def clock(times: list[int]) -> list[datetime]:
        return [curve.local(at).replace(tzinfo=None) for at in times]

    # Where the curve is known only at some cuts, those are what is drawn.
    real_at = [at for at, _ in curve.truth]
    real = Series("real", clock(real_at), [n * 100 / curve.expected for _, n in curve.truth], GREEN)
    bands = []
    for wanted, colour in zip(SHOWN_AT, (ORANGE, VERMILION, BLUE), strict=True):
        one = next((one for one in score.forecasts if one.seen >= wanted), None)
        if one is None:
            continue
        x = clock([one.at_ms, *one.points.tolist()])
        at = f"{curve.local(one.at_ms):%H:%M}"
        for name, values, dash in (
            (f"{at}: 90 %", one.high, "dot"),
            (f"{at}: mediana", one.middle, "dash"),
            (f"{at}: 10 %", one.low, "dot"),
        ):
            bands.append(Series(name, x, [one.seen, *values.tolist()], colour, dash=dash))
    hours = clock([one.at_ms for one in score.forecasts])
    inside = Series("puntos dentro de la banda", hours, [one.inside for one in score.forecasts], BLUE)
    goal = Series("80 %", hours, [80.0] * len(hours), SKY, dash="dash")
    mean = float(np.mean([one.inside for one in score.forecasts]))
    subtitle = f"{curve.name} · {curve.expected:,} actas esperadas · hora local"
    return [
        Chart("pronostico-noche", "La noche real y tres de sus pronósticos", subtitle, "hora",
              "% de las actas esperadas", [real, *bands], y_max=100,
              source="Banda de 80 % entre las líneas punteadas de cada color"),
        Chart("pronostico-cobertura", f"Cobertura de la banda de 80 %: media {mean:.0f} %",
              subtitle, "hora del pronóstico", "% de los puntos posteriores", [inside, goal], y_max=100),
    ]  # fmt: skip
