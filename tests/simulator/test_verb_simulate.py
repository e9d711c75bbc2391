"""`prep simular` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

from core.domain.counters import COUNTER_NAMES
from tests.conftest import Prep
from tests.simulator.conftest import DATA

SMALL = DATA / "chica.toml"


def test_it_runs_publishes_and_answers_with_the_fixed_keys(prep: Prep, tmp_path: Path) -> None:
    done = prep("simular", SMALL, "--salida", "s", "--semilla", "4", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert list(answer)[:7] == ["escenario", "semilla", "huella", "inicio", "fin", "cortes", "contiendas"]
    assert (answer["escenario"], answer["semilla"]) == ("chica", 4)
    assert set(answer["contiendas"]) == {"DIP_LOC", "AYUN"}
    assert all(tuple(header) == COUNTER_NAMES for header in answer["contiendas"].values())
    assert len(answer["huella"]) == 64
    summary = json.loads((tmp_path / "s" / "resumen.json").read_text(encoding="utf-8"))
    assert summary["huella"] == answer["huella"]
    assert summary["rechazos"] == {}
    assert len(answer["cortes"]) == 11
    assert (tmp_path / "s" / "cortes" / "0011").is_dir()
    assert (tmp_path / "s" / "ultimo").exists()
    text = (tmp_path / "s" / "resumen.md").read_text(encoding="utf-8")
    assert "Paquetes mal formados" in text
    again = prep("simular", SMALL, "--salida", "s", "--semilla", "4")
    assert again.returncode == 2
    assert "--reemplazar" in again.stderr
    replaced = prep("simular", SMALL, "--salida", "s", "--semilla", "4", "--reemplazar", "--json")
    assert json.loads(replaced.stdout) == answer


def test_a_folder_that_is_not_ours_is_left_alone(prep: Prep, tmp_path: Path) -> None:
    (tmp_path / "ajena").mkdir()
    (tmp_path / "ajena" / "tesis.txt").write_text("no borrar")
    done = prep("simular", SMALL, "--salida", "ajena", "--semilla", "1", "--reemplazar")
    assert done.returncode == 2
    assert (tmp_path / "ajena" / "tesis.txt").read_text() == "no borrar"


def test_a_database_with_a_night_is_refused_and_the_earlier_folder_kept(prep: Prep, tmp_path: Path) -> None:
    first = prep("simular", SMALL, "--salida", "a", "--semilla", "1", "--base", "n.db", "--sin-cortes")
    assert first.returncode == 0, first.stderr
    second = prep(
        "simular", SMALL, "--salida", "a", "--semilla", "2", "--base", "n.db", "--sin-cortes", "--reemplazar"
    )
    assert second.returncode == 2
    assert "ya contiene una operación" in second.stderr
    assert json.loads((tmp_path / "a" / "resumen.json").read_text(encoding="utf-8"))["semilla"] == 1


def test_a_base_inside_the_folder_to_be_replaced_is_refused(prep: Prep) -> None:
    done = prep("simular", SMALL, "--salida", "a", "--semilla", "1", "--base", "a/n.db")
    assert done.returncode == 2
    assert "dentro de la carpeta" in done.stderr


def test_a_wrong_scenario_ends_with_two_and_writes_nothing(prep: Prep, tmp_path: Path) -> None:
    (tmp_path / "mala.toml").write_text('formato = 1\nnombre = "mala"\n', encoding="utf-8")
    done = prep("simular", "mala.toml", "--salida", "s", "--semilla", "1", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["archivo"] == "mala.toml"
    assert not (tmp_path / "s").exists()


def test_a_negative_seed_is_refused(prep: Prep) -> None:
    done = prep("simular", SMALL, "--salida", "s", "--semilla", "-1")
    assert done.returncode == 2
