"""The night as the alerts look at it: `control_room.night.facts.Facts` from the fold and what surrounds it.

It measures, it does not judge: limits are `alerts.rules`. Rates are of the last 15 minutes.
"""

from __future__ import annotations

from control_room.night.facts import (
    CatdFacts,
    CutFacts,
    DestinationFacts,
    Facts,
    Phase,
    PublisherFacts,
)
from control_room.night.state import MS_PER_MINUTE, NightState
from control_room.night.surroundings import Plan, Surroundings

RATE_MINUTES = 15
BACKLOG_MINUTES = 30


def phase(state: NightState, now_ms: int) -> Phase:
    """Where the operation is: not begun, open, or closed by its event or by its time."""
    if not state.opened or now_ms < state.starts_ms:
        return Phase.BEFORE
    if state.closed or now_ms > state.ends_ms:
        return Phase.CLOSED
    return Phase.OPEN


def next_cut_ms(state: NightState, every_ms: int) -> int | None:
    """When the next cut must be out, ms UTC; None before the operation and after its last cut.

    Cuts are due at the opening and every `every_ms` from it, the last at the end. One that did not go out
    stays due.
    """
    if not state.opened or state.closed:
        return None
    if not state.cuts:
        return state.starts_ms
    last = state.cuts[-1]
    if last.last or last.at_ms >= state.ends_ms:
        return None
    turn = (last.at_ms - state.starts_ms) // every_ms + 1
    return min(state.starts_ms + turn * every_ms, state.ends_ms)


def facts(state: NightState, now_ms: int, around: Surroundings) -> Facts:
    """Everything the rules look at, at `now_ms`."""
    now = state.totals()
    rate = state.rate(now_ms, RATE_MINUTES)
    size = state.size or 1
    plan = around.plan
    plan_rate = None if plan is None else plan.rate_at(now_ms)
    forecast = around.forecast or {}
    return Facts(
        now_ms=now_ms,
        phase=phase(state, now_ms),
        starts_ms=state.starts_ms,
        ends_ms=state.ends_ms,
        catds=_catds(state, now_ms, plan),
        backlog=_backlog(state, now_ms),
        capture_rate=rate,
        plan_rate=plan_rate,
        work_available=_work_available(state, now_ms, plan_rate),
        progress_pct=now.registered * 100 / size,
        plan_pct=None if plan is None else plan.progress_at(now_ms),
        eta_p90_ms=forecast.get("eta_p90_ms"),
        cut=_cut(state, rate, around.cut_every_ms),
        canary=around.canary,
        portal=around.portal,
        publisher=_publisher(around),
        platform=around.platform,
        has_pulses=bool(state.pulses),
    )


def _catds(state: NightState, now_ms: int, plan: Plan | None) -> tuple[CatdFacts, ...]:
    groups, found = state.catds, []
    for catd in state.catalog.catds:
        n = catd.id
        pulse = state.pulses.get(n)
        found.append(
            CatdFacts(
                id=n,
                distrito=catd.distrito,
                expected=groups.expected[n],
                received=groups.received[n],
                digitized=groups.digitized[n],
                registered=groups.registered[n],
                pending=groups.expected[n] - groups.received[n],
                last_pulse_ms=None if pulse is None else pulse.last_ms,
                pulses_in_a_row=0 if pulse is None else pulse.in_a_row,
                link_pct=None if pulse is None else pulse.link,
                last_acta_ms=groups.last_acta_ms[n],
                planned_gap_ms=None if plan is None else plan.gap_ms(n, now_ms),
                reviewed=groups.registered[n] - groups.sin_acta[n],
                inconsistent=groups.inconsistent[n],
            )
        )
    return tuple(found)


def _backlog(state: NightState, now_ms: int) -> tuple[tuple[int, int], ...]:
    start = max(state.starts_ms, now_ms - BACKLOG_MINUTES * MS_PER_MINUTE)
    first = -(-start // MS_PER_MINUTE) * MS_PER_MINUTE
    points = [(ms, state.totals_at(ms).backlog) for ms in range(first, now_ms, MS_PER_MINUTE)]
    return (*points, (now_ms, state.totals().backlog))


def _work_available(state: NightState, now_ms: int, plan_rate: float | None) -> bool:
    """Whether what waited and what came would do for the planned rate (for any, without plan)."""
    then, now = state.totals_at(now_ms - RATE_MINUTES * MS_PER_MINUTE), state.totals()
    work = then.backlog + now.digitized - then.digitized
    return work > 0 and work >= (plan_rate or 0.0) * RATE_MINUTES


def _publisher(around: Surroundings) -> PublisherFacts | None:
    told = around.publisher
    if told is None:
        return None
    witnesses = told["testigos"]
    return PublisherFacts(
        state=told["estado"],
        age_s=around.publisher_age_s,
        alarms=tuple((one["clave"], one["texto"]) for one in told["alarmas"]),
        destinations=tuple(
            DestinationFacts(one["nombre"], one["estado"], one["atraso_s"], one["atraso_cortes"])
            for one in told["destinos"]
        ),
        witnesses=witnesses["de"],
        signed=witnesses["con"],
        threshold=witnesses["umbral"],
    )


def _cut(state: NightState, rate: float, every_ms: int) -> CutFacts | None:
    if not state.opened:
        return None
    last = state.cuts[-1] if state.cuts else None
    refused = state.refused
    return CutFacts(
        number=0 if last is None else last.number,
        at_ms=None if last is None else last.at_ms,
        due_ms=next_cut_ms(state, every_ms),
        every_ms=every_ms,
        registered_unpublished=state.unpublished,
        registered_per_cut=rate * every_ms / MS_PER_MINUTE,
        refused_number=None if refused is None else refused.number,
    )
