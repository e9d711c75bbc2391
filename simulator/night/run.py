"""Runs one whole night of a scenario in virtual time, through the engine, cut by cut.

The order of everything is decided by the model's clock; the engine is told at the times of the
model. It opens and closes the operation, publishes when a cut is due and keeps the progress curve.
What the night ended like is `results`; what people read of it, `report`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Engine as Database

from core.domain.catalog import Catalog
from core.domain.commands import CloseOperation, OpenOperation
from core.engine import Engine
from core.errors import UsageError
from core.publishing.due import Schedule
from core.storage.store import Store
from simulator.night.acta_images import ActaImages, WantedImages
from simulator.night.arrivals import plan_arrivals
from simulator.night.ballots import Content, seal, write_actas
from simulator.night.capture import CaptureCentre
from simulator.night.continuity import COORDINATOR, Incident
from simulator.night.faults import Faults
from simulator.night.feed import BATCH, Feed
from simulator.night.links import Link
from simulator.night.model import NightModel
from simulator.night.network import plan_links
from simulator.night.people import People, plan_people
from simulator.night.place_shifts import start_place_shifts
from simulator.night.processes import make_centres, start_processes
from simulator.night.pulses import PulseBuffer, PutPulses, start_pulses
from simulator.night.restart import PublishedCut, Recorded, published_headers, told_by_the_room
from simulator.night.transfers import Transfers
from simulator.scenario.base import MS_PER_MINUTE, ms_of
from simulator.scenario.document import Scenario
from simulator.scenario.file import LoadedScenario
from simulator.seeds import Seeds

if TYPE_CHECKING:
    from core.publication.cut import CutReport
    from simulator.live.night import LiveNight
    from simulator.night.showing import Showing

TICK_MS = 5 * MS_PER_MINUTE
"""Pace of the progress and of the curve between cuts."""


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
    model: NightModel
    capture: CaptureCentre
    feed: Feed
    faults: Faults
    transfers: Transfers
    cuts: list[CutReport] = field(default_factory=list)
    missed: list[MissedCut] = field(default_factory=list)
    curve: list[CurvePoint] = field(default_factory=list)

    @property
    def incidents(self) -> list[Incident]:
        """What went wrong so far, in order of start."""
        return self.faults.incidents


Publish: TypeAlias = Callable[[int, str, int | None], "CutReport"]
"""Publishes the cut of an instant: why the publisher is stopped when it is, and when the next is due.

