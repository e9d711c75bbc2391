"""A live run that hangs holds nobody: answers are short, shared, and asked one at a time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from control_room import live_run
from control_room import simulacro_control as drill
from control_room.live_run import LiveRun, SilentRunError
from simulator.live.control import ControlClient, ControlServer, NoLiveNightError
from tests.control_room.web.rooms import make_room

STATE = {"estado": "corriendo", "utc_ms": 1_000_000, "velocidad": 1.0}


class Hung:
    """A run that takes connections and says nothing until it is let go."""

    def __init__(self, folder: Path) -> None:
        self.connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        (folder / "control.json").write_text(json.dumps({"puerto": port, "token": "x"}), encoding="utf-8")
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                self.connections.append(self._listener.accept()[0])
            except OSError:
                return

    def answer(self, body: bytes) -> None:
        """Say something to everybody who waits."""
        for one in self.connections:
            # Closed with something unread it would be cut off and not ended.
            one.recv(65_536)
            one.sendall(body)
            one.close()

    def close(self) -> None:
        """Die."""
        self._listener.close()
        for one in self.connections:
            one.close()


@pytest.fixture
def hung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hung]:
    """A hung run in `tmp_path`, and little patience."""
    monkeypatch.setattr(live_run, "STATE_WAIT_S", 0.4)
    monkeypatch.setattr(live_run, "ORDER_WAIT_S", 0.4)
    run = Hung(tmp_path)
    yield run
    run.close()


def test_many_viewers_of_a_hung_run_are_one_question_and_a_short_wait(hung: Hung, tmp_path: Path) -> None:
    run = LiveRun(tmp_path)

    def ask(_: int) -> str:
        with pytest.raises(SilentRunError) as caught:
            run.state()
        return str(caught.value)

    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(ask, range(24)))
    assert time.monotonic() - begun < 3
    assert len(told) == 1
    assert "no contesta" in told.pop()
    assert len(hung.connections) == 1


def test_once_it_is_known_to_hang_nobody_waits(hung: Hung, tmp_path: Path) -> None:
    run = LiveRun(tmp_path)
    with pytest.raises(SilentRunError):
        run.state()
    begun = time.monotonic()
    for _ in range(10):
        with pytest.raises(SilentRunError):
            run.state()
    assert time.monotonic() - begun < 0.3


def test_a_late_answer_serves_whoever_asks_next(hung: Hung, tmp_path: Path) -> None:
    run = LiveRun(tmp_path)
    with pytest.raises(SilentRunError):
        run.state()
    hung.answer(json.dumps({"ok": True, "datos": STATE}).encode() + b"\n")
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            assert run.state() == STATE
            break
        except SilentRunError:
            time.sleep(0.02)
    assert len(hung.connections) == 1


def test_no_order_is_given_while_another_has_no_answer(hung: Hung, tmp_path: Path) -> None:
    run = LiveRun(tmp_path)
    with pytest.raises(SilentRunError, match="no se sabe si tomó la orden"):
        run.order(ControlClient.pause)
    with pytest.raises(SilentRunError, match="esta no se le dio"):
        run.order(ControlClient.resume)
    assert len(hung.connections) == 1


def test_a_measure_authorised_while_the_run_hangs_waits_for_it(hung: Hung, tmp_path: Path) -> None:
    begun = time.monotonic()
    told = drill.apply_effect(tmp_path, "reinicio_enrutador", [1])
    assert told is not None
    assert told["estado"] == "pendiente"
    assert time.monotonic() - begun < 3


def test_an_answer_cut_in_the_middle_is_told_as_what_it_is(hung: Hung, tmp_path: Path) -> None:
    run = LiveRun(tmp_path)
    threading.Timer(0.1, hung.answer, (b'{"ok": tr',)).start()
    with pytest.raises(NoLiveNightError, match="no se entiende"):
        run.state()


def test_the_instructor_s_page_answers_while_the_run_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_run, "STATE_WAIT_S", 0.4)
    room = make_room(tmp_path, run_folder=tmp_path)
    run = Hung(tmp_path)
    try:
        begun = time.monotonic()
        answer = room.as_role("instructor").get("/api/simulacro.json")
        assert time.monotonic() - begun < 5
        assert answer.status_code == 200
        assert answer.get_json()["estado"] is None
        assert "no contesta" in answer.get_json()["motivo"]
    finally:
        run.close()
        room.room.close()


def test_viewers_share_an_answer_and_an_order_makes_it_old(tmp_path: Path) -> None:
    asked: list[str] = []

    def handle(order: dict[str, Any]) -> dict[str, Any]:
        asked.append(order["orden"])
        return dict(STATE)

    server = ControlServer(tmp_path, handle)
    try:
        run = LiveRun(tmp_path)
        for _ in range(5):
            assert run.state() == STATE
        assert asked == ["estado"]
        run.order(ControlClient.pause)
        run.state()
        assert asked == ["estado", "pausa", "estado"]
    finally:
        server.close()
