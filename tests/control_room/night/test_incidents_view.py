"""The fold of incidents, acknowledgements and silences that the snapshot shows."""

from __future__ import annotations

from typing import Any

from control_room.night.facts import Ack, Silence
from control_room.night.incidents_view import ENDED_SHOWN, NOTES_SHOWN, IncidentsView

MIN = 60_000
T0 = 1_800_000_000_000


class Ledger:
    """Feeds a view events one after another, at minutes of the night."""

    def __init__(self) -> None:
        self.view = IncidentsView()
        self.seq = 0

    def __call__(self, minute: float, kind: str, actor: str = "ana", /, **data: Any) -> None:
        self.seq += 1
        self.view.apply(self.seq, kind, T0 + int(minute * MIN), actor, data)

    def open(self, minute: float, key: str, catds: tuple[int, ...] = (), alert: str = "") -> None:
        self(
            minute, "incident_opened", incident=key, kind="enlace", title=f"Falla {key}", cause="",
            catds=catds, alert=alert,
        )  # fmt: skip

    def data(self) -> dict[str, Any]:
        return self.view.as_data(T0)

    def one(self, key: str) -> dict[str, Any]:
        found: dict[str, Any]
        [found] = [one for one in self.data()["incidentes"] if one["clave"] == key]
        return found


