"""A PostgreSQL server of the tests' own, started from the system's binaries and thrown away afterwards.

For: the fixtures of conftest and the tests that stop a server under load. It never touches a server that
is already running on the machine.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import psycopg

MINIMUM_VERSION = 15
START_SECONDS = 60.0


class ClusterError(Exception):
    """The server could not be started; the message ends with its log."""


def find_binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres`` of the newest version from 15 on; None without one."""
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    versions = [(_version(folder), folder) for folder in folders if (folder / "postgres").exists()]
    fit = [pair for pair in versions if pair[0] >= MINIMUM_VERSION]
    return max(fit)[1] if fit else None


def _version(folder: Path) -> int:
    done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+", done.stdout)
    return int(found.group()) if found else 0


class Cluster:
    """One server with its own data folder, Unix socket and loopback port; a context manager.

    Durability is on (``fsync``, ``synchronous_commit``), because what the tests prove rests on it.
    """

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        # A short path: the name of a Unix socket holds about a hundred bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="prep-pg-", dir="/tmp"))
        self._owner = _unprivileged() if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._created = 0
        self.port = 0

    def __enter__(self) -> Self:
        try:
            self._initialize()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Starts the server on a free port and waits until it answers; raises ClusterError."""
        self.port = _free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self._folder),
            "fsync": "on",
            "synchronous_commit": "on",
            "shared_buffers": "64MB",
            "max_connections": "60",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                user=self._owner.pw_uid if self._owner else None,
                group=self._owner.pw_gid if self._owner else None,
                extra_groups=[] if self._owner else None,
            )
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stops the server: SIGINT disconnects everybody and closes well; SIGQUIT is a crash."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def close(self) -> None:
        """Stops the server and removes everything it wrote."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def create_database(self) -> str:
        """Creates an empty database with a name of its own and returns the name."""
        self._created += 1
        name = f"prep_{self._created}"
        self._execute(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name: str) -> None:
        """Removes a database, whoever may still be connected."""
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database of this server."""
        return f"postgresql+psycopg://prep@127.0.0.1:{self.port}/{database}"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _initialize(self) -> None:
        if self._owner:
            os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)
        done = subprocess.run(
            [
                *(self._binaries / "initdb", "-D", self._data, "-U", "prep", "--auth=trust"),
                *("--encoding=UTF8", "--locale=C", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=self._folder,
            user=self._owner.pw_uid if self._owner else None,
            group=self._owner.pw_gid if self._owner else None,
            extra_groups=[] if self._owner else None,
        )
        if done.returncode != 0:
            raise ClusterError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self._process is None or self._process.poll() is not None:
                raise ClusterError(f"the server ended on start:\n{self._log.read_text(errors='replace')}")
            try:
                self._connect().close()
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    log = self._log.read_text(errors="replace")
                    raise ClusterError(f"the server does not answer:\n{log}") from error
            time.sleep(0.05)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="prep",
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
        )

    def _execute(self, statement: str) -> None:
        with self._connect() as connection:
            connection.execute(statement.encode())


def _unprivileged() -> pwd.struct_passwd:
    # The server refuses to run as root.
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ClusterError("running as root, and there is neither a user postgres nor nobody")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
