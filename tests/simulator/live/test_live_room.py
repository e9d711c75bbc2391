"""A live night with the control room on it: it hears the pulses, and what its people do is no fault."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from control_room.sources.publisher_file import read_publisher
from core.domain.incidents import IncidentState
from core.engine import Engine
from core.operations.check import check
from core.operations.pulses import Pulse, pulses_after
from core.storage.database import open_existing
from core.storage.reading import reading
from core.storage.store import Store
from tests.conftest import Prep
from tests.simulator.live.test_control import Live
from tests.simulator.night.test_restart import SMALL
from tests.simulator.night.test_with_a_room import People

MINUTE = 60_000


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    run = Live(tmp_path, "--velocidad", "60", "--destino", f"web={tmp_path / 'publico'}")
    yield run
    run.stop()


def heard(folder: Path) -> list[Pulse]:
    database = open_existing(str(folder / "prep.db"))
    with reading(database) as connection:
        found = list(pulses_after(connection, 0))
    database.dispose()
    return found


def publisher_is_told(folder: Path) -> None:
    """What the room reads of the publisher while the night goes on."""
    until = time.monotonic() + 10
    while not ((said := read_publisher(folder)) and said["destinos"] and said["destinos"][0]["corte"]):
        assert time.monotonic() < until, said
        time.sleep(0.05)
    assert said["estado"] in ("esperando", "publicando")
    assert said["instante_ms"] < said["siguiente_ms"] == said["instante_ms"] + 20 * MINUTE
    assert said["destinos"][0]["nombre"] == "web"
    assert said["instante_ms"] <= said["generado_ms"], "in the hours of the night"


def test_the_room_hears_the_pulses_and_acts_and_the_night_ends_well(prep: Prep, live: Live) -> None:
    live.reach(100)
    now = live.client.state()["utc_ms"]
    until = time.monotonic() + 10
    while time.monotonic() < until and max((one.at for one in heard(live.folder)), default=0) < now - MINUTE:
        time.sleep(0.02)
    last = max(one.at for one in heard(live.folder))
    assert now - MINUTE <= last <= now
    publisher_is_told(live.folder)
    store = Store(open_existing(str(live.folder / "prep.db")))
    people = People(Engine(store, store.load_catalog(), "simulacro"))
    people.act(now)
    assert people.solved
    live.finish()
    people.engine.state(0)
    assert people.engine.operation.incidents[people.solved[0]].state is IncidentState.CLOSED
    assert check(store.database).correct
    store.close()
    store.database.dispose()
    summary = json.loads((live.folder / "resumen.json").read_text(encoding="utf-8"))
    assert summary["rechazos"] == {}
    assert summary["rechazos_por_la_sala"]["INCIDENTE_NO_PERMITE"] >= 1
    # The same pulses as in virtual time.
    assert prep("simular", SMALL, "--salida", "v", "--semilla", "4", "--latidos").returncode == 0
    assert heard(live.folder) == heard(live.folder.parent / "v")
