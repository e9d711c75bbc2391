"""`prep publicar` as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep, time

import pytest

from core.domain.commands import OpenOperation
from core.errors import InputError, UsageError
from core.publishing.config import parse_time, read_config
from tests.conftest import REPOSITORY, Prep
from tests.core.domain.small import open_engine
from tests.core.publishing.slow_worker import PREP_SLOW

HOUR = 3_600_000


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A night that opened an hour ago by the clock of the wall."""
    path = tmp_path / "noche.db"
    engine = open_engine(str(path))
    now = round(time() * 1000)
    opening = OpenOperation(
        key="a", actor="c", station="e", at=now - HOUR, starts_at=now - HOUR, ends_at=now + HOUR
    )
    assert engine.execute([opening], now)[0].accepted
    engine._store.close()
    engine._store.database.dispose()
    return path


def test_it_publishes_what_is_due_and_says_what_was_missed(prep: Prep, base: Path, tmp_path: Path) -> None:
    done = prep("publicar", "--base", base, "--trabajo", "pub", "--una-vez", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["corte"], len(answer["perdidas"])) == (0, 1, 4), done.stderr
    assert (tmp_path / "pub/ultimo/manifiesto.json").is_file()
    pointer = json.loads((tmp_path / "pub/corte.json").read_bytes())
    assert (pointer["corte"], pointer["avisos"]) == (1, 1)
    assert pointer["instante_ms"] < pointer["siguiente_ms"] <= pointer["instante_ms"] + HOUR // 4
    lines = (tmp_path / "pub/publicador.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line)["que"] for line in lines]
    assert told == ["inicio", "sin_destino", "reserva", "alarma", "corte", "fin"]
    again = prep("publicar", "--base", base, "--trabajo", "pub", "--una-vez", "--json")
    assert (again.returncode, json.loads(again.stdout)["corte"]) == (0, 1)


def test_asked_to_end_in_the_middle_of_a_cut_it_lets_it_end_and_says_so(base: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marca"
    slow = {"PASO": "colocar:antes", "COMO": "lento", "MARCA": str(marker), "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        [sys.executable, "-c", PREP_SLOW, "publicar", "--base", str(base), "--trabajo", "pub"],
        cwd=tmp_path, env={**os.environ, **slow}, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    until = monotonic() + 60
    while not marker.exists() and monotonic() < until:
        sleep(0.02)
    assert not (tmp_path / "pub/ultimo").exists()
    # The whole group, as whoever stops a service does.
    os.killpg(process.pid, signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert "Último corte: 1." in stdout
    assert json.loads((tmp_path / "pub/publicador.json").read_bytes())["estado"] == "fuera_de_horario"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cada", "25"], "1 a 20 minutos"),
        (["--cada", "0"], "1 a 20 minutos"),
        (["--presupuesto", "0"], "al menos un segundo"),
        (["--imagenes-faltantes-pct", "200"], "va de 0 a 100"),
        (["--ensayo", "¿?"], "no sirve de nombre de ensayo"),
        (["--ensayo", "uno", "--llave", "no-hay.pem"], "--ensayo es solo para"),
        (["--cierre", "2030-01-01T00:00:00-06:00"], "dentro del periodo"),
        (["--cierre", "mañana"], "ISO 8601"),
        (["--cierre-anticipado"], "--responsable"),
        (["--llave", "no-hay.pem"], "no-hay.pem"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    prep: Prep, base: Path, options: list[str], message: str
) -> None:
    done = prep("publicar", "--base", base, "--trabajo", "pub", "--una-vez", *options)
    assert done.returncode == 2
    assert message in done.stderr
    if options[0] in ("--cada", "--presupuesto", "--imagenes-faltantes-pct"):
        assert "empezó a trabajar" not in done.stderr


def test_a_file_of_options_is_read_and_its_mistakes_are_named(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('cada = 10\ndestino = ["a", "b"]\ncierre = 2027-06-06T20:00:00-06:00\n')
    found = read_config(path)
    assert (found.cada, found.destino) == (10, ("a", "b"))
    assert found.cierre == parse_time("2027-06-06T20:00:00-06:00")
    path.write_text('cada = "diez"\n')
    with pytest.raises(InputError, match=r"p.toml, línea 1, clave cada: se esperaba un número entero"):
        read_config(path)
    path.write_text("cadda = 10\n")
    with pytest.raises(InputError, match="cadda"):
        read_config(path)
    with pytest.raises(UsageError, match="diferencia con UTC"):
        parse_time("2027-06-06T20:00:00")
