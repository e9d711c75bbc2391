"""`alertas`: how long each alert takes, on nights run for it, and the table of docs/alertas.md with it.

Times are of the night, not of the machine: the same code gives the same figures anywhere. `python -m
benchmarks.alerts` runs the nights and writes the table; `python -m benchmarks alertas` only measures.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as Database

from benchmarks.context import Context
from benchmarks.figures import Figure
from control_room.alerts.book import AlertBook, CatdPlace
from control_room.alerts.detection import (
    NIGHT_STEP_MS,
    ROOM_STEP_MS,
    Measured,
    altered,
    measure,
    pictures,
    places_of,
    transitions,
)
from control_room.alerts.document import DOCUMENT, put, table
from control_room.alerts.rules import RULE
from control_room.alerts.thresholds import default_thresholds
from control_room.alerts.trials import GROUND, LONGEST_S, NIGHTS, QUIET, TRIALS, WINDOW_MIN
from control_room.night.facts import CanaryFacts, Facts
from control_room.sources.canary import Canary
from control_room.sources.plan_curve import PlanCurve, plan_of
from core.errors import PrepError
from core.storage.database import open_database
from core.storage.reading import read_catalog, reading
from core.storage.store import Store
from simulator.night.run import catalog_of_the_night, open_engine, run_night
from simulator.scenario.file import load_scenario, open_scenario_catalog

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
BASE = SCENARIOS / "jalisco-2021" / "simulacro-5.toml"
SEED = 2021
QUICK_MIN = 242


@dataclass
class Nights:
    """The nights of the trials, run once each into a folder; with `quick`, cut short and without cuts."""

    folder: Path
    quick: bool = False

    def __post_init__(self) -> None:
        self._databases: dict[str, Database] = {}
        self._plan: PlanCurve | None = None

    def database(self, name: str) -> Database:
        """The database of a night, with its cuts beside it."""
        if name not in self._databases:
            self._databases[name] = self._run(name)
        return self._databases[name]

    def plan(self) -> PlanCurve | None:
        """What was planned: the night with nothing that fails."""
        if self._plan is None:
            ground = load_scenario(BASE, _files(GROUND))
            self._plan = plan_of(ground.scenario, open_scenario_catalog(ground))
        return self._plan

    def cuts(self, name: str) -> Path:
        """Where a night published."""
        return self.folder / name

    def _run(self, name: str) -> Database:
        loaded = load_scenario(BASE, _files((*GROUND, *NIGHTS[name])))
        if self.quick:
            calendar = loaded.scenario.calendar
            short = calendar.model_copy(update={"end": calendar.start + timedelta(minutes=QUICK_MIN)})
            loaded = replace(loaded, scenario=loaded.scenario.model_copy(update={"calendar": short}))
        catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
        folder = self.cuts(name)
        folder.mkdir(parents=True)
        store = Store(open_database(str(folder / "prep.db")))
        engine = open_engine(store, catalog, loaded.scenario.mode)
        run_night(loaded, engine, SEED, store.database, None if self.quick else folder, pulses=True)
        store.close()
        return store.database


def _files(names: Sequence[str]) -> list[Path]:
    return [SCENARIOS / "alertas" / f"{name}.toml" for name in names]


def measured(nights: Nights) -> list[Measured]:
    """Every trial, in order; in a quick run only those put over the facts of the quiet night."""
    whole: dict[str, list[dict[str, Any]]] = {}
    for name in () if nights.quick else NIGHTS:
        whole[name] = transitions(pictures(nights.database(name), nights.plan()), _places(nights, name))
    minute = min(trial.minute for trial in TRIALS if trial.change is not None)
    window = list(
        pictures(
            nights.database(QUIET), nights.plan(), step_ms=ROOM_STEP_MS,
            from_min=minute - 1, until_min=minute + WINDOW_MIN,
        )
    )  # fmt: skip
    places, found = _places(nights, QUIET), []
    for trial in TRIALS:
        if trial.change is None or trial.calm is None:
            if nights.quick:
                continue
            fault, calm = whole[trial.night], whole[QUIET]
        else:
            fault = transitions(altered(window, trial.change, trial.minute), places)
            calm = transitions(altered(window, trial.calm, trial.minute), places)
        found.append(measure(trial, fault, calm, window[0].starts_ms))
    return found


def quiet_alerts(nights: Nights) -> dict[str, int]:
    """How many times each rule spoke in the whole quiet night."""
    told = transitions(pictures(nights.database(QUIET), nights.plan()), _places(nights, QUIET))
    return {code: sum(one["regla"] == code and one["que"] == "activa" for one in told) for code in RULE}


def _places(nights: Nights, name: str) -> dict[int, CatdPlace]:
    with reading(nights.database(name)) as connection:
        return places_of(read_catalog(connection))


@dataclass(frozen=True, slots=True)
class Tampered:
    """What the canary and A08 said of a publication as it went out, and with one count changed in it."""

    clean: str
    changed: str
    alerts_clean: int
    told_turns: int | None


def tampered(nights: Nights, folder: Path) -> Tampered:
    """Publish the last cut of the quiet night apart, change a count of it, and see what is said."""
    public = folder / "publico"
    shutil.copytree((nights.cuts(QUIET) / "ultimo").resolve(), public)
    database = nights.database(QUIET)
    last = list(pictures(database, nights.plan(), step_ms=NIGHT_STEP_MS, from_min=488))[-1]
    book = AlertBook(default_thresholds(), _places(nights, QUIET))
    canary = Canary(public, database)
    before = canary.check(last.now_ms, 0)
    clean = sum(len(_a08(book, last, before, turn)) for turn in range(5))
    index = json.loads((public / "indice.json").read_text(encoding="utf-8"))
    _change_a_count(index)
    (public / "indice.json").write_text(json.dumps(index), encoding="utf-8")
    after = canary.check(last.now_ms, 0)
    told = next((turn + 1 for turn in range(5) if _a08(book, last, after, 5 + turn)), None)
    return Tampered(before.state.value, after.state.value, clean, told)


def _a08(book: AlertBook, last: Facts, canary: CanaryFacts, turn: int) -> list[dict[str, Any]]:
    seen = replace(last, now_ms=last.now_ms + turn * ROOM_STEP_MS, canary=canary)
    return [one for one in book.step(seen, {}, ()).alerts if one["regla"] == "A08"]


def _change_a_count(node: Any) -> bool:
    """One more in the first count of actas that is found."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "ACTAS_CONTABILIZADAS":
                node[key] = type(value)(int(value) + 1)
                return True
            if _change_a_count(value):
                return True
    return isinstance(node, list) and any(_change_a_count(one) for one in node)


