"""A load test from beginning to end: permission, plan, generator, observer, ceilings, invariants, verdict.

`prep carga` and the bench of `make carga` call `run`. It neither parses arguments nor writes the report.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.cli_verb import INTERRUPTED
from core.errors import InputError, PrepError, UsageError
from core.storage.database import open_existing
from loadtests import ceiling, target
from loadtests.ceiling import Ceiling
from loadtests.generating import generator, sample
from loadtests.generating.generator import Left, Processes
from loadtests.generating.insist import Abuse
from loadtests.generating.plan import Plan, with_everybody
from loadtests.generating.trivial import trivial_server
from loadtests.judging import invariants
from loadtests.judging.content import Expected
from loadtests.judging.observer import Observer
from loadtests.judging.tally import CutsSeen, sightings
from loadtests.judging.timing import rows
from loadtests.judging.verdict import Invariant, Measured, Verdict, judge
from loadtests.profile import PORTAL, Profile
from loadtests.reasons import why
from loadtests.target import Permission, Target, TargetError

PACKAGE = "paquete.zip"
"""The last package downloaded, verified after the run."""
VERDICT, REPORT = "veredicto.json", "informe.html"
SHORT_S = 1.5
"""A run may seem shorter than it was by so much: its stages begin a little before its count."""
MASTER_WAIT_S = 120.0
"""How long a worker waits for its master to be there."""


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
    """Verified and walked down after the run."""
    watched: Path | None = None
    """Folder whose `corte.json` says when each cut was published; None: what the target shows does."""
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


def run(options: Options, when_ready: Callable[[], None] = lambda: None) -> Result:
    """Make the test. Raises TargetError when it may not be made, or the target is not the one meant.

    `when_ready` is called when everything is right and the load is about to begin. No verdict of a former
    test is left in the folder: one that is interrupted leaves its own, which says so.
    """
    if options.folder.exists() and not options.folder.is_dir():
        raise UsageError(f"--salida «{options.folder}» no es una carpeta.")
    for name in (VERDICT, REPORT):
        (options.folder / name).unlink(missing_ok=True)
    ready = _prepare(options)
    options = ready.options
    when_ready()
    try:
        return _run(ready)
    except KeyboardInterrupt:
        said = {"veredicto": "interrumpida", "codigo": INTERRUPTED, "perfil": options.profile.name}
        said["objetivo"] = options.target.url
        (options.folder / VERDICT).write_text(json.dumps(said, indent=2, ensure_ascii=False), "utf-8")
        raise


def _run(ready: _Ready) -> Result:
    options, permission, pointer = ready.options, ready.permission, ready.pointer
    folder, portal = options.folder, options.profile.target == PORTAL
    (folder / PACKAGE).unlink(missing_ok=True)
    started_at = datetime.now().astimezone().isoformat(timespec="seconds")
    observer = Observer(options.target, options.watched) if portal else None
    abuse = Abuse(options.profile.abuse, options.target, pointer, options.seconds, permission)
    left: Left | None = None
    with (
        tempfile.TemporaryDirectory(prefix="prep-carga-") as private,
        trivial_server(ready.sample[0], packed=ready.sample[1]) as trivial,
    ):
        plan = Path(private) / "plan.json"
        write_plan(options, trivial.url, plan, permission)
        try:
            if observer is not None:
                observer.start()
            left = generator.run(plan, folder, options.processes, options.seconds, abuse.begin)
        finally:
            abuse.end(early=left is None or bool(left.trouble))
            if observer is not None:
                observer.end()
    if permission is not None and (left.begun or 0.0) + options.seconds > permission.until.timestamp():
        left.trouble = left.trouble or "la autorización terminó antes que la prueba"
    left.trouble = left.trouble or cut_short(left, options.seconds)
    appeared = observer.appeared if observer is not None else {}
    looked = _after(options)
    ceilings = _ceilings(options, pointer)
    measured = _measured(options, left, appeared, abuse.got, looked)
    measured.watch = None if observer is None else observer.watch
    measured.trivial_cpu_pct = trivial.busiest_pct if options.calibration_s else None
    verdict = judge(options.profile, measured)
    return Result(
        options, measured, verdict, ceilings, left.history, appeared, left.begun, permission, started_at
    )


def cut_short(left: Left, seconds: int) -> str:
    """What is wrong with a run that somebody stopped before its end, in Spanish; empty when nobody did.

    Locust's page has a button for that, and what it leaves then looks like any other end.
    """
    if left.lasted_s is None or left.lasted_s >= seconds - SHORT_S:
        return ""
    return f"la prueba se detuvo a los {left.lasted_s:g} s de {seconds}"


@dataclass(frozen=True, slots=True)
class _Ready:
    """What a test that may begin has: its options with the addresses that answer."""

    options: Options
    permission: Permission | None
    pointer: dict[str, Any]
    """That of the target; empty for the room."""
    sample: tuple[bytes, bool]
    """The bytes the generator is measured with, and whether they are gzip."""


def _prepare(options: Options) -> _Ready:
    """What has to be right before the load. Raises PrepError."""
    permission = _allowed(options)
    _check_credentials(options)
    _check_what_is_looked_at_after(options)
    options = replace(options, profile=_everybody(options), target=options.target.answering())
    pointer = _meant(options) if options.profile.target == PORTAL else {}
    if options.ceiling_target is not None:
        target.pointer_of(options.ceiling_target)
    found = _sample(options, pointer)
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--salida «{options.folder}»: no se puede hacer la carpeta: {why(error)}"
        ) from error
    return _Ready(options, permission, pointer, found)


def _everybody(options: Options) -> Profile:
    """The profile with one user at least of each class. Raises UsageError when there are not so many."""
    profile = options.profile
    peak = options.users * max(stage.users_pct for stage in profile.stages) // 100
    try:
        return replace(profile, people=with_everybody(profile.people, peak))
    except ValueError as error:
        kinds = ", ".join(dict.fromkeys(one.kind for one in profile.people))
        raise UsageError(
            f"--usuarios {options.users}: no alcanza para uno de cada clase del perfil ({kinds}); "
            f"hacen falta {error} a la vez"
        ) from None


def _check_what_is_looked_at_after(options: Options) -> None:
    """A wrong folder or database is told at once, not after the whole run."""
    if options.publication is not None:
        invariants.pointer_of(invariants.folder_reader(options.publication))
    if options.base is not None:
        _check_sqlite(options.base)
        open_existing(options.base).dispose()


def _check_sqlite(base: str) -> None:
    """A file that is no database is told in Spanish, which SQLite does not do. Raises UsageError."""
    path = Path(base.removeprefix("sqlite:///"))
    if path.is_file():
        with path.open("rb") as stream:
            if stream.read(16) != b"SQLite format 3\0":
                raise UsageError(f"--base «{base}» no es una base de SQLite.")


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
        package_path=str((options.folder / PACKAGE).absolute()),
        trivial_url=trivial,
        calibration_s=options.calibration_s,
        credentials=options.credentials,
        not_after=None if permission is None else permission.until.timestamp(),
        addresses=options.target.addresses,
    ).write(path)


def work(options: Options, host: str, port: int) -> tuple[int, list[Invariant]]:
    """Be one of the processes of a test that a master elsewhere runs, on the same terms.

    Returns Locust's exit code, and what was looked at of what was downloaded here, which no one else sees.
    """
    ready = _prepare(options)
    options = ready.options
    _await_master(host, port)
    (options.folder / PACKAGE).unlink(missing_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="prep-carga-") as private,
        trivial_server(ready.sample[0], packed=ready.sample[1]) as trivial,
    ):
        plan = Path(private) / "plan.json"
        write_plan(options, trivial.url, plan, ready.permission)
        code = generator.run_worker(plan, options.folder, host, port)
    return code, _package(options)


def _await_master(host: str, port: int) -> None:
    """Until somebody listens there, which may start a little later. Raises UsageError when nobody does."""
    until = time.monotonic() + MASTER_WAIT_S
    while True:
        try:
            socket.create_connection((host, port), 5).close()
            return
        except OSError as error:
            if time.monotonic() >= until:
                raise UsageError(
                    f"--trabajador: en {host}, puerto {port}, no hubo maestro en {MASTER_WAIT_S:g} s "
                    f"({why(error)}). Se arranca con «prep carga PERFIL … --maestro N»."
                ) from error
        time.sleep(0.5)


def _meant(options: Options) -> dict[str, Any]:
    pointer = target.pointer_of(options.target)
    differs = options.expected.difference(pointer)
    if differs is not None:
        raise TargetError(f"{options.target.url} no es la publicación esperada: {differs}.")
    return pointer


def _check_credentials(options: Options) -> None:
    asked = {person.kind for person in options.profile.people}
    if options.profile.target != PORTAL:
        missing = asked - set(options.credentials or {})
        if missing:
            raise UsageError(
                f"faltan en --credenciales el usuario y la contraseña de: {', '.join(sorted(missing))}"
            )


def _sample(options: Options, pointer: dict[str, Any]) -> tuple[bytes, bool]:
    """The bytes the generator is measured with, and whether they are gzip."""
    if options.profile.target == PORTAL:
        return sample.of_portal(options.target, pointer)
    assert options.credentials is not None
    kinds = {person.kind for person in options.profile.people}
    return sample.of_room(options.target, {kind: options.credentials[kind] for kind in kinds})


def _after(options: Options) -> list[Invariant]:
    """The invariants that can be looked at from here."""
    found = _package(options)
    if options.publication is not None:
        get = invariants.folder_reader(options.publication)
        found.append(invariants.of_verification(str(options.publication), "la publicación completa"))
        found += invariants.of_cut(get)
        if options.base is not None:
            found.append(invariants.of_replay(options.base, get))
    if options.base is not None:
        found.append(invariants.of_base(options.base))
    return found


def _package(options: Options) -> list[Invariant]:
    package = options.folder / PACKAGE
    if not package.is_file():
        return []
    return [invariants.of_verification(str(package), "el último paquete descargado")]


def _ceilings(options: Options, pointer: dict[str, Any]) -> Sequence[Ceiling]:
    if options.ceiling_target is None or not pointer:
        return ()
    try:
        pointer = target.pointer_of(options.ceiling_target)
    except PrepError:
        return ()  # it was there before the load: what happened is in the verdict
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
    found, whole = rows(left.tally.requests, options.seconds)
    end = (left.begun or 0.0) + options.seconds
    during = {cut: at for cut, at in appeared.items() if left.begun is not None and left.begun <= at <= end}
    margin = options.profile.thresholds["margen_corte_s"]
    seen = sightings(left.tally.readers, during, margin, end) if during else CutsSeen()
    return Measured(
        found, whole, left.tally, left.processes, seen, abuse, looked, left.trouble, left.failures,
        options.processes.workers or options.processes.awaited or 1, left.silent_s,
    )  # fmt: skip


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
