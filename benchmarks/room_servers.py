"""The servers the room's benchmarks look at: started, entered and measured from outside."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.night_side import ROOT, ChildError
from control_room.room_db import open_room
from control_room.web.context import RoomOptions, real_ms
from control_room.web.limits import AccessLimits
from control_room.web.security import session_cookie
from control_room.web.sessions import Sessions
from control_room.web.users import Users
from loadtests.processes import free_port

READY_S = 60.0
_START = "import sys; from core.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Server:
    """One server and all its processes."""

    process: subprocess.Popen[bytes]
    port: int

    def _tree(self) -> list[psutil.Process]:
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def cpu_s(self) -> float:
        """Seconds of CPU of all of them so far."""
        return float(sum(sum(one.cpu_times()[:2]) for one in self._tree()))

    def rss_mb(self) -> float:
        """Resident memory of all of them."""
        return float(sum(one.memory_info().rss for one in self._tree())) / 1e6


def sessions(base: Path, room: Path, count: int) -> list[str]:
    """As many cookies, each of a session of its own, of an operator of the room."""
    database = open_room(room)
    try:
        limits = AccessLimits()
        users = Users(database, limits)
        if users.get("banco") is None:
            users.add("banco", "Banco de pruebas", "operador", "mide-lo-que-cuesta-mirar", real_ms())
        user = users.get("banco")
        assert user is not None
        name = session_cookie(RoomOptions(base=str(base), folder=room))
        given = Sessions(database, limits)
        return [f"{name}={given.start(user, '127.0.0.1', real_ms())[0]}" for _ in range(count)]
    finally:
        database.dispose()


@contextmanager
def room_server(base: Path, room: Path, *arguments: str) -> Iterator[Server]:
    """`prep sala` on a database and a room's folder."""
    port = free_port()
    command = ["-c", _START, "sala", "--base", str(base), "--sala", str(room), "--puerto", str(port)]
    with _served([*command, "--silencio", *arguments], port, "/salud") as server:
        yield server


@contextmanager
def textbook_server(room: Path) -> Iterator[Server]:
    """The textbook application on the same snapshots."""
    port = free_port()
    with _served(
        ["-m", "benchmarks.textbook_app", "--sala", str(room), "--puerto", str(port)], port, "/"
    ) as one:
        yield one


@contextmanager
def _served(arguments: Sequence[str], port: int, path: str) -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    server = Server(process, port)
    try:
        _wait(server, path)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: Server, path: str) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and server.process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=READY_S)
        try:
            connection.request("GET", path)
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
            continue
        finally:
            connection.close()
        return
    raise ChildError("El servidor que se mide no arrancó.")
