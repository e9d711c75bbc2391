"""`prep exportar`: the ledger as an event log for process mining and animation."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli_output import Output

FORMATS = ("xes", "csv", "animacion")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--base", required=True, metavar="URL", help="base de datos: ruta de SQLite o URL de PostgreSQL"
    )
    parser.add_argument(
        "--formato", choices=FORMATS, default="xes",
        help="«xes» y «csv» para minería de procesos; «animacion» para animar colas",
    )  # fmt: skip
    parser.add_argument(
        "--salida", required=True, type=Path, metavar="ARCHIVO", help="archivo nuevo; con .gz sale comprimido"
    )


def _run(args: argparse.Namespace, out: Output) -> Answer:
    from core.operations.event_log import write_animation, write_csv, write_xes
    from core.storage.database import open_existing

    path: Path = args.salida
    if path.exists():
        raise UsageError(f"«{path}» ya existe; elige otro nombre.")
    if not path.parent.is_dir():
        raise UsageError(f"No existe la carpeta «{path.parent}».")
    writers = {"xes": write_xes, "csv": write_csv, "animacion": write_animation}
    # Written beside and then moved: nobody finds half a file under the name he asked for.
    partial = path.with_name(f".parcial-{path.name}")
    database = open_existing(args.base)
    try:
        written = writers[args.formato](database, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
        database.dispose()
    data: dict[str, object] = {
        "archivo": path,
        "formato": args.formato,
        "actas": written.actas,
        "eventos": written.events,
        "bytes": path.stat().st_size,
    }
    text = f"{written.events:,} eventos de {written.actas:,} actas en {path}"
    return Answer(DONE, data, text)


VERB = Verb(
    name="exportar",
    summary="Escribe la bitácora como registro de eventos (XES, CSV)",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep exportar --base salida/simulacro-5/prep.db --salida noche.xes.gz",
        "prep exportar --base salida/simulacro-5/prep.db --formato csv --salida noche.csv",
    ),
)
