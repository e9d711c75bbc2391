"""What each rule about the state's work computes: backlog, rate, progress and forecast against the plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from control_room.alerts.model import KEEP, Limits, Place, Reading, Scope, number_text
from control_room.alerts.watch import MINUTE, minutes
from control_room.night.facts import Facts

STATE = Place(Scope.ESTADO)
FARTHEST = 6 * 60 * MINUTE
"""After the close, how far a forecast looks (`sources.forecast_picture`): what is later is not told apart."""


def slope(points: Sequence[tuple[int, int]]) -> float:
    """Actas a minute that a straight line through the points (ms, actas) gains; least squares."""
    count = len(points)
    if count < 2:
        return 0.0
    start = points[0][0]
    xs = [(ms - start) / MINUTE for ms, _ in points]
    middle_x, middle_y = sum(xs) / count, sum(actas for _, actas in points) / count
    spread = sum((x - middle_x) ** 2 for x in xs)
    if not spread:
        return 0.0
    return sum((x - middle_x) * (y - middle_y) for x, (_, y) in zip(xs, points, strict=True)) / spread


def backlog(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A03: the backlog has grown for a while and is more than some minutes of its own work."""
    if not facts.backlog:
        return
    actas = facts.backlog[-1][1]
    if actas < limits["actas"]:
        return
    work = actas / facts.capture_rate if facts.capture_rate > 0 else float("inf")
    if work < limits["vuelve_min"]:
        return
    begins = facts.now_ms - int(limits["crece_min"] * MINUTE)
    recent = [point for point in facts.backlog if point[0] >= begins]
    covers = bool(recent) and recent[-1][0] - recent[0][0] >= 0.8 * limits["crece_min"] * MINUTE
    grows = covers and slope(recent) > 0 and recent[-1][1] > recent[0][1]
    yield Reading(
        STATE,
        2 if grows and work > limits["trabajo_min"] else None,
        2,
        f"{actas} actas" + (f", {work:.0f} min de trabajo" if facts.capture_rate > 0 else ", nadie captura"),
        f"{number_text(limits['trabajo_min'])} min de trabajo y creciendo",
    )


def rate(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A04: slower than the plan although there is work."""
    if facts.plan_rate is None:
        yield Reading(STATE, None, KEEP, "sin plan", "")
        return
    if not facts.work_available or facts.plan_rate < limits["plan_minimo"]:
        return
    part = facts.capture_rate * 100 / facts.plan_rate
    raised = 1 if part < limits["p1_pct"] else 2 if part < limits["p2_pct"] else None
    # Each level is left by the limit of the one below.
    held = 1 if part < limits["p2_pct"] else 2 if part < limits["vuelve_pct"] else None
    if held is not None:
        limit = limits["p1_pct"] if raised == 1 else limits["p2_pct"]
        yield Reading(
            STATE,
            raised,
            held,
            f"{facts.capture_rate:.0f} por minuto, {part:.0f} % del plan ({facts.plan_rate:.0f})",
            f"{number_text(limit)} % del plan",
        )


def progress(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A05: fewer actas than the plan had for this hour, in points of the expected ones."""
    if facts.plan_pct is None:
        yield Reading(STATE, None, KEEP, "sin plan", "")
        return
    behind = facts.plan_pct - facts.progress_pct
    raised = 1 if behind > limits["p1_pp"] else 2 if behind > limits["p2_pp"] else None
    held = 1 if behind > limits["p2_pp"] else 2 if behind >= limits["vuelve_pp"] else None
    if held is not None:
        limit = limits["p1_pp"] if raised == 1 else limits["p2_pp"]
        yield Reading(
            STATE,
            raised,
            held,
            f"{-behind:+.1f} puntos contra el plan ({facts.progress_pct:.1f} % de {facts.plan_pct:.1f} %)",
            f"−{number_text(limit)} puntos",
        )


def late_end(facts: Facts, limits: Limits) -> Iterator[Reading]:
    """A06: one forecast in ten, or more, ends after the legal close."""
    if facts.eta_p90_ms is None:
        yield Reading(STATE, None, KEEP, "sin pronóstico", "")
        return
    over = facts.eta_p90_ms - facts.ends_ms
    if over >= -limits["vuelve_min"] * MINUTE:
        raised = 2 if over > 0 else None
        value = f"{minutes(over)} después del cierre" if over > 0 else f"{minutes(-over)} antes del cierre"
        if over >= FARTHEST:
            value = f"uno de cada diez pronósticos no acaba ni {minutes(FARTHEST)} después del cierre"
        yield Reading(STATE, raised, 2, value, "el cierre")
