"""What time it is in the night, by each of its clocks. The live ones answer through the real channel."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine as Database

from control_room.sources.clock import DataClock, LastRecorded, LiveClock, WallClock, clock_for
from core.storage.reading import read_catalog
from simulator.live.control import ControlServer
from tests.control_room.night_folder import database, play, write_behind_the_engine

START = 1_622_757_600_000
UTC_MIN = -300


class Run:
    """A live run as its channel tells it."""

    def __init__(self, folder: Path) -> None:
        self.state: dict[str, Any] = {
            "estado": "corriendo", "virtual_ms": 0, "utc_ms": START, "velocidad": 60.0, "duracion_min": 240,
        }  # fmt: skip
        self.asked = 0
        self._server = ControlServer(folder, self._handle)

    def _handle(self, order: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        return self.state

    def at(self, minute: float, **changes: object) -> None:
        self.state |= {
            "virtual_ms": round(minute * 60_000),
            "utc_ms": START + round(minute * 60_000),
            **changes,
        }

    def close(self) -> None:
        self._server.close()


class Hand:
    """A monotonic clock moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    made = Run(tmp_path)
    yield made
    made.close()


def live(tmp_path: Path, hand: Hand, last: int | None = START - 5000) -> LiveClock:
    return LiveClock(tmp_path, DataClock(lambda: last, UTC_MIN), monotonic=hand, wait_s=10)


def test_an_official_night_goes_by_the_wall() -> None:
    clock = WallClock(UTC_MIN, lambda: 42)
    assert clock.as_data() == {"ahora_ms": 42, "velocidad": 1.0, "estado": "real", "utc_min": UTC_MIN}


def test_a_finished_night_stands_at_its_last_event() -> None:
    assert DataClock(lambda: 99, UTC_MIN).as_data()["ahora_ms"] == 99
    assert DataClock(lambda: 99, UTC_MIN).as_data()["velocidad"] is None
    assert DataClock(lambda: None, UTC_MIN, wall_ms=lambda: 7).now_ms() == 7


def test_a_live_run_is_asked_once_a_second_and_goes_on_at_its_speed(tmp_path: Path, run: Run) -> None:
    hand = Hand()
    clock = live(tmp_path, hand)
    run.at(10)
    assert clock.now_ms() == START + 600_000
    hand.now += 0.5
    assert clock.now_ms() == START + 630_000
    assert clock.as_data()["velocidad"] == 60.0
    assert run.asked == 1
    run.at(11)
    hand.now += 0.6
    assert clock.now_ms() >= START + 630_000
    assert run.asked == 2


def test_a_live_clock_does_not_go_back_when_its_guess_was_ahead(tmp_path: Path, run: Run) -> None:
    hand = Hand()
    clock = live(tmp_path, hand)
    run.at(10)
    clock.now_ms()
    hand.now += 0.9
    ahead = clock.now_ms()
    run.at(10.5)
    hand.now += 0.2
    assert clock.now_ms() == ahead
    # A run begun again from the start is really earlier.
    run.at(0)
    hand.now += 2
    assert clock.now_ms() == START


def test_a_paused_run_stands_still_and_says_so(tmp_path: Path, run: Run) -> None:
    hand = Hand()
    clock = live(tmp_path, hand)
    run.at(20, estado="pausada")
    assert clock.as_data() == {
        "ahora_ms": START + 1_200_000, "velocidad": 60.0, "estado": "pausada", "utc_min": UTC_MIN,
    }  # fmt: skip
    hand.now += 0.9
    assert clock.now_ms() == START + 1_200_000


def test_a_live_clock_does_not_pass_the_end_of_the_night(tmp_path: Path, run: Run) -> None:
    hand = Hand()
    clock = live(tmp_path, hand)
    run.at(239.9)
    clock.now_ms()
    hand.now += 0.9
    assert clock.now_ms() == START + 240 * 60_000


def test_without_a_run_the_data_tells_the_time(tmp_path: Path) -> None:
    clock = live(tmp_path, Hand(), last=START + 1)
    assert clock.as_data() == {
        "ahora_ms": START + 1,
        "velocidad": None,
        "estado": "datos",
        "utc_min": UTC_MIN,
    }
    assert clock.live() is None


def test_a_run_that_dies_leaves_the_time_where_it_was(tmp_path: Path, run: Run) -> None:
    hand = Hand()
    clock = live(tmp_path, hand, last=START + 500_000)
    run.at(10)
    assert clock.now_ms() == START + 600_000
    run.close()
    hand.now += 1.1
    assert clock.as_data()["estado"] == "datos"
    assert clock.now_ms() == START + 600_000
    run._server = ControlServer(tmp_path, run._handle)


def test_a_run_that_ended_says_so(tmp_path: Path) -> None:
    (tmp_path / "resumen.json").write_text(json.dumps({"en_vivo": {}}))
    assert live(tmp_path, Hand()).as_data()["estado"] == "terminada"


def test_a_run_that_hangs_does_not_hold_the_room(tmp_path: Path) -> None:
    stuck = threading.Event()

    def hang() -> dict[str, Any]:
        stuck.wait(20)
        return {}

    clock = LiveClock(tmp_path, DataClock(lambda: 5, UTC_MIN), ask=hang)
    began = time.monotonic()
    assert clock.now_ms() == 5
    assert clock.now_ms() == 5
    assert time.monotonic() - began < 5
    stuck.set()


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return play(tmp_path_factory.mktemp("noche") / "corrida", cuts=False)


@pytest.fixture
def base(night: Path) -> Iterator[Database]:
    opened = database(night)
    yield opened
    opened.dispose()


def test_the_mode_and_the_folder_say_which_clock(night: Path, base: Database, tmp_path: Path) -> None:
    assert isinstance(clock_for("oficial", None, base), WallClock)
    assert isinstance(clock_for("simulacro", night, base), DataClock), (
        "una carpeta cualquiera no es de una corrida"
    )
    (tmp_path / ".prep-salida.json").write_text("{}")
    assert isinstance(clock_for("simulacro", tmp_path, base), LiveClock)
    assert isinstance(clock_for("simulacro", tmp_path, base, kind="datos"), DataClock)
    assert isinstance(clock_for("simulacro", tmp_path, base, kind="real"), WallClock)
    # The data of this night is of 2021.
    clock = clock_for("simulacro", None, base)
    assert isinstance(clock, DataClock)
    with base.connect() as connection:
        assert clock.as_data()["utc_min"] == read_catalog(connection).entidad.utc_offset_minutes
    recently = time.time_ns() // 1_000_000 - 60_000
    assert isinstance(clock_for("simulacro", None, base, last=lambda: recently), WallClock)


def test_a_rehearsal_that_has_not_begun_is_at_its_own_start_and_not_today(
    night: Path, base: Database, tmp_path: Path
) -> None:
    (tmp_path / ".prep-salida.json").write_text("{}")
    clock = clock_for("simulacro", tmp_path, base, last=lambda: None, start_ms=START)
    assert clock.as_data()["ahora_ms"] == START
    assert clock_for("simulacro", None, base, last=lambda: None, start_ms=START).now_ms() == START


def test_the_last_moment_recorded_is_asked_once_a_second(night: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mia"
    shutil.copytree(night, mine)
    opened = database(mine)
    hand = Hand()
    last = LastRecorded(opened, hand)
    before = last()
    assert before is not None and before > START
    write_behind_the_engine(mine, "DELETE FROM ledger WHERE seq > 10")
    assert last() == before
    hand.now += 1
    later = last()
    assert later is not None and later < before
    opened.dispose()
