"""What one reader may demand of what it is served: pure checks, no network and no Locust.

A reader is a browser, a difusor or a newspaper. It keeps what it was shown and finds: cuts that go back, a
cut that changes, two cuts mixed, JSON that is none, tags that lie, bytes that are not what their name says.
It knows the public formats (docs/paquetes.md) and imports nothing of who publishes.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.reasons import why

GOES_BACK = "retroceso"
CHANGED = "corte_cambiado"
MIXED = "mezcla"
NOT_JSON = "json"
TAG = "etiqueta"
DIGEST = "huella"
TYPE = "tipo"
IDENTITY = "identidad"
MISSING = "falta"
UNREADABLE = "excepcion"
CLOSED = "sin_cors"

CLASSES = {
    GOES_BACK: "un corte anterior después de uno más nuevo",
    CHANGED: "un corte cuyo contenido cambió",
    MIXED: "datos de dos cortes juntos",
    NOT_JSON: "JSON mal formado",
    TAG: "ETag o 304 que no corresponden",
    DIGEST: "contenido que no es el que dice su nombre o su manifiesto",
    TYPE: "tipo de contenido equivocado",
    IDENTITY: "otra publicación que la esperada",
    MISSING: "un archivo anunciado que no está",
    UNREADABLE: "algo con lo que quien lo leía no pudo seguir",
    CLOSED: "datos que la página de otro sitio no puede leer (CORS)",
}
"""Each kind of fault of content, as reports say it."""

CHECKED = (
    ("apuntadores", "apuntador", "apuntadores"),
    ("objetos", "objeto", "objetos"),
    ("archivos", "archivo", "archivos"),
    ("paquetes", "paquete", "paquetes"),
    ("imagenes", "imagen", "imágenes"),
    ("vistas", "vista", "vistas"),
    ("guiones", "guion u hoja de estilo", "guiones y hojas de estilo"),
)
"""What is checked: its count, and how one and many are said."""

_ANSWERS = ("apuntadores", "objetos", "fotografias_vistas")
EXERCISED = {
    GOES_BACK: ("apuntadores_seguidos", "fotografias_nuevas"),
    CHANGED: ("apuntadores_seguidos",),
    MIXED: ("objetos",),
    NOT_JSON: _ANSWERS,
    TAG: ("apuntadores", "fotografias_vistas"),
    DIGEST: ("objetos", "archivos", "paquetes", "imagenes", "vistas", "guiones"),
    TYPE: _ANSWERS,
    IDENTITY: ("apuntadores", "fotografias_vistas"),
    MISSING: ("apuntadores_seguidos", "guiones", "paquetes"),
    UNREADABLE: _ANSWERS,
    CLOSED: ("enlaces",),
}
"""What must have been counted for the absence of a fault to mean anything: any of these names."""
MOST_UNPACKED = 1 << 30
"""Bytes of a package unpacked; over them it is not opened."""
MOST_NUMBER = 2**53
"""Beyond it the page of a browser would read another number."""

_ASSET = re.compile(r"sitio/[0-9a-f]{16}\.[a-z0-9]+")

Tell = Callable[[str, str], None]
"""Told of each fault: its class and where it was seen."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The publication the test is meant for; None where anything will do."""

    mode: str | None = "simulacro"
    election: str | None = None
    entidad: int | None = None
    origin: str | None = None

    def difference(self, pointer: Mapping[str, Any]) -> str | None:
        """Why a pointer is of another publication, in Spanish; None when it is the one."""
        log = pointer.get("bitacora")
        seen = {
            "modo": (self.mode, pointer.get("modo")),
            "eleccion": (self.election, pointer.get("eleccion")),
            "entidad": (self.entidad, pointer.get("entidad")),
            "origen": (self.origin, log.get("origen") if isinstance(log, dict) else None),
        }
        for name, (wanted, found) in seen.items():
            if wanted is not None and wanted != found:
                return f"{name}: se esperaba «{wanted}» y dice «{found}»"
        return None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as a reader got it, decompressed. Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class PointerReader:
    """One reader of `corte.json`: what it was told, in order."""

    def __init__(self, expected: Expected, tell: Tell) -> None:
        self._expected = expected
        self._tell = tell
        self.tag = ""
        self.pointer: dict[str, Any] | None = None
        self._body = b""

    def ask_headers(self) -> dict[str, str]:
        """The headers of the next question."""
        return {"If-None-Match": self.tag} if self.tag else {}

    def take(self, reply: Reply) -> dict[str, Any] | None:
        """Read an answer (200 or 304). Returns the pointer when it is of a new cut, None otherwise."""
        sent = self.tag
        if reply.status == 304:
            if not sent:
                self._tell(TAG, "304 sin haber mandado If-None-Match")
            elif reply.headers.get("etag", sent).removeprefix("W/") != sent.removeprefix("W/"):
                self._tell(TAG, f"304 con otra etiqueta: {reply.headers['etag']}")
            if reply.body:
                self._tell(TAG, "304 con contenido")
            return None
        self.tag = reply.headers.get("etag", "")
        if not self.tag:
            self._tell(TAG, "corte.json sin ETag")
        elif sent and self.tag == sent:
            same = reply.body == self._body
            self._tell(
                TAG, "200 con la misma ETag que se mandó" if same else "otro contenido con la misma ETag"
            )
        self._body = reply.body
        pointer = json_object("corte.json", reply, self._tell)
        if pointer is None:
            return None
        differs = self._expected.difference(pointer)
        if differs is not None:
            self._tell(IDENTITY, differs)
            return None
        return self._follow(pointer)

    def _follow(self, pointer: dict[str, Any]) -> dict[str, Any] | None:
        before = self.pointer
        try:
            number, instant, size = pointer["corte"], pointer["instante_ms"], pointer["bitacora"]["tamano"]
            _ = pointer["portal"], pointer["base"], pointer["indice_sha256"], pointer["manifiesto_sha256"]
        except (KeyError, TypeError) as error:
            self._tell(NOT_JSON, f"corte.json sin {error}")
            return None
        for key, value in (("corte", number), ("instante_ms", instant), ("bitacora.tamano", size)):
            if type(value) is not int or not 0 <= value < MOST_NUMBER:
                self._tell(NOT_JSON, f"corte.json: {key} no es un número entero que se pueda usar")
                return None
        if before is None:
            self.pointer = pointer
            return pointer
        old = before["corte"]
        if number < old or instant < before["instante_ms"] or size < before["bitacora"]["tamano"]:
            self._tell(GOES_BACK, f"corte {number} (bitácora de {size}) después del {old}")
            return None
        same = ("portal", "base", "indice_sha256", "manifiesto_sha256", "instante_ms")
        if number == old and any(pointer[key] != before[key] for key in same):
            self._tell(CHANGED, f"corte {number}")
            return None
        self.pointer = pointer
        return pointer if number != old else None


