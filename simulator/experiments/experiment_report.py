"""What `prep experimento` tells: data for programs, text and tables for people, charts, files.

It computes nothing that `campaign` or `sensitivity` do not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.domain.catalog import Catalog
from core.published.charts import BLUE, ORANGE, SKY, VERMILION, Chart, Series
from simulator.experiments.campaign import QUANTILES, TARGETS, Campaign, Comparison, Estimate
from simulator.experiments.sensitivity import Question, Screened, Shared
from simulator.scenario.base import MS_PER_HOUR, MS_PER_MINUTE
from simulator.scenario.file import LoadedScenario

if TYPE_CHECKING:
    from rich.table import Table

WORST = 10
SHOWN = {0.05: 0, 0.1: 1, 0.5: 3, 0.9: 5, 0.95: 6}
"""Rows of the bands that people are shown."""


def percent(share: float) -> str:
    """A share of one as people write it in Spanish."""
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def local(loaded: LoadedScenario, minutes: float) -> datetime:
    """The local time that many minutes after the start, without its zone (for charts)."""
    start = loaded.scenario.calendar.start.replace(tzinfo=None)
    return start + timedelta(minutes=minutes)


def clock(loaded: LoadedScenario, minutes: float | None) -> str:
    """That time in words: hour and minute, and the day when it is another one."""
    if minutes is None:
        return "no llega"
    at = local(loaded, minutes)
    days = (at.date() - loaded.scenario.calendar.start.date()).days
    return f"{at:%H:%M}" + (f" (+{days} d)" if days else "")


def campaign_data(
    loaded: LoadedScenario, catalog: Catalog, played: Campaign, goal: float | None
) -> dict[str, Any]:
    """Everything there is to tell of a campaign."""
    bands = played.bands()
    closing = played.at_close_pct()
    data: dict[str, Any] = {
        "escenario": loaded.scenario.name,
        "escenario_sha256": loaded.sha256,
        "formato": loaded.scenario.schema_version,
        "replicas": len(played.replicas),
        "semillas": [replica.seed for replica in played.replicas],
        "huellas": [replica.fingerprint for replica in played.replicas],
        "esperadas": played.expected,
        "al_cierre_pct": {
            "media": round(float(closing.mean()), 4),
            "minimo": round(float(closing.min()), 4),
            "maximo": round(float(closing.max()), 4),
        },
        "sin_registrar_de_lo_llegado_pct": round(float(played.left_behind().mean()), 4),
        "tiempos": {},
        "curva": {
            "minutos": (played.grid_ms // MS_PER_MINUTE).tolist(),
            "cuantiles": {
                f"{quantile:g}": [round(value, 4) for value in row]
                for quantile, row in zip(QUANTILES, bands.tolist(), strict=True)
            },
        },
        "peores_catd": [
            {"catd": catd, "nombre": catalog.catds[catd].name, "esperadas": size,
             "media_pct": round(mean, 4), "p10_pct": round(low, 4)}
            for catd, size, mean, low in played.worst_catds(WORST)
        ],
    }  # fmt: skip
    for target in TARGETS:
        share, minutes = played.reach(target)
        data["tiempos"][str(target)] = {"probabilidad": share, "p10": minutes[0], "p50": minutes[1],
                                        "p90": minutes[2]}  # fmt: skip
    if goal is not None:
        met, low, high = played.meets(goal)
        data["meta"] = {"pct": goal, "noches": met, "probabilidad": met / len(played.replicas),
                        "intervalo": [low, high]}  # fmt: skip
    return data


def campaign_text(loaded: LoadedScenario, played: Campaign, goal: float | None) -> str:
    """The answer in a few lines."""
    closing = played.at_close_pct()
    lines = [
        f"{loaded.scenario.title}: {len(played.replicas):,} noches de {played.expected:,} actas",
        f"  Registrado al cierre: {closing.mean():.2f} % en promedio "
        f"(de {closing.min():.2f} a {closing.max():.2f} %).",
        f"  Llegado y sin registrar al cierre: {played.left_behind().mean():.2f} % en promedio.",
    ]
    for target in TARGETS:
        share, minutes = played.reach(target)
        if share == 0:
            lines.append(f"  {target} %: ninguna noche lo alcanza antes del cierre.")
        else:
            lines.append(
                f"  {target} %: lo alcanza {percent(share)} de las noches; a las {clock(loaded, minutes[1])} "
                f"la de en medio (80 % entre {clock(loaded, minutes[0])} y {clock(loaded, minutes[2])})."
            )
    if goal is not None:
        met, low, high = played.meets(goal)
        lines.append(
            f"  Cierra con {goal:g} % o más en {met:,} de {len(played.replicas):,} noches "
            f"({percent(met / len(played.replicas))}; intervalo de 95 %: {percent(low)} a {percent(high)})."
        )
    lines.append("  La noche empieza vacía y termina con su cierre: no hay calentamiento que quitar.")
    return "\n".join(lines)


def _estimate(estimate: Estimate | None) -> dict[str, float] | None:
    if estimate is None:
        return None
    return {"media": estimate.mean, "desde": estimate.low, "hasta": estimate.high}


def comparison_data(other: LoadedScenario, difference: Comparison) -> dict[str, Any]:
    """The paired comparison as data."""
    return {
        "con": other.scenario.name,
        "con_sha256": other.sha256,
        "al_cierre_puntos": _estimate(difference.at_close),
        "minutos": {str(target): _estimate(one) for target, one in difference.minutes.items()},
        "cierra_mas_alto": difference.better_share,
    }


def comparison_text(loaded: LoadedScenario, other: LoadedScenario, difference: Comparison) -> str:
    """The paired comparison in words."""
    closing = difference.at_close
    lines = [
        f"«{other.scenario.name}» menos «{loaded.scenario.name}», en las mismas noches:",
        f"  al cierre {closing.mean:+.2f} puntos "
        f"(intervalo de 95 %: {closing.low:+.2f} a {closing.high:+.2f}); "
        f"cierra más alto en {percent(difference.better_share)} de las noches.",
    ]
    for target, one in difference.minutes.items():
        if one is not None:
            lines.append(f"  al {target} %: {one.mean:+.1f} min ({one.low:+.1f} a {one.high:+.1f}).")
    return "\n".join(lines)


def sensitivity_data(
    question: Question, screened: Sequence[Screened], shared: Sequence[Shared]
) -> dict[str, Any]:
    """Morris and Sobol as data."""
    return {
        "dato": question.words,
        "morris": [
            {"factor": row.factor.key, "nombre": row.factor.name, "desde": row.factor.low,
             "hasta": row.factor.high, "efecto": row.effect, "dispersion": row.spread}
            for row in screened
        ],
        "sobol": [
            {"factor": row.factor.key, "solo": row.alone, "solo_mas_menos": row.alone_half,
             "total": row.total, "total_mas_menos": row.total_half}
            for row in shared
        ],
    }  # fmt: skip


def curve_table(loaded: LoadedScenario, played: Campaign) -> Table:
    """The band of the curve, hour by hour."""
    from rich.table import Table

    table = Table(title="Porcentaje registrado (cuantiles de las noches)")
    table.add_column("hora")
    for quantile in SHOWN:
        table.add_column(percent(quantile), justify="right")
    bands, moments = played.bands(), played.grid_ms
    for place, at in enumerate(moments.tolist()):
        if at % MS_PER_HOUR == 0 or place == len(moments) - 1:
            cells = [f"{bands[row, place]:.2f}" for row in SHOWN.values()]
            table.add_row(clock(loaded, at / MS_PER_MINUTE), *cells)
    return table


def worst_table(catalog: Catalog, played: Campaign) -> Table:
    """The CATDs that end worst."""
    from rich.table import Table

    table = Table(title="CATD que cierran peor")
    for column in ("CATD", "esperadas", "registrado %, media", "10 % de las noches, menos de"):
        table.add_column(column, justify="left" if column == "CATD" else "right")
    for catd, size, mean, low in played.worst_catds(WORST):
        table.add_row(f"{catd} {catalog.catds[catd].name}", f"{size:,}", f"{mean:.2f}", f"{low:.2f}")
    return table


def sensitivity_table(question: Question, screened: Sequence[Screened], shared: Sequence[Shared]) -> Table:
    """What decides the outcome."""
    from rich.table import Table

    table = Table(title=f"Qué decide: {question.words}")
    for column in ("dato", "se mueve", "efecto (Morris)", "solo (Sobol)", "total (Sobol)"):
        table.add_column(column, justify="left" if column == "dato" else "right")
    parts = {row.factor.key: row for row in shared}
    for row in screened:
        part = parts.get(row.factor.key)
        alone = f"{part.alone:.2f} ± {part.alone_half:.2f}" if part else ""
        total = f"{part.total:.2f} ± {part.total_half:.2f}" if part else ""
        table.add_row(
            row.factor.name, f"×{row.factor.low:g} a ×{row.factor.high:g}", f"{row.effect:.2f}", alone, total
        )
    return table


def campaign_charts(
    loaded: LoadedScenario,
    played: Campaign,
    against: Campaign | None,
    other: LoadedScenario | None,
    screened: Sequence[Screened] | None,
) -> list[Chart]:
    """The band of the curve (and the other plan's median), and what decides."""
    source = f"{len(played.replicas):,} noches simuladas; escenario {loaded.scenario.name}"
    bands = played.bands()
    x = [local(loaded, at / MS_PER_MINUTE) for at in played.grid_ms.tolist()]
    series = [
        Series("90 % de las noches", x, bands[6].tolist(), SKY, style="band", low=bands[0].tolist()),
        Series("la mitad de las noches", x, bands[4].tolist(), BLUE, style="band", low=bands[2].tolist()),
        Series("mediana", x, bands[3].tolist(), BLUE),
    ]
    if against is not None and other is not None:
        x_other = [local(other, at / MS_PER_MINUTE) for at in against.grid_ms.tolist()]
        middle = against.bands()[3].tolist()
        series.append(Series(f"mediana de {other.scenario.name}", x_other, middle, VERMILION, dash="dash"))
    charts = [
        Chart("experimento-curva", "Avance esperado", f"{loaded.scenario.title} · simulado · hora local",
              "hora", "% de las actas esperadas", series, y_max=100, source=source)
    ]  # fmt: skip
    if screened:
        rows = list(reversed(screened))
        charts.append(
            Chart(
                "experimento-sensibilidad", "Qué datos deciden", "efecto medio absoluto (Morris)", "efecto",
                "",
                [Series("efecto", [row.factor.name for row in rows], [row.effect for row in rows], ORANGE,
                        label=[f"{row.effect:.2f}" for row in rows])],
                time_axis=False, horizontal=True, source=source,
            )
        )  # fmt: skip
    return charts


def write(
    folder: Path, name: str, data: dict[str, Any], charts: Sequence[Chart], title: str, text: str
) -> list[Path]:
    """Write the data, the charts and the page; return the paths."""
    from core.published.chart_html import draw_html
    from core.published.chart_png import draw_png

    folder.mkdir(parents=True, exist_ok=True)
    document = folder / f"{name}.json"
    document.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    pictures = [draw_png(chart, folder) for chart in charts]
    return [document, *pictures, draw_html(charts, folder, title, text)]
