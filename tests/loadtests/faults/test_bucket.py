"""Whoever reads the S3 bucket during a fault tells a whole cut from half of one, and from nobody there."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loadtests.faults.bucket import PREFIX, Bucket, Reader
from loadtests.faults.cases.storage import has_what_it_says
from loadtests.faults.drill import Drill
from loadtests.faults.servers import BUCKET, S3
from loadtests.faults.size import SHORT
from tests.publication_sample import sample


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """A publication in a folder, as the bucket has it."""
    return sample(tmp_path / "noche")


@contextmanager
def served(folder: Path, port: int = 0) -> Iterator[int]:
    """The port where a folder is served."""
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def url(public: Path) -> Iterator[str]:
    """Where anybody reads it."""
    with served(public) as port:
        yield f"http://127.0.0.1:{port}/"


def test_half_a_cut_seen_once_is_not_forgotten(public: Path, url: str) -> None:
    since = time.monotonic()
    reader = Reader(url)
    reader.wait(2)
    good, told = reader.end().never_half(since)
    assert good, told
    table = next((public / "cortes").rglob("*.csv"), None) or next((public / "objetos").rglob("*.json"))
    whole = table.read_bytes()
    reader = Reader(url)
    reader.wait(1)
    table.write_bytes(whole[:-20])
    reader.wait(1)
    table.write_bytes(whole)
    good, told = reader.end().never_half(since)
    assert not good
    assert told


def test_an_empty_file_is_half_a_cut_and_not_a_server_that_does_not_answer(public: Path, url: str) -> None:
    reader = Reader(url)
    reader.wait(1)
    (public / "checkpoint").write_bytes(b"")
    reader.wait(1)
    seen = reader.end()
    assert seen.half
    assert "vacío" in seen.half[0]


def test_the_publisher_may_not_say_that_the_bucket_has_a_cut_that_nobody_sees_there(tmp_path: Path) -> None:
    drill = Drill(tmp_path / "ensayo", SHORT, postgres=None, s3=None)
    drill.run.mkdir(parents=True)
    server = S3(tmp_path / "weed", tmp_path / "s3")
    drill.bucket = Bucket(server)
    there = tmp_path / "publico" / BUCKET / PREFIX
    there.mkdir(parents=True)

    def holds(said: int, shown: int) -> bool:
        state = {"destinos": [{"nombre": "s3://prep/noche", "corte": said}]}
        (drill.run / "publicador.json").write_text(json.dumps(state), encoding="utf-8")
        (there / "corte.json").write_text(json.dumps({"corte": shown}), encoding="utf-8")
        return has_what_it_says(drill, 7).holds

    with served(tmp_path / "publico", server.port):
        assert not holds(7, 6)
        assert holds(7, 7), "it caught up meanwhile"
        assert holds(6, 6)
    assert holds(6, 6), "a dead server keeps what it had"
    assert not holds(7, 7), "nobody sees it"
    drill.bucket.close()


def test_who_finds_nobody_has_not_seen_that_it_was_whole(url: str) -> None:
    reader = Reader("http://127.0.0.1:9/")
    reader.once()
    seen = reader.end()
    assert seen.unread
    assert not seen.half
    assert not seen.never_half(0.0)[0]
