"""The model's clock tied to the wall clock: speed, pause, change of speed, and injection while it runs.

The environment waits on one condition until the next event is due or somebody asks for something:
nothing is polled. What is injected becomes an event of the model at a whole virtual millisecond of its
own, before everything else of that millisecond, so that a restart can repeat it exactly. It knows
nothing of elections; the only clock read is the one that paces.
"""

from __future__ import annotations

import math
import threading
import time
from array import array
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeAlias

import simpy
from simpy.events import EventPriority

from core.errors import PrepError, UsageError

SLOWEST, FASTEST = 0.01, 100_000.0
"""Speeds admitted: virtual seconds per real second."""
_INJECTED = EventPriority(-2)
"""Before the events of the model (0 and 1) and before the end of a run (-1) of the same instant."""

Injection: TypeAlias = Callable[[int], object]
"""What is injected; it is told the virtual ms it runs at."""


class Lateness:
    """How late things were, in real ms: every one is kept, four bytes each."""

    def __init__(self) -> None:
        self._values = array("f")
        self.last = 0.0
        self.most = 0.0

    def note(self, late_ms: float) -> None:
        """One more."""
        self.last = late_ms
        self.most = max(self.most, late_ms)
        self._values.append(late_ms)

    def as_data(self) -> dict[str, float | int]:
        """`{p50_ms, p99_ms, max_ms, medidas}`; zeros when nothing was measured."""
        ordered = sorted(self._values)
        return {
            "p50_ms": _quantile(ordered, 0.50),
            "p99_ms": _quantile(ordered, 0.99),
            "max_ms": round(self.most, 3),
            "medidas": len(ordered),
        }


