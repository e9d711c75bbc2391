"""Writes a runnable scenario that looks like a calibrated night: its arrivals and its capacity.

Shares and times are those of the night; sizes are those of the included catalogue the scenario runs on,
so that people come in proportion to the expected actas of each. Arrivals are fitted by channel: the
phone gives the end of the count, the scanner the travel after it. The capacity becomes shifts of one hour
(people of the total stops are sent home for as long as they last). What a scenario is not given stays as
its defaults: contents, errors, links. `calibrate_curve` tells how near the curve comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.catalogs import open_catalog
from core.published.analysis import HOUR_MS, MINUTE_MS
from simulator.calibration.curve import captured_at, share_by
from simulator.calibration.fit import Fitted
from simulator.calibration.traced import Traced
from simulator.scenario.document import Scenario
from simulator.scenario.file import load_scenario

NAME = "calibrado"
CAPTURE_S, CAPTURE_SIGMA = 75.0, 0.35
"""Service time of one capture in the scenario: its default. Capacity is fitted with people."""
PHOTO_MIN = 2.0
SUCCESS = 0.95
BASE_MIN = 60.0
LONGEST_HOURS = 26
SHARES = np.arange(5, 100, 5)
"""Quantiles of the arrivals that are fitted."""
TRIED = 4_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arriving:
    """Arrivals in minutes since the start: medians, dispersions, and the packages left behind."""

    count_min: float
    count_sigma: float
    travel_min: float
    travel_sigma: float
    late_share: float
    late_min: float


@dataclass(frozen=True)
class Written:
    """The scenario written and how near its curve of capture is to the real one, in points, by hour."""

    path: Path
    scenario: Scenario
    hours: tuple[tuple[int, float, float], ...]
    """(moment in ms, real percent of the expected actas, percent of the scenario)."""

    @property
    def worst(self) -> float:
        """The largest difference of the curve at the end of an hour, in points."""
        return max(abs(model - real) for _, real, model in self.hours)


def write_scenario(traced: Traced, fitted: Fitted, catalog: str, folder: Path, seed: int = 1) -> Written:
    """Write `calibrado.toml` for an included catalogue and compare its curve with the real one.

    Raises UsageError when there is no such catalogue.
    """
    opened = open_catalog(catalog, folder)
    start, hours = _calendar(traced)
    begin = round(start.timestamp() * 1000)
    path = folder / f"{NAME}.toml"
    contests = list(opened.contests)
    scale = len(opened.actas) / traced.night.expected
    text = _text(traced, fitted, catalog, contests, scale, start, hours)
    path.write_text(text, encoding="utf-8")
    scenario = load_scenario(path).scenario
    times = captured_at(opened, scenario, seed)
    marks = [begin + hour * HOUR_MS for hour in range(1, hours + 1)]
    model = share_by(times, [at - begin for at in marks], len(opened.actas))
    real = share_by(np.sort(traced.captura), marks, traced.night.expected)
    return Written(path, scenario, tuple(zip(marks, real, model, strict=True)))


def _calendar(traced: Traced) -> tuple[datetime, int]:
    """18:00 of the day of the first acopio (of the day before after midnight), and the hours to the end."""
    first = traced.night.local(int(traced.acopio[0]))
    start = (first - timedelta(hours=12)).replace(hour=18, minute=0, second=0, microsecond=0)
    if start > first:
        start = first.replace(minute=0, second=0, microsecond=0)
    span = int(traced.captura.max()) - round(start.timestamp() * 1000)
    return start, min(LONGEST_HOURS, -(-span // HOUR_MS))


def arriving(traced: Traced, begin_ms: int) -> tuple[float, Arriving]:
    """Share of the modelled actas that came by phone, and the arrivals fitted to both channels."""
    minutes = (traced.acopio - begin_ms) / MINUTE_MS
    phone = traced.medium == "MOVIL"
    share = float(phone.mean())
    # Nobody photographed: the count is taken to end half way to the CATD.
    shot = minutes[phone] - PHOTO_MIN if phone.sum() >= 100 else minutes / 2
    low, middle, high = np.percentile(np.maximum(shot, 1.0), (25, 50, 75))
    count_sigma = max(0.05, log(high / low) / 1.349)
    real = np.percentile(minutes[~phone], SHARES)
    fitted = _fit_travel(float(middle), count_sigma, real)
    return share, Arriving(float(middle), count_sigma, *fitted)


def _fit_travel(count_min: float, count_sigma: float, real: Floats) -> tuple[float, float, float, float]:
    """Travel (median, sigma) and late packages (share, median) whose arrivals have these quantiles."""
    # Imported here: it takes long to load and only this needs it.
    from scipy.optimize import minimize
    from scipy.special import ndtri

    grid = (np.arange(TRIED) + 0.5) / TRIED
    draws = [ndtri(np.mod(grid[0] + np.arange(TRIED) * step, 1.0)) for step in (0.61803399, 0.41421356)]
    late_draw = np.mod(np.arange(TRIED) * 0.73205081, 1.0)
    late_size = np.exp(0.5 * ndtri(np.mod(0.5 / TRIED + np.arange(TRIED) * 0.23606798, 1.0)))
    counted = count_min * np.exp(count_sigma * draws[0])

    def wrong(x: Floats) -> float:
        travel, sigma, share, late = _bounded(x)
        came = counted + travel * np.exp(sigma * draws[1]) + np.where(late_draw < share, late * late_size, 0)
        return float(((np.percentile(came, SHARES) - real) ** 2).mean())

    middle = max(10.0, float(np.median(real)) - count_min)
    starts = [np.array([log(middle), 0.7, share, log(300.0)]) for share in (0.05, 0.3)]
    best = min((minimize(wrong, x, method="Nelder-Mead") for x in starts), key=lambda found: float(found.fun))
    return _bounded(best.x)


def _bounded(x: Floats) -> tuple[float, float, float, float]:
    """What the minimiser moves freely, within what a scenario accepts."""
    low, high = log(1.0), log(1_500.0)
    return (
        exp(min(high, max(low, float(x[0])))),
        min(2.0, max(0.05, float(x[1]))),
        min(0.9, max(0.0, float(x[2]))),
        exp(min(high, max(low, float(x[3])))),
    )


def _shifts(traced: Traced, fitted: Fitted, scale: float, begin_ms: int, hours: int) -> list[str]:
    """One shift an hour, broken by the total stops; the people are those two captures an acta need."""
    per_person = HOUR_MS / (2 * CAPTURE_S * 1000 * exp(CAPTURE_SIGMA**2 / 2))
    lines = []
    for hour in range(hours):
        start, end = begin_ms + hour * HOUR_MS, begin_ms + (hour + 1) * HOUR_MS
        minutes = np.arange(start, end, MINUTE_MS)
        piece = np.maximum(0, np.searchsorted(fitted.starts_ms, minutes, side="right") - 1)
        rate = float(np.array(fitted.per_hour)[piece].mean()) * scale
        people = max(2, round(rate / per_person))
        for since, until in _around(start, end, traced.pauses):
            lines += [
                "", "[[personal.capturistas]]", f"personas = {people}",
                f"desde_min = {(since - begin_ms) / MINUTE_MS:.2f}",
                f"hasta_min = {(until - begin_ms) / MINUTE_MS:.2f}",
            ]  # fmt: skip
    return lines


def _around(start: int, end: int, pauses: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    left = [(start, end)]
    for begin, finish in pauses:
        left = [
            piece
            for a, b in left
            for piece in ((a, min(b, begin)), (max(a, finish), b))
            if piece[1] - piece[0] >= MINUTE_MS
        ]
    return left


def _text(
    traced: Traced,
    fitted: Fitted,
    catalog: str,
    contests: list[str],
    scale: float,
    start: datetime,
    hours: int,
) -> str:
    begin = round(start.timestamp() * 1000)
    phone, plan = arriving(traced, begin)
    seen = len(traced.acopio) / traced.night.expected
    # Photographed actas are never missing; the rest of what never came had no envelope.
    missing = min(1.0, max(0.0, (1 - seen) / (1 - phone * seen)))
    ballots = max(1, len(traced.night.files))
    base = min(BASE_MIN, plan.count_min / 2)
    envelopes = ", ".join(f"{contest} = {missing:.4f}" for contest in contests)
    lines = [
        f"# Escrito por prep calibrar con {traced.night.name}; véase docs/calibracion.md.",
        "formato = 1",
        f'nombre = "{NAME}"',
        f'titulo = "Como {traced.night.name}"',
        'descripcion = "Llegadas por canal y capacidad de captura ajustadas a una noche real."',
        f'catalogo = "{catalog}"',
        "",
        "[calendario]",
        f"inicio = {start.isoformat()}",
        f"fin = {(start + timedelta(hours=hours)).isoformat()}",
        "",
        "[prep_casilla]",
        f"adopcion = {min(1.0, phone * seen / SUCCESS):.4f}",
        f"exito = {SUCCESS}",
        "",
        "[llegadas]",
        f"boletas = {ballots}",
        f"conteo_base_min = {base:.1f}",
        f"conteo_por_boleta_min = {(plan.count_min - base) / ballots:.1f}",
        f"conteo_sigma = {plan.count_sigma:.3f}",
        "conteo_no_urbana_factor = 1.0",
        f"traslado_urbana_min = {plan.travel_min:.1f}",
        f"traslado_no_urbana_min = {plan.travel_min:.1f}",
        f"traslado_sigma = {plan.travel_sigma:.3f}",
        f"tardias = {plan.late_share:.4f}",
        f"tardias_min = {plan.late_min:.1f}",
        "",
        "[sobres]",
        f"sin_sobre = {{ {envelopes} }}",
        "catd_que_marcan = 0.0",
        "",
        "[tiempos]",
        f"captura = {{ mediana_s = {CAPTURE_S:g}, sigma = {CAPTURE_SIGMA:g} }}",
        "",
        "[personal]",
        "actas_por_acopiador = 200",
        "actas_por_digitalizador = 120",
        "resolutores = 16",
        *_shifts(traced, fitted, scale, begin, hours),
    ]
    return "\n".join(lines) + "\n"
