"""The entries of the public log: one frozen class for each `clase`, their canonical bytes and their reader.

An entry is canonical JSON (sorted keys, no spaces, UTF-8) of at most 65,535 bytes, so that the same
facts are always the same leaf. Where the facts come from belongs to the publication.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from core.transparency.errors import EntryError
from core.transparency.keys import MODES
from core.transparency.tiles import MAX_ENTRY

FORMAT = 1
COUNTERS = 13
"""Counters of the header of a contest."""
NOTICE_TYPES = ("hueco", "detenida", "reanudada", "cierre_anticipado", "correccion")
MAX_INT = 2**53 - 1
"""The greatest integer that a browser reads exactly."""

_HEX = re.compile(r"[0-9a-f]{64}")


def canonical(value: object) -> bytes:
    """Canonical JSON. Raises EntryError for what it may not hold (fractions, other types, huge integers)."""
    _check_json(value, "")
    try:
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return text.encode()
    except UnicodeEncodeError:
        raise EntryError("el texto de la entrada no se puede escribir en UTF-8") from None


@dataclass(frozen=True, slots=True)
class Entry:
    """What every entry has: `clase` (in `KIND`) and its bytes."""

    KIND: ClassVar[str] = ""

    def as_data(self) -> dict[str, Any]:
        """The entry as a JSON object."""
        raise NotImplementedError

    @property
    def identity(self) -> tuple[object, ...]:
        """What may be in a log only once."""
        return (self.KIND,)

    def encode(self) -> bytes:
        """Its canonical bytes. Raises EntryError, naming the key, when a value is not what it must be."""
        data = self.as_data()
        _check(self.KIND, data)
        encoded = canonical(data)
        if len(encoded) > MAX_ENTRY:
            raise EntryError(f"la entrada «{self.KIND}» mide {len(encoded):,} bytes; caben {MAX_ENTRY:,}")
        return encoded


@dataclass(frozen=True, slots=True)
class Apertura(Entry):
    """The first entry: which log this is, and the catalogue it is of."""

    KIND: ClassVar[str] = "apertura"
    modo: str
    origen: str
    entidad: int
    eleccion: str
    catalogo_sha256: str

    def as_data(self) -> dict[str, Any]:
        return {
            "clase": self.KIND, "formato": FORMAT, "modo": self.modo, "origen": self.origen,
            "entidad": self.entidad, "eleccion": self.eleccion, "catalogo_sha256": self.catalogo_sha256,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Emision(Entry):
    """A cut that was published.

    Attributes:
        instante_ms: instant of the cut, ms of UNIX.
        seq_high: last event of the ledger that it counts.
        actas_raiz: root of the tree of its actas (hex), over `actas_hojas` leaves.
        contiendas: by contest, (SHA-256 of the object of the entidad, the thirteen counters as published).
    """

    KIND: ClassVar[str] = "emision"
    modo: str
    entidad: int
    eleccion: str
    catalogo_sha256: str
    corte: int
    instante_ms: int
    ultimo: bool
    seq_high: int
    manifiesto_sha256: str
    actas_raiz: str
    actas_hojas: int
    contiendas: Mapping[str, tuple[str, Mapping[str, str]]]

    def as_data(self) -> dict[str, Any]:
        return {
            "clase": self.KIND, "formato": FORMAT, "modo": self.modo, "entidad": self.entidad,
            "eleccion": self.eleccion, "catalogo_sha256": self.catalogo_sha256, "corte": self.corte,
            "instante_ms": self.instante_ms, "ultimo": self.ultimo, "seq_high": self.seq_high,
            "manifiesto_sha256": self.manifiesto_sha256,
            "actas": {"raiz": self.actas_raiz, "hojas": self.actas_hojas},
            "contiendas": {
                name: {"raiz": root, "encabezado": dict(header)}
                for name, (root, header) in self.contiendas.items()
            },
        }  # fmt: skip

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.KIND, self.corte)


@dataclass(frozen=True, slots=True)
class Aviso(Entry):
    """A notice: cuts that were missed, publication held or resumed, early closing, a correction.

    `ranuras` are the slots it is about and every time is in ms of UNIX; `hasta_ms` None while it lasts.
    """

    KIND: ClassVar[str] = "aviso"
    modo: str
    numero: int
    tipo: str
    desde_ms: int
    hasta_ms: int | None
    motivo: str
    ranuras: tuple[int, ...] = ()
    detalle: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        return {
            "clase": self.KIND, "formato": FORMAT, "modo": self.modo, "numero": self.numero,
            "tipo": self.tipo, "desde_ms": self.desde_ms, "hasta_ms": self.hasta_ms, "motivo": self.motivo,
            "ranuras": list(self.ranuras), "detalle": dict(self.detalle),
        }  # fmt: skip

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.KIND, self.numero)


@dataclass(frozen=True, slots=True)
class Cierre(Entry):
    """The last entry: nothing may follow. `emisiones` is how many there were."""

    KIND: ClassVar[str] = "cierre"
    modo: str
    ultimo_corte: int
    emisiones: int
    instante_ms: int

    def as_data(self) -> dict[str, Any]:
        return {
            "clase": self.KIND, "formato": FORMAT, "modo": self.modo, "ultimo_corte": self.ultimo_corte,
            "emisiones": self.emisiones, "instante_ms": self.instante_ms,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Llave(Entry):
    """A change of key: from the next entry on, `nueva` signs (both are vkeys)."""

    KIND: ClassVar[str] = "llave"
    anterior: str
    nueva: str
    motivo: str
    instante_ms: int

    def as_data(self) -> dict[str, Any]:
        return {
            "clase": self.KIND, "anterior": self.anterior, "nueva": self.nueva, "motivo": self.motivo,
            "instante_ms": self.instante_ms,
        }  # fmt: skip

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.KIND, self.nueva)


def parse(data: bytes) -> Entry:
    """Read an entry. Raises EntryError: not JSON, not canonical, unknown class, a key missing or of more."""
    if len(data) > MAX_ENTRY:
        raise EntryError(f"la entrada mide {len(data):,} bytes; caben {MAX_ENTRY:,}")
    try:
        found = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise EntryError("la entrada no es JSON") from None
    if not isinstance(found, dict):
        raise EntryError("la entrada no es un objeto JSON")
    if canonical(found) != data:
        raise EntryError("la entrada no está en JSON canónico (claves en orden, sin espacios ni repetidas)")
    kind = found.get("clase")
    if not isinstance(kind, str) or kind not in _RULES:
        raise EntryError(f"la clase de entrada «{kind}» no existe; se esperaba {', '.join(_RULES)}")
    _check(kind, found)
    return _MAKERS[kind](found)


def _emision(data: dict[str, Any]) -> Entry:
    return Emision(
        data["modo"], data["entidad"], data["eleccion"], data["catalogo_sha256"], data["corte"],
        data["instante_ms"], data["ultimo"], data["seq_high"], data["manifiesto_sha256"],
        data["actas"]["raiz"], data["actas"]["hojas"],
        {name: (one["raiz"], one["encabezado"]) for name, one in data["contiendas"].items()},
    )  # fmt: skip


def _aviso(data: dict[str, Any]) -> Entry:
    return Aviso(
        data["modo"], data["numero"], data["tipo"], data["desde_ms"], data["hasta_ms"], data["motivo"],
        tuple(data["ranuras"]), data["detalle"],
    )  # fmt: skip


_MAKERS: dict[str, Callable[[dict[str, Any]], Entry]] = {
    "apertura": lambda d: Apertura(d["modo"], d["origen"], d["entidad"], d["eleccion"], d["catalogo_sha256"]),
    "emision": _emision,
    "aviso": _aviso,
    "cierre": lambda d: Cierre(d["modo"], d["ultimo_corte"], d["emisiones"], d["instante_ms"]),
    "llave": lambda d: Llave(d["anterior"], d["nueva"], d["motivo"], d["instante_ms"]),
}

Rule = tuple[str, Callable[[Any], bool]]


def _natural(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_INT


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _hash(value: Any) -> bool:
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def _contests(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(one, dict)
        and one.keys() == {"raiz", "encabezado"}
        and _hash(one["raiz"])
        and isinstance(one["encabezado"], dict)
        and len(one["encabezado"]) == COUNTERS
        and all(isinstance(text, str) for text in one["encabezado"].values())
        for one in value.values()
    )


_INT: Rule = ("un entero no negativo", _natural)
_TEXT: Rule = ("un texto", _text)
_SHA: Rule = ("un SHA-256 en hexadecimal", _hash)
_BOOL: Rule = ("true o false", lambda value: isinstance(value, bool))
_HEAD: dict[str, Rule] = {
    "clase": _TEXT,
    "formato": (str(FORMAT), lambda value: type(value) is int and value == FORMAT),
    "modo": (" o ".join(MODES), lambda value: value in MODES),
}
_RULES: dict[str, dict[str, Rule]] = {
    "apertura": {**_HEAD, "origen": _TEXT, "entidad": _INT, "eleccion": _TEXT, "catalogo_sha256": _SHA},
    "emision": {
        **_HEAD, "entidad": _INT, "eleccion": _TEXT, "catalogo_sha256": _SHA, "corte": _INT,
        "instante_ms": _INT, "ultimo": _BOOL, "seq_high": _INT, "manifiesto_sha256": _SHA,
        "actas": (
            "{hojas, raiz}",
            lambda value: isinstance(value, dict)
            and value.keys() == {"raiz", "hojas"} and _hash(value["raiz"]) and _natural(value["hojas"]),
        ),
        "contiendas": ("por contienda, raiz y los trece contadores de encabezado, en texto", _contests),
    },
    "aviso": {
        **_HEAD, "numero": _INT, "tipo": (", ".join(NOTICE_TYPES), lambda value: value in NOTICE_TYPES),
        "desde_ms": _INT, "hasta_ms": ("un entero o null", lambda value: value is None or _natural(value)),
        "motivo": _TEXT,
        "ranuras": (
            "una lista de enteros", lambda value: isinstance(value, list) and all(map(_natural, value))
        ),
        "detalle": ("un objeto", lambda value: isinstance(value, dict)),
    },
    "cierre": {**_HEAD, "ultimo_corte": _INT, "emisiones": _INT, "instante_ms": _INT},
    "llave": {"clase": _TEXT, "anterior": _TEXT, "nueva": _TEXT, "motivo": _TEXT, "instante_ms": _INT},
}  # fmt: skip


def _check(kind: str, data: Mapping[str, Any]) -> None:
    rules = _RULES[kind]
    for key, (expected, holds) in rules.items():
        if key not in data:
            raise EntryError(f"entrada «{kind}»: falta la clave «{key}» ({expected})")
        if not holds(data[key]):
            shown = repr(data[key])[:80]
            raise EntryError(f"entrada «{kind}», clave «{key}»: se esperaba {expected}; se encontró {shown}")
    for key in data:
        if key not in rules:
            raise EntryError(f"entrada «{kind}»: la clave «{key}» no se esperaba")


def _check_json(value: object, place: str) -> None:
    if value is None or isinstance(value, (bool, str)):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INT:
            raise EntryError(f"{place or 'la entrada'}: el entero {value} no cabe en 53 bits")
    elif isinstance(value, (list, tuple)):
        for position, one in enumerate(value):
            _check_json(one, f"{place}[{position}]")
    elif isinstance(value, dict):
        for key, one in value.items():
            if not isinstance(key, str):
                raise EntryError(f"{place or 'la entrada'}: la clave {key!r} no es texto")
            _check_json(one, f"{place}.{key}" if place else key)
    else:
        raise EntryError(f"{place or 'la entrada'}: {type(value).__name__} no cabe en JSON canónico")
