#!/usr/bin/env python3
"""Verifies a PREP publication with nothing but its public files: one file, Python and `cryptography`.

    python verificar.py URL|DIR|ARCHIVO.zip [--acta CLAVE] [--casilla CLAVE] [--llave VKEY]
           [--guardado ARCHIVO] [--contra OTRA] [--modo oficial|simulacro] [--imagen FOTO]
           [--testigo VKEY]… [--exigir-testigos [K]] [--completo] [--json]

Exit 0: verified. 1: does not verify, with the reason. 2: cannot be read.

For an auditor to read from top to bottom: sources, hashes, signatures, the log, the cut, the actas,
the report. It imports nothing of the system that publishes, so that a defect there is not a defect
here. It does NOT say that the figures are those of the paper actas (the image of each acta is for
that), nor who the owner of a key is: the key must come by another way than the site it signs.
"""

# It must run on Python 3.9, which lacks zip(strict=) and itertools.pairwise.
# ruff: noqa: B905, RUF007, N818, UP017

from __future__ import annotations

import argparse
import base64
import binascii
import contextlib
import csv
import errno
import gzip
import hashlib
import http.client
import io
import json
import os
import re
import socket
import struct
import sys
import threading
import time
import unicodedata
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SMALL = 1 << 20
"""Largest pointer, checkpoint, key list, tile or proof that is read."""
LARGE = 512 << 20
"""Largest file of a cut that is read."""
TIMEOUT_S = 30
SLOWEST = 1_024
"""Bytes per second under which a site is said not to answer."""
REFUSED_S = (1, 2, 4, 8, 16)
"""How long to wait before asking again when the site says that it cannot now, and not for how long."""
REFUSED_AT_MOST_S = 180
"""Longest a file that was refused is asked for again."""
CACHED_S = (3, 6)
"""How long to wait before asking again for a pointer and a checkpoint that a cache kept apart."""
MAX_ENTRIES = 100_000
"""Entries of a log read in full; a night has one per cut and notice."""
ZIP_MEMBERS = 2_000
ZIP_TOTAL = 2 << 30
ZIP_RATIO = 200
"""How many times larger than its compressed bytes a member may be."""
DAMAGED = (
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,
    OSError,
    ValueError,
    LookupError,
)
"""What the ZIP reader raises, besides its own error, when bytes of the archive were changed."""


class Unreadable(Exception):
    """What was asked for cannot be read: exit 2."""


class Missing(Unreadable):
    """A file is not there."""


class Busy(Unreadable):
    """The site says to ask later. `after`: in how many seconds, if it says so."""

    def __init__(self, told: str, after: str) -> None:
        super().__init__(told)
        self.after = max(1, int(after[:9])) if after.isascii() and after.isdecimal() else None


class Wrong(Exception):
    """Something read is not what it must be. The message is complete, in Spanish."""


# ---------------------------------------------------------------------------- sources


def safe_key(key: str) -> str:
    """A relative path that stays inside its base. Raises Wrong."""
    parts = key.split("/")
    if not key or "\\" in key or ":" in key or "\0" in key or any(p in ("", ".", "..") for p in parts):
        raise Wrong(f"la ruta «{key}» se sale de la publicación")
    return key


class DirSource:
    """The publication in a folder."""

    kind = "carpeta"

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.name = str(root)

    def get(self, key: str, limit: int = SMALL) -> bytes:
        try:
            path = (self.root / safe_key(key)).resolve()
        except (RuntimeError, OSError):
            raise Wrong(f"«{key}» es un enlace que no lleva a ningún lado") from None
        if self.root not in path.parents:
            raise Wrong(f"«{key}» apunta fuera de la carpeta")
        try:
            data = _read(path, limit)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise Missing(f"falta el archivo {key}") from None
        except OSError as error:
            raise Unreadable(f"no se puede leer {key}: {error.strerror}") from error
        return _within(data, key, limit)


class _SameBase(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only inside the base address."""

    def __init__(self, base: str) -> None:
        self.base = base

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.startswith(self.base):
            raise Unreadable(f"el sitio manda a otra dirección ({newurl}); no se sigue")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Timed:
    """A connection that waits for the head of an answer TIMEOUT_S in all, not for each of its bytes."""

    sock: Any

    def getresponse(self) -> Any:
        fired = threading.Event()
        late = threading.Timer(TIMEOUT_S, _hang_up, (self.sock, fired))
        late.daemon = True
        late.start()
        try:
            answer = super().getresponse()  # type: ignore[misc]
        finally:
            late.cancel()
        if fired.is_set():
            # To the reader of heads an end of the connection is the end of the head.
            raise TimeoutError("la respuesta llega gota a gota")
        return answer


class _Http(_Timed, http.client.HTTPConnection):
    pass


class _Https(_Timed, http.client.HTTPSConnection):
    pass


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req: Any) -> Any:
        return self.do_open(_Http, req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: Any) -> Any:
        return self.do_open(_Https, req)


def _hang_up(connected: Any, fired: threading.Event) -> None:
    fired.set()
    with contextlib.suppress(OSError, AttributeError):
        connected.shutdown(socket.SHUT_RDWR)


def read_answer(answer: Any, limit: int) -> bytes:
    """The body, `limit` bytes at most. Raises TimeoutError when it comes drop by drop."""
    parts, size, began = [], 0, time.monotonic()
    while size < limit:
        part = answer.read1(min(limit - size, 1 << 20))
        if not part:
            break
        parts.append(part)
        size += len(part)
        if time.monotonic() - began > TIMEOUT_S + size / SLOWEST:
            raise TimeoutError("la respuesta llega gota a gota")
    return b"".join(parts)


ASKING = {"Accept-Encoding": "gzip", "User-Agent": "verificar", "Cache-Control": "no-cache"}


class UrlSource:
    """The publication at an http(s) address."""

    kind = "sitio"

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        path = parts.path
        if path.rsplit("/", 1)[-1] in ("corte.json", "index.html"):
            path = path.rsplit("/", 1)[0]
        self.base = urllib.parse.urlunsplit((parts.scheme, parts.netloc, path.rstrip("/") + "/", "", ""))
        self.name = self.base
        self._open = urllib.request.build_opener(_HttpHandler, _HttpsHandler, _SameBase(self.base)).open
        self._refused, self._line = "", threading.Lock()

    def get(self, key: str, limit: int = SMALL) -> bytes:
        """A file. A site that limits how much each one takes is waited for. Raises Unreadable, Wrong."""
        with self._line:
            # Whoever was refused goes first: the others would take what is given back meanwhile.
            if self._refused:
                raise Unreadable(self._refused)
        try:
            return self._get(key, limit)
        except Busy as busy:
            asked, refused = time.monotonic(), busy
        with self._line:
            return self._insist(key, limit, asked, refused)

    def _insist(self, key: str, limit: int, asked: float, refused: Busy) -> bytes:
        """A file that was refused when it was asked."""
        until, without = time.monotonic() + REFUSED_AT_MOST_S, list(REFUSED_S)
        while not self._refused:
            wait = refused.after if refused.after is not None else without.pop(0) if without else None
            if wait is None or asked + wait > until:
                self._refused = f"{refused}, también después de esperar; vuelva a intentarlo más tarde"
                break
            time.sleep(max(0.0, asked + wait - time.monotonic()))
            try:
                return self._get(key, limit)
            except Busy as busy:
                asked, refused = time.monotonic(), busy
        # A site that refused one file to the end is not waited for again with each of the others.
        raise Unreadable(self._refused)

    def _get(self, key: str, limit: int) -> bytes:
        url = self.base + urllib.parse.quote(safe_key(key))
        request = urllib.request.Request(url, headers=dict(ASKING))
        try:
            with self._open(request, timeout=TIMEOUT_S) as answer:
                data = read_answer(answer, limit + 1)
                coding = (answer.headers.get("Content-Encoding") or "").lower()
                told = answer.headers.get("Content-Length") or ""
        except urllib.error.HTTPError as error:
            if error.code in (403, 404, 410):
                raise Missing(f"falta el archivo {key} (el sitio responde {error.code})") from None
            if error.code in (429, 503):
                after = (error.headers.get("Retry-After") or "").strip()
                raise Busy(f"el sitio responde {error.code} a {key}", after) from None
            raise Unreadable(f"el sitio responde {error.code} a {key}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Unreadable(f"no se puede leer {url}: {str(error) or type(error).__name__}") from error
        if not data:
            raise Unreadable(f"el sitio responde vacío a {key}; la conexión pudo cortarse")
        data = _within(data, key, limit)
        if told.isdecimal() and len(data) < int(told[:18]):
            raise Unreadable(f"la conexión se cortó: llegaron {len(data)} de {told[:18]} bytes de {key}")
        if coding in ("gzip", "x-gzip"):
            return _gunzip(data, key, limit)
        if coding not in ("", "identity"):
            raise Unreadable(f"{key} viene comprimido como «{coding}», que no se pidió")
        return data


class ZipSource:
    """The files of a ZIP, by their path inside it."""

    kind = "ZIP"

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, *DAMAGED):
            raise Unreadable(f"{name} está incompleto o no es un ZIP") from None
        infos = self._zip.infolist()
        # Of a ZIP cut short the reader may take for the whole the end of another one inside it.
        end = len(data) - 22 - len(self._zip.comment)
        if data[end : end + 4] != b"PK\5\6" or any(info.header_offset for info in infos[:1]):
            raise Unreadable(f"{name} está incompleto o no es un ZIP")
        self._infos = {info.filename: info for info in infos if not info.is_dir()}
        if len(infos) > ZIP_MEMBERS or len({info.filename for info in infos}) != len(infos):
            raise Wrong(f"{name} tiene demasiados archivos o nombres repetidos")
        total = 0
        for info in infos:
            safe_key(info.filename.rstrip("/"))
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Wrong(f"{name}: «{info.filename}» está comprimido de un modo que no se usa aquí")
            total += info.file_size
            if info.file_size > SMALL and info.file_size > ZIP_RATIO * max(info.compress_size, 1):
                raise Wrong(f"{name}: «{info.filename}» se infla demasiado; no se abre")
        if total > ZIP_TOTAL:
            raise Wrong(f"{name} descomprimido pasa de {ZIP_TOTAL >> 20} MB; no se abre")

    def names(self) -> list[str]:
        return sorted(self._infos)

    def get(self, key: str, limit: int = SMALL) -> bytes:
        info = self._infos.get(safe_key(key))
        if info is None:
            raise Missing(f"el ZIP no trae {key}")
        try:
            with self._zip.open(info) as stream:
                data = stream.read(limit + 1)
        except (zipfile.BadZipFile, *DAMAGED) as error:
            raise Wrong(f"{key} está dañado dentro del ZIP ({error})") from error
        return _within(data, key, limit)


def _read(path: Path, limit: int) -> bytes:
    if path.exists() and not path.is_file() and not path.is_dir():
        # Nobody may ever write in a pipe, and a device may never end.
        raise OSError(errno.EINVAL, "no es un archivo ordinario", str(path))
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > limit:
            raise Unreadable(f"{path.name} pasa de {limit} bytes; no se lee")
        # Room for as much as the file has, and not for as much as it might.
        return stream.read(size + 1)


def _within(data: bytes, key: str, limit: int) -> bytes:
    if len(data) > limit:
        raise Unreadable(f"{key} pasa de {limit} bytes; no se lee")
    return data


def _gunzip(data: bytes, key: str, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return _within(stream.read(limit + 1), key, limit)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"{key} viene mal comprimido: {error}") from error


def open_source(what: str) -> Any:
    """The source of an address, a folder or a ZIP. Raises Unreadable, Wrong."""
    if re.match(r"https?://", what, re.IGNORECASE):
        return UrlSource(what)
    if "://" in what:
        raise Unreadable(f"«{what}»: se esperaba una dirección http(s), una carpeta o un ZIP")
    path = Path(what)
    if path.is_dir():
        return DirSource(path)
    if not path.is_file():
        raise Unreadable(f"no existe «{what}»")
    if path.name == "corte.json":
        return DirSource(path.parent)
    return ZipSource(read_file(path, LARGE), path.name)


def read_file(path: Path, limit: int) -> bytes:
    """A local file named by the user. Raises Unreadable."""
    try:
        return _within(_read(path, limit), str(path), limit)
    except OSError as error:
        raise Unreadable(f"no se puede leer {path}: {error.strerror}") from error


# ---------------------------------------------------------------------------- hashes and trees (RFC 6962)


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf (or subtree) hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    row = list(hashes)
    # Pairing from the left and carrying the odd one up is the tree of RFC 6962.
    while len(row) > 1:
        above = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        row = above + row[len(row) & ~1 :]
    return row[0]


def root_from_proof(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root an inclusion proof leads to; None when it is not of that leaf and size (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    at, last, here = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            here = node_hash(sibling, here)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            here = node_hash(here, sibling)
        at >>= 1
        last >>= 1
    return here if last == 0 else None


def inclusion_path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion proof of one of the hashes, from the leaf up."""
    row, at, path = list(hashes), index, []
    while len(row) > 1:
        sibling = at ^ 1
        if sibling < len(row):
            path.append(row[sibling])
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)] + row[len(row) & ~1 :]
        at >>= 1
    return path


