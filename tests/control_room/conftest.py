"""Nights shared by the tests of the room: played once, never changed (copy one to spoil it)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Engine as Database

from core.storage.database import open_database
from core.storage.store import Store
from simulator.night.run import catalog_of_the_night, open_engine, run_night
from simulator.scenario.file import LoadedScenario, load_scenario, open_scenario_catalog
from tests.simulator.conftest import DATA


class Watched(NamedTuple):
    """A small night with heartbeats and cuts: its folder, database and scenario; opening and end, ms UTC."""

    folder: Path
    database: Database
    loaded: LoadedScenario
    starts_ms: int
    ends_ms: int


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A hundred actas, links that fail, cuts and heartbeats, from the opening to the close."""
    folder = tmp_path_factory.mktemp("noche")
    loaded = load_scenario(DATA / "chica.toml")
    catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
    store = Store(open_database(str(folder / "prep.db")))
    run_night(
        loaded, open_engine(store, catalog, loaded.scenario.mode), 1, store.database, folder, pulses=True
    )
    start = loaded.scenario.calendar.start_ms
    yield Watched(
        folder, store.database, loaded, start, start + loaded.scenario.calendar.length_ms
    )  # fmt: skip
    store.close()
    store.database.dispose()
