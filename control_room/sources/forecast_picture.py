"""A forecast as the room shows it: bands, the estimated close with its interval, CATDs at risk, what-ifs.

The close that is estimated is the moment at which the goal is registered: what the plan has at its own end,
or 95 % without a plan. When some replicas do not reach it before the legal close, the night is drawn again
some hours beyond it, so that «late» has an hour too. It reads nothing and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.forecast.model import Floats
from simulator.forecast.night import TARGET, Forecast, Outcome, forecast
from simulator.forecast.plan import Plan
from simulator.forecast.report import LEVELS, forecast_data, summary
from simulator.scenario.base import MS_PER_HOUR, MS_PER_MINUTE

BEYOND_MS = 6 * MS_PER_HOUR
"""How far past the legal close the night is drawn to see when it would have ended."""
BEYOND_REPLICAS = 100
PLAN_SHARE = 0.99
"""Part of what the plan has at its end that is taken for the night being done."""
MOST_CATDS = 30
RISK = 0.05
"""CATDs less likely than this to miss their goal are not listed."""


@dataclass(frozen=True)
class Finish:
    """When the goal is registered: quantiles in ms UTC, None when not even hours after the close.

    `probability` is that of reaching it by the legal close, from 0 to 1.
    """

    goal_pct: float
    p10: int | None
    p50: int | None
    p90: int | None
    probability: float


def finish_of(made: Forecast, plan: Plan | None, seed: int) -> Finish:
    """When the night would be done, by the forecast and, if need be, by one that goes past the close."""
    goal = _goal(made, plan)
    times = _reach(made, made.base, goal)
    probability = float(np.isfinite(times).mean())
    if probability < 0.9:
        longer = replace(made.state, ends_ms=made.state.ends_ms + BEYOND_MS)
        replicas = min(made.replicas, BEYOND_REPLICAS)
        beyond = forecast(longer, replicas=replicas, seed=seed, target=made.target, plan=plan)
        times = _reach(beyond, beyond.base, goal)
    ordered = np.sort(times)
    low, middle, high = (_quantile(ordered, level) for level in LEVELS)
    return Finish(round(goal, 1), low, middle, high, probability)


def picture(made: Forecast, finish: Finish) -> dict[str, Any]:
    """`pronostico` of the snapshot with its `cierre`, and what the page of the forecast adds."""
    state = made.state
    data: dict[str, Any] = forecast_data(made)
    final = _band(made, made.base)
    sizes = np.bincount(state.catd, minlength=len(state.heard))
    shares = made.base.by_catd * 100 / np.maximum(sizes, 1)
    risks = [
        (catd, round(float((shares[:, catd] < made.target).mean()), 3))
        for catd in range(len(sizes))
        if sizes[catd]
    ]
    risks = sorted((one for one in risks if one[1] >= RISK), key=lambda one: (-one[1], one[0]))
    eta = finish.p90
    if eta is None and finish.probability < 0.9:
        # Not before the last hour drawn: late for certain, by how much is not known.
        eta = state.ends_ms + BEYOND_MS
    return {
        "hecho_ms": state.now_ms,
        "curva": _curve(made, made.base),
        "final_pct": final,
        "catd_riesgo": [list(one) for one in risks[:MOST_CATDS]],
        "cierre": {
            "mediana_ms": finish.p50,
            "desde_ms": finish.p10,
            "hasta_ms": finish.p90,
            "final_pct": final,
        },
        "eta_p90_ms": eta,
        "meta_pct": finish.goal_pct,
        "meta_probabilidad": round(finish.probability, 3),
        "meta_catd_pct": made.target,
        "catd_en_riesgo": len(risks),
        "metas": data["metas"],
        "silencio": data["silencio"],
        "capturistas": state.capturistas,
        "resumen": summary(data),
    }


def what_ifs(made: Forecast) -> dict[str, Any]:
    """The answer to a what-if: the night as it goes, and with each change."""
    data: dict[str, Any] = forecast_data(made)
    rows = []
    for (change, outcome), told in zip(made.what_ifs, data["si"], strict=True):
        rows.append(
            {
                "si": change.words,
                "desde_ms": change.at_ms,
                "curva": _curve(made, outcome),
                "final_pct": _band(made, outcome),
                "diferencia_pp": told["diferencia_puntos_al_cierre"],
                "actas_al_cierre": told["diferencia_actas_al_cierre"],
                "mayor_diferencia": told["mayor_diferencia"],
                "minutos_antes_al_80": told["minutos_antes_al_80"],
            }
        )
    return {
        "hecho_ms": made.state.now_ms,
        "resumen": summary(data),
        "base": {"curva": _curve(made, made.base), "final_pct": _band(made, made.base)},
        "si": rows,
    }


def _goal(made: Forecast, plan: Plan | None) -> float:
    if plan is None:
        return TARGET
    length = made.state.ends_ms - made.state.starts_ms
    arrived = float((plan.times <= length - 10 * MS_PER_MINUTE).mean()) * 100
    return min(TARGET, PLAN_SHARE * arrived)


def _reach(made: Forecast, outcome: Outcome, percent: float) -> Floats:
    """When each replica has a percent of the actas; inf when it does not."""
    goal = percent * made.state.size / 100
    times = np.full(len(outcome.curve), np.inf)
    edges = made.edges.astype("float64")
    for row, values in enumerate(outcome.curve):
        k = int(np.searchsorted(values, goal))
        if k == 0:
            times[row] = edges[0]
        elif k < len(values):
            part = (goal - values[k - 1]) / (values[k] - values[k - 1])
            times[row] = edges[k - 1] + part * (edges[k] - edges[k - 1])
    return times


def _quantile(ordered: Floats, level: int) -> int | None:
    value = float(ordered[min(len(ordered) - 1, level * len(ordered) // 100)])
    return round(value) if np.isfinite(value) else None


def _curve(made: Forecast, outcome: Outcome) -> list[list[float]]:
    """[ms, p10, p50, p90] at each edge, percent of the expected."""
    bands = np.percentile(outcome.curve * 100 / made.state.size, LEVELS, axis=0)
    return [
        [at, *(round(float(value), 3) for value in column)]
        for at, column in zip(made.edges.tolist(), bands.T, strict=True)
    ]


def _band(made: Forecast, outcome: Outcome) -> dict[str, float]:
    """Percent of the expected at the legal close."""
    low, middle, high = np.percentile(outcome.curve[:, -1] * 100 / made.state.size, LEVELS)
    return {"p10": round(float(low), 2), "p50": round(float(middle), 2), "p90": round(float(high), 2)}
