"""What the instructor tells a live rehearsal from the room."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_room import simulacro_control as drill
from control_room.drill_forms import fragment_toml, to_toml
from core.errors import InputError, UsageError
from simulator.live.control import ControlError, NoLiveNightError
from tests.simulator.live.test_control import Live

LINK = {"catds": [1], "dura_min": 40, "nombre": "Fibra «cortada»\ten la calle 5"}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    run = Live(tmp_path_factory.mktemp("sala"), "--velocidad", "60")
    yield run
    run.stop()


@pytest.mark.parametrize(
    ("form", "values", "expected"),
    [
        (
            "enlace",
            {"distritos": "8, 9", "dura_min": "45"},
            {
                "falla_enlace": [
                    {
                        "tipo": "sin_enlace", "nombre": "Corte de internet", "distritos": [8, 9],
                        "dura_min": 45, "variacion": 0.0, "medidas": False,
                    }
                ]
            },
        ),
        (
            "luz",
            {"lugar": "captura", "dura_min": 10, "planta_pct": 100},
            {
                "falla_electrica": [
                    {"lugar": "captura", "nombre": "Corte de luz", "dura_min": 10, "planta": 1.0}
                ]
            },
        ),
        (
            "contienda",
            {"contienda": "AYUN", "dura_min": 20, "causa": "disco lleno"},
            {
                "falla_contienda": [
                    {
                        "contienda": "AYUN", "nombre": "Falla de una contienda", "dura_min": 20,
                        "causa": "disco lleno",
                    }
                ]
            },
        ),
        (
            "traslado",
            {"personas": "12", "a_catd": "", "traslado_min": 15},
            {"personal": {"traslados": [{"rol": "capturistas", "personas": 12, "traslado_min": 15}]}},
        ),
        (
            "ejercicio",
            {"distritos": [4], "activacion_min": 5, "dura_min": 60, "rendimiento_pct": 5},
            {
                "continuidad": {
                    "ejercicios": [
                        {"distritos": [4], "activacion_min": 5, "dura_min": 60, "rendimiento": 0.05}
                    ]
                }
            },
        ),
        (
            "ejercicio",
            {"distritos": [4], "activacion_min": 0, "dura_min": 60, "rendimiento_pct": 0},
            {
                "continuidad": {
                    "ejercicios": [
                        {"distritos": [4], "activacion_min": 0, "dura_min": 60, "rendimiento": 0.0}
                    ]
                }
            },
        ),
        ("restablecer", {"catds": "3 4"}, {"restablecer": {"catd": [3, 4]}}),
    ],
)  # fmt: skip
def test_a_form_is_the_fragment_its_fields_say(
    form: str, values: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert tomllib.loads(fragment_toml(form, values)) == expected


@pytest.mark.parametrize(
    ("form", "values", "words"),
    [
        ("terremoto", {}, "No existe la forma"),
        ("enlace", {}, "Falta dónde"),
        ("enlace", {"catds": [1], "distritos": [2]}, "no ambos"),
        ("enlace", {"catds": [1], "dura_min": "mucho"}, "mucho"),
        ("enlace", {"catds": [1], "dura_min": "nan"}, "nan"),
        ("enlace", {"catds": ["uno"]}, "uno"),
        ("traslado", {"personas": "2.5"}, "entero"),
        ("restablecer", {}, "Falta decir qué CATD"),
        ("contienda", {"contienda": 5}, "texto"),
    ],
)
def test_a_form_that_cannot_be_understood_says_which_field(
    form: str, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        fragment_toml(form, values)


def test_toml_that_is_not_toml_says_the_line_and_no_path_of_the_server() -> None:
    with pytest.raises(InputError) as caught:
        drill.read_toml('[[falla_enlace]]\ntipo = "sin_enlace"\ncatd = [1\n')
    assert caught.value.file == drill.NAME
    assert caught.value.line == 4 or caught.value.line == 3
    with pytest.raises(InputError, match="vacío"):
        drill.read_toml("  \n")
    with pytest.raises(UsageError, match="largo"):
        drill.read_toml("#" * 30_000)


def test_what_was_told_is_read_without_the_line_that_is_being_written(tmp_path: Path) -> None:
    assert drill.injected(tmp_path) == []
    (tmp_path / "instrucciones.jsonl").write_text(
        '{"virtual_ms": 60000, "document": {"restablecer": {"catd": [7]}}}\n{"virtual_ms": 700',
        encoding="utf-8",
    )
    assert drill.injected(tmp_path) == [
        {
            "virtual_ms": 60_000, "textos": ["Enlace restablecido en CATD 7"],
            "toml": "[restablecer]\ncatd = [7]\n",
        }
    ]  # fmt: skip


@pytest.mark.parametrize("measure", sorted(drill.EFFECTS))
def test_every_effect_of_a_measure_can_be_written_as_toml_and_told_in_words(measure: str) -> None:
    documents = drill.effect_of(measure, [3])
    assert documents
    for document in documents:
        assert tomllib.loads(to_toml(document)) == document
        assert drill.describe(document)


def test_a_measure_the_simulation_cannot_feel_is_said_to_be_only_recorded(tmp_path: Path) -> None:
    assert drill.effect_of("papel", [3]) is None
    assert "Solo queda asentada" in drill.effect_text("papel")
    assert drill.apply_effect(tmp_path, "papel", [3]) is None
    told = drill.apply_effect(tmp_path, "reinicio_enrutador", [3])
    assert told is not None
    assert told["estado"] == "sin_efecto"
    assert "no hay ninguna corrida" in told["texto"]


@pytest.mark.parametrize("speed", [0, 0.5, 3601, "rápido", None, float("inf")])
def test_a_speed_out_of_range_is_refused_before_the_run_hears_it(tmp_path: Path, speed: object) -> None:
    with pytest.raises(UsageError, match="velocidad"):
        drill.set_speed(tmp_path, speed)


def test_without_a_run_every_order_says_so(tmp_path: Path) -> None:
    for order in (drill.state, drill.pause, drill.resume):
        with pytest.raises(NoLiveNightError):
            order(tmp_path)


def test_a_live_run_takes_what_the_forms_make(live: Live) -> None:
    live.reach(20)
    assert drill.set_speed(live.folder, "120")["velocidad"] == 120
    done = drill.inject(live.folder, form="enlace", values=LINK)
    assert tomllib.loads(done["toml"])["falla_enlace"][0]["catd"] == [1]
    orders: list[tuple[str, dict[str, Any]]] = [
        ("luz", {"catds": [2], "dura_min": 10}),
        ("luz", {"lugar": "captura", "dura_min": 5, "planta_pct": 50}),
        ("contienda", {"contienda": "AYUN", "dura_min": 5}),
        ("traslado", {"personas": 2}),
        ("ejercicio", {"distritos": [1], "activacion_min": 2, "dura_min": 10, "rendimiento_pct": 10}),
    ]
    for form, values in orders:
        drill.inject(live.folder, form=form, values=values)
    told = drill.injected(live.folder)
    assert len(told) == 1 + len(orders)
    assert told[0]["textos"] == ["Ejercicio del plan de continuidad en distritos 1, 10 min"]
    assert told[-1]["textos"] == ["Fibra «cortada»en la calle 5: sin internet en CATD 1, 40 min"]
    assert drill.restore(live.folder, [1])["restablecidos"] == [1]


def test_what_the_run_refuses_comes_with_line_and_key(live: Live) -> None:
    text = '\n[[falla_enlace]]\ntipo = "sin_enlace"\nnombre = "x"\ncatd = [999]\ndura_min = 5\n'
    with pytest.raises(ControlError) as caught:
        drill.inject(live.folder, toml=text)
    data = caught.value.as_data()
    assert (data["archivo"], data["linea"]) == (drill.NAME, 5)
    assert "catd" in str(data["columna"])


@pytest.mark.parametrize("measure", ["reinicio_enrutador", "datos_moviles"])
def test_a_measure_authorised_in_the_room_mends_what_was_cut(live: Live, measure: str) -> None:
    drill.inject(live.folder, form="enlace", values=LINK)
    told = drill.apply_effect(live.folder, measure, [1])
    assert told is not None
    assert told["estado"] == "aplicado", told["texto"]
    first = drill.injected(live.folder)[0]
    assert tomllib.loads(first["toml"]) == (drill.effect_of(measure, [1]) or ())[-1]
    if measure == "reinicio_enrutador":
        with pytest.raises(ControlError, match="Ninguno"):
            drill.restore(live.folder, [1])
    else:
        # What the measure put there is all that is left of the fault.
        assert drill.restore(live.folder, [1])["restablecidos"] == [1]


def test_a_measure_takes_effect_when_it_is_active_and_not_before(live: Live) -> None:
    drill.inject(live.folder, form="enlace", values=LINK)
    before = len(drill.injected(live.folder))
    active_at = drill.state(live.folder)["utc_ms"] + 3 * 60_000
    told = drill.apply_effect(live.folder, "reinicio_enrutador", [1], active_at)
    assert told is not None
    assert told["estado"] == "pendiente"
    assert "Surte efecto en 3 min" in told["texto"]
    assert len(drill.injected(live.folder)) == before
    drill.set_speed(live.folder, 600)
    drill.resume(live.folder)
    until = time.monotonic() + 20
    while len(drill.injected(live.folder)) == before and time.monotonic() < until:
        time.sleep(0.02)
    drill.pause(live.folder)
    told_last = drill.injected(live.folder)[0]
    assert told_last["textos"] == ["Enlace restablecido en CATD 1"]
    start_ms = drill.state(live.folder)["utc_ms"] - drill.state(live.folder)["virtual_ms"]
    assert start_ms + told_last["virtual_ms"] >= active_at
