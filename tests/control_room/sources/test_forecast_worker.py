"""The forecast of the room: the process that keeps it, the reasons it gives, and the what-ifs."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from control_room.sources.forecast_process import answer_what_if
from control_room.sources.forecast_worker import (
    COMING,
    FILE,
    MOST_WHAT_IFS,
    ForecastWorker,
    forecast_for_snapshot,
    leave,
    read_forecast,
    what_if,
)
from core.errors import UsageError
from tests.control_room.night_folder import CHICA, MINUTE, copy, load, play, stop_at

START = load().scenario.calendar.start_ms
END = START + load().scenario.calendar.length_ms
NOW = START + 110 * MINUTE


def said_by_the_process(folder: Path) -> dict[str, Any] | None:
    data = read_forecast(folder)
    return None if data is None or data["motivo"] == COMING else data


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return play(tmp_path_factory.mktemp("noche") / "corrida", cuts=False)


@pytest.fixture(scope="module")
def under_way(played: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same night, an hour and fifty minutes into it."""
    night = copy(played, tmp_path_factory.mktemp("mitad") / "corrida")
    stop_at(night, NOW)
    return night


def wait_for(seen: Callable[[], Any], seconds: float = 60) -> Any:
    pause = threading.Event()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = seen()
        if found:
            return found
        pause.wait(0.05)
    raise AssertionError("no ocurrió a tiempo")


def test_the_process_leaves_the_forecast_of_the_snapshot_and_ends_when_let_go(
    under_way: Path, tmp_path: Path
) -> None:
    worker = ForecastWorker(str(under_way / "prep.db"), tmp_path / "sala", CHICA, replicas=60)
    worker.start()
    try:
        data = wait_for(lambda: forecast_for_snapshot(tmp_path / "sala"))
        assert worker.watch()
        pid = worker.pid
        assert pid is not None
    finally:
        worker.close()
    assert worker.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert data["motivo"] is None
    assert START < data["hecho_ms"] <= NOW
    curve = data["curva"]
    assert curve[0][0] == data["hecho_ms"]
    assert curve[-1][0] == END
    assert all(low <= middle <= high for _, low, middle, high in curve)
    assert curve[0][1] == curve[0][3], "lo registrado no se pronostica"
    assert data["final_pct"]["p10"] == pytest.approx(curve[-1][1], abs=0.01)
    assert set(data["cierre"]) == {"mediana_ms", "desde_ms", "hasta_ms", "final_pct"}
    times = [data["cierre"][key] for key in ("desde_ms", "mediana_ms", "hasta_ms")]
    known = [at for at in times if at is not None]
    assert known == sorted(known)
    assert data["notas"] == []
    assert all(0 <= chance <= 1 for _, chance in data["catd_riesgo"])


def test_a_process_that_dies_is_told_and_started_again(under_way: Path, tmp_path: Path) -> None:
    worker = ForecastWorker(str(under_way / "prep.db"), tmp_path / "sala", every_s=0.2, replicas=50)
    worker.start()
    try:
        wait_for(lambda: forecast_for_snapshot(tmp_path / "sala"))
        first = worker.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: worker.watch() and worker.pid != first)
        said = read_forecast(tmp_path / "sala")
        assert said is not None
        assert said["motivo"] is None or "terminó (código -9)" in said["motivo"]
        assert said["curva"], "el pronóstico que había sigue siendo el último"
    finally:
        worker.close()


def test_a_night_that_ended_has_a_reason_and_no_forecast(played: Path, tmp_path: Path) -> None:
    worker = ForecastWorker(str(played / "prep.db"), tmp_path)
    worker.start()
    try:
        data = wait_for(lambda: said_by_the_process(tmp_path))
    finally:
        worker.close()
    assert "ya terminó" in data["motivo"]
    assert data["curva"] is None
    assert forecast_for_snapshot(tmp_path) is None


def test_the_forecast_of_another_night_is_not_shown_as_of_this_one(under_way: Path, tmp_path: Path) -> None:
    leave(tmp_path, {"hecho_ms": 5, "curva": [[5, 1, 2, 3]]})
    worker = ForecastWorker(str(under_way / "prep.db"), tmp_path, replicas=50)
    worker.start()
    try:
        data = forecast_for_snapshot(tmp_path)
        assert data is None or data["hecho_ms"] != 5
    finally:
        worker.close()


