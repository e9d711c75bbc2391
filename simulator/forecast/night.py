"""Forks a live night at now: what its actas, its CATDs and its close will be, many times over.

`model` says how many actas come and how many the centre can register; here each pending acta gets
its turn (those of a CATD that has sent little come later), those of a silent CATD wait until it is heard
again, and the first to come is the first to be registered. The what-ifs replay the same draws with one
thing changed, so their differences are of the change and not of luck.

Capture is one pool for the whole state, in cells of ten minutes (a test compares them with
`simulator.fast.kernel`). It reads no database: it is given a `NightState`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np

from core.errors import UsageError
from simulator.forecast.model import (
    CELL_H,
    CELL_MS,
    PACKAGE,
    Filter,
    Floats,
    Ints,
    Paths,
    arrivals,
    generator,
    registered,
)
from simulator.forecast.plan import CAPACITY_SD, Plan
from simulator.forecast.prior import Prior, prior_without
from simulator.forecast.silence import Silence, came_since, silences
from simulator.forecast.state import NightState
from simulator.scenario.base import MS_PER_HOUR, MS_PER_MINUTE

TARGET = 95.0
"""Percent of its actas with which a CATD is taken to have met the close."""
SEEN_ENOUGH = 0.05
"""Before this share has come there is nothing to continue: the plan, if there is one, speaks alone."""
CATD_WEIGHT = 10.0
"""Packages of prior knowledge in the pace of a CATD: one like the others until its own say otherwise."""
RATE_SIGMA = 0.3
REOPEN_MS, REOPEN_SIGMA = 45 * MS_PER_MINUTE, 0.8
"""A silent CATD is heard again in a lognormal time whose median is what it has been silent, at least this."""


@dataclass(frozen=True)
class WhatIf:
    """A change: the link of some CATDs is back at `at_ms` (`catds`), or the capturistas become `people`
    (`relative`: that many more or less)."""

    words: str
    at_ms: int
    catds: tuple[int, ...] = ()
    people: int | None = None
    relative: bool = False


@dataclass(frozen=True)
class Outcome:
    """`curve`: actas registered at each edge, a row per replica; `by_catd`: at the close, replica by CATD."""

    curve: Floats
    by_catd: Ints


@dataclass(frozen=True)
class Forecast:
    """The forecast of a night. `edges` are ms UTC: now, every ten minutes, and the close."""

    state: NightState
    seed: int
    replicas: int
    target: float
    with_plan: bool
    edges: Ints
    base: Outcome
    silent: tuple[Silence, ...]
    what_ifs: tuple[tuple[WhatIf, Outcome], ...]


@dataclass(frozen=True)
class _Draws:
    """What every replica shares among what-ifs. Times are ms from now."""

    paths: Paths
    shifts: Floats
    pending: Ints
    waiting: Ints
    silent: dict[int, int]


def forecast(
    state: NightState,
    *,
    what_ifs: Sequence[WhatIf] = (),
    replicas: int = 200,
    seed: int = 1,
    target: float = TARGET,
    plan: Plan | None = None,
    watcher: Callable[[int], None] | None = None,
) -> Forecast:
    """Forecast from `state.now_ms` to the close. Raises UsageError when the close has passed or when the
    capturistas of a what-if cannot be compared with any."""
    if state.now_ms >= state.ends_ms:
        raise UsageError("La operación ya terminó en ese momento: no queda nada que pronosticar.")
    if any(one.people is not None for one in what_ifs) and not state.capturistas:
        raise UsageError("Nadie capturó en la última hora: no se sabe cuántos capturistas hay.")
    declared = {catd for one in what_ifs for catd in one.catds}
    silent = silences(state, plan, declared)
    beliefs = learn(state, seed, plan)
    cells = -(-(state.ends_ms - state.now_ms) // CELL_MS)
    paths = beliefs.forward(hours(state, state.now_ms), cells, replicas)
    done = state.registered >= 0
    image = ~done & (state.digitized >= 0)
    draws = _Draws(
        paths,
        _shifts(state, plan, cells),
        np.flatnonzero(~done & ~image),
        np.flatnonzero(image)[np.argsort(state.digitized[image], kind="stable")],
        {one.catd: row for row, one in enumerate(silent)},
    )
    changes: list[WhatIf | None] = [None, *what_ifs]
    sequences, came = _arrive(state, draws, silent, changes, plan, seed, watcher)
    edges = np.minimum(state.now_ms + CELL_MS * np.arange(cells + 1), state.ends_ms)
    outcomes = [
        _serve(state, draws, change, came[number], sequences[number], edges)
        for number, change in enumerate(changes)
    ]
    pairs = tuple(zip(what_ifs, outcomes[1:], strict=True))
    return Forecast(state, seed, replicas, target, plan is not None, edges, outcomes[0], silent, pairs)


def hours(state: NightState, at: int) -> float:
    """Hours since the clock of arrivals began: the close of the polls, or the start of a rehearsal."""
    begin = state.starts_ms
    if state.mode == "oficial":
        offset = state.catalog.entidad.utc_offset_minutes * MS_PER_MINUTE
        day = (begin + offset) // (24 * MS_PER_HOUR) * 24 * MS_PER_HOUR - offset
        begin = max(begin, day + 18 * MS_PER_HOUR)
    return (at - begin) / MS_PER_HOUR


def learn(state: NightState, seed: int, plan: Plan | None = None) -> Filter:
    """What is believed at now: the filter fed with every cell of the night so far."""
    prior: Prior = prior_without()
    if plan is not None:
        prior = replace(prior, capacity=(log(plan.per_hour / state.size), CAPACITY_SD))
    beliefs = Filter(state.size, prior, seed)
    cells = (state.now_ms - state.starts_ms) // CELL_MS
    edges = state.now_ms - CELL_MS * np.arange(cells, -1, -1)
    entered, done = state.entered, state.registered
    came = np.histogram(entered[entered >= 0], edges)[0] if cells else np.zeros(0, int)
    out = np.histogram(done[done >= 0], edges)[0] if cells else np.zeros(0, int)
    for cell in range(cells):
        middle = hours(state, int(edges[cell])) + CELL_H / 2
        beliefs.step(middle, int(out[cell]), int(came[cell]))
    in_queue = (done < 0) & (state.digitized >= 0)
    beliefs.know(int((entered >= 0).sum()), int(in_queue.sum()))
    return beliefs


def _shifts(state: NightState, plan: Plan | None, cells: int) -> Floats:
    """Capturistas planned for each cell over those planned for now; ones without a plan."""
    now = state.now_ms - state.starts_ms
    planned = plan.people(now) if plan is not None else 0
    if plan is None or not planned:
        return np.ones(cells)
    return np.array([plan.people(now + (cell + 0.5) * CELL_MS) / planned for cell in range(cells)])


def _arrive(
    state: NightState,
    draws: _Draws,
    silent: tuple[Silence, ...],
    changes: Sequence[WhatIf | None],
    plan: Plan | None,
    seed: int,
    watcher: Callable[[int], None] | None,
) -> tuple[list[list[Ints]], list[Floats]]:
    """For each change and replica: the CATDs of the actas in the order they come, and how many by cell."""
    replicas, cells = draws.paths.hazard.shape
    totals = arrivals(draws.paths)
    seen = float((state.entered >= 0).mean())
    row_of = np.full(len(state.heard), -1, dtype="int64")
    for catd, row in draws.silent.items():
        row_of[catd] = row
    rows = row_of[state.catd[draws.pending]]
    sequences: list[list[Ints]] = [[] for _ in changes]
    came = [np.zeros((replicas, cells)) for _ in changes]
    for replica in range(replicas):
        rng = generator(seed, f"replica/{replica}")
        # The plan knows the casillas and not what will fail; what has been seen is the other way round.
        # Nobody can say beforehand which is nearer: each tells half of the replicas.
        if plan is None or (replica % 2 and seen >= SEEN_ENOUGH):
            times = _by_turn(state, draws, silent, rows, totals[replica], rng)
        else:
            times = _by_plan(state, draws, silent, rows, plan, rng)
        reopen = _reopenings(state, silent, rng)
        slow = np.array([one.rate for one in silent])
        rates = slow * np.exp(RATE_SIGMA * rng.standard_normal(len(silent)))
        for number, change in enumerate(changes):
            opened = reopen.copy()
            for catd in change.catds if change is not None else ():
                if change is not None and catd in draws.silent:
                    opened[draws.silent[catd]] = max(0, change.at_ms - state.now_ms)
            effective = times
            if len(silent):
                effective = _through_links(times, rows, opened, rates)
            inside = np.flatnonzero(effective < cells * CELL_MS)
            order = inside[np.argsort(effective[inside], kind="stable")]
            sequences[number].append(state.catd[draws.pending[order]])
            slots = (effective[order] // CELL_MS).astype("int64")
            came[number][replica] = np.bincount(slots, minlength=cells)
        if watcher is not None:
            watcher(replica + 1)
    return sequences, came


def _by_turn(
    state: NightState,
    draws: _Draws,
    silent: tuple[Silence, ...],
    rows: Ints,
    totals: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Arrival of each pending acta (ms from now, inf if never): a race at the pace of its CATD."""
    pending, cells = draws.pending, len(totals)
    pace = _paces(state, silent, rng)
    keys = rng.exponential(1.0, len(pending)) / pace[state.catd[pending]]
    within = rng.random(len(pending))
    luck = rng.random(len(pending))
    times = np.full(len(pending), np.inf)
    # What a silent CATD has received since it was last heard is there, waiting to be sent.
    held = np.zeros(len(pending), dtype=bool)
    if silent:
        share = np.array([came_since(state, one.since_ms) for one in silent])
        slow = np.array([one.rate for one in silent])
        held = (rows >= 0) & (luck < share[rows]) & (slow[rows] == 0)
    received = state.received[pending] >= 0
    sure = received | held
    racing = np.flatnonzero(~sure)
    order = racing[np.argsort(keys[racing], kind="stable")]
    cell = np.searchsorted(np.cumsum(totals), np.arange(len(order)), side="right")
    arriving = cell < cells
    times[order[arriving]] = (cell[arriving] + within[order[arriving]]) * CELL_MS
    times[sure] = rng.exponential(_scan_lag(state), len(pending))[sure]
    times[held] = 0.0
    return times


