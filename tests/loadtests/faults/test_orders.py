"""Every wrong command goes where only its own rule stops it, and what got through is seen in the database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import engine
from core.domain import transitions
from core.domain.acta import Received
from core.domain.commands import Capture, Digitize, Receive
from core.domain.events import EventKind
from core.domain.refusals import Refusal
from core.operations.event_log import WORDS
from loadtests.faults import records
from loadtests.faults.cases.orders import DUPLICATE, OrdersAgain, OrdersWrong, real_orders, send, wrong_orders
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check
from loadtests.faults.size import SHORT
from tests.core.domain.small import START, Orders, open_engine

NOW = START + 300_000


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    """A rehearsal of which nothing is started: a database with an acta in every state that is needed."""
    drill = Drill(tmp_path, SHORT, postgres=None, s3=None)
    drill.run.mkdir()
    drill.clock.set(NOW)
    orders = Orders()
    office = open_engine(drill.base)
    done = [orders.open(), *orders.arrived(0), orders.capture(0, "ana"), orders.capture(0, "luis")]
    done += [*orders.arrived(1), orders.capture(1, "ana"), orders.receive(3), orders.receive(5)]
    assert all(answer.accepted for answer in office.execute(done, NOW))
    return drill


def carried_out(drill: Drill) -> tuple[OrdersWrong, dict[str, Check]]:
    fault = OrdersWrong()
    fault._wrong = wrong_orders(drill.base)
    fault._orders = [one.order for one in fault._wrong]
    assert fault.signals(drill, "").popitem()[1]() is None  # type: ignore[attr-defined]
    fault.inject(drill, "")
    return fault, {check.name: check for check in fault.checks(drill, "")}


def test_each_wrong_order_is_stopped_by_its_own_rule_and_nothing_is_counted(drill: Drill) -> None:
    fault, checks = carried_out(drill)
    assert [one.wanted for one in fault._wrong] == [
        Refusal.STATE.value,
        Refusal.SAME_PERSON.value,
        f"{DUPLICATE}:digitalizacion:1",
        f"{DUPLICATE}:acopio:None",
        Refusal.KEY_REUSED.value,
        Refusal.BAD_HASH.value,
    ]
    assert {name: check.seen for name, check in checks.items() if not check.holds} == {}
    promised = {name for names in fault.promises.values() for name in names}
    assert promised <= set(checks)
    said = next(iter(fault.signals(drill, "").values()))()
    assert said is not None
    assert "2 duplicados" in said


def _without_state(patch: pytest.MonkeyPatch) -> None:
    table: dict[Any, Any] = vars(transitions)["_TABLE"]
    patch.setitem(table, (Received, Capture), lambda state, command, facts: [])


def _without_memory_of_who(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transitions, "captures_of", lambda state: ())


def _without_owners(patch: pytest.MonkeyPatch) -> None:
    table: dict[Any, Any] = vars(transitions)["_TABLE"]
    patch.setitem(table, (Received, Digitize), lambda state, command, facts: [])


def _without_packages(patch: pytest.MonkeyPatch) -> None:
    table: dict[Any, Any] = vars(transitions)["_TABLE"]
    for state, command in list(table):
        if command is Receive:
            patch.setitem(table, (state, command), lambda state, command, facts: [])


def _without_digests(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(engine, "command_digest", lambda command: bytes(16))
    patch.setattr(engine, "_repeat", lambda key, digest, known: engine.Answer(key, None, repeated=True))


def _without_hashes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transitions, "valid_hash", lambda text: True)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (_without_state, "captura antes que la imagen: aceptada"),
        (_without_memory_of_who, "otra captura de la misma persona: captura"),
        (_without_owners, "la misma imagen para otra acta: aceptada"),
        (_without_packages, "el mismo paquete dos veces: aceptada"),
        (_without_digests, "la clave de otra orden: repetida"),
        (_without_hashes, "código de integridad dañado: digitalizacion"),
    ],
    ids=["state", "same person", "image of another", "package twice", "key of another", "damaged code"],
)
def test_an_engine_without_one_rule_is_found_out(
    broken: Callable[[pytest.MonkeyPatch], None], told: str, drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    _, checks = carried_out(drill)
    wrong = checks["cada orden con la respuesta de su regla"]
    assert not wrong.holds
    assert told in wrong.seen


def test_repeated_orders_have_the_first_answer_and_leave_nothing(drill: Drill) -> None:
    fault = OrdersAgain()
    fault._orders = real_orders(drill.base)
    assert len(fault._orders) == 9
    fault.inject(drill, "")
    checks = {check.name: check for check in fault.checks(drill, "")}
    assert all(checks[name].holds for names in fault.promises.values() for name in names)
    assert not checks["hubo órdenes que repetir"].holds


def test_what_the_database_has_besides_is_told_whatever_the_engine_answered(drill: Drill) -> None:
    fault = OrdersAgain()
    fault._orders = real_orders(drill.base)
    fault.inject(drill, "")
    more = Orders("otra", at=NOW)
    send(drill.base, [more.receive(4)], NOW)
    fault._grew = records.events_after(drill.base, fault._head)
    fault._then = records.counted(drill.base)
    checks = {check.name: check for check in fault.checks(drill, "")}
    assert checks["la bitácora no crece con las repetidas"] == Check(
        "la bitácora no crece con las repetidas", False, WORDS[EventKind.ACTA_RECEIVED]
    )
    assert "acta 4" in checks["ningún acta cambia de estado ni de votos"].seen


def test_there_is_nothing_to_send_until_an_acta_is_in_each_state(tmp_path: Path) -> None:
    base = str(tmp_path / "prep.db")
    orders = Orders()
    office = open_engine(base)
    office.execute([orders.open(), *orders.arrived(0), orders.capture(0, "ana")], NOW)
    assert wrong_orders(base) == []
    office.execute([orders.receive(3)], NOW)
    assert len(wrong_orders(base)) == 6
