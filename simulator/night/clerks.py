"""People who capture: what each is about to do (capture, rest, travel), and the pools they share.

A pool hands out third captures first, then second ones, then new actas, and nobody gets an acta he
already captured. A person finishes the acta in hand before resting or leaving. What a capture says and
what follows from it is `capture`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import simpy

from simulator.night.floor import Floor
from simulator.night.model import NightModel, Process
from simulator.night.people import Person
from simulator.scenario.base import MS_PER_HOUR, ms_of

Job = tuple[int, int]
"""(attempt, acta): attempt 0 for a new acta, 1 for a second capture, 2 for a third."""


class Clerk:
    """A person through the night. `place` is the CATD where he sits, None for the state centre."""

    __slots__ = ("fresh_since", "order", "person", "place", "pool", "rest_due", "station", "timer", "wake")

    def __init__(self, person: Person, pool: Pool, place: int | None) -> None:
        self.person = person
        self.pool = pool
        self.place = place
        self.station = person.station
        self.wake: simpy.Event | None = None
        """Set while he waits for work."""
        self.order: tuple[Pool, int | None, int] | None = None
        """Where he must go once his hands are free: pool, place and ms of travel."""
        self.fresh_since = person.from_ms
        """When his shift or his last rest let him begin rested."""
        self.rest_due = person.first_rest_ms
        self.timer: int | None = None

    def hours(self, now: int) -> float:
        """Hours at work since he was last rested; time stopped counts, it is no rest."""
        return (now - self.fresh_since) / MS_PER_HOUR


class Clerks:
    """Everybody who captures. `captured(acta, clerk, carelessness)` is called as each capture ends.

    `barred(acta)` gives who may not have an acta again.
    """

    def __init__(
        self,
        model: NightModel,
        captured: Callable[[int, Clerk, float], None],
        barred: Callable[[int], list[Clerk]],
    ) -> None:
        self.model = model
        self.barred = barred
        self._captured = captured
        rests = model.scenario.staff.rests
        self._rest_ms = ms_of(rests.minutes)
        self._every_ms = ms_of(rests.every_min)
        self._slower = rests.slower_per_hour
        self._errors = rests.errors_per_hour
        self.all: list[Clerk] = []

    def hire(self, person: Person, pool: Pool, place: int | None) -> None:
        """Somebody works in a pool from his hour on."""
        clerk = Clerk(person, pool, place)
        self.all.append(clerk)
        self.model.env.process(self._live(clerk))

    def present(self, place: int | None) -> list[Clerk]:
        """Who is at work in a place now and has no order to leave it, in the order they were hired."""
        now = self.model.env.now
        return [
            clerk for clerk in self.all
            if clerk.place == place and clerk.order is None
            and clerk.person.from_ms <= now < clerk.person.until_ms
        ]  # fmt: skip

    def by_place(self) -> Counter[int]:
        """How many are at work at each CATD now."""
        now = self.model.env.now
        return Counter(
            clerk.place for clerk in self.all
            if clerk.place is not None and clerk.order is None
            and clerk.person.from_ms <= now < clerk.person.until_ms
        )  # fmt: skip

    def somebody_else(self, pool: Pool, acta: int) -> bool:
        """Whether a pool still has anybody who has not captured an acta: a CATD may have but two."""
        now, barred = self.model.env.now, self.barred(acta)
        return any(
            clerk.pool is pool and clerk.person.until_ms > now and clerk not in barred for clerk in self.all
        )

    def send(self, clerk: Clerk, pool: Pool, place: int | None, travel_ms: int) -> None:
        """Order somebody to another place; he goes as soon as his hands are free."""
        clerk.order = (pool, place, travel_ms)
        clerk.pool.call(clerk)

    def _live(self, clerk: Clerk) -> Process:
        person, env = clerk.person, self.model.env
        durations = self.model.durations.capture
        if person.from_ms > env.now:
            yield env.timeout(person.from_ms - int(env.now))
        while env.now < person.until_ms:
            if clerk.order is not None:
                pool, place, travel_ms = clerk.order
                yield env.timeout(travel_ms)
                clerk.pool, clerk.place, clerk.order = pool, place, None
                if place is not None:
                    clerk.station = f"catd-{place:03d}-{person.name}"
                continue
            if clerk.rest_due is not None and env.now >= clerk.rest_due:
                yield env.timeout(self._rest_ms)
                clerk.fresh_since = int(env.now)
                clerk.rest_due = clerk.fresh_since + self._every_ms
                continue
            pool = clerk.pool
            job = pool.take(clerk)
            if job is None:
                job = yield pool.wait(clerk)
                if job is None:
                    continue
            attempt, acta = job
            hours = clerk.hours(int(env.now))
            care = person.carelessness * (1 + self._errors * hours)
            taken = durations[attempt][acta] * person.speed * (1 + self._slower * hours)
            yield from pool.floor.work(max(1, round(taken)))
            self._captured(acta, clerk, care)


class Pool:
    """Actas to capture and the people who share them."""

    def __init__(self, clerks: Clerks, floor: Floor) -> None:
        self.floor = floor
        self._clerks = clerks
        self._waiting: tuple[deque[int], ...] = (deque(), deque(), deque())
        self._idle: deque[Clerk] = deque()
        self.longest = 0

    @property
    def waiting(self) -> int:
        """Actas nobody is capturing."""
        return sum(len(queue) for queue in self._waiting)

    def offer(self, attempt: int, acta: int) -> None:
        """Give the acta to the first idle person who may capture it, or let it wait."""
        if not (self._idle and not self.floor.stopped and self._give(attempt, acta)):
            self._waiting[attempt].append(acta)
            self.longest = max(self.longest, self.waiting)

    def _give(self, attempt: int, acta: int) -> bool:
        now = self._clerks.model.env.now
        # Most actas are new: only those captured before have somebody who may not have them again.
        barred = self._clerks.barred(acta) if attempt else []
        for _ in range(len(self._idle)):
            clerk = self._idle.popleft()
            if clerk.person.until_ms <= now:
                clerk.wake = None
                continue
            if clerk not in barred:
                _wake(clerk, (attempt, acta))
                return True
            self._idle.append(clerk)
        return False

    def take(self, clerk: Clerk) -> Job | None:
        """What a person with free hands captures next; None when there is nothing for him."""
        if self.floor.stopped:
            return None
        for attempt in (2, 1):
            queue = self._waiting[attempt]
            for position, acta in enumerate(queue):
                if clerk not in self._clerks.barred(acta):
                    del queue[position]
                    return attempt, acta
        if self._waiting[0]:
            return 0, self._waiting[0].popleft()
        return None

    def wait(self, clerk: Clerk) -> simpy.Event:
        """The event that brings his next job, or None when he must look at what else he has to do."""
        env = self._clerks.model.env
        clerk.wake = env.event()
        self._idle.append(clerk)
        due = clerk.rest_due
        if due is not None and clerk.timer != due:
            clerk.timer = due
            timer = env.timeout(due - int(env.now))
            assert timer.callbacks is not None
            timer.callbacks.append(lambda _: clerk.pool.call(clerk))
        return clerk.wake

    def call(self, clerk: Clerk) -> None:
        """If he is waiting for work, he stops waiting."""
        if clerk.wake is not None and clerk in self._idle:
            self._idle.remove(clerk)
            _wake(clerk, None)

    def stop(self) -> None:
        """Nobody captures here until `resume`."""
        self.floor.stop()

    def resume(self) -> None:
        """Who was capturing goes on; who was idle takes what came meanwhile."""
        if self.floor.resume():
            self.hand_out()

    def hand_out(self) -> None:
        """Give what waits to the idle, first come first served."""
        now = self._clerks.model.env.now
        for _ in range(len(self._idle)):
            clerk = self._idle.popleft()
            if clerk.person.until_ms <= now:
                clerk.wake = None
                continue
            job = self.take(clerk)
            if job is None:
                self._idle.append(clerk)
            else:
                _wake(clerk, job)

    def withdraw(self, moves: Callable[[int], bool]) -> list[Job]:
        """Take out what waits and must be captured elsewhere, in the order it would have been captured."""
        found: list[Job] = []
        for attempt in (2, 1, 0):
            queue = self._waiting[attempt]
            found += [(attempt, acta) for acta in queue if moves(acta)]
            kept = [acta for acta in queue if not moves(acta)]
            queue.clear()
            queue.extend(kept)
        return found


def _wake(clerk: Clerk, job: Any) -> None:
    wake, clerk.wake = clerk.wake, None
    assert wake is not None
    wake.succeed(job)
