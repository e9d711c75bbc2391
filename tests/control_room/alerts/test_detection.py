"""Each alert is fired by its fault and by nothing like it: small real nights, a real portal, and facts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from control_room.alerts.detection import (
    ROOM_STEP_MS,
    Measured,
    Trial,
    altered,
    measure,
    pictures,
    places_of,
    transitions,
)
from control_room.alerts.document import DOCUMENT
from control_room.alerts.rules import RULE
from control_room.alerts.trials import BUSY_CATD, GROUND, LONGEST_S, NIGHTS, QUIET, TRIALS
from control_room.night.facts import Facts
from control_room.sources.probe import Probe
from core.storage.database import open_database
from core.storage.reading import read_catalog, reading
from core.storage.store import Store
from simulator.night.run import catalog_of_the_night, open_engine, run_night
from simulator.scenario.file import load_scenario, open_scenario_catalog
from tests.control_room.alerts.picture import CATDS, MINUTE, SECOND, START, book, facts, ids

REPOSITORY = Path(__file__).resolve().parents[3]
FOLDER = REPOSITORY / "scenarios" / "alertas"
BASE = REPOSITORY / "scenarios" / "jalisco-2021" / "simulacro-5.toml"
SMALL = REPOSITORY / "tests" / "simulator" / "data" / "chica.toml"

FAULT = """
[[falla_enlace]]
tipo = "sin_enlace"
nombre = "prueba"
catd = [0]
a_los_min = 60
dura_min = {minutes}
variacion = 0.0
medidas = false
"""


def small_night(folder: Path, overlay: str) -> tuple[list[Facts], dict[int, Any]]:
    """The facts of each ten seconds of the small night with something laid over it."""
    (folder / "encima.toml").write_text(overlay, encoding="utf-8")
    loaded = load_scenario(SMALL, [FOLDER / "sin-fallas.toml", folder / "encima.toml"])
    catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
    store = Store(open_database(str(folder / "noche.db")))
    engine = open_engine(store, catalog, loaded.scenario.mode)
    run_night(loaded, engine, 1, store.database, None, pulses=True)
    with reading(store.database) as connection:
        places = places_of(read_catalog(connection))
    seen = list(pictures(store.database, None))
    store.close()
    store.database.dispose()
    return seen, places


def signal_of(told: list[dict[str, Any]], start_ms: int) -> list[tuple[str, int, float]]:
    return [
        (one["que"], one["prioridad"], (one["ms"] - start_ms) / MINUTE)
        for one in told
        if one["regla"] == "A01"
    ]


def test_a_catd_that_loses_its_link_is_told_in_four_minutes_and_is_over_when_it_returns(
    tmp_path: Path,
) -> None:
    seen, places = small_night(tmp_path, FAULT.format(minutes=20))
    told = signal_of(transitions(seen, places), seen[0].starts_ms)
    assert [(what, priority) for what, priority, _ in told] == [
        ("activa", 3), ("sube", 2), ("sube", 1), ("despejada", 1),
    ]  # fmt: skip
    at = [minute for *_, minute in told]
    assert 62 < at[0] <= 64 and 64 < at[1] <= 66 and 69 < at[2] <= 71
    assert 80 < at[3] <= 83


def test_a_link_that_blinks_is_not_told(tmp_path: Path) -> None:
    seen, places = small_night(tmp_path, FAULT.format(minutes=2))
    assert any(
        row.pulses_in_a_row == 1
        for one in seen
        for row in one.catds
        if row.id == 0 and one.now_ms > START * 0
    )
    assert signal_of(transitions(seen, places), seen[0].starts_ms) == []


class Portal(BaseHTTPRequestHandler):
    """A portal that takes as long as its server says, and fails when it is told to."""

    def do_GET(self) -> None:
        server = self.server
        time.sleep(getattr(server, "wait_s", 0.0))
        self.send_response(getattr(server, "status", 200))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the screen."""


