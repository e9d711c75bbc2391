"""Commands that arrive twice, out of order, or with a key or a content that is another's.

The commands are those of the night itself, made again from its log (each one checked against the digest that
the engine kept); they are sent by a second engine on the same database, as another station would, while the
night is paused: whatever the database has afterwards that it had not is of these commands. Each wrong one
goes to an acta in the one state where nothing but the rule it is there for would stop it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from core.domain.acta import Status
from core.domain.commands import AnyCommand, Capture, Digitize, Medium, Origin, Receive, Totals
from core.domain.events import Event, EventKind
from core.domain.fields import Mark, decode_field, decode_fields
from core.domain.refusals import Refusal
from core.engine import Answer, Engine, command_digest
from core.errors import PrepError
from core.operations.event_log import WORDS
from core.storage import schema
from core.storage.database import open_existing
from core.storage.reading import ledger_events, read_catalog
from core.storage.store import Store
from loadtests.faults import records
from loadtests.faults.drill import MINUTE_MS, Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import RehearsalError
from simulator.live.control import ControlClient

Found = TypeVar("Found")

KEYS = "sala-fallas-"
"""How the keys of what is sent besides begin: a night that goes on takes them as of other people."""
MOST = 400
FEWEST = 20
"""Orders that must be there to be repeated."""
SAME_COUNTED = "ningún acta cambia de estado ni de votos"
STEP_MS = 15_000
"""How far the night is moved on to look again for what is needed."""
LOOKS = 500
STILL_S = 1.0
"""Nothing is recorded for this long: what the night had sent is recorded."""


class _Paused(Fault):
    """What is common: the night stands still from before they are sent until what they did is looked at."""

    family = "órdenes"
    short = True

    def inject(self, drill: Drill, case: str) -> float:
        self._head = records.head(drill.base)
        self._counted = records.counted(drill.base)
        self._kept = records.answers(drill.base, [order.key for order in self._orders])
        at = time.monotonic()
        self._answers = send(drill.base, self._orders, drill.clock.right_ms())
        self._grew = records.events_after(drill.base, self._head)
        self._then = records.counted(drill.base)
        return at

    def undo(self, drill: Drill, case: str) -> None:
        resume(drill)

    def same_counts(self) -> Check:
        """Every acta is in the state it was, with the votes it had."""
        before, after = self._counted, self._then
        other = [
            f"{key}: {before.get(key)} → {after.get(key)}"
            for key in sorted({*before, *after})
            if before.get(key) != after.get(key)
        ]
        return Check(SAME_COUNTED, bool(after) and not other, "; ".join(other[:2]))

    _orders: Sequence[AnyCommand] = ()
    _answers: Sequence[Answer] = ()


class OrdersAgain(_Paused):
    """Real commands of the night, again and shuffled."""

    key = "ordenes-repetidas"
    title = "Las órdenes de la noche llegan repetidas y revueltas"
    what = f"se reenvían hasta {MOST} órdenes ya asentadas de la noche, en otro orden, desde otra estación"
    promises: Mapping[str, tuple[str, ...]] = {
        "ninguna orden repetida deja un evento más": ("la bitácora no crece con las repetidas",),
        "ni un voto más": (SAME_COUNTED,),
        "y se contesta lo de la primera vez": ("cada repetida recibe la respuesta de la primera",),
    }

    def prepare(self, drill: Drill, case: str) -> None:
        def enough() -> list[AnyCommand]:
            orders = real_orders(drill.base)
            return orders if len(orders) >= FEWEST else []

        self._answers = ()
        orders = advance_until(drill, "hay órdenes que repetir", enough)[:MOST]
        random.Random(7).shuffle(orders)
        self._orders = orders

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        def answered() -> str | None:
            again = sum(answer.repeated for answer in self._answers)
            return f"{again} de {len(self._answers)} contestadas como repetidas" if again else None

        # A repetition leaves no trace of its own anywhere: who sent it is the one who is told.
        return {"solo la respuesta del motor a quien las manda": answered}

    def recover(self, drill: Drill, case: str) -> str:
        return "sola: el motor contesta lo mismo que la primera vez"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        kept = records.answers(drill.base, [order.key for order in self._orders])
        other = sorted(
            answer.key
            for answer in self._answers
            if not answer.repeated
            or answer.refusal is not None
            or (answer.seq_first, answer.seq_last) != _events_of(self._kept.get(answer.key))
            or kept.get(answer.key) != self._kept.get(answer.key)
        )
        return [
            Check("hubo órdenes que repetir", len(self._answers) >= FEWEST, str(len(self._answers))),
            Check("la bitácora no crece con las repetidas", not self._grew, _kinds(self._grew)),
            self.same_counts(),
            Check(
                "cada repetida recibe la respuesta de la primera", bool(self._answers) and not other,
                ", ".join(other[:5]),
            ),
        ]  # fmt: skip


class OrdersWrong(_Paused):
    """Commands that must not have an effect, each for a reason of its own."""

    key = "ordenes-fuera-de-orden"
    title = "Llegan órdenes fuera de orden, duplicadas con otra clave o dañadas"
    what = (
        "capturas antes que la imagen, una captura más de la misma persona, la misma imagen para otra acta, "
        "el mismo paquete dos veces, una clave ya usada con otro contenido y un código de integridad dañado"
    )
    promises: Mapping[str, tuple[str, ...]] = {
        "cada una se rechaza con el código de su regla, o queda como duplicado": (
            "cada orden con la respuesta de su regla",
            "la bitácora solo crece con los duplicados",
        ),
        "ninguna se cuenta": (SAME_COUNTED,),
    }

    def prepare(self, drill: Drill, case: str) -> None:
        self._answers = ()
        self._wrong = advance_until(
            drill, "hay actas en cada estado que se necesita", lambda: wrong_orders(drill.base)
        )
        self._orders = [one.order for one in self._wrong]

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        def recorded() -> str | None:
            if not self._answers:
                return None
            kept = records.answers(drill.base, [order.key for order in self._orders])
            refused = [one.refusal for one in kept.values() if one.refusal]
            doubles = [event for event in self._grew if event.kind is EventKind.DUPLICATE_RECORDED]
            if not refused and not doubles:
                return None
            return f"rechazos asentados: {', '.join(refused)}; {len(doubles)} duplicados en la bitácora"

        return {"asiento del motor (rechazo con su código, duplicado en la bitácora)": recorded}

    def recover(self, drill: Drill, case: str) -> str:
        return "sola: nada cambia"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        told = [told_of(answer) for answer in self._answers]
        wrong = [
            f"{one.what}: {said or 'aceptada'} en vez de {one.wanted}"
            for one, said in zip(self._wrong, told, strict=True)
            if said != one.wanted
        ]
        doubles = sum(one.wanted.startswith(DUPLICATE) for one in self._wrong)
        kinds = [event.kind for event in self._grew]
        return [
            Check("cada orden con la respuesta de su regla", not wrong, "; ".join(wrong)),
            Check(
                "la bitácora solo crece con los duplicados",
                kinds == [EventKind.DUPLICATE_RECORDED] * doubles, _kinds(self._grew),
            ),
            self.same_counts(),
        ]  # fmt: skip


# -- what is sent ----------------------------------------------------------------------------------

DUPLICATE = WORDS[EventKind.DUPLICATE_RECORDED]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A command nobody should send, and the one answer that its own rule gives (see `told_of`)."""

    what: str
    wanted: str
    order: AnyCommand