Both in ms UTC; the last cut has no next. What does not go out is told as missed, with its notice.
"""

Watcher: TypeAlias = Callable[[int, int], None]
"""Told (ms since the start, actas registered) every few virtual minutes."""


def catalog_of_the_night(catalog: Catalog, scenario: Scenario) -> Catalog:
    """The catalogue with the local time of the scenario, which changes by law and season."""
    offset = scenario.calendar.utc_offset_minutes
    return replace(catalog, entidad=replace(catalog.entidad, utc_offset_minutes=offset))


def open_engine(store: Store, catalog: Catalog, mode: str, *, used: bool = False) -> Engine:
    """The engine of a database that has had no night yet; with `used`, of one whose night is continued.

    Raises UsageError when it had one, and OtherElectionError when it is of another election.
    """
    engine = Engine(store, catalog, mode)
    if engine.operation.opened and not used:
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
    done: Recorded | None = None,
    again: Callable[[Night], None] | None = None,
    live: LiveNight | None = None,
    pulses: bool = False,
    images: WantedImages | None = None,
    showing: Showing | None = None,
) -> Night:
    """Run the night through an engine from `open_engine`.

    Cuts are published into `folder`; none when it is None. The seed is any whole number from 0. A run
    that is continued gives in `done` what the database has, and `again` is told the night before it begins,
    to give it the instructions it had; with `live` it goes at the pace of the wall clock. The pulses of the
    CATDs are recorded when it is live or `pulses` is asked for; the pictures of actas, drawn where `images`
    says. `showing` is told of every cut; a live night has its own. Raises OtherRunError when the database is
    of another run.
    """
    done = done or Recorded()
    caught_up = None if live is None else partial(live.caught_up, loaded.scenario.calendar.start_ms)
    feed = Feed(engine, batch, done=done, caught_up=caught_up)
    buffer = PulseBuffer(database) if pulses and live is None else None
    put = live.put_pulses if live is not None else buffer.put if buffer is not None else None
    night = prepare(loaded, engine.catalog, seed, feed, live, put, images)
    if again is not None:
        again(night)
    publish = None
    if folder is not None:
        publish = _publisher(night, engine, database, folder, showing) if live is None else live.publish
    interrupted = True
    try:
        if live is not None:
            live.begin(night, database, folder)
        _open(night)
        _work_through(night, publish, done, folder, watcher)
        _close(night)
        if buffer is not None:
            buffer.flush()
        if night.model.images is not None:
            night.model.images.settle()
        interrupted = False
    finally:
        if night.model.images is not None:
            night.model.images.close()
        if live is not None:
            live.end(interrupted=interrupted)
    feed.check_all_seen()
    feed.set_apart(partial(told_by_the_room, database))
    return night


def _publisher(
    night: Night, engine: Engine, database: Database, folder: Path, showing: Showing | None
) -> Publish:
    # Building packages brings libraries that a night without cuts does not need.
    from core.publishing.assembly import publication
    from core.publishing.worker import signing_key
    from simulator.night.publication_faults import interference_of, spoiling_of

    key = None
    if engine.mode == "simulacro":
        key = signing_key(engine.catalog, engine.mode, rehearsal=rehearsal_of(night.loaded, night.seed))
    images = None if night.model.images is None else night.model.images.store
    spoiled = interference_of(spoiling_of(night.loaded.scenario, night.seed), engine.catalog, images)
    office = publication(engine, database, folder, key=key, images=images, interfere=spoiled)

    def publish(at: int, stopped: str, next_ms: int | None) -> CutReport:
        report = office.attempt(at, last=next_ms is None, stopped=stopped, next_ms=next_ms)
        if showing is not None:
            showing.reported(report, next_ms, stopped=stopped)
        return report

    return publish


def rehearsal_of(loaded: LoadedScenario, seed: int) -> str:
    """What tells the public log of a night from that of another: its scenario, as it is, and its seed."""
    return f"{loaded.scenario.name} {seed} {loaded.sha256[:8]}"


def prepare(
    loaded: LoadedScenario,
    catalog: Catalog,
    seed: int,
    feed: Feed,
    live: LiveNight | None,
    put_pulses: PutPulses | None = None,
    images: WantedImages | None = None,
) -> Night:
    """Everything of a night before its first ms: truth, arrivals, people, links; nothing begins yet.

    With `put_pulses` every CATD will send its pulse there; with `images` its actas are drawn as they go out.
    """
    scenario = loaded.scenario
    seeds = Seeds(seed)
    truth = write_actas(catalog, scenario.votes, scenario.inconsistencies, seeds)
    packages = plan_arrivals(catalog, scenario, seeds)
    people = plan_people(catalog, scenario, seeds)
    links, _ = plan_links(catalog, scenario, seeds)
    model = NightModel(scenario, loaded.sha256, catalog, seeds, truth, packages, people, feed)
    if live is not None:
        # Before anything of the model is made: processes and events keep the environment they are born in.
        model.env = live.env
    if images is not None:
        model.images = ActaImages(model, images)
    capture = CaptureCentre(model)
    centres = make_centres(model, links, capture)
    faults = Faults(model, links, centres, capture)
    transfers = Transfers(model, centres, capture)
    truth_sha256 = seal(catalog, truth)
    night = Night(
        loaded, seed, catalog, truth, truth_sha256, people, links, model, capture, feed, faults, transfers
    )
    faults.start()
    transfers.start()
    start_place_shifts(model, centres)
    start_processes(night, centres)
    if put_pulses is not None:
        start_pulses(model, centres, capture, put_pulses)
    return night


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
    first = ms_of(calendar.publication_min)
    if first >= calendar.length_ms:
        return [calendar.length_ms]
    return Schedule(first, calendar.length_ms, MS_PER_MINUTE * 60 // calendar.cuts_per_hour).slots


def _work_through(
    night: Night,
    publish: Publish | None,
    done: Recorded,
    folder: Path | None,
    watcher: Watcher | None,
) -> None:
    model, scenario = night.model, night.loaded.scenario
    due = cut_times(scenario)
    stops = sorted({*due, *range(TICK_MS, model.length_ms, TICK_MS)})
    following = dict(zip(due, [*due[1:], None], strict=True))
    for at in stops:
        if at > 0:
            model.env.run(until=at)
        night.curve.append(CurvePoint(at, model.registered, night.capture.backlog, model.waiting_in_links()))
        if at in following and publish is not None:
            assert folder is not None
            _cut(night, publish, done, folder, at, following[at])
        if watcher is not None:
            watcher(at, model.registered)
    night.feed.flush()


def _cut(
    night: Night, publish: Publish, done: Recorded, folder: Path, at: int, following: int | None
) -> None:
    model = night.model
    instant, stopped = model.start_ms + at, ""
    next_ms = None if following is None else model.start_ms + following
    for fault in night.loaded.scenario.publication_faults:
        begins = ms_of(fault.at_min)
        ends = ms_of(fault.at_min + fault.minutes)
        if fault.kind == "cortes_detenidos" and begins <= at < ends and next_ms is not None:
            stopped = stopped or fault.name
    found = done.cuts.get(instant)
    if found is not None and (found.refused is None or instant in done.missed):
        _note_cut(night, _report_of(found, folder))
    elif instant in done.missed:
        night.missed.append(MissedCut(instant, done.missed[instant]))
    else:
        if model.images is not None and not stopped:
            # Whoever publishes looks for them.
            model.images.settle()
        night.feed.in_order(lambda: _note_cut(night, publish(instant, stopped, next_ms)))


def _note_cut(night: Night, report: CutReport) -> None:
    if report.refused is not None:
        night.missed.append(MissedCut(report.at, report.refused))
    else:
        night.cuts.append(report)


def _report_of(found: PublishedCut, folder: Path) -> CutReport:
    """What is known of a cut that went out before the run was interrupted."""
    from core.publication.cut import CutReport

    if found.refused is not None:
        return CutReport(found.number, found.at, found.seq_high, found.last, None, {}, refused=found.refused)
    headers = published_headers(folder, found.number)
    directory = folder / "cortes" / f"{found.number:04d}"
    return CutReport(found.number, found.at, found.seq_high, found.last, directory, headers)
