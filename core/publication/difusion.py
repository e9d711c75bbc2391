"""The package difusores take: one ZIP with the files of a cut, its proof, the keys and their schema.

Its members bear the names of the public tree, so that the same verifier reads a ZIP, a folder or a
site. The same cut gives the same bytes, whenever it is made. It does not send anything: that is
`core.destinations`, and the client of the difusores is `difusor.py`.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO

import orjson

from core.errors import InputError
from core.publication.archives import Deflated, copy_deflated, sync
from core.publication.public_tree import CHECKPOINT, KEYS, cut_folder, difusion_key, emission_key

SCHEMA_MEMBER = "ESQUEMA.json"
SCHEMA_FILE = Path(__file__).with_name("difusion.schema.json")

_INDEX = "indice.json"
_STORED = frozenset({".zip", ".xlsx", ".png", ".jpg", ".webp"})
_LEVEL = 6
_BLOCK = 1 << 20
_PLAIN = 1 << 31
"""Bytes from which a member needs other headers, and is compressed again."""


@dataclass(frozen=True, slots=True)
class DifusionInfo:
    """A package for difusores: where it is, its SHA-256 in hexadecimal and its bytes."""

    path: Path
    sha256: str
    bytes: int


def write_difusion(work: Path, number: int, *, durable: bool = True) -> DifusionInfo:
    """Make the package of a cut from its files, its emission and the keys; one that is the same stays.

    The checkpoint inside is that of the emission, not the latest, so that it does not depend on when
    it is made. Raises InputError when a file of the cut is missing or is not what it should be.
    """
    folder = work / cut_folder(number)
    emission = work / emission_key(number)
    moment = _moment(folder / _INDEX)
    members: list[tuple[str, bytes | Path]] = [
        (cut_folder(number) + path.name, path) for path in _files(folder) if not path.name.startswith(".")
    ]
    members.append((emission_key(number), emission))
    members.append((KEYS, work / KEYS))
    members.append((CHECKPOINT, _text(emission, "checkpoint").encode()))
    members.append((SCHEMA_MEMBER, SCHEMA_FILE))

    target = work / difusion_key(number)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        _write(temporary, members, moment)
        made = _describe(temporary, target)
        if target.exists() and _describe(target, target) == made:
            return made
        if durable:
            sync(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    if durable:
        sync(target.parent)
    return made


def _write(path: Path, members: list[tuple[str, bytes | Path]], moment: datetime) -> None:
    date = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    deflated = Deflated(
        source for _, source in members if isinstance(source, Path) and source.suffix == ".zip"
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, source in members:
            packed = Path(name).suffix in _STORED
            info = zipfile.ZipInfo(name, date)
            info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            info._compresslevel = None if packed else _LEVEL  # type: ignore[attr-defined]  # open() has no other way
            info.create_system = 3
            info.external_attr = 0o644 << 16
            found = None if packed or isinstance(source, bytes) else deflated.find(source)
            if found is not None and found[1].file_size < _PLAIN:
                copy_deflated(archive, info, *found)
                continue
            with archive.open(info, "w") as out:
                _copy(source, out)


def _copy(source: bytes | Path, out: IO[bytes]) -> None:
    if isinstance(source, bytes):
        out.write(source)
        return
    try:
        with source.open("rb") as stream:
            while block := stream.read(_BLOCK):
                out.write(block)
    except FileNotFoundError:
        raise InputError(source, message="falta para hacer el paquete de difusión") from None


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except FileNotFoundError:
        raise InputError(folder, message="no está la carpeta del corte") from None


def _moment(index: Path) -> datetime:
    text = _text(index, "instante")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InputError(index, column="instante", expected="fecha y hora ISO 8601", found=text) from None


def _text(path: Path, key: str) -> str:
    """A text of a JSON document."""
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(path, message=f"no se puede leer: {error}") from error
    found = document.get(key) if isinstance(document, dict) else None
    if not isinstance(found, str):
        raise InputError(path, column=key, expected="texto", found=found)
    return found


def _describe(path: Path, target: Path) -> DifusionInfo:
    digest, size = sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return DifusionInfo(target, digest.hexdigest(), size)
