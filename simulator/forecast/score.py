"""Judges the forecast on nights that ended: one forecast every half hour, against what came after.

A forecast made at a moment uses nothing recorded later, and its prior leaves that night out. It reads
published result files (times of every acta) and saved cuts of a published curve (totals only). It draws
nothing and changes nothing in the model.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone
from pathlib import Path

import numpy as np

from core.errors import InputError, UsageError
from core.published.night import Night, build_night
from core.published.reader import read_published
from simulator.forecast.model import (
    CELL_H,
    CELL_MS,
    Filter,
    Floats,
    Ints,
    arrivals,
    registered,
)
from simulator.forecast.prior import prior_without
from simulator.scenario.base import MS_PER_HOUR, MS_PER_MINUTE

CLOSE_HOUR = 18
"""The polls close at 18:00 local time (LGIPE, artículo 285)."""
FIRST_SHARE = 0.01
"""Forecasts begin when one acta in a hundred is registered: before that there is nothing to continue."""
GAP_MS = 45 * MS_PER_MINUTE
"""Between two known points farther apart than this the curve is not taken to be known."""
LEVELS = (10, 50, 90)
COVERAGE = (70.0, 95.0)
"""Percent of later points inside the 80 % band between which the forecast is taken to be honest."""
CURVE_COLUMNS = ("scraped_at", "ultimo_corte", "hora_local", "actas_capturadas", "actas_esperadas")


@dataclass(frozen=True)
class PastCurve:
    """A night that ended, as the forecaster was seeing it.

    `at` are the ends of the cells, ms since the epoch; `registered` (and `arrived`, None when it was not
    published) are cumulative counts at those ends. `known_at` is when each cell was known, ms.
    `truth` are (ms, registered) points to be judged on.
    """

    key: str | None
    name: str
    expected: int
    close_ms: int
    utc_offset_hours: int
    at: Ints
    registered: Ints
    arrived: Ints | None
    known_at: Ints
    truth: tuple[tuple[int, int], ...]

    def hours(self, at: float) -> float:
        """Hours since the close of the polls."""
        return (at - self.close_ms) / MS_PER_HOUR

    def local(self, at: float) -> datetime:
        """A moment in the entity's time."""
        return datetime.fromtimestamp(at / 1000, timezone(timedelta(hours=self.utc_offset_hours)))


@dataclass(frozen=True)
class Scored:
    """One forecast: what it said (percent of the actas) at later points, and what happened."""

    at_ms: int
    seen: float
    """Percent registered when it was made."""
    points: Ints
    low: Floats
    middle: Floats
    high: Floats
    real: Floats
    straight: Floats
    """What the pace of the last hour, kept, would give: the forecast anybody makes with a ruler."""

    @property
    def inside(self) -> float:
        """Percent of the later points inside the band."""
        return float(((self.real >= self.low) & (self.real <= self.high)).mean()) * 100

    @property
    def width(self) -> float:
        """Mean width of the band, in points."""
        return float((self.high - self.low).mean())

    @property
    def error(self) -> float:
        """Error of the final share, in points (forecast less real)."""
        return float(self.middle[-1] - self.real[-1])


@dataclass(frozen=True)
class Score:
    """All the forecasts of a night."""

    curve: PastCurve
    every_min: int
    forecasts: tuple[Scored, ...]

    @property
    def coverage(self) -> float:
        """Percent inside the 80 % band, mean over the forecasts."""
        return float(np.mean([one.inside for one in self.forecasts]))

    @property
    def width(self) -> float:
        """Mean width of the band."""
        return float(np.mean([one.width for one in self.forecasts]))

    @property
    def error(self) -> float:
        """Mean absolute error of the median at every later point."""
        return float(np.mean([np.abs(one.middle - one.real).mean() for one in self.forecasts]))

    @property
    def straight_error(self) -> float:
        """The same error of the ruler."""
        return float(np.mean([np.abs(one.straight - one.real).mean() for one in self.forecasts]))

    @property
    def final_error(self) -> float:
        """Mean absolute error of the final share."""
        return float(np.mean([abs(one.error) for one in self.forecasts]))

    @property
    def honest(self) -> bool:
        """True when the coverage is inside its limits."""
        return COVERAGE[0] <= self.coverage <= COVERAGE[1]


