"""A key or a certificate is missing, damaged or of another: who needs it says so and does not start."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from loadtests.faults.cases.database import alarm
from loadtests.faults.cases.writer import ended
from loadtests.faults.checks import PUBLIC_VERIFIES, publication_verifies
from loadtests.faults.continuity import PUBLICATION
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import Program, RehearsalError, prep
from loadtests.processes import PREP, free_port

KNOCK_S = 0.02
ANSWER_S = 2.0
BAD_USAGE = 2


class KeyMissing(Fault):
    """The publisher is started again and the key that signs is not what it was."""

    key = "llave"
    family = "llaves"
    incident = PUBLICATION
    title = "Falta la llave que firma, o es otra"
    what = "al volver a arrancar el publicador, la llave no está, está dañada o es la de otro registro"
    promises: Mapping[str, tuple[str, ...]] = {
        "no se firma nada con otra llave": ("la nota firmada de la bitácora pública es la misma",),
        "ni se publica": ("llega una ranura y no sale ningún corte sin la llave",),
        "quien la necesita lo dice": ("lo dice y sale con 2, o con una alarma, sin traza",),
        "lo publicado sigue verificando": ("prep verificar con la llave mal", PUBLIC_VERIFIES),
    }
    by_itself = False
    short = True
    detection_s = 60.0

    def cases(self, short: bool) -> tuple[str, ...]:
        return ("falta",) if short else ("falta", "dañada", "de otro registro")

    def prepare(self, drill: Drill, case: str) -> None:
        assert drill.publisher is not None
        drill.cut()
        drill.publisher.close()
        self._heard = len(drill.publisher.said())
        self._good = drill.key.read_bytes()
        self._cut = drill.public_cut()
        self._signed = _signed(drill)
        self._slot = drill.next_slot()

    def inject(self, drill: Drill, case: str) -> float:
        drill.key.unlink()
        if case == "dañada":
            drill.key.write_bytes(self._good[: len(self._good) // 2])
        elif case == "de otro registro":
            made = prep("llave", "generar", drill.key, "--origen", "prep.col.2027/simulacro", "--sin-cifrar")
            if made.code != 0:
                raise RehearsalError(f"No se pudo hacer la llave de otro registro: {made.said}")
        drill.start_publisher(wait=False)
        at = time.monotonic()
        drill.come_slot()
        return at

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {
            "el publicador no arranca y lo dice": lambda: ended(drill.publisher, self._heard),
            "alarma del publicador": lambda: alarm(drill, "servicio"),
        }

    def during(self, drill: Drill, case: str) -> list[Check]:
        assert drill.publisher is not None
        code = drill.publisher.code
        # A key that is good for another log is found out at work: it says so and goes on trying.
        trying = code is None and alarm(drill, "servicio") is not None
        refused = code == BAD_USAGE and ended(drill.publisher, self._heard) is not None
        cut, signed = drill.public_cut(), _signed(drill)
        return [
            Check("lo dice y sale con 2, o con una alarma, sin traza", refused or trying, str(code)),
            Check(
                "llega una ranura y no sale ningún corte sin la llave",
                cut == self._cut and drill.clock.right_ms() >= self._slot, f"{self._cut} → {cut}",
            ),
            Check("la nota firmada de la bitácora pública es la misma", signed == self._signed),
            publication_verifies(drill.public, "prep verificar con la llave mal"),
        ]  # fmt: skip

    def recover(self, drill: Drill, case: str) -> str:
        assert drill.publisher is not None
        drill.publisher.kill()
        self.undo(drill, case)
        drill.start_publisher()
        # The cut that was due all along.
        drill.wait_published(self._cut + 1)
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
    promises: Mapping[str, tuple[str, ...]] = {
        "la sala no atiende sin cifrar ni a medias": (
            "nadie contestó en su puerto, ni en claro ni cifrado",
            "con su certificado contesta cifrado y en claro no",
        ),
        "y dice por qué no arranca": ("sale con 2 y lo dice, sin traza",),
        "la que estaba sigue": ("la sala que había sigue", "y sigue después"),
    }
    by_itself = False
    needs = frozenset({"sala"})
    detection_s = 60.0

    def cases(self, short: bool) -> tuple[str, ...]:
        return ("falta", "dañado")

    def prepare(self, drill: Drill, case: str) -> None:
        self._room: Program | None = None
        self._pair = (drill.folder / "sala.pem", drill.folder / "sala-llave.pem")
        for path in self._pair:
            path.unlink(missing_ok=True)
        if case == "dañado":
            for path, what in zip(self._pair, ("CERTIFICATE", "PRIVATE KEY"), strict=True):
                path.write_text(f"-----BEGIN {what}-----\nno\n-----END {what}-----\n")
        self._port = free_port()

    def inject(self, drill: Drill, case: str) -> float:
        self._knocks = Knocks(self._port)
        self._room = other_room(drill, self._port, self._pair)
        return time.monotonic()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {"la sala no arranca y lo dice": lambda: ended(self._room)}

    def during(self, drill: Drill, case: str) -> list[Check]:
        assert self._room is not None
        tries, answered = self._knocks.end()
        code = self._room.code
        said = code == BAD_USAGE and ended(self._room) is not None
        health = drill.health()
        return [
            Check(
                "nadie contestó en su puerto, ni en claro ni cifrado", tries > 1 and not answered,
                f"{tries} intentos; {answered}",
            ),
            Check("sale con 2 y lo dice, sin traza", said, str(code)),
            Check("la sala que había sigue", bool(health.get("ok")), str(health)),
        ]  # fmt: skip

    def recover(self, drill: Drill, case: str) -> str:
        assert self._room is not None
        self._room.close()
        write_certificate(*self._pair)
        self._room = room = other_room(drill, self._port, self._pair)
        room.wait_for("la otra sala atiende", lambda: "Ctrl-C" in room.said())
        room.wait_for("la otra sala contesta", lambda: knock(self._port, cipher=True))
        return "se arranca con un certificado que sirve"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        plain, ciphered = knock(self._port, cipher=False), knock(self._port, cipher=True)
        health = drill.health()
        return [
            Check(
                "con su certificado contesta cifrado y en claro no", bool(ciphered) and not plain,
                f"en claro: {plain!r}; cifrado: {ciphered!r}",
            ),
            Check("y sigue después", bool(health.get("ok")), str(health)),
        ]  # fmt: skip

    def undo(self, drill: Drill, case: str) -> None:
        if hasattr(self, "_knocks"):
            self._knocks.end()
        if self._room is not None:
            self._room.close()


class Knocks:
    """Knocks at a port over and over, in the clear and with TLS, from when it is made until `end`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._tries = 0
        self.answered: list[str] = []
        """Everything it was answered, so far."""
        self._thread = threading.Thread(target=self._go_on, name="quien toca", daemon=True)
        self._thread.start()

    def end(self) -> tuple[int, list[str]]:
        """Stop; how many times it knocked, and everything it was answered."""
        self._over.set()
        self._thread.join()
        return self._tries, self.answered

    def _go_on(self) -> None:
        while not self._over.wait(KNOCK_S):
            for cipher in (False, True):
                self._tries += 1
                answer = knock(self._port, cipher=cipher)
                if answer:
                    self.answered.append(repr(answer))


