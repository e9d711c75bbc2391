"""The fold of the continuity plan's activations that the snapshot shows."""

from __future__ import annotations

from typing import Any

from control_room.night.continuity_plan import read
from control_room.night.continuity_view import ENDED_SHOWN, ContinuityView

MIN = 60_000
T0 = 1_800_000_000_000
DISTRITOS: dict[int, int | None] = {0: 1, 1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: None}


PLAN = read(
    [
        {"clave": key, "nombre": key.title(), "cuando": when, "autoriza": "coordinación", "pasos": ["Hacer"]}
        for key, when in (
            ("reinicio", ["enlace"]),
            ("datos", ["enlace", "luz"]),
            ("papel", ["enlace", "luz"]),
        )
    ]
)


class Ledger:
    """Feeds a view events one after another, at minutes of the night."""

    def __init__(self) -> None:
        self.view = ContinuityView(DISTRITOS, PLAN)
        self.seq = 0

    def __call__(self, minute: float, kind: str, actor: str = "ana", /, **data: Any) -> None:
        self.seq += 1
        self.view.apply(self.seq, kind, T0 + int(minute * MIN), actor, data)

    def incident(self, key: str, kind: str = "enlace", catds: tuple[int, ...] = ()) -> None:
        self(0, "incident_opened", incident=key, kind=kind, title="", cause="", catds=list(catds))

    def propose(self, key: str, catds: list[int], incident: str = "") -> None:
        self(
            1, "measure_proposed", activation=key, incident=incident, measure="Datos móviles", catds=catds,
            effect="10 % del enlace", steps=["Llamar", "Conectar"],
        )  # fmt: skip

    def authorise(self, key: str, catds: list[int], active: float, incident: str = "") -> None:
        at = T0 + int(active * MIN)
        self(2, "measure_authorised", "carla", activation=key, active_at=at)
        self.applied(catds, active, incident)

    def applied(self, catds: list[int], active: float, incident: str, measure: str = "Datos") -> None:
        self(
            2, "measure_applied", "carla", incident=incident, measure=measure, catds=catds,
            authorised_by="carla", authorised_at=T0 + 2 * MIN, active_at=T0 + int(active * MIN), effect="",
        )  # fmt: skip

    def data(self, minute: float = 60) -> dict[str, Any]:
        return self.view.as_data(T0 + int(minute * MIN))


def test_an_activation_is_proposed_by_one_authorised_by_another_checked_and_ended() -> None:
    say = Ledger()
    say.incident("i")
    say.propose("m1", [4, 5], "i")
    [proposed] = say.data()["activaciones"]
    assert (proposed["estado"], proposed["propuesta_por"], proposed["autorizada_por"]) == (
        "propuesta",
        "ana",
        None,
    )
    say.authorise("m1", [4, 5], 12, "i")
    say(15, "measure_step_done", "beto", activation="m1", step=1, note="con el módem 7")
    [active] = say.data()["activaciones"]
    assert (active["estado"], active["autorizada_por"], active["activa_ms"]) == (
        "activa",
        "carla",
        T0 + 12 * MIN,
    )
    assert [step["por"] for step in active["pasos"]] == [None, "beto"]
    assert active["pasos"][1]["nota"] == "con el módem 7"
    say(40, "measure_ended", "carla", activation="m1", reason="volvió el enlace")
    [ended] = say.data()["activaciones"]
    assert (ended["estado"], ended["terminada_ms"], ended["motivo"]) == (
        "terminada", T0 + 40 * MIN, "volvió el enlace",
    )  # fmt: skip


def test_the_event_that_an_authorisation_applied_is_not_another_activation() -> None:
    say = Ledger()
    say.propose("m1", [4])
    say.authorise("m1", [4], 3)
    assert [one["clave"] for one in say.data()["activaciones"]] == ["m1"]


def test_a_dismissed_proposal_says_why() -> None:
    say = Ledger()
    say.propose("m1", [4])
    say(3, "measure_dismissed", "carla", activation="m1", reason="no hace falta")
    [one] = say.data()["activaciones"]
    assert (one["estado"], one["motivo"]) == ("descartada", "no hace falta")
    assert say.view.of_catd() == {}


