"""The server of public files: what it answers, with which headers, and what it never gives."""

from __future__ import annotations

import asyncio
import gzip
import math
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import brotli
import pytest

from core.portal.limit import BURST, HEAVY_BURST, HEAVY_PATIENCE_S, HEAVY_RATE, PATIENCE_S, Limit, who
from core.portal.server import LARGEST, Files, PortalApp
from loadtests.processes import free_port

PACKED = {b"accept-encoding": b"gzip, deflate, br"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A publication of four files, beside things that are not public."""
    public = tmp_path / "publico"
    name = "ab" + "0" * 62
    (public / "objetos" / "ab").mkdir(parents=True)
    (public / "objetos" / "ab" / f"{name}.json").write_bytes(b'{"votos":[' + b"1," * 2000 + b"1]}")
    (public / "cortes" / "0001").mkdir(parents=True)
    (public / "cortes" / "0001" / "JAL.csv").write_bytes(b"ACTA;VOTOS\n" * 500)
    (public / "corte.json").write_bytes(b'{"corte":1}')
    (public / "prep.db").write_bytes(b"secret")
    (public / ".emision").mkdir()
    (public / ".emision" / "0001.json").write_bytes(b"{}")
    (tmp_path / "llaves.json").write_bytes(b"outside")
    return public


def _object(folder: Path) -> str:
    return next((folder / "objetos").rglob("*.json")).relative_to(folder).as_posix()


def test_content_is_sent_packed_in_what_the_browser_takes(folder: Path) -> None:
    app, key = PortalApp(folder), _object(folder)
    plain = (folder / key).read_bytes()
    for accepted, used, unpack in (
        (b"gzip, br", "br", brotli.decompress),
        (b"gzip;q=1.0, br;q=0", "gzip", gzip.decompress),
        (b"identity", None, bytes),
        (b"", None, bytes),
    ):
        status, fields, body = app.answer("GET", f"/{key}", {b"accept-encoding": accepted})
        assert isinstance(body, bytes)
        assert (status, fields.get("Content-Encoding")) == (200, used)
        assert unpack(body) == plain
        assert fields["Content-Length"] == str(len(body))
        assert fields["Vary"] == "Accept-Encoding"


def test_what_did_not_change_is_not_sent_again(folder: Path) -> None:
    app = PortalApp(folder)
    _, fields, _ = app.answer("GET", "/corte.json", {})
    asked = {b"if-none-match": fields["ETag"].encode()}
    status, again, body = app.answer("GET", "/corte.json", asked)
    assert (status, body, again["ETag"]) == (304, b"", fields["ETag"])
    weak = {b"if-none-match": b'"otro", W/' + fields["ETag"].encode()}
    assert app.answer("GET", "/corte.json", weak)[0] == 304
    (folder / "corte.json").write_bytes(b'{"corte":2}')
    os.utime(folder / "corte.json", ns=(1, 1))
    status, _, body = app.answer("GET", "/corte.json", asked)
    assert (status, body) == (200, b'{"corte":2}')


def test_immutable_files_are_kept_for_ever_and_the_pointer_is_asked_each_time(folder: Path) -> None:
    app = PortalApp(folder)
    assert "immutable" in app.answer("GET", "/" + _object(folder), {})[1]["Cache-Control"]
    pointer = app.answer("GET", "/corte.json", {})[1]
    assert "must-revalidate" in pointer["Cache-Control"]
    assert pointer["Content-Security-Policy"].startswith("default-src 'none'")
    assert pointer["X-Content-Type-Options"] == "nosniff"
    download = app.answer("GET", "/cortes/0001/JAL.csv", {})[1]
    assert download["Content-Disposition"] == "attachment"


@pytest.mark.parametrize(
    "path",
    [
        "/prep.db", "/.emision/0001.json", "/../llaves.json", "/sitio/../../llaves.json", "//etc/passwd",
        "/objetos/..", "/cortes/0001/../../prep.db", "/corte.json/", "/cortes/0001/", "/corte.json\x00",
        "/" + "a" * 5000,
    ],
)  # fmt: skip
def test_nothing_that_is_not_public_comes_out(folder: Path, path: str) -> None:
    status, _, body = PortalApp(folder).answer("GET", path, {})
    assert status == 404
    assert isinstance(body, bytes)
    assert b"secret" not in body and b"outside" not in body


def test_a_link_that_leads_outside_is_not_followed(folder: Path) -> None:
    (folder / "llaves.json").symlink_to(folder.parent / "llaves.json")
    assert PortalApp(folder).answer("GET", "/llaves.json", {})[0] == 404


def test_only_reading_is_admitted(folder: Path) -> None:
    status, fields, _ = PortalApp(folder).answer("POST", "/corte.json", {})
    assert (status, fields["Allow"]) == (405, "GET, HEAD")


def test_head_says_the_size_and_sends_nothing(folder: Path) -> None:
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "HEAD", "path": "/corte.json", "headers": []}
    # Nothing in it waits, and a loop of the browser's library may be running in this thread.
    with pytest.raises(StopIteration):
        PortalApp(folder)(scope, receive, send).send(None)
    fields = dict(sent[0]["headers"])  # type: ignore[call-overload]
    assert fields[b"content-length"] == b"11"
    assert sent[1]["body"] == b""


def test_a_folder_still_empty_says_that_there_are_no_cuts(tmp_path: Path) -> None:
    app = PortalApp(tmp_path / "todavia-no")
    status, _, body = app.answer("GET", "/", {})
    assert status == 200
    assert isinstance(body, bytes)
    assert "Todavía no hay cortes" in body.decode()
    assert app.answer("GET", "/corte.json", {})[0] == 404


def test_memory_is_bounded_and_what_left_it_is_read_again(folder: Path) -> None:
    files = Files(folder, memory=100)
    for _ in range(2):
        assert files.get(_object(folder)) is not None
        assert files.get("corte.json") is not None
    assert list(files._kept) == ["corte.json"]


def test_a_folder_that_does_not_exist_is_told_and_not_served(tmp_path: Path) -> None:
    prep = Path(sys.executable).parent / "prep"
    asked = [str(prep), "portal", str(tmp_path / "nohay"), "--puerto", "1"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert f"No existe la carpeta {tmp_path / 'nohay'}" in done.stderr


def _peak_kb(of: int) -> int:
    """Most memory a process and its children have had, in kB."""
    children = Path(f"/proc/{of}/task/{of}/children").read_text().split()
    status = Path(f"/proc/{of}/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return own + sum(_peak_kb(int(child)) for child in children)


def _bytes_of(answer: IO[bytes]) -> int:
    return sum(map(len, iter(lambda: answer.read(1 << 20), b"")))


def test_a_large_download_neither_stops_the_others_nor_fills_the_memory(folder: Path) -> None:
    size = 60 * LARGEST
    large = folder / "cortes" / "0001" / "JAL.zip"
    with large.open("wb") as stream:
        stream.truncate(size)
    app = PortalApp(folder)
    status, fields, body = app.answer("GET", "/cortes/0001/JAL.zip", {})
    assert (status, body, fields["Content-Length"]) == (200, large, str(size))
    assert app.answer("GET", "/cortes/0001/JAL.zip", {b"if-none-match": fields["ETag"].encode()})[0] == 304
    port = free_port()
    prep = Path(sys.executable).parent / "prep"
    served = subprocess.Popen(
        [prep, "portal", folder, "--puerto", str(port), "--limite", "0"], stderr=subprocess.PIPE, text=True
    )
    try:
        assert served.stderr is not None
        served.stderr.readline()
        before = _peak_kb(served.pid)
        address = f"http://127.0.0.1:{port}/"
        downloads = [urllib.request.urlopen(f"{address}cortes/0001/JAL.zip", timeout=20) for _ in range(3)]
        # They are all half way, and what everybody asks for is answered.
        with urllib.request.urlopen(f"{address}corte.json", timeout=20) as answer:
            assert answer.read() == b'{"corte":1}'
        for one in downloads:
            with one:
                assert _bytes_of(one) == size
        assert _peak_kb(served.pid) - before < size // 4 // 1024
    finally:
        served.terminate()
        served.wait(15)
        served.stderr.close()  # type: ignore[union-attr]


def test_the_verb_serves_a_folder_and_sees_the_cuts_that_come(tmp_path: Path) -> None:
    port = free_port()
    prep = Path(sys.executable).parent / "prep"
    served = subprocess.Popen(
        [prep, "portal", tmp_path, "--puerto", str(port)], stderr=subprocess.PIPE, text=True
    )
    try:
        assert served.stderr is not None
        assert f"http://127.0.0.1:{port}/" in served.stderr.readline()
        address = f"http://127.0.0.1:{port}/corte.json"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address, timeout=10)
        (tmp_path / "corte.json").write_bytes(b'{"corte":1}')
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert answer.read() == b'{"corte":1}'
    finally:
        served.terminate()
        until = time.monotonic() + 15
        while served.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        served.kill()
        served.wait()
        served.stderr.close()  # type: ignore[union-attr]


async def _nothing() -> dict[str, Any]:
    return {}


def _all_of(
    app: PortalApp, path: str, address: str = "10.0.0.1", **fields: bytes
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of a request as a browser makes it."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(name.replace("_", "-").encode(), value) for name, value in fields.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "client": (address, 1)}
    with pytest.raises(StopIteration):
        app(scope, _nothing, send).send(None)
    status, body = sent[0]["status"], sent[1]["body"]
    assert isinstance(status, int) and isinstance(body, bytes)
    return status, dict(sent[0]["headers"]), body


def _ask(app: PortalApp, path: str, address: str = "10.0.0.1", **fields: bytes) -> tuple[int, bytes]:
    """Status and body."""
    status, _, body = _all_of(app, path, address, **fields)
    return status, body


def test_who_insists_is_told_to_wait_and_the_others_go_on(folder: Path) -> None:
    app = PortalApp(folder, rate=0.1, patience=0)
    answers = [_ask(app, "/corte.json")[0] for _ in range(BURST + 20)]
    assert answers[:BURST] == [200] * BURST
    assert answers[-1] == 429
    assert _ask(app, "/corte.json", "10.0.0.2")[0] == 200
    free = PortalApp(folder, rate=0)
    assert {_ask(free, "/corte.json")[0] for _ in range(BURST + 20)} == {200}


def test_what_is_heavy_has_a_limit_of_its_own_and_the_light_goes_on(folder: Path) -> None:
    """A few clients that download once and again would fill the link long before the requests' limit."""
    size = 3 * LARGEST // 4
    package = folder / "cortes" / "0001" / "JAL.zip"
    package.write_bytes(b"\0" * size)
    app = PortalApp(folder, heavy=Limit(HEAVY_RATE, HEAVY_BURST))
    answers = [_ask(app, "/cortes/0001/JAL.zip")[0] for _ in range(HEAVY_BURST // size + 4)]
    assert answers.count(200) == HEAVY_BURST // size + 1, "the last one is paid afterwards"
    assert answers[-1] == 429
    assert _ask(app, "/corte.json")[0] == 200
    tag = app.answer("GET", "/cortes/0001/JAL.zip", {})[1]["ETag"].encode()
    assert _ask(app, "/cortes/0001/JAL.zip", if_none_match=tag)[0] == 304, "what is not sent weighs nothing"
    assert _ask(app, "/cortes/0001/JAL.zip", "10.0.0.2")[0] == 200
    assert _ask(app, "/cortes/0001/JAL.zip", "2001:db8:0:7::1")[0] == 200


def test_addresses_that_asked_longest_ago_are_forgotten() -> None:
    limit = Limit(rate=1, burst=1, most=2)
    assert [limit.turn(one, 0.0) for one in ("a", "a", "b", "c")] == [0.0, None, 0.0, 0.0]
    assert limit.turn("a", 0.0) == 0.0, "it was forgotten"
    assert limit.turn("c", 0.0) is None


def test_one_by_one_and_too_fast_is_made_to_wait_and_never_refused() -> None:
    """Who downloads everything to verify it, one file after another, must finish."""
    limit, now = Limit(rate=100, burst=10, patience=PATIENCE_S), 0.0
    for _ in range(1000):
        wait = limit.turn("a", now)
        assert wait is not None
        now += wait
    assert now == pytest.approx(990 / 100)
    at_once = [limit.turn("b", now) for _ in range(1000)]
    assert at_once.count(None) == 1000 - 10 - int(100 * PATIENCE_S), "who insists at once is"


@pytest.mark.parametrize(("threads", "size"), [(4, 8_500_000), (8, 2_000_000)], ids=["packages", "photos"])
def test_who_verifies_a_whole_night_waits_and_is_never_refused(threads: int, size: int) -> None:
    """As `verificar --completo` asks: some files at a time, each thread one after another."""
    limit = Limit(HEAVY_RATE, HEAVY_BURST, patience=HEAVY_PATIENCE_S)
    free = [0.0] * threads
    for _ in range(30 * threads):
        now = free.pop(free.index(min(free)))
        wait = limit.turn("a", now, size)
        assert wait is not None
        free.append(now + wait)
    took = (30 * threads * size - HEAVY_BURST) / HEAVY_RATE
    assert took - HEAVY_PATIENCE_S < max(free) < took, "and it takes no more than its part"


def test_what_is_larger_than_the_bucket_costs_the_bucket_and_the_refused_know_when_to_return() -> None:
    limit = Limit(rate=10, burst=100, patience=4)
    assert [limit.turn("a", 0.0, 5000), limit.turn("a", 0.1, 41)] == [0.0, 0.0]
    assert limit.turn("a", 0.1, 5) is None, "41 owed are more than its patience"
    back = limit.wait("a", 0.1)
    assert back == pytest.approx(4.1)
    assert limit.turn("a", 0.1 + back, 5) == pytest.approx(0.0)
    assert limit.turn("b", 0.0, patience=-1.0) is None and limit.turn("b", 0.0) == 0.0


def test_who_is_refused_is_told_in_how_long_to_return(folder: Path) -> None:
    (folder / "cortes" / "0001" / "JAL.zip").write_bytes(b"\0" * 200_000)
    heavy = Limit(rate=100, burst=1000)
    app = PortalApp(folder, heavy=heavy)
    for _ in range(10):
        heavy.turn("10.0.0.1", time.monotonic(), 200_000, patience=math.inf)
    status, fields, body = _all_of(app, "/cortes/0001/JAL.zip")
    seconds = int(fields[b"retry-after"])
    assert status == 429 and 80 < seconds <= 91, "nine buckets of ten seconds are owed"
    assert f" {seconds} s" in body.decode()
    assert _ask(app, "/corte.json")[0] == 200


def test_the_pointer_somebody_waited_for_is_that_of_when_it_comes(folder: Path) -> None:
    app = PortalApp(folder, rate=2, patience=5)
    for _ in range(BURST):
        assert _ask(app, "/corte.json")[0] == 200
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def both() -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/corte.json",
            "headers": [],
            "client": ("10.0.0.1", 1),
        }
        asked = asyncio.create_task(app(scope, _nothing, send))
        await asyncio.sleep(0.05)
        assert not sent
        (folder / "corte.json").write_bytes(b'{"corte":22}')
        await asked

    with ThreadPoolExecutor(1) as apart:
        # A loop of the browser's library may be running in this thread.
        apart.submit(asyncio.run, both()).result()
    assert sent[1]["body"] == b'{"corte":22}'


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:0:7::1", "2001:db8:0:7:ffff::9", True),
        ("2001:db8:0:7::1", "2001:db8:0:8::1", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("unix:", "unix:", True),
    ],
    ids=["a network", "two networks", "two of IPv4 in IPv6", "IPv4 in IPv6", "a link", "IPv4", "no address"],
)
def test_in_ipv6_whoever_asks_is_a_network(one: str, other: str, same: bool) -> None:
    assert (who(one) == who(other)) is same


def test_an_answer_given_again_is_of_a_moment_ago_and_never_of_another_request(folder: Path) -> None:
    app, key = PortalApp(folder), "/" + _object(folder)
    _, packed = _ask(app, key, accept_encoding=b"gzip")
    assert gzip.decompress(packed) == _ask(app, key)[1]
    tag = app.answer("GET", "/corte.json", {})[1]["ETag"].encode()
    assert _ask(app, "/corte.json", if_none_match=tag) == (304, b"")
    assert _ask(app, "/corte.json") == (200, b'{"corte":1}')
    (folder / "corte.json").write_bytes(b'{"corte":22}')
    until = time.monotonic() + 5
    while _ask(app, "/corte.json")[1] != b'{"corte":22}':
        assert time.monotonic() < until
        time.sleep(0.05)
    assert _ask(app, "/corte.json", if_none_match=tag)[0] == 200
    # What does not exist yet may exist the next moment.
    assert _ask(app, "/llaves.json")[0] == 404
    (folder / "llaves.json").write_bytes(b"{}")
    assert _ask(app, "/llaves.json") == (200, b"{}")
