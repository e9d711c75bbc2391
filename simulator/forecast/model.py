"""The state of a night as a probability: a particle filter over arrivals, ceiling, capacity and queue.

The night is cut into cells of ten minutes. In each, the actas that are still to come arrive with a hazard
(a ramp with the hours since the close of the polls, a level, and deviations that come back to it in an
hour or two), join one queue, and leave it at the pace of the pool: the smaller of its capacity, which
drifts as a random walk, and what a base delay lets through. Some actas never come: the ceiling is
uncertain too. `Filter` conditions all of it on what was seen; `forward` draws the rest of the night. With
the arrivals unseen (a published curve and nothing else) the queue is inferred with everything else.

The priors are in `prior`; actas, CATDs and what-ifs, in `night`. It reads no database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log

import numpy as np
from numpy.typing import NDArray

from simulator.forecast.prior import COMPLETE, Prior
from simulator.scenario.base import MS_PER_HOUR, MS_PER_MINUTE
from simulator.seeds import Seeds

CELL_MS = 10 * MS_PER_MINUTE
CELL_H = CELL_MS / MS_PER_HOUR
PARTICLES = 12_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TAPER_LIMITS = (0.15, 1.3)
DEVIATION_MEDIAN, DEVIATION_SPREAD = 0.7, 0.3
"""Standard deviation of the log hazard about its shape; hourly, the known nights go from 0.1 to 0.7."""
FEW_PLACES, MOST_DEVIATION = 0.1, 3.0
"""Share of the variance of the deviations that is of single places, and how much they may grow."""
MEMORY_MEDIAN_H, MEMORY_SPREAD = 2.0, 0.5
"""Hours those deviations last."""
CHANGES_PER_H = 1 / 5
"""How often the night changes character and its level and ceiling are whatever the prior says."""
TRUST = 1 / 6
"""Power of the evidence of a cell: its errors and those of its neighbours are not independent."""
DRIFT_SD = 0.2
"""Standard deviation of the log capacity after one hour of its random walk."""
DELAY_MEDIAN_H, DELAY_SPREAD = 0.2, 0.6
"""Acopio to verificación without a queue: 5 to 30 minutes."""
CELL_NOISE = 0.3
"""Share by which the count of a cell differs from its mean, on top of the actas coming by packages."""
PACKAGE = 3.0
"""Actas that come together."""
STOPS_PER_H, STOP_MEDIAN_H, STOP_SIGMA = 1 / 36, 0.35, 0.6
"""Total stops: one in a night and a half, of some twenty minutes."""
STOP_EVIDENCE = 8.0
"""A cell with nothing at all, when the model expected more actas than these, is a total stop."""


def generator(seed: int, name: str) -> np.random.Generator:
    """The random numbers of a named stream."""
    return np.random.default_rng(Seeds(seed).stream(f"pronostico/{name}").getrandbits(128))


@dataclass
class Particles:
    """One row per particle. `level`, `ramp`, `taper`, `memory`, `sigma`, `delay` and `ceiling` do not move by
    themselves; `deviation`, `capacity` (log of actas an hour), `arrived` and `queue` are the night's."""

    level: Floats
    ramp: Floats
    taper: Floats
    memory: Floats
    sigma: Floats
    delay: Floats
    ceiling: Floats
    deviation: Floats
    capacity: Floats
    arrived: Floats
    queue: Floats

    def take(self, rows: Ints) -> Particles:
        """The particles of those rows, repeated as they are."""
        return Particles(**{name: values[rows] for name, values in vars(self).items()})

    def copy(self) -> Particles:
        """The same particles; changing one set leaves the other."""
        return Particles(**{name: values.copy() for name, values in vars(self).items()})


@dataclass(frozen=True)
class Paths:
    """The rest of the night, one row per replica and one column per cell from now.

    `hazard` is the chance, per acta still to come and cell, in the exponential scale; `capacity` actas a
    cell, zero in a stop; `through` the share of the queue the base delay lets out in a cell. `ceiling`,
    `arrived` and `queue` are actas, one per replica.
    """

    hazard: Floats
    deviation: Floats
    capacity: Floats
    through: Floats
    ceiling: Floats
    taper: Floats
    arrived: Floats
    queue: Floats
    noise: Floats
    luck: Floats


