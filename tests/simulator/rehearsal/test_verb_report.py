"""`prep informe` as a user runs it."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from core.cli import main
from core.cli_output import Output
from core.cli_spanish import SpanishParser
from core.cli_verb import ANSWER_IS_NO, DONE, Answer
from core.errors import PrepError, UsageError
from simulator.rehearsal.data import Rehearsal, read_rehearsal
from simulator.rehearsal.labels import labelled
from simulator.rehearsal.verb import VERB
from tests.simulator.conftest import DATA
from tests.simulator.rehearsal.test_rehearsal import good


class Folders(NamedTuple):
    first: Path
    second: Path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Two rehearsals: one as it ran, and a summary alone in which everything went well."""
    base = tmp_path_factory.mktemp("simulacros")
    first, second = base / "s1", base / "s2"
    assert main(["simular", str(DATA / "chica.toml"), "--salida", str(first), "--semilla", "3"]) == 0
    data = good(json.loads((first / "resumen.json").read_text(encoding="utf-8")))
    data.update(escenario="segundo", inicio="2021-06-04T17:00:00-05:00", fin="2021-06-04T21:00:00-05:00")
    second.mkdir()
    (second / "resumen.json").write_text(json.dumps(data), encoding="utf-8")
    return Folders(first, second)


def inform(*arguments: str | Path) -> Answer:
    parser = SpanishParser(prog="prep informe")
    VERB.add_arguments(parser)
    return VERB.run(
        parser.parse_args([str(one) for one in arguments]), Output(silent=True, stderr=io.StringIO())
    )


def test_one_folder_gives_one_report_in_three_formats_and_json(folders: Folders, tmp_path: Path) -> None:
    answer = inform(folders.first, "--salida", tmp_path / "i")
    assert answer.exit_code == ANSWER_IS_NO
    names = {path.name for path in (tmp_path / "i").iterdir()}
    assert names == {"informe.docx", "informe.pdf", "informe.html", "informe.json"}
    written = json.loads((tmp_path / "i" / "informe.json").read_text(encoding="utf-8"))
    assert written["cumple"] is False
    assert [one["regla"] for one in written["simulacros"][0]["reglas"]] == [
        "procesado", "fases", "continuidad", "cortes", "ceros",
    ]  # fmt: skip
    assert "NO cumple: ¿Se procesó el 100 %" in answer.text


def test_a_rehearsal_that_meets_every_rule_ends_with_zero(folders: Folders, tmp_path: Path) -> None:
    assert inform(folders.second, "--salida", tmp_path / "i").exit_code == DONE


def test_several_folders_give_one_report_each_and_the_general_one(folders: Folders, tmp_path: Path) -> None:
    answer = inform(folders.second, folders.first, "--salida", tmp_path / "i")
    assert answer.exit_code == ANSWER_IS_NO
    names = {path.stem for path in (tmp_path / "i").iterdir()}
    assert names == {"informe", "informe-chica", "informe-segundo", "informe-general"}
    last = (tmp_path / "i" / "informe-segundo.html").read_text(encoding="utf-8")
    first = (tmp_path / "i" / "informe-chica.html").read_text(encoding="utf-8")
    assert "No se dio ningún simulacro anterior" in first
    assert "No se dio ningún simulacro anterior" not in last
    general = (tmp_path / "i" / "informe-general.html").read_text(encoding="utf-8")
    assert "1 de 2 simulacros cumplen todas las reglas" in general


def test_two_runs_of_one_scenario_are_told_apart_by_their_seed(folders: Folders) -> None:
    one, other = read_rehearsal(folders.first, {}), read_rehearsal(folders.second, {})
    again = Rehearsal(one.folder, one.data | {"semilla": 9}, False)
    named = labelled([one, again, other])
    assert [run.file for run in named] == ["informe-chica-s3", "informe-chica-s9", "informe-segundo"]
    assert [run.name for run in named] == ["chica (semilla 3)", "chica (semilla 9)", "segundo"]
    assert [run.file for run in labelled([one])] == ["informe"]


