"""A server of the public files, for a rehearsal or a small publication: granian, one process, no disk writes.

It answers GET and HEAD of public names only (`core.publication.public_tree`), from memory and compressed
beforehand, with ETag and 304, the headers of each kind and the security ones, and as many requests of
an address as `limit` says, and as many bytes of what is heavy: who goes too fast waits, and who is refused is
told for how long. A large file is never read here: granian sends
it, in pieces, as fast as the other end takes it: the limit is on how much an address takes in all, not on the
speed of each download. It has no other function: no listing, no cookie, no query. A large publication goes
behind nginx or a CDN (`deploy/`).
"""

from __future__ import annotations

import asyncio
import gzip
import os
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from math import ceil, inf
from pathlib import Path
from typing import Any

import brotli

from core.portal.limit import HEAVY, HEAVY_BURST, HEAVY_PATIENCE_S, HEAVY_RATE, PATIENCE_S, RATE, Limit, who
from core.portal.site import CSP
from core.publication.public_tree import Kind, compressible, headers, is_public, kind

SECURITY = {
    "Content-Security-Policy": f"{CSP}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}
"""Headers of every answer. The data are public, so any site may read them; no page may be framed."""

INDEX = "index.html"
LEAST_PACKED = 1024
"""Bytes under which packing is not worth it."""
BEST_BROTLI = 256 * 1024
"""Largest file packed with brotli's slow setting; larger ones go with gzip."""
MEMORY = 64 * 1024 * 1024
"""Bytes of answers kept."""
LARGEST = 4 * 1024 * 1024
"""A file above this goes from the disk, as it is: a download must not stop the others nor fill the memory."""

RECHECK_S = 0.25
"""How long an answer is given again without looking at the disk. What is immutable is not looked at again."""
ANSWERS = 1000
"""Answers kept as they are sent; all are forgotten when there are more."""
SHORT = 64 * 1024
"""Bytes of the longest body kept so. With ANSWERS, what they may take: 64 MB."""
WAITING = 512
"""Answers that may wait for their turn at once, of all addresses: each keeps one of the 1,024 connections."""
HEAVY_WAITING = 24
"""Heavy answers of an address that may wait at once: three `prep verificar` at a time, or four browsers."""
LONGEST_FIELD = 200
"""Bytes of the request's fields that tell answers apart; longer ones are answered and not kept."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as it is sent: plain and packed, with its tag. `stamp` tells when it must be read again.

    One above LARGEST is not read: `file` is where it is.
    """

    stamp: tuple[int, int, int]
    etag: str
    plain: bytes
    packed: dict[str, bytes]
    file: Path | None = None

    @property
    def size(self) -> int:
        """Bytes it takes in memory."""
        return len(self.plain) + sum(map(len, self.packed.values()))

    @property
    def length(self) -> int:
        """Bytes of the file."""
        return self.stamp[1]


class Files:
    """The public files of a folder, kept in memory while they fit. Safe from several threads."""

    def __init__(self, folder: Path, memory: int = MEMORY) -> None:
        self._folder = Path(folder).resolve()
        self._memory = memory
        self._kept: OrderedDict[str, Entry] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> Entry | None:
        """The file of a public name; None when it is not public, is not there or leads out of the folder."""
        if not is_public(key):
            return None
        path = self._folder / key
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            with self._lock:
                kept = self._kept.get(key)
                if kept is not None and kept.stamp == stamp:
                    self._kept.move_to_end(key)
                    return kept
            if not path.is_file() or not path.resolve().is_relative_to(self._folder):
                return None
            if stat.st_size > LARGEST:
                # What is this large is written once: its hour and its size tell it from any other.
                return Entry(stamp, f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"', b"", {}, path)
            entry = _read(key, path.read_bytes(), stamp)
        except (OSError, ValueError):
            return None
        if entry.size <= LARGEST:
            self._keep(key, entry)
        return entry

    def _keep(self, key: str, entry: Entry) -> None:
        with self._lock:
            old = self._kept.pop(key, None)
            self._bytes += entry.size - (old.size if old else 0)
            self._kept[key] = entry
            while self._bytes > self._memory:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= gone.size


def _read(key: str, data: bytes, stamp: tuple[int, int, int]) -> Entry:
    packed: dict[str, bytes] = {}
    if compressible(key) and len(data) >= LEAST_PACKED:
        # The pointer and pages are few and asked by all; the rest is packed once, when first asked.
        small = len(data) <= BEST_BROTLI
        packed = {"gzip": gzip.compress(data, 6, mtime=0)}
        if small:
            packed["br"] = brotli.compress(data, quality=9 if key.startswith("sitio/") else 5)
    return Entry(stamp, f'"{sha256(data).hexdigest()[:32]}"', data, packed)


@dataclass(frozen=True, slots=True)
class _Ready:
    """An answer as it is sent, and until when it may be given again without looking."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes | Path
    until: float
    weight: int
    """Bytes of the body, wherever it is."""


def _as_sent(status: int, fields: dict[str, str], body: bytes | Path, until: float) -> _Ready:
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in fields.items()]
    weight = len(body) if isinstance(body, bytes) else int(fields.get("Content-Length", "0"))
    return _Ready(status, encoded, body, until, weight)


class PortalApp:
    """ASGI application over the public files of `folder`, which may still be empty.

    `rate` is how many requests per second an address may make; 0 for any, and any bytes. `patience` is how
    many seconds an answer may wait for its turn before it is refused. `heavy` is the limit on bytes of what
    is heavy, the usual one if not given.
    """

    def __init__(
        self, folder: Path, *, rate: float = RATE, patience: float = PATIENCE_S, heavy: Limit | None = None
    ) -> None:
        self._files = Files(folder)
        self._limit = Limit(rate, patience=patience)
        self._heavy = heavy or Limit(HEAVY_RATE if rate else 0, HEAVY_BURST, patience=HEAVY_PATIENCE_S)
        self._waiting = 0
        self._heavy_waiting: Counter[str] = Counter()
        self._answers: dict[tuple[str, str, bytes, bytes], _Ready] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        now = time.monotonic()
        client = scope.get("client")
        address = who(client[0]) if client else ""
        ready, wait = self._turn(address, scope, now) if client else (self._ready(scope, now), 0.0)
        if wait:
            await self._wait(address, wait, ready.weight > HEAVY)
            if wait > RECHECK_S and ready.until < inf:
                # A pointer is of the moment it is sent, not of the moment it was asked.
                ready = self._ready(scope, time.monotonic())
        await send({"type": "http.response.start", "status": ready.status, "headers": ready.headers})
        if isinstance(ready.body, Path):
            await send({"type": "http.response.pathsend", "path": str(ready.body)})
        else:
            await send({"type": "http.response.body", "body": ready.body})

    async def _wait(self, address: str, seconds: float, heavy: bool) -> None:
        self._waiting += 1
        self._heavy_waiting[address] += heavy
        try:
            await asyncio.sleep(seconds)
        finally:
            self._waiting -= 1
            self._heavy_waiting[address] -= heavy
            if not self._heavy_waiting[address]:
                del self._heavy_waiting[address]

    def _turn(self, address: str, scope: Scope, now: float) -> tuple[_Ready, float]:
        """The answer for an address, and how many seconds it waits for its turn."""
        crowded = self._waiting >= WAITING
        wait = self._limit.turn(address, now, patience=0.0 if crowded else None)
        if wait is None:
            return _too_many(self._limit.wait(address, now)), 0.0
        ready = self._ready(scope, now)
        if ready.weight > HEAVY:
            crowded = crowded or self._heavy_waiting.get(address, 0) >= HEAVY_WAITING
            longer = self._heavy.turn(address, now, ready.weight, patience=0.0 if crowded else None)
            if longer is None:
                return _too_many(self._heavy.wait(address, now)), 0.0
            wait = max(wait, longer)
        return ready, wait

    def _ready(self, scope: Scope, now: float) -> _Ready:
        """The answer as it is sent: the one of a moment ago, if there is one."""
        asked = {name.lower(): value for name, value in scope["headers"]}
        accepted, known = asked.get(b"accept-encoding", b""), asked.get(b"if-none-match", b"")
        method, path = scope["method"], scope["path"]
        key = (method, path, accepted, known)
        kept = self._answers.get(key)
        if kept is not None and now < kept.until:
            return kept
        status, fields, body = self.answer(method, path, asked)
        forever = status in (200, 304) and fields.get("Cache-Control", "").endswith("immutable")
        ready = _as_sent(
            status, fields, b"" if method == "HEAD" else body, inf if forever else now + RECHECK_S
        )
        short = isinstance(body, bytes) and len(body) <= SHORT and len(accepted) + len(known) <= LONGEST_FIELD
        if status in (200, 304) and short:
            if len(self._answers) >= ANSWERS:
                self._answers.clear()
            self._answers[key] = ready
        return ready

    def answer(
        self, method: str, path: str, asked: dict[bytes, bytes]
    ) -> tuple[int, dict[str, str], bytes | Path]:
        """Status, headers and body for a request; `asked` are its headers, names in lower case.

        The body of a large file is its path.
        """
        if method not in ("GET", "HEAD"):
            return _plain(405, "Este sitio solo se lee.", {"Allow": "GET, HEAD", "Cache-Control": "no-store"})
        key = path.lstrip("/") or INDEX
        entry = self._files.get(key)
        if entry is None:
            if key == INDEX:
                return _plain(200, "", {"Cache-Control": "no-cache"}, _EMPTY)
            return _plain(404, "No está.", {"Cache-Control": "no-cache"})
        fields = {**SECURITY, **headers(key), "ETag": entry.etag}
        if entry.packed:
            fields["Vary"] = "Accept-Encoding"
        if _same(asked.get(b"if-none-match", b"").decode("latin-1"), entry.etag):
            fields.pop("Content-Type")
            return 304, fields, b""
        body: bytes | Path = entry.plain if entry.file is None else entry.file
        encoding = _encoding(asked.get(b"accept-encoding", b"").decode("latin-1"), entry.packed)
        if encoding:
            fields["Content-Encoding"] = encoding
            body = entry.packed[encoding]
        fields["Content-Length"] = str(len(body) if isinstance(body, bytes) else entry.length)
        if kind(key) is Kind.IMMUTABLE and key.startswith(("cortes/", "difusion/")):
            fields["Content-Disposition"] = "attachment"
        return 200, fields, body


def _same(header: str, etag: str) -> bool:
    return any(one.strip().removeprefix("W/") in (etag, "*") for one in header.split(",") if one.strip())


def _encoding(header: str, packed: Iterable[str]) -> str | None:
    """The best packing the request admits: brotli, then gzip. A quality of zero is a no."""
    admitted: set[str] = set()
    for part in header.lower().split(","):
        name, _, parameters = part.partition(";")
        quality = parameters.replace(" ", "").removeprefix("q=") or "1"
        if quality.strip("0.") or "1" in quality:
            admitted.add(name.strip())
    return next((one for one in ("br", "gzip") if one in packed and one in admitted), None)


def _plain(
    status: int, text: str, extra: dict[str, str], page: str | None = None
) -> tuple[int, dict[str, str], bytes]:
    body = (page if page is not None else text).encode()
    kind_ = "text/html" if page is not None else "text/plain"
    fields = {
        **SECURITY,
        "Content-Type": f"{kind_}; charset=utf-8",
        "Content-Length": str(len(body)),
        **extra,
    }
    return status, fields, body


_EMPTY = """<!doctype html>
<html lang="es-MX"><head><meta charset="utf-8"><meta http-equiv="refresh" content="10">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>PREP</title></head>
<body><main><h1>Todavía no hay cortes</h1>
<p>La publicación no ha empezado. Esta página se vuelve a cargar sola cada diez segundos.</p></main>
</body></html>
"""
"""What a folder without pages answers at its root."""


def _too_many(seconds: float) -> _Ready:
    """What somebody refused is answered: to come back in so many seconds."""
    return _refusal(max(1, ceil(seconds)))


@lru_cache(maxsize=256)
def _refusal(seconds: int) -> _Ready:
    text = f"Demasiadas peticiones seguidas, o demasiadas descargas. Vuelva a intentarlo en {seconds} s."
    fields = {"Cache-Control": "no-store", "Retry-After": str(seconds)}
    return _as_sent(*_plain(429, text, fields), until=inf)


FOLDER = "PREP_PORTAL_CARPETA"
"""In the environment of the worker: the folder it serves."""
LIMIT = "PREP_PORTAL_LIMITE"
"""In the environment of the worker: requests per second of an address."""


def application() -> PortalApp:
    """What granian loads in its worker."""
    return PortalApp(Path(os.environ[FOLDER]), rate=float(os.environ.get(LIMIT, RATE)))


def serve(folder: Path, host: str, port: int, rate: int = RATE) -> None:
    """Serve until stopped (Ctrl-C or SIGTERM), with one worker. `rate` is that of `PortalApp`."""
    from granian.constants import Interfaces, Loops
    from granian.server import Server

    os.environ[FOLDER] = str(Path(folder).resolve())
    os.environ[LIMIT] = str(rate)
    server = Server(
        "core.portal.server:application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        loop=Loops.asyncio,
        workers=1,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    )
    server.serve()
