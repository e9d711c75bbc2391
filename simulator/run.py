"""Runs one whole night of a scenario in virtual time, through the engine, cut by cut.

The order of everything is decided by the model's clock; the engine is told at the times of the
model. It opens and closes the operation, publishes when a cut is due and keeps the progress curve.
What the night ended like is `results`; what people read of it, `report`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine as Database

from core.domain.catalog import Catalog
from core.domain.commands import (
    CloseOperation,
    Digitize,
    Medium,
    OpenOperation,
    Origin,
    Receive,
    ReceiveOutside,
)
from core.engine import Engine
from core.errors import UsageError
from core.storage.store import Store
from simulator.arrivals import Package, Photo, plan_arrivals
from simulator.ballots import Content, image_hash, seal, write_actas
from simulator.capture import CaptureCentre
from simulator.centre import DOCUMENT, NOT_INSTALLED_KNOWN_MS, Centre
from simulator.feed import BATCH, Feed
from simulator.network import Incident, Link, plan_links
from simulator.night_model import NightModel, Process
from simulator.people import People, plan_people
from simulator.scenario import MS_PER_MINUTE, Scenario
from simulator.scenario_file import LoadedScenario
from simulator.seeds import Seeds

if TYPE_CHECKING:
    from core.publication.cut import CutReport, Publisher

COORDINATOR = "coordinacion"
TICK_MS = 5 * MS_PER_MINUTE
"""Pace of the progress and of the curve between cuts."""
CASILLAS_PER_CAE = 4


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The night at an instant (ms since the start)."""

    at_ms: int
    registered: int
    backlog: int
    waiting_in_links: int


@dataclass(frozen=True, slots=True)
class MissedCut:
    """A cut that was due and did not go out. `at` in ms UTC."""

    at: int
    reason: str


@dataclass
class Night:
    """A night that ran: everything the results and the report are made from."""

    loaded: LoadedScenario
    seed: int
    catalog: Catalog
    truth: list[Content]
    truth_sha256: str
    people: People
    links: list[Link]
    incidents: list[Incident]
    model: NightModel
    capture: CaptureCentre
    feed: Feed
    cuts: list[CutReport] = field(default_factory=list)
    missed: list[MissedCut] = field(default_factory=list)
    curve: list[CurvePoint] = field(default_factory=list)


Watcher = Callable[[int, int], None]
"""Told (ms since the start, actas registered) every few virtual minutes."""


def catalog_of_the_night(catalog: Catalog, scenario: Scenario) -> Catalog:
    """The catalogue with the local time of the scenario, which changes by law and season."""
    offset = scenario.calendar.utc_offset_minutes
    return replace(catalog, entidad=replace(catalog.entidad, utc_offset_minutes=offset))


def open_engine(store: Store, catalog: Catalog, mode: str) -> Engine:
    """The engine of a database that has had no night yet.

    Raises UsageError when it had one, and OtherElectionError when it is of another election.
    """
    engine = Engine(store, catalog, mode)
    if engine.operation.opened:
        raise UsageError("La base ya contiene una operación de esta elección; usa una base vacía.")
    return engine


def run_night(
    loaded: LoadedScenario,
    engine: Engine,
    seed: int,
    database: Database,
    folder: Path | None,
    *,
    batch: int = BATCH,
    watcher: Watcher | None = None,
) -> Night:
    """Run the night through an engine from `open_engine`.

    Cuts are published into `folder`; none when it is None. The seed is any whole number from 0.
    """
    night = _prepare(loaded, engine.catalog, seed, Feed(engine, batch))
    _start_processes(night)
    publisher = _publisher(engine, database, folder) if folder is not None else None
    _open(night)
    _work_through(night, publisher, watcher)
    _close(night)
    return night


def _publisher(engine: Engine, database: Database, folder: Path) -> Publisher:
    # Building packages brings libraries that a night without cuts does not need.
    from core.publication.cut import Publisher

    return Publisher(engine, database, folder)


