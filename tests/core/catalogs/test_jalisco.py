"""The catalogue of Jalisco keeps the facts it was built from."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from core.catalogs import jalisco, load_catalog, open_catalog
from core.catalogs.jalisco import YEARS
from core.catalogs.summary import loads, totals
from core.catalogs.writer import write_catalog
from core.domain.catalog import WITHOUT_SECTION, Catalog
from core.errors import InputError


@pytest.fixture(scope="module", params=YEARS)
def catalog(request: pytest.FixtureRequest) -> Catalog:
    year: int = request.param
    return jalisco(year)


def test_it_has_the_territory_of_jalisco(catalog: Catalog) -> None:
    assert list(catalog.distritos) == list(range(1, 21))
    assert list(catalog.municipios) == list(range(1, 126))
    known = {c.seccion for c in catalog.casillas if c.seccion is not None and c.seccion <= 3590}
    assert len(known) == 3570
    assert catalog.entidad.id == 14


def test_it_has_the_casillas_approved_in_2024(catalog: Catalog) -> None:
    counted = totals(catalog).casillas
    assert {tipo: counted[tipo] for tipo in "BCES"} == {"B": 3785, "C": 6783, "E": 281, "S": 54}


@pytest.mark.parametrize(
    ("year", "actas"),
    [
        (2021, {"DIP_LOC": 10_957, "AYUN": 10_903}),
        (2024, {"GUB": 10_917, "DIP_LOC": 10_957, "AYUN": 10_903}),
        (2027, {"DIP_LOC": 10_957, "AYUN": 10_903}),
    ],
)
def test_it_expects_one_acta_per_casilla_and_one_more_of_rp_per_especial(
    year: int, actas: dict[str, int]
) -> None:
    assert totals(jalisco(year)).actas == actas


def test_no_casilla_passes_the_cap_and_the_list_of_2024_is_its_padron(catalog: Catalog) -> None:
    with_section = [c for c in catalog.casillas if c.seccion is not None]
    assert max(c.lista_nominal for c in with_section) <= 750
    assert min(c.lista_nominal for c in with_section if not c.special) >= 100
    assert {c.lista_nominal for c in with_section if c.special} == {0}
    if "GUB" in catalog.contests:
        assert sum(c.lista_nominal for c in with_section) == 6_619_341


def test_keys_are_unique_and_say_what_the_casilla_is(catalog: Catalog) -> None:
    with_section = [c for c in catalog.casillas if c.seccion is not None]
    assert len({c.key for c in with_section}) == len(with_section)
    for c in with_section:
        assert c.key == f"14{c.seccion:04d}{c.tipo}{c.numero:02d}{c.ext_contigua:02d}"
    assert max(c.numero for c in with_section if c.tipo == "C") >= 10


def test_contiguas_of_a_seccion_are_numbered_without_gaps(catalog: Catalog) -> None:
    numbers: dict[int | None, list[int]] = {}
    for c in catalog.casillas:
        if c.tipo == "C":
            numbers.setdefault(c.seccion, []).append(c.numero)
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_every_seccion_is_whole_in_one_distrito_one_municipio_and_one_catd(catalog: Catalog) -> None:
    places: dict[int, set[tuple[int | None, int | None, int]]] = {}
    for c in catalog.casillas:
        if c.seccion is not None:
            places.setdefault(c.seccion, set()).add((c.distrito, c.municipio, c.catd))
    assert all(len(found) == 1 for found in places.values())


def test_every_municipio_and_every_distrito_has_a_catd_that_gathers_actas(catalog: Catalog) -> None:
    estimate = loads(catalog)
    assert len(estimate) == 145
    assert all(load.total > 0 for load in estimate)
    assert {catd.municipio for catd in catalog.catds[:125]} == set(catalog.municipios)
    assert {catd.distrito for catd in catalog.catds[125:]} == set(catalog.distritos)
    assert sum(load.total for load in estimate) == len(catalog.actas)


def test_a_distrital_catd_gathers_only_its_distrito(catalog: Catalog) -> None:
    for c in catalog.casillas:
        catd = catalog.catds[c.catd]
        if catd.id >= 125 and c.tipo not in WITHOUT_SECTION:
            assert catd.distrito == c.distrito


def test_distritos_have_populations_of_one_size(catalog: Catalog) -> None:
    voters: Counter[int | None] = Counter()
    for c in catalog.casillas:
        if c.seccion is not None:
            voters[c.distrito] += c.lista_nominal
    mean = sum(voters.values()) // 20
    assert all(abs(one - mean) * 100 < 15 * mean for one in voters.values()), voters


def test_every_distrito_has_an_especial(catalog: Catalog) -> None:
    assert {c.distrito for c in catalog.casillas if c.special} == set(catalog.distritos)


def test_the_coalitions_of_2024_give_thirty_combinations_and_none_on_an_rp_acta() -> None:
    catalog = jalisco(2024)
    codes = catalog.contests["GUB"].codes
    assert sum(code.startswith("C_") for code in codes) == 4 + 26
    rp = next(acta for acta in catalog.actas if acta.tipo_acta == "3ERP")
    columns = catalog.contests["DIP_LOC"].columns
    applies = catalog.layouts[rp.layout].applies
    here = [c.code for c, one in zip(columns, applies, strict=True) if one]
    assert here == [*catalog.contests["DIP_LOC"].parties, "NO_REGISTRADAS", "NULOS"]


def test_actas_follow_the_published_order() -> None:
    catalog = jalisco(2024)
    gub = list(catalog.actas_of("GUB"))
    assert [catalog.casilla_of(acta).tipo for acta in gub[:14]] == ["M", *"A" * 7, *"P" * 6]
    keys = [
        (c.distrito or 0, c.seccion or 0, c.tipo, c.numero, c.ext_contigua)
        for c in (catalog.casilla_of(acta) for acta in gub[14:])
    ]
    assert keys == sorted(keys)
    assert [acta.id for acta in catalog.actas] == list(range(len(catalog.actas)))


def test_the_same_catalogue_comes_out_in_another_process(catalog: Catalog) -> None:
    year = next(year for year in YEARS if jalisco(year).fingerprint() == catalog.fingerprint())
    code = f"from core.catalogs import jalisco; print(jalisco({year}).fingerprint())"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert run.stdout.strip() == catalog.fingerprint()


def test_its_provenance_says_what_is_fact_and_what_is_modelled(catalog: Catalog) -> None:
    assert "Hecho:" in catalog.provenance
    assert "Modelado:" in catalog.provenance
    assert "10,903" in catalog.provenance


def test_it_loads_back_from_a_folder(catalog: Catalog, tmp_path: Path) -> None:
    write_catalog(catalog, tmp_path / "jalisco")
    assert load_catalog(tmp_path / "jalisco").fingerprint() == catalog.fingerprint()


def test_a_shipped_catalogue_is_opened_by_name_and_a_folder_by_its_path(tmp_path: Path) -> None:
    shipped = open_catalog("jalisco-2021", tmp_path)
    assert shipped.fingerprint() == jalisco(2021).fingerprint()
    write_catalog(shipped, tmp_path / "mio")
    assert open_catalog("mio", tmp_path).fingerprint() == shipped.fingerprint()


def test_a_name_that_is_no_catalogue_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="jalisco-2021, jalisco-2024, jalisco-2027"):
        open_catalog("jalisco-2018", tmp_path)
