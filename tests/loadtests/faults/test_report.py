"""What a rehearsal found is told as it was: nothing that went wrong looks like something that went well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import UsageError
from loadtests.faults.cases.room import WriterFrozen
from loadtests.faults.model import Check, Result, Sample
from loadtests.faults.report import PAGE, Setting, markdown, put_in_document, row, verdict, write
from loadtests.faults.runner import Budget

SETTING = Setting("sqlite", True, 100, "2026-11-21", "disco lleno con RLIMIT_FSIZE")


def sample(detected: float | None = 1.0, recovered: float | None = 2.0, *, holds: bool = True) -> Sample:
    return Sample(
        "",
        "sonda",
        "«datos viejos»",
        detected,
        {},
        "sola",
        recovered,
        [Check("lo asentado sigue", holds, "seq 7")],
    )


def test_the_cells_give_the_median_and_the_longest() -> None:
    result = Result(WriterFrozen(), [sample(1.0, 2.0), sample(2.0, 4.0), sample(6.0, 3.0)])
    assert row(result)[3] == "2.0 / 6.0 s (3 veces)"
    assert row(result)[5] == "3.0 / 4.0 s (3 veces)"
    assert verdict(result) == "se cumple"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (sample(None), "NO DETECTADA"),
        (sample(1.0, None), "NO SE REPUSO"),
        (sample(holds=False), "NO SE CUMPLE: lo asentado sigue (seq 7)"),
        (Sample("", error="no pasó en 90 s"), "NO SE PUDO: no pasó en 90 s"),
    ],
    ids=["nobody noticed", "it never came back", "something was lost", "it could not be injected"],
)
def test_one_bad_sample_makes_the_whole_budget_bad(wrong: Sample, said: str) -> None:
    result = Result(WriterFrozen(), [sample(), wrong])
    budget = Budget([result], [Check("prep comprobar", True)])
    assert verdict(result) == said
    assert not budget.good
    assert said in markdown(budget, SETTING)


def test_what_was_lost_at_the_end_makes_it_bad_though_every_fault_went_well() -> None:
    budget = Budget([Result(WriterFrozen(), [sample()])], [Check("ninguna acta perdida", False, "AYUN 12")])
    assert not budget.good
    assert "NO SE CUMPLE: ninguna acta perdida (AYUN 12)" in markdown(budget, SETTING)


def test_a_fault_that_was_not_injected_never_passes_for_one_that_was() -> None:
    result = Result(WriterFrozen(), skipped="no hay sala")
    assert row(result)[-1] == "no se inyectó: no hay sala"
    assert result.as_data()["correcta"] is False


def test_the_page_needs_nothing_else_and_escapes_what_the_programs_said(tmp_path: Path) -> None:
    hostile = sample()
    hostile.evidence = "<script>alert(1)</script>"
    write(tmp_path, Budget([Result(WriterFrozen(), [hostile])], [Check("prep comprobar", True)]), SETTING)
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page
    assert not any(mark in page for mark in ("<script", "http://", "https://", "src=", "@import"))
    data = json.loads((tmp_path / "fallas.json").read_text(encoding="utf-8"))
    assert data["fallas"][0]["deteccion_s"] == {"mediana": 1.0, "maximo": 1.0}


def test_the_table_goes_between_its_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "d.md"
    marks = "<!-- fallas:{0}:inicio -->\nvieja {0}\n<!-- fallas:{0}:fin -->\n"
    path.write_text(f"antes\n{marks.format('sqlite')}medio\n{marks.format('postgres')}", encoding="utf-8")
    put_in_document(path, "sqlite", "nueva\n")
    text = path.read_text(encoding="utf-8")
    assert "inicio -->\n\nnueva\n\n<!-- fallas:sqlite:fin" in text
    assert "vieja sqlite" not in text
    assert "vieja postgres" in text
    assert text.startswith("antes\n")
    with pytest.raises(UsageError, match="marcas"):
        put_in_document(path, "otra", "x")
