"""The small night as the experiments play it: no engine, no database."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.fast.replication import Replicator
from simulator.night.run import catalog_of_the_night
from simulator.scenario.document import Scenario
from simulator.scenario.file import load_scenario, open_scenario_catalog
from tests.simulator.conftest import DATA

Make = Callable[..., Replicator]


@pytest.fixture
def small() -> Make:
    """`small(change)`: a replicator of chica.toml with its scenario changed by a function."""

    def make(change: Callable[[Scenario], Scenario] = lambda scenario: scenario) -> Replicator:
        loaded = load_scenario(DATA / "chica.toml")
        catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
        return Replicator(change(loaded.scenario), catalog)

    return make
