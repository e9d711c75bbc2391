"""The capture centre: two blind captures by different persons, and a third who settles differences.

One pool for the whole state, or one per CATD. With one per CATD an acta is captured from the image in
the CATD as soon as it is scanned, and the captures go out over its link behind the image; disputes are
settled in the state centre once the captures are there. Who is busy, rests or travels is `clerks`. The
model foresees what the engine will answer; a wrong guess would show up as a refusal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from core.domain.commands import Capture, Choice, Collate, Resolve
from core.domain.fields import Field
from simulator.night.clerks import Clerk, Clerks, Job, Pool
from simulator.night.floor import Floor
from simulator.night.keying import ATTEMPTS, Typed
from simulator.night.model import NightModel, Process, Queue
from simulator.scenario.base import MS_PER_MINUTE, ms_of

COLLATOR_REST_MS = MS_PER_MINUTE
"""A collator with nothing to collate looks again after this."""

Transmit = Callable[[int, Callable[[], None]], None]
"""Sends something that takes so many ms over the link of a CATD, and calls when it has arrived."""


class CaptureCentre:
    """Everybody who captures, resolves and collates."""

    def __init__(self, model: NightModel) -> None:
        self.model = model
        size = len(model.catalog.actas)
        model.typist.use_form(model.catalog)
        self.floor = Floor(model.env)
        """Where resolvers and collators work, and with statewide capture the capturistas too."""
        self._resolving: Queue[int] = Queue()
        self._made: dict[int, list[tuple[Clerk, Typed]]] = {}
        self._seen: dict[int, list[Typed]] = {}
        """Captures that reached the state centre, in that order, which is the engine's."""
        self._offered = bytearray(size)
        self._held: dict[int, list[Callable[[], None]]] = {}
        self._parked: dict[int, int] = {}
        self._verified: deque[int] = deque()
        self._right = model.seeds.uniforms("resolucion/acierto", size)
        self._attempts_left = model.scenario.keying.same_person_attempts
        self._transmit: Sequence[Transmit] = ()
        self._routes: dict[int, tuple[int, ...]] = {}
        people = model.people
        self.by_catd = model.scenario.staff.capture_place == "por_catd"
        self.clerks = Clerks(model, self._captured, self.captured_by)
        self.pools: list[Pool] = []
        for number, members in enumerate(people.capturistas):
            pool = Pool(self.clerks, Floor(model.env) if self.by_catd else self.floor)
            self.pools.append(pool)
            for person in members:
                self.clerks.hire(person, pool, number if self.by_catd else None)
        for name in people.resolvers:
            model.env.process(self._resolver(name))
        begin = model.length_ms - ms_of(model.scenario.staff.collate_before_end_min)
        for name in people.collators:
            model.env.process(self._collator(name, max(0, begin)))

    def connect(self, transmit: Sequence[Transmit]) -> None:
        """With capture by CATD, what each one captures goes out over its link, by CATD id."""
        if self.by_catd:
            self._transmit = transmit

    @property
    def backlog(self) -> int:
        """Digitized actas waiting for somebody."""
        return len(self._resolving.items) + sum(pool.waiting for pool in self.pools)

    def captured_by(self, acta: int) -> list[Clerk]:
        """Who has captured an acta so far."""
        return [clerk for clerk, _ in self._made.get(acta, ())]

    # -- what there is to capture --------------------------------------------------------------

    def scanned(self, acta: int) -> None:
        """An acta has an image in its CATD: whoever is there may capture it."""
        home = self._home(acta)
        if not self._offered[acta] and self._pool_number(acta) == home:
            self._offered[acta] = True
            self.pools[home].offer(0, acta)

    def digitized(self, acta: int) -> None:
        """An acta has an image in the state centre: it may be captured anywhere."""
        if not self._offered[acta]:
            self._offered[acta] = True
            self._offer(0, acta)
        elif acta in self._parked:
            self._offer(self._parked.pop(acta), acta)
        for deliver in self._held.pop(acta, ()):
            deliver()

    def _home(self, acta: int) -> int:
        return self.model.catalog.casillas[self.model.catalog.actas[acta].casilla].catd

    def _pool_number(self, acta: int) -> int:
        """The pool that captures an acta, following where its CATD's capture was sent."""
        if not self.by_catd:
            return 0
        home = at = self._home(acta)
        seen = {home}
        while at in self._routes:
            targets = self._routes[at]
            at = targets[acta % len(targets)]
            if at in seen:
                return home
            seen.add(at)
        return at

    def _offer(self, attempt: int, acta: int) -> None:
        number = self._pool_number(acta)
        if self._transmit and number != self._home(acta) and not self.model.has_image[acta]:
            # Elsewhere it can only be captured from the image in the state centre.
            self._parked[acta] = attempt
        else:
            self.pools[number].offer(attempt, acta)

    def reroute(self, origin: int, target: int | None) -> int:
        """From now on what a CATD has to capture goes to another, or is spread over all others (None).

        To itself, it comes back. Returns how many waiting actas change place; what somebody has in hand
        is finished where it is.
        """
        if target == origin:
            self._routes.pop(origin, None)
        else:
            others = tuple(number for number in range(len(self.pools)) if number != origin)
            self._routes[origin] = others if target is None else (target,)
            if target is not None and origin in self._routes.get(target, ()):
                # What had come from there goes back with the rest.
                del self._routes[target]
        moved: list[Job] = [(attempt, acta) for acta, attempt in self._parked.items()]
        self._parked.clear()
        for number, pool in enumerate(self.pools):
            moved += pool.withdraw(partial(self._captured_outside, number))
        for attempt, acta in moved:
            self._offer(attempt, acta)
        return len(moved)

    def _captured_outside(self, number: int, acta: int) -> bool:
        return self._pool_number(acta) != number

    # -- stops ---------------------------------------------------------------------------------

    def stop_work(self, catd: int | None = None) -> None:
        """Everybody freezes what he has in hand and nothing begins; stops inside stops are counted.

        With a CATD only the capture done in it, where capture is by CATD.
        """
        for floor in self._floors(catd):
            floor.stop()

    def resume_work(self, catd: int | None = None) -> None:
        """End one stop of `stop_work`: work in hand goes on with what it lacked."""
        if catd is None and self.floor.resume():
            self._wake_resolvers()
            if not self.by_catd:
                self.pools[0].hand_out()
        if self.by_catd:
            for pool in self.pools if catd is None else [self.pools[catd]]:
                pool.resume()

    def _floors(self, catd: int | None) -> list[Floor]:
        if not self.by_catd:
            return [self.floor] if catd is None else []
        if catd is not None:
            return [self.pools[catd].floor]
        return [self.floor, *(pool.floor for pool in self.pools)]

    # -- capture -------------------------------------------------------------------------------

    def _captured(self, acta: int, clerk: Clerk, carelessness: float) -> None:
        """A person finishes capturing an acta."""
        model = self.model
        made = self._made.setdefault(acta, [])
        truth = model.truth[acta]
        typed = model.typist.type(acta, truth, len(made), carelessness)
        if typed.votes != truth.votes or typed.totals != truth.totals:
            model.wrong_captures += 1
        self._send_capture(acta, clerk, typed, len(made))
        made.append((clerk, typed))
        if len(made) == 1:
            self._offer(1, acta)

    def _send_capture(self, acta: int, clerk: Clerk, typed: Typed, attempt: int) -> None:
        model = self.model
        command = self._command(acta, clerk, typed, f"captura-{attempt + 1}-{acta}")

        def arrive() -> None:
            model.send(command)
            if attempt == 0 and self._attempts_left > 0 and model.env.now * 2 > model.length_ms:
                self._attempts_left -= 1
                model.send(self._command(acta, clerk, typed, f"misma-persona-{acta}"), provoked=True)
            self._arrived(acta, typed)

        if not self._transmit:
            arrive()
            return

        def deliver() -> None:
            # What was captured from the image in the CATD may not overtake that image.
            if model.has_image[acta]:
                arrive()
            else:
                self._held.setdefault(acta, []).append(arrive)

        place = clerk.place
        if place is None:
            deliver()
        else:
            self._transmit[place](model.durations.message[acta], deliver)

    def _command(self, acta: int, clerk: Clerk, typed: Typed, key: str) -> Capture:
        truth = self.model.truth[acta]
        return Capture(
            key=key, actor=clerk.person.name, station=clerk.station, at=self.model.now_utc, acta=acta,
            votes=typed.votes, totals=typed.as_totals(), letter_differs=truth.letter_differs,
            only_letter_or_number=truth.only_letter_or_number,
        )  # fmt: skip

    def _arrived(self, acta: int, typed: Typed) -> None:
        """A capture is in the state centre."""
        seen = self._seen.setdefault(acta, [])
        seen.append(typed)
        if len(seen) == 1:
            return
        if typed in seen[:-1]:
            self._settle(acta, typed)
        else:
            self.model.disputes += len(seen) == 2
            self._dispute(acta)

    def _settle(self, acta: int, typed: Typed) -> None:
        self.model.final[acta] = typed
        self.model.registered += 1
        del self._made[acta], self._seen[acta]
        self._verified.append(acta)

    # -- resolution ----------------------------------------------------------------------------

    def _dispute(self, acta: int) -> None:
        if self.floor.stopped:
            self._resolving.items.append(acta)
        else:
            self._resolving.put(acta)

    def _wake_resolvers(self) -> None:
        queue = self._resolving
        while queue.items and queue.idle:
            queue.idle.popleft().succeed(queue.items.popleft())

    def _resolver(self, name: str) -> Process:
        model, queue = self.model, self._resolving
        env = model.env
        while True:
            if queue.items and not self.floor.stopped:
                acta = queue.items.popleft()
            else:
                wake = env.event()
                queue.idle.append(wake)
                acta = yield wake
            yield from self.floor.work(model.durations.resolve[acta])
            choice = self._choose(acta)
            seen = self._seen[acta]
            model.send(
                Resolve(
                    key=f"resolucion-{len(seen)}-{acta}", actor=name, station=name, at=model.now_utc,
                    acta=acta, choice=choice,
                )
            )  # fmt: skip
            if choice is Choice.ASK_FOR_ANOTHER:
                model.third_captures += 1
                self._offer(2, acta)
            else:
                self._settle(acta, seen[choice.value])

    def _choose(self, acta: int) -> Choice:
        """The capture that says what the resolver reads; another one, or the nearest if none can be had.

        Now and then his eye fails him.
        """
        model = self.model
        made = self._seen[acta]
        read = model.typist.read(acta, model.truth[acta])
        right = self._right[acta] < model.scenario.keying.resolver_right
        if read in made:
            found = made.index(read)
            return Choice(found if right else (found + 1) % len(made))
        if len(made) < ATTEMPTS and self.clerks.somebody_else(self.pools[self._pool_number(acta)], acta):
            return Choice.ASK_FOR_ANOTHER
        return Choice(min(range(len(made)), key=lambda position: _distance(made[position], read)))

    # -- collation -----------------------------------------------------------------------------

    def _collator(self, name: str, begin_ms: int) -> Process:
        model = self.model
        env = model.env
        yield env.timeout(begin_ms)
        while True:
            if not self._verified or self.floor.stopped:
                yield env.timeout(COLLATOR_REST_MS)
                continue
            acta = self._verified.popleft()
            yield from self.floor.work(model.durations.collate[acta])
            truth, final = model.truth[acta], model.final[acta]
            model.send(
                Collate(
                    key=f"cotejo-{acta}", actor=name, station=name, at=model.now_utc, acta=acta,
                    accepted=(final.votes, final.totals) == (truth.votes, truth.totals),
                )
            )  # fmt: skip


def _distance(one: Typed, other: Typed) -> int:
    pairs: list[tuple[Field, Field]] = [
        *zip(one.votes, other.votes, strict=True),
        *zip(one.totals, other.totals, strict=True),
    ]
    return sum(a != b for a, b in pairs)
