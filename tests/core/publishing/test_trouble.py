"""The service goes on by itself through whatever fails around it, and says in Spanish what it was."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from core.domain.events import EventKind
from core.errors import UsageError
from core.publication.ledger_match import check_folder, recorded_cuts
from core.publication.public_tree import public_keys
from core.publishing.clock import JUMP_MS, SteadyClock
from core.publishing.config import Config
from core.publishing.due import MINUTE_MS
from core.publishing.failures import FolderBusyError
from core.publishing.lease import TTL_MS, acquire
from core.publishing.slots import SlotTable
from core.publishing.state import Status
from core.publishing.watchdog import Watchdog
from core.publishing.worker import WorkerConfig, take_folder
from core.storage.database import open_database
from core.verification import verificar
from tests.cluster import Cluster
from tests.core.domain.small import CATALOG, START, open_engine
from tests.core.publishing.test_service import QUARTER, REAL, SLOW, Room
from tests.publication_sample import STEP, Night, sample

HOUR = 60 * MINUTE_MS


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.close()


def breaks(monkeypatch: pytest.MonkeyPatch, folder: Path, step: str, how: str) -> None:
    """What the process of the cuts does the first time it comes to a step."""
    for name, value in (("PASO", step), ("COMO", how), ("MARCA", str(folder / "marca"))):
        monkeypatch.setenv(name, value)


def alarms(room: Room) -> dict[str, str]:
    return {data["clave"]: data["texto"] for what, data in room.told if what == "alarma"}


def numbers(room: Room) -> list[int]:
    return [event.data["number"] for event in room.events(EventKind.CUT_PUBLISHED)]


# -- the database and the disk ---------------------------------------------------------------------


def test_a_database_that_stops_is_told_and_the_cut_goes_out_as_soon_as_it_is_back(
    tmp_path: Path, postgres_cluster: Cluster, postgres_url: str
) -> None:
    room = Room(tmp_path, base=postgres_url, worker=REAL)
    room.open()
    assert room.tick(START)["corte"] == 1
    name = postgres_url.rpartition("/")[2]
    postgres_cluster._execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres_cluster._execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    state = room.tick(START + QUARTER)
    assert (state["corte"], [alarm["clave"] for alarm in state["alarmas"]]) == (1, ["servicio"])
    assert "La base de datos no responde" in alarms(room)["servicio"]
    postgres_cluster._execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    # The first question finds out that the process of the cuts has lost its connection too.
    room.tick(START + QUARTER + 5_000)
    state = room.tick(START + QUARTER + 10_000)
    assert (state["corte"], state["alarmas"], state["perdidas"]) == (2, [], [])
    room.close()


@pytest.mark.parametrize(("step", "refused"), [("armar:antes", 1), ("asentar:despues", 0)])
def test_a_disk_that_fills_up_is_told_and_no_slot_is_published_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, refused: int
) -> None:
    breaks(monkeypatch, tmp_path, step, "lleno")
    room = Room(tmp_path, worker=SLOW)
    room.open()
    state = room.tick(START)
    assert (tmp_path / "marca").exists()
    assert (state["corte"], state["alarmas"], room.latest()) == (1, [], "0001")
    assert numbers(room) == [1]
    assert len(room.events(EventKind.CUT_REFUSED)) == refused
    if refused:
        assert "No queda espacio en el disco" in alarms(room)["corte_fallido"]
    room.close()


def test_a_cut_in_the_ledger_counts_even_if_the_database_stops_before_its_slot_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch, tmp_path, "asentar:despues", "muere")
    room = Room(tmp_path, worker=SLOW)
    room.open()
    slots = room.service._slots
    settle = slots.settle
    stopped: list[bool] = []

    def stops(*given: Any) -> list[int]:
        if (tmp_path / "marca").exists() and not stopped:
            stopped.append(True)
            raise OperationalError("", {}, Exception("caída"))
        return settle(*given)

    monkeypatch.setattr(slots, "settle", stops)
    room.tick(START)
    assert (stopped, slots.states()) == ([True], {START: "tomada"})
    state = room.tick(START + 5_000)
    assert (state["corte"], state["alarmas"], numbers(room)) == (1, [], [1])
    assert slots.states() == {START: "publicada"}
    room.close()


def test_a_state_that_cannot_be_written_stops_no_cut(room: Room) -> None:
    room.open()
    (room.folder / "publicador.json").mkdir()
    room.now = START
    room.service.tick()
    assert numbers(room) == [1]
    assert "publicador.json" in alarms(room)["estado"]
    (room.folder / "publicador.json").rmdir()
    assert room.tick(START + 5_000)["alarmas"] == []


# -- two of them -----------------------------------------------------------------------------------


def test_one_whose_lease_is_taken_in_the_middle_of_a_cut_stops_it_and_waits_in_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch, tmp_path, "armar:antes", "cuelga")
    room = Room(tmp_path, worker=SLOW)
    room.open()
    database = room.engine._store.database

    def clock() -> int:
        if (tmp_path / "marca").exists() and room.now == START:
            room.now += TTL_MS + 1
            assert acquire(database, "otro", room.now) is not None
        return room.now

    room.service._clock = clock
    room.service.tick()
    assert room.watchdog.pid is None
    assert "Otro publicador tomó la reserva" in alarms(room)["servicio"]
    assert SlotTable(database).states() == {START: "tomada"}
    room.service.tick()
    assert room.service.state.status is Status.STANDBY
    # The other one dies: this one goes on where it was left.
    state = room.tick(START + 2 * TTL_MS + 2)
    assert (state["corte"], state["alarmas"], numbers(room)) == (1, [], [1])
    room.close()


def test_a_folder_another_one_publishes_into_is_refused_at_the_start_and_later_waited_for(
    tmp_path: Path,
) -> None:
    room = Room(tmp_path)
    room.open()
    real = Watchdog(WorkerConfig(room.base, room.folder, "simulacro", signed=False))
    with take_folder(room.folder):
        with pytest.raises(FolderBusyError):
            real.ask("estado", START, budget_s=60)
        with pytest.raises(UsageError, match="Otro proceso está publicando"):
            room.tick(START)
    assert room.tick(START)["corte"] == 1
    room.watchdog.close()
    with take_folder(room.folder):
        state = room.tick(START + QUARTER)
    assert (state["corte"], [alarm["clave"] for alarm in state["alarmas"]]) == (1, ["servicio"])
    assert state["estado"] == Status.WAITING
    assert "Otro proceso está publicando" in alarms(room)["servicio"]
    assert room.tick(START + QUARTER + 5_000)["corte"] == 2
    room.close()


def test_the_answer_nobody_waited_for_is_not_taken_for_that_of_the_next_question(tmp_path: Path) -> None:
    base = str(tmp_path / "prep.db")
    open_engine(base)._store.close()
    watchdog = Watchdog(WorkerConfig(base, tmp_path / "w", "simulacro", signed=False))
    watchdog.ask("estado", START, budget_s=60)
    pid = watchdog.pid

    def fails() -> None:
        raise ValueError

    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ValueError):
        watchdog.ask("detencion", START, budget_s=60, pulse=fails)
    assert watchdog.ask("estado", START, budget_s=60).opened is False
    watchdog.close()


def test_a_folder_without_the_cuts_of_the_database_is_not_published_into(tmp_path: Path) -> None:
    room = Room(tmp_path, signed=True)
    room.open()
    room.tick(START)
    room.service.close()
    room.folder = tmp_path / "otra"
    room.service = room.new_service()
    with pytest.raises(UsageError, match="no tiene el último"):
        room.tick(START + QUARTER)
    room.close()


def test_a_folder_brought_from_a_destination_goes_on_and_fills_other_destinations_whole(
    tmp_path: Path,
) -> None:
    lost, brought, other = sample(tmp_path / "w"), tmp_path / "traida", tmp_path / "otro"

    def bring(work: Path, to: Path) -> list[str]:
        keys = list(public_keys(work))
        for key in keys:
            (to / key).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(work / key, to / key)
        return keys

    published = bring(lost, brought)
    shutil.copy(lost / "prep.db", brought)
    database = open_database(str(brought / "prep.db"))
    check_folder(brought, recorded_cuts(database))
    database.dispose()
    night = Night(brought)
    night.at += 3 * STEP
    night.acta(2, first=10)
    assert night.cut().refused is None
    night.close()
    keys = bring(brought, other)
    assert len(keys) == len(set(keys)) and set(published) <= set(keys)
    assert verificar.main([str(other)]) == 0


# -- the end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "cuts"), [("armar:antes", [False, True]), ("asentar:despues", [True])])
def test_an_early_close_that_dies_half_way_is_finished_with_one_notice_one_last_cut_and_one_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, cuts: list[bool]
) -> None:
    # Until it is tried again the slot of that moment goes out as any other.
    breaks(monkeypatch, tmp_path, step, "muere")
    room = Room(tmp_path, worker=SLOW, cierre_anticipado=True, responsable="Ana Ruiz")
    room.open()
    room.now = room.orders.at = START + MINUTE_MS
    for acta in range(len(CATALOG.actas)):
        room.send(*room.orders.agreed(acta))
    room.tick(START + 2 * MINUTE_MS)
    assert (tmp_path / "marca").exists()
    state = room.tick(START + 3 * MINUTE_MS)
    assert (state["estado"], state["alarmas"]) == (Status.CLOSED, [])
    assert [event.data["last"] for event in room.events(EventKind.CUT_PUBLISHED)] == cuts
    assert [event.data["type"] for event in room.events(EventKind.NOTICE_ISSUED)] == ["cierre_anticipado"]
    assert len(room.events(EventKind.OPERATION_CLOSED)) == 1
    room.close()


def test_an_operation_closed_at_a_hundred_per_cent_gets_its_last_cut_with_the_list_at_once(
    room: Room,
) -> None:
    room.open()
    room.tick(START)
    room.now = room.orders.at = START + MINUTE_MS
    for acta in range(len(CATALOG.actas)):
        room.send(*room.orders.agreed(acta))
    room.send(room.orders.close())
    assert room.tick(START + 2 * MINUTE_MS)["estado"] == Status.CLOSED
    (notice,) = room.events(EventKind.NOTICE_ISSUED)
    assert '"responsable":"coordina"' in notice.data["detail"]
    assert [event.data["last"] for event in room.events(EventKind.CUT_PUBLISHED)] == [False, True]


def test_a_last_cut_that_never_went_out_is_an_alarm_that_says_who_has_to_act(room: Room) -> None:
    room.open()
    room.now = room.orders.at = START + MINUTE_MS
    room.send(*room.orders.held())
    end = room.engine.operation.ends_at
    assert room.tick(end)["estado"] == Status.HELD
    state = room.tick(end + HOUR + 1)
    assert (state["estado"], room.service.finished) == (Status.CLOSED, True)
    assert "detenida por dos personas" in alarms(room)["sin_ultimo_corte"]
    assert room.events(EventKind.OPERATION_CLOSED) == []


def test_holds_that_came_and_went_while_nobody_looked_are_all_told(room: Room) -> None:
    room.open()
    room.tick(START)
    room.now = START + MINUTE_MS
    for hold in ("d1", "d2"):
        room.send(*room.orders.held(hold), room.orders.release(hold), room.orders.authorise_release(hold))
    room.tick(START + 2 * MINUTE_MS)
    told = [(event.data["type"], event.data["detail"]) for event in room.events(EventKind.NOTICE_ISSUED)]
    assert told == [
        (kind, f'{{"detencion":"{hold}"}}') for hold in ("d1", "d2") for kind in ("detenida", "reanudada")
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cierre": START + HOUR}, "cierre-anticipado"),
        ({"inicio": START - 1}, "dentro del periodo"),
        ({"presupuesto": 151}, "de 1 a 150 segundos"),
        ({"presupuesto": 0}, "de 1 a 150 segundos"),
    ],
    ids=["cierre", "inicio", "presupuesto", "nada"],
)
def test_hours_and_budgets_that_break_the_rule_are_refused(options: dict[str, Any], message: str) -> None:
    config = Config(**options)
    with pytest.raises(UsageError, match=message):
        config.budget(config.schedule(START, START + 24 * HOUR))


# -- the clock -------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["adelante", "atras"])
def test_a_clock_that_jumps_an_hour_neither_skips_nor_repeats_a_slot_and_is_told(
    tmp_path: Path, jump: int
) -> None:
    passed, moved = [0], [0]
    clock = SteadyClock(lambda: START + passed[0] + moved[0], lambda: passed[0])
    room = Room(tmp_path)
    room.service._clock, room.service._jump = clock, lambda: clock.jump
    room.open()
    room.service.tick()
    moved[0] = jump
    passed[0] = QUARTER - 1
    room.service.tick()
    assert numbers(room) == [1]
    passed[0] = QUARTER
    room.service.tick()
    assert [event.at for event in room.events(EventKind.CUT_PUBLISHED)] == [START, START + QUARTER]
    assert room.events(EventKind.CUT_MISSED) == []
    assert f"se movió {jump // 1000:+,} s" in room.service.state.alarms["reloj"][0]
    moved[0] = 0
    room.service.tick()
    assert "reloj" not in room.service.state.alarms
    room.close()


def test_a_small_correction_of_the_clock_is_followed() -> None:
    passed, moved = [0], [0]
    clock = SteadyClock(lambda: START + passed[0] + moved[0], lambda: passed[0])
    moved[0] = JUMP_MS
    assert (clock(), clock.jump) == (START + JUMP_MS, 0)
    moved[0] = 2 * JUMP_MS + 1
    assert (clock(), clock.jump) == (START + JUMP_MS, JUMP_MS + 1)


def test_a_clock_behind_the_last_cut_is_told(room: Room) -> None:
    room.open()
    room.tick(START + QUARTER)
    assert "va atrás del último corte" in room.tick(START + MINUTE_MS)["alarmas"][-1]["texto"]
    assert numbers(room) == [1]
    assert room.tick(START + 2 * QUARTER)["corte"] == 2
