"""The service over a real database, with the real process that makes the cuts, and a clock of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.domain.events import Event, EventKind
from core.domain.rules import SinActaReason
from core.engine import Engine
from core.operations.check import check
from core.publication.public_tree import public_keys
from core.publishing.config import Config
from core.publishing.due import MINUTE_MS
from core.publishing.service import Service
from core.publishing.slots import SlotTable
from core.publishing.state import Status
from core.publishing.watchdog import Watchdog
from core.publishing.worker import Worker, WorkerConfig
from core.storage.reading import ledger_events, reading
from core.transparency.log import LogReader
from tests.core.domain.small import CATALOG, START, Orders, open_engine

QUARTER = 15 * MINUTE_MS
SLOW = ("-m", "tests.core.publishing.slow_worker")
REAL = ("-m", "core.publishing.worker")


class Near(Watchdog):
    """The process that makes the cuts, here: for what is not about its death."""

    def __init__(self, config: WorkerConfig) -> None:
        super().__init__(config)
        self._told = config
        self._near: Worker | None = None

    def ask(
        self, what: str, *arguments: Any, budget_s: float, pulse: Callable[[], None] = lambda: None
    ) -> Any:
        self._near = self._near or Worker(self._told)
        return self._near.answer(what, arguments)

    def close(self) -> None:
        near, self._near = self._near, None
        if near is not None:
            near.close()


class Room:
    """A small night with its publisher; `now` is the clock of both.

    `worker` is the command of the process that makes the cuts; without one, it is made here.
    """

    def __init__(
        self,
        folder: Path,
        *,
        worker: tuple[str, ...] | None = None,
        base: str | None = None,
        signed: bool = False,
        **options: Any,
    ) -> None:
        self.folder = folder / "publicacion"
        self.folder.mkdir(exist_ok=True)
        self.base = base or str(folder / "prep.db")
        self.signed = signed
        self.engine: Engine = open_engine(self.base)
        self.orders = Orders()
        self.now = START
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.command = worker
        self.options = options
        self.service = self.new_service()

    def new_service(self) -> Service:
        config = WorkerConfig(self.base, self.folder, "simulacro", signed=self.signed)
        self.watchdog = Near(config) if self.command is None else Watchdog(config, self.command)
        return Service(
            Config(base=self.base, trabajo=self.folder, **self.options), self.engine._store.database,
            "simulacro", self.folder, self.watchdog, lambda: self.now,
            lambda what, data: self.told.append((what, data)),
        )  # fmt: skip

    def open(self) -> None:
        self.send(self.orders.open())

    def send(self, *commands: Any) -> None:
        answers = self.engine.execute(commands, self.now)
        assert [answer.refusal for answer in answers] == [None] * len(answers)

    def tick(self, at: int) -> dict[str, Any]:
        self.now = at
        self.orders.at = at
        self.service.tick()
        found: dict[str, Any] = json.loads((self.folder / "publicador.json").read_bytes())
        return found

    def events(self, *kinds: EventKind) -> list[Event]:
        with reading(self.engine._store.database) as connection:
            return [event for _, event, _ in ledger_events(connection) if event.kind in kinds]

    def latest(self) -> str:
        return (self.folder / "ultimo").resolve().name

    def close(self) -> None:
        self.service.close()
        self.engine._store.close()
        found = check(self.engine._store.database)
        self.engine._store.database.dispose()
        assert [finding.message for finding in found.findings.listed] == []


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.close()


def test_cuts_go_out_at_their_hours_and_the_last_one_ends_the_service(room: Room) -> None:
    assert room.tick(START)["estado"] == Status.OUTSIDE
    room.open()
    end = room.engine.operation.ends_at
    assert room.tick(START)["corte"] == 1
    assert room.tick(START + QUARTER - 1)["corte"] == 1
    state = room.tick(START + QUARTER)
    assert (state["corte"], state["siguiente_ms"], state["alarmas"]) == (2, START + 2 * QUARTER, [])
    room.tick(end - QUARTER)
    state = room.tick(end)
    assert state["estado"] == Status.CLOSED
    assert room.service.finished
    (closing,) = room.events(EventKind.OPERATION_CLOSED)
    assert (closing.at, closing.actor) == (end, "publicador")
    assert [event.data["last"] for event in room.events(EventKind.CUT_PUBLISHED)] == [False] * 3 + [True]


def test_slots_nobody_published_are_told_at_once_in_the_ledger_the_state_and_a_notice(room: Room) -> None:
    room.open()
    room.tick(START)
    state = room.tick(START + 3 * QUARTER + 1)
    lost = [START + QUARTER, START + 2 * QUARTER]
    assert state["corte"] == 2
    assert state["perdidas"] == lost
    assert [event.data["slot"] for event in room.events(EventKind.CUT_MISSED)] == lost
    (notice,) = room.events(EventKind.NOTICE_ISSUED)
    assert (notice.data["type"], notice.data["slots"]) == ("hueco", lost)
    assert (notice.data["since"], notice.data["until"]) == (START, START + 3 * QUARTER + 1)
    assert ("alarma", "corte_perdido") in [(what, data.get("clave")) for what, data in room.told]
    assert room.tick(START + 3 * QUARTER + 2)["perdidas"] == lost


def test_two_persons_hold_the_publication_and_two_release_it_and_both_are_told_to_the_public(
    room: Room,
) -> None:
    room.open()
    room.tick(START)
    room.now = START + MINUTE_MS
    room.send(*room.orders.held())
    state = room.tick(START + QUARTER)
    assert (state["estado"], state["corte"]) == (Status.HELD, 1)
    assert [alarm["clave"] for alarm in state["alarmas"]] == ["corte_perdido", "detenida"]
    room.send(room.orders.release(), room.orders.authorise_release())
    state = room.tick(START + QUARTER + 60_000)
    assert (state["estado"], state["corte"], state["alarmas"]) == (Status.WAITING, 2, [])
    notices = [event.data for event in room.events(EventKind.NOTICE_ISSUED)]
    assert [notice["type"] for notice in notices] == ["detenida", "reanudada"]
    assert notices[1]["slots"] == [START + QUARTER]


def test_an_early_close_needs_every_acta_and_leaves_the_signed_list_of_those_without(tmp_path: Path) -> None:
    room = Room(tmp_path, signed=True, cierre_anticipado=True, responsable="Ana Ruiz")
    room.open()
    assert room.tick(START)["estado"] == Status.WAITING
    room.now = room.orders.at = START + MINUTE_MS
    for acta in range(len(CATALOG.actas) - 1):
        room.send(*room.orders.agreed(acta))
    state = room.tick(START + 2 * MINUTE_MS)
    assert (state["corte"], state["alarmas"]) == (1, [])
    reason = SinActaReason.PAQUETE_NO_ENTREGADO
    room.send(room.orders.sin_acta(len(CATALOG.actas) - 1, supervisor="sara", reason=reason))
    assert room.tick(START + 3 * MINUTE_MS)["estado"] == Status.CLOSED
    (notice,) = room.events(EventKind.NOTICE_ISSUED)
    detail = orjson.loads(notice.data["detail"])
    assert (notice.data["type"], detail["responsable"]) == ("cierre_anticipado", "Ana Ruiz")
    assert detail["por_motivo"] == {"PAQUETE_NO_ENTREGADO": 1}
    body = (room.folder / detail["lista"]).read_bytes()
    signed = [orjson.loads(entry) for entry in log_of(room.folder)]
    assert [one["clase"] for one in signed] == ["apertura", "emision", "aviso", "emision", "cierre"]
    assert signed[2]["detalle"]["lista_sha256"] == sha256(body).hexdigest()
    assert detail["lista"] in set(public_keys(room.folder))
    listed = orjson.loads(body)
    assert listed["sin_acta"][0]["acta"] == CATALOG.actas[-1].key
    assert room.events(EventKind.CUT_PUBLISHED)[-1].data["last"]
    assert len(room.events(EventKind.OPERATION_CLOSED)) == 1
    room.close()


@pytest.mark.parametrize(
    "step",
    ["colocar:despues", "asentar:despues"],
)
def test_a_process_killed_in_the_middle_of_a_cut_leaves_the_one_before_whole_and_the_next_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setenv("PASO", step)
    monkeypatch.setenv("MARCA", str(tmp_path / "marca"))
    (tmp_path / "marca").touch()
    room = Room(tmp_path, worker=SLOW)
    room.open()
    assert room.tick(START)["corte"] == 1
    (tmp_path / "marca").unlink()
    state = room.tick(START + QUARTER)
    assert (tmp_path / "marca").exists()
    assert (state["corte"], state["estado"], state["alarmas"]) == (2, Status.WAITING, [])
    assert room.latest() == "0002"
    numbers = [event.data["number"] for event in room.events(EventKind.CUT_PUBLISHED)]
    assert numbers == [1, 2]
    assert set(SlotTable(room.engine._store.database).states().values()) == {"publicada"}
    room.close()


def test_a_cut_that_takes_too_long_is_killed_and_made_again_and_the_state_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("PASO", "armar:antes"), ("COMO", "cuelga"), ("MARCA", str(tmp_path / "marca"))):
        monkeypatch.setenv(name, value)
    room = Room(tmp_path, worker=SLOW, presupuesto=2)
    room.open()
    state = room.tick(START)
    assert (state["corte"], state["alarmas"]) == (1, [])
    (alarm,) = [data["texto"] for what, data in room.told if what == "alarma"]
    assert "Pasó de 2 s y se detuvo" in alarm
    (refused,) = room.events(EventKind.CUT_REFUSED)
    assert "Pasó de 2 s" in refused.data["reason"]
    room.close()


def test_a_service_that_dies_is_replaced_by_another_when_its_lease_ends(tmp_path: Path) -> None:
    room = Room(tmp_path, worker=REAL)
    room.open()
    room.tick(START)
    # It is killed: nothing of it is closed but its process.
    room.watchdog.kill()
    room.service = room.new_service()
    before = (room.folder / "publicador.json").read_bytes()
    room.tick(START + 10_000)
    assert room.service.state.status is Status.STANDBY
    assert (room.folder / "publicador.json").read_bytes() == before
    assert room.tick(START + QUARTER)["corte"] == 2
    assert room.tick(START + 2 * QUARTER)["corte"] == 3
    room.close()


def log_of(folder: Path) -> list[bytes]:
    return LogReader(lambda key: (folder / key).read_bytes()).entries()
