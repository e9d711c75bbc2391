"""The verifier at a site that limits how much each one takes: it waits, and never says that it is bad."""

from __future__ import annotations

import asyncio
import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.portal import server as portal
from core.portal.limit import Limit
from core.portal.server import PortalApp
from core.verification import verificar
from core.verification.verificar import main
from tests.publication_sample import sample

Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication of three cuts."""
    return sample(tmp_path_factory.mktemp("limitada") / "publico")


@contextmanager
def served(answer: Callable[[str], Answer]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """An address where each path is answered so, and the paths asked with the status of each."""
    asked: list[tuple[str, int]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, fields, body = answer(self.path)
            asked.append((self.path, status))
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one:
        threading.Thread(target=functools.partial(one.serve_forever, 0.02), daemon=True).start()
        yield f"http://127.0.0.1:{one.server_address[1]}/", asked
        one.shutdown()


def through(app: PortalApp, loop: asyncio.AbstractEventLoop) -> Callable[[str], Answer]:
    """What the portal's own application sends for a path, with its waits."""

    def answer(path: str) -> Answer:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {}

        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "client": ("10.0.0.1", 1)}
        asyncio.run_coroutine_threadsafe(app(scope, receive, send), loop).result(30)
        fields = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return sent[0]["status"], fields, sent[1]["body"]

    return answer


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One that runs apart, as the server's."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever, daemon=True)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join(10)
    made.close()


def plain(site: Path, path: str) -> Answer:
    file = site / path.lstrip("/")
    return (200, {}, file.read_bytes()) if file.is_file() else (404, {}, b"")


def test_a_whole_publication_verifies_over_a_portal_of_small_limits(
    site: Path,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Everything of more than 1 kB is heavy, and what a cut weighs is more than may be taken at once.
    monkeypatch.setattr(portal, "HEAVY", 1024)
    app = PortalApp(site, heavy=Limit(rate=1_000_000, burst=60_000))
    with served(through(app, loop)) as (address, asked):
        code = main([address, "--completo"])
    told = capsys.readouterr()
    assert (code, told.err) == (0, "")
    assert "están enteros, con los archivos que se firmaron" in told.out
    refused = {path for path, status in asked if status == 429}
    assert refused, "the limit was reached"
    assert refused <= {path for path, status in asked if status == 200}, "and each came afterwards"


@pytest.mark.parametrize(
    ("what", "status", "fields"),
    [
        ("/difusion/0001.zip", 429, {"Retry-After": "1"}),
        ("/cortes/0001/manifiesto.json", 503, {}),
        ("/imagenes/", 429, {"Retry-After": "9" * 30}),
    ],
    ids=["a package", "a manifest that is unavailable", "images for ever"],
)
def test_a_site_that_always_refuses_a_file_could_not_be_read_and_is_not_a_bad_publication(
    site: Path,
    what: str,
    status: int,
    fields: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(verificar, "REFUSED_AT_MOST_S", 0.9)
    monkeypatch.setattr(verificar, "REFUSED_S", (0.05, 0.05))

    def answer(path: str) -> Answer:
        return (status, fields, b"") if path.startswith(what) else plain(site, path)

    with served(answer) as (address, asked):
        code = main([address, "--completo"])
    told = capsys.readouterr()
    assert (code, told.out) == (2, ""), "no verdict"
    assert f"No se puede leer: el sitio responde {status} a {what[1:]}" in told.err
    assert "vuelva a intentarlo más tarde" in told.err
    times = [path for path, found in asked if found == status]
    assert times.count(times[0]) == (3 if status == 503 else 1)


def test_a_file_refused_twice_is_waited_for_as_long_as_the_site_says(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    left = {"/checkpoint": [{"Retry-After": "7"}, {"Retry-After": "Sat, 06 Jun 2026 00:00:00 GMT"}]}

    def answer(path: str) -> Answer:
        return (429, left[path].pop(0), b"") if left.get(path) else plain(site, path)

    with served(answer) as (address, _):
        assert main([address]) == 0
    assert capsys.readouterr().err == ""
    assert [round(one) for one in slept] == [7, verificar.REFUSED_S[0]]


def test_a_package_that_came_and_is_no_zip_is_a_bad_publication(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(path: str) -> Answer:
        status, fields, body = plain(site, path)
        return status, fields, body[: len(body) // 2] if path == "/difusion/0001.zip" else body

    with served(answer) as (address, _):
        assert main([address, "--completo"]) == 1
    assert "difusion/0001.zip está incompleto o no es un ZIP" in capsys.readouterr().out
