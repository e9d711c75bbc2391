"""What an analyst works out by hand after a rehearsal or a night, as pure functions of a `Night`.

Shares are in ten-thousandths of a percent, truncated, over the expected actas; times are
milliseconds since the epoch; delays are minutes. Nothing here prints, draws or reads files.
Actas marked sin acta have no times in the structure of 2024: they count as captured and never
appear in a curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.domain.counters import percent
from core.published.night import PHASES, Night
from core.published.row_facts import CAPTURED, OUTSIDE

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
TEN_MINUTES_MS = 10 * MINUTE_MS

QUANTILES = (5, 25, 50, 75, 90, 95, 99)
STAGES = (("acopio", "captura"), ("captura", "verificacion"), ("acopio", "verificacion"))

STOP_MIN_MS = 5 * MINUTE_MS
"""Shorter silences are not looked at."""
STOP_WINDOW_MS = 30 * MINUTE_MS
"""What is usual is measured on this stretch before and after the silence."""
STOP_MIN_MISSED = 15
"""A silence is a stop when at least this many actas should have come at the slower of both rates."""

Times = NDArray[np.float64]


def _sorted_times(night: Night, phase: str) -> Times:
    return np.sort(night.frame[phase].dropna().to_numpy(dtype="float64"))


def grid(night: Night, step_ms: int) -> Times:
    """Marks of the local clock every `step_ms`, from before the first event to after the last one."""
    every = [_sorted_times(night, phase) for phase in PHASES]
    filled = [times for times in every if len(times)]
    if not filled:
        return np.array([], dtype="float64")
    offset = night.utc_offset_hours * HOUR_MS
    first = (min(t[0] for t in filled) + offset) // step_ms * step_ms - offset
    last = ((max(t[-1] for t in filled) + offset) // step_ms + 1) * step_ms - offset
    return np.arange(first, last + 1, step_ms, dtype="float64")


def curve(night: Night, step_ms: int = HOUR_MS) -> pd.DataFrame:
    """Cumulative actas and shares by each mark of the clock, and those waiting.

    Columns: at, acopio, captura, verificacion (actas up to and including that moment),
    share_* of each, waiting_captura and waiting_verificacion (arrived and not yet done; actas
    outside the catalogue are never captured and do not wait).
    """
    marks = grid(night, step_ms)
    table = pd.DataFrame({"at": marks})
    for phase in PHASES:
        counts = np.searchsorted(_sorted_times(night, phase), marks, side="right")
        table[phase] = counts
        table[f"share_{phase}"] = [percent(int(n), night.expected) for n in counts]
    inside = night.frame[night.frame["status"] != OUTSIDE]
    for name, before, after in (
        ("waiting_captura", "acopio", "captura"),
        ("waiting_verificacion", "captura", "verificacion"),
    ):
        # Only actas whose arrival is known: one with its acopio set apart cannot be seen waiting.
        known = inside[inside[before].notna()]
        came = np.sort(known[before].to_numpy(dtype="float64"))
        left = known[after].where(known[after] >= known[before], known[before])
        done = np.sort(left.dropna().to_numpy(dtype="float64"))
        table[name] = np.searchsorted(came, marks, side="right") - np.searchsorted(done, marks, side="right")
    return table


def rates(night: Night, step_ms: int) -> pd.DataFrame:
    """Actas of each phase in each interval of the local clock: at (its beginning) and a column per phase."""
    marks = grid(night, step_ms)
    table = pd.DataFrame({"at": marks[:-1]})
    for phase in PHASES:
        times = _sorted_times(night, phase)
        edges = np.searchsorted(times, marks, side="left")
        table[phase] = np.diff(edges)
    return table


def peaks(night: Night) -> dict[str, dict[str, tuple[int, float]]]:
    """Busiest minute, ten minutes and hour of each phase: (actas, beginning)."""
    found: dict[str, dict[str, tuple[int, float]]] = {phase: {} for phase in PHASES}
    for name, step in (("minuto", MINUTE_MS), ("diez_minutos", TEN_MINUTES_MS), ("hora", HOUR_MS)):
        table = rates(night, step)
        for phase in PHASES:
            if len(table) and table[phase].max() > 0:
                top = int(table[phase].to_numpy().argmax())
                found[phase][name] = (int(table[phase].iloc[top]), float(table["at"].iloc[top]))
    return found


def stage_minutes(frame: pd.DataFrame, before: str, after: str) -> Times:
    """Minutes from one phase to another, of the actas that have both, in order."""
    minutes = (frame[after] - frame[before]).dropna().to_numpy(dtype="float64") / MINUTE_MS
    return np.asarray(minutes[minutes >= 0], dtype="float64")


def quantiles(minutes: Times) -> dict[str, float]:
    """The quantiles of `QUANTILES`, in minutes to two decimals; empty without data."""
    if len(minutes) == 0:
        return {}
    values = np.percentile(minutes, QUANTILES)
    return {f"p{q}": round(float(v), 2) for q, v in zip(QUANTILES, values, strict=True)}


def delays(night: Night) -> dict[str, dict[str, float]]:
    """Quantiles of each stage: `acopio_captura`, `captura_verificacion`, `acopio_verificacion`."""
    answer: dict[str, dict[str, float]] = {}
    for before, after in STAGES:
        minutes = stage_minutes(night.frame, before, after)
        answer[f"{before}_{after}"] = {"actas": float(len(minutes)), **quantiles(minutes)}
    return answer


def delays_by_hour(night: Night) -> pd.DataFrame:
    """Acopio to captura by the hour of acopio: at, actas, p50, p90 (minutes)."""
    frame = night.frame[night.frame["acopio"].notna() & night.frame["captura"].notna()]
    offset = night.utc_offset_hours * HOUR_MS
    hours = (frame["acopio"] + offset) // HOUR_MS * HOUR_MS - offset
    rows = []
    for at, group in frame.groupby(hours):
        minutes = stage_minutes(group, "acopio", "captura")
        if len(minutes):
            median, ninety = np.percentile(minutes, (50, 90))
            rows.append((float(str(at)), len(minutes), round(float(median), 2), round(float(ninety), 2)))
    return pd.DataFrame(rows, columns=["at", "actas", "p50", "p90"])


def channels(night: Night) -> list[dict[str, object]]:
    """By origin and medium: actas with image, their share, and quantiles of acopio to captura."""
    frame = night.frame[(night.frame["origin"] != "") & ~night.frame["sin_acta"]]
    total = len(frame)
    answer: list[dict[str, object]] = []
    for (origin, medium), group in frame.groupby(["origin", "medium"], sort=False):
        answer.append(
            {
                "origen": str(origin),
                "digitalizacion": str(medium),
                "actas": len(group),
                "porcentaje": percent(len(group), total),
                "acopio_captura": quantiles(stage_minutes(group, "acopio", "captura")),
                "captura_verificacion": quantiles(stage_minutes(group, "captura", "verificacion")),
            }
        )
    return sorted(answer, key=lambda item: (str(item["origen"]), str(item["digitalizacion"])))


@dataclass(frozen=True, slots=True)
class Stop:
    """A silence much longer than usual. `phase` is one of PHASES, or 'total' when nothing moved at all.

    `missed` are the actas that should have come at the slower of the rates around it.
    """

    phase: str
    start: float
    end: float
    missed: int

    @property
    def minutes(self) -> float:
        """Its length."""
        return (self.end - self.start) / MINUTE_MS


def stops(night: Night) -> list[Stop]:
    """Stops of the flow, by phase and total, by their beginning."""
    by_phase = {phase: _sorted_times(night, phase) for phase in PHASES}
    found = [stop for phase, times in by_phase.items() for stop in _silences(phase, times)]
    everything = np.sort(np.concatenate(list(by_phase.values()))) if by_phase else np.array([])
    found += _silences("total", everything)
    return sorted(found, key=lambda stop: (stop.start, stop.phase != "total", stop.phase))


def _silences(phase: str, times: Times) -> list[Stop]:
    found: list[Stop] = []
    if len(times) < 2:
        return found
    gaps = np.diff(times)
    for i in np.flatnonzero(gaps >= STOP_MIN_MS):
        start, end = float(times[i]), float(times[i + 1])
        before = np.searchsorted(times, start, "right") - np.searchsorted(
            times, start - STOP_WINDOW_MS, "left"
        )
        after = np.searchsorted(times, end + STOP_WINDOW_MS, "right") - np.searchsorted(times, end, "left")
        missed = int(min(before, after) * (end - start) / STOP_WINDOW_MS)
        if missed >= STOP_MIN_MISSED:
            found.append(Stop(phase, start, end, missed))
    return found


def observations(night: Night) -> pd.DataFrame:
    """Rows by observation: observation, actas, share of all rows, counted; the commonest first."""
    total = len(night.frame)
    grouped = night.frame.groupby("observation")["counted"].agg(["size", "sum"]).reset_index()
    grouped.columns = pd.Index(["observation", "actas", "counted"])
    grouped["share"] = [percent(int(n), total) for n in grouped["actas"]]
    return grouped.sort_values(["actas", "observation"], ascending=[False, True]).reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class Finish:
    """When the capture would end at the pace of the last `window_minutes`. `at` is None if it would not."""

    remaining: int
    window_minutes: int
    per_hour: float
    at: float | None


def finish(night: Night, window_minutes: int = 60) -> Finish:
    """Estimated end of the capture at the rate of the last stretch before the cut."""
    remaining = night.expected - night.captured
    times = _sorted_times(night, "captura")
    window = window_minutes * MINUTE_MS
    recent = int((times > night.cut_ms - window).sum())
    per_hour = recent * 60 / window_minutes
    if remaining <= 0:
        at: float | None = float(times[-1]) if len(times) else None
    else:
        at = night.cut_ms + remaining / per_hour * HOUR_MS if per_hour else None
    return Finish(max(remaining, 0), window_minutes, round(per_hour, 1), at)


def indicators(night: Night) -> dict[str, float | None]:
    """The handful of figures by which two nights are compared; shares in ten-thousandths of a percent."""
    frame = night.frame
    captured = frame["status"] == CAPTURED
    with_image = frame[(frame["origin"] != "") & ~frame["sin_acta"]]
    top = peaks(night)
    stages = delays(night)

    def quantile(stage: str, name: str) -> float | None:
        return stages[stage].get(name)

    def peak(phase: str, name: str) -> float | None:
        return top[phase][name][0] if name in top[phase] else None

    return {
        "actas_esperadas": night.expected,
        "porcentaje_capturadas": percent(int(captured.sum()), night.expected),
        "porcentaje_contabilizadas": percent(int(frame["counted"].sum()), night.expected),
        "porcentaje_con_imagen": percent(int((with_image["status"] == CAPTURED).sum()), night.expected),
        "porcentaje_sin_acta": percent(int(frame["sin_acta"].sum()), night.expected),
        "porcentaje_inconsistencias": percent(int(frame["inconsistent"].sum()), night.expected),
        "porcentaje_movil": percent(int((with_image["origin"] == "CASILLA").sum()), len(with_image)),
        "acopio_captura_p50": quantile("acopio_captura", "p50"),
        "acopio_captura_p90": quantile("acopio_captura", "p90"),
        "captura_verificacion_p50": quantile("captura_verificacion", "p50"),
        "captura_verificacion_p90": quantile("captura_verificacion", "p90"),
        "acopio_max_diez_minutos": peak("acopio", "diez_minutos"),
        "captura_max_diez_minutos": peak("captura", "diez_minutos"),
        "verificacion_max_diez_minutos": peak("verificacion", "diez_minutos"),
        "pendientes_captura_max": _max_waiting(night, "waiting_captura"),
        "pendientes_verificacion_max": _max_waiting(night, "waiting_verificacion"),
        "minutos_parados": round(float(sum(s.minutes for s in stops(night) if s.phase == "total")), 1),
        "acopios_apartados": night.set_aside()["total"],
    }


def _max_waiting(night: Night, column: str) -> float | None:
    table = curve(night, TEN_MINUTES_MS)
    return int(table[column].max()) if len(table) else None


def elapsed_curve(night: Night, step_ms: int = TEN_MINUTES_MS) -> pd.DataFrame:
    """Share captured by hours since the first capture, to lay nights of different days together."""
    table = curve(night, step_ms)
    times = _sorted_times(night, "captura")
    if not len(table) or not len(times):
        return pd.DataFrame({"hours": [], "share_captura": []})
    table = table[table["at"] >= times[0] - step_ms]
    return pd.DataFrame(
        {"hours": (table["at"] - times[0]) / HOUR_MS, "share_captura": table["share_captura"]}
    )
