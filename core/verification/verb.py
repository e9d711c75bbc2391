"""`prep verificar`: the single-file verifier as a verb. Every check is in `verificar`; none is here."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.cli_verb import ANSWER_IS_NO, DONE, Answer, Verb

if TYPE_CHECKING:
    from core.cli_output import Output


def _arguments(parser: argparse.ArgumentParser) -> None:
    from core.verification.verificar import add_arguments

    add_arguments(parser)


def _run(args: argparse.Namespace, out: Output) -> Answer:
    """Verify. Exit 0 verified, 1 it does not verify; raises PrepError when it cannot be read."""
    from core.errors import PrepError
    from core.verification.verificar import Unreadable, verify

    try:
        report = verify(args)
    except Unreadable as error:
        raise PrepError(f"no se puede leer: {error}") from error
    return Answer(DONE if report.verified else ANSWER_IS_NO, report.as_data(), report.as_text())


VERB = Verb(
    name="verificar",
    summary="Verifica una publicación: firmas, bitácora, archivos, actas e imágenes",
    add_arguments=_arguments,
    run=_run,
    examples=(
        "prep verificar salida/simulacro-5",
        "prep verificar https://prep.ejemplo.mx/ --guardado mi-copia.json",
        "prep verificar difusion/0012.zip --llave llave-publica.txt",
    ),
)
