"""The group-commit writer: one thread that commits whatever is waiting, together.

Many stations send commands at once; one transaction per command would make each wait for the
disk in turn. Here every command waits for one commit shared with its neighbours, and its answer
is given only after that commit. The engine does the work; this module only queues.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

from sqlalchemy.exc import InterfaceError, OperationalError

from core.domain.commands import AnyCommand
from core.engine import Answer, Engine

MAX_BATCH = 200


class GroupWriter:
    """A queue in front of an engine.

    `clock` gives the engine's time in ms UTC, once per batch. Use as a context manager, or call
    `close`, which waits until everything accepted is on disk.
    """

    def __init__(self, engine: Engine, clock: Callable[[], int], max_batch: int = MAX_BATCH) -> None:
        self._engine = engine
        self._clock = clock
        self._max_batch = max_batch
        self._queue: queue.SimpleQueue[tuple[AnyCommand, Future[Answer]] | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="group-writer", daemon=True)
        self._thread.start()

    def submit(self, command: AnyCommand) -> Future[Answer]:
        """Queue a command; the future resolves when its answer is durable.

        Raises RuntimeError after `close`.
        """
        future: Future[Answer] = Future()
        with self._closing:
            if self._closed:
                raise RuntimeError("the writer is closed")
            self._queue.put((command, future))
        return future

    def close(self) -> None:
        """Stop taking commands and wait for those already queued."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def __enter__(self) -> GroupWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        closing = False
        while not closing:
            first = self._queue.get()
            waiting = [] if first is None else [first]
            closing = first is None
            while len(waiting) < self._max_batch and not closing:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    closing = True
                else:
                    waiting.append(following)
            # A caller who gave up before its turn is left out; later than this it cannot cancel.
            waiting = [pair for pair in waiting if pair[1].set_running_or_notify_cancel()]
            if waiting:
                self._commit(waiting)

    def _commit(self, waiting: list[tuple[AnyCommand, Future[Answer]]]) -> None:
        try:
            answers = self._engine.execute([command for command, _ in waiting], self._clock())
        except Exception as error:  # noqa: BLE001 - it is handed to every caller
            if len(waiting) > 1 and not isinstance(error, OperationalError | InterfaceError):
                # One of them cannot be written; its neighbours must not pay for it.
                for one in waiting:
                    self._commit([one])
                return
            # Nothing was recorded: every caller learns it and may send the same key again.
            for _, future in waiting:
                future.set_exception(error)
            return
        for (_, future), answer in zip(waiting, answers, strict=True):
            future.set_result(answer)
