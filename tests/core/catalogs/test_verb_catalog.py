"""`prep catalogo` as its users run it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from core.catalogs import jalisco
from core.catalogs.writer import write_catalog

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
