"""When the actas leave their casillas: together, and the special ones at their own time."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean

import pytest

from core.catalogs import load_catalog
from core.domain.catalog import Catalog
from simulator.night.arrivals import Package, plan_arrivals
from simulator.scenario.document import Scenario
from simulator.scenario.file import load_scenario
from simulator.seeds import Seeds
from tests.simulator.conftest import DATA

MINUTE = 60_000


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(DATA / "catalogo")


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(DATA / "chica.toml").scenario


def packages_of(catalog: Catalog, scenario: Scenario, **changes: object) -> list[Package]:
    """`changes`: for each table of the scenario, the fields that change."""
    for table, fields in changes.items():
        scenario = scenario.model_copy(update={table: getattr(scenario, table).model_copy(update=fields)})
    return plan_arrivals(catalog, scenario, Seeds(1))


def test_the_actas_of_a_casilla_travel_together_in_one_package(catalog: Catalog, scenario: Scenario) -> None:
    packages = packages_of(catalog, scenario)
    assert len({package.casilla for package in packages}) == len(packages)
    seen = set()
    together = 0
    for package in packages:
        mine = {entry.id for entry in catalog.actas if entry.casilla == package.casilla}
        photographed = {photo.acta for photo in package.photos}
        missing = {acta for acta, _ in package.missing}
        assert set(package.envelopes) | photographed | missing == mine
        assert set(package.envelopes).isdisjoint(missing)
        seen |= mine
        together += len(package.envelopes) > 1
    assert seen == {entry.id for entry in catalog.actas}
    assert together > len(packages) / 2


def test_the_count_of_a_special_casilla_takes_as_much_longer_as_said(
    catalog: Catalog, scenario: Scenario
) -> None:
    usual = packages_of(catalog, scenario, phone={"adoption": 1.0, "success": 1.0})
    longer = packages_of(
        catalog, scenario, phone={"adoption": 1.0, "success": 1.0}, arrivals={"special_factor": 2.0}
    )
    later = set()
    for before, after in zip(usual, longer, strict=True):
        if after != before:
            later.add(after.casilla)
            assert before.at_catd_ms is not None and after.at_catd_ms is not None
            assert after.at_catd_ms > before.at_catd_ms
            # Twice the count: the first photo was counted plus the time of the shot.
            assert after.photos[0].shot_ms > 1.8 * before.photos[0].shot_ms
    assert later == {casilla.id for casilla in catalog.casillas if casilla.special}


@pytest.fixture(scope="module")
def with_voters_abroad(catalog: Catalog) -> Catalog:
    """Every fifth casilla is of no section."""
    kinds = ("A", "M", "P", "V")
    casillas = [
        replace(one, tipo=kinds[one.id // 5 % 4], seccion=None) if one.id % 5 == 0 else one
        for one in catalog.casillas
    ]
    return replace(catalog, casillas=casillas)


def test_actas_without_section_are_counted_where_they_are_gathered_at_their_own_time(
    with_voters_abroad: Catalog, catalog: Catalog, scenario: Scenario
) -> None:
    envelopes = {"not_installed": 0.0, "not_delivered": 0.0}
    usual = packages_of(catalog, scenario, envelopes=envelopes)
    apart = packages_of(with_voters_abroad, scenario, envelopes=envelopes, arrivals={"abroad_min": 200.0})
    moments = []
    for before, after in zip(usual, apart, strict=True):
        assert after.at_catd_ms is not None
        if after.casilla % 5:
            assert after == before
        else:
            moments.append(after.at_catd_ms / MINUTE)
    assert len(moments) > 10
    assert mean(moments) == pytest.approx(200, rel=0.08)
    assert all(130 < moment < 300 for moment in moments)


@pytest.mark.parametrize(("factor", "expected"), [(3.0, 0.3), (20.0, 1.0)])
def test_envelopes_are_missing_more_often_in_the_metropolitan_zone(
    catalog: Catalog, scenario: Scenario, factor: float, expected: float
) -> None:
    shares = {"DIP_LOC": 0.1, "AYUN": 0.1}
    envelopes = {"without_envelope": shares, "metropolitan_factor": factor, "not_delivered": 0.0}
    packages = packages_of(
        catalog, scenario, phone={"adoption": 0.0}, envelopes={**envelopes, "not_installed": 0.0}
    )
    usual = packages_of(
        catalog,
        scenario,
        phone={"adoption": 0.0},
        envelopes={**envelopes, "not_installed": 0.0, "metropolitan_factor": 1.0},
    )
    inside = [0, 0]
    for package, before in zip(packages, usual, strict=True):
        if catalog.casillas[package.casilla].municipio in scenario.metropolitan:
            inside[0] += len(package.missing)
            inside[1] += len(package.missing) + len(package.envelopes)
            assert set(before.missing) <= set(package.missing)
        else:
            assert package == before
    assert inside[1] > 20
    assert inside[0] / inside[1] == pytest.approx(expected, abs=0.15)