@dataclass
class Filter:
    """What is believed of a night after the cells seen so far.

    `expected` is the size of the catalogue; hours are counted from the close of the polls.
    """

    expected: int
    prior: Prior
    seed: int = 1
    count: int = PARTICLES
    stopped: int = 0
    """Cells of total stop up to now, zero when the last one was not."""
    _state: Particles = field(init=False)
    _weights: Floats = field(init=False)
    _rng: np.random.Generator = field(init=False)
    _before: tuple[Particles, Floats] = field(init=False)
    _last: tuple[int, int | None] = (0, 0)

    def __post_init__(self) -> None:
        rng = self._rng = generator(self.seed, "filtro")
        n, prior = self.count, self.prior
        sigma = DEVIATION_MEDIAN * np.exp(DEVIATION_SPREAD * rng.standard_normal(n))
        self._state = Particles(
            level=prior.hazard[0] + prior.hazard[1] * rng.standard_normal(n),
            ramp=np.exp(prior.ramp[0] + prior.ramp[1] * rng.standard_normal(n)),
            taper=np.clip(prior.taper[0] + prior.taper[1] * rng.standard_normal(n), *TAPER_LIMITS),
            memory=MEMORY_MEDIAN_H * np.exp(MEMORY_SPREAD * rng.standard_normal(n)),
            sigma=sigma,
            delay=DELAY_MEDIAN_H * np.exp(DELAY_SPREAD * rng.standard_normal(n)),
            ceiling=_ceiling(prior, np.zeros(n), rng.random((2, n))),
            deviation=sigma * rng.standard_normal(n),
            capacity=log(self.expected) + prior.capacity[0] + prior.capacity[1] * rng.standard_normal(n),
            arrived=np.zeros(n),
            queue=np.zeros(n),
        )
        self._weights = np.full(n, 1.0 / n)
        self._before = self._state.copy(), self._weights

    def step(self, hours: float, served: int, arrived: int | None = None) -> None:
        """Learn from one cell whose middle is `hours` after the close: actas registered and, if seen,
        actas that arrived."""
        kept, kept_weights = self._state.copy(), self._weights
        state, rng = self._state, self._rng
        self._drift(state, rng.standard_normal((3, self.count)), rng.random((3, self.count)))
        left = np.maximum(state.ceiling * self.expected - state.arrived, 0.0)
        grown = speed_up(left, state.ceiling * self.expected, state.taper, state.deviation)
        coming = left * -np.expm1(-_hazard(state, hours) * grown)
        due = _leaving(state.queue + coming, state, CELL_H)
        if arrived is not None:
            due = due + coming
        if served == 0 and not arrived and float(self._weights @ due) > STOP_EVIDENCE:
            if not self.stopped:
                # The stop began inside the cell before, which taught a pace that was not the pace.
                self._state, self._weights = self._before
                self._absorb(*self._last)
            self.stopped += 1
            return
        partial, self.stopped = self.stopped > 0, 0
        self._before, self._last = (kept, kept_weights), (served, arrived)
        if partial:
            # It ended inside this one: what came and went is counted, the pace is not learnt.
            self._absorb(served, arrived)
            return
        logs = np.zeros(self.count)
        if arrived is None:
            spread = np.sqrt(PACKAGE * coming + (CELL_NOISE * coming) ** 2)
            came = np.clip(coming + spread * rng.standard_normal(self.count), 0.0, left)
        else:
            logs += _student(arrived, coming)
            came = np.full(self.count, float(arrived))
        logs += _student(served, _leaving(state.queue + came, state, CELL_H))
        # Whoever was registered had arrived: a particle that lacks actas for it is told so.
        short = np.maximum(served - state.queue - came, 0.0)
        state.arrived = state.arrived + came + short
        state.queue = state.queue + came + short - served
        self._weights = self._tempered(logs)
        if 1.0 / float(self._weights @ self._weights) < self.count / 2:
            self._resample()

    def _drift(self, state: Particles, normals: Floats, uniforms: Floats, ceiling: bool = True) -> None:
        keep = np.exp(-CELL_H / state.memory)
        state.deviation = keep * state.deviation + np.sqrt(1 - keep**2) * state.sigma * normals[0]
        state.capacity = state.capacity + DRIFT_SD * CELL_H**0.5 * normals[1]
        changes = np.flatnonzero(uniforms[0] < CHANGES_PER_H * CELL_H)
        state.level[changes] = self.prior.hazard[0] + self.prior.hazard[1] * normals[2][changes]
        if ceiling:
            came = state.arrived[changes] / self.expected
            state.ceiling[changes] = _ceiling(self.prior, came, uniforms[1:, changes])

    def _absorb(self, served: int, arrived: int | None) -> None:
        state = self._state
        came = np.full(self.count, float(served if arrived is None else arrived))
        short = np.maximum(served - state.queue - came, 0.0)
        state.arrived = state.arrived + came + short
        state.queue = state.queue + came + short - served

    def know(self, arrived: int, queue: int) -> None:
        """Set what is known for certain: actas that have arrived and actas in the queue."""
        self._state.arrived[:] = arrived
        self._state.queue[:] = queue

    def _tempered(self, logs: Floats) -> Floats:
        """The weights after a cell, whose evidence counts `TRUST` at most, and less if it would leave few."""
        trust = TRUST
        while True:
            weights: Floats = self._weights * np.exp(trust * (logs - logs.max()))
            weights /= weights.sum()
            if 1.0 / float(weights @ weights) > self.count / 10 or trust < 1e-3:
                return weights
            trust *= 0.7

    def _resample(self) -> None:
        rows = _systematic(self._weights, self.count, float(self._rng.random()))
        state = self._state = self._state.take(rows)
        self._weights = np.full(self.count, 1.0 / self.count)
        # Constants are blurred without widening them (Liu and West), or a few values would take over.
        keep = 0.98
        for name in ("level", "ramp", "taper", "memory", "sigma", "delay", "ceiling"):
            values = getattr(state, name)
            plain = name in ("level", "taper")
            free = _logit(values) if name == "ceiling" else values if plain else np.log(values)
            moved = keep * free + (1 - keep) * free.mean()
            moved += (1 - keep**2) ** 0.5 * free.std() * self._rng.standard_normal(self.count)
            setattr(state, name, _expit(moved) if name == "ceiling" else moved if plain else np.exp(moved))

    def forward(self, hours: float, cells: int, replicas: int, name: str = "adelante") -> Paths:
        """Draw the rest of the night: `cells` cells from `hours` after the close of the polls."""
        rng = generator(self.seed, f"{name}/{hours:.4f}")
        state = self._state.take(_systematic(self._weights, replicas, float(rng.random())))
        hazard = np.empty((replicas, cells))
        deviation = np.empty((replicas, cells))
        capacity = np.empty((replicas, cells))
        normals = rng.standard_normal((cells, 3, replicas))
        uniforms = rng.random((cells, 1, replicas))
        for cell in range(cells):
            self._drift(state, normals[cell], uniforms[cell], ceiling=False)
            hazard[:, cell] = _hazard(state, hours + (cell + 0.5) * CELL_H)
            deviation[:, cell] = state.deviation
            capacity[:, cell] = np.exp(state.capacity) * CELL_H
        working = 1.0 - _stopped_share(rng, replicas, cells, self.stopped > 0)
        noise = rng.gamma(1 / CELL_NOISE**2, CELL_NOISE**2, (replicas, cells))
        return Paths(
            hazard * working,
            deviation,
            capacity * working,
            -np.expm1(-CELL_H / state.delay),
            np.floor(state.ceiling * self.expected),
            state.taper,
            np.rint(state.arrived),
            np.rint(state.queue),
            noise,
            rng.random((2, replicas, cells)),
        )


