"""What the rehearsal found, for people: the table of the document, a page by itself, and the data.

It measures nothing.
"""

from __future__ import annotations

import html
import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError
from loadtests.faults.model import Result, Sample
from loadtests.faults.runner import Budget

DATA, PAGE, TABLE = "fallas.json", "fallas.html", "fallas.md"
HEAD = ("falla", "invariante", "cómo se detecta", "detección: mediana / máximo", "cómo se repone",
        "reposición: mediana / máximo", "resultado")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """How the rehearsal was set, for the reports. `when` is a date, as text."""

    base: str
    short: bool
    actas: int
    when: str
    disk: str
    """How the disk was filled up; empty when it was not."""
    only: tuple[str, ...] = ()
    """The faults asked for; none when it was all of them."""

    @property
    def command(self) -> str:
        """How to do it again."""
        chosen = f" --solo {' '.join(self.only)}" if self.only else ""
        return f"prep fallas --base {self.base}{' --corta' if self.short else ''}{chosen}"

    def words(self) -> str:
        """One sentence."""
        disk = f", {self.disk}" if self.disk else ""
        return (
            f"`{self.command}`, {self.when}: {self.actas:,} actas, base {self.base}, "
            f"{os.cpu_count()} núcleos, Python {platform.python_version()}{disk}."
        )


def write(folder: Path, budget: Budget, setting: Setting) -> None:
    """Leave the data, the page and the table in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    data = {"base": setting.base, "corta": setting.short, "actas": setting.actas, "fecha": setting.when}
    text = json.dumps(data | budget.as_data(), ensure_ascii=False, indent=1) + "\n"
    (folder / DATA).write_text(text, encoding="utf-8")
    (folder / TABLE).write_text(markdown(budget, setting), encoding="utf-8")
    (folder / PAGE).write_text(page(budget, setting), encoding="utf-8")


def row(result: Result) -> tuple[str, ...]:
    """The cells of one fault, as HEAD."""
    fault = result.fault
    name = f"{fault.title} (`{fault.key}`)"
    if result.skipped:
        return (name, fault.invariant, "", "", "", "", f"no se inyectó: {result.skipped}")
    return (
        name,
        fault.invariant,
        _how_detected(result),
        _seconds(result.detection, len(result.samples), "no siempre se detectó"),
        "; ".join(dict.fromkeys(sample.recovered_how for sample in result.samples if sample.recovered_how)),
        _seconds(result.recovery, len(result.samples), "no siempre se repuso"),
        verdict(result),
    )


def verdict(result: Result) -> str:
    """In words: kept, or what was not."""
    if result.skipped:
        return f"no se inyectó: {result.skipped}"
    errors = [sample.error for sample in result.samples if sample.error]
    if errors:
        return f"NO SE PUDO: {errors[0]}"
    failed = result.failed_checks()
    if failed:
        return f"NO SE CUMPLE: {failed[0].name} ({failed[0].seen})"
    if result.detection is None:
        return "NO DETECTADA"
    return "se cumple" if result.good else "NO SE REPUSO"


def markdown(budget: Budget, setting: Setting) -> str:
    """The table of the document."""
    lines = [f"Medido con {setting.words()} Duró {budget.seconds:,.0f} s.", ""]
    lines += [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    lines += [f"| {' | '.join(_cell(text) for text in row(one))} |" for one in budget.results]
    lines += ["", f"Al final: {final(budget)}", ""]
    return "\n".join(lines)


def final(budget: Budget) -> str:
    """What was asked at the end, in one sentence."""
    if budget.final_error:
        return f"NO SE PUDO: {budget.final_error}"
    wrong = [f"{check.name} ({check.seen})" for check in budget.final if not check.holds]
    if wrong:
        return f"NO SE CUMPLE: {'; '.join(wrong)}."
    return f"{'; '.join(check.name for check in budget.final)}: todo se cumple."


def put_in_document(path: Path, base: str, table: str) -> None:
    """Put the table of a base between its marks of the document. Raises UsageError when it has none."""
    begin, end = f"<!-- fallas:{base}:inicio -->", f"<!-- fallas:{base}:fin -->"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"No existe el documento «{path}».") from error
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise UsageError(f"«{path}» debe tener una vez las marcas «{begin}» y «{end}», en ese orden.")
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    path.write_text(f"{before}{begin}\n\n{table.strip()}\n\n{end}{after}", encoding="utf-8")


def page(budget: Budget, setting: Setting) -> str:
    """A page with no need of anything else."""
    rows = "\n".join(_page_row(one) for one in budget.results)
    checks = "\n".join(
        f"<li class='{'bien' if one.holds else 'mal'}'>{'✓' if one.holds else '✕'} {html.escape(one.name)}"
        f"{'' if one.holds else ' — ' + html.escape(one.seen)}</li>"
        for one in budget.final
    )
    result = "Todo se conservó, se detectó y se repuso." if budget.good else "HAY HALLAZGOS."
    error = f"<p class='mal'>✕ {html.escape(budget.final_error)}</p>" if budget.final_error else ""
    head = "".join(f"<th scope='col'>{html.escape(text)}</th>" for text in HEAD)
    return f"""<!doctype html>
