"""`prep pronostico`: forecast the rest of a live night, compare a saved forecast, score past nights."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb

if TYPE_CHECKING:
    from sqlalchemy import Engine as Database

    from core.cli_output import Output
    from core.published.charts import Chart

REPLICAS = 200
FEWEST, MOST = 50, 5_000
SCORE_REPLICAS = 400
_EVERY = (10, 15, 20, 30, 60)


def _arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--base", metavar="URL", help="base de datos de la noche: ruta de SQLite o URL de PostgreSQL"
    )
    what.add_argument(
        "--evaluar",
        nargs="+",
        type=Path,
        metavar="CSV",
        help="califica el pronóstico con una noche que ya ocurrió: sus CSV publicados o sus cortes guardados",
    )
    parser.add_argument(
        "--escenario", type=Path, metavar="TOML", help="escenario del simulacro: llegadas y personal del plan"
    )
    parser.add_argument(
        "--ahora",
        metavar="FECHA",
        help="pronostica desde ese momento; si no, desde el último evento registrado",
    )
    parser.add_argument(
        "--si", action="append", default=[], metavar="CAMBIO",
        help="compara con un cambio: «enlace catd-012 22:00», «capturistas +20 21:30» o "
        "«capturistas 150 23:00»; se puede repetir",
    )  # fmt: skip
    parser.add_argument(
        "--replicas",
        type=int,
        metavar="N",
        help=f"noches sorteadas, de {FEWEST} a {MOST:,}; si no, {REPLICAS} (al evaluar, {SCORE_REPLICAS})",
    )
    parser.add_argument(
        "--semilla", type=int, default=1, metavar="N", help="número que decide el azar; si no, 1"
    )
    parser.add_argument(
        "--meta", type=float, default=95.0, metavar="PCT",
        help="porcentaje de sus actas con que un CATD llega al cierre; si no, 95",
    )  # fmt: skip
    parser.add_argument(
        "--guardar", type=Path, metavar="ARCHIVO", help="guarda el pronóstico para compararlo después"
    )
    parser.add_argument(
        "--comparar", type=Path, metavar="ARCHIVO", help="compara un pronóstico guardado con lo que ocurrió"
    )
    parser.add_argument(
        "--cada", type=int, metavar="MIN", help="al evaluar, minutos entre pronósticos; si no, 30"
    )
    parser.add_argument("--salida", type=Path, metavar="DIR", help="carpeta para el informe y las gráficas")


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Exit 0 when done; 1 when a band covered fewer or more points than an honest one would."""
    _check(args)
    if args.evaluar is not None:
        return _score(args, out)
    from core.storage.database import open_existing

    database = open_existing(args.base)
    try:
        return _compare(args, database) if args.comparar is not None else _forecast(args, database, out)
    finally:
        database.dispose()


def _check(args: argparse.Namespace) -> None:
    from core.errors import UsageError

    def refuse(names: tuple[str, ...], with_what: str) -> None:
        for name in names:
            if getattr(args, name) not in (None, []):
                raise UsageError(f"--{name} no va con {with_what}")

    if args.evaluar is not None:
        refuse(("escenario", "ahora", "si", "guardar", "comparar"), "--evaluar")
        if args.cada is not None and args.cada not in _EVERY:
            raise UsageError(f"--cada debe ser {', '.join(map(str, _EVERY[:-1]))} o {_EVERY[-1]}")
    else:
        refuse(("cada",), "--base")
    if args.comparar is not None:
        refuse(("escenario", "ahora", "si", "guardar", "salida"), "--comparar")
    if args.replicas is not None and not FEWEST <= args.replicas <= MOST:
        raise UsageError(f"--replicas debe estar entre {FEWEST} y {MOST:,}")
    if args.semilla < 0:
        raise UsageError("--semilla debe ser un entero desde 0")
    if not 0 < args.meta <= 100:
        raise UsageError("--meta debe ser mayor que 0 y a lo más 100")


