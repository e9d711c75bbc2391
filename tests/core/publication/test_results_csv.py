"""The results CSV: kinds of row, incremental rendering, quoting."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.catalog import Catalog, Territory
from core.domain.counters import COUNTER_NAMES
from core.domain.fields import Mark
from core.publication.dialects import DIALECTS, load_dialect
from core.publication.results_csv import ResultsCsv
from core.tally.levels import Levels
from core.tally.snapshot import Snapshot
from tests.builders import START_MS, next_snapshot, random_snapshot, small_catalog

CATALOG = small_catalog()
CUT_MS = START_MS + 50_000_000


def rows_of(
    snapshot: Snapshot, dialect: str = "opl-2024", contest: str = "DIP_LOC", catalog: Catalog = CATALOG
) -> list[dict[str, str]]:
    results = ResultsCsv(catalog, contest, load_dialect(dialect))
    results.update(snapshot)
    return [dict(zip(results.canonical, cells, strict=True)) for cells in results.cells()]


def empty() -> Snapshot:
    return Snapshot(0, [None] * len(CATALOG.actas), [], None)


def test_every_expected_acta_is_there_before_any_is_captured() -> None:
    rows = rows_of(empty())
    assert len(rows) == CATALOG.expected("DIP_LOC")
    normal = next(row for row in rows if row["TIPO_CASILLA"] == "B")
    assert normal["OBSERVACIONES"] == normal["CONTABILIZADA"] == normal["PAN"] == normal["ORIGEN"] == "-"
    assert normal["TOTAL_VOTOS_CALCULADO"] == "0"
    assert normal["LISTA_NOMINAL"].isdigit()
    early = next(row for row in rows if row["TIPO_CASILLA"] == "A")
    assert early["TOTAL_BOLETAS_SOBRANTES"] == early["REPRESENTANTES_PP_CI"] == "N/A"
    assert early["TOTAL_PERSONAS_VOTARON"] == "-"
    assert early["SECCION"] == early["ID_CASILLA"] == "'N/A"


@pytest.mark.parametrize(
    ("dialect", "votes", "total", "origin", "mechanism"),
    [
        ("opl-2024", "SIN ACTA", "0", "CATD", "N/A"),
        ("opl-2024-acentos", "SIN ACTA", "SIN ACTA", "N/A", "N/A"),
        ("qroo-2019", "0", "0", "CATD", "F"),
        ("ine-2024", "-", "-", "-", "-"),
    ],
)
def test_a_row_sin_acta_says_what_each_dialect_wants(
    dialect: str, votes: str, total: str, origin: str, mechanism: str
) -> None:
    snapshot = random_snapshot(CATALOG, 3)
    acta = next(entry for entry in CATALOG.actas_of("DIP_LOC") if CATALOG.casilla_of(entry).tipo == "B")
    sin_acta = replace_acta(snapshot, acta.id)
    row = rows_of(sin_acta, dialect)[acta.id]
    assert (row["PAN"], row["TOTAL_VOTOS_CALCULADO"]) == (votes, total)
    assert (row["ORIGEN"], row["MECANISMOS_TRASLADO"]) == (origin, mechanism)
    assert row["CONTABILIZADA"] == "0"
    applies = CATALOG.layouts[acta.layout].applies
    hidden = CATALOG.contests["DIP_LOC"].codes[applies.index(False)] if False in applies else None
    if hidden is not None:
        assert row[hidden] == "-"


def replace_acta(snapshot: Snapshot, acta: int) -> Snapshot:
    """The snapshot with one acta marked sin acta by package not delivered."""
    actas = list(snapshot.actas)
    found = next(item for item in actas if item is not None and item.sin_acta)
    actas[acta] = found._replace(acta=acta, codes=("S1",), mechanism="F")
    return replace(snapshot, actas=actas)


def test_marks_are_words_and_columns_that_do_not_run_are_dashes() -> None:
    snapshot = random_snapshot(CATALOG, 5, captured=1.0)
    rows = rows_of(snapshot)
    seen = set()
    for entry in CATALOG.actas_of("DIP_LOC"):
        acta = snapshot.actas[entry.id]
        if acta is None or acta.sin_acta:
            continue
        for code, field in zip(CATALOG.contests["DIP_LOC"].codes, acta.votes, strict=True):
            cell = rows[entry.id][code]
            if isinstance(field, Mark):
                seen.add(field)
                words = {Mark.ILEGIBLE: "ILEGIBLE", Mark.SIN_DATO: "SIN DATO", Mark.NO_APLICA: "-"}
                assert cell == words[field]
            else:
                assert cell == str(field)
    assert seen == set(Mark)


def test_actas_fuera_de_catalogo_are_the_last_rows_with_code_2() -> None:
    snapshot = random_snapshot(CATALOG, 1, outside=4)
    rows = rows_of(snapshot)
    mine = [acta for acta in snapshot.outside if acta.contest == "DIP_LOC"]
    assert len(mine) == 2
    last = rows[-2:]
    for row, acta in zip(last, mine, strict=True):
        assert row["CONTABILIZADA"] == "2" and row["UBICACION_CASILLA"] == "3"
        assert row["CLAVE_CASILLA"] == row["NULOS"] == row["FECHA_HORA_CAPTURA"] == ""
        assert row["CODIGO_INTEGRIDAD"] == acta.image_hash
    assert all(row["CONTABILIZADA"] != "2" for row in rows[:-2])


def test_the_federal_file_has_its_keys_quoted_and_the_cotejo_at_the_end() -> None:
    results = ResultsCsv(CATALOG, "DIP_LOC", load_dialect("ine-2024"))
    results.update(random_snapshot(CATALOG, 2))
    assert results.columns[-1] == "COTEJADA" and "ID_DISTRITO_FEDERAL" in results.columns
    first = next(results.cells())
    assert first[0].startswith("'") and first[0].endswith("'")


@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.05, 0.5, 1.0]))
def test_rendering_what_changed_gives_the_same_file_as_rendering_all(seed: int, share: float) -> None:
    before = random_snapshot(CATALOG, seed)
    after = next_snapshot(CATALOG, before, seed + 1, share=share)
    for name in DIALECTS:
        kept = ResultsCsv(CATALOG, "AYUN", load_dialect(name))
        kept.update(before)
        rendered = kept.update(after)
        assert after.changed is not None
        assert rendered == sum(1 for acta in after.changed if CATALOG.actas[acta].contest == "AYUN")
        whole = ResultsCsv(CATALOG, "AYUN", load_dialect(name))
        whole.update(replace(after, changed=None))
        levels = Levels(CATALOG, "AYUN")
        levels.update(after)
        header = levels.counters(last_cut=False)
        assert kept.render(header, CUT_MS) == whole.render(header, CUT_MS)


def test_a_name_with_comma_or_quotes_does_not_move_the_columns() -> None:
    catalog = small_catalog()
    catalog.distritos[1] = Territory(1, 'SAN JUAN, "EL ALTO"')
    row = rows_of(random_snapshot(catalog, 1), catalog=catalog)[0]
    assert row["DISTRITO"] == 'SAN JUAN, "EL ALTO"'


def test_the_header_block_is_found_where_the_structure_puts_it() -> None:
    snapshot = random_snapshot(CATALOG, 1)
    results = ResultsCsv(CATALOG, "DIP_LOC", load_dialect("opl-2024"), title="DIPUTACIONES")
    results.update(snapshot)
    levels = Levels(CATALOG, "DIP_LOC")
    levels.update(snapshot)
    header = levels.counters(last_cut=False)
    data = results.render(header, CUT_MS)
    assert data.startswith(b"\xef\xbb\xbf")
    lines = data.decode("utf-8-sig").split("\n")
    assert lines[0] == "DIPUTACIONES"
    assert lines[1] == "06/06/2021 07:53 (UTC-6)"
    assert lines[2] == lines[5] == ""
    assert lines[3].split(",") == list(COUNTER_NAMES)
    assert lines[4].split(",") == list(header.as_header().values())
    assert lines[6].startswith(
        "CLAVE_CASILLA,CLAVE_ACTA,ID_ENTIDAD,ENTIDAD,ID_DISTRITO_LOCAL,DISTRITO_LOCAL,"
    )
    assert len(list(csv.reader(io.StringIO("\n".join(lines[7:]))))) == len(results)
