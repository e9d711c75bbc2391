"""The room as it is served: what is markup is text on every page, and raw bytes do not end it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser

from control_room.app import load_pages
from core.domain.commands import NoteIncident, OpenIncident
from tests import publication_sample
from tests.control_room.browser.screens import Screen
from tests.control_room.browser.served import ServedRoom
from tests.fuzz.test_hostile_names import MARKUP, hostile_catalog
from tests.fuzz.test_routes_public import LEAKS, STRANGE, say
from tests.publication_sample import Night

CLEAN = """() => [window.hostil, window.violado,
  document.querySelectorAll('img[src*=hostil], #sala script').length]"""
WATCH = """() => document.addEventListener(
  'securitypolicyviolation', one => (window.violado = one.blockedURI))"""
QUERY = {"/catd": "?catd=0", "/incidentes": "?incidente=uno", "/bitacora": "?texto=onerror"}
PAGES = [re.sub("<[^>]+>", "0", one.path) + QUERY.get(one.path, "") for one in load_pages()]
"""Every page of the room, from the room itself."""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedRoom]:
    """A room over a night whose every name is markup, and so are an incident and its note."""
    folder: Path = tmp_path_factory.mktemp("hostil")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publication_sample, "sample_catalog", hostile_catalog)
        night = Night(folder / "noche")
    for acta in range(4):
        night.acta(acta)
    night.send(
        OpenIncident(incident="uno", kind="enlace", title=MARKUP, catds=(0,), **night._who("<script>ana")),
        NoteIncident(incident="uno", text=f"nota {MARKUP}", **night._who("<b>ana</b>")),
    )
    assert night.cut().refused is None
    night.close()
    with ServedRoom(folder / "noche/prep.db", folder / "sala") as served:
        yield served


def test_markup_in_every_name_is_shown_by_the_room_and_never_obeyed(
    room: ServedRoom, browser: Browser
) -> None:
    person = Screen(browser, room)
    try:
        shown = False
        for path in (*PAGES, "/<script>window.hostil=9</script>"):
            person.page.goto(room.url + path)
            person.page.wait_for_timeout(150)
            person.page.evaluate(WATCH)
            assert person.page.evaluate(CLEAN) == [None, None, 0], path
            shown = shown or "onerror=" in person.page.inner_text("body")
        assert shown
        assert not [one for one in person.log.requests if "/hostil" in one]
        assert not [one for one in person.log.complaints if "Content Security Policy" in one]
    finally:
        person.context.close()


def test_raw_bytes_are_answered_and_the_room_stays_alive(room: ServedRoom) -> None:
    for data in (
        b"\0" * 500,
        b"GET",
        b"GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /assets/..%2f..%2fsala.db HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /entrar HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\nx",
        b"POST /entrar HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffffff\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: " + b"=;\xff" * 900 + b"\r\n\r\n",
    ):
        found = say(room.url, data)
        assert not LEAKS.search(found), data[:80]
        assert not found.startswith(b"HTTP/1.1 500"), data[:80]
    for line, fields in STRANGE:
        request = line.replace(b"prep.db", b"x").replace(b"/corte.json", b"/entrar") + b"\r\n" + fields
        found = say(room.url, request + b"Connection: close\r\n\r\n", half=False)
        told = found.split(b"\r\n\r\n")[0]
        assert found.startswith(b"HTTP/1.") and told.split()[1][:1] in b"234", line[:80]
        assert not LEAKS.search(found) and b"\nset-cookie: a" not in told.lower(), line[:80]
    with urlopen(f"{room.url}/salud", timeout=5) as answer:
        assert json.load(answer)["seq"] > 0
