"""Answers that are read up to a size and a time: a site that never ends must not take the machine with it.

`Answer` is what `http.client` reads with for those who ask before, beside and after the load; the people of
the load have their own reader (`loadtests.people.reading`) with these same limits. It knows no formats.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable
from typing import Any

MIB = 1 << 20
SMALL_BYTES = MIB
"""Of a pointer, a checkpoint or a form: they are some hundred bytes."""
MOST_BYTES = 64 * MIB
"""Of an object, an index or an image."""
FILE_BYTES = 256 * MIB
"""Of a package or a database."""
MOST_S = 30.0
"""Of a whole answer, for who asks only one at a time."""
_PIECE = 1 << 16


class TooMuchError(OSError):
    """An answer that goes beyond its limits."""


def too_long(most: int) -> TooMuchError:
    """An answer of more than `most` bytes."""
    return TooMuchError(f"la respuesta pasa de {most // MIB:,} MB o no acaba nunca: se dejó de leer")


def too_slow(seconds: float) -> TooMuchError:
    """An answer that takes more than those seconds to end."""
    return TooMuchError(f"la respuesta no acabó en {seconds:g} s: se dejó de leer")


class _Raw(io.RawIOBase):
    """The bytes of a connection, counted and timed since the question, whatever they are of."""

    def __init__(self, sock: socket.socket, most: int, seconds: float) -> None:
        self._sock = sock
        self._inner = sock.makefile("rb", buffering=0)
        self._left, self._most = most + _PIECE, most
        self._seconds, self._until = seconds, time.monotonic() + seconds

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Some more. Raises TooMuchError, and OSError."""
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise too_slow(self._seconds)
        self._sock.settimeout(left_s)
        try:
            got = self._inner.readinto(buffer)
        except TimeoutError:
            raise too_slow(self._seconds) from None
        self._left -= got or 0
        if self._left < 0:
            raise too_long(self._most)
        return got

    def close(self) -> None:
        """Let the connection go."""
        self._inner.close()
        super().close()


class Answer(http.client.HTTPResponse):
    """An answer of `most` bytes and `seconds` at the most, its head included. Reading it raises OSError."""

    def __init__(self, sock: socket.socket, *args: Any, most: int, seconds: float, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp.close()
        self._most = most
        self.fp = io.BufferedReader(_Raw(sock, most, seconds))

    def begin(self) -> None:
        """Read its head."""
        super().begin()
        if (self.length or 0) > self._most:
            raise too_long(self._most)

    def read(self, amt: int | None = None) -> bytes:
        """Its body, by pieces: whoever asks for all that is announced is given the memory for it first."""
        if amt is not None:
            return super().read(amt)
        pieces = []
        while piece := super().read(_PIECE):
            pieces.append(piece)
        if self.length:
            raise http.client.IncompleteRead(b"", self.length)
        return b"".join(pieces)


def answers(most: int = MOST_BYTES, seconds: float = MOST_S) -> Callable[..., Answer]:
    """What makes the answers of a connection (`response_class`) with those limits."""

    def make(sock: socket.socket, *args: Any, **more: Any) -> Answer:
        return Answer(sock, *args, most=most, seconds=seconds, **more)

    return make