def arrivals(paths: Paths) -> Floats:
    """Whole actas that arrive in each cell, by replica."""
    left = np.maximum(paths.ceiling - paths.arrived, 0.0)
    came = np.zeros_like(paths.hazard)
    for cell in range(came.shape[1]):
        grown = speed_up(left, paths.ceiling, paths.taper, paths.deviation[:, cell])
        pace = paths.hazard[:, cell] * paths.noise[:, cell] * grown
        came[:, cell] = np.minimum(left, np.floor(left * -np.expm1(-pace) + paths.luck[0][:, cell]))
        left -= came[:, cell]
    return came


def registered(came: Floats, capacity: Floats, paths: Paths) -> Floats:
    """Actas registered from now to the end of each cell when `came` arrive and `capacity` can leave."""
    queue = paths.queue.copy()
    done = np.zeros_like(came)
    for cell in range(came.shape[1]):
        queue += came[:, cell]
        done[:, cell] = out = leave(queue, capacity[:, cell], paths.through, paths.luck[1][:, cell])
        queue -= out
    return np.asarray(np.cumsum(done, axis=1))


def speed_up(left: Floats, ceiling: Floats, taper: Floats, deviation: Floats) -> Floats:
    """How many times the hazard has grown when `left` of the `ceiling` actas are still to come.

    It follows the power `taper`, and its deviation counts for more: the few places that are left average
    less than all of them did.
    """
    share = np.clip(np.maximum(left, 1.0) / np.maximum(ceiling, 1.0), 1e-3, 1.0)
    more = np.minimum(np.sqrt(1.0 + FEW_PLACES * (1.0 / share - 1.0)), MOST_DEVIATION) - 1.0
    return np.asarray(share ** (taper - 1.0) * np.exp(deviation * more))


