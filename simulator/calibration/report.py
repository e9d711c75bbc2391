"""How a calibration is told: tables, JSON, charts and the TOML with the fitted numbers.

It fits and judges nothing; `simulator.calibration.fit` does.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.foreign_text import foreign_str, toml_of
from core.published.charts import BLUE, GREEN, ORANGE, SKY, VERMILION, Chart, Series, Span
from simulator.calibration.delays import QUANTILES, Base, Bases
from simulator.calibration.fit import CAPTURE_WORK_MS, PLAYS, Fitted, Played
from simulator.calibration.judge import HourRow, Judgement
from simulator.calibration.scenario import Written
from simulator.calibration.traced import Traced

if TYPE_CHECKING:
    from rich.table import Table

FORMAT = 3


def percent(share: float) -> str:
    """A share of one as whole percent."""
    return f"{100 * share:.0f} %"


def report_data(traced: Traced, fitted: Fitted, judged: Judgement, swapped: Judgement) -> dict[str, object]:
    """The whole report as JSON holds it; shares in percent, delays in minutes. `swapped` is the verdict with
    the odd hours fitted and the even ones judged."""
    night = traced.night
    return {
        "noche": night.name,
        "archivos": [file.path.name for file in night.files],
        "actas_modeladas": len(traced.acopio),
        "actas_sin_horas_utiles": traced.left_out,
        "se_cumple": judged.met,
        "cotas": _bounds(judged),
        "cotas_mitades_intercambiadas": _bounds(swapped),
        "error_absoluto_medio_min": judged.mae,
        "paros": [
            {
                "real": [night.local(real.start).isoformat(), night.local(real.end).isoformat()],
                "simulado": [night.local(s.start).isoformat(), night.local(s.end).isoformat()] if s else None,
            }
            for real, s in judged.stops
        ],
        "horas": [
            {
                "hora": night.local(row.start_ms).isoformat(),
                "uso": "ajuste" if row.fitted else "juicio",
                "acopiadas": row.actas,
                "captura": _pair(row.captura),
                "verificacion": _pair(row.verificacion),
                "acopio_captura_min": _pair(row.wait),
                "captura_verificacion_min": _pair(row.check),
            }
            for row in judged.rows
        ],
        "orden_de_la_captura": {
            "explica_la_hora": round(judged.order.hour, 3),
            "explican_hora_y_territorio": round(judged.order.with_territory, 3),
            "explican_hora_y_medio": round(judged.order.with_medium, 3),
            "pares_en_turno": round(judged.order.in_turn, 3),
            "pares_en_turno_del_mismo_territorio": round(judged.order.in_turn_apart, 3),
        },
        "modelo": {
            "capturas_por_hora": dict(
                zip((night.local(at).isoformat() for at in fitted.starts_ms), fitted.per_hour, strict=True)
            ),
            "grupos": "uno por territorio" if fitted.by_territory else "uno",
            "turno": "en orden de llegada" if fitted.in_turn else "cualquiera de las que esperan",
            "noches_jugadas": PLAYS,
        },
    }


def _bounds(judged: Judgement) -> list[dict[str, object]]:
    return [
        {
            "clave": b.key,
            "cota": b.words,
            "peor": b.worst,
            "cumplen": b.held,
            "de": b.of,
            "se_cumple": b.met,
        }
        for b in judged.bounds
    ]


def _pair(pair: tuple[float, float] | None) -> dict[str, float] | None:
    return {"real": round(pair[0], 2), "modelo": round(pair[1], 2)} if pair else None


def summary(traced: Traced, judged: Judgement, swapped: Judgement) -> str:
    """The verdict in words."""
    held = sum(bound.met for bound in judged.bounds)
    verdict = (
        "Se cumplen todas las cotas." if judged.met else f"Se cumplen {held} de {len(judged.bounds)} cotas."
    )
    return (
        f"{traced.night.name}: {len(traced.acopio):,} actas modeladas; {traced.left_out:,} capturadas sin "
        f"horas útiles quedan fuera.\nAjustado con las horas pares y juzgado con las nones. {verdict} "
        f"Con las mitades intercambiadas se cumplen {sum(b.met for b in swapped.bounds)} de "
        f"{len(swapped.bounds)}.\n"
        f"Error absoluto medio por acta: captura {judged.mae['captura']:.1f} min, "
        f"verificación {judged.mae['verificacion']:.1f} min.\n"
        f"¿Una sola fila en orden de llegada? La hora de acopio explica {percent(judged.order.hour)} de la "
        f"espera y, con el territorio, {percent(judged.order.with_territory)}; de los pares de actas que "
        f"coincidieron en espera, {percent(judged.order.in_turn)} se capturó en orden "
        f"({percent(judged.order.in_turn_apart)} dentro de un territorio)."
    )


def scenario_data(traced: Traced, written: Written) -> dict[str, object]:
    """The scenario written, beside the real curve (percent of the expected actas of each)."""
    return {
        "archivo": written.path.name,
        "catalogo": written.scenario.catalog,
        "curva_peor_puntos": round(written.worst, 2),
        "curva": [
            {"hora": traced.night.local(at).isoformat(), **(_pair((real, model)) or {})}
            for at, real, model in written.hours
        ],
    }


def scenario_words(written: Written) -> str:
    """How near the scenario comes, in words."""
    return (
        f"Escenario {written.path.name} para {written.scenario.catalog}: curva del escenario a "
        f"{written.worst:.1f} puntos de la real en su peor hora (cálculo rápido, sin motor)."
    )


def tables(traced: Traced, judged: Judgement, swapped: Judgement) -> tuple[Table, Table]:
    """The verdict by bound and the hours, as rich tables."""
    from rich.table import Table

    verdict = Table(title="Cotas, en las horas de juicio")
    for column in ("cota", "peor", "cumplen", "resultado", "mitades intercambiadas"):
        verdict.add_column(column, justify="right" if column in ("peor", "cumplen") else "left")
    others = {b.key: b for b in swapped.bounds}
    for b in judged.bounds:
        verdict.add_row(
            b.words,
            f"{b.worst:g}",
            f"{b.held} de {b.of}",
            "se cumple" if b.met else "NO se cumple",
            f"{others[b.key].held} de {others[b.key].of}, peor {others[b.key].worst:g}",
        )
    hours = Table(title="Por hora: real / modelo (% de las actas al final de la hora; medianas en minutos)")
    for column in (
        "hora",
        "uso",
        "acopiadas",
        "captura %",
        "verificación %",
        "acopio→captura",
        "captura→verif.",
    ):
        hours.add_column(column, justify="left" if column in ("hora", "uso") else "right")
    for row in judged.rows:
        hours.add_row(*_cells(traced, row))
    return verdict, hours


def _cells(traced: Traced, row: HourRow) -> list[str]:
    def pair(values: tuple[float, float] | None) -> str:
        return f"{values[0]:.1f} / {values[1]:.1f}" if values else "pocas"

    return [
        f"{traced.night.local(row.start_ms):%d %H:%M}",
        "ajuste" if row.fitted else "juicio",
        f"{row.actas:,}",
        pair(row.captura),
        pair(row.verificacion),
        pair(row.wait),
        pair(row.check),
    ]


def charts(traced: Traced, played: Played, judged: Judgement) -> list[Chart]:
    """Curves and delays, real beside modelled."""
    night = traced.night
    marks = np.arange(traced.acopio.min(), traced.verificacion.max() + 600_000, 600_000)
    x = [night.local(int(at)).replace(tzinfo=None) for at in marks]
    curves = []
    for name, times, colour, dash in (
        ("acopio (dato)", traced.acopio, BLUE, "dot"),
        ("captura real", traced.captura, VERMILION, "solid"),
        ("captura del modelo", played.captura, ORANGE, "dash"),
        ("verificación real", traced.verificacion, GREEN, "solid"),
        ("verificación del modelo", played.verificacion, SKY, "dash"),
    ):
        counts = np.searchsorted(np.sort(times), marks, side="right")
        curves.append(Series(name, x, (counts * 100 / len(times)).tolist(), colour, dash=dash))
    spans = tuple(
        Span(
            night.local(s.start).replace(tzinfo=None),
            night.local(s.end).replace(tzinfo=None),
            f"paro de {s.minutes:.0f} min",
        )
        for s in traced.stops
    )
    subtitle = f"{night.name} · {len(traced.acopio):,} actas modeladas · hora local"
    source = "Fuente: " + ", ".join(file.path.name for file in night.files)
    known = [(row.start_ms, row.wait) for row in judged.rows if row.wait is not None]
    hours = [night.local(at + 1_800_000).replace(tzinfo=None) for at, _ in known]
    delays = [
        Series("real", hours, [pair[0] for _, pair in known], VERMILION),
        Series("modelo", hours, [pair[1] for _, pair in known], ORANGE, dash="dash"),
    ]
    return [
        Chart("calibracion-curvas", "La noche real y la del modelo", subtitle, "hora",
              "% de las actas modeladas", curves, spans, y_max=100, source=source),
        Chart("calibracion-demoras", "Mediana de acopio a captura por hora de acopio", subtitle, "hora",
              "minutos", delays, spans, source=source),
    ]  # fmt: skip


def write_model(fitted: Fitted, traced: Traced, path: Path) -> None:
    """The fitted numbers as TOML, to be read by `read_model` or by a person."""
    local = ", ".join(f"{traced.night.local(at):%H:%M}" for at in fitted.starts_ms)
    lines = [
        f"# Centro de captura ajustado a {traced.night.name} (prep calibrar).",
        f"# La capacidad rige desde, en hora local: {local}.",
        f"formato = {FORMAT}",
        f"trabajo_captura_ms = {CAPTURE_WORK_MS}",
        f"grupos_por_territorio = {'true' if fitted.by_territory else 'false'}",
        f"en_orden_de_llegada = {'true' if fitted.in_turn else 'false'}",
        f"momentos_ms = {list(fitted.starts_ms)}",
        f"capturas_por_hora = {list(fitted.per_hour)}",
    ]
    lines += ["", f"# Demoras que no ocupan a nadie: {QUANTILES} cuantiles en ms en cada momento."]
    for key, bases in (("base_captura", fitted.capture_base), ("base_verificacion", fitted.verify_base)):
        for base in bases:
            lines += [
                "",
                f"[[{key}]]",
                f"contienda = {json.dumps(base.contest)}",
                f"momentos_ms = {list(base.at_ms)}",
                f"actas = {list(base.actas)}",
                f"cuantiles_ms = {[list(row) for row in base.quantiles]}",
            ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_model(path: Path) -> Fitted:
    """A model written by `write_model`. Raises InputError when the file is not one."""
    try:
        data = toml_of(foreign_str(path))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), None, None, "un TOML escrito por prep calibrar", str(error)) from error
    if data.get("formato") != FORMAT:
        raise InputError(str(path), None, "formato", f"el número {FORMAT}", str(data.get("formato")))
    starts = _numbers(path, data, "", "momentos_ms")
    sizes = _numbers(path, data, "", "capturas_por_hora", len(starts))
    apart, in_turn = (_switch(path, data, key) for key in ("grupos_por_territorio", "en_orden_de_llegada"))
    capture, verify = (_read_bases(path, data, key) for key in ("base_captura", "base_verificacion"))
    return Fitted(starts, sizes, capture, verify, apart, in_turn)


def _switch(path: Path, data: dict[str, object], key: str) -> bool:
    value = data.get(key)
    if not isinstance(value, bool):
        raise InputError(str(path), None, key, "true o false", str(value))
    return value


def _numbers(
    path: Path, table: dict[str, object], prefix: str, key: str, count: int | None = None
) -> tuple[int, ...]:
    value = table.get(key)
    if not isinstance(value, list) or not value or not all(type(n) is int and n >= 0 for n in value):
        raise InputError(str(path), None, prefix + key, "números enteros no negativos", str(value))
    if count is not None and len(value) != count:
        raise InputError(str(path), None, prefix + key, f"{count} números", str(len(value)))
    return tuple(value)


def _read_bases(path: Path, data: dict[str, object], key: str) -> Bases:
    tables = data.get(key)
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise InputError(str(path), None, key, "una tabla por contienda", str(tables)[:60])
    return tuple(_read_base(path, table, key) for table in tables)


def _read_base(path: Path, table: dict[str, object], key: str) -> Base:
    contest = table.get("contienda")
    if not isinstance(contest, str):
        raise InputError(str(path), None, f"{key}.contienda", "un texto", str(contest))
    at = _numbers(path, table, f"{key}.", "momentos_ms")
    actas = _numbers(path, table, f"{key}.", "actas", len(at))
    rows = table.get("cuantiles_ms")
    if not isinstance(rows, list) or len(rows) != len(at):
        raise InputError(str(path), None, f"{key}.cuantiles_ms", f"{len(at)} listas", str(rows)[:60])
    quantiles = tuple(
        _numbers(path, {"cuantiles_ms": row}, f"{key}.", "cuantiles_ms", QUANTILES) for row in rows
    )
    return Base(contest, at, actas, quantiles)


def write_json(data: dict[str, object], path: Path) -> None:
    """The report as a JSON file a person can read."""
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