def _by_plan(
    state: NightState,
    draws: _Draws,
    silent: tuple[Silence, ...],
    rows: Ints,
    plan: Plan,
    rng: np.random.Generator,
) -> Floats:
    now = float(state.now_ms - state.starts_ms)
    since = np.array([one.since_ms - state.starts_ms for one in silent] + [now])
    times = plan.draw(draws.pending, since[rows], rng) - now
    received = state.received[draws.pending] >= 0
    times[received] = rng.exponential(_scan_lag(state), len(times))[received]
    return times


def _paces(state: NightState, silent: tuple[Silence, ...], rng: np.random.Generator) -> Floats:
    """Pace of each CATD over that of the state, as its own actas tell it (gamma, empirical Bayes)."""
    catds = len(state.heard)
    size = np.bincount(state.catd, minlength=catds)
    own = np.bincount(state.catd[state.entered >= 0], minlength=catds)
    share = np.full(catds, float((state.entered >= 0).mean()))
    for one in silent:
        at = state.entered
        share[one.catd] = float(((at >= 0) & (at <= one.since_ms)).mean())
    shape = own / PACKAGE + CATD_WEIGHT
    return np.asarray(rng.gamma(shape) / (size * share / PACKAGE + CATD_WEIGHT))


def _scan_lag(state: NightState) -> float:
    """Median ms from being received to having its image, with a minute at least."""
    both = (state.received >= 0) & (state.digitized > state.received)
    lags = state.digitized[both] - state.received[both]
    return max(float(MS_PER_MINUTE), float(np.median(lags))) if len(lags) else 5.0 * MS_PER_MINUTE


