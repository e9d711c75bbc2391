"""The benchmarks run and say what they say they do. How fast anything is, is not tested here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import BENCHMARKS, run
from benchmarks.figures import Calibration, Figure
from benchmarks.nights import GeneratedNight
from benchmarks.raw import cut_down
from core.catalogs.national import national
from core.storage.store import Batch


def bench(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=repository, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


def test_the_command_writes_one_object_with_a_calibration_beside_every_figure(
    repository: Path, tmp_path: Path
) -> None:
    done = bench(repository, "motor", "csv", "--rapido", "--json", "--carpeta", str(tmp_path))
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert {one["nombre"] for one in said["cifras"]} == {"motor", "csv"}
    for one in said["cifras"]:
        assert math.isfinite(one["valor"])
        assert one["valor"] > 0
        assert one["calibracion"]["cpu_ms"] > 0
        assert one["calibracion"]["fdatasync_p50_us"] > 0
        assert one["numerador"]["valor"] > 0
        assert one["denominador"]["valor"] > 0
        assert one["exigido"]
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_does_not_exist_is_bad_usage(repository: Path) -> None:
    done = bench(repository, "velocidad")
    assert done.returncode == 2
    assert "velocidad" in done.stderr
    assert "motor" in done.stderr


@pytest.mark.parametrize("name", ["escritor", "agregados", "xlsx", "nacional"])
def test_every_figure_is_a_positive_number(name: str, tmp_path: Path) -> None:
    figures = run([name], quick=True, folder=tmp_path)
    assert figures
    for one in figures:
        assert one.name == name
        assert math.isfinite(one.value)
        assert one.value > 0


def test_an_incremental_cut_writes_exactly_what_changed(tmp_path: Path) -> None:
    first = run(["corte_incremental"], quick=True, folder=tmp_path)[0]
    assert first.exact
    assert first.value == 1.0
    assert first.part is not None
    assert first.part[1] > 0


def test_a_certified_cut_writes_what_changed_and_nothing_that_was_there(tmp_path: Path) -> None:
    figures = run(["publicacion"], quick=True, folder=tmp_path)
    exact = [one for one in figures if one.exact]
    assert len(exact) == 3
    assert all(one.holds for one in exact)
    proofs = figures[-1]
    assert proofs.holds
    assert proofs.part is not None
    assert proofs.part[1] > 0


def test_a_figure_says_whether_it_meets_its_bound() -> None:
    calm = Calibration(1.0, 1.0)
    assert Figure("x", "x", 0.5, calm, 0.4, at_least=True).verdict == "ok"
    assert Figure("x", "x", 0.3, calm, 0.4, at_least=True).verdict == "no cumple"
    assert Figure("x", "x", 4.1, calm, 4.0).verdict == "no cumple"
    assert Figure("x", "x", 1.01, calm, 1.0, exact=True).verdict == "no cumple"
    assert Figure("x", "x", 9.0, calm).verdict == "informativa"


def test_a_batch_cut_down_keeps_every_row_once_and_in_order() -> None:
    batch = Batch(ledger=[(n,) for n in range(523)], images=[(n,) for n in range(77)], actas=[(1,)])
    pieces = cut_down(batch, 100)
    assert len(pieces) == 5
    assert [row for piece in pieces for row in piece.ledger] == batch.ledger
    assert [row for piece in pieces for row in piece.images] == batch.images
    assert sum(len(piece.actas) for piece in pieces) == 1


def test_a_generated_night_is_in_order_of_time_and_repeats_no_key() -> None:
    commands = list(GeneratedNight(national(300, 2)).commands())
    times = [command.at for command in commands]
    assert times == sorted(times)
    assert len({command.key for command in commands}) == len(commands)


def test_the_document_has_every_benchmark(repository: Path) -> None:
    text = (repository / "docs" / "rendimiento.md").read_text(encoding="utf-8")
    assert [name for name in BENCHMARKS if f"`{name}`" not in text] == []
