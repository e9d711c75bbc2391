"""What `make carga` loads: a live rehearsal that publishes, and the servers it is seen through.

Each is a process of its own, ended with its context. nginx runs with the shipped configuration: only ports,
folders and logs differ, and, to measure its ceiling from one address, the figures of its limits.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from core.errors import PrepError
from loadtests.ceiling import nginx_path, started
from loadtests.processes import PREP as PREP_ARGUMENTS
from loadtests.processes import free_port
from loadtests.tied import tied

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "deploy" / "nginx.conf"
PREP = [sys.executable, *PREP_ARGUMENTS]
READY_S = 240.0
RESUME_TRIES = 5
PREPARE_S = 900.0
"""For a rehearsal to come to its hour, with the images that it draws on the way."""


class StageError(PrepError):
    """Something the bench needs did not start."""


class StillPausedError(StageError):
    """The rehearsal was told to wait and does not go on: nothing that comes after can be measured."""


@contextmanager
def rehearsal(
    scenario: Path, folder: Path, public: Path, *, seed: int, speed: int, ahead: int, images: float
) -> Iterator[Path]:
    """A live rehearsal that publishes at `public`; yields its folder once it publishes, and ends it.

    `images` is the part of the actas that have their image.
    """
    command = [
        *PREP, "simular", str(scenario), "--salida", str(folder), "--destino", str(public), "--semilla",
        str(seed), "--reemplazar", "--velocidad", str(speed), "--adelantar", str(ahead), "--silencio",
        "--imagenes", str(images),
    ]  # fmt: skip
    log = folder.with_name(f"{folder.name}.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as said:
        process = subprocess.Popen(
            tied(command, signal.SIGTERM), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            until = time.monotonic() + PREPARE_S
            while not (public / "corte.json").is_file():
                if process.poll() is not None or time.monotonic() > until:
                    raise StageError(f"el simulacro no publicó; {log} dice por qué")
                time.sleep(0.2)
            yield folder
        finally:
            _leave(process)


def slow_down(run: Path, speed: int) -> None:
    """Change the speed of a live rehearsal."""
    _order(run, "velocidad", str(speed))


@contextmanager
def paused(run: Path) -> Iterator[None]:
    """A live rehearsal that waits meanwhile: the machine is for what is measured."""
    _order(run, "pausa")
    try:
        yield
    finally:
        _resume(run)


def _resume(run: Path) -> None:
    """Raises StillPausedError when it does not go on, told several times."""
    for left in reversed(range(RESUME_TRIES)):
        try:
            _order(run, "reanudar")
            return
        except StageError as error:
            if not left:
                raise StillPausedError(f"{error}; se quedó en pausa") from error
            time.sleep(1)


def _order(run: Path, *words: str) -> None:
    command = [*PREP, "control", str(run), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StageError(f"el simulacro no hizo caso a «{' '.join(words)}»: {done.stderr.strip()}")


def _leave(process: subprocess.Popen[bytes]) -> None:
    """What is being written is finished; whoever does not leave is made to."""
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(one)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def nginx(public: Path, folder: Path, *, limited: bool = True) -> Iterator[str]:
    """The shipped nginx in front of a folder. Not `limited`: with its limits too high to be reached."""
    binary = nginx_path()
    if binary is None:
        raise StageError("no está instalado nginx (scripts/sistema.sh lo instala)")
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    text = shipped(SHIPPED.read_text(encoding="utf-8"), public, folder, port, limited=limited)
    conf = folder / "nginx.conf"
    conf.write_text(text, encoding="utf-8")
    _open_to_all(public)
    with started([binary, "-p", str(folder), "-c", str(conf), "-g", "daemon off;"], port) as process:
        if process is None:
            raise StageError(f"nginx no arrancó; {folder} dice por qué")
        yield f"http://127.0.0.1:{port}"


def shipped(text: str, public: Path, folder: Path, port: int, *, limited: bool) -> str:
    """The configuration that is shipped, without TLS, for this folder and this port.

    TLS is left out because neither wrk nor the users would measure anything else (docs/carga.md says what
    it costs); the file itself offers it for a site whose TLS is another machine's.
    """
    temporary = " ".join(
        f"{kind}_temp_path {folder}/tmp-{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    changes = {
        r"(?m)^pid .*;": f"pid {folder}/nginx.pid;",
        r"(?m)^error_log .*;": f"error_log {folder}/error.log warn;",
        r"(?m)^(\s*access_log) /\S+": rf"\1 {folder}/acceso.log",
        r"(?m)^(\s*)listen 80;": rf"\1listen 127.0.0.1:{free_port()};",
        r"(?m)^(\s*)listen 443 ssl[^;]*;": rf"\1listen 127.0.0.1:{port};",
        r"(?m)^\s*listen \[::\]:[^;]*;.*\n": "",
        r"(?m)^(\s*)ssl_certificate(_key)? ": r"\1# ssl_certificate\2 ",
        r"(?m)^(\s*)root /srv/prep/publico;": rf"\1root {public.absolute()};",
        r"(?m)^http \{": f"http {{\n    {temporary}",
    }
    if not limited:
        changes[r"rate=\d+r/s"] = "rate=1000000r/s"
        changes[r"burst=\d+( (delay=\d+|nodelay))?"] = "burst=1000000 nodelay"
        changes[r"(?m)^(\s*limit_conn \S+) \d+;"] = r"\1 65535;"
    for pattern, new in changes.items():
        text, times = re.subn(pattern, new, text)
        if not times and "limit_conn" not in pattern:
            raise StageError(f"{SHIPPED.name} ya no tiene lo que se cambia para la prueba: {pattern}")
    return text


def _open_to_all(public: Path) -> None:
    """nginx lowers its workers' privileges when root starts it: the folders on the way must let it in."""
    if os.geteuid() != 0:
        return
    for one in (public, *public.absolute().parents):
        mode = one.stat().st_mode
        if not mode & 0o001:
            raise StageError(f"nginx no puede entrar a {one}: le falta el permiso de paso a otros")


