"""The short rehearsal, as a person runs it: every fault of it kept, noticed and told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtests.faults.catalogue import CATALOGUE
from loadtests.faults.servers import find_weed
from tests.conftest import Prep


def test_in_the_short_rehearsal_nothing_is_lost_nothing_counts_twice_and_everything_is_noticed(
    prep: Prep, tmp_path: Path
) -> None:
    document = tmp_path / "d.md"
    document.write_text("<!-- fallas:sqlite:inicio -->\n<!-- fallas:sqlite:fin -->\n", encoding="utf-8")
    done = prep("fallas", "--corta", "--base", "sqlite", "--salida", "f", "--documento", document, "--json")
    data = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert data["correcto"]
    assert data["inyectadas"] == data["previstas"] - len(data["omitidas"]) > 0
    wanted = {fault.key for fault in CATALOGUE if fault.short and (find_weed() or "s3" not in fault.needs)}
    injected = {one["clave"]: one for one in data["fallas"] if not one["omitida"]}
    assert set(injected) == wanted
    for one in injected.values():
        assert one["correcta"]
        assert one["deteccion_s"]["maximo"] >= 0
        assert one["invariante"]
        assert not one["no_se_cumplio"]
    assert {"ninguna acta perdida", "ninguna acta contada de más"} <= {one["que"] for one in data["al_final"]}
    table = document.read_text(encoding="utf-8")
    assert all(f"(`{key}`)" in table for key in wanted)
    assert (tmp_path / "f" / "fallas.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--solo", "meteorito"), "No hay una falla «meteorito»"),
        (("--base", "oracle"), "--base"),
        (("--salida", "."), "no está vacía"),
        (("--solo", "base-muerta", "--base", "sqlite"), "necesita --base postgres"),
        (("--documento", "algo"), "una vez las marcas"),
    ],
    ids=["unknown fault", "unknown database", "folder in use", "not with this database", "no marks"],
)
def test_what_cannot_be_rehearsed_is_told_in_spanish(
    arguments: tuple[str, ...], message: str, prep: Prep, tmp_path: Path
) -> None:
    (tmp_path / "algo").touch()
    done = prep("fallas", "--corta", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
