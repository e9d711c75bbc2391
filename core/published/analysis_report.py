"""The analysis of a night as one object for machines (JSON), and its summary for people.

Works nothing out: it names in Spanish, and dates in the entity's time, what `analysis` gives.
"""

from __future__ import annotations

from core.domain.counters import PERCENT_SCALE, format_percent, percent
from core.published import analysis
from core.published.night import PHASES, Night

PHASE_WORDS = {
    "acopio": "acopio",
    "captura": "captura",
    "verificacion": "verificación",
    "total": "paro total",
}
ASIDE_WORDS = {
    "un_dia_antes": "un día antes",
    "doce_horas_antes": "doce horas antes",
    "doce_horas_despues": "doce horas después",
    "fuera_de_la_operacion": "fuera de la operación",
    "despues_de_su_captura": "después de su captura",
}


_ACCENTS = {"ALGUN": "ALGÚN", "CATALOGO": "CATÁLOGO", "OBSERVACION": "OBSERVACIÓN", "VACIOS": "VACÍOS"}


def observation_words(text: str) -> str:
    """An observation with its accents, which most files drop."""
    return " ".join(_ACCENTS.get(word, word) for word in text.split())


def as_share(value: float) -> float:
    """Ten-thousandths of a percent as percent."""
    return value / PERCENT_SCALE


def _at(night: Night, ms: float) -> str:
    return night.local(ms).isoformat(timespec="seconds")


def analysis_data(night: Night) -> dict[str, object]:
    """Everything `prep analizar --json` says of one night. Shares in percent, delays in minutes."""
    done = analysis.finish(night)
    return {
        "noche": night.name,
        "archivos": [
            {
                "archivo": file.path,
                "eleccion": file.contest,
                "estructura": file.layout.name,
                "corte": file.cut_at,
                "filas": len(file.rows),
            }
            for file in night.files
        ],
        "periodo": {
            "inicio": _at(night, night.start_ms) if night.start_ms is not None else None,
            "corte": _at(night, night.cut_ms),
        },
        "esperadas": night.expected,
        "capturadas": night.captured,
        "acopios_apartados": night.set_aside(),
        "curva": _curve_data(night, analysis.HOUR_MS),
        "curva_diez_minutos": _curve_data(night, analysis.TEN_MINUTES_MS),
        "procesadas_por_hora": _rates_data(night, analysis.HOUR_MS),
        "procesadas_por_diez_minutos": _rates_data(night, analysis.TEN_MINUTES_MS),
        "maximos": {
            phase: {name: {"actas": count, "desde": _at(night, at)} for name, (count, at) in found.items()}
            for phase, found in analysis.peaks(night).items()
        },
        "demoras": {
            stage: {name: int(value) if name == "actas" else value for name, value in values.items()}
            for stage, values in analysis.delays(night).items()
        },
        "demoras_por_hora": [
            {"hora": _at(night, row["at"]), "actas": int(row["actas"]), "p50": row["p50"], "p90": row["p90"]}
            for row in analysis.delays_by_hour(night).to_dict("records")
        ],
        "canales": [
            {**channel, "porcentaje": as_share(float(str(channel["porcentaje"])))}
            for channel in analysis.channels(night)
        ],
        "paros": [
            {
                "fase": stop.phase,
                "desde": _at(night, stop.start),
                "hasta": _at(night, stop.end),
                "minutos": round(stop.minutes, 2),
                "actas_que_faltaron": stop.missed,
            }
            for stop in analysis.stops(night)
        ],
        "observaciones": [
            {
                "observacion": row["observation"],
                "actas": int(row["actas"]),
                "porcentaje": as_share(row["share"]),
                "contabilizadas": int(row["counted"]),
            }
            for row in analysis.observations(night).to_dict("records")
        ],
        "termino_estimado": {
            "faltan": done.remaining,
            "ventana_minutos": done.window_minutes,
            "capturas_por_hora": done.per_hour,
            "hora": _at(night, done.at) if done.at is not None else None,
        },
        "indicadores": indicator_data(analysis.indicators(night)),
    }


def _curve_data(night: Night, step_ms: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for row in analysis.curve(night, step_ms).to_dict("records"):
        item: dict[str, object] = {"hora": _at(night, row["at"])}
        for phase in PHASES:
            item[phase] = int(row[phase])
            item[f"porcentaje_{phase}"] = as_share(row[f"share_{phase}"])
        item["espera_captura"] = int(row["waiting_captura"])
        item["espera_verificacion"] = int(row["waiting_verificacion"])
        rows.append(item)
    return rows


def _rates_data(night: Night, step_ms: int) -> list[dict[str, object]]:
    return [
        {"desde": _at(night, row["at"]), **{phase: int(row[phase]) for phase in PHASES}}
        for row in analysis.rates(night, step_ms).to_dict("records")
    ]


def indicator_data(values: dict[str, float | None]) -> dict[str, float | None]:
    """Indicators with their shares in percent."""
    return {
        name: as_share(value) if name.startswith("porcentaje_") and value is not None else value
        for name, value in values.items()
    }


def comparison_data(night: Night, other: Night) -> dict[str, object]:
    """The indicators of both nights and their difference (this one minus the other)."""
    mine, theirs = (indicator_data(analysis.indicators(n)) for n in (night, other))
    rows = []
    for name in mine:
        a, b = mine[name], theirs[name]
        rows.append(
            {
                "indicador": name,
                "valor": a,
                "comparado": b,
                "diferencia": round(a - b, 4) if a is not None and b is not None else None,
            }
        )
    return {"noche": night.name, "con": other.name, "indicadores": rows}


def summary(night: Night) -> str:
    """The first lines of the answer: what night, how much, and what is worth knowing at once."""
    done = analysis.finish(night)
    names = ", ".join(file.path.name for file in night.files)
    share = format_percent(percent(night.captured, night.expected))
    lines = [
        f"{night.name}: {names}",
        f"{night.captured:,} de {night.expected:,} actas capturadas ({share} %) "
        f"al corte de las {night.local(night.cut_ms):%H:%M del %d/%m/%Y}.",
    ]
    aside = night.set_aside()
    if aside["total"]:
        parts = ", ".join(f"{n} {ASIDE_WORDS[name]}" for name, n in aside.items() if n and name != "total")
        one = aside["total"] == 1
        what = "Se apartó 1 hora" if one else f"Se apartaron {aside['total']:,} horas"
        lines.append(f"{what} de acopio mal {'anotada' if one else 'anotadas'}: {parts}.")
    total = [stop for stop in analysis.stops(night) if stop.phase == "total"]
    for stop in total:
        lines.append(
            f"Paro total de {stop.minutes:.0f} minutos: de {night.local(stop.start):%H:%M:%S} "
            f"a {night.local(stop.end):%H:%M:%S} del {night.local(stop.start):%d/%m}."
        )
    if not total:
        lines.append("No hubo paros totales.")
    if done.remaining == 0:
        ended = f" a las {night.local(done.at):%H:%M del %d/%m}" if done.at else ""
        lines.append(f"La captura terminó{ended}.")
    elif done.at is None:
        lines.append(f"Faltan {done.remaining:,} actas y en la última hora no se capturó ninguna.")
    else:
        lines.append(
            f"Faltan {done.remaining:,} actas; al ritmo de la última hora ({done.per_hour:g} por hora) "
            f"terminaría a las {night.local(done.at):%H:%M del %d/%m}."
        )
    return "\n".join(lines)
