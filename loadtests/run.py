"""A load test from beginning to end: permission, plan, generator, observer, ceilings, invariants, verdict.

`prep carga` and the bench of `make carga` call `run`. It neither parses arguments nor writes the report.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import InputError, UsageError
from loadtests import ceiling, generator, invariants, target
from loadtests.ceiling import Ceiling
from loadtests.content import Expected
from loadtests.generator import Left, Processes
from loadtests.observer import Observer
from loadtests.plan import Plan
from loadtests.profile import PORTAL, Profile
from loadtests.tally import CutsSeen, cuts_seen
from loadtests.target import Permission, Target, TargetError
from loadtests.trivial import trivial_server
from loadtests.verdict import Invariant, Measured, Verdict, judge, rows_of

ABUSE_ADDRESSES = "127.0.77."
"""Where those who insist come from when the target is this machine; honest ones come from elsewhere."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a test is asked to be."""

    profile: Profile
    target: Target
    folder: Path
    users: int
    seconds: int
    expected: Expected = field(default_factory=Expected)
    processes: Processes = field(default_factory=Processes)
    credentials: dict[str, tuple[str, str]] | None = None
    permission: Path | None = None
    foreign: bool = False
    base: str | None = None
    publication: Path | None = None
    ceiling_target: Target | None = None
    """Whom wrk asks; None: nobody."""
    calibration_s: float = 3.0
    ceiling_s: float = 1.0


@dataclass(slots=True)
class Result:
    """What a test found."""

    options: Options
    measured: Measured
    verdict: Verdict
    ceilings: Sequence[Ceiling]
    history: list[dict[str, str]]
    appeared: dict[int, float]
    begun: float | None
    permission: Permission | None
    started_at: str


def run(options: Options) -> Result:
    """Make the test. Raises TargetError when it may not be made, or the target is not the one meant."""
    permission = _allowed(options)
    portal = options.profile.target == PORTAL
    pointer = _meant(options) if portal else {}
    _check_credentials(options)
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    started_at = datetime.now().astimezone().isoformat(timespec="seconds")
    observer = Observer(options.target) if portal else None
    body, packed = _sample(options.target, pointer)
    abuse = _Abuse(options, pointer, permission)
    with (
        tempfile.TemporaryDirectory(prefix="prep-carga-") as private,
        trivial_server(body, packed=packed) as trivial,
    ):
        plan = Path(private) / "plan.json"
        write_plan(options, trivial, plan, permission)
        try:
            if observer is not None:
                observer.start()
            left = generator.run(plan, folder, options.processes, options.seconds, abuse.begin)
        finally:
            abuse.end()
            if observer is not None:
                observer.end()
    if permission is not None and (left.begun or 0.0) + options.seconds > permission.until.timestamp():
        left.trouble = left.trouble or "la autorización terminó antes que la prueba"
    appeared = observer.appeared if observer is not None else {}
    looked = _after(options) if portal else []
    ceilings = _ceilings(options, pointer)
    measured = _measured(options, left, appeared, abuse.got, looked)
    verdict = judge(options.profile, measured)
    return Result(
        options, measured, verdict, ceilings, left.history, appeared, left.begun, permission, started_at
    )


def _allowed(options: Options) -> Permission | None:
    return target.allow(
        options.target, options.permission, options.foreign, users=options.users, seconds=options.seconds,
        abuse=options.profile.abuse is not None, now=datetime.now(UTC), before_s=options.calibration_s,
    )  # fmt: skip


def write_plan(options: Options, trivial: str, path: Path, permission: Permission | None = None) -> None:
    """Leave the plan of a run for the processes that generate its load."""
    Plan(
        profile=options.profile.as_data(),
        url=options.target.url,
        users=options.users,
        seconds=options.seconds,
        expected=asdict(options.expected),
        # Only Linux answers for the whole of 127/8 without being told.
        many_addresses=(
            options.target.loopback and options.profile.target == PORTAL and sys.platform == "linux"
        ),
        tally_path=str((options.folder / "cuentas.json").absolute()),
        package_path=str((options.folder / "paquete.zip").absolute()),
        trivial_url=trivial,
        calibration_s=options.calibration_s,
        credentials=options.credentials,
        not_after=None if permission is None else permission.until.timestamp(),
    ).write(path)


def work(options: Options, host: str, port: int) -> int:
    """Be one of the processes of a test that a master elsewhere runs, on the same terms."""
    permission = _allowed(options)
    pointer = _meant(options) if options.profile.target == PORTAL else {}
    _check_credentials(options)
    options.folder.mkdir(parents=True, exist_ok=True)
    body, packed = _sample(options.target, pointer)
    with (
        tempfile.TemporaryDirectory(prefix="prep-carga-") as private,
        trivial_server(body, packed=packed) as trivial,
    ):
        plan = Path(private) / "plan.json"
        write_plan(options, trivial, plan, permission)
        return generator.run_worker(plan, options.folder, host, port)


def _meant(options: Options) -> dict[str, Any]:
    pointer = target.pointer_of(options.target)
    why = options.expected.difference(pointer)
    if why is not None:
        raise TargetError(f"{options.target.url} no es la publicación esperada: {why}.")
    return pointer


def _check_credentials(options: Options) -> None:
    asked = {person.kind for person in options.profile.people}
    if options.profile.target != PORTAL:
        missing = asked - set(options.credentials or {})
        if missing:
            raise UsageError(
                f"faltan en --credenciales el usuario y la contraseña de: {', '.join(sorted(missing))}"
            )


