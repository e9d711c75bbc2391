"""What the fast night starts from: everything decided before the night, as arrays.

The durations of `night.model` and the draws of `night.keying` as arrays, from the same streams and with
the same values; what comes is `fast.arrivals`, and people, links and power cuts are those of the night,
as they are. It also says what the fast night cannot express (`unsupported`). It plays nothing: that is
`fast.night`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.fast.arrivals import Coming, Ground, Happenings, plan_coming, plan_happenings
from simulator.fast.draws import Draws
from simulator.fast.kernel import NEVER
from simulator.night.centre import LEAST_MARKING_MS
from simulator.night.keying import ATTEMPTS
from simulator.night.links import Link
from simulator.night.network import Places, plan_links
from simulator.night.people import People
from simulator.night.power import power_name, power_of
from simulator.scenario.base import ms_of
from simulator.scenario.document import Scenario

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


def unsupported(scenario: Scenario) -> list[str]:
    """What a scenario has that the fast night cannot express, one Spanish sentence each."""
    staff = scenario.staff
    problems = []
    moments = (
        *scenario.link_faults,
        *scenario.power_faults,
        *scenario.contest_faults,
        *scenario.mass_markings,
    )
    if any(fault.when is not None for fault in moments):
        problems.append("Hay fallas que empiezan al cumplirse una condición («cuando»).")
    if staff.transfers or staff.capture_transfers:
        problems.append("Hay traslados de personas o de captura entre centros.")
    if staff.place_shifts:
        problems.append("Hay turnos de acopio o de digitalización por CATD.")
    if staff.capture_place != "estatal":
        problems.append("La captura es por CATD.")
    if scenario.contest_faults:
        problems.append("Hay fallas de una sola contienda.")
    if scenario.mass_markings:
        problems.append("Hay marcado masivo de actas como sin acta.")
    if scenario.duplicates.share > 0:
        problems.append("Hay imágenes que se envían también como de otra acta.")
    return problems


@dataclass(frozen=True)
class Durations:
    """Service times of the CATDs in ms: `receive` by casilla, the rest by acta."""

    receive: Ints
    scan: Ints
    image: Ints
    message: Ints
    marking: Ints


def plan_durations(ground: Ground, scenario: Scenario, draws: Draws) -> Durations:
    """The twin of `night.model.Durations`; a scan that is repeated takes twice as long."""
    times, size = scenario.times, ground.size
    again = draws.uniforms("tiempos/reescaneo", size) < times.rescan_share
    marking = draws.times("tiempos/marcado", scenario.envelopes.marking, size)
    return Durations(
        draws.times("tiempos/acopio", times.receive, len(ground.urban)),
        draws.times("tiempos/digitalizacion", times.scan, size) * np.where(again, 2, 1),
        draws.times("tiempos/imagen", scenario.links.image, size),
        draws.times("tiempos/mensaje", scenario.links.message, size),
        np.maximum(LEAST_MARKING_MS, marking),
    )


@dataclass(frozen=True)
class Hands:
    """How captures differ, without their contents. By attempt and acta: `luck` and `luck_totals` (errs
    below the person's rate, in votes and in totals) and `mark` (an illegible box taken for an empty one).
    By acta: `blank`, no number to mistake."""

    luck: Floats
    luck_totals: Floats
    mark: Bools
    blank: Bools


def plan_hands(ground: Ground, scenario: Scenario, draws: Draws) -> Hands:
    """The draws of `night.keying.Typist`, and which actas have marks, as `night.ballots` decides it.

    Two captures agree when neither erred and both read the marks alike. Two errors are taken as
    different: now and then, in the night with votes, they are the same one (docs/nucleo.md).
    """
    keying, defects, size = scenario.keying, scenario.inconsistencies, ground.size
    number = draws.uniforms("actas/defecto", size)
    found = np.full(size, -1, dtype=np.int64)
    shares = (
        defects.all_illegible, defects.all_empty, defects.exceeds, defects.some_illegible, defects.some_empty
    )  # fmt: skip
    for kind, share in enumerate(shares):
        found = np.where((found < 0) & (number < share), kind, found)
        number = np.where(found < 0, number - share, number)
    blank = (found == 0) | (found == 1)
    boxes = blank | (found == 3) | (found == 4)
    luck = [draws.uniforms(f"tecleo/error/{k}", size) for k in range(ATTEMPTS)]
    mark = [boxes & (draws.uniforms(f"tecleo/marcas/{k}", size) < keying.marks) for k in range(ATTEMPTS)]
    if not sum(keying.weights.values()):
        blank = np.ones(size, dtype=np.bool_)
    totals = [np.ones(size)] * ATTEMPTS
    if keying.totals:
        totals = [draws.uniforms(f"tecleo/totales/{k}", size) for k in range(ATTEMPTS)]
    return Hands(np.concatenate(luck), np.concatenate(totals), np.concatenate(mark), blank)


@dataclass(frozen=True)
class Wires:
    """The links of every CATD in a row: those of CATD k are the steps `first[k]` to `first[k + 1]`."""

    first: Ints
    times: Ints
    rates: Floats
    delays: Ints


def plan_wires(links: list[Link]) -> Wires:
    """The steps of the links; a link that nothing limits has none."""
    by_link = [list(link.steps()) for link in links]
    steps = [step for one in by_link for step in one]
    return Wires(
        np.cumsum([0, *map(len, by_link)], dtype=np.int64),
        np.array([at for at, _, _ in steps], dtype=np.int64),
        np.array([capacity for _, capacity, _ in steps], dtype=np.float64),
        np.array([latency for _, _, latency in steps], dtype=np.int64),
    )


Stops: TypeAlias = list[tuple[int, int]]
"""Moments (ms) from which and until which nobody works, in order and apart."""


STATE = -1
"""In place of a CATD: the state capture centre."""


def plan_stops(ground: Ground, scenario: Scenario, draws: Draws, place: str) -> dict[int, Stops]:
    """The power cuts of the CATDs («catd») or of capture («captura»), by CATD or `STATE`."""
    cuts: dict[int, Stops] = {}
    places = Places(ground.catalog, scenario)
    for number, fault in enumerate(scenario.power_faults):
        if fault.place != place:
            continue
        name = power_name(number)
        touched = places.touched(fault, name, draws.seeds)
        for cut in power_of(scenario, fault, name, draws.seeds, touched).cuts:
            cuts.setdefault(STATE if cut.catd is None else cut.catd, []).append((cut.start, cut.working))
    return {catd: _united(spans) for catd, spans in cuts.items()}


def _united(spans: Stops) -> Stops:
    answer: Stops = []
    for start, end in sorted(spans):
        if answer and start <= answer[-1][1]:
            answer[-1] = (answer[-1][0], max(end, answer[-1][1]))
        elif end > start:
            answer.append((start, end))
    return answer


@dataclass(frozen=True)
class Clerks:
    """Who captures, by number: shift (ms), speed, carelessness and first rest (NEVER without one).

    `rates` are the errors per capture in votes and in totals, and how much slower and more careless
    each gets per hour; `rests` the ms of a rest and the ms between rests.
    """

    from_ms: Ints
    until_ms: Ints
    speed: Floats
    care: Floats
    first_rest: Ints
    rates: Floats
    rests: Ints


def plan_clerks(people: People, scenario: Scenario) -> Clerks:
    """The capturistas of the state centre as arrays, in the order in which they come in."""
    members, rests, keying = people.capturistas[0], scenario.staff.rests, scenario.keying
    return Clerks(
        np.array([one.from_ms for one in members], dtype=np.int64),
        np.array([one.until_ms for one in members], dtype=np.int64),
        np.array([one.speed for one in members], dtype=np.float64),
        np.array([one.carelessness for one in members], dtype=np.float64),
        np.array(
            [NEVER if one.first_rest_ms is None else one.first_rest_ms for one in members], dtype=np.int64
        ),
        np.array([keying.per_capture, keying.totals, rests.slower_per_hour, rests.errors_per_hour]),
        np.array([ms_of(rests.minutes), ms_of(rests.every_min)]),
    )


@dataclass(frozen=True)
class Plan:
    """What reaches the CATDs, and the CATDs themselves."""

    ground: Ground
    coming: Coming
    happenings: Happenings
    durations: Durations
    wires: Wires
    dark: dict[int, Stops]
    """Power cuts by CATD."""
    receivers: Ints
    scanners: Ints
    rescans: Bools
    """Photographed actas that the CATD scans all the same."""


@dataclass(frozen=True)
class CapturePlan:
    """The capture centre."""

    ground: Ground
    durations: Ints
    """By attempt and acta, ms."""
    resolve: Ints
    hands: Hands
    clerks: Clerks
    resolvers: int
    stops: Stops


def plan_night(ground: Ground, scenario: Scenario, draws: Draws, people: People) -> Plan:
    """Everything of the CATDs that is decided before the night."""
    coming = plan_coming(ground, scenario, draws)
    links, _ = plan_links(ground.catalog, scenario, draws.seeds)
    return Plan(
        ground,
        coming,
        plan_happenings(ground, scenario, draws, coming),
        plan_durations(ground, scenario, draws),
        plan_wires(links),
        plan_stops(ground, scenario, draws, "catd"),
        np.array([centre.receivers for centre in people.centres], dtype=np.int64),
        np.array([centre.scanners for centre in people.centres], dtype=np.int64),
        draws.uniforms("prep_casilla/reescaneo", ground.size) < scenario.phone.rescanned,
    )


def plan_capture(ground: Ground, scenario: Scenario, draws: Draws, people: People) -> CapturePlan:
    """Everything of the capture centre that is decided before the night."""
    times, size = scenario.times, ground.size
    return CapturePlan(
        ground,
        np.concatenate([draws.times(f"tiempos/captura/{k}", times.capture, size) for k in range(ATTEMPTS)]),
        draws.times("tiempos/resolucion", times.resolve, size),
        plan_hands(ground, scenario, draws),
        plan_clerks(people, scenario),
        len(people.resolvers),
        plan_stops(ground, scenario, draws, "captura").get(STATE, []),
    )


def upstream(scenario: Scenario) -> str:
    """What the CATDs of a scenario depend on: two scenarios alike here have alike CATDs with one seed."""
    staff = scenario.staff
    kept = (
        scenario.metropolitan, scenario.calendar, scenario.phone, scenario.arrivals, scenario.plan,
        scenario.envelopes, scenario.times, scenario.links, scenario.link_faults, scenario.power_faults,
        scenario.continuity, scenario.inconsistencies.outside,
        staff.actas_per_receiver, staff.actas_per_scanner, staff.absent,
    )  # fmt: skip
    return repr(kept)
