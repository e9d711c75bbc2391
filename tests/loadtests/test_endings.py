"""However a test ends, nothing that it started goes on asking."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loadtests.faults.processes import descendants
from loadtests.generating import generator
from loadtests.generating.generator import Processes
from loadtests.generating.insist import Abuse
from loadtests.processes import free_port
from loadtests.target import parse
from tests.loadtests.test_carga import PROFILE, served

ABUSE = """
[abuso]
empieza_pct = 0
clientes = 2
direcciones = 1
peticiones_s = 10
descargas = 0
lentos = 0
"""
POINTER = {"portal": "ab" * 32, "difusion": "difusion/0001.zip"}


def running(pid: int) -> bool:
    """Whether a process is there and is not only waiting for somebody to ask how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.05)


def test_a_termination_leaves_no_process(tmp_path: Path, work: Path) -> None:
    (tmp_path / "chico.toml").write_text(PROFILE + "abuso_min = 1\n" + ABUSE, encoding="utf-8")
    folder = tmp_path / "o"
    folder.mkdir()
    for name in ("informe.html", "veredicto.json"):
        (folder / name).write_text("Aprobada", encoding="utf-8")
    with served(work, "ninguno") as url:
        command = [
            str(Path(sys.executable).parent / "prep"), "carga", "chico.toml", "--objetivo", url,
            "--salida", "o", "--reemplazar", "--duracion", "5m", "--sin-techo", "--calibracion", "0.1",
            "--trabajadores", "2", "--puerto-maestro", str(free_port()),
        ]  # fmt: skip
        with subprocess.Popen(command, cwd=tmp_path, text=True, stderr=subprocess.PIPE) as process:
            wait_for(folder / generator.BEGUN, process)
            until = time.monotonic() + 20
            # Locust and its two, the trivial server and those who insist.
            while len(started := descendants(process.pid)) < 5 and time.monotonic() < until:
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
    assert len(started) == 5
    assert not [one for one in started if running(one)]
    assert process.returncode == 130 and "Traceback" not in said
    # Who reads the folder does not take the verdict of a former test for this one's.
    assert json.loads((folder / "veredicto.json").read_bytes())["veredicto"] == "interrumpida"
    assert not (folder / "informe.html").exists()


def test_workers_go_when_their_master_cannot_begin(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        since = time.monotonic()
        left = generator.run(
            tmp_path / "no_hay_plan.json",
            tmp_path,
            Processes(1, port=busy.getsockname()[1]),
            60,
            lambda: None,
        )
    assert "antes de empezar" in left.trouble
    assert time.monotonic() - since < 30
    assert not [
        one for one in descendants(os.getpid()) if b"locust" in Path(f"/proc/{one}/cmdline").read_bytes()
    ]


def test_those_who_insist_go_at_once_when_the_test_ends_early() -> None:
    abuse = {
        "empieza_pct": 0,
        "clientes": 1,
        "direcciones": 1,
        "peticiones_s": 10,
        "descargas": 0,
        "lentos": 0,
    }
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = parse(f"http://127.0.0.1:{silent.getsockname()[1]}")
        crowd = Abuse(abuse, target, POINTER, 600)
        crowd.begin()
        silent.accept()
        before = time.monotonic()
        crowd.end(early=True)
    assert time.monotonic() - before < 15 and crowd.got is None


@pytest.mark.skipif(sys.platform != "linux", reason="solo Linux avisa a quien sobrevive")
def test_a_command_that_is_tied_ends_with_whoever_starts_it() -> None:
    # The one in between is killed: it has no chance to end anybody.
    code = (
        "import subprocess, time\n"
        "from loadtests.tied import tied\n"
        "print(subprocess.Popen(tied(['sleep', '60'])).pid, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as between:
        assert between.stdout is not None
        pid = int(between.stdout.readline())
        until = time.monotonic() + 10
        while b"sleep" not in Path(f"/proc/{pid}/cmdline").read_bytes()[:5] and time.monotonic() < until:
            time.sleep(0.01)
        between.kill()
    while running(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not running(pid)
