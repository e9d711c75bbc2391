"""`prep dimensionar`: how many people (and scanners, links, phones) it takes to reach a goal in time."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb
from core.errors import UsageError
from simulator.experiments.verb_experiment import add_run_arguments, check_counts, open_replicator

if TYPE_CHECKING:
    from core.cli_output import Output

_LENGTH = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+)m(?:in)?)?")


def parse_length(text: str) -> int:
    """Milliseconds of «4h», «4h30m» or «90m». Raises UsageError."""
    from simulator.scenario.base import MS_PER_HOUR, MS_PER_MINUTE

    found = _LENGTH.fullmatch(text.strip().lower())
    if not text.strip() or found is None or not any(found.groups()):
        raise UsageError(f"--en espera una duración como 4h, 4h30m o 90m; se encontró «{text}».")
    hours, minutes = float(found[1] or 0), int(found[2] or 0)
    length = round((hours * 60 + minutes) * MS_PER_MINUTE)
    if not 0 < length <= 26 * MS_PER_HOUR:
        raise UsageError("--en debe ser mayor que cero y de a lo más 26 horas.")
    return length


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_run_arguments(parser, 100)
    parser.add_argument(
        "--meta", type=float, default=100.0, metavar="PCT", help="porcentaje de las actas esperadas (100)"
    )
    parser.add_argument("--en", default="4h", metavar="DURACION", help="desde el inicio: 4h, 4h30m, 90m (4h)")
    parser.add_argument(
        "--confianza",
        type=float,
        default=0.95,
        metavar="P",
        help="parte de las noches que lo logra (0.95)",
    )
    parser.add_argument(
        "--llegadas", choices=("plan", "inicio"), default="plan",
        help="«plan»: como dice el escenario; «inicio»: todas en su CATD al empezar, sin faltantes",
    )  # fmt: skip
    parser.add_argument(
        "--costo", type=float, default=1.0, metavar="PESOS", help="costo de un capturista en la noche (1)"
    )
    parser.add_argument("--solo-capturistas", action="store_true", help="no busca lo demás")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    from simulator.experiments import sizing_report as report
    from simulator.experiments.answer import size

    check_counts(args)
    if not 0 < args.meta <= 100:
        raise UsageError("--meta debe ser mayor que 0 y a lo más 100.")
    if not 0 < args.confianza < 1:
        raise UsageError("--confianza debe estar entre 0 y 1, sin tocarlos.")
    if args.costo < 0:
        raise UsageError("--costo no puede ser negativo.")
    within = parse_length(args.en)
    loaded, replicator = open_replicator(args.escenario, args.con)
    found = size(
        replicator,
        goal_pct=args.meta,
        within_ms=within,
        confidence=args.confianza,
        root=args.semilla,
        replicas=args.replicas,
        at_start=args.llegadas == "inicio",
        others=not args.solo_capturistas,
        processes=args.procesos,
        dask=args.dask,
        note=out.note,
    )
    data = report.data(loaded, found, args.costo)
    text = report.text(loaded, found, args.costo)
    if args.salida is not None:
        data["escritos"] = report.write(args.salida, loaded, found, data, text)
        text += f"\nInforme y gráficas en {args.salida}."
    return Answer(DONE if found.attainable else ANSWER_IS_NO, data, text, report.tables(found, args.costo))


VERB = Verb(
    name="dimensionar",
    summary="Dice cuánta gente y equipo hacen falta para llegar a una meta",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep dimensionar scenarios/jalisco-2027/simulacro-1.toml --meta 100 --en 4h --llegadas inicio",
        "prep dimensionar scenarios/jalisco-2027/jornada.toml --meta 80 --en 6h --confianza 0.95 --salida d",
    ),
)
