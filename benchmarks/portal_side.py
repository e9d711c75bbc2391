"""`portal`: the bytes a visitor is sent, first and when nothing changed, by each way of serving it.

A certified publication of Jalisco with its pages, in a destination folder, behind `prep portal` and behind
nginx with the shipped configuration, opened in Chromium with its own record of what came by the network.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.certified_side import key_of, timed
from benchmarks.context import MODE, Context
from benchmarks.figures import Calibration, Figure
from benchmarks.nights import START_MS
from benchmarks.room_browser import browser
from core.destinations.directory import DirectoryDestination
from core.destinations.distributor import Distributor
from core.errors import PrepError
from core.portal.site import SiteOptions, build_site
from core.publication.cut import Publisher
from loadtests.processes import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

ROOT = Path(__file__).resolve().parent.parent
FIRST_VIEW = 60_000
"""Bytes, compressed and with the headers of the answers, of everything asked for to see the first page."""
POLL_MS = 400
WAIT_S = 30.0
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
_DRAWN = """() => { const main = document.getElementById("contenido");
  return main && main.dataset.corte && main.dataset.vista !== undefined; }"""


class ServingError(PrepError):
    """A server did not start, or there was no page."""


class Traffic:
    """What came by the network to a page; what the browser had is not there."""

    def __init__(self) -> None:
        self._url: dict[str, str] = {}
        self._head: dict[str, tuple[int, int]] = {}
        self._total: dict[str, int] = {}

    def watch(self, session: CDPSession) -> None:
        """Listen to a page from now on."""
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.responseReceivedExtraInfo", self._answered)
        session.on("Network.loadingFinished", self._ended)
        session.send("Network.enable")

    def clear(self) -> None:
        """Forget what came so far."""
        for kept in (self._url, self._head, self._total):
            kept.clear()

    @property
    def answers(self) -> list[Came]:
        """What came, in order."""
        return [
            Came(self._url.get(one, ""), *self._head[one], total)
            for one, total in self._total.items()
            if one in self._head
        ]

    def _asked(self, event: dict[str, Any]) -> None:
        self._url[event["requestId"]] = event["request"]["url"]

    def _answered(self, event: dict[str, Any]) -> None:
        # Only for what went by the network, and with the status of the server: 304 where it said so.
        self._head[event["requestId"]] = (event["statusCode"], len(event["headersText"].encode()))

    def _ended(self, event: dict[str, Any]) -> None:
        self._total[event["requestId"]] = int(event["encodedDataLength"])


class Came(NamedTuple):
    """An answer: bytes on the wire of its headers, and of all of it."""

    url: str
    status: int
    head: int
    total: int


def bodies(answers: Sequence[Came]) -> int:
    """Bytes of content of some answers."""
    return sum(one.total - one.head for one in answers)


def heads(answers: Sequence[Came]) -> str:
    """How many answers, which, and what their headers take, for people."""
    which = ", ".join(map(str, sorted({one.status for one in answers}))) or "ninguna"
    return f"{len(answers)} respuestas ({which}), {sum(one.head for one in answers):,} bytes de encabezados"


def portal(context: Context) -> list[Figure]:
    """First view, a poll with nothing new and a reload, behind each server."""
    place = _published(context)
    calibration = context.calibrate()
    figures: list[Figure] = []
    with browser() as opened:
        if opened is None:
            context.note("portal: no hay Chromium; no se mide")
            return figures
        with _portal(place) as address:
            figures += _visit(opened, address, "prep portal", calibration)
        if NGINX is None:
            context.note("portal: no hay nginx; solo se mide prep portal")
        else:
            with _nginx(place, context.room("nginx"), NGINX) as address:
                figures += _visit(opened, address, "nginx", calibration)
    return figures


def _published(context: Context) -> Path:
    """A destination with three certified cuts of the night and the pages."""
    office, work = context.office_apart("portal"), context.room("portal-trabajo")
    publisher = Publisher(office.engine, office.store.database, work, key=key_of(office))
    timed(publisher, START_MS + 21 * 3_600_000)
    office.finish()
    for hour in (22, 23):
        timed(publisher, START_MS + hour * 3_600_000)
    catalog = office.catalog
    # It asks often, so that what a poll brings is seen at once; nothing else is different.
    options = SiteOptions(poll_ms=POLL_MS, wait_ms=POLL_MS)
    build_site(work, mode=MODE, place=catalog.entidad.name, election=catalog.election, options=options)
    public = context.room("portal-publico")
    with Distributor(work, [DirectoryDestination(public)]) as distributor:
        distributor.announce()
        if not distributor.drain(300.0):
            raise ServingError(f"La carpeta del destino no quedó al corriente: {distributor.states()}")
    return public


def _visit(opened: Browser, address: str, server: str, calibration: Calibration) -> list[Figure]:
    """What somebody who arrives, stays and comes back is sent."""
    context = opened.new_context(viewport={"width": 1366, "height": 900}, locale="es-MX")
    try:
        page = context.new_page()
        session = context.new_cdp_session(page)
        traffic = Traffic()
        traffic.watch(session)
        page.goto(address)
        page.wait_for_function(_DRAWN, timeout=WAIT_S * 1000)
        page.wait_for_timeout(POLL_MS / 2)
        first = traffic.answers
        polled = _polls(page, traffic)
        traffic.clear()
        page.reload()
        page.wait_for_function(_DRAWN, timeout=WAIT_S * 1000)
        page.wait_for_timeout(POLL_MS / 2)
        again = traffic.answers
    finally:
        context.close()
    return [
        Figure(
            "portal", f"primera vista por {server}", sum(one.total for one in first), calibration,
            FIRST_VIEW, unit="bytes", note=f"{bodies(first):,} de contenido; {heads(first)}",
        ),
        Figure(
            "portal", f"contenido de un sondeo sin corte nuevo por {server}", bodies(polled), calibration,
            0.0, exact=True, unit="bytes", note=heads(polled),
        ),
        Figure(
            "portal", f"contenido de volver a cargar sin corte nuevo por {server}", bodies(again),
            calibration, 0.0, exact=True, unit="bytes", note=heads(again),
        ),
    ]  # fmt: skip


def _polls(page: Page, traffic: Traffic) -> list[Came]:
    """What came while the page asked for the pointer a few times. Raises ServingError."""
    traffic.clear()
    until = time.monotonic() + WAIT_S
    while len(traffic.answers) < 3:
        if time.monotonic() > until:
            raise ServingError("La página no volvió a preguntar por corte.json.")
        page.wait_for_timeout(POLL_MS)
    seen = traffic.answers
    for one in seen:
        if not one.url.endswith("corte.json"):
            raise ServingError(f"Sin corte nuevo la página pidió {one.url}")
    return seen


@contextmanager
def _portal(place: Path) -> Iterator[str]:
    """`prep portal`."""
    port = free_port()
    command = [
        sys.executable, "-c", "import sys; from core.cli import main; sys.exit(main())", "portal", str(place),
        "--puerto", str(port),
    ]  # fmt: skip
    with _running(command, port) as address:
        yield address


@contextmanager
def _nginx(place: Path, home: Path, nginx: str) -> Iterator[str]:
    """nginx with the shipped file, as where somebody else has the TLS: a browser keeps nothing it got from a
    certificate it does not trust. Only its paths and its ports change.
    """
    port = free_port()
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for old, new in (
        ("/var/log/nginx/", f"{home}/"),
        ("/run/nginx-prep.pid", f"{home}/nginx.pid"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{port};"),
        ("listen [::]:80;", ""),
        ("listen [::]:443 ssl http2;", ""),
        ("/srv/prep/publico", str(place)),
        ("worker_processes auto;", "worker_processes 1;"),
    ):
        if old not in text:
            raise ServingError(f"deploy/nginx.conf ya no dice «{old}»")
        text = text.replace(old, new)
    text = re.sub(r"^ *ssl_certificate(_key)? .*$", "", text, flags=re.MULTILINE)
    if os.geteuid() == 0:
        text = f"user root;\n{text}"
    (home / "nginx.conf").write_text(text, encoding="utf-8")
    with _running([nginx, "-c", str(home / "nginx.conf"), "-g", "daemon off;"], port) as address:
        yield address


@contextmanager
def _running(command: list[str], port: int) -> Iterator[str]:
    """A server until it is not needed. Raises ServingError when it does not answer."""
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/"
    try:
        until = time.monotonic() + WAIT_S
        while True:
            try:
                with urllib.request.urlopen(f"{address}corte.json", timeout=5):
                    break
            except OSError as error:
                if process.poll() is not None or time.monotonic() > until:
                    raise ServingError(f"{Path(command[0]).name} no atiende: {error}") from error
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(15)
