"""The clock of a live night, and the thread that writes for it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import simpy

from core.domain.commands import AnyCommand, CloseOperation
from core.errors import UsageError
from simulator.live.environment import LiveEnvironment, plan
from simulator.live.writer import OrderedWriter
from simulator.night.model import Process

MINUTE = 60_000


@contextmanager
def running(env: LiveEnvironment, until: int) -> Iterator[threading.Thread]:
    """The environment runs in another thread, as the clock does; it is waited for at the end."""

    def run() -> None:
        env.run(until=until)
        env.end()

    thread = threading.Thread(target=run)
    env.pace_from(0)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(30)
        assert not thread.is_alive()


def ticking(env: simpy.Environment, every: int, seen: list[Any]) -> None:
    def tick() -> Process:
        while True:
            yield env.timeout(every)
            seen.append(env.now)

    env.process(tick())


def test_events_happen_at_their_real_time() -> None:
    env = LiveEnvironment(speed=600)
    seen: list[int] = []
    ticking(env, MINUTE, seen)
    before = time.perf_counter()
    env.pace_from(0)
    env.run(until=5 * MINUTE)
    taken = time.perf_counter() - before
    assert seen == [MINUTE * number for number in range(1, 5)]
    assert 0.5 <= taken < 2
    assert env.lag.as_data()["medidas"] == 5


def test_until_it_is_told_from_where_it_does_not_wait() -> None:
    env = LiveEnvironment(speed=1)
    seen: list[int] = []
    ticking(env, MINUTE, seen)
    before = time.perf_counter()
    env.run(until=1000 * MINUTE)
    env.pace_from(1200 * MINUTE)
    env.run(until=1200 * MINUTE)
    assert time.perf_counter() - before < 1
    assert len(seen) == 1199
    assert not env.paced


def test_pause_and_change_of_speed_move_the_end_as_they_should() -> None:
    env = LiveEnvironment(speed=600)
    seen: list[int] = []
    ticking(env, 6_000, seen)
    before = time.perf_counter()
    with running(env, 4 * MINUTE):
        time.sleep(0.1)
        env.pause()
        still = env.virtual_ms
        time.sleep(0.1)
        count = len(seen)
        time.sleep(0.2)
        assert len(seen) == count
        assert env.virtual_ms == still
        env.resume()
        time.sleep(0.1)
        env.set_speed(60_000)
    # 0.1 s, a pause of 0.3, 0.1 more and the rest at a hundred times the speed.
    assert 0.5 <= time.perf_counter() - before < 2
    assert len(seen) == 39


def test_an_injection_takes_effect_at_once_also_in_a_pause() -> None:
    env = LiveEnvironment(speed=60)
    ticking(env, 1_000, [])
    with running(env, MINUTE):
        first = env.inject(lambda at: (at, env.now)).result(1)
        env.pause()
        before = env.virtual_ms
        second, third = env.inject(lambda at: at), env.inject(lambda at: at)
        assert isinstance(second.result(1), int)
        assert abs(int(str(second.result(1))) - before) <= 1
        assert third.result(1) in (second.result(1), int(str(second.result(1))) + 1)
        env.resume()
        env.set_speed(100_000)
    assert isinstance(first, tuple)
    assert first[0] == first[1]
    assert env.injection.most < 500
    with pytest.raises(UsageError, match="ya terminó"):
        env.inject(lambda at: at)


def test_what_was_injected_is_repeated_exactly_at_its_virtual_ms() -> None:
    """The same trace, with ties at every instant, whether injected live or planned beforehand."""

    def model(env: simpy.Environment, trace: list[Any]) -> Any:
        queue: simpy.Store = simpy.Store(env)
        draw = random.Random(7)

        def producer(name: int) -> Process:
            while True:
                yield env.timeout(draw.choice((1, 2, 3, 5)) * 10)
                trace.append((env.now, "pone", name))
                yield queue.put(name)

        def consumer(name: int) -> Process:
            while True:
                item = yield queue.get()
                trace.append((env.now, "toma", name, item))
                yield env.timeout(20)

        for number in range(4):
            env.process(producer(number))
            env.process(consumer(number))

        def inject(name: int) -> None:
            trace.append((env.now, "inyecta", name))
            queue.put(100 + name)
            env.process(consumer(100 + name))

        return inject

    live = LiveEnvironment(speed=40)
    first: list[Any] = []
    inject = model(live, first)
    applied: list[tuple[int, int]] = []

    def injected(number: int) -> Any:
        def apply(at: int) -> None:
            applied.append((at, number))
            inject(number)

        return apply

    with running(live, 20_000):
        for number in range(40):
            live.inject(injected(number))
            if number % 3:
                time.sleep(0.01)
    assert len(applied) == 40
    again: list[Any] = []
    env = simpy.Environment()
    repeat = model(env, again)
    for at, number in applied:
        plan(env, at, lambda number=number: repeat(number))  # type: ignore[misc]
    env.run(until=20_000)
    assert again == first


def test_an_instruction_that_cannot_be_done_is_told_and_the_night_goes_on() -> None:
    def refuse(at: int) -> None:
        raise UsageError("no se puede")

    env = LiveEnvironment(speed=1_000)
    seen: list[int] = []
    ticking(env, 1_000, seen)
    with running(env, MINUTE):
        with pytest.raises(UsageError, match="no se puede"):
            env.inject(refuse).result(1)
        assert env.inject(lambda at: "bien").result(1) == "bien"
    assert len(seen) == 59


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf"), 1e9])
def test_a_speed_that_makes_no_sense_is_refused(speed: float) -> None:
    with pytest.raises(UsageError, match="velocidad"):
        LiveEnvironment(speed)
    env = LiveEnvironment(1)
    with pytest.raises(UsageError, match="velocidad"):
        env.set_speed(speed)


def command(number: int) -> AnyCommand:
    return CloseOperation(key=f"c{number}", actor="a", station="s", at=number)


def test_the_writer_keeps_the_order_of_commands_and_of_what_goes_between_them() -> None:
    done: list[object] = []
    writer = OrderedWriter(lambda commands, times: done.extend(times), failed=lambda error: None)
    for number in range(1_000):
        writer.put(command(number), number)
        if number % 100 == 50:
            writer.call(lambda number=number: done.append(f"corte {number}"))  # type: ignore[misc]
    writer.drain()
    wanted: list[object] = []
    for number in range(1_000):
        wanted.append(number)
        if number % 100 == 50:
            wanted.append(f"corte {number}")
    assert done == wanted
    writer.close()


def test_a_database_that_cannot_keep_up_makes_the_model_wait() -> None:
    gate = threading.Event()

    def slow(commands: list[AnyCommand], times: list[int]) -> None:
        gate.wait(10)

    writer = OrderedWriter(slow, failed=lambda error: None, room=10)
    put: list[int] = []

    def model() -> None:
        for number in range(300):
            writer.put(command(number), number)
            put.append(number)

    thread = threading.Thread(target=model)
    thread.start()
    time.sleep(0.2)
    assert len(put) < 30
    gate.set()
    thread.join(10)
    assert len(put) == 300
    writer.close()
    assert writer.waiting == 0


def test_what_fails_in_the_writer_is_raised_in_the_model() -> None:
    def broken(commands: list[AnyCommand], times: list[int]) -> None:
        raise OSError("disco lleno")

    env = LiveEnvironment(speed=1)
    env.pace_from(0)
    ticking(env, 100, [])
    writer = OrderedWriter(broken, failed=env.fail)
    writer.put(command(1), 1)
    with pytest.raises(OSError, match="disco lleno"):
        env.run(until=10 * MINUTE)
    with pytest.raises(OSError, match="disco lleno"):
        writer.put(command(2), 2)
    with pytest.raises(OSError, match="disco lleno"):
        writer.drain()
    writer.close()


def test_interrupted_it_finishes_what_it_is_writing_and_leaves_the_rest() -> None:
    gate, started = threading.Event(), threading.Event()
    done: list[int] = []

    def slow(commands: list[AnyCommand], times: list[int]) -> None:
        started.set()
        gate.wait(10)
        done.extend(times)

    writer = OrderedWriter(slow, failed=lambda error: None)
    writer.put(command(1), 1)
    assert started.wait(5)
    writer.put(command(2), 2)
    threading.Timer(0.05, gate.set).start()
    writer.close(discard=True)
    assert done == [1]