def test_a_measure_recorded_without_proposal_ends_with_its_incident() -> None:
    say = Ledger()
    say.incident("i")
    say.applied([4], 5, "i")
    [one] = say.data()["activaciones"]
    assert (one["estado"], one["pasos"], one["autorizada_por"]) == ("activa", [], "carla")
    assert say.view.of_catd() == {4: [one["clave"]]}
    say(20, "incident_resolved", incident="i", remedy="")
    [one] = say.data()["activaciones"]
    assert (one["estado"], one["terminada_ms"]) == ("terminada", T0 + 20 * MIN)


def test_a_measure_two_persons_started_outlives_its_incident_until_somebody_ends_it() -> None:
    say = Ledger()
    say.incident("i")
    say.propose("m1", [4], "i")
    say.authorise("m1", [4], 3, "i")
    say(20, "incident_resolved", incident="i", remedy="")
    assert say.data()["activaciones"][0]["estado"] == "activa"


def test_a_measure_of_no_incident_is_over_as_it_begins() -> None:
    say = Ledger()
    say.applied([4, 5], 5, "")
    assert say.data()["activaciones"][0]["estado"] == "terminada"
    assert say.data()["distritos_activos"] == []


def test_a_measure_follows_its_incident_into_the_one_it_is_merged_with() -> None:
    say = Ledger()
    say.incident("a")
    say.incident("b")
    say.applied([4], 5, "b")
    say(6, "incident_merged", incident="b", into="a")
    say(9, "incident_resolved", incident="a", remedy="")
    [one] = say.data()["activaciones"]
    assert (one["incidente"], one["estado"]) == ("a", "terminada")


def test_a_distrito_has_the_plan_on_with_half_of_its_catds_and_only_from_when_it_works() -> None:
    say = Ledger()
    say.propose("m1", [0, 1, 4])
    assert say.data()["distritos_activos"] == []
    say.authorise("m1", [0, 1, 4], 30)
    assert say.data(29)["distritos_activos"] == []
    assert say.data(30)["distritos_activos"] == [1, 2]


def test_one_router_restarted_is_not_the_plan_of_a_distrito_but_an_exercise_is() -> None:
    say = Ledger()
    say.incident("i")
    say.applied([0, 6], 5, "i")
    assert say.data()["distritos_activos"] == []
    say.incident("e", "ejercicio")
    say.applied([1], 5, "e")
    assert say.data()["distritos_activos"] == [1]
    say(50, "incident_resolved", incident="e", remedy="")
    assert say.data()["distritos_activos"] == []


def test_what_waits_for_a_person_comes_first_and_only_the_last_ended_are_shown() -> None:
    say = Ledger()
    for number in range(ENDED_SHOWN + 3):
        say.propose(f"old{number}", [4])
        say(3 + number, "measure_dismissed", activation=f"old{number}", reason="")
    say.propose("active", [4])
    say.authorise("active", [4], 5)
    say.propose("waiting", [5])
    keys = [one["clave"] for one in say.data()["activaciones"]]
    assert keys[:3] == ["waiting", "active", f"old{ENDED_SHOWN + 2}"]
    assert len(keys) == 2 + ENDED_SHOWN


def test_the_next_measures_of_a_catd_are_those_after_the_ones_used_against_its_incident() -> None:
    say = Ledger()
    say.incident("i", "enlace", (4, 5))
    say.incident("luz", "luz", (5,))
    say.applied([4], 5, "i")
    assert say.data()["siguientes"] == [
        [4, "i", ["papel"]],
        [5, "i", ["reinicio", "datos", "papel"]],
        [5, "luz", ["datos", "papel"]],
    ]
    say(20, "incident_resolved", incident="i", remedy="")
    assert [row[:2] for row in say.data()["siguientes"]] == [[5, "luz"]]
    say(21, "incident_reopened", incident="i", reason="")
    assert [row[:2] for row in say.data()["siguientes"]] == [[4, "i"], [5, "i"], [5, "luz"]]


def test_what_follows_from_a_failure_goes_before_what_follows_from_an_exercise() -> None:
    say = Ledger()
    say.incident("a", "ejercicio", (4,))
    say.incident("b", "enlace", (4,))
    keys = [row[1] for row in say.data()["siguientes"]]
    assert keys == [key for key in ("b", "a") if key in keys] and keys[0] == "b"


def test_an_incident_merged_into_another_leaves_its_catds_to_it() -> None:
    say = Ledger()
    say.incident("a", "enlace", (4,))
    say.incident("b", "enlace", (5,))
    say(6, "incident_merged", incident="b", into="a")
    assert [row[:2] for row in say.data()["siguientes"]] == [[4, "a"], [5, "a"]]
