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


def test_incidents_are_laid_on_top_of_the_scenario(prep: Prep, tmp_path: Path) -> None:
    (tmp_path / "corte.toml").write_text(
        '[[falla_enlace]]\ntipo = "sin_enlace"\nnombre = "Corte de encima"\na_los_min = 30\ndura_min = 60\n',
        encoding="utf-8",
    )
    run = ("simular", SMALL, "--semilla", "4", "--sin-cortes", "--json", "--salida")
    plain, laid = prep(*run, "a"), prep(*run, "b", "--con", "corte.toml")
    assert (plain.returncode, laid.returncode) == (0, 0), laid.stderr
    assert json.loads(plain.stdout)["huella"] != json.loads(laid.stdout)["huella"]
    summary = json.loads((tmp_path / "b" / "resumen.json").read_text(encoding="utf-8"))
    assert "Corte de encima" in {one["nombre"] for one in summary["incidentes"]}
    # Without what was on top it is another night: it is not continued.
    other = prep(*run, "b", "--continuar")
    assert other.returncode == 2
    assert "el escenario (con lo que lleve encima)" in other.stderr


def test_live_it_ends_like_in_virtual_time_and_says_how_late_it_was(prep: Prep, tmp_path: Path) -> None:
    run = ("simular", SMALL, "--semilla", "4", "--json", "--imagenes", "0.05", "--salida")
    virtual = prep(*run, "a", "--destino", "web=publico-a")
    live = prep(*run, "b", "--velocidad", "20000", "--destino", "web=publico-b")
    assert live.returncode == 0, live.stderr
    first, second = json.loads(virtual.stdout), json.loads(live.stdout)
    assert second["huella"] == first["huella"]
    assert [cut["hora"] for cut in second["cortes"]] == [cut["hora"] for cut in first["cortes"]]
    lived = json.loads((tmp_path / "b" / "resumen.json").read_text(encoding="utf-8"))["en_vivo"]
    assert lived["velocidad"] == 20_000
    assert set(lived["retraso"]) == {"p50_ms", "p99_ms", "max_ms", "medidas"}
    assert lived["retraso"]["medidas"] > 0
    assert lived["cortes"]["medidas"] == len(first["cortes"])
    assert "en_vivo" not in first
    # What is public is the same to the byte, and the room is told of both.
    for answer, folder in ((first, "a"), (second, "b")):
        assert [(one["nombre"], one["estado"], one["corte"]) for one in answer["destinos"]] == [
            ("web", "al_corriente", 11)
        ]
        told = json.loads((tmp_path / folder / "publicador.json").read_bytes())
        assert (told["estado"], told["corte"], told["destinos"]) == ("cerrada", 11, answer["destinos"])
    public = [_files(tmp_path / f"publico-{name}") for name in ("a", "b")]
    assert public[0] == public[1]
    assert any(name.startswith("vistas/") for name in public[0])


def _files(folder: Path) -> dict[str, bytes]:
    """What a destination holds, but for what is packed only for the cut it is showing."""
    found = (
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.suffix != ".br"
    )
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_a_place_that_is_of_another_night_is_told_and_the_night_goes_on(prep: Prep, tmp_path: Path) -> None:
    (tmp_path / "ajeno").mkdir()
    (tmp_path / "ajeno" / "corte.json").write_text("esto no es un apuntador")
    run = ("simular", SMALL, "--salida", "s", "--semilla", "4")
    done = prep(*run, "--destino", "ajeno", "--destino", "bueno")
    assert done.returncode == 0, done.stderr
    assert "ajeno: NO TERMINÓ, no tiene ningún corte; le faltan 11" in done.stdout
    assert "bueno: al corriente, corte 11" in done.stdout
    assert "aviso: No terminó de llegar a ajeno" in done.stderr
    (tmp_path / "ajeno" / "corte.json").unlink()
    again = prep(*run, "--continuar", "--json")
    assert again.returncode == 0, again.stderr
    assert {one["nombre"]: one["corte"] for one in json.loads(again.stdout)["destinos"]} == {
        "ajeno": 11, "bueno": 11,
    }  # fmt: skip
    inside = prep("simular", SMALL, "--salida", "t", "--semilla", "4", "--destino", "t/publico")
    assert inside.returncode == 2
    assert "la de trabajo tiene la base" in inside.stderr
    assert not (tmp_path / "t").exists()


def test_a_speed_that_makes_no_sense_is_refused_before_anything_is_made(prep: Prep, tmp_path: Path) -> None:
    done = prep("simular", SMALL, "--salida", "s", "--semilla", "1", "--velocidad", "0")
    assert done.returncode == 2
    assert "velocidad" in done.stderr
    assert not (tmp_path / "s").exists()
