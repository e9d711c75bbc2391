"""`prep sala` as people run it: a server with its writer, its users, and the errors it tells."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from control_room.room_db import users as user_table
from control_room.verb import DEMO_USERS, _demo_users
from core.cli import main
from loadtests.processes import free_port
from tests.conftest import Prep
from tests.control_room.web.rooms import make_night, make_room

START_S = 60
LEAVE_S = 10
"""Generous: the machine of the tests runs other things. How long it takes is printed by the benchmark."""


class Served(NamedTuple):
    """A room being served: its process, its address, the passwords it showed and its folder."""

    process: subprocess.Popen[str]
    address: str
    passwords: dict[str, str]
    folder: Path


def _start(folder: Path, port: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from core.cli import main; raise SystemExit(main())", "sala"]
    command += ["--base", str(folder / "prep.db"), "--puerto", str(port), *more]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def _wait_for(what: str, process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if what in line:
            return said
    raise AssertionError(f"it ended before saying «{what}»:\n{said}")


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in path.read_text(encoding="ascii").split()]


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def _enter(served: Served, user: str) -> requests.Session:
    session = requests.Session()
    form = session.get(f"{served.address}entrar", timeout=10)
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', form.text)
    assert token is not None
    data = {"usuario": user, "contrasena": served.passwords[user], "csrf": token[1]}
    answer = session.post(f"{served.address}entrar", data=data, timeout=20, allow_redirects=False)
    assert answer.status_code == 303
    return session


def _until(true: object, seconds: float = 30) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if true():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A room of a rehearsal with its demonstration users, served by its own processes."""
    folder = tmp_path_factory.mktemp("servida")
    make_night(folder, "simulacro")
    port = free_port()
    process = _start(folder, port, "--demo")
    said = _wait_for("Ctrl-C", process)
    passwords = dict(re.findall(r"^  (\w+)\s+(\S+)\s+rol ", said, re.M))
    yield Served(process, f"http://127.0.0.1:{port}/", passwords, folder)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_room_is_served_with_fresh_data_of_its_own_writer(served: Served) -> None:
    assert _until(lambda: requests.get(f"{served.address}salud", timeout=5).status_code == 200)
    session = _enter(served, "muro")
    first = session.get(f"{served.address}api/sala.json", timeout=5)
    assert first.headers["Content-Encoding"] == "gzip"
    seq = first.json()["seq"]
    assert _until(lambda: session.get(f"{served.address}api/sala.json", timeout=5).json()["seq"] > seq)
    page = session.get(served.address, timeout=10)
    assert page.status_code == 200
    assert "_dash-config" in page.text
    assert "Werkzeug" not in page.headers.get("Server", "")


def test_the_demonstration_has_one_user_for_each_role(served: Served) -> None:
    roles = {_enter(served, user).get(f"{served.address}api/yo.json", timeout=5).json()["rol"]
             for user in served.passwords}  # fmt: skip
    assert roles == {
        "lectura", "operador", "coordinador", "publicacion", "instructor", "auditor", "administracion"
    }  # fmt: skip


def test_an_action_reaches_the_screen_of_everybody(served: Served) -> None:
    operator, wall = _enter(served, "operador"), _enter(served, "muro")
    csrf = operator.get(f"{served.address}api/yo.json", timeout=5).json()["csrf"]
    done = operator.post(
        f"{served.address}api/acciones/abrir_incidente",
        json={"titulo": "Sin luz en la sede", "tipo": "luz", "catds": [1]},
        headers={"X-CSRF": csrf},
        timeout=20,
    )
    assert done.status_code == 200, done.text
    key = done.json()["datos"]["incidente"]

    def seen() -> bool:
        snapshot = wall.get(f"{served.address}api/sala.json", timeout=5).json()
        return key in {one["clave"] for one in snapshot["incidentes"]}

    assert _until(seen)


def test_a_writer_that_dies_is_started_again(served: Served) -> None:
    written = served.folder / "sala" / "escritor.json"
    assert _until(written.is_file)
    before = json.loads(written.read_text(encoding="utf-8"))
    os.kill(before["pid"], signal.SIGKILL)

    def again() -> bool:
        try:
            found = json.loads(written.read_text(encoding="utf-8"))
        except ValueError:
            return False
        return bool(found["pid"] != before["pid"] and found["boot_id"] != before["boot_id"])

    assert _until(again)
    assert _until(lambda: requests.get(f"{served.address}salud", timeout=5).status_code == 200)


def test_a_port_in_use_is_told(served: Served, prep: Prep) -> None:
    port = served.address.rsplit(":", 1)[1].strip("/")
    answer = prep(
        "sala", "--base", served.folder / "prep.db", "--puerto", port, "--sala", served.folder / "otra"
    )
    assert answer.returncode == 2
    assert f"puerto {port}: ya lo usa otro programa" in answer.stderr


def test_ctrl_c_stops_the_server_and_its_writer(tmp_path: Path) -> None:
    make_night(tmp_path, "simulacro")
    process = _start(tmp_path, free_port(), "--demo")
    _wait_for("Ctrl-C", process)
    children = _children(process.pid)
    assert len(children) >= 2
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=LEAVE_S)
    assert process.returncode == 0, out
    assert "La sala se detuvo." in out
    assert "Traceback" not in out
    assert _until(lambda: not any(_alive(one) for one in children), 5)


