"""The control room: its snapshot writer frozen or dead, its web process dead."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import RehearsalError, wait_until
from loadtests.faults.visitor import Shown, Visitor
from simulator.live.control import ControlClient

OLD = "datos viejos"
"""What the room says to a probe while what it has is too old."""
GONE = "Unexpected exit from worker"
"""What the process that supervises the web writes when it finds it dead (granian)."""


class WriterFrozen(Fault):
    """The writer of the snapshots is alive and does nothing."""

    key = "sala-congelada"
    family = "sala"
    title = "El escritor de la sala se congela"
    what = "SIGSTOP al proceso que escribe las fotografías de la sala"
    promises: Mapping[str, tuple[str, ...]] = {
        "la sala dice que sus datos son viejos": ("/salud dice «datos viejos» y su edad",),
        "y no los enseña por nuevos": ("la fotografía se sirve con su edad, que crece",),
        "lo público sigue saliendo": ("sale un corte con la sala congelada",),
    }
    by_itself = False
    short = True
    needs = frozenset({"sala"})
    detection_s = 40.0

    def prepare(self, drill: Drill, case: str) -> None:
        self._visitor = Visitor.enter(drill, "fallas-congelada")

    def inject(self, drill: Drill, case: str) -> float:
        self._pid = drill.snapshot_writer_pid()
        os.kill(self._pid, signal.SIGSTOP)
        return time.monotonic()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        def told() -> str | None:
            # Not to answer in time would also be news, and of something else.
            seen = drill.health().get("motivo")
            return f"«{OLD}»" if seen == OLD else None

        return {"/salud de la sala (503)": told}

    def during(self, drill: Drill, case: str) -> list[Check]:
        health, first = drill.health(), self._visitor.look()
        before = drill.public_cut()
        drill.cut()
        after, second = drill.public_cut(), self._visitor.look()
        old = float(health.get("edad_s") or 0) * 1000
        return [
            Check(
                "/salud dice «datos viejos» y su edad",
                health.get("motivo") == OLD and old >= first.stale_ms, str(health),
            ),
            shown_as_old(first, second),
            Check("sale un corte con la sala congelada", after > before, f"{before} → {after}"),
        ]  # fmt: skip

    def recover(self, drill: Drill, case: str) -> str:
        os.kill(self._pid, signal.SIGKILL)
        wait_until("la sala vuelve a tener datos frescos", lambda: drill.health().get("ok"), 60)
        return "se mata al escritor y la sala arranca otro"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        shown = self._visitor.look()
        fresh = shown.age_ms <= shown.stale_ms
        return [Check("la fotografía vuelve a ser fresca", fresh, f"{shown.age_ms} ms")]

    def undo(self, drill: Drill, case: str) -> None:
        with contextlib.suppress(ProcessLookupError, AttributeError):
            os.kill(self._pid, signal.SIGCONT)


class WebKilled(Fault):
    """The process that answers the browsers dies."""

    key = "sala-web"
    family = "sala"
    title = "Muere el proceso web de la sala"
    what = "SIGKILL al proceso que atiende a los navegadores"
    promises: Mapping[str, tuple[str, ...]] = {
        "la noche y la publicación siguen": (
            "la noche sigue, con el mismo proceso",
            "sale un corte, del mismo publicador",
        ),
        "la sala vuelve con los mismos datos": (
            "sirve la fotografía que está en su carpeta, del mismo escritor",
            "ningún contador retrocede",
        ),
        "y sin que nadie vuelva a entrar": ("la sesión que había sigue valiendo",),
    }
    needs = frozenset({"sala"})

    def prepare(self, drill: Drill, case: str) -> None:
        assert drill.room is not None
        self._visitor = Visitor.enter(drill, "fallas-web")
        self._before = self._visitor.look()
        self._night = night_now(drill)
        self._publisher = drill.publisher_state().get("boot_id")
        self._heard = len(drill.room.said())

    def inject(self, drill: Drill, case: str) -> float:
        os.kill(drill.web_pid(), signal.SIGKILL)
        return time.monotonic()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        def told() -> str | None:
            assert drill.room is not None
            lines = drill.room.said()[self._heard :].splitlines()
            said = next((line for line in lines if GONE in line), None)
            return said and f"quien supervisa el proceso web lo encontró muerto y lo anota: «{said}»"

        return {"registro de la sala (el proceso que la supervisa)": told}

    def recover(self, drill: Drill, case: str) -> str:
        wait_until("la sala vuelve a atender", lambda: drill.health().get("ok"), 60)
        return "sola: la sala arranca otro proceso web"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        session = "la sesión que había sigue valiendo"
        try:
            shown = self._visitor.look()
        except RehearsalError as error:
            return [Check(session, False, str(error))]
        same, there = served_as_written(drill, self._visitor)
        same = same and shown.boot_id == self._before.boot_id and shown.seq >= self._before.seq
        back = went_back(self._before.data, shown.data)
        pid, at = night_now(drill)
        number = drill.public_cut()
        drill.cut()
        boot = drill.publisher_state().get("boot_id")
        return [
            Check(session, True),
            Check(
                "sirve la fotografía que está en su carpeta, del mismo escritor", same,
                f"{self._before.boot_id}-{self._before.seq} → {shown.boot_id}-{shown.seq}; {there}",
            ),
            Check("ningún contador retrocede", not back, ", ".join(back)),
            Check(
                "la noche sigue, con el mismo proceso",
                pid == self._night[0] and at > self._night[1], f"{self._night} → {(pid, at)}",
            ),
            Check(
                "sale un corte, del mismo publicador",
                drill.public_cut() > number and boot == self._publisher, f"{number} → {drill.public_cut()}",
            ),
        ]  # fmt: skip


def shown_as_old(first: Shown, second: Shown) -> Check:
    """Whether a snapshot that does not change is served as what it is: the same, and older each time."""
    same = (first.boot_id, first.seq) == (second.boot_id, second.seq)
    old = first.stale_ms < first.age_ms < second.age_ms
    return Check(
        "la fotografía se sirve con su edad, que crece", same and old,
        f"{first.boot_id}-{first.seq}, {first.age_ms} ms → {second.boot_id}-{second.seq}, {second.age_ms} ms",
    )  # fmt: skip


def served_as_written(drill: Drill, visitor: Visitor) -> tuple[bool, str]:
    """Whether the room serves, byte by byte of its data, the snapshot of its folder; what was seen."""
    seen = "nunca coincidieron en número"
    for _ in range(20):
        # The writer goes on: only two looks at the same snapshot can be compared.
        written, shown = drill.snapshot(), visitor.look().data
        if written.get("seq") == shown.get("seq"):
            return written == shown, f"la {shown.get('seq')}"
        time.sleep(0.05)
    return False, seen


def went_back(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The counters that never go down and did, and whether the log it was made from is shorter."""
    names = ("esperadas", "acopiadas", "digitalizadas", "capturadas")
    found = [
        f"{name}: {before['kpis'][name]} → {after['kpis'][name]}"
        for name in names
        if after["kpis"][name] < before["kpis"][name]
    ]
    if after["base"]["seq"] < before["base"]["seq"]:
        found.append(f"bitácora: {before['base']['seq']} → {after['base']['seq']}")
    return found


def night_now(drill: Drill) -> tuple[int, int]:
    """The process of the night and its hour, ms UTC."""
    assert drill.night is not None
    return drill.night.process.pid, int(ControlClient(drill.run).state()["utc_ms"])