@contextmanager
def embedded(public: Path, *, limited: bool = True) -> Iterator[str]:
    """`prep portal` on a folder. Not `limited`: without its limit for each address."""
    port = free_port()
    more = [] if limited else _without_limit()
    with started([*PREP, "portal", str(public), "--puerto", str(port), *more], port, READY_S) as process:
        if process is None:
            raise StageError("prep portal no arrancó")
        yield f"http://127.0.0.1:{port}"


def _without_limit() -> list[str]:
    """How `prep portal` is told not to limit each address. Raises StageError when it cannot be told."""
    done = subprocess.run([*PREP, "portal", "--help"], capture_output=True, text=True, check=False)
    if "--limite" not in done.stdout:
        raise StageError("prep portal no tiene --limite: su techo no se puede medir")
    return ["--limite", "0"]


def room_users(base: Path, room: Path) -> dict[str, tuple[str, str]]:
    """A user of the room for each class of person, with a password made up on the spot."""
    made = {}
    for kind, role in (("muro", "lectura"), ("operador", "operador")):
        user, password = f"carga-{kind}", secrets.token_urlsafe(18)
        command = [
            *PREP, "sala", "usuario", "alta", user, "--rol", role, "--nombre", "Prueba de carga",
            "--base", str(base), "--sala", str(room),
        ]  # fmt: skip
        done = subprocess.run(
            command, input=f"{password}\n{password}\n", capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise StageError(f"no se pudo dar de alta a {user}: {done.stderr.strip()}")
        made[kind] = (user, password)
    return made


@contextmanager
def room(run: Path, scenario: Path, folder: Path) -> Iterator[tuple[str, dict[str, tuple[str, str]]]]:
    """`prep sala` on a rehearsal: its address and its users, once it is alive."""
    base, port = run / "prep.db", free_port()
    users = room_users(base, folder)
    command = [
        *PREP, "sala", "--base", str(base), "--corrida", str(run), "--escenario", str(scenario), "--sala",
        str(folder), "--puerto", str(port), "--silencio",
    ]  # fmt: skip
    with started(command, port, READY_S) as process:
        if process is None:
            raise StageError("prep sala no arrancó")
        url = f"http://127.0.0.1:{port}"
        _wait_alive(f"{url}/salud")
        yield url, users


def _wait_alive(url: str) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        try:
            with urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise StageError(f"{url} no llegó a responder que está viva")
