"""The loops of `loops` ready to run: compiled where the extra is installed, or in plain Python.

`kernels(True)` compiles them with numba (extra `rapido`) and feeds them arrays; `kernels(False)` runs
the very same functions on lists. Both take and give numpy arrays, and the same whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from simulator.fast.kernel import NEVER, Pool
from simulator.fast.loops import loop_capture, loop_groups, loop_links, loop_servers, loop_shuffle
from simulator.seeds import Seeds

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]


class StopClock:
    """`kernel.WorkClock` on arrays. `stops` are (start, end) in ms, in order and apart."""

    def __init__(self, stops: Sequence[tuple[int, int]]) -> None:
        self._starts = np.array([start for start, _ in stops], dtype=np.int64)
        self._ends = np.array([end for _, end in stops], dtype=np.int64)
        self._lost = np.concatenate(([0], np.cumsum(self._ends - self._starts)))
        self._frozen = self._starts - self._lost[:-1]

    def work(self, at: Ints) -> Ints:
        """Working time at each moment; the whole of a stop is one instant of it."""
        k = np.searchsorted(self._starts, at, side="right")
        inside = (k > 0) & (at < np.concatenate(([0], self._ends))[k])
        return np.where(inside, np.concatenate(([0], self._frozen))[k], at - self._lost[k])

    def wall(self, worked: Ints) -> Ints:
        """The first moment of each working time."""
        answer: Ints = worked + self._lost[np.searchsorted(self._frozen, worked, side="left")]
        return answer

    def moved(self, begin: Ints, end: Ints) -> Ints:
        """When what lasts from each `begin` to its `end` was last set in motion: then, or after a stop."""
        last = np.searchsorted(self._ends, end, side="left")
        return np.maximum(begin, np.concatenate(([-NEVER], self._ends))[last])


@dataclass(frozen=True)
class Kernels:
    """The loops, compiled or not, on numpy arrays either way."""

    compiled: bool
    shuffle_loop: Callable[..., Any]
    servers_loop: Callable[..., Any]
    groups_loop: Callable[..., Any]
    links_loop: Callable[..., Any]
    capture_loop: Callable[..., Any]

    def order(self, seeds: Seeds, name: str, items: Ints) -> Ints:
        """`Seeds.order`, the same numbers."""
        if not self.compiled:
            return np.array(seeds.order(name, items.tolist()), dtype=np.int64)
        words = 2 * items.size + 64
        while True:
            shuffled = items.copy()
            if self.shuffle_loop(shuffled, seeds.word_array(name, words).astype(np.int64)):
                return shuffled
            words *= 2

    def serve(self, arrivals: Sequence[int], work: Sequence[int], pool: Pool) -> list[int]:
        """The same arguments, answer and errors as `simulator.fast.kernel.serve`."""
        came, takes = np.asarray(arrivals, dtype=np.int64), np.asarray(work, dtype=np.int64)
        if came.size != takes.size:
            raise UsageError("cada acta necesita una llegada y una duración")
        if takes.size and takes.min() < 1:
            raise UsageError("las duraciones deben ser de al menos 1 ms")
        clock = StopClock(pool.stops)
        changes = {-NEVER: pool.servers[0]}
        at_work = clock.work(np.array(pool.starts, dtype=np.int64)).tolist()
        changes.update(zip(at_work, pool.servers, strict=True))
        order = np.argsort(came, kind="stable")
        end = self._blank(came.size)
        served = self.servers_loop(
            self._give(clock.work(came[order])), self._give(takes[order]),
            self._give(np.array(list(changes.values()))), self._give(np.array([*changes, NEVER])), end,
        )  # fmt: skip
        if served < came.size:
            raise UsageError("hay actas en espera y ningún servidor vuelve: el grupo termina en cero")
        done = np.empty(came.size, dtype=np.int64)
        done[order] = clock.wall(self._take(end))
        answer: list[int] = done.tolist()
        return answer

    def groups(self, first: Ints, servers: Ints, at: Ints, work: Ints) -> tuple[Ints, Ints]:
        """`loop_groups`: when each job begins and ends."""
        begin, end = self._blank(at.size), self._blank(at.size)
        self.groups_loop(*map(self._give, (first, servers, at, work)), begin, end)
        return self._take(begin), self._take(end)

    def links(
        self, first: Ints, steps: Ints, times: Ints, rates: Floats, delays: Ints, at: Ints, work: Ints
    ) -> tuple[Ints, Ints]:
        """`loop_links`: when each shipment begins and ends, NEVER when it does not."""
        begin, end = self._blank(at.size), self._blank(at.size)
        self.links_loop(*map(self._give, (first, steps, times, rates, delays, at, work)), begin, end)
        return self._take(begin), self._take(end)

    def capture(self, until: int, resolvers: int, resolve: Ints, *groups: Sequence[Any]) -> tuple[Ints, Ints]:
        """`loop_capture` on its arrays in order: registered times (NEVER when not), and the tally."""
        registered = self._give(np.full(resolve.size, NEVER, dtype=np.int64))
        tally = self._blank(5)
        arrays = [self._give(array) for group in groups for array in group]
        self.capture_loop(until, *arrays, resolvers, self._give(resolve), registered, tally)
        return self._take(registered), self._take(tally)

    def _give(self, array: Any) -> Any:
        return array if self.compiled else array.tolist()

    def _blank(self, size: int) -> Any:
        return np.zeros(size, dtype=np.int64) if self.compiled else [0] * size

    def _take(self, values: Any) -> Ints:
        return np.asarray(values, dtype=np.int64)


def compiled_here() -> bool:
    """Is the extra `rapido` installed?"""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


@cache
def kernels(compiled: bool | None = None) -> Kernels:
    """The loops: compiled, plain, or (None) compiled where they can be.

    Raises UsageError when they are asked for compiled and the extra is not installed.
    """
    loops: list[Any] = [loop_shuffle, loop_servers, loop_groups, loop_links, loop_capture]
    if compiled is None:
        compiled = compiled_here()
    if compiled:
        try:
            from numba import njit
        except ImportError as error:
            raise UsageError(
                "el núcleo compilado necesita el extra «rapido» (numba); sin él corre en Python"
            ) from error
        loops = [njit(cache=True)(loop) for loop in loops]
    return Kernels(compiled, *loops)
