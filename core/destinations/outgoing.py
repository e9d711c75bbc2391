"""What the work folder offers to publish at one moment, and what each of its files must be.

The pointer and the checkpoint are read first: everything they name is then already there. Names
beyond them (the next cut, half made; tiles of a log that grew) are left for the next time. It
reads the work folder and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from core.destinations.target import DestinationError, Item
from core.publication.public_tree import (
    CHECKPOINT,
    POINTER,
    Kind,
    cut_folder,
    image_name,
    kind,
    object_key,
    public_keys,
    record_path,
)
from core.system_reasons import system_reason

MANIFEST = "manifiesto.json"
INDEX = "indice.json"
VIEWS = "vistas/"
THUMB = "_m.webp"

_NUMBERED = re.compile(r"(cortes|emisiones|difusion|avisos)/(\d+)")
_NAMED_BY_CONTENT = re.compile(r"(?:objetos|imagenes)/[0-9a-f]{2}/([0-9a-f]{64})\.|sitio/([0-9a-f]{16})\.")
_TILE = re.compile(r"tile/(\d+|entries)/((?:x\d{3}/)*\d{3})(?:\.p/(\d+))?")
_TILE_WIDTH = 256
_BLOCK = 1 << 20


class OutgoingError(DestinationError):
    """A file of the work folder is not what its name or its manifest says: it is not sent anywhere."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed note of the log: its first lines, how many signatures it bears, and its bytes."""

    origin: str
    size: int
    signatures: int
    data: bytes

    @classmethod
    def parse(cls, data: bytes) -> Checkpoint:
        """Read the text; the signatures are not checked here. Raises ValueError."""
        text, _, signatures = data.decode("utf-8").partition("\n\n")
        lines = text.split("\n")
        return cls(
            lines[0], int(lines[1]), sum(line.startswith("— ") for line in signatures.split("\n")), data
        )


