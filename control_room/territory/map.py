"""The map of the wall: shapes of the territories, already projected, for the page to fill with progress.

For: `GET /api/mapa.json`, made once when the room starts. From the GeoJSON of the configuration; without one,
equal tiles: those of `territory/` when the state has them, else a plain grid of the catalogue's territories.
It holds no progress (that is the snapshot's) and measures nothing.
"""

from __future__ import annotations

import csv
import hashlib
import math
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson

from control_room.territory.geometry import WIDTH, Point, Ring, label_point, path, project, simplify
from core.domain.catalog import Catalog, Territory
from core.errors import InputError
from core.foreign_text import foreign_bytes, whole_of
from core.system_reasons import system_reason

LIMIT_BYTES = 60_000
"""What the paths of a map may weigh, so that it opens at once on any screen."""
TERRITORY = Path(__file__).parent
_TILE = 100
_GAP = 6


class MapConfig(Protocol):
    """What the map asks of the configuration (`config.MapConfig`)."""

    @property
    def file(self) -> Path | None: ...
    @property
    def level(self) -> str: ...
    @property
    def property(self) -> str: ...


def map_data(catalog: Catalog, config: MapConfig) -> dict[str, Any]:
    """The map as data: `{"hash", "nivel", "tipo", "ancho", "alto", "formas", "sin_forma"}`.

    `tipo` is «geojson», «mosaico» (tiles by coordinates) or «rejilla» (plain grid). Each of `formas` is
    `{"id", "nombre", "d", "x", "y"}`, with `id` None for a shape of no territory of the catalogue (an
    outline without data); tiles have also `corto`, a short name of one or two lines to write on them.
    `sin_forma` lists the territories that have votes and no shape. Raises InputError when the GeoJSON is
    not one.
    """
    level = config.level if _territories(catalog, config.level) else "distrito"
    territories = _territories(catalog, level)
    if config.file is not None:
        kind = "geojson"
        shapes, width, height = _from_geojson(config.file, territories, config.property)
    else:
        cells = _known_cells(catalog, level, territories)
        kind = "rejilla" if cells is None else "mosaico"
        shapes, width, height = _tiles(territories, cells or _plain_cells(sorted(territories)))
    drawn = {shape["id"] for shape in shapes}
    data: dict[str, Any] = {
        "nivel": level,
        "tipo": kind,
        "ancho": width,
        "alto": height,
        "formas": shapes,
        "sin_forma": [each.id for key, each in sorted(territories.items()) if key not in drawn],
    }
    return {"hash": hashlib.sha256(orjson.dumps(data)).hexdigest()[:16], **data}


def key_of(name: str) -> str:
    """A name without accents, capitals or punctuation, to compare it with another file's."""
    plain = unicodedata.normalize("NFKD", name.lower())
    return "".join(each for each in plain if each.isalnum())


def _territories(catalog: Catalog, level: str) -> Mapping[int, Territory]:
    return catalog.municipios if level == "municipio" else catalog.distritos


# ---- GeoJSON ------------------------------------------------------------------------------------------


def _from_geojson(
    file: Path, territories: Mapping[int, Territory], wanted: str
) -> tuple[list[dict[str, Any]], int, int]:
    features = _features(file)
    owners = _owners(file, [feature["properties"] for feature in features], territories, wanted)
    rings = [_rings(file, feature) for feature in features]
    simplified, paths, width, height = _light(rings)
    shapes = []
    for owner, drawn, figure, feature in zip(owners, paths, simplified, features, strict=True):
        at = label_point(figure)
        if not drawn or at is None:
            continue
        name = territories[owner].name if owner is not None else _any_name(feature["properties"])
        shapes.append({"id": owner, "nombre": name, "d": drawn, "x": at[0], "y": at[1]})
    return shapes, width, height


def _light(
    shapes: Sequence[Sequence[Sequence[Sequence[float]]]],
) -> tuple[list[list[Ring]], list[str], int, int]:
    """The shapes simplified until they weigh little: fewer points, then a coarser grid if it must be."""
    size = WIDTH
    while True:
        simplified, width, height = project(shapes, size)
        keep = LIMIT_BYTES // 7
        while True:
            simplified = simplify(simplified, keep)
            paths = [path(figure) for figure in simplified]
            points = sum(len(ring) for figure in simplified for ring in figure)
            if sum(map(len, paths)) <= LIMIT_BYTES:
                return simplified, paths, width, height
            if points > keep:
                break  # no more vertices can go
            keep = keep * 3 // 4
        if size < 50:
            return simplified, paths, width, height
        size //= 2


def _features(file: Path) -> list[dict[str, Any]]:
    try:
        data = orjson.loads(foreign_bytes(file))
    except OSError as error:
        raise InputError(file, message=f"{file}: no se pudo leer el mapa ({system_reason(error)})") from error
    except orjson.JSONDecodeError as error:
        raise InputError(file, error.lineno, message=f"{file}, línea {error.lineno}: no es JSON") from error
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, list) or not features:
        raise InputError(file, None, "features", "una FeatureCollection de GeoJSON con al menos una figura")
    for number, feature in enumerate(features, 1):
        if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
            raise InputError(file, None, "features", f"un objeto con «properties» en la figura {number}")
    return features


