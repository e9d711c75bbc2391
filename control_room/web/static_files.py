"""The room's own scripts and styles, by the hash of their content, packed once; those of Dash packed too.

A file asked with its hash is kept for ever by the browser, because another content has another address.
It serves only what is in the assets folder.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import threading
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

from control_room.web.gate import SIGNED, RouteTable

FOREVER = "private, max-age=31536000, immutable"
PACKED_TYPES = ("text/", "application/javascript", "application/json", "image/svg+xml")
LEAST_PACKED = 1024
"""Bytes under which packing is not worth it."""
_PACKED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    name: str
    digest: str
    kind: str
    plain: bytes
    packed: bytes | None

    @property
    def url(self) -> str:
        """Its address, with the hash of its content."""
        return f"/assets/{self.name}?h={self.digest}"


class Assets:
    """The files of a folder, read again when they change (which only happens to who writes them)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[int, int, Asset]] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Every file, in the order in which scripts load."""
        found = (path for path in self._folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self._folder).as_posix() for path in found)

    def get(self, name: str) -> Asset | None:
        """A file by its name; None when there is none."""
        path = self._folder / name
        if name.startswith((".", "/")) or ".." in name.split("/"):
            return None
        try:
            stat = path.stat()
        except OSError:
            return None
        with self._lock:
            known = self._known.get(name)
            if known is not None and known[:2] == (stat.st_mtime_ns, stat.st_size):
                return known[2]
            try:
                asset = _read(name, path)
            except OSError:
                return None
            self._known[name] = (stat.st_mtime_ns, stat.st_size, asset)
            return asset

    def urls(self, suffix: str) -> list[str]:
        """Addresses of the files with a suffix, in order."""
        found = (self.get(name) for name in self.names() if name.endswith(suffix))
        return [asset.url for asset in found if asset is not None]


def _read(name: str, path: Path) -> Asset:
    plain = path.read_bytes()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind == "application/javascript":
        kind = "text/javascript"
    small = len(plain) < LEAST_PACKED or not kind.startswith(PACKED_TYPES)
    packed = None if small else gzip.compress(plain, 9, mtime=0)
    return Asset(name, hashlib.sha256(plain).hexdigest()[:16], kind, plain, packed)


def install(app: Flask, routes: RouteTable, assets: Assets) -> None:
    """Serve the assets, and pack the component suites of Dash the first time each is asked."""
    routes.allow("/assets/<path:name>", SIGNED)
    suites: dict[str, bytes] = {}

    @app.get("/assets/<path:name>")
    def asset(name: str) -> Response:
        found = assets.get(name)
        if found is None:
            raise NotFound
        etag = f'"{found.digest}"'
        kept = FOREVER if request.args.get("h") == found.digest else "private, no-cache"
        if etag in request.headers.get("If-None-Match", ""):
            response = Response(status=304)
        else:
            response = packed_response(found.plain, found.packed, found.kind)
        response.headers["ETag"] = etag
        response.headers["Cache-Control"] = kept
        return response

    @app.after_request
    def pack_suites(response: Response) -> Response:
        if not request.path.startswith("/_dash-component-suites/") or response.status_code != 200:
            return response
        if "max-age" in response.headers.get("Cache-Control", ""):
            response.headers["Cache-Control"] = FOREVER
        response.headers["Vary"] = "Accept-Encoding"
        if not takes_gzip() or response.direct_passthrough:
            return response
        packed = suites.get(request.path)
        if packed is None:
            packed = gzip.compress(response.get_data(), 9, mtime=0)
            if len(suites) < _PACKED_AT_ONCE:
                suites[request.path] = packed
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
        return response


def takes_gzip() -> bool:
    """Whether the browser of the request takes gzip."""
    return request.accept_encodings.quality("gzip") > 0


def packed_response(plain: bytes, packed: bytes | None, kind: str) -> Response:
    """An answer in gzip when the browser takes it and there is one."""
    zipped = packed is not None and takes_gzip()
    response = Response(packed if zipped else plain, mimetype=kind)
    if packed is not None:
        response.headers["Vary"] = "Accept-Encoding"
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    return response
