"""`corte.json`, the one small file that says which cut is the last: how it is made, written and read.

It is always written after everything it names. Nothing here decides when, nor what goes before.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from core import whole_file
from core.errors import InputError
from core.foreign_text import foreign_bytes
from core.publication.public_tree import POINTER, cut_folder, difusion_key, emission_key

FORMAT = 1
MAX_BYTES = 1024
"""A pointer bigger than this is a mistake: every browser asks for it every few seconds."""


@dataclass(frozen=True, slots=True)
class LogState:
    """The log as the pointer tells it: `root` in hexadecimal."""

    origin: str
    size: int
    root: str


def pointer_document(
    *,
    manifest: dict[str, Any],
    entidad: int,
    election: str,
    index_sha256: str,
    manifest_sha256: str,
    leaf: int,
    log: LogState,
    difusion: bool,
    witnesses: tuple[int, int],
    stamp: str | None,
    next_ms: int | None,
    notices: int,
    generated_ms: int,
) -> dict[str, Any]:
    """The pointer of a cut, from its manifest and the place of its emission in the log.

    `witnesses` are how many cosign and how many have (of this checkpoint); `stamp` the public name of its
    timestamp, None while there is none; `next_ms` when the next cut is due, None when there will be none or
    nobody knows.
    """
    number = manifest["corte"]
    return {
        "formato": FORMAT,
        "modo": manifest["modo"],
        "entidad": entidad,
        "eleccion": election,
        "corte": number,
        "instante": manifest["instante"],
        "instante_ms": manifest["instante_ms"],
        "ultimo": manifest["ultimo"],
        "base": cut_folder(number),
        "indice_sha256": index_sha256,
        "manifiesto_sha256": manifest_sha256,
        "emision": emission_key(number),
        "hoja": leaf,
        "bitacora": {"origen": log.origin, "tamano": log.size, "raiz": log.root},
        "portal": manifest["portal"],
        "difusion": difusion_key(number) if difusion else None,
        "testigos": {"de": witnesses[0], "con": witnesses[1]},
        "sello": stamp,
        "siguiente_ms": next_ms,
        "avisos": notices,
        "generado_ms": generated_ms,
    }


def canonical(document: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> bool:
    """Write a file in one step: a reader sees the one before or this one. False if it was the same."""
    with suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return False
    whole_file.write_whole(path, data, durable=durable)
    return True


def write_pointer(work: Path, document: dict[str, Any], *, durable: bool = True) -> bool:
    """Write the pointer; False when it already said that. Raises ValueError over MAX_BYTES."""
    data = canonical(document)
    if len(data) > MAX_BYTES:
        raise ValueError(f"the pointer has {len(data)} bytes; at most {MAX_BYTES}")
    return write_whole(work / POINTER, data, durable=durable)


def read_pointer(work: Path) -> dict[str, Any] | None:
    """The pointer of a work folder, None before the first cut. Raises InputError when it is not one."""
    path = work / POINTER
    try:
        data = foreign_bytes(path)
    except FileNotFoundError:
        return None
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InputError(path, message=f"no es JSON: {error}") from error
    if not isinstance(found, dict) or found.get("formato") != FORMAT:
        raise InputError(path, column="formato", expected=str(FORMAT))
    return found