def json_object(name: str, reply: Reply, tell: Tell) -> dict[str, Any] | None:
    """The JSON object of an answer, its type checked; None, told, when it is none."""
    kind = reply.headers.get("content-type", "")
    if kind.partition(";")[0].strip() != "application/json":
        tell(TYPE, f"{name}: {kind or 'sin Content-Type'}")
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        tell(NOT_JSON, f"{name}: {why(error)}")
        return None
    if not isinstance(found, dict):
        tell(NOT_JSON, f"{name}: no es un objeto")
        return None
    return found


def check_digest(name: str, body: bytes, sha256: str, tell: Tell) -> bool:
    """Whether some bytes have the SHA-256 they must; told when they do not."""
    found = hashlib.sha256(body).hexdigest()
    if found != sha256:
        tell(DIGEST, f"{name}: {found[:12]}… en lugar de {sha256[:12]}…")
        return False
    return True


def check_page(reply: Reply, tell: Tell) -> list[str]:
    """The page must be there and name what it needs; the public names of its scripts and sheets."""
    if reply.status != 200:
        tell(MISSING, f"/: {reply.status}, el sitio no tiene página")
        return []
    found = sorted(set(_ASSET.findall(reply.body.decode("utf-8", "replace"))))
    if not found:
        tell(MISSING, "/: la página no nombra su guion ni su hoja de estilos")
    return found


def check_asset(name: str, body: bytes, tell: Tell) -> bool:
    """Whether a script or sheet has the bytes of its name: the first 16 digits of their SHA-256."""
    wanted = name.rpartition("/")[2].partition(".")[0]
    found = hashlib.sha256(body).hexdigest()[:16]
    if found != wanted:
        tell(DIGEST, f"{name}: su contenido es {found}")
    return found == wanted


