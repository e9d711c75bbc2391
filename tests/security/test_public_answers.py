"""Every answer of the portal, whatever was asked, carries its headers and gives nobody a cookie."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from core.portal.limit import BURST
from core.portal.server import PortalApp
from core.portal.site import build_site
from core.publication.public_tree import public_keys
from tests.publication_sample import Night

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "cross-origin",
}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication with its pages, in the work folder with the database and what is not public."""
    folder = tmp_path_factory.mktemp("portal") / "corrida"
    night = Night(folder)
    night.first_part()
    night.cut()
    night.close()
    build_site(folder, mode="simulacro")
    return folder


@pytest.fixture(scope="module")
def app(work: Path) -> PortalApp:
    return PortalApp(work, rate=0)


def ask(app: PortalApp, path: str, method: str = "GET", **fields: str) -> tuple[int, dict[str, str], bytes]:
    """What goes out to the network."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "client": ("127.0.0.1", 1)}
    # In a thread: a browser of another test may keep a loop of its own in this one.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, app(scope, receive, send)).result()
    found = [(name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
    assert len({name for name, _ in found}) == len(found), f"{path}: a header twice"
    return sent[0]["status"], dict(found), sent[1]["body"]


def complete(headers: dict[str, str], path: str) -> None:
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'"), path
    assert "unsafe" not in headers["content-security-policy"], path
    for name, value in ALWAYS.items():
        assert headers[name] == value, path
    assert "geolocation=()" in headers["permissions-policy"], path
    assert "cache-control" in headers and "set-cookie" not in headers and "location" not in headers, path


def test_every_public_file_carries_the_headers_packed_or_not(app: PortalApp, work: Path) -> None:
    keys = list(public_keys(work))
    assert len(keys) > 20
    for key in ("", *keys):
        for packing in ("", "gzip, br"):
            status, headers, _ = ask(app, f"/{key}", accept_encoding=packing)
            assert status == 200, key
            complete(headers, key)
        status, headers, body = ask(app, f"/{key}", if_none_match=headers["etag"])
        assert (status, body) == (304, b""), key
        complete(headers, key)


def private(work: Path) -> Iterator[str]:
    """Names of the work folder that nobody may read."""
    public = set(public_keys(work))
    for path in work.rglob("*"):
        key = path.relative_to(work).as_posix()
        if key not in public and key.startswith((".", "prep.db", "publicador")):
            yield f"/{key}"


def test_every_no_carries_the_headers_and_says_nothing(app: PortalApp, work: Path) -> None:
    hidden = list(private(work))
    assert "/prep.db" in hidden
    around = [
        "/../prep.db",
        "/%2e%2e/prep.db",
        "//prep.db",
        "/objetos/../prep.db",
        "/prep.db\0.json",
        "/x" * 900,
    ]
    for path in (*hidden, *around):
        status, headers, body = ask(app, path)
        assert (status, body) == (404, "No está.".encode()), path
        complete(headers, path)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
        status, headers, body = ask(app, "/corte.json", method)
        assert status == 405, method
        complete(headers, method)


def test_who_insists_is_told_so_with_the_headers_too(work: Path) -> None:
    app = PortalApp(work, rate=1, patience=0)
    for _ in range(BURST + 100):
        status, headers, _ = ask(app, "/corte.json")
        if status != 200:
            break
    assert status == 429
    complete(headers, "429")
    assert headers["retry-after"] == "1", "at one a second"
