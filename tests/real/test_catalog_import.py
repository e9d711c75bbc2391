"""The catalogues of real nights, rebuilt from what their institutes published."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from core.catalogs import ImportedCatalog, import_published, load_catalog
from core.catalogs.writer import write_catalog
from core.published.reader import PublishedFile, read_published

Prep = Callable[..., "subprocess.CompletedProcess[str]"]

NIGHTS = {
    "qroo": ("qroo2019/QROO_DIP_LOC_2019.csv",),
    "puebla": (
        "puebla2024/PUE_GUB_2024.csv",
        "puebla2024/PUE_DIP_LOC_2024.csv",
        "puebla2024/PUE_AYUN_2024.csv",
    ),
    "simulacro": (
        "puebla2024/simulacro_1/PUE_GUB_2024.csv",
        "puebla2024/simulacro_1/PUE_DIP_LOC_2024.csv",
    ),
}


@cache
def night(folder: Path, name: str) -> tuple[list[PublishedFile], ImportedCatalog]:
    files = [read_published(folder / path) for path in NIGHTS[name]]
    return files, import_published(files)


@pytest.fixture(params=NIGHTS)
def imported(
    request: pytest.FixtureRequest, shared_data: Path
) -> tuple[list[PublishedFile], ImportedCatalog]:
    name: str = request.param
    return night(shared_data, name)


Night = tuple[list[PublishedFile], ImportedCatalog]


def test_the_actas_of_the_catalogue_are_those_the_header_expects(imported: Night) -> None:
    files, result = imported
    assert {f.contest: result.catalog.expected(f.contest) for f in files} == {
        f.contest: int(f.header["ACTAS_ESPERADAS"]) for f in files
    }


def test_no_acta_is_twice_in_the_catalogue(imported: Night) -> None:
    actas = imported[1].catalog.actas
    assert len({(acta.contest, acta.casilla, acta.tipo_acta) for acta in actas}) == len(actas)


def test_rows_without_acta_are_those_fuera_de_catalogo(imported: Night) -> None:
    files, result = imported
    for file in files:
        outside = [file.cell(row, "CONTABILIZADA") == "2" for row in file.rows]
        assert [acta is None for acta in result.rows[file.contest]] == outside
        assert sum(outside) == int(file.header["ACTAS_FUERA_CATALOGO"])


def test_actas_keep_the_order_of_the_rows(imported: Night) -> None:
    files, result = imported
    ids = [acta for file in files for acta in result.rows[file.contest] if acta is not None]
    assert ids == list(range(len(result.catalog.actas)))


def test_the_ballot_of_every_captured_acta_has_exactly_the_cells_it_published(imported: Night) -> None:
    files, result = imported
    for file in files:
        for row, acta in zip(file.rows, result.rows[file.contest], strict=True):
            if acta is None or file.cell(row, "CONTABILIZADA") == "-":
                continue
            applies = result.catalog.layouts[result.catalog.actas[acta].layout].applies
            assert applies == tuple(row[i] not in ("-", "") for i in file.vote_indexes)


def test_an_acta_passes_its_limit_exactly_when_the_institute_said_it_exceeds(imported: Night) -> None:
    files, result = imported
    for file in files:
        for row, acta in zip(file.rows, result.rows[file.contest], strict=True):
            if acta is None or file.cell(row, "CONTABILIZADA") == "-":
                continue
            limit = result.catalog.actas[acta].limit
            total = sum(int(row[i]) for i in file.vote_indexes if row[i].isdigit())
            exceeds = limit is not None and total > limit
            assert exceeds == file.cell(row, "OBSERVACIONES").startswith("EXCEDE"), row[:2]


def test_keys_with_seccion_are_unique_once_long_contiguas_are_repaired(imported: Night) -> None:
    _, result = imported
    keys = Counter(c.key for c in result.catalog.casillas if c.seccion is not None)
    assert [key for key, times in keys.items() if times > 1] == []


def test_each_repair_names_a_cell_that_says_what_it_is_said_to_say(imported: Night) -> None:
    files, result = imported
    rows = {
        (str(f.path), line): (f, row) for f in files for row, line in zip(f.rows, f.row_lines, strict=True)
    }
    for repair in result.repairs:
        file, row = rows[repair.file, repair.row_line]
        assert file.cell(row, repair.column) == repair.official != repair.own


def test_puebla_has_53_long_contiguas_in_each_contest_and_three_cells_in_each(shared_data: Path) -> None:
    _, result = night(shared_data, "puebla")
    assert Counter(repair.column for repair in result.repairs) == {
        "CLAVE_CASILLA": 159, "CLAVE_ACTA": 159, "ID_CASILLA": 159,
    }  # fmt: skip
    assert result.disagreements == []


def test_the_casillas_of_puebla_are_joined_across_its_three_contests(shared_data: Path) -> None:
    _, result = night(shared_data, "puebla")
    catalog = result.catalog
    with_section = [c for c in catalog.casillas if c.seccion is not None]
    assert len(with_section) == 2847 + 4771 + 624 + 77
    assert all(c.distrito is not None and c.municipio is not None for c in with_section)
    assert (len(catalog.distritos), len(catalog.municipios)) == (26, 217)


def test_quintana_roo_gives_two_representatives_per_line_to_its_six_fullest_actas(shared_data: Path) -> None:
    files, result = night(shared_data, "qroo")
    limits = {}
    for row, acta in zip(files[0].rows, result.rows["DIP_LOC"], strict=True):
        assert acta is not None
        total = sum(int(row[i]) for i in files[0].vote_indexes if row[i].isdigit())
        casilla = result.catalog.casilla_of(result.catalog.actas[acta])
        if not casilla.special and total > casilla.lista_nominal + (casilla.representantes or 0):
            limits[total] = result.catalog.actas[acta].limit
    assert limits == {465: 465, 719: 719, 665: 665, 483: 488, 758: 769, 700: 700}


def test_an_imported_catalogue_loads_back_equal_from_its_folder(imported: Night, tmp_path: Path) -> None:
    catalog = imported[1].catalog
    write_catalog(catalog, tmp_path / "catalogo")
    assert load_catalog(tmp_path / "catalogo").document() == catalog.document()


def test_the_command_imports_a_night_and_lists_the_repairs(
    prep: Prep, shared_data: Path, tmp_path: Path
) -> None:
    sources = [shared_data / path for path in NIGHTS["puebla"]]
    run = prep("catalogo", "importar", *sources, "--salida", tmp_path / "puebla", "--json")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert len(told["reparaciones"]) == 477
    assert told["fuera_de_catalogo"] == {"GUB": 12, "DIP_LOC": 12, "AYUN": 12}
    assert load_catalog(tmp_path / "puebla").fingerprint() == told["huella"]
