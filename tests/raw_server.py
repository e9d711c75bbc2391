"""A server that answers every connection with the same bytes, whatever they are, and hangs up.

For what no well-made server says: half an answer, something that is not HTTP. It reads no request.
"""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator

NOT_HTTP = b"SSH-2.0-x\r\n\r\n"
CUT_IN_A_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
CUT_IN_THE_HEAD = b"HTTP/1.1 200 OK\r\nX-A: a"
CUT_SHORT = b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"a":1}'


DRIPS = {
    "cabeceras": b"HTTP/1.1 200 OK\r\nX-A: ",
    "cuerpo": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
}
"""How an answer begins that then comes drop by drop."""


def answer(body: bytes) -> bytes:
    """A whole answer with that body."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@contextlib.contextmanager
def raw_server(said: bytes, drop: bytes = b"") -> Iterator[str]:
    """The address of one that says that, and then for ever a drop every tenth of a second."""

    stop = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.sendall(said)
            with contextlib.suppress(OSError):
                while drop and not stop.wait(0.1):
                    self.request.sendall(drop)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        stop.set()
        server.shutdown()
