"""argparse that speaks Mexican Spanish.

For: the parsers of ``prep``. It translates every text argparse has of its own and turns its errors into
UsageError instead of ending the process. It holds no text of the verbs themselves.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from core.errors import UsageError

TEXTS = {
    "usage: ": "uso: ",
    "options": "opciones",
    "positional arguments": "argumentos",
    "subcommands": "verbos",
    "show this help message and exit": "muestra esta ayuda y termina",
    "show program's version number and exit": "muestra la versión y termina",
    "%(prog)s: error: %(message)s\n": "%(prog)s: error: %(message)s\n",
    "%(prog)s: warning: %(message)s\n": "%(prog)s: aviso: %(message)s\n",
    "argument %(argument_name)s: %(message)s": "argumento %(argument_name)s: %(message)s",
    "the following arguments are required: %s": "los siguientes argumentos son obligatorios: %s",
    "one of the arguments %s is required": "se requiere uno de estos argumentos: %s",
    "not allowed with argument %s": "no se permite junto con el argumento %s",
    "unrecognized arguments: %s": "argumento no reconocido: %s",
    "expected one argument": "se esperaba un valor",
    "expected at most one argument": "se esperaba un valor como máximo",
    "expected at least one argument": "se esperaba al menos un valor",
    "expected %s argument": "se esperaba %s valor",
    "expected %s arguments": "se esperaban %s valores",
    "ambiguous option: %(option)s could match %(matches)s": (
        "opción ambigua: %(option)s puede ser %(matches)s"
    ),
    "unexpected option string: %s": "opción inesperada: %s",
    "ignored explicit argument %r": "la opción no lleva valor y se le dio %r",
    "invalid choice: %(value)r (choose from %(choices)s)": (
        "elección no válida: %(value)r (elija entre %(choices)s)"
    ),
    "invalid choice: %(value)r, maybe you meant %(closest)r? (choose from %(choices)s)": (
        "elección no válida: %(value)r; ¿quiso decir %(closest)r? (elija entre %(choices)s)"
    ),
    "invalid %(type)s value: %(value)r": "valor no válido: %(value)r (se esperaba %(type)s)",
    "unknown parser %(parser_name)r (choices: %(choices)s)": (
        "verbo desconocido: %(parser_name)r (elija entre %(choices)s)"
    ),
    "can't open '%(filename)s': %(error)s": "no se pudo abrir «%(filename)s»: %(error)s",
    "option '%(option)s' is deprecated": "la opción «%(option)s» está en desuso",
    "argument '%(argument_name)s' is deprecated": "el argumento «%(argument_name)s» está en desuso",
    "command '%(parser_name)s' is deprecated": "el verbo «%(parser_name)s» está en desuso",
}
"""argparse's own texts, those of Python 3.11 to 3.14, that a user can come to see."""


class ArgumentsError(UsageError):
    """The command line could not be understood.

    Attributes:
        prog: the command as typed up to the verb, for the hint.
        usage: the usage line, already in Spanish.
    """

    def __init__(self, message: str, prog: str, usage: str) -> None:
        super().__init__(message)
        self.prog = prog
        self.usage = usage


class SpanishParser(argparse.ArgumentParser):
    """An ArgumentParser whose help and errors are in Spanish.

    ``parse_args`` raises ArgumentsError where the original would end the process. Options are not
    abbreviated, so that a script keeps its meaning when a verb gains an option.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        with _spanish_argparse():
            super().__init__(*args, **kwargs)
        # The original message for a wrong number names the Python type.
        self.register("type", int, integer)
        self.register("type", float, number)

    # The annotations repeat those of argparse, whose own are overloaded.
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """See argparse; raises ArgumentsError."""
        with _spanish_argparse():
            return super().parse_known_args(args, namespace)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """See argparse; raises ArgumentsError."""
        with _spanish_argparse():
            return super().parse_args(args, namespace)

    def format_help(self) -> str:
        """The whole help, in Spanish."""
        with _spanish_argparse():
            return super().format_help()

    def format_usage(self) -> str:
        """The usage line, in Spanish."""
        with _spanish_argparse():
            return super().format_usage()

    def error(self, message: str) -> NoReturn:
        """Raises ArgumentsError with argparse's message."""
        raise ArgumentsError(message, self.prog, self.format_usage().rstrip("\n"))


def integer(text: str) -> int:
    """An argument that is a whole number; takes the place of ``int`` in the parsers."""
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"se esperaba un número entero; se recibió «{text}»") from error


def number(text: str) -> float:
    """An argument that is a number; takes the place of ``float`` in the parsers."""
    try:
        return float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"se esperaba un número; se recibió «{text}»") from error


def translate(text: str) -> str:
    """The Spanish of one of argparse's texts; an unknown one comes back as it is."""
    return TEXTS.get(text, text)


def _translate_plural(singular: str, plural: str, count: int) -> str:
    return translate(singular if count == 1 else plural)


@contextmanager
def _spanish_argparse() -> Iterator[None]:
    # argparse asks gettext for its texts, and gettext asks the environment for the language; replacing
    # its two names while a parser works gives Spanish whatever the environment says, and leaves
    # argparse as it was for everybody else in the process.
    spanish = {"_": translate, "ngettext": _translate_plural}
    before = {name: getattr(argparse, name) for name in spanish}
    for name, function in spanish.items():
        setattr(argparse, name, function)
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(argparse, name, function)
