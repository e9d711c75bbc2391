"""The page of what a rehearsal found: one file that needs nothing else, legible on a telephone.

What it says of each fault is of `report`. On a narrow screen each row of the table is a block of its own: the
page is never wider than the screen.
"""

from __future__ import annotations

import html
from pathlib import Path

from loadtests.faults.model import Result, Sample
from loadtests.faults.report import HEAD, counted, headline, row, seen
from loadtests.faults.runner import Budget
from loadtests.faults.setting import Setting
from loadtests.faults.spanish import in_spanish
from loadtests.reporting.page import document

PAGE = "fallas.html"
STYLE = Path(__file__).with_name("fallas.css").read_text(encoding="utf-8")


def write_page(folder: Path, budget: Budget, setting: Setting) -> Path:
    """Leave it in a folder; its path."""
    path = folder / PAGE
    path.write_text(page(budget, setting), encoding="utf-8")
    return path


def page(budget: Budget, setting: Setting) -> str:
    """The whole of it."""
    rows = "\n".join(_row(one) for one in budget.results)
    checks = "\n".join(
        f"<li class='{'bien' if one.holds else 'mal'}'>{'✓' if one.holds else '✕'} {_text(seen(one))}</li>"
        for one in budget.final
    )
    error = f"<p class='mal'>✕ {_text(in_spanish(budget.final_error))}</p>" if budget.final_error else ""
    head = "".join(f"<th scope='col' role='columnheader'>{_text(name)}</th>" for name in HEAD)
    mark, state = ("✓", "bien") if budget.good else ("✕", "mal")
    count, _, others = counted(budget, setting).partition(". ")
    body = f"""<p class="veredicto {state}">{mark} {_text(count)}. {headline(budget)}</p>
{f"<p>{_text(others)}.</p>" if others else ""}
<p>{_text(setting.words())} Duró {budget.seconds:,.0f} s.</p>
<p class="tenue">{_text(setting.made_with())}</p>
<table role="table">
<caption>Cada falla: lo que se conserva, quién la nota, en cuánto y cómo se repone</caption>
<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">
{rows}
</tbody></table>
<h2>Al final de la noche</h2>{error}<ul>{checks}</ul>"""
    return document("Presupuesto de fallas", [body], STYLE)


def _row(result: Result) -> str:
    cells = [_text(text) for text in row(result)]
    good = result.good
    state = "" if result.skipped else "bien" if good else "mal"
    cells[0] += f"<br><small>{_text(result.fault.what)}</small>"
    cells[1] = _promises(result)
    cells[2] += "".join(f"<br><small>{_text(_sample(one))}</small>" for one in result.samples)
    cells[-1] = f"{'✓ ' if good else ''}{cells[-1]}"
    states = ["" for _ in HEAD[:-1]] + [state]
    body = "".join(
        f"<td role='cell' data-que='{_text(name)}' class='{one}'>{text}</td>"
        for name, one, text in zip(HEAD, states, cells, strict=True)
    )
    return f"<tr role='row'>{body}</tr>"


def _sample(sample: Sample) -> str:
    seconds = "—" if sample.detected_s is None else f"{sample.detected_s:.1f} s"
    others = "".join(f"; {name}, {after:.1f} s" for name, after in sample.others.items())
    return in_spanish(f"{sample.case or 'una vez'}: {seconds}, {sample.evidence or 'nada'}{others}")


def _promises(result: Result) -> str:
    """Each sentence of what is kept, with the checks that prove it."""
    broken = result.broken() if result.samples else {}
    return "<br>".join(
        f"{'' if result.skipped else '✕ ' if sentence in broken else '✓ '}{_text(sentence)}"
        f"<br><small>{_text('; '.join(names))}</small>"
        for sentence, names in result.fault.promises.items()
    )


def _text(text: str) -> str:
    return html.escape(text).replace("`", "")
