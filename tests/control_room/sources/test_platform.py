"""Disc and clock of the room's machine, against real servers on this machine."""

from __future__ import annotations

import shutil
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from control_room.sources.platform import Platform, database_skew_s, disk_free_pct, source_skew_s
from core.errors import UsageError
from core.storage.database import connect

NTP_EPOCH = 2_208_988_800


@contextmanager
def ntp(ahead_s: float, stratum: int = 1) -> Iterator[str]:
    """An NTP server whose clock is some seconds ahead of this machine's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.bind(("127.0.0.1", 0))
        channel.settimeout(0.1)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    asked, who = channel.recvfrom(512)
                except TimeoutError:
                    continue
                assert asked[0] & 7 == 3
                now = time.time() + ahead_s + NTP_EPOCH
                stamp = struct.pack("!II", int(now), int((now % 1) * 2**32))
                channel.sendto(bytes([0x24, stratum]) + bytes(38) + stamp, who)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"ntp://127.0.0.1:{channel.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


@contextmanager
def web(date: str | None, code: int = 200) -> Iterator[str]:
    """A web server that says a date."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(code)
            if date is not None:
                self.send_header("Date", date)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def test_the_fullest_disc_is_the_one_that_counts(tmp_path: Path) -> None:
    usage = shutil.disk_usage(tmp_path)
    free = disk_free_pct([tmp_path, tmp_path / "no está"])
    assert free == pytest.approx(100 * usage.free / (usage.used + usage.free), abs=1)
    assert disk_free_pct([tmp_path / "no está"]) is None
    assert disk_free_pct([]) is None


@pytest.mark.parametrize("ahead", [0.0, 7.25, -3600.0])
def test_a_time_server_tells_how_far_this_clock_is(ahead: float) -> None:
    with ntp(ahead) as source:
        assert source_skew_s(source) == pytest.approx(-ahead, abs=0.3)


def test_a_web_server_tells_it_to_the_second() -> None:
    with web("Sun, 06 Jun 2021 12:00:00 GMT", code=404) as source:
        assert source_skew_s(source) == pytest.approx(time.time() - 1_622_980_800, abs=1)


def test_a_source_that_does_not_say_the_time_is_an_error_and_not_a_zero() -> None:
    with web(None) as source, pytest.raises(OSError, match="no dice la hora"):
        source_skew_s(source)
    with ntp(0, stratum=0) as source, pytest.raises(OSError, match="no respondió como un servidor NTP"):
        source_skew_s(source)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="timed out"):
            source_skew_s(f"ntp://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2)


@pytest.mark.parametrize("source", ["pool", "ftp://x/", "ntp://", "http://"])
def test_a_source_that_is_not_one_is_refused(source: str) -> None:
    with pytest.raises(UsageError, match="fuente de hora"):
        source_skew_s(source)


def test_the_clock_of_the_database_is_compared_only_where_it_has_one(
    postgres_url: str, tmp_path: Path
) -> None:
    server, file = connect(postgres_url), connect(str(tmp_path / "a.db"), create=True)
    skew = database_skew_s(server)
    assert skew is not None
    assert abs(skew) < 1
    assert database_skew_s(file) is None
    server.dispose()
    file.dispose()


def test_the_platform_tells_what_it_looked_at(tmp_path: Path) -> None:
    with ntp(5) as source:
        platform = Platform([tmp_path], source=source, every_s=60)
        try:
            assert platform.wait(20)
            facts = platform.facts(1.5, database_ok=False, database_since_ms=9)
        finally:
            platform.close()
    assert facts.clock_skew_s == pytest.approx(-5, abs=0.3)
    assert facts.disk_free_pct is not None and 0 <= facts.disk_free_pct <= 100
    assert (facts.snapshot_age_s, facts.database_ok, facts.database_since_ms) == (1.5, False, 9)


def test_a_clock_that_stops_answering_is_not_one_that_agrees(tmp_path: Path) -> None:
    with ntp(5) as source:
        platform = Platform([tmp_path], source=source, every_s=0.01)
        assert platform.wait(20)
    try:
        until = time.monotonic() + 30
        while platform.facts(0).clock_skew_s is not None and time.monotonic() < until:
            threading.Event().wait(0.05)
        assert platform.facts(0).clock_skew_s is None
    finally:
        platform.close()
