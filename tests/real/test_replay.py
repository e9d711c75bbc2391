"""The replay of real nights gives back what was published, and explains every cell that differs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.published.review import review_file
from simulator.replays.compare import Comparison, compare_all
from simulator.replays.replay import Replayed, prepare, read_files, replay, written_file

QROO = "qroo2019/QROO_DIP_LOC_2019.csv"
PUEBLA = tuple(f"puebla2024/PUE_{contest}_2024.csv" for contest in ("GUB", "DIP_LOC", "AYUN"))


@dataclass
class Night:
    """A replayed night and its comparison."""

    folder: Path
    replayed: Replayed
    comparisons: dict[str, Comparison]


def run(folder: Path, names: tuple[str, ...], shared: Path, every_minutes: int = 0) -> Night:
    """Replay files of the shared data."""
    files = read_files([shared / name for name in names])
    replayed = replay(prepare(files), folder, every_minutes=every_minutes)
    comparisons = compare_all(replayed, [written_file(replayed, file) for file in files])
    return Night(folder, replayed, {c.file.contest: c for c in comparisons})


@pytest.fixture(scope="module")
def qroo(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Night:
    """Quintana Roo 2019 with a cut every two hours."""
    return run(tmp_path_factory.mktemp("qroo"), (QROO,), shared_data, every_minutes=120)


@pytest.fixture(scope="module")
def puebla(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Night:
    """The three contests of Puebla 2024 together."""
    return run(tmp_path_factory.mktemp("puebla"), PUEBLA, shared_data)


def test_quintana_roo_comes_back_but_for_the_times_typed_outside_the_operation(qroo: Night) -> None:
    comparison = qroo.comparisons["DIP_LOC"]
    assert comparison.header == comparison.file.header
    columns = Counter((d.column, (d.reason or "").split(":")[0]) for d in comparison.differences)
    assert columns == {("FECHA_HORA_ACOPIO", "hora de acopio fuera del periodo de operación"): 22}


def test_the_engine_refused_exactly_the_times_outside_the_operation(qroo: Night) -> None:
    assert Counter((what, code.value) for _, _, what, code in qroo.replayed.refused) == {
        ("acopio-escrito", "HORA_FUERA_DE_PERIODO"): 22
    }


@pytest.mark.parametrize("contest", ["GUB", "DIP_LOC", "AYUN"])
def test_puebla_comes_back_and_every_difference_has_a_reason(puebla: Night, contest: str) -> None:
    comparison = puebla.comparisons[contest]
    assert [d for d in comparison.differences if d.reason is None] == []
    in_rows = [d for d in comparison.differences if d.row != comparison.file.header_line]
    reasons = Counter((d.reason or "").split(":")[0] for d in in_rows)
    observations = reasons.pop("las reglas contradicen la observación con los campos publicados", 0)
    assert reasons == {"contigua 10 o mayor escrita como C01": 159}
    assert observations == (21 if contest == "AYUN" else 0)


@pytest.mark.parametrize("contest", ["GUB", "DIP_LOC", "AYUN"])
def test_the_header_of_puebla_comes_back_but_for_its_own_slips(puebla: Night, contest: str) -> None:
    comparison = puebla.comparisons[contest]
    official = {name: value.removesuffix(".0") for name, value in comparison.file.header.items()}
    different = {name for name in official if comparison.header[name] != official[name]}
    # Twenty-one observations of AYUN have no field behind them; the counter follows the fields.
    assert different == ({"PORCENTAJE_ACTAS_INCONSISTENCIAS"} if contest == "AYUN" else set())


def test_nothing_of_puebla_was_refused(puebla: Night) -> None:
    assert puebla.replayed.refused == []


def test_the_rehearsal_of_puebla_is_replayed_with_its_many_defects_explained(
    tmp_path: Path, shared_data: Path
) -> None:
    night = run(tmp_path, ("puebla2024/simulacro_1/PUE_GUB_2024.csv",), shared_data)
    comparison = night.comparisons["GUB"]
    assert [d for d in comparison.differences if d.reason is None] == []
    header = {d.column: d for d in comparison.differences if d.row == comparison.file.header_line}
    lost_zero = header["PORCENTAJE_ACTAS_CONTABILIZADAS"]
    assert (lost_zero.official, lost_zero.own) == ("39.226", "39.2260")
    # Eleven actas fuera de catálogo bear one image: counted once.
    assert header["ACTAS_FUERA_CATALOGO"].own == "3"


def test_what_a_replay_writes_keeps_only_the_typing_slips_the_law_does_not_refuse(qroo: Night) -> None:
    directory = qroo.replayed.cuts[-1].directory
    assert directory is not None
    findings = review_file(directory / "QROO_DIP_LOC_2019.csv")
    # Half a day late is inside the 24 hours: flagged, not refused, and so still in the file.
    assert {f.code for f in findings.items if f.severity == "error"} == {"T05"}


def test_two_replays_of_one_night_end_with_the_same_fingerprint(
    tmp_path: Path, qroo: Night, shared_data: Path
) -> None:
    again = run(tmp_path, (QROO,), shared_data)
    (tmp_path / "b").mkdir()
    assert run(tmp_path / "b", (QROO,), shared_data).replayed.fingerprint == again.replayed.fingerprint
    # How often it was published does not change how the night ends.
    assert qroo.replayed.fingerprint == again.replayed.fingerprint