def test_an_incident_is_followed_from_open_to_closed_with_its_times_and_its_timeline() -> None:
    say = Ledger()
    say.open(0, "a", catds=(3, 4), alert="A01:catd:3")
    say(2, "incident_attended", "beto", incident="a")
    say(3, "incident_assigned", "carla", incident="a", assignee="beto")
    say(5, "incident_noted", "beto", incident="a", text="<b>se llamó</b>")
    say(8, "incident_contained", "beto", incident="a", text="con datos móviles")
    say(20, "incident_resolved", "beto", incident="a", remedy="enrutador reiniciado")
    say(30, "incident_closed", "carla", incident="a", cause="falla del proveedor")
    one = say.one("a")
    assert (one["estado"], one["asignado"], one["abierto_por"]) == ("cerrado", "beto", "ana")
    assert (one["remedio"], one["causa"]) == ("enrutador reiniciado", "falla del proveedor")
    stamps = ("abierto_ms", "atendido_ms", "contenido_ms", "resuelto_ms", "cerrado_ms")
    assert [(one[name] - T0) // MIN for name in stamps] == [0, 2, 8, 20, 30]
    assert [note["quien"] for note in one["notas"]] == [
        "ana",
        "beto",
        "carla",
        "beto",
        "beto",
        "beto",
        "carla",
    ]
    assert one["notas"][3]["texto"] == "<b>se llamó</b>"
    assert one["notas"][-1]["texto"] == "Cerrado. Causa: falla del proveedor"


def test_who_attends_an_incident_has_it_unless_it_was_given_to_another() -> None:
    say = Ledger()
    say.open(0, "a")
    say.open(0, "b")
    say(1, "incident_assigned", incident="b", assignee="carla")
    say(2, "incident_attended", "beto", incident="a")
    say(2, "incident_attended", "beto", incident="b")
    assert (say.one("a")["asignado"], say.one("b")["asignado"]) == ("beto", "carla")


def test_the_mean_times_count_only_the_incidents_that_got_there() -> None:
    say = Ledger()
    say.open(0, "a")
    say.open(0, "b")
    say.open(0, "c")
    say(4, "incident_attended", incident="a")
    say(9, "incident_contained", incident="b", text="")
    say(30, "incident_resolved", incident="a", remedy="")
    assert say.data()["incidentes_resumen"] == {"abiertos": 2, "mtta_min": 6.5, "mttr_min": 30.0}


def test_nothing_is_averaged_when_nothing_happened() -> None:
    assert Ledger().data() == {
        "incidentes": [],
        "incidentes_resumen": {"abiertos": 0, "mtta_min": None, "mttr_min": None},
    }


def test_a_measure_is_an_answer_to_its_incident_and_one_without_incident_belongs_to_none() -> None:
    say = Ledger()
    say.open(0, "a", catds=(3,))
    measure: dict[str, Any] = {
        "measure": "Datos móviles", "authorised_by": "coord", "authorised_at": T0, "active_at": T0 + MIN,
        "effect": "10 %", "catds": [3],
    }  # fmt: skip
    say(7, "measure_applied", incident="a", **measure)
    say(8, "measure_applied", incident="", **measure)
    assert [one["medida"] for one in say.one("a")["medidas"]] == ["Datos móviles"]
    assert [note["clase"] for note in say.one("a")["notas"]] == ["estado"]
    assert say.data()["incidentes_resumen"]["mtta_min"] == 7.0
    # What the mean is made of is on the row too: nobody attended it, and yet it was answered.
    assert (say.one("a")["respondido_ms"], say.one("a")["atendido_ms"]) == (T0 + 7 * MIN, None)


def test_reopening_begins_again_and_keeps_when_it_was_first_answered() -> None:
    say = Ledger()
    say.open(0, "a")
    say(2, "incident_attended", incident="a")
    say(9, "incident_resolved", incident="a", remedy="volvió")
    say(12, "incident_reopened", incident="a", reason="se cayó otra vez")
    one = say.one("a")
    assert (one["estado"], one["resuelto_ms"], one["remedio"]) == ("abierto", None, "")
    assert one["atendido_ms"] is None
    assert say.data()["incidentes_resumen"] == {"abiertos": 1, "mtta_min": 2.0, "mttr_min": None}


def test_merging_joins_the_catds_and_leaves_the_merged_one_out_of_the_means() -> None:
    say = Ledger()
    say.open(0, "a", catds=(3, 5))
    say.open(1, "b", catds=(4, 5))
    say(2, "incident_merged", "carla", incident="b", into="a")
    say(10, "incident_resolved", incident="a", remedy="")
    merged = say.one("b")
    assert (merged["estado"], merged["fusionado_en"]) == ("fusionado", "a")
    assert say.one("a")["catds"] == [3, 4, 5]
    assert say.data()["incidentes_resumen"] == {"abiertos": 0, "mtta_min": None, "mttr_min": 10.0}


def test_open_incidents_all_stay_and_only_the_last_ended_are_shown() -> None:
    say = Ledger()
    for number in range(ENDED_SHOWN + 5):
        say.open(number, f"old{number}")
        say(number + 0.5, "incident_resolved", incident=f"old{number}", remedy="")
        say(number + 0.6, "incident_closed", incident=f"old{number}", cause="x")
    for number in range(40):
        say.open(100 + number, f"new{number}")
    keys = [one["clave"] for one in say.data()["incidentes"]]
    assert keys[:40] == [f"new{number}" for number in range(40)]
    assert keys[40] == f"old{ENDED_SHOWN + 4}" and len(keys) == 40 + ENDED_SHOWN


def test_a_long_timeline_is_shown_from_its_end() -> None:
    say = Ledger()
    say.open(0, "a")
    for number in range(NOTES_SHOWN + 10):
        say(number, "incident_noted", incident="a", text=str(number))
    notes = say.one("a")["notas"]
    assert len(notes) == NOTES_SHOWN and notes[-1]["texto"] == str(NOTES_SHOWN + 9)


def test_an_event_seen_twice_changes_nothing() -> None:
    say = Ledger()
    say.open(0, "a")
    say.view.apply(1, "incident_noted", T0, "ana", {"incident": "a", "text": "otra vez"})
    say.view.apply(2, "acta_received", T0, "ana", {})
    assert len(say.one("a")["notas"]) == 1


def test_incidents_are_found_by_their_catd_and_their_alert_while_somebody_works_on_them() -> None:
    say = Ledger()
    say.open(0, "a", catds=(3, 4), alert="A01:catd:3")
    say.open(0, "b", catds=(4,))
    assert say.view.of_catd() == {3: ["a"], 4: ["a", "b"]}
    assert say.view.of_alert() == {"A01:catd:3": "a"}
    say(5, "incident_resolved", incident="a", remedy="")
    assert say.view.of_catd() == {4: ["b"]}
    assert say.view.of_alert() == {}


def test_the_last_acknowledgement_and_the_last_silence_are_the_ones_that_hold() -> None:
    say = Ledger()
    say(1, "alert_acknowledged", alert="A01:catd:3", note="")
    say(6, "alert_acknowledged", "beto", alert="A01:catd:3", note="voy")
    until = T0 + 30 * MIN
    say(2, "alert_silenced", rule="A02", catd=7, reason="cena", until=T0 + 4 * MIN)
    say(3, "alert_silenced", "beto", rule="A02", catd=7, reason="mudanza", until=until)
    say(3, "alert_silenced", rule="A09", catd=None, reason="prueba", until=T0 + 5 * MIN)
    assert say.view.acks() == {"A01:catd:3": Ack("beto", T0 + 6 * MIN, "voy")}
    assert say.view.silences(T0 + 10 * MIN) == [Silence("A02", 7, until, "beto", "mudanza")]
    assert len(say.view.silences()) == 2
