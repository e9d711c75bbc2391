"""The links of the CATDs: what the faults of the night, and what is done about them, make of each.

Which CATDs a fault falls on, from when to when, what the measures of the continuity plan and second
links give back meanwhile, and the exercises of the plan. How a link with all that behaves is `links`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log

from core.domain.catalog import Catalog
from core.errors import UsageError
from simulator.night.arrivals import actas_by_catd
from simulator.night.continuity import BACKUP, Applied, Incident, applied_at, at_ms, steps_against, together
from simulator.night.links import FULL, Limit, Link
from simulator.night.power import Blackout, power_name, power_of, start_and_length
from simulator.scenario.document import Scenario
from simulator.scenario.faults import Exercise, LinkFault, Measure, Where
from simulator.seeds import Seeds

LINK_SOURCE = "falla_enlace/"
"""How the names of the faults of the links begin."""


@dataclass(frozen=True, slots=True)
class Spell:
    """What a fault does to the link of one CATD. Times in ms since the start."""

    catd: int
    start: int
    end: int
    limits: tuple[Limit, ...]
    applied: tuple[Applied, ...]


@dataclass(frozen=True, slots=True)
class Outage:
    """A fault of the links, or an exercise of the plan, with everything it does and the incident it is."""

    name: str
    spells: tuple[Spell, ...]
    incident: Incident


def plan_links(catalog: Catalog, scenario: Scenario, seeds: Seeds) -> tuple[list[Link], list[Incident]]:
    """The link of every CATD, by its id, and what happened to them.

    Only what begins at a minute the scenario says; what depends on how the night goes is `faults`.
    """
    places = Places(catalog, scenario)
    with_backup = backups(places, seeds)
    links = [Link(backup=catd.id in with_backup) for catd in catalog.catds]
    outages = planned_outages(places, links, seeds)
    incidents = []
    for outage in outages:
        incidents.append(outage.incident)
        for spell in outage.spells:
            links[spell.catd].limits.extend(spell.limits)
    for number, fault in enumerate(scenario.power_faults):
        if fault.at_min is not None:
            blackout = power_of(
                scenario, fault, power_name(number), seeds,
                places.touched(fault, power_name(number), seeds),
            )  # fmt: skip
            incidents.append(blackout.incident)
            for catd, limit in dark_limits(blackout):
                links[catd].limits.append(limit)
    for link in links:
        if link.limits:
            link.settle()
    return links, incidents


def planned_outages(places: Places, links: Sequence[Link], seeds: Seeds) -> list[Outage]:
    """The faults of the links and the exercises that begin at a minute the scenario says.

    Of `links` only their backup is looked at. Same arguments, same outages.
    """
    outages = [
        outage_of(places, fault, f"{LINK_SOURCE}{number}", links, seeds)
        for number, fault in enumerate(places.scenario.link_faults)
        if fault.at_min is not None
    ]
    for number, exercise in enumerate(places.scenario.continuity.exercises):
        outages.append(exercise_of(places.catalog, exercise, f"ejercicio/{number}", at_ms(exercise.at_min)))
    return outages


def dark_limits(blackout: Blackout) -> list[tuple[int, Limit]]:
    """Without light there is no link: the limit of each CATD of a power cut."""
    return [
        (cut.catd, Limit(cut.start, cut.working, 0.0, source=blackout.name))
        for cut in blackout.cuts
        if cut.catd is not None
    ]


def backups(places: Places, seeds: Seeds) -> set[int]:
    """CATDs with a second link."""
    share = places.scenario.links.backup_share
    if not share:
        return set()
    everywhere = Where(at_min=0.0, share=share)
    return set(places.touched(everywhere, "enlaces/respaldo", seeds))


class Places:
    """The CATDs of a night in order of size, to say which of them a fault falls on."""

    def __init__(self, catalog: Catalog, scenario: Scenario) -> None:
        sizes = actas_by_catd(catalog)
        inside = set(scenario.metropolitan)
        self.catalog = catalog
        self.scenario = scenario
        self._by_size = sorted(catalog.catds, key=lambda catd: (-sizes[catd.id], catd.id))
        self._metropolitan = {catd.id: catd.municipio in inside for catd in catalog.catds}

    def check(self, catds: Sequence[int]) -> None:
        """Raises UsageError when there is no CATD with one of these numbers."""
        size = len(self._by_size)
        for number in catds:
            if not 0 <= number < size:
                raise UsageError(f"No hay un CATD con el número {number}: van de 0 a {size - 1}.")

    def touched(self, fault: Where, name: str, seeds: Seeds) -> list[int]:
        """CATDs a fault falls on: a share of the candidates, of every size alike.

        A few CATDs gather most actas. Taking every so many in order of size, from a random start, keeps
        a share of the CATDs close to the same share of the actas, whatever the seed. Raises UsageError
        when the fault names a CATD that there is not.
        """
        self.check(fault.catds)
        candidates = [
            catd.id
            for catd in self._by_size
            if (not fault.catds or catd.id in fault.catds)
            and (fault.zone == "todas" or self._metropolitan[catd.id] is (fault.zone == "metropolitana"))
            and (not fault.distritos or catd.distrito in fault.distritos)
        ]
        start = seeds.stream(f"{name}/lugares").random()
        return sorted(
            number
            for position, number in enumerate(candidates)
            if floor((position + 1) * fault.share + start) > floor(position * fault.share + start)
        )


def outage_of(
    places: Places,
    fault: LinkFault,
    name: str,
    links: Sequence[Link],
    seeds: Seeds,
    now: int | None = None,
) -> Outage:
    """What a fault does to every CATD it falls on.

    With `now` (ms since the start) it begins at that moment everywhere, whatever the fault says;
    otherwise at its minute, more or less its variation.
    """
    touched = places.touched(fault, name, seeds)
    plan = places.scenario.continuity.measures if fault.measures else ()
    second = _second_link(places.scenario)
    spells = [
        _spell(fault, name, place, plan, second if links[place].backup else None, seeds, now)
        for place in touched
    ]
    used: dict[str, int] = {}
    for spell in spells:
        for one in spell.applied:
            used[one.measure] = used.get(one.measure, 0) + 1
    remedy = "; ".join(f"{measure}: {times}" for measure, times in used.items())
    incident = Incident(
        fault.kind, fault.name, min((spell.start for spell in spells), default=0),
        max((spell.end for spell in spells), default=0), len(touched), remedy, fault.distritos,
        cause=fault.cause, catds=tuple(touched),
        measures=together(one for spell in spells for one in spell.applied),
    )  # fmt: skip
    return Outage(name, tuple(spells), incident)


def _spell(
    fault: LinkFault,
    name: str,
    place: int,
    measures: Sequence[Measure],
    second: Measure | None,
    seeds: Seeds,
    now: int | None,
) -> Spell:
    # A stream per CATD: another place in the fault changes nothing in this one.
    draw = seeds.stream(f"{name}/{place}")
    start, length = start_and_length(fault, draw, now)
    steps = [(measure, draw.random()) for measure in measures]
    if second is not None:
        position = sum(measure.after_min <= second.after_min for measure, _ in steps)
        steps.insert(position, (second, 0.0))
    spans = [(start, start + length)]
    if fault.kind == "intermitente":
        spans = []
        at = start
        while at < start + length:
            at += -log(draw.random() or 1e-12) * fault.up_min
            until = at - log(draw.random() or 1e-12) * fault.down_min
            if at < start + length:
                spans.append((at, min(until, start + length)))
            at = until
    limits: list[Limit] = []
    applied: list[Applied] = []
    for begin, end in spans:
        found, working = _limits_of(fault, name, begin, end, steps)
        limits.extend(found)
        applied.extend(applied_at(place, measure, active) for measure, active in working)
    return Spell(place, at_ms(start), at_ms(start + length), tuple(limits), tuple(applied))


def _second_link(scenario: Scenario) -> Measure:
    """The second link as one more measure: nobody decides it and it always works."""
    links = scenario.links
    return Measure(
        name=BACKUP, after_min=links.switch_min, capacity=links.backup_capacity, authorised_by="automático"
    )


def _limits_of(
    fault: LinkFault, name: str, start: float, end: float, steps: list[tuple[Measure, float]]
) -> tuple[list[Limit], list[tuple[Measure, int]]]:
    """One time the link fails, cut short or eased by the measures that work."""
    latency = round(fault.latency_s * 1000) if fault.kind == "latencia" else 0
    capacity = {
        "sin_enlace": 0.0,
        "intermitente": 0.0,
        "latencia": FULL,
        "ancho_de_banda": fault.bandwidth,
        "perdida": FULL - fault.loss,
    }[fault.kind]
    if fault.kind not in ("sin_enlace", "intermitente"):
        steps = [(measure, luck) for measure, luck in steps if measure.name != BACKUP]
    # Another medium with less than the whole link is no remedy for one that is only slow to answer.
    least = capacity if fault.kind != "latencia" else FULL - 1e-9
    working = steps_against(start, end, least, steps)
    limits = []
    at = at_ms(start)
    for measure, active in working:
        limits.append(Limit(at, active, capacity, latency, name))
        at, capacity = active, measure.capacity
        latency = 0
    limits.append(Limit(at, at_ms(end), capacity, latency, name))
    return limits, working


def exercise_of(catalog: Catalog, exercise: Exercise, name: str, start: int) -> Outage:
    """An exercise of the plan that begins at `start` (ms since the start)."""
    places = [catd.id for catd in catalog.catds if catd.distrito in exercise.distritos]
    switched = start + at_ms(exercise.activation_min)
    end = start + at_ms(exercise.activation_min + exercise.minutes)
    names = ", ".join(str(number) for number in exercise.distritos)
    effect = f"otro medio con {100 * exercise.capacity:.0f} % del enlace"
    spells = tuple(
        Spell(
            place, start, end,
            (Limit(start, switched, 0.0, source=name), Limit(switched, end, exercise.capacity, source=name)),
            (Applied("Plan de continuidad", exercise.authorised_by, start, switched, effect, (place,)),),
        )
        for place in places
    )  # fmt: skip
    incident = Incident(
        "continuidad", f"Plan de continuidad aplicado en los distritos {names}", start, end, len(places),
        f"{exercise.activation_min:g} min de activación; {effect}", exercise.distritos,
        cause="ejercicio del plan de continuidad", catds=tuple(places),
        measures=together(one for spell in spells for one in spell.applied),
    )  # fmt: skip
    return Outage(name, spells, incident)