# ---------------------------------------------------------------------------- signed notes (C2SP)


@dataclass(frozen=True)
class Key:
    """A public key: «name+8 hex+base64(type ‖ 32 bytes)»."""

    name: str
    ident: bytes
    kind: int
    public: bytes
    vkey: str


@dataclass(frozen=True)
class Note:
    """A checkpoint: what it says, the exact text that is signed, and its signature lines."""

    origin: str
    size: int
    root: bytes
    text: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]
    raw: str


def parse_key(vkey: str) -> Key:
    """A key from its text. Raises Wrong."""
    parts = vkey.strip().split("+", 2)
    try:
        name, ident, blob = parts[0], bytes.fromhex(parts[1]), _b64(parts[2])
    except (IndexError, ValueError):
        raise Wrong(f"«{vkey[:80]}» no es una llave pública: se esperaba nombre+8 hex+base64") from None
    kind, public = blob[0] if blob else 0, blob[1:]
    expected = _ident(name, blob)
    if name.endswith("/oficial") and ident == _ident(name[: -len("oficial")] + "simulacro", blob):
        raise Wrong(f"es un simulacro presentado como oficial: la llave de «{name[:80]}» es de un simulacro")
    if kind not in (1, 4) or len(public) != 32 or ident != expected or not name:
        raise Wrong(f"la llave de «{name[:80]}» no coincide con su propio identificador")
    return Key(name, ident, kind, public, vkey.strip())


def _ident(name: str, blob: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + blob).digest()[:4]


def key_text(given: str) -> str:
    """A public key as the user gave it: itself, or the file that has it."""
    path = Path(given)
    if "+" not in given and path.is_file():
        return read_file(path, SMALL).decode("utf-8", "replace").strip()
    return given


def parse_note(data: bytes, what: str = "checkpoint") -> Note:
    """A checkpoint from its bytes. Raises Wrong."""
    try:
        raw = data.decode("utf-8")
        text, lines = raw.rsplit("\n\n", 1)
        origin, size, root = (text + "\n").split("\n")[:3]
        if not re.fullmatch(r"0|[1-9][0-9]{0,15}", size) or not origin or len(_b64(root)) != 32:
            raise ValueError
        signatures = []
        for line in lines.splitlines():
            mark, name, blob = line.split(" ")
            if mark != "\u2014":
                raise ValueError
            signed = _b64(blob)
            signatures.append((name, signed[:4], signed[4:]))
    except (ValueError, UnicodeDecodeError):
        raise Wrong(f"{what}: no es un punto de control firmado; puede estar incompleto") from None
    return Note(origin, int(size), _b64(root), (text + "\n").encode(), tuple(signatures), raw)


def _b64(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(str(error)) from None


def signed_by(note: Note, key: Key) -> bool:
    """Whether the note bears a good signature of the key; a cosignature when the key is a witness's."""
    return any(True for _ in good_signatures(note, key))


def good_signatures(note: Note, key: Key) -> Iterator[bytes]:
    """The signatures of a key on a note that hold; those of a witness begin with eight bytes of time."""
    public = Ed25519PublicKey.from_public_bytes(key.public)
    for name, ident, blob in note.signatures:
        if name != key.name or ident != key.ident:
            continue
        message, signature = note.text, blob
        if key.kind == 4:
            moment = int.from_bytes(blob[:8], "big")
            if moment >> 63:
                # C2SP tlog-cosignature: a time is under 2^63.
                continue
            message = f"cosignature/v1\ntime {moment}\n".encode() + note.text
            signature = blob[8:]
        with contextlib.suppress(InvalidSignature):
            public.verify(signature, message)
            yield blob


def cosigned_at(note: Note, witness: Key) -> int | None:
    """Latest moment (seconds of UNIX) the witness says it cosigned the note; None when it did not."""
    return max((int.from_bytes(blob[:8], "big") for blob in good_signatures(note, witness)), default=None)


def utc(seconds: int) -> str:
    """A moment for people."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%d/%m/%Y %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return "una hora imposible"


# ---------------------------------------------------------------------------- timestamps (RFC 3161)


@dataclass(frozen=True)
class TimeStamp:
    """What a timestamp says: the SHA-256 it is of, and since when it existed (seconds of UNIX)."""

    digest: bytes
    at_s: int


def read_stamp(data: bytes) -> TimeStamp:
    """A timestamp from the answer of an authority, whose own signature is NOT checked. Raises Wrong.

    TimeStampResp {status, ContentInfo {signedData, [0] {version, algorithms, {tstInfo, [0] {octets}}}}}
    """
    try:
        status, token = der(der(data)[0][1])[:2]
        if int.from_bytes(der(status[1])[0][1], "big") > 1:
            raise Wrong("la autoridad no concedió el sello de tiempo")
        signed = der(der(der(token[1])[1][1])[0][1])
        content = der(signed[2][1])
        if der(token[1])[0][1] != _SIGNED_DATA or content[0][1] != _TST_INFO:
            raise ValueError
        info = der(der(der(content[1][1])[0][1])[0][1])
        algorithm, digest = der(info[2][1])
        if der(algorithm[1])[0][1] != _SHA256 or len(digest[1]) != 32 or info[4][0] != 0x18:
            raise ValueError
        text = info[4][1].decode("ascii").rstrip("Z").split(".")[0]
        moment = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)
        return TimeStamp(digest[1], int(moment.timestamp()))
    except (ValueError, IndexError, OverflowError):
        raise Wrong("el sello de tiempo está dañado o no es un sello RFC 3161") from None


_SHA256 = bytes.fromhex("608648016503040201")
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")


def der(data: bytes) -> list[tuple[int, bytes]]:
    """The elements of DER one after the other: tag and contents. Raises ValueError, IndexError."""
    found, at = [], 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            digits = size & 0x7F
            if not 1 <= digits <= 4:
                raise ValueError("largo indefinido")
            size, at = int.from_bytes(data[at : at + digits], "big"), at + digits
        if at + size > len(data):
            raise ValueError("cortado")
        found.append((tag, data[at : at + size]))
        at += size
    return found


# ---------------------------------------------------------------------------- the report


GOOD, BAD, NOTED, SKIPPED = "bien", "mal", "aviso", "no_se_reviso"


@dataclass
class Step:
    key: str
    title: str
    result: str
    detail: str


@dataclass
class Report:
    """Every check with its result, and what was found on the way."""

    source: str = ""
    steps: list[Step] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    actas: list[dict[str, Any]] = field(default_factory=list)
    found: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    def add(self, key: str, title: str, result: str, detail: str) -> None:
        self.steps.append(Step(key, title, result, detail))

    @property
    def reasons(self) -> list[str]:
        return [step.detail for step in self.steps if step.result == BAD]

    @property
    def verified(self) -> bool:
        return not self.reasons

    def as_data(self) -> dict[str, Any]:
        return {
            "verificado": self.verified,
            "fuente": self.source,
            **self.facts,
            "motivos": self.reasons,
            "pasos": [
                {"clave": s.key, "titulo": s.title, "resultado": s.result, "detalle": s.detail}
                for s in self.steps
            ],
            "actas": self.actas,
            "encontrado": self.found,
            "avisos": self.notices,
            "no_se_probo": self.limits,
        }

    def as_text(self) -> str:
        marks = {GOOD: "  bien ", BAD: "  MAL  ", NOTED: "  ojo  ", SKIPPED: "  —    "}
        lines = [self.headline(), ""]
        if self.facts.get("modo") == "simulacro":
            lines += ["ES UN SIMULACRO: los datos son ficticios.", ""]
        lines += [f"{marks[s.result]}{s.title}: {s.detail}" for s in self.steps]
        for acta in self.actas:
            lines += ["", "Acta {} ({})".format(acta["acta"], acta["contienda"])]
            lines += [
                f"  {name}: {_plainly(acta[name])}" for name in acta if name not in ("acta", "contienda")
            ]
        for item in self.found:
            lines += ["", "Encontrado: {}".format(item["que"])]
        if self.notices:
            lines += ["", "Avisos firmados:"] + ["  {}".format(notice["texto"]) for notice in self.notices]
        if self.limits:
            lines += ["", "Lo que esto no prueba:"] + [f"  - {limit}" for limit in self.limits]
        return "\n".join(map(printable, lines))

    def headline(self) -> str:
        if not self.verified:
            return "NO VERIFICA: {}".format("; ".join(self.reasons))
        cut = self.facts.get("corte")
        return "VERIFICADO{}: {}".format(
            "" if cut is None else f" el corte {cut}", self.facts.get("origen", self.source)
        )


# ---------------------------------------------------------------------------- the log


def parse_json(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object. Raises Wrong."""
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, UnicodeDecodeError, RecursionError):
        raise Wrong(f"{what} no es JSON legible; puede estar incompleto") from None
    if not isinstance(value, dict):
        raise Wrong(f"{what} no tiene la forma esperada")
    return value


