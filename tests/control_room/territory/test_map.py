"""The map of the wall: from a GeoJSON, from the state's tiles, or a plain grid."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from control_room.territory.map import LIMIT_BYTES, TERRITORY, key_of, map_data
from control_room.territory.tile_layout import layout, main
from core.domain.catalog import Catalog, Entidad, Territory
from core.errors import InputError

MUNICIPIOS = Path(__file__).parents[3] / "core" / "catalogs" / "jalisco" / "municipios.csv"


@dataclass(frozen=True)
class Config:
    file: Path | None = None
    level: str = "municipio"
    property: str = ""


def catalog(entidad: int, municipios: dict[int, str], distritos: dict[int, str] | None = None) -> Catalog:
    return Catalog(
        entidad=Entidad(entidad, "ESTADO", "EST", -360),
        election="Prueba",
        distritos={n: Territory(n, name) for n, name in (distritos or {}).items()},
        municipios={n: Territory(n, name) for n, name in municipios.items()},
        catds=(),
        casillas=(),
        contests={},
        layouts=(),
        actas=(),
    )


def jalisco() -> Catalog:
    with MUNICIPIOS.open(encoding="utf-8", newline="") as lines:
        rows = {int(row["id"]): row["nombre"] for row in csv.DictReader(lines)}
    return catalog(14, rows, {n: f"DISTRITO {n:02d}" for n in range(1, 21)})


def feature(properties: dict[str, Any], x: float = 0.0, kind: str = "Polygon") -> dict[str, Any]:
    ring = [[x, 0.0], [x + 1, 0.0], [x + 1, 1.0], [x, 1.0], [x, 0.0]]
    coordinates: Any = [ring] if kind == "Polygon" else [[ring]]
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def write(folder: Path, *features: Any) -> Path:
    file = folder / "mapa.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}), "utf-8")
    return file


def test_jalisco_without_a_file_is_a_tile_map_of_its_125_municipios() -> None:
    data = map_data(jalisco(), Config())
    assert (data["tipo"], data["nivel"], len(data["formas"]), data["sin_forma"]) == (
        "mosaico",
        "municipio",
        125,
        [],
    )
    assert len({(shape["x"], shape["y"]) for shape in data["formas"]}) == 125
    at = {shape["nombre"]: shape for shape in data["formas"]}
    # Where they are: the coast to the west, Los Altos to the north-east, the south at the bottom.
    assert at["Puerto Vallarta"]["x"] < at["Guadalajara"]["x"] < at["Lagos de Moreno"]["x"]
    assert at["Huejúcar"]["y"] < at["Guadalajara"]["y"] < at["Jilotlán de los Dolores"]["y"]
    assert at["Tlajomulco de Zúñiga"]["corto"] == "Tlajo\nZúñig"
    assert len({shape["corto"] for shape in data["formas"]}) == 125


def test_the_tiles_of_the_state_are_those_its_coordinates_give() -> None:
    with (TERRITORY / "14_municipios.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    places = [(float(row["longitud"]), float(row["latitud"])) for row in rows]
    cells = layout(places)
    assert len(set(cells)) == len(cells) == 125
    # The centres are written with four decimals, so a tie may fall the other way; never a whole column.
    moved = [
        abs(column - int(row["columna"])) + abs(line - int(row["fila"]))
        for (column, line), row in zip(cells, rows, strict=True)
    ]
    assert sum(1 for each in moved if each) <= 6


def test_another_state_without_a_file_is_a_plain_grid_in_order() -> None:
    data = map_data(catalog(21, {n: f"Municipio {n}" for n in range(1, 8)}), Config())
    assert data["tipo"] == "rejilla"
    assert [shape["id"] for shape in data["formas"]] == [1, 2, 3, 4, 5, 6, 7]
    assert [(shape["x"] // 100, shape["y"] // 100) for shape in data["formas"]][:4] == [
        (0, 0),
        (1, 0),
        (2, 0),
        (0, 1),
    ]


def test_a_catalogue_of_other_municipios_does_not_take_jaliscos_tiles() -> None:
    assert map_data(catalog(14, {1: "Acatic", 2: "Otro lugar"}), Config())["tipo"] == "rejilla"


def test_a_catalogue_without_municipios_is_drawn_by_district() -> None:
    data = map_data(catalog(23, {}, {1: "DISTRITO 01", 2: "DISTRITO 02"}), Config())
    assert (data["nivel"], [shape["corto"] for shape in data["formas"]]) == ("distrito", ["1", "2"])


def test_figures_are_joined_by_name_whatever_their_accents_and_key(tmp_path: Path) -> None:
    state = catalog(21, {5: "Cañada Morelos", 6: "Acajete"})
    # `cvegeo` holds the numbers of another institution; as numbers of the catalogue they would be wrong.
    file = write(
        tmp_path,
        feature({"cvegeo": "6", "nombre": "CAÑADA MORELOS"}),
        feature({"cvegeo": "5", "nombre": "acajete"}, 1.0, "MultiPolygon"),
        feature({"cvegeo": "9", "nombre": "Isla"}, 2.0),
    )
    data = map_data(state, Config(file))
    assert [(shape["id"], shape["nombre"]) for shape in data["formas"]] == [
        (5, "Cañada Morelos"),
        (6, "Acajete"),
        (None, "Isla"),
    ]


def test_the_configured_property_is_the_one_used(tmp_path: Path) -> None:
    state = catalog(21, {5: "Cañada Morelos", 6: "Acajete"})
    file = write(
        tmp_path, feature({"n": 6, "nombre": "Cañada Morelos"}), feature({"n": 5.0, "nombre": "Acajete"}, 1.0)
    )
    assert [shape["id"] for shape in map_data(state, Config(file, property="n"))["formas"]] == [6, 5]


def test_a_territory_without_a_figure_is_told(tmp_path: Path) -> None:
    state = catalog(21, {1: "Uno", 2: "Dos"})
    assert map_data(state, Config(write(tmp_path, feature({"nombre": "Dos"}))))["sin_forma"] == [1]


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    state = catalog(21, {1: "Uno", 2: "Dos"})
    first = map_data(state, Config())["hash"]
    assert first == map_data(state, Config())["hash"]
    other = replace(state, municipios={1: Territory(1, "Uno"), 2: Territory(2, "Tres")})
    assert first != map_data(other, Config())["hash"]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('{"features": 3}', "features"),
        ('{"features": []}', "features"),
        ('{"features": [{"properties": null}]}', "features"),
        ('{"features": [{"properties": {"n": 1}, "geometry": {"type": "Point"}}]}', "geometry"),
        (
            '{"features": [{"properties": {"n": 1}, "geometry": '
            '{"type": "Polygon", "coordinates": [[[670000, 2280000], [670001, 2280000], [670001, 1]]]}}]}',
            "coordinates",
        ),
        (
            '{"features": [{"properties": {"n": 1}, "geometry": {"type": "Polygon", "coordinates": [7]}}]}',
            "coordinates",
        ),
    ],
)
def test_what_is_no_map_is_refused_with_the_key(tmp_path: Path, text: str, column: str) -> None:
    file = tmp_path / "mapa.geojson"
    file.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        map_data(catalog(21, {1: "Uno"}), Config(file))
    assert caught.value.column == column
    assert "mapa.geojson" in str(caught.value)


def test_a_file_that_is_no_json_or_is_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "mapa.geojson"
    with pytest.raises(InputError, match="no se pudo leer"):
        map_data(catalog(21, {1: "Uno"}), Config(file))
    file.write_text("{\n", "utf-8")
    with pytest.raises(InputError, match="no es JSON"):
        map_data(catalog(21, {1: "Uno"}), Config(file))


def test_a_property_that_names_nothing_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, feature({"clave": "x"}))
    with pytest.raises(InputError, match="clave"):
        map_data(catalog(21, {1: "Uno"}), Config(file))


def test_a_names_key_forgets_accents_case_and_signs() -> None:
    assert key_of("San Martín de Bolaños") == key_of("SAN MARTIN DE BOLANOS") == "sanmartindebolanos"


def test_the_layout_script_writes_the_file_of_a_state(tmp_path: Path) -> None:
    catalogue = tmp_path / "municipios.csv"
    catalogue.write_text("id,nombre\n1,Uno\n2,Dos\n", "utf-8")
    geojson = write(tmp_path, feature({"municipio": "Dos"}, 5.0), feature({"municipio": "UNO"}))
    assert main([str(geojson), str(catalogue), str(tmp_path / "salida.csv")]) == 0
    lines = (tmp_path / "salida.csv").read_text("utf-8").splitlines()
    assert lines[0] == "id,nombre,columna,fila,longitud,latitud"
    assert [line.split(",")[:2] for line in lines[1:]] == [["1", "Uno"], ["2", "Dos"]]
    assert lines[1].endswith("0.5000,0.5000")
    assert int(lines[1].split(",")[2]) < int(lines[2].split(",")[2])


@pytest.mark.parametrize("apart", [3, 1], ids=["apart", "on top of each other"])
def test_the_map_fits_its_limit_however_detailed_the_file(tmp_path: Path, apart: int) -> None:
    def jagged(n: int) -> dict[str, Any]:
        turns = [a / 2500 * math.tau for a in range(2500)]
        ring = [
            [n * apart + math.cos(turn) * (1 + (place % 7) / 40), math.sin(turn)]
            for place, turn in enumerate(turns)
        ]
        geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        return {"properties": {"n": n}, "geometry": geometry}

    state = catalog(21, {n: f"M{n}" for n in range(1, 12)})
    data = map_data(state, Config(write(tmp_path, *(jagged(n) for n in range(1, 12)))))
    assert len(data["formas"]) == 11
    assert 1000 < sum(len(shape["d"]) for shape in data["formas"]) <= LIMIT_BYTES
