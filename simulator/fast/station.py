"""The same pools as `simulator.fast.kernel`, played with SimPy: the second opinion.

One process per server, a deque as the queue and one wake event per idle server. For: proving that both
engines are one model (`python -m simulator.fast.station --actas 510000` does it at national size). It is a
bare station on arrays; the night with people, links and decisions is `simulator.night.centre`.
"""

from __future__ import annotations

import argparse
import time
from array import array
from collections import deque
from collections.abc import Callable, Generator, Sequence

import simpy
from simpy.events import Event
from simpy.exceptions import Interrupt

from simulator.fast.kernel import Pool, fingerprint, tandem
from simulator.seeds import Seeds

_LATE: int = 2
"""After everything else of the same instant (SimPy's own are 0 and 1): whoever ended has ended."""

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def _late(env: simpy.Environment, at: int, call: Callable[[], None]) -> None:
    """Call something at a moment, once the rest of that instant is over."""
    event = Event(env)
    event._ok = True
    event._value = None
    assert event.callbacks is not None
    event.callbacks.append(lambda _: call())
    env.schedule(event, priority=_LATE, delay=at - env.now)  # type: ignore[arg-type]


class Station:
    """One FIFO pool. `ended(acta)` is called as each acta completes; `done` has the times (ms)."""

    def __init__(
        self, env: simpy.Environment, work: Sequence[int], pool: Pool, ended: Callable[[int], None]
    ) -> None:
        # Compact arrays: in a national night numbers scattered over the memory cost more than the model.
        self.done = array("q", bytes(8 * len(work)))
        self._env, self._work, self._pool, self._ended = env, array("q", work), pool, ended
        self._arrived: list[int] = []
        self._queue: deque[int] = deque()
        self._idle: deque[Event] = deque()
        self._busy: set[int] = set()
        self._given = 0
        self._asked = -1
        self._back: Event = env.event()
        self._servers = [env.process(self._server(k)) for k in range(max(pool.servers))]
        for at in pool.starts:
            if at >= env.now:
                _late(env, at, self._begin_what_can)
        for start, end in pool.stops:
            _late(env, start, self._stop)
            _late(env, end, self._resume)

    def put(self, acta: int) -> None:
        """An acta arrives."""
        self._arrived.append(acta)
        self._ask()

    def _ask(self) -> None:
        if self._asked != self._env.now:
            self._asked = int(self._env.now)
            _late(self._env, self._asked, self._begin_what_can)

    def _begin_what_can(self) -> None:
        """Give actas to idle servers, in order; at the end of an instant, so ties are by acta."""
        self._asked = -1
        self._arrived.sort()
        self._queue.extend(self._arrived)
        self._arrived.clear()
        now = int(self._env.now)
        if self._pool.stopped_at(now):
            return
        free = self._pool.servers_at(now) - self._given
        while free > 0 and self._queue and self._idle:
            self._idle.popleft().succeed(self._queue.popleft())
            self._given += 1
            free -= 1

    def _server(self, number: int) -> Generator[Event, object, None]:
        env = self._env
        while True:
            wake = env.event()
            self._idle.append(wake)
            acta = yield wake
            assert isinstance(acta, int)
            self._busy.add(number)
            left = self._work[acta]
            while left:
                begun = int(env.now)
                try:
                    yield env.timeout(left)
                    left = 0
                except Interrupt:
                    left -= int(env.now) - begun
                    yield self._back
            self._busy.discard(number)
            self._given -= 1
            self.done[acta] = int(env.now)
            self._ended(acta)
            self._ask()

    def _stop(self) -> None:
        for number in sorted(self._busy):
            self._servers[number].interrupt()

    def _resume(self) -> None:
        back, self._back = self._back, self._env.event()
        back.succeed()
        self._ask()


def _arrive(
    env: simpy.Environment, arrivals: Sequence[int], put: Callable[[int], None]
) -> Generator[Event, object, None]:
    order = sorted(range(len(arrivals)), key=arrivals.__getitem__)
    moments = array("q", (arrivals[acta] for acta in order))
    for acta, at in zip(array("q", order), moments, strict=True):
        if at > env.now:
            yield env.timeout(at - int(env.now))
        put(acta)


def play(arrivals: Sequence[int], stages: Sequence[tuple[Sequence[int], Pool]]) -> list[list[int]]:
    """The arguments and answer of `simulator.fast.kernel.tandem`, by events. Arrivals are not negative."""
    env = simpy.Environment()
    stations: list[Station] = []
    after: Callable[[int], None] = lambda acta: None  # noqa: E731
    for work, pool in reversed(stages):
        stations.insert(0, Station(env, work, pool, after))
        after = stations[0].put
    env.process(_arrive(env, arrivals, after))
    env.run()
    return [station.done.tolist() for station in stations]


def compiled_tandem(arrivals: Sequence[int], stages: Sequence[tuple[Sequence[int], Pool]]) -> list[list[int]]:
    """`simulator.fast.kernel.tandem` on the compiled loop. Raises UsageError without the extra `rapido`."""
    from simulator.fast.compiled import kernels

    answer: list[list[int]] = []
    times = arrivals
    for work, pool in stages:
        times = kernels(True).serve(times, work, pool)
        answer.append(times)
    return answer


def night(actas: int, seed: int = 2027) -> tuple[list[int], list[tuple[list[int], Pool]]]:
    """A made-up night of that many actas: arrivals, and capture and verification with stops and shifts."""
    seeds = Seeds(seed)
    arrivals = [int(8 * HOUR_MS * u) for u in seeds.uniforms("llegada", actas)]
    capture = seeds.lognormal_ms("captura", actas, 90_000, 0.5)
    verify = seeds.lognormal_ms("verificacion", actas, 25_000, 0.7)
    clerks, checkers = max(2, actas // 290), max(1, actas // 950)
    stops = tuple((k * HOUR_MS + 17 * MINUTE_MS, k * HOUR_MS + 29 * MINUTE_MS) for k in (1, 3, 6))
    return arrivals, [
        (capture, Pool((clerks, clerks * 2 // 3, clerks), (0, 3 * HOUR_MS, 5 * HOUR_MS), stops)),
        (verify, Pool((checkers,), (0,), stops[1:2])),
    ]


def main() -> None:
    """Compare both engines: `python -m simulator.fast.station --actas 510000`."""
    parser = argparse.ArgumentParser(description="Compara el núcleo rápido con SimPy.")
    parser.add_argument("--actas", type=int, default=20_000)
    parser.add_argument("--semilla", type=int, default=2027)
    parser.add_argument("--compilado", action="store_true", help="también el núcleo compilado (extra rapido)")
    args = parser.parse_args()
    arrivals, stages = night(args.actas, args.semilla)
    engines = [("núcleo", tandem), ("SimPy", play)]
    if args.compilado:
        # Compiling is paid for before the clock starts.
        compiled_tandem(*night(100))
        engines.insert(0, ("compilado", compiled_tandem))
    hashes = []
    for name, engine in engines:
        begun = time.perf_counter()
        times = engine(arrivals, stages)
        spent = time.perf_counter() - begun
        hashes.append(fingerprint(times))
        print(f"{name:9} {args.actas:,} actas en {spent:.3f} s  SHA-256 {hashes[-1]}")
    print("iguales" if len(set(hashes)) == 1 else "DISTINTOS")
    raise SystemExit(len(set(hashes)) != 1)


if __name__ == "__main__":
    main()
