"""The capture centre: two blind captures by different persons, and a third who settles differences.

One pool for the whole state, or one per CATD. Work in progress goes first: an acta with one capture
before a new one. Nobody ever gets an acta he already captured. The model foresees what the engine
will answer; a wrong guess would show up as a refusal.
"""

from __future__ import annotations

from collections import deque

import simpy

from core.domain.commands import Capture, Choice, Collate, Resolve
from core.domain.fields import Field
from simulator.keying import ATTEMPTS, Typed
from simulator.night_model import NightModel, Process, Queue
from simulator.people import Person

COLLATOR_REST_MS = 60_000
"""A collator with nothing to collate looks again after this."""


class CaptureCentre:
    """Everybody who captures, resolves and collates. `pool_of` gives the pool of an acta."""

    def __init__(self, model: NightModel) -> None:
        self.model = model
        self._resolving: Queue[int] = Queue()
        self._made: dict[int, list[tuple[Person, Typed]]] = {}
        self._verified: deque[int] = deque()
        self._right = model.seeds.uniforms("resolucion/acierto", len(model.catalog.actas))
        self._attempts_left = model.scenario.keying.same_person_attempts
        people = model.people
        self.pools = [_Pool(self, members) for members in people.capturistas]
        for name in people.resolvers:
            model.env.process(self._resolver(name))
        begin = model.length_ms - round(model.scenario.staff.collate_before_end_min * 60_000)
        for name in people.collators:
            model.env.process(self._collator(name, max(0, begin)))

    def digitized(self, acta: int) -> None:
        """An acta has an image: it may be captured."""
        self._pool(acta).offer(0, acta)

    @property
    def backlog(self) -> int:
        """Digitized actas waiting for somebody."""
        return len(self._resolving.items) + sum(pool.waiting for pool in self.pools)

    def captured_by(self, acta: int) -> list[Person]:
        """Who has captured an acta so far."""
        return [person for person, _ in self._made.get(acta, ())]

    def _pool(self, acta: int) -> _Pool:
        if len(self.pools) == 1:
            return self.pools[0]
        return self.pools[self.model.catalog.casillas[self.model.catalog.actas[acta].casilla].catd]

    # -- capture -------------------------------------------------------------------------------

    def capture(self, acta: int, person: Person) -> None:
        """A person finishes capturing an acta."""
        model = self.model
        made = self._made.setdefault(acta, [])
        truth = model.truth[acta]
        typed = model.typist.type(acta, truth, len(made), person.carelessness)
        if typed.votes != truth.votes or typed.totals != truth.totals:
            model.wrong_captures += 1
        self._send_capture(acta, person, typed, f"captura-{len(made) + 1}-{acta}")
        made.append((person, typed))
        if len(made) == 1:
            if self._attempts_left > 0 and model.env.now * 2 > model.length_ms:
                self._attempts_left -= 1
                self._send_capture(acta, person, typed, f"misma-persona-{acta}", provoked=True)
            self._pool(acta).offer(1, acta)
        elif any(typed == earlier for _, earlier in made[:-1]):
            self._settle(acta, typed)
        else:
            model.disputes += len(made) == 2
            self._resolving.put(acta)

    def _send_capture(
        self, acta: int, person: Person, typed: Typed, key: str, *, provoked: bool = False
    ) -> None:
        model = self.model
        truth = model.truth[acta]
        model.send(
            Capture(
                key=key, actor=person.name, station=person.station, at=model.now_utc, acta=acta,
                votes=typed.votes, totals=typed.as_totals(), letter_differs=truth.letter_differs,
                only_letter_or_number=truth.only_letter_or_number,
            ),
            provoked=provoked,
        )  # fmt: skip

    def _settle(self, acta: int, typed: Typed) -> None:
        self.model.final[acta] = typed
        self.model.registered += 1
        del self._made[acta]
        self._verified.append(acta)

    # -- resolution ----------------------------------------------------------------------------

    def _resolver(self, name: str) -> Process:
        model, queue = self.model, self._resolving
        env = model.env
        while True:
            if queue.items:
                acta = queue.items.popleft()
            else:
                wake = env.event()
                queue.idle.append(wake)
                acta = yield wake
            yield env.timeout(model.durations.resolve[acta])
            choice = self._choose(acta)
            made = self._made[acta]
            model.send(
                Resolve(
                    key=f"resolucion-{len(made)}-{acta}", actor=name, station=name, at=model.now_utc,
                    acta=acta, choice=choice,
                )
            )  # fmt: skip
            if choice is Choice.ASK_FOR_ANOTHER:
                model.third_captures += 1
                self._pool(acta).offer(2, acta)
            else:
                self._settle(acta, made[choice.value][1])

    def _choose(self, acta: int) -> Choice:
        """The capture that says what the resolver reads; another one if his eye fails him."""
        model = self.model
        made = [typed for _, typed in self._made[acta]]
        read = model.typist.read(acta, model.truth[acta])
        right = self._right[acta] < model.scenario.keying.resolver_right
        if read in made:
            found = made.index(read)
            return Choice(found if right else (found + 1) % len(made))
        if len(made) < ATTEMPTS:
            return Choice.ASK_FOR_ANOTHER
        return Choice(min(range(len(made)), key=lambda position: _distance(made[position], read)))

    # -- collation -----------------------------------------------------------------------------

    def _collator(self, name: str, begin_ms: int) -> Process:
        model = self.model
        env = model.env
        yield env.timeout(begin_ms)
        while True:
            if not self._verified:
                yield env.timeout(COLLATOR_REST_MS)
                continue
            acta = self._verified.popleft()
            yield env.timeout(model.durations.collate[acta])
            truth, final = model.truth[acta], model.final[acta]
            model.send(
                Collate(
                    key=f"cotejo-{acta}", actor=name, station=name, at=model.now_utc, acta=acta,
                    accepted=(final.votes, final.totals) == (truth.votes, truth.totals),
                )
            )  # fmt: skip


