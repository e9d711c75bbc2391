"""Before the load one enters the room once as each class; a wrong password is told and not insisted on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from loadtests import target
from loadtests.generating import sample
from loadtests.target import Target, TargetError

PEOPLE = {"muro": ("m", "buena"), "operador": ("o", "buena")}


@contextmanager
def room(tried: list[str]) -> Iterator[Target]:
    """A room that lets in who says «buena»; `tried` is who has tried."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, b'<input name="csrf" value="t">' if self.path == "/entrar" else b"{}")

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            tried.append(form["usuario"][0])
            self._send(303 if form["contrasena"] == ["buena"] else 401, b"")

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield target.parse(f"http://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()


def test_each_class_enters_once() -> None:
    tried: list[str] = []
    with room(tried) as where:
        assert sample.of_room(where, PEOPLE) == (b"{}", False)
    assert tried == ["m", "o"]


def test_a_wrong_password_is_told_and_tried_only_once() -> None:
    tried: list[str] = []
    with (
        room(tried) as where,
        pytest.raises(TargetError, match=r"no sirven en la sala.*\(operador, «o»; 401\)"),
    ):
        sample.of_room(where, {**PEOPLE, "operador": ("o", "mala")})
    assert tried == ["m", "o"]