def real_orders(base: str) -> list[AnyCommand]:
    """Commands of the night exactly as they were sent, in order."""
    with records.connected(base) as connection:
        return _orders(connection)


def _orders(connection: Connection) -> list[AnyCommand]:
    command = schema.command.c
    asked = select(command.key, command.digest, command.seq_first).where(command.seq_first.is_not(None))
    known = {
        int(row.seq_first): (str(row.key), bytes(row.digest))
        for row in connection.execute(asked)
        if not str(row.key).startswith(KEYS)
    }
    made = [
        (known[seq][1], _command(known[seq][0], event))
        for seq, event, _ in ledger_events(connection)
        if seq in known
    ]
    return [order for digest, order in made if order is not None and command_digest(order) == digest]


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


def wrong_orders(base: str) -> list[Wrong]:
    """One command against each rule; empty while the night has no acta in some state that is needed.

    What comes before an image, a damaged code and an image of another acta go to one that was received and
    has no image: any of them would be taken there but for its rule. The second capture of a person goes to
    an acta that waits for exactly that, the second one.
    """
    with records.connected(base) as connection:
        acta = schema.acta.c
        rows = connection.execute(select(acta.id, acta.status).order_by(acta.id))
        status = {int(number): Status(name) for number, name in rows}
        if not {Status.RECEIVED, Status.CAPTURED_ONCE} <= set(status.values()):
            return []
        catalog = read_catalog(connection)
        orders = _orders(connection)
    waiting = {
        order.acta: order
        for order in orders
        if isinstance(order, Capture) and status[order.acta] is Status.CAPTURED_ONCE
    }
    packages = [
        order for order in orders if isinstance(order, Receive) and status[order.acta] is not Status.SIN_ACTA
    ]
    contest = {number: catalog.actas[number].contest for number in status}
    received = {contest[number]: number for number in status if status[number] is Status.RECEIVED}
    images = [order for order in orders if isinstance(order, Digitize) and contest[order.acta] in received]
    if not (waiting and packages and images):
        return []
    image, capture = images[-1], next(iter(waiting.values()))
    there = received[contest[image.acta]]
    applies = catalog.layouts[catalog.actas[there].layout].applies
    votes = tuple(1 if here else Mark.NO_APLICA for here in applies)
    damaged = image.image_hash[:-1] + "Z"
    return [
        Wrong(
            "captura antes que la imagen", Refusal.STATE.value,
            replace(capture, key=f"{KEYS}1", acta=there, votes=votes, actor="quien-no-ha-capturado"),
        ),
        Wrong(
            "otra captura de la misma persona", Refusal.SAME_PERSON.value, replace(capture, key=f"{KEYS}2")
        ),
        Wrong(
            "la misma imagen para otra acta", f"{DUPLICATE}:digitalizacion:{image.acta}",
            replace(image, key=f"{KEYS}3", acta=there),
        ),
        Wrong(
            "el mismo paquete dos veces", f"{DUPLICATE}:acopio:None",
            replace(packages[-1], key=f"{KEYS}4"),
        ),
        Wrong("la clave de otra orden", Refusal.KEY_REUSED.value, replace(capture, letter_differs=7)),
        Wrong(
            "código de integridad dañado", Refusal.BAD_HASH.value,
            replace(image, key=f"{KEYS}6", acta=there, image_hash=damaged),
        ),
    ]  # fmt: skip


