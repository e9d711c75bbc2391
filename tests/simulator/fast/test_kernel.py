"""The fast kernel, and that SimPy with one process per server says the same to the millisecond."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UsageError
from simulator.fast.compiled import compiled_here, kernels
from simulator.fast.kernel import Pool, WorkClock, fingerprint, hold, serve, tandem
from simulator.fast.station import compiled_tandem, night, play

LOOPS = [False, True] if compiled_here() else [False]
times = st.integers(0, 60)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    starts = sorted(draw(st.sets(times, min_size=1, max_size=4)))
    servers = draw(st.lists(st.integers(0, 4), min_size=len(starts), max_size=len(starts)))
    servers[-1] = max(1, servers[-1])
    edges = sorted(draw(st.sets(times, max_size=6)))
    stops = tuple((edges[k], edges[k + 1]) for k in range(0, len(edges) - 1, 2))
    return Pool(tuple(servers), tuple(starts), stops)


@st.composite
def instances(draw: st.DrawFn) -> tuple[list[int], list[tuple[list[int], Pool]]]:
    count = draw(st.integers(0, 12))
    work = st.lists(st.integers(1, 15), min_size=count, max_size=count)
    arrivals = draw(st.lists(times, min_size=count, max_size=count))
    return arrivals, [(draw(work), draw(pools())), (draw(work), draw(pools()))]


@settings(max_examples=400, deadline=None)
@given(instances())
def test_both_engines_agree_on_any_small_night(
    instance: tuple[list[int], list[tuple[list[int], Pool]]],
) -> None:
    arrivals, stages = instance
    assert tandem(arrivals, stages) == play(arrivals, stages)


@settings(max_examples=200, deadline=None)
@given(instances())
def test_the_loop_on_arrays_serves_as_the_kernel_compiled_or_not(
    instance: tuple[list[int], list[tuple[list[int], Pool]]],
) -> None:
    arrivals, stages = instance
    expected = serve(arrivals, *stages[0])
    for compiled in LOOPS:
        assert kernels(compiled).serve(arrivals, *stages[0]) == expected


@pytest.mark.parametrize("compiled", LOOPS)
def test_the_loop_on_arrays_refuses_what_the_kernel_refuses(compiled: bool) -> None:
    loops = kernels(compiled)
    with pytest.raises(UsageError, match="ningún servidor vuelve"):
        loops.serve([0], [1], Pool((0,)))
    with pytest.raises(UsageError, match="al menos 1 ms"):
        loops.serve([0], [0], Pool((1,)))
    with pytest.raises(UsageError, match="una llegada y una duración"):
        loops.serve([0], [], Pool((1,)))


def test_both_engines_give_one_fingerprint_for_a_state_night_with_stops() -> None:
    arrivals, stages = night(20_000)
    fast, slow = tandem(arrivals, stages), play(arrivals, stages)
    assert fingerprint(fast) == fingerprint(slow)
    if compiled_here():
        assert fingerprint(compiled_tandem(arrivals, stages)) == fingerprint(fast)
    # The night must have been worth comparing: a real queue, and stops that touched work in hand.
    waits = [done - came - work for came, work, done in zip(arrivals, stages[0][0], fast[0], strict=True)]
    assert max(waits) > 20 * 60_000
    assert sum(stages[0][1].stopped_at(at) for at in arrivals) > 500


def test_nothing_ends_inside_a_stop() -> None:
    arrivals, stages = night(2_000)
    done = serve(arrivals, *stages[0])
    stops = stages[0][1].stops
    assert not any(start < at <= end for at in done for start, end in stops)
    without = serve(arrivals, stages[0][0], Pool(stages[0][1].servers, stages[0][1].starts))
    assert any(start < at <= end for at in without for start, end in stops)


def test_a_server_that_leaves_finishes_its_acta_and_the_next_waits() -> None:
    pool = Pool((2, 1), (0, 5))
    # Two begin at 0; at 5 one server leaves but both end; the third needs the number below one.
    assert serve([0, 0, 1], [10, 20, 3], pool) == [10, 20, 23]


def test_servers_that_come_take_the_queue_in_order() -> None:
    assert serve([0, 0, 0], [10, 10, 10], Pool((0, 2), (0, 7))) == [17, 17, 27]


def test_work_in_hand_goes_on_after_a_stop_with_what_it_lacked() -> None:
    assert serve([0, 6], [10, 2], Pool((2,), stops=((4, 9),))) == [15, 11]


def test_what_would_end_as_a_stop_begins_has_ended() -> None:
    assert serve([0], [4], Pool((1,), stops=((4, 9),))) == [4]


def test_a_delay_stands_still_during_a_stop() -> None:
    assert hold([0, 5, 20], [6, 3, 2], [(4, 9)]) == [11, 12, 22]
    assert hold([0, 5], [6, 3]) == [6, 8]


def test_the_working_clock_stands_still_in_a_stop_and_comes_back_elsewhere() -> None:
    clock = WorkClock([(10, 20), (30, 35)])
    moments = (9, 10, 15, 20, 21, 30, 34, 35, 36)
    assert [clock.work(at) for at in moments] == [9, 10, 10, 10, 11, 20, 20, 20, 21]
    for at in (0, 9, 10, 21, 29, 30, 36, 80):
        assert clock.wall(clock.work(at)) == at


def test_actas_that_no_server_would_ever_take_are_refused() -> None:
    with pytest.raises(UsageError, match="ningún servidor vuelve"):
        serve([0], [1], Pool((0,)))


@pytest.mark.parametrize(
    ("servers", "starts", "stops"),
    [
        ((), (), ()),
        ((1, 2), (0,), ()),
        ((-1,), (0,), ()),
        ((1, 2), (5, 5), ()),
        ((1,), (0,), ((5, 5),)),
        ((1,), (0,), ((5, 9), (8, 12))),
    ],
)
def test_a_pool_that_makes_no_sense_is_refused(
    servers: tuple[int, ...], starts: tuple[int, ...], stops: tuple[tuple[int, int], ...]
) -> None:
    with pytest.raises(UsageError):
        Pool(servers, starts, stops)


def test_durations_of_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="al menos 1 ms"):
        serve([0], [0], Pool((1,)))
    with pytest.raises(UsageError, match="una llegada y una duración"):
        serve([0], [], Pool((1,)))
