"""The means with which things are broken do what they say, and only that."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from core.publication.interference import CutStep
from core.publishing import run
from loadtests.faults import edge, servers
from loadtests.faults.cases.hour import PUBLISHED, every_slot
from loadtests.faults.cases.keys import Knocks, knock, write_certificate
from loadtests.faults.cases.room import shown_as_old, went_back
from loadtests.faults.cases.writer import ended
from loadtests.faults.clock import RehearsalClock
from loadtests.faults.cutter import PROCESS, Trap, set_trap, sprung
from loadtests.faults.night import HOURS, write_night
from loadtests.faults.processes import Program, RehearsalError, command_of, wait_until
from loadtests.faults.servers import Proxy
from loadtests.faults.small_disk import SmallDisk
from loadtests.faults.visitor import Shown
from loadtests.processes import free_port
from simulator.scenario.file import load_scenario, open_scenario_catalog


def test_a_step_of_the_clock_changes_the_hour_of_the_machine_and_not_the_right_one(tmp_path: Path) -> None:
    clock = RehearsalClock(tmp_path / "r.json")
    clock.set(1_000_000)
    clock.step(-3_600_000)
    assert 1_000_000 <= clock.right_ms() < 1_060_000
    assert clock.machine_ms() - clock.right_ms() == pytest.approx(-3_600_000, abs=1_000)
    # The night that is moved on mends no clock.
    clock.set(2_000_000)
    assert clock.machine_ms() - clock.right_ms() == pytest.approx(-3_600_000, abs=1_000)
    before = clock.right_ms()
    clock.step(0)
    assert before <= clock.right_ms() == pytest.approx(clock.machine_ms(), abs=1_000)


def test_a_server_that_is_killed_leaves_no_socket_of_its_own_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "SOCKETS", tmp_path)
    program = tmp_path / "weed"
    program.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    program.chmod(0o755)
    server = servers.S3(program, tmp_path / "s3")
    server.launch()
    names = [
        f"seaweedfs-s3-{server.port}.sock",
        f"seaweedfs-s3-grpc-{server.port}.sock",
        "seaweedfs-s3-1.sock",
    ]
    for name in names:
        (tmp_path / name).touch()
    server.kill()
    assert [path.name for path in tmp_path.glob("*.sock")] == [names[-1]]


def test_every_slot_has_its_cut_but_those_the_rehearsal_itself_went_past() -> None:
    five, ten, fifteen = 300_000, 600_000, 900_000
    assert every_slot(0, 7, 9, ()) == [(five, PUBLISHED, 8), (ten, PUBLISHED, 9)]
    assert every_slot(0, 7, 9, {ten}) == [(five, PUBLISHED, 8), (fifteen, PUBLISHED, 9)]


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


@contextmanager
def answering(*pair: Path) -> Iterator[int]:
    """The port of a server that answers every question of HTTP, in the clear or with a certificate."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        if pair:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair[0], pair[1])

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with suppress(OSError), context.wrap_socket(client, True) if pair else client as channel:
                    channel.recv(1000)
                    channel.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield int(server.getsockname()[1])


def test_a_knock_tells_who_answers_in_the_clear_from_who_ciphers_and_from_nobody(tmp_path: Path) -> None:
    pair = tmp_path / "c.pem", tmp_path / "k.pem"
    write_certificate(*pair)
    with answering() as plain, answering(*pair) as ciphered:
        assert knock(plain, cipher=False).startswith(b"HTTP/1.1 200")
        assert knock(ciphered, cipher=True).startswith(b"HTTP/1.1 200")
        assert knock(ciphered, cipher=False) == b""
        knocks = Knocks(plain)
        wait_until("le contestan", lambda: knocks.answered, 10)
        tries, answered = knocks.end()
        assert tries > 1
        assert "200 OK" in answered[0]
    nobody = free_port()
    assert knock(nobody, cipher=False) == knock(nobody, cipher=True) == b""


