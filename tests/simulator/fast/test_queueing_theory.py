"""Both engines, kernel and SimPy, against the closed forms of queueing theory.

Each case plays several long runs with fixed seeds, throws the beginning of each away and asks that
the closed form lie within the 99 % interval of the mean of the runs, and that the interval be narrow
enough to say something. SimPy, far slower, plays shorter runs, so its intervals are wider.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, factorial, log
from statistics import mean, stdev
from typing import NamedTuple

import pytest

from simulator.fast.kernel import Pool, tandem
from simulator.fast.station import play
from simulator.seeds import Seeds

Stages = Sequence[tuple[Sequence[int], Pool]]


class Player(NamedTuple):
    """An engine, how long a run it plays and how wide an interval that allows, relative to the answer."""

    play: Callable[[Sequence[int], Stages], list[list[int]]]
    actas: int
    width: float


KERNEL = Player(tandem, 60_000, 0.12)
SIMPY = Player(play, 12_000, 0.25)
BOTH = pytest.mark.parametrize("player", [KERNEL, SIMPY], ids=["kernel", "SimPy"])
RUNS, WARM_UP = 12, 4_000
T_99 = 3.106
"""Two-sided 99 % quantile of Student's t with RUNS - 1 degrees of freedom."""
SERVICE_MS = 60_000.0


def exponentials(seeds: Seeds, name: str, mean_ms: float, count: int) -> list[int]:
    # Rounding to whole ms moves a mean of a minute by less than one part in a hundred thousand.
    return [max(1, round(-mean_ms * log(1.0 - u))) for u in seeds.uniforms(name, count)]


def poisson_arrivals(seeds: Seeds, gap_ms: float, count: int) -> list[int]:
    at, times = 0.0, []
    for u in seeds.uniforms("llegadas", count):
        at -= gap_ms * log(1.0 - u)
        times.append(round(at))
    return times


def mean_wait(arrivals: Sequence[int], work: Sequence[int], done: Sequence[int]) -> float:
    waits = [d - a - w for a, w, d in zip(arrivals, work, done, strict=True)]
    return mean(waits[WARM_UP:])


def erlang_c(servers: int, load: float) -> float:
    """Probability of waiting in M/M/c with `load` Erlangs."""
    last = load**servers / factorial(servers) * servers / (servers - load)
    return last / (sum(load**k / factorial(k) for k in range(servers)) + last)


def assert_agrees(measured: list[float], exact: float, width: float) -> None:
    half = T_99 * stdev(measured) / len(measured) ** 0.5
    assert half < width * exact, "the interval is too wide to say anything"
    assert abs(mean(measured) - exact) <= half


@pytest.mark.parametrize(
    ("player", "servers", "use"),
    [(KERNEL, 1, 0.7), (KERNEL, 3, 0.8), (KERNEL, 20, 0.9), (SIMPY, 3, 0.8)],
    ids=["kernel-1", "kernel-3", "kernel-20", "SimPy-3"],
)
def test_m_m_c_waits_what_erlang_says(player: Player, servers: int, use: float) -> None:
    measured = []
    for run in range(RUNS):
        seeds = Seeds(100 + run)
        arrivals = poisson_arrivals(seeds, SERVICE_MS / servers / use, player.actas)
        work = exponentials(seeds, "captura", SERVICE_MS, player.actas)
        (done,) = player.play(arrivals, [(work, Pool((servers,)))])
        measured.append(mean_wait(arrivals, work, done))
    exact = erlang_c(servers, servers * use) * SERVICE_MS / (servers * (1 - use))
    assert_agrees(measured, exact, player.width)


@pytest.mark.parametrize(
    ("player", "shape"),
    [(KERNEL, "constante"), (KERNEL, "lognormal"), (SIMPY, "lognormal")],
    ids=["kernel-constante", "kernel-lognormal", "SimPy-lognormal"],
)
def test_m_g_1_waits_what_pollaczek_and_khinchine_say(player: Player, shape: str) -> None:
    use, sigma = 0.7, 0.6
    measured = []
    for run in range(RUNS):
        seeds = Seeds(200 + run)
        arrivals = poisson_arrivals(seeds, SERVICE_MS / use, player.actas)
        if shape == "constante":
            work = [round(SERVICE_MS)] * player.actas
        else:
            work = seeds.lognormal_ms("captura", player.actas, SERVICE_MS * exp(-(sigma**2) / 2), sigma)
        (done,) = player.play(arrivals, [(work, Pool((1,)))])
        measured.append(mean_wait(arrivals, work, done))
    variation = 0.0 if shape == "constante" else exp(sigma**2) - 1
    exact = use / (1 - use) * SERVICE_MS * (1 + variation) / 2
    assert_agrees(measured, exact, player.width)


@BOTH
def test_a_tandem_of_m_m_c_queues_waits_at_each_stage_as_if_alone(player: Player) -> None:
    # Burke: what leaves an M/M/c in equilibrium is again Poisson.
    clerks, checkers, checking = 4, 2, 24_000.0
    gap = SERVICE_MS / clerks / 0.75
    first, second = [], []
    for run in range(RUNS):
        seeds = Seeds(300 + run)
        arrivals = poisson_arrivals(seeds, gap, player.actas)
        capture = exponentials(seeds, "captura", SERVICE_MS, player.actas)
        verify = exponentials(seeds, "verificacion", checking, player.actas)
        stages = [(capture, Pool((clerks,))), (verify, Pool((checkers,)))]
        captured, verified = player.play(arrivals, stages)
        first.append(mean_wait(arrivals, capture, captured))
        second.append(mean_wait(captured, verify, verified))
    load = SERVICE_MS / gap
    assert_agrees(first, erlang_c(clerks, load) * SERVICE_MS / (clerks - load), player.width)
    load = checking / gap
    assert_agrees(second, erlang_c(checkers, load) * checking / (checkers - load), player.width)
