"""Of each class of person of a profile there is somebody, however few they are."""

from __future__ import annotations

import pytest

from loadtests.generating.plan import with_everybody
from loadtests.profile import Person


def people(*shares: tuple[int, int]) -> list[Person]:
    """Classes with their weight and their fixed number."""
    return [Person(f"clase {place}", weight, fixed, {}) for place, (weight, fixed) in enumerate(shares)]


@pytest.mark.parametrize(
    ("shares", "users", "fixed"),
    [
        ([(95, 0), (5, 0)], 200, [0, 0]),
        ([(95, 0), (5, 0)], 20, [0, 0]),
        ([(95, 0), (5, 0)], 10, [0, 1]),
        ([(95, 0), (4, 0), (0, 6)], 30, [0, 1, 6]),
        ([(98, 0), (1, 0), (1, 0)], 3, [0, 1, 1]),
    ],
    ids=["sobran", "justos", "pocos", "con_fijos", "uno_de_cada"],
)
def test_a_class_of_little_weight_has_somebody(
    shares: list[tuple[int, int]], users: int, fixed: list[int]
) -> None:
    assert [one.fixed for one in with_everybody(people(*shares), users)] == fixed


def test_fewer_users_than_classes_are_told_with_how_many_are_needed() -> None:
    with pytest.raises(ValueError, match=r"^5$"):
        with_everybody(people((9, 0), (1, 0), (0, 3)), 4)
