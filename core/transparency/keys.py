"""Keys that sign the log and keys of witnesses: making, keeping in a file, opening, signing.

A key file is a PKCS#8 PEM (encrypted unless it is of a rehearsal) after header lines with its origin,
mode and public key, which other tools skip. The ceremony around it belongs to `verb_key` and
docs/llaves.md; which keys a log has had, to `keyring`.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from core.errors import UsageError
from core.foreign_text import foreign_str
from core.system_reasons import system_reason
from core.transparency.errors import KeyFileError
from core.transparency.notes import COSIGNATURE, ED25519, Signature, Verifier, check_name, cosigned_message

MODES = ("oficial", "simulacro")
MIN_HALF = 12
"""Characters of each half of the passphrase, at least."""

_BEGIN = "-----BEGIN "
_REHEARSAL = b"prep: llave de simulacro, sin secreto\n"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key of a log. Its name is the origin of the log, which ends with its mode."""

    origin: str
    mode: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return _public(self.private)

    @property
    def verifier(self) -> Verifier:
        """What verifies its signatures."""
        return Verifier(self.origin, ED25519, self.public)

    @property
    def vkey(self) -> str:
        """The public key as it is published."""
        return self.verifier.vkey

    def sign(self, text: str) -> str:
        """The signature line of a note's text. The same text always gives the same line."""
        return Signature(self.origin, self.verifier.key_id, self.private.sign(text.encode())).line


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The key of a witness."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        """What verifies its cosignatures."""
        return Verifier(self.name, COSIGNATURE, _public(self.private))

    @property
    def vkey(self) -> str:
        """The public key as it is published."""
        return self.verifier.vkey

    def cosign(self, text: str, time_s: int) -> str:
        """The cosignature/v1 line of a checkpoint's text, at that time (seconds of UNIX)."""
        blob = time_s.to_bytes(8, "big") + self.private.sign(cosigned_message(text, time_s))
        return Signature(self.name, self.verifier.key_id, blob).line


def origin_of(abbreviation: str, election: str, mode: str, rehearsal: str = "") -> str:
    """Origin of a log: «prep.jal.2021/oficial», «prep.jal.2021.segundo-simulacro/simulacro».

    `rehearsal` tells one rehearsal from another: each is its own history, and whoever kept the log of the one
    before does not take the next for that one rewritten. Raises UsageError for a mode that does not exist, a
    rehearsal of an official log, and one without letters or digits.
    """
    parts = [abbreviation, election]
    if rehearsal:
        if mode == "oficial":
            raise UsageError("el origen de un registro oficial no lleva ensayo: no se mezclan")
        if not _slug(rehearsal):
            raise UsageError(f"«{rehearsal}» no sirve de nombre de ensayo: lleva letras o números")
        parts.append(rehearsal)
    return f"prep.{'.'.join(map(_slug, parts))}/{_check_mode(mode)}"


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def mode_of(origin: str) -> str:
    """The mode an origin ends with. Raises UsageError when it ends with none."""
    check_name(origin)
    return _check_mode(origin.rpartition("/")[2])


def rehearsal_key(origin: str, seed_text: str) -> SigningKey:
    """The key of a rehearsal, from its origin and seed: anybody can make it, it protects nothing.

    Raises UsageError for an origin that is not of a rehearsal.
    """
    mode = mode_of(origin)
    if mode != "simulacro":
        raise UsageError(f"«{origin}» no es de simulacro: su llave no puede salir de una semilla")
    seed = sha256(_REHEARSAL + origin.encode() + b"\n" + seed_text.encode()).digest()
    return SigningKey(origin, mode, Ed25519PrivateKey.from_private_bytes(seed))


def join(first: str, second: str) -> bytes:
    """The passphrase from the halves of two persons: one after the other, in UTF-8.

    Raises UsageError when a half is short, both are equal, or one has a line break.
    """
    for half in (first, second):
        if len(half) < MIN_HALF:
            raise UsageError(f"cada mitad de la frase de paso lleva al menos {MIN_HALF} caracteres")
        if "\n" in half or "\r" in half:
            raise UsageError("una mitad de la frase de paso no puede tener saltos de línea")
    if first == second:
        raise UsageError("las dos mitades de la frase de paso son iguales; cada persona pone la suya")
    return (first + second).encode()


