"""Shapes for the map: projection, simplification that opens no gaps between neighbours, and SVG path text.

For: `map`. It knows no GeoJSON file and no catalogue: rings of (longitude, latitude) in, strings out. The
projection is equirectangular at the middle latitude: enough for a state on a wall, never for measuring.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

Point: TypeAlias = tuple[int, int]
Ring: TypeAlias = list[Point]
Lonlat: TypeAlias = Sequence[Sequence[float]]

WIDTH = 1000
"""Width or height, whichever is larger, of a drawing in its own units (integers)."""
_MARGIN = 8


def project(shapes: Sequence[Sequence[Lonlat]], size: int = WIDTH) -> tuple[list[list[Ring]], int, int]:
    """Rings of each shape on an integer grid of `size` units, and the width and height of the drawing.

    Points that fall on the same cell of the grid become one; shared borders stay shared because the same
    coordinates always give the same cell. Rings of fewer than three points disappear. Raises ValueError
    when there is no point at all.
    """
    points = [point for shape in shapes for ring in shape for point in ring]
    if not points:
        raise ValueError("no points")
    longitudes = [point[0] for point in points]
    latitudes = [point[1] for point in points]
    west, east, south, north = min(longitudes), max(longitudes), min(latitudes), max(latitudes)
    shrink = math.cos(math.radians((south + north) / 2))
    spans = ((east - west) * shrink, north - south)
    scale = (size - 2 * _MARGIN) / (max(spans) or 1.0)

    def place(point: Sequence[float]) -> Point:
        return (
            round((point[0] - west) * shrink * scale) + _MARGIN,
            round((north - point[1]) * scale) + _MARGIN,
        )

    projected = [
        [ring for ring in (_open(map(place, raw)) for raw in shape) if len(ring) >= 3] for shape in shapes
    ]
    return projected, round(spans[0] * scale) + 2 * _MARGIN, round(spans[1] * scale) + 2 * _MARGIN


def _open(points: Iterable[Point]) -> Ring:
    """A ring without repeated neighbours and without the closing point."""
    ring: Ring = []
    for point in points:
        if not ring or ring[-1] != point:
            ring.append(point)
    while len(ring) > 1 and ring[0] == ring[-1]:
        ring.pop()
    return ring


def simplify(shapes: Sequence[Sequence[Ring]], keep: int, smallest: float = 1.0) -> list[list[Ring]]:
    """Shapes with the least visible vertices taken away (Visvalingam: the triangle of least area first).

    All rings are simplified together as one graph, so two neighbours lose the same vertex of their common
    border and no gap opens. Vertices where more than two borders meet always stay. It takes away every
    vertex whose triangle is under `smallest` square units and then as many as leave `keep` points.
    """
    around: dict[Point, set[Point]] = {}
    for shape in shapes:
        for ring in shape:
            for index, point in enumerate(ring):
                around.setdefault(point, set()).update((ring[index - 1], ring[(index + 1) % len(ring)]))
    heap = [(area, point) for point in around if (area := _area(point, around)) is not None]
    heapq.heapify(heap)
    total = sum(len(ring) for shape in shapes for ring in shape)
    uses: dict[Point, int] = {}
    for shape in shapes:
        for ring in shape:
            for point in ring:
                uses[point] = uses.get(point, 0) + 1
    gone: set[Point] = set()
    while heap and (total > keep or heap[0][0] < smallest):
        area, point = heapq.heappop(heap)
        if point in gone or _area(point, around) != area:
            continue
        left, right = around[point]
        if right in around[left]:
            continue
        gone.add(point)
        total -= uses[point]
        for one, other in ((left, right), (right, left)):
            around[one].discard(point)
            around[one].add(other)
            renewed = _area(one, around)
            if renewed is not None:
                heapq.heappush(heap, (renewed, one))
    return [[[point for point in ring if point not in gone] for ring in shape] for shape in shapes]


def _area(point: Point, around: dict[Point, set[Point]]) -> float | None:
    """Area of the triangle of a vertex and its two neighbours; None when it has to stay."""
    if len(around[point]) != 2:
        return None
    (x1, y1), (x2, y2) = around[point]
    return abs((x1 - point[0]) * (y2 - point[1]) - (x2 - point[0]) * (y1 - point[1])) / 2


def path(rings: Sequence[Ring]) -> str:
    """The rings as the `d` of an SVG path, in relative integers."""
    parts: list[str] = []
    for ring in rings:
        if len(ring) < 3:
            continue
        parts.append(f"M{ring[0][0]} {ring[0][1]}l")
        steps = [f"{x - px} {y - py}" for (px, py), (x, y) in pairwise(ring)]
        parts.append(" ".join(steps).replace(" -", "-") + "z")
    return "".join(parts)


def label_point(rings: Sequence[Ring]) -> Point | None:
    """A place for a mark: the centroid of the largest ring, or its nearest vertex when that falls outside."""
    drawn = [ring for ring in rings if len(ring) >= 3]
    if not drawn:
        return None
    ring = max(drawn, key=lambda each: abs(_signed(each)))
    twice = _signed(ring)
    if twice == 0:
        return ring[0]
    x = y = 0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = x1 * y2 - x2 * y1
        x += (x1 + x2) * cross
        y += (y1 + y2) * cross
    centre = (round(x / (3 * twice)), round(y / (3 * twice)))
    if _inside(centre, ring):
        return centre
    return min(ring, key=lambda point: (point[0] - centre[0]) ** 2 + (point[1] - centre[1]) ** 2)


def _signed(ring: Ring) -> int:
    """Twice the area with its sign."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True))


def _inside(point: Point, ring: Ring) -> bool:
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside
