"""What a run tells of its cuts and destinations, and how long it waits for them at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from core.destinations import Pace, open_destinations
from core.errors import UsageError
from core.publication.cut import CutReport
from core.publishing.office import HELD
from simulator.night.showing import Showing, sentences, specs_of, unfinished, wait_for
from tests.core.destinations.work_tree import WorkTree

QUICK = Pace(first_retry_s=0.05, last_retry_s=0.1)
START = 1_622_770_000_000
STEP = 1_200_000


def report(number: int, refused: str | None = None) -> CutReport:
    return CutReport(number, START + number * STEP, 10, False, None, {}, refused=refused)


def told(folder: Path) -> dict[str, Any]:
    found = orjson.loads((folder / "publicador.json").read_bytes())
    assert isinstance(found, dict)
    return found


def state(name: str, *, sent: int, status: str = "atrasado", error: str | None = None) -> dict[str, Any]:
    return {
        "nombre": name, "estado": status, "corte": 1, "atraso_cortes": 2, "atraso_s": 9, "error": error,
        "subidos": sent, "bytes": sent * 1000,
    }  # fmt: skip


def test_each_cut_is_told_and_reaches_the_places(tmp_path: Path) -> None:
    work = WorkTree(tmp_path / "noche")
    places = open_destinations(work.root, [f"web={tmp_path / 'web'}"])
    showing = Showing(work.root, places, "simulacro", pace=QUICK)
    work.publish()
    showing.begins(START + STEP)
    showing.reported(report(1), START + 2 * STEP)
    states = showing.finish()
    showing.close()
    assert [(one["estado"], one["corte"]) for one in states] == [("al_corriente", 1)]
    found = told(work.root)
    assert (found["corte"], found["instante_ms"]) == (1, START + STEP)
    assert found["siguiente_ms"] == START + 2 * STEP
    assert found["destinos"] == states
    assert found["generado_ms"] == START + STEP, "it is an hour of the night"
    assert found["estado"] == "fuera_de_horario", "it left before the last cut"
    assert (tmp_path / "web" / "corte.json").read_bytes() == (work.root / "corte.json").read_bytes()
    assert not (tmp_path / "web" / "publicador.json").exists()


@pytest.mark.parametrize(
    ("why", "stopped", "alarms", "status"),
    [
        ("El JSON no se lee", "", {"corte_fallido", "corte_perdido"}, "esperando"),
        ("Cortes detenidos", "Cortes detenidos", {"corte_perdido"}, "esperando"),
        (f"{HELD}: hay un error", "", {"detenida"}, "detenida"),
    ],
    ids=["rechazado", "por_el_escenario", "por_dos_personas"],
)
def test_a_cut_that_does_not_go_out_is_an_alarm_until_the_next(
    tmp_path: Path, why: str, stopped: str, alarms: set[str], status: str
) -> None:
    showing = Showing(tmp_path, [], "simulacro")
    showing.reported(report(1, why), START + 2 * STEP, stopped=stopped)
    written = showing.as_data()
    assert {one["clave"] for one in written["alarmas"]} == alarms
    assert (written["estado"], written["perdidas"]) == (status, [START + STEP])
    showing.reported(report(1), None)
    showing.close()
    assert told(tmp_path)["alarmas"] == []
    assert told(tmp_path)["estado"] == "cerrada"


def test_who_moves_is_waited_for_and_who_refuses_is_not(tmp_path: Path) -> None:
    now = [0.0]
    asked = 0

    def drain(seconds: float) -> tuple[bool, list[dict[str, Any]]]:
        nonlocal asked
        asked += 1
        now[0] += seconds
        slow = state("lento", sent=asked) if asked < 100 else state("lento", sent=100, status="al_corriente")
        return False, [slow, state("ajeno", sent=0, error="es de otra publicación")]

    states = wait_for(drain, refused_s=5, silent_s=20, clock=lambda: now[0])
    assert asked == 100, "the slow one is waited for to its end, the other no longer"
    assert unfinished(states) == ["ajeno"]


def test_who_says_nothing_is_not_waited_for_for_ever() -> None:
    now = [0.0]

    def drain(seconds: float) -> tuple[bool, list[dict[str, Any]]]:
        now[0] += seconds
        return False, [state("mudo", sent=3)]

    assert unfinished(wait_for(drain, refused_s=5, silent_s=20, clock=lambda: now[0])) == ["mudo"]
    assert 20 <= now[0] < 22


def test_how_each_was_left_is_said_in_words() -> None:
    well, badly = sentences(
        [state("web", sent=1200, status="al_corriente"), state("radio", sent=3, error="no responde")]
    )
    assert well == "web: al corriente, corte 1 (1,200 archivos, 1.2 MB enviados)"
    assert badly.startswith("radio: NO TERMINÓ, tiene el corte 1; le faltan 2 (3 archivos, ")
    assert badly.endswith("): no responde")


def test_a_place_inside_the_run_or_around_it_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "salida" / "s"
    for place in (run, run / "publico", tmp_path / "salida", f"web=file://{run}/x"):
        with pytest.raises(UsageError, match="no pueden ser la misma"):
            specs_of([str(place)], run, cuts=True)
    beside = [str(tmp_path / "salida" / "s-publico")]
    assert specs_of(beside, run, cuts=True) == beside
    with pytest.raises(UsageError, match="dos destinos que se llaman «web»"):
        specs_of([f"web={tmp_path}/a", f"web={tmp_path}/b"], run, cuts=True)
    with pytest.raises(UsageError, match="sin-cortes"):
        specs_of(beside, run, cuts=False)


def test_a_run_that_goes_on_keeps_its_places(tmp_path: Path) -> None:
    marker = tmp_path / "marca.json"
    run = tmp_path / "s"
    assert specs_of([], run, cuts=True, marker=marker) == []
    marker.write_bytes(orjson.dumps({"corrida": {"destinos": ["web=publico"]}}))
    assert specs_of([], run, cuts=True, marker=marker) == ["web=publico"]
    assert specs_of(["otro"], run, cuts=True, marker=marker) == ["otro"]
    assert specs_of([], run, cuts=False, marker=marker) == []
    marker.write_bytes(b"{")
    assert specs_of([], run, cuts=True, marker=marker) == []
