"""Each rule raises at its limit and not before, and keeps what lies between raising and clearing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control_room.alerts.model import Place, Reading, Scope
from control_room.alerts.rules import RULE, RULES
from control_room.alerts.thresholds import default_thresholds
from control_room.night.facts import (
    CanaryFacts,
    CanaryState,
    CutFacts,
    DestinationFacts,
    Facts,
    Phase,
    PlatformFacts,
    ProbeFacts,
    PublisherFacts,
)
from tests.control_room.alerts.picture import CUT_MS, HOURS, MINUTE, SECOND, START, facts, silent

NOW = START + 120 * MINUTE
STATE = Place(Scope.ESTADO)
LIMITS = default_thresholds().rules


def readings(code: str, seen: Facts) -> dict[Place, Reading]:
    return {one.place: one for one in RULE[code].judge(seen, LIMITS[code])}


def levels(code: str, seen: Facts, place: Place) -> tuple[int | None, int | None]:
    found = readings(code, seen).get(place)
    return (None, None) if found is None else (found.raised, found.held)


def catd(number: int) -> Place:
    return Place(Scope.CATD, number)


def cut(**changed: Any) -> CutFacts:
    known = facts().cut
    assert known is not None
    return replace(known, **changed)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_normal_moment_raises_nothing(rule: Any) -> None:
    assert [one for one in rule.judge(facts(), LIMITS[rule.code]) if one.raised or one.held] == []


@pytest.mark.parametrize(
    ("minutes", "raised"), [(3, None), (3.1, 3), (5, 3), (5.1, 2), (10, 2), (10.1, 1), (200, 1)]
)
def test_silence_gets_worse_with_its_minutes(minutes: float, raised: int | None) -> None:
    assert levels("A01", facts(catds={7: silent(minutes)}), catd(7))[0] == raised


def test_a_catd_that_beats_again_is_not_said_to_be_silent() -> None:
    back = {"last_pulse_ms": NOW - 22 * SECOND, "pulses_in_a_row": 1}
    reading = readings("A01", facts(catds={7: back}))[catd(7)]
    assert (reading.raised, reading.held) == (None, 1)
    assert reading.value == "ya late, el último hace 22 s; falta un latido"
    assert reading.limit == "2 latidos seguidos"
    silent_one = readings("A01", facts(catds={7: {**silent(4), "pulses_in_a_row": 1}}))[catd(7)]
    assert silent_one.value == "4 min sin latido"


def test_inconsistencies_say_of_what_their_percentage_is_and_do_not_round_it_up() -> None:
    seen = facts(catds={7: {"reviewed": 160, "inconsistent": 40}})
    reading = readings("A09", seen)[catd(7)]
    reviewed, bad = 39 * 40 + 160, 39 * 3 + 40
    assert reading.value == "40 de 160 (25.0 %)"
    assert reading.limit.endswith(f"el estado va en {bad * 1000 // reviewed / 10} % de las revisadas")


def test_three_silent_catds_of_five_are_the_first_priority_from_the_grace_on() -> None:
    two = facts(catds={n: silent(3.5) for n in (5, 6)})
    three = facts(catds={n: silent(3.5) for n in (5, 6, 7)})
    assert [one.raised for one in readings("A01", two).values()] == [3, 3]
    assert [one.raised for one in readings("A01", three).values()] == [1, 1, 1]


def test_one_heartbeat_does_not_end_a_silence_and_two_do() -> None:
    one, two = ({7: {"pulses_in_a_row": n}} for n in (1, 2))
    assert levels("A01", facts(catds=one), catd(7)) == (None, 1)
    assert levels("A01", facts(catds=two), catd(7)) == (None, None)


def test_silence_is_not_told_where_nothing_is_left_to_do_nor_without_heartbeats() -> None:
    done = {7: {**silent(30), "pending": 0, "received": 50, "digitized": 50}}
    assert readings("A01", facts(catds=done)) == {}
    assert readings("A01", facts(catds={7: silent(30)}, has_pulses=False)) == {}


def test_a_catd_that_never_sent_a_heartbeat_is_silent_since_the_start() -> None:
    never = {7: {"last_pulse_ms": None, "pulses_in_a_row": 0}}
    assert levels("A01", facts(4, catds=never), catd(7))[0] == 3


@pytest.mark.parametrize(
    ("gap_min", "wait_min", "raised"),
    [(1, 15, None), (1, 15.1, 2), (10, 80, None), (10, 80.1, 2), (None, 300, None)],
)
def test_a_living_catd_must_have_an_acta_in_eight_of_its_gaps(
    gap_min: int | None, wait_min: float, raised: int | None
) -> None:
    seen = facts(
        400,
        catds={
            7: {
                "last_acta_ms": START + round((400 - wait_min) * MINUTE),
                "planned_gap_ms": None if gap_min is None else gap_min * MINUTE,
            }
        },
    )
    assert levels("A02", seen, catd(7))[0] == raised


def test_without_plan_the_wait_for_an_acta_is_longer_and_the_first_one_is_not_asked_for() -> None:
    waits = {7: {"last_acta_ms": START + 300 * MINUTE, "planned_gap_ms": None}}
    assert levels("A02", facts(360, catds=waits, plan_pct=None), catd(7))[0] is None
    assert levels("A02", facts(361, catds=waits, plan_pct=None), catd(7))[0] == 2
    never = {7: {"last_acta_ms": None, "planned_gap_ms": None}}
    assert levels("A02", facts(400, catds=never, plan_pct=None), catd(7))[0] is None


def test_a_catd_without_heartbeat_or_without_anything_to_come_is_not_alive_without_actas() -> None:
    assert levels("A02", facts(400, catds={7: silent(100, 400)}), catd(7)) == (None, 1)
    nothing = {7: {"last_acta_ms": START, "pending": 0}}
    assert readings("A02", facts(400, catds=nothing)) == {}


def grown(per_minute: float, last: int = 2000) -> tuple[tuple[int, int], ...]:
    return tuple((NOW - m * MINUTE, round(last - m * per_minute)) for m in range(30, -1, -1))


@pytest.mark.parametrize(
    ("points", "rate", "expected"),
    [
        (grown(5), 100.0, (2, 2)),
        (grown(-5), 100.0, (None, 2)),
        (grown(5, 1400), 100.0, (None, 2)),
        (grown(5, 900), 100.0, (None, None)),
        (grown(1, 49), 0.0, (None, None)),
        (grown(1, 60), 0.0, (2, 2)),
        (grown(5)[-5:], 100.0, (None, 2)),
    ],
    ids=["crece", "baja", "14 min", "9 min", "pocas", "nadie captura", "cinco minutos"],
)
def test_backlog_counts_when_it_grows_and_is_more_than_its_own_work(
    points: Any, rate: float, expected: tuple[int | None, int | None]
) -> None:
    assert levels("A03", facts(backlog=points, capture_rate=rate), STATE) == expected


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(24.9, (1, 1)), (25, (2, 1)), (34.9, (2, 1)), (35, (None, 2)), (39.9, (None, 2)), (40, (None, None))],
)
def test_rate_is_looked_at_against_the_plan(rate: float, expected: tuple[int | None, int | None]) -> None:
    assert levels("A04", facts(capture_rate=rate), STATE) == expected


def test_a_low_rate_is_nobodys_fault_without_work_or_with_a_small_plan() -> None:
    assert readings("A04", facts(capture_rate=1.0, work_available=False)) == {}
    assert readings("A04", facts(capture_rate=0.0, plan_rate=4.0)) == {}


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(29.9, (1, 1)), (30, (2, 1)), (34.9, (2, 1)), (35, (None, 2)), (37, (None, 2)), (37.1, (None, None))],
)
def test_progress_is_looked_at_in_points_under_the_plan(
    progress: float, expected: tuple[int | None, int | None]
) -> None:
    assert levels("A05", facts(progress_pct=progress), STATE) == expected


@pytest.mark.parametrize(
    ("minutes", "expected"), [(1, (2, 2)), (0, (None, 2)), (-30, (None, 2)), (-31, (None, None))]
)
def test_the_forecast_is_late_after_the_close_and_well_again_half_an_hour_before(
    minutes: int, expected: tuple[int | None, int | None]
) -> None:
    end = START + (HOURS * 60 + minutes) * MINUTE
    assert levels("A06", facts(eta_p90_ms=end), STATE) == expected


@pytest.mark.parametrize("code", ["A04", "A05", "A06", "A10", "A13", "A14", "A16", "A17"])
def test_what_cannot_be_measured_raises_nothing_and_ends_nothing(code: str) -> None:
    seen = facts(
        plan_rate=None, plan_pct=None, eta_p90_ms=None, portal=None, publisher=None,
        platform=PlatformFacts(),
    )  # fmt: skip
    assert [(one.raised, one.held) for one in readings(code, seen).values()] == [(None, 1)]


@pytest.mark.parametrize(
    ("late_s", "raised"), [(-5, None), (60, None), (61, 2), (180, 2), (181, 1), (9999, 1)]
)
def test_a_cut_is_late_a_minute_after_its_hour(late_s: int, raised: int | None) -> None:
    seen = facts(cut=cut(due_ms=NOW - late_s * SECOND))
    assert levels("A07", seen, Place(Scope.PUBLICACION))[0] == raised


def test_a_refused_cut_is_told_until_another_goes_out() -> None:
    place = Place(Scope.PUBLICACION)
    assert levels("A07", facts(cut=cut(number=6, refused_number=7)), place)[0] == 2
    assert levels("A07", facts(cut=cut(number=7, refused_number=7)), place) == (None, None)


def canary(state: CanaryState, seconds: int) -> CanaryFacts:
    return CanaryFacts(state, "", 3, NOW - seconds * SECOND)


@pytest.mark.parametrize(
    ("seen", "raised"),
    [
        (canary(CanaryState.DIVERGENT, 0), 1),
        (canary(CanaryState.BEHIND, 90), None),
        (canary(CanaryState.BEHIND, 91), 1),
        (canary(CanaryState.NOTHING_PUBLIC, 91), 1),
        (canary(CanaryState.EQUAL, 9999), None),
        (None, None),
    ],
)
def test_what_is_public_must_be_what_was_verified(seen: CanaryFacts | None, raised: int | None) -> None:
    assert levels("A08", facts(canary=seen), Place(Scope.PUBLICACION))[0] == raised


def test_nothing_public_is_as_it_must_be_before_the_first_cut() -> None:
    nothing = facts(canary=canary(CanaryState.NOTHING_PUBLIC, 999), cut=cut(number=0, at_ms=None))
    assert readings("A08", nothing) == {}


def test_a_cut_that_leaves_out_more_than_two_cuts_of_work_is_told_just_after_it_goes_out() -> None:
    place = Place(Scope.PUBLICACION)
    just, later = NOW - 5 * MINUTE, NOW - 15 * MINUTE
    assert levels("A08", facts(cut=cut(at_ms=just, registered_unpublished=2001)), place)[0] == 1
    assert levels("A08", facts(cut=cut(at_ms=just, registered_unpublished=2000)), place) == (None, 1)
    assert levels("A08", facts(cut=cut(at_ms=just, registered_unpublished=1000)), place) == (None, None)
    assert levels("A08", facts(cut=cut(at_ms=later, registered_unpublished=9000)), place) == (None, 1)
    late = cut(at_ms=NOW - CUT_MS, due_ms=NOW - 1, registered_unpublished=9000)
    assert levels("A08", facts(cut=late), place) == (None, 1)


def test_inconsistencies_over_chance_are_told_from_twenty_actas_on() -> None:
    def seen(reviewed: int, inconsistent: int) -> tuple[int | None, int | None]:
        changed = {7: {"reviewed": reviewed, "inconsistent": inconsistent}}
        return levels("A09", facts(catds=changed), catd(7))

    assert seen(19, 19) == (None, None)
    assert seen(20, 19) == (2, 2)
    assert seen(40, 3) == (None, None)
    found = {seen(40, k) for k in range(3, 12)}
    assert found == {(None, None), (None, 2), (2, 2)}


@pytest.mark.parametrize(
    ("probe", "raised"),
    [
        (ProbeFacts(1000.0, 0.001, 30), None),
        (ProbeFacts(1001.0, 0.0, 30), 1),
        (ProbeFacts(50.0, 0.05, 30), 1),
        (ProbeFacts(5000.0, 1.0, 4), None),
    ],
)
def test_the_portal_is_slow_or_fails(probe: ProbeFacts, raised: int | None) -> None:
    assert levels("A10", facts(portal=probe), Place(Scope.PLATAFORMA))[0] == raised


@pytest.mark.parametrize(
    ("code", "platform", "expected"),
    [
        ("A11", PlatformFacts(snapshot_age_s=10), (None, 1)),
        ("A11", PlatformFacts(snapshot_age_s=11), (1, 1)),
        ("A12", PlatformFacts(database_ok=False), (1, 1)),
        ("A13", PlatformFacts(disk_free_pct=14.9), (2, 2)),
        ("A13", PlatformFacts(disk_free_pct=16), (None, 2)),
        ("A13", PlatformFacts(disk_free_pct=17), (None, None)),
        ("A14", PlatformFacts(clock_skew_s=-2.1), (2, 2)),
        ("A14", PlatformFacts(clock_skew_s=1.5), (None, 2)),
        ("A14", PlatformFacts(clock_skew_s=1.0), (None, None)),
    ],
)
def test_the_machine_is_looked_at(
    code: str, platform: PlatformFacts, expected: tuple[int | None, int | None]
) -> None:
    assert levels(code, facts(platform=platform), Place(Scope.PLATAFORMA)) == expected


PUBLICATION = Place(Scope.PUBLICACION)


@pytest.mark.parametrize(
    ("age_s", "state", "phase", "raised"),
    [
        (30.0, "esperando", Phase.OPEN, None),
        (30.1, "esperando", Phase.OPEN, 2),
        (30.1, "fuera_de_horario", Phase.OPEN, 2),
        (120.1, "publicando", Phase.OPEN, 1),
        (9999.0, "cerrada", Phase.OPEN, None),
        (9999.0, "esperando", Phase.CLOSED, None),
        (None, "esperando", Phase.OPEN, None),
    ],
)
def test_a_publisher_that_says_nothing_in_the_operation_is_told(
    age_s: float | None, state: str, phase: Phase, raised: int | None
) -> None:
    seen = facts(publisher=PublisherFacts(state, age_s), phase=phase)
    assert levels("A16", seen, PUBLICATION) == (raised, raised)


@pytest.mark.parametrize(
    ("alarms", "raised"),
    [
        ((), None),
        (("detenida",), None),
        (("corte_fallido",), 2),
        (("imagenes_faltantes",), 2),
        (("una que no se conoce",), 2),
        (("corte_fallido", "corte_perdido"), 1),
        (("servicio",), 1),
        (("detenida", "sin_ultimo_corte"), 1),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_the_alarms_of_the_publisher_are_told_with_its_own_words(
    alarms: tuple[str, ...], raised: int | None
) -> None:
    said = tuple((key, f"texto de {key}") for key in alarms)
    seen = facts(publisher=PublisherFacts("esperando", 2.0, said), phase=Phase.CLOSED)
    assert levels("A16", seen, PUBLICATION) == (raised, raised)
    if raised:
        assert readings("A16", seen)[PUBLICATION].value == "; ".join(
            f"texto de {key}" for key in alarms if key != "detenida"
        )


def at_destinations(*states: tuple[str, int], signed: int = 3) -> tuple[int | None, int | None]:
    found = tuple(DestinationFacts(f"d{n}", *one) for n, one in enumerate(states))
    told = PublisherFacts("esperando", 2.0, (), found, witnesses=3, signed=signed, threshold=2)
    return levels("A17", facts(publisher=told), PUBLICATION)


def test_a_destination_is_told_when_it_is_silent_or_a_minute_behind() -> None:
    good = ("al_corriente", 0)
    assert at_destinations(good, good) == (None, None)
    assert at_destinations(good, ("atrasado", 60)) == (None, 2)
    assert at_destinations(good, ("atrasado", 61)) == (2, 2)
    assert at_destinations(good, ("sin_respuesta", 1)) == (2, 2)
    assert at_destinations(good, ("atrasado", 9999)) == (2, 2)
    assert at_destinations(("sin_respuesta", 9999), ("atrasado", 600)) == (2, 2)
    assert at_destinations(("sin_respuesta", 9999), ("atrasado", 601)) == (1, 1)


def test_too_few_witnesses_are_told_and_none_are_asked_for_where_nobody_said_how_many() -> None:
    assert at_destinations(signed=2) == (None, None)
    assert at_destinations(signed=1) == (3, 3)
    assert at_destinations(("atrasado", 1), signed=1) == (3, 2)
    assert at_destinations(("sin_respuesta", 1), signed=1) == (2, 2)
    nobody_said = PublisherFacts("esperando", 2.0, witnesses=3, signed=0)
    assert readings("A17", facts(publisher=nobody_said)) == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_what_raises_always_holds_as_much(rule: Any) -> None:
    bad = facts(
        400,
        catds={n: {**silent(n, 400), "reviewed": 40, "inconsistent": n} for n in range(20)},
        backlog=grown(5),
        capture_rate=10.0,
        plan_pct=60.0,
        eta_p90_ms=START + 600 * MINUTE,
        cut=cut(due_ms=START),
        canary=CanaryFacts(CanaryState.DIVERGENT),
        portal=ProbeFacts(9000, 1, 30),
        publisher=PublisherFacts("esperando", 9999, (), (DestinationFacts("d", "sin_respuesta", 9),)),
        platform=PlatformFacts(30.0, 1.0, 9.0, False, START),
    )
    found = list(rule.judge(bad, LIMITS[rule.code]))
    assert all(one.held is not None and one.held <= (one.raised or 3) for one in found)
    assert any(one.raised for one in found) or rule.code in ("A02", "A03", "A15")
