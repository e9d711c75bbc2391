"""The benchmarks of the room measure what they say. How fast it is, is not tested here."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from benchmarks.context import Context
from benchmarks.night_side import child
from benchmarks.room_night import night
from benchmarks.room_side import delivered
from benchmarks.room_soak import Memory


def test_an_update_is_delivered_when_it_or_a_later_one_comes_in_time() -> None:
    published = [(float(second), second) for second in range(0, 40, 2)]
    every = [(second + 0.1, second) for second in range(0, 40, 2)]
    # One beat finds nothing new and the next brings the following one, still in time.
    skips = [(at, seq) for at, seq in every if seq != 20]
    slow = [(at + 6, seq) for at, seq in every]
    assert delivered(published, [every], 0, 40, 2) == (1.0, 1.0)
    in_time, one_by_one = delivered(published, [skips], 0, 40, 2)
    assert in_time == 1.0
    assert one_by_one < 1
    assert delivered(published, [slow], 0, 40, 2)[0] == 0
    assert delivered(published, [every, []], 0, 40, 2) == (0.5, 0.5)


def test_memory_is_compared_by_parts_of_the_night() -> None:
    used = Memory("x", [(0.1, 50.0), (0.22, 100.0), (0.25, 101.0), (0.28, 102.0), (0.95, 120.0)])
    assert used.between((0.2, 0.3)) == 101
    assert used.between((0.9, 1.0)) == 120


@contextmanager
def tagged_server() -> Iterator[int]:
    """Another tag every third request; 304 to who has the last one."""
    asked = count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            assert self.headers["Cookie"].startswith("sala_sesion=")
            tag = f'"banco-{next(asked) // 3}"'
            same = self.headers.get("If-None-Match") == tag
            body = b"" if same else b"{}"
            self.send_response(304 if same else 200)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def test_viewers_keep_their_tag_and_count_what_is_new(repository: Path) -> None:
    with tagged_server() as port:
        order = {
            "metodo": "GET", "ruta": "/api/sala.json", "galletas": ["sala_sesion=a", "sala_sesion=b"],
            "puerto": port, "espectadores": 2, "segundos": 1.0, "cada_s": 0.1,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.room_viewers"], input=json.dumps(order) + "\n",
            cwd=repository, capture_output=True, text=True, check=True,
        )  # fmt: skip
    first, said = done.stdout.splitlines()
    assert first == "empieza"
    tally = json.loads(said)
    assert tally["errores"] == 0
    assert 10 <= tally["preguntas"] <= 22
    assert 0 < tally["nuevas"] < tally["preguntas"]
    for viewer in tally["visto"]:
        numbers = [seq for _, seq in viewer]
        assert numbers == sorted(set(numbers))


@pytest.fixture(scope="module")
def small_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return night(Context(tmp_path_factory.mktemp("banco"), quick=True))


def test_both_applications_answer_inside_one_process(small_night: Path, tmp_path: Path) -> None:
    arguments = ("--noche", str(small_night), "--sala", str(tmp_path), "--rapido")
    said = child("-m", "benchmarks.room_inside", *arguments).said
    assert said["libro_ms"] > said["sala_ms"] > 0
    assert said["libro_bytes"] > said["sala_bytes"] > 1_000


def test_a_turn_of_the_writer_is_told_piece_by_piece(small_night: Path, tmp_path: Path) -> None:
    for arguments in (("--base", str(small_night / "prep.db")), ("--actas", "1800")):
        said = child("-m", "benchmarks.room_writer", *arguments, "--carpeta", str(tmp_path)).said
        assert list(said["piezas_ms"]) == ["leer", "hechos", "alertas", "armar", "json", "gzip", "escribir"]
        assert said["turno_ms"] >= said["piezas_ms"]["armar"] > 0
        assert said["eventos"] > 1_000
    assert said["actas"] == 1_800