@pytest.fixture
def portal() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("wait_s", "status", "expected"),
    [(0.0, 200, []), (0.25, 200, ["A10:plataforma"]), (0.0, 503, ["A10:plataforma"])],
    ids=["normal", "lento", "con errores"],
)
def test_a_real_portal_that_is_slow_or_fails_is_told(
    portal: ThreadingHTTPServer, wait_s: float, status: int, expected: list[str]
) -> None:
    portal.wait_s, portal.status = wait_s, status  # type: ignore[attr-defined]
    probe = Probe(f"http://127.0.0.1:{portal.server_port}/", every_s=0.02, window_s=5, timeout_s=5)
    try:
        deadline = time.monotonic() + 20
        while (found := probe.facts()) is None and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        probe.close()
    assert found is not None
    alerts = book(A10={"p95_ms": 200})
    for _ in range(2):
        view = alerts.step(facts(portal=found), {}, ())
    assert ids(view) == expected


OVER_FACTS = [trial for trial in TRIALS if trial.change is not None and trial.rule != "A09"]


@pytest.mark.parametrize("trial", OVER_FACTS, ids=lambda trial: trial.rule)
def test_what_is_put_over_the_facts_is_told_in_time_and_what_resembles_it_is_not(trial: Trial) -> None:
    steps = range(0, 600 * SECOND, ROOM_STEP_MS)
    seen = [facts(199 + ms / MINUTE) for ms in steps]
    assert trial.change is not None and trial.calm is not None
    fault = transitions(altered(seen, trial.change, trial.minute), CATDS)
    calm = transitions(altered(seen, trial.calm, trial.minute), CATDS)
    found = measure(trial, fault, calm, START)
    assert found.told_s is not None and found.told_s <= LONGEST_S[trial.rule]
    assert found.false_alarms == 0


def test_inconsistencies_put_over_the_facts_begin_at_the_fault() -> None:
    (trial,) = (trial for trial in TRIALS if trial.rule == "A09")
    assert trial.change is not None

    def picture(minute: int, reviewed: int) -> Facts:
        one = facts(minute)
        rows = tuple(
            replace(row, id=BUSY_CATD, reviewed=reviewed, inconsistent=3) if row.id == 0 else row
            for row in one.catds
        )
        return replace(one, catds=rows)

    seen = [picture(minute, minute) for minute in range(199, 221)]
    counts = [one.catds[0].inconsistent for one in altered(seen, trial.change, trial.minute)]
    assert counts == [3] * 5 + [4] * 4 + [5] * 4 + [6] * 4 + [7] * 4 + [8]


def test_the_time_is_from_the_fault_and_only_of_what_it_is_about() -> None:
    trial = Trial("A01", "", "", QUIET, 10, catd=7)

    def told(second: int, what: str, priority: int, catd: int, rule: str = "A01") -> dict[str, Any]:
        return {
            "regla": rule,
            "que": what,
            "prioridad": priority,
            "catds": [catd],
            "ms": START + second * SECOND,
        }

    log = [
        told(500, "activa", 3, 7),
        told(610, "activa", 2, 8),
        told(620, "activa", 3, 7, "A02"),
        told(700, "activa", 3, 7),
        told(900, "sube", 1, 7),
    ]
    assert measure(trial, log, log[1:3], START) == Measured(trial, 100.0, 3, 300.0, 0)
    assert measure(trial, [], log, START) == Measured(trial, None, None, None, 2)


def test_every_rule_has_its_trial_and_every_overlay_its_night() -> None:
    assert {trial.rule for trial in TRIALS} == set(LONGEST_S) == set(RULE) - {"A08", "A15"}
    used = {*GROUND, *(name for names in NIGHTS.values() for name in names)}
    assert used == {path.stem for path in FOLDER.glob("*.toml")}


@pytest.mark.parametrize("name", NIGHTS)
def test_the_overlays_of_a_night_are_laid_one_over_the_other(name: str) -> None:
    loaded = load_scenario(BASE, [FOLDER / f"{one}.toml" for one in (*GROUND, *NIGHTS[name])])
    assert loaded.scenario.name == "simulacro-5"
    assert not loaded.scenario.continuity.exercises


def test_the_document_has_the_time_of_every_trial() -> None:
    section = DOCUMENT.read_text(encoding="utf-8").split("\n## Tiempo en darse cuenta\n", 1)[1]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line[:3] == "| A"
    ]
    assert {(row[0], row[1], row[5]) for row in rows if row[0] != "A08"} == {
        (trial.rule, trial.fault, trial.not_fault) for trial in TRIALS
    }
    assert all(row[3] != "no se dijo" and row[6] == "0" for row in rows)
