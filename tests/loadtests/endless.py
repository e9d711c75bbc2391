"""A server that answers for ever, in one of several ways. Only for the tests of the load tests."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WAYS = ("cuerpo", "trozos", "cabecera", "anunciado", "goteo", "bomba")
_NINES = b"9" * 65_536


@dataclass(slots=True)
class Endless:
    """Where it is, and how many bytes those who asked took from it."""

    port: int
    sent: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def endless(way: str) -> Iterator[Endless]:
    """Such a server, until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Endless(server.getsockname()[1])
        ended = threading.Event()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    one, _ = server.accept()
                    threading.Thread(target=_answer, args=(one, way, found, ended), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield found
        finally:
            ended.set()


def _answer(one: socket.socket, way: str, found: Endless, ended: threading.Event) -> None:
    first, piece = {
        "cuerpo": (HEAD + b"\r\n", _NINES),
        "trozos": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + _NINES + b"\r\n"),
        "cabecera": (HEAD + b"X: ", _NINES),
        "anunciado": (HEAD + b"Content-Length: 9000000000000\r\n\r\n", b"9"),
        "goteo": (HEAD + b"Content-Length: 1000\r\n\r\n", b"9"),
        "bomba": (b"", b""),
    }[way]
    with one, suppress(OSError):
        one.recv(65_536)
        if way == "bomba":
            body = gzip.compress(bytes(64 << 20), 1)
            one.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            return
        one.sendall(first)
        while not ended.wait(0.02 if len(piece) == 1 else 0):
            one.sendall(piece)
            found.sent += len(piece)
