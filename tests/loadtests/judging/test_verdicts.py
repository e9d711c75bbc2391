"""What was counted becomes a verdict: content, then whether the figures mean anything, then the figures."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from loadtests import profile
from loadtests.codes import BROKEN, INVALID, PASSED
from loadtests.generating import shapes
from loadtests.judging.content import GOES_BACK, IDENTITY, UNREADABLE
from loadtests.judging.kinds import IMAGE, PACKAGE, PAGE, POINTER
from loadtests.judging.observer import Watch
from loadtests.judging.tally import CutsSeen, Reader, Tally, Writer, from_data, merge, sightings
from loadtests.judging.timing import Timed, rows
from loadtests.judging.verdict import Invariant, Measured, judge

PROFILE = profile.read(profile.find("ensayo"))


def times(**found: dict[int, int]) -> dict[str, Timed]:
    """Requests by name: how many took each time."""
    return {name: Timed(Counter(ms), 0, 1000 * sum(ms.values())) for name, ms in found.items()}


REQUESTS = times(**{POINTER: {2: 1900, 30: 90}, PAGE: {200: 10}})


def measured(requests: dict[str, Timed] = REQUESTS, **changes: Any) -> Measured:
    tally = Tally(requests, cpu_pct=Counter({40: 60}), lag_ms=Counter({1: 600}), ceiling_rps=3000.0)
    each, whole = rows(tally.requests, 60)
    return replace(
        Measured(each, whole, tally, 1, CutsSeen(3, 900, 900, 11.0, 20.0), watch=Watch(240, 1)), **changes
    )


def test_a_run_with_everything_in_place_passes() -> None:
    verdict = judge(PROFILE, measured(invariants=[Invariant("algo", True, "sí")]))
    assert (verdict.code, verdict.reasons) == (PASSED, [])


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (BROKEN, {"whole": {"failures": 1}}),
        (BROKEN, {"whole": {"p95": 251}}),
        (BROKEN, {"whole": {"p99": 1001}}),
        (BROKEN, {"tally": {"faults": Counter({UNREADABLE: 1})}}),
        (BROKEN, {"cuts": CutsSeen(3, 10_000, 9_999, 30.0, None)}),
        (BROKEN, {"tally": {"faults": Counter({GOES_BACK: 1})}}),
        (BROKEN, {"invariants": [Invariant("algo", False, "no")]}),
        (INVALID, {"whole": {"requests": 1499}}),
        (INVALID, {"whole": {"rps": 2500.0}}),
        (INVALID, {"whole": {"p95": 900}, "tally": {"cpu_pct": Counter({40: 56, 95: 4})}}),
        (INVALID, {"tally": {"lag_ms": Counter({1: 570, 200: 30})}}),
        (INVALID, {"tally": {"cpu_pct": Counter()}}),
        (INVALID, {"tally": {"ceiling_rps": None}}),
        (INVALID, {"wanted_processes": 2}),
        (INVALID, {"processes": 2}),
        (INVALID, {"silent_s": [0.0, 12.0]}),
        (INVALID, {"tally": {"strain": [(10.0, 1.0), (99.0, 1.0)]}}),
        (INVALID, {"cuts": CutsSeen()}),
        (INVALID, {"watch": Watch(240, 200)}),
        (INVALID, {"watch": None}),
        (INVALID, {"invariants": [Invariant("algo", None, "no se pudo leer")]}),
        (INVALID, {"broken_generator": "murió un trabajador"}),
        (INVALID, {"tally": {"faults": Counter({IDENTITY: 1, GOES_BACK: 1})}}),
        (BROKEN, {"whole": {"requests": 5}, "tally": {"faults": Counter({GOES_BACK: 1})}}),
    ],
    ids=[
        "una_falla", "p95", "p99", "excepcion", "un_corte_tarde", "retroceso",
        "invariante", "pocas", "techo", "cpu", "retraso",
        "sin_medir", "sin_techo", "falta_un_proceso", "sobra_un_proceso", "dejo_de_informar",
        "un_proceso_ahogado", "sin_cortes", "vigia_ciego", "sin_vigia", "invariante_sin_mirar",
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
    tally = replace(
        measured().tally, counts=counts, writers={"a": Writer(1, 0.0, 31, 2.0)}, watched_until=60.0
    )
    assert judge(wall, measured(tally=tally)).code == code


@pytest.mark.parametrize(
    ("name", "found", "code"),
    [
        (PAGE, {200: 18, 251: 2}, BROKEN),
        (PAGE, {200: 19, 251: 1}, PASSED),
        (PAGE, {200: 16, 900: 3}, PASSED),
        (PAGE, {200: 98, 1001: 2}, BROKEN),
        (IMAGE, {649: 40}, PASSED),
        (IMAGE, {651: 40}, BROKEN),
    ],
    ids=["lenta", "p95_justo", "muy_pocas", "p99", "descarga_a_su_tamano", "descarga_lenta"],
)
def test_each_kind_of_request_is_judged_by_itself_when_there_are_enough(
    name: str, found: dict[int, int], code: int
) -> None:
    # 1,000,000 B at 20 Mbit/s are 400 ms, besides the 250 of anything else.
    timed = Timed(Counter(found), 0, 1_000_000 * sum(found.values()))
    verdict = judge(PROFILE, measured({**REQUESTS, name: timed}))
    assert verdict.code == code
    assert all(name in one.what for one in verdict.reasons)


@pytest.mark.parametrize(
    ("name", "slowest", "code"),
    [(PAGE, 5001, BROKEN), (PACKAGE, 14_000, PASSED), (PACKAGE, 14_001, BROKEN)],
    ids=["congelado", "paquete_a_su_tamano", "paquete_lento"],
)
def test_the_slowest_has_besides_its_limit_what_its_size_takes(name: str, slowest: int, code: int) -> None:
    """5,625,000 B at 5 Mbit/s are 9 s: the shipped nginx gives a package no more than 8 Mbit/s."""
    times = Timed(Counter({2: 150, slowest: 1}), 0, 5_625_000 * 151)
    verdict = judge(PROFILE, measured({**REQUESTS, name: times}))
    assert verdict.code == code
    assert all("lenta" in one.what for one in verdict.reasons)


def test_where_no_failure_is_judged_there_must_be_some_good_answer() -> None:
    lenient = replace(PROFILE, thresholds={}, per_request={})
    failed = {name: replace(one, failures=one.requests) for name, one in REQUESTS.items()}
    assert judge(lenient, measured()).code == PASSED
    assert judge(lenient, measured(failed)).code == INVALID


def test_a_time_is_counted_by_the_millisecond_above_it() -> None:
    timed = Timed()
    for ms in (249.2, 250.0, 250.1):
        timed.add(ms, 10, failed=ms > 250)
    assert (timed.times, timed.failures, timed.size) == ({250: 2, 251: 1}, 1, 30)


def test_percentiles_are_of_all_requests_together() -> None:
    found = measured()
    assert [row.name for row in found.rows] == [POINTER, PAGE]
    whole = found.whole
    assert (whole.requests, whole.p50, whole.p95, whole.p99, whole.worst) == (2000, 2, 2, 30, 200)


def test_only_who_had_the_time_to_see_a_cut_owes_it_whether_it_was_seen_or_not() -> None:
    readers = [
        Reader(0.0, 5.0, 60.0, [(1, 1.0), (2, 15.0)], [(2, 18.0)]),  # in time
        Reader(0.0, 5.0, 60.0, [(1, 1.0), (3, 40.0)], [(3, 41.0)]),  # late, with a newer one
        Reader(0.0, 25.0, 60.0, [(1, 1.0), (2, 40.0)], []),  # as late, in time for how seldom it asks
        Reader(0.0, 5.0, 60.0, [(1, 1.0)], []),  # never
        Reader(0.0, 5.0, 20.0, [(1, 1.0)], []),  # left before it was due
        Reader(0.0, 5.0, 20.0, [(1, 1.0), (2, 11.0)], []),  # so did this one, which saw it
        Reader(12.0, 5.0, None, [(2, 12.5)], []),  # came after it
    ]
    found = sightings(readers, {2: 10.0, 9: 59.0}, 15.0, 60.0)
    assert found == CutsSeen(1, 4, 2, 30.0, 31.0, never=1, shown=1, skipped=1, possible=11)


@pytest.mark.parametrize(
    ("writers", "code"),
    [
        ({"a": Writer(5, 0.0, 33, 2.0)}, PASSED),
        ({"a": Writer(5, 0.0, 25, 2.0)}, BROKEN),
        ({"a": Writer(5, 0.0, 20, 2.0), "b": Writer(1, 50.0, 6, 2.0)}, BROKEN),
        ({"a": Writer(5, 0.0, 33, 0.0)}, INVALID),
        ({}, INVALID),
    ],
    ids=["vivo", "congelado_un_rato", "reiniciado", "sin_reloj", "nadie"],
)
def test_a_room_must_write_what_its_own_clock_owes(writers: dict[str, Writer], code: int) -> None:
    wall = profile.read(profile.find("muro"))
    counts = Counter({"fotografias_vistas": 400, "fotografias_nuevas": 300})
    tally = replace(measured().tally, counts=counts, writers=writers, watched_until=60.0)
    assert judge(wall, measured(tally=tally)).code == code


@pytest.mark.parametrize(
    ("seconds", "code"), [(60, BROKEN), (600, PASSED), (0, INVALID)], ids=["mucho", "poco", "sin_medir"]
)
def test_those_who_insist_may_not_take_the_whole_line(seconds: int, code: int) -> None:
    insisted = replace(
        PROFILE, abuse={}, thresholds={"abuso_max_mbit": 200}, validity={**PROFILE.validity, "abuso_min": 1}
    )
    abuse = {"respuestas": 9, "bytes": 2_000_000_000, "segundos": seconds}
    assert judge(insisted, measured(abuse=abuse)).code == code
    assert judge(insisted, measured(abuse=None)).code == INVALID, "nobody insisted"


def test_the_counts_of_several_processes_add_up_and_survive_the_way() -> None:
    one = Tally(ceiling_rps=10.0, watched_until=9.0)
    one.strained(1.2, 49.5)
    one.fault(GOES_BACK, "aquí")
    one.counts["objetos"] += 2
    one.timed(PAGE).add(7.5, 100, failed=True)
    one.writers["a"] = Writer(3, 1.0, 8, 2.0)
    reader = one.reader(1.0, 12.0)
    assert reader is not None
    reader.seen.append((3, 2.0))
    other = from_data(json.loads(json.dumps(one.as_data())))
    other.writers["a"] = Writer(2, 0.5, 7, 2.0)
    whole = merge([one, other])
    assert whole.faults == {GOES_BACK: 2} and whole.counts == {"objetos": 4}
    assert whole.requests == {PAGE: Timed(Counter({8: 2}), 2, 200)}
    assert [one.poll_s for one in whole.readers] == [12.0, 12.0] and whole.ceiling_rps == 20.0
    assert whole.strain == [(50, 2)] * 2 and whole.lag_ms == {2: 2} and whole.watched_until == 9.0
    assert whole.writers == {"a": Writer(2, 0.5, 8, 2.0)}
    assert merge([one, Tally()]).ceiling_rps is None, "the sum of a known and an unknown is unknown"


def test_the_strain_of_a_process_takes_no_more_room_the_longer_it_is() -> None:
    tally = Tally()
    for turn in range(20_000):
        tally.strained(turn % 40 / 10, 130.0 if turn % 20 == 0 else None)
    assert tally.strains() == [(100, 4)], "more than a core is all of it"
    assert len(json.dumps(tally.as_data())) < 1000


def test_the_stages_of_a_profile_give_users_at_each_second() -> None:
    plan = shapes.steps([(10, 60, 4), (70, 100, 0), (100, 30, 10)], 100, 60)
    seen = [shapes.at(plan, second) for second in (0, 5.9, 6, 42, 60)]
    assert [None if one is None else (one.users, one.rate) for one in seen] == [
        (60, 15.0), (60, 15.0), (100, 40.0), (30, 7.0), None,
    ]  # fmt: skip
