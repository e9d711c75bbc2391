"""The lines of `make carga` as one page that needs nothing else, and as JSON: joint verdict and figures.

It judges nothing: what each line is worth comes told. All in Spanish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from loadtests.codes import BROKEN, INVALID, PASSED
from loadtests.reporting.page import SHAPES, document, framed, table

WORDS = {PASSED: "APTO", BROKEN: "NO APTO", INVALID: "SIN DICTAMEN"}
MEANING = {
    PASSED: "Cada cifra que se pide se alcanzó.",
    BROKEN: "Al menos una cifra que se pide no se alcanzó.",
    INVALID: "Ninguna cifra medida quedó debajo de lo que se pide, pero no todas se pudieron medir.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table."""

    what: str
    asked: str
    found: str
    good: bool | None
    """None: it was not measured, or what was measured means nothing."""
    report: str = ""
    """Its own report, from the folder of the bench."""

    @property
    def mark(self) -> str:
        """One character."""
        return "—" if self.good is None else "✔" if self.good else "✖"


def exit_code(lines: Sequence[Line]) -> int:
    """2 when a figure was not reached; if not, 3 when one was not measured (or there are none); else 0."""
    marks = [line.good for line in lines]
    if False in marks:
        return BROKEN
    return PASSED if marks and None not in marks else INVALID


def verdict(lines: Sequence[Line], partial: str) -> str:
    """The joint verdict and what it means. `partial`: in what the run was less than the whole bench."""
    code = exit_code(lines)
    word = WORDS[code]
    if partial:
        word += " en lo que se corrió"
    counts = [sum(line.good is one for line in lines) for one in (True, False, None)]
    return (
        f"{SHAPES[code]} {word}. {MEANING[code]} {counts[0]} de {len(lines)} se alcanzaron, "
        f"{counts[1]} no, {counts[2]} sin poder medirse."
    )


def data(lines: Sequence[Line], partial: str, about: Sequence[tuple[str, str]]) -> dict[str, object]:
    """The table as JSON."""
    code = exit_code(lines)
    return {
        "dictamen": WORDS[code],
        "codigo": code,
        "corrida_parcial": partial or None,
        "corrida": dict(about),
        "cifras": [
            {
                "que": one.what, "se_pide": one.asked, "hubo": one.found, "bien": one.good,
                "informe": one.report or None,
            }
            for one in lines
        ],
    }  # fmt: skip


def html(lines: Sequence[Line], partial: str, about: Sequence[tuple[str, str]]) -> str:
    """The table as a page."""
    code = exit_code(lines)
    head, _, rest = verdict(lines, partial).partition(". ")
    parts = [
        f'<div class="veredicto c{code}"><p><strong>{escape(head)}</strong></p><p>{escape(rest)}</p></div>',
        f"<p><strong>Corrida parcial:</strong> {escape(partial)}.</p>" if partial else "",
        framed("Cada cifra", ("", "Qué, y su informe", "Se pide", "Hubo"), map(_row, lines), 0),
        table("La corrida", ("", ""), about),
        '<p class="tenue">Los mismos datos están en tabla.json, junto a este archivo. Una raya (—) es una '
        "cifra que no se pudo medir o cuya prueba no fue válida: no dice nada ni a favor ni en contra.</p>",
    ]
    return document("Pruebas de carga del portal y de la sala", parts)


def _row(line: Line) -> str:
    kind = ' class="no"' if line.good is False else ""
    what = escape(line.what)
    if line.report:
        what = f'<a href="{escape(line.report)}">{what}</a>'
    mark, asked, found = map(escape, (line.mark, line.asked, line.found))
    return f"<tr{kind}><td>{mark}</td><td>{what}</td><td>{asked}</td><td>{found}</td></tr>"
