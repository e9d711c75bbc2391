"""What the browser looks at: a night that runs, and a room that serves it, as processes of their own.

They are started by the command a user would type, so that they can be frozen, killed and started again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import urlopen

from loadtests.processes import free_port

PREP = Path(sys.executable).parent / "prep"
START_S = 90.0
"""How long a process may take to be ready: the machine may be busy with other tests."""
LEAVE_S = 15.0
_PASSWORD = re.compile(r"^ {2}(\w+) +(\S+) +rol (\w+)$", re.MULTILINE)


def wait_until(what: str, condition: Callable[[], Any], seconds: float = START_S) -> Any:
    """What the condition gives once it is true; fails the test, saying what was awaited, if it never is."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"no pasó en {seconds:.0f} s: {what}")
        time.sleep(0.05)


class Program:
    """A `prep` command in the background, with what it says in a file."""

    def __init__(self, log: Path, *arguments: str | Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                [PREP, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def said(self) -> str:
        """Everything it has written."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, what: str, condition: Callable[[], Any], seconds: float = START_S) -> Any:
        """As `wait_until`, and fails at once when the program ended."""

        def alive_and() -> Any:
            found = condition()
            if not found and self.process.poll() is not None:
                raise AssertionError(f"terminó antes de «{what}»:\n{self.said()}")
            return found

        return wait_until(what, alive_and, seconds)

    def close(self) -> None:
        """Ask it to leave, and then make it, with everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LiveNight(Program):
    """A live rehearsal (`prep simular --velocidad`)."""

    def __init__(
        self, scenario: Path, folder: Path, speed: float, *more: str, seed: int = 1, ahead: int = 0
    ) -> None:
        self.folder = folder
        self.scenario = scenario
        forward = ("--adelantar", str(ahead)) if ahead else ()
        super().__init__(
            folder.parent / f"{folder.name}.log",
            *("simular", scenario, "--salida", folder, "--semilla", str(seed)),
            *("--velocidad", str(speed), *forward, *more),
        )
        self.wait_for("la corrida atiende órdenes", (folder / "control.json").is_file)


class ServedRoom(Program):
    """A room (`prep sala --demo`): web process and writer, with one user for each role."""

    def __init__(self, base: str | Path, folder: Path, *more: str | Path, port: int = 0) -> None:
        self.port = port or free_port()
        self.folder = folder
        self.base = base
        self._more = more
        self._launch("--demo")
        self.passwords = {user: password for user, password, _ in _PASSWORD.findall(self.said())}

    def _launch(self, *users: str) -> None:
        folder = self.folder
        super().__init__(
            folder.parent / f"{folder.name}-{self.port}-{time.monotonic_ns()}.log",
            *("sala", "--base", self.base, "--sala", folder, "--puerto", str(self.port), *users),
            *self._more,
        )
        try:
            self.wait_for("la sala atiende", lambda: "Ctrl-C" in self.said())
            self.wait_for("la primera fotografía", (folder / "sala.json.gz").is_file)
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Where it is, without the last slash."""
        return f"http://127.0.0.1:{self.port}"

    def health(self) -> dict[str, Any]:
        """What it tells to probes."""
        try:
            with urlopen(f"{self.url}/salud", timeout=5) as answer:
                return dict(json.load(answer))
        except HTTPError as error:
            return dict(json.load(error))

    def snapshot(self) -> dict[str, Any]:
        """The last snapshot of the writer."""
        return dict(json.loads((self.folder / "sala.json").read_bytes()))

    @property
    def writer_pid(self) -> int:
        """The process that writes the snapshots."""
        return int(json.loads((self.folder / "escritor.json").read_bytes())["pid"])

    @property
    def web_pid(self) -> int:
        """The process that answers the browsers."""
        return next(pid for pid in _children(self.process.pid) if "spawn_main" in _command(pid))

    @contextlib.contextmanager
    def frozen(self, pid: int) -> Any:
        """A process that is alive and does nothing, until the end of the block."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def restart(self) -> None:
        """Stop it and start it again at the same address, with the users it had."""
        self.close()
        self._launch()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
