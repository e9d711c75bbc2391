"""The writer, fed what a real file says, gives the real file back."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from core.catalogs import ImportedCatalog, import_published
from core.domain.fields import Mark
from core.publication.dialects import dialect_for, load_dialect
from core.publication.recount import check_header, recount, written_header
from core.publication.results_csv import ResultsCsv
from core.published.reader import PublishedFile, read_published
from core.tally.levels import Levels
from core.tally.snapshot import Snapshot
from tests.real.from_cells import header_of, snapshot_of

PUEBLA = ("GUB", "DIP_LOC", "AYUN")
LEAKED = {"TOTAL_VOTOS_C_CS", "TOTAL_VOTOS_S_CS"}


@pytest.fixture(scope="module")
def qroo(shared_data: Path) -> tuple[list[PublishedFile], ImportedCatalog, Snapshot]:
    files = [read_published(shared_data / "qroo2019" / "QROO_DIP_LOC_2019.csv")]
    night = import_published(files)
    return files, night, snapshot_of(files, night)


@pytest.fixture(scope="module")
def puebla(shared_data: Path) -> tuple[list[PublishedFile], ImportedCatalog, Snapshot]:
    files = [read_published(shared_data / "puebla2024" / f"PUE_{name}_2024.csv") for name in PUEBLA]
    night = import_published(files)
    return files, night, snapshot_of(files, night)


def rendered(file: PublishedFile, night: ImportedCatalog, snapshot: Snapshot, *, like: bool) -> bytes:
    if like:
        results = ResultsCsv(night.catalog, file.contest, dialect_for(file.layout), columns_like=file)
    else:
        results = ResultsCsv(night.catalog, file.contest, load_dialect(file.layout.name))
    results.update(snapshot)
    return results.render(header_of(snapshot, night, file.contest), file.cut_ms)


@pytest.mark.parametrize("like", [True, False], ids=["con sus columnas", "solo el dialecto"])
def test_quintana_roo_comes_back_byte_for_byte(
    qroo: tuple[list[PublishedFile], ImportedCatalog, Snapshot], like: bool
) -> None:
    (file,), night, snapshot = qroo
    assert rendered(file, night, snapshot, like=like) == file.path.read_bytes()


@pytest.mark.parametrize("like", [True, False], ids=["con sus columnas", "solo el dialecto"])
@pytest.mark.parametrize("number", range(3), ids=PUEBLA)
def test_puebla_comes_back_except_for_what_its_publisher_got_wrong(
    puebla: tuple[list[PublishedFile], ImportedCatalog, Snapshot], number: int, like: bool
) -> None:
    files, night, snapshot = puebla
    file = files[number]
    official = file.path.read_bytes().decode("utf-8").split("\n")
    own = rendered(file, night, snapshot, like=like).decode("utf-8").split("\n")
    assert len(own) == len(official)
    repaired = {
        (item.row_line, item.column): (item.official, item.own)
        for item in night.repairs
        if item.file == str(file.path)
    }
    found: dict[tuple[int, str], tuple[str, str]] = {}
    leaks: Counter[str] = Counter()
    for line, (theirs, ours) in enumerate(zip(official, own, strict=True), start=1):
        if theirs == ours:
            continue
        pairs = zip(next(csv.reader([theirs])), next(csv.reader([ours])), strict=True)
        for column, (left, right) in enumerate(pairs):
            if left == right:
                continue
            if line == file.header_line + 1:
                assert left == f"{right}.0"
                leaks[file.header_names[column]] += 1
            else:
                found[line, file.canonical[column]] = (left, right)
    assert set(leaks) == LEAKED
    assert found == repaired
    assert len({line for line, _ in found}) == 53


def test_the_recount_gives_every_header_of_the_real_files(
    qroo: tuple[list[PublishedFile], ImportedCatalog, Snapshot],
    puebla: tuple[list[PublishedFile], ImportedCatalog, Snapshot],
) -> None:
    for file in (*qroo[0], *puebla[0]):
        data, dialect = file.path.read_bytes(), dialect_for(file.layout)
        official = written_header(data, dialect)
        own = recount(data, dialect, last=True)
        differ = {name for name in own if own[name] != official[name]}
        assert differ <= LEAKED
        assert all(official[name] == f"{own[name]}.0" for name in differ)


def test_the_participation_of_a_cut_in_operation_is_not_that_of_the_last(
    qroo: tuple[list[PublishedFile], ImportedCatalog, Snapshot],
) -> None:
    data = qroo[0][0].path.read_bytes()
    dialect = load_dialect("qroo-2019")
    assert recount(data, dialect, last=True)["PORCENTAJE_PARTICIPACION_CIUDADANA"] == "22.1523"
    assert recount(data, dialect, last=False)["PORCENTAJE_PARTICIPACION_CIUDADANA"] == "22.1180"
    assert check_header(data, dialect, last=True, name="QROO")["ACTAS_CAPTURADAS"] == "2136"


def test_the_levels_of_a_real_night_add_up_to_its_header(
    puebla: tuple[list[PublishedFile], ImportedCatalog, Snapshot],
) -> None:
    files, night, snapshot = puebla
    for file in files:
        levels = Levels(night.catalog, file.contest)
        levels.update(snapshot)
        assert levels.counters(last_cut=True) == header_of(snapshot, night, file.contest)
        columns = [0] * len(levels.contest.columns)
        for entry in night.catalog.actas_of(file.contest):
            acta = snapshot.actas[entry.id]
            if acta is not None and acta.contabilizada:
                for column, field in enumerate(acta.votes):
                    columns[column] += 0 if isinstance(field, Mark) else field
        assert levels.whole.votes == columns
        assert sum(levels.whole_by_party().values()) == sum(columns)
