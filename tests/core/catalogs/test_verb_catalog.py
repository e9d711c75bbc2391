"""`prep catalogo` as its users run it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core.catalogs import jalisco
from core.catalogs.writer import write_catalog
from core.cli import main

Prep = Callable[..., "subprocess.CompletedProcess[str]"]


def test_mostrar_gives_totals_fingerprint_and_provenance(prep: Prep) -> None:
    run = prep("catalogo", "mostrar", "jalisco-2024", "--json")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert {code: one["actas"] for code, one in told["contiendas"].items()} == {
        "GUB": 10_917, "DIP_LOC": 10_957, "AYUN": 10_903,
    }  # fmt: skip
    assert (told["distritos"], told["municipios"], told["catds"]) == (20, 125, 145)
    assert told["huella"] == jalisco(2024).fingerprint()
    assert "Modelado:" in told["procedencia"]


def test_mostrar_with_catds_lists_the_estimado_de_actas(prep: Prep) -> None:
    told = json.loads(prep("catalogo", "mostrar", "jalisco-2021", "--catds", "--json").stdout)
    assert len(told["estimado"]) == 145
    assert sum(one["total"] for one in told["estimado"]) == told["actas"] == 21_860
    plain = prep("catalogo", "mostrar", "jalisco-2021", "--catds")
    assert "Estimado de actas por CATD" in plain.stdout
    assert "CATD municipal 041 Guadalajara" in plain.stdout


def test_revisar_answers_yes_to_a_good_catalogue_and_no_to_a_wrong_one(prep: Prep, tmp_path: Path) -> None:
    folder = tmp_path / "jalisco"
    write_catalog(jalisco(2027), folder)
    assert prep("catalogo", "revisar", folder).returncode == 0
    path = folder / "casillas.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0] + ",999"
    lines[8] = lines[7]
    path.write_text("\n".join(lines), encoding="utf-8")
    run = prep("catalogo", "revisar", folder, "--json")
    assert run.returncode == 1
    told = json.loads(run.stdout)
    assert told["valido"] is False
    assert [(p["linea"], p["columna"]) for p in told["problemas"]] == [(4, "catd"), (9, "clave")]
    assert "línea 9, columna clave" in prep("catalogo", "revisar", folder).stdout


def test_a_catalogue_that_is_not_there_is_bad_input(prep: Prep) -> None:
    run = prep("catalogo", "mostrar", "jalisco-1999", "--json")
    assert run.returncode == 2
    assert "jalisco-2024" in json.loads(run.stdout)["error"]["mensaje"]
    assert prep("catalogo", "revisar", "nada").returncode == 2
    assert prep("catalogo").returncode == 2


def test_importing_never_writes_over_a_folder_that_holds_something(
    prep: Prep, tmp_path: Path, shared_data: Path
) -> None:
    target = tmp_path / "catalogo"
    target.mkdir()
    (target / "mio.txt").write_text("mío", encoding="utf-8")
    source = shared_data / "qroo2019" / "QROO_DIP_LOC_2019.csv"
    run = prep("catalogo", "importar", source, "--salida", target)
    assert run.returncode == 2
    assert "no es una carpeta vacía" in run.stderr
    assert [path.name for path in target.iterdir()] == ["mio.txt"]


OPENING = (
    "--apertura", "2027-06-06T18:00:00-06:00", "--cierre", "2027-06-07T18:00:00-06:00",
    "--responsable", "Coordinación",
)  # fmt: skip


def test_instalar_makes_the_base_of_a_night_and_again_changes_nothing(prep: Prep, tmp_path: Path) -> None:
    base = tmp_path / "noche.db"
    install = ("catalogo", "instalar", "jalisco-2027", "--base", str(base), "--modo", "oficial", "--json")
    bare = json.loads(prep(*install).stdout)
    assert (bare["modo"], bare["apertura"], bare["asiento"]) == ("oficial", None, 0)
    told = json.loads(prep(*install, *OPENING).stdout)
    assert (told["huella"], told["asiento"]) == (jalisco(2027).fingerprint(), 1)
    assert (told["apertura"], told["cierre"]) == ("2027-06-07T00:00:00Z", "2027-06-08T00:00:00Z")
    assert json.loads(prep(*install, *OPENING).stdout) == told
    assert prep("comprobar", "--base", base).returncode == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--modo", "simulacro"), "es de modo «oficial»"),
        (("--cierre", "2027-06-07T12:00:00-06:00"), "con otras horas"),
        (("--apertura", "2027-06-06T18:00:00"), "diferencia con UTC"),
        (("--responsable", ""), "van juntos"),
    ],
    ids=["modo", "horas", "zona", "responsable"],
)
def test_instalar_refuses_another_night_in_the_same_base(
    change: tuple[str, str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install = ["catalogo", "instalar", "jalisco-2021", "--base", str(tmp_path / "n.db"), "--modo", "oficial"]
    assert main([*install, *OPENING]) == 0
    assert main([*install, *OPENING, *change]) == 2
    assert message in capsys.readouterr().err


def test_instalar_refuses_a_period_of_more_than_a_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install = [
        "catalogo",
        "instalar",
        "jalisco-2021",
        "--base",
        str(tmp_path / "n.db"),
        "--modo",
        "simulacro",
    ]
    assert main([*install, *OPENING, "--cierre", "2027-06-08T18:00:00-06:00"]) == 2
    assert "24 horas" in capsys.readouterr().err
