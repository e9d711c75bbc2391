"""Writes a report as one HTML page that asks nothing of anybody: styles and charts are inside."""

from __future__ import annotations

from html import escape

from core.documents.document import (
    BANNER,
    BANNER_WORDS,
    Block,
    Cell,
    Document,
    Heading,
    Items,
    PageBreak,
    Picture,
    Status,
    Table,
    Text,
)
from simulator.rehearsal.svg import draw_svg

_STYLE = """
:root { color-scheme: light dark; --fg:#1d2126; --bg:#fff; --soft:#f1f3f5; --line:#d5d9de; --mute:#5b636c;
 --good:#00664a; --bad:#a33c00; --band:#7a3b00; }
@media (prefers-color-scheme: dark) { :root { --fg:#e4e7ea; --bg:#14171a; --soft:#1f2429; --line:#3a424a;
 --mute:#a3acb5; --good:#4fd0a5; --bad:#ff9a5c; --band:#5e2e00; } }
* { box-sizing:border-box } body { margin:0; background:var(--bg); color:var(--fg);
 font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif; }
.banda { position:sticky; top:0; z-index:1; background:var(--band); color:#fff; padding:.35rem 1rem;
 font-size:.9rem; } .banda b { letter-spacing:.12em; margin-right:.6rem }
main { max-width:1000px; margin:0 auto; padding:1rem 1rem 4rem }
h1 { font-size:1.7rem; line-height:1.2; margin:.8rem 0 .2rem } .sub { color:var(--mute); margin:0 0 1.2rem }
h2 { font-size:1.25rem; margin:2.2rem 0 .6rem; padding-top:.6rem; border-top:1px solid var(--line) }
h3 { font-size:1.02rem; margin:1.4rem 0 .4rem } p { margin:.5rem 0 .8rem; max-width:75ch }
nav ol { columns:2 18rem; font-size:.95rem; padding-left:1.4rem } a { color:inherit }
.marco { overflow-x:auto; margin:.6rem 0 1rem } table { border-collapse:collapse; width:100%;
 font-size:.93rem }
.menor table { font-size:.84rem } th,td { text-align:left; vertical-align:top; padding:.32rem .6rem;
 border-bottom:1px solid var(--line); overflow-wrap:break-word } td.h { word-break:break-all }
th { background:var(--soft); font-weight:600; vertical-align:bottom }
.n { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap } th.n { white-space:normal }
.si { color:var(--good); font-weight:600; white-space:nowrap } .no { color:var(--bad); font-weight:600;
 white-space:nowrap } .ni { color:var(--mute) } figure { margin:1rem 0 1.4rem } figcaption b { display:block }
figcaption { margin-bottom:.4rem } figcaption span { color:var(--mute); font-size:.9rem }
svg { width:100%; min-width:640px; height:auto; display:block }
@media (max-width:640px) { .textos thead { display:none } .textos tr { display:block; padding:.5rem 0;
 border-bottom:1px solid var(--line) } .textos td { display:block; border:0; padding:.1rem 0 }
 .textos td::before { content:attr(data-t); color:var(--mute); font-size:.82rem; display:block } }
@media print { .banda { position:static } h2 { break-after:avoid } tr { break-inside:avoid } }
"""


def write_html(document: Document) -> str:
    """The page."""
    headings = [block for block in document.blocks if isinstance(block, Heading) and block.level == 1]
    index = "".join(
        f'<li><a href="#s{number}">{escape(one.text)}</a></li>'
        for number, one in enumerate(headings, start=1)
    )
    parts = [
        '<!doctype html>\n<html lang="es-MX">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(BANNER)}: {escape(document.title)}</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<div class="banda" role="note"><b>{BANNER}</b>{escape(BANNER_WORDS)}</div>\n<main>\n'
        f'<h1>{escape(document.title)}</h1>\n<p class="sub">{escape(document.subtitle)}</p>\n'
        f'<nav aria-label="Contenido"><ol>{index}</ol></nav>\n'
    ]
    section = 0
    for block in document.blocks:
        if isinstance(block, Heading) and block.level == 1:
            section += 1
        parts.append(_block(block, section))
    parts.append("</main>\n</body>\n</html>\n")
    return "".join(parts)


def _block(block: Block, section: int) -> str:
    match block:
        case Heading(text, 1):
            return f'<h2 id="s{section}">{escape(text)}</h2>\n'
        case Heading(text, _):
            return f"<h3>{escape(text)}</h3>\n"
        case Text(text, strong):
            return f"<p>{f'<strong>{escape(text)}</strong>' if strong else escape(text)}</p>\n"
        case Items(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>\n"
        case Table():
            return _table(block)
        case Picture(chart):
            caption = f"<b>{escape(chart.title)}</b><span>{escape(chart.words)}</span>"
            return (
                f'<figure><figcaption>{caption}</figcaption><div class="marco" tabindex="0" role="region" '
                f'aria-label="{escape(chart.title)}">{draw_svg(chart)}</div></figure>\n'
            )
        case PageBreak():
            return ""


def _table(table: Table) -> str:
    def kind(column: int) -> str:
        return ' class="n"' if column in table.numeric else ""

    head = "".join(f'<th scope="col"{kind(at)}>{escape(title)}</th>' for at, title in enumerate(table.titles))
    rows = "".join(
        "<tr>"
        + "".join(_cell(cell, table.titles[at], at in table.numeric) for at, cell in enumerate(row))
        + "</tr>\n"
        for row in table.rows
    )
    size = " menor" if table.small else ""
    # A table of words does not fit a telephone: there each row is read as a card.
    size += " textos" if len(table.titles) > 3 and len(table.numeric) <= 1 else ""
    return (
        f'<div class="marco{size}" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}'
        "</tbody></table></div>\n"
    )


def _cell(cell: Cell, title: str, number: bool) -> str:
    said = f' data-t="{escape(title)}"'
    if isinstance(cell, Status):
        name = {True: "si", False: "no", None: "ni"}[cell.good]
        return f'<td{said}><span class="{name}">{cell.shape} {escape(cell.word)}</span></td>'
    if number:
        return f'<td class="n"{said}>{escape(cell)}</td>'
    # A hash has no place to break at.
    long_word = ' class="h"' if len(cell) > 40 and " " not in cell else ""
    return f"<td{long_word}{said}>{escape(cell)}</td>"