def _forecast(args: argparse.Namespace, database: Database, out: Output) -> Answer:
    from simulator.forecast import report
    from simulator.forecast.ask import parse_moment, parse_what_if
    from simulator.forecast.night import forecast
    from simulator.forecast.plan import fit_plan
    from simulator.forecast.state import offset_of, state_as_of
    from simulator.scenario.file import load_scenario

    scenario = load_scenario(args.escenario).scenario if args.escenario is not None else None
    at = parse_moment(args.ahora, offset_of(database)) if args.ahora is not None else None
    state = state_as_of(database, at)
    what_ifs = [parse_what_if(text, state) for text in args.si]
    plan = None
    if scenario is not None:
        out.note("Llegadas y personal según el escenario…")
        plan = fit_plan(state, scenario, args.semilla)
    replicas = args.replicas or REPLICAS
    with out.progress("Réplicas", replicas) as progress:
        made = forecast(
            state, what_ifs=what_ifs, replicas=replicas, seed=args.semilla, target=args.meta, plan=plan,
            watcher=progress.update,
        )  # fmt: skip
    data = report.forecast_data(made)
    text = report.summary(data)
    if args.guardar is not None:
        args.guardar.parent.mkdir(parents=True, exist_ok=True)
        report.write_json(data, args.guardar)
        text += f"\nPronóstico guardado en {args.guardar}."
    if args.salida is not None:
        text += _write(args.salida, data, report.charts(made), "Pronóstico", text)
    return Answer(DONE, data, text, report.tables(data))


def _compare(args: argparse.Namespace, database: Database) -> Answer:
    from datetime import datetime

    import numpy as np

    from core.errors import UsageError
    from simulator.forecast import report
    from simulator.forecast.state import state_as_of

    saved = report.read_saved(args.comparar)
    state = state_as_of(database)
    if saved["huella_catalogo"] != state.catalog.fingerprint() or saved["esperadas"] != state.size:
        raise UsageError(f"El pronóstico {args.comparar} es de otro catálogo.")
    moments = np.array([round(datetime.fromisoformat(p["hora"]).timestamp() * 1000) for p in saved["curva"]])
    done = np.sort(state.registered[state.registered >= 0])
    real = np.searchsorted(done, moments, side="right") * 100 / state.size
    data = report.compare(saved, moments, real, state.last_event_ms)
    made = datetime.fromisoformat(saved["ahora"])
    if not data["puntos"]:
        return Answer(
            DONE, data, f"Desde las {made:%H:%M}, en que se hizo, aún no pasa ningún punto que comparar."
        )
    text = (
        f"Pronóstico de las {made:%H:%M} del {made:%d/%m/%Y}: {data['dentro']} de {data['puntos']} puntos "
        f"({data['dentro_pct']} %) dentro de su banda de 80 %; error medio de la mediana "
        f"{data['error_medio_puntos']} puntos."
    )
    return Answer(DONE, data, text)


def _score(args: argparse.Namespace, out: Output) -> Answer:
    from core.errors import UsageError
    from simulator.forecast import score_report as report
    from simulator.forecast.score import read_past, score

    if len(set(args.evaluar)) < len(args.evaluar):
        raise UsageError("hay un archivo repetido en --evaluar")
    out.note("Lectura de la noche…")
    curve = read_past(args.evaluar)
    with out.progress("Pronósticos", None) as progress:
        scored = score(
            curve, args.cada or 30, args.replicas or SCORE_REPLICAS, args.semilla,
            lambda done, _: progress.update(done),
        )  # fmt: skip
    data = report.score_data(scored)
    text = report.summary(scored)
    if args.salida is not None:
        title = f"Pronóstico calificado: {curve.name}"
        text += _write(args.salida, data, report.charts(scored), title, text)
    return Answer(DONE if scored.honest else ANSWER_IS_NO, data, text, (report.table(scored),))


def _write(folder: Path, data: dict[str, object], charts: list[Chart], title: str, text: str) -> str:
    from core.published.chart_html import draw_html
    from core.published.chart_png import draw_png
    from simulator.forecast.report import write_json

    folder.mkdir(parents=True, exist_ok=True)
    pictures = [draw_png(chart, folder) for chart in charts]
    page = draw_html(charts, folder, title, text)
    write_json(data, folder / "pronostico.json")
    data["escritos"] = [folder / "pronostico.json", *pictures, page]
    return f"\nInforme y gráficas en {folder}: abra {page}."


VERB = Verb(
    name="pronostico",
    summary="Pronostica el resto de una noche en curso y califica el pronóstico",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep pronostico --base salida/s5/prep.db --escenario scenarios/jalisco-2021/simulacro-5.toml",
        "prep pronostico --base prep.db --si 'enlace catd-012 22:00' --si 'capturistas +20 21:30'",
        "prep pronostico --base prep.db --guardar a-las-20.json",
        "prep pronostico --base prep.db --comparar a-las-20.json",
        "prep pronostico --evaluar PUE_GUB_2024.csv PUE_DIP_LOC_2024.csv PUE_AYUN_2024.csv --salida puebla",
    ),
)
