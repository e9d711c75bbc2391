"""Asks a witness to cosign the checkpoint of a log (C2SP tlog-witness, from the side of the log).

It reads the log by its public names and writes nothing; when to ask, and what to do with a cosignature,
belong to `attestors` and the service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import UsageError
from core.transparency.errors import NoteError
from core.transparency.log import LogReader
from core.transparency.notes import (
    COSIGNATURE,
    Note,
    Verifier,
    cosigned_at,
    parse_checkpoint,
    parse_signatures,
)
from core.witness.errors import AskError, ContradictsError, SilentError
from core.witness.http import Reply, post
from core.witness.witness import Request

TIMEOUT_S = 5.0
ROUNDS = 3
"""Requests for one cosignature: one to learn the size the witness has, and one more in case it moved."""

_ADDRESS = re.compile(r"(https?://[^\s]+?)=([^\s+=]+\+[0-9a-f]{8}\+\S+)")


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """A witness: where it answers and its public key."""

    url: str
    verifier: Verifier

    @property
    def name(self) -> str:
        """As it signs."""
        return self.verifier.name


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that holds: its line, how many entries it is of, and when (seconds of UNIX)."""

    line: str
    size: int
    at_s: int


def parse_address(text: str) -> WitnessAddress:
    """Read «URL=VKEY». Raises UsageError."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"«{text}» no es un testigo: se esperaba DIRECCIÓN=LLAVE, con http(s)://")
    try:
        verifier = Verifier.from_vkey(found[2])
    except NoteError as error:
        raise UsageError(str(error)) from None
    if verifier.kind != COSIGNATURE:
        raise UsageError(f"«{found[2]}» no es llave de testigo («prep testigo llave» hace una)")
    return WitnessAddress(found[1].rstrip("/"), verifier)


def parse_addresses(texts: Sequence[str]) -> list[WitnessAddress]:
    """Read several; each has a name of its own. Raises UsageError."""
    found = [parse_address(text) for text in texts]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"dos testigos se llaman «{name}»")
    return found


def check_tsa(url: str | None) -> str | None:
    """The address of a time-stamping authority as it was given. Raises UsageError."""
    if url is not None and not re.fullmatch(r"https?://[^\s/]+\S*", url):
        raise UsageError(f"«{url}» no es la dirección de una autoridad de sellado: se esperaba http(s)://…")
    return url


def cosign(
    witness: WitnessAddress,
    note: Note,
    get: Callable[[str], bytes],
    *,
    old: int = 0,
    timeout_s: float = TIMEOUT_S,
) -> Cosignature:
    """Ask for the cosignature of a checkpoint. `get` reads the log; `old` is the size it is believed to have.

    Raises SilentError (no answer, or not of the protocol), ContradictsError (it cosigned another story, or
    a longer log) and AskError (it refuses: does not follow this log, or does not know its key).
    """
    checkpoint = parse_checkpoint(note.text)
    reader = LogReader(get, checkpoint.size)
    old = min(old, checkpoint.size)
    for _ in range(ROUNDS):
        request = Request(old, tuple(reader.consistency(old)), note, checkpoint)
        reply = post(f"{witness.url}/add-checkpoint", request.encode(), "text/plain", timeout_s)
        if reply.status == 200:
            return _taken(witness, note.text, reply, checkpoint.size)
        if reply.status != 409:
            raise _refusal(witness, reply)
        size = _size(witness, reply, asked=old if old == checkpoint.size else None)
        if size > checkpoint.size:
            raise ContradictsError(
                f"el testigo «{witness.name}» ya firmó {size} entradas y aquí hay {checkpoint.size}: "
                "otro publica este registro, o aquí se perdieron entradas"
            )
        if size == old:
            raise ContradictsError(
                f"el testigo «{witness.name}» firmó otra raíz para {size} entradas: el registro se bifurcó"
            )
        old = size
    raise SilentError(f"el testigo «{witness.name}» cambia de tamaño a cada petición")


def _taken(witness: WitnessAddress, text: str, reply: Reply, size: int) -> Cosignature:
    try:
        lines = parse_signatures(reply.body.decode("utf-8").removesuffix("\n").split("\n"))
    except (NoteError, UnicodeDecodeError):
        raise SilentError(f"el testigo «{witness.name}» contesta algo que no es una firma") from None
    for one in lines:
        if witness.verifier.signed(text, one):
            return Cosignature(one.line, size, cosigned_at(one))
    raise AskError(f"lo que contesta «{witness.name}» no es su firma de este checkpoint")


def _size(witness: WitnessAddress, reply: Reply, asked: int | None) -> int:
    """The size a 409 tells. The protocol gives it no body when what differs is the root of that very size."""
    text = reply.body.decode("ascii", "replace").strip()
    if not text.isdecimal() or len(text) > 16:
        if asked is not None:
            return asked
        raise SilentError(f"el testigo «{witness.name}» contesta 409 sin decir qué tamaño tiene")
    return int(text)


def _refusal(witness: WitnessAddress, reply: Reply) -> AskError:
    if reply.status == 422:
        return ContradictsError(
            f"el testigo «{witness.name}» dice que este registro no continúa el que firmó: {reply.text}"
        )
    if reply.status in (400, 403, 404):
        why = {400: "no entiende la petición", 403: "no conoce la llave", 404: "no sigue este registro"}
        return AskError(f"el testigo «{witness.name}» {why[reply.status]}: {reply.text}")
    return SilentError(f"el testigo «{witness.name}» contesta {reply.status}: {reply.text}")