def _rings(file: Path, feature: Mapping[str, Any]) -> list[Sequence[Sequence[float]]]:
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict):
        geometry = {}
    kind, coordinates = geometry.get("type"), geometry.get("coordinates", [])
    if kind == "Polygon":
        polygons: list[Any] = [coordinates]
    elif kind == "MultiPolygon":
        polygons = coordinates
    else:
        raise InputError(file, None, "geometry", "Polygon o MultiPolygon", kind)
    try:
        rings = [ring for polygon in polygons for ring in polygon]
        if not all(-180 <= point[0] <= 180 and -90 <= point[1] <= 90 for ring in rings for point in ring):
            raise InputError(file, None, "coordinates", "grados de longitud y latitud (WGS 84)")
    except (TypeError, IndexError, KeyError) as error:
        raise InputError(file, None, "coordinates", "listas de pares [longitud, latitud]") from error
    return rings


def _owners(
    file: Path, properties: Sequence[Mapping[str, Any]], territories: Mapping[int, Territory], wanted: str
) -> list[int | None]:
    """The territory of each figure, by the property that names most of them (its name before its number).

    Numbers are those of the catalogue: a key of INEGI is not the municipio's number of the INE, which is why
    a match by name is preferred when both are as good.
    """
    names = {key_of(each.name): number for number, each in territories.items()}
    candidates = [wanted] if wanted else sorted({key for each in properties for key in each})
    best: tuple[int, int, list[int | None]] = (0, 0, [None] * len(properties))
    for candidate in candidates:
        values = [each.get(candidate) for each in properties]
        by_name = [names.get(key_of(str(value))) for value in values]
        by_number = [number if (number := _whole(value)) in territories else None for value in values]
        for preference, owners in ((1, by_name), (0, by_number)):
            distinct = len({owner for owner in owners if owner is not None})
            if (distinct, preference) > best[:2]:
                best = (distinct, preference, owners)
    if best[0] == 0:
        expected = "el número o el nombre de los territorios del catálogo"
        raise InputError(file, None, wanted or "properties", expected, ", ".join(candidates))
    return best[2]


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return whole_of(value.strip()) if isinstance(value, str) else None


def _any_name(properties: Mapping[str, Any]) -> str:
    for value in properties.values():
        if isinstance(value, str) and not value.isdecimal():
            return value
    return ""


# ---- Tiles --------------------------------------------------------------------------------------------


def _known_cells(
    catalog: Catalog, level: str, territories: Mapping[int, Territory]
) -> dict[int, Point] | None:
    """Cells of the state's own file, by name; None when it has none or the catalogue is another."""
    file = TERRITORY / f"{catalog.entidad.id:02d}_{level}s.csv"
    if not file.is_file():
        return None
    with file.open(encoding="utf-8", newline="") as lines:
        known = {
            key_of(row["nombre"]): (int(row["columna"]), int(row["fila"])) for row in csv.DictReader(lines)
        }
    cells = {number: known.get(key_of(each.name)) for number, each in territories.items()}
    found = {number: cell for number, cell in cells.items() if cell is not None}
    return found if len(found) == len(territories) else None


def _plain_cells(numbers: Sequence[int]) -> dict[int, Point]:
    columns = max(1, math.ceil(math.sqrt(len(numbers))))
    return {number: (place % columns, place // columns) for place, number in enumerate(numbers)}


def _tiles(
    territories: Mapping[int, Territory], cells: Mapping[int, Point]
) -> tuple[list[dict[str, Any]], int, int]:
    side = _TILE - _GAP
    shapes = []
    for number, (column, row) in sorted(cells.items()):
        x, y = column * _TILE, row * _TILE
        ring: Ring = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
        name = territories[number].name
        shapes.append(
            {
                "id": number,
                "nombre": name,
                "d": path([ring]),
                "x": x + side // 2,
                "y": y + side // 2,
                "corto": _short(name),
            }
        )
    columns = max((column for column, _ in cells.values()), default=0) + 1
    rows = max((row for _, row in cells.values()), default=0) + 1
    return shapes, columns * _TILE - _GAP, rows * _TILE - _GAP


_LITTLE = frozenset({"de", "del", "la", "las", "los", "el", "y", "distrito", "san", "santa", "santo"})
_LINE = 5


def _short(name: str) -> str:
    """What fits in a tile, in two lines: «Zapot⏎Rey», «Zapo⏎pan»; its number when the name has one: «7»."""
    words = name.split()
    for word in words:
        if word.isdecimal():
            return str(int(word))
    telling = [word for word in words if word.lower() not in _LITTLE] or words or [""]
    if len(telling) > 1:
        return f"{telling[0][:_LINE]}\n{telling[1][:_LINE]}"
    word = telling[0]
    if len(word) <= _LINE:
        return word
    cut = min(_LINE, (len(word) + 1) // 2)
    return f"{word[:cut]}\n{word[cut : cut + _LINE]}"
