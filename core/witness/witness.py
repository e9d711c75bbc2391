"""What a witness cosigns: the request of C2SP tlog-witness, its checks, and the signature.

It signs a checkpoint of a log it follows only after proving that it continues the last one it signed,
and remembers it on disk before anybody sees the signature. HTTP is `server`; keeping is `state`.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.transparency.errors import NoteError, ProofError
from core.transparency.keys import WitnessKey
from core.transparency.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from core.transparency.notes import (
    ED25519,
    Checkpoint,
    Note,
    Verifier,
    parse_checkpoint,
    parse_note,
    parse_signatures,
)
from core.witness.errors import (
    BadProofError,
    ForkedError,
    MalformedError,
    StaleError,
    UnknownKeyError,
    UnknownOriginError,
    WitnessError,
)
from core.witness.state import WitnessState

MAX_PROOF = 63
"""Hashes of the longest consistency proof the protocol allows."""
MAX_ORIGIN = 80
"""Characters of the longest origin: its name on disk must fit."""


@dataclass(frozen=True, slots=True)
class Request:
    """An add-checkpoint request: the size the client believes this witness has, the proof, the checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    def encode(self) -> bytes:
        """As it travels."""
        lines = [f"old {self.old}", *(base64.b64encode(one).decode() for one in self.proof)]
        return ("".join(f"{line}\n" for line in lines) + "\n" + str(self.note)).encode()


def parse_request(data: bytes) -> Request:
    """Read the body of a request. Raises MalformedError."""
    try:
        head, blank, rest = data.decode().partition("\n\n")
        first, *lines = head.split("\n")
        word, _, size = first.partition(" ")
        if not blank or word != "old" or not (size.isascii() and size.isdigit()) or len(size) > 16:
            raise MalformedError("se esperaba «old N», la prueba, una línea vacía y el checkpoint")
        if str(int(size)) != size:
            raise MalformedError("el tamaño anterior lleva ceros de más")
        if len(lines) > MAX_PROOF:
            raise MalformedError(f"la prueba tiene {len(lines)} hashes; caben {MAX_PROOF}")
        proof = tuple(base64.b64decode(line, validate=True) for line in lines)
        note = parse_note(rest)
        checkpoint = parse_checkpoint(note.text)
    except (UnicodeDecodeError, binascii.Error, ValueError):
        raise MalformedError("la petición no es texto con la prueba en base64") from None
    except NoteError as error:
        raise MalformedError(str(error)) from None
    if any(len(one) != HASH_BYTES for one in proof):
        raise MalformedError("un hash de la prueba no mide 32 bytes")
    if int(size) > checkpoint.size:
        raise MalformedError(f"el tamaño anterior, {size}, es mayor que el del checkpoint, {checkpoint.size}")
    return Request(int(size), proof, note, checkpoint)


class Witness:
    """Cosigns for the logs of `logs` (vkeys; several of one origin are its keys, one after a rotation).

    `clock` gives seconds of UNIX. May be used by many threads. Raises WitnessError for a key that is not
    of a log.
    """

    def __init__(
        self, key: WitnessKey, state: WitnessState, logs: Iterable[Verifier], clock: Callable[[], int]
    ) -> None:
        self._key = key
        self._state = state
        self._clock = clock
        self._one_at_a_time = threading.Lock()
        self._logs: dict[str, list[Verifier]] = {}
        for log in logs:
            if log.kind != ED25519:
                raise WitnessError(f"«{log.name}» es llave de testigo; se esperaba la de una bitácora")
            if len(log.name) > MAX_ORIGIN:
                raise WitnessError(f"el origen «{log.name}» pasa de {MAX_ORIGIN} caracteres")
            self._logs.setdefault(log.name, []).append(log)

    @property
    def name(self) -> str:
        """As it signs."""
        return self._key.name

    @property
    def origins(self) -> list[str]:
        """The logs it follows."""
        return sorted(self._logs)

    @property
    def vkey(self) -> str:
        """The public key of this witness."""
        return self._key.vkey

    def add_checkpoint(self, data: bytes) -> str:
        """The cosignature line for a request. On return what was signed is on disk.

        Raises RefusedError, each with the code of the protocol: 400, 403, 404, 409 or 422.
        """
        request = parse_request(data)
        asked = request.checkpoint
        known = self._logs.get(asked.origin)
        if known is None:
            raise UnknownOriginError(f"este testigo no sigue «{asked.origin}»")
        if not _signed(request.note, known):
            raise UnknownKeyError(f"ninguna llave conocida de «{asked.origin}» firmó el checkpoint")
        with self._one_at_a_time:
            last = self._state.last(asked.origin)
            size = 0 if last is None else last.size
            if request.old != size:
                self._look_back(last, request)
                raise StaleError(f"este testigo firmó hasta {size} entradas, no {request.old}", size)
            self._check(last, request)
            return self._sign(request.note, known)

    def notes(self) -> dict[str, Note]:
        """By origin, the last note it cosigned."""
        with self._one_at_a_time:
            return self._state.notes()

    def _look_back(self, last: Checkpoint | None, request: Request) -> None:
        """A signed checkpoint of the very size that was cosigned, with another root, is proof of a fork."""
        asked = request.checkpoint
        if last is not None and asked.size == last.size and asked.root != last.root:
            self._state.evidence(asked.origin, request.note)

    def _check(self, last: Checkpoint | None, request: Request) -> None:
        """That the checkpoint continues the last one. Raises BadProofError, ForkedError."""
        asked = request.checkpoint
        size, root = (0, EMPTY_ROOT) if last is None else (last.size, last.root)
        if asked.size == size and asked.root != root:
            self._state.evidence(asked.origin, request.note)
            raise ForkedError(
                f"bifurcación: con {size} entradas este testigo firmó la raíz {root.hex()} y se le "
                f"presenta {asked.root.hex()}",
                size,
            )
        try:
            verify_consistency(size, asked.size, root, asked.root, request.proof)
        except ProofError as error:
            raise BadProofError(str(error)) from None

    def _sign(self, note: Note, known: Sequence[Verifier]) -> str:
        line = self._key.cosign(note.text, self._clock())
        kept = [one for one in note.signatures if any(log.signed(note.text, one) for log in known)]
        whole = Note(note.text, (*kept, *parse_signatures([line])))
        # Nobody sees the signature before it is on disk: a death in between costs one more request.
        self._state.keep(parse_checkpoint(note.text).origin, whole)
        return line


def _signed(note: Note, known: Sequence[Verifier]) -> bool:
    return any(log.signed(note.text, one) for one in note.signatures for log in known)