def test_a_base_that_is_not_there_has_a_reason(tmp_path: Path) -> None:
    worker = ForecastWorker(str(tmp_path / "nada.db"), tmp_path)
    worker.start()
    try:
        data = wait_for(lambda: said_by_the_process(tmp_path))
    finally:
        worker.close()
    assert "No existe la base" in data["motivo"]


def test_a_scenario_of_another_night_is_left_aside_and_said(under_way: Path, tmp_path: Path) -> None:
    other = tmp_path / "chica.toml"
    text = CHICA.read_text(encoding="utf-8").replace("2021-06-03T", "2021-06-10T")
    other.write_text(text, encoding="utf-8")
    question = {"base": str(under_way / "prep.db"), "ahora_ms": NOW, "replicas": 50, "si": []}
    answer = answer_what_if({**question, "escenario": str(other)})
    assert answer["notas"] == [
        "Sin escenario: El escenario no es el de esta noche: su hora de inicio es otra."
    ]
    missing = answer_what_if({**question, "escenario": str(tmp_path / "no.toml")})
    assert missing["notas"][0].startswith("Sin escenario:")
    assert answer["base"]["curva"]


def test_a_what_if_is_compared_with_changing_nothing(under_way: Path) -> None:
    words = ["capturistas +8 19:00", "enlace  distrito-1 19:30"]
    answer = what_if(words, str(under_way / "prep.db"), CHICA, at_ms=NOW, replicas=60)
    assert answer["hecho_ms"] == NOW
    assert [one["si"] for one in answer["si"]] == ["capturistas +8 19:00", "enlace distrito-1 19:30"]
    more = answer["si"][0]
    assert more["diferencia_pp"]["media"] >= 0
    assert [point[0] for point in more["curva"]] == [point[0] for point in answer["base"]["curva"]]
    assert "Si capturistas +8 19:00" in answer["resumen"]


@pytest.mark.parametrize(
    ("words", "told"),
    [("que llueva", "se esperaba"), ("enlace catd-999 19:30", "el catálogo no tiene")],
)
def test_words_that_are_no_change_are_refused_as_the_command_does(
    under_way: Path, words: str, told: str
) -> None:
    question = {"base": str(under_way / "prep.db"), "ahora_ms": NOW, "replicas": 50, "si": [words]}
    with pytest.raises(UsageError, match=told):
        answer_what_if(question)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["capturistas +2 03:00"], "posterior al cierre"),
        (["x" * 200], "menos de"),
        (["capturistas +1 19:00"] * (MOST_WHAT_IFS + 1), "hasta"),
    ],
)
def test_a_what_if_that_cannot_be_answered_says_why(under_way: Path, words: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        what_if(words, str(under_way / "prep.db"), at_ms=NOW, replicas=50)


def test_only_one_what_if_is_answered_at_a_time(under_way: Path) -> None:
    answers: list[object] = []

    def ask() -> None:
        try:
            answers.append(what_if([], str(under_way / "prep.db"), at_ms=NOW, replicas=50))
        except UsageError as error:
            answers.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, dict) for one in answers) == 1
    assert sum(isinstance(one, str) and "otro pronóstico en curso" in one for one in answers) == 2


def test_a_reason_may_keep_the_forecast_that_was_there(tmp_path: Path) -> None:
    leave(tmp_path, {"hecho_ms": 5, "curva": [[5, 1, 2, 3]]})
    leave(tmp_path, {"motivo": "La base no responde."}, keep=True)
    kept = read_forecast(tmp_path)
    assert kept is not None
    assert (kept["motivo"], kept["hecho_ms"], kept["curva"]) == ("La base no responde.", 5, [[5, 1, 2, 3]])
    leave(tmp_path, {"motivo": "La operación ya terminó."})
    assert forecast_for_snapshot(tmp_path) is None


@pytest.mark.parametrize("spoilt", ["", "[]", '{"formato": 99}'])
def test_a_file_that_is_not_a_forecast_is_none(tmp_path: Path, spoilt: str) -> None:
    assert read_forecast(tmp_path) is None
    (tmp_path / FILE).write_text(spoilt)
    assert read_forecast(tmp_path) is None
    (tmp_path / FILE).write_text(json.dumps({"formato": 1, "curva": None}))
    assert forecast_for_snapshot(tmp_path) is None
