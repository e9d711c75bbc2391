"""A key or a certificate is missing, damaged or of another: who needs it says so and does not start."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from loadtests.faults.cases.database import alarm
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import PREP, Program, last_line, prep

BAD_USAGE = 2


class KeyMissing(Fault):
    """The publisher is started again and the key that signs is not what it was."""

    key = "llave"
    family = "llaves"
    title = "Falta la llave que firma, o es otra"
    what = "al volver a arrancar el publicador, la llave no está, está dañada o es la de otro registro"
    invariant = "no se firma ni se publica nada con otra llave; lo publicado sigue verificando"
    by_itself = False
    short = True
    detection_s = 60.0

    def cases(self, short: bool) -> tuple[str, ...]:
        return ("falta",) if short else ("falta", "dañada", "de otro registro")

    def prepare(self, drill: Drill, case: str) -> None:
        assert drill.publisher is not None
        drill.cut()
        drill.publisher.close()
        self._good = drill.key.read_bytes()
        self._cut = drill.public_cut()

    def inject(self, drill: Drill, case: str) -> float:
        drill.key.unlink()
        if case == "dañada":
            drill.key.write_bytes(self._good[: len(self._good) // 2])
        elif case == "de otro registro":
            prep("llave", "generar", drill.key, "--origen", "prep.col.2027/simulacro", "--sin-cifrar")
        drill.start_publisher(wait=False)
        return time.monotonic()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {
            "el publicador no arranca y lo dice": lambda: _refused(drill.publisher),
            "alarma del publicador": lambda: alarm(drill, "servicio"),
        }

    def during(self, drill: Drill, case: str) -> list[Check]:
        assert drill.publisher is not None
        code = drill.publisher.process.poll()
        # A key that is good for another log is found out at work: it says so and goes on trying.
        trying = code is None and alarm(drill, "servicio") is not None
        return [
            Check(
                "termina con salida 2 o lo dice con una alarma, sin traza",
                (code == BAD_USAGE or trying) and "Traceback" not in drill.publisher.said(),
                str(code),
            ),
            Check("no se publicó nada", drill.public_cut() == self._cut),
        ]

    def recover(self, drill: Drill, case: str) -> str:
        assert drill.publisher is not None
        drill.publisher.kill()
        self.undo(drill, case)
        drill.start_publisher()
        drill.cut()
        return "se repone la llave y se vuelve a arrancar"

    def undo(self, drill: Drill, case: str) -> None:
        if hasattr(self, "_good"):
            drill.key.write_bytes(self._good)


class CertificateMissing(Fault):
    """A room is started with a certificate that will not do."""

    key = "certificado"
    family = "llaves"
    title = "Falta el certificado de la sala, o está dañado"
    what = "se arranca una sala con https cuyo certificado no está o no se entiende"
    invariant = "la sala no atiende sin cifrar ni a medias; la que estaba sigue"
    by_itself = False
    needs = frozenset({"sala"})
    detection_s = 60.0

    def cases(self, short: bool) -> tuple[str, ...]:
        return ("falta", "dañado")

    def inject(self, drill: Drill, case: str) -> float:
        certificate, key = drill.folder / "sala.pem", drill.folder / "sala-llave.pem"
        for path in (certificate, key):
            path.unlink(missing_ok=True)
        if case == "dañado":
            certificate.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
            key.write_text("-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----\n")
        self._room = other_room(drill, "--certificado", certificate, "--llave-privada", key)
        return time.monotonic()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {"la sala no arranca y lo dice": lambda: _refused(self._room)}

    def recover(self, drill: Drill, case: str) -> str:
        self._room.close()
        self._room = other_room(drill)
        self._room.wait_for("la otra sala atiende", lambda: "Ctrl-C" in self._room.said())
        return "se arranca con lo que hace falta"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        return [Check("la sala que había sigue", bool(drill.health().get("ok")), str(drill.health()))]

    def undo(self, drill: Drill, case: str) -> None:
        if hasattr(self, "_room"):
            self._room.close()


def other_room(drill: Drill, *more: str | Path) -> Program:
    """Another room on the same night, with a folder and a port of its own."""
    from loadtests.faults.processes import free_port

    folder = drill.folder / f"otra-sala-{time.monotonic_ns()}"
    return drill.launch(
        folder.name,
        [
            *(*PREP, "sala", "--base", drill.base, "--sala", folder, "--puerto", str(free_port())),
            *("--corrida", drill.run, *more),
        ],
        {},
    )


def _refused(program: Program | None) -> str | None:
    """How a program that should not have started ended."""
    if program is None or program.process.poll() is None:
        return None
    return f"salida {program.process.returncode}: {last_line(program.said())}"
