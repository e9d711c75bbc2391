"""When each cut appeared is known from outside: by the published folder, or past whatever caches."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from loadtests import target
from loadtests.judging.observer import Observer
from loadtests.target import Target

Answer = Callable[[BaseHTTPRequestHandler], tuple[int, int]]
"""Status and cut for a question."""


@contextmanager
def serving(answer: Answer) -> Iterator[Target]:
    """A target that answers so."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, cut = answer(self)
            body = json.dumps({"corte": cut}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield target.parse(f"http://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that has to happen."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_published_folder_is_the_truth_when_the_target_shows_an_old_cut_for_ever(tmp_path: Path) -> None:
    pointer, later = tmp_path / "corte.json", tmp_path / "otro"
    pointer.write_text('{"corte": 1}', encoding="utf-8")
    with serving(lambda _: (200, 1)) as where:
        observer = Observer(where, tmp_path)
        observer.start()
        until(lambda: observer.first == 1)
        later.write_text('{"corte": 2}', encoding="utf-8")
        before = time.time()
        later.replace(pointer)
        until(lambda: 2 in observer.appeared)
        observer.end()
    assert before <= observer.appeared[2] < before + 1
    assert observer.watch.asked and observer.watch.disk


def test_a_target_that_does_not_answer_does_not_hide_what_the_folder_says(tmp_path: Path) -> None:
    pointer, later = tmp_path / "corte.json", tmp_path / "otro"
    pointer.write_text('{"corte": 1}', encoding="utf-8")
    asked, free = threading.Event(), threading.Event()

    def stuck(_: BaseHTTPRequestHandler) -> tuple[int, int]:
        asked.set()
        free.wait(30)
        return 200, 1

    with serving(stuck) as where:
        observer = Observer(where, tmp_path)
        observer.start()
        assert asked.wait(10)
        until(lambda: observer.first == 1)
        later.write_text('{"corte": 2}', encoding="utf-8")
        later.replace(pointer)
        until(lambda: 2 in observer.appeared)
        assert not free.is_set(), "nobody was answered meanwhile"
        free.set()
        observer.end()


def test_without_a_folder_the_target_is_asked_without_tag_and_past_caches() -> None:
    seen: list[tuple[str, str | None, str | None]] = []

    def cached(request: BaseHTTPRequestHandler) -> tuple[int, int]:
        tag, cache = request.headers["If-None-Match"], request.headers["Cache-Control"]
        seen.append((request.path, tag, cache))
        # A cache that gives the same answer to the same question.
        return 200, len({path for path, _, _ in seen})

    with serving(cached) as where:
        observer = Observer(where)
        observer.start()
        until(lambda: 2 in observer.appeared)
        observer.end()
    assert observer.first == 1 and not observer.watch.disk
    assert {(tag, cache) for _, tag, cache in seen} == {(None, "no-cache")}


def test_a_target_that_refuses_a_query_is_asked_without_one_and_what_is_lost_is_counted() -> None:
    with serving(lambda request: (400 if "?" in request.path else 200, 7)) as where:
        observer = Observer(where)
        observer.start()
        until(lambda: observer.first == 7)
        observer.end()
    assert observer.watch.lost == 1 and observer.watch.asked >= 2
    assert observer.watch.lost_pct == 100 / observer.watch.asked
