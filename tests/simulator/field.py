"""The CATDs of a night with the real engine, to make things go wrong at a chosen millisecond.

Without packages nothing arrives unless the test brings it; with them the whole small night happens.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.domain.commands import Digitize, Medium, OpenOperation, Origin, Receive
from core.domain.events import Event, EventKind
from core.storage.database import open_database
from core.storage.reading import ledger_events, reading
from core.storage.store import Store
from simulator.night.arrivals import Package, plan_arrivals
from simulator.night.ballots import write_actas
from simulator.night.capture import CaptureCentre
from simulator.night.centre import DOCUMENT, Centre, Outgoing
from simulator.night.faults import Faults
from simulator.night.feed import Feed
from simulator.night.model import NightModel, Process
from simulator.night.network import plan_links
from simulator.night.people import plan_people
from simulator.night.run import catalog_of_the_night, open_engine
from simulator.scenario.base import MS_PER_MINUTE
from simulator.scenario.document import Scenario
from simulator.scenario.faults import Continuity, LinkFault, Measure, PowerFault
from simulator.scenario.file import load_scenario, open_scenario_catalog
from simulator.seeds import Seeds
from tests.simulator.conftest import DATA

MINUTE = MS_PER_MINUTE
MEASURES = (
    Measure(name="Reinicio", after_min=10, success=0.0, capacity=1.0, authorised_by="CATD"),
    Measure(
        name="Datos móviles", after_min=20, capacity=0.5, authorised_by="Coordinación",
        authorisation_min=4, activation_min=6,
    ),
)  # fmt: skip


def link_fault(kind: str = "sin_enlace", **values: Any) -> LinkFault:
    """A fault of the first CATD for ten minutes, exactly, without measures."""
    said: dict[str, Any] = {
        "kind": kind, "name": "Falla de prueba", "catds": (0,), "minutes": 10.0, "jitter": 0.0,
        "measures": False,
    }  # fmt: skip
    if "when" not in values:
        said["at_min"] = 0.0
    return LinkFault(**(said | values))


def power_fault(**values: Any) -> PowerFault:
    """A power cut of the first CATD for ten minutes, and five more until its equipment works."""
    said: dict[str, Any] = {"name": "Corte de luz", "catds": (0,), "minutes": 10.0, "restart_min": 5.0}
    if "when" not in values:
        said["at_min"] = 0.0
    return PowerFault(**(said | values))


def with_measures(scenario: Scenario) -> Scenario:
    """The same with two measures of which the second always works."""
    return scenario.model_copy(update={"continuity": Continuity(measures=MEASURES)})


class Field:
    """A night under the hands of a test: `run_until` minutes, `inject`, and look at what was recorded."""

    def __init__(
        self,
        folder: Path,
        change: Callable[[Scenario], Scenario] = lambda scenario: scenario,
        *,
        packages: bool = False,
        marking: bool = False,
        seed: int = 1,
    ) -> None:
        loaded = load_scenario(DATA / "perfecta.toml")
        scenario = change(loaded.scenario)
        self.catalog = catalog_of_the_night(open_scenario_catalog(loaded), scenario)
        self.store = Store(open_database(str(folder / f"campo-{id(self)}.db")))
        seeds = Seeds(seed)
        truth = write_actas(self.catalog, scenario.votes, scenario.inconsistencies, seeds)
        self.feed = Feed(open_engine(self.store, self.catalog, scenario.mode))
        people = plan_people(self.catalog, scenario, seeds)
        arriving = plan_arrivals(self.catalog, scenario, seeds) if packages else []
        self.model = NightModel(scenario, "0" * 64, self.catalog, seeds, truth, arriving, people, self.feed)
        self.links, _ = plan_links(self.catalog, scenario, seeds)
        self.capture = CaptureCentre(self.model)
        self.centres = [
            Centre(self.model, catd.id, self.links[catd.id], self.capture.digitized, marking)
            for catd in self.catalog.catds
        ]
        self.faults = Faults(self.model, self.links, self.centres, self.capture)
        model = self.model
        model.send(
            OpenOperation(
                key="apertura", actor="x", station="x", at=model.start_ms, starts_at=model.start_ms,
                ends_at=model.start_ms + model.length_ms,
            )
        )  # fmt: skip
        self.sent: set[int] = set()
        self.faults.start()
        model.env.process(self._arrive([one for one in arriving if one.at_catd_ms is not None]))

    def _arrive(self, packages: list[Package]) -> Process:
        env = self.model.env
        for package in sorted(packages, key=lambda one: (one.at_catd_ms or 0, one.casilla)):
            at = package.at_catd_ms or 0
            yield env.timeout(at - int(env.now))
            self.centres[package.catd].packages.put(package)

    def actas_of(self, catd: int) -> list[int]:
        """Actas of a CATD."""
        casillas = self.catalog.casillas
        return [entry.id for entry in self.catalog.actas if casillas[entry.casilla].catd == catd]

    def send_from(self, catd: int, work_ms: int, *, images: bool = False) -> int:
        """Something of that size goes out over the link of a CATD: an acta not sent before; its id."""
        model, centre = self.model, self.centres[catd]
        acta = next(one for one in self.actas_of(catd) if one not in self.sent)
        self.sent.add(acta)
        receive = Receive(
            key=f"envio-{acta}", actor="x", station=centre.station, at=model.now_utc, acta=acta,
            origin=Origin.CATD,
        )  # fmt: skip
        if not images:
            centre.outgoing.put(Outgoing(work_ms, (receive,)))
            return acta
        image = Digitize(
            key=f"imagen-{acta}", actor="x", station=centre.station, at=model.now_utc, acta=acta,
            image_hash=model.image(acta, "escaner"), medium=Medium.ESCANER, document=DOCUMENT,
        )  # fmt: skip
        centre.outgoing.put(Outgoing(work_ms, (receive, image), image_of=acta))
        return acta

    def run_until(self, at_ms: int) -> None:
        """The night goes on to that ms."""
        self.model.env.run(until=at_ms)

    def finish(self) -> None:
        """The night goes on to its end."""
        self.run_until(self.model.length_ms)

    def events(self, *kinds: EventKind) -> list[Event]:
        """What the engine recorded."""
        self.feed.flush()
        with reading(self.store.database) as connection:
            found = [event for _, event, _ in ledger_events(connection)]
        return [event for event in found if not kinds or event.kind in kinds]

    def ms(self, at_utc: int) -> int:
        """An instant of the engine in ms since the start."""
        return at_utc - self.model.start_ms

    def arrived(self, acta: int) -> list[int]:
        """When each record of an acta that comes out of the link did, ms since the start."""
        return [
            self.ms(event.recorded_at) for event in self.events(EventKind.ACTA_RECEIVED) if event.acta == acta
        ]

    def close(self) -> None:
        """Let the database go."""
        self.store.close()
        self.store.database.dispose()
