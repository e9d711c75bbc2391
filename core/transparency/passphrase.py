"""How the two halves of a passphrase are given: typed one by each person, from a file each, or whole.

Nothing is written down or echoed here. How strong a half must be is said by `keys.join`.
"""

from __future__ import annotations

import os
import sys
from getpass import getpass
from pathlib import Path

from core.errors import UsageError
from core.system_reasons import system_reason
from core.transparency.errors import KeyFileError
from core.transparency.keys import join

VARIABLE = "PREP_LLAVE_FRASE"
"""The whole passphrase, for a service that opens its key with nobody in front."""

HALVES = (("primera", "_MITAD_1"), ("segunda", "_MITAD_2"))


def given_halves(
    files: tuple[Path | None, Path | None], *, variable: str = VARIABLE
) -> tuple[str, str] | None:
    """The halves in two files or in the variables VARIABLE_MITAD_1 and _2; None when there are none.

    Raises UsageError when only one is given, KeyFileError when a file cannot be read.
    """
    halves = []
    for (name, tail), path in zip(HALVES, files, strict=True):
        if path is None:
            halves.append(os.environ.get(variable + tail))
            continue
        try:
            halves.append(path.read_text("utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as error:
            raise KeyFileError(f"{path}: no se puede leer la {name} mitad de la frase ({error})") from None
    first, second = halves
    if first is None and second is None:
        return None
    if first is None or second is None:
        missing = HALVES[0 if first is None else 1][0]
        raise UsageError(f"falta la {missing} mitad de la frase de paso: hacen falta las dos")
    return first, second


def new_passphrase(files: tuple[Path | None, Path | None], *, variable: str = VARIABLE) -> bytes:
    """The passphrase of a key that is being made: each half given, or typed twice. Raises UsageError."""
    halves = given_halves(files, variable=variable)
    if halves is None:
        halves = (_typed_twice("primera"), _typed_twice("segunda"))
    return join(*halves)


def open_passphrase(
    key: Path, files: tuple[Path | None, Path | None], *, variable: str = VARIABLE
) -> bytes | None:
    """The passphrase that opens a key file; None when the file is not encrypted. Raises UsageError."""
    try:
        encrypted = b"-----BEGIN ENCRYPTED" in key.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{key}: no se puede leer ({system_reason(error)})") from None
    if not encrypted:
        return None
    halves = given_halves(files, variable=variable)
    if halves is not None:
        return "".join(halves).encode()
    whole = os.environ.get(variable)
    if whole is not None:
        return whole.encode()
    return (_typed(f"{key}: primera mitad: ") + _typed(f"{key}: segunda mitad: ")).encode()


def _typed_twice(which: str) -> str:
    once = _typed(f"Persona de la {which} mitad, teclee su mitad: ")
    if _typed("Otra vez: ") != once:
        raise UsageError(f"las dos veces que se tecleó la {which} mitad no son iguales")
    return once


def _typed(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            "no hay quien teclee la frase de paso: dé cada mitad con --mitad-1 y --mitad-2, o en el entorno"
        )
    return getpass(prompt)
