"""The continuity plan by configuration: what is accepted, what is refused, what comes next."""

from __future__ import annotations

from typing import Any

import pytest

from control_room.night.continuity_plan import ContinuityPlan, read
from core.errors import InputError


def table(key: str = "datos", **changes: Any) -> dict[str, Any]:
    return {
        "clave": key, "nombre": f"Medida {key}", "cuando": ["enlace"], "autoriza": "coordinación",
        "activacion_min": 5, "pasos": ["Llamar", "Conectar"], **changes,
    }  # fmt: skip


def keys(plan: ContinuityPlan, *args: Any) -> list[str]:
    return [one.key for one in plan.next_at(*args)]


def test_measures_are_read_in_order_and_found_by_key_title_or_other_name() -> None:
    plan = read([table("a", tambien=["Reinicio del enrutador"]), table("b", efecto="algo", distritos=[4])])
    assert [one.key for one in plan.measures] == ["a", "b"]
    found = [plan.measure(name) for name in ("a", "Medida A", "reinicio del enrutador")]
    assert [one.key if one else None for one in found] == ["a", "a", "a"]
    assert plan.measure("otra") is None
    assert plan.as_data()[1] == {
        "clave": "b", "nombre": "Medida b", "cuando": ["enlace"], "autoriza": "coordinación",
        "activacion_min": 5, "efecto": "algo", "pasos": ["Llamar", "Conectar"], "catds": [], "distritos": [4],
    }  # fmt: skip


def test_a_room_may_have_no_plan() -> None:
    assert read([]).next_at(1, 1, "enlace", []) == ()


def test_the_plan_is_a_ladder_the_next_measure_is_after_the_last_one_used() -> None:
    plan = read([table("a"), table("b"), table("c"), table("d"), table("e", cuando=["luz"])])
    assert keys(plan, 3, 1, "enlace", []) == ["a", "b", "c"]
    assert keys(plan, 3, 1, "enlace", ["Medida b"]) == ["c", "d"]
    assert keys(plan, 3, 1, "enlace", ["d", "a"]) == []
    assert keys(plan, 3, 1, "luz", ["d"]) == ["e"]
    assert keys(plan, 3, 1, "sismo", []) == []
    assert keys(plan, 3, 1, "enlace", ["una que el plan no tiene"]) == ["a", "b", "c"]


def test_a_measure_of_some_places_is_offered_only_there() -> None:
    plan = read([table("a", catds=[3]), table("b", distritos=[7]), table("c")])
    assert keys(plan, 3, 1, "enlace", []) == ["a", "c"]
    assert keys(plan, 4, 7, "enlace", []) == ["b", "c"]
    assert keys(plan, 4, None, "enlace", []) == ["c"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"clave": "Con Espacios"}, "clave"),
        ({"nombre": " "}, "nombre"),
        ({"nombre": "x" * 301}, "nombre"),
        ({"autoriza": 3}, "autoriza"),
        ({"activacion_min": -1}, "activacion_min"),
        ({"activacion_min": True}, "activacion_min"),
        ({"pasos": []}, "pasos"),
        ({"pasos": ["a", ""]}, "pasos"),
        ({"pasos": ["x" * 301]}, "pasos"),
        ({"cuando": []}, "cuando"),
        ({"cuando": "enlace"}, "cuando"),
        ({"catds": ["3"]}, "catds"),
        ({"distritos": [-1]}, "distritos"),
        ({"color": "rojo"}, "color"),
    ],
)
def test_a_wrong_measure_is_refused_with_its_place(change: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError) as refused:
        read([table("buena"), {**table("mala"), **change}], "mi-sala.toml")
    assert refused.value.file == "mi-sala.toml"
    assert refused.value.column == f"continuidad.medidas[2].{key}"
    assert refused.value.expected


def test_two_measures_cannot_bear_the_same_name() -> None:
    with pytest.raises(InputError, match="otra medida"):
        read([table("a"), table("b", tambien=["medida A"])])


@pytest.mark.parametrize("raw", [{"clave": "a"}, "texto", 3, ["texto"]])
def test_what_is_not_a_list_of_tables_is_refused(raw: Any) -> None:
    with pytest.raises(InputError):
        read(raw)