def test_what_a_program_left_behind_is_ended_with_it_and_its_number_is_signalled_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaves = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid); raise SystemExit(3)"
    one = Program(tmp_path / "p.log", ["-S", "-c", leaves], {})
    assert one.end(10) == 3
    left = int(one.said())
    os.kill(one.process.pid, 0)  # nobody else can have its number yet
    asked: list[int] = []
    end_group = os.killpg

    def told(pid: int, how: int) -> None:
        asked.append(pid)
        end_group(pid, how)

    monkeypatch.setattr(os, "killpg", told)
    one.kill()
    wait_until("lo que dejó termina", lambda: not command_of(left), 10)
    one.kill()
    one.close()
    assert (asked, one.code, one.alive) == ([one.process.pid], 3, False)


def test_a_program_ends_with_whoever_started_it_even_when_that_one_is_killed(tmp_path: Path) -> None:
    starts = (
        "import sys, time\nfrom pathlib import Path\nfrom loadtests.faults.processes import Program\n"
        "one = Program(Path(sys.argv[1]), ['-S', '-c', 'import time; time.sleep(60)'], {})\n"
        "print(one.process.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starts, tmp_path / "p.log"], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until("el programa está", lambda: "sleep" in command_of(pid), 10)
        parent.kill()
    wait_until("el programa termina", lambda: not command_of(pid), 10)


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import sys; sys.exit('No hay llave.')", "salida 1: No hay llave."),
        ("1 / 0", None),
        ("raise SystemExit(2)", None),
    ],
    ids=["says why", "a trace", "says nothing"],
)
def test_only_who_ends_with_words_for_people_has_said_it(
    program: str, told: str | None, tmp_path: Path
) -> None:
    (tmp_path / "p.log").write_text("Traceback (most recent call last)\nde otra vez\n", encoding="utf-8")
    with Program(tmp_path / "p.log", ["-S", "-c", program], {}) as one:
        heard = len(one.said())
        one.end(10)
        assert ended(one, heard) == told
        assert ended(one) is None
    assert ended(None) is None


def shown(seq: int, age_ms: int, captured: int = 5) -> Shown:
    kpis = {"esperadas": 9, "acopiadas": 7, "digitalizadas": 6, "capturadas": captured}
    return Shown({"seq": seq, "boot_id": "b", "viejo_s": 2.0, "kpis": kpis, "base": {"seq": 40}}, age_ms)


def test_a_room_that_shows_old_data_as_new_is_found_out() -> None:
    assert shown_as_old(shown(3, 2_100), shown(3, 2_900)).holds
    assert not shown_as_old(shown(3, 100), shown(3, 2_900)).holds
    assert not shown_as_old(shown(3, 2_100), shown(3, 2_100)).holds
    assert not shown_as_old(shown(3, 2_100), shown(4, 2_900)).holds
    assert went_back(shown(3, 0).data, shown(4, 0, 6).data) == []
    assert went_back(shown(3, 0).data, shown(4, 0, 4).data) == ["capturadas: 5 → 4"]


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


def test_a_small_disk_that_cannot_be_kept_is_unmounted_all_the_same(tmp_path: Path) -> None:
    disk = SmallDisk.mounted(tmp_path / "d", 2)
    if disk is None:
        pytest.skip("no se permite montar un tmpfs")
    os.mkfifo(tmp_path / "d" / "no-se-copia")
    (tmp_path / "d" / "otro").write_bytes(b"algo")
    with pytest.raises(RehearsalError, match="guardar"):
        disk.close()
    assert not os.path.ismount(tmp_path / "d")
    assert (tmp_path / "d.guardada" / "otro").read_bytes() == b"algo"


def test_the_night_is_of_the_size_asked_and_of_its_length(tmp_path: Path) -> None:
    loaded = load_scenario(write_night(tmp_path / "n", 8))
    assert loaded.scenario.calendar.length_ms == HOURS * 3_600_000
    assert len(open_scenario_catalog(loaded).actas) == 37
