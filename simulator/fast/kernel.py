"""The fast kernel: FIFO pools of servers in tandem, worked out without an event list.

For: Monte Carlo, staffing and calibration, where a night must cost milliseconds. Times and durations
are integer milliseconds and the result is exact: `simulator.fast.station` plays the same pools with SimPy,
one process per server, and gives the same completion times to the last millisecond.

What it can express: one FIFO queue per pool, a number of servers that changes at known moments, total
stops known in advance. It does NOT decide anything during the night (priorities, transfers that depend
on the queue, people, faults injected live): that is the business of the SimPy model.

Semantics, chosen once for both engines:

- Order is by arrival, then by position in the input.
- A server that leaves finishes its acta (finish-current): when the number falls, nobody is interrupted
  and no other acta begins until fewer are at work than servers remain.
- A total stop [start, end) freezes work in hand, which goes on afterwards with what it lacked
  (preempt-resume), and nothing begins in it. What would end at its very beginning has ended.
- A change of servers inside a stop applies when the stop ends.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from itertools import pairwise

from core.errors import UsageError

NEVER = 1 << 62
"""Later than any moment of any night."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The servers of one stage through the night.

    `servers[k]` are at work from `starts[k]` (ms, increasing) until the next start; before the first
    start the first number already applies. `stops` are (start, end) pairs in ms, in order and apart.
    Raises UsageError when they are not so.
    """

    servers: tuple[int, ...]
    starts: tuple[int, ...] = (0,)
    stops: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if not self.servers or len(self.servers) != len(self.starts):
            raise UsageError("un grupo de servidores necesita un número de servidores por cada inicio")
        if any(count < 0 for count in self.servers):
            raise UsageError("el número de servidores no puede ser negativo")
        if any(b <= a for a, b in pairwise(self.starts)):
            raise UsageError("los inicios de los turnos deben ir en orden creciente")
        edges = [edge for stop in self.stops for edge in stop]
        if any(b <= a for a, b in pairwise(edges)):
            raise UsageError("los paros deben ir en orden, sin tocarse y con el fin después del inicio")

    def servers_at(self, at: int) -> int:
        """Servers at work at a moment, stops apart."""
        return self.servers[max(0, bisect_right(self.starts, at) - 1)]

    def stopped_at(self, at: int) -> bool:
        """True inside a stop: its start included, its end not."""
        k = bisect_right(self.stops, (at, NEVER)) - 1
        return k >= 0 and at < self.stops[k][1]


class WorkClock:
    """The clock that stands still during the stops, so that the recursion need not know of them."""

    def __init__(self, stops: Sequence[tuple[int, int]]) -> None:
        self._starts = [start for start, _ in stops]
        self._ends = [end for _, end in stops]
        self._lost = [0]
        self._frozen: list[int] = []
        for start, end in stops:
            self._frozen.append(start - self._lost[-1])
            self._lost.append(self._lost[-1] + end - start)

    def work(self, at: int) -> int:
        """Working time at a moment; the whole of a stop is one instant of it."""
        k = bisect_right(self._starts, at)
        if k and at < self._ends[k - 1]:
            return self._frozen[k - 1]
        return at - self._lost[k]

    def wall(self, worked: int) -> int:
        """The first moment of that working time: what ends as a stop begins ended before it."""
        return worked + self._lost[bisect_left(self._frozen, worked)]


def serve(arrivals: Sequence[int], work: Sequence[int], pool: Pool) -> list[int]:
    """Completion time of every acta in one FIFO pool: Kiefer and Wolfowitz's recursion.

    `arrivals` and `work` (ms; at least 1) are indexed by acta; so is the answer. The state is the heap of
    moments at which the servers at work become free, so an acta costs one heap operation. Raises
    UsageError when a duration is not positive or when actas would wait for ever without servers.
    """
    if len(arrivals) != len(work):
        raise UsageError("cada acta necesita una llegada y una duración")
    if work and min(work) < 1:
        raise UsageError("las duraciones deben ser de al menos 1 ms")
    clock = WorkClock(pool.stops)
    to_work, to_wall = (clock.work, clock.wall) if pool.stops else (int, int)
    # Changes inside a stop fall on one instant of working time: the last one is the one that counts.
    changes = {-NEVER: pool.servers[0]}
    changes.update((to_work(at), count) for at, count in zip(pool.starts, pool.servers, strict=True))
    bounds = [*changes, NEVER]
    counts = list(changes.values())
    capacity, segment, bound = counts[0], 0, bounds[1]
    done = [0] * len(arrivals)
    busy: list[int] = []
    now = -NEVER
    for acta in sorted(range(len(arrivals)), key=arrivals.__getitem__):
        at = to_work(arrivals[acta])
        if at > now:
            now = at
        while True:
            while now >= bound:
                segment += 1
                capacity, bound = counts[segment], bounds[segment + 1]
            # Servers already free may still be in the heap: they only make it look fuller.
            if len(busy) < capacity:
                end = now + work[acta]
                heappush(busy, end)
                break
            if busy and busy[0] <= now:
                if len(busy) == capacity:
                    end = now + work[acta]
                    heapreplace(busy, end)
                    break
                heappop(busy)
                continue
            now = min(busy[0] if busy else NEVER, bound)
            if now == NEVER:
                raise UsageError("hay actas en espera y ningún servidor vuelve: el grupo termina en cero")
        done[acta] = to_wall(end)
    return done


def hold(times: Sequence[int], delays: Sequence[int], stops: Sequence[tuple[int, int]] = ()) -> list[int]:
    """Each time plus its delay (ms), which stands still during the stops and occupies no server."""
    clock = WorkClock(stops)
    if not stops:
        return [at + delay for at, delay in zip(times, delays, strict=True)]
    return [
        clock.wall(clock.work(at) + delay) if delay else at for at, delay in zip(times, delays, strict=True)
    ]


def tandem(arrivals: Sequence[int], stages: Sequence[tuple[Sequence[int], Pool]]) -> list[list[int]]:
    """Completion times of every stage, one list per stage: each stage's completions feed the next.

    `stages` are (work, pool) in order: capture and verification.
    """
    answer: list[list[int]] = []
    times = arrivals
    for work, pool in stages:
        times = serve(times, work, pool)
        answer.append(times)
    return answer


def fingerprint(stages: Sequence[Sequence[int]]) -> str:
    """SHA-256 of the completion times (64-bit integers, machine order of the common machines)."""
    digest = hashlib.sha256()
    for times in stages:
        digest.update(array("q", times).tobytes())
    return digest.hexdigest()
