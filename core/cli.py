"""The frame of the ``prep`` command: finds the verb, runs it, writes its answer, tells its errors.

For: the console script. Verbs live in their own modules and are loaded only when asked for; those of
other packages come through the entry-point group ``prep.verbs``, so that core imports none of them.
It holds no logic of any verb.
"""

from __future__ import annotations

import difflib
import gc
import os
import sys
import textwrap
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points, version
from io import TextIOWrapper

from core.cli_output import Output, Progress
from core.cli_spanish import ArgumentsError, SpanishParser
from core.cli_verb import ANSWER_IS_NO, BAD_INPUT, DEFECT, DONE, INTERRUPTED, Answer, Verb
from core.errors import LONGEST_MESSAGE, PrepError, shown
from core.system_reasons import system_reason

__all__ = [
    "ANSWER_IS_NO",
    "BAD_INPUT",
    "DEFECT",
    "DONE",
    "INTERRUPTED",
    "Answer",
    "Output",
    "Progress",
    "Verb",
    "main",
]

DESCRIPTION = "Programa de Resultados Electorales Preliminares: motor, simulador y revisión de archivos."
ENTRY_POINT_GROUP = "prep.verbs"


OWN_VERBS = {
    "publicar": "core.publishing.verb:VERB",
    "portal": "core.portal.verb:VERB",
    "verificar": "core.verification.verb:VERB",
    "testigo": "core.witness.verb:VERB",
    "llave": "core.transparency.verb_key:VERB",
    "constancia": "core.evidence.verb:VERB",
    "revisar": "core.published.verb_review:VERB",
    "analizar": "core.published.verb_analyze:VERB",
    "comprobar": "core.operations.verb_check:VERB",
    "exportar": "core.operations.verb_export:VERB",
    "catalogo": "core.catalogs.verb_catalog:VERB",
}
"""Verbs of this package: ``module:NAME`` of each. Those of the other packages come by entry point."""

ORDER = (
    "simular", "control", "sala", "publicar", "portal", "verificar", "testigo", "llave", "constancia",
    "carga", "fallas",
    "informe", "escenario", "dimensionar", "experimento", "pronostico", "calibrar", "repetir", "revisar",
    "analizar", "comprobar", "exportar", "catalogo",
)  # fmt: skip
"""How ``prep --help`` lists them: rehearse, publish, plan, look at real nights, keep. Others go after."""


class DefectError(Exception):
    """Something in the program itself is wrong; told as an internal error, exit code 70."""


def collect_less_often() -> None:
    """Let the cycle collector run seldom: a night makes millions of values, and hardly a cycle.

    Measured by `python -m benchmarks nacional`: an eighth of the time of the engine.
    """
    gc.set_threshold(50_000, 20, 20)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs ``prep`` with the given arguments (those of the process by default); returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    collect_less_often()
    for stream in (sys.stdout, sys.stderr):
        # The texts have accents whatever the environment says, and JSON is UTF-8.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
    try:
        return _run(arguments)
    except PrepError as error:
        return _tell(error, arguments)
    except BrokenPipeError:
        # Whoever was reading stdout has left (… | head): no one to tell, and the interpreter must
        # not try to flush into the void on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return _tell(PrepError(_os_message(error)), arguments)
    except KeyboardInterrupt:
        print("\nInterrumpido desde el teclado.", file=sys.stderr)
        return INTERRUPTED
    except DefectError as error:
        return _tell_defect(str(error), arguments)
    except Exception as error:  # noqa: BLE001 - the last frame: a crash must not end with code 1, an answer
        traceback.print_exc()
        return _tell_defect(f"{type(error).__name__}: {error}", arguments)


def _run(arguments: list[str]) -> int:
    if not arguments:
        print(_top_parser().format_help(), file=sys.stderr, end="")
        return BAD_INPUT
    if arguments[0].startswith("-"):
        parser = _top_parser()
        # argparse ends the process after --help and --version.
        try:
            parser.parse_args(arguments)
        except SystemExit as end:
            return int(end.code or 0)
        parser.error("falta el verbo")
    verb = _load(arguments[0])
    parser = _verb_parser(verb)
    try:
        args = parser.parse_args(arguments[1:])
    except SystemExit as end:
        return int(end.code or 0)
    out = Output(as_json=args.json, silent=args.silencio)
    answer = verb.run(args, out)
    out.answer(answer)
    return answer.exit_code