<html lang="es"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Presupuesto de fallas</title><style>
body{{font:16px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem}}
body{{color:#1a1a1a;background:#fff}}
table{{border-collapse:collapse;width:100%}}th,td{{border:1px solid #bbb;padding:.4rem .6rem;text-align:left;
vertical-align:top;overflow-wrap:anywhere;min-width:7rem}}th{{background:#eee}}.mal{{color:#a40000;font-weight:600}}.bien{{color:#145214}}
small{{color:#444}}code{{font-size:.9em}}ul{{padding-left:1.2rem}}
</style></head><body>
<h1>Presupuesto de fallas</h1>
<p class="{"bien" if budget.good else "mal"}">{"✓" if budget.good else "✕"} {result}</p>
<p>{html.escape(setting.words()).replace("`", "")} Duró {budget.seconds:,.0f} s.</p>
<table><caption>Cada falla: lo que se conserva, quién la nota, en cuánto y cómo se repone</caption>
<thead><tr>{head}</tr></thead><tbody>
{rows}
</tbody></table>
<h2>Al final de la noche</h2>{error}<ul>{checks}</ul>
</body></html>
"""


def _page_row(result: Result) -> str:
    cells = [html.escape(text).replace("`", "") for text in row(result)]
    good = result.good and not result.skipped
    state = "" if result.skipped else "bien" if good else "mal"
    cells[0] += f"<br><small>{html.escape(result.fault.what).replace('`', '')}</small>"
    cells[2] += "".join(f"<br><small>{html.escape(_sample(one))}</small>" for one in result.samples)
    body = "".join(f"<td>{text}</td>" for text in cells[:-1])
    return f"<tr>{body}<td class='{state}'>{'✓ ' if good else ''}{cells[-1]}</td></tr>"


def _sample(sample: Sample) -> str:
    seconds = "—" if sample.detected_s is None else f"{sample.detected_s:.1f} s"
    others = "".join(f"; {name}, {after:.1f} s" for name, after in sample.others.items())
    return f"{sample.case or 'una vez'}: {seconds}, {sample.evidence or 'nada'}{others}"


def _how_detected(result: Result) -> str:
    """Who noticed first in some case, and who else did."""
    first = dict.fromkeys(sample.detected_by for sample in result.samples if sample.detected_by)
    others = dict.fromkeys(name for sample in result.samples for name in sample.others if name not in first)
    also = f" (también: {', '.join(others)})" if others else ""
    return "; ".join(first) + also


def _seconds(spread: tuple[float, float] | None, count: int, none: str) -> str:
    if spread is None:
        return none
    times = f"{spread[0]:.1f} / {spread[1]:.1f} s"
    return times if count == 1 else f"{times} ({count} veces)"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
