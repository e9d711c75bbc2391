"""The figures of the wall: whole election and contest by contest.

Percentages of actas are those of the law: integers truncated to four decimals by `core.domain.counters`,
of the actas expected; so are all of each contest's, which are its header. The wall's inconsistencies are the
exception: of the actas reviewed, as in the alert A09 and in quality, because of those expected they would
look few all night. What has no legal definition (plan, rates, forecast) is a number rounded for the screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from control_room.night.facts import Facts, Phase
from control_room.night.state import SILENCE_MS, NightState
from control_room.night.surroundings import Surroundings
from core.domain.counters import format_percent, percent


def pct(part: int, whole: int) -> str:
    """A percentage as it is published: truncated, four decimals."""
    return format_percent(percent(part, whole))


def kpis(state: NightState, facts: Facts, around: Surroundings) -> dict[str, Any]:
    """The part `kpis` of the snapshot.

    `capturadas` are the actas with a first capture or more; `verificadas` those registered (with a
    definitive value, or sin acta), which is what the law calls capturadas; `revisadas` those with a
    definitive value, on which the rules were evaluated.
    """
    now = state.totals()
    size = state.size
    reviewed = now.registered - state.sin_acta
    plan_pct = facts.plan_pct
    return {
        "esperadas": size,
        "acopiadas": now.received,
        "digitalizadas": now.digitized,
        "capturadas": now.captured,
        "verificadas": now.registered,
        "publicadas": now.published,
        "contabilizadas": state.counted,
        "sin_acta": state.sin_acta,
        "revisadas": reviewed,
        "inconsistentes": state.inconsistent,
        "fuera_catalogo": state.outside(),
        "disputas": state.disputes,
        "avance_pct": pct(now.registered, size),
        "publicadas_pct": pct(now.published, size),
        "contabilizadas_pct": pct(state.counted, size),
        "inconsistencias_pct": pct(state.inconsistent, reviewed),
        "plan_pct": _rounded(plan_pct, 2),
        "vs_plan_pp": None if plan_pct is None else round(facts.progress_pct - plan_pct, 2),
        "rezago": now.backlog,
        "rezago_min": round(now.backlog / facts.capture_rate, 1) if facts.capture_rate > 0 else None,
        "ritmo": round(facts.capture_rate, 2),
        "ritmo_plan": _rounded(facts.plan_rate, 2),
        "brecha": now.registered - state.counted,
        "silentes": silent(facts),
        "cierre": closing(around.forecast),
    }


def silent(facts: Facts) -> int:
    """CATDs that had a heartbeat and have none in the last minutes; none outside the operation."""
    if facts.phase is not Phase.OPEN:
        return 0
    return sum(
        1
        for catd in facts.catds
        if catd.last_pulse_ms is not None and facts.now_ms - catd.last_pulse_ms > SILENCE_MS
    )


def closing(forecast: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The estimated close and how far the night gets, of the last forecast; None without one."""
    if not forecast or not forecast.get("cierre"):
        return None
    end = forecast["cierre"]
    return {
        "mediana_ms": end.get("mediana_ms"),
        "desde_ms": end.get("desde_ms"),
        "hasta_ms": end.get("hasta_ms"),
        "final_pct": forecast.get("final_pct"),
    }


def contests(state: NightState) -> list[dict[str, Any]]:
    """The part `contiendas` of the snapshot: the counters of each header, at this moment."""
    return [
        {
            "id": key,
            "nombre": state.catalog.contests[key].name,
            "esperadas": one.expected,
            "capturadas": one.registered,
            "contabilizadas": one.counted,
            "inconsistentes": one.inconsistent,
            "fuera_catalogo": one.outside,
            "capturadas_pct": pct(one.registered, one.expected),
            "contabilizadas_pct": pct(one.counted, one.expected),
            "inconsistencias_pct": pct(one.inconsistent, one.expected),
        }
        for key, one in state.contests.items()
    ]


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)
