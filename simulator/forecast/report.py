"""How a forecast of a night is told: data, words, tables and charts.

It computes the quantiles that are told and nothing else. How the scoring of past nights is told is
`score_report`.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.foreign_text import foreign_bytes, json_of, json_place
from core.published.charts import BLUE, GREEN, ORANGE, SKY, VERMILION, Chart, Series
from simulator.forecast.model import Floats, Ints
from simulator.forecast.night import Forecast, Outcome
from simulator.forecast.state import NightState
from simulator.scenario.base import MS_PER_MINUTE

if TYPE_CHECKING:
    from rich.table import Table

FORMAT = 1
GOALS = (50, 80, 95, 100)
LEVELS = (10, 50, 90)
SHOWN = 15
"""CATDs listed on screen; `--json` has all of them."""
SILENT_SHOWN = 8
LIKELY = 50.0
"""A CATD will miss the close when the chance that it meets it is below this percent."""


def local(state: NightState, at: float) -> datetime:
    """A moment in the entity's time."""
    return datetime.fromtimestamp(at / 1000, state.zone)


def _share(state: NightState, values: Floats) -> Floats:
    return np.asarray(values * 100 / state.size)


def _band(values: Floats) -> dict[str, float]:
    low, middle, high = np.percentile(values, LEVELS)
    return {
        "p10": round(float(low), 2),
        "p50": round(float(middle), 2),
        "p90": round(float(high), 2),
        "media": round(float(values.mean()), 2),
    }


