"""A full rehearsal at speed, from the first minute to the close, watched and governed through the screens."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser

from tests.control_room.browser import rehearsal
from tests.control_room.browser.rehearsal import Record, Rehearsal
from tests.control_room.browser.served import LiveNight, Program, ServedRoom
from tests.control_room.night_folder import CHICA


class Played(NamedTuple):
    """What the screens told, and the folder of the night."""

    record: Record
    folder: Path


@pytest.fixture(scope="module")
def played(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The rehearsal, played once."""
    folder = tmp_path_factory.mktemp("ensayo") / "noche"
    with (
        LiveNight(CHICA, folder, 1) as night,
        ServedRoom(folder / "prep.db", folder / "sala", "--escenario", CHICA) as room,
    ):
        yield Played(Rehearsal(browser, room, night).play(), folder)


def test_the_wall_saw_every_snapshot_of_the_whole_night(played: Played) -> None:
    record = played.record
    first, last = record.seen[0], record.seen[-1]
    start = first["operacion"]["inicio_ms"]
    assert first["reloj"]["ahora_ms"] - start < 10 * 60_000, "la página se abrió al empezar la noche"
    assert last["fase"] == "cerrada"
    assert record.exit_code == 0
    numbers = list(dict.fromkeys(one["seq"] for one in record.seen))
    assert numbers == list(range(first["seq"], last["seq"] + 1))
    assert {one["boot_id"] for one in record.seen} == {first["boot_id"]}


def test_what_was_kept_is_what_the_wall_showed(played: Played) -> None:
    seen = {one["seq"]: one for one in played.record.seen}
    compared = 0
    for file in (played.folder / "sala" / "historia").glob("*.json.gz"):
        kept = json.loads(gzip.decompress(file.read_bytes()))
        if kept["seq"] in seen:
            assert kept == seen[kept["seq"]]
            compared += 1
    assert compared > 15


def test_an_outage_fires_alerts_and_its_end_clears_them(played: Played) -> None:
    assert played.record.fired, "el muro no mostró la alerta"
    assert all("sin señal" in text for text in played.record.fired)
    log = played.record.log["alertas"]
    assert "A01" in log
    assert "Alerta activa" in log
    assert "Alerta despejada" in log


def test_a_measure_needs_two_people(played: Played) -> None:
    record = played.record
    assert record.waits == "Usted la propuso: espera a otra persona"
    assert "Autorizar" not in record.proposer_buttons
    assert "persona" in record.refusal, "el motor rechaza a quien la propuso"
    assert "La propuso operador" in record.active
    assert "la autorizó coordinador" in record.active
    for words in ("Medida propuesta", "Medida autorizada", "Medida aplicada", "Paso de medida hecho"):
        assert words in record.log["continuidad"]
    assert rehearsal.MEASURE in record.log["continuidad"]


def test_an_incident_goes_from_open_to_closed_with_its_cause(played: Played) -> None:
    record = played.record
    for words in (rehearsal.TITLE, rehearsal.NOTE, rehearsal.REMEDY, rehearsal.CAUSE, rehearsal.MEASURE):
        assert words in record.story
    for words in ("abierto", "atendido", "resuelto", "cerrado"):
        assert f"Incidente {words}" in record.log["incidentes"]
    for words in (rehearsal.TITLE, rehearsal.NOTE, rehearsal.REMEDY, rehearsal.CAUSE):
        assert words in record.log["incidentes"]
    (ended,) = [one for one in record.seen[-1]["incidentes"] if one["titulo"] == rehearsal.TITLE]
    assert ended["estado"] == "cerrado"
    assert ended["abierto_ms"] <= ended["atendido_ms"] <= ended["resuelto_ms"] <= ended["cerrado_ms"]


def test_nobody_saw_a_fault_of_the_page(played: Played) -> None:
    assert played.record.complaints == []
    assert played.record.outside == []


def test_the_ledger_of_the_night_is_correct(played: Played, tmp_path: Path) -> None:
    with Program(tmp_path / "comprobar.log", "comprobar", "--base", played.folder / "prep.db") as check:
        assert check.process.wait(60) == 0, check.said()
    assert "correct" in check.said()