def _plainly(value: Any) -> str:
    """A value for people: votes one after the other, a proof by its hashes, yes or no."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    if isinstance(value, list):
        return " ".join(map(str, value)) or "ninguna"
    return (
        {True: "sí", False: "no", None: "-"}[value]
        if value is None or value is True or value is False
        else str(value)
    )


def printable(text: str) -> str:
    """One line without what moves the cursor or passes for another line: who publishes wrote part of it."""
    shown = (
        c if c.isprintable() or unicodedata.category(c) == "Zs" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    return "".join(shown)


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def tile_number(number: int) -> str:
    """1234067 → x001/x234/067 (C2SP tlog-tiles)."""
    text = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        text = f"x{number % 1000:03d}/{text}"
    return text


def tile_keys(prefix: str, count: int) -> Iterator[tuple[str, int]]:
    """The keys of the tiles that hold `count` items, and how many items each has."""
    for number in range((count + 255) // 256):
        width = min(256, count - number * 256)
        yield prefix + tile_number(number) + ("" if width == 256 else f".p/{width}"), width


def read_log(source: Any, size: int) -> list[bytes]:
    """Every entry of a log of that size. Raises Wrong, Missing."""
    if size > MAX_ENTRIES:
        raise Wrong(f"la bitácora dice tener {size} entradas; se leen hasta {MAX_ENTRIES}")
    entries: list[bytes] = []
    for key, width in tile_keys("tile/entries/", size):
        data, at = source.get(key, 256 * 65537), 0
        for _ in range(width):
            length = int.from_bytes(data[at : at + 2], "big")
            entry = data[at + 2 : at + 2 + length]
            if len(data) < at + 2 or len(entry) != length:
                raise Wrong(f"{key} está incompleto")
            entries.append(entry)
            at += 2 + length
        if at != len(data):
            raise Wrong(f"{key} tiene bytes de más")
    return entries


def check_tiles(source: Any, leaves: Sequence[bytes]) -> int:
    """The hash tiles say what the entries do; how many there are. Raises Wrong, Missing."""
    row, level, tiles = list(leaves), 0, 0
    while row:
        for number, (key, width) in enumerate(tile_keys(f"tile/{level}/", len(row))):
            if source.get(key) != b"".join(row[number * 256 : number * 256 + width]):
                raise Wrong(f"la loseta {key} no corresponde a las entradas de la bitácora")
            tiles += 1
        row = [tree_root(row[i : i + 256]) for i in range(0, len(row) - 255, 256)]
        level += 1
    return tiles


def entry_name(entry: dict[str, Any]) -> str:
    """How a person is told of an entry."""
    kind = entry.get("clase")
    if kind == "emision":
        return "el corte {}".format(entry.get("corte"))
    if kind == "aviso":
        return "el aviso {}".format(entry.get("numero"))
    return f"la entrada de {kind}"


def check_sequence(entries: Sequence[dict[str, Any]], origin: str) -> list[str]:
    """What is out of order in the whole log, in Spanish; empty when nothing is."""
    wrong: list[str] = []
    if not entries or entries[0].get("clase") != "apertura":
        return ["la bitácora no empieza con su apertura"]
    opening = entries[0]
    mode, cut, instant, closed, notice = opening.get("modo"), 0, -1, False, 0
    if opening.get("origen") != origin:
        wrong.append(
            "la apertura es de «{}» y el punto de control de «{}»".format(opening.get("origen"), origin)
        )
    for index, entry in enumerate(entries[1:], start=1):
        kind, name = entry.get("clase"), entry_name(entry)
        if closed:
            wrong.append(f"después del cierre aparece {name}: la bitácora debía quedar congelada")
        if entry.get("modo", mode) != mode:
            wrong.append("{} es de modo «{}» en una bitácora de «{}»".format(name, entry.get("modo"), mode))
        if kind == "apertura":
            wrong.append(f"hay una segunda apertura, en la entrada {index}")
        elif kind == "emision":
            if entry.get("corte") != cut + 1:
                wrong.append(
                    "después del corte {} sigue el {}: falta o se repite un corte".format(
                        cut, entry.get("corte")
                    )
                )
            if not isinstance(entry.get("instante_ms"), int) or entry["instante_ms"] <= instant:
                wrong.append(f"la hora de {name} no es posterior a la del corte anterior")
            else:
                instant = entry["instante_ms"]
            if entry.get("catalogo_sha256") != opening.get("catalogo_sha256"):
                wrong.append(f"{name} es de otro catálogo que la apertura")
            cut = entry["corte"] if isinstance(entry.get("corte"), int) else cut + 1
        elif kind == "aviso":
            if entry.get("numero") != notice + 1:
                wrong.append("después del aviso {} sigue el {}".format(notice, entry.get("numero")))
            notice = entry["numero"] if isinstance(entry.get("numero"), int) else notice + 1
        elif kind == "cierre":
            closed = True
            if entry.get("ultimo_corte") != cut:
                wrong.append(
                    "el cierre dice que el último corte es el {} y fue el {}".format(
                        entry.get("ultimo_corte"), cut
                    )
                )
    return wrong


# ---------------------------------------------------------------------------- the rows of a results CSV

COUNTERS = (
    "ACTAS_ESPERADAS",
    "ACTAS_REGISTRADAS",
    "ACTAS_FUERA_CATALOGO",
    "ACTAS_CAPTURADAS",
    "PORCENTAJE_ACTAS_CAPTURADAS",
    "ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_INCONSISTENCIAS",
    "ACTAS_NO_CONTABILIZADAS",
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
    "TOTAL_VOTOS_C_CS",
    "TOTAL_VOTOS_S_CS",
    "PORCENTAJE_PARTICIPACION_CIUDADANA",
)


@dataclass
class Table:
    """A results CSV: its first line, its header by name, its columns and rows, and where the votes are."""

    title: str
    header: dict[str, str]
    columns: list[str]
    rows: list[list[str]]
    first: int
    end: int

    def column(self, start: str) -> int:
        for index, name in enumerate(self.columns):
            if name.startswith(start):
                return index
        raise Wrong(f"no tiene la columna {start}")


def parse_csv(data: bytes) -> Table:
    """A results CSV of any of the structures in use. Raises Wrong."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    lines = text.splitlines(keepends=True)
    names = next((i for i, line in enumerate(lines[:60]) if line.startswith("ACTAS_ESPERADAS")), None)
    table = next((i for i, line in enumerate(lines[:60]) if line.startswith("CLAVE_CASILLA")), None)
    if names is None or table is None:
        raise Wrong("no tiene la línea de contadores o la de columnas; puede estar incompleto")
    separator = "|" if "|" in lines[table] else ","
    values = lines[names + 1].strip().split(separator)
    if len(values) != len(COUNTERS):
        raise Wrong(f"el encabezado tiene {len(values)} valores y deben ser {len(COUNTERS)}")
    try:
        rows = [row for row in csv.reader(lines[table:], delimiter=separator) if row]
    except csv.Error as error:
        raise Wrong(f"no se puede separar en celdas ({error})") from None
    columns = rows.pop(0)
    title = next((line.strip() for line in lines if line.strip() and not line.startswith("sep=")), "")
    result = Table(title, dict(zip(COUNTERS, values)), columns, rows, 0, 0)
    result.first = 1 + max(
        (i for i, n in enumerate(columns) if n.startswith(("TOTAL_VOTOS_SACADOS", "CODIGOS_"))), default=-1
    )
    result.end = result.column("TOTAL_VOTOS_ASENTADO")
    if not 0 < result.first < result.end:
        raise Wrong("no se encuentran las columnas de votos")
    return result


def plain(text: str) -> str:
    """Without accents, in capitals."""
    marks = unicodedata.normalize("NFD", text)
    return "".join(c for c in marks if not unicodedata.combining(c)).upper().strip()


def is_inconsistent(observation: str) -> bool:
    """Exceeds the lista nominal, illegible or no datum; not «sin acta» nor fuera de catálogo."""
    seen = plain(observation)
    if seen.startswith(("SIN ACTA", "FUERA DE CATALOGO")):
        return False
    return any(word in seen for word in ("EXCEDE", "ILEGIBLE", "SIN DATO", "CAMPOS VACIOS"))


def percent(part: int, whole: int) -> str:
    """Four decimals, cut and not rounded."""
    if whole <= 0:
        return "0.0000"
    value = part * 1_000_000 // whole
    return f"{value // 10_000}.{value % 10_000:04d}"


def recount(table: Table, last: bool) -> dict[str, str]:
    """The thirteen counters from the rows (Anexo 13 of the Reglamento de Elecciones). Raises Wrong.

    CONTABILIZADA: 1 counted, 0 captured and not counted, 2 fuera de catálogo, - not captured.
    Participation takes in the casillas especiales only in the last cut.
    """
    kind, seen = table.column("CONTABILIZADA"), table.column("OBSERVACIONES")
    casilla, electors = table.column("TIPO_CASILLA"), table.column("LISTA_NOMINAL")
    total = table.column("TOTAL_VOTOS_CALCULADO")
    count = {"1": 0, "0": 0, "2": 0, "-": 0}
    strange = lista = votes = special = 0
    for number, row in enumerate(table.rows, start=1):
        if len(row) != len(table.columns) or row[kind] not in count:
            raise Wrong(f"la fila {number} está incompleta o no dice si se contabiliza")
        count[row[kind]] += 1
        if is_inconsistent(row[seen]):
            strange += 1
        if row[kind] == "1":
            here = sum(int(cell) for cell in row[table.first : table.end] if cell.isdecimal())
            if row[total] != str(here):
                raise Wrong(f"la fila {number} dice {row[total]} votos y suma {here}")
            if not row[electors].isdecimal():
                raise Wrong(f"la fila {number} no tiene lista nominal")
            votes += here
            lista += int(row[electors])
            if row[casilla] == "S":
                special += here
    captured = count["1"] + count["0"]
    expected = captured + count["-"]
    values = (
        expected,
        captured + count["2"],
        count["2"],
        captured,
        percent(captured, expected),
        count["1"],
        percent(count["1"], expected),
        percent(strange, expected),
        count["0"],
        lista,
        votes,
        votes - special,
        percent(votes if last else votes - special, lista),
    )
    return {name: str(value) for name, value in zip(COUNTERS, values)}


def _same_acta(acta: dict[str, Any], counted: bool, votes: Sequence[str], kind: str, image: str) -> bool:
    """Whether a row of the CSV, by its votes, its CONTABILIZADA and its image, says what the objects do."""
    if acta.get("imagen") and len(image) == 64 and image != acta["imagen"]:
        return False
    told = acta.get("votos")
    if (kind == "1") != counted or (told is not None and len(told) != len(votes)):
        return False
    return told is None or all(
        cell == str(vote) if isinstance(vote, int) else not cell.isdecimal()
        for vote, cell in zip(told, votes)
    )


def _told_apart(codes: Sequence[str], acta: dict[str, Any], votes: Sequence[str] | None) -> str:
    """The first votes in which an acta and its row differ, for people."""
    if votes is None:
        return " (el CSV trae menos filas con esa clave)"
    pairs = zip(codes, acta.get("votos") or (), votes)
    apart = [
        f"{code}: {cell} en el CSV y {vote} en los objetos"
        for code, vote, cell in pairs
        if isinstance(vote, int) and cell != str(vote)
    ]
    return f" ({'; '.join(apart[:3])})" if apart else ""


def differences(said: dict[str, Any], found: dict[str, str], who: str) -> list[str]:
    return [
        f"{name}: {who} dice {said.get(name)} y las filas dan {found[name]}"
        for name in COUNTERS
        if said.get(name) != found[name]
    ]


# ---------------------------------------------------------------------------- the copy one keeps


@dataclass
class Kept:
    """What was verified another day: the checkpoint and the name of each entry of the log."""

    origin: str
    vkey: str
    note: Note
    leaves: list[str]
    names: list[str]
    witnesses: list[str] = field(default_factory=list)
    """Public keys of the witnesses the site listed then; none in copies that do not say it."""


def read_kept(data: bytes) -> Kept:
    """The copy from its file; the page of the portal writes the same. Raises Wrong."""
    what = "el archivo guardado"
    raw = parse_json(data, what)
    try:
        note = parse_note(raw["checkpoint"].encode(), what)
        witnesses = [str(vkey) for vkey in raw.get("testigos", [])]
        kept = Kept(raw["origen"], raw["vkey"], note, list(raw["hojas"]), list(raw["nombres"]), witnesses)
        leaves = [bytes.fromhex(leaf) for leaf in kept.leaves]
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Wrong("el archivo guardado no tiene la forma esperada") from None
    if not signed_by(note, parse_key(kept.vkey)) or note.origin != kept.origin:
        raise Wrong("el archivo guardado está alterado: su firma no es de la llave que trae")
    if len(leaves) != note.size or len(kept.names) != note.size or tree_root(leaves) != note.root:
        raise Wrong("el archivo guardado está alterado: sus entradas no dan su raíz")
    return kept


def kept_bytes(
    vkey: str, note: Note, leaves: Sequence[bytes], names: Sequence[str], witnesses: Sequence[str]
) -> bytes:
    return canonical(
        {
            "formato": 1,
            "origen": note.origin,
            "vkey": vkey,
            "checkpoint": note.raw,
            "hojas": [leaf.hex() for leaf in leaves],
            "nombres": list(names),
            "testigos": list(witnesses),
        }
    )


