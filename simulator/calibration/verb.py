"""`prep calibrar`: fit the capture centre to a real night and say how good the fit is."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb

if TYPE_CHECKING:
    from core.cli_output import Output


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "archivos", nargs="+", metavar="ARCHIVO", type=Path, help="CSV publicados de una misma noche"
    )
    parser.add_argument(
        "--salida",
        required=True,
        metavar="DIR",
        type=Path,
        help="carpeta del informe, el modelo, el escenario y las gráficas",
    )
    parser.add_argument(
        "--modelo",
        metavar="TOML",
        type=Path,
        help="modelo ajustado a otra noche; solo se ajusta el tamaño del grupo de captura",
    )
    parser.add_argument(
        "--catalogo",
        default="jalisco-2024",
        metavar="CATALOGO",
        help="catálogo incluido en que corre el escenario que se escribe (jalisco-2024)",
    )


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Exit 0 when every accuracy bound is met, 1 when one is not."""
    from core.errors import UsageError
    from core.published.chart_html import draw_html
    from core.published.chart_png import draw_png
    from core.published.night import build_night
    from core.published.reader import read_published
    from simulator.calibration import report
    from simulator.calibration.fit import fit, plays
    from simulator.calibration.judge import judge
    from simulator.calibration.scenario import write_scenario
    from simulator.calibration.traced import trace

    repeated = {path for path in args.archivos if args.archivos.count(path) > 1}
    if repeated:
        raise UsageError(f"{min(repeated)} está repetido")
    given = report.read_model(args.modelo) if args.modelo else None
    files = []
    with out.progress("Lectura", len(args.archivos)) as progress:
        for path in args.archivos:
            files.append(read_published(path, keep_ragged=True))
            progress.advance(detail=path.name)
    traced = trace(build_night(files))
    out.note("Ajuste del centro de captura…")
    fitted = fit(traced, given)
    played = plays(traced, fitted)
    judged = judge(traced, played)
    # The same with the halves changed: a fit that owed its result to the choice of half would not hold here.
    swapped = replace(traced, parity=1)
    other = judge(swapped, plays(swapped, fit(swapped, given)))

    args.salida.mkdir(parents=True, exist_ok=True)
    data = report.report_data(traced, fitted, judged, other)
    text = report.summary(traced, judged, other)
    report.write_model(fitted, traced, args.salida / "modelo.toml")
    out.note("Escenario…")
    written = write_scenario(traced, fitted, args.catalogo, args.salida)
    data["escenario"] = report.scenario_data(traced, written)
    text += "\n" + report.scenario_words(written)
    report.write_json(data, args.salida / "calibracion.json")
    drawn = report.charts(traced, played[0], judged)
    pictures = [draw_png(chart, args.salida) for chart in drawn]
    page = draw_html(drawn, args.salida, f"Calibración: {traced.night.name}", text)
    data["escritos"] = [
        args.salida / "calibracion.json", args.salida / "modelo.toml", written.path, *pictures, page
    ]  # fmt: skip
    text += f"\nInforme, modelo, escenario y gráficas en {args.salida}: abra {page}."
    return Answer(DONE if judged.met else ANSWER_IS_NO, data, text, report.tables(traced, judged, other))


VERB = Verb(
    name="calibrar",
    summary="Ajusta el modelo de captura a una noche real y lo juzga",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep calibrar PUE_GUB_2024.csv PUE_DIP_LOC_2024.csv PUE_AYUN_2024.csv --salida salida/puebla",
        "prep calibrar QROO_DIP_LOC_2019.csv --modelo salida/puebla/modelo.toml --salida salida/qroo",
    ),
)