def knock(port: int, *, cipher: bool) -> bytes:
    """The first bytes of the HTTP a loopback port answers, in the clear or inside TLS; none without any."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        channel = stack.enter_context(socket.create_connection(("127.0.0.1", port), ANSWER_S))
        if cipher:
            channel = stack.enter_context(anybody.wrap_socket(channel))
        channel.sendall(b"GET /salud HTTP/1.1\r\nHost: sala\r\nConnection: close\r\n\r\n")
        answer = channel.recv(64)
        # To somebody who does not cipher TLS answers that much, ciphered: nothing was served.
        return answer if answer.startswith(b"HTTP/") else b""
    return b""


def write_certificate(certificate: Path, key: Path) -> None:
    """A certificate of its own for this machine, good for a day, and its private key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(hours=1)).not_valid_after(today + timedelta(days=1))
        .sign(private, hashes.SHA256())
    )  # fmt: skip
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def other_room(drill: Drill, port: int, pair: tuple[Path, Path]) -> Program:
    """Another room on the same night, over https, with a folder and a port of its own."""
    folder = drill.folder / f"otra-sala-{time.monotonic_ns()}"
    return drill.launch(
        folder.name,
        [
            *(*PREP, "sala", "--base", drill.base, "--sala", folder, "--puerto", str(port)),
            *("--corrida", drill.run, "--certificado", pair[0], "--llave-privada", pair[1]),
        ],
        {},
    )


def _signed(drill: Drill) -> tuple[bytes, ...]:
    """The signed note of the public log, in the work folder and where the public reads it."""
    return tuple((folder / "checkpoint").read_bytes() for folder in (drill.run, drill.public))
