"""`prep comprobar`: is everything in the database what its ledger says?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb

if TYPE_CHECKING:
    from core.cli_output import Output
    from core.operations.check import Check

SHOWN = 20
"""Findings listed on screen; `--json` has more."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--base", required=True, metavar="URL", help="base de datos: ruta de SQLite o URL de PostgreSQL"
    )


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Check the database. Exit 0 when it is correct, 1 with findings."""
    from time import monotonic

    from core.operations.check import check, count_events
    from core.storage.database import open_existing

    started = monotonic()
    database = open_existing(args.base)
    try:
        total = count_events(database)
        with out.progress("Relectura de la bitácora", total) as progress:
            checked = check(database, progress.advance)
            progress.update(total)
    finally:
        database.dispose()
    seconds = round(monotonic() - started, 3)
    data: dict[str, object] = {
        "correcta": checked.correct,
        "hallazgos": [finding.as_data() for finding in checked.findings.listed],
        "total_hallazgos": checked.findings.total,
        "eventos": checked.events,
        "actas": checked.actas,
        "contiendas": {name: counters.as_header() for name, counters in checked.counters.items()},
        "huella_bitacora": checked.last_hash.hex(),
        "segundos": seconds,
    }
    return Answer(DONE if checked.correct else ANSWER_IS_NO, data, _text(checked, seconds))


def _text(checked: Check, seconds: float) -> str:
    what = f"{checked.events:,} eventos y {checked.actas:,} actas revisados en {seconds:.1f} s."
    lines = [what, f"Huella de la bitácora: {checked.last_hash.hex()}"]
    if checked.correct:
        lines.insert(0, "La base es correcta: todo lo guardado sale de su bitácora.")
        return "\n".join(lines)
    total = checked.findings.total
    lines.insert(0, f"La base NO es correcta: {total:,} {'hallazgo' if total == 1 else 'hallazgos'}.")
    lines += [f"{finding.code}  {finding.message}" for finding in checked.findings.listed[:SHOWN]]
    if total > SHOWN:
        lines.append(f"… y {total - SHOWN:,} más; «--json» da hasta 1,000.")
    return "\n".join(lines)


VERB = Verb(
    name="comprobar",
    summary="Reconstruye el estado desde la bitácora y lo compara",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep comprobar --base salida/simulacro-5/prep.db",
        "prep comprobar --base postgresql://usuario@servidor/prep --json",
    ),
)
