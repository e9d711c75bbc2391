"""A CATD: packages are received, actas scanned, and all of it goes out over its link, or waits there.

What the CATD does has the time it was done (`at`); the engine records it when it comes out of the
link, which during an outage is much later. Envelopes of actas that came by phone are received as the
duplicates they are. Capture is not done here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.domain.commands import AnyCommand, Digitize, MarkSinActa, Medium, Origin, Receive, ReceiveOutside
from core.domain.rules import SinActaReason
from simulator.arrivals import Package
from simulator.network import Link
from simulator.night_model import NightModel, Process, Queue

DOCUMENT = "ACTA PREP"
LEAST_MARKING_MS = 6_000
"""Faster than this one person would exceed the engine's limit of marks."""
NOT_INSTALLED_KNOWN_MS = 3_600_000
"""When it is known that a casilla was not installed."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something on its way over the link: what it takes to send, and what it says. `image_of` is the acta
    whose image it carries, -1 for none."""

    work_ms: int
    commands: tuple[AnyCommand, ...]
    image_of: int = -1
    marks: int = 0
    resent: bool = False


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
        self.packages: Queue[Package] = Queue()
        self.scans: Queue[int] = Queue()
        self.outgoing: Queue[Outgoing] = Queue()
        self.marking: Queue[tuple[int, SinActaReason]] = Queue()
        self._rescanned = model.scenario.phone.rescanned
        staff = model.people.centres[number]
        process = model.env.process
        for position in range(1, staff.receivers + 1):
            process(self._receiver(f"{self.station}-acopio-{position:02d}"))
        for position in range(1, staff.scanners + 1):
            process(self._scanner(f"{self.station}-escaner-{position:02d}"))
        process(self._sender())
        if marks:
            process(self._marker())

    def _receiver(self, name: str) -> Process:
        model, queue = self.model, self.packages
        env, durations = model.env, model.durations
        while True:
            if queue.items:
                package = queue.items.popleft()
            else:
                wake = env.event()
                queue.idle.append(wake)
                package = yield wake
            yield env.timeout(durations.receive[package.casilla])
            self._received(package, name)

    def _received(self, package: Package, name: str) -> None:
        model = self.model
        at = model.now_utc
        commands = tuple(
            Receive(
                key=f"acopio-{acta}", actor=name, station=self.station, at=at, acta=acta,
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

    def _scanner(self, name: str) -> Process:
        model, queue = self.model, self.scans
        env, durations = model.env, model.durations
        while True:
            if queue.items:
                acta = queue.items.popleft()
            else:
                wake = env.event()
                queue.idle.append(wake)
                acta = yield wake
            again = durations.rescan[acta]
            yield env.timeout(durations.scan[acta] * (2 if again else 1))
            command = Digitize(
                key=f"escaner-{acta}", actor=name, station=self.station, at=model.now_utc, acta=acta,
                image_hash=model.image(acta, "escaner-2" if again else "escaner"),
                medium=Medium.ESCANER, document=DOCUMENT,
            )  # fmt: skip
            self.outgoing.put(Outgoing(durations.image[acta], (command,), image_of=acta))

    def _marker(self) -> Process:
        model, queue = self.model, self.marking
        env = model.env
        while True:
            if queue.items:
                acta, reason = queue.items.popleft()
            else:
                wake = env.event()
                queue.idle.append(wake)
                acta, reason = yield wake
            yield env.timeout(max(LEAST_MARKING_MS, model.durations.marking[acta]))
            at = model.now_utc
            command = MarkSinActa(
                key=f"sin-acta-{acta}", actor=f"{self.station}-registro", station=self.station, at=at,
                acta=acta, reason=reason, supervisor=f"{self.station}-supervision", authorised_at=at - 1_000,
            )  # fmt: skip
            self.outgoing.put(Outgoing(model.durations.message[acta], (command,), marks=1))

    def outside(self, command: ReceiveOutside, work_ms: int) -> None:
        """An acta that belongs to no approved casilla was scanned here."""
        self.outgoing.put(Outgoing(work_ms, (command,)))

    def _sender(self) -> Process:
        model, queue, link = self.model, self.outgoing, self._link
        env = model.env
        while True:
            if queue.items:
                job = queue.items.popleft()
            else:
                wake = env.event()
                queue.idle.append(wake)
                job = yield wake
            end = link.finish(int(env.now), job.work_ms)
            if end is None or end >= model.length_ms:
                # It will not get through tonight, nor will anything behind it.
                queue.items.appendleft(job)
                return
            yield env.timeout(end - int(env.now))
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
                self._digitized(acta)
