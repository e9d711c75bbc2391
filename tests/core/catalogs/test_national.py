"""The generated catalogue of national size."""

from __future__ import annotations

import tracemalloc

import pytest

from core.catalogs import load_catalog, national
from core.catalogs.summary import loads
from core.catalogs.writer import write_catalog


def test_half_a_million_actas_take_no_memory_until_they_are_asked_for() -> None:
    tracemalloc.start()
    catalog = national()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(catalog.actas) == 510_000
    assert {code: catalog.expected(code) for code in catalog.contests} == dict.fromkeys(
        ("GUB", "DIP_LOC", "AYUN"), 170_000
    )
    assert peak < 5_000_000


def test_records_made_on_each_access_are_equal_and_ids_are_positions() -> None:
    catalog = national(3_000)
    assert [acta.id for acta in catalog.actas] == list(range(9_000))
    assert [casilla.id for casilla in catalog.casillas] == list(range(3_000))
    assert catalog.actas[-1] == catalog.actas[8_999]
    assert catalog.actas[4_000:4_002] == [catalog.actas[4_000], catalog.actas[4_001]]
    with pytest.raises(IndexError):
        catalog.actas[9_000]


def test_every_acta_has_its_own_key_and_a_casilla_that_agrees_with_it() -> None:
    catalog = national(3_000)
    assert len({acta.key for acta in catalog.actas}) == 9_000
    for acta in catalog.actas:
        casilla = catalog.casillas[acta.casilla]
        assert acta.key == casilla.key + acta.tipo_acta
        assert acta.limit == casilla.lista_nominal + (casilla.representantes or 0)


def test_it_covers_every_territory_and_every_catd_gathers_actas() -> None:
    catalog = national(9_000)
    assert {c.distrito for c in catalog.casillas} == set(catalog.distritos)
    assert {c.municipio for c in catalog.casillas} == set(catalog.municipios)
    assert all(load.total > 0 for load in loads(catalog))


def test_it_can_be_written_and_loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("nacional") / "catalogo"
    catalog = national(900, contests=2)
    write_catalog(catalog, folder)
    assert load_catalog(folder).document() == catalog.document()


def test_a_size_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="contests"):
        national(contests=4)
    with pytest.raises(ValueError, match="positive"):
        national(0)
