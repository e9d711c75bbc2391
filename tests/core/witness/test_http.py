"""The protocol over real HTTP: codes, types and limits; and a process killed in the middle of signing."""

from __future__ import annotations

import contextlib
import functools
import http.client
import http.server
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import UsageError
from core.transparency.keys import generate_witness, rehearsal_key
from core.transparency.notes import parse_note, parse_signatures
from core.witness import server as server_module
from core.witness.client import WitnessAddress, cosign, parse_address
from core.witness.errors import AskError, ContradictsError, SilentError
from core.witness.http import Reply, getter, post
from core.witness.state import WitnessState, evidence_of
from core.witness.witness import Witness
from loadtests.processes import free_port
from tests.conftest import Prep
from tests.core.witness.logs import KEY, ORIGIN, Story, witness_key
from tests.core.witness.servers import dead_witness, serving, slow_witness, witness_at
from tests.raw_server import CUT_SHORT, raw_server

HONEST = Story(shared=10)
FORK = Story("b", shared=10)
STRANGE = Story("c")


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessAddress]:
    with witness_at(tmp_path, "universidad.mx", KEY.verifier) as address:
        yield address


def send(witness: WitnessAddress, body: bytes) -> Reply:
    return post(f"{witness.url}/add-checkpoint", body, "text/plain", 5.0)


def test_each_answer_has_the_code_and_the_type_of_the_protocol(witness: WitnessAddress) -> None:
    good = send(witness, HONEST.request(0, 12).encode())
    (line,) = parse_signatures(good.body.decode().splitlines())
    assert good.status == 200 and witness.verifier.signed(HONEST.note(12).text, line)
    stale = send(witness, HONEST.request(0, 20).encode())
    assert (stale.status, stale.kind, stale.body) == (409, "text/x.tlog.size", b"12\n")
    assert send(witness, FORK.request(12, 12).encode()).status == 409
    assert send(witness, FORK.request(12, 20).encode()).status == 422
    assert send(witness, Story(key=rehearsal_key(ORIGIN, "otra")).request(0, 3).encode()).status == 403
    other = Story(key=rehearsal_key("prep.col.2021/simulacro", "x"))
    assert send(witness, other.request(0, 3).encode()).status == 404
    assert send(witness, b"hola").status == 400
    assert send(witness, b"x" * (server_module.MAX_BODY + 1)).status == 413
    assert send(witness, HONEST.request(12, 20).encode()).status == 200


def test_other_paths_and_requests_without_a_length_are_refused(witness: WitnessAddress) -> None:
    assert post(f"{witness.url}/otra", b"", "text/plain", 5.0).status == 404
    connection = http.client.HTTPConnection(witness.url.removeprefix("http://"), timeout=5)
    connection.putrequest("POST", "/add-checkpoint")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    assert connection.getresponse().status == 411
    connection.close()


def test_who_is_slow_to_ask_is_hung_up_on_and_the_rest_are_served(
    witness: WitnessAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "CONNECTION_S", 0.3)
    host, _, port = witness.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 5) as slow:
        slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 100\r\n\r\nold")
        assert send(witness, HONEST.request(0, 3).encode()).status == 200
        slow.settimeout(5)
        assert slow.recv(100) == b""


def test_the_client_learns_the_size_and_gets_a_signature_that_holds(
    witness: WitnessAddress,
) -> None:
    story = HONEST
    files = _files(story, 30)
    first = cosign(witness, story.note(5), files.__getitem__)
    assert (first.size, first.at_s) == (5, 1_622_937_600)
    later = cosign(witness, story.note(30), files.__getitem__)
    assert witness.verifier.signed(story.note(30).text, parse_signatures([later.line.rstrip("\n")])[0])


def test_the_client_tells_another_story_a_longer_one_and_a_refusal(witness: WitnessAddress) -> None:
    cosign(witness, HONEST.note(12), _files(HONEST, 12).__getitem__)
    with pytest.raises(ContradictsError, match="se bifurcó"):
        cosign(witness, FORK.note(12), _files(FORK, 12).__getitem__)
    with pytest.raises(ContradictsError, match="no continúa"):
        cosign(witness, FORK.note(15), _files(FORK, 15).__getitem__)
    with pytest.raises(ContradictsError, match="12 entradas y aquí hay 9"):
        cosign(witness, HONEST.note(9), _files(HONEST, 9).__getitem__)
    stranger = Story(key=rehearsal_key(ORIGIN, "otra"))
    with pytest.raises(AskError, match="no conoce la llave"):
        cosign(witness, stranger.note(15), _files(stranger, 15).__getitem__)


