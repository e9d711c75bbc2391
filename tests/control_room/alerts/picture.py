"""Facts for the tests: a normal moment of a small state, from which each test changes what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from control_room.alerts.book import AlertBook, AlertView, CatdPlace
from control_room.alerts.thresholds import read
from control_room.night.facts import (
    CanaryFacts,
    CanaryState,
    CatdFacts,
    CutFacts,
    Facts,
    Phase,
    PlatformFacts,
    ProbeFacts,
    PublisherFacts,
)

START = 1_622_800_000_000
MINUTE = 60_000
SECOND = 1_000
HOURS = 8
CUT_MS = 20 * MINUTE

CATDS = {n: CatdPlace(f"CATD-{n:03d}", 1 + n // 5) for n in range(40)}
"""Forty CATDs, five in each of eight districts: 0 to 4 in the first."""


def catd(number: int, now_ms: int, **changed: Any) -> CatdFacts:
    """A CATD at work: heartbeat and acta of this very minute."""
    normal = CatdFacts(
        number,
        CATDS[number].distrito,
        expected=100,
        received=50,
        digitized=45,
        registered=40,
        pending=50,
        last_pulse_ms=now_ms,
        pulses_in_a_row=60,
        link_pct=100,
        last_acta_ms=now_ms,
        planned_gap_ms=2 * MINUTE,
        reviewed=40,
        inconsistent=3,
    )
    return replace(normal, **changed)


def facts(minute: float = 120, catds: dict[int, dict[str, Any]] | None = None, **changed: Any) -> Facts:
    """A normal moment, `minute` minutes into the night. `catds` has what is different in some of them."""
    now = START + round(minute * MINUTE)
    turn = (now - START) // CUT_MS
    normal = Facts(
        now_ms=now,
        phase=Phase.OPEN,
        starts_ms=START,
        ends_ms=START + HOURS * 60 * MINUTE,
        catds=tuple(catd(n, now, **(catds or {}).get(n, {})) for n in CATDS),
        backlog=tuple((now - m * MINUTE, 100) for m in range(30, -1, -1)),
        capture_rate=50.0,
        plan_rate=50.0,
        work_available=True,
        progress_pct=40.0,
        plan_pct=40.0,
        eta_p90_ms=START + (HOURS * 60 - 60) * MINUTE,
        cut=CutFacts(
            number=turn + 1,
            at_ms=START + turn * CUT_MS,
            due_ms=START + (turn + 1) * CUT_MS,
            every_ms=CUT_MS,
            registered_unpublished=10,
            registered_per_cut=1000.0,
        ),
        canary=CanaryFacts(CanaryState.EQUAL, number=turn + 1, since_ms=now),
        portal=ProbeFacts(p95_ms=80, error_share=0.0, requests=30),
        publisher=PublisherFacts("esperando", 2.0),
        platform=PlatformFacts(snapshot_age_s=2.0, disk_free_pct=60.0, clock_skew_s=0.01),
        has_pulses=True,
    )
    return replace(normal, **changed)


def silent(minutes: float, minute: float = 120) -> dict[str, Any]:
    """A CATD that has sent nothing for some minutes."""
    last = START + round((minute - minutes) * MINUTE)
    return {"last_pulse_ms": last, "last_acta_ms": last}


def book(**tables: Mapping[str, object]) -> AlertBook:
    """A book of the small state with the limits that are given."""
    return AlertBook(read(tables), CATDS)


def ids(view: AlertView) -> list[str]:
    """The ids of what is told."""
    return [alert["id"] for alert in view.alerts]


def told(view: AlertView, alert: str) -> dict[str, Any]:
    """One of the lines; the test fails if it is not told."""
    found = [one for one in view.alerts if one["id"] == alert]
    assert found, f"no está {alert}: hay {ids(view)}"
    return found[0]
