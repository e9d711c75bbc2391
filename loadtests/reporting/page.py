"""What every page of a report has: its frame and style, its tables, and how an hour is written.

A page needs nothing else: no script, no image, nothing from elsewhere. It knows nothing of tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from pathlib import Path

from loadtests.codes import BROKEN, INVALID, PASSED

STYLE = Path(__file__).with_name("informe.css").read_text(encoding="utf-8")
MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
    "noviembre", "diciembre",
)  # fmt: skip
CENTRE = timezone(timedelta(hours=-6))
"""The hour of the centre of Mexico, the same all the year since October 2022."""
SHAPES = {PASSED: "✔", INVALID: "◐", BROKEN: "✖"}
SAID = {"✔": "bien", "✖": "mal", "—": "no se sabe"}


def document(title: str, parts: Iterable[str], style: str = STYLE) -> str:
    """A whole page, with its title and its style, around some HTML."""
    return (
        f'<!doctype html><html lang="es-MX"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{style}</style></head><body>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def moment(iso: str) -> str:
    """A moment as a person of the centre of Mexico reads it.

    >>> moment("2026-11-21T19:15:46+00:00")
    '21 de noviembre de 2026, 13:15:46, hora del centro'
    """
    when = datetime.fromisoformat(iso).astimezone(CENTRE)
    return f"{when.day} de {MONTHS[when.month - 1]} de {when.year}, {when:%H:%M:%S}, hora del centro"


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    """A table with its title; the last `numbers` columns are numbers. A row that begins with ✖ stands out."""
    first = len(heads) - numbers

    def cell(place: int, content: str) -> str:
        kind = ' class="n"' if place >= first else ""
        shown = said(content) if content in SAID and place < first else escape(content)
        return f"<td{kind}>{shown}</td>"

    def line(row: Sequence[str]) -> str:
        kind = {"✖": ' class="no"', "—": ' class="tenue"'}.get(row[0], "")
        return f"<tr{kind}>{''.join(cell(place, one) for place, one in enumerate(row))}</tr>"

    return framed(caption, heads, map(line, rows), numbers)


def framed(caption: str, heads: Sequence[str], body: Iterable[str], numbers: int) -> str:
    """A table of rows that are HTML; where it does not fit, it slides by itself and not with the page."""
    first = len(heads) - numbers
    head = "".join(
        f'<th scope="col"{" class=n" if place >= first else ""}>{escape(one)}</th>'
        for place, one in enumerate(heads)
    )
    return (
        f'<h2>{escape(caption)}</h2><div class="ancho" tabindex="0"><table aria-label="{escape(caption)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def said(mark: str) -> str:
    """A mark that is also heard."""
    return f'<span role="img" aria-label="{SAID[mark]}">{mark}</span>'
