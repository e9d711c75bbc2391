"""A real publication served as it is to anybody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from loadtests.processes import free_port
from tests.portal.night import CUTS, PortalNight


class Served(NamedTuple):
    """A night and the address where its folder is served."""

    night: PortalNight
    url: str


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The portal's own server over a folder, in a process of its own; gives its address."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "prep"), "portal", str(folder), "--puerto", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert "Portal en" in process.stderr.readline()
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The whole night, which no test changes, behind the portal's own server."""
    night = PortalNight(tmp_path_factory.mktemp("noche")).start(CUTS)
    try:
        with serving(night.folder) as url:
            yield Served(night, url)
    finally:
        night.close()
