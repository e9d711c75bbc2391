"""A PostgreSQL server of one's own, started from the system's binaries and thrown away afterwards.

On a loopback port and in a folder of its own; it never touches a server that is already running. Of the
rehearsal of faults and of the tests.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import psycopg

from loadtests.faults.processes import RehearsalError, descendants, wait_until
from loadtests.processes import free_port
from loadtests.tied import tied

OLDEST = 15
DATABASE = "prep"
"""The one that is there from the start."""
START_S = 60.0
LEAVE_S = 30.0
LONGEST_PLACE = 20
_SETTINGS = ("listen_addresses=127.0.0.1", "fsync=on", "synchronous_commit=on", "shared_buffers=64MB",
             "max_connections=60")  # fmt: skip
"""Durability is on: what is proved with it rests on it."""


def find_postgres() -> Path | None:
    """The folder with `initdb` and `postgres` of the newest version that serves; None without one."""
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    found = [(_version(folder), folder) for folder in folders if (folder / "postgres").exists()]
    fit = [pair for pair in found if pair[0] >= OLDEST]
    return max(fit)[1] if fit else None


def _version(folder: Path) -> int:
    done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+", done.stdout)
    return int(found.group()) if found else 0


class Postgres:
    """A server that keeps its port when it ends and is started again; a context manager."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        # A short path: the name of a Unix socket holds about a hundred bytes.
        place = tempfile.gettempdir()
        short = place if len(place) <= LONGEST_PLACE else "/tmp"
        self._folder = Path(tempfile.mkdtemp(prefix="prep-pg-", dir=short))
        self._owner = _unprivileged() if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._created = 0
        self.port = free_port()

    def __enter__(self) -> Self:
        try:
            self._initialize()
            self.start()
            self._execute(f"CREATE DATABASE {DATABASE}")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, database: str = DATABASE) -> str:
        """The SQLAlchemy URL of a database of this server."""
        return f"postgresql+psycopg://prep@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it answers. Raises RehearsalError with what it said."""
        settings = (*_SETTINGS, f"unix_socket_directories={self._folder}")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._tied([
                    *(str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self.port)),
                    *(part for setting in settings for part in ("-c", setting)),
                ]),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self._folder, **self._identity(),
            )  # fmt: skip
        wait_until("PostgreSQL contesta", self._answers, START_S)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT disconnects everybody and closes well; SIGQUIT is a crash."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """SIGKILL to it and to every process of it, at once; what the system holds unwritten is not lost."""
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
        """End it at once and remove everything it wrote."""
        # Not SIGKILL: that would leave its shared memory on the machine.
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def create_database(self) -> str:
        """Create an empty database with a name of its own; the name."""
        self._created += 1
        name = f"prep_{self._created}"
        self._execute(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever may still be connected."""
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

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
            capture_output=True, text=True, check=False, cwd=self._folder, **self._identity(),
        )  # fmt: skip
        if done.returncode != 0:
            raise RehearsalError(f"initdb no se pudo ejecutar: {done.stderr[-500:]}")

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RehearsalError(f"PostgreSQL no arrancó: {self._log.read_text(errors='replace')[-1000:]}")
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="prep", dbname="postgres", autocommit=True,
            connect_timeout=5,
        )  # fmt: skip

    def _execute(self, statement: str) -> None:
        with self._connect() as connection:
            connection.execute(statement.encode())

    def _tied(self, command: list[str]) -> list[str]:
        """It ends with whoever starts it: SIGQUIT, since SIGKILL would leave its shared memory behind."""
        if self._owner is None:
            return tied(command, signal.SIGQUIT)
        # Its user may have no permission to run the interpreter of whoever starts it.
        setpriv = shutil.which("setpriv")
        return [setpriv, "--pdeathsig", "QUIT", *command] if setpriv else command

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