@dataclass(frozen=True, slots=True)
class Pointer:
    """`corte.json` as bytes and as what decides which of two is newer."""

    data: bytes
    mode: str
    election: str
    cut: int
    origin: str
    size: int
    root: str
    notices: int
    generated_ms: int
    document: dict[str, Any]

    @classmethod
    def parse(cls, data: bytes) -> Pointer:
        """Raises ValueError when it is not a pointer."""
        document = orjson.loads(data)
        try:
            log = document["bitacora"]
            return cls(
                data,
                document["modo"],
                str(document["eleccion"]),
                int(document["corte"]),
                log["origen"],
                int(log["tamano"]),
                log["raiz"],
                int(document["avisos"]),
                int(document["generado_ms"]),
                document,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no es un apuntador: {error}") from error

    @property
    def order(self) -> tuple[int, int, int]:
        """Grows with each cut and each notice."""
        return (self.cut, self.size, self.notices)


@dataclass(slots=True)
class Outgoing:
    """Everything that may be published at a moment, by kind, in order."""

    work: Path
    pointer: Pointer | None
    checkpoint: Checkpoint | None
    immutable: list[str] = field(default_factory=list)
    tiles: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    shared: frozenset[str] = frozenset()
    _manifests: dict[str, dict[str, str]] = field(default_factory=dict)
    _told: dict[str, str] | None = None

    @classmethod
    def read(cls, work: Path) -> Outgoing:
        """What the folder offers; without a pointer, its pages. Raises OutgoingError."""
        data, note = _bytes(work / POINTER), _bytes(work / CHECKPOINT)
        try:
            pointer = Pointer.parse(data) if data is not None else None
            checkpoint = Checkpoint.parse(note) if note is not None and pointer else None
        except (ValueError, IndexError) as error:
            raise OutgoingError(f"{work}: corte.json o checkpoint no se entienden: {error}") from error
        if pointer and (checkpoint is None or checkpoint.size < pointer.size):
            raise OutgoingError(f"{work}: el checkpoint no llega a la emisión que anuncia corte.json")
        found = cls(work, pointer, checkpoint)
        for key in public_keys(work):
            match kind(key):
                case Kind.IMMUTABLE if found._announced(key):
                    found.immutable.append(key)
                case Kind.TILE if checkpoint and tile_fits(key, checkpoint.size):
                    found.tiles.append(key)
                case Kind.PAGE if not (work / key).is_symlink():
                    # A link may lead to what is not public.
                    found.pages.append(key)
        if pointer:
            found.shared = found._shared(pointer)
        return found

    def item(self, key: str) -> Item:
        """A file ready to be sent. Raises OutgoingError when it is not what it should be."""
        path = self.work / key
        digest, size = sha256(), 0
        if path.is_symlink():
            raise OutgoingError(f"{path} es un enlace simbólico a otro archivo. No se publica.")
        for parent in path.parents[: key.count("/")]:
            if parent.is_symlink():
                raise OutgoingError(f"{parent} es un enlace simbólico a otra carpeta. No se publica.")
        try:
            with path.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
                    size += len(block)
        except OSError as error:
            raise OutgoingError(f"no se puede leer {path}: {system_reason(error)}") from error
        found = digest.hexdigest()
        expected = self._expected(key)
        if expected is not None and not found.startswith(expected):
            raise OutgoingError(f"{path}: su SHA-256 es {found}; se esperaba {expected}. No se publica.")
        return Item(key, path, found, size, key in self.shared)

    def size(self, key: str) -> int:
        """Bytes of a file of the work folder. Raises OutgoingError."""
        try:
            return (self.work / key).stat().st_size
        except OSError as error:
            raise OutgoingError(f"no se puede leer {self.work / key}: {system_reason(error)}") from error

    def _announced(self, key: str) -> bool:
        numbered = _NUMBERED.match(key)
        if numbered is None:
            return True
        if self.pointer is None:
            return False
        limit = self.pointer.notices if numbered[1] == "avisos" else self.pointer.cut
        return int(numbered[2]) <= limit

    def _expected(self, key: str) -> str | None:
        """The SHA-256 a file must have, or its beginning; None when only its bytes say it."""
        named = _NAMED_BY_CONTENT.match(key)
        if named:
            return named[1] or named[2]
        if key.startswith(VIEWS) and not key.endswith(THUMB):
            return self._views().get(image_name(key))
        folder, _, name = key.rpartition("/")
        if self.pointer is None or not folder.startswith("cortes/"):
            return None
        if f"{folder}/" == cut_folder(self.pointer.cut) and name in (MANIFEST, INDEX):
            document = self.pointer.document
            return str(document["manifiesto_sha256" if name == MANIFEST else "indice_sha256"])
        if name == MANIFEST:
            return None
        if folder not in self._manifests:
            self._manifests[folder] = self._manifest(folder)
        expected = self._manifests[folder].get(name)
        if expected is None:
            raise OutgoingError(f"{self.work / key} no está en el manifiesto de su corte. No se publica.")
        return expected

    def _views(self) -> dict[str, str]:
        """By original, the SHA-256 that the published actas say of its web view."""
        if self._told is None:
            self._told = {}
            for number in range(1, self.pointer.cut + 1 if self.pointer else 0):
                data = _bytes(record_path(self.work, number))
                if data is not None:
                    self._told.update(orjson.loads(data).get("vistas", {}))
        return self._told

    def _manifest(self, folder: str) -> dict[str, str]:
        try:
            listed = orjson.loads((self.work / folder / MANIFEST).read_bytes())["archivos"]
            return {str(file["ruta"]): str(file["sha256"]) for file in listed}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutgoingError(
                f"{self.work / folder / MANIFEST}: no se entiende: {error}. No se publica."
            ) from error

    def _shared(self, pointer: Pointer) -> frozenset[str]:
        """The objects every visitor of this cut reads."""
        names = [pointer.document.get("portal")]
        try:
            index = orjson.loads((self.work / cut_folder(pointer.cut) / INDEX).read_bytes())
            names += [contest["raiz"] for contest in index["contiendas"].values()]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutgoingError(f"el índice del corte {pointer.cut} no se entiende: {error}") from error
        return frozenset(object_key(name) for name in names if isinstance(name, str))


def tile_fits(key: str, size: int) -> bool:
    """True when a tile holds nothing beyond a log of that size. Raises ValueError for another name."""
    parts = _TILE.fullmatch(key)
    if parts is None:
        raise ValueError(f"not a tile: {key!r}")
    level = 0 if parts[1] == "entries" else int(parts[1])
    index = int(parts[2].replace("x", "").replace("/", ""))
    width = int(parts[3]) if parts[3] else _TILE_WIDTH
    return index * _TILE_WIDTH + width <= size >> (8 * level)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