def test_when_the_server_is_killed_its_children_leave_too(tmp_path: Path) -> None:
    make_night(tmp_path, "simulacro")
    process = _start(tmp_path, free_port(), "--demo")
    _wait_for("Ctrl-C", process)
    children = _children(process.pid)
    process.kill()
    process.wait()
    assert _until(lambda: not any(_alive(one) for one in children), LEAVE_S)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Falta --base"),
        (("--base", "no-hay.db"), "No existe la base"),
        (("--base", "{base}", "--puerto", "0"), "--puerto va de 1 a 65535"),
        (("--base", "{base}", "--anfitrion", "no existe"), "No se entiende la dirección"),
        (("--base", "{base}", "--config", "no-hay.toml"), "no-hay.toml"),
        (("--base", "{base}", "--escenario", "no-hay.toml"), "no-hay.toml"),
        (("--base", "{base}", "--corrida", "no-hay"), "No existe la carpeta de la corrida"),
        (
            ("--base", "{base}", "--demo", "--anfitrion", "0.0.0.0"),
            "solo se admiten si la sala atiende a esta",
        ),
        (("--base", "{base}", "--certificado", "x.pem"), "van juntos"),
        (("--base", "{base}", "--certificado", "{base}", "--llave-privada", "{base}"), "no se entienden"),
        (("otra",), "No hay una orden «otra»"),
        (("escritor", "de-mas"), "no lleva «de-mas»"),
        (("usuario",), "usuario lleva una de"),
        (("usuario", "alta", "--base", "{base}"), "lleva un nombre"),
        (("usuario", "rol", "nadie", "--rol", "auditor", "--base", "{base}"), "No hay un usuario «nadie»"),
    ],
)
def test_what_cannot_be_served_is_told_in_spanish(
    arguments: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = make_night(tmp_path, "simulacro")
    code = main(["sala", *(one.replace("{base}", base) for one in arguments)])
    told = capsys.readouterr().err
    assert code == 2, told
    assert message in told
    assert "Traceback" not in told


def test_an_official_night_has_no_demonstration_users(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sala", "demo-usuarios", "--base", make_night(tmp_path, "oficial")]) == 2
    assert "jornada oficial" in capsys.readouterr().err


@pytest.mark.parametrize("more", [("--anfitrion", "0.0.0.0"), ("--detras-de-proxy",)])
def test_accounts_of_a_demonstration_are_no_way_in_for_other_machines(
    more: tuple[str, ...], tmp_path: Path, prep: Prep
) -> None:
    base = make_night(tmp_path, "simulacro")
    assert main(["sala", "demo-usuarios", "--base", base]) == 0
    answer = prep("sala", "--base", base, *more)
    assert answer.returncode == 2, answer.stderr
    assert "usuarios de demostración (administracion, auditor" in answer.stderr


def test_new_passwords_of_a_demonstration_end_the_sessions_of_the_old_ones(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    with room.room.room_database.begin() as connection:
        connection.execute(user_table.update().values(nombre="Demostración"))
    browser = room.as_role("operador")
    assert browser.get("/api/yo.json").status_code == 200
    room.add("muro", "lectura")
    with room.room.room_database.begin() as connection:
        connection.execute(user_table.update().values(nombre="Demostración"))
    assert set(_demo_users(room.room.options, room.room)) == set(DEMO_USERS)
    assert browser.get("/api/yo.json").status_code == 401
    room.room.close()


def test_a_database_without_catalogue_is_told(tmp_path: Path, prep: Prep) -> None:
    from core.storage.database import open_database

    base = str(tmp_path / "vacia.db")
    open_database(base).dispose()
    answer = prep("sala", "--base", base)
    assert answer.returncode == 2
    assert "no tiene catálogo" in answer.stderr


def test_users_are_made_changed_and_closed_from_the_console(
    tmp_path: Path, prep: Prep, capsys: pytest.CaptureFixture[str]
) -> None:
    base = make_night(tmp_path, "oficial")

    def user(*words: str) -> dict[str, object]:
        # What the command runs, without starting Python and the whole room each time.
        code = main(["sala", "usuario", *words, "--base", base, "--json"])
        told = capsys.readouterr()
        assert code == 0, told.err
        return dict(json.loads(told.out))

    def only() -> dict[str, object]:
        people = user("lista")["usuarios"]
        assert isinstance(people, list)
        assert len(people) == 1
        return dict(people[0])

    made = user("alta", "ana", "--rol", "coordinador", "--nombre", "Ana Ruiz", "--generar")
    assert re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", str(made["contrasena"]))
    user("rol", "ana", "--rol", "auditor")
    found = only()
    assert (found["usuario"], found["nombre"], found["rol"]) == ("ana", "Ana Ruiz", "auditor")
    assert "clave" not in found
    user("contrasena", "ana", "--generar")
    user("baja", "ana")
    assert only()["baja_ms"] is not None
    listed = prep("sala", "usuario", "lista", "--base", base, "--json")
    assert json.loads(listed.stdout) == user("lista")
    shutil.rmtree(tmp_path / "sala")
