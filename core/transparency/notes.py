"""C2SP signed notes, checkpoints and cosignatures: writing, reading and verifying their text.

A note is text ended by a line break, a blank line and signature lines. A checkpoint is a note whose
text is origin, size and root. A cosignature/v1 is the signature of a witness, with its time. No key is
kept here; private keys are those of `keys`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.transparency.errors import NoteError

ED25519 = 0x01
COSIGNATURE = 0x04
_DASH = "— "
_TYPES = (ED25519, COSIGNATURE)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who, which key (4 bytes) and the signature itself."""

    name: str
    key_id: bytes
    blob: bytes

    @property
    def line(self) -> str:
        """As a note writes it, with its line break."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.blob).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note: its text, ended by a line break, and its signatures in order."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(one.line for one in self.signatures)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says: the log, how many entries, and their root. `extensions` are other lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key by its name: of a log (Ed25519) or of a witness (cosignature/v1)."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def from_vkey(cls, vkey: str) -> Verifier:
        """Read «name+key id+base64». Raises NoteError."""
        parts = vkey.strip().split("+", 2)
        if len(parts) != 3:
            raise NoteError(f"la llave pública «{vkey}» no tiene la forma nombre+identificador+base64")
        name, key_id, encoded = parts
        data = _decode(encoded, f"la llave pública «{vkey}»")
        if len(data) != 33 or data[0] not in _TYPES:
            raise NoteError(f"la llave pública «{vkey}» no es Ed25519 ni de testigo")
        found = cls(check_name(name), data[0], data[1:])
        if found.key_id.hex() != key_id:
            raise NoteError(f"el identificador de la llave pública «{vkey}» no es el suyo")
        return found

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name ‖ line break ‖ type ‖ public key)."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The public key as it is published."""
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def signed(self, text: str, signature: Signature) -> bool:
        """True when the signature is of this key and of that text."""
        if signature.name != self.name or signature.key_id != self.key_id:
            return False
        blob, message = signature.blob, text.encode()
        if self.kind == COSIGNATURE:
            # The hour is of 63 bits: no more is a time (C2SP tlog-cosignature).
            if len(blob) != 72 or blob[0] >= 0x80:
                return False
            message = cosigned_message(text, int.from_bytes(blob[:8], "big"))
            blob = blob[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(blob, message)
        except InvalidSignature:
            return False
        return True


def cosigned_message(text: str, time_s: int) -> bytes:
    """What a witness signs: a header, the time in seconds of UNIX, and the text of the note."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def cosigned_at(signature: Signature) -> int:
    """Seconds of UNIX a cosignature bears. Raises NoteError when it is not one."""
    if len(signature.blob) != 72:
        raise NoteError(f"la firma de «{signature.name}» no es de testigo")
    return int.from_bytes(signature.blob[:8], "big")


def check_name(name: str) -> str:
    """The name of a key. Raises NoteError: it may not be empty nor have spaces or «+»."""
    if not name or "+" in name or any(one.isspace() for one in name) or not name.isprintable():
        raise NoteError(f"«{name}» no sirve de nombre de llave: sin espacios ni «+», y no vacío")
    return name


def parse_note(data: str | bytes) -> Note:
    """Read a signed note. Raises NoteError, saying what is wrong with it."""
    if isinstance(data, bytes):
        try:
            data = data.decode()
        except UnicodeDecodeError:
            raise NoteError("la nota firmada no es texto UTF-8") from None
    if any(ord(one) < 0x20 and one != "\n" for one in data):
        raise NoteError("la nota firmada tiene caracteres de control")
    head, blank, tail = data.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise NoteError(
            "la nota no tiene firmas: se esperaba texto, una línea vacía y líneas «— nombre firma»"
        )
    return Note(head + "\n", tuple(parse_signatures(tail[:-1].split("\n"))))


def parse_signatures(lines: Iterable[str]) -> list[Signature]:
    """Read signature lines. Raises NoteError at the first that is not one."""
    found = []
    for line in lines:
        name, space, encoded = line.removeprefix(_DASH).rstrip("\n").partition(" ")
        if not line.startswith(_DASH) or not space:
            raise NoteError(f"la línea «{line[:80]}» no es de firma: se esperaba «— nombre base64»")
        data = _decode(encoded, f"la firma de «{name}»")
        if len(data) < 5:
            raise NoteError(f"la firma de «{name}» está incompleta")
        found.append(Signature(check_name(name), data[:4], data[4:]))
    return found


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint (without its signatures). Raises NoteError."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() != "":
        raise NoteError("el checkpoint no tiene sus tres líneas: origen, tamaño y raíz")
    origin, size, encoded, *rest = lines
    if not (size.isascii() and size.isdigit() and len(size) < 20 and str(int(size)) == size):
        raise NoteError(f"el tamaño del checkpoint, «{size[:40]}», no es un número entero")
    root = _decode(encoded, "la raíz del checkpoint")
    if len(root) != 32 or not origin or "" in rest:
        raise NoteError("el checkpoint está mal formado: se esperaban origen, tamaño y raíz de 32 bytes")
    return Checkpoint(origin, int(size), root, tuple(rest))


def open_checkpoint(data: str | bytes, verifiers: Sequence[Verifier]) -> tuple[Checkpoint, Note]:
    """Read a checkpoint that one of these log keys must have signed. Raises NoteError.

    A signature of a known key that does not hold refuses the whole note, whatever the others say.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    good = 0
    for signature in note.signatures:
        for one in verifiers:
            if one.kind != ED25519 or (one.name, one.key_id) != (signature.name, signature.key_id):
                continue
            if not one.signed(note.text, signature):
                raise NoteError(f"la firma de «{signature.name}» no corresponde a este checkpoint")
            good += one.name == checkpoint.origin
    if not good:
        raise NoteError(f"ninguna llave conocida de «{checkpoint.origin}» firmó este checkpoint")
    return checkpoint, note


def witnesses_of(note: Note, verifiers: Sequence[Verifier]) -> list[str]:
    """Names of the known witnesses whose cosignature of the note holds, each once, in their order."""
    return [
        one.name
        for one in verifiers
        if one.kind == COSIGNATURE and any(one.signed(note.text, signature) for signature in note.signatures)
    ]


def _decode(encoded: str, what: str) -> bytes:
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError(f"{what} no está en base64") from None
    if base64.b64encode(data).decode() != encoded:
        raise NoteError(f"{what} no está en base64 canónico")
    return data
