"""How fast actas may be marked sin acta."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.domain.marking import MarkingLimits, MarkingRate
from core.domain.refusals import Refusal

LIMITS = MarkingLimits(window_ms=60_000, without_supervisor=3, with_supervisor=6)


def refusal(rate: MarkingRate, at: int, supervised: bool = False) -> Refusal | None:
    rejection = rate.check("ana", "E1", at, supervised)
    return rejection.code if rejection is not None else None


def test_a_few_are_free_more_need_a_supervisor_and_beyond_that_nobody_may() -> None:
    rate = MarkingRate(LIMITS)
    seen: list[tuple[Refusal | None, Refusal | None]] = []
    for second in range(7):
        seen.append((refusal(rate, second * 1000), refusal(rate, second * 1000, True)))
        rate.note("ana", "E1", second * 1000)
    needs, fast = Refusal.NEEDS_SUPERVISOR, Refusal.TOO_FAST
    assert seen == [(None, None)] * 3 + [(needs, None)] * 3 + [(fast, fast)]


def test_the_window_passes_at_its_exact_length() -> None:
    rate = MarkingRate(LIMITS)
    for _ in range(3):
        rate.note("ana", "E1", 1000)
    assert refusal(rate, 60_999) is Refusal.NEEDS_SUPERVISOR
    assert refusal(rate, 61_000) is None


def test_other_persons_and_other_stations_have_their_own_count() -> None:
    rate = MarkingRate(LIMITS)
    for _ in range(6):
        rate.note("ana", "E1", 0)
    assert rate.check("beto", "E1", 0, False) is None
    assert rate.check("ana", "E2", 0, False) is None
    rate.forget()
    assert refusal(rate, 0) is None


@given(st.lists(st.integers(0, 300_000), max_size=12), st.integers(0, 300_000))
def test_the_answer_does_not_depend_on_the_order_in_which_marks_were_learnt(
    times: list[int], at: int
) -> None:
    one, other = MarkingRate(LIMITS), MarkingRate(LIMITS)
    for time in times:
        refusal(one, time)
        one.note("ana", "E1", time)
    for time in sorted(times, reverse=True):
        other.note("ana", "E1", time)
    assert refusal(one, at) is refusal(other, at)
    near = sum(abs(time - at) < LIMITS.window_ms for time in times)
    assert (refusal(one, at, True) is Refusal.TOO_FAST) is (near >= LIMITS.with_supervisor)