def _sample(where: Target, pointer: dict[str, Any]) -> tuple[bytes, bool]:
    """The bytes the generator is measured with: what the page loads first of each cut."""
    if not pointer:
        return b"{}" * 2000, False
    sha256 = pointer["portal"]
    status, headers, body = where.get(f"/objetos/{sha256[:2]}/{sha256}.json", {"Accept-Encoding": "gzip"})
    if status != 200:
        raise TargetError(f"{where.url} anuncia un objeto del portal que no entrega ({status}).")
    return body, headers.get("content-encoding") == "gzip"


def _after(options: Options) -> list[Invariant]:
    """The invariants that can be looked at from here."""
    found = []
    package = options.folder / "paquete.zip"
    if package.is_file():
        found.append(invariants.of_verification(str(package), "el último paquete descargado"))
    if options.publication is not None:
        get = invariants.folder_reader(options.publication)
        found.append(invariants.of_verification(str(options.publication), "la publicación completa"))
        found += invariants.of_cut(get)
        if options.base is not None:
            found.append(invariants.of_replay(options.base, get))
    if options.base is not None:
        found.append(invariants.of_base(options.base))
    return found


def _ceilings(options: Options, pointer: dict[str, Any]) -> Sequence[Ceiling]:
    if options.ceiling_target is None or not pointer:
        return ()
    pointer = target.pointer_of(options.ceiling_target)
    sha256 = pointer["portal"]
    paths = {"corte.json": "/corte.json", "objeto del portal": f"/objetos/{sha256[:2]}/{sha256}.json"}
    return ceiling.measure(options.ceiling_target, paths, options.ceiling_s)


def _measured(
    options: Options,
    left: Left,
    appeared: dict[int, float],
    abuse: dict[str, int] | None,
    looked: list[Invariant],
) -> Measured:
    rows, whole = rows_of(left.stats, options.seconds)
    profile = options.profile
    end = (left.begun or 0.0) + options.seconds
    within = profile.longest_poll_s + profile.thresholds["margen_corte_s"]
    during = {cut: at for cut, at in appeared.items() if left.begun is not None and left.begun <= at <= end}
    seen = cuts_seen(left.tally.readers, during, within, end) if during else CutsSeen(0, 0, 0, None, None)
    return Measured(
        rows, whole, left.tally, left.processes, seen, abuse, looked, left.trouble, left.failures,
        options.processes.workers or options.processes.awaited or 1,
    )  # fmt: skip


class _Abuse:
    """Those who insist, in a process of their own, from a moment of the run."""

    def __init__(self, options: Options, pointer: dict[str, Any], permission: Permission | None) -> None:
        self._options = options
        self._until = None if permission is None else permission.until
        self._pointer = pointer
        self._process: subprocess.Popen[bytes] | None = None
        self._timer: threading.Timer | None = None
        self.got: dict[str, int] | None = None

    def begin(self) -> None:
        """The first users are about to come."""
        abuse = self._options.profile.abuse
        if abuse is not None:
            wait = self._options.seconds * abuse["empieza_pct"] / 100
            self._timer = threading.Timer(wait, self._start, (self._options.seconds - wait,))
            self._timer.start()

    def _start(self, seconds: float) -> None:
        options, abuse = self._options, self._options.profile.abuse
        assert abuse is not None
        if self._until is not None:
            seconds = min(seconds, (self._until - datetime.now(UTC)).total_seconds())
        portal, host = self._pointer["portal"], options.target
        asked = {
            "host": host.host,
            "puerto": host.port,
            "tls": host.scheme == "https",
            "nombre": host.url.partition("//")[2],
            "segundos": seconds,
            "rutas": ["/corte.json", f"/objetos/{portal[:2]}/{portal}.json", "/", "/no-existe.html"],
            "grande": f"/{self._pointer['difusion']}",
            "direcciones": [f"{ABUSE_ADDRESSES}{1 + n}" for n in range(abuse["direcciones"])]
            if host.loopback
            else [],
            **{key: abuse[key] for key in ("clientes", "peticiones_s", "descargas", "lentos")},
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "loadtests.abuse"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.close()

    def end(self) -> None:
        """Wait for them to go, and keep what they got."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        process = self._process
        if process is None:
            return
        assert process.stdout is not None
        try:
            said, _ = process.stdout.read(), process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return
        finally:
            process.stdout.close()
        lines = said.splitlines()
        self.got = json.loads(lines[1]) if len(lines) > 1 else None


def read_credentials(path: Path) -> dict[str, tuple[str, str]]:
    """Users and passwords by class of person, from a TOML file: `[muro] usuario = …, contrasena = …`."""
    from core.catalogs.problems import Problems
    from core.catalogs.toml_file import TomlFile

    problems = Problems()
    file = TomlFile(path, problems)
    found = {}
    if file.root is not None:
        file.root.only("muro", "operador")
        for kind in file.root.data:
            table = file.root.table(kind)
            table.only("usuario", "contrasena")
            found[kind] = (table.text("usuario") or "", table.text("contrasena") or "")
    problems.raise_if_any()
    if path.stat().st_mode & 0o077:
        raise InputError(path, message="lo pueden leer otros usuarios de la máquina; use chmod 600")
    return found
