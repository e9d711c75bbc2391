"""`prep escenario`: the schema for editors, the review of a document and the plan of its arrivals."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb

if TYPE_CHECKING:
    from core.cli_output import Output
    from core.domain.catalog import Catalog
    from simulator.night.arrival_plan import ArrivalPlan
    from simulator.scenario.document import Scenario

SEEDS = 3
MOST_SEEDS = 100


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="accion", metavar="ACCIÓN", required=True, title="acciones")
    schema = actions.add_parser("esquema", help="el JSON Schema del documento, para editores")
    schema.add_argument(
        "--salida",
        type=Path,
        metavar="ARCHIVO",
        help="lo escribe ahí en vez de mostrarlo; solo reemplaza otro esquema de escenario",
    )
    review = actions.add_parser("revisar", help="dice las faltas de un escenario, o lo que contiene")
    plan = actions.add_parser("plan", help="actas que espera cada CATD, hora por hora")
    for action in (review, plan):
        action.add_argument("archivo", type=Path, metavar="ESCENARIO", help="archivo TOML del escenario")
        action.add_argument(
            "--con",
            type=Path,
            metavar="INCIDENCIA",
            action="append",
            default=[],
            help="archivo TOML que se le pone encima; se puede repetir",
        )
    plan.add_argument("--csv", action="store_true", help="todo el cuadro como CSV, en la salida estándar")
    plan.add_argument(
        "--semillas", type=int, default=SEEDS, metavar="N", help=f"noches que se promedian; {SEEDS}"
    )
    for action in (schema, review, plan):
        # The frame reads these after the verb; here they are accepted after the action too.
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="responde en JSON")
        action.add_argument(
            "--silencio", action="store_true", default=argparse.SUPPRESS, help="no muestra el avance"
        )


def _run(args: argparse.Namespace, out: Output) -> Answer:
    if args.accion == "esquema":
        return _schema(args.salida)
    if args.accion == "revisar":
        return _review(args.archivo, args.con)
    return _plan(args.archivo, args.con, args.semillas, args.csv, out)


def schema_text() -> str:
    """The JSON Schema as it is written to a file."""
    import json

    from simulator.scenario.schema import scenario_schema

    return json.dumps(scenario_schema(), ensure_ascii=False, indent=1) + "\n"


def _schema(target: Path | None) -> Answer:
    from simulator.scenario.schema import scenario_schema

    text = schema_text()
    if target is None:
        return Answer(DONE, scenario_schema(), text.rstrip("\n"))
    if target.exists() and not _is_ours(target):
        from core.errors import UsageError

        raise UsageError(f"«{target}» ya existe y no es un esquema de escenario; no se sobrescribe.")
    target.write_text(text, encoding="utf-8")
    return Answer(DONE, {"salida": target}, f"Escrito en {target}")


def _is_ours(path: Path) -> bool:
    """True when a file is a schema written by this verb, of this format or of another one."""
    from core.foreign_text import json_of
    from simulator.scenario.schema import DIALECT, TITLE

    try:
        found = json_of(path.read_bytes())
    except ValueError:
        return False
    if not isinstance(found, dict) or found.get("$schema") != DIALECT:
        return False
    return str(found.get("title", "")).startswith(TITLE)


def _review(path: Path, overlays: list[Path]) -> Answer:
    from simulator.scenario.file import ScenarioError, review_scenario
    from simulator.scenario.words import summary_data, summary_text

    try:
        loaded, catalog = review_scenario(path, overlays)
    except ScenarioError as error:
        found = len(error.problems)
        head = "1 falta:" if found == 1 else f"{found} faltas:"
        data = {"cumple": False, **error.as_data()}
        return Answer(ANSWER_IS_NO, data, "\n".join([head, *(f"  {one}" for one in error.problems)]))
    data = summary_data(loaded, catalog)
    return Answer(DONE, {"cumple": True, **data}, f"{summary_text(data)}\n\nSin faltas.")


def _plan(path: Path, overlays: list[Path], seeds: int, as_csv: bool, out: Output) -> Answer:
    from core.errors import UsageError
    from simulator.night.arrival_plan import arrival_plan
    from simulator.scenario.file import load_scenario, open_scenario_catalog

    if not 1 <= seeds <= MOST_SEEDS:
        raise UsageError(f"--semillas debe ser un número entero de 1 a {MOST_SEEDS}.")
    loaded = load_scenario(path, overlays)
    scenario = loaded.scenario
    catalog = open_scenario_catalog(loaded)
    out.note(f"{scenario.title}: promedio de {seeds} noches…")
    plan = arrival_plan(catalog, scenario, seeds)
    data = _plan_data(scenario, catalog, plan)
    if as_csv:
        return Answer(DONE, data, _csv(scenario, catalog, plan))
    return Answer(DONE, data, _plan_text(scenario, catalog, plan))


def _planned(scenario: Scenario, plan: ArrivalPlan, catd: int) -> int:
    return scenario.plan.by_catd.get(str(catd), plan.expected[catd])


def _plan_data(scenario: Scenario, catalog: Catalog, plan: ArrivalPlan) -> dict[str, object]:
    return {
        "escenario": scenario.name,
        "noches": plan.seeds,
        "estimacion": scenario.plan.estimate,
        "horas": _hours(scenario, len(plan.by_phone)),
        "prep_casilla": [round(count, 1) for count in plan.by_phone],
        "acopiadas_pct": [
            {"minuto": minute, "plan": scenario.plan.arrived_pct[str(minute)], "escenario": round(percent, 2)}
            for minute, percent in plan.arrived_pct.items()
        ],
        "catd": [
            {
                "catd": catd.id,
                "nombre": catd.name,
                "actas_del_catalogo": plan.expected[catd.id],
                "actas_del_plan": _planned(scenario, plan, catd.id),
                "por_hora": [round(count, 1) for count in plan.by_hour[catd.id]],
                "despues_del_fin": round(plan.after_the_end[catd.id], 1),
                "no_llegan": round(plan.never[catd.id], 1),
            }
            for catd in catalog.catds
        ],
    }


def _hours(scenario: Scenario, count: int) -> list[str]:
    from datetime import timedelta

    return [f"{scenario.calendar.start + timedelta(hours=hour):%d/%m %H:%M}" for hour in range(count)]


def _csv(scenario: Scenario, catalog: Catalog, plan: ArrivalPlan) -> str:
    import csv
    import io

    from core.domain.spreadsheet import safe_cell

    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    hours = _hours(scenario, len(plan.by_phone))
    table.writerow(["CATD", "NOMBRE", "ACTAS_CATALOGO", "ACTAS_PLAN", *hours, "DESPUES_DEL_FIN", "NO_LLEGAN"])
    for catd in catalog.catds:
        counts = [*plan.by_hour[catd.id], plan.after_the_end[catd.id], plan.never[catd.id]]
        table.writerow(
            [
                catd.id, safe_cell(catd.name), plan.expected[catd.id], _planned(scenario, plan, catd.id),
                *(f"{count:.1f}" for count in counts),
            ]
        )  # fmt: skip
    return written.getvalue().rstrip("\n")


def _plan_text(scenario: Scenario, catalog: Catalog, plan: ArrivalPlan) -> str:
    hours = _hours(scenario, len(plan.by_phone))
    lines = [f"{scenario.title}: sobres por hora, promedio de {plan.seeds} noches"]
    if scenario.plan.estimate:
        lines.append(f"Estimación del plan: {scenario.plan.estimate}")
    lines += ["", f"  {'hora':<12} {'en los CATD':>12} {'por teléfono':>13}"]
    for number, hour in enumerate(hours):
        arrived = sum(row[number] for row in plan.by_hour)
        lines.append(f"  {hour:<12} {arrived:>12,.0f} {plan.by_phone[number]:>13,.0f}")
    lines.append(f"  {'tras el fin':<12} {sum(plan.after_the_end):>12,.0f}")
    lines.append(f"  {'no llegan':<12} {sum(plan.never):>12,.0f}")
    if plan.arrived_pct:
        lines += ["", "Acopiadas contra el plan, % de las esperadas:"]
        for minute, percent in plan.arrived_pct.items():
            planned = scenario.plan.arrived_pct[str(minute)]
            lines.append(
                f"  a los {minute:>4} min: plan {planned:6.2f}, escenario {percent:6.2f} "
                f"({percent - planned:+.2f} puntos)"
            )
    fullest = sorted(catalog.catds, key=lambda catd: -plan.expected[catd.id])[:10]
    lines += ["", "Los diez CATD con más actas (catálogo, plan, hora más llena y cuántas):"]
    for catd in fullest:
        fullest_hour, count = plan.peak(catd.id)
        lines.append(
            f"  {catd.id:>3} {catd.name[:32]:<32} {plan.expected[catd.id]:>6,} "
            f"{_planned(scenario, plan, catd.id):>6,}   {hours[fullest_hour]} {count:>6,.0f}"
        )
    lines += ["", "Todos los CATD, hora por hora: --csv"]
    return "\n".join(lines)


VERB = Verb(
    name="escenario",
    summary="Esquema, revisión y plan de llegadas de un escenario",
    add_arguments=_add_arguments,
    run=_run,
    examples=(
        "prep escenario esquema --salida docs/escenario.schema.json",
        "prep escenario revisar scenarios/jalisco-2027/simulacro-2.toml",
        "prep escenario revisar mio.toml --con scenarios/incidencias/x04-sincronia-detenida.toml",
        "prep escenario plan scenarios/jalisco-2027/jornada.toml --csv",
    ),
)
