"""One thread between the model and the database, so that the clock never waits for a disk.

It gives the engine the commands in the very order the model said them, several at a time, and does what
goes between them (a cut, making an instruction durable) in its place. There is room for a bounded number
of commands: when the database cannot keep up the model waits, and the lag shows it. It decides nothing.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from core.domain.commands import AnyCommand
from simulator.live.environment import Lateness

LINGER_S = 0.05
"""How long a command may wait for company before it goes to the database."""
ROOM = 200_000
"""Commands that may wait for the database."""
CHUNK = 200
"""Commands per transaction, at most: short enough for the model to find its turn."""

Job: TypeAlias = Callable[[], None]
Entry: TypeAlias = tuple[AnyCommand, int, float] | Job
Execute: TypeAlias = Callable[[list[AnyCommand], list[int]], None]


class OrderedWriter:
    """Commands and jobs, done one after the other in a thread of its own.

    `failed` is called in that thread with the first error, which `put`, `call` and `drain` then raise.
    """

    def __init__(self, execute: Execute, failed: Callable[[BaseException], None], room: int = ROOM) -> None:
        self._execute = execute
        self._failed = failed
        self._room = room
        self._entries: deque[Entry] = deque()
        self._condition = threading.Condition()
        self._error: BaseException | None = None
        self._resting = False
        self._busy = False
        self._hurry = False
        self._closing = False
        self.delay = Lateness()
        """From a command of the model to the end of the transaction that recorded it."""
        self._thread = threading.Thread(target=self._run, name="escritor", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """What waits for the database."""
        return len(self._entries)

    def put(self, command: AnyCommand, recorded_at: int) -> None:
        """Queue a command; waits when there is no room. Raises what went wrong in the thread."""
        self._add((command, recorded_at, time.perf_counter()))

    def call(self, job: Job) -> None:
        """Do something after everything queued before it and before anything queued later."""
        self._add(job)

    def drain(self) -> None:
        """Wait until nothing waits. Raises what went wrong in the thread."""
        with self._condition:
            self._hurry = True
            self._condition.notify_all()
            while (self._entries or self._busy) and self._error is None:
                self._condition.wait()
            self._hurry = False
            self._raise()

    def close(self, *, discard: bool = False) -> None:
        """Do everything that waits (nothing of it, with `discard`) and end the thread.

        What is being written is always finished. Errors were told already.
        """
        with self._condition:
            self._closing = True
            if discard:
                self._entries.clear()
            self._condition.notify_all()
        self._thread.join()

    def _add(self, entry: Entry) -> None:
        with self._condition:
            self._raise()
            while len(self._entries) >= self._room and self._error is None:
                self._condition.wait()
            self._raise()
            self._entries.append(entry)
            if self._resting:
                self._condition.notify_all()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while True:
            taken = self._take()
            if not taken:
                return
            try:
                self._do(taken)
            except BaseException as error:  # noqa: BLE001 - it is raised where the model runs
                with self._condition:
                    self._error = error
                    self._entries.clear()
                    self._busy = False
                    self._condition.notify_all()
                self._failed(error)
                return

    def _take(self) -> list[Entry]:
        """The next job, or the commands that go together; empty when there is nothing else to do."""
        with self._condition:
            self._busy = False
            self._condition.notify_all()
            while not self._entries:
                if self._closing:
                    return []
                self._resting = True
                self._condition.wait()
                self._resting = False
            if len(self._entries) < CHUNK and not self._hurry and not self._closing:
                self._condition.wait_for(lambda: self._hurry or self._closing, LINGER_S)
            self._busy = True
            first = self._entries.popleft()
            taken = [first]
            if isinstance(first, tuple):
                while self._entries and len(taken) < CHUNK and isinstance(self._entries[0], tuple):
                    taken.append(self._entries.popleft())
            self._condition.notify_all()
            return taken

    def _do(self, taken: list[Entry]) -> None:
        commands: list[AnyCommand] = []
        times: list[int] = []
        oldest = 0.0
        for entry in taken:
            if not isinstance(entry, tuple):
                entry()
                return
            oldest = oldest or entry[2]
            commands.append(entry[0])
            times.append(entry[1])
        self._execute(commands, times)
        self.delay.note((time.perf_counter() - oldest) * 1000)
