"""A publication served as it is to anybody: the real server over a tiny tree."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from core.portal.site import SiteOptions, build_site
from tests.portal.tree import CUTS, publish


class Served(NamedTuple):
    """A folder and the address where it is served. `process` is the server."""

    folder: Path
    url: str
    process: subprocess.Popen[str]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """All cuts but the last; pages ask often and do not wait, so that tests are quick."""
    folder = tmp_path / "publico"
    folder.mkdir()
    options = SiteOptions(difusores=(("Diario <b>", "https://diario.example/"),), poll_ms=200, wait_ms=100)
    build_site(folder, mode="simulacro", place="Jalisco", election="Proceso de prueba", options=options)
    publish(folder, CUTS - 1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [Path(sys.executable).parent / "prep", "portal", folder, "--puerto", str(port)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "Portal en" in process.stderr.readline()
        yield Served(folder, f"http://127.0.0.1:{port}/", process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()
