"""What a tick costs at the size of a state and of the country."""

from __future__ import annotations

import time

import orjson
import pytest

from control_room.alerts.thresholds import read
from control_room.night.builder import NightRoom, new_book
from control_room.night.snapshot import Frame
from control_room.night.state import MS_PER_MINUTE, NightState
from control_room.night.surroundings import Surroundings
from core.catalogs.national import national
from core.domain.catalog import Catalog
from core.operations.pulses import Pulse
from tests.core.domain.small import START

MINUTE = MS_PER_MINUTE
HOURS = 8
PEOPLE = 9_000
CAPTURE = (
    '{"flags":[],"letter_differs":0,"only_letter_or_number":0,"totals":[1,2,3,4,5],"votes":[48,49,7,16,2]}'
)
VERIFIED = (
    '{"basis":"coincidencia","chosen":0,"codes":["A3"],"contabilizada":true,"inconsistent":true,'
    '"notices":[],"total":298}'
)
STEPS = (
    ("acta_received", '{"flags":[],"mechanism":"","origin":"CATD"}'),
    ("acta_digitized", '{"document":"ACTA PREP","flags":[],"image_hash":"","medium":"ESCANER"}'),
    ("acta_captured", CAPTURE),
    ("acta_captured", CAPTURE),
    ("acta_verified", VERIFIED),
)


def night(catalog: Catalog, verified: int) -> NightState:
    """A night of eight hours with a heartbeat of every CATD each minute and some actas verified evenly."""
    state = NightState(catalog)
    bounds = orjson.dumps({"starts_at": START, "ends_at": START + 24 * 60 * MINUTE}).decode()
    state.apply(1, "operation_opened", None, START, START, "c", "c", bounds)
    seq, size = 1, len(catalog.actas)
    for n in range(verified):
        at = START + HOURS * 60 * MINUTE * n // verified
        acta = n * (size // verified) % size
        for position, (kind, data) in enumerate(STEPS):
            seq += 1
            state.apply(seq, kind, acta, at, at, f"cap-{(n + position) % PEOPLE}", "e", data)
    for minute in range(HOURS * 60):
        for catd in catalog.catds:
            at = START + minute * MINUTE
            state.pulse(Pulse(catd.id, at, at, 100, 0, {"acopiadores": 1}))
    return state


@pytest.mark.parametrize(
    ("actas_per_contest", "contests", "verified", "limit_s"),
    [(10_930, 2, 10_000, 0.1), (170_000, 3, 20_000, 1.0)],
    ids=["state", "national"],
)
def test_a_tick_costs_little_at_any_size(
    actas_per_contest: int, contests: int, verified: int, limit_s: float
) -> None:
    catalog = national(actas_per_contest, contests)
    room = NightRoom(night(catalog, verified), new_book(catalog, read({})))
    now = START + HOURS * 60 * MINUTE
    best = float("inf")
    for turn in range(4):
        clock = {"ahora_ms": now, "velocidad": 1.0, "estado": "real", "utc_min": -360}
        frame = Frame(1, "b", now, 2.0, 12.0, "0", "simulacro", "", None, clock)
        started = time.process_time()
        step = room.step(now + turn * 2_000, Surroundings(), frame)
        orjson.dumps(step.snapshot)
        best = min(best, time.process_time() - started)
    assert step.snapshot["kpis"]["verificadas"] == verified
    assert best < limit_s
