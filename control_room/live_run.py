"""Asking a live run from the room without waiting for one that hangs: one question at a time, shared by all.

Between the web threads and `simulator.live.control.ControlClient`, which waits a minute for its answer. The
question goes in a thread of its own; whoever asks waits a few seconds and everybody gets the same answer.
What is asked, and what an order means, is of `simulacro_control`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from core.errors import PrepError
from simulator.live.control import ControlClient, NoLiveNightError

Document: TypeAlias = dict[str, Any]
Order: TypeAlias = Callable[[ControlClient], Document]

STATE_WAIT_S = 2.5
"""Longest somebody waits to know how the run goes."""
ORDER_WAIT_S = 8.0
"""Longest somebody waits for the answer to an order."""
FRESH_S = 1.0
"""An answer younger than this serves everybody."""


class SilentRunError(NoLiveNightError):
    """The run is there but it did not answer in time."""


class _Question:
    """One thing being asked in a thread of its own."""

    def __init__(self, ask: Callable[[], Document]) -> None:
        self._ask = ask
        self._done = threading.Event()
        self._since = time.monotonic()
        self._answer: Document = {}
        self._error: PrepError | None = None
        threading.Thread(target=self._go, name="corrida", daemon=True).start()

    @property
    def pending(self) -> bool:
        """Whether nobody has answered yet."""
        return not self._done.is_set()

    def answer(self, wait_s: float, text: str) -> Document:
        """What was answered. Raises its error, or SilentRunError `wait_s` after it was asked."""
        if not self._done.wait(max(0.0, self._since + wait_s - time.monotonic())):
            raise SilentRunError(text)
        if self._error is not None:
            raise self._error
        return dict(self._answer)

    def _go(self) -> None:
        try:
            self._answer = self._ask()
        except PrepError as error:
            self._error = error
        except (OSError, ValueError, KeyError, TypeError) as error:
            # It died in the middle of its answer, or it is not a run who answers there.
            self._error = NoLiveNightError(f"La corrida contestó algo que no se entiende: {error}")
        finally:
            self._done.set()


class LiveRun:
    """The run of one folder. Every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._client = ControlClient(folder)
        self._lock = threading.Lock()
        self._question: _Question | None = None
        self._order: _Question | None = None
        self._known: tuple[float, Document] | None = None

    def state(self, fresh_s: float = FRESH_S) -> Document:
        """How it goes, as of `fresh_s` ago at most. Raises NoLiveNightError or SilentRunError."""
        with self._lock:
            if self._known is not None and time.monotonic() - self._known[0] < fresh_s:
                return dict(self._known[1])
            if self._question is None or not self._question.pending:
                self._question = _Question(self._ask_state)
            question = self._question
        return question.answer(
            STATE_WAIT_S,
            "La corrida no contesta: puede estar detenida o muy cargada. Se le sigue preguntando.",
        )

    def order(self, order: Order) -> Document:
        """Give an order; what it answers. Raises what it says, or SilentRunError.

        While one has no answer no other is given: nobody would know in which order they were taken.
        """
        with self._lock:
            if self._order is not None and self._order.pending:
                raise SilentRunError(
                    "La corrida todavía no contesta la orden anterior; esta no se le dio. Espere un momento."
                )
            question = self._order = _Question(lambda: order(self._client))
        try:
            return question.answer(
                ORDER_WAIT_S,
                "La corrida no contestó a tiempo y no se sabe si tomó la orden: puede tomarla más tarde. "
                "Vea su estado antes de repetirla.",
            )
        finally:
            with self._lock:
                self._known = None

    def _ask_state(self) -> Document:
        asked = time.monotonic()
        answer = self._client.state()
        with self._lock:
            self._known = (asked, answer)
        return answer


_runs: dict[Path, LiveRun] = {}
_runs_lock = threading.Lock()


def run_of(folder: Path) -> LiveRun:
    """The one of a folder, the same for the whole process."""
    with _runs_lock:
        return _runs.setdefault(folder.absolute(), LiveRun(folder))
