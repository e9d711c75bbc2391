"""Watches over the process that makes the cuts: asks it, and kills it when a cut passes its budget.

What it was doing is completed or forgotten by the next process (`Publisher.recover`). Which cut, and when,
is decided by `service`.
"""

from __future__ import annotations

import os
import pickle
import select
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from core.errors import PrepError
from core.publishing.worker import WorkerConfig

PULSE_S = 1.0
"""How often whoever waits for an answer is told that it goes on."""
START_S = 120.0
"""How long the process may take to open the database."""


class OverBudgetError(PrepError):
    """It took longer than it may and was killed."""


class WorkerDiedError(PrepError):
    """The process ended by itself, or was killed by somebody else."""


class Watchdog:
    """The other process, as the service sees it. Only one thread may use it."""

    def __init__(
        self, config: WorkerConfig, command: tuple[str, ...] = ("-m", "core.publishing.worker")
    ) -> None:
        self._config = config
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def ask(
        self, what: str, *arguments: Any, budget_s: float, pulse: Callable[[], None] = lambda: None
    ) -> Any:
        """Have something done; `pulse` is called every second meanwhile.

        Raises OverBudgetError, WorkerDiedError, what the other side raised and what `pulse` did. The process
        is then gone, and the next question starts another: what one that failed remembers may not be what
        is written, and an answer nobody took would be taken for that of the next question.
        """
        try:
            process = self._process or self._start(pulse)
            self._send(process, (what, arguments))
            return self._receive(process, budget_s, pulse)
        except BaseException:
            self.kill()
            raise

    def close(self) -> None:
        """Let it end; it is killed if it does not in a few seconds."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.close()
            process.wait(timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()
        process.stdout.close()

    @property
    def pid(self) -> int | None:
        """Of the other process, None while there is none."""
        return None if self._process is None else self._process.pid

    def _start(self, pulse: Callable[[], None]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self._process = process
        self._send(process, self._config)
        self._receive(process, START_S, pulse)
        return process

    def _send(self, process: subprocess.Popen[bytes], what: object) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(pickle.dumps(what))
            process.stdin.flush()
        except OSError as error:
            raise WorkerDiedError("El proceso que hace los cortes terminó de pronto.") from error

    def _receive(self, process: subprocess.Popen[bytes], budget_s: float, pulse: Callable[[], None]) -> Any:
        assert process.stdout is not None
        until = monotonic() + budget_s
        while True:
            left = until - monotonic()
            if left <= 0:
                raise OverBudgetError(f"Pasó de {budget_s:g} s y se detuvo; el corte anterior sigue.")
            ready, _, _ = select.select([process.stdout], [], [], min(PULSE_S, left))
            if ready:
                break
            pulse()
        try:
            done, result = pickle.load(process.stdout)
        except EOFError as error:
            raise WorkerDiedError("El proceso que hace los cortes terminó de pronto.") from error
        except Exception as error:
            raise WorkerDiedError("No se entiende lo que dijo el proceso que hace los cortes.") from error
        if not done:
            assert isinstance(result, BaseException)
            raise result
        return result

    def kill(self) -> None:
        """End it at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdin is not None and process.stdout is not None
            process.stdout.close()
            # What could not be written goes with the process.
            with suppress(OSError):
                process.stdin.close()
