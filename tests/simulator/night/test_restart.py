"""A run that is killed anywhere and continued ends as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from core.operations.check import check
from core.storage.database import open_existing
from simulator.night.restart import hold
from simulator.output import MARKER, state_fingerprint
from tests.conftest import REPOSITORY, Prep
from tests.simulator.conftest import DATA

SMALL = DATA / "chica.toml"
DIES = -signal.SIGKILL


class End(NamedTuple):
    """What a run left: state, head of the ledger, and every file of every cut."""

    fingerprint: str
    head: str
    packages: dict[str, str]
    pointed: str
    summary: dict[str, object]


def end_of(folder: Path, base: str | None = None) -> End:
    database = open_existing(base or str(folder / "prep.db"))
    try:
        checked = check(database)
        assert checked.correct
        fingerprint = state_fingerprint(database)
    finally:
        database.dispose()
    cuts = folder / "cortes"
    packages = {
        str(path.relative_to(cuts)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(cuts.rglob("*"))
        if path.is_file()
    }
    summary = json.loads((folder / "resumen.json").read_text(encoding="utf-8"))
    for cut in summary["cortes"]:
        del cut["carpeta"]
    return End(fingerprint, checked.last_hash.hex(), packages, str((folder / "ultimo").readlink()), summary)


def killed(cwd: Path, point: str, count: int, *arguments: str | Path) -> None:
    """Run `prep` until it dies at a point; it must get there."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulator.killed_run", point, str(count), *arguments],
        capture_output=True, text=True, check=False, cwd=cwd, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert done.returncode == DIES, f"{point} {count}: {done.returncode} {done.stderr}"


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> End:
    folder = tmp_path_factory.mktemp("entera") / "s"
    subprocess.run(
        [Path(sys.executable).parent / "prep", "simular", SMALL, "--salida", folder, "--semilla", "4"],
        check=True, capture_output=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return end_of(folder)


def test_killed_in_the_model_and_in_the_engine_it_ends_the_same(
    prep: Prep, tmp_path: Path, uninterrupted: End
) -> None:
    run = ("simular", SMALL, "--salida", "s", "--semilla", "4")
    killed(tmp_path, "a_media_transaccion", 1, *run)
    for point, count in (
        ("en_el_modelo", 217), ("a_media_transaccion", 9), ("antes_de_confirmar", 3),
        ("recien_confirmado", 2), ("en_el_modelo", 700),
    ):  # fmt: skip
        killed(tmp_path, point, count, *run, "--continuar")
    done = prep(*run, "--continuar")
    assert done.returncode == 0, done.stderr
    assert end_of(tmp_path / "s") == uninterrupted


def test_killed_in_the_middle_of_cuts_it_ends_the_same(
    prep: Prep, tmp_path: Path, uninterrupted: End
) -> None:
    run = ("simular", SMALL, "--salida", "s", "--semilla", "4")
    killed(tmp_path, "a_medio_corte", 1, *run)
    for point, count in (
        ("corte_armado", 2), ("corte_puesto", 1), ("corte_registrado", 3), ("corte_hecho", 2),
    ):  # fmt: skip
        killed(tmp_path, point, count, *run, "--continuar")
    done = prep(*run, "--continuar")
    assert done.returncode == 0, done.stderr
    assert end_of(tmp_path / "s") == uninterrupted
    # And once it has ended, to go on with it changes nothing.
    again = prep(*run, "--continuar", "--json")
    assert json.loads(again.stdout)["huella"] == uninterrupted.fingerprint
    assert end_of(tmp_path / "s") == uninterrupted


def test_on_postgresql_too_and_the_last_part_live(
    prep: Prep, tmp_path: Path, uninterrupted: End, postgres_url: str
) -> None:
    run = ("simular", SMALL, "--salida", "s", "--semilla", "4", "--base", postgres_url)
    killed(tmp_path, "recien_confirmado", 4, *run)
    killed(tmp_path, "a_media_transaccion", 6, *run, "--continuar")
    killed(tmp_path, "en_el_modelo", 600, *run, "--continuar", "--velocidad", "20000")
    done = prep(*run, "--continuar", "--velocidad", "20000")
    assert done.returncode == 0, done.stderr
    end = end_of(tmp_path / "s", postgres_url)
    assert end.summary.pop("en_vivo")
    assert end == uninterrupted


def test_another_scenario_seed_or_folder_is_not_continued(prep: Prep, tmp_path: Path) -> None:
    run = ("simular", SMALL, "--salida", "s", "--semilla", "4")
    killed(tmp_path, "corte_hecho", 2, *run)
    for arguments, said in (
        (("simular", SMALL, "--salida", "s", "--semilla", "5"), "la semilla"),
        (("simular", DATA / "perfecta.toml", "--salida", "s", "--semilla", "4"), "el escenario"),
        ((*run, "--sin-cortes"), "si publica cortes"),
        (("simular", SMALL, "--salida", "t", "--semilla", "4"), "ninguna corrida"),
        ((*run, "--reemplazar"), "no van juntas"),
    ):
        done = prep(*arguments, "--continuar")
        assert done.returncode == 2, arguments
        assert said in done.stderr


def test_a_database_of_another_run_is_told_apart_by_its_commands(prep: Prep, tmp_path: Path) -> None:
    run = ("simular", SMALL, "--salida", "s", "--semilla", "4")
    killed(tmp_path, "corte_hecho", 2, *run)
    assert prep("simular", SMALL, "--salida", "t", "--semilla", "5", "--sin-cortes").returncode == 0
    shutil.copy(tmp_path / "t" / "prep.db", tmp_path / "s" / "prep.db")
    for left in (tmp_path / "s").glob("prep.db-*"):
        left.unlink()
    done = prep(*run, "--continuar")
    assert done.returncode == 2
    assert "son de noches distintas" in done.stderr
    # With nothing published yet it is the commands that tell.
    (tmp_path / "s" / "checkpoint").unlink()
    shutil.rmtree(tmp_path / "s" / "tile")
    done = prep(*run, "--continuar")
    assert done.returncode == 2
    assert "no es de esta corrida" in done.stderr


def test_two_processes_never_run_in_one_folder(prep: Prep, tmp_path: Path) -> None:
    run = ("simular", SMALL, "--salida", "s", "--semilla", "4")
    killed(tmp_path, "corte_hecho", 1, *run)
    with hold(tmp_path / "s"):
        for option in ("--continuar", "--reemplazar"):
            done = prep(*run, option)
            assert done.returncode == 2
            assert "está usando" in done.stderr
    assert (tmp_path / "s" / MARKER).is_file()
