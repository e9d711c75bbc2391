"""`prep simular`: runs a scenario from end to end, or goes on with it, and says where everything is.

In virtual time, or with `--velocidad` at the pace of the wall clock while others look at the database.
"""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from core.cli_output import program
from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli_output import Output
    from core.domain.catalog import Catalog
    from core.engine import Engine
    from core.storage.store import Store
    from simulator.night.acta_images import WantedImages
    from simulator.night.results import Results
    from simulator.night.run import MissedCut, Night
    from simulator.scenario.file import LoadedScenario

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
    parser.add_argument(
        "--con",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="ARCHIVO",
        help="incidencias que se ponen encima del escenario, en orden",
    )
    parser.add_argument(
        "--velocidad",
        type=float,
        metavar="X",
        help="corre en vivo: X segundos de la noche por segundo real; «prep control» la gobierna",
    )
    parser.add_argument(
        "--adelantar",
        type=int,
        metavar="MIN",
        help="con --velocidad: hasta ese minuto de la noche corre tan rápido como puede",
    )
    parser.add_argument(
        "--continuar",
        action="store_true",
        help="sigue la corrida que se interrumpió en la carpeta y termina como si nada hubiera pasado",
    )
    parser.add_argument(
        "--latidos",
        action="store_true",
        help="guarda el latido de cada CATD por minuto, para la sala; en vivo se guardan siempre",
    )
    parser.add_argument(
        "--imagenes",
        type=float,
        nargs="?",
        const=1.0,
        metavar="FRACCIÓN",
        help="dibuja la imagen de las actas o de esa parte de ellas (más de 0, hasta 1); sin ella, ninguna",
    )
    parser.add_argument(
        "--destino",
        action="append",
        default=[],
        metavar="X",
        help="carpeta o s3://cubo/prefijo a donde se lleva lo publicado (se puede repetir)",
    )
    parser.add_argument("--sin-cortes", action="store_true", help="no publica cortes")
    parser.add_argument("--reemplazar", action="store_true", help="borra la corrida que haya en la carpeta")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    from simulator.live.environment import checked_speed
    from simulator.night.run import catalog_of_the_night
    from simulator.scenario.file import load_scenario, open_scenario_catalog

    if args.semilla < 0:
        raise UsageError("--semilla debe ser un número entero de 0 en adelante.")
    if args.continuar and args.reemplazar:
        raise UsageError("--continuar y --reemplazar no van juntas.")
    if args.imagenes is not None and not 0 < args.imagenes <= 1:
        raise UsageError("--imagenes lleva una fracción mayor que 0 y hasta 1 (0.05: una de cada veinte).")
    if args.velocidad is not None:
        checked_speed(args.velocidad)
    loaded = load_scenario(args.escenario, args.con)
    if args.velocidad is not None and loaded.scenario.mode != "simulacro":
        raise UsageError("Solo un simulacro se corre en vivo: el escenario no es de modo «simulacro».")
    _check_forward(args, loaded)
    _check_destinations(args)
    catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
    night, results, data, shown = _run_in_folder(args, out, loaded, catalog)
    folder: Path = args.salida
    # The scenario says how it must end. A refusal nobody provoked, or a cut that did not pass its own
    # check, is a fault of ours.
    refused_cuts = [cut for cut in night.missed if not _announced(night, cut)]
    other_header = bool(night.cuts) and night.cuts[-1].headers != results.headers
    wrong = (
        not all(one["cumple"] for one in data["veredicto"])
        or bool(data["rechazos"])
        or bool(refused_cuts)
        or other_header
        or night.feed.missed_provocations > 0
    )
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
    answer |= {name: data[name] for name in ("en_vivo", "imagenes") if name in data}
    if args.destino:
        answer["destinos"] = shown
    _warn_of_unfinished(shown, out)
    return Answer(ANSWER_IS_NO if wrong else DONE, answer, _text(args, folder, data, shown))


def _check_forward(args: argparse.Namespace, loaded: LoadedScenario) -> None:
    from simulator.scenario.base import MS_PER_MINUTE

    if args.adelantar is None:
        return
    if args.velocidad is None:
        raise UsageError("--adelantar va con --velocidad: sin ella la noche entera corre sin esperar.")
    length = loaded.scenario.calendar.length_ms // MS_PER_MINUTE
    if not 0 <= args.adelantar < length:
        raise UsageError(
            f"--adelantar va de 0 a {length - 1}, los minutos de la noche; se pidió {args.adelantar}."
        )


def _check_destinations(args: argparse.Namespace) -> None:
    if args.destino or args.continuar:
        from simulator.night.showing import specs_of
        from simulator.output import MARKER

        marker = args.salida / MARKER if args.continuar else None
        args.destino = specs_of(args.destino, args.salida, cuts=not args.sin_cortes, marker=marker)


