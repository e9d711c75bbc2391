"""A night with people of the control room acting on its database while it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.commands import (
    AnyCommand,
    AttendIncident,
    AuthoriseMeasure,
    CloseIncident,
    NoteIncident,
    ProposeMeasure,
    ResolveIncident,
)
from core.domain.events import EventKind
from core.domain.incidents import IncidentState
from core.engine import Engine
from core.operations.check import check
from core.storage.database import open_existing
from core.storage.reading import ledger_events, reading
from core.storage.store import Store
from simulator.night.restart import recorded_in
from tests.conftest import Prep
from tests.simulator.conftest import RunNight
from tests.simulator.night.test_restart import SMALL, End, end_of, killed


class People:
    """Two persons who attend to whatever they find open, then say it is over."""

    def __init__(self, engine: Engine, prefix: str = "sala-") -> None:
        self.engine = engine
        self.prefix = prefix
        self.sent = 0
        self.solved: list[str] = []

    def act(self, at: int) -> None:
        """Solve the first incident that goes on."""
        self.engine.state(0)
        going_on = [key for key, found in self.engine.operation.incidents.items() if found.going_on]
        if going_on and not self.solved:
            self.solve(going_on[0], at)

    def solve(self, incident: str, at: int) -> None:
        """From attention to the closing, with a measure on the way."""
        self.solved.append(incident)
        base: dict[str, Any] = {"station": "sala", "at": at, "actor": "ana"}
        steps: tuple[tuple[Callable[..., AnyCommand], dict[str, Any]], ...] = (
            (AttendIncident, {"incident": incident}),
            (ProposeMeasure, {"activation": "m1", "incident": incident, "measure": "Planta"}),
            (AuthoriseMeasure, {"activation": "m1", "active_at": at, "actor": "beto"}),
            (ResolveIncident, {"incident": incident, "remedy": "reinicio"}),
            (CloseIncident, {"incident": incident, "cause": "fibra"}),
            (NoteIncident, {"incident": incident, "text": "listo"}),
        )
        for kind, values in steps:
            self.sent += 1
            command = kind(key=f"{self.prefix}{self.sent}", **{**base, **values})
            (answer,) = self.engine.execute([command], at)
            assert answer.accepted, answer


@pytest.mark.parametrize("prefix", ["sala-", "otra-"])
def test_what_the_room_did_first_is_no_fault_of_the_run(run: RunNight, tmp_path: Path, prefix: str) -> None:
    url = str(tmp_path / "sala.db")
    alone = run("chica", seed=4)
    people: list[People] = []

    def watch(at_ms: int, _: int) -> None:
        if not people:
            store = Store(open_existing(url))
            people.append(People(Engine(store, store.load_catalog(), "simulacro"), prefix))
        people[0].act(alone.night.model.start_ms + at_ms)

    acted = run("chica", seed=4, base=url, watcher=watch)
    store = people[0].engine._store
    store.close()
    store.database.dispose()
    assert people[0].solved
    assert acted.fingerprint == alone.fingerprint
    assert check(acted.database).correct
    feed = acted.night.feed
    if prefix == "sala-":
        assert feed.overtaken.total() >= 1
        assert feed.refusals == alone.night.feed.refusals
        # Each refused command would have been one event.
        assert feed.events.total() + feed.overtaken.total() == alone.night.feed.events.total()
    else:
        # Somebody who is not the room: what the run was refused is told as a fault.
        assert feed.refusals["INCIDENTE_NO_PERMITE"] >= 1
        assert not feed.overtaken


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> End:
    folder = tmp_path_factory.mktemp("entera") / "s"
    subprocess.run(
        [Path(sys.executable).parent / "prep", "simular", SMALL, "--salida", folder, "--semilla", "4"],
        check=True, capture_output=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return end_of(folder)


def test_a_run_the_room_acted_on_is_continued_and_ends_well(
    prep: Prep, tmp_path: Path, uninterrupted: End
) -> None:
    run = ("simular", SMALL, "--salida", "s", "--semilla", "4", "--latidos")
    killed(tmp_path, "corte_hecho", 5, *run)
    url = str(tmp_path / "s" / "prep.db")
    database = open_existing(url)
    before = recorded_in(database)
    store = Store(database)
    people = People(Engine(store, store.load_catalog(), "simulacro"))
    people.act(before.until_ms + 60_000)
    assert people.solved
    # The room writes on while the run is down: that is not how far the run got.
    after = recorded_in(database)
    assert after == before
    store.close()
    database.dispose()
    done = prep(*run, "--continuar", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert (answer["huella"], answer["rechazos"]) == (uninterrupted.fingerprint, {})
    database = open_existing(url)
    assert check(database).correct
    store = Store(database)
    engine = Engine(store, store.load_catalog(), "simulacro")
    assert engine.operation.incidents[people.solved[0]].state is IncidentState.CLOSED
    store.close()
    with reading(database) as connection:
        told = {event.kind for _, event, _ in ledger_events(connection)}
    assert {EventKind.MEASURE_AUTHORISED, EventKind.MEASURE_APPLIED} <= told
    database.dispose()
    summary = json.loads((tmp_path / "s" / "resumen.json").read_text(encoding="utf-8"))
    assert summary["rechazos_por_la_sala"]["INCIDENTE_NO_PERMITE"] >= 1
    # And to continue what has ended changes nothing.
    again = prep(*run, "--continuar", "--json")
    assert (again.returncode, json.loads(again.stdout)["huella"]) == (0, uninterrupted.fingerprint)
