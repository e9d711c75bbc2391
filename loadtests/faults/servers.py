"""Servers of a rehearsal's own: PostgreSQL, an S3 (SeaweedFS), and a proxy that makes an address slow.

Started from the system's or the package's binaries on loopback ports, in folders of their own, and thrown
away afterwards. None of them touches a server that is already running on the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from loadtests.faults.processes import RehearsalError, descendants, free_port, wait_until

OLDEST_POSTGRES = 15
BUCKET = "prep-fallas"
ACCESS_KEY, SECRET_KEY = "prep-fallas", "secreto-del-ensayo-de-fallas"


# -- PostgreSQL ------------------------------------------------------------------------------------


def find_postgres() -> Path | None:
    """The folder with `initdb` and `postgres` of the newest version that serves; None without one."""
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    found = [(_version(folder), folder) for folder in folders if (folder / "postgres").exists()]
    fit = [pair for pair in found if pair[0] >= OLDEST_POSTGRES]
    return max(fit)[1] if fit else None


def _version(folder: Path) -> int:
    done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+", done.stdout)
    return int(found.group()) if found else 0


class Postgres:
    """A server that keeps its port when it is killed and started again. Durability is on."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        # A short path: the name of a Unix socket holds about a hundred bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="prep-fallas-", dir="/tmp"))
        self._owner = _unprivileged() if os.geteuid() == 0 else None
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            if self._owner:
                os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)
            asked = ["-U", "prep", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
            self._run("initdb", "-D", str(self._data), *asked)
            self.start()
            self._run("createdb", "-h", "127.0.0.1", "-p", str(self._port), "-U", "prep", "prep", pg=False)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of its database."""
        return f"postgresql+psycopg://prep@127.0.0.1:{self._port}/prep"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._binaries / "postgres", "-D", self._data, "-p", str(self._port)),
                    *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self._folder}"),
                    *("-c", "shared_buffers=64MB", "-c", "max_connections=60"),
                ],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self._folder, **self._identity(),
            )  # fmt: skip
        wait_until("PostgreSQL contesta", self._answers, 60)

    def kill(self) -> None:
        """As a cut of power: it and every process of it, SIGKILL."""
        process, self._process = self._process, None
        if process is None:
            return
        everyone = [process.pid, *descendants(process.pid)]
        for pid in everyone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        wait_until("PostgreSQL murió", lambda: not any(Path(f"/proc/{pid}").exists() for pid in everyone), 10)

    def close(self) -> None:
        """Kill it and remove everything it wrote."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            log = (self._folder / "server.log").read_text(errors="replace")[-1000:]
            raise RehearsalError(f"PostgreSQL no arrancó: {log}")
        done = subprocess.run(
            [self._binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self._port)], check=False
        )
        return done.returncode == 0

    def _run(self, name: str, *arguments: str, pg: bool = True) -> None:
        done = subprocess.run(
            [self._binaries / name, *arguments], capture_output=True, text=True, check=False,
            cwd=self._folder, **(self._identity() if pg else {}),
        )  # fmt: skip
        if done.returncode != 0:
            raise RehearsalError(f"{name} no se pudo ejecutar: {done.stderr[-500:]}")

    def _identity(self) -> dict[str, Any]:
        if self._owner is None:
            return {}
        return {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}


def _unprivileged() -> pwd.struct_passwd:
    # The server refuses to run as root.
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RehearsalError("PostgreSQL no corre como root y no hay usuario postgres ni nobody.")


# -- S3 --------------------------------------------------------------------------------------------

_PORTS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
    "s3.port", "s3.port.grpc",
)  # fmt: skip


def find_weed() -> Path | None:
    """SeaweedFS, of the environment's package or on the path; None without it."""
    beside = Path(sys.executable).parent / "weed"
    if beside.exists():
        return beside
    on_path = shutil.which("weed")
    return Path(on_path) if on_path else None


class S3:
    """An S3 server with one bucket. It keeps its ports and its data when it is killed and started again."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        self._ports = {name: free_port() for name in _PORTS}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Of its S3 side, on 127.0.0.1."""
        return self._ports["s3.port"]

    def launch(self) -> None:
        """Start it, without waiting."""
        (self._folder / "datos").mkdir(parents=True, exist_ok=True)
        config = self._folder / "s3.json"
        who = {
            "name": "fallas",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        config.write_text(json.dumps({"identities": [who]}), encoding="utf-8")
        with (self._folder / "weed.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(self._binary), f"-logdir={self._folder}", "server"),
                    *(f"-dir={self._folder / 'datos'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                    *("-volume.max=20", "-master.volumeSizeLimitMB=64", "-master.telemetry=false"),
                    *("-s3", f"-s3.config={config}"),
                    *("-s3.port.iceberg=0", "-s3.port.lance=0"),
                    *(f"-{name}={port}" for name, port in self._ports.items()),
                ],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self._folder, start_new_session=True,
            )  # fmt: skip

    def wait(self) -> None:
        """Until it takes a bucket and can be read."""
        wait_until("el servidor S3 contesta", self._ready, 60)

    def kill(self) -> None:
        """SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            log = (self._folder / "weed.log").read_text(errors="replace")[-1000:]
            raise RehearsalError(f"El servidor S3 no arrancó: {log}")
        filer = f"http://127.0.0.1:{self._ports['filer.port']}/buckets/{BUCKET}/"
        try:
            with urllib.request.urlopen(urllib.request.Request(filer, method="POST"), timeout=5):
                pass
        except urllib.error.HTTPError as error:
            return error.code == HTTPStatus.CONFLICT
        except OSError:
            return False
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class Proxy:
    """A TCP proxy on loopback: lets through, delays each piece, or hangs (takes and says nothing)."""

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.delay_s = 0.0
        self.passed = threading.Event()
        self.passed.set()
        self.refusing = False
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def slow(self, delay_s: float) -> None:
        """Every piece of whatever passes waits this long."""
        self.delay_s = delay_s

    def hang(self) -> None:
        """Nothing passes from here on."""
        self.passed.clear()

    def refuse(self) -> None:
        """Every connection is closed as soon as it is made, those there are when they say something."""
        self.refusing = True

    def normal(self) -> None:
        """Everything passes at once again."""
        self.delay_s = 0.0
        self.refusing = False
        self.passed.set()

    def close(self) -> None:
        """Take no more connections."""
        self.normal()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            try:
                there = socket.create_connection(self._target, 5)
            except OSError:
                client.close()
                continue
            for source, target in ((client, there), (there, client)):
                threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self.passed.wait()
                if self.refusing:
                    break
                if self.delay_s:
                    time.sleep(self.delay_s)
                target.sendall(data)
        except OSError:
            pass
        finally:
            for one in (source, target):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