def _run_in_folder(
    args: argparse.Namespace, out: Output, loaded: LoadedScenario, catalog: Catalog
) -> tuple[Night, Results, dict[str, Any], list[dict[str, Any]]]:
    """Take the folder and the database, run, and leave the summary there."""
    from core.storage.database import open_database
    from core.storage.store import Store
    from simulator.night.restart import check_same_run, hold
    from simulator.night.run import open_engine
    from simulator.output import MARKER, claim_output

    folder, used = args.salida, args.continuar
    run: dict[str, object] = {
        "escenario_sha256": loaded.sha256,
        "encima": [str(path) for path in args.con],
        "semilla": args.semilla,
        "catalogo_sha256": catalog.fingerprint(),
        "cortes": not args.sin_cortes,
    }
    if args.imagenes is not None:
        run["imagenes"] = args.imagenes
    if args.destino:
        run["destinos"] = list(args.destino)

    def claim() -> None:
        if used:
            check_same_run(folder, folder / MARKER, run)
        else:
            claim_output(folder, "simular", replace=args.reemplazar, run=run)

    if args.base:
        _refuse_inside(args.base, folder)
    if used or not args.base:
        claim()
    with ExitStack() as stack:
        # Held before the database is looked at: whoever was killed may be finishing a transaction.
        lock = stack.enter_context(hold(folder)) if used or not args.base else None
        store = Store(open_database(args.base or str(folder / DATABASE)))
        stack.callback(store.database.dispose)
        stack.callback(store.close)
        engine = open_engine(store, catalog, loaded.scenario.mode, used=used)
        if lock is None:
            # A database that cannot be used must not cost the earlier run in the folder.
            claim()
            lock = stack.enter_context(hold(folder))
        return _run_night(args, out, loaded, engine, store, lock)


