"""Options that make no sense are told at once, with what was expected; nobody is asked anything."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pytest

from core.cli import main
from loadtests import run
from tests.loadtests.test_carga import served


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What `prep carga humo` says when it makes no test."""
    code = main(["carga", "humo", "--json", *arguments])
    said = capsys.readouterr()
    assert code == 3 and json.loads(said.out)["veredicto"] == "prueba inválida"
    assert "no hubo prueba" in said.err and "Traceback" not in said.err
    return said.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--trabajador", "host:abc"], "host:abc"),
        (["--trabajador", ":5557"], "dirección del maestro"),
        (["--usuarios", "0"], "--usuarios"),
        (["--usuarios", "9" * 30], "1,000,000"),
        (["--duracion", "99999h"], "7 días"),
        (["--duracion", "pronto"], "30s, 5m"),
        (["--puerto-maestro", "70000"], "65,535"),
        (["--web", "80000"], "--web"),
        (["--trabajadores", "0"], "--trabajadores"),
        (["--maestro", "0"], "--maestro"),
        (["--usuarios", "1"], "de cada clase del perfil"),
        (["--calibracion", "nan"], "--calibracion"),
    ],
    ids=[
        "puerto",
        "sin_host",
        "cero",
        "demasiados",
        "larga",
        "palabra",
        "alto",
        "web",
        "trabajadores",
        "maestro",
        "clases",
        "nan",
    ],
)
def test_an_option_that_makes_no_sense(
    capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    # Nobody listens there: it is not even asked.
    assert why in told(capsys, "--objetivo", "http://127.0.0.1:9", *arguments)


def test_wrong_folders_and_databases_are_told_before_the_load(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, work: Path
) -> None:
    file = tmp_path / "archivo"
    file.touch()
    with served(work, "ninguno") as url:
        usual = ("--objetivo", url, "--salida", str(tmp_path / "o"))
        assert "no es una carpeta" in told(capsys, "--objetivo", url, "--salida", str(file))
        assert "corte.json: no existe" in told(capsys, *usual, "--publicacion", str(tmp_path))
        assert "No existe la base" in told(capsys, *usual, "--base", str(tmp_path / "no.db"))
        busy = url.rpartition(":")[2]
        assert "puerto-maestro" in told(capsys, *usual, "--trabajadores", "1", "--puerto-maestro", busy)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("arguments", [["--nada"], ["--usuarios", "muchos"]], ids=["desconocida", "texto"])
def test_options_that_cannot_be_read_are_no_broken_threshold(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code = main(["carga", "humo", "--json", *arguments])
    said = capsys.readouterr()
    assert code == 3 and json.loads(said.out)["codigo"] == 3 and arguments[-1] in said.err


def test_a_report_that_is_there_is_only_made_again_when_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    usual = ("--objetivo", "http://127.0.0.1:9", "--salida", str(tmp_path))
    report, verdict = tmp_path / "informe.html", tmp_path / "veredicto.json"
    report.touch()
    assert "no es de prep carga" in told(capsys, *usual, "--reemplazar")
    verdict.touch()
    assert "--reemplazar" in told(capsys, *usual)
    assert report.is_file() and verdict.is_file()
    # Told to, the old verdict goes even when no test can be made.
    assert "no contesta" in told(capsys, *usual, "--reemplazar")
    assert not report.exists() and not verdict.exists()


def test_a_worker_without_a_master_does_not_wait_for_ever(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, work: Path
) -> None:
    monkeypatch.setattr(run, "MASTER_WAIT_S", 0.1)
    with served(work, "ninguno") as url:
        said = told(capsys, "--objetivo", url, "--salida", str(tmp_path), "--trabajador", "127.0.0.1:9")
    assert "no hubo maestro" in said and "nadie atiende en esa dirección" in said


@pytest.mark.skipif(sys.platform != "linux", reason="solo Linux responde por todo 127/8")
def test_a_master_of_other_machines_needs_its_port_in_all_the_addresses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.2", 0)) as busy:
        port = str(busy.getsockname()[1])
        asked = ("--maestro", "1", "--puerto-maestro", port)
        assert "ya lo usa otro programa" in told(capsys, "--objetivo", "http://127.0.0.1:9", *asked)


def test_a_busy_port_for_the_page_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        assert "ya lo usa otro programa" in told(capsys, "--objetivo", "http://127.0.0.1:9", "--web", port)