def leave(queue: Floats, capacity: Floats, through: Floats, luck: Floats) -> Floats:
    """Whole actas that leave the queue in one cell; `luck` in [0, 1) decides the fraction of an acta."""
    open_now = np.where(capacity > 0, queue * through, 0.0)
    return np.asarray(np.minimum(queue, np.floor(np.minimum(capacity, open_now) + luck * (capacity > 0))))


def _hazard(state: Particles, hours: float) -> Floats:
    # The ramp takes a fifth of the time it takes to begin: what the known nights show, roughly.
    ramp = _expit((hours - state.ramp) / (0.2 * state.ramp))
    return np.asarray(np.exp(state.level + state.deviation) * ramp * CELL_H)


def _leaving(queue: Floats, state: Particles, cell_h: float) -> Floats:
    through = queue * -np.expm1(-cell_h / state.delay)
    return np.asarray(np.minimum(np.exp(state.capacity) * cell_h, through))


def _ceiling(prior: Prior, came: Floats, luck: Floats) -> Floats:
    """A share that will come, drawn from the prior knowing that `came` did."""
    least = np.clip(came, 0.0, 1.0) ** prior.missing
    # Inverse of the Beta(1, b), above what has come.
    some = (least + (1 - least) * luck[0]) ** (1 / prior.missing)
    whole = prior.complete / (prior.complete + (1 - prior.complete) * np.maximum(1 - least, 1e-9))
    return np.asarray(np.where(luck[1] < whole, np.maximum(came, 1 - COMPLETE * luck[0]), some))


def _student(seen: float, mean: Floats) -> Floats:
    """Log density of a count: Student of four degrees, so that one odd cell does not rule the night."""
    variance = 1.0 + PACKAGE * mean + (CELL_NOISE * mean) ** 2
    return np.asarray(-0.5 * np.log(variance) - 2.5 * np.log1p((seen - mean) ** 2 / (4 * variance)))


def _stopped_share(rng: np.random.Generator, replicas: int, cells: int, stopped: bool) -> Floats:
    """Share of each cell lost to total stops that begin at random, or that is going on now."""
    share = np.zeros((replicas, cells))
    begins = rng.random((replicas, cells)) < STOPS_PER_H * CELL_H
    lengths = STOP_MEDIAN_H * np.exp(STOP_SIGMA * rng.standard_normal((replicas, cells))) / CELL_H
    begins[:, 0] |= stopped
    for row, cell in np.argwhere(begins):
        left, at = float(lengths[row, cell]), int(cell)
        while left > 0 and at < cells:
            share[row, at] = max(share[row, at], min(1.0, left))
            left, at = left - 1.0, at + 1
    return share


def _systematic(weights: Floats, count: int, luck: float) -> Ints:
    places = (np.arange(count) + luck) / count
    rows = np.searchsorted(np.cumsum(weights), places)
    return np.asarray(np.minimum(rows, len(weights) - 1), dtype=np.int64)


def _expit(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -60, 60))))


def _logit(values: Floats) -> Floats:
    inside = np.clip(values, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))
