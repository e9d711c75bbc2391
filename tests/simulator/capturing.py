"""A capture centre alone with the real engine: actas come already digitized, one every so often."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

from core.domain.commands import Digitize, Medium, OpenOperation, Origin, Receive
from core.domain.events import Event, EventKind
from core.storage.database import open_database
from core.storage.reading import ledger_events, reading
from core.storage.store import Store
from simulator.night.ballots import write_actas
from simulator.night.capture import CaptureCentre
from simulator.night.centre import DOCUMENT
from simulator.night.feed import Feed
from simulator.night.model import NightModel, Process
from simulator.night.people import plan_people
from simulator.night.run import catalog_of_the_night, open_engine
from simulator.scenario.base import MS_PER_MINUTE
from simulator.scenario.document import Scenario
from simulator.scenario.file import load_scenario, open_scenario_catalog
from simulator.scenario.people import Staff
from simulator.seeds import Seeds
from tests.simulator.conftest import DATA

MINUTE = MS_PER_MINUTE
_NUMBERS = count()


class Room:
    """The centre, its model and its database. `every_ms` between one acta and the next."""

    def __init__(
        self,
        folder: Path,
        change: Callable[[Scenario], Scenario] = lambda scenario: scenario,
        *,
        seed: int = 1,
        every_ms: int = 20_000,
    ) -> None:
        loaded = load_scenario(DATA / "chica.toml")
        scenario = change(loaded.scenario)
        catalog = catalog_of_the_night(open_scenario_catalog(loaded), scenario)
        self.store = Store(open_database(str(folder / f"sala-{next(_NUMBERS)}.db")))
        seeds = Seeds(seed)
        truth = write_actas(catalog, scenario.votes, scenario.inconsistencies, seeds)
        self.feed = Feed(open_engine(self.store, catalog, scenario.mode))
        people = plan_people(catalog, scenario, seeds)
        self.model = NightModel(scenario, "0" * 64, catalog, seeds, truth, [], people, self.feed)
        self.capture = CaptureCentre(self.model)
        self.every_ms = every_ms
        model = self.model
        model.env.process(self._arrive())
        model.send(
            OpenOperation(
                key="apertura", actor="x", station="x", at=model.start_ms, starts_at=model.start_ms,
                ends_at=model.start_ms + model.length_ms,
            )
        )  # fmt: skip

    def _arrive(self) -> Process:
        for entry in self.model.catalog.actas:
            yield self.model.env.timeout(self.every_ms)
            self.receive(entry.id)
            self.digitize(entry.id)

    def receive(self, acta: int) -> None:
        """The acta is received by phone."""
        model = self.model
        model.send(
            Receive(
                key=f"r-{acta}", actor="cae", station="cae", at=model.now_utc, acta=acta,
                origin=Origin.CASILLA,
            )
        )  # fmt: skip

    def digitize(self, acta: int) -> None:
        """The state centre has its image."""
        model = self.model
        model.send(
            Digitize(
                key=f"d-{acta}", actor="cae", station="cae", at=model.now_utc, acta=acta,
                image_hash=model.image(acta, "movil"), medium=Medium.MOVIL, document=DOCUMENT,
            )
        )  # fmt: skip
        model.has_image[acta] = True
        self.capture.digitized(acta)

    def at(self, minute: float, what: Callable[[], object]) -> None:
        """Do something at a minute."""

        def happen() -> Process:
            yield self.model.env.timeout(round(minute * MINUTE))
            what()

        self.model.env.process(happen())

    def run(self) -> list[Event]:
        """Play the night; every event of the ledger, after checking that the engine refused nothing."""
        self.model.env.run(until=self.model.length_ms)
        self.feed.flush()
        assert self.feed.refusals == {}
        with reading(self.store.database) as connection:
            events = [event for _, event, _ in ledger_events(connection)]
        self.store.close()
        self.store.database.dispose()
        return events

    def minute(self, event: Event) -> float:
        """When it happened, in minutes since the start."""
        return (event.at - self.model.start_ms) / MINUTE


def captures(events: list[Event]) -> list[Event]:
    """The captures among the events."""
    return [event for event in events if event.kind is EventKind.ACTA_CAPTURED]


def staffed(scenario: Scenario, **changes: object) -> Scenario:
    """The scenario with other `Staff` fields, checked as when it is read."""
    body = scenario.staff.model_dump(by_alias=False) | changes
    return scenario.model_copy(update={"staff": Staff.model_validate(body)})
