"""Projection, simplification without gaps, and the text of the paths."""

from __future__ import annotations

import math
import re

from control_room.territory.geometry import WIDTH, Ring, label_point, path, project, simplify


def wavy_pair() -> list[list[Ring]]:
    """Two neighbours with a common border of many points, which only a wave tells from a straight line."""
    border = [(500 + round(3 * math.sin(y / 9)), y) for y in range(0, 1001, 5)]
    left = [(0, 0), *border, (0, 1000)]
    right = [*reversed(border), (1000, 0), (1000, 1000)]
    return [[left], [right]]


def edges(ring: Ring) -> set[frozenset[tuple[int, int]]]:
    return {frozenset((ring[index - 1], point)) for index, point in enumerate(ring)}


def points_of(drawn: str) -> list[Ring]:
    """The rings of a path, read back as a browser does."""
    rings = []
    for part in re.findall(r"M[^z]*z", drawn):
        numbers = [int(number) for number in re.findall(r"-?\d+", part)]
        x, y = numbers[:2]
        ring = [(x, y)]
        for dx, dy in zip(numbers[2::2], numbers[3::2], strict=True):
            x, y = x + dx, y + dy
            ring.append((x, y))
        rings.append(ring)
    return rings


def test_neighbours_keep_one_common_border_after_simplifying() -> None:
    left, right = (rings[0] for rings in simplify(wavy_pair(), keep=60))
    assert len(left) + len(right) <= 60
    common = edges(left) & edges(right)
    inner = {point for point in left if 400 < point[0] < 600}
    assert inner == {point for point in right if 400 < point[0] < 600}
    assert len(common) == len(inner) - 1
    # The ends, where a third border would begin, stay where they were.
    assert {(500, 0), (500 + round(3 * math.sin(1000 / 9)), 1000)} <= inner


def test_a_vertex_that_nobody_can_see_goes_even_when_there_is_room() -> None:
    square = [[(0, 0), (50, 0), (100, 0), (100, 100), (0, 100)]]
    assert simplify([square], keep=1000) == [[[(0, 0), (100, 0), (100, 100), (0, 100)]]]


def test_a_triangle_is_never_taken_apart() -> None:
    triangle = [[(0, 0), (2, 0), (0, 2)]]
    assert simplify([triangle], keep=0) == [triangle]


def test_the_path_says_the_same_points_as_the_rings() -> None:
    rings = [[(10, 20), (30, 20), (30, 5)], [(0, 0), (1, 0), (1, 1), (0, 1)]]
    assert points_of(path(rings)) == rings


def test_a_shape_keeps_its_proportions_and_north_is_up() -> None:
    # One degree by one degree at 60° north is half as wide as it is tall.
    shapes, width, height = project(
        [[[(10.0, 59.5), (11.0, 59.5), (11.0, 60.5), (10.0, 60.5), (10.0, 59.5)]]]
    )
    ring = shapes[0][0]
    assert len(ring) == 4
    assert height == WIDTH
    assert abs((width - 16) / (height - 16) - 0.5) < 0.01
    south, north = ring[0], ring[3]
    assert north[1] < south[1]


def test_an_island_too_small_to_be_seen_disappears() -> None:
    speck = [(0.0, 0.0), (1e-6, 0.0), (1e-6, 1e-6), (0.0, 0.0)]
    land = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0), (0.0, 0.0)]
    shapes, _, _ = project([[land, speck]])
    assert len(shapes[0]) == 1


def test_the_mark_of_a_crescent_is_on_its_border_and_not_in_the_hole() -> None:
    crescent: Ring = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 90), (90, 90), (90, 10), (0, 10)]
    assert label_point([crescent]) in crescent
    assert label_point([[(0, 0), (100, 0), (100, 100), (0, 100)]]) == (50, 50)
    assert label_point([]) is None
