"""What the rehearsal found, for people: the table of the document, a page by itself, and the data.

It measures nothing. The page is of `page`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import UsageError
from loadtests.faults.catalogue import CATALOGUE
from loadtests.faults.checks import SAME_ACTAS
from loadtests.faults.continuity import measures
from loadtests.faults.model import Check, Result
from loadtests.faults.runner import Budget
from loadtests.faults.setting import Setting
from loadtests.faults.spanish import in_spanish
from loadtests.reasons import why

DATA, TABLE = "fallas.json", "fallas.md"
HEAD = ("falla", "invariante", "cómo se detecta", "detección: mediana / máximo", "cómo se repone",
        "reposición: mediana / máximo", "medida del plan de continuidad", "resultado")  # fmt: skip


def write(folder: Path, budget: Budget, setting: Setting) -> None:
    """Leave the data and the table in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(as_data(budget, setting), ensure_ascii=False, indent=1) + "\n"
    (folder / DATA).write_text(text, encoding="utf-8")
    (folder / TABLE).write_text(markdown(budget, setting), encoding="utf-8")


def as_data(budget: Budget, setting: Setting) -> dict[str, Any]:
    """Everything, with Spanish names."""
    return {
        "base": setting.base, "corta": setting.short, "solo": list(setting.only), "actas": setting.actas,
        "fuera_de_catalogo": setting.outside, "fecha": setting.when, "hecho_con": dict(setting.made),
        **budget.as_data(),
        "catalogo": len(CATALOGUE), "sin_inyectar": not_injected(budget, setting),
    }  # fmt: skip


def row(result: Result) -> tuple[str, ...]:
    """The cells of one fault, as HEAD."""
    fault = result.fault
    name = f"{fault.title} (`{fault.key}`)"
    if result.skipped:
        return (name, fault.invariant, "", "", "", "", measure(result), f"no se inyectó: {result.skipped}")
    return (
        name,
        fault.invariant,
        _how_detected(result),
        _seconds(result.detection, len(result.samples), "no siempre se detectó"),
        "; ".join(dict.fromkeys(sample.recovered_how for sample in result.samples if sample.recovered_how)),
        _seconds(result.recovery, len(result.samples), "no siempre se repuso"),
        measure(result),
        verdict(result),
    )


def measure(result: Result) -> str:
    """What the plan of continuity says to do about that fault when it lasts."""
    names = measures(result.fault.incident)
    return f"si no se repone: {'; '.join(f'«{name}»' for name in names)}" if names else "ninguna le toca"


def verdict(result: Result) -> str:
    """In words: kept, or what was not."""
    if result.skipped:
        return f"no se inyectó: {result.skipped}"
    errors = [sample.error for sample in result.samples if sample.error]
    if errors:
        return f"NO SE PUDO: {in_spanish(errors[0])}"
    failed = result.failed_checks()
    if failed:
        return f"NO SE CUMPLE: {failed[0].name} ({in_spanish(failed[0].seen)})"
    if result.detection is None:
        return "NO DETECTADA"
    if result.recovery is None:
        return "NO SE REPUSO"
    for sentence, reason in result.broken().items():
        return f"NO SE CUMPLE: «{sentence}» ({reason})"
    return "se cumple" if result.good else "NO SE CUMPLE"


def counted(budget: Budget, setting: Setting) -> str:
    """How many faults were injected of all there are, which were not, and why each."""
    kind = f" ({setting.kind})" if setting.kind else ""
    text = f"{budget.injected} de {len(CATALOGUE)} fallas inyectadas{kind}"
    reasons: dict[str, list[str]] = {}
    for key, reason in not_injected(budget, setting).items():
        reasons.setdefault(reason, []).append(f"`{key}`")
    others = "; ".join(f"{', '.join(keys)} ({reason})" for reason, keys in reasons.items())
    return f"{text}. No se inyectaron: {others}" if others else text


def not_injected(budget: Budget, setting: Setting) -> Mapping[str, str]:
    """By its key, why each fault of the catalogue was not injected: not chosen, not possible, it failed."""
    there = {one.fault.key: one for one in budget.results}
    found = {}
    for fault in CATALOGUE:
        result = there.get(fault.key)
        if result is None:
            found[fault.key] = f"fuera de {'lo pedido con --solo' if setting.only else 'la versión corta'}"
        elif not result.injected:
            found[fault.key] = result.skipped or "el ensayo no pudo"
    return found


def markdown(budget: Budget, setting: Setting) -> str:
    """The table of the document."""
    lines = [f"Medido con {setting.words()} Duró {budget.seconds:,.0f} s. {setting.made_with()}".strip(), ""]
    lines += [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    lines += [f"| {' | '.join(_cell(text) for text in row(one))} |" for one in budget.results]
    lines += ["", f"{counted(budget, setting)}.", "", f"Al final: {final(budget)}", ""]
    return "\n".join(lines)


def final(budget: Budget) -> str:
    """What was asked at the end, in one sentence."""
    if budget.final_error:
        return f"NO SE PUDO: {in_spanish(budget.final_error)}"
    wrong = [seen(check) for check in budget.final if not check.holds]
    if wrong:
        return f"NO SE CUMPLE: {'; '.join(wrong)}."
    return f"{'; '.join(map(seen, budget.final))}: todo se cumple."


def seen(check: Check) -> str:
    """A check of the end of the night, with what was seen when it matters."""
    told = check.seen and (not check.holds or check.name == SAME_ACTAS)
    return f"{check.name} ({in_spanish(check.seen)})" if told else check.name


def put_in_document(path: Path, base: str, table: str) -> None:
    """Put the table of a base between its marks of the document. Raises UsageError when it has none."""
    before, after = around_marks(path, base)
    path.write_text(f"{before}\n\n{table.strip()}\n\n{after}", encoding="utf-8")


def around_marks(path: Path, base: str) -> tuple[str, str]:
    """What a document has up to the first mark of a base, and from the last. Raises UsageError if none."""
    begin, end = f"<!-- fallas:{base}:inicio -->", f"<!-- fallas:{base}:fin -->"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"No se puede leer el documento «{path}»: {why(error)}.") from error
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise UsageError(f"«{path}» debe tener una vez las marcas «{begin}» y «{end}», en ese orden.")
    return text[: text.index(begin) + len(begin)], text[text.index(end) :]


def headline(budget: Budget) -> str:
    """The answer, in one sentence."""
    if budget.good:
        return "Nada se perdió ni se contó dos veces; lo que se rompió se detectó y se repuso."
    return "HAY HALLAZGOS." if budget.injected else "NO SE INYECTÓ NINGUNA FALLA: esto no prueba nada."


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
