"""HTTP for a witness: POST …/add-checkpoint, and GET / for whoever wants to compare what it cosigned.

Made for a handful of logs that ask every few minutes: a request is small, short and one per connection;
whoever is slow or too many is hung up on. It checks nothing: that is `witness`. For the open Internet a
proxy with TLS goes in front.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6, SHUT_RDWR, socket
from socketserver import TCPServer
from typing import Any

from core.errors import PrepError
from core.transparency.notes import parse_checkpoint
from core.witness.errors import RefusedError, StaleError
from core.witness.witness import Witness

PATH = "/add-checkpoint"
MAX_BODY = 64 << 10
"""Bytes of a request: 63 hashes take 2,835 and a checkpoint with many cosignatures a few thousand more."""
CONNECTION_S = 20.0
"""Seconds a connection may last in all, however busy it looks."""
CONNECTIONS = 32

TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"

Tell = Callable[[str, int, str], None]
"""Told of each request: the address it came from, the answer's code, and a text."""


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    server_version = "prep-testigo"
    sys_version = ""
    timeout = CONNECTION_S

    def do_POST(self) -> None:
        """Cosign."""
        if not self.path.endswith(PATH):
            self._answer(404, "esta dirección no existe\n")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or self.headers.get("Transfer-Encoding"):
            self._answer(411, "falta Content-Length\n")
            return
        if len(length) > 9 or int(length) > MAX_BODY:
            self._answer(413, f"la petición pasa de {MAX_BODY} bytes\n")
            return
        data = self.rfile.read(int(length))
        if len(data) != int(length):
            self.close_connection = True
            return
        try:
            line = self.server.witness.add_checkpoint(data)
        except StaleError as error:
            self._answer(error.status, f"{error.size}\n", SIZE, told=error.text)
        except RefusedError as error:
            self._answer(error.status, f"{error.text}\n")
        except (PrepError, OSError) as error:
            # What cannot be kept is not signed, and the client tries again.
            self._answer(500, "el testigo no pudo guardar lo que firma\n", told=str(error))
        else:
            self._answer(200, line, told="firmado")

    def do_GET(self) -> None:
        """Tell the last checkpoint of each log, cosigned: with it anybody compares."""
        if self.path != "/":
            self._answer(404, "esta dirección no existe\n")
            return
        notes = self.server.witness.notes()
        found = {
            "testigo": self.server.witness.vkey,
            "bitacoras": [_told(notes[one]) for one in sorted(notes)],
        }
        self._answer(200, json.dumps(found, ensure_ascii=False) + "\n", "application/json")

    def _answer(self, status: int, body: str, kind: str = TEXT, *, told: str = "") -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(data)
        self.server.tell(self.client_address[0], status, told or body.strip())

    def log_message(self, *_: object) -> None:
        """Requests are told by `_answer`."""


def _told(note: Any) -> dict[str, object]:
    checkpoint = parse_checkpoint(note.text)
    return {
        "origen": checkpoint.origin, "tamano": checkpoint.size, "raiz": checkpoint.root.hex(),
        "checkpoint": str(note),
    }  # fmt: skip


class WitnessServer(ThreadingHTTPServer):
    """Serves a witness at an address; `serve_forever` until `shutdown`. Port 0 takes any that is free."""

    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, witness: Witness, host: str, port: int, tell: Tell = lambda *_: None) -> None:
        self.witness = witness
        self.tell = tell
        self._open: dict[socket, float] = {}
        self._lock = threading.Lock()
        self.address_family = AF_INET6 if ":" in host else AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Take the address without asking anybody for the name of this machine."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def address(self) -> str:
        """Where it answers."""
        name = f"[{self.server_name}]" if ":" in self.server_name else self.server_name
        return f"http://{name}:{self.server_port}/"

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """False, and it is hung up on, when there are too many at once."""
        with self._lock:
            if len(self._open) >= CONNECTIONS:
                return False
            self._open[request] = time.monotonic()
            return True

    def shutdown_request(self, request: Any) -> None:
        """The end of a connection, whatever its cause."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Called several times a second: hang up on whoever takes too long."""
        limit = time.monotonic() - CONNECTION_S
        with self._lock:
            late = [one for one, since in self._open.items() if since < limit]
        for one in late:
            try:
                one.shutdown(SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left, or was hung up on, is no error of this server."""
