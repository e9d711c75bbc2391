"""Whole numbers are shared out exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogs.apportion import fit_total, highest_averages, largest_remainder, mix

weights = st.lists(st.integers(0, 10_000), min_size=1, max_size=40).filter(any)


@given(st.integers(0, 100_000), weights)
def test_shares_add_up_and_none_is_a_whole_unit_from_its_proportion(total: int, parts: list[int]) -> None:
    shares = largest_remainder(total, parts)
    assert sum(shares) == total
    whole = sum(parts)
    for share, weight in zip(shares, parts, strict=True):
        assert abs(share * whole - total * weight) < whole


@given(st.integers(0, 60), weights)
def test_highest_averages_gives_out_everything_to_who_has_weight(total: int, parts: list[int]) -> None:
    given_out = highest_averages(total, parts, [0] * len(parts))
    assert sum(given_out) == total
    assert all(weight > 0 or units == 0 for weight, units in zip(parts, given_out, strict=True) if total)


@given(st.data())
def test_values_fitted_to_a_total_stay_within_their_bounds(data: st.DataObject) -> None:
    low = data.draw(st.lists(st.integers(0, 50), min_size=1, max_size=20))
    high = [bound + data.draw(st.integers(0, 100)) for bound in low]
    values = [data.draw(st.integers(lo, hi)) for lo, hi in zip(low, high, strict=True)]
    total = data.draw(st.integers(sum(low), sum(high)))
    fitted = fit_total(values, low, high, total)
    assert sum(fitted) == total
    assert all(lo <= value <= hi for lo, value, hi in zip(low, fitted, high, strict=True))


def test_a_total_out_of_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="not between"):
        fit_total([1, 1], [0, 0], [2, 2], 5)


def test_the_scatter_is_the_same_everywhere() -> None:
    assert [mix(1, 570) % 1000, mix(2, 570) % 1000] == [mix(1, 570) % 1000, mix(2, 570) % 1000]
    assert len({mix(1, number) for number in range(10_000)}) == 10_000
    tenths = [mix(3, number) % 10 for number in range(10_000)]
    assert all(900 < tenths.count(digit) < 1100 for digit in range(10))