def compare_kept(kept: Kept, leaves: Sequence[bytes], names: Sequence[str]) -> str:
    """That the log only grew since the copy was kept. Raises Wrong saying what changed."""
    before = f"usted guardó {kept.note.size} entradas con raíz {kept.note.root.hex()}"
    now = f"hoy hay {len(leaves)} con raíz {tree_root(leaves).hex()}"
    for index, leaf in enumerate(kept.leaves):
        if index >= len(leaves):
            lost = ", ".join(kept.names[index : index + 5])
            raise Wrong(
                f"la bitácora se hizo más corta: {before} y {now}; ya no está {lost}, que usted guardó"
            )
        if leaves[index].hex() != leaf:
            what = "otra versión" if names[index] == kept.names[index] else names[index]
            raise Wrong(
                f"BIFURCACIÓN, la bitácora fue reescrita o hay dos: {before} y {now}; la primera distinta es "
                f"la entrada {index}: donde usted guardó {kept.names[index]} hoy hay {what}. Conserve su "
                "copia y este punto de control: juntos son la prueba"
            )
    if tree_root(leaves[: kept.note.size]) != kept.note.root:
        raise Wrong(f"la bitácora de hoy no es continuación de la que usted guardó: {before} y {now}")
    added = len(leaves) - len(kept.leaves)
    return f"lo guardado sigue igual; desde entonces se agregaron {added} entradas"


def compare_logs(note: Note, leaves: Sequence[bytes], other: Note, entries: Sequence[bytes] | None) -> Any:
    """That two checkpoints of one log are of one story. Raises Wrong telling both when they are not.

    `entries` are those of the other one, None when only its checkpoint is at hand.
    """
    here = f"aquí hay {note.size} entradas con raíz {note.root.hex()}"
    there = f"allá {other.size} con raíz {other.root.hex()}"
    theirs = None if entries is None else [leaf_hash(entry) for entry in entries]
    if theirs is not None and tree_root(theirs) != other.root:
        raise Wrong("las entradas del otro sitio no dan la raíz de su propio punto de control")
    common = min(note.size, other.size)
    if other.size <= note.size:
        same = tree_root(leaves[:common]) == other.root
    elif theirs is not None:
        same = tree_root(theirs[:common]) == note.root
    else:
        return NOTED, f"{here} y {there}: va más adelante, y solo con su punto de control no se compara"
    if same:
        if other.size == note.size:
            return f"las dos tienen las mismas {note.size} entradas y la misma raíz"
        return f"es la misma historia: {here} y {there}; una es el comienzo de la otra"
    told = ""
    if theirs is not None:
        first = next((i for i, pair in enumerate(zip(leaves, theirs)) if pair[0] != pair[1]), common)
        told = f"; la primera entrada distinta es la {first}"
    raise Wrong(
        f"BIFURCACIÓN: {here} y {there}{told}. La misma llave firmó dos historias: conserve los dos puntos "
        "de control, que juntos son la prueba"
    )


# ---------------------------------------------------------------------------- the verification


@dataclass
class Options:
    """What is asked besides the publication."""

    acta: str = ""
    casilla: str = ""
    key: str = ""
    kept: Path | None = None
    mode: str = ""
    image: Path | None = None
    complete: bool = False
    witnesses: tuple[str, ...] = ()
    required: int | None = None
    """Witnesses demanded: -1, as many as the publication says it asks for; None, none."""
    against: str = ""


@dataclass(frozen=True)
class Shown:
    """What an acta says of its image once it is published."""

    acta: str
    suffix: str
    view: str | None
    """SHA-256 of the view the portal shows; None in publications that do not say it."""


ABSENT = "falta"


class _Stop(Exception):
    """A step everything after depends on failed; the report already says so."""


MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
NOTICE_NAMES = {
    "hueco": "no hubo corte",
    "detenida": "publicación detenida",
    "reanudada": "publicación reanudada",
    "cierre_anticipado": "cierre anticipado",
    "correccion": "corrección",
}


def _behind(note: bytes, data: bytes) -> bool:
    """Whether a checkpoint is of a smaller log than a pointer tells of; the malformed is for the checks."""
    try:
        return parse_note(note).size < int(parse_json(data, "corte.json")["bitacora"]["tamano"])
    except (Wrong, *MALFORMED):
        return False