class _Pool:
    """People who share the actas to capture: third captures, then second ones, then new actas."""

    def __init__(self, centre: CaptureCentre, members: list[Person]) -> None:
        self._centre = centre
        self._waiting: tuple[deque[int], ...] = (deque(), deque(), deque())
        self._idle: deque[tuple[simpy.Event, Person]] = deque()
        self.longest = 0
        for person in members:
            centre.model.env.process(self._work(person))

    @property
    def waiting(self) -> int:
        """Actas nobody is capturing."""
        return sum(len(queue) for queue in self._waiting)

    def offer(self, attempt: int, acta: int) -> None:
        """Give the acta to the first idle person who may capture it, or let it wait."""
        now = self._centre.model.env.now
        # Most actas are new: only those captured before have somebody who may not have them again.
        barred = self._centre.captured_by(acta) if attempt else []
        for _ in range(len(self._idle)):
            wake, person = self._idle.popleft()
            if person.until_ms <= now:
                continue
            if person not in barred:
                wake.succeed((attempt, acta))
                return
            self._idle.append((wake, person))
        self._waiting[attempt].append(acta)
        self.longest = max(self.longest, self.waiting)

    def _take(self, person: Person) -> tuple[int, int] | None:
        for attempt in (2, 1):
            queue = self._waiting[attempt]
            for position, acta in enumerate(queue):
                if person not in self._centre.captured_by(acta):
                    del queue[position]
                    return attempt, acta
        if self._waiting[0]:
            return 0, self._waiting[0].popleft()
        return None

    def _work(self, person: Person) -> Process:
        model = self._centre.model
        env, durations = model.env, model.durations.capture
        if person.from_ms:
            yield env.timeout(person.from_ms)
        while env.now < person.until_ms:
            job = self._take(person)
            if job is None:
                wake = env.event()
                self._idle.append((wake, person))
                job = yield wake
            attempt, acta = job
            yield env.timeout(max(1, round(durations[attempt][acta] * person.speed)))
            self._centre.capture(acta, person)


def _distance(one: Typed, other: Typed) -> int:
    pairs: list[tuple[Field, Field]] = [
        *zip(one.votes, other.votes, strict=True),
        *zip(one.totals, other.totals, strict=True),
    ]
    return sum(a != b for a, b in pairs)
