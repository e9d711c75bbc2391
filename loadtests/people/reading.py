"""How the people of a load read an answer: up to a size and a time, and not all of them at once.

The limits are those of `loadtests.bounded`. A site that answers for ever, or a small answer that unpacks into
gigabytes, is a fault that is told, not the end of the machine that tests it. Only for the processes that
generate load.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent  # type: ignore[import-untyped]
import gevent.local  # type: ignore[import-untyped]
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from locust.contrib.fasthttp import FastHttpSession, FastResponse

from loadtests.bounded import MIB, MOST_BYTES, TooMuchError, too_long, too_slow
from loadtests.reasons import why

MOST_S = 120.0
"""Of a whole answer: the largest, in a line of twenty megabits."""
FLYING_BYTES = 512 * MIB
"""Of all the answers that a process is reading: five hundred that never end are many."""
_PIECE = 1 << 16
_flying = [0]
_asking = gevent.local.local()
"""What each greenlet asks for may measure: a person downloads a database while asking for the pointer."""


class BoundedResponse(FastResponse):
    """An answer whose content raises TooMuchError beyond what was expected of it, packed or not."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.most: int = getattr(_asking, "most", MOST_BYTES)

    def _content(self) -> bytes:
        try:
            body = self._whole()
        finally:
            # What was not read to its end closes the connection.
            self.release()
        packed = self.headers.getlist("content-encoding") if self.headers else []
        if not packed or packed[0].lower() == "identity":
            return body
        if packed[0].lower() != "gzip":
            raise HTTPParseError(f"Content-Encoding: {packed[0]}")
        return self._unpacked(body)

    def _whole(self) -> bytes:
        assert self._response is not None
        if self._response.message_complete:
            return self._response.read()  # it came with its head
        pieces: list[bytes] = []
        size = 0
        try:
            while piece := self._response.read(_PIECE):
                pieces.append(piece)
                size += len(piece)
                _flying[0] += len(piece)
                if size > self.most:
                    raise too_long(self.most)
                if _flying[0] > FLYING_BYTES:
                    raise TooMuchError(f"se estaban leyendo más de {FLYING_BYTES // MIB:,} MB a la vez")
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        finally:
            _flying[0] -= size
            # An exception keeps what its frames have until the next collection: megabytes for each.
            pieces.clear()

    def _unpacked(self, body: bytes) -> bytes:
        opened = zlib.decompressobj(16 + zlib.MAX_WBITS)
        found = opened.decompress(body, self.most + 1)
        if len(found) > self.most:
            raise too_long(self.most)
        if not opened.eof:
            raise zlib.error("gzip cortado")
        return found


def bound(session: FastHttpSession) -> None:
    """From here on the answers of a session are read with limits."""
    session.client.response_type = BoundedResponse  # type: ignore[misc]


@contextmanager
def at_most(most: int) -> Iterator[None]:
    """What this greenlet asks for inside is of `most` bytes at the most, and ends in MOST_S."""
    _asking.most = most
    with gevent.Timeout(MOST_S, too_slow(MOST_S)):
        yield


def why_not(error: BaseException | None) -> str:
    """Why there was no whole answer, in Spanish."""
    if isinstance(error, HTTPConnectionClosed):
        return "el servidor cortó la conexión"
    if isinstance(error, HTTPParseError):
        return "lo que contesta no es HTTP, o llegó cortado"
    if isinstance(error, zlib.error):
        return "el gzip no se pudo abrir"
    if isinstance(error, gevent.Timeout):
        return "no hubo respuesta a tiempo"
    return "sin detalle" if error is None else why(error)
