"""How a calibration is told: tables, JSON, charts and the TOML with the fitted numbers.

It fits and judges nothing; `simulator.calibrate` does.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.published.charts import BLUE, GREEN, ORANGE, SKY, VERMILION, Chart, Series, Span
from simulator.calibrate import CAPTURE_WORK_MS, VERIFY_WORK_MS, Fitted, HourRow, Judgement, Played, Traced

if TYPE_CHECKING:
    from rich.table import Table

FORMAT = 1
_KEYS = (
    "momentos_ms",
    "capturas_por_hora",
    "verificaciones_por_hora",
    "base_captura_ms",
    "base_verificacion_ms",
)


def report_data(traced: Traced, fitted: Fitted, judged: Judgement) -> dict[str, object]:
    """The whole report as JSON holds it; shares in percent, delays in minutes."""
    night = traced.night
    return {
        "noche": night.name,
        "archivos": [file.path.name for file in night.files],
        "actas_modeladas": len(traced.acopio),
        "actas_sin_horas_utiles": traced.left_out,
        "se_cumple": judged.met,
        "cotas": [
            {
                "clave": b.key,
                "cota": b.words,
                "peor": b.worst,
                "cumplen": b.held,
                "de": b.of,
                "se_cumple": b.met,
            }
            for b in judged.bounds
        ],
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
        "modelo": {
            "capturas_por_hora": dict(
                zip((night.local(at).isoformat() for at in fitted.knots_ms), fitted.per_hour, strict=True)
            ),
            "verificaciones_por_hora": fitted.verify_per_hour,
        },
    }


def _pair(pair: tuple[float, float] | None) -> dict[str, float] | None:
    return {"real": round(pair[0], 2), "modelo": round(pair[1], 2)} if pair else None


def summary(traced: Traced, judged: Judgement) -> str:
    """The verdict in words."""
    held = sum(bound.met for bound in judged.bounds)
    verdict = (
        "Se cumplen todas las cotas." if judged.met else f"Se cumplen {held} de {len(judged.bounds)} cotas."
    )
    return (
        f"{traced.night.name}: {len(traced.acopio):,} actas modeladas; {traced.left_out:,} capturadas sin "
        f"horas útiles quedan fuera.\nAjustado con las horas pares y juzgado con las nones. {verdict}\n"
        f"Error absoluto medio por acta: captura {judged.mae['captura']:.1f} min, "
        f"verificación {judged.mae['verificacion']:.1f} min."
    )


def tables(traced: Traced, judged: Judgement) -> tuple[Table, Table]:
    """The verdict by bound and the hours, as rich tables."""
    from rich.table import Table

    verdict = Table(title="Cotas, en las horas de juicio")
    for column in ("cota", "peor", "cumplen", "resultado"):
        verdict.add_column(column, justify="left" if column in ("cota", "resultado") else "right")
    for b in judged.bounds:
        verdict.add_row(
            b.words, f"{b.worst:g}", f"{b.held} de {b.of}", "se cumple" if b.met else "NO se cumple"
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
    values = (
        list(fitted.knots_ms),
        list(fitted.per_hour),
        fitted.verify_per_hour,
        list(fitted.capture_base_ms),
        list(fitted.verify_base_ms),
    )
    local = ", ".join(f"{traced.night.local(at):%H:%M}" for at in fitted.knots_ms)
    lines = [
        f"# Centro de captura ajustado a {traced.night.name} (prep calibrar).",
        f"# Momentos en hora local: {local}. Las bases son 101 cuantiles, en ms.",
        f"formato = {FORMAT}",
        f"trabajo_captura_ms = {CAPTURE_WORK_MS}",
        f"trabajo_verificacion_ms = {VERIFY_WORK_MS}",
        *(f"{key} = {value}" for key, value in zip(_KEYS, values, strict=True)),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_model(path: Path) -> Fitted:
    """A model written by `write_model`. Raises InputError when the file is not one."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), None, None, "un TOML escrito por prep calibrar", str(error)) from error
    if data.get("formato") != FORMAT:
        raise InputError(str(path), None, "formato", f"el número {FORMAT}", str(data.get("formato")))
    lists: list[tuple[int, ...]] = []
    for key in _KEYS:
        value = [data.get(key)] if key == _KEYS[2] else data.get(key)
        if not isinstance(value, list) or not value or not all(type(n) is int and n >= 0 for n in value):
            raise InputError(str(path), None, key, "números enteros no negativos", str(data.get(key)))
        lists.append(tuple(value))
    moments, sizes, verify, capture_base, verify_base = lists
    if len(moments) != len(sizes):
        raise InputError(str(path), None, _KEYS[1], f"{len(moments)} números", str(len(sizes)))
    for key, base in ((_KEYS[3], capture_base), (_KEYS[4], verify_base)):
        if len(base) != 101:
            raise InputError(str(path), None, key, "101 cuantiles", str(len(base)))
    return Fitted(moments, sizes, verify[0], capture_base, verify_base)


def write_json(data: dict[str, object], path: Path) -> None:
    """The report as a JSON file a person can read."""
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
