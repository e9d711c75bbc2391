"""What each chart of a report shows. How it is drawn is `svg` and `png`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from core.documents.document import COLOURS, Bars, Curve, Lane, Line
from core.published.charts import BLUE, GREEN, ORANGE, SKY, VERMILION
from simulator.rehearsal.data import Rehearsal

WORST = 20
"""CATDs drawn: the ones that ended with the least share captured."""
MOST_LANES = 8
MOST_LETTERS = 110
"""Of the label of an incident, which has a line of its own as wide as the chart."""


def progress(rehearsal: Rehearsal) -> Curve:
    """Captured, counted and with image, with the cuts and the incidents below."""
    data = rehearsal.data
    size = max(1, data["total"]["esperadas"])
    start = rehearsal.start
    cuts = [(_minute(start, one["hora"]), one) for one in data["avance_por_corte"]]
    captured = tuple((float(p["minuto"]), p["registradas"] * 100 / size) for p in data["avance"])
    lines = [Line("capturadas", BLUE, captured)]
    if cuts:
        lines.append(Line("con imagen", GREEN, tuple((at, one["con_imagen_pct"]) for at, one in cuts)))
        counted = tuple((at, one["contabilizadas_pct"]) for at, one in cuts)
        lines.append(Line("contabilizadas", VERMILION, counted, dashed=True))
    length = float(data["comparacion"]["duracion_min"])
    longest = sorted(
        enumerate(data["incidentes"], start=1),
        key=lambda item: (item[1]["desde_min"] - item[1]["hasta_min"], item[0]),
    )[:MOST_LANES]
    lanes = tuple(
        Lane(
            _cut_short(f"{number}. {one['nombre']}", MOST_LETTERS),
            float(one["desde_min"]),
            float(one["hasta_min"]),
        )
        for number, one in sorted(longest)
    )
    missed = tuple(_minute(start, one["hora"]) for one in data["cortes_no_publicados"])
    return Curve(
        "avance", "Avance del simulacro", "Porcentaje de las actas esperadas; abajo, cortes e incidentes",
        tuple(lines), _hours(start, length), length, lanes, tuple(at for at, _ in cuts), missed,
    )  # fmt: skip


def _minute(start: datetime, moment: str) -> float:
    return (datetime.fromisoformat(moment) - start).total_seconds() / 60


def _hours(start: datetime, length: float) -> tuple[tuple[float, str], ...]:
    """Ticks at whole hours, at most ten or so."""
    first = (60 - start.minute) % 60
    step = 60 * max(1, round(length / 60 / 9))
    ticks = []
    at = first
    while at <= length:
        ticks.append((float(at), f"{start + timedelta(minutes=at):%H:%M}"))
        at += step
    return tuple(ticks)


def together(rehearsals: Sequence[Rehearsal]) -> Curve:
    """The captured curve of every rehearsal, from its start."""
    lines, length = [], 0.0
    for position, one in enumerate(rehearsals):
        size = max(1, one.data["total"]["esperadas"])
        points = tuple((float(p["minuto"]), p["registradas"] * 100 / size) for p in one.data["avance"])
        colour = COLOURS[position % len(COLOURS)]
        lines.append(Line(one.name, colour, points, dashed=position % 2 == 1))
        length = max(length, float(one.data["comparacion"]["duracion_min"]))
    step = 60 * max(1, round(length / 60 / 9))
    ticks = tuple((float(at), f"{at // 60} h") for at in range(0, int(length) + 1, step))
    return Curve(
        "comparacion", "Avance de cada simulacro", "Porcentaje capturado de las actas esperadas",
        tuple(lines), ticks, length,
    )  # fmt: skip


def places(rows: Sequence[dict[str, Any]]) -> Bars:
    """The CATDs with the least share captured."""
    worst = sorted(rows, key=lambda one: (one["capturadas_pct"], -one["esperadas"], one["catd"]))[:WORST]
    names = tuple(f"{_short(one['nombre'])} ({one['esperadas']:,})" for one in worst)
    return Bars(
        "catd", f"Los {len(worst)} CATD con menor porcentaje capturado",
        "Porcentaje de sus actas esperadas (entre paréntesis, cuántas)", names,
        (
            ("capturadas", SKY, tuple(one["capturadas_pct"] for one in worst)),
            ("contabilizadas", BLUE, tuple(one["contabilizadas_pct"] for one in worst)),
        ),
        "%",
    )  # fmt: skip


def _short(name: str) -> str:
    return _cut_short(name.removeprefix("CATD "), 38)


def _cut_short(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def steps(rows: Sequence[dict[str, Any]]) -> Bars:
    """How long each step takes."""
    told = [one for one in rows if one["mediana_min"] is not None]
    return Bars(
        "tiempos", "Cuánto tarda cada paso", "Minutos por acta",
        tuple(one["paso"] for one in told),
        (
            ("percentil 90", ORANGE, tuple(one["p90_min"] for one in told)),
            ("mediana", BLUE, tuple(one["mediana_min"] for one in told)),
        ),
        "min",
    )  # fmt: skip
