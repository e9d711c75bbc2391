"""`llaves.json`: the keys a log has had, each with the interval in which it signed, and the witnesses.

It is public and says nothing secret. Who may sign is decided by the entries of the log; this file
lets a verifier find the key of an old checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.foreign_text import foreign_bytes, json_of, json_place
from core.transparency.entries import canonical
from core.transparency.errors import KeyFileError, NoteError
from core.transparency.files import write_whole
from core.transparency.keys import MODES, mode_of
from core.transparency.notes import ED25519, Verifier

NAME = "llaves.json"
LAST_MS = 253_402_300_799_999
"""The last instant a date can say: year 9999."""


@dataclass(frozen=True, slots=True)
class KeyInterval:
    """A key of the log and when it signed: from `since_ms` until `until_ms` (None: still), ms of UNIX."""

    vkey: str
    since_ms: int
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Keyring:
    """What `llaves.json` holds. `threshold` is how many witnesses the publication asks for."""

    origin: str
    mode: str
    keys: tuple[KeyInterval, ...]
    witnesses: tuple[tuple[str, str], ...] = ()
    threshold: int = 0

    @property
    def verifiers(self) -> list[Verifier]:
        """Those of every key the log has had, the first one first."""
        return [Verifier.from_vkey(one.vkey) for one in self.keys]

    @property
    def witness_verifiers(self) -> list[Verifier]:
        """Those of the witnesses."""
        return [Verifier.from_vkey(vkey) for _, vkey in self.witnesses]

    def rotated(self, old: str, new: str, at_ms: int) -> Keyring:
        """With the old key ended and the new one begun at an instant; the same when it already is so.

        Raises KeyFileError when the old key is not the one in use.
        """
        last = self.keys[-1]
        if last.vkey == new and len(self.keys) > 1 and self.keys[-2].vkey == old:
            return self
        if last.vkey != old:
            raise KeyFileError(f"{NAME}: la llave en uso no es «{old}»")
        return replace(self, keys=(*self.keys[:-1], replace(last, until_ms=at_ms), KeyInterval(new, at_ms)))

    def as_data(self) -> dict[str, Any]:
        """As the file writes it."""
        return {
            "origen": self.origin,
            "modo": self.mode,
            "llaves": [
                {"vkey": one.vkey, "desde_ms": one.since_ms, "hasta_ms": one.until_ms} for one in self.keys
            ],
            "testigos": [{"nombre": name, "vkey": vkey} for name, vkey in self.witnesses],
            "umbral": self.threshold,
        }

    def write(self, folder: str | Path) -> None:
        """Put it in the work folder, whole, unless it is already so."""
        path, data = Path(folder) / NAME, canonical(self.as_data()) + b"\n"
        if not path.exists() or path.read_bytes() != data:
            write_whole(path, data)


def read(folder: str | Path) -> Keyring | None:
    """The keys in a folder; None when it has no such file. Raises InputError."""
    path = Path(folder) / NAME
    try:
        return parse(foreign_bytes(path), str(path))
    except FileNotFoundError:
        return None


def parse(data: bytes, name: str = NAME) -> Keyring:
    """Read the bytes of `llaves.json`. Raises InputError."""
    try:
        found = json_of(data)
        made = Keyring(
            found["origen"],
            found["modo"],
            tuple(KeyInterval(one["vkey"], one["desde_ms"], one["hasta_ms"]) for one in found["llaves"]),
            tuple((one["nombre"], one["vkey"]) for one in found["testigos"]),
            found["umbral"],
        )
        logs, witnesses = made.verifiers, made.witness_verifiers
    except KeyError as error:
        raise InputError(name, column=str(error.args[0]), message="falta") from None
    except json.JSONDecodeError as error:
        raise InputError(name, message=f"{json_place(error)}; se esperaba una lista de llaves") from None
    except (ValueError, TypeError, AttributeError, NoteError) as error:
        raise InputError(name, message=f"no es una lista de llaves: {error}") from None
    times = [at for one in made.keys for at in (one.since_ms, one.until_ms) if at is not None]
    if not all(type(at) is int and 0 <= at <= LAST_MS for at in times):
        raise InputError(name, column="desde_ms", expected="horas en milisegundos de UNIX")
    if made.mode not in MODES or type(made.threshold) is not int or made.threshold < 0:
        raise InputError(name, expected=f"«modo» {' o '.join(MODES)} y «umbral» un número entero")
    if not logs or any(one.kind != ED25519 or one.name != made.origin for one in logs):
        raise InputError(name, expected=f"al menos una llave, y todas de «{made.origin}»")
    if any(one.kind == ED25519 for one in witnesses):
        raise InputError(name, expected="llaves de testigo (tipo 4) en «testigos»")
    return made


def ensure(
    folder: str | Path,
    vkey: str,
    since_ms: int,
    *,
    witnesses: Sequence[tuple[str, str]] | None = None,
    threshold: int | None = None,
) -> Keyring:
    """The keys of the log in a folder: begun with this key when there is no file; written when changed.

    `witnesses` (name, vkey) and `threshold` replace those of the file; None leaves them. Raises
    KeyFileError when the key in use is another one.
    """
    origin = Verifier.from_vkey(vkey).name
    found = read(folder) or Keyring(origin, mode_of(origin), (KeyInterval(vkey, since_ms),))
    if found.keys[-1].vkey != vkey:
        raise KeyFileError(f"{Path(folder) / NAME}: la llave en uso es «{found.keys[-1].vkey}», no «{vkey}»")
    if witnesses is not None:
        found = replace(found, witnesses=tuple(witnesses))
    if threshold is not None:
        found = replace(found, threshold=threshold)
    found.write(folder)
    return found