class Verifier:
    """The checks in order; each is one step of the report."""

    def __init__(self, source: Any, options: Options) -> None:
        self.source, self.options = source, options
        self.report = Report(source=source.name)
        self.entries: list[dict[str, Any]] = []
        self.leaves: list[bytes] = []
        self.names: list[str] = []
        self.tables: dict[str, Table] = {}
        self.manifest: dict[str, Any] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.acta_leaves: dict[int, bytes] = {}
        self.behind = False
        self.listed: list[str] = []
        self.images: dict[str, Shown] = {}
        self.codes: dict[str, list[str]] = {}

    def check(
        self, key: str, title: str, work: Callable[..., Any], *given: Any, needed: bool = False
    ) -> bool:
        """One step. `work` answers its detail, or (result, detail)."""
        try:
            said = work(*given)
            result, detail = said if isinstance(said, tuple) else (GOOD, said)
        except (Wrong, Missing) as error:
            result, detail = BAD, str(error)
        except MALFORMED as error:
            result, detail = BAD, f"los datos no tienen la forma esperada ({error})"
        self.report.add(key, title, result, detail)
        if result == BAD and needed:
            raise _Stop
        return bool(result != BAD)

    def run(self) -> Report:
        """All the checks. Raises Unreadable when there is nothing to verify."""
        try:
            self._whole() if not isinstance(self.source, ZipSource) else self._zip()
        except _Stop:
            pass
        except MALFORMED as error:
            told = f"lo firmado no tiene la forma esperada ({error})"
            self.report.add("forma", "Forma de lo publicado", BAD, told)
        facts = self.report.facts
        if self.options.kept is not None and self.report.verified and self.leaves:
            data = kept_bytes(
                self.key.vkey, self.note, self.leaves, self.names, list(dict.fromkeys(self.listed))
            )
            temporary = self.options.kept.with_name(self.options.kept.name + ".tmp")
            try:
                temporary.write_bytes(data)
                temporary.replace(self.options.kept)
            except OSError as error:
                raise Unreadable(f"no se puede guardar {self.options.kept}: {error.strerror}") from error
            facts["guardado"] = str(self.options.kept)
        self.report.limits += [
            "que las cifras sean las del papel: para eso está la imagen de cada acta",
        ]
        return self.report

    # -- a whole publication: an address or a folder

    def _whole(self) -> None:
        data, note = self._both()
        self.check("puntero", "Puntero", self._pointer, data, needed=True)
        self.check("punto_de_control", "Punto de control", self._checkpoint, note, needed=True)
        self._signatures()
        if self.behind:
            raise Unreadable(
                "el sitio da un puntero más nuevo que su punto de control: se está actualizando; vuelva a "
                "intentarlo en un minuto, y si sigue así avise al instituto"
            )
        self.check("bitacora", "Bitácora completa", self._log, needed=True)
        self.check("secuencia", "Orden de la bitácora", self._sequence)
        self.check("guardado", "Lo que usted guardó", self._kept)
        if self.options.against:
            self.check("contra", f"Comparación con {self.options.against}", self._against)
        self.check("emision", "Emisión del corte", self._emission, needed=True)
        self.check("coherencia", "Puntero y emisión", self._coherent)
        self.check("sello", "Sello de tiempo", self._stamp)
        self._cut("cortes/{:04d}/".format(self.entry["corte"]), some=False)
        self.check("avisos", "Avisos y huecos", self._notices)
        for contest in sorted(self.entry["contiendas"]):
            self.check("arbol", f"Resultados por nivel de {contest}", self._tree, contest)
        self.check("actas", "Árbol de actas", self._all_actas)
        self.check("imagenes", "Imágenes de las actas", self._all_images)
        self.check("cortes", "Todos los cortes", self._all_cuts)
        self._asked()

    def _both(self) -> tuple[bytes, bytes]:
        """The pointer and a checkpoint of the same moment or a later one, if the site gives them.

        A cache may give for some seconds the checkpoint of before with the pointer of after.
        """
        for wait in (*CACHED_S, None):
            data = self.source.get("corte.json", 64 << 10)
            note = self.source.get("checkpoint", 64 << 10)
            if not isinstance(self.source, UrlSource) or not _behind(note, data):
                return data, note
            if wait is not None:
                time.sleep(wait)
        self.behind = True
        return data, note

    def _pointer(self, data: bytes) -> str:
        self.pointer = parse_json(data, "corte.json")
        number, base = self.pointer["corte"], self.pointer["base"]
        if base != f"cortes/{number:04d}/" or self.pointer["emision"] != f"emisiones/{number:04d}.json":
            raise Wrong(f"corte.json apunta a rutas que no son las de su corte {number}")
        if self.pointer.get("difusion") not in (None, f"difusion/{number:04d}.zip"):
            raise Wrong(f"corte.json da otro paquete de difusión que el de su corte {number}")
        self.report.facts.update(
            corte=number, instante=self.pointer.get("instante"), ultimo=bool(self.pointer.get("ultimo"))
        )
        return "corte {} de {}{}".format(
            number, self.pointer.get("instante"), ", el último" if self.pointer.get("ultimo") else ""
        )

    def _checkpoint(self, data: bytes) -> str:
        self.note = parse_note(data)
        mode = self.note.origin.rsplit("/", 1)[-1]
        if mode not in ("oficial", "simulacro"):
            raise Wrong(f"el origen «{self.note.origin}» no dice si es oficial o simulacro")
        self.mode = mode
        self.report.facts.update(
            origen=self.note.origin, modo=mode, tamano=self.note.size, raiz=self.note.root.hex()
        )
        return f"{self.note.size} entradas, origen {self.note.origin}"

    def _signatures(self) -> None:
        self.keys: dict[str, Any] = {}
        self.kept: Kept | None = None
        self.check("llaves", "Llaves publicadas", self._published_keys)
        self.check("modo", "Modo", self._mode, needed=True)
        self.check("llave", "Llave", self._choose_key, needed=True)
        self.check("firma", "Firma del punto de control", self._signature, needed=True)
        self.check("testigos", "Testigos", self._witnesses)

    def _published_keys(self) -> Any:
        try:
            raw = self.source.get("llaves.json")
        except Missing:
            return NOTED, "no trae llaves.json; hace falta una llave dada o guardada"
        self.keys = parse_json(raw, "llaves.json")
        if self.keys["origen"] != self.note.origin or self.keys["modo"] != self.mode:
            raise Wrong(
                "llaves.json es de «{}» ({}) y el punto de control de «{}»".format(
                    self.keys["origen"], self.keys["modo"], self.note.origin
                )
            )
        return "{} de {}".format(len(self.keys["llaves"]), self.keys["origen"])

    def _mode(self) -> str:
        said = getattr(self, "pointer", {}).get("modo", self.mode)
        if said != self.mode:
            raise Wrong(
                "corte.json dice «{}» y lo firmado es «{}»: {}".format(
                    said,
                    self.mode,
                    "un simulacro presentado como oficial" if said == "oficial" else "no corresponden",
                )
            )
        if self.options.mode and self.options.mode != self.mode:
            raise Wrong(
                "usted pidió una publicación de modo «{}» y ésta es «{}»{}".format(
                    self.options.mode,
                    self.mode,
                    ": sus datos son ficticios" if self.mode == "simulacro" else "",
                )
            )
        return "simulacro: los datos son ficticios" if self.mode == "simulacro" else "oficial"

    def _choose_key(self) -> Any:
        if self.options.kept is not None and self.options.kept.exists():
            self.kept = read_kept(read_file(self.options.kept, 64 << 20))
        if self.options.key:
            text = key_text(self.options.key)
            self.key, whence, result = parse_key(text), "la que usted dio", GOOD
        elif self.kept is not None:
            self.key, whence, result = parse_key(self.kept.vkey), "la que usted guardó", GOOD
        else:
            now = [item for item in self.keys.get("llaves", []) if item.get("hasta_ms") is None]
            if not now:
                raise Wrong("no hay llave con qué comprobar: use --llave")
            self.key, result = parse_key(now[-1]["vkey"]), NOTED
            whence = (
                "tomada del mismo sitio: prueba que el sitio es coherente consigo mismo, no quién lo firma; "
                "compárela con la que difundió el instituto y désela con --llave"
            )
        self.trust = self.key
        self.report.facts["llave"] = self.key.vkey
        if self.key.name != self.note.origin:
            extra = ""
            if self.key.name.endswith("/simulacro") and self.mode == "oficial":
                extra = ": es una llave de simulacro en una publicación que se dice oficial"
            elif self.key.name.endswith("/oficial") and self.mode == "simulacro":
                extra = ": es un simulacro, no la publicación oficial"
            raise Wrong(f"la llave es de «{self.key.name}» y lo publicado de «{self.note.origin}»{extra}")
        return result, f"{self.key.vkey} ({whence})"

    def _signature(self) -> str:
        if signed_by(self.note, self.key):
            return f"válida, de {self.key.name}"
        # A ZIP has no log to show that one key handed over to another.
        listed = [] if isinstance(self.source, ZipSource) else self.keys.get("llaves", [])
        for item in listed:
            other = parse_key(item["vkey"])
            # The log says which key follows which; `_log` demands that the trusted one signed that entry.
            if other.name == self.key.name and signed_by(self.note, other):
                self.key = other
                return f"válida, de la llave {other.ident.hex()}; su relevo se comprueba en la bitácora"
        raise Wrong(
            f"la firma del punto de control no es de la llave {self.key.vkey}"
            + (
                "; si la llave cambió, un ZIP no trae el relevo: verifique la dirección completa"
                if isinstance(self.source, ZipSource)
                else ""
            )
        )

    def _witnesses(self) -> Any:
        listed = [parse_key(w["vkey"]) for w in self.keys.get("testigos", [])]
        given = [parse_key(key_text(text)) for text in self.options.witnesses]
        if any(key.kind != 4 for key in [*listed, *given]):
            raise Wrong("hay una llave de testigo que no es de testigo")
        before = [parse_key(vkey) for vkey in (self.kept.witnesses if self.kept else [])]
        gone = [key for key in before if key.vkey not in {one.vkey for one in listed}]
        self.listed = [key.vkey for key in [*listed, *gone]]
        known = given or [*listed, *gone]
        asked = min(self.keys.get("umbral", 0), len(known))
        required = self.options.required
        if required is not None:
            asked = required if required >= 0 else max(asked, 1)
        if isinstance(self.source, ZipSource) and required is None:
            return SKIPPED, "un ZIP se arma antes de que firmen los testigos: véalos en el portal"
        if not known and required is None:
            return SKIPPED, "esta publicación no tiene testigos"
        moments = {key.name: cosigned_at(self.note, key) for key in known}
        signed = sorted(name for name, moment in moments.items() if moment is not None)
        self.report.facts["testigos"] = {
            "de": len(known), "con": len(signed), "umbral": asked, "cofirmaron": signed,
        }  # fmt: skip
        told = f"{len(signed)} de {len(known)} testigos cofirmaron"
        if signed:
            latest = max(moment for moment in moments.values() if moment is not None)
            told += f": {', '.join(signed)} (el último, {utc(latest)})"
        if not given and known:
            told += "; sus llaves son las que da el mismo sitio"
        if gone and not given:
            told += f"; el sitio ya no lista a {', '.join(key.name for key in gone)}, que usted vio antes"
        if len(signed) >= asked:
            return (NOTED, told) if gone and not given else told
        told += f"; se esperaban {asked}"
        if required is not None:
            raise Wrong(told)
        return NOTED, told + " (la publicación no espera a los testigos; vuelva a mirar en unos minutos)"

    def _log(self) -> str:
        raw = read_log(self.source, self.note.size)
        self.entries = [parse_json(entry, f"la entrada {i}") for i, entry in enumerate(raw)]
        self.leaves = [leaf_hash(entry) for entry in raw]
        self.raw = raw
        self.names = [entry_name(entry) for entry in self.entries]
        if tree_root(self.leaves) != self.note.root:
            raise Wrong("las entradas de la bitácora no dan la raíz firmada: fueron cambiadas o falta alguna")
        tiles = check_tiles(self.source, self.leaves)
        changes = self._rotation()
        told = f"{len(raw)} entradas dan la raíz firmada; {tiles} losetas"
        return told + (f"; {changes} cambio(s) de llave, firmados por la anterior" if changes else "")

    def _rotation(self) -> int:
        """Follow the changes of key from the trusted one to the one that signs; how many. Raises Wrong.

        Each is an entry of the log, and the old key signed a checkpoint that has it (`relevos/`).
        """
        here, followed = self.trust, 0
        for index, entry in enumerate(self.entries):
            if entry.get("clase") != "llave" or entry.get("anterior") != here.vkey:
                continue
            if here == self.key and index == self.note.size - 1:
                break
            new = parse_key(entry["nueva"])
            if new.name != self.note.origin or new.kind != 1:
                raise Wrong(f"la entrada {index} pasa la firma a una llave de «{new.name}»")
            self._handed_over(index, here)
            here, followed = new, followed + 1
        if here == self.key:
            return followed
        if followed and self.key == self.trust:
            raise Wrong("la llave que firma fue sustituida dentro de la bitácora y ya no debía firmar")
        raise Wrong(
            "la firma no es de la llave en que usted confía, y nada firmado por ella pasa la firma a otra"
        )

    def _handed_over(self, index: int, old: Key) -> None:
        """The old key signed the log with the entry that retires it. Raises Wrong."""
        name = f"relevos/{index:04d}.txt"
        try:
            note = parse_note(self.source.get(name), name)
        except Missing:
            if self.note.size != index + 1:
                raise Wrong(
                    f"la llave cambió en la entrada {index} y falta {name}, la nota en que la anterior lo "
                    "firma: pida la llave nueva por otro medio y désela con --llave"
                ) from None
            note = self.note
        if (note.origin, note.size) != (self.note.origin, index + 1):
            raise Wrong(f"{name} es de otra bitácora o de otro momento")
        if tree_root(self.leaves[: note.size]) != note.root:
            raise Wrong(f"BIFURCACIÓN: {name} firma otra historia que la de esta bitácora")
        if not signed_by(note, old):
            raise Wrong(f"el cambio de llave de la entrada {index} no lo firmó la llave anterior")

    def _sequence(self) -> str:
        wrong = check_sequence(self.entries, self.note.origin)
        if wrong:
            raise Wrong("; ".join(wrong[:5]))
        cuts = sum(1 for e in self.entries if e.get("clase") == "emision")
        closed = any(e.get("clase") == "cierre" for e in self.entries)
        self.report.facts.update(cortes=cuts, cerrada=closed)
        return "{} cortes seguidos, sin faltar ninguno{}".format(
            cuts, "; cerrada y congelada" if closed else ""
        )

    def _kept(self) -> Any:
        if self.kept is None and self.options.kept is not None:
            return SKIPPED, "es la primera vez: si todo verifica, se guarda para la próxima"
        if self.kept is None:
            return (
                SKIPPED,
                "no dio una copia anterior: use --guardado ARCHIVO y consérvelo para la próxima vez",
            )
        if self.kept.origin != self.note.origin:
            raise Wrong(f"lo que usted guardó es de «{self.kept.origin}»")
        return compare_kept(self.kept, self.leaves, self.names)

    def _against(self) -> Any:
        """Another portal, a difusor or a checkpoint somebody kept: the same story, or two."""
        what, path = self.options.against, Path(self.options.against)
        entries: list[bytes] | None = None
        if path.is_file() and path.name != "corte.json":
            other = parse_note(read_file(path, SMALL), path.name)
        else:
            source = open_source(what)
            other = parse_note(source.get("checkpoint", 64 << 10), f"el punto de control de {what}")
        if other.origin != self.note.origin:
            raise Wrong(f"{what} es de «{other.origin}»: es otra publicación y no se compara")
        known = [self.key, self.trust, *(parse_key(item["vkey"]) for item in self.keys.get("llaves", []))]
        if not any(signed_by(other, key) for key in known if key.name == other.origin):
            raise Wrong(f"el punto de control de {what} no lo firmó ninguna llave de esta publicación")
        if not path.is_file() or path.name == "corte.json":
            entries = read_log(source, other.size)
        return compare_logs(self.note, self.leaves, other, entries)

    def _stamp(self) -> Any:
        key = "sellos/{:04d}.tsr".format(self.entry["corte"])
        try:
            data = self.source.get(key)
        except Missing:
            if self.pointer.get("sello"):
                raise Wrong(f"corte.json dice que hay sello de tiempo y falta {key}") from None
            return SKIPPED, "este corte no tiene sello de tiempo"
        stamp = read_stamp(data)
        bundle = parse_json(self.source.get(self.pointer["emision"]), self.pointer["emision"])
        if stamp.digest != hashlib.sha256(bundle["checkpoint"].encode()).digest():
            raise Wrong(f"{key} es el sello de otra cosa: su huella no es la del punto de control del corte")
        self.report.facts["sellado_ms"] = stamp.at_s * 1000
        self.report.limits.append(
            "de quién es el sello de tiempo: la firma de la autoridad se comprueba con openssl ts -verify"
        )
        return f"es de este corte y dice que ya existía el {utc(stamp.at_s)}"

    def _emission(self) -> Any:
        index, number = self.pointer["hoja"], self.pointer["corte"]
        cuts = {e["corte"]: i for i, e in enumerate(self.entries) if e.get("clase") == "emision"}
        if cuts.get(number) != index:
            raise Wrong(f"la bitácora no tiene el corte {number} en la entrada {index} que dice corte.json")
        self.entry = self.entries[index]
        bundle = parse_json(self.source.get(self.pointer["emision"]), self.pointer["emision"])
        if self._bundle(bundle) != self.raw[index]:
            raise Wrong("{} trae otra emisión que la de la bitácora".format(self.pointer["emision"]))
        size = bundle["tamano"]
        if (
            size > len(self.leaves)
            or tree_root(self.leaves[:size]) != parse_note(bundle["checkpoint"].encode()).root
        ):
            raise Wrong(f"la prueba del corte {number} es de otra bitácora: hay dos versiones firmadas")
        late = max(cuts) - number
        told = "es la entrada {} y su prueba de {} bytes es correcta".format(
            index, 32 * len(bundle["prueba"])
        )
        return told if late == 0 else (NOTED, told + f"; la bitácora ya tiene {late} corte(s) posterior(es)")

    def _bundle(self, bundle: dict[str, Any]) -> bytes:
        """The entry of a proof bundle, once its inclusion and signature hold."""
        entry, note = _b64(bundle["entrada"]), parse_note(bundle["checkpoint"].encode(), "la emisión")
        proof = [bytes.fromhex(item) for item in bundle["prueba"]]
        if note.origin != self.note.origin or note.size != bundle["tamano"]:
            raise Wrong("el punto de control de la emisión no es de esta bitácora o de ese tamaño")
        if root_from_proof(leaf_hash(entry), bundle["hoja"], note.size, proof) != note.root:
            raise Wrong("la prueba de inclusión de la emisión no lleva a la raíz firmada")
        listed = [parse_key(item["vkey"]) for item in self.keys.get("llaves", [])]
        if not any(
            signed_by(note, key) for key in [self.key, self.trust, *listed] if key.name == note.origin
        ):
            raise Wrong("el punto de control de la emisión no está firmado por una llave de esta publicación")
        return entry

    def _coherent(self) -> str:
        for name in ("modo", "entidad", "eleccion", "corte", "instante_ms", "ultimo", "manifiesto_sha256"):
            if self.pointer[name] != self.entry[name]:
                raise Wrong(
                    f"corte.json dice {name} = {self.pointer[name]} y lo firmado es {self.entry[name]}"
                )
        told = self.pointer["bitacora"]
        if told["tamano"] > self.note.size:
            raise Wrong(
                "corte.json habla de {} entradas y el punto de control de {}".format(
                    told["tamano"], self.note.size
                )
            )
        if (
            told["origen"] != self.note.origin
            or tree_root(self.leaves[: told["tamano"]]).hex() != told["raiz"]
        ):
            raise Wrong("la bitácora que dice corte.json no es la firmada")
        return "dicen lo mismo"

    def _cut(self, base: str, *, some: bool) -> None:
        """The manifest, every file by its hash, and the header of each CSV."""
        self.check("manifiesto", "Manifiesto", self._manifest, base, needed=True)
        self.check("archivos", "Archivos del corte", self._files, base, some)
        for contest in sorted(self.entry["contiendas"]):
            title = f"Encabezado de {contest}"
            self.check("encabezado", title, self._header, base, contest, some)
        if not some:
            self.check("portal", "Lo que enseña el portal", self._portal)

    def _manifest(self, base: str) -> str:
        data = self.source.get(base + "manifiesto.json")
        if sha256_hex(data) != self.entry["manifiesto_sha256"]:
            raise Wrong("manifiesto.json no es el firmado en la emisión: fue cambiado")
        manifest = parse_json(data, "manifiesto.json")
        for name in ("modo", "corte", "instante_ms", "ultimo", "seq_high", "catalogo_sha256"):
            if manifest[name] != self.entry[name]:
                raise Wrong(
                    f"el manifiesto dice {name} = {manifest[name]} y lo firmado es {self.entry[name]}"
                )
        if manifest["raices_json"] != {c: v["raiz"] for c, v in self.entry["contiendas"].items()}:
            raise Wrong("las raíces de resultados del manifiesto no son las firmadas")
        self.manifest = manifest
        self.files = {item["ruta"]: item for item in manifest["archivos"]}
        index = self.source.get(base + "indice.json", 4 << 20)
        if sha256_hex(index) != self.files["indice.json"]["sha256"]:
            raise Wrong("el archivo indice.json fue cambiado: su huella no es la del manifiesto")
        self.index = parse_json(index, "indice.json")
        if self.index["modo"] != self.entry["modo"]:
            raise Wrong(
                "indice.json dice «{}» y lo firmado es «{}»".format(self.index["modo"], self.entry["modo"])
            )
        return f"es el firmado; nombra {len(self.files)} archivos"

    def _portal(self) -> Any:
        """The pointer leads the portal to what the signed manifest names, with the signed figures."""
        signed = dict(self.manifest, indice_sha256=self.files["indice.json"]["sha256"])
        for name in ("portal", "instante", "indice_sha256"):
            if self.pointer.get(name) != signed.get(name):
                raise Wrong(
                    f"corte.json dice {name} = {self.pointer.get(name)} y lo firmado es {signed.get(name)}"
                )
        if signed.get("portal") is None:
            return SKIPPED, "este corte no trae datos para el portal"
        shown = self._object(signed["portal"])
        for name in ("modo", "corte", "instante", "instante_ms", "ultimo"):
            if shown[name] != signed[name]:
                raise Wrong(f"el portal dice {name} = {shown[name]} y lo firmado es {signed[name]}")
        mine = {c["id"]: {"raiz": c["raiz"], "encabezado": c["encabezado"]} for c in shown["contiendas"]}
        if mine != self.entry["contiendas"]:
            raise Wrong("los encabezados que enseña el portal no son los firmados")
        for contest in shown["contiendas"]:
            votes = self._object(contest["raiz"])["votos"]
            if contest["por_columna"] != votes:
                raise Wrong("los votos de {} que enseña el portal no son los firmados".format(contest["id"]))
            if sum(votes) != int(contest["encabezado"]["TOTAL_VOTOS_C_CS"]):
                raise Wrong("los votos de {} no suman su total".format(contest["id"]))
        return "sus encabezados y sus votos son los firmados"

    def _files(self, base: str, some: bool) -> Any:
        absent, changed, size, held = [], [], 0, {}
        for name in sorted(self.files):
            try:
                data = self.source.get(base + safe_key(name), LARGE)
            except Missing:
                absent.append(name)
                continue
            size += len(data)
            if len(data) != self.files[name]["bytes"]:
                changed.append(
                    "{} (tiene {} bytes y debe tener {})".format(name, len(data), self.files[name]["bytes"])
                )
            elif sha256_hex(data) != self.files[name]["sha256"]:
                changed.append(f"{name} (su huella SHA-256 no es la del manifiesto)")
            elif name.endswith(".zip"):
                held[name] = data
        if changed:
            raise Wrong("archivo cambiado: " + "; ".join(changed))
        if absent and not some:
            raise Wrong("faltan archivos del corte: " + ", ".join(absent))
        for name, data in held.items():
            self._inner(name, data)
        told = f"{len(self.files) - len(absent)} con su huella correcta ({size / 1e6:.1f} MB)"
        return (NOTED, told + "; no vienen: " + ", ".join(absent)) if absent else told

    def _inner(self, name: str, data: bytes) -> None:
        """What a ZIP of the cut holds is the same that is published outside it."""
        inner = ZipSource(data, name)
        for member in inner.names():
            if member in self.files and sha256_hex(inner.get(member, LARGE)) != self.files[member]["sha256"]:
                raise Wrong(f"{member} dentro de {name} no es el mismo que el publicado")

    def _header(self, base: str, contest: str, some: bool) -> Any:
        name = self.index["contiendas"][contest]["csv"]
        try:
            data = self.source.get(base + safe_key(name), LARGE)
        except Missing:
            if some:
                return SKIPPED, f"{name} no viene"
            raise
        table = parse_csv(data)
        self.tables[contest] = table
        found = recount(table, bool(self.entry["ultimo"]))
        wrong = differences(table.header, found, "el encabezado de " + name)
        wrong += differences(self.entry["contiendas"][contest]["encabezado"], found, "lo firmado")
        if wrong:
            raise Wrong("; ".join(wrong[:4]))
        if self.mode == "oficial" and "SIMULACRO" in plain(table.title):
            raise Wrong(f"{name} dice SIMULACRO en una publicación oficial")
        return f"los 13 contadores salen de las {len(table.rows):,} filas de {name}"

    def _notices(self) -> Any:
        bad = []
        for raw, entry in zip(self.raw, self.entries):
            if entry.get("clase") != "aviso":
                continue
            kind = NOTICE_NAMES.get(entry["tipo"], entry["tipo"])
            self.report.notices.append(
                dict(entry, texto="{}. {}: {}".format(entry["numero"], kind, entry.get("motivo", "")))
            )
            key = "avisos/{:04d}.json".format(entry["numero"])
            try:
                data = self.source.get(key)
                copy = parse_json(data, key)
                same = _b64(copy["entrada"]) == raw if "entrada" in copy else canonical(copy) == raw
            except Missing:
                same = False
            if not same:
                bad.append(key)
            self._listed(entry)
        said, n = self.pointer.get("avisos", 0), len(self.report.notices)
        if bad:
            raise Wrong("falta o no es el firmado: " + ", ".join(bad))
        if said > n:
            raise Wrong(f"corte.json dice {said} avisos y la bitácora tiene {n}")
        gaps = self._silences()
        if gaps:
            return NOTED, "{} aviso(s); sin aviso: {}".format(n, "; ".join(gaps[:5]))
        return f"{n} aviso(s) firmados; ningún hueco sin aviso"

    def _listed(self, notice: dict[str, Any]) -> None:
        """The list of actas sin acta of an early close is the signed one. Raises Wrong."""
        digest = notice["detalle"].get("lista_sha256")
        if digest is None:
            return
        wrong = f"la lista de actas sin acta del aviso {notice['numero']} no es la firmada"
        if notice["detalle"].get("lista") != f"objetos/{digest[:2]}/{digest}.json":
            raise Wrong(wrong)
        try:
            data = self.source.get(notice["detalle"]["lista"], LARGE)
        except Missing:
            raise Wrong(f"falta la lista de actas sin acta del aviso {notice['numero']}") from None
        if sha256_hex(data) != digest:
            raise Wrong(wrong)

    def _silences(self) -> list[str]:
        """Stretches of more than twenty minutes without a cut and without a notice (RE 339)."""
        times = [(e["instante_ms"], e["corte"]) for e in self.entries if e.get("clase") == "emision"]
        covered = [(n["desde_ms"], n["hasta_ms"] or 1 << 60) for n in self.report.notices]
        told = []
        for (before, first), (after, second) in zip(times, times[1:]):
            minutes = (after - before) / 60_000
            if minutes > 20 and not any(since <= after and until >= before for since, until in covered):
                told.append(f"{minutes:.1f} min entre los cortes {first} y {second}")
        return told

    # -- the actas

    def _object(self, name: str) -> dict[str, Any]:
        if not re.fullmatch(r"[0-9a-f]{64}", name):
            raise Wrong(f"«{name}» no es el nombre de un objeto")
        data = self.source.get(f"objetos/{name[:2]}/{name}.json", 64 << 20)
        if sha256_hex(data) != name:
            raise Wrong(f"el objeto {name[:16]}… fue cambiado: su contenido no da su nombre")
        return parse_json(data, "el objeto " + name[:16])

    @property
    def _walks(self) -> bool:
        return self.options.complete or isinstance(self.source, DirSource)

    def _tree(self, contest: str) -> Any:
        signed = self.entry["contiendas"][contest]
        top = self._object(signed["raiz"])
        if top["modo"] != self.mode or top["contienda"] != contest:
            raise Wrong("los resultados son de {} ({})".format(top["contienda"], top["modo"]))
        if top["contadores"] != signed["encabezado"]:
            raise Wrong("los contadores de la entidad no son los firmados")
        rows = self._rows_of(contest, top)
        self.codes[contest] = [column["codigo"] for column in top["columnas"]]
        objects, total = 1, [0] * len(top["votos"])
        for item in top.get("fuera_de_catalogo", []):
            self._leaf(contest, item)
        with ThreadPoolExecutor(8) as pool:
            for territory, name in (pair[:2] for pair in top["territorios"]):
                place = self._object(name)
                objects += 1
                total = [a + b for a, b in zip(total, place["votos"])]
                if not self._walks:
                    continue
                below = [0] * len(total)
                names = [pair[1] for pair in place["secciones"]]
                found = (
                    pool.map(self._object, names)
                    if isinstance(self.source, UrlSource)
                    else map(self._object, names)
                )
                for section in found:
                    objects += 1
                    below = [a + b for a, b in zip(below, section["votos"])]
                    self._section(contest, section, rows)
                if below != place["votos"]:
                    raise Wrong(f"las secciones del territorio {territory} no suman sus votos")
        if total != top["votos"]:
            raise Wrong("los territorios no suman los votos de la entidad")
        if self._walks and rows:
            left = [(key, row[1]) for key, same_key in rows.items() for row in same_key]
            extra = [key for key, kind in left if kind != "2"]
            if extra or len(left) != len(top.get("fuera_de_catalogo", [])):
                raise Wrong(
                    "el CSV de {} tiene filas que no están en los objetos: {}".format(
                        contest, ", ".join(extra[:5]) or "las de fuera de catálogo"
                    )
                )
        if self._walks:
            return f"{objects} objetos llegan a la raíz firmada, suman, y sus actas dicen lo mismo que el CSV"
        return (
            NOTED,
            f"{objects} objetos (entidad y territorios) suman; --completo revisa cada sección",
        )

    def _rows_of(self, contest: str, top: dict[str, Any]) -> dict[str, list[tuple[list[str], str, str]]]:
        """The votes in the order of the objects, the CONTABILIZADA and the image of each row, by acta.

        Those of voto anticipado have no section, and several of them may bear the same key.
        """
        table = self.tables.get(contest)
        if table is None or "CLAVE_ACTA" not in table.columns:
            return {}
        codes = [column["codigo"] for column in top["columnas"]]
        names = table.columns[table.first : table.end]
        if set(codes) == set(names):
            order = [table.first + names.index(code) for code in codes]
        elif len(codes) == len(names):
            order = list(range(table.first, table.end))
        else:
            return {}
        key, kind = table.column("CLAVE_ACTA"), table.column("CONTABILIZADA")
        image = next((i for i, n in enumerate(table.columns) if n.startswith("CODIGO_INTEGRIDAD")), kind)
        rows: dict[str, list[tuple[list[str], str, str]]] = {}
        for row in table.rows:
            mine = ([row[i] for i in order], row[kind], row[image])
            rows.setdefault(row[key].strip("'= \""), []).append(mine)
        return rows

    def _section(self, contest: str, section: dict[str, Any], rows: dict[str, Any]) -> None:
        total = [0] * len(section["votos"])
        for acta in section["actas"]:
            self._leaf(contest, acta)
            counted = acta.get("contabilizada") is True
            if counted:
                total = [a + (b if isinstance(b, int) else 0) for a, b in zip(total, acta["votos"])]
            same_key = rows.get(acta["acta"])
            if same_key is None:
                if rows:
                    raise Wrong("el acta {} está en los objetos y no en el CSV".format(acta["acta"]))
                continue
            mine = next((i for i, row in enumerate(same_key) if _same_acta(acta, counted, *row)), None)
            if mine is None:
                told = _told_apart(self.codes[contest], acta, same_key[0][0] if same_key else None)
                raise Wrong(
                    "el acta {} dice una cosa en el CSV y otra en los objetos{}".format(acta["acta"], told)
                )
            same_key.pop(mine)
        if total != section["votos"]:
            raise Wrong("las actas de la sección {} no suman sus votos".format(section.get("seccion")))

    def _leaf(self, contest: str, acta: dict[str, Any]) -> bytes:
        leaf = leaf_hash(canonical({"acta": acta, "contienda": contest}))
        if isinstance(acta.get("hoja"), int):
            self.acta_leaves[acta["hoja"]] = leaf
        if acta.get("imagen") and acta.get("imagen_archivo"):
            key = acta["acta"] or "fuera de catálogo"
            self.images[acta["imagen"]] = Shown(key, acta["imagen_archivo"], acta.get("imagen_vista"))
        return leaf

    def _all_actas(self) -> Any:
        size = self.entry["actas"]["hojas"]
        if not self._walks:
            return SKIPPED, f"son {size} actas; --completo las revisa todas, --acta CLAVE una"
        if any(step.key == "arbol" and step.result == BAD for step in self.report.steps):
            return SKIPPED, "la revisión de los resultados por nivel se detuvo antes de leerlas todas"
        leaves = (
            [self.acta_leaves[i] for i in range(size)] if set(self.acta_leaves) == set(range(size)) else []
        )
        if len(leaves) != size:
            raise Wrong(f"los objetos tienen {len(self.acta_leaves)} actas y lo firmado dice {size}")
        if tree_root(leaves).hex() != self.entry["actas"]["raiz"]:
            raise Wrong("las actas de los objetos no dan la raíz firmada")
        return f"las {size:,} actas dan la raíz firmada"

    def _all_images(self) -> Any:
        """Every original and every view the objects say are published have the fingerprints they say."""
        if not self._walks:
            return SKIPPED, "--completo las revisa todas, --acta CLAVE la de una"
        with ThreadPoolExecutor(8) as pool:
            found = [told for pair in pool.map(self._shown, sorted(self.images.items())) for told in pair]
        changed = [told for told in found if told not in ("", ABSENT)]
        if changed:
            raise Wrong("; ".join(changed[:5]))
        if not self.images:
            return SKIPPED, "este corte no publica imágenes"
        good, absent = found.count(""), found.count(ABSENT)
        told = f"{good:,} archivos de {len(self.images):,} imágenes tienen la huella publicada"
        return (NOTED, f"{told}; faltan {absent} que deberían estar") if absent else told

    def _shown(self, item: tuple[str, Shown]) -> list[str]:
        """What is wrong with an original and with its view, each "" when it is what the acta says."""
        image, shown = item
        if not re.fullmatch(r"[0-9a-f]{64}", image):
            return [f"la huella de la imagen del acta {shown.acta} no es un SHA-256"]
        told = []
        wanted = [(f"imagenes/{image[:2]}/{image}.{shown.suffix}", image, "imagen")]
        if shown.view:
            wanted.append((f"vistas/{image[:2]}/{image}.webp", shown.view, "vista de la imagen"))
        for key, digest, what in wanted:
            try:
                same = sha256_hex(self.source.get(key, 64 << 20)) == digest
            except Missing:
                told.append(ABSENT)
                continue
            wrong = f"la {what} del acta {shown.acta} fue cambiada: su huella no es la publicada"
            told.append("" if same else wrong)
        return told

    def _all_cuts(self) -> Any:
        """Every cut the log names is there whole: its manifest and files, its proof and its package."""
        cuts = [
            (index, entry)
            for index, entry in enumerate(self.entries)
            if entry.get("clase") == "emision" and entry["corte"] <= self.pointer["corte"]
        ]
        if not self._walks:
            return SKIPPED, f"son {len(cuts)}; --completo revisa que estén sus archivos y sean los firmados"
        with ThreadPoolExecutor(4) as pool:
            wrong = [told for told in pool.map(lambda pair: self._cut_of(*pair), cuts) if told]
        if wrong:
            raise Wrong("; ".join(wrong[:5]))
        return f"los {len(cuts)} están enteros, con los archivos que se firmaron"

    def _cut_of(self, index: int, entry: dict[str, Any]) -> str:
        """What is wrong with a cut of the log; "" when nothing is."""
        number = entry["corte"]
        base, proof = f"cortes/{number:04d}/", f"emisiones/{number:04d}.json"
        manifest, package = base + "manifiesto.json", f"difusion/{number:04d}.zip"
        try:
            data = self.source.get(manifest)
            if sha256_hex(data) != entry["manifiesto_sha256"]:
                return f"el manifiesto del corte {number} no es el firmado"
            # Those of the cut shown were looked at before.
            earlier = number != self.pointer["corte"]
            for item in parse_json(data, "manifiesto.json")["archivos"] if earlier else ():
                if sha256_hex(self.source.get(base + safe_key(item["ruta"]), LARGE)) != item["sha256"]:
                    return "el archivo {} del corte {} fue cambiado".format(item["ruta"], number)
            if _b64(parse_json(self.source.get(proof), proof)["entrada"]) != self.raw[index]:
                return f"{proof} trae otra emisión que la de la bitácora"
            if self.pointer.get("difusion") is not None:
                return self._package(package, manifest, entry["manifiesto_sha256"])
        except Missing as error:
            return f"del corte {number}, {error}"
        return ""

    def _package(self, package: str, manifest: str, digest: str) -> str:
        """What is wrong with a package for difusores. That the site refuses it is not: Unreadable goes up."""
        data = self.source.get(package, LARGE)
        try:
            same = sha256_hex(ZipSource(data, package).get(manifest)) == digest
        except Unreadable as error:
            return f"{package}: {error}" if package not in str(error) else str(error)
        return "" if same else f"{package} trae otro manifiesto que el firmado"

    def _asked(self) -> None:
        """What the user asked about: an acta, a casilla, a photo or a file."""
        asked = (("acta", self.options.acta), ("casilla", self.options.casilla))
        for kind, key in asked:
            if key:
                self.check(kind, f"{kind.capitalize()} {key}", self._find, kind, key)
        if self.options.image is not None:
            path = self.options.image
            data = read_file(path, LARGE)
            self.check("imagen", f"Archivo {path.name}", lambda: self._lookup(path.name, sha256_hex(data)))

    def _find(self, kind: str, key: str) -> str:
        wanted = key.strip().strip("'").upper()
        hits = 0
        for contest in sorted(self.entry["contiendas"]):
            sections = self._sections_with(contest, kind, wanted)
            top = self._object(self.entry["contiendas"][contest]["raiz"])
            for _territory, name in (pair[:2] for pair in top["territorios"]):
                if sections == set():
                    break
                for pair in self._object(name)["secciones"]:
                    if sections is not None and pair[0] not in sections:
                        continue
                    for acta in self._object(pair[1])["actas"]:
                        if acta[kind].upper() == wanted:
                            self._prove(contest, acta, top)
                            hits += 1
        if not hits:
            raise Wrong(
                "no hay {} «{}» en este corte".format(
                    "ningún acta" if kind == "acta" else "ninguna casilla", key
                )
            )
        return f"{hits} acta(s) en el árbol firmado, con su prueba de inclusión"

    def _sections_with(self, contest: str, kind: str, wanted: str) -> Iterable[Any] | None:
        """The sections to look in, from the CSV; None when it does not say."""
        table = self.tables.get(contest)
        name = "CLAVE_ACTA" if kind == "acta" else "CLAVE_CASILLA"
        if table is None or name not in table.columns or "SECCION" not in table.columns:
            return None
        key, section = table.columns.index(name), table.columns.index("SECCION")
        found = {
            row[section].strip("'= \"") for row in table.rows if row[key].strip("'= \"").upper() == wanted
        }
        return {int(text) for text in found} if all(text.isdecimal() for text in found) else None

    def _prove(self, contest: str, acta: dict[str, Any], top: dict[str, Any]) -> None:
        """One acta: its inclusion in the signed tree and its image."""
        signed = self.entry["actas"]
        proof = self._proof(bytes.fromhex(signed["raiz"]), acta["hoja"], signed["hojas"])
        leaf = leaf_hash(canonical({"acta": acta, "contienda": contest}))
        if root_from_proof(leaf, acta["hoja"], signed["hojas"], proof) != bytes.fromhex(signed["raiz"]):
            raise Wrong("el acta {} no es la que está en el árbol firmado".format(acta["acta"]))
        told: dict[str, Any] = {
            "acta": acta["acta"],
            "contienda": contest,
            "casilla": acta["casilla"],
            "estado": acta["estado"],
            "hoja": acta["hoja"],
            "prueba": [item.hex() for item in proof],
            "bytes_de_prueba": 32 * len(proof),
        }
        if acta.get("votos"):
            codes = [column["codigo"] for column in top["columnas"]]
            told["votos"] = {c: v for c, v in zip(codes, acta["votos"]) if v is not None}
            told["contabilizada"] = acta["contabilizada"]
        image = acta.get("imagen")
        if image:
            told["imagen"] = image
            told["archivo_de_imagen"] = self._image(acta["acta"], image)
            told["vista_de_imagen"] = self._view(acta)
        self.report.actas.append(told)

    def _image(self, acta: str, image: str) -> str:
        if not re.fullmatch(r"[0-9a-f]{64}", image):
            raise Wrong(f"la huella de la imagen del acta {acta} no es un SHA-256")
        for suffix in ("jpg", "png"):
            key = f"imagenes/{image[:2]}/{image}.{suffix}"
            try:
                data = self.source.get(key, 64 << 20)
            except Missing:
                continue
            if sha256_hex(data) != image:
                raise Wrong(f"la imagen del acta {acta} fue cambiada: su huella no es la publicada")
            return key + " (su huella es la publicada)"
        return "no está publicada la imagen; solo su huella"

    def _view(self, acta: dict[str, Any]) -> str:
        """The reduced picture the portal shows is the one the signed acta names."""
        view = acta.get("imagen_vista")
        if not view:
            return "no tiene, o esta publicación no dice su huella"
        wrong = self._shown((acta["imagen"], Shown(acta["acta"], acta.get("imagen_archivo") or "jpg", view)))[
            1
        ]
        if wrong and wrong != ABSENT:
            raise Wrong(wrong)
        return "falta" if wrong else "su huella es la publicada"

    def _proof(self, root: bytes, index: int, size: int) -> list[bytes]:
        """The inclusion proof of an acta, from the tiles of the acta tree (256 hashes each)."""
        if not 0 <= index < size:
            raise Wrong(f"la hoja {index} no cabe en un árbol de {size}")
        levels = 1
        while 256**levels < size:
            levels += 1
        name = root
        proof: list[bytes] = []
        for level in range(levels - 1, -1, -1):
            data = self.source.get(f"hojas/{name.hex()[:2]}/{name.hex()}", 8192)
            children = [data[i : i + 32] for i in range(0, len(data), 32)]
            at = (index >> (8 * level)) & 0xFF
            if len(data) % 32 or tree_root(children) != name or at >= len(children):
                raise Wrong(f"la loseta {name.hex()[:16]}… del árbol de actas fue cambiada")
            proof = inclusion_path(children, at) + proof
            name = children[at]
        return proof

    def _lookup(self, name: str, digest: str) -> str:
        """What a file or photo of the user is, by its SHA-256. Raises Wrong when it is nothing published."""
        told: list[str] = []
        for contest, table in sorted(self.tables.items()):
            for row in table.rows:
                if digest in row:
                    key = row[table.columns.index("CLAVE_ACTA")].strip("'= \"") or "fuera de catálogo"
                    told.append(f"la imagen del acta {key} ({contest})")
                    self.report.found.append(
                        {"que": told[-1], "acta": key, "contienda": contest, "sha256": digest}
                    )
        if told and self.options.acta and not any(f["acta"] == self.options.acta for f in self.report.found):
            raise Wrong(f"«{name}» es {told[0]}, no la del acta {self.options.acta}")
        for entry in self.entries or [self.entry]:
            if entry.get("clase") == "emision":
                told += self._file_of(entry, digest)
        if not told:
            raise Wrong(f"«{name}» no es ninguna imagen ni archivo publicado: su huella {digest} no aparece")
        return "es " + "; ".join(told[:4])

    def _file_of(self, entry: dict[str, Any], digest: str) -> list[str]:
        try:
            data = self.source.get("cortes/{:04d}/manifiesto.json".format(entry["corte"]))
        except Missing:
            return []
        if sha256_hex(data) != entry["manifiesto_sha256"]:
            raise Wrong("el manifiesto del corte {} fue cambiado".format(entry["corte"]))
        told = []
        for item in parse_json(data, "manifiesto.json")["archivos"]:
            if item["sha256"] == digest:
                told.append("{} del corte {}".format(item["ruta"], entry["corte"]))
                self.report.found.append({"que": told[-1], "corte": entry["corte"], "sha256": digest})
        return told

    # -- a ZIP alone

    def _zip(self) -> None:
        names = self.source.names()
        bundles = [name for name in names if re.fullmatch(r"emisiones/\d{4}\.json", name)]
        if len(bundles) != 1:
            self._unsigned_zip(names)
            return
        self.check(
            "punto_de_control",
            "Punto de control",
            lambda: self._checkpoint(self._zip_note(bundles[0])),
            needed=True,
        )
        self._signatures()
        self.check("emision", "Emisión del corte", lambda: self._zip_emission(bundles[0]), needed=True)
        self.check("guardado", "Lo que usted guardó", self._zip_kept)
        self._cut("cortes/{:04d}/".format(self.entry["corte"]), some=True)
        self._zip_asked()
        self.report.limits += [
            "que la bitácora entera sea coherente ni que no falten cortes: eso se ve en el portal",
            "los resultados por nivel, las actas y sus imágenes: no vienen en el ZIP",
        ]

    def _zip_note(self, bundle: str) -> bytes:
        return str(parse_json(self.source.get(bundle), bundle)["checkpoint"]).encode()

    def _zip_emission(self, name: str) -> str:
        bundle = parse_json(self.source.get(name), name)
        entry = parse_json(self._bundle(bundle), "la emisión")
        if entry["clase"] != "emision" or "emisiones/{:04d}.json".format(entry["corte"]) != name:
            raise Wrong(f"{name} trae otra emisión")
        if entry["modo"] != self.mode:
            raise Wrong("la emisión es de modo «{}» en una bitácora de «{}»".format(entry["modo"], self.mode))
        self.entry, self.leaf = entry, leaf_hash(_b64(bundle["entrada"]))
        self.index_in_log = bundle["hoja"]
        self.report.facts.update(
            corte=entry["corte"], instante_ms=entry["instante_ms"], ultimo=entry["ultimo"]
        )
        return "el corte {} es la entrada {} de la bitácora firmada".format(entry["corte"], bundle["hoja"])

    def _zip_kept(self) -> Any:
        if self.kept is None:
            return SKIPPED, "no dio una copia anterior"
        if self.kept.origin != self.note.origin:
            raise Wrong(f"lo que usted guardó es de «{self.kept.origin}»")
        if self.index_in_log < len(self.kept.leaves):
            if self.kept.leaves[self.index_in_log] != self.leaf.hex():
                raise Wrong(
                    f"donde usted guardó {self.kept.names[self.index_in_log]} este ZIP trae otra versión"
                )
            return "el corte de este ZIP es el mismo que usted guardó"
        return (
            NOTED,
            "el corte de este ZIP es posterior a lo que usted guardó; un ZIP no prueba que lo continúe",
        )

    def _zip_asked(self) -> None:
        for key in (self.options.acta, self.options.casilla):
            if key:
                self.report.add(
                    "acta",
                    "Acta o casilla " + key,
                    NOTED,
                    "un ZIP no trae las pruebas por acta; use la dirección",
                )
        if self.options.image is not None:
            path = self.options.image
            digest = sha256_hex(read_file(path, LARGE))
            self.check("imagen", f"Archivo {path.name}", lambda: self._lookup(path.name, digest))

    def _unsigned_zip(self, names: Sequence[str]) -> None:
        """A ZIP of the cut alone: its header can be recounted; who published it cannot be known."""
        for name in names:
            if name.lower().endswith(".zip"):
                self.check("zip", name, self._nested, name)
        self.check("zip", self.source.name, self._inside, self.source)
        self.report.add(
            "firma",
            "Firma",
            BAD,
            "este ZIP no trae firma ni prueba: por sí solo no se puede saber quién lo publicó; "
            f"verifíquelo con «verificar.py DIRECCIÓN --imagen {self.source.name}» o use el ZIP de difusión",
        )

    def _nested(self, name: str) -> Any:
        return self._inside(ZipSource(self.source.get(name, LARGE), name))

    def _inside(self, source: ZipSource) -> Any:
        told = []
        for name in source.names():
            if name.lower().endswith(".csv") and "CANDIDATURA" not in name.upper():
                table = parse_csv(source.get(name, LARGE))
                wrong = [differences(table.header, recount(table, last), name) for last in (False, True)]
                if all(wrong):
                    raise Wrong("; ".join(wrong[0][:4]))
                told.append(f"los 13 contadores de {name} salen de sus filas")
        return "; ".join(told) if told else (SKIPPED, "no trae un CSV de resultados suelto")


