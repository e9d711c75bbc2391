"""`prep repetir`: replay a real night and say what differs from what was published."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb

if TYPE_CHECKING:
    from core.cli_output import Output
    from simulator.replays.compare import Comparison

SHOWN = 12
"""Differences listed on screen per reason; `--json` and the CSV beside the cuts have them all."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("archivos", nargs="+", metavar="ARCHIVO", help="CSV publicados de una misma noche")
    parser.add_argument("--salida", required=True, metavar="DIR", help="carpeta donde se escribe todo")
    parser.add_argument("--base", metavar="URL", help="base de datos (por omisión, SQLite en la salida)")
    parser.add_argument(
        "--cada",
        type=int,
        default=20,
        metavar="MIN",
        help="minutos virtuales entre cortes; 0 publica solo el último (por omisión, 20)",
    )
    parser.add_argument("--reemplazar", action="store_true", help="rehace una salida anterior")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    from core.cli_output import program
    from core.errors import UsageError
    from simulator.output import claim_output
    from simulator.replays.compare import compare_all
    from simulator.replays.replay import prepare, read_files, replay, written_file

    if args.cada < 0:
        raise UsageError("--cada no puede ser negativo.")
    files = read_files([Path(name) for name in args.archivos])
    plan = prepare(files)
    folder = Path(args.salida)
    claim_output(folder, "prep repetir", replace=args.reemplazar)
    with out.progress("Repetición de la noche", len(plan.steps)) as progress:
        replayed = replay(plan, folder, base=args.base, every_minutes=args.cada, advance=progress.update)
    comparisons = compare_all(replayed, [written_file(replayed, file) for file in files])
    data: dict[str, object] = {
        "archivos": [_as_data(comparison) for comparison in comparisons],
        "huella": replayed.fingerprint,
        "cortes": len(replayed.cuts),
        "eventos": replayed.events,
        "rechazos": len(replayed.refused),
        "ultimo": str(folder / "ultimo"),
    }
    unexplained = sum(d.reason is None for comparison in comparisons for d in comparison.differences)
    text = "\n".join(
        [
            f"Repetición terminada: {replayed.events:,} eventos, {len(replayed.cuts)} cortes, "
            f"{len(replayed.refused)} órdenes rechazadas.",
            *(line for comparison in comparisons for line in _as_text(comparison)),
            f"Paquetes del último corte: {folder / 'ultimo'}",
            f"Huella del estado final: {replayed.fingerprint}",
            f"Sigue: {program()} comprobar --base {args.base or folder / 'prep.db'}",
        ]
    )
    return Answer(DONE if not unexplained else ANSWER_IS_NO, data, text)


def _as_data(comparison: Comparison) -> dict[str, object]:
    return {
        "archivo": comparison.file.path.name,
        "encabezado": comparison.header,
        "diferencias": [
            {
                "fila": d.row,
                "columna": d.column,
                "oficial": d.official,
                "propio": d.own,
                "motivo": d.reason,
            }
            for d in comparison.differences
        ],
    }


def _as_text(comparison: Comparison) -> list[str]:
    count = len(comparison.differences)
    rows = len(comparison.file.rows)
    cells = rows * len(comparison.file.columns)
    lines = [f"\n{comparison.file.path.name}: {rows:,} renglones, {cells:,} celdas, {count} diferencias."]
    by_reason: dict[str, list[str]] = {}
    for d in comparison.differences:
        key = (d.reason or "SIN EXPLICACIÓN").split(":")[0]
        by_reason.setdefault(key, []).append(f"línea {d.row} {d.column}: «{d.official}» → «{d.own}»")
    for reason, places in by_reason.items():
        lines.append(f"  {reason} ({len(places)})")
        lines += [f"    {place}" for place in places[:SHOWN]]
        if len(places) > SHOWN:
            lines.append(f"    … y {len(places) - SHOWN} más (con --json, todas)")
    return lines


VERB = Verb(
    name="repetir",
    summary="Repite una noche real con el motor y la compara con lo publicado",
    add_arguments=_arguments,
    run=_run,
    examples=("prep repetir PUE_GUB_2024.csv PUE_DIP_LOC_2024.csv --salida salida/puebla",),
)