def reach(forecast: Forecast, outcome: Outcome, percent: int) -> Floats:
    """When each replica reaches a percent of the actas: ms UTC, inf when it does not before the close."""
    goal = -(-percent * forecast.state.size // 100)
    curve = outcome.curve
    times = np.full(len(curve), np.inf)
    for row, values in enumerate(curve):
        k = int(np.searchsorted(values, goal))
        if k == 0:
            times[row] = forecast.edges[0]
        elif k < len(values):
            start, end = values[k - 1], values[k]
            part = (goal - start) / (end - start)
            times[row] = forecast.edges[k - 1] + part * (forecast.edges[k] - forecast.edges[k - 1])
    return times


def _goal(forecast: Forecast, percent: int) -> dict[str, object]:
    times = reach(forecast, forecast.base, percent)
    made = times[np.isfinite(times)]
    answer: dict[str, object] = {
        "meta_pct": percent,
        "probabilidad_pct": round(len(made) * 100 / len(times), 1),
    }
    # The chance of not arriving is part of the answer: a quantile that falls in it does not exist.
    ordered = np.sort(times)
    for level in LEVELS:
        at = ordered[min(len(ordered) - 1, level * len(ordered) // 100)]
        answer[f"p{level}"] = local(forecast.state, at).isoformat() if np.isfinite(at) else None
    return answer


def _catds(forecast: Forecast) -> list[dict[str, object]]:
    state = forecast.state
    sizes = np.bincount(state.catd, minlength=len(state.heard))
    now = np.bincount(state.catd[state.registered >= 0], minlength=len(state.heard))
    silent = {one.catd: one for one in forecast.silent}
    rows: list[dict[str, object]] = []
    for catd in state.catalog.catds:
        size = int(sizes[catd.id])
        if not size:
            continue
        shares = forecast.base.by_catd[:, catd.id] * 100 / size
        rows.append(
            {
                "catd": catd.id,
                "nombre": catd.name,
                "distrito": catd.distrito,
                "esperadas": size,
                "registradas": int(now[catd.id]),
                "al_cierre_pct": _band(shares),
                "faltarian": round(float(size - np.median(forecast.base.by_catd[:, catd.id]))),
                "probabilidad_de_llegar_pct": round(float((shares >= forecast.target).mean()) * 100, 1),
                "probabilidad_de_completar_pct": round(float((shares >= 100).mean()) * 100, 1),
                "en_silencio": catd.id in silent,
            }
        )
    rows.sort(key=lambda row: -_number(row["faltarian"]))
    return rows


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def forecast_data(forecast: Forecast) -> dict[str, object]:
    """The whole forecast as JSON holds it; shares in percent of the actas expected, times local."""
    state = forecast.state
    shares = _share(state, forecast.base.curve)
    bands = np.percentile(shares, LEVELS, axis=0)
    catds = _catds(forecast)
    return {
        "formato": FORMAT,
        "modo": state.mode,
        "eleccion": state.catalog.election,
        "huella_catalogo": state.catalog.fingerprint(),
        "ahora": local(state, state.now_ms).isoformat(),
        "cierre": local(state, state.ends_ms).isoformat(),
        "esperadas": state.size,
        "estado": state.counts(),
        "capturistas_en_la_ultima_hora": state.capturistas,
        "replicas": forecast.replicas,
        "semilla": forecast.seed,
        "con_escenario": forecast.with_plan,
        "curva": [
            {
                "hora": local(state, at).isoformat(),
                **{f"p{level}": round(float(value), 3) for level, value in zip(LEVELS, column, strict=True)},
            }
            for at, column in zip(forecast.edges.tolist(), bands.T, strict=True)
        ],
        "al_cierre_pct": _band(shares[:, -1]),
        "metas": [_goal(forecast, percent) for percent in GOALS],
        "meta_catd_pct": forecast.target,
        "catd_que_no_llegarian": sum(_number(row["probabilidad_de_llegar_pct"]) < LIKELY for row in catds),
        "catd": catds,
        "silencio": [
            {
                "catd": one.catd,
                "nombre": state.catalog.catds[one.catd].name,
                "desde": local(state, one.since_ms).isoformat(),
                "pendientes": one.pending,
                "probabilidad_de_ser_azar": round(one.chance, 6),
                "declarado": one.declared,
                "actas_por_hora": one.rate,
            }
            for one in forecast.silent
        ],
        "si": [
            {
                "si": what_if.words,
                "desde": local(state, what_if.at_ms).isoformat(),
                **_difference(forecast, outcome),
            }
            for what_if, outcome in forecast.what_ifs
        ],
    }


def _difference(forecast: Forecast, outcome: Outcome) -> dict[str, object]:
    """Paired: each replica with and without the change, on the same luck."""
    state = forecast.state
    gain = outcome.curve - forecast.base.curve
    most = int(np.abs(gain.mean(axis=0)).argmax())
    before, after = (reach(forecast, one, 80) for one in (forecast.base, outcome))
    both = np.isfinite(before) & np.isfinite(after)
    return {
        "al_cierre_pct": _band(_share(state, outcome.curve[:, -1])),
        "diferencia_actas_al_cierre": _band(gain[:, -1]),
        "diferencia_puntos_al_cierre": _band(_share(state, gain[:, -1])),
        "mayor_diferencia": {
            "hora": local(state, int(forecast.edges[most])).isoformat(),
            "actas": _band(gain[:, most]),
        },
        "minutos_antes_al_80": _band((before[both] - after[both]) / MS_PER_MINUTE) if both.any() else None,
    }


def summary(data: dict[str, Any]) -> str:
    """The forecast in words."""
    state, close = data["estado"], data["al_cierre_pct"]
    now, end = (datetime.fromisoformat(data[key]) for key in ("ahora", "cierre"))
    seen = state["registradas"] * 100 / data["esperadas"]
    lines = [
        f"Pronóstico ({data['modo']}) hecho con lo registrado hasta las {now:%H:%M} del {now:%d/%m/%Y}.",
        f"Registradas: {state['registradas']:,} de {data['esperadas']:,} ({seen:.1f} %); en captura "
        f"{state['digitalizadas'] + state['con_una_captura'] + state['en_disputa']:,}; por llegar "
        f"{state['por_llegar'] + state['acopiadas']:,}. Capturistas en la última hora: "
        f"{data['capturistas_en_la_ultima_hora']}.",
        f"Al cierre ({end:%H:%M} del {end:%d/%m}): {close['p50']:.1f} %, entre {close['p10']:.1f} y "
        f"{close['p90']:.1f} % con probabilidad de 80 %.",
    ]
    if not data["con_escenario"]:
        lines.append("Sin --escenario: las llegadas y la capacidad salen de lo observado y de otras noches.")
    for one in data["silencio"][:SILENT_SHOWN]:
        since = datetime.fromisoformat(one["desde"])
        how = (
            "declarado sin enlace"
            if one["declarado"]
            else "en silencio"
            if not one["actas_por_hora"]
            else "rezagado"
        )
        lines.append(
            f"catd-{one['catd']:03d} {one['nombre']}: {how} desde las {since:%H:%M}; "
            f"{one['pendientes']:,} por recibir."
        )
    if len(data["silencio"]) > SILENT_SHOWN:
        lines.append(f"… y {len(data['silencio']) - SILENT_SHOWN:,} CATD más en silencio o rezagados.")
    for one in data["si"]:
        gain, points = one["diferencia_actas_al_cierre"], one["diferencia_puntos_al_cierre"]
        most = one["mayor_diferencia"]
        at = datetime.fromisoformat(most["hora"])
        lines.append(
            f"Si {one['si']}: en promedio {gain['media']:+,.0f} actas al cierre ({gain['p10']:+,.0f} a "
            f"{gain['p90']:+,.0f}; {points['media']:+.2f} puntos); la mayor diferencia, "
            f"{most['actas']['media']:+,.0f} ({most['actas']['p10']:+,.0f} a {most['actas']['p90']:+,.0f}), "
            f"a las {at:%H:%M}."
        )
    return "\n".join(lines)


def tables(data: dict[str, Any]) -> tuple[Table, ...]:
    """Goals, and the CATDs that would miss the close, as rich tables."""
    from rich.table import Table

    goals = Table(title="Cuándo se llega a cada porcentaje (vacío: después del cierre)")
    for column in ("meta", "probabilidad", "temprano (10 %)", "mediana", "tarde (90 %)"):
        goals.add_column(column, justify="right")
    for goal in data["metas"]:
        times = [
            datetime.fromisoformat(t).strftime("%d %H:%M") if t else ""
            for t in (goal["p10"], goal["p50"], goal["p90"])
        ]
        goals.add_row(f"{goal['meta_pct']} %", f"{goal['probabilidad_pct']:.0f} %", *times)
    late = [row for row in data["catd"] if row["probabilidad_de_llegar_pct"] < LIKELY]
    catds = Table(
        title=f"CATD que no llegarían al {data['meta_catd_pct']:g} % de sus actas al cierre: {len(late):,}"
    )
    for column in (
        "CATD",
        "distrito",
        "registradas",
        "al cierre (10 a 90 %)",
        "faltarían",
        "prob. de llegar",
    ):
        catds.add_column(column, justify="left" if column == "CATD" else "right")
    for row in late[:SHOWN]:
        share = row["al_cierre_pct"]
        catds.add_row(
            f"catd-{row['catd']:03d} {row['nombre']}{' (silencio)' if row['en_silencio'] else ''}",
            "" if row["distrito"] is None else str(row["distrito"]),
            f"{row['registradas']:,} de {row['esperadas']:,}",
            f"{share['p10']:.0f} a {share['p90']:.0f} %",
            f"{row['faltarian']:,}",
            f"{row['probabilidad_de_llegar_pct']:.0f} %",
        )
    if len(late) > SHOWN:
        catds.caption = f"… y {len(late) - SHOWN:,} más; «--json» los da todos."
    return goals, catds


def charts(forecast: Forecast) -> list[Chart]:
    """The curve so far, the band of the rest, and the medians of the what-ifs."""
    state = forecast.state

    def clock(times: list[int]) -> list[datetime]:
        return [local(state, at).replace(tzinfo=None) for at in times]

    seen = [*range(state.starts_ms, state.now_ms, 5 * MS_PER_MINUTE), state.now_ms]
    done = np.sort(state.registered[state.registered >= 0])
    past = np.searchsorted(done, seen, side="right") * 100 / state.size
    ahead = clock(forecast.edges.tolist())
    low, middle, high = np.percentile(_share(state, forecast.base.curve), LEVELS, axis=0).tolist()
    series = [
        Series("registradas", clock(seen), past.tolist(), GREEN),
        Series("pronóstico, 90 %", ahead, high, SKY, dash="dot"),
        Series("pronóstico, mediana", ahead, middle, BLUE, dash="dash"),
        Series("pronóstico, 10 %", ahead, low, SKY, dash="dot"),
    ]
    for (what_if, outcome), colour in zip(forecast.what_ifs, (VERMILION, ORANGE) * 8, strict=False):
        line = np.median(_share(state, outcome.curve), axis=0).tolist()
        series.append(Series(f"si {what_if.words}", ahead, line, colour, dash="dash"))
    subtitle = (
        f"{state.catalog.election} · {state.mode} · {state.size:,} actas esperadas · hecho a las "
        f"{local(state, state.now_ms):%H:%M}"
    )
    return [
        Chart("pronostico", "Avance y pronóstico", subtitle, "hora", "% de las actas esperadas", series,
              y_max=100, source="Banda de 80 %: entre las líneas de 10 % y 90 %")
    ]  # fmt: skip


def write_json(data: dict[str, object], path: Path) -> None:
    """Data as a JSON file a person can read."""
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


_MOST_PCT = 1e6


def read_saved(path: Path) -> dict[str, Any]:
    """A forecast written by `write_json`. Raises InputError when the file is not one."""
    try:
        data = json_of(foreign_bytes(path))
        whole = data["formato"] == FORMAT and data["curva"] and data["huella_catalogo"]
        for text in (data["ahora"], *(point["hora"] for point in data["curva"])):
            datetime.fromisoformat(text).timestamp()
        if not all(type(data[key]) is int for key in ("formato", "esperadas")):
            raise TypeError("esperadas")
        if not all(abs(point[key]) <= _MOST_PCT for point in data["curva"] for key in ("p10", "p50", "p90")):
            raise ValueError("curva")
    except json.JSONDecodeError as error:
        raise InputError(path, message=f"{json_place(error)}; se esperaba un pronóstico guardado") from error
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(path, message="no es un pronóstico guardado con --guardar") from error
    if not whole:
        raise InputError(path, None, "formato", f"un pronóstico de formato {FORMAT}", data["formato"])
    return dict(data)


def compare(saved: dict[str, Any], moments: Ints, real: Floats, last_ms: int) -> dict[str, object]:
    """A saved forecast against what happened, at its points later than itself and already past.

    `moments` (ms UTC) and `real` (percent registered) are those of the points of its curve.
    """
    points = []
    made = round(datetime.fromisoformat(saved["ahora"]).timestamp() * 1000)
    for point, at, value in zip(saved["curva"], moments.tolist(), real.tolist(), strict=True):
        if made < at <= last_ms:
            inside = point["p10"] - 1e-3 <= value <= point["p90"] + 1e-3
            points.append({**point, "real": round(value, 3), "dentro": inside})
    inside = sum(bool(point["dentro"]) for point in points)
    return {
        "pronostico_hecho": saved["ahora"],
        "puntos": len(points),
        "dentro": inside,
        "dentro_pct": round(inside * 100 / len(points), 1) if points else None,
        "error_medio_puntos": (
            round(float(np.mean([abs(p["p50"] - p["real"]) for p in points])), 2) if points else None
        ),
        "curva": points,
    }
