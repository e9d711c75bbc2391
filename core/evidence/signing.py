"""The signed JSON of a constancia: how it is sealed and how anybody checks it.

The signature is a C2SP signed note whose text names the constancia by the SHA-256 of its canonical JSON. Its
first line is never that of a checkpoint, so the log's key cannot be made to sign one for the other. Where the
key comes from is `core.transparency.keys`; whether it is the published one, who reads must compare.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import orjson

from core.errors import InputError, PrepError
from core.evidence.common import TITLES, Constancia, canonical
from core.foreign_text import foreign_bytes
from core.system_reasons import system_reason
from core.transparency.errors import NoteError
from core.transparency.keys import SigningKey
from core.transparency.notes import Verifier, parse_note

CONTEXT = "prep/constancia/v1"


class SignatureError(PrepError):
    """A constancia is not what was signed, or not by that key; the message says which."""


def note_text(constancia: Constancia, origin: str) -> str:
    """The text that is signed: context, key's name, class and hash, a line each."""
    digest = base64.b64encode(hashlib.sha256(canonical(constancia)).digest()).decode()
    return f"{CONTEXT}\n{origin}\n{constancia['clase']}\n{digest}\n"


def digest_of(constancia: Constancia) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal: what the printed copy carries."""
    return hashlib.sha256(canonical(constancia)).hexdigest()


def seal(constancia: Constancia, key: SigningKey) -> bytes:
    """The bytes of the signed JSON. Raises SignatureError when the key is of the other mode."""
    if key.mode != constancia["modo"]:
        raise SignatureError(
            f"La llave es de modo {key.mode} y la base es de modo {constancia['modo']}: no se firma."
        )
    text = note_text(constancia, key.origin)
    note = f"{text}\n{key.sign(text).rstrip()}\n"
    return canonical({"constancia": constancia, "firma": {"nota": note, "llave": key.vkey}}) + b"\n"


def read_sealed(path: Path, vkey: str | None = None) -> tuple[Constancia, str]:
    """The constancia of a signed JSON and the key that signed it, once its signature holds.

    With `vkey`, only that key will do; without it, the one the file brings, which proves that nothing was
    changed since and not who signed. Raises InputError when it is not such a file, SignatureError otherwise.
    """
    try:
        whole = orjson.loads(foreign_bytes(path))
        constancia, note, brought = whole["constancia"], whole["firma"]["nota"], whole["firma"]["llave"]
        kind = constancia["clase"]
    except OSError as error:
        raise InputError(path, message=f"no se puede leer: {system_reason(error)}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(path, expected="el JSON firmado de una constancia") from error
    if kind not in TITLES or not isinstance(note, str) or not isinstance(brought, str):
        raise InputError(path, expected="el JSON firmado de una constancia")
    if vkey is not None and vkey != brought:
        raise SignatureError(f"«{path.name}» la firmó otra llave: {brought}.")
    _check(path, constancia, note, brought)
    return constancia, brought


def _check(path: Path, constancia: Constancia, note: str, vkey: str) -> None:
    try:
        verifier = Verifier.from_vkey(vkey)
        found = parse_note(note)
    except NoteError as error:
        raise InputError(path, message=str(error)) from error
    if found.text != note_text(constancia, verifier.name):
        raise SignatureError(f"«{path.name}» NO es lo que se firmó: su contenido cambió después.")
    if not any(verifier.signed(found.text, one) for one in found.signatures):
        raise SignatureError(f"La firma de «{path.name}» no es válida para la llave {vkey}.")


def summary(constancia: Constancia) -> dict[str, Any]:
    """What is told of a verified constancia."""
    return {name: constancia.get(name) for name in ("clase", "modo", "eleccion", "levantada")}
