"""The probe of the portal against a real server that is well, fails, is slow, or is not there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from control_room.night.facts import ProbeFacts
from control_room.sources.probe import Probe, probe_for
from core.errors import UsageError


class Portal:
    """A portal whose behaviour the test changes."""

    def __init__(self) -> None:
        self.code, self.wait_s, self.cut, self.asked = 200, 0.0, False, 0
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                portal.asked += 1
                time.sleep(portal.wait_s)
                self.send_response(portal.code)
                self.send_header("Content-Length", "1000" if portal.cut else "4")
                self.end_headers()
                self.wfile.write(b"hola")

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def portal() -> Iterator[Portal]:
    made = Portal()
    yield made
    made.close()


def watched(url: str, *, timeout_s: float = 2.0) -> ProbeFacts:
    probe = Probe(url, every_s=0.01, timeout_s=timeout_s)
    try:
        until = time.monotonic() + 30
        while probe.facts() is None and time.monotonic() < until:
            time.sleep(0.02)
        facts = probe.facts()
        assert facts is not None
        return facts
    finally:
        probe.close()


def test_without_an_address_nothing_is_asked() -> None:
    before = threading.active_count()
    assert probe_for(None) is None
    assert probe_for("") is None
    assert threading.active_count() == before


def test_a_portal_that_is_well_has_no_errors(portal: Portal) -> None:
    facts = watched(portal.url)
    assert facts.error_share == 0
    assert facts.requests >= 5
    assert 0 < facts.p95_ms < 2000
    assert portal.asked >= facts.requests


@pytest.mark.parametrize("code", [404, 500, 503])
def test_an_answer_that_is_not_the_page_is_an_error(portal: Portal, code: int) -> None:
    portal.code = code
    assert watched(portal.url).error_share == 1


def test_half_a_page_is_an_error(portal: Portal) -> None:
    portal.cut = True
    assert watched(portal.url).error_share == 1


def test_a_slow_portal_is_told_by_its_95th_percentile(portal: Portal) -> None:
    portal.wait_s = 0.15
    facts = watched(portal.url)
    assert facts.p95_ms >= 150
    assert facts.error_share == 0


def test_a_portal_that_does_not_answer_in_time_is_an_error_of_that_time(portal: Portal) -> None:
    portal.wait_s = 1.0
    facts = watched(portal.url, timeout_s=0.1)
    assert facts.error_share == 1
    assert facts.p95_ms >= 100


def test_a_portal_that_is_not_there_is_an_error(portal: Portal) -> None:
    portal.close()
    assert watched(portal.url).error_share == 1
    portal.__init__()  # type: ignore[misc]


def test_only_the_window_counts(portal: Portal) -> None:
    portal.code = 500
    probe = Probe(portal.url, every_s=0.01, window_s=0.5)
    try:
        until = time.monotonic() + 30
        while probe.facts() is None and time.monotonic() < until:
            time.sleep(0.02)
        portal.code = 200
        while time.monotonic() < until:
            facts = probe.facts()
            if facts is not None and facts.error_share == 0:
                break
            time.sleep(0.05)
        assert facts is not None and facts.error_share == 0
    finally:
        probe.close()


@pytest.mark.parametrize("url", ["portal", "ftp://x/", "http://", "file:///etc/hostname"])
def test_an_address_that_is_not_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"\[portal\] url"):
        Probe(url)
