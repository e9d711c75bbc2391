"""One bounded HTTP request to somebody who may be slow, dead or hostile.

The whole of it has a limit, also when what comes, comes byte by byte: at the limit the connection is cut
from another thread, because no wait of a socket counts the ones before it.
"""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from core.witness.errors import SilentError

MAX_ANSWER = 1 << 20
_BLOCK = 16 << 10


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered: the status code, the type without its parameters, and the body."""

    status: int
    kind: str
    body: bytes

    @property
    def text(self) -> str:
        """The beginning of the body for people, in one line."""
        return " ".join(self.body[:300].decode("utf-8", "replace").split())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _Limit:
    """Cuts the connections of this thread when the time is over."""

    current = threading.local()

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Limit:
        _Limit.current.limit = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for one in self._sockets:
                one.close()
            self._sockets.clear()

    def watch(self, connection: socket.socket) -> None:
        """Cut this one too. The copy of its descriptor is ours, whatever TLS does with the original."""
        with self._lock:
            self._sockets.append(connection.dup())
            if self.over:
                self._shut()

    def _cut(self) -> None:
        with self._lock:
            self.over = True
            self._shut()

    def _shut(self) -> None:
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class _Watched(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _Limit.current.limit.watch(self.sock)


class _WatchedTls(http.client.HTTPSConnection, _Watched):
    """What it inherits connects by `_Watched`, so that the handshake is under the limit too."""


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Watched, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_WatchedTls, req)


_OPENER = urllib.request.build_opener(_NoRedirect, _Http, _Https)


def post(url: str, body: bytes, kind: str, timeout_s: float, *, limit: int = MAX_ANSWER) -> Reply:
    """POST and read the answer, whatever its code; redirections are not followed.

    `timeout_s` bounds the whole of it, from the connection to the last byte. Raises SilentError.
    """
    request = urllib.request.Request(
        url, body, {"Content-Type": kind, "User-Agent": "prep", "Connection": "close"}, method="POST"
    )
    return _send(request, timeout_s, limit)


def _send(request: urllib.request.Request, timeout_s: float, limit: int) -> Reply:
    url, late = request.full_url, f"{request.full_url} no contestó en {timeout_s:g} s"
    with _Limit(timeout_s) as time_left:
        try:
            with _open(request, timeout_s) as answer:
                data = b""
                while block := answer.read1(_BLOCK):
                    data += block
                    if len(data) > limit:
                        raise SilentError(f"{url} contesta más de {limit} bytes")
                if time_left.over:
                    raise SilentError(late)
                if answer.length:
                    raise SilentError(f"{url} cortó su respuesta: le faltaron {answer.length} bytes")
                kind = (answer.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
                return Reply(answer.status, kind, data)
        except TimeoutError:
            raise SilentError(late) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time_left.over:
                raise SilentError(late) from None
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise SilentError(f"{url} no contesta: {str(reason) or type(error).__name__}") from None


def getter(base: str, timeout_s: float, *, limit: int = MAX_ANSWER) -> Callable[[str], bytes]:
    """Reads the files of a publication by their public names; FileNotFoundError for one that is not there.

    Raises SilentError.
    """

    def get(name: str) -> bytes:
        url = f"{base.rstrip('/')}/{name}"
        reply = _send(urllib.request.Request(url, headers={"User-Agent": "prep"}), timeout_s, limit)
        if reply.status in (403, 404, 410):
            raise FileNotFoundError(url)
        if reply.status != 200:
            raise SilentError(f"{url} contesta {reply.status}")
        return reply.body

    return get


def _open(request: urllib.request.Request, timeout_s: float) -> Any:
    try:
        return _OPENER.open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        # An answer too: the protocol speaks with its codes.
        return error
