"""`prep publicar` before the defects of 2021: it says so at once in `publicador.json`, and the room tells it.

The real service, its real process and a clock of its own; what is spoiled is what the overlays spoil.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_room.alerts.rules import RULE
from control_room.alerts.thresholds import default_thresholds
from control_room.night.facts_of import facts
from control_room.night.state import NightState
from control_room.night.surroundings import Surroundings
from control_room.sources.publisher_file import read_publisher
from core.publishing.config import Config
from core.publishing.service import Service
from core.publishing.watchdog import Watchdog
from core.publishing.worker import WorkerConfig
from simulator.night.publication_faults import Spoiling
from simulator.scenario.faults import PublicationFault
from tests.publication_sample import MINUTE, START, Night
from tests.simulator.night.test_publication_faults import overlay

SLOT = 20


class Publishing:
    """A tiny night and the service that publishes it elsewhere, from a process that spoils its cuts."""

    def __init__(self, folder: Path, spoiling: Spoiling, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DANOS", pickle.dumps(spoiling).hex())
        self.night = Night(folder / "noche")
        self.work = folder / "publicacion"
        base, images = str(self.night.folder / "prep.db"), str(self.night.folder)
        self.now = START
        self.watchdog = Watchdog(
            WorkerConfig(base, self.work, "simulacro", images=images),
            ("-m", "tests.simulator.night.spoiled_worker"),
        )
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.service = Service(
            Config(base=base, trabajo=self.work, cada=SLOT), self.night.database, "simulacro", self.work,
            self.watchdog, lambda: self.now, lambda what, data: self.told.append((what, data)),
        )  # fmt: skip
        self.todo = iter(range(len(self.night.catalog.actas)))

    def tick(self, minute: float, *, actas: int = 0) -> dict[str, Any]:
        """Some actas a little before, and a turn of the service; what it says of itself."""
        self.now = self.night.at = START + round(minute * MINUTE)
        for _ in range(actas):
            self.night.acta(next(self.todo))
        self.service.tick()
        found: dict[str, Any] = json.loads((self.work / "publicador.json").read_bytes())
        return found

    def room(self) -> tuple[int | None, str]:
        """Priority and words of A16 with what the publisher left, at this moment of the night."""
        around = Surroundings(publisher=read_publisher(self.work), publisher_age_s=1.0)
        seen = facts(NightState(self.night.catalog), self.now, around)
        told = list(RULE["A16"].judge(seen, default_thresholds().rules["A16"]))
        return (told[0].raised, told[0].value) if told else (None, "")

    def close(self) -> None:
        self.service.close()
        self.night.close()


@pytest.fixture
def publishing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    made: list[Publishing] = []

    def publish(spoiling: Spoiling) -> Publishing:
        made.append(Publishing(tmp_path, spoiling, monkeypatch))
        return made[-1]

    yield publish
    for one in made:
        one.close()


def alarms(state: dict[str, Any]) -> list[str]:
    return [one["clave"] for one in state["alarmas"]]


def test_a_defect_is_an_alarm_at_once_and_a_missed_slot_a_notice(publishing: Any) -> None:
    """X24 at one slot and X26 at the next."""
    json_fault, package = overlay("x24").faults[0][1], overlay("x26").faults[0][1]
    one = publishing(
        Spoiling(
            ((0, _at(json_fault, 20, 20)), (1, _at(package, 40, 15))),
            START,
            7,
        )
    )
    assert alarms(one.tick(0, actas=3)) == []
    assert one.room() == (None, "")
    state = one.tick(20, actas=3)
    assert (state["corte"], alarms(state)) == (1, ["corte_fallido"])
    assert "no es un objeto JSON" in state["ultimo_intento"]["error"]
    priority, words = one.room()
    assert priority == 2
    assert "no es un objeto JSON" in words
    # It is tried again in the same slot, and given up in its time: the gap is signed in the public log.
    state = one.tick(26)
    assert (alarms(state), len(state["perdidas"])) == (["corte_fallido", "corte_perdido"], 1)
    assert one.room()[0] == 1
    notice = json.loads((one.work / "avisos" / "0001.json").read_bytes())
    assert (notice["tipo"], notice["ranuras"]) == ("hueco", [START + 20 * MINUTE])
    state = one.tick(40, actas=3)
    assert (state["corte"], alarms(state)) == (1, ["corte_fallido", "corte_perdido"])
    assert "es del corte" in state["ultimo_intento"]["error"]
    # With the fault over what is pending goes out late, and the next slot at its hour.
    assert [(state["corte"], alarms(state)) for state in (one.tick(56), one.tick(60))] == [(2, []), (3, [])]
    assert one.room() == (None, "")
    notice = json.loads((one.work / "avisos" / "0002.json").read_bytes())
    assert (notice["tipo"], notice["ranuras"]) == ("hueco", [START + 40 * MINUTE])


def test_a_cut_that_lacks_images_goes_out_with_an_alarm_until_they_come(publishing: Any) -> None:
    (number, fault), *_ = overlay("x25").faults
    one = publishing(Spoiling(((number, _at(fault, 10, 20)),), START, 7))
    assert alarms(one.tick(0, actas=2)) == []
    state = one.tick(20, actas=6)
    assert (state["corte"], alarms(state)) == (2, ["imagenes_faltantes"])
    lacking = json.loads((one.work / "cortes/0002/manifiesto.json").read_bytes())["imagenes"]["faltantes"]
    priority, words = one.room()
    assert priority == 2
    assert words == f"Al corte 2 le faltan {lacking} de 8 imágenes."
    state = one.tick(40)
    assert (state["corte"], alarms(state)) == (3, [])
    assert one.room() == (None, "")


def _at(fault: PublicationFault, minute: float, minutes: float) -> PublicationFault:
    return fault.model_copy(update={"at_min": minute, "minutes": minutes})
