"""What the processes of one simulated night share: clock, feed, pre-sampled times, what is known.

Actas are ints; times are whole ms since the start of the operation. Every duration was drawn before
the night by acta or casilla id. It has no process of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeAlias, TypeVar

import simpy

from core.domain.catalog import Catalog
from core.domain.commands import AnyCommand
from simulator.arrivals import Package
from simulator.ballots import Content, image_hash
from simulator.feed import Feed
from simulator.keying import ATTEMPTS, Typed, Typist
from simulator.people import People
from simulator.scenario import Scenario, Service
from simulator.seeds import Seeds

Process: TypeAlias = Generator[simpy.Event, Any, None]
Job = TypeVar("Job")


class Queue(Generic[Job]):
    """Work waiting for servers, or servers waiting for work: one wake event per idle server."""

    __slots__ = ("idle", "items", "longest")

    def __init__(self) -> None:
        self.items: deque[Job] = deque()
        self.idle: deque[simpy.Event] = deque()
        self.longest = 0

    def put(self, job: Job) -> None:
        """Give the job to the server idle for longest, or let it wait."""
        if self.idle:
            self.idle.popleft().succeed(job)
        else:
            self.items.append(job)
            self.longest = max(self.longest, len(self.items))


class Durations:
    """Every service time of the night, by acta id (packages by casilla id), in ms."""

    def __init__(self, scenario: Scenario, catalog: Catalog, seeds: Seeds) -> None:
        times, size = scenario.times, len(catalog.actas)

        def draw(name: str, service: Service, count: int) -> list[int]:
            return seeds.lognormal_ms(f"tiempos/{name}", count, service.median_s * 1000, service.sigma)

        self.receive = draw("acopio", times.receive, len(catalog.casillas))
        self.scan = draw("digitalizacion", times.scan, size)
        self.rescan = [number < times.rescan_share for number in seeds.uniforms("tiempos/reescaneo", size)]
        self.image = draw("imagen", scenario.links.image, size)
        self.message = draw("mensaje", scenario.links.message, size)
        self.capture = [draw(f"captura/{attempt}", times.capture, size) for attempt in range(ATTEMPTS)]
        self.resolve = draw("resolucion", times.resolve, size)
        self.collate = draw("cotejo", times.collate, size)
        self.marking = draw("marcado", scenario.envelopes.marking, size)
        self.resent = [number < scenario.links.resent for number in seeds.uniforms("enlaces/reenvio", size)]


class NightModel:
    """Shared state of the processes. `start_ms` is the start of the operation in ms UTC."""

    def __init__(
        self,
        scenario: Scenario,
        scenario_sha256: str,
        catalog: Catalog,
        seeds: Seeds,
        truth: list[Content],
        packages: list[Package],
        people: People,
        feed: Feed,
    ) -> None:
        size = len(catalog.actas)
        self.env = simpy.Environment()
        self.scenario = scenario
        self.scenario_sha256 = scenario_sha256
        self.catalog = catalog
        self.seeds = seeds
        self.truth = truth
        self.packages = packages
        self.people = people
        self.feed = feed
        self.durations = Durations(scenario, catalog, seeds)
        self.typist = Typist(scenario.keying, seeds, size)
        self.start_ms = scenario.calendar.start_ms
        self.length_ms = scenario.calendar.length_ms
        self.has_image = [False] * size
        """The centre has an image of the acta (it is digitized, whatever came later)."""
        self.photographed = [False] * size
        self.rescans = seeds.uniforms("prep_casilla/reescaneo", size)
        self.registered = 0
        """Actas verified or marked sin acta, as far as the centre knows."""
        self.disputes = 0
        self.third_captures = 0
        self.wrong_captures = 0
        self.final: dict[int, Typed] = {}
        self.waiting_in_links: Callable[[], int] = int

    @property
    def now_utc(self) -> int:
        """The virtual time in ms UTC."""
        return self.start_ms + int(self.env.now)

    def send(self, command: AnyCommand, *, provoked: bool = False) -> None:
        """Hand a command over; the engine records it at this very virtual time."""
        self.feed.add(command, self.now_utc, provoked=provoked)

    def image(self, acta: int, attempt: str) -> str:
        """What stands for the hash of an image of an acta."""
        entry = self.catalog.actas[acta]
        return image_hash(self.scenario_sha256, f"{entry.contest}/{entry.key}/{entry.id}", attempt)
