"""The readers and the linter on the complete files of real nights."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.published.findings import Findings
from core.published.reader import read_published
from core.published.render import render
from core.published.review import review_file

QROO = "qroo2019/QROO_DIP_LOC_2019.csv"
GUB, DIP, AYUN = (f"puebla2024/PUE_{name}_2024.csv" for name in ("GUB", "DIP_LOC", "AYUN"))
SIM_GUB, SIM_DIP = (f"puebla2024/simulacro_1/PUE_{name}_2024.csv" for name in ("GUB", "DIP_LOC"))
ALL = (QROO, GUB, DIP, AYUN, SIM_GUB, SIM_DIP)


@pytest.fixture(scope="module")
def reviewed(shared_data: Path) -> dict[str, Findings]:
    return {name: review_file(shared_data / name) for name in ALL}


@pytest.mark.parametrize("name", ALL)
def test_every_real_file_is_rendered_back_byte_by_byte(shared_data: Path, name: str) -> None:
    path = shared_data / name
    assert render(read_published(path)) == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "layout", "contest", "rows"),
    [
        (QROO, "qroo-2019", "DIP_LOC", 2136),
        (GUB, "opl-2024", "GUB", 8346),
        (DIP, "opl-2024", "DIP_LOC", 8435),
        (AYUN, "opl-2024", "AYUN", 8364),
        (SIM_GUB, "opl-2024", "GUB", 8334),
        (SIM_DIP, "opl-2024", "DIP_LOC", 8411),
    ],
)
def test_layout_contest_and_rows_are_recognised(
    shared_data: Path, name: str, layout: str, contest: str, rows: int
) -> None:
    published = read_published(shared_data / name)
    assert (published.layout.name, published.contest, len(published.rows)) == (layout, contest, rows)


def test_other_csv_files_are_not_taken_for_results(shared_data: Path) -> None:
    from core.errors import InputError

    for name in ("puebla2024/PUE_GUB_Candidaturas_2024.csv", "jalisco/jalisco_municipios.csv"):
        with pytest.raises(InputError):
            read_published(shared_data / name)


def test_quintana_roo_has_its_mistyped_acopios_and_nothing_else(reviewed: dict[str, Findings]) -> None:
    assert reviewed[QROO].counts() == {"T03": 11, "T04": 11, "T05": 23, "T06": 1, "O02": 6}
    exceeding = [f for f in reviewed[QROO].items if f.code == "O02"]
    assert all("y cabe" in finding.message for finding in exceeding)


@pytest.mark.parametrize(
    ("name", "sin_acta", "sectionless", "out_of_order"),
    [(GUB, 943, 13, 120), (DIP, 873, 24, 137), (AYUN, 646, 29, 46)],
)
def test_puebla_has_float_totals_lost_contiguas_and_nothing_in_its_header(
    reviewed: dict[str, Findings], name: str, sin_acta: int, sectionless: int, out_of_order: int
) -> None:
    counts = reviewed[name].counts()
    assert counts.pop("T06", 0) == (1 if name == DIP else 0)
    assert counts.pop("O04", 0) == (21 if name == AYUN else 0)
    assert counts == {"H02": 2, "K04": 53, "K05": sectionless, "C05": sin_acta, "R01": out_of_order}


def test_surplus_keys_of_puebla_are_all_explained(shared_data: Path, reviewed: dict[str, Findings]) -> None:
    for name, surplus in ((GUB, 77), (DIP, 88), (AYUN, 93)):
        published = read_published(shared_data / name)
        outside = sum(published.cell(row, "CONTABILIZADA") == "2" for row in published.rows)
        counts = reviewed[name].counts()
        # The rows fuera de catálogo have no key: all but the first «repeat» the empty one.
        assert counts["K04"] + counts["K05"] + outside - 1 == surplus
        assert "K03" not in counts


def test_the_rehearsal_of_puebla_shows_every_slip_of_its_header(reviewed: dict[str, Findings]) -> None:
    header = [(f.code, f.column, f.message) for f in reviewed[SIM_GUB].sorted() if f.code.startswith("H")]
    assert header == [
        ("H02", "TOTAL_VOTOS_C_CS", "«986898.0» debe ser 986898"),
        ("H02", "TOTAL_VOTOS_S_CS", "«976070.0» debe ser 976070"),
        ("H03", "PORCENTAJE_ACTAS_CONTABILIZADAS", "«39.226» debe ser 39.2260"),
        ("H05", "PORCENTAJE_ACTAS_INCONSISTENCIAS", "dice 0.0120 y las filas dan 36.9186"),
    ]


def test_the_rehearsal_of_puebla_shows_the_slips_of_its_rows(reviewed: dict[str, Findings]) -> None:
    for name, captured in ((SIM_GUB, 3559), (SIM_DIP, 4616)):
        counts = reviewed[name].counts()
        assert counts["O11"] == captured, "sin_dato in every captured row"
        assert counts["O10"] > 3000, "totals as 214.0"
        assert (counts["O16"], counts["C01"], counts["C03"]) == (1, 10, 2)
        assert counts["T01"] == 11, "stamps in another format"
        assert counts["T08"] >= 11, "and after the cut, past midnight"
    assert reviewed[SIM_DIP].counts()["O12"] == 4616
