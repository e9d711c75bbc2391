"""The verb `prep revisar`: the defects of one published file, for a person or for a script."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb
from core.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from core.cli_output import Output
    from core.published.findings import Finding, Findings
    from core.published.reader import PublishedFile

LINES_SHOWN = 5
"""Lines named for each code in the short listing."""

STYLES = {"error": "bold red", "aviso": "yellow", "nota": "dim"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `prep revisar`."""
    parser.add_argument("archivo", metavar="ARCHIVO.csv", type=Path, help="CSV de resultados publicado")
    parser.add_argument("--todo", action="store_true", help="lista todos los hallazgos, uno por línea")
    parser.add_argument(
        "--inicio",
        metavar="'DD/MM/AAAA HH:MM'",
        help="inicio de la operación en hora local; sin él, la hora anterior a la primera captura",
    )


def run(args: argparse.Namespace, out: Output) -> Answer:
    """Review the file. Exit 1 with errors, 0 without (avisos and notas are no errors)."""
    from core.published.reader import read_published
    from core.published.review import review

    published = read_published(args.archivo, keep_ragged=True)
    start = _start(args.inicio, published) if args.inicio else None
    findings = review(published, start=start)
    severities = findings.by_severity()
    listed = findings.sorted()
    data: dict[str, object] = {
        "archivo": args.archivo,
        "eleccion": published.contest,
        "estructura": published.layout.name,
        "corte": published.cut_at,
        "filas": len(published.rows),
        "hallazgos": [finding.as_data() for finding in listed],
        "por_codigo": findings.counts(),
        "por_severidad": severities,
    }
    views: tuple[object, ...] = ()
    if listed and not args.json:
        views = (_all(listed),) if args.todo else (_grouped(findings, listed),)
    return Answer(ANSWER_IS_NO if severities["error"] else DONE, data, _summary(published, severities), views)


def _start(text: str, published: PublishedFile) -> int:
    from datetime import datetime

    try:
        moment = datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=published.cut_at.tzinfo)
    except ValueError:
        raise UsageError(f"--inicio «{text}»: se esperaba una fecha y hora como 02/06/2024 20:00") from None
    return int(moment.timestamp()) * 1000


def _summary(published: PublishedFile, severities: dict[str, int]) -> str:
    what = (
        f"{published.path.name}: {published.title}, corte {published.date_line.strip()}, "
        f"{len(published.rows):,} filas, estructura {published.layout.name}."
    )
    if not any(severities.values()):
        return f"{what}\nSin hallazgos."
    parts = [
        f"{count:,} {word if count == 1 else plural}"
        for count, word, plural in (
            (severities["error"], "error", "errores"),
            (severities["aviso"], "aviso", "avisos"),
            (severities["nota"], "nota", "notas"),
        )
        if count
    ]
    return f"{what}\n{', '.join(parts)}."


def _grouped(findings: Findings, listed: list[Finding]) -> Table:
    from rich.table import Table

    from core.published.findings import KIND_BY_CODE, SEVERITIES

    table = Table(show_edge=False, pad_edge=False, expand=True)
    table.add_column("código", no_wrap=True)
    table.add_column("severidad", no_wrap=True)
    table.add_column("veces", justify="right", no_wrap=True)
    table.add_column("qué es", ratio=4)
    table.add_column("líneas", ratio=2)
    table.add_column("ejemplo", ratio=4)
    counts = findings.counts()
    for code in sorted(counts, key=lambda c: SEVERITIES.index(KIND_BY_CODE[c].severity)):
        kind = KIND_BY_CODE[code]
        of_code = [finding for finding in listed if finding.code == code]
        lines = [str(f.line) for f in of_code[:LINES_SHOWN] if f.line is not None]
        more = ["…"] if len(of_code) > LINES_SHOWN else []
        first = of_code[0]
        named = first.column is None or first.message.startswith(first.column)
        example = first.message if named else f"{first.column}: {first.message}"
        table.add_row(
            code,
            _styled(kind.severity),
            f"{counts[code]:,}",
            _plain(kind.text),
            ", ".join(dict.fromkeys(lines + more)) or "—",
            _plain(example),
        )
    table.caption = "«--todo» los lista todos; docs/revisar.md explica cada código"
    return table


def _all(listed: list[Finding]) -> Table:
    from rich.table import Table

    table = Table(show_edge=False, pad_edge=False, expand=True)
    table.add_column("línea", justify="right", no_wrap=True)
    table.add_column("código", no_wrap=True)
    table.add_column("severidad", no_wrap=True)
    table.add_column("columna", ratio=2)
    table.add_column("mensaje", ratio=6)
    for finding in listed:
        table.add_row(
            str(finding.line) if finding.line else "—",
            finding.code,
            _styled(finding.severity),
            finding.column or "—",
            _plain(finding.message),
        )
    return table


def _styled(severity: str) -> Text:
    from rich.text import Text

    return Text(severity, style=STYLES[severity])


def _plain(text: str) -> Text:
    """Cell text as it is: what the file says may look like rich markup."""
    from rich.text import Text

    return Text(text)


VERB = Verb(
    name="revisar",
    summary="Revisa un archivo PREP publicado y lista sus defectos",
    add_arguments=add_arguments,
    run=run,
    examples=(
        "prep revisar PUE_GUB_2024.csv",
        "prep revisar PUE_GUB_2024.csv --todo | less",
        "prep revisar PUE_GUB_2024.csv --json",
    ),
)
