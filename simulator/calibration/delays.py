"""The delays that occupy nobody: measured by contest and by moment of the night, and drawn again.

An acta of an ayuntamiento was verified in half the time of one of gubernatura: a delay is that of the actas
of one contest, or what comes late in the night (mostly of one contest) would take the delay of others.
Delays are working time: the total stops are taken out of them, for the model puts them back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.published.analysis import MINUTE_MS
from simulator.calibration.traced import Bools, Ints, Texts
from simulator.seeds import Seeds

HALF_HOUR_MS = 30 * MINUTE_MS
FEWEST = 20
"""Actas with which a median is worth measuring or judging."""
ANY = ""
"""The contest of a delay that is that of all the actas."""
QUANTILES = 101

Luck = Callable[[int], NDArray[np.float64]]
"""Gives so many numbers in [0, 1)."""


@dataclass(frozen=True)
class Base:
    """The delay of the actas of a contest: 101 quantiles (ms) at moments of the night, a line between them.

    `actas` are those behind each moment.
    """

    contest: str
    at_ms: tuple[int, ...]
    actas: tuple[int, ...]
    quantiles: tuple[tuple[int, ...], ...]

    def drawn(self, times: Ints, uniforms: NDArray[np.float64]) -> Ints:
        """The delay (ms) of each acta that enters at a time with its luck in [0, 1)."""
        table = np.array(self.quantiles, dtype="float64")
        place = np.interp(times, self.at_ms, np.arange(len(self.at_ms)))
        row = np.minimum(place.astype("int64"), max(0, len(table) - 2))
        part = place - row
        following = np.minimum(row + 1, len(table) - 1)
        luck = uniforms * 100
        low = luck.astype("int64")
        rest = luck - low
        high = np.minimum(low + 1, 100)
        one = table[row, low] * (1 - rest) + table[row, high] * rest
        two = table[following, low] * (1 - rest) + table[following, high] * rest
        delays: Ints = (one * (1 - part) + two * part).astype("int64")
        return delays


Bases = tuple[Base, ...]
"""One by contest."""


def drawn(bases: Bases, contests: Texts, times: Ints, luck: Luck) -> Ints:
    """The delay (ms) of each acta that enters at a time; a contest without a base takes the first one."""
    delays = np.zeros(len(times), dtype="int64")
    own = {base.contest: base for base in bases}
    for contest in np.unique(contests):
        rows = np.flatnonzero(contests == contest)
        # In the order in which they enter, so that any stretch of a contest has evenly spread luck.
        rows = rows[np.argsort(times[rows], kind="stable")]
        delays[rows] = own.get(str(contest), bases[0]).drawn(times[rows], luck(len(rows)))
    return delays


def even_luck(seed: int, stage: str, step: float) -> Luck:
    """Evenly spread numbers from a drawn beginning: any stretch of them has hardly any chance in it."""
    begin = Seeds(seed).stream(f"calibrar/{stage}").random()
    return lambda count: np.mod(begin + step * np.arange(count), 1.0)


def measured(contests: Texts, entered: Ints, delays: Ints, usable: Bools, work_ms: int = 0) -> Bases:
    """The delays of the usable actas by contest, `work_ms` taken out of each.

    Raises UsageError when no contest has actas enough.
    """
    found = []
    for contest in np.unique(contests):
        rows = np.flatnonzero(usable & (contests == contest))
        if len(rows) >= FEWEST:
            found.append(_of_one(str(contest), entered[rows], delays[rows] - work_ms))
    if not found:
        raise UsageError("ninguna media hora de ajuste estuvo sin cola: no se puede medir la demora de base")
    return tuple(found)


def _of_one(contest: str, entered: Ints, delays: Ints) -> Base:
    """Half hour by half hour; those with few actas are put together with the following ones."""
    halves = entered // HALF_HOUR_MS
    groups: list[NDArray[np.int64]] = []
    for half in np.unique(halves):
        rows = np.flatnonzero(halves == half)
        if groups and len(groups[-1]) < FEWEST:
            groups[-1] = np.concatenate([groups[-1], rows])
        else:
            groups.append(rows)
    if len(groups) > 1 and len(groups[-1]) < FEWEST:
        groups[-2:] = [np.concatenate(groups[-2:])]
    return Base(
        contest,
        tuple(int(np.median(entered[rows])) for rows in groups),
        tuple(len(rows) for rows in groups),
        tuple(_quantiles(np.percentile(delays[rows], np.arange(QUANTILES))) for rows in groups),
    )


def _quantiles(values: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(max(0, int(value)) for value in values)


def pooled(bases: Bases) -> Bases:
    """The delay of all the actas of the night, whatever their contest and moment: what can be lent."""
    values = np.array([row for base in bases for row in base.quantiles], dtype="float64")
    weights = np.repeat([count for base in bases for count in base.actas], QUANTILES).astype("float64")
    order = np.argsort(values.ravel(), kind="stable")
    share = np.cumsum(weights[order]) - weights[order] / 2
    found = np.interp(np.arange(QUANTILES) / 100, share / weights.sum(), values.ravel()[order])
    return (Base(ANY, (0,), (sum(sum(base.actas) for base in bases),), (_quantiles(found),)),)
