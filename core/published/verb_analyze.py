"""The verb `prep analizar`: what an analyst works out by hand after a night or a rehearsal."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli_output import Output
    from core.published.night import Night


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `prep analizar`."""
    parser.add_argument(
        "archivos", metavar="ARCHIVO.csv", type=Path, nargs="+", help="CSV publicados de una misma noche"
    )
    parser.add_argument(
        "--comparar",
        metavar="OTRO.csv",
        type=Path,
        nargs="+",
        help="CSV de otra noche o simulacro con la que se compara",
    )
    parser.add_argument(
        "--salida", metavar="DIR", type=Path, help="carpeta para las gráficas (PNG y una página HTML)"
    )


def run(args: argparse.Namespace, out: Output) -> Answer:
    """Analyse the night; exit 0. Raises InputError for a file that is not a PREP file."""
    from core.published.analysis_report import analysis_data, comparison_data, summary
    from core.published.analysis_tables import comparison_table, tables

    night = _night(args.archivos, out)
    other = _night(args.comparar, out) if args.comparar else None
    written = _draw(night, other, args.salida, out) if args.salida else []
    text = summary(night)
    if other is not None:
        text += "\n\nComparada con " + summary(other)
    if written:
        text += f"\n\nGráficas en {args.salida}: abra {written[-1]}."
    if args.json:
        data = analysis_data(night)
        data["comparacion"] = comparison_data(night, other) if other is not None else None
        data["graficas"] = written
        return Answer(DONE, data, text)
    views: list[object] = []
    for table in [*tables(night), *([comparison_table(night, other)] if other is not None else [])]:
        views += ["", table]
    return Answer(DONE, {}, text, tuple(views))


def _night(paths: list[Path], out: Output) -> Night:
    from core.published.night import build_night
    from core.published.reader import read_published

    repeated = {path for path in paths if paths.count(path) > 1}
    if repeated:
        raise UsageError(f"{min(repeated)} está repetido")
    files = []
    with out.progress("Lectura", len(paths)) as progress:
        for path in paths:
            files.append(read_published(path, keep_ragged=True))
            progress.advance(detail=path.name)
    return build_night(files)


def _draw(night: Night, other: Night | None, folder: Path, out: Output) -> list[Path]:
    """Write every chart twice; the page is the last of the list."""
    from core.published.analysis_report import summary
    from core.published.chart_html import draw_html
    from core.published.chart_png import draw_png
    from core.published.charts import charts_of

    folder.mkdir(parents=True, exist_ok=True)
    charts = charts_of(night, other)
    written: list[Path] = []
    with out.progress("Gráficas", len(charts)) as progress:
        for chart in charts:
            written.append(draw_png(chart, folder))
            progress.advance(detail=chart.key)
    title = f"Análisis: {night.name}" + (f", comparada con {other.name}" if other is not None else "")
    written.append(draw_html(charts, folder, title, summary(night)))
    return written


VERB = Verb(
    name="analizar",
    summary="Analiza la noche: curvas, demoras, paros, observaciones",
    add_arguments=add_arguments,
    run=run,
    examples=(
        "prep analizar PUE_GUB_2024.csv PUE_DIP_LOC_2024.csv PUE_AYUN_2024.csv",
        "prep analizar PUE_GUB_2024.csv --salida graficas",
        "prep analizar PUE_GUB_2024.csv --comparar simulacro_1/PUE_GUB_2024.csv",
        "prep analizar PUE_GUB_2024.csv --json",
    ),
)
