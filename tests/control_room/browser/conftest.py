"""One browser, and the rooms it looks at: each built once, for the tests of one worker.

The files that share a room go to one worker (`tests.groups`, with `--dist loadgroup`): without it they pass
all the same, but each worker builds its own.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.control_room.browser.screens import Screen
from tests.control_room.browser.served import PREP, LiveNight, ServedRoom
from tests.control_room.night_folder import CHICA

AHEAD_MIN = 222
"""Of the state night: a link fault silenced dozens of CATDs at minute 210."""
OTHER_NIGHT = "otra-noche"
NewScreen = Callable[..., Screen]


@pytest.fixture(scope="session")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots stay: `PREP_CAPTURAS`, or the folder of this run of pytest."""
    asked = os.environ.get("PREP_CAPTURAS")
    folder = Path(asked) if asked else tmp_path_factory.getbasetemp() / "capturas"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def state_room(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[ServedRoom]:
    """The whole state in the middle of its night, paused, with CATDs in trouble; another night beside it."""
    folder = tmp_path_factory.mktemp("estado")
    _other_night(folder / OTHER_NIGHT)
    scenario = repository / "scenarios/jalisco-2021/simulacro-5.toml"
    with LiveNight(scenario, folder / "noche", 1, seed=2021, ahead=AHEAD_MIN) as night:
        yield from _state_room(night, scenario)


def _other_night(folder: Path) -> None:
    subprocess.run(
        [PREP, "simular", CHICA, "--salida", folder, "--semilla", "1", "--silencio"],
        check=True,
        capture_output=True,
    )


def _state_room(night: LiveNight, scenario: Path) -> Iterator[ServedRoom]:
    from simulator.live.control import ControlClient

    control = ControlClient(night.folder)
    night.wait_for("la noche llega a la mitad", lambda: control.state()["minuto"] >= AHEAD_MIN)
    control.pause()
    night.wait_for("todo lo ocurrido está en la base", lambda: not control.state()["por_escribir"])
    base = night.folder / "prep.db"
    with ServedRoom(base, night.folder / "sala", "--escenario", scenario) as room:
        room.wait_for("hay alertas", lambda: room.snapshot()["alertas"])
        room.wait_for("hay incidentes", lambda: any(row["incidentes"] for row in room.snapshot()["catd"]))
        kept = room.folder / "historia"
        room.wait_for("la historia de lo que ya pasó", lambda: sum(1 for _ in kept.iterdir()) >= AHEAD_MIN)
        yield room


@pytest.fixture
def screen(browser: Browser) -> Iterator[NewScreen]:
    """Makes people before a room; they leave when the test ends."""
    opened: list[Screen] = []

    def make(room: ServedRoom, user: str = "coordinador", **more: str) -> Screen:
        opened.append(Screen(browser, room, user, **more))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