# ---------------------------------------------------------------------------- the command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "fuente", metavar="URL|DIR|ARCHIVO.zip", help="dirección, carpeta o ZIP de la publicación"
    )
    parser.add_argument("--acta", default="", metavar="CLAVE", help="comprueba también esta acta")
    parser.add_argument(
        "--casilla", default="", metavar="CLAVE", help="comprueba también las actas de esta casilla"
    )
    parser.add_argument(
        "--llave", default="", metavar="VKEY", help="llave pública en que usted confía, o su archivo"
    )
    parser.add_argument(
        "--guardado",
        type=Path,
        metavar="ARCHIVO",
        help="copia de lo verificado antes; se compara y se actualiza",
    )
    parser.add_argument("--modo", choices=("oficial", "simulacro"), default="", help="modo que debe tener")
    parser.add_argument(
        "--imagen",
        type=Path,
        metavar="FOTO",
        help="foto o archivo: dice de qué acta o corte es, por su huella",
    )
    parser.add_argument(
        "--contra",
        default="",
        metavar="OTRA",
        help="otra dirección, carpeta o punto de control guardado de la misma publicación: que sea la misma "
        "historia",
    )
    parser.add_argument(
        "--testigo",
        action="append",
        default=[],
        metavar="VKEY",
        help="llave de un testigo en que usted confía, o su archivo; sin ella, las que da el sitio",
    )
    parser.add_argument(
        "--exigir-testigos",
        type=int,
        nargs="?",
        const=-1,
        metavar="K",
        help="falla si no cofirmaron K testigos (sin K, los que pide la publicación)",
    )
    parser.add_argument(
        "--completo", action="store_true", help="en una dirección, revisa todas las secciones y actas"
    )