def _run_night(
    args: argparse.Namespace,
    out: Output,
    loaded: LoadedScenario,
    engine: Engine,
    store: Store,
    lock: IO[bytes],
) -> tuple[Night, Results, dict[str, Any], list[dict[str, Any]]]:
    from simulator.live.instructions import InstructionLog, repeat
    from simulator.live.night import LiveNight
    from simulator.night.report import markdown, summary
    from simulator.night.restart import Recorded, recorded_in
    from simulator.night.results import results_of
    from simulator.night.run import run_night
    from simulator.night.score import write_score
    from simulator.output import state_fingerprint
    from simulator.scenario.base import MS_PER_MINUTE

    folder: Path = args.salida
    scenario, catalog, database = loaded.scenario, engine.catalog, store.database
    done = recorded_in(database) if args.continuar else Recorded()
    log = InstructionLog(folder)
    live = None
    if args.velocidad is not None:
        live = LiveNight(
            args.velocidad, folder, log, done, lock, args.adelantar or 0, tuple(args.destino)
        )  # fmt: skip
    showing = None
    if live is None and args.destino:
        from simulator.night.showing import open_showing

        showing = open_showing(
            folder, args.destino, engine.mode, engine.operation, all_images=args.imagenes == 1
        )
    out.note(
        f"{scenario.title}: {len(catalog.actas):,} actas, {len(catalog.catds)} CATD, semilla {args.semilla}"
    )
    if args.continuar:
        out.note(f"Se continúa: la base tiene {len(done.digests):,} órdenes y {len(done.cuts)} cortes.")
    try:
        with out.progress("minutos de la noche", scenario.calendar.length_ms // MS_PER_MINUTE) as progress:

            def watch(at_ms: int, registered: int) -> None:
                detail = f"{registered:,} actas registradas"
                progress.update(
                    at_ms // MS_PER_MINUTE, detail if live is None else f"{detail}, {live.detail()}"
                )

            night = run_night(
                loaded, engine, args.semilla, database, None if args.sin_cortes else folder,
                watcher=watch, done=done, again=partial(repeat, log.recorded), live=live,
                pulses=args.latidos, images=_images(args), showing=showing,
            )  # fmt: skip
        shown = live.shown if live is not None else showing.finish() if showing is not None else []
    except KeyboardInterrupt:
        out.warn("Corrida interrumpida; la base quedó consistente y --continuar la sigue desde ahí.")
        raise
    finally:
        log.close()
        if showing is not None:
            showing.close()
    results = results_of(night, database)
    data = summary(night, results, state_fingerprint(database))
    if live is not None:
        data["en_vivo"] = live.as_data()
    if night.model.images is not None:
        data["imagenes"] = night.model.images.as_data() | _published_images(folder)
    (folder / SUMMARY).write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    write_score(folder, results.score)
    (folder / SUMMARY_TEXT).write_text(markdown(night, results, data), encoding="utf-8")
    return night, results, data, shown


def _warn_of_unfinished(shown: list[dict[str, Any]], out: Output) -> None:
    if not shown:
        return
    from simulator.night.showing import unfinished

    late = unfinished(shown)
    if late:
        out.warn(
            f"No terminó de llegar a {', '.join(late)}; la noche sí terminó. La misma orden con --continuar "
            "lo intenta otra vez."
        )


def _images(args: argparse.Namespace) -> WantedImages | None:
    if args.imagenes is None:
        return None
    from core.images.store import ImageStore
    from simulator.night.acta_images import WantedImages

    return WantedImages(ImageStore(args.salida), args.imagenes)


def _refuse_inside(base: str, folder: Path) -> None:
    from core.storage.database import parse_url

    url = parse_url(base)
    if url.get_backend_name() != "sqlite":
        return
    if Path(url.database or "").resolve().is_relative_to(folder.resolve()):
        raise UsageError("La base no puede estar dentro de la carpeta de salida; sin --base se hace ahí.")


def _announced(night: Night, cut: MissedCut) -> bool:
    """Whether the scenario says that there is no cut then: it is stopped, or spoiled and must be refused."""
    from simulator.night.publication_faults import spoiling_of

    scenario = night.loaded.scenario
    if any(fault.name == cut.reason for fault in scenario.publication_faults):
        return True
    spoiling = spoiling_of(scenario, night.seed)
    return spoiling is not None and spoiling.refuses(cut.at)


def _published_images(folder: Path) -> dict[str, int]:
    """Actas of the last cut with their image published and without it; nothing where there is no such cut."""
    try:
        found = json.loads((folder / "ultimo" / "manifiesto.json").read_bytes()).get("imagenes")
    except FileNotFoundError:
        found = None
    if found is None:
        return {}
    return {"actas_con_su_imagen": found["con_imagen"], "actas_sin_su_imagen": found["faltantes"]}


def _text(args: argparse.Namespace, folder: Path, data: dict[str, Any], shown: list[dict[str, Any]]) -> str:
    from simulator.night.probes import sentence

    total, missed = data["total"], len(data["cortes_no_publicados"])
    base = args.base or str(folder / DATABASE)

    def line(name: str, count: str) -> str:
        return f"  {name:<15} {total[count]:>7,} ({total[count + '_pct']:.4f} %)"

    lines = [
        f"{data['titulo']}, semilla {data['semilla']}",
        f"  {'esperadas':<15} {total['esperadas']:>7,}",
        line("capturadas", "capturadas"),
        line("digitalizadas", "capturadas_con_imagen"),
        line("contabilizadas", "contabilizadas"),
        f"  {'PREP Casilla':<15} {data['prep_casilla_actas']:>7,}",
        f"  {'cortes':<15} {len(data['cortes']):>7,} publicados, {missed} no publicados",
    ]
    lines += [f"  {sentence(one)}" for one in data["veredicto"]]
    if "en_vivo" in data:
        late = data["en_vivo"]["retraso"]
        lines.append(
            f"  en vivo a ×{data['en_vivo']['velocidad']:g}: retraso p50 {late['p50_ms']:.1f} ms, "
            f"p99 {late['p99_ms']:.1f} ms, máximo {late['max_ms']:.0f} ms"
        )
    if "imagenes" in data:
        images = data["imagenes"]
        lines.append(f"  {'imágenes':<15} {images['dibujadas']:>7,} dibujadas, en {folder / 'imagenes'}")
        if "actas_con_su_imagen" in images:
            lines.append(
                f"  {'publicadas':<15} {images['actas_con_su_imagen']:>7,} actas con su imagen en el último "
                f"corte, {images['actas_sin_su_imagen']:,} sin ella"
            )
    if data["rechazos"]:
        lines.append(f"  RECHAZOS DEL MOTOR: {data['rechazos']}")
    lines += ["", f"Huella: {data['huella']}", f"Resumen: {folder / SUMMARY_TEXT}"]
    if data["cortes"]:
        lines += [f"Paquetes: {folder / CUTS}/ (el último, en {folder / 'ultimo'})"]
    if shown:
        from simulator.night.showing import sentences

        lines += ["", "Destinos:", *(f"  {one}" for one in sentences(shown))]
    lines += ["", f"Sigue: {program()} comprobar --base {base}"]
    return "\n".join(lines)


VERB = Verb(
    name="simular",
    summary="Corre un simulacro completo en tiempo virtual o en vivo",
    add_arguments=_add_arguments,
    run=_run,
    examples=(
        "prep simular scenarios/jalisco-2021/simulacro-5.toml --salida salida/s5 --semilla 2021",
        "prep simular scenarios/jalisco-2021/jornada.toml --salida salida/j --semilla 7 --sin-cortes --json",
        "prep simular scenarios/jalisco-2021/simulacro-5.toml --salida salida/s5 --semilla 7 --velocidad 60",
        "prep simular scenarios/jalisco-2021/simulacro-5.toml --salida salida/s5 --semilla 7 --continuar",
        "prep simular scenarios/jalisco-2021/simulacro-5.toml --salida salida/s5 --semilla 7 --imagenes 0.05",
        "prep simular scenarios/jalisco-2021/simulacro-5.toml --salida salida/s5 --semilla 7 "
        "--destino salida/publico --destino s3://cubo/prep?endpoint=https://servidor",
    ),
)