class LiveEnvironment(simpy.Environment):
    """An environment whose events happen at their real time, `speed` virtual seconds per real second.

    It runs as fast as it can until `pace_from(ms)` is told; from the first event after that instant on,
    it paces. `pause`, `resume`, `set_speed` and `inject` may be called from any thread.
    """

    def __init__(self, speed: float, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(0)
        self._speed = checked_speed(speed)
        self._clock = clock
        self._condition = threading.Condition()
        self._waiting: list[tuple[Injection, Future[object], float]] = []
        self._pace_from: int | None = None
        self._anchor_real: float | None = None
        self._anchor_virtual = 0.0
        self._paused = False
        self._ended = False
        self._failure: BaseException | None = None
        self.lag = Lateness()
        """Of each paced event against the time it was due."""
        self.injection = Lateness()
        """From `inject` to the effect in the model."""

    # -- from any thread -----------------------------------------------------------------------

    @property
    def speed(self) -> float:
        """Virtual seconds per real second."""
        return self._speed

    @property
    def paused(self) -> bool:
        """True between `pause` and `resume`."""
        return self._paused

    @property
    def paced(self) -> bool:
        """False while it catches up with a recorded point."""
        return self._anchor_real is not None

    @property
    def virtual_ms(self) -> int:
        """The virtual time of the clock on the wall; that of the model while it catches up."""
        with self._condition:
            return int(self._now) if self._anchor_real is None else max(int(self._now), int(self._target()))

    def pause(self) -> None:
        """Stop the clock. What was due by then still happens."""
        with self._condition:
            self._anchor()
            self._paused = True
            self._condition.notify()

    def resume(self) -> None:
        """Let the clock go on from where it stopped."""
        with self._condition:
            if self._paused and self._anchor_real is not None:
                self._anchor_real = self._clock()
            self._paused = False
            self._condition.notify()

    def set_speed(self, speed: float) -> None:
        """Change the speed from this instant on. Raises UsageError."""
        speed = checked_speed(speed)
        with self._condition:
            self._anchor()
            self._speed = speed
            self._condition.notify()

    def inject(self, what: Injection) -> Future[object]:
        """Run something in the model at its present virtual time, also while it is paused.

        The future has its result, or the PrepError it raised. While the run catches up with a recorded
        point the injection waits. Raises UsageError when the night has ended.
        """
        future: Future[object] = Future()
        with self._condition:
            if self._ended:
                raise UsageError("La noche ya terminó.")
            self._waiting.append((what, future, self._clock()))
            self._condition.notify()
        return future

    def fail(self, error: BaseException) -> None:
        """Make the model's own thread raise an error as soon as it can."""
        with self._condition:
            self._failure = error
            self._condition.notify()

    # -- from the model's own thread -----------------------------------------------------------

    def pace_from(self, at_ms: int) -> None:
        """From the first event after `at_ms` on, events happen at their real time."""
        self._pace_from = at_ms

    def end(self) -> None:
        """Nothing else will happen: whoever waits for an injection is told."""
        with self._condition:
            self._ended = True
            waiting, self._waiting = self._waiting, []
        for _, future, _ in waiting:
            future.set_exception(UsageError("La noche terminó antes de que se aplicara."))

    def step(self) -> None:
        """Process the next event, at its time."""
        head = self.peek()
        # What is due at the instant being processed goes on at once: an injection never splits one.
        if head > self._now:
            if self._anchor_real is None and self._pace_from is not None and head > self._pace_from:
                self._begin()
            if self._anchor_real is not None:
                self._await(head)
        super().step()

    # -- inside --------------------------------------------------------------------------------

    def _begin(self) -> None:
        with self._condition:
            assert self._pace_from is not None
            self._anchor_virtual = float(max(self._now, self._pace_from))
            self._anchor_real = self._clock()

    def _target(self) -> float:
        """Virtual ms the clock on the wall shows. With the lock held, once paced."""
        assert self._anchor_real is not None
        if self._paused:
            return self._anchor_virtual
        return self._anchor_virtual + (self._clock() - self._anchor_real) * self._speed * 1000

    def _anchor(self) -> None:
        if self._anchor_real is not None:
            self._anchor_virtual = self._target()
            self._anchor_real = self._clock()

    def _await(self, head: float) -> None:
        """Return when the next event, at `head`, may be processed; an injection puts one before it."""
        with self._condition:
            while True:
                if self._failure is not None:
                    raise self._failure
                if self._paused and head <= self._target():
                    # It was due before the clock stopped.
                    return
                if self._waiting:
                    at = max(int(self._now) + 1, min(int(self._target()), int(head)))
                    for what, future, asked in self._waiting:
                        plan(self, at, self._applied(at, what, future, asked))
                    self._waiting.clear()
                    return
                if self._paused:
                    self._condition.wait()
                    continue
                left = (head - self._target()) / (self._speed * 1000)
                if left <= 0:
                    self.lag.note(-left * 1000)
                    return
                self._condition.wait(min(left, threading.TIMEOUT_MAX))

    def _applied(self, at: int, what: Injection, future: Future[object], asked: float) -> Callable[[], None]:
        def apply() -> None:
            try:
                result = what(at)
            except PrepError as error:
                future.set_exception(error)
                return
            except BaseException as error:
                future.set_exception(error)
                raise
            self.injection.note((self._clock() - asked) * 1000)
            future.set_result(result)

        return apply


def plan(env: simpy.Environment, at_ms: int, what: Callable[[], None]) -> None:
    """Make something happen at a virtual ms exactly as if it were injected then."""
    event = simpy.Event(env)
    event._ok = True
    event._value = None
    assert event.callbacks is not None
    event.callbacks.append(lambda _: what())
    env.schedule(event, _INJECTED, at_ms - env.now)


def checked_speed(speed: float) -> float:
    """A speed that can be used. Raises UsageError."""
    if not math.isfinite(speed) or not SLOWEST <= speed <= FASTEST:
        raise UsageError(f"La velocidad va de {SLOWEST:g} a {FASTEST:,.0f} veces el tiempo real.")
    return float(speed)


def _quantile(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 3) if ordered else 0.0
