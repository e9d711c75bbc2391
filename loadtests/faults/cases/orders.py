"""Commands that arrive twice, out of order, or with a key or a content that is another's.

The commands are those of the night itself, made again from its log (each one checked against the digest that
the engine kept); they are sent by a second engine on the same database, as another station would.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from core.domain.acta import Status
from core.domain.commands import (
    AnyCommand,
    Capture,
    Digitize,
    Medium,
    Origin,
    Receive,
    Totals,
)
from core.domain.events import Event, EventKind
from core.domain.fields import Mark, decode_field, decode_fields
from core.domain.refusals import Refusal
from core.engine import Answer, Engine, command_digest
from core.storage import schema
from core.storage.database import open_existing
from core.storage.reading import ledger_events, reading
from core.storage.store import Store
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Signal

KEYS = "sala-fallas-"
"""How the keys of what is sent besides begin: a night that goes on takes them as of other people."""
MOST = 400


class OrdersAgain(Fault):
    """Real commands of the night, again and shuffled."""

    key = "ordenes-repetidas"
    family = "órdenes"
    title = "Las órdenes de la noche llegan repetidas y revueltas"
    what = f"se reenvían hasta {MOST} órdenes ya asentadas de la noche, en otro orden, desde otra estación"
    invariant = "ninguna tiene un segundo efecto: ni un evento más, ni un voto más"
    short = True

    def inject(self, drill: Drill, case: str) -> float:
        orders = real_orders(drill)[:MOST]
        random.Random(7).shuffle(orders)
        at = time.monotonic()
        self._answers, self._grew = send(drill, orders)
        return at

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        again = sum(answer.repeated for answer in self._answers)
        said = f"{again} de {len(self._answers)} contestadas como repetidas"
        return {"respuesta del motor": lambda: said if again and again == len(self._answers) else None}

    def recover(self, drill: Drill, case: str) -> str:
        return "sola: el motor contesta lo mismo que la primera vez"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        return [
            Check("hubo órdenes que repetir", len(self._answers) >= 20, str(len(self._answers))),
            Check("ningún evento nuevo salió de ellas", self._grew == 0, str(self._grew)),
        ]


class OrdersWrong(Fault):
    """Commands that must not have an effect, each for a reason of its own."""

    key = "ordenes-fuera-de-orden"
    family = "órdenes"
    title = "Llegan órdenes fuera de orden, duplicadas con otra clave o dañadas"
    what = (
        "capturas antes que la imagen, una captura más de la misma persona, la misma imagen para otra acta, "
        "el mismo paquete dos veces, una clave ya usada con otro contenido y un código de integridad dañado"
    )
    invariant = "cada una se rechaza con su código o queda como duplicado que no se cuenta"
    short = True

    def inject(self, drill: Drill, case: str) -> float:
        self._wanted, orders = wrong_orders(drill)
        at = time.monotonic()
        self._answers, _ = send(drill, orders)
        return at

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {"respuesta del motor": lambda: self._said()}

    def recover(self, drill: Drill, case: str) -> str:
        return "sola: nada cambia"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        wrong = [
            f"{what}: {_told(answer)}"
            for (what, wanted), answer in zip(self._wanted, self._answers, strict=True)
            if _told(answer) not in wanted
        ]
        return [
            Check("cada orden con su respuesta", not wrong, "; ".join(wrong)),
            Check("hubo de todas", len({what for what, _ in self._wanted}) == len(self._wanted) == 6),
        ]

    def _said(self) -> str | None:
        told = [_told(answer) for answer in self._answers]
        return ", ".join(told) if all(told) else None


def real_orders(drill: Drill) -> list[AnyCommand]:
    """Commands of the night exactly as they were sent, in order."""
    database = open_existing(drill.base)
    try:
        with reading(database) as connection:
            command = schema.command.c
            known = {
                int(row.seq_first): (str(row.key), bytes(row.digest))
                for row in connection.execute(
                    select(command.key, command.digest, command.seq_first).where(
                        command.seq_first.is_not(None)
                    )
                )
            }
            events = [(seq, event) for seq, event, _ in ledger_events(connection) if seq in known]
    finally:
        database.dispose()
    made = [(known[seq], _command(known[seq][0], event)) for seq, event in events]
    return [order for (_, digest), order in made if order is not None and command_digest(order) == digest]


def _command(key: str, event: Event) -> AnyCommand | None:
    """The command that caused an event, when the event says everything it said."""
    if event.acta is None:
        return None
    data = event.data
    who: dict[str, Any] = {
        "key": key, "actor": event.actor, "station": event.station, "at": event.at,
        "device_at": event.device_at, "acta": event.acta,
    }  # fmt: skip
    if event.kind is EventKind.ACTA_RECEIVED:
        return Receive(origin=Origin(data["origin"]), mechanism=data["mechanism"], **who)
    if event.kind is EventKind.ACTA_DIGITIZED:
        return Digitize(
            image_hash=data["image_hash"], medium=Medium(data["medium"]), document=data["document"], **who
        )
    if event.kind is EventKind.ACTA_CAPTURED:
        return Capture(
            votes=decode_fields(data["votes"]), totals=Totals(*map(decode_field, data["totals"])),
            letter_differs=data["letter_differs"], only_letter_or_number=data["only_letter_or_number"], **who,
        )  # fmt: skip
    return None


def wrong_orders(drill: Drill) -> tuple[list[tuple[str, tuple[str, ...]]], list[AnyCommand]]:
    """Commands nobody should send, with what is expected of each: refusal code or kind of event."""
    orders = real_orders(drill)
    captures = [order for order in orders if isinstance(order, Capture)]
    images = [order for order in orders if isinstance(order, Digitize)]
    receipts = [order for order in orders if isinstance(order, Receive)]
    expected = _expected_actas(drill)
    catalog = _catalog(drill)
    capture, image, receipt = captures[-1], images[-1], receipts[-1]
    contest = catalog.actas[image.acta].contest
    other = next(acta for acta in expected if catalog.actas[acta].contest == contest)
    applies = catalog.layouts[catalog.actas[other].layout].applies
    votes = tuple(1 if here else Mark.NO_APLICA for here in applies)
    made: list[tuple[str, tuple[str, ...], AnyCommand]] = [
        (
            "captura antes que la imagen", (Refusal.STATE.value,),
            replace(capture, key=f"{KEYS}1", acta=other, votes=votes, actor="quien-no-ha-capturado"),
        ),
        (
            "otra captura de la misma persona", (Refusal.SAME_PERSON.value, Refusal.STATE.value),
            replace(capture, key=f"{KEYS}2"),
        ),
        (
            "la misma imagen para otra acta",
            (EventKind.DUPLICATE_RECORDED.value, Refusal.STATE.value),
            replace(image, key=f"{KEYS}3", acta=other),
        ),
        (
            "el mismo paquete dos veces", (EventKind.DUPLICATE_RECORDED.value, Refusal.STATE.value),
            replace(receipt, key=f"{KEYS}4"),
        ),
        ("la clave de otra orden", (Refusal.KEY_REUSED.value,), replace(capture, letter_differs=7)),
        (
            "código de integridad dañado", (Refusal.BAD_HASH.value, Refusal.STATE.value),
            replace(image, key=f"{KEYS}6", image_hash=image.image_hash[:-1] + "Z"),
        ),
    ]  # fmt: skip
    return [(what, wanted) for what, wanted, _ in made], [order for _, _, order in made]


def send(drill: Drill, orders: Sequence[AnyCommand]) -> tuple[list[Answer], int]:
    """Have another engine decide them; the answers, and how many events of the log came out of them."""
    store = Store(open_existing(drill.base))
    try:
        engine = Engine(store, store.load_catalog(), "simulacro")
        answers = engine.execute(list(orders), drill.clock.right_ms())
    finally:
        store.close()
        store.database.dispose()
    return answers, sum(len(answer.events) for answer in answers)


def _expected_actas(drill: Drill) -> list[int]:
    """Actas of which nothing has come, the last ones first."""
    database = open_existing(drill.base)
    try:
        with reading(database) as connection:
            acta = schema.acta.c
            rows = connection.execute(
                select(acta.id).where(acta.status == Status.EXPECTED.value).order_by(acta.id.desc())
            )
            return [int(number) for (number,) in rows]
    finally:
        database.dispose()


def _catalog(drill: Drill) -> Any:
    from core.storage.reading import read_catalog

    database = open_existing(drill.base)
    try:
        with reading(database) as connection:
            return read_catalog(connection)
    finally:
        database.dispose()


def _told(answer: Answer) -> str:
    """Code of the refusal, «repetida», or the kinds of event."""
    if answer.refusal is not None:
        return answer.refusal.value
    if answer.repeated:
        return "repetida"
    return "+".join(event.kind.value for event in answer.events)
