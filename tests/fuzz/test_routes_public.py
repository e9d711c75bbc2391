"""Whatever is asked of the portal, of a witness or of a live night, they answer and go on."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.portal.server import PortalApp
from core.witness.server import MAX_BODY, WitnessServer
from core.witness.state import WitnessState
from core.witness.witness import Witness
from simulator.live.control import ControlServer
from tests.core.witness.logs import witness_key
from tests.core.witness.servers import serving
from tests.portal.conftest import serving as serving_portal
from tests.publication_sample import sample

LEAKS = re.compile(rb"Traceback|File \"/|/site-packages/|prep\.db|BEGIN (ENCRYPTED )?PRIVATE")
PIECES = st.sampled_from(
    (
        "/",
        "..",
        ".",
        "%2e%2e",
        "%2F",
        "\\",
        "\0",
        "%00",
        "//",
        "corte.json",
        "prep.db",
        ".emision",
        "checkpoint",
        "cortes",
        "0001",
        "tile/entries/000",
        "objetos",
        "imagenes",
        "etc/passwd",
        "sitio",
        "index.html",
        "?",
        "#",
        "ñ",
        "\udc80",
        "x" * 9_000,
        ".bitacora.candado",
        "llaves.json",
        "llave.pem",
        "LLAVES.JSON",
        "corte.json.gz",
        "corte.json/",
        "*",
        "~",
        "add-checkpoint",
    )
)
PATHS = st.lists(PIECES, max_size=5).map(lambda parts: "/" + "".join(parts))
METHODS = st.sampled_from(
    ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G\x7fT")
)
FIELDS = st.dictionaries(
    st.sampled_from(
        (b"accept-encoding", b"if-none-match", b"range", b"host", b"cookie", b"if-modified-since", b"x")
    ),
    st.sampled_from(
        (
            b"",
            b"*",
            b"gzip;q=",
            b"br;q=0.0.0",
            b"\xff\xfe",
            b"bytes=0-1,5-6,-1",
            b"x" * 9_000,
            b", " * 500,
            b'W/"',
            b"gzip;q=nan",
        )
    ),
    max_size=3,
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder, with its database and its private state beside what is public, and links out."""
    folder = sample(tmp_path_factory.mktemp("publica") / "trabajo")
    secret = folder.parent / "secreto.json"
    secret.write_text("BEGIN PRIVATE")
    for name in (
        "objetos/aa/" + "a" * 64 + ".json",
        "avisos/0099.json",
        "sitio/0123456789abcdef.js",
        "ayuda.html",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(secret)
    return folder


@pytest.fixture(scope="module")
def portal(work: Path) -> PortalApp:
    """The application of the portal over that folder, without limit."""
    return PortalApp(work, rate=0)


def ask(
    app: PortalApp, method: str, path: str, fields: dict[bytes, bytes]
) -> tuple[int, dict[bytes, bytes], bytes]:
    """One request of the ASGI application."""
    said: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        said.append(event)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 100, "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": list(fields.items()),
        "client": ("127.0.0.1", 1),
    }
    # By hand: it waits for nothing, and where a browser is being driven there is a loop already.
    with pytest.raises(StopIteration):
        app(scope, receive, send).send(None)
    return said[0]["status"], dict(said[0]["headers"]), said[1]["body"]


@settings(max_examples=500)
@given(method=METHODS, path=PATHS, fields=FIELDS)
def test_the_portal_answers_anything_and_gives_only_what_is_public(
    portal: PortalApp, work: Path, method: str, path: str, fields: dict[bytes, bytes]
) -> None:
    status, headers, body = ask(portal, method, path, fields)
    assert status in (200, 304, 404, 405)
    assert not LEAKS.search(body), path
    assert str(work).encode() not in body
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert status == 304 or b"content-type" in headers


