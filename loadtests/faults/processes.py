"""Programs of their own for a rehearsal: started as a person would, listened to, killed without goodbye.

It knows nothing of elections. Whatever is started here is ended by `close`, with everything it started.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from core.errors import PrepError
from loadtests.tied import tied

START_S = 90.0
"""How long a program may take to be ready: the machine may be busy."""
LEAVE_S = 15.0
TRACEBACK = "Traceback (most recent call last)"
POLL_S = 0.05


class RehearsalError(PrepError):
    """The rehearsal itself could not be carried out: nothing is said of the fault."""


def wait_until(what: str, condition: Callable[[], Any], seconds: float = START_S) -> Any:
    """What the condition gives once it is true. Raises RehearsalError, saying what was awaited."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise RehearsalError(f"No pasó en {seconds:.0f} s: {what}.")
        time.sleep(POLL_S)


class Program:
    """A Python program in the background (`arguments` of the interpreter), with what it says in a file.

    It is asked to leave when the thread that starts it ends, however that is. One that ended is not collected
    until `kill`: its number, which is its group's, is nobody else's until then.
    """

    def __init__(self, log: Path, arguments: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        with log.open("ab") as said:
            self.process = subprocess.Popen(
                # Asked and not killed: it has programs of its own to end.
                tied([sys.executable, *map(str, arguments)], signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            )

    def said(self) -> str:
        """Everything it has written."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def alive(self) -> bool:
        """False once it ended."""
        return self.code is None

    @property
    def code(self) -> int | None:
        """How it ended, negative when a signal ended it; None while it runs."""
        if self.process.returncode is not None:
            return self.process.returncode
        found = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def wait_for(self, what: str, condition: Callable[[], Any], seconds: float = START_S) -> Any:
        """As `wait_until`, and fails at once when the program ended."""

        def alive_and() -> Any:
            found = condition()
            if not found and not self.alive:
                raise RehearsalError(f"Terminó antes de «{what}»: {last_line(self.said())}")
            return found

        return wait_until(what, alive_and, seconds)

    def end(self, seconds: float = LEAVE_S) -> int:
        """Wait until it ends by itself; its exit code. Raises RehearsalError when it does not."""
        wait_until(f"el proceso de {self.log.name} termina", lambda: not self.alive, seconds)
        return self.code or 0

    def kill(self) -> None:
        """End it and everything it started, at once; nothing the second time."""
        if self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """Ask it to leave, and then make it."""
        if self.alive:
            os.kill(self.process.pid, signal.SIGTERM)
            with contextlib.suppress(RehearsalError):
                self.end(LEAVE_S)
        self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Done:
    """How a command of `prep` ended: exit code, its JSON answer and what it said."""

    code: int
    data: dict[str, Any]
    said: str


def prep(*arguments: str | Path) -> Done:
    """Run a verb of `prep` with `--json` in this process, and wait for it."""
    from core.cli import main

    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        code = main([*map(str, arguments), "--json", "--silencio"])
    try:
        data = json.loads(out.getvalue())
    except ValueError:
        data = {}
    return Done(code, data if isinstance(data, dict) else {}, said.getvalue())


def last_line(text: str) -> str:
    """The last thing somebody said, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no dijo nada"


def children(pid: int) -> list[int]:
    """The processes another one started and are there."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def descendants(pid: int) -> list[int]:
    """The processes another one started, those these started, and so on."""
    found: list[int] = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def command_of(pid: int) -> str:
    """The command line of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a file; empty while it is not there whole."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
