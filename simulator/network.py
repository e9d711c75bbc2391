"""The links of the CATDs: how much of each works at every moment, and why.

The schedule of each link is decided before the night from the scenario's faults, the steps of the
continuity plan against each outage, and the exercises of the plan by distrito. A transmission in
progress waits while the link is down and goes on where it was (store and forward). It moves no acta.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from math import ceil, floor, log

from core.domain.catalog import Catalog
from simulator.scenario import MS_PER_MINUTE, Exercise, LinkFault, Measure, Scenario
from simulator.seeds import Seeds

FULL = 1.0


@dataclass(frozen=True, slots=True)
class Limit:
    """From `start` to `end` (ms since the start) the link gives at most `capacity` of itself."""

    start: int
    end: int
    capacity: float


@dataclass
class Link:
    """One link: its capacity is piecewise constant."""

    limits: list[Limit] = field(default_factory=list)
    _times: list[int] = field(default_factory=list)
    _capacities: list[float] = field(default_factory=list)

    def settle(self) -> None:
        """Turn the limits into steps; where several overlap the worst one rules."""
        self._times = sorted(
            {0, *(limit.start for limit in self.limits), *(limit.end for limit in self.limits)}
        )
        self._capacities = [
            min((limit.capacity for limit in self.limits if limit.start <= at < limit.end), default=FULL)
            for at in self._times
        ]

    def capacity(self, at: int) -> float:
        """Capacity at an instant."""
        if not self._times:
            return FULL
        return self._capacities[bisect_right(self._times, at) - 1]

    def finish(self, at: int, work_ms: int) -> int | None:
        """When something that takes `work_ms` with the whole link, begun at `at`, ends; None if never."""
        if not self.limits:
            return at + work_ms
        left = float(work_ms)
        position = bisect_right(self._times, at) - 1
        while True:
            capacity = self._capacities[position]
            following = self._times[position + 1] if position + 1 < len(self._times) else None
            if following is None or left <= (following - at) * capacity:
                return at + ceil(left / capacity) if capacity > 0 else None
            left -= (following - at) * capacity
            at = following
            position += 1

    def down_ms(self, until: int) -> int:
        """Ms without any link before `until`."""
        total = 0
        for position, (start, capacity) in enumerate(zip(self._times, self._capacities, strict=True)):
            end = self._times[position + 1] if position + 1 < len(self._times) else until
            if capacity == 0:
                total += max(0, min(end, until) - start)
        return total


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened to the operation, for the summary. Times in ms since the start."""

    kind: str
    name: str
    start_ms: int
    end_ms: int
    places: int
    """CATDs it touched; 0 when it is of the whole operation."""
    remedy: str
    distritos: tuple[int, ...] = ()


def plan_links(catalog: Catalog, scenario: Scenario, seeds: Seeds) -> tuple[list[Link], list[Incident]]:
    """The link of every CATD, by its id, and what happened to them."""
    links = [Link() for _ in catalog.catds]
    incidents = []
    for number, fault in enumerate(scenario.link_faults):
        incidents.append(_apply_fault(catalog, scenario, fault, f"falla_enlace/{number}", links, seeds))
    for exercise in scenario.continuity.exercises:
        incidents.append(_apply_exercise(catalog, exercise, links))
    for link in links:
        if link.limits:
            link.settle()
    return links, incidents


def touched(catalog: Catalog, scenario: Scenario, fault: LinkFault, name: str, seeds: Seeds) -> list[int]:
    """CATDs a fault falls on: a share of the candidates, of every size alike.

    A few CATDs gather most actas. Taking every so many in order of size, from a random start, keeps a
    share of the CATDs close to the same share of the actas, whatever the seed.
    """
    sizes = [0] * len(catalog.catds)
    for entry in catalog.actas:
        sizes[catalog.casillas[entry.casilla].catd] += 1
    inside = set(scenario.metropolitan)
    candidates = []
    for catd in catalog.catds:
        metropolitan = catd.municipio in inside
        if fault.zone != "todas" and metropolitan is not (fault.zone == "metropolitana"):
            continue
        if fault.distritos and catd.distrito not in fault.distritos:
            continue
        candidates.append(catd.id)
    candidates.sort(key=lambda number: (-sizes[number], number))
    start = seeds.stream(f"{name}/lugares").random()
    return sorted(
        number
        for position, number in enumerate(candidates)
        if floor((position + 1) * fault.share + start) > floor(position * fault.share + start)
    )


def _apply_fault(
    catalog: Catalog, scenario: Scenario, fault: LinkFault, name: str, links: list[Link], seeds: Seeds
) -> Incident:
    places = touched(catalog, scenario, fault, name, seeds)
    measures = scenario.continuity.measures if fault.measures else ()
    first, last = 1 << 60, 0
    used: dict[str, int] = {}
    for place in places:
        # A stream per CATD: another place in the fault changes nothing in this one.
        draw = seeds.stream(f"{name}/{place}")
        start = fault.at_min * (1 + fault.jitter * (2 * draw.random() - 1))
        length = fault.minutes * (1 + fault.jitter * (2 * draw.random() - 1))
        luck = [draw.random() for _ in measures]
        first, last = min(first, _ms(start)), max(last, _ms(start + length))
        if fault.kind == "sin_enlace":
            spans = [(start, start + length)]
        else:
            spans = []
            at = start
            while at < start + length:
                at += -log(draw.random() or 1e-12) * fault.up_min
                until = at - log(draw.random() or 1e-12) * fault.down_min
                if at < start + length:
                    spans.append((at, min(until, start + length)))
                at = until
        for span_start, span_end in spans:
            limits, applied = _with_measures(span_start, span_end, measures, luck)
            links[place].limits.extend(limits)
            for measure in applied:
                used[measure] = used.get(measure, 0) + 1
    remedy = "; ".join(f"{measure}: {times}" for measure, times in used.items())
    return Incident(fault.kind, fault.name, min(first, last), last, len(places), remedy, fault.distritos)


def _with_measures(
    start: float, end: float, measures: tuple[Measure, ...], luck: list[float]
) -> tuple[list[Limit], list[str]]:
    """An outage cut short, or eased, by the steps of the plan that work."""
    limits = []
    applied = []
    at, capacity = start, 0.0
    for measure, number in zip(measures, luck, strict=True):
        when = start + measure.after_min
        if when >= end or number >= measure.success or measure.capacity <= capacity:
            continue
        limits.append(Limit(_ms(at), _ms(when), capacity))
        at, capacity = when, measure.capacity
        applied.append(measure.name)
    limits.append(Limit(_ms(at), _ms(end), capacity))
    return limits, applied


def _apply_exercise(catalog: Catalog, exercise: Exercise, links: list[Link]) -> Incident:
    places = [catd.id for catd in catalog.catds if catd.distrito in exercise.distritos]
    start = _ms(exercise.at_min)
    switched = _ms(exercise.at_min + exercise.activation_min)
    end = _ms(exercise.at_min + exercise.activation_min + exercise.minutes)
    for place in places:
        links[place].limits.append(Limit(start, switched, 0.0))
        links[place].limits.append(Limit(switched, end, exercise.capacity))
    names = ", ".join(str(number) for number in exercise.distritos)
    return Incident(
        "continuidad", f"Plan de continuidad aplicado en los distritos {names}", start, end, len(places),
        f"{exercise.activation_min:g} min de activación; otro medio con {exercise.capacity:.0%} del enlace",
        exercise.distritos,
    )  # fmt: skip


def _ms(minutes: float) -> int:
    return max(0, round(minutes * MS_PER_MINUTE))