@pytest.mark.parametrize(
    "name",
    ["objetos/aa/" + "a" * 64 + ".json", "avisos/0099.json", "sitio/0123456789abcdef.js", "ayuda.html"],
    ids=["objeto", "aviso", "guion", "pagina"],
)
def test_a_link_that_leads_out_of_the_folder_is_not_followed(portal: PortalApp, name: str) -> None:
    assert ask(portal, "GET", f"/{name}", {})[0] == 404


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A witness over real HTTP; its address."""
    key = witness_key("universidad.mx")
    state = WitnessState(tmp_path_factory.mktemp("testigo"), key.verifier)
    try:
        with serving(
            WitnessServer(Witness(key, state, [], lambda: 1_622_937_600), "127.0.0.1", 0)
        ) as address:
            yield address
    finally:
        state.close()


def say(address: str, data: bytes, *, half: bool = True) -> bytes:
    """What a server answers to raw bytes, until it hangs up. It must, within a few seconds.

    With `half` this side closes as soon as it has spoken: so ends the wait of who was told half of something,
    but there are servers that then answer nothing. Without it, this side closes when nothing comes any more.
    """
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=8) as one:
        one.sendall(data)
        found = b""
        if not half:
            one.settimeout(1)
            try:
                while block := one.recv(65_536):
                    found += block
                return found
            except TimeoutError:
                one.settimeout(8)
            except OSError:
                return found
        try:
            one.shutdown(socket.SHUT_WR)
            while block := one.recv(65_536):
                found += block
        except OSError as error:
            assert not isinstance(error, TimeoutError)
        return found


RAW = st.builds(
    lambda method, path, fields, body: (
        f"{method} {path.encode('utf-8', 'replace').decode()} HTTP/1.1\r\nHost: x\r\n".encode()
        + b"".join(name + b": " + value + b"\r\n" for name, value in fields.items())
        + b"\r\n"
        + body
    ),
    METHODS,
    st.one_of(PATHS, st.just("/add-checkpoint")),
    st.dictionaries(
        st.sampled_from((b"Content-Length", b"Transfer-Encoding", b"Content-Type", b"Expect", b"X")),
        st.sampled_from(
            (
                b"0",
                b"5",
                b"-1",
                b"x",
                b"9" * 30,
                b"9" * 5_000,
                "²".encode(),
                b"chunked",
                b"100-continue",
                b"",
                b"65537",
                b"20",
            )
        ),
        max_size=3,
    ),
    st.sampled_from(
        (
            b"",
            b"old 0\n\n",
            b"old " + b"9" * 5_000 + b"\n",
            b"old 0\n\nx\n1\nAAAA\n\n",
            b"\xff\xfe\0",
            b"x" * 70_000,
            b"\n" * 20,
        )
    ),
)


@settings(max_examples=150)
@given(data=st.one_of(RAW, st.binary(max_size=60)))
def test_the_witness_answers_anything_and_never_fails(witness: str, data: bytes) -> None:
    found = say(witness, data)
    assert not LEAKS.search(found), data[:200]
    if found.startswith(b"HTTP/"):
        assert int(found.split()[1]) not in range(500, 501), found[:300]


def test_the_witness_is_alive_after_all_of_it_and_has_signed_nothing(witness: str) -> None:
    with urlopen(witness + "/", timeout=5) as answer:
        assert json.load(answer)["bitacoras"] == []
    assert b" 413 " in say(
        witness, f"POST /add-checkpoint HTTP/1.1\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode()
    )


HEAD = b"Host: x\r\nConnection: close\r\n"
_GET = b"GET /corte.json HTTP/1.1"
STRANGE = (
    (b"GET /corte.json HTTP/1.0", b""),
    (_GET, b""),
    (_GET, b"Host: a\r\nHost: b\r\n"),
    (b"GET /%252e%252e/%252e%252e/etc/passwd HTTP/1.1", b"Host: x\r\n"),
    (b"GET /%c0%ae%c0%ae/prep.db HTTP/1.1", b"Host: x\r\n"),
    (b"GET /..%5c..%5cprep.db HTTP/1.1", b"Host: x\r\n"),
    (b"GET /corte.json\0.html HTTP/1.1", b"Host: x\r\n"),
    (b"GET /?x=%0d%0aSet-Cookie:%20a=b HTTP/1.1", b"Host: x\r\n"),
    (b"GET /%0d%0aSet-Cookie:%20a=b HTTP/1.1", b"Host: x\r\n"),
    (b"GET http://evil.mx/../prep.db HTTP/1.1", b"Host: x\r\n"),
    (b"CONNECT evil.mx:443 HTTP/1.1", b"Host: evil.mx\r\n"),
    (_GET, b"Host: x\r\nRange: bytes=-0\r\n"),
    (_GET, b"Host: x\r\nRange: bytes=9-1\r\n"),
    (_GET, b"Host: x\r\nRange: bytes=0-" + b"9" * 4_000 + b"\r\n"),
    (_GET, b"Host: x\r\nRange: bytes=" + b",".join([b"0-"] * 500) + b"\r\n"),
    (_GET, b"Host: x\r\nIf-None-Match: " + b'"a",' * 5_000 + b"\r\n"),
    (_GET, b"Host: x\r\nIf-Modified-Since: Thu, 99 Foo 99999999 99:99:99 GMT\r\n"),
    (_GET, b"Host: x\r\nAccept-Encoding: gzip;q=nan, br;q=1e999, *;q=\xff\r\n"),
    (_GET, b"Host: x\r\nX: a\r\n b\r\n"),
    (_GET, b"Host: x\r\n" + b"X: a\r\n" * 2_000),
    (b"GET /cortes/0003/. HTTP/1.1", b"Host: x\r\n"),
    (b"GET /\xff\xfe HTTP/1.1", b"Host: x\r\n"),
    (b"A" * 9_000 + b" / HTTP/1.1", b"Host: x\r\n"),
)
"""Requests that are whole, and that no browser makes."""


def test_the_portal_as_it_is_served_answers_raw_bytes_and_stays_alive(work: Path) -> None:
    with serving_portal(work) as url:
        address = url.rstrip("/")
        for path in (
            "/../prep.db",
            "/..%2fprep.db",
            "/%2e%2e/secreto.json",
            "/prep.db",
            "/.emision/0001.json",
            "/%00",
            "/%ff",
            "//etc/passwd",
            "/corte.json%00.png",
            "/" + "a" * 20_000,
            "/corte.json?x=" + "%22" * 999,
            "/tile/../prep.db",
            "http://evil.mx/corte.json",
            "*",
        ):
            for method in ("GET", "POST", "BREW"):
                found = say(address, f"{method} {path} HTTP/1.1\r\n".encode() + HEAD + b"\r\n", half=False)
                assert found.startswith(b"HTTP/1.1 "), path[:80]
                assert not LEAKS.search(found) and b"SQLite" not in found and str(work).encode() not in found
                assert not found.startswith(b"HTTP/1.1 5"), found[:200]
        for line, fields in STRANGE:
            found = say(address, line + b"\r\n" + fields + b"Connection: close\r\n\r\n", half=False)
            told = found.split(b"\r\n\r\n")[0]
            assert found.startswith(b"HTTP/1."), line[:80]
            assert told.split()[1] in {b"200", b"206", b"304", b"400", b"404", b"405", b"416", b"431"}, line[
                :80
            ]
            assert not LEAKS.search(found) and b"root:" not in found and b"\nset-cookie" not in told.lower()
            assert len(found) < 200_000, line[:80]
        for junk in (
            b"\0" * 500,
            b"GET",
            b"GET / HTTP/9.9\r\n\r\n",
            b"\x16\x03\x01" + bytes(200),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 300_000 + b"\r\n\r\n",
            b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        ):
            assert not LEAKS.search(say(address, junk))
        with urlopen(url + "corte.json", timeout=5) as answer:
            assert json.load(answer)["corte"] == 3


LINES = st.one_of(
    st.binary(max_size=40).map(lambda one: one.replace(b"\n", b"") + b"\n"),
    st.sampled_from(
        (
            b"[" * 90_000 + b"\n",
            b"{}\n",
            b"1\n",
            b'{"token": "\\ud800"}\n',
            b'{"token": ' + b"9" * 5_000 + b"}\n",
            b"no line",
            b'{"token": null, "orden": {}}\n',
            b'{"orden": "estado", "token": ["a"]}\n',
            b"x" * 2_000_000 + b"\n",
        )
    ),
)


@settings(max_examples=30)
@given(line=LINES)
def test_a_live_night_refuses_any_line_that_is_no_order(control: str, line: bytes) -> None:
    found = say(control, line)
    assert not LEAKS.search(found)
    assert found == b"" or json.loads(found.splitlines()[0])["ok"] is False


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a night in real time takes its orders; one that obeys them fails."""

    def handle(order: Any) -> dict[str, Any]:
        raise AssertionError(order)

    folder = tmp_path_factory.mktemp("corrida")
    server = ControlServer(folder, handle)
    try:
        yield f"http://127.0.0.1:{json.loads((folder / 'control.json').read_bytes())['puerto']}"
    finally:
        server.close()