def test_the_client_does_not_take_the_signature_of_somebody_else(witness: WitnessAddress) -> None:
    other = WitnessAddress(witness.url, witness_key("otro.mx").verifier)
    with pytest.raises(AskError, match="no es su firma"):
        cosign(other, HONEST.note(12), _files(HONEST, 12).__getitem__)


def test_dead_slow_and_talkative_ones_are_silent_to_the_client() -> None:
    with pytest.raises(SilentError, match="no contesta"):
        cosign(dead_witness("x"), HONEST.note(3), _files(HONEST, 3).__getitem__)
    with slow_witness("x") as slow, pytest.raises(SilentError, match="no contest"):
        cosign(slow, HONEST.note(3), _files(HONEST, 3).__getitem__, timeout_s=0.2)

    class Endless(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    files = _files(HONEST, 3).__getitem__
    endless = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    with serving(endless) as url, pytest.raises(SilentError, match="más de"):
        cosign(WitnessAddress(url, witness_key("x").verifier), HONEST.note(3), files)


def test_an_address_says_where_and_whose(tmp_path: Path) -> None:
    vkey = witness_key().vkey
    found = parse_address(f"https://t.mx/a?b=c={vkey}")
    assert (found.url, found.name) == ("https://t.mx/a?b=c", "universidad.mx")
    for wrong in (
        "https://t.mx",
        f"ftp://t.mx={vkey}",
        f"https://t.mx={KEY.vkey}",
        "https://t.mx=x+00000000+AAAA",
    ):
        with pytest.raises(UsageError):
            parse_address(wrong)


def test_killed_in_the_middle_it_never_forgets_what_it_told(tmp_path: Path) -> None:
    key = generate_witness(tmp_path / "testigo.pem", "universidad.mx", None)
    port = free_port()
    command: list[str | Path] = [
        Path(sys.executable).parent / "prep", "testigo", "atender", "--llave", tmp_path / "testigo.pem",
        "--estado", tmp_path / "estado", "--bitacora", KEY.vkey, "--puerto", str(port), "--silencio",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    witness = WitnessAddress(url, key.verifier)
    size, told = 0, 0
    for life in range(3):
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            assert process.stderr is not None and "Testigo universidad.mx" in process.stderr.readline()
            if life:
                # What it answered before it was killed is the least that it remembers.
                reply = send(witness, HONEST.request(0, 40).encode())
                size = int(reply.body)
                assert reply.status == 409 and size >= told
                assert send(witness, STRANGE.request(size, size).encode()).status == 409
            if life == 2:
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0
                break
            killer = threading.Timer(0.15, os.kill, (process.pid, signal.SIGKILL))
            killer.start()
            while size < 40:
                try:
                    reply = send(witness, HONEST.request(size, size + 1).encode())
                except SilentError:
                    break
                assert reply.status == 200, reply
                size = told = size + 1
                time.sleep(0.005)
            killer.join()
            assert process.wait(10) == -signal.SIGKILL
        finally:
            process.kill()
            process.communicate()
    assert told > 1
    assert len(evidence_of(tmp_path / "estado")) >= 1


def test_the_verb_makes_a_key_and_tells_what_was_cosigned(prep: Prep, tmp_path: Path) -> None:
    made = prep("testigo", "llave", "t.pem", "--nombre", "universidad.mx", "--sin-cifrar")
    assert made.returncode == 0 and "Llave pública: universidad.mx+" in made.stdout
    assert prep("testigo", "llave", "t.pem", "--nombre", "x", "--sin-cifrar").returncode == 2
    with witness_at(tmp_path, "estado", KEY.verifier) as witness:
        cosign(witness, HONEST.note(12), _files(HONEST, 12).__getitem__)
        shown = prep("testigo", "ver", "--estado", "estado")
        assert (
            shown.returncode == 0
            and f"{ORIGIN}: 12 entradas, raíz {HONEST.tree.root(12).hex()}" in shown.stdout
        )
        with pytest.raises(ContradictsError):
            cosign(witness, FORK.note(12), _files(FORK, 12).__getitem__)
        shown = prep("testigo", "ver", "--estado", "estado")
        assert shown.returncode == 1 and "BIFURCACIÓN" in shown.stdout


def _files(story: Story, size: int) -> dict[str, bytes]:
    """The tiles of a log of up to that size, of every width a reader may ask for."""
    from core.transparency.tiles import tile_path

    leaves = [story.tree.get(0, index) for index in range(size)]
    found = {tile_path(0, 0, width): b"".join(leaves[:width]) for width in range(1, size + 1)}
    return found | {"checkpoint": str(story.note(size)).encode()}


def test_a_note_with_other_signatures_is_cosigned_all_the_same(witness: WitnessAddress) -> None:
    text = HONEST.note(4).text
    more = parse_note(str(HONEST.note(4)) + witness_key("otro.mx").cosign(text, 5))
    assert cosign(witness, more, _files(HONEST, 4).__getitem__).size == 4


def test_it_also_serves_where_addresses_are_long(tmp_path: Path) -> None:
    key = witness_key()
    state = WitnessState(tmp_path, key.verifier)
    server = server_module.WitnessServer(Witness(key, state, [KEY.verifier], lambda: 1), "::1", 0)
    with serving(server):
        assert server.address == f"http://[::1]:{server.server_port}/"
        witness = WitnessAddress(server.address.rstrip("/"), key.verifier)
        assert send(witness, HONEST.request(0, 3).encode()).status == 200
    state.close()


def test_anybody_may_ask_what_it_cosigned(witness: WitnessAddress) -> None:
    send(witness, HONEST.request(0, 12).encode())
    with urllib.request.urlopen(f"{witness.url}/", timeout=5) as answer:
        told = json.load(answer)
    (log,) = told["bitacoras"]
    assert told["testigo"] == witness.verifier.vkey
    assert (log["origen"], log["tamano"], log["raiz"]) == (ORIGIN, 12, HONEST.tree.root(12).hex())
    note = parse_note(log["checkpoint"])
    assert witness.verifier.signed(note.text, note.signatures[-1])


def test_a_witness_without_a_server_goes_and_looks(prep: Prep, tmp_path: Path) -> None:
    generate_witness(tmp_path / "t.pem", "universidad.mx", None)
    options = ("--llave", "t.pem", "--estado", "estado", "--bitacora", KEY.vkey)

    def publish(story: Story, size: int) -> None:
        for name, data in _files(story, size).items():
            path = tmp_path / "sitio" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    handler = functools.partial(Quiet, directory=str(tmp_path / "sitio"))
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)) as url:
        publish(HONEST, 12)
        done = prep("testigo", "revisar", url, *options, "--salida", "firmado")
        assert done.returncode == 0, done.stderr
        assert "firmadas 12 entradas, que continúan las 0" in done.stdout
        assert len(parse_note((tmp_path / "firmado").read_bytes()).signatures) == 2
        publish(HONEST, 20)
        done = prep("testigo", "revisar", f"{url}/", *options)
        assert done.returncode == 0 and "que continúan las 12 de antes" in done.stdout
    publish(FORK, 30)
    done = prep("testigo", "revisar", "sitio", *options)
    assert done.returncode == 1 and "NO SE FIRMA" in done.stdout
    publish(HONEST, 15)
    done = prep("testigo", "revisar", "sitio", *options)
    assert done.returncode == 1 and "ya se habían firmado 20 entradas y ahí hay 15" in done.stdout
    assert prep("testigo", "revisar", "estado", *options).returncode == 2


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def dripping(said: bytes) -> Iterator[str]:
    """Who answers a byte now and then, and never ends."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.request.sendall(said)
                for _ in range(200):
                    self.request.sendall(b"x")
                    time.sleep(0.05)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("scheme", "said"),
    [
        ("http", b""),
        ("http", b"HTTP/1.1 200 OK\r\nX-Slow: "),
        ("http", b"HTTP/1.1 200 OK\r\n\r\n"),
        ("https", b"\x16\x03\x03\x3f\x00"),
    ],
    ids=["the status", "a header", "the body", "the handshake"],
)
def test_who_answers_byte_by_byte_is_left_when_the_time_is_over(scheme: str, said: bytes) -> None:
    with dripping(said) as url:
        began = time.monotonic()
        with pytest.raises(SilentError, match=r"no contestó en 0\.3 s"):
            post(url.replace("http", scheme), b"x", "text/plain", 0.3)
        assert time.monotonic() - began < 2


def test_an_answer_that_is_cut_short_is_not_taken_for_a_whole_one() -> None:
    with raw_server(CUT_SHORT) as url, pytest.raises(SilentError, match="cortó su respuesta"):
        getter(url, 5.0)("corte.json")
