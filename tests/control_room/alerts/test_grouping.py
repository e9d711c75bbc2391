"""A storm is one line, the same one while it lasts; what follows from something else is not told again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from control_room.alerts.book import AlertBook, AlertView
from control_room.night.facts import Ack
from tests.control_room.alerts.picture import CATDS, MINUTE, START, book, facts, ids, silent, told

DISTRICT_2 = range(5, 10)


def down(alerts: AlertBook, minute: float, catds: Iterable[int], **more: Any) -> AlertView:
    """Two looks at a moment in which some CATDs have been silent for 40 minutes."""
    seen = facts(minute, catds={n: silent(40, minute) for n in catds})
    alerts.step(seen, more.get("acks", {}), ())
    return alerts.step(seen, more.get("acks", {}), ())


def test_nine_silent_catds_of_a_district_are_one_line() -> None:
    view = down(book(), 120, DISTRICT_2)
    assert ids(view) == ["A01:distrito:2"]
    line = told(view, "A01:distrito:2")
    assert line["titulo"] == "5 CATD sin señal · distrito 2"
    assert line["catds"] == list(DISTRICT_2)
    assert line["ambito"] == {"tipo": "distrito", "id": 2}
    assert line["detalle"].startswith("CATD-005, CATD-006")
    assert line["valor"] == "40 min sin latido" and line["umbral"] == "10 min"
    assert view.of_catd[5] == (1, "CATD sin señal: 40 min sin latido", ("A01:distrito:2",))


def test_one_or_two_catds_are_told_by_their_names() -> None:
    view = down(book(), 120, [5, 6])
    assert ids(view) == ["A01:catd:5", "A01:catd:6"]
    assert told(view, "A01:catd:5")["titulo"] == "CATD sin señal · CATD-005 (D2)"


def test_a_group_that_grows_and_shrinks_is_always_the_same_alert() -> None:
    alerts = book()
    down(alerts, 120, [5, 6, 7])
    since = told(down(alerts, 121, [5, 6, 7]), "A01:distrito:2")["desde_ms"]
    for minute, members in ((122, DISTRICT_2), (123, [5, 6]), (124, [5]), (125, DISTRICT_2)):
        view = down(alerts, minute, members)
        assert ids(view) == ["A01:distrito:2"]
        assert told(view, "A01:distrito:2")["desde_ms"] == since
        assert view.transitions == []
    assert ids(down(alerts, 126, [])) == []


def test_alerts_that_become_a_group_are_not_said_to_be_over() -> None:
    alerts = book()
    down(alerts, 120, [5, 6])
    alerts.step(facts(121, catds={n: silent(40, 121) for n in (5, 6, 7)}), {}, ())
    view = alerts.step(facts(121, catds={n: silent(40, 121) for n in (5, 6, 7)}), {}, ())
    assert sorted((one["alerta"], one["que"]) for one in view.transitions) == [
        ("A01:catd:5", "agrupada"),
        ("A01:catd:6", "agrupada"),
        ("A01:distrito:2", "activa"),
    ]


def test_what_touches_more_than_five_districts_is_one_line_until_two_are_left() -> None:
    alerts = book(A15={"activa": False})
    five, six = range(0, 25, 5), range(0, 30, 5)
    assert set(ids(down(alerts, 120, five))) == {f"A01:catd:{n}" for n in five}
    assert ids(down(alerts, 121, six)) == ["A01:estado"]
    assert told(down(alerts, 122, six), "A01:estado")["titulo"] == "6 CATD sin señal · 6 distritos"
    assert ids(down(alerts, 123, [0, 5, 10])) == ["A01:estado"]
    assert ids(down(alerts, 124, [0, 5])) == ["A01:catd:0", "A01:catd:5"]


def test_district_lines_that_become_one_of_the_state_are_not_said_to_be_over() -> None:
    alerts = book(A15={"activa": False})
    down(alerts, 120, range(25))
    seen = facts(121, catds={n: silent(40, 121) for n in range(30)})
    alerts.step(seen, {}, ())
    view = alerts.step(seen, {}, ())
    assert ids(view) == ["A01:estado"]
    assert {one["que"] for one in view.transitions if one["alerta"] != "A01:estado"} == {"agrupada"}


def test_an_acknowledged_group_stays_so_until_it_grows_much_more() -> None:
    alerts = book()
    down(alerts, 120, [5, 6, 7])
    acks = {"A01:distrito:2": Ack("ana", START + 120 * MINUTE)}
    assert told(down(alerts, 121, [5, 6, 7], acks=acks), "A01:distrito:2")["estado"] == "reconocida"
    assert told(down(alerts, 122, DISTRICT_2, acks=acks), "A01:distrito:2")["estado"] == "reconocida"
    assert told(down(alerts, 123, [5], acks=acks), "A01:distrito:2")["estado"] == "reconocida"
    again = told(down(alerts, 124, DISTRICT_2, acks=acks), "A01:distrito:2")
    assert again["estado"] == "activa" and again["por"] is None


def test_a_storm_in_a_district_nobody_acknowledged_raises_the_line_of_the_state_again() -> None:
    alerts = book(A15={"activa": False})
    six = list(range(0, 30, 5))
    down(alerts, 120, six)
    acks = {"A01:estado": Ack("ana", START + 120 * MINUTE)}
    assert told(down(alerts, 121, six, acks=acks), "A01:estado")["estado"] == "reconocida"
    one_more = [*six, 30]
    assert told(down(alerts, 122, one_more, acks=acks), "A01:estado")["estado"] == "reconocida"
    storm = told(down(alerts, 124, [*one_more, *range(35, 40)], acks=acks), "A01:estado")
    assert storm["estado"] == "activa"
    assert storm["detalle"].startswith("Recién: ")
    assert "distrito 8 (5 CATD)" in storm["detalle"]


def test_what_was_acknowledged_one_by_one_stays_so_in_the_group() -> None:
    alerts = book()
    down(alerts, 120, [5, 6])
    acks = {f"A01:catd:{n}": Ack("ana", START + 120 * MINUTE + n) for n in (5, 6)}
    down(alerts, 121, [5, 6], acks=acks)
    assert told(down(alerts, 122, [5, 6, 7], acks=acks), "A01:distrito:2")["estado"] == "reconocida"


def test_a_silent_catd_is_not_said_to_be_without_actas_too() -> None:
    alerts = book()
    quiet = {7: {"last_acta_ms": START + 60 * MINUTE}}
    for _ in range(2):
        view = alerts.step(facts(120, catds=quiet), {}, ())
    assert ids(view) == ["A02:catd:7"]
    for _ in range(2):
        view = alerts.step(facts(124, catds={7: silent(30, 124)}), {}, ())
    assert ids(view) == ["A01:catd:7"] and view.summary["inhibidas"] == 1
    assert ("A02:catd:7", "inhibida") in [(one["alerta"], one["que"]) for one in view.transitions]
    back = facts(125, catds=quiet)
    assert ids(alerts.step(back, {}, ())) == ["A02:catd:7"]


def test_a_silent_state_is_not_said_to_be_slow() -> None:
    alerts = book(A04={"demora_s": 0})
    seen = facts(120, catds={n: silent(40) for n in range(0, 40, 2)}, capture_rate=1.0)
    for _ in range(3):
        view = alerts.step(seen, {}, ())
    assert ids(view) == ["A01:estado"] and view.summary["inhibidas"] == 1


def test_a_catd_without_district_is_told_alone() -> None:
    places = {n: place._replace(distrito=None) for n, place in CATDS.items()}
    alerts = AlertBook(book().thresholds, places)
    assert ids(down(alerts, 120, range(4))) == [f"A01:catd:{n}" for n in range(4)]
