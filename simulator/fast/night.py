"""The fast night: from what `fast.plan` decides to the moment every acta is registered.

The same stages, queues and rules as `night.centre` and `night.capture`, without engine, commands or an
event list: each pool is a recursion over its jobs in order, and only capture, where who did what
matters, goes event by event. It gives the times of the SimPy night to the ms.

Ties: two events of one ms are taken in the order in which they were set in motion (`created`), as an
event list does, and those of one moment of the plan by casilla and acta. Where that ties too, which
needs two pairs of equal ms, jobs go by kind and by acta.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.fast.compiled import Kernels, StopClock
from simulator.fast.kernel import NEVER
from simulator.fast.plan import CapturePlan, Plan

Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Centres:
    """What came out of the CATDs and the phones; ms since the start, NEVER when it did not, by acta id.

    `arrived` is the photo or the envelope received at the CATD, `digitized` the first image at the state
    centre, set in motion at `created`, and `marked` the mark of sin acta.
    """

    arrived: Ints
    digitized: Ints
    created: Ints
    marked: Ints
    busy_ms: dict[str, int]
    """Work done by stage, over all its servers."""

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return self.arrived.nbytes + self.digitized.nbytes + self.created.nbytes + self.marked.nbytes


@dataclass(frozen=True)
class Captured:
    """What capture did: when each acta was registered (second capture that agreed, or resolution)."""

    registered: Ints
    captures: int
    disputes: int
    third_captures: int
    busy_ms: dict[str, int]


@dataclass(frozen=True)
class _Jobs:
    """Jobs for some CATD: when they come, when that was set in motion, how long they take."""

    catd: Ints
    at: Ints
    created: Ints
    work: Ints

    def take(self, which: Ints) -> _Jobs:
        return _Jobs(self.catd[which], self.at[which], self.created[which], self.work[which])


def play_centres(plan: Plan, kernels: Kernels, until: int = NEVER) -> Centres:
    """Play the CATDs; what happens at `until` (ms) or later does not."""
    ground, coming, spent = plan.ground, plan.coming, plan.durations
    catds = len(ground.catds)
    # Reception: one package per casilla, in order of arrival at its CATD.
    delivered = ground.with_actas[coming.at_catd[ground.with_actas] < NEVER]
    at = coming.at_catd[delivered]
    packages = _Jobs(
        ground.catd_of_casilla[delivered], at, plan.happenings.created(at), spent.receive[delivered]
    )
    sorting = _in_order(packages)
    packages, delivered = packages.take(sorting), delivered[sorting]
    begin, end = _pooled(plan, kernels, packages.catd, packages.at, packages.work, plan.receivers)
    received = np.full(len(ground.catd_of_casilla), NEVER, dtype=np.int64)
    receiving = received.copy()
    received[delivered], receiving[delivered] = end, begin
    rank = np.zeros(len(received), dtype=np.int64)
    rank[delivered[_in_order(_Jobs(packages.catd, end, begin, begin))]] = np.arange(delivered.size)

    scans, scanned = _scan(plan, kernels, received, receiving, rank)
    marks, marked = _mark(plan, kernels, received, receiving, rank)
    messages = _messages(plan, received, receiving, rank)
    outside = _outside(plan)

    # The links: one shipment at a time from each CATD, in the order in which they were ready.
    ready = [messages, scans, marks, outside]
    jobs = _Jobs(
        *(np.concatenate([getattr(one, name) for one in ready]) for name in _Jobs.__dataclass_fields__)
    )
    acta = np.concatenate((np.full(messages.at.size, -1), scanned, marked, np.full(outside.at.size, -1)))
    kind = np.repeat(np.arange(4), [one.at.size for one in ready])
    sorting = _in_order(jobs)
    jobs, acta, kind = jobs.take(sorting), acta[sorting], kind[sorting]
    begin, end = kernels.links(
        _first(jobs.catd, catds),
        plan.wires.first,
        plan.wires.times,
        plan.wires.rates,
        plan.wires.delays,
        jobs.at,
        jobs.work,
    )
    told = np.full(ground.size, NEVER, dtype=np.int64)
    told[acta[kind == 2]] = end[kind == 2]

    # The first image of each acta: its photo or what its CATD sent.
    digitized, created = np.full(ground.size, NEVER, dtype=np.int64), np.zeros(ground.size, dtype=np.int64)
    images = kind == 1
    digitized[acta[images]], created[acta[images]] = end[images], begin[images]
    shot = coming.photo
    shot_created = plan.happenings.created(shot)
    sooner = (shot < digitized) | ((shot == digitized) & (shot_created < created))
    digitized, created = np.where(sooner, shot, digitized), np.where(sooner, shot_created, created)

    arrived = np.minimum(shot, np.where(coming.travels, received[ground.casilla], NEVER))
    busy = {
        "acopio": int(packages.work[received[delivered] < until].sum()),
        "digitalizacion": int(spent.scan[scanned[scans.at < until]].sum()),
        "transmision": int((end - begin)[end < until].sum()),
    }
    return Centres(_until(arrived, until), _until(digitized, until), created, _until(told, until), busy)


def play_capture(plan: CapturePlan, kernels: Kernels, centres: Centres, until: int = NEVER) -> Captured:
    """Play the capture of what the CATDs sent; what happens at `until` (ms) or later does not."""
    clerks, hands, stops = plan.clerks, plan.hands, plan.stops
    digitized, created = centres.digitized, centres.created
    # Photos of one ms come in the order of their casillas.
    actas = plan.ground.by_casilla
    actas = actas[digitized[actas] < NEVER]
    actas = actas[_by_moment(digitized[actas], created[actas])]
    registered, tally = kernels.capture(
        until, plan.resolvers, plan.resolve,
        (actas, digitized[actas], created[actas]),
        (plan.durations, hands.luck, hands.luck_totals, hands.mark, hands.blank),
        (clerks.from_ms, clerks.until_ms, clerks.speed, clerks.care, clerks.first_rest),
        (clerks.rates, clerks.rests),
        (np.array([start for start, _ in stops], dtype=np.int64),
         np.array([end for _, end in stops], dtype=np.int64)),
    )  # fmt: skip
    captures, disputes, thirds, captured, resolved = tally.tolist()
    return Captured(registered, captures, disputes, thirds, {"captura": captured, "resolucion": resolved})


def _scan(plan: Plan, kernels: Kernels, received: Ints, receiving: Ints, rank: Ints) -> tuple[_Jobs, Ints]:
    """The scans as shipments ready to go, and their actas: what travelled, less what came by phone."""
    ground, coming = plan.ground, plan.coming
    owner = ground.casilla
    came, begun = received[owner], receiving[owner]
    created = plan.happenings.created(coming.photo)
    photographed = (coming.photo < came) | ((coming.photo == came) & (created < begun))
    photographed &= coming.photo < NEVER
    actas = np.nonzero(coming.travels & (came < NEVER) & (~photographed | plan.rescans))[0]
    actas = actas[np.argsort(rank[owner[actas]], kind="stable")]
    return _served(plan, kernels, actas, came[actas], plan.scanners, plan.durations.scan), actas


def _mark(plan: Plan, kernels: Kernels, received: Ints, receiving: Ints, rank: Ints) -> tuple[_Jobs, Ints]:
    """The marks of sin acta as shipments ready to go, and their actas: known on receipt, or late."""
    ground, known = plan.ground, plan.happenings.known
    owner = ground.casilla
    at = np.minimum(received, known)
    created = np.where(received < NEVER, receiving, plan.happenings.created(known))
    wanted = plan.coming.missing & plan.happenings.marking[ground.catd] & (at[owner] < NEVER)
    actas = ground.by_casilla[wanted[ground.by_casilla]]
    place = owner[actas]
    order = np.lexsort((rank[place], created[place], at[place], ground.catd[actas]))
    actas = actas[order]
    alone = np.ones_like(plan.receivers)
    jobs = _served(plan, kernels, actas, at[owner[actas]], alone, plan.durations.marking)
    return jobs, actas


def _served(plan: Plan, kernels: Kernels, actas: Ints, at: Ints, servers: Ints, work: Ints) -> _Jobs:
    """Actas in order of service through a pool of each CATD; as shipments of what the pool made."""
    ground, spent = plan.ground, plan.durations
    catd = ground.catd[actas]
    begin, end = _pooled(plan, kernels, catd, at, work[actas], servers)
    shipment = spent.image if work is spent.scan else spent.message
    return _Jobs(catd, end, begin, shipment[actas])


def _pooled(
    plan: Plan, kernels: Kernels, catd: Ints, at: Ints, work: Ints, servers: Ints
) -> tuple[Ints, Ints]:
    """When jobs in order of service end in the pool of each CATD, and when that was set in motion.

    In a CATD without light its clock stands still.
    """
    first = _first(catd, servers.size)
    dark = [(StopClock(stops), slice(first[one], first[one + 1])) for one, stops in plan.dark.items()]
    if dark:
        at = at.copy()
    for clock, jobs in dark:
        at[jobs] = clock.work(at[jobs])
    begin, end = kernels.groups(first, servers, at, work)
    for clock, jobs in dark:
        # What begins as a stop ends begins after it.
        end[jobs] = clock.wall(end[jobs])
        begin[jobs] = clock.moved(clock.wall(begin[jobs]), end[jobs])
    return begin, end


def _messages(plan: Plan, received: Ints, receiving: Ints, rank: Ints) -> _Jobs:
    """One message per package received with some envelope, in the order of reception."""
    ground, coming = plan.ground, plan.coming
    actas = np.nonzero(coming.travels & (received[ground.casilla] < NEVER))[0]
    places, first = np.unique(ground.casilla[actas], return_index=True)
    order = np.argsort(rank[places], kind="stable")
    places, first = places[order], first[order]
    work = plan.durations.message[actas[first]]
    return _Jobs(ground.catd_of_casilla[places], received[places], receiving[places], work)


def _outside(plan: Plan) -> _Jobs:
    """The actas fuera de catálogo: they are sent as their package arrives."""
    catd = np.array([catd for catd, _ in plan.happenings.outside], dtype=np.int64)
    at = np.array([at for _, at in plan.happenings.outside], dtype=np.int64)
    work = np.broadcast_to(plan.durations.image[:1], catd.shape)
    return _Jobs(catd, at, plan.happenings.created(at), work)


def _in_order(jobs: _Jobs) -> Ints:
    """Positions by CATD, then by moment."""
    span = int(jobs.at.max(initial=0)) + 1
    return _by_moment(jobs.catd * span + jobs.at, jobs.created)


def _by_moment(at: Ints, created: Ints) -> Ints:
    """Positions by moment, those of one ms as they were set in motion."""
    order = np.argsort(at, kind="stable")
    ordered = at[order]
    # Most often there is no tie, and one sort is enough.
    if (ordered[1:] == ordered[:-1]).any():
        order = np.lexsort((created, at))
    return order


def _first(groups: Ints, count: int) -> Ints:
    """Where each group begins in a sorted array, and the end."""
    found: Ints = np.searchsorted(groups, np.arange(count + 1))
    return found


def _until(times: Ints, until: int) -> Ints:
    return np.where(times < until, times, NEVER)
