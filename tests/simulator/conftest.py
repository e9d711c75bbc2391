"""Small nights on an invented catalogue: a hundred actas, every mechanism at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Engine as Database

from core.storage.database import open_database
from core.storage.store import Store
from simulator.night.results import Results, results_of
from simulator.night.run import Night, Watcher, catalog_of_the_night, open_engine, run_night
from simulator.output import state_fingerprint
from simulator.scenario.document import Scenario
from simulator.scenario.file import LoadedScenario, content_hash, load_scenario, open_scenario_catalog

DATA = Path(__file__).parent / "data"


class Ran(NamedTuple):
    """A night that ran, its database, its results and the fingerprint of its final state."""

    night: Night
    database: Database
    results: Results
    fingerprint: str


RunNight = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunNight]:
    """Runs a scenario: `run("chica", seed=1, base=URL, change=function, cuts=folder, batch=n)`."""
    opened: list[Store] = []

    def go(
        scenario: str | Path,
        seed: int = 1,
        *,
        base: str | None = None,
        change: Callable[[Scenario], Scenario] | None = None,
        cuts: Path | None = None,
        batch: int = 500,
        watcher: Watcher | None = None,
        pulses: bool = False,
    ) -> Ran:
        loaded = load_scenario(DATA / f"{scenario}.toml" if isinstance(scenario, str) else scenario)
        if change is not None:
            changed = change(loaded.scenario)
            loaded = LoadedScenario(loaded.path, changed, content_hash(changed))
        catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
        store = Store(open_database(base or str(tmp_path / f"noche-{len(opened)}.db")))
        opened.append(store)
        engine = open_engine(store, catalog, loaded.scenario.mode)
        night = run_night(
            loaded, engine, seed, store.database, cuts, batch=batch, watcher=watcher, pulses=pulses
        )
        return Ran(
            night, store.database, results_of(night, store.database), state_fingerprint(store.database)
        )

    yield go
    for store in opened:
        store.close()
        store.database.dispose()