def _reopenings(state: NightState, silent: tuple[Silence, ...], rng: np.random.Generator) -> Floats:
    """When each silent CATD is heard again, ms from now: the longer it has been silent, the longer."""
    median = np.array([max(REOPEN_MS, state.now_ms - one.since_ms) for one in silent], dtype="float64")
    # One number per CATD of the state: declaring another down moves nobody else's.
    normals = rng.standard_normal(len(state.heard))[[one.catd for one in silent]] if silent else np.zeros(0)
    return np.asarray(median * np.exp(REOPEN_SIGMA * normals))


def _through_links(times: Floats, rows: Ints, opened: Floats, rates: Floats) -> Floats:
    """When actas get out of their CATD: at once where nothing is wrong, at the rate of a slow link until it
    is restored, and all together then."""
    effective = np.where(rows >= 0, np.maximum(times, opened[rows]), times)
    for row in np.flatnonzero(rates > 0):
        here = np.flatnonzero((rows == row) & np.isfinite(times))
        order = here[np.argsort(times[here], kind="stable")]
        gaps = np.arange(1, len(order) + 1) * (MS_PER_HOUR / rates[row])
        # First come, first sent: the end of each is the latest of what came before it, one gap each.
        sent = np.maximum.accumulate(np.maximum(times[order], 0.0) - gaps) + gaps + MS_PER_HOUR / rates[row]
        effective[order] = np.minimum(sent, effective[order])
    return np.asarray(np.maximum(effective, 0.0))


def _serve(
    state: NightState,
    draws: _Draws,
    change: WhatIf | None,
    came: Floats,
    sequences: list[Ints],
    edges: Ints,
) -> Outcome:
    capacity = draws.paths.capacity * draws.shifts
    if change is not None and change.people is not None:
        new = max(0, state.capturistas + change.people if change.relative else change.people)
        starts = state.now_ms + CELL_MS * np.arange(came.shape[1])
        after = np.clip((starts + CELL_MS - change.at_ms) / CELL_MS, 0.0, 1.0)
        capacity = capacity * (1 + after * (new / state.capturistas - 1))
    done = registered(came, capacity, draws.paths)
    base = int((state.registered >= 0).sum())
    curve = np.concatenate([np.zeros((len(done), 1)), done], axis=1)
    # The close may fall inside the last cell: only that part of it counts.
    part = (int(edges[-1]) - int(edges[-2])) / CELL_MS
    curve[:, -1] = np.floor(curve[:, -2] + (curve[:, -1] - curve[:, -2]) * part)
    catds = len(state.heard)
    already = np.bincount(state.catd[state.registered >= 0], minlength=catds)
    waiting = state.catd[draws.waiting]
    by_catd = np.empty((len(done), catds), dtype="int64")
    for row, sequence in enumerate(sequences):
        first = np.concatenate([waiting, sequence])[: int(curve[row, -1])]
        by_catd[row] = already + np.bincount(first, minlength=catds)
    return Outcome(curve + base, by_catd)
