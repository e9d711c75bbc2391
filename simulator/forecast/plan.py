"""What the scenario of a rehearsal adds to its forecast: planned arrivals and planned capacity.

The arrivals of the plan are drawn with the simulator's own `plan_arrivals` under seeds that are not those
of the night, stretched in time by what has been seen, and conditioned on what has not arrived. It knows
the plan of people and nothing of the faults the scenario holds: nobody knows those beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np

from core.errors import UsageError
from simulator.forecast.model import Floats, Ints, generator
from simulator.forecast.state import NightState
from simulator.night.arrivals import plan_arrivals
from simulator.scenario.base import MS_PER_HOUR, MS_PER_MINUTE, Service
from simulator.scenario.document import Scenario
from simulator.seeds import Seeds

SAMPLES = 8
"""Nights of the plan that are drawn; each replica mixes them acta by acta."""
STRETCH_SD = 0.2
STRETCHES = 41
"""The night may go slower or faster than its plan: prior of the logarithm, and points it is looked at."""
OVERDUE_MS = 45 * MS_PER_MINUTE
"""Mean delay from now of an acta that by every sample of the plan should have come already."""
CAPACITY_SD = 0.3
"""Spread of the logarithm of the planned capacity: people tire, rest and dispute."""


@dataclass(frozen=True)
class Plan:
    """`times` has one row per sample and one column per acta: ms since the start, inf when it never comes.
    `stretches` and `weights` are the posterior of how much slower than planned the night goes."""

    times: Floats
    stretches: Floats
    weights: Floats
    per_hour: float
    scenario: Scenario

    def people(self, since_start_ms: float) -> int:
        """Capturistas planned at a moment; 0 when each CATD has its own, all night."""
        staff = self.scenario.staff
        return staff.at_the_centre(since_start_ms / MS_PER_MINUTE) if staff.capture_place == "estatal" else 0

    def stretch(self, rng: np.random.Generator) -> float:
        """One draw of how much slower the night goes."""
        return float(rng.choice(self.stretches, p=self.weights))

    def draw(self, pending: Ints, anchor: Floats, rng: np.random.Generator) -> Floats:
        """When each pending acta arrives (ms since the start), knowing it had not at `anchor`."""
        scaled = self.times[:, pending] * self.stretch(rng)
        keys = np.where(scaled > anchor, rng.random(scaled.shape), -1.0)
        chosen = keys.argmax(axis=0)
        columns = np.arange(len(pending))
        late = anchor + rng.exponential(OVERDUE_MS, len(pending))
        return np.asarray(np.where(keys[chosen, columns] >= 0, scaled[chosen, columns], late))

    def expected_between(self, actas: Ints, start: Floats, end: float) -> Floats:
        """Chance that each of some actas arrives in the stretch from its `start` to `end`."""
        middle = float(self.stretches @ self.weights)
        scaled = self.times[:, actas] * middle
        return np.asarray(((scaled > start) & (scaled <= end)).mean(axis=0))

    def caught_up(self, actas: Ints, arrived: int, now: float) -> tuple[float, float]:
        """How far a place has got in its plan: the moment (ms since the start) by which the plan had as many
        of its `actas` as have arrived, and how many the plan has by now."""
        pooled = np.sort((self.times[:, actas] * float(self.stretches @ self.weights)).ravel())
        return float(pooled[min(arrived * SAMPLES, len(pooled) - 1)]), float((pooled <= now).sum()) / SAMPLES


def fit_plan(state: NightState, scenario: Scenario, seed: int) -> Plan:
    """Draw the plan and compare it with what has arrived.

    Raises UsageError when the scenario is of another night or another catalogue.
    """
    if scenario.calendar.start_ms != state.starts_ms:
        raise UsageError("El escenario no es el de esta noche: su hora de inicio es otra.")
    times = np.array([_arrivals(state, scenario, seed, number) for number in range(SAMPLES)], dtype="float64")
    stretches = np.exp(np.linspace(-3, 3, STRETCHES) * STRETCH_SD)
    logs = -0.5 * np.linspace(-3, 3, STRETCHES) ** 2
    now = state.now_ms - state.starts_ms
    entered = state.entered
    for ago in (0, 60):
        at = now - ago * MS_PER_MINUTE
        if at <= 0:
            continue
        seen = int(((entered >= 0) & (entered <= state.starts_ms + at)).sum())
        means = np.array([(times * stretch <= at).sum(axis=1).mean() for stretch in stretches])
        spread = np.sqrt(1.0 + 3.0 * means + (0.1 * means) ** 2)
        logs += -2.5 * np.log1p(((seen - means) / spread) ** 2 / 4) - np.log(spread)
    weights = np.exp(logs - logs.max())
    return Plan(times, stretches, weights / weights.sum(), _per_hour(state, scenario), scenario)


def _arrivals(state: NightState, scenario: Scenario, seed: int, number: int) -> Floats:
    """One sample of the plan: when the image of each acta (or its mark) would get to the centre."""
    seeds = Seeds(Seeds(seed).stream(f"pronostico/plan/{number}").getrandbits(48))
    times = np.full(state.size, np.inf)
    envelopes = scenario.envelopes
    marking = _uniforms(seeds, "marcan", len(state.catalog.catds)) < envelopes.marking_catds
    known_ms = scenario.calendar.length_ms - envelopes.mark_before_end_min * MS_PER_MINUTE
    inside = _mean(scenario.times.receive) + _mean(scenario.times.scan) + _mean(scenario.links.image)
    marked = _mean(envelopes.marking)
    for package in plan_arrivals(state.catalog, scenario, seeds):
        if package.at_catd_ms is not None:
            times[list(package.envelopes)] = package.at_catd_ms + inside
        for photo in package.photos:
            times[photo.acta] = min(times[photo.acta], photo.arrives_ms)
        if marking[package.catd]:
            at = known_ms if package.at_catd_ms is None else package.at_catd_ms
            for acta, _ in package.missing:
                times[acta] = min(times[acta], at + marked)
    return times


def _uniforms(seeds: Seeds, name: str, count: int) -> Floats:
    return np.asarray(generator(seeds.root, name).random(count))


def _mean(service: Service) -> float:
    return service.median_s * 1000 * exp(service.sigma**2 / 2)


def _per_hour(state: NightState, scenario: Scenario) -> float:
    """Actas an hour that the people planned for this moment register: two captures each, at least."""
    staff = scenario.staff
    if staff.capture_place == "estatal":
        people = staff.at_the_centre((state.now_ms - state.starts_ms) / MS_PER_MINUTE)
    else:
        people = sum(staff.at_a_catd(int(actas)) for actas in np.bincount(state.catd))
    return max(people, 1) * MS_PER_HOUR / (2 * _mean(scenario.times.capture))
