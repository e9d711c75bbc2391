"""Where each municipio goes in a map of equal tiles, from the coordinates of its centre.

For: making the files of `territory/`, which are facts computed once (number, name, centre, column and row);
the geometry they come from is not copied.
`python -m control_room.territory.tile_layout GEOJSON CATALOGUE.csv OUT.csv`, where the catalogue has `id`
and `nombre`. It does not draw: `map` reads the result.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from control_room.territory.map import key_of

_FULLNESS = 0.8
"""Share of the grid that is used: the rest gives the outline of the state."""


def layout(places: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """Column and row, from the north-west, of each (longitude, latitude): no two places share a cell.

    The crowded zones are first spread by mixing each coordinate with its rank, then each place gets the
    cell that makes the sum of squared displacements least.
    """
    count = len(places)
    positions = np.array(places, dtype=float)
    shrink = math.cos(math.radians(float(positions[:, 1].mean())))
    x, y = positions[:, 0] * shrink, -positions[:, 1]
    across, down = float(np.ptp(x)) or 1.0, float(np.ptp(y)) or 1.0
    cells = count / _FULLNESS
    columns = max(1, math.ceil(math.sqrt(cells * across / down)))
    rows = max(1, math.ceil(cells / columns))
    wanted = np.column_stack([_spread(x) * (columns - 1), _spread(y) * (rows - 1)])
    grid = np.array([(column, row) for row in range(rows) for column in range(columns)], dtype=float)
    cost = ((wanted[:, None, :] - grid[None, :, :]) ** 2).sum(axis=2)
    chosen = linear_sum_assignment(cost)[1]
    return [(int(grid[cell][0]), int(grid[cell][1])) for cell in chosen]


def _spread(values: np.ndarray) -> np.ndarray:
    """Values on 0..1, half where they are and half by their rank."""
    span = float(np.ptp(values)) or 1.0
    place = (values - values.min()) / span
    rank = np.argsort(np.argsort(values, kind="stable"), kind="stable") / max(1, len(values) - 1)
    return np.asarray(0.5 * place + 0.5 * rank)


def main(arguments: Sequence[str]) -> int:
    """Write the file of a state; see the module."""
    geojson, catalogue, out = (Path(each) for each in arguments)
    names = {key_of(row["nombre"]): row for row in csv.DictReader(catalogue.open(encoding="utf-8"))}
    found: list[tuple[int, str, float, float]] = []
    for feature in json.loads(geojson.read_text("utf-8"))["features"]:
        row = names.get(key_of(str(feature["properties"]["municipio"])))
        if row is None:
            print("sin municipio en el catálogo:", feature["properties"]["municipio"], file=sys.stderr)
            continue
        longitude, latitude = _centre(feature["geometry"])
        found.append((int(row["id"]), row["nombre"], longitude, latitude))
    found.sort()
    cells = layout([(longitude, latitude) for _, _, longitude, latitude in found])
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "nombre", "columna", "fila", "longitud", "latitud"))
        for (number, name, longitude, latitude), (column, row_) in zip(found, cells, strict=True):
            writer.writerow((number, name, column, row_, f"{longitude:.4f}", f"{latitude:.4f}"))
    return 0


def _centre(geometry: dict[str, object]) -> tuple[float, float]:
    """Centroid of the largest ring of a Polygon or MultiPolygon, degrees."""
    coordinates = geometry["coordinates"]
    polygons = coordinates if geometry["type"] == "MultiPolygon" else [coordinates]
    best = (0.0, 0.0, 0.0)
    for polygon in polygons:  # type: ignore[attr-defined]
        ring = np.array(polygon[0], dtype=float)
        origin = ring[0]
        x1, y1 = (ring[:-1] - origin).T
        x2, y2 = (ring[1:] - origin).T
        cross = x1 * y2 - x2 * y1
        area = float(cross.sum()) / 2
        if abs(area) > best[0]:
            longitude = origin[0] + float(((x1 + x2) * cross).sum()) / (6 * area)
            latitude = origin[1] + float(((y1 + y2) * cross).sum()) / (6 * area)
            best = (abs(area), longitude, latitude)
    return best[1], best[2]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