def _prepare(loaded: LoadedScenario, catalog: Catalog, seed: int, feed: Feed) -> Night:
    scenario = loaded.scenario
    seeds = Seeds(seed)
    truth = write_actas(catalog, scenario.votes, scenario.inconsistencies, seeds)
    packages = plan_arrivals(catalog, scenario, seeds)
    people = plan_people(catalog, scenario, seeds)
    links, incidents = plan_links(catalog, scenario, seeds)
    incidents += [
        Incident(
            f"publicacion_{fault.kind}", fault.name, round(fault.at_min * MS_PER_MINUTE),
            round((fault.at_min + fault.minutes) * MS_PER_MINUTE), 0, fault.remedy,
        )
        for fault in scenario.publication_faults
    ]  # fmt: skip
    incidents.sort(key=lambda incident: (incident.start_ms, incident.name))
    model = NightModel(scenario, loaded.sha256, catalog, seeds, truth, packages, people, feed)
    capture = CaptureCentre(model)
    return Night(
        loaded, seed, catalog, truth, seal(catalog, truth), people, links, incidents, model, capture, feed
    )


def _start_processes(night: Night) -> None:
    model, scenario = night.model, night.loaded.scenario
    numbers = [catd.id for catd in night.catalog.catds]
    marking = model.seeds.quota("sobres/catd_que_marcan", numbers, scenario.envelopes.marking_catds)
    centres = [
        Centre(model, number, night.links[number], night.capture.digitized, number in marking)
        for number in numbers
    ]
    happenings: list[tuple[int, int, Callable[[], None]]] = []

    def plan(at: int, what: Callable[[], None]) -> None:
        happenings.append((at, len(happenings), what))

    for package in model.packages:
        centre = centres[package.catd]
        for photo in package.photos:
            plan(photo.arrives_ms, _photo(night, package, photo))
        if package.at_catd_ms is not None:
            plan(package.at_catd_ms, _deliver(centre, package))
        elif package.missing and package.catd in marking:
            plan(_known_missing(night, package), _mark(centre, package))
    _plan_outside(night, centres, plan)
    happenings.sort(key=lambda item: item[:2])
    model.env.process(_happen(model, [(at, what) for at, _, what in happenings]))
    night.model.waiting_in_links = lambda: sum(len(centre.outgoing.items) for centre in centres)


def _happen(model: NightModel, happenings: list[tuple[int, Callable[[], None]]]) -> Process:
    for at, what in happenings:
        if at > model.env.now:
            yield model.env.timeout(at - int(model.env.now))
        what()


def _deliver(centre: Centre, package: Package) -> Callable[[], None]:
    return lambda: centre.packages.put(package)


def _known_missing(night: Night, package: Package) -> int:
    reason = package.missing[0][1]
    length = night.model.length_ms
    if reason.value == "CASILLA_NO_INSTALADA":
        return min(NOT_INSTALLED_KNOWN_MS, length // 2)
    before = round(night.loaded.scenario.envelopes.mark_before_end_min * MS_PER_MINUTE)
    return max(0, length - before)


def _mark(centre: Centre, package: Package) -> Callable[[], None]:
    def mark() -> None:
        for acta, reason in package.missing:
            centre.marking.put((acta, reason))

    return mark


def _photo(night: Night, package: Package, photo: Photo) -> Callable[[], None]:
    """PREP Casilla: the image goes straight from the phone to the centre."""
    model = night.model

    def arrive() -> None:
        acta = photo.acta
        station = f"movil-{package.casilla // CASILLAS_PER_CAE:05d}"
        actor = f"cae-{package.casilla // CASILLAS_PER_CAE:05d}"
        at = model.start_ms + photo.shot_ms
        model.send(
            Receive(
                key=f"casilla-{acta}", actor=actor, station=station, at=at, acta=acta, origin=Origin.CASILLA
            )
        )
        model.send(
            Digitize(
                key=f"movil-{acta}", actor=actor, station=station, at=at, device_at=at, acta=acta,
                image_hash=model.image(acta, "movil"), medium=Medium.MOVIL, document=DOCUMENT,
            )
        )  # fmt: skip
        model.photographed[acta] = True
        if not model.has_image[acta]:
            model.has_image[acta] = True
            night.capture.digitized(acta)

    return arrive


def _plan_outside(
    night: Night, centres: list[Centre], plan: Callable[[int, Callable[[], None]], None]
) -> None:
    """Actas fuera de catálogo: they come with the package of some casilla and belong to none."""
    model = night.model
    count = night.loaded.scenario.inconsistencies.outside
    arriving = [package for package in model.packages if package.at_catd_ms is not None]
    for contest in night.catalog.contests:
        draw = model.seeds.stream(f"fuera_de_catalogo/{contest}")
        for number in range(count if arriving else 0):
            package = draw.choice(arriving)
            claimed = f"{night.catalog.entidad.id:02d}9{draw.randrange(1000):03d}B0100"
            image = image_hash(model.scenario_sha256, f"{contest}/fuera/{number}", "escaner")
            centre = centres[package.catd]

            def arrive(
                key: str = f"fuera-{contest}-{number}",
                contest: str = contest,
                claimed: str = claimed,
                image: str = image,
                centre: Centre = centre,
            ) -> None:
                centre.outside(
                    ReceiveOutside(
                        key=key, actor=f"{centre.station}-escaner-01", station=centre.station,
                        at=model.now_utc, contest=contest, claimed=claimed, origin=Origin.CATD,
                        image_hash=image, medium=Medium.ESCANER, document=DOCUMENT,
                    ),
                    model.durations.image[0],
                )  # fmt: skip

            assert package.at_catd_ms is not None
            plan(package.at_catd_ms, arrive)


# -- the operation ---------------------------------------------------------------------------------


def _open(night: Night) -> None:
    start = night.model.start_ms
    night.feed.add(
        OpenOperation(
            key="apertura", actor=COORDINATOR, station=COORDINATOR, at=start, starts_at=start,
            ends_at=start + night.model.length_ms,
        ),
        start,
    )  # fmt: skip
    night.feed.flush()


def _close(night: Night) -> None:
    end = night.model.start_ms + night.model.length_ms
    night.feed.add(CloseOperation(key="cierre", actor=COORDINATOR, station=COORDINATOR, at=end), end)
    night.feed.flush()


def cut_times(scenario: Scenario) -> list[int]:
    """When a cut is due, in ms since the start; the last one at the very end."""
    calendar = scenario.calendar
    step = MS_PER_MINUTE * 60 // calendar.cuts_per_hour
    first = round(calendar.publication_min * MS_PER_MINUTE)
    return [*range(first, calendar.length_ms, step), calendar.length_ms]


def _work_through(night: Night, publisher: Publisher | None, watcher: Watcher | None) -> None:
    model, scenario = night.model, night.loaded.scenario
    due = cut_times(scenario)
    stops = sorted({*due, *range(TICK_MS, model.length_ms, TICK_MS)})
    cutting = set(due)
    for at in stops:
        if at > 0:
            model.env.run(until=at)
        night.curve.append(CurvePoint(at, model.registered, night.capture.backlog, model.waiting_in_links()))
        if at in cutting and publisher is not None:
            _cut(night, publisher, at)
        if watcher is not None:
            watcher(at, model.registered)
    night.feed.flush()


def _cut(night: Night, publisher: Publisher, at: int) -> None:
    model = night.model
    last = at == model.length_ms
    for fault in night.loaded.scenario.publication_faults:
        begins = round(fault.at_min * MS_PER_MINUTE)
        ends = round((fault.at_min + fault.minutes) * MS_PER_MINUTE)
        if fault.kind == "cortes_detenidos" and begins <= at < ends and not last:
            night.missed.append(MissedCut(model.start_ms + at, fault.name))
            return
    night.feed.flush()
    report = publisher.cut(model.start_ms + at, last=last)
    if report.refused is not None:
        night.missed.append(MissedCut(report.at, report.refused))
    else:
        night.cuts.append(report)
