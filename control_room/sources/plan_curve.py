"""What the scenario says the night should look like: the curve, the rate and the pauses of the plan.

The plan is the mean of a few fast nights of the scenario with every fault and exercise removed: nobody
plans a failure. It is worked out once and kept in the room's folder, under a key of the scenario, the
catalogue and this format. It compares nothing: what is behind plan is for the alerts to say.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from control_room.files import read_json, write_atomic
from core.domain.catalog import Catalog
from simulator.fast.arrivals import Ground, plan_coming
from simulator.fast.compiled import kernels
from simulator.fast.draws import Draws
from simulator.fast.kernel import NEVER
from simulator.fast.replication import Outcome, Replicator
from simulator.scenario.base import MS_PER_MINUTE
from simulator.scenario.document import Scenario
from simulator.scenario.file import content_hash
from simulator.scenario.people import Shift

FORMAT = 1
SEEDS = (1, 2, 3, 4, 5)
FILE = "plan.json"
RATE_MIN = 15
"""Minutes over which a rate is told, of the night and of its plan alike."""
BIN_MIN = 5
"""Minutes of a step of the arrivals of a CATD."""
WINDOW_MS = 30 * MS_PER_MINUTE
"""How far to each side the gap of a CATD is looked at, when enough is planned there."""
LEAST_PACKAGES = 2.0
NONE_LEFT = 0.5
"""Packages still to come at a CATD below which nothing more is planned."""


@dataclass(frozen=True, slots=True)
class PlanCurve:
    """The plan of a night. Counts are means of nights, so they have decimals.

    `registered`, `digitized` and `received` have the actas up to each minute since `start_ms`, the close
    included. `packages` has, by CATD id, the packages received up to each step of `BIN_MIN` minutes.
    `people` are (ms UTC, capturistas on shift from then on). `notes` say, in Spanish, what the plan leaves
    out of the scenario.
    """

    key: str
    start_ms: int
    end_ms: int
    expected: int
    registered: tuple[float, ...]
    digitized: tuple[float, ...]
    received: tuple[float, ...]
    packages: tuple[tuple[float, ...], ...]
    people: tuple[tuple[int, int], ...]
    notes: tuple[str, ...] = ()

    def progress_at(self, ms: int) -> float:
        """Percent of the expected actas registered at a moment (ms UTC); that of the close after it."""
        return self.share(_at(self.registered, ms - self.start_ms, MS_PER_MINUTE))

    def rate_at(self, ms: int) -> float:
        """Actas registered a minute, over the `RATE_MIN` minutes before a moment; 0 outside the night."""
        now = ms - self.start_ms
        if not 0 < now <= self.end_ms - self.start_ms:
            return 0.0
        since = max(0, now - RATE_MIN * MS_PER_MINUTE)
        done = _at(self.registered, now, MS_PER_MINUTE) - _at(self.registered, since, MS_PER_MINUTE)
        return done * MS_PER_MINUTE / (now - since)

    def people_at(self, ms: int) -> int:
        """Capturistas on shift at a moment."""
        return next((people for since, people in reversed(self.people) if since <= ms), 0)

    def gap_ms(self, catd: int, ms: int) -> int | None:
        """Time the plan has between two packages of a CATD around a moment; None when no more will come.

        Packages and not actas: those of one casilla come together, and a CATD that receives one every ten
        minutes is silent for ten minutes. None too for a CATD the plan does not have.
        """
        if not 0 <= catd < len(self.packages):
            return None
        curve, length = self.packages[catd], self.end_ms - self.start_ms
        step = BIN_MIN * MS_PER_MINUTE
        now = min(max(0, ms - self.start_ms), length)
        if _at(curve, length, step) - _at(curve, now, step) < NONE_LEFT:
            return None
        reach = WINDOW_MS
        while True:
            low, high = max(0, now - reach), min(length, now + reach)
            planned = _at(curve, high, step) - _at(curve, low, step)
            if planned >= LEAST_PACKAGES or (low == 0 and high == length):
                return round((high - low) / planned)
            reach *= 2

    def share(self, actas: float) -> float:
        """Some actas as a percent of the expected."""
        return 100.0 * actas / self.expected if self.expected else 0.0


def plan_of(scenario: Scenario | None, catalog: Catalog, cache: Path | None = None) -> PlanCurve | None:
    """The plan of a scenario on the catalogue of the night; None without scenario.

    `cache` is the room's folder (or a `.json` file): a plan kept there for this very scenario and catalogue
    is taken as it is, and one just worked out is left there.
    """
    if scenario is None:
        return None
    clean, notes = _simplified(scenario.without_faults(), catalog)
    key = hashlib.sha256(
        f"{FORMAT}/{content_hash(clean)}/{catalog.fingerprint()}/{SEEDS}/{BIN_MIN}".encode()
    ).hexdigest()
    path = None if cache is None else cache if cache.suffix == ".json" else cache / FILE
    kept = None if path is None else _kept(path, key)
    if kept is not None:
        return kept
    plan = _work_out(clean, catalog, key, notes)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, orjson.dumps(_as_data(plan)))
    return plan


def _work_out(scenario: Scenario, catalog: Catalog, key: str, notes: Sequence[str]) -> PlanCurve:
    length = scenario.calendar.length_ms
    minutes = np.minimum(np.arange(-(-length // MS_PER_MINUTE) + 1) * MS_PER_MINUTE, length)
    replicator = Replicator(scenario, catalog)
    nights = [replicator.play(seed) for seed in SEEDS]
    ground = replicator.ground
    steps = np.arange(-(-length // (BIN_MIN * MS_PER_MINUTE)) + 1) * BIN_MIN * MS_PER_MINUTE
    packages = np.mean([_packages(ground, scenario, seed, steps) for seed in SEEDS], axis=0)
    return PlanCurve(
        key,
        scenario.calendar.start_ms,
        scenario.calendar.start_ms + length,
        len(catalog.actas),
        _mean([night.registered_ms for night in nights], minutes),
        _mean([night.digitized_ms for night in nights], minutes),
        _mean([_received(night) for night in nights], minutes),
        tuple(tuple(round(float(value), 3) for value in row) for row in packages),
        _people(scenario),
        tuple(notes),
    )


def _received(night: Outcome) -> Any:
    """When each acta was known to be there: received, or its image, whichever came first."""
    return np.minimum(night.arrived_ms, night.digitized_ms)


def _mean(nights: Sequence[Any], moments: Any) -> tuple[float, ...]:
    curves = [np.searchsorted(np.sort(times), moments, side="right") for times in nights]
    return tuple(round(float(value), 3) for value in np.mean(curves, axis=0))


def _packages(ground: Ground, scenario: Scenario, seed: int, steps: Any) -> Any:
    """Packages with some envelope received up to each step, a row per CATD."""
    coming = plan_coming(ground, scenario, Draws(seed, kernels(None)))
    places = np.unique(ground.casilla[coming.travels])
    places = places[coming.at_catd[places] < NEVER]
    counts = np.zeros((len(ground.catds), len(steps)))
    # What comes after the last step is not of the night.
    slot = np.searchsorted(steps, coming.at_catd[places], side="left")
    inside = slot < len(steps)
    np.add.at(counts, (ground.catd_of_casilla[places][inside], slot[inside]), 1)
    return np.cumsum(counts, axis=1)


def _people(scenario: Scenario) -> tuple[tuple[int, int], ...]:
    """When the number of capturistas changes, and to how many."""
    staff, start = scenario.staff, scenario.calendar.start_ms
    length_min = scenario.calendar.length_ms / MS_PER_MINUTE
    changes = {0.0, *(shift.from_min for shift in staff.capturistas)}
    changes |= {shift.until_min for shift in staff.capturistas}
    answer: list[tuple[int, int]] = []
    for at in sorted(one for one in changes if 0 <= one < length_min):
        people = staff.at_the_centre(at)
        if not answer or answer[-1][1] != people:
            answer.append((start + round(at * MS_PER_MINUTE), people))
    return tuple(answer)


def _simplified(scenario: Scenario, catalog: Catalog) -> tuple[Scenario, list[str]]:
    """The scenario with what the fast night cannot express put as near as it can, and what that was."""
    staff, notes = scenario.staff, []
    changes: dict[str, Any] = {}
    if staff.transfers or staff.capture_transfers:
        changes |= {"transfers": (), "capture_transfers": ()}
        notes.append("El plan no incluye los traslados de personas o de captura.")
    if staff.place_shifts:
        changes["place_shifts"] = ()
        notes.append("El plan no incluye los turnos adicionales por CATD.")
    if staff.capture_place != "estatal":
        sizes = [0] * len(catalog.catds)
        for entry in catalog.actas:
            sizes[catalog.casillas[entry.casilla].catd] += 1
        people = sum(staff.at_a_catd(size) for size in sizes if size)
        shift = Shift(people=people, until_min=math.ceil(scenario.calendar.length_ms / MS_PER_MINUTE))
        changes |= {"capture_place": "estatal", "capturistas": (shift,)}
        notes.append("El plan reúne en un solo grupo a los capturistas de todos los CATD.")
    if changes:
        scenario = scenario.model_copy(update={"staff": staff.model_copy(update=changes)})
    return scenario, notes


def _at(curve: Sequence[float], since_ms: int, step_ms: int) -> float:
    """A curve between its points; its ends outside them."""
    if since_ms <= 0 or not curve:
        return curve[0] if curve else 0.0
    whole, part = divmod(since_ms, step_ms)
    if whole + 1 >= len(curve):
        return curve[-1]
    return curve[whole] + (curve[whole + 1] - curve[whole]) * part / step_ms


def _as_data(plan: PlanCurve) -> dict[str, Any]:
    return {
        "formato": FORMAT,
        "llave": plan.key,
        "inicio_ms": plan.start_ms,
        "fin_ms": plan.end_ms,
        "esperadas": plan.expected,
        "registradas": plan.registered,
        "digitalizadas": plan.digitized,
        "acopiadas": plan.received,
        "paquetes_por_catd": plan.packages,
        "capturistas": plan.people,
        "notas": plan.notes,
    }


def _kept(path: Path, key: str) -> PlanCurve | None:
    """The plan left in a file for this key; None when it is of another or was spoilt."""
    data = read_json(path)
    if data is None or data.get("llave") != key:
        return None
    try:
        plan = PlanCurve(
            key,
            int(data["inicio_ms"]),
            int(data["fin_ms"]),
            int(data["esperadas"]),
            tuple(data["registradas"]),
            tuple(data["digitalizadas"]),
            tuple(data["acopiadas"]),
            tuple(tuple(row) for row in data["paquetes_por_catd"]),
            tuple((int(at), int(people)) for at, people in data["capturistas"]),
            tuple(data["notas"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
    curves = (plan.registered, plan.digitized, plan.received)
    sound = all(curve and all(a <= b for a, b in pairwise(curve)) for curve in curves)
    return plan if sound else None
