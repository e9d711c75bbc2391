"""`prep carga` end to end: real processes, a real publication, a portal that lies when it is told to.

Locust patches the process that imports it: here it only runs in children.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadtests.processes import free_port
from tests.conftest import Prep

PROFILE = """\
formato = 1
nombre = "chico"
titulo = "Chico"
que_es = "Para las pruebas."
objetivo = "portal"
usuarios = 24
duracion_s = 3

[[usuario]]
clase = "ciudadano"
peso = 5
sondeo_s = 1
espera_corte_s = 0
piensa_s = 0
profundiza_pct = 100
acta_pct = 100
base_pct = 30

[[usuario]]
clase = "difusor"
fijos = 2
sondeo_s = 1

[[usuario]]
clase = "medio"
peso = 1
sondeo_s = 1

[[tramo]]
hasta_pct = 100
usuarios_pct = 100
llegan_en_s = 0

[umbrales]
fallas_max_por_10mil = 0
p95_max_ms = 5000

[validez]
peticiones_min = 30
cpu_max_pct = 100
retraso_max_ms = 5000
techo_max_pct = 100
"""

FOLLOWED = (
    PROFILE.replace("duracion_s = 3", "duracion_s = 8")
    .replace(
        "p95_max_ms = 5000",
        """\
p95_max_ms = 5000
cortes_vistos_min_pct = 100
margen_corte_s = 3

[[umbrales.por_peticion]]
nombres = ["corte.json"]
p95_max_ms = 5000
""",
    )
    .replace("peticiones_min = 30", "peticiones_min = 30\ncortes_min = 1")
)
"""Somebody comes who must see the cut that is published meanwhile."""


@contextmanager
def served(work: Path, defect: str) -> Iterator[str]:
    """The address of a portal with a defect."""
    command = [sys.executable, str(Path(__file__).with_name("bad_portal.py")), str(work), defect]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def measure(
    prep: Prep, tmp_path: Path, url: str, *more: str, profile: str = PROFILE
) -> tuple[int, dict[str, Any], str]:
    """Exit code, `--json` and standard error of a test with the small profile."""
    (tmp_path / "chico.toml").write_text(profile, encoding="utf-8")
    arguments = ["carga", "chico.toml", "--objetivo", url, "--salida", "o", "--sin-techo", "--json"]
    done = prep(*arguments, "--calibracion", "0.3", *more)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def test_a_good_portal_passes_with_two_workers_and_leaves_its_reports(
    prep: Prep, tmp_path: Path, work: Path
) -> None:
    public = shutil.copytree(work, tmp_path / "obra")
    with served(public, "avanza") as url:
        code, data, said = measure(
            prep, tmp_path, url, "--trabajadores", "2", "--puerto-maestro", str(free_port()),
            "--base", str(public / "prep.db"), "--publicacion", str(public), "--entidad", "14",
            profile=FOLLOWED,
        )  # fmt: skip
    assert (code, data["veredicto"]) == (0, "aprobada"), (data["juicios"], said)
    assert data["generador"]["procesos"] == 2
    assert data["generador"]["techo_rps"] > 0
    assert data["cortes"]["nuevos"] == 1 and data["cortes"]["a_tiempo"] == data["cortes"]["debidos"] > 0
    assert data["cortes"]["mostrados"] > 0 and data["vigia"]["por_la_carpeta"]
    assert data["contenido"]["cuentas"]["paquetes"] >= 1
    assert data["contenido"]["cuentas"]["guiones"] >= 20, "who opens the page gets its scripts"
    judged = {one["que"]: one["bien"] for one in data["juicios"]}
    assert judged["p95 de «corte.json» (ms)"] is True
    kept = [one["se_cumple"] for one in data["invariantes"]]
    assert kept == [True] * 6, data["invariantes"]
    folder = tmp_path / "o"
    page = (folder / "informe.html").read_text(encoding="utf-8")
    assert "Aprobada" in page and "<svg" in page and "corte 3" in page
    assert "http-equiv" not in page and "<script" not in page and "//cdn" not in page
    assert {"locust.html", "locust_stats.csv", "veredicto.json"} <= {one.name for one in folder.iterdir()}


@pytest.mark.parametrize(
    ("defect", "faults"),
    [
        ("retrocede", {"retroceso"}),
        ("mezcla", {"mezcla"}),
        ("error", set()),
        ("incompleto", {"excepcion", "falta", "sin_cors"}),
    ],
    ids=["retrocede", "mezcla", "error", "incompleto"],
)
def test_a_portal_that_lies_or_fails_breaks_the_test(
    prep: Prep, tmp_path: Path, work: Path, defect: str, faults: set[str]
) -> None:
    # With «error» nobody goes down before the defect: the objects are asked for after it.
    with served(work, defect) as url:
        code, data, said = measure(prep, tmp_path, url)
    assert code == 2, (data, said)
    assert data["veredicto"] == "umbral roto"
    assert faults <= set(data["contenido"]["faltas"]), data["contenido"]
    assert faults or data["todas"]["fallas"] > 0


def test_a_portal_that_says_for_ever_that_nothing_changed_breaks_the_test(
    prep: Prep, tmp_path: Path, work: Path
) -> None:
    with served(shutil.copytree(work, tmp_path / "obra"), "viejo") as url:
        code, data, said = measure(prep, tmp_path, url, profile=FOLLOWED)
    assert (code, data["veredicto"]) == (2, "umbral roto"), (data["juicios"], said)
    broken = [one["que"] for one in data["juicios"] if one["bien"] is False]
    assert broken == ["Cortes nuevos vistos en el sondeo de cada quien más 3 s"]
    assert data["cortes"]["nunca"] > data["cortes"]["a_tiempo"] > 0, "who keeps no tag did see it"


def test_a_portal_that_hangs_until_the_end_does_not_pass(prep: Prep, tmp_path: Path, work: Path) -> None:
    profile = PROFILE.replace("p95_max_ms = 5000", "p95_max_ms = 600")
    with served(work, "cuelga") as url:
        code, data, said = measure(prep, tmp_path, url, profile=profile)
    assert (code, data["veredicto"]) == (2, "umbral roto"), (data["juicios"], said)
    assert data["todas"]["peor_ms"] > 600


def test_too_few_requests_make_no_valid_test(prep: Prep, tmp_path: Path, work: Path) -> None:
    profile = PROFILE.replace("peticiones_min = 30", "peticiones_min = 100000").replace(
        "duracion_s = 3", "duracion_s = 1"
    )
    with served(work, "ninguno") as url:
        code, data, _ = measure(prep, tmp_path, url, profile=profile)
    assert (code, data["veredicto"]) == (3, "prueba inválida")
    assert [one["que"] for one in data["juicios"] if one["bien"] is False] == ["Peticiones"]


def test_another_publication_than_the_one_meant_makes_no_test(prep: Prep, tmp_path: Path, work: Path) -> None:
    with served(work, "ninguno") as url:
        code, data, error = measure(prep, tmp_path, url, "--modo", "oficial")
    assert code == 3 and data["veredicto"] == "prueba inválida"
    assert "modo: se esperaba «oficial»" in error and "no hubo prueba" in error
    assert not (tmp_path / "o").exists()


def test_a_machine_that_is_not_ours_is_not_asked_anything(prep: Prep, tmp_path: Path) -> None:
    code, data, error = measure(prep, tmp_path, "http://192.0.2.7", "--objetivo-ajeno")
    assert code == 3 and data["codigo"] == 3
    assert "no es esta máquina" in error
