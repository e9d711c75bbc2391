"""The publisher is killed: the process that makes a cut, or the whole service, at each step of a cut."""

from __future__ import annotations

from collections.abc import Mapping

from core.publication.interference import STEPS
from loadtests.faults import records
from loadtests.faults.checks import NO_STEP_BACK, publication_verifies
from loadtests.faults.continuity import PUBLICATION
from loadtests.faults.cutter import PROCESS, SERVICE, remove_trap, set_trap, sprung
from loadtests.faults.drill import EVERY_MS, Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import RehearsalError, read_json, wait_until

WHOLE = "prep verificar de lo que ve el público, con el proceso muerto"
STILL = "el público sigue viendo el corte anterior"
ONCE = "cada corte asentado una vez y en orden"
SAME_NUMBER = "el público tiene ese corte, de esa ranura"
SHORT_STEPS = ("registrado",)
BEFORE_MS, AGREES_MS, LEAST_MS = 20_000, 6_000, 2_000
"""How long before its hour a cut is waited for, where the room must not be taken by surprise; how far from
the hour of the night that of the room may be; and what must be left when all is ready."""
TRIES = 4
SERVICE_STEPS = ("objetos", "registrado")
ALERTS = ("A07", "A16")
"""Of the room, about a publisher: a late cut, and one that fails or says nothing."""


class CutterKilled(Fault):
    """The process that makes the cut dies; the service goes on."""

    key = "publicador-corte"
    family = "publicador"
    incident = PUBLICATION
    title = "Muere el proceso que hace el corte"
    what = "SIGKILL al proceso de los cortes en cada paso de un corte (`core.publication.interference`)"
    promises: Mapping[str, tuple[str, ...]] = {
        "el corte anterior sigue entero": (WHOLE, NO_STEP_BACK),
        "el corte sale una sola vez": (ONCE,),
        "con el mismo número": (SAME_NUMBER,),
    }
    short = True
    detection_s = 30.0

    def cases(self, short: bool) -> tuple[str, ...]:
        return SHORT_STEPS if short else STEPS

    def prepare(self, drill: Drill, case: str) -> None:
        self._lines = len(drill.publisher_log())
        self._number = drill.cut_number() + 1

    def inject(self, drill: Drill, case: str) -> float:
        set_trap(drill.trap, case, PROCESS)
        drill.come_slot()
        self._slot = drill.last_slot()
        return _wait_trap(drill)

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {"suceso en publicador.jsonl": lambda: said_of_death(drill, self._lines)}

    def during(self, drill: Drill, case: str) -> list[Check]:
        return [publication_verifies(drill.public, WHOLE)]

    def recover(self, drill: Drill, case: str) -> str:
        drill.wait_published(self._number)
        return "sola: el servicio arranca otro proceso, que completa o repite el corte"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        return [only_once(drill, self._number), same_number(drill, self._number, self._slot)]

    def undo(self, drill: Drill, case: str) -> None:
        remove_trap(drill.trap)


class ServiceKilled(Fault):
    """The service dies with the process it was having the cut made by."""

    key = "publicador-servicio"
    family = "publicador"
    incident = PUBLICATION
    title = "Muere el servicio de publicación completo"
    what = "SIGKILL a `prep publicar` y a su proceso de cortes en pasos distintos de un corte"
    promises: Mapping[str, tuple[str, ...]] = {
        "el público ve el corte anterior entero": (WHOLE, STILL, NO_STEP_BACK),
        "al volver, el corte se completa o se repite una vez": (ONCE, SAME_NUMBER),
    }
    by_itself = False
    needs = frozenset({"sala"})
    _alerts: tuple[str, ...] = ALERTS

    def cases(self, short: bool) -> tuple[str, ...]:
        return SERVICE_STEPS

    def prepare(self, drill: Drill, case: str) -> None:
        # The room guesses the hour from the pace it last heard: it must have heard that of now, and what an
        # earlier fault left on its screen must not pass for having noticed this one.
        self._alerts = ALERTS
        for _ in range(TRIES):
            drill.have_time(BEFORE_MS)
            number, slot = drill.cut_number() + 1, drill.next_slot()
            drill.forward(slot - BEFORE_MS)
            wait_until("la sala tiene la hora de la noche", lambda: drill.room_agrees(AGREES_MS), 30)
            wait_until("la sala no tiene alertas del publicador", lambda: drill.alert(*ALERTS) is None, 120)
            if slot - drill.clock.right_ms() > LEAST_MS:
                return
            # It came while that was waited for.
            drill.wait_published(number)
        raise RehearsalError("La máquina no da tiempo de esperar la hora de un corte.")

    def inject(self, drill: Drill, case: str) -> float:
        self._number, self._slot = drill.cut_number() + 1, drill.next_slot()
        set_trap(drill.trap, case, SERVICE)
        at = _wait_trap(drill)
        # On a machine with no time for it the cut may be late by itself: that is not to have noticed this.
        self._alerts = tuple(rule for rule in ALERTS if drill.alert(rule) is None)
        return at

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {"alerta de la sala": lambda: drill.alert(*self._alerts)}

    def during(self, drill: Drill, case: str) -> list[Check]:
        cut = drill.public_cut()
        return [
            publication_verifies(drill.public, WHOLE),
            Check(STILL, cut == self._number - 1, f"era el {self._number - 1} y es el {cut}"),
        ]

    def recover(self, drill: Drill, case: str) -> str:
        assert drill.publisher is not None
        drill.publisher.kill()
        drill.start_publisher()
        drill.wait_published(self._number)
        return "se vuelve a arrancar `prep publicar` (el gestor de servicios o quien opera)"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        return [only_once(drill, self._number), same_number(drill, self._number, self._slot)]

    def undo(self, drill: Drill, case: str) -> None:
        remove_trap(drill.trap)


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
    numbers = [one for one, _ in records.cuts(drill.base)]
    holds = numbers == list(range(1, len(numbers) + 1)) and numbers.count(number) == 1
    return Check(ONCE, holds, "" if holds else str(numbers[-5:]))


def same_number(drill: Drill, number: int, slot_ms: int) -> Check:
    """The public has that cut by the number it was going to have, with the hour of the slot it was for."""
    told = read_json(drill.public / "corte.json")
    cut, off_ms = int(told.get("corte", 0)), int(told.get("instante_ms", 0)) - slot_ms
    return Check(SAME_NUMBER, cut == number and 0 <= off_ms < EVERY_MS, f"corte {cut}, a {off_ms} ms")


def _wait_trap(drill: Drill) -> float:
    path = sprung(drill.trap)
    wait_until("el corte llega al paso de la trampa", path.is_file, 60)
    return float(read_json(path)["monotonico_s"])
