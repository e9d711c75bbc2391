"""What the processes of one simulated night share: clock, feed, pre-sampled times, what is known.

Actas are ints; times are whole ms since the start of the operation. Every duration was drawn before
the night by acta or casilla id. It has no process of its own.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import simpy

from core.domain.catalog import Catalog
from core.domain.commands import AnyCommand, Receive
from simulator.night.arrivals import Package
from simulator.night.ballots import Content, image_hash
from simulator.night.feed import Feed
from simulator.night.keying import ATTEMPTS, Typed, Typist
from simulator.night.people import People
from simulator.scenario.base import Service, ms_of
from simulator.scenario.document import Scenario
from simulator.seeds import Seeds

if TYPE_CHECKING:
    from simulator.night.acta_images import ActaImages

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

    def take(self, env: simpy.Environment) -> Generator[simpy.Event, Any, Job | None]:
        """The next job, at once or when one comes; None when whoever waits is told to stop waiting."""
        if self.items:
            return self.items.popleft()
        wake = env.event()
        self.idle.append(wake)
        job: Job | None = yield wake
        return job


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


class Clocks:
    """The clocks of the stations: which are wrong, and which hours of acopio are typed wrongly."""

    def __init__(self, scenario: Scenario, seeds: Seeds) -> None:
        self._clocks = scenario.clocks
        self._seeds = seeds
        self._drifts: dict[str, int] = {}
        self._start_ms = scenario.calendar.start_ms
        self._end_ms = self._start_ms + scenario.calendar.length_ms
        self.told = self._clocks.share > 0
        """Whether the scenario says anything of clocks."""

    def drift_ms(self, station: str) -> int:
        """How far ahead (behind, when negative) the clock of a station is."""
        if not self.told:
            return 0
        if station not in self._drifts:
            # By name: the clock of a station does not depend on who else asked first.
            wrong = self._seeds.stream(f"relojes/{station}").random() < self._clocks.share
            self._drifts[station] = ms_of(self._clocks.drift_min) if wrong else 0
        return self._drifts[station]

    def typed_acopio(self, casilla: int, at: int) -> int:
        """The hour of acopio as typed for a package (ms UTC), inside the operating period."""
        if not self._clocks.mistyped:
            return at
        if self._seeds.stream(f"relojes/acopio/{casilla}").random() >= self._clocks.mistyped:
            return at
        typed = at + ms_of(self._clocks.mistyped_min)
        return min(max(typed, self._start_ms), self._end_ms)


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
        self.sources: dict[str, Callable[[], float]] = {
            "registradas_pct": lambda: 100 * self.registered / max(1, size)
        }
        """What conditions and probes may look at, by its name in a scenario."""
        self.sin_acta: set[int] = set()
        """Actas that were there and were marked sin acta all the same."""
        self.received: set[int] | None = set() if scenario.duplicates.share else None
        """Actas the centre has received, where somebody needs to foresee what it will answer."""
        self.clocks = Clocks(scenario, seeds)
        self.images: ActaImages | None = None
        """Pictures of the actas, when they were asked for."""
        self._blocked: Counter[str] = Counter()
        self._held_photos: dict[str, list[Callable[[], None]]] = {}

    @property
    def now_utc(self) -> int:
        """The virtual time in ms UTC."""
        return self.start_ms + int(self.env.now)

    def send(self, command: AnyCommand, *, provoked: bool = False) -> None:
        """Hand a command over; the engine records it at this very virtual time."""
        if type(command) is Receive:
            if self.received is not None:
                self.received.add(command.acta)
            if command.acta in self.sin_acta:
                # It was marked and here it is: it has to be captured after all.
                self.sin_acta.discard(command.acta)
                self.registered -= 1
        self.feed.add(command, self.now_utc, provoked=provoked)

    def seen(self, name: str) -> float:
        """What is seen of the night at this moment: a name of `sources`."""
        return self.sources[name]()

    def device_clock(self, station: str, at: int) -> int:
        """What the clock of a station says at `at` (ms UTC)."""
        return at + self.clocks.drift_ms(station)

    # -- a contest whose images cannot be stored -------------------------------------------------

    def blocked(self, acta: int) -> bool:
        """True while the images of the contest of an acta cannot be stored."""
        return bool(self._blocked) and self._blocked[self.catalog.actas[acta].contest] > 0

    def holds(self, acta: int, again: Callable[[], None]) -> bool:
        """True when a photo has to wait in its phone; `again` is called when it can be sent."""
        if not self.blocked(acta):
            return False
        self._held_photos.setdefault(self.catalog.actas[acta].contest, []).append(again)
        return True

    @property
    def photos_held(self) -> int:
        """Photos that wait in the phones for their contest."""
        return sum(len(waiting) for waiting in self._held_photos.values())

    def block(self, contest: str) -> None:
        """The images of a contest can no longer be stored. As many `unblock` as `block` undo it."""
        self._blocked[contest] += 1

    def unblock(self, contest: str) -> bool:
        """Undo one `block`; True when images can be stored again, and the phones have sent theirs."""
        self._blocked[contest] -= 1
        if self._blocked[contest] > 0:
            return False
        for again in self._held_photos.pop(contest, ()):
            again()
        return True

    def image(self, acta: int, attempt: str) -> str:
        """The hash of an image of an acta, or what stands for it where nobody draws it."""
        if self.images is not None and acta in self.images:
            return self.images.drawn(acta, attempt)
        entry = self.catalog.actas[acta]
        return image_hash(self.scenario_sha256, f"{entry.contest}/{entry.key}/{entry.id}", attempt)