COLUMNS = ("regla", "qué falla", "cómo", "se dice a los", "es P1 a los", "no debe decirse", "falsas")


def rows(found: Sequence[Measured], fake: Tampered) -> list[list[str]]:
    """The table of the document."""
    lines = [
        [
            one.trial.rule,
            one.trial.fault,
            "noche simulada" if one.trial.change is None else "sobre los hechos de la noche tranquila",
            "no se dijo" if one.told_s is None else f"{_length(one.told_s)} (P{one.priority})",
            "—" if one.first_s is None else _length(one.first_s),
            one.trial.not_fault,
            str(one.false_alarms),
        ]
        for one in found
    ]
    turns = "no se dijo" if fake.told_turns is None else f"{fake.told_turns} turno de la revisión (P1)"
    lines.append(
        [
            "A08", "una cuenta cambiada en el índice público", "publicación real y canario", turns,
            "a la vez",
            "lo publicado como salió", str(fake.alerts_clean),
        ]
    )  # fmt: skip
    return sorted(lines, key=lambda line: line[0])


def _length(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60} s"


def alertas(context: Context) -> list[Figure]:
    """Seconds of the night until each alert is told, and false alarms where it must be quiet."""
    calibration = context.calibrate()
    with tempfile.TemporaryDirectory(dir=context.folder) as place:
        nights = Nights(Path(place), context.quick)
        context.note("alertas: tres noches de simulacro-5 con lo de scenarios/alertas")
        found = measured(nights)
        fake = None if context.quick else tampered(nights, Path(place))
    figures = [
        Figure(
            "alertas", f"{one.trial.rule}, {one.trial.fault}: tiempo en decirlo",
            float("inf") if one.told_s is None else one.told_s, calibration, LONGEST_S[one.trial.rule],
            unit="s", note=f"falsas alarmas con «{one.trial.not_fault}»: {one.false_alarms}",
        )
        for one in found
    ]  # fmt: skip
    if fake is not None:
        turns = float("inf") if fake.told_turns is None else float(fake.told_turns)
        figures.append(
            Figure(
                "alertas", "A08, una cuenta cambiada en lo público: turnos tras la revisión", turns,
                calibration, 1.0, unit="turnos", note=f"canario: {fake.clean} y después {fake.changed}",
            )
        )  # fmt: skip
    wrong = sum(one.false_alarms for one in found) + (0 if fake is None else fake.alerts_clean)
    figures.append(
        Figure("alertas", "falsas alarmas de todas las pruebas", wrong, calibration, 0.0, exact=True)
    )
    return figures


def main() -> int:
    """Run the nights and write the table of docs/alertas.md."""
    with tempfile.TemporaryDirectory() as place:
        nights = Nights(Path(place))
        found, quiet = measured(nights), quiet_alerts(nights)
        fake = tampered(nights, Path(place))
    said = ", ".join(f"{code} {count}" for code, count in quiet.items() if count) or "ninguna"
    text = table(COLUMNS, rows(found, fake))
    document = put(DOCUMENT.read_text(encoding="utf-8"), "deteccion", text)
    document = put(document, "tranquila", f"En toda la noche tranquila se levantaron: {said}.")
    DOCUMENT.write_text(document, encoding="utf-8")
    print(text)
    print(said)
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except PrepError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
