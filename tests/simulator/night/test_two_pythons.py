"""The same scenario and seed leave the same ledger and the same packages under another Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator.conftest import DATA
from tests.simulator.pythons import other_pythons, with_packages


def test_a_whole_night_leaves_the_same_bytes_under_another_python(repository: Path, tmp_path: Path) -> None:
    others = other_pythons()
    if not others:
        pytest.skip("no hay otra versión de Python en esta máquina")

    def ran(python: str, name: str) -> dict[str, str]:
        folder = tmp_path / name
        folder.mkdir()
        command = [python, "-m", "tests.simulator.whole_run", str(DATA / "chica.toml"), "5", str(folder)]
        done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found: dict[str, str] = json.loads(done.stdout)
        return found

    here = ran(sys.executable, "aqui")
    assert set(here) == {"estado", "bitacora", "paquetes"}
    assert ran(with_packages(others[-1], tmp_path, repository), "alla") == here