def verify(args: argparse.Namespace) -> Report:
    """The report of what the arguments ask. Raises Unreadable."""
    options = Options(
        args.acta,
        args.casilla,
        args.llave,
        args.guardado,
        args.modo or "",
        args.imagen,
        args.completo,
        tuple(args.testigo),
        args.exigir_testigos,
        args.contra,
    )
    try:
        for text in (options.key, *options.witnesses):
            if text:
                parse_key(key_text(text))
    except (Wrong, OSError) as error:
        raise Unreadable(f"la llave que se dio: {error}") from error
    try:
        return Verifier(open_source(args.fuente), options).run()
    except Wrong as error:
        report = Report(source=args.fuente)
        report.add("fuente", "Fuente", BAD, str(error))
        return report
    except OSError as error:
        raise Unreadable(str(error)) from error


class _Spanish(argparse.ArgumentParser):
    """The messages of the parser that a person sees, in Spanish."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._positionals.title, self._optionals.title = "argumentos", "opciones"

    def format_usage(self) -> str:
        return super().format_usage().replace("usage:", "uso:", 1)

    def format_help(self) -> str:
        return super().format_help().replace("usage:", "uso:", 1)

    def error(self, message: str) -> Any:
        for english, spanish in _ARGPARSE:
            message = re.sub(english, spanish, message)
        self.exit(2, f"{self.format_usage()}{self.prog}: {printable(message)}\n")


_ARGPARSE = (
    ("the following arguments are required: ", "faltan estos argumentos: "),
    ("unrecognized arguments: ", "no se conocen estos argumentos: "),
    ("^argument ", "el argumento "),
    ("expected one argument", "lleva un valor"),
    ("expected at least one argument", "lleva al menos un valor"),
    ("expected at most one argument", "lleva a lo más un valor"),
    ("invalid choice: (.*) \\(choose from (.*)\\)", r"\1 no es uno de \2"),
    ("invalid (int|float|Path) value: ", "no es un valor que se entienda: "),
    ("ambiguous option: (.*) could match (.*)", r"\1 puede ser \2"),
)


def as_json(value: Any, indent: int | None = None) -> str:
    """JSON for the screen; half a character, which no screen can show, stays escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _Spanish(prog="verificar.py", description="Verifica una publicación del PREP.", add_help=False)
    parser.add_argument("-h", "--help", "--ayuda", action="help", help="esta ayuda")
    add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="la respuesta como un objeto JSON")
    args = parser.parse_args(arguments)
    try:
        return _answer(args)
    except BrokenPipeError:
        # Whoever reads left (`| head`): without this, Python complains again when it closes its output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2


def _answer(args: argparse.Namespace) -> int:
    try:
        report = verify(args)
    except Unreadable as error:
        if args.json:
            print(as_json({"error": {"mensaje": str(error)}}))
        print(printable(f"No se puede leer: {error}"), file=sys.stderr)
        return 2
    print(as_json(report.as_data(), indent=2) if args.json else report.as_text())
    return 0 if report.verified else 1


if __name__ == "__main__":
    sys.exit(main())
