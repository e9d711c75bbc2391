"""Small nights on disk for the tests of the room: played by the simulator, spoilt by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import Engine as Database
from sqlalchemy import text

from core.storage.database import open_database, open_existing
from core.storage.store import Store
from simulator.night.run import catalog_of_the_night, open_engine, run_night
from simulator.scenario.file import LoadedScenario, load_scenario, open_scenario_catalog
from tests.simulator.conftest import DATA

CHICA = DATA / "chica.toml"
MINUTE = 60_000


def load(path: Path = CHICA) -> LoadedScenario:
    """The scenario of a hundred actas."""
    return load_scenario(path)


def play(folder: Path, seed: int = 1, *, base: str | None = None, cuts: bool = True) -> Path:
    """Play a night into a folder, as `prep simular` leaves it: prep.db, cortes, objetos, ultimo."""
    folder.mkdir(parents=True, exist_ok=True)
    loaded = load()
    catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
    store = Store(open_database(base or str(folder / "prep.db")))
    engine = open_engine(store, catalog, loaded.scenario.mode)
    run_night(loaded, engine, seed, store.database, folder if cuts else None)
    store.close()
    store.database.dispose()
    return folder


def copy(folder: Path, to: Path) -> Path:
    """A night of one's own to spoil."""
    shutil.copytree(folder, to, symlinks=True)
    return to


def database(folder: Path) -> Database:
    """The database of a night."""
    return open_existing(str(folder / "prep.db"))


def write_behind_the_engine(folder: Path, statement: str, **values: object) -> None:
    """Change the ledger as somebody with the file in his hands would: past its triggers."""
    opened = database(folder)
    with opened.begin() as connection:
        triggers = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        ).all()
        for name, _ in triggers:
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        connection.execute(text(statement), values)
        for _, body in triggers:
            connection.exec_driver_sql(body)
    opened.dispose()


def stop_at(folder: Path, ms: int) -> None:
    """The night as it was at a moment: nothing recorded later is there."""
    write_behind_the_engine(folder, "DELETE FROM ledger WHERE recorded_at > :ms", ms=ms)