def _top_parser() -> SpanishParser:
    summaries = {name: _summary(name) for name in verb_names()}
    width = max(map(len, summaries))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in summaries.items()]
    parser = SpanishParser(
        prog="prep",
        usage="prep VERBO …",
        description=DESCRIPTION,
        epilog="\n".join(
            [
                "verbos:",
                *lines,
                "",
                "«prep VERBO --help» explica cada uno. Termina con 0 si se hizo, 1 si la respuesta es no,",
                "2 si el uso o la entrada no son válidos.",
            ]
        ),
    )
    parser.add_argument(
        "--version", action="version", version=f"prep {version('prep')}", help="muestra la versión y termina"
    )
    return parser


def _verb_parser(verb: Verb) -> SpanishParser:
    epilog = "\n".join(["ejemplos:", *(f"  {line}" for line in verb.examples)]) if verb.examples else None
    summary = verb.summary[:1].upper() + verb.summary[1:].rstrip(".") + "."
    parser = SpanishParser(
        prog=f"prep {verb.name}", description=textwrap.fill(summary, width=90), epilog=epilog
    )
    verb.add_arguments(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="escribe la respuesta como un solo objeto JSON en la salida estándar",
    )
    parser.add_argument("--silencio", action="store_true", help="no muestra el avance")
    return parser


def verb_names() -> list[str]:
    """Every verb there is, as ``prep --help`` lists them."""
    known = {**OWN_VERBS, **_entry_points()}
    return [*(name for name in ORDER if name in known), *sorted(set(known) - set(ORDER))]


def _summary(name: str) -> str:
    # A verb that cannot be loaded must not take the help down with it.
    try:
        return _load(name).summary
    except DefectError:
        return "(no se pudo cargar)"


def _entry_points() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}


def _load(name: str) -> Verb:
    """The verb of that name; raises ArgumentsError when there is none, DefectError when it is broken."""
    targets = {**{key: entry.value for key, entry in _entry_points().items()}, **OWN_VERBS}
    target = targets.get(name)
    if target is None:
        names = verb_names()
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; ¿quiso decir «{close[0]}»?" if close else f"; los hay: {', '.join(sorted(names))}"
        raise ArgumentsError(f"no hay un verbo «{name}»{hint}", "prep", "uso: prep VERBO …")
    module_name, _, attribute = target.partition(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        raise DefectError(f"el verbo «{name}» no está disponible: falta el módulo {error.name}") from error
    verb = getattr(module, attribute, None)
    if not isinstance(verb, Verb) or verb.name != name:
        raise DefectError(f"{target} no declara el verbo «{name}»")
    return verb


def _os_message(error: OSError) -> str:
    reason = system_reason(error)
    if error.filename is None:
        return f"no se pudo leer o escribir: {reason}"
    return f"no se pudo abrir «{os.fsdecode(error.filename)}»: {reason}"


def _tell(error: PrepError, arguments: list[str]) -> int:
    prog = " ".join(["prep", *arguments[:1]])
    if isinstance(error, ArgumentsError):
        prog = error.prog
        print(error.usage, file=sys.stderr)
    print(f"{prog}: error: {_printable(str(error))}", file=sys.stderr)
    if isinstance(error, ArgumentsError):
        print(f"«{prog} --help» explica el uso.", file=sys.stderr)
    if "--json" in arguments:
        Output(as_json=True).json({"error": error.as_data()})
    return BAD_INPUT


def _printable(text: str) -> str:
    """The text without what a terminal would obey; line by line, and each line of a length to be read."""
    return "\n".join(shown(line, LONGEST_MESSAGE) for line in text.split("\n"))


def _tell_defect(message: str, arguments: list[str]) -> int:
    print(f"prep: error interno: {message}", file=sys.stderr)
    if "--json" in arguments:
        Output(as_json=True).json({"error": {"mensaje": f"error interno: {message}"}})
    return DEFECT
