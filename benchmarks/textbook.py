"""The model of the textbooks, kept as a denominator: one SimPy process per acta, shared resources.

It takes what `simulator.fast.station` takes and gives the same completion times, so that only the way of
writing the model is compared. A stop is one breakdown per server that takes it away from whoever
has it; who comes off shift asks for a server and sits on it. Nothing outside the benchmarks uses it.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import simpy
from simpy.events import Event

from simulator.fast.kernel import Pool

_OFF, _BROKEN, _RESUMED, _QUEUED = -2, -1, 0, 1
"""Who gets a server first: whoever comes off shift, breakdowns, interrupted actas, the queue."""


def play(arrivals: Sequence[int], stages: Sequence[tuple[Sequence[int], Pool]]) -> list[list[int]]:
    """The same arguments and answer as `simulator.fast.station.play`."""
    env = simpy.Environment()
    rooms = [simpy.PreemptiveResource(env, max(pool.servers)) for _, pool in stages]
    done = [[0] * len(arrivals) for _ in stages]
    for (_, pool), room in zip(stages, rooms, strict=True):
        for start, end in pool.stops:
            for _ in range(max(pool.servers)):
                env.process(_breakdown(env, room, start, end))
        for start, end, missing in _absences(pool):
            for _ in range(missing):
                env.process(_off_shift(env, room, start, end))

    def acta(number: int) -> Generator[Event, object, None]:
        yield env.timeout(arrivals[number])
        for (work, _), room, times in zip(stages, rooms, done, strict=True):
            left = work[number]
            # Two that come in one ms go by number, as in the other engines.
            place: tuple[int, ...] = (_QUEUED, int(env.now), number)
            while left:
                with room.request(priority=place, preempt=False) as server:  # type: ignore[arg-type]
                    yield server
                    begun = int(env.now)
                    try:
                        yield env.timeout(left)
                        left = 0
                    except simpy.Interrupt:
                        left -= int(env.now) - begun
                        place = (_RESUMED, number)
            times[number] = int(env.now)

    for number in range(len(arrivals)):
        env.process(acta(number))
    env.run()
    return done


def _absences(pool: Pool) -> list[tuple[int, int, int]]:
    """(from, until, servers missing from the most there ever are)."""
    most = max(pool.servers)
    ends = (*pool.starts[1:], 1 << 40)
    return [
        (start, end, most - servers)
        for start, end, servers in zip(pool.starts, ends, pool.servers, strict=True)
        if servers < most
    ]


def _breakdown(
    env: simpy.Environment, room: simpy.PreemptiveResource, start: int, end: int
) -> Generator[Event, object, None]:
    yield env.timeout(start)
    with room.request(priority=(_BROKEN,), preempt=True) as server:  # type: ignore[arg-type]
        yield server | env.timeout(end - start)
        yield env.timeout(end - int(env.now))


def _off_shift(
    env: simpy.Environment, room: simpy.PreemptiveResource, start: int, end: int
) -> Generator[Event, object, None]:
    yield env.timeout(start)
    with room.request(priority=(_OFF,), preempt=False) as server:  # type: ignore[arg-type]
        yield server | env.timeout(end - start)
        yield env.timeout(end - int(env.now))
