"""The publisher is killed: the process that makes a cut, or the whole service, at each step of a cut."""

from __future__ import annotations

from collections.abc import Mapping

from core.publication.interference import STEPS
from loadtests.faults.cutter import PROCESS, SERVICE, set_trap, sprung
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import read_json, wait_until

SHORT_STEPS = ("construido", "registrado")
BEFORE_MS = 12_000
"""How long before its hour a cut is waited for, where the room must not be taken by surprise."""
SERVICE_STEPS = ("objetos", "registrado")
ALERTS = ("A07", "A16")
"""Of the room, about a publisher: a late cut, and one that fails or says nothing."""


class CutterKilled(Fault):
    """The process that makes the cut dies; the service goes on."""

    key = "publicador-corte"
    family = "publicador"
    title = "Muere el proceso que hace el corte"
    what = "SIGKILL al proceso de los cortes en cada paso de un corte (`core.publication.interference`)"
    invariant = "el corte anterior sigue entero; el corte sale una sola vez, con el mismo número"
    short = True
    detection_s = 30.0

    def cases(self, short: bool) -> tuple[str, ...]:
        return SHORT_STEPS if short else STEPS

    def inject(self, drill: Drill, case: str) -> float:
        set_trap(drill.trap, case, PROCESS)
        self._lines = len(drill.publisher_log())
        self._number = drill.come_slot()
        return _wait_trap(drill)

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {"suceso en publicador.jsonl": lambda: said_of_death(drill, self._lines)}

    def recover(self, drill: Drill, case: str) -> str:
        drill.wait_published(self._number)
        return "sola: el servicio arranca otro proceso, que completa o repite el corte"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        return [only_once(drill, self._number)]


class ServiceKilled(Fault):
    """The service dies with the process it was having the cut made by."""

    key = "publicador-servicio"
    family = "publicador"
    title = "Muere el servicio de publicación completo"
    what = "SIGKILL a `prep publicar` y a su proceso de cortes en pasos distintos de un corte"
    invariant = "el público ve el corte anterior entero; al volver, el corte se completa o se repite una vez"
    by_itself = False
    needs = frozenset({"sala"})

    def cases(self, short: bool) -> tuple[str, ...]:
        return SERVICE_STEPS

    def prepare(self, drill: Drill, case: str) -> None:
        # The room guesses the hour from the pace it last heard: it must have heard that of now, and what an
        # earlier fault left on its screen must not pass for having noticed this one.
        self._number = drill.cut_number() + 1
        drill.forward(drill.next_slot() - BEFORE_MS)
        wait_until("la sala tiene la hora de la noche", lambda: drill.room_agrees(BEFORE_MS // 2), 30)
        wait_until("la sala no tiene alertas del publicador", lambda: drill.alert(*ALERTS) is None, 120)

    def inject(self, drill: Drill, case: str) -> float:
        set_trap(drill.trap, case, SERVICE)
        return _wait_trap(drill)

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return publisher_gone(drill)

    def during(self, drill: Drill, case: str) -> list[Check]:
        from loadtests.faults.checks import publication_verifies

        whole = publication_verifies(drill.public, "con el publicador muerto")
        return [whole]

    def recover(self, drill: Drill, case: str) -> str:
        assert drill.publisher is not None
        drill.publisher.kill()
        drill.start_publisher()
        drill.wait_published(self._number)
        return "se vuelve a arrancar `prep publicar` (el gestor de servicios o quien opera)"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        return [only_once(drill, self._number)]


def publisher_gone(drill: Drill) -> dict[str, Signal]:
    """Who notices that nobody publishes."""
    return {"alerta de la sala": lambda: drill.alert(*ALERTS)}


def said_of_death(drill: Drill, lines: int) -> str | None:
    """What the service wrote of a process that died, after so many lines."""
    for line in drill.publisher_log()[lines:]:
        if line["que"] == "alarma" and line.get("clave") == "corte_fallido":
            return f"alarma corte_fallido: {line['texto']}"
        if line["que"] == "proceso_muerto":
            return f"proceso_muerto: {line['motivo']}"
    return None


def only_once(drill: Drill, number: int) -> Check:
    """The log of the publication has that cut, once, and none beyond it."""
    from core.domain.events import EventKind
    from core.storage.database import open_existing
    from core.storage.reading import ledger_events, reading

    database = open_existing(drill.base)
    try:
        with reading(database) as connection:
            numbers = [
                int(event.data["number"])
                for _, event, _ in ledger_events(connection)
                if event.kind is EventKind.CUT_PUBLISHED
            ]
    finally:
        database.dispose()
    holds = numbers == list(range(1, len(numbers) + 1)) and numbers.count(number) == 1
    return Check("cada corte asentado una vez y en orden", holds, "" if holds else str(numbers[-5:]))


def _wait_trap(drill: Drill) -> float:
    path = sprung(drill.trap)
    wait_until("el corte llega al paso de la trampa", path.is_file, 60)
    return float(read_json(path)["monotonico_s"])
