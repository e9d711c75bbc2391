"""The means with which things are broken do what they say, and only that."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core.publication.interference import CutStep
from core.publishing import run
from loadtests.faults import edge
from loadtests.faults.clock import RehearsalClock
from loadtests.faults.cutter import PROCESS, Trap, set_trap, sprung
from loadtests.faults.night import HOURS, write_night
from loadtests.faults.servers import Proxy
from loadtests.faults.small_disk import SmallDisk
from simulator.scenario.file import load_scenario, open_scenario_catalog


def test_a_step_of_the_clock_changes_the_hour_of_the_machine_and_not_the_right_one(tmp_path: Path) -> None:
    clock = RehearsalClock(tmp_path / "r.json")
    clock.set(1_000_000)
    clock.step(-3_600_000)
    assert 1_000_000 <= clock.right_ms() < 1_060_000
    assert clock.machine_ms() - clock.right_ms() == pytest.approx(-3_600_000, abs=1_000)
    before = clock.right_ms()
    clock.step(0)
    assert before <= clock.right_ms() == pytest.approx(clock.machine_ms(), abs=1_000)


def test_the_edge_puts_the_clock_of_the_rehearsal_where_the_service_reads_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SteadyClock", "Watchdog", "TICK_S"):
        monkeypatch.setattr(run, name, getattr(run, name))
    clock = RehearsalClock(tmp_path / "r.json")
    clock.set(5_000_000)
    edge.install(clock, None)
    service = getattr(run, "SteadyClock")()  # noqa: B009 - a name it imports, put in by the edge
    assert service() == pytest.approx(5_000_000, abs=5_000)
    clock.step(3_600_000)
    assert service.jump == pytest.approx(3_600_000, abs=5_000)
    assert service() == pytest.approx(5_000_000, abs=5_000)


def test_a_trap_kills_at_its_step_once_and_says_so(tmp_path: Path) -> None:
    trap = tmp_path / "trampa.json"
    with pytest.raises(ValueError, match="no such step"):
        set_trap(trap, "ninguno", PROCESS)
    set_trap(trap, "registrado", PROCESS)
    step = CutStep(3, 0, False, tmp_path, tmp_path)
    Trap(trap).at("bitacora", step)
    assert trap.is_file()
    program = (
        "from pathlib import Path\nfrom loadtests.faults.cutter import Trap\n"
        "from core.publication.interference import CutStep\nhere = Path(__import__('sys').argv[1])\n"
        "Trap(here / 'trampa.json').at('registrado', CutStep(3, 0, False, here, here))\nprint('vivo')"
    )
    for code, said in ((-9, ""), (0, "vivo\n")):
        done = subprocess.run(
            [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (code, said)
    assert json.loads(sprung(trap).read_text())["corte"] == 3


@pytest.fixture
def echo() -> int:
    """The port of a server that says back what it hears."""
    server = socket.create_server(("127.0.0.1", 0))

    def talk(client: socket.socket) -> None:
        while data := client.recv(100):
            client.sendall(data)

    def serve() -> None:
        while True:
            threading.Thread(target=talk, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


def ask(port: int, timeout: float = 5.0) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout) as channel:
        channel.sendall(b"hola")
        return channel.recv(100)


def test_a_proxy_lets_through_delays_hangs_and_refuses(echo: int) -> None:
    proxy = Proxy(echo)
    try:
        assert ask(proxy.port) == b"hola"
        proxy.slow(0.15)
        before = time.monotonic()
        assert ask(proxy.port) == b"hola"
        assert time.monotonic() - before >= 0.3
        proxy.normal()
        proxy.hang()
        with pytest.raises(TimeoutError):
            ask(proxy.port, 0.2)
        proxy.normal()
        proxy.refuse()
        with pytest.raises(ConnectionError) as refused:
            if ask(proxy.port) == b"":
                raise ConnectionResetError
        assert not isinstance(refused.value, TimeoutError)
        proxy.normal()
        assert ask(proxy.port) == b"hola"
    finally:
        proxy.close()


def test_a_small_disk_fills_up_and_is_emptied(tmp_path: Path) -> None:
    disk = SmallDisk.mounted(tmp_path / "d", 2)
    if disk is None:
        pytest.skip("no se permite montar un tmpfs")
    try:
        disk.fill(4_096)
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "d" / "otro").write_bytes(bytes(65_536))
        disk.empty()
        (tmp_path / "d" / "otro").write_bytes(bytes(65_536))
    finally:
        disk.close()
    assert not os.path.ismount(tmp_path / "d")


def test_the_night_is_of_the_size_asked_and_of_its_length(tmp_path: Path) -> None:
    loaded = load_scenario(write_night(tmp_path / "n", 8))
    assert loaded.scenario.calendar.length_ms == HOURS * 3_600_000
    assert len(open_scenario_catalog(loaded).actas) == 37
