"""The portal from any folder of any server of files: Python's own, and nginx as it is configured here."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from loadtests.processes import free_port
from tests.core.portal.nginx_site import FOLDER, running
from tests.portal.night import CUTS, PortalNight
from tests.portal.visitor import Visitor


@pytest.fixture
def night(tmp_path: Path) -> Iterator[PortalNight]:
    """A night with one cut to go, whose folder is one of a bigger site."""
    made = PortalNight(tmp_path / "sitio" / FOLDER).start(CUTS - 1)
    # Such a server tells files apart by the second of their date: two cuts never come within the same one.
    before = time.time() - 60
    os.utime(made.folder / "corte.json", (before, before))
    yield made
    made.close()


@pytest.fixture
def address(night: PortalNight) -> Iterator[str]:
    """The site behind `python -m http.server`, which knows nothing of the portal."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with subprocess.Popen(
        [*command, "--directory", night.folder.parent], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        until = time.monotonic() + 15
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/{FOLDER}/"
        process.terminate()


def test_a_folder_of_a_server_of_files_is_enough(browser: Browser, night: PortalNight, address: str) -> None:
    with Visitor(browser, address) as visitor:
        visitor.go(f"#/DIP_LOC/t/1/s/2/a/{night.clave(4)}")
        night.play(CUTS)
        visitor.until("el corte nuevo", lambda: visitor.cut() == str(CUTS))
        for view in ("#/base", "#/estado", "#/difusores", "#/AYUN/cobertura", f"#/cambios/{CUTS}"):
            visitor.go(view)
        visitor.page.goto(f"{address}verificar.html")
        visitor.page.locator("html[data-listo=si]").wait_for(state="attached")
        assert visitor.page.inner_text("#veredicto").startswith(f"VERIFICADO el corte {CUTS}")
        assert visitor.complaints == []
        # Everything was asked of the folder: no address begins at the root of the server.
        assert visitor.outside() == []


def test_nginx_with_tls_serves_it_in_a_folder_under_its_own_policy(
    browser: Browser, night: PortalNight, tmp_path: Path, repository: Path
) -> None:
    home = tmp_path / "nginx"
    home.mkdir()
    with running(night.folder, home, repository, packed=False) as site:
        url = f"https://127.0.0.1:{site.tls}/{FOLDER}/"
        with Visitor(browser, url, ignore_https_errors=True) as visitor:
            assert "Donde más faltan" in visitor.go("#/DIP_LOC")
            visitor.go(f"#/DIP_LOC/t/1/s/2/a/{night.clave(4)}")
            night.play(CUTS)
            visitor.until("el corte nuevo", lambda: visitor.cut() == str(CUTS))
            assert visitor.complaints == []
            assert visitor.outside() == []
