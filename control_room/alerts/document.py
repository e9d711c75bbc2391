"""The tables of docs/alertas.md and the default configuration, written from the catalogue.

`python -m control_room.alerts.rules` puts the tables in the document, between its marks; with `--toml` it
prints the `[alertas.*]` tables with every default instead. The rest of the document is written by hand.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from control_room.alerts.model import Limit, Rule, number_text
from control_room.alerts.rules import GENERAL, INHIBITIONS, RULES
from core.cli_spanish import SpanishParser
from core.errors import UsageError

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "alertas.md"

SCOPES = {
    "catd": "CATD",
    "distrito": "distrito",
    "estado": "estado",
    "publicacion": "publicación",
    "plataforma": "plataforma",
}


def rule_cells(rule: Rule) -> list[str]:
    """The row of a rule, one text for each column of the table."""
    return [
        rule.code,
        rule.title,
        rule.sentence(rule.raises),
        rule.sentence(rule.clears),
        rule.sentence(rule.priority),
        SCOPES[rule.scope.value],
        f"{rule.delay_s} s / {rule.clear_delay_s} s",
        rule.source,
    ]


RULE_COLUMNS = (
    "código",
    "alerta",
    "se levanta",
    "se despeja",
    "prioridad",
    "ámbito",
    "demora al levantar / al despejar",
    "fuente",
)
LIMIT_COLUMNS = ("tabla", "clave", "por omisión", "unidad", "qué es")
INHIBITION_COLUMNS = ("mientras", "no se dicen", "por qué")


def limit_cells() -> list[list[str]]:
    """One row for each number that can be configured."""
    rows = [_limit_row("general", limit) for limit in GENERAL]
    return rows + [_limit_row(rule.code, limit) for rule in RULES for limit in rule.limits]


def _limit_row(table: str, limit: Limit) -> list[str]:
    return [f"`[alertas.{table}]`", f"`{limit.key}`", number_text(limit.default), limit.unit, limit.text]


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def tables() -> dict[str, str]:
    """Every generated part of the document by the name in its marks."""
    return {
        "reglas": table(RULE_COLUMNS, (rule_cells(rule) for rule in RULES)),
        "limites": table(LIMIT_COLUMNS, limit_cells()),
        "inhibiciones": table(INHIBITION_COLUMNS, INHIBITIONS),
    }


def put(document: str, name: str, content: str) -> str:
    """The document with the part between the marks of a name replaced.

    Raises:
        UsageError: the document has no such marks.
    """
    begin, end = marks(name)
    if begin not in document or end not in document:
        raise UsageError(f"a docs/alertas.md le faltan las marcas de «{name}»")
    before, rest = document.split(begin, 1)
    return f"{before}{begin}\n{content}\n{end}{rest.split(end, 1)[1]}"


def marks(name: str) -> tuple[str, str]:
    """The lines between which a generated part lies."""
    return f"<!-- {name}: lo escribe un programa -->", f"<!-- fin de {name} -->"


def toml() -> str:
    """The whole `[alertas.*]` configuration with its defaults, each key commented."""
    lines = ["[alertas.general]", *(_toml_line(limit) for limit in GENERAL)]
    for rule in RULES:
        lines += ["", f"[alertas.{rule.code}]  # {rule.title}", "activa = true"]
        lines += [f"demora_s = {rule.delay_s}", f"despeje_s = {rule.clear_delay_s}"]
        lines += [_toml_line(limit) for limit in rule.limits]
    return "\n".join(lines) + "\n"


def _toml_line(limit: Limit) -> str:
    unit = f" ({limit.unit})" if limit.unit else ""
    return f"{limit.key} = {number_text(limit.default)}  # {limit.text}{unit}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables of the document, or print the configuration; returns the exit code."""
    parser: argparse.ArgumentParser = SpanishParser(
        prog="python -m control_room.alerts.rules", description="Escribe las tablas de docs/alertas.md."
    )
    parser.add_argument(
        "--toml", action="store_true", help="escribe la configuración por omisión en pantalla"
    )
    if parser.parse_args(arguments).toml:
        print(toml(), end="")
        return 0
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, content in tables().items():
        text = put(text, name, content)
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0