def generate(path: str | Path, origin: str, passphrase: bytes | None) -> SigningKey:
    """Make the key of a log and keep it in a file only its owner reads; never over another.

    Without passphrase only for a rehearsal. Raises UsageError and KeyFileError.
    """
    mode = mode_of(origin)
    if passphrase is None and mode == "oficial":
        raise UsageError("una llave oficial se guarda cifrada: faltan las dos mitades de la frase de paso")
    key = SigningKey(origin, mode, Ed25519PrivateKey.generate())
    _write(Path(path), {"origen": origin, "modo": mode, "vkey": key.vkey}, key.private, passphrase)
    return key


def generate_witness(path: str | Path, name: str, passphrase: bytes | None) -> WitnessKey:
    """Make the key of a witness and keep it in a file. Raises UsageError and KeyFileError."""
    key = WitnessKey(check_name(name), Ed25519PrivateKey.generate())
    _write(Path(path), {"testigo": name, "vkey": key.vkey}, key.private, passphrase)
    return key


def load_key(path: str | Path, passphrase: bytes | None, *, mode: str | None = None) -> SigningKey:
    """Open the key of a log; with `mode`, only one of that mode.

    Raises KeyFileError: not there, damaged, wrong passphrase, another mode.
    """
    headers, private = _read(Path(path), passphrase)
    origin = headers.get("origen", "")
    if not origin or headers.get("modo") not in MODES or not origin.endswith(f"/{headers['modo']}"):
        raise KeyFileError(f"{path}: no es una llave de registro: se esperaban las líneas «origen» y «modo»")
    if mode is not None and headers["modo"] != mode:
        raise KeyFileError(f"{path}: la llave es de modo {headers['modo']} y se pidió {mode}; no se mezclan")
    key = SigningKey(origin, headers["modo"], private)
    _check_vkey(path, headers, key.vkey)
    return key


def load_witness(path: str | Path, passphrase: bytes | None) -> WitnessKey:
    """Open the key of a witness. Raises KeyFileError."""
    headers, private = _read(Path(path), passphrase)
    if "testigo" not in headers:
        raise KeyFileError(f"{path}: no es una llave de testigo: se esperaba la línea «testigo»")
    key = WitnessKey(headers["testigo"], private)
    _check_vkey(path, headers, key.vkey)
    return key


def read_headers(path: str | Path) -> dict[str, str]:
    """What a key file says of itself, without opening the key. Raises KeyFileError."""
    return _split(Path(path))[0]


def _check_mode(mode: str) -> str:
    if mode not in MODES:
        raise UsageError(f"el modo «{mode}» no existe; se esperaba {' o '.join(MODES)}")
    return mode


def _check_vkey(path: str | Path, headers: dict[str, str], vkey: str) -> None:
    if headers.get("vkey") != vkey:
        raise KeyFileError(f"{path}: lo que el archivo dice de sí no corresponde a la llave que guarda")


def _public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _write(path: Path, headers: dict[str, str], private: Ed25519PrivateKey, passphrase: bytes | None) -> None:
    how: KeySerializationEncryption = NoEncryption()
    if passphrase is not None:
        how = BestAvailableEncryption(passphrase)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
    text = "".join(f"{name}: {value}\n" for name, value in headers.items()).encode() + pem
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(f"{path}: ya existe; una llave no se escribe sobre otra") from None
    except OSError as error:
        raise KeyFileError(f"{path}: no se puede escribir ({system_reason(error)})") from None
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _split(path: Path) -> tuple[dict[str, str], bytes]:
    try:
        text = foreign_str(path)
    except OSError as error:
        raise KeyFileError(f"{path}: no se puede leer ({system_reason(error)})") from None
    except UnicodeDecodeError:
        raise KeyFileError(f"{path}: no es un archivo de llave") from None
    head, begin, body = text.partition(_BEGIN)
    if not begin:
        raise KeyFileError(f"{path}: no es un archivo de llave: no tiene «{_BEGIN.strip()}»")
    lines = (line.partition(": ") for line in head.splitlines())
    return {name: value for name, _, value in lines}, (begin + body).encode()


def _read(path: Path, passphrase: bytes | None) -> tuple[dict[str, str], Ed25519PrivateKey]:
    headers, pem = _split(path)
    encrypted = pem.startswith(b"-----BEGIN ENCRYPTED")
    if encrypted and passphrase is None:
        raise KeyFileError(f"{path}: la llave está cifrada y falta la frase de paso")
    try:
        private = load_pem_private_key(pem, passphrase if encrypted else None)
    except (ValueError, TypeError):
        why = "la frase de paso no la abre, o está dañada" if encrypted else "está dañada"
        raise KeyFileError(f"{path}: {why}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: la llave no es Ed25519")
    return headers, private
