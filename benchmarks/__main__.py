"""`python -m benchmarks [NOMBRE…] [--json] [--rapido]`: runs the benchmarks and prints the ratios.

Exit 0 when every figure meets its bound, 1 when one does not, 2 for bad usage. With `--rapido` the
sizes are so small that the bounds mean nothing, and the exit is 0.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.alerts import alertas
from benchmarks.certified_side import publicacion
from benchmarks.context import Context
from benchmarks.engine_side import escritor, motor
from benchmarks.figures import Figure, side_text
from benchmarks.images import imagenes
from benchmarks.live_side import vivo
from benchmarks.log_append import registro
from benchmarks.night_side import nacional, noche
from benchmarks.portal_side import portal
from benchmarks.publication_side import agregados, corte_incremental, csv_, xlsx
from benchmarks.room_side import sala
from benchmarks.room_soak import sala_ocho_horas
from benchmarks.simulation_side import simulacion
from core.cli_spanish import SpanishParser
from core.errors import PrepError

BENCHMARKS: dict[str, Callable[[Context], list[Figure]]] = {
    "motor": motor,
    "escritor": escritor,
    "agregados": agregados,
    "csv": csv_,
    "xlsx": xlsx,
    "corte_incremental": corte_incremental,
    "publicacion": publicacion,
    "portal": portal,
    "imagenes": imagenes,
    "registro": registro,
    "noche": noche,
    "nacional": nacional,
    "simulacion": simulacion,
    "vivo": vivo,
    "sala": sala,
    "sala_ocho_horas": sala_ocho_horas,
    "alertas": alertas,
}
"""In the order they run."""


def parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    made = SpanishParser(
        prog="python -m benchmarks",
        description="Mide velocidad y memoria como razones de una misma corrida.",
    )
    made.add_argument(
        "nombres", nargs="*", metavar="NOMBRE", help=f"cuáles; sin nombres, todas: {', '.join(BENCHMARKS)}"
    )
    made.add_argument("--json", action="store_true", help="escribe un solo objeto JSON")
    made.add_argument(
        "--rapido", action="store_true", help="tamaños mínimos: prueba que corren, no mide nada"
    )
    made.add_argument(
        "--carpeta",
        type=Path,
        metavar="DIR",
        help="dónde escribir mientras se mide; decide qué disco se mide",
    )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; returns the exit code."""
    made = parser()
    args = made.parse_args(arguments)
    wrong = [name for name in args.nombres if name not in BENCHMARKS]
    if wrong:
        made.error(f"no existe «{wrong[0]}»; se esperaba {', '.join(BENCHMARKS)}")
    names = [name for name in BENCHMARKS if not args.nombres or name in args.nombres]
    figures = run(names, quick=args.rapido, folder=args.carpeta)
    if args.json:
        print(
            json.dumps(
                {"rapido": args.rapido, "cifras": [one.as_data() for one in figures]}, ensure_ascii=False
            )
        )
    else:
        _show(figures, args.rapido)
    return 0 if args.rapido or all(one.holds is not False for one in figures) else 1


def run(names: Sequence[str], *, quick: bool, folder: Path | None = None) -> list[Figure]:
    """The figures of some benchmarks, in a temporary folder inside `folder` that is then deleted."""
    figures: list[Figure] = []
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="prep-bench-", dir=folder))
    context = Context(place, quick, _note)
    try:
        for name in names:
            _note(name)
            figures += BENCHMARKS[name](context)
    finally:
        context.close()
        shutil.rmtree(place)
    return figures


def _note(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _show(figures: Sequence[Figure], quick: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table: Any = Table(
        title="Velocidad y memoria" + (" (--rapido: las cifras no significan nada)" if quick else ""),
        caption="calibración del momento: ms de un ciclo fijo de CPU · µs de fdatasync (mediana)",
    )
    for heading in ("prueba", "qué", "valor", "exigido", "", "numerador", "denominador", "calibración"):
        right = heading in ("valor", "exigido", "calibración")
        table.add_column(heading, justify="right" if right else "left", no_wrap=right or heading == "")
    for one in figures:
        style = {True: "green", False: "bold red", None: "dim"}[one.holds]
        table.add_row(
            one.name,
            one.what + (f"\n[dim]{one.note}[/dim]" if one.note else ""),
            one.shown,
            one.required,
            f"[{style}]{one.verdict}[/{style}]",
            side_text(one.part, one.unit),
            side_text(one.whole, one.unit),
            f"{one.calibration.cpu_ms:.0f} · {one.calibration.fdatasync_us:.0f}",
        )
    console = Console(width=None if sys.stdout.isatty() else 170)
    console.print(table)


def _entry() -> int:
    try:
        return main()
    except PrepError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(_entry())
