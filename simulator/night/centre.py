"""A CATD: packages are received, actas scanned, and all of it goes out over its link, or waits there.

What the CATD does has the time it was done (`at`); the engine records it when it comes out of the
link, which during an outage is much later. Envelopes of actas that came by phone are received as the
duplicates they are. Without light nobody works nor sends. Capture is not done here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import simpy

from core.domain.commands import AnyCommand, Digitize, MarkSinActa, Medium, Origin, Receive, ReceiveOutside
from core.domain.rules import SinActaReason
from simulator.night.arrivals import Package
from simulator.night.floor import Floor
from simulator.night.links import Link
from simulator.night.model import NightModel, Process, Queue
from simulator.scenario.base import MS_PER_HOUR

DOCUMENT = "ACTA PREP"
LEAST_MARKING_MS = 6_000
"""Faster than this one person would exceed the engine's limit of marks."""
NOT_INSTALLED_KNOWN_MS = MS_PER_HOUR
"""When it is known that a casilla was not installed."""

Role: TypeAlias = Literal["acopiadores", "digitalizadores"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something on its way over the link: what it takes to send, and what it says.

    `image_of` is the acta whose image it carries, -1 for none. With `arrive` that is done when it gets
    through, instead of sending its commands.
    """

    work_ms: int
    commands: tuple[AnyCommand, ...]
    image_of: int = -1
    marks: int = 0
    resent: bool = False
    arrive: Callable[[], None] | None = None


class Centre:
    """One CATD and its people. `digitized` is called with every acta whose first image gets through."""

    def __init__(
        self, model: NightModel, number: int, link: Link, digitized: Callable[[int], None], marks: bool
    ) -> None:
        self.model = model
        self.number = number
        self.station = f"catd-{number:03d}"
        self._link = link
        self._digitized = digitized
        self._marks = marks
        self._floor = Floor(model.env)
        self.packages: Queue[Package] = Queue()
        self.scans: Queue[int] = Queue()
        self.outgoing: Queue[Outgoing] = Queue()
        self.marking: Queue[tuple[int, SinActaReason]] = Queue()
        self.held: deque[Outgoing] = deque()
        """Images of a contest that cannot be stored for now."""
        self.staff: dict[Role, int] = {"acopiadores": 0, "digitalizadores": 0}
        """Who works here, without those who are about to leave."""
        self._leaving: dict[Role, deque[Callable[[], None]]] = {
            "acopiadores": deque(), "digitalizadores": deque(),
        }  # fmt: skip
        self._hired: dict[Role, int] = {"acopiadores": 0, "digitalizadores": 0}
        self._rescanned = model.scenario.phone.rescanned
        self.scanned: Callable[[int], None] | None = None
        """Told of every acta as it is scanned, before its image goes out."""
        self.first_image: Callable[[Centre, Outgoing], None] | None = None
        """Told of every acta whose first image is one scanned here."""
        present = model.people.centres[number]
        self.add_staff("acopiadores", present.receivers)
        self.add_staff("digitalizadores", present.scanners)
        self._transmitting = False
        self._link_process = model.env.process(self._sender())
        link.changed = self._link_changed
        if marks:
            model.env.process(self._marker())

    @property
    def waiting(self) -> int:
        """Shipments that wait to go out."""
        return len(self.outgoing.items) + len(self.held)

    @property
    def link_pct(self) -> int:
        """Per cent of the link there is now: 0 without link or without light, else at least 1."""
        capacity = 0.0 if self._floor.stopped else self._link.capacity(int(self.model.env.now))
        return max(1, round(100 * capacity)) if capacity > 0 else 0

    # -- people ----------------------------------------------------------------------------------

    def add_staff(self, role: Role, count: int) -> None:
        """More people begin to work here."""
        title = "acopio" if role == "acopiadores" else "escaner"
        work = self._receiver if role == "acopiadores" else self._scanner
        for _ in range(count):
            self._hired[role] += 1
            self.staff[role] += 1
            self.model.env.process(work(f"{self.station}-{title}-{self._hired[role]:02d}"))

    def remove_staff(self, role: Role, count: int, left: Callable[[], None] = lambda: None) -> int:
        """People leave when they finish what they have in hand; those without work, at once.

        Returns how many: no more than there are. `left` is called as each one goes.
        """
        queue: Queue[Any] = self.packages if role == "acopiadores" else self.scans
        count = min(count, self.staff[role])
        self.staff[role] -= count
        for _ in range(count):
            if queue.idle:
                queue.idle.pop().succeed(None)
                left()
            else:
                self._leaving[role].append(left)
        return count

    def _leaves(self, role: Role) -> bool:
        if not self._leaving[role]:
            return False
        self._leaving[role].popleft()()
        return True

    def stop_work(self) -> None:
        """The light goes: everybody stops with what he has in hand. As many `resume_work` undo it."""
        self._floor.stop()

    def resume_work(self) -> None:
        """There is light and the equipment works again."""
        self._floor.resume()

    def _receiver(self, name: str) -> Process:
        model, queue, floor = self.model, self.packages, self._floor
        durations = model.durations
        while not self._leaves("acopiadores"):
            package = yield from queue.take(model.env)
            if package is None:
                return
            yield from floor.work(durations.receive[package.casilla])
            self._received(package, name)

    def _received(self, package: Package, name: str) -> None:
        model = self.model
        at = model.clocks.typed_acopio(package.casilla, model.now_utc)
        device_at = self.device_clock()
        commands = tuple(
            Receive(
                key=f"acopio-{acta}", actor=name, station=self.station, at=at, device_at=device_at, acta=acta,
                origin=Origin.CATD, mechanism=package.mechanism,
            )
            for acta in package.envelopes
        )  # fmt: skip
        if commands:
            first = package.envelopes[0]
            self.outgoing.put(
                Outgoing(model.durations.message[first], commands, resent=model.durations.resent[first])
            )
        for acta in package.envelopes:
            # The list at the CATD says which actas came by phone: few of them are scanned again.
            if not model.photographed[acta] or model.rescans[acta] < self._rescanned:
                self.scans.put(acta)
        if self._marks:
            for acta, reason in package.missing:
                self.marking.put((acta, reason))

    def device_clock(self) -> int | None:
        """What the clocks here say; None where the scenario says nothing of clocks."""
        model = self.model
        return model.device_clock(self.station, model.now_utc) if model.clocks.told else None

    def _scanner(self, name: str) -> Process:
        model, queue, floor = self.model, self.scans, self._floor
        durations = model.durations
        while not self._leaves("digitalizadores"):
            acta = yield from queue.take(model.env)
            if acta is None:
                return
            again = durations.rescan[acta]
            yield from floor.work(durations.scan[acta] * (2 if again else 1))
            command = Digitize(
                key=f"escaner-{acta}", actor=name, station=self.station, at=model.now_utc,
                device_at=self.device_clock(), acta=acta,
                image_hash=model.image(acta, "escaner-2" if again else "escaner"),
                medium=Medium.ESCANER, document=DOCUMENT,
            )  # fmt: skip
            self.outgoing.put(Outgoing(durations.image[acta], (command,), image_of=acta))
            if self.scanned is not None:
                self.scanned(acta)

    def _marker(self) -> Process:
        model, queue, floor = self.model, self.marking, self._floor
        while True:
            job = yield from queue.take(model.env)
            # Nobody is ever told to stop marking.
            assert job is not None
            acta, reason = job
            yield from floor.work(max(LEAST_MARKING_MS, model.durations.marking[acta]))
            at = model.now_utc
            command = MarkSinActa(
                key=f"sin-acta-{acta}", actor=f"{self.station}-registro", station=self.station, at=at,
                acta=acta, reason=reason, supervisor=f"{self.station}-supervision", authorised_at=at - 1_000,
            )  # fmt: skip
            self.outgoing.put(Outgoing(model.durations.message[acta], (command,), marks=1))

    def transmit(self, work_ms: int, arrive: Callable[[], None]) -> None:
        """Something else goes out over the link, in its turn; `arrive` is called when it has."""
        self.outgoing.put(Outgoing(work_ms, (), arrive=arrive))

    def outside(self, command: ReceiveOutside, work_ms: int) -> None:
        """An acta that belongs to no approved casilla was scanned here."""
        self.outgoing.put(Outgoing(work_ms, (command,)))

    def waits_to_be_scanned(self, unless: set[int]) -> int | None:
        """Take an acta out of the scanners' queue, the oldest that came only on paper; None without one."""
        for position, acta in enumerate(self.scans.items):
            if acta not in unless and not self.model.photographed[acta]:
                del self.scans.items[position]
                return acta
        return None

    def work(self, duration_ms: int) -> Process:
        """Somebody else works here for that long, without light only when there is again."""
        return self._floor.work(duration_ms)

    # -- the link ----------------------------------------------------------------------------------

    def _link_changed(self) -> None:
        if self._transmitting:
            self._transmitting = False
            self._link_process.interrupt()

    def _sender(self) -> Process:
        model, queue, link = self.model, self.outgoing, self._link
        env = model.env
        while True:
            job = yield from queue.take(env)
            assert job is not None
            if self._holds(job):
                continue
            begun = int(env.now)
            while True:
                end = link.finish(begun, job.work_ms)
                stuck = end is None or end >= model.length_ms
                if stuck:
                    # It will not get through tonight, nor will anything behind it, unless the link changes.
                    queue.items.appendleft(job)
                self._transmitting = True
                try:
                    yield env.event() if end is None or stuck else env.timeout(end - int(env.now))
                except simpy.Interrupt:
                    if stuck:
                        queue.items.popleft()
                    continue
                break
            self._transmitting = False
            if not self._holds(job):
                self._arrived(job)

    def _holds(self, job: Outgoing) -> bool:
        """True when it carries an image that cannot be stored: it waits for its contest."""
        if job.image_of >= 0 and self.model.blocked(job.image_of):
            self.held.append(job)
            return True
        return False

    def release(self) -> None:
        """What was held for its contest is sent again, behind what waits already."""
        held, self.held = self.held, deque()
        for job in held:
            self.outgoing.put(job)

    def _arrived(self, job: Outgoing) -> None:
        model = self.model
        if job.arrive is not None:
            job.arrive()
            return
        for command in job.commands:
            model.send(command)
        if job.resent:
            # The client saw no answer and sends again: same keys, no second effect.
            for command in job.commands:
                model.send(command)
        model.registered += job.marks
        acta = job.image_of
        if acta >= 0 and not model.has_image[acta]:
            model.has_image[acta] = True
            if self.first_image is not None:
                self.first_image(self, job)
            self._digitized(acta)
