"""Whoever reads the S3 bucket during a fault tells a whole cut from half of one, and from nobody there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loadtests.faults.bucket import Reader
from tests.publication_sample import sample


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """A publication in a folder, as the bucket has it."""
    return sample(tmp_path / "noche")


@pytest.fixture
def url(public: Path) -> Iterator[str]:
    """Where anybody reads it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(public)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


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


def test_who_finds_nobody_has_not_seen_that_it_was_whole(url: str) -> None:
    reader = Reader("http://127.0.0.1:9/")
    reader.once()
    seen = reader.end()
    assert seen.unread
    assert not seen.half
    assert not seen.never_half(0.0)[0]