def check_shared(name: str, reply: Reply, origin: str, tell: Tell) -> None:
    """An answer that the page of another site asked for: without CORS its browser does not hand it over."""
    allowed = reply.headers.get("access-control-allow-origin")
    if allowed not in ("*", origin):
        tell(CLOSED, f"{name}: Access-Control-Allow-Origin: {allowed or 'falta'}")


def check_portal(pointer: Mapping[str, Any], portal: Mapping[str, Any], tell: Tell) -> None:
    """The object of the portal must be of the pointer's cut."""
    for key in ("corte", "instante_ms", "modo", "ultimo"):
        if portal.get(key) != pointer.get(key):
            where = f"corte {pointer.get('corte')}: {key} es {pointer.get(key)} en corte.json"
            tell(MIXED, f"{where} y {portal.get(key)} en el objeto del portal")
            return


def check_root(contest: Mapping[str, Any], root: Mapping[str, Any], tell: Tell) -> None:
    """The top of a contest must have the counters the portal shows."""
    if root.get("contadores") != contest.get("encabezado"):
        tell(MIXED, f"{contest.get('id')}: los contadores de la entidad no son los del portal")


def check_territory(
    contest: Mapping[str, Any], number: object, territory: Mapping[str, Any], tell: Tell
) -> None:
    """A distrito or municipio must have the counts the portal shows of it."""
    shown = next((row[1:3] for row in contest.get("territorios", ()) if row[0] == number), None)
    if shown != [territory.get("esperadas"), territory.get("capturadas")]:
        tell(MIXED, f"{contest.get('id')}, territorio {number}: sus cuentas no son las del portal")


def check_section(row: list[Any], section: Mapping[str, Any], tell: Tell) -> None:
    """A sección must have the counts its territory shows of it, and its actas must add up to them."""
    actas = section.get("actas", [])
    captured = sum(acta.get("estado") != "no_capturada" for acta in actas)
    counted = sum(acta.get("contabilizada") is True for acta in actas)
    if row[2:5] != [len(actas), captured, counted]:
        tell(MIXED, f"sección {row[0]}: sus actas no son las que dice su territorio")


def check_index(
    pointer: Mapping[str, Any], portal: Mapping[str, Any], index: Mapping[str, Any], tell: Tell
) -> None:
    """The index of the packages must have the headers and the roots the portal shows."""
    named = index.get("contiendas", {})
    for contest in portal.get("contiendas", ()):
        other = named.get(contest["id"], {})
        if other.get("encabezado") != contest["encabezado"] or other.get("raiz") != contest["raiz"]:
            tell(MIXED, f"corte {pointer['corte']}, {contest['id']}: el índice y el portal no coinciden")


def files_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of each file of a manifest, by its path."""
    return {one["ruta"]: one["sha256"] for one in manifest.get("archivos", ())}


def check_package(pointer: Mapping[str, Any], body: bytes, tell: Tell) -> bool:
    """A package for difusores: it opens, its manifest is the cut's and its files are the manifest's."""
    name = str(pointer.get("difusion"))
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            size = sum(one.file_size for one in package.infolist())
            if size > MOST_UNPACKED:
                tell(DIGEST, f"{name}: desempacado serían {size:,} bytes; no se abre")
                return False
            members = {one.rpartition("/")[2]: package.read(one) for one in package.namelist()}
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError, zlib.error):
        tell(DIGEST, f"{name}: no se puede abrir como ZIP")
        return False
    manifest = members.get("manifiesto.json", b"")
    if not check_digest(f"{name}, manifiesto.json", manifest, str(pointer.get("manifiesto_sha256")), tell):
        return False
    good = True
    for path, sha256 in files_of(json.loads(manifest)).items():
        if path not in members:
            tell(MISSING, f"{name}: falta {path}")
            good = False
        else:
            good &= check_digest(f"{name}, {path}", members[path], sha256, tell)
    return good


def check_checkpoint(pointer: Mapping[str, Any], note: bytes, tell: Tell) -> None:
    """The checkpoint, asked for after the pointer, must reach it: it is published before."""
    lines = note.decode("utf-8", "replace").split("\n")
    log = pointer["bitacora"]
    try:
        origin, size = lines[0], int(lines[1])
    except (IndexError, ValueError):
        tell(DIGEST, "checkpoint: no es una nota firmada")
        return
    if origin != log["origen"]:
        tell(IDENTITY, f"checkpoint de «{origin}»")
    elif size < log["tamano"]:
        tell(GOES_BACK, f"checkpoint de {size} entradas después de un corte.json de {log['tamano']}")
