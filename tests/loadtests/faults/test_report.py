"""What a rehearsal found is told as it was: nothing that went wrong looks like something that went well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import UsageError
from loadtests.faults.catalogue import CATALOGUE
from loadtests.faults.checks import SAME_ACTAS
from loadtests.faults.model import Check, Fault, Result, Sample
from loadtests.faults.page import write_page
from loadtests.faults.report import HEAD, as_data, counted, headline, markdown, put_in_document, row, verdict
from loadtests.faults.report import write as write_data
from loadtests.faults.runner import LACKING, Budget
from loadtests.faults.setting import Setting
from loadtests.faults.spanish import in_spanish

KEPT, SAME = "lo asentado sigue", "cada acta igual"


class Broken(Fault):
    """One of one sentence, which two checks prove: of the case, and of the end of the night."""

    key, family, title, what = "rota", "familia", "Algo se rompe", "se rompe"
    promises: Mapping[str, tuple[str, ...]] = {"lo asentado queda": (KEPT, SAME)}


MADE = {"prep": "0.1.0 · confirmación 0123456789ab", "SeaweedFS": "4.48"}
SETTING = Setting("sqlite", True, 67, "2026-11-21 14:07 (UTC-6)", "", outside=4, made=MADE)


def sample(detected: float | None = 1.0, recovered: float | None = 2.0, *, holds: bool = True) -> Sample:
    return Sample(
        "",
        "sonda",
        "«datos viejos»",
        detected,
        {},
        "sola",
        recovered,
        [Check(KEPT, holds, "seq 7")],
        injected=True,
    )


def result(*samples: Sample, same: bool = True) -> Result:
    return Result(Broken(), list(samples), final=[Check(SAME, same, "AYUN 12")])


def test_the_cells_give_the_median_and_the_longest() -> None:
    found = result(sample(1.0, 2.0), sample(2.0, 4.0), sample(6.0, 3.0))
    assert row(found)[1] == "lo asentado queda"
    assert row(found)[3] == "2.0 / 6.0 s (3 veces)"
    assert row(found)[5] == "3.0 / 4.0 s (3 veces)"
    assert verdict(found) == "se cumple"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (sample(None), "NO DETECTADA"),
        (sample(1.0, None), "NO SE REPUSO"),
        (sample(holds=False), "NO SE CUMPLE: lo asentado sigue (seq 7)"),
        (Sample("", error="no pasó en 90 s"), "NO SE PUDO: no pasó en 90 s"),
        (
            Sample("", "sonda", "", 1.0, {}, "sola", 2.0, [Check("otra cosa", True)], injected=True),
            "NO SE CUMPLE: «lo asentado queda» (no se comprobó: lo asentado sigue)",
        ),
    ],
    ids=[
        "nobody noticed",
        "it never came back",
        "something was lost",
        "it could not be injected",
        "unproved",
    ],
)
def test_one_bad_sample_makes_the_whole_budget_bad(wrong: Sample, said: str) -> None:
    found = result(sample(), wrong)
    budget = Budget([found], [Check("prep comprobar", True)])
    assert verdict(found) == said
    assert not found.as_data()["correcta"]
    assert not budget.good
    assert said in markdown(budget, SETTING)


def test_what_was_lost_at_the_end_makes_it_bad_though_every_fault_went_well() -> None:
    budget = Budget([result(sample())], [Check("ninguna acta perdida", False, "AYUN 12")])
    assert not budget.good
    assert "NO SE CUMPLE: ninguna acta perdida (AYUN 12)" in markdown(budget, SETTING)


def test_a_fault_that_was_not_injected_never_passes_for_one_that_was() -> None:
    skipped = Result(Broken(), skipped=LACKING["s3"])
    assert row(skipped)[-1] == "no se inyectó: aquí no está SeaweedFS"
    assert skipped.as_data()["correcta"] is False
    end = [Check("prep comprobar", True)]
    nothing, some = Budget([skipped], end), Budget([skipped, result(sample())], end)
    assert not nothing.good
    assert "NO SE INYECTÓ NINGUNA" in headline(nothing)
    assert some.good
    assert some.as_data()["omitidas"] == ["rota"]


def test_less_than_the_whole_budget_says_so_and_names_what_was_not_injected_and_why() -> None:
    here, cannot, not_chosen = CATALOGUE[0], CATALOGUE[-2], CATALOGUE[1]
    budget = Budget(
        [Result(here(), [sample()]), Result(cannot(), skipped=LACKING["sqlite"])], [Check("x", True)]
    )
    short = counted(budget, SETTING)
    assert short.startswith(f"1 de {len(CATALOGUE)} fallas inyectadas (versión corta). No se inyectaron: ")
    assert f"`{cannot.key}` (es de SQLite y la base de este ensayo es PostgreSQL)" in short
    assert f"`{not_chosen.key}`" in short
    assert "(fuera de la versión corta)" in short
    assert f"`{here.key}`" not in short
    chosen = Setting("sqlite", False, 67, "hoy", "", (here.key,))
    assert "(solo las pedidas)" in counted(budget, chosen)
    assert as_data(budget, chosen)["sin_inyectar"][not_chosen.key] == "fuera de lo pedido con --solo"
    whole = Budget([Result(fault(), [sample()]) for fault in CATALOGUE])
    count = f"{len(CATALOGUE)} de {len(CATALOGUE)} fallas inyectadas"
    assert counted(whole, Setting("sqlite", False, 67, "hoy", "")) == count


def test_each_fault_has_beside_it_the_measure_of_the_plan_of_the_room_when_there_is_one() -> None:
    column = HEAD.index("medida del plan de continuidad")
    told = {fault.key: row(Result(fault()))[column] for fault in CATALOGUE}
    assert told["s3-muerto"] == "si no se repone: «Publicación desde el sitio alterno»"
    assert told["sala-web"] == "ninguna le toca"


def test_the_report_says_with_what_it_was_made_and_which_actas_it_counts() -> None:
    end = [Check(SAME_ACTAS, True, "71: 67 de catálogo y 4 que llegaron fuera de él")]
    table = markdown(Budget([result(sample())], end), SETTING)
    assert "2026-11-21 14:07 (UTC-6): 67 actas de catálogo y 4 que llegaron fuera de él" in table
    assert "prep 0.1.0 · confirmación 0123456789ab; SeaweedFS 4.48." in table
    assert "sin fallas (71: 67 de catálogo y 4 que llegaron fuera de él): todo se cumple" in table


def test_a_promise_that_rests_on_the_end_of_the_night_needs_it_seen_and_right() -> None:
    assert result(sample()).good
    wrong = result(sample(), same=False)
    assert (wrong.good, verdict(wrong)) == (False, "NO SE CUMPLE: cada acta igual (AYUN 12)")
    unseen = Result(Broken(), [sample()])
    assert (unseen.good, unseen.broken()) == (False, {"lo asentado queda": "no se comprobó: cada acta igual"})
    assert not Budget([result(sample())], []).good


def test_the_page_needs_nothing_else_and_escapes_what_the_programs_said(tmp_path: Path) -> None:
    hostile = sample()
    hostile.evidence = "<script>alert(1)</script> (No such file or directory)"
    budget = Budget([result(hostile)], [Check("prep comprobar", True)])
    write_data(tmp_path, budget, SETTING)
    page = write_page(tmp_path, budget, SETTING).read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page
    assert not any(mark in page for mark in ("<script", "http://", "https://", "src=", "@import"))
    assert "&lt;/script&gt; (no existe)" in page
    data = json.loads((tmp_path / "fallas.json").read_text(encoding="utf-8"))
    assert "No such file" in data["fallas"][0]["muestras"][0]["evidencia"], "the data keeps what was said"
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


def test_what_a_database_that_is_down_says_is_told_in_spanish() -> None:
    told = in_spanish(
        "(psycopg.OperationalError) connection failed: connection to server at "
        '"127.0.0.1", port 40001 failed: FATAL:  the database system is shutting down'
    )
    assert told == (
        "no se pudo conectar con el servidor de la base en "
        '"127.0.0.1", puerto 40001: el servidor de la base se está apagando'
    )
