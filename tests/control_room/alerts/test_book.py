"""The life of the alerts: delay, hysteresis, escalation, acknowledgement, silence, and a restart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_room.alerts.book import AlertBook, AlertView
from control_room.night.facts import Ack, CanaryFacts, CanaryState, Facts, Phase, PlatformFacts, Silence
from tests.control_room.alerts.picture import CATDS, MINUTE, START, book, facts, ids, silent, told


def steps(alerts: AlertBook, seen: list[Facts], **with_: Any) -> list[AlertView]:
    return [alerts.step(one, with_.get("acks", {}), with_.get("silences", ())) for one in seen]


def slow(rate: float, minutes: range) -> list[Facts]:
    return [facts(minute, capture_rate=rate) for minute in minutes]


def changes(views: list[AlertView]) -> list[tuple[str, str]]:
    return [(one["alerta"], one["que"]) for view in views for one in view.transitions]


def test_a_fault_is_told_after_its_delay_and_ends_after_its_delay() -> None:
    alerts = book()
    views = steps(alerts, slow(30.0, range(100, 106)))
    assert [ids(view) for view in views] == [[]] * 5 + [["A04:estado"]]
    assert told(views[-1], "A04:estado")["desde_ms"] == START + 105 * MINUTE
    views = steps(alerts, slow(50.0, range(106, 117)))
    assert [bool(view.alerts) for view in views] == [True] * 10 + [False]
    assert changes(views) == [("A04:estado", "despejada")]


def test_a_fault_shorter_than_its_delay_is_never_told() -> None:
    alerts = book()
    for start in range(100, 160, 10):
        views = steps(alerts, slow(30.0, range(start, start + 5)) + slow(50.0, range(start + 5, start + 10)))
        assert changes(views) == []


def test_a_return_shorter_than_its_delay_does_not_end_the_alert() -> None:
    alerts = book()
    steps(alerts, slow(30.0, range(100, 106)))
    views = steps(
        alerts, slow(50.0, range(106, 115)) + slow(39.0, range(115, 116)) + slow(50.0, range(116, 126))
    )
    assert all(view.alerts for view in views)


def test_one_look_is_not_enough_but_for_what_is_sure() -> None:
    late = facts(catds={7: silent(4)})
    alerts = book()
    assert ids(alerts.step(late, {}, ())) == []
    assert ids(alerts.step(late, {}, ())) == ["A01:catd:7"]
    wrong = facts(canary=CanaryFacts(CanaryState.DIVERGENT, "huella distinta"))
    assert ids(book().step(wrong, {}, ())) == ["A08:publicacion"]


def test_silence_goes_up_in_priority_and_two_heartbeats_end_it() -> None:
    alerts = book()
    worse = [facts(120 + m, catds={7: silent(m, 120 + m)}) for m in range(1, 13)]
    views = steps(alerts, worse)
    assert changes(views) == [("A01:catd:7", "activa"), ("A01:catd:7", "sube"), ("A01:catd:7", "sube")]
    assert [view.summary["p1"] + view.summary["p2"] + view.summary["p3"] for view in views[4:]] == [1] * 8
    back = steps(alerts, [facts(133, catds={7: {"pulses_in_a_row": 1}}), facts(134)])
    assert ids(back[0]) == ["A01:catd:7"]
    assert told(back[0], "A01:catd:7")["prioridad"] == 1
    assert ids(back[1]) == []


def test_a_priority_goes_down_only_after_the_delay() -> None:
    alerts = book()
    steps(alerts, slow(20.0, range(100, 106)))
    views = steps(alerts, slow(36.0, range(106, 117)))
    assert [told(view, "A04:estado")["prioridad"] for view in views] == [1] * 10 + [2]


def test_who_acknowledged_is_told_and_what_gets_worse_is_raised_again() -> None:
    alerts = book()
    steps(alerts, [facts(124, catds={7: silent(4, 124)})] * 2)
    acks = {"A01:catd:7": Ack("ana", START + 124 * MINUTE, "voy")}
    (seen,) = steps(alerts, [facts(124, catds={7: silent(4, 124)})], acks=acks)
    line = told(seen, "A01:catd:7")
    assert (line["estado"], line["por"], line["reconocida_ms"]) == ("reconocida", "ana", START + 124 * MINUTE)
    views = steps(alerts, [facts(m, catds={7: silent(m - 120, m)}) for m in (125, 126, 127)], acks=acks)
    assert told(views[0], "A01:catd:7")["estado"] == "reconocida"
    assert (told(views[-1], "A01:catd:7")["estado"], told(views[-1], "A01:catd:7")["prioridad"]) == (
        "activa",
        2,
    )
    assert changes(views) == [("A01:catd:7", "sube"), ("A01:catd:7", "activa")]


def test_an_acknowledgement_counts_once_and_not_for_the_next_time() -> None:
    alerts = book()
    acks = {"A01:catd:7": Ack("ana", START, "")}
    steps(alerts, [facts(124, catds={7: silent(4, 124)})] * 2)
    steps(alerts, [facts(124, catds={7: silent(4, 124)}), facts(125)], acks=acks)
    again = steps(alerts, [facts(140, catds={7: silent(4, 140)})] * 2, acks=acks)
    assert told(again[-1], "A01:catd:7")["estado"] == "activa"


def test_a_silence_is_heard_again_when_it_expires() -> None:
    alerts = book()
    quiet = [Silence("A01", 7, START + 130 * MINUTE, "ana", "cambio de sede")]
    seen = [facts(m, catds={7: silent(4, m), 8: silent(4, m)}) for m in (124, 125, 129, 130)]
    views = steps(alerts, seen, silences=quiet)
    silenced = told(views[1], "A01:catd:7")
    assert silenced["estado"] == "silenciada"
    until = START + 130 * MINUTE
    assert silenced["silencio"] == {"por": "ana", "motivo": "cambio de sede", "hasta_ms": until}
    assert told(views[1], "A01:catd:8")["estado"] == "activa"
    assert views[1].summary["silenciadas"] == 1
    assert views[1].of_catd[7].priority is None and views[1].of_catd[8].priority == 3
    assert ids(views[1]) == ["A01:catd:8", "A01:catd:7"]
    assert told(views[3], "A01:catd:7")["estado"] == "activa"
    assert ("A01:catd:7", "vence_silencio") in changes(views)


def test_when_the_operation_closes_what_was_pending_ends() -> None:
    alerts = book()
    seen = {7: silent(30, 125)}
    steps(alerts, [facts(124, catds=seen), facts(125, catds=seen)])
    views = steps(alerts, [facts(126, catds=seen, phase=Phase.CLOSED)])
    assert changes(views) == [("A01:catd:7", "despejada")]
    assert ids(steps(book(), [facts(5, catds={7: silent(30)}, phase=Phase.BEFORE)] * 3)[-1]) == []


def test_without_database_only_the_database_is_told() -> None:
    alerts = book()
    steps(alerts, [facts(124, catds={7: silent(4, 124)})] * 2)
    gone = PlatformFacts(2.0, 60.0, 0.0, database_ok=False, database_since_ms=START + 125 * MINUTE)
    late = {n: silent(m, 125 + m) for n in range(20) for m in (1,)}
    views = steps(alerts, [facts(125 + m, catds=late, platform=gone) for m in range(30)])
    assert ids(views[-1]) == ["A12:plataforma", "A01:catd:7"]
    back = steps(alerts, [facts(156), facts(157)])
    assert ids(back[-1]) == []


def test_after_a_time_without_database_the_delay_begins_again() -> None:
    alerts = book()
    steps(alerts, slow(30.0, range(100, 104)))
    gone = PlatformFacts(2.0, 60.0, 0.0, database_ok=False)
    steps(alerts, [facts(m, capture_rate=30.0, platform=gone) for m in range(104, 120)])
    views = steps(alerts, slow(30.0, range(120, 126)))
    assert ["A04:estado" in ids(view) for view in views] == [False] * 5 + [True]


def test_a_rule_that_is_off_says_nothing() -> None:
    assert ids(steps(book(A01={"activa": False}), [facts(catds={7: silent(30)})] * 3)[-1]) == []


def test_too_many_alerts_are_an_alert_of_low_priority() -> None:
    alerts = book(A15={"operadores": 1, "por_operador": 2})
    seen = [
        facts(120 + m, catds={n: silent(9, 120 + m) for n in range(0, min(m, 3) * 5, 5)}) for m in range(8)
    ]
    views = steps(alerts, seen)
    assert views[-1].summary["por_10_min"] == 3.0 and views[-1].summary["presupuesto"] == 2
    assert told(views[-1], "A15:plataforma")["prioridad"] == 3
    quiet = steps(alerts, [facts(128 + m) for m in range(20)])
    assert quiet[-1].alerts == [] and quiet[-1].summary["por_10_min"] == 0


def test_a_clock_that_goes_back_does_not_move_the_book() -> None:
    alerts = book()
    steps(alerts, slow(30.0, range(100, 106)))
    views = steps(alerts, slow(50.0, range(90, 100)))
    assert [ids(view) for view in views] == [["A04:estado"]] * 10


def test_a_dump_of_another_format_is_left_aside() -> None:
    alerts = book()
    alerts.load({"formato": 0})
    assert alerts.step(facts(), {}, ()).alerts == []


# What holds whatever happens.

LEVELS = st.sampled_from(["normal", "banda", "p2", "p1"])
RATE = {"normal": 45.0, "banda": 37.0, "p2": 30.0, "p1": 20.0}
BEHIND = {"normal": 0.0, "banda": 4.0, "p2": 7.0, "p1": 12.0}


@given(st.lists(st.sampled_from(["p1", "p2", "banda"]), min_size=1, max_size=60))
def test_once_told_an_alert_does_not_end_while_the_value_stays_under_the_clear_limit(seen: list[str]) -> None:
    alerts = book()
    steps(alerts, slow(RATE["p2"], range(100, 106)))
    views = steps(alerts, [facts(106 + m, capture_rate=RATE[one]) for m, one in enumerate(seen)])
    assert all("A04:estado" in ids(view) for view in views)


@given(st.lists(st.sampled_from(["normal", "banda"]), max_size=80))
def test_a_value_in_the_band_never_raises_an_alert(seen: list[str]) -> None:
    alerts = book(A04={"demora_s": 0}, A05={"demora_s": 0}, general={"miradas": 1})
    views = steps(
        alerts,
        [
            facts(100 + m, capture_rate=RATE[one], progress_pct=40.0 - BEHIND[one])
            for m, one in enumerate(seen)
        ],
    )
    assert changes(views) == []


@given(st.booleans(), st.lists(st.sampled_from(["banda", "p2"]), min_size=2, max_size=60))
def test_a_value_that_swings_inside_the_band_never_flips(delayed: bool, seen: list[str]) -> None:
    limits = {} if delayed else {"demora_s": 0, "despeje_s": 0}
    alerts = book(A05=limits, general={"miradas": 1})
    views = steps(alerts, [facts(100 + m, progress_pct=40.0 - BEHIND[one]) for m, one in enumerate(seen)])
    assert changes(views) in ([], [("A05:estado", "activa")])


@st.composite
def nights(draw: st.DrawFn) -> list[tuple[Facts, dict[str, Ack], tuple[Silence, ...]]]:
    """Moments a minute apart of a night in which anything goes wrong, with people that act."""
    turns = []
    last = dict.fromkeys(CATDS, START + 100 * MINUTE)
    acks: dict[str, Ack] = {}
    silences: list[Silence] = []
    for minute in range(101, 101 + draw(st.integers(5, 40))):
        now = START + minute * MINUTE
        down = draw(st.sampled_from([set(), {7}, {5, 6, 7}, set(range(5, 10)), set(range(14))]))
        last.update({n: now for n in CATDS if n not in down})
        catds = {n: {"last_pulse_ms": at, "last_acta_ms": at} for n, at in last.items()}
        if draw(st.integers(0, 4)) == 0:
            alert = draw(st.sampled_from(["A01:catd:7", "A01:distrito:2", "A01:estado", "A04:estado"]))
            acks[alert] = Ack("ana", now)
        if draw(st.integers(0, 9)) == 0:
            until = now + draw(st.integers(1, 10)) * MINUTE
            silences.append(Silence("A01", draw(st.sampled_from([None, 7])), until, "ana", "prueba"))
        one = facts(
            minute,
            catds=catds,
            capture_rate=RATE[draw(LEVELS)],
            progress_pct=40.0 - BEHIND[draw(LEVELS)],
            platform=PlatformFacts(2.0, 60.0, 0.0, database_ok=draw(st.integers(0, 9)) > 0),
        )
        turns.append((one, dict(acks), tuple(silences)))
    return turns


@given(nights())
def test_a_restart_at_any_turn_changes_nothing(night: list[tuple[Facts, dict[str, Ack], Any]]) -> None:
    whole, restarted = book(), book()
    for one, acks, silences in night:
        expected = whole.step(one, acks, silences)
        dump = json.loads(json.dumps(restarted.dump()))
        restarted = book()
        restarted.load(dump)
        assert restarted.step(one, acks, silences) == expected
        assert restarted.dump() == whole.dump()


@given(nights())
def test_every_alert_ends_when_all_is_normal_long_enough(
    night: list[tuple[Facts, dict[str, Ack], Any]],
) -> None:
    alerts = book()
    for one, acks, silences in night:
        alerts.step(one, acks, silences)
    minute = 101 + len(night)
    view = None
    for after in range(17):
        view = alerts.step(facts(minute + after), {}, ())
    assert view is not None and view.alerts == []
    assert alerts.dump()["alertas"] == []


@given(nights())
def test_every_line_begins_before_it_ends_and_the_log_tells_what_is_shown(
    night: list[tuple[Facts, dict[str, Ack], Any]],
) -> None:
    alerts = book()
    open_lines: dict[str, tuple[int, str]] = {}
    for one, acks, silences in night:
        view = alerts.step(one, acks, silences)
        for change in view.transitions:
            alert, what = change["alerta"], change["que"]
            if what in ("despejada", "agrupada", "inhibida"):
                assert alert in open_lines
                del open_lines[alert]
            else:
                assert alert in open_lines or what in ("activa", "reconocida", "silenciada")
                open_lines[alert] = (change["prioridad"], what)
        assert sorted(open_lines) == sorted(ids(view))
        assert all(told(view, alert)["prioridad"] == priority for alert, (priority, _) in open_lines.items())
        members = [n for line in view.alerts if line["regla"] == "A01" for n in line["catds"]]
        assert len(members) == len(set(members)), "un CATD se dice en dos líneas de la misma regla"


@pytest.mark.parametrize("minute", [101, 400])
def test_the_same_turns_give_the_same_view(minute: int) -> None:
    seen = [facts(minute + m, catds={n: silent(9, minute + m) for n in range(m)}) for m in range(12)]
    assert steps(book(), seen) == steps(book(), seen)
