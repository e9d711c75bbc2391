"""What was counted becomes a verdict: content, then whether the figures mean anything, then the figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from loadtests import profile, shapes
from loadtests.content import GOES_BACK, IDENTITY, UNREADABLE
from loadtests.tally import CutsSeen, Reader, Tally, cuts_seen, from_data, merge
from loadtests.verdict import BROKEN, INVALID, PASSED, Invariant, Measured, judge, rows_of

PROFILE = profile.read(profile.find("ensayo"))
STATS = [
    {"name": "corte.json", "num_requests": 1990, "num_failures": 0, "response_times": {"2": 1900, "30": 90}},
    {"name": "página", "num_requests": 10, "num_failures": 0, "response_times": {"200": 10}},
]


def measured(**changes: Any) -> Measured:
    rows, whole = rows_of(STATS, 60)
    tally = Tally(cpu_pct=[40.0] * 60, lag_ms=[1.0] * 600, ceiling_rps=3000.0)
    return replace(Measured(rows, whole, tally, 1, CutsSeen(3, 900, 900, 11.0, 20.0)), **changes)


def test_a_run_with_everything_in_place_passes() -> None:
    verdict = judge(
        PROFILE, measured(invariants=[Invariant("algo", True, "sí"), Invariant("otro", None, "no hay")])
    )
    assert (verdict.code, verdict.reasons) == (PASSED, [])


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (BROKEN, {"whole": {"failures": 1}}),
        (BROKEN, {"whole": {"p95": 251}}),
        (BROKEN, {"whole": {"p99": 1001}}),
        (BROKEN, {"whole": {"worst": 10_000}}),
        (BROKEN, {"tally": {"faults": Counter({UNREADABLE: 1})}}),
        (BROKEN, {"cuts": CutsSeen(3, 10_000, 9_999, 30.0, None)}),
        (BROKEN, {"tally": {"faults": Counter({GOES_BACK: 1})}}),
        (BROKEN, {"invariants": [Invariant("algo", False, "no")]}),
        (INVALID, {"whole": {"requests": 1499}}),
        (INVALID, {"whole": {"rps": 2500.0}}),
        (INVALID, {"whole": {"p95": 900}, "tally": {"cpu_pct": [95.0] * 60}}),
        (INVALID, {"tally": {"lag_ms": [200.0] * 600}}),
        (INVALID, {"tally": {"cpu_pct": []}}),
        (INVALID, {"tally": {"ceiling_rps": None}}),
        (INVALID, {"wanted_processes": 2}),
        (INVALID, {"cuts": CutsSeen(0, 0, 0, None, None)}),
        (INVALID, {"broken_generator": "murió un trabajador"}),
        (INVALID, {"tally": {"faults": Counter({IDENTITY: 1, GOES_BACK: 1})}}),
        (BROKEN, {"whole": {"requests": 5}, "tally": {"faults": Counter({GOES_BACK: 1})}}),
    ],
    ids=[
        "una_falla", "p95", "p99", "congelado", "excepcion", "un_corte_tarde", "retroceso",
        "invariante", "pocas", "techo", "cpu", "retraso",
        "sin_medir", "sin_techo", "falta_un_proceso", "sin_cortes",
        "generador_muerto", "otra_publicacion", "contenido_aunque_invalida",
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_has_its_code(code: int, changes: dict[str, Any]) -> None:
    base = measured()
    for name in ("whole", "tally"):
        if name in changes:
            changes[name] = replace(getattr(base, name), **changes[name])
    verdict = judge(PROFILE, replace(base, **changes))
    assert verdict.code == code
    assert verdict.reasons


@pytest.mark.parametrize(
    ("seen", "fresh", "code"),
    [(200, 0, INVALID), (200, 199, INVALID), (400, 200, PASSED)],
    ids=["congelada", "casi", "viva"],
)
def test_a_room_whose_snapshots_do_not_change_makes_no_valid_test(seen: int, fresh: int, code: int) -> None:
    wall = profile.read(profile.find("muro"))
    counts = Counter({"fotografias_vistas": seen, "fotografias_nuevas": fresh})
    tally = replace(measured().tally, counts=counts)
    assert judge(wall, measured(tally=tally)).code == code


def test_percentiles_are_of_all_requests_together() -> None:
    rows, whole = rows_of(STATS, 60)
    assert [row.name for row in rows] == ["corte.json", "página"]
    assert (whole.requests, whole.p50, whole.p95, whole.p99, whole.worst) == (2000, 2, 2, 30, 200)


def test_a_cut_seen_late_or_never_counts_and_one_not_yet_due_does_not() -> None:
    readers = [
        Reader(0.0, 60.0, [(1, 1.0), (2, 15.0)], [(2, 18.0)]),  # in time
        Reader(0.0, 60.0, [(1, 1.0), (3, 40.0)], []),  # late, with a newer one
        Reader(0.0, 60.0, [(1, 1.0)], []),  # never
        Reader(0.0, 20.0, [(1, 1.0)], []),  # left before it was due
        Reader(12.0, None, [(2, 12.5)], []),  # came after it
    ]
    assert cuts_seen(readers, {2: 10.0}, 20.0, 60.0) == CutsSeen(1, 3, 1, 30.0, 8.0)


def test_the_counts_of_several_processes_add_up_and_survive_the_way() -> None:
    one = Tally(ceiling_rps=10.0)
    one.fault(GOES_BACK, "aquí")
    one.counts["objetos"] += 2
    reader = one.reader(1.0)
    assert reader is not None
    reader.seen.append((3, 2.0))
    other = from_data(one.as_data())
    whole = merge([one, other])
    assert whole.faults == {GOES_BACK: 2} and whole.counts == {"objetos": 4}
    assert len(whole.readers) == 2 and whole.ceiling_rps == 20.0
    assert merge([one, Tally()]).ceiling_rps is None, "the sum of a known and an unknown is unknown"


def test_the_stages_of_a_profile_give_users_at_each_second() -> None:
    plan = shapes.steps([(10, 60, 4), (70, 100, 0), (100, 30, 10)], 100, 60)
    seen = [shapes.at(plan, second) for second in (0, 5.9, 6, 42, 60)]
    assert [None if one is None else (one.users, one.rate) for one in seen] == [
        (60, 15.0), (60, 15.0), (100, 40.0), (30, 7.0), None,
    ]  # fmt: skip