def test_runs_of_one_seed_are_told_apart_by_what_was_put_on_top_and_then_numbered(folders: Folders) -> None:
    def run(**changes: Any) -> Rehearsal:
        return Rehearsal(one.folder, one.data | changes, False)

    one = read_rehearsal(folders.first, {})
    off = run(cortes_por_hora=one.data["cortes_por_hora"] | {"publicados": 0}, cortes_no_publicados=[])
    x04 = {"archivo": "x04-sincronia-detenida.toml", "clave": "X04"}
    mine = {"archivo": "Mi ensayo.toml", "clave": None}
    named = labelled([one, run(encima=[x04]), run(encima=[x04, mine]), one, off, run(escenario="general")])
    assert [run.name for run in named] == [
        "chica (semilla 3) n.º 1",
        "chica (semilla 3, con x04)",
        "chica (semilla 3, con x04 y mi ensayo)",
        "chica (semilla 3) n.º 2",
        "chica (semilla 3, sin cortes)",
        "general",
    ]
    assert [run.file for run in named] == [
        "informe-chica-s3-n1",
        "informe-chica-s3-con-x04",
        "informe-chica-s3-con-x04-mi-ensayo",
        "informe-chica-s3-n2",
        "informe-chica-s3-sin-cortes",
        "informe-general-n1",
    ]


def test_the_general_report_tells_runs_of_one_scenario_apart_and_counts_one_rehearsal(
    folders: Folders, tmp_path: Path
) -> None:
    runs = [folders.first]
    for seed in (8, 9):
        runs.append(tmp_path / f"s{seed}")
        runs[-1].mkdir()
        data = json.loads((folders.first / "resumen.json").read_text(encoding="utf-8"))
        (runs[-1] / "resumen.json").write_text(json.dumps(data | {"semilla": seed}), encoding="utf-8")
    inform(*runs, "--salida", tmp_path / "i")
    page = (tmp_path / "i" / "informe-general.html").read_text(encoding="utf-8")
    for seed in (3, 8, 9):
        # The tables of who is who, rules, comparison and milestones, the curve, incidents and pending.
        assert page.count(f"chica (semilla {seed})") >= 7
        assert f"informe-chica-s{seed}" in page
        assert (tmp_path / "i" / f"informe-chica-s{seed}.pdf").is_file()
    assert "<td>chica</td>" not in page
    assert "0 de 3 corridas cumplen todas las reglas" in page
    assert "El artículo 349 pide al menos 3; este informe cubre 1." in page
    assert "Se hicieron al menos" not in page
    written = json.loads((tmp_path / "i" / "informe.json").read_text(encoding="utf-8"))
    assert [(one["nombre"], one["archivo"]) for one in written["simulacros"]] == [
        (f"chica (semilla {seed})", f"informe-chica-s{seed}") for seed in (3, 8, 9)
    ]


def test_a_run_without_cuts_is_told_as_not_exercised_and_does_not_pass(tmp_path: Path) -> None:
    made = tmp_path / "s"
    run = ["simular", str(DATA / "chica.toml"), "--salida", str(made), "--semilla", "3", "--sin-cortes"]
    assert main(run) == 0
    summary = (made / "resumen.md").read_text(encoding="utf-8")
    assert "Se corrió sin cortes; la regla de tres por hora no se ejercitó." in summary
    assert "por hora completa: NO" not in summary
    cuts = json.loads((made / "resumen.json").read_text(encoding="utf-8"))["cortes_por_hora"]
    assert (cuts["sin_cortes"], cuts["cumple"], cuts["no_publicados"]) == (True, None, 0)
    answer = inform(made, "--salida", tmp_path / "i")
    assert answer.exit_code == ANSWER_IS_NO
    assert "no se ejercitó: ¿Hubo al menos 3 cortes por hora? No se ejercitó: se corrió sin" in answer.text
    page = (tmp_path / "i" / "informe.html").read_text(encoding="utf-8")
    assert "Corregir lo que impidió publicar" not in page
    assert "Correr el simulacro con cortes" in page
    assert "De ellas, 1 no se ejercitó." in page


def test_what_cannot_be_read_writes_nothing(folders: Folders, tmp_path: Path) -> None:
    with pytest.raises(PrepError, match=r"resumen\.json"):
        inform(folders.first, tmp_path / "no-existe", "--salida", tmp_path / "i")
    assert not (tmp_path / "i").exists()


def test_wrong_usage_is_told(folders: Folders, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="repetida"):
        inform(folders.first, folders.first, "--salida", tmp_path / "i")
    with pytest.raises(UsageError, match="entre 0 y 100"):
        inform(folders.first, "--salida", tmp_path / "i", "--minimo-con-imagen", "101")
    (tmp_path / "archivo").write_text("")
    with pytest.raises(UsageError, match="no es una carpeta"):
        inform(folders.first, "--salida", tmp_path / "archivo")


def test_a_moved_folder_gives_the_same_bytes(folders: Folders, tmp_path: Path) -> None:
    moved = tmp_path / "otro-lugar"
    shutil.copytree(folders.first, moved, symlinks=True)
    inform(folders.first, "--salida", tmp_path / "a")
    inform(moved, "--salida", tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