def read_past(paths: Sequence[Path]) -> PastCurve:
    """The night of some published result files, or of one file of saved cuts.

    Raises InputError when a file is neither, and UsageError when they are of different nights.
    """
    first = paths[0].open(encoding="utf-8-sig", errors="replace").readline() if paths[0].is_file() else ""
    if set(CURVE_COLUMNS) <= set(first.strip().split(",")):
        if len(paths) > 1:
            raise UsageError("un archivo de cortes guardados es una noche entera: dé uno solo")
        return _saved_cuts(paths[0])
    return past_of(build_night([read_published(path, keep_ragged=True) for path in paths]))


def past_of(night: Night) -> PastCurve:
    """A night whose actas have their times published. Raises UsageError when they do not."""
    frame = night.frame
    done = np.sort(frame["verificacion"].dropna().to_numpy().astype("int64"))
    if len(done) < 100:
        raise UsageError(f"solo {len(done)} actas tienen hora de verificación; se necesitan 100")
    rows = frame[frame["verificacion"].notna() | frame["acopio"].notna()]
    came = rows[["acopio", "captura", "verificacion"]].min(axis=1).to_numpy().astype("int64")
    # An acopio that is missing or was set apart: the acta was surely there when it was captured.
    came.sort()
    close = _close_of_polls(int(done[0]), night.utc_offset_hours)
    begin = min(close, int(came[0]) // CELL_MS * CELL_MS)
    at = np.arange(begin + CELL_MS, night.cut_ms + 1, CELL_MS, dtype="int64")
    registered = np.searchsorted(done, at, side="right").astype("int64")
    half_hours = [int(t) for t in at if t % (MS_PER_HOUR // 2) == 0]
    return PastCurve(
        _key_of(night),
        night.name,
        night.expected,
        close,
        night.utc_offset_hours,
        at,
        registered,
        np.searchsorted(came, at, side="right").astype("int64"),
        at,
        tuple((t, int(np.searchsorted(done, t, side="right"))) for t in half_hours),
    )


def _key_of(night: Night) -> str | None:
    """The name of the night in the library of priors, so that it can be left out."""
    title = night.files[0].path.name.upper()
    year = night.local(night.cut_ms).year
    place = "puebla" if title.startswith("PUE") else "qroo" if "QROO" in title else ""
    rehearsal = night.local(night.cut_ms).month == 5
    return f"{place}-{year}{'-simulacro-1' if rehearsal else ''}" if place else None


def _close_of_polls(first_ms: int, offset_hours: int) -> int:
    """18:00 of the day whose operation had its first acta then (which may be before, in a rehearsal)."""
    local = first_ms + offset_hours * MS_PER_HOUR
    day = local // (24 * MS_PER_HOUR) * 24 * MS_PER_HOUR
    close = day + CLOSE_HOUR * MS_PER_HOUR - offset_hours * MS_PER_HOUR
    if first_ms < close - MS_PER_HOUR and local - day < 12 * MS_PER_HOUR:
        # A rehearsal in the morning: its clock begins an hour before its first acta.
        return first_ms // MS_PER_HOUR * MS_PER_HOUR - MS_PER_HOUR
    return min(close, first_ms // MS_PER_HOUR * MS_PER_HOUR)


def _saved_cuts(path: Path) -> PastCurve:
    """Cuts of a portal saved while the night went on: totals and the time of each cut."""
    times: list[int] = []
    totals: list[int] = []
    expected = 0
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        for row in reader:
            try:
                seen = datetime.fromisoformat(row["scraped_at"])
                clock = time.fromisoformat(row["hora_local"])
                total, expected = int(row["actas_capturadas"]), expected or int(row["actas_esperadas"])
            except (ValueError, TypeError) as error:
                raise InputError(path, reader.line_num, None, "un corte con sus horas", str(error)) from error
            moment = datetime.combine(seen.date(), clock)
            if moment > seen:
                moment -= timedelta(days=1)
            at = int(moment.replace(tzinfo=UTC).timestamp()) * 1000
            if not times or (at > times[-1] and total >= totals[-1]):
                times.append(at)
                totals.append(total)
    if len(times) < 5:
        raise InputError(path, message="tiene menos de cinco cortes distintos")
    # Local clock taken as it is: only differences and the hour of the day are used.
    close = _close_of_polls(times[0], 0)
    grid = np.arange(close + CELL_MS, times[-1] // CELL_MS * CELL_MS + 1, CELL_MS, dtype="int64")
    known_times, known = np.array([close, *times]), np.array([0, *totals])
    registered = np.rint(np.interp(grid, known_times, known)).astype("int64")
    after = np.searchsorted(known_times, grid, side="left")
    known_at = known_times[np.minimum(after, len(known_times) - 1)].astype("int64")
    truth: list[tuple[int, int]] = []
    for k in range(1, len(known_times)):
        before, here = int(known_times[k - 1]), int(known_times[k])
        if here - before > GAP_MS:
            truth.append((here, int(known[k])))
            continue
        mark = MS_PER_HOUR // 2
        for t in range((before // mark + 1) * mark, here + 1, mark):
            truth.append((t, round(float(np.interp(t, known_times, known)))))
    if truth[-1][0] != times[-1]:
        truth.append((times[-1], totals[-1]))
    year = datetime.fromtimestamp(times[0] / 1000, UTC).year
    place = path.stem.split("_")[0]
    return PastCurve(
        f"{place}-{year}", path.stem, expected, close, 0, grid, registered, None, known_at, tuple(truth)
    )


def score(
    curve: PastCurve,
    every_min: int = 30,
    replicas: int = 400,
    seed: int = 1,
    watcher: Callable[[int, int], None] | None = None,
) -> Score:
    """Forecast every `every_min` minutes from the first hundredth of the actas to the last half hour."""
    beliefs = Filter(curve.expected, prior_without(curve.key), seed)
    step = every_min * MS_PER_MINUTE
    last = curve.truth[-1][0]
    begin = curve.at[0] - CELL_MS
    forecasts: list[Scored] = []
    fed = 0
    moments = range(int(begin) // step * step + step, last, step)
    for number, now in enumerate(moments):
        while fed < len(curve.at) and curve.known_at[fed] <= now:
            _feed(beliefs, curve, fed)
            fed += 1
        if watcher is not None:
            watcher(number + 1, len(moments))
        fresh = fed > 0 and now - int(curve.at[fed - 1]) < max(step, CELL_MS * 2)
        if not fresh or curve.registered[fed - 1] < FIRST_SHARE * curve.expected:
            continue
        later = [(t, n) for t, n in curve.truth if t > now]
        forecasts.append(_forecast(beliefs, curve, fed - 1, now, later, replicas))
    if not forecasts:
        raise UsageError(f"{curve.name}: ningún pronóstico se puede juzgar con esos datos")
    return Score(curve, every_min, tuple(forecasts))


def _feed(beliefs: Filter, curve: PastCurve, k: int) -> None:
    served = int(curve.registered[k] - (curve.registered[k - 1] if k else 0))
    came = None
    if curve.arrived is not None:
        came = int(curve.arrived[k] - (curve.arrived[k - 1] if k else 0))
    beliefs.step(curve.hours(curve.at[k]) - CELL_H / 2, served, came)


def _forecast(
    beliefs: Filter, curve: PastCurve, k: int, now: int, later: list[tuple[int, int]], replicas: int
) -> Scored:
    base, start = int(curve.registered[k]), int(curve.at[k])
    points = np.array([t for t, _ in later], dtype="int64")
    cells = int(-(-(int(points[-1]) - start) // CELL_MS))
    paths = beliefs.forward(curve.hours(start), cells, replicas)
    done = registered(arrivals(paths), paths.capacity, paths)
    edges = start + CELL_MS * np.arange(cells + 1)
    padded = np.concatenate([np.zeros((len(done), 1)), done], axis=1) + base
    at_points = np.array([np.interp(points, edges, row) for row in padded]) * 100 / curve.expected
    low, middle, high = np.percentile(at_points, LEVELS, axis=0)
    hour_ago = int(curve.registered[max(0, k - 6)])
    pace = (base - hour_ago) / min(k + 1, 6) / CELL_MS
    straight = np.minimum(base + pace * (points - start), curve.expected) * 100 / curve.expected
    real = np.array([n for _, n in later]) * 100 / curve.expected
    return Scored(now, base * 100 / curve.expected, points, low, middle, high, real, straight)
