"""`make sala` and `make portal`: a rehearsal and what is seen of it, as a person starts and stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.processes import free_port
from tests.simulator.night.test_restart import SMALL

READY_S = 90.0
LEAVE_S = 30.0


@pytest.fixture
def port() -> int:
    return free_port()


class Started:
    """The script in a session of its own, with the Ctrl-C of a terminal."""

    def __init__(
        self, repository: Path, folder: Path, port: int, *more: str, what: str = "sala", **environment: str
    ) -> None:
        self.output = folder / f"dicho-{port}.txt"
        with self.output.open("w") as stream:
            self.process = subprocess.Popen(
                [
                    "bash", repository / "scripts" / "en-vivo.sh", what, Path(sys.executable).parent,
                    folder / "con espacios" / what, str(port), *more,
                ],
                cwd=repository, stdout=stream, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                start_new_session=True, env={**os.environ, **environment},
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def ready(self, words: str = "Ctrl-C la detiene") -> None:
        until = time.monotonic() + READY_S
        while words not in self.said and time.monotonic() < until:
            assert self.process.poll() is None, self.said
            time.sleep(0.1)
        assert words in self.said

    def interrupt(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(LEAVE_S)

    def left(self) -> list[str]:
        """What still runs in its session, whatever its process group."""
        found = []
        for one in Path("/proc").iterdir():
            if one.name.isdigit():
                try:
                    if os.getsid(int(one.name)) == self.process.pid:
                        found.append((one / "cmdline").read_text().replace("\0", " "))
                except OSError:
                    continue
        return found

    def all_gone(self) -> bool:
        until = time.monotonic() + LEAVE_S
        while self.left() and time.monotonic() < until:
            time.sleep(0.1)
        return not self.left()


@pytest.fixture
def started(repository: Path, tmp_path: Path, port: int) -> Iterator[Started]:
    if not Path("/proc/self").exists():
        pytest.skip("se miran los procesos en /proc")
    run = Started(repository, tmp_path, port, str(SMALL), "90")
    yield run
    if run.process.poll() is None:
        run.interrupt()


def test_it_says_how_to_enter_and_ctrl_c_leaves_no_process(
    started: Started, repository: Path, tmp_path: Path, port: int
) -> None:
    started.ready()
    assert f"http://127.0.0.1:{port}/" in started.said.splitlines()[-9]
    for role in ("lectura", "operador", "coordinador", "instructor"):
        assert f"rol {role}" in started.said
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/salud", timeout=10) as answer:
        assert answer.status == 200
    assert len(started.left()) >= 5
    # While it is open, another one is told so and touches nothing of it.
    second = Started(repository, tmp_path / "con espacios", port)
    assert second.process.wait(READY_S) == 2
    assert f"El puerto {port} está ocupado" in second.said
    started.interrupt()
    assert started.process.returncode == 130
    assert started.all_gone(), started.left()


def test_the_portal_shows_only_what_is_public_and_another_place_gets_it_too(
    repository: Path, tmp_path: Path, port: int
) -> None:
    other = tmp_path / "otro"
    public = tmp_path / "con espacios" / "portal-publico"
    run = Started(repository, tmp_path, port, str(SMALL), "130", what="portal", DESTINO=f"radio={other}")
    try:
        run.ready("Portal en")
        address = f"http://127.0.0.1:{port}/"
        until = time.monotonic() + READY_S
        while not (other / "corte.json").exists() or not (public / "corte.json").exists():
            assert time.monotonic() < until, run.said
            time.sleep(0.1)
        with urllib.request.urlopen(address + "corte.json", timeout=10) as answer:
            assert b'"modo":"simulacro"' in answer.read()
        assert not (public / "prep.db").exists() and not (public / "publicador.json").exists()
    finally:
        run.interrupt()
    assert run.process.returncode == 130
    # What is not ours is not written over.
    (public / ".prep-candado").unlink()
    again = Started(repository, tmp_path, port, str(SMALL), "130", what="portal")
    assert again.process.wait(READY_S) == 2
    assert "no son de una publicación" in again.said


def test_a_port_that_is_no_number_is_refused(repository: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            "bash", repository / "scripts" / "en-vivo.sh", "sala", Path(sys.executable).parent,
            tmp_path / "s", "ocho",
        ],
        cwd=repository, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "PUERTO debe ser un número" in done.stderr
    assert list(tmp_path.iterdir()) == []
