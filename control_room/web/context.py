"""What one web process of the room works with, put together once: databases, clock, users, snapshot.

For: the routes, the actions and the pages, which find it with `current_room()`. It opens things; it
decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine as Database
from sqlalchemy import event

from control_room import room_db
from control_room.config import RoomConfig, load_config
from control_room.night.continuity_plan import ContinuityPlan
from control_room.night.continuity_plan import read as read_plan
from control_room.sources.clock import NightClock, clock_for
from control_room.web import limits as access_limits
from control_room.web.commands import CommandDesk
from control_room.web.oidc import OidcConfig
from control_room.web.oidc import read as read_oidc
from control_room.web.once import Once
from control_room.web.sessions import AccessLog, Sessions
from control_room.web.snapshot_file import SnapshotFile
from control_room.web.users import SCRYPT, Users
from core.errors import UsageError
from core.storage.database import open_existing, parse_url
from core.storage.reading import read_catalog, read_meta

if TYPE_CHECKING:
    from core.domain.catalog import Catalog

READER_CACHE_KIB = 16_384
"""Pages kept by each reading connection: the room only asks for little things."""


@dataclass(frozen=True, slots=True)
class RoomOptions:
    """How `prep sala` was asked to start; it travels to the web process and to the writer."""

    base: str
    folder: Path
    host: str = "127.0.0.1"
    port: int = 8060
    config: Path | None = None
    scenario: Path | None = None
    run_folder: Path | None = None
    public: str | None = None
    behind_proxy: bool = False
    https: bool = False
    demo: bool = False

    @property
    def secure(self) -> bool:
        """Whether browsers reach the room over https."""
        return self.https or self.behind_proxy


@dataclass(slots=True)
class Room:
    """Everything a request may need."""

    options: RoomOptions
    config: RoomConfig
    folder: Path
    database: Database
    """For reading the ledger; the room's own commands go by `desk`."""
    catalog: Catalog
    mode: str
    clock: NightClock
    users: Users
    sessions: Sessions
    log: AccessLog
    room_database: Database
    snapshot: SnapshotFile
    desk: CommandDesk
    limits: access_limits.AccessLimits
    plan: ContinuityPlan
    oidc: OidcConfig | None
    real_ms: Callable[[], int]
    once: Once = field(default_factory=Once)
    """Actions that are no command of the engine, by the key of the browser."""
    shared: dict[str, Any] = field(default_factory=dict)
    """Things that pages keep for the whole process, by name."""

    @property
    def run_folder(self) -> Path | None:
        """Folder of the run the room looks at, where there is one."""
        return self.options.run_folder

    def close(self) -> None:
        """Finish what was accepted and let go of the databases."""
        self.desk.close()
        self.log.close()
        self.database.dispose()
        self.room_database.dispose()


def real_ms() -> int:
    """The machine's clock, ms UTC."""
    return time.time_ns() // 1_000_000


def folder_of(base: str, given: Path | None) -> Path:
    """The room's folder: the one given, or beside the SQLite file, or `salida/sala`."""
    if given is not None:
        return given
    url = parse_url(base)
    if url.get_backend_name() == "sqlite":
        return Path(url.database or "").absolute().parent / "sala"
    return Path("salida/sala")


def open_reader(base: str) -> Database:
    """The database of the night for reading, with small caches. Raises UsageError when it is not there."""
    database = open_existing(base)
    if database.dialect.name == "sqlite":

        @event.listens_for(database, "connect")
        def keep_little(connection: Any, _: Any) -> None:
            connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
            connection.execute("PRAGMA query_only = ON")

        database.dispose()
    return database


def open_night(base: str) -> tuple[Database, Catalog, str]:
    """The database, its catalogue and its mode. Raises UsageError or OtherElectionError."""
    database = open_reader(base)
    with database.connect() as connection:
        catalog = read_catalog(connection)
        mode = read_meta(connection).get("mode", "")
    if mode not in ("simulacro", "oficial"):
        raise UsageError("La base no dice si es de un simulacro o de una jornada oficial.")
    return database, catalog, mode


def _start_of(scenario: Path | None) -> int | None:
    """When a scenario begins, ms UTC."""
    if scenario is None:
        return None
    from simulator.scenario.file import load_scenario

    return load_scenario(scenario).scenario.calendar.start_ms


def open_room(options: RoomOptions, *, method: str = SCRYPT, now: Callable[[], int] = real_ms) -> Room:
    """Put a room together. `method` and `now` are for the tests: cheaper hashes, and a clock they move."""
    config = load_config(options.config)
    limits = access_limits.read(config.access, str(config.path))
    database, catalog, mode = open_night(options.base)
    clock = clock_for(mode, options.run_folder, database, start_ms=_start_of(options.scenario))
    own = room_db.open_room(options.folder)
    return Room(
        options=options,
        config=config,
        folder=options.folder,
        database=database,
        catalog=catalog,
        mode=mode,
        clock=clock,
        users=Users(own, limits, method),
        sessions=Sessions(own, limits),
        log=AccessLog(own, clock.now_ms, now),
        room_database=own,
        snapshot=SnapshotFile(options.folder),
        desk=CommandDesk(options.base, catalog, mode, clock.now_ms, own),
        limits=limits,
        plan=read_plan(config.measures),
        oidc=read_oidc(config.oidc, config.path),
        real_ms=now,
    )


def current_room() -> Room:
    """The room of the request."""
    from flask import current_app

    room: Room = current_app.extensions["sala"]
    return room
