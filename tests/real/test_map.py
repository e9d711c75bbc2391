"""The maps of real states: every territory joined, and light."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from control_room.territory.map import LIMIT_BYTES, TERRITORY, map_data
from control_room.territory.tile_layout import main
from tests.control_room.territory.test_map import MUNICIPIOS, Config, catalog, jalisco


@pytest.mark.parametrize(
    ("file", "level", "count"),
    [
        ("jalisco_municipios_125.geojson", "municipio", 125),
        ("jalisco_distritos_locales_20.geojson", "distrito", 20),
    ],
)
def test_jaliscos_maps_have_a_figure_for_each_territory(
    shared_data: Path, file: str, level: str, count: int
) -> None:
    data = map_data(jalisco(), Config(shared_data / "geo" / file, level))
    assert (data["tipo"], data["nivel"], data["sin_forma"]) == ("geojson", level, [])
    assert sorted(shape["id"] for shape in data["formas"]) == list(range(1, count + 1))
    assert sum(len(shape["d"]) for shape in data["formas"]) <= LIMIT_BYTES
    inside = [
        0 <= shape["x"] <= data["ancho"] and 0 <= shape["y"] <= data["alto"] for shape in data["formas"]
    ]
    assert all(inside)


def test_the_tiles_shipped_are_of_the_centres_of_the_real_municipios(
    shared_data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "14_municipios.csv"
    assert main([str(shared_data / "geo" / "jalisco_municipios_125.geojson"), str(MUNICIPIOS), str(out)]) == 0
    assert out.read_text("utf-8") == (TERRITORY / "14_municipios.csv").read_text("utf-8")


def test_each_municipio_of_puebla_has_its_figure(shared_data: Path) -> None:
    features = json.loads((shared_data / "geo" / "puebla_municipios_217.geojson").read_text("utf-8"))[
        "features"
    ]
    names = {n: each["properties"]["municipio"].upper() for n, each in enumerate(features, 1)}
    data = map_data(catalog(21, names), Config(shared_data / "geo" / "puebla_municipios_217.geojson"))
    assert len({shape["id"] for shape in data["formas"]}) == len(set(names.values()))
