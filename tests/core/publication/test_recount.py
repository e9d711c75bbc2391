"""The independent recount: agrees with honest files, refuses tampered ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.publication.dialects import DIALECTS, load_dialect
from core.publication.recount import HeaderMismatchError, RowMismatchError, check_header, recount
from core.publication.results_csv import ResultsCsv
from core.tally.levels import Levels
from core.tally.snapshot import Snapshot
from tests.builders import START_MS, random_snapshot, small_catalog

CATALOG = small_catalog()


def published(snapshot: Snapshot, dialect: str, contest: str, *, last: bool) -> bytes:
    results = ResultsCsv(CATALOG, contest, load_dialect(dialect))
    results.update(snapshot)
    levels = Levels(CATALOG, contest)
    levels.update(snapshot)
    return results.render(levels.counters(last_cut=last), START_MS)


@given(
    seed=st.integers(0, 100_000),
    captured=st.sampled_from([0.0, 0.3, 1.0]),
    outside=st.integers(0, 3),
    last=st.booleans(),
    name=st.sampled_from(DIALECTS),
)
def test_the_recount_of_any_night_is_its_header(
    seed: int, captured: float, outside: int, last: bool, name: str
) -> None:
    snapshot = random_snapshot(CATALOG, seed, captured=captured, outside=outside)
    for contest in CATALOG.contests:
        data = published(snapshot, name, contest, last=last)
        levels = Levels(CATALOG, contest)
        levels.update(snapshot)
        assert recount(data, load_dialect(name), last=last) == levels.counters(last_cut=last).as_header()
        assert check_header(data, load_dialect(name), last=last, name="x.csv")


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize(
    "column", ["CONTABILIZADA", "TOTAL_VOTOS_CALCULADO", "NULOS", "LISTA_NOMINAL", "OBSERVACIONES"]
)
def test_a_tampered_cell_of_a_counted_row_is_refused(name: str, column: str) -> None:
    dialect = load_dialect(name)
    data = published(random_snapshot(CATALOG, 11, captured=1.0), name, "DIP_LOC", last=False)
    lines = data.decode("utf-8-sig").split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("CLAVE_CASILLA"))
    names = lines[at].split(dialect.file.separator)
    where = names.index("NULOS" if column == "NULOS" else column)
    counted = names.index("CONTABILIZADA")
    clean = dialect.observations.none
    number, cells = next(
        (i, line.split(dialect.file.separator))
        for i, line in enumerate(lines[at + 1 :], start=at + 1)
        if (cells := line.split(dialect.file.separator))[counted] == "1"
        and cells[names.index("NULOS")].isdigit()
        and cells[names.index("OBSERVACIONES")] == clean
        and cells[names.index("TIPO_CASILLA")] == "B"
    )
    other = {"CONTABILIZADA": "0", "OBSERVACIONES": dialect.observations.text(("V4",))}
    cells[where] = other.get(column) or str(int(cells[where]) + 1)
    lines[number] = dialect.file.separator.join(cells)
    with pytest.raises(HeaderMismatchError) as caught:
        check_header("\n".join(lines).encode(), dialect, last=False, name="JAL.csv")
    assert "JAL.csv" in str(caught.value)
    assert caught.value.differences


def test_a_row_taken_away_is_refused() -> None:
    data = published(random_snapshot(CATALOG, 2, captured=1.0), "opl-2024", "AYUN", last=False)
    lines = data.split(b"\n")
    del lines[9]
    with pytest.raises(HeaderMismatchError, match="ACTAS_ESPERADAS"):
        check_header(b"\n".join(lines), load_dialect("opl-2024"), last=False, name="x.csv")


def test_the_wrong_participation_formula_is_refused() -> None:
    snapshot = random_snapshot(CATALOG, 4, captured=1.0)
    data = published(snapshot, "opl-2024", "DIP_LOC", last=True)
    dialect = load_dialect("opl-2024")
    with pytest.raises(HeaderMismatchError) as caught:
        check_header(data, dialect, last=False, name="x.csv")
    assert [name for name, _, _ in caught.value.differences] == ["PORCENTAJE_PARTICIPACION_CIUDADANA"]


def test_a_float_that_leaked_into_the_header_is_refused() -> None:
    data = published(random_snapshot(CATALOG, 4), "opl-2024", "DIP_LOC", last=True)
    dialect = load_dialect("opl-2024")
    total = recount(data, dialect, last=True)["TOTAL_VOTOS_C_CS"]
    leaked = data.replace(f",{total},".encode(), f",{total}.0,".encode(), 1)
    assert leaked != data
    with pytest.raises(HeaderMismatchError, match="TOTAL_VOTOS_C_CS"):
        check_header(leaked, dialect, last=True, name="x.csv")


def test_a_short_row_is_refused_as_no_row_of_the_file() -> None:
    data = published(random_snapshot(CATALOG, 4), "opl-2024", "DIP_LOC", last=True)
    lines = data.split(b"\n")
    lines[10] = lines[10].rsplit(b",", 1)[0]
    with pytest.raises(RowMismatchError, match="celdas"):
        recount(b"\n".join(lines), load_dialect("opl-2024"), last=True)
