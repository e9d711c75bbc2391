"""The rule of when: three cuts an hour whatever the cuts take, in virtual time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from core.publishing.due import LATE_MS, MINUTE_MS, RETRY_MS, Action, Past, Schedule, due

HOUR = 60 * MINUTE_MS
TICK = 5_000


class Night:
    """A publisher in virtual time: a tick every five seconds, cuts that last what they are told."""

    def __init__(self, schedule: Schedule, lasting: dict[int, int], budget: int | None = None) -> None:
        self.schedule = schedule
        self.starts: list[int] = []
        self.published: list[int] = []
        self.slots: list[int] = []
        self.missed: list[int] = []
        self.past = Past()
        now = schedule.first - 7 * MINUTE_MS
        tried = -1
        while True:
            todo = due(now, schedule, self.past)
            if todo.missed:
                self.missed += todo.missed
                self.past = replace(self.past, told=todo.missed[-1])
            if todo.action is Action.TOO_LATE:
                return
            if todo.action is Action.WAIT:
                now += TICK
                continue
            assert todo.slot is not None
            number = len(self.starts)
            self.starts.append(now)
            budget = budget or schedule.budget
            length = lasting.get(number, 20_000)
            if length > budget:
                # The watchdog stops it: nothing went out.
                now += budget
                attempts = self.past.attempts + 1 if tried == todo.slot else 1
                self.past = replace(self.past, attempts=attempts, failed_at=now)
            else:
                now += length
                self.published.append(now)
                self.slots.append(todo.slot)
                self.past = Past(todo.slot, self.past.told, 0, 0, todo.last)
            tried = todo.slot


@st.composite
def nights(draw: st.DrawFn) -> tuple[Schedule, int, dict[int, int]]:
    """A schedule, how long a cut may take, and what one of them lasts and the one made again after it."""
    schedule = Schedule(0, draw(st.integers(60, 300)) * MINUTE_MS, draw(st.integers(1, 20)) * MINUTE_MS)
    budget = draw(st.integers(MINUTE_MS // 2, schedule.budget))
    number = draw(st.integers(0, 20))
    lasting = {number: draw(st.integers(0, 40)) * MINUTE_MS, number + 1: draw(st.integers(0, budget))}
    return schedule, budget, lasting


@given(nights())
def test_three_cuts_go_out_in_any_hour_even_after_one_that_had_to_be_stopped(
    given: tuple[Schedule, int, dict[int, int]],
) -> None:
    schedule, budget, lasting = given
    night = Night(schedule, lasting, budget)
    times = night.published
    for begin in [schedule.first, *(one + 1 for one in times if one + HOUR < schedule.end)]:
        if begin + HOUR <= schedule.end:
            assert len([one for one in times if begin <= one <= begin + HOUR]) >= 3


@given(nights())
def test_between_one_cut_and_the_next_go_twenty_minutes_even_if_one_is_stopped_and_made_again(
    given: tuple[Schedule, int, dict[int, int]],
) -> None:
    schedule, budget, lasting = given
    night = Night(schedule, lasting, budget)
    gaps = [after - before for before, after in pairwise(night.starts)]
    assert max(gaps) <= schedule.every + budget + TICK
    ends = [after - before for before, after in pairwise(night.published)]
    assert max(ends) <= schedule.every + 2 * budget + TICK
    assert schedule.every + 2 * schedule.budget <= max(20 * MINUTE_MS, schedule.every + 2 * MINUTE_MS)


@given(nights())
def test_no_slot_is_published_twice_nor_forgotten_and_the_last_is_at_the_end(
    given: tuple[Schedule, int, dict[int, int]],
) -> None:
    schedule, budget, lasting = given
    night = Night(schedule, lasting, budget)
    assert night.slots == sorted(set(night.slots))
    assert set(night.slots) | set(night.missed) == set(schedule.slots)
    assert night.slots[-1] == schedule.end


def test_a_whole_day_of_twenty_minutes_is_seventy_three_cuts() -> None:
    night = Night(Schedule(0, 24 * HOUR, 20 * MINUTE_MS), {})
    assert len(night.published) == 73
    assert night.missed == []


def test_a_slot_that_came_during_a_cut_goes_at_once_and_the_ones_it_passed_over_are_missed() -> None:
    schedule = Schedule(0, 4 * HOUR, 15 * MINUTE_MS)
    todo = due(47 * MINUTE_MS, schedule, Past(served=0))
    assert (todo.action, todo.slot) == (Action.CUT, 45 * MINUTE_MS)
    assert todo.missed == (15 * MINUTE_MS, 30 * MINUTE_MS)


def test_a_cut_that_fails_is_made_again_at_once_then_waits_and_its_slot_is_told_once() -> None:
    schedule = Schedule(0, HOUR, 15 * MINUTE_MS)
    once = Past(attempts=1, failed_at=60_000)
    assert due(60_000, schedule, once).action is Action.CUT
    twice = Past(attempts=2, failed_at=90_000)
    assert due(90_000, schedule, twice) == due(90_000 + RETRY_MS - 1, schedule, twice)
    assert due(90_000, schedule, twice).action is Action.WAIT
    assert due(90_000 + RETRY_MS, schedule, twice).action is Action.CUT
    late = due(schedule.tolerance, schedule, twice)
    assert late.missed == (0,)
    assert due(schedule.tolerance, schedule, replace(twice, told=0)).missed == ()


def test_while_held_nothing_is_cut_and_each_slot_is_missed_as_it_comes() -> None:
    schedule = Schedule(0, HOUR, 15 * MINUTE_MS)
    todo = due(15 * MINUTE_MS, schedule, Past(served=0), held=True)
    assert (todo.action, todo.missed) == (Action.WAIT, (15 * MINUTE_MS,))
    assert due(16 * MINUTE_MS, schedule, Past(served=0, told=15 * MINUTE_MS)).slot == 15 * MINUTE_MS


def test_the_last_cut_waits_for_a_while_and_no_longer() -> None:
    schedule = Schedule(0, HOUR, 15 * MINUTE_MS)
    behind = Past(served=45 * MINUTE_MS, told=HOUR)
    assert due(HOUR + LATE_MS, schedule, behind) == replace(
        due(HOUR, schedule, Past(served=45 * MINUTE_MS)), missed=()
    )
    assert due(HOUR + LATE_MS, schedule, behind).last
    assert due(HOUR + LATE_MS + 1, schedule, behind).action is Action.TOO_LATE
    assert due(HOUR, schedule, replace(behind, finished=True)).action is Action.TOO_LATE


def test_nothing_is_due_before_the_first_slot() -> None:
    schedule = Schedule(HOUR, 2 * HOUR, 15 * MINUTE_MS)
    assert due(HOUR - 1, schedule, Past()).action is Action.WAIT
    assert due(HOUR - 1, schedule, Past()).next_at == HOUR


@pytest.mark.parametrize(
    ("first", "end", "every"), [(0, 0, HOUR // 4), (0, HOUR, 21 * MINUTE_MS), (0, HOUR, 0)]
)
def test_hours_that_cannot_be_are_refused(first: int, end: int, every: int) -> None:
    with pytest.raises(UsageError):
        Schedule(first, end, every)


def test_a_late_slot_that_is_about_to_go_out_is_not_told_as_missed_until_it_has_failed() -> None:
    schedule = Schedule(0, 8 * HOUR, 20 * MINUTE_MS)
    now = 60 * MINUTE_MS + schedule.tolerance + 1
    found = due(now, schedule, Past(served=0))
    assert (found.action, found.slot) == (Action.CUT, 60 * MINUTE_MS)
    assert found.missed == (20 * MINUTE_MS, 40 * MINUTE_MS)
    failed = due(now, schedule, Past(served=0, told=40 * MINUTE_MS, attempts=1, failed_at=now))
    assert failed.missed == (60 * MINUTE_MS,)
