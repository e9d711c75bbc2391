"""A rehearsal, its two destinations, the portal open in a browser, and a stranger with only its files.

Everything is real: the engine, the publisher, a folder, an S3 server, the portal's own server, Chromium.
It is beside the destinations because it shares their S3 server.
"""

from __future__ import annotations

import base64
import gzip
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
import orjson
import pytest
from obstore.store import S3Store

from core.destinations import Distributor, Pace, open_destinations
from core.destinations.s3 import parse_address
from core.portal.site import SiteOptions, build_site
from core.publication.public_tree import object_key, public_keys
from loadtests.processes import free_port
from tests.publication_sample import Night
from tests.s3_server import ACCESS_KEY, SECRET_KEY, S3Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

QUICK = Pace(first_retry_s=0.1, last_retry_s=0.2)
PACKED = (".gz", ".br")


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """The sample's night before its first cut, with a portal that asks often."""
    made = Night(tmp_path / "trabajo")
    options = SiteOptions(poll_ms=150, wait_ms=0)
    build_site(made.folder, mode="simulacro", place="Jalisco", election="Muestra", options=options)
    yield made
    made.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """`prep portal` on the destination's folder, which is still empty."""
    (tmp_path / "publico").mkdir()
    port = free_port()
    process = subprocess.Popen(
        [Path(sys.executable).parent / "prep", "portal", tmp_path / "publico", "--puerto", str(port)],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert "Portal en" in process.stderr.readline()
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(15)
        if process.stderr is not None:
            process.stderr.close()


def until(page: Page, what: str, condition: Callable[[], Any], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"no pasó: {what}; {page.inner_text('body')[:400]}"
        page.wait_for_timeout(25)


def cut_shown(page: Page) -> str:
    return str(page.evaluate("() => document.getElementById('contenido').dataset.corte || ''"))


def in_the_bucket(spec: str) -> dict[str, bytes]:
    """Everything public of a bucket as a client that decodes gets it, with none of our code."""
    address = parse_address(spec)
    store = S3Store(
        address.bucket, prefix=address.prefix, endpoint=address.endpoint, region="us-east-1",
        access_key_id=ACCESS_KEY, secret_access_key=SECRET_KEY, client_options={"allow_http": True},
    )  # fmt: skip
    found = {}
    for batch in obstore.list(store):
        for item in batch:
            answer = obstore.get(store, item["path"])
            packed = answer.attributes.get("Content-Encoding") == "gzip"
            data = bytes(answer.bytes())
            found[item["path"]] = gzip.decompress(data) if packed else data
    return {key: data for key, data in found.items() if not key.startswith(".")}


def in_the_folder(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in PACKED)
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return {key: data for key, data in found.items() if not key.startswith(".")}


@pytest.fixture
def only_cryptography(tmp_path: Path) -> Path:
    """A folder of libraries with `cryptography` and what it needs, and nothing else of the environment."""
    folder = tmp_path / "solo"
    folder.mkdir()
    for name in ("cryptography", "cffi", "_cffi_backend"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            origin = Path(spec.origin)
            found = origin.parent if origin.name == "__init__.py" else origin
            (folder / found.name).symlink_to(found)
    return folder


def verified(copy: Path, libraries: Path, acta: str) -> subprocess.CompletedProcess[str]:
    """What a stranger does in the folder of his copy: the program he found there, on the acta he knows."""
    program = (
        f"import runpy, sys; sys.path.append({str(libraries)!r}); "
        f"sys.argv = ['verificar.py', '.', '--acta', {acta!r}]; "
        "runpy.run_path('verificar.py', run_name='__main__')"
    )
    return subprocess.run(
        # -I: no variable nor the folder itself; -S: no library of this environment.
        [sys.executable, "-I", "-S", "-c", program],
        cwd=copy, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip


def section_of(public: dict[str, bytes], acta: str) -> str:
    """The object that shows an acta in the last cut."""

    def read(name: str) -> Any:
        return orjson.loads(public[object_key(name)])

    emission = orjson.loads(public[orjson.loads(public["corte.json"])["emision"]])
    entry = orjson.loads(base64.b64decode(emission["entrada"]))
    for contest in entry["contiendas"].values():
        for territory in read(contest["raiz"])["territorios"]:
            for section in read(territory[1])["secciones"]:
                if any(one["acta"] == acta for one in read(section[1])["actas"]):
                    return object_key(section[1])
    raise AssertionError(acta)


def test_it_is_seen_in_both_places_as_it_comes_and_a_stranger_verifies_an_acta(
    night: Night, served: str, browser: Browser, s3_server: S3Server, only_cryptography: Path, tmp_path: Path
) -> None:
    place = s3_server.new_place()
    destinations = open_destinations(
        night.folder, [f"portal={tmp_path / 'publico'}", f"nube={place}"],
        environment=s3_server.environment(),
    )  # fmt: skip
    context = browser.new_context(locale="es-MX", reduced_motion="reduce")
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    try:
        with Distributor(night.folder, destinations, pace=QUICK) as distributor:
            assert distributor.drain(20), distributor.states()
            page = context.new_page()
            page.goto(served)
            until(page, "la portada vacía", lambda: "Todavía no hay cortes" in page.inner_text("main"))
            page.evaluate("() => { window.sigueAbierta = true; }")
            parts = (night.first_part, night.second_part, night.third_part)
            for number, part in enumerate(parts, start=1):
                part()
                assert night.cut(last=number == len(parts)).refused is None
                distributor.announce()
                until(page, f"el corte {number}", lambda: cut_shown(page) == str(number))  # noqa: B023
                assert f"Corte {number}" in page.inner_text("#corte-cual")
            assert page.evaluate("() => window.sigueAbierta") is True, "it was never loaded again"
            assert "La publicación terminó" in page.inner_text("body")
            assert distributor.drain(20), distributor.states()
            assert [state["corte"] for state in distributor.states()] == [3, 3]
    finally:
        context.close()
    assert all(url.startswith((served, "data:", "blob:")) for url in asked)

    public = in_the_folder(tmp_path / "publico")
    assert public == in_the_bucket(place)
    assert public.keys() == set(public_keys(night.folder))

    copy = tmp_path / "extraño"
    for key, data in in_the_bucket(place).items():
        (copy / key).parent.mkdir(parents=True, exist_ok=True)
        (copy / key).write_bytes(data)
    acta = night.catalog.actas[0].key
    done = verified(copy, only_cryptography, acta)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "VERIFICADO" in done.stdout
    assert acta in done.stdout
    key = section_of(public, acta)
    body = public[key]
    place_of_a_vote = body.index(b'"votos":[') + len(b'"votos":[')
    (copy / key).write_bytes(
        body[:place_of_a_vote] + bytes([body[place_of_a_vote] ^ 1]) + body[place_of_a_vote + 1 :]
    )
    spoiled = verified(copy, only_cryptography, acta)
    assert spoiled.returncode == 1, spoiled.stdout + spoiled.stderr
    assert "NO VERIFICA: " in spoiled.stdout