def send(base: str, orders: Sequence[AnyCommand], at_ms: int) -> list[Answer]:
    """Have another engine decide them; its answers, in the same order."""
    store = Store(open_existing(base))
    try:
        return Engine(store, store.load_catalog(), "simulacro").execute(list(orders), at_ms)
    finally:
        store.close()
        store.database.dispose()


def told_of(answer: Answer) -> str:
    """Code of the refusal, «repetida», or what the log says happened; of a duplicate, of what and whose."""
    if answer.refusal is not None:
        return answer.refusal.value
    if answer.repeated:
        return "repetida"
    return "+".join(
        f"{DUPLICATE}:{event.data['what']}:{event.data['owner']}"
        if event.kind is EventKind.DUPLICATE_RECORDED
        else _word(event)
        for event in answer.events
    )


def _events_of(kept: records.Answered | None) -> tuple[int | None, int | None] | None:
    return None if kept is None else (kept.first, kept.last)


def _kinds(events: Sequence[Event]) -> str:
    return ", ".join(map(_word, events))


def _word(event: Event) -> str:
    return WORDS.get(event.kind, event.kind.value)


# -- the night stands still ------------------------------------------------------------------------


def advance_until(drill: Drill, what: str, look: Callable[[], list[Found]]) -> list[Found]:
    """Move the night on until there is something to be seen in its database, and leave it paused there.

    Raises RehearsalError when it never comes.
    """
    for _ in range(LOOKS):
        if look():
            pause(drill)
            # What was on its way when it stopped is recorded by now: look at what there is.
            found = look()
            if found:
                return found
            resume(drill)
        until = drill.clock.right_ms() + STEP_MS
        if until > drill.next_slot() - MINUTE_MS:
            drill.cut()
        else:
            drill.forward(until)
    raise RehearsalError(f"La noche no llegó a lo que hace falta: {what}.")


def pause(drill: Drill) -> None:
    """The night stands still, and everything it had sent is recorded."""
    client = ControlClient(drill.run)
    client.pause()
    seen, since = -1, time.monotonic()
    # What was due when it stopped still happens, and an image that is being drawn takes its time.
    while time.monotonic() - since < STILL_S:
        now = records.head(drill.base)
        if now != seen or client.state()["por_escribir"]:
            seen, since = now, time.monotonic()
        time.sleep(0.1)


def resume(drill: Drill) -> None:
    """The night goes on as time does."""
    try:
        ControlClient(drill.run).resume()
        drill.follow()
    except PrepError:
        # It ended: there is nothing to let go on.
        return
