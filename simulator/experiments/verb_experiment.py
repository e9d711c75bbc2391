"""`prep experimento`: many nights of a scenario, what they have in common, and which plan is better."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli_verb import DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli_output import Output


def add_run_arguments(parser: argparse.ArgumentParser, replicas: int) -> None:
    """Arguments shared by the verbs that play many nights."""
    parser.add_argument("escenario", type=Path, metavar="ESCENARIO", help="archivo TOML del escenario")
    parser.add_argument(
        "--con", nargs="+", type=Path, default=[], metavar="ARCHIVO", help="incidencias que se le suman"
    )
    parser.add_argument(
        "--replicas", type=int, default=replicas, metavar="N", help=f"noches que se juegan ({replicas})"
    )
    parser.add_argument("--semilla", type=int, default=1, metavar="N", help="semilla de la primera (1)")
    parser.add_argument("--procesos", type=int, metavar="N", help="procesos; sin ella, uno por núcleo")
    parser.add_argument("--dask", metavar="DIRECCION", help="planificador de dask que las reparte")
    parser.add_argument("--salida", type=Path, metavar="DIR", help="carpeta para el informe y las gráficas")


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_run_arguments(parser, 200)
    parser.add_argument(
        "--meta",
        type=float,
        metavar="PCT",
        help="porcentaje que debe alcanzarse al cierre; sin ella, el esperado",
    )
    parser.add_argument("--contra", type=Path, metavar="OTRO", help="otro plan con el que se compara")
    parser.add_argument(
        "--sensibilidad", action="store_true", help="cuánto decide cada dato del escenario (Morris y Sobol)"
    )
    parser.add_argument(
        "--hasta", type=int, choices=(50, 80, 95, 100), metavar="PCT",
        help="con --sensibilidad: minutos a 50, 80, 95 o 100 %%, en vez del porcentaje al cierre",
    )  # fmt: skip


def open_replicator(path: Path, overlays: list[Path]) -> tuple[Any, Any]:
    """(loaded scenario, Replicator) of a file and its overlays."""
    from simulator.fast.replication import Replicator
    from simulator.night.run import catalog_of_the_night
    from simulator.scenario.file import load_scenario, open_scenario_catalog

    loaded = load_scenario(path, overlays)
    catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
    return loaded, Replicator(loaded.scenario, catalog)


def check_counts(args: argparse.Namespace) -> None:
    """Refuse numbers that make no sense."""
    if args.replicas < 2:
        raise UsageError("--replicas debe ser un número entero de 2 en adelante.")
    if args.semilla < 0:
        raise UsageError("--semilla debe ser un número entero de 0 en adelante.")
    if args.procesos is not None and args.procesos < 1:
        raise UsageError("--procesos debe ser un número entero de 1 en adelante.")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    from simulator.experiments import experiment_report as report
    from simulator.experiments import sensitivity
    from simulator.experiments.campaign import compare, gather, work_of
    from simulator.experiments.parallel import opened, spread
    from simulator.experiments.sizing import seeds_of

    check_counts(args)
    if args.hasta is not None and not args.sensibilidad:
        raise UsageError("--hasta va con --sensibilidad.")
    loaded, replicator = open_replicator(args.escenario, args.con)
    other = open_replicator(args.contra, args.con) if args.contra else None
    goal = args.meta if args.meta is not None else loaded.scenario.expected.captured_pct
    seeds = seeds_of(args.semilla, args.replicas)
    screened = shared = None
    with opened(args.procesos, args.dask) as executor:

        def campaign(player: Any, what: str) -> Any:
            with out.progress(what, args.replicas) as progress:
                replicas = spread(work_of(player), seeds, executor, lambda done: progress.update(done))
            return gather(player, replicas)

        played = campaign(replicator, f"noches de {loaded.scenario.name}")
        against = campaign(other[1], f"noches de {other[0].scenario.name}") if other is not None else None
        if args.sensibilidad:
            question = sensitivity.Question(args.hasta)
            nights = seeds[:4]
            out.note("Cribado de Morris…")
            screened = sensitivity.screen(replicator, question, nights, 10, executor)
            kept = [row.factor for row in screened[: sensitivity.KEPT]]
            out.note("Índices de Sobol…")
            shared = sensitivity.share_out(replicator, question, nights, kept, 64, executor)
    data = report.campaign_data(loaded, replicator.catalog, played, goal)
    text = report.campaign_text(loaded, played, goal)
    views = [report.curve_table(loaded, played), report.worst_table(replicator.catalog, played)]
    if other is not None and against is not None:
        difference = compare(played, against)
        data["comparacion"] = report.comparison_data(other[0], difference)
        text += "\n" + report.comparison_text(loaded, other[0], difference)
    if screened is not None and shared is not None:
        data["sensibilidad"] = report.sensitivity_data(question, screened, shared)
        views.append(report.sensitivity_table(question, screened, shared))
    if args.salida is not None:
        charts = report.campaign_charts(loaded, played, against, other[0] if other else None, screened)
        data["escritos"] = report.write(args.salida, "experimento", data, charts, loaded.scenario.title, text)
        text += f"\nInforme y gráficas en {args.salida}."
    return Answer(DONE, data, text, tuple(views))


VERB = Verb(
    name="experimento",
    summary="Juega muchas noches de un escenario y dice qué esperar",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep experimento scenarios/jalisco-2027/jornada.toml --replicas 1000 --salida salida/experimento",
        "prep experimento plan-a.toml --contra plan-b.toml --replicas 200",
        "prep experimento scenarios/jalisco-2021/simulacro-5.toml --sensibilidad --hasta 80",
    ),
)
