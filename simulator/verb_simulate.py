"""`prep simular`: runs a scenario from end to end in virtual time and says where everything is."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli_output import program
from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli_output import Output

DATABASE = "prep.db"
SUMMARY = "resumen.json"
SUMMARY_TEXT = "resumen.md"
CUTS = "cortes"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("escenario", type=Path, metavar="ESCENARIO", help="archivo TOML del escenario")
    parser.add_argument(
        "--salida", type=Path, required=True, metavar="DIR", help="carpeta nueva para todo lo que se haga"
    )
    parser.add_argument(
        "--semilla",
        type=int,
        required=True,
        metavar="N",
        help="número que decide el azar; el mismo da la misma noche",
    )
    parser.add_argument(
        "--base", metavar="URL", help="base de datos vacía; sin ella, SQLite en la carpeta de salida"
    )
    parser.add_argument("--sin-cortes", action="store_true", help="no publica cortes")
    parser.add_argument("--reemplazar", action="store_true", help="borra la corrida que haya en la carpeta")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    from core.storage.database import open_database
    from core.storage.store import Store
    from simulator.night import claim_output, state_fingerprint
    from simulator.report import markdown, summary
    from simulator.results import results_of
    from simulator.run import catalog_of_the_night, open_engine, run_night
    from simulator.scenario_file import load_scenario, open_scenario_catalog

    if args.semilla < 0:
        raise UsageError("--semilla debe ser un número entero de 0 en adelante.")
    loaded = load_scenario(args.escenario)
    scenario = loaded.scenario
    catalog = catalog_of_the_night(open_scenario_catalog(loaded), scenario)
    folder: Path = args.salida
    base = args.base or str(folder / DATABASE)
    if args.base:
        _refuse_inside(args.base, folder)
        # A database that cannot be used must not cost the earlier run in the folder.
        store = Store(open_database(base))
        engine = open_engine(store, catalog, scenario.mode)
        claim_output(folder, "simular", replace=args.reemplazar)
    else:
        claim_output(folder, "simular", replace=args.reemplazar)
        store = Store(open_database(base))
        engine = open_engine(store, catalog, scenario.mode)
    database = store.database
    try:
        out.note(
            f"{scenario.title}: {len(catalog.actas):,} actas, {len(catalog.catds)} CATD, "
            f"semilla {args.semilla}"
        )
        with out.progress("minutos de la noche", scenario.calendar.length_ms // 60_000) as progress:

            def watch(at_ms: int, registered: int) -> None:
                progress.update(at_ms // 60_000, f"{registered:,} actas registradas")

            night = run_night(
                loaded, engine, args.semilla, database, None if args.sin_cortes else folder, watcher=watch
            )
        results = results_of(night, database)
        data = summary(night, results, state_fingerprint(database))
    finally:
        store.close()
        database.dispose()
    (folder / SUMMARY).write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / SUMMARY_TEXT).write_text(markdown(night, results, data), encoding="utf-8")
    # A refusal nobody provoked, or a cut that did not pass its own check, is a fault of ours.
    refused_cuts = [cut for cut in data["cortes_no_publicados"] if not _announced(night, cut["motivo"])]
    other_header = bool(night.cuts) and night.cuts[-1].headers != results.headers
    wrong = bool(data["rechazos"]) or bool(refused_cuts) or other_header or night.feed.missed_provocations > 0
    answer = {
        "escenario": data["escenario"],
        "semilla": data["semilla"],
        "huella": data["huella"],
        "inicio": data["inicio"],
        "fin": data["fin"],
        "cortes": data["cortes"],
        "contiendas": data["contiendas"],
        "cortes_no_publicados": data["cortes_no_publicados"],
        "rechazos": data["rechazos"],
        "rechazos_provocados": data["rechazos_provocados"],
        "veredicto": data["veredicto"],
        "verdad_sha256": data["verdad_sha256"],
        "resumen": str(folder / SUMMARY),
    }
    return Answer(ANSWER_IS_NO if wrong else DONE, answer, _text(args, folder, data))


def _refuse_inside(base: str, folder: Path) -> None:
    from core.storage.database import parse_url

    url = parse_url(base)
    if url.get_backend_name() != "sqlite":
        return
    if Path(url.database or "").resolve().is_relative_to(folder.resolve()):
        raise UsageError("La base no puede estar dentro de la carpeta de salida; sin --base se hace ahí.")


def _announced(night: Any, reason: str) -> bool:
    return any(fault.name == reason for fault in night.loaded.scenario.publication_faults)


def _text(args: argparse.Namespace, folder: Path, data: dict[str, Any]) -> str:
    total, missed = data["total"], len(data["cortes_no_publicados"])
    base = args.base or str(folder / DATABASE)

    def line(name: str, count: str) -> str:
        return f"  {name:<15} {total[count]:>7,} ({total[count + '_pct']:.4f} %)"

    lines = [
        f"{data['titulo']}, semilla {data['semilla']}",
        f"  {'esperadas':<15} {total['esperadas']:>7,}",
        line("capturadas", "capturadas"),
        line("con imagen", "capturadas_con_imagen"),
        line("contabilizadas", "contabilizadas"),
        f"  {'PREP Casilla':<15} {data['prep_casilla_actas']:>7,}",
        f"  {'cortes':<15} {len(data['cortes']):>7,} publicados, {missed} no publicados",
    ]
    for one in data["veredicto"]:
        seen = "cumple" if one["cumple"] else "NO cumple"
        lines.append(
            f"  {one['prueba']}: {one['obtenido']:,} "
            f"(se esperaba {one['esperado']:,} ± {one['tolerancia']:g}): {seen}"
        )
    if data["rechazos"]:
        lines.append(f"  RECHAZOS DEL MOTOR: {data['rechazos']}")
    lines += ["", f"Huella: {data['huella']}", f"Resumen: {folder / SUMMARY_TEXT}"]
    if data["cortes"]:
        lines += [f"Paquetes: {folder / CUTS}/ (el último, en {folder / 'ultimo'})"]
    lines += ["", f"Sigue: {program()} comprobar --base {base}"]
    return "\n".join(lines)


VERB = Verb(
    name="simular",
    summary="Corre un simulacro completo en tiempo virtual",
    add_arguments=_add_arguments,
    run=_run,
    examples=(
        "prep simular scenarios/jalisco-2021/simulacro-5.toml --salida salida/s5 --semilla 2021",
        "prep simular scenarios/jalisco-2021/jornada.toml --salida salida/j --semilla 7 --sin-cortes --json",
    ),
)
