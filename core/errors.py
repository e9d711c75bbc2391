"""The typed errors every part of the system raises on purpose.

For: one base class the command line can turn into a message and an exit code, and the one shape in
which bad input is reported. It does not hold the rejections of the domain: a refused command is an
answer with a code, not an exception.
"""

from __future__ import annotations

from os import PathLike, fspath

LONGEST_SHOWN = 200
"""Characters shown of a value that was found where another was expected."""
LONGEST_MESSAGE = 2_000
"""Characters of an explanation; only one that quotes something enormous is longer."""


def shown(value: object, longest: int = LONGEST_SHOWN) -> str:
    """A value found in a file, safe to show: cut if long, its control and direction characters spelt out.

    A terminal obeys them, and a name of a million characters is no explanation.
    """
    try:
        text = str(value)
    except ValueError:
        # An integer of more digits than Python writes.
        return "un número de miles de cifras"
    if len(text) > longest:
        text = f"{text[:longest]}… ({len(text):,} caracteres)"
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)


class PrepError(Exception):
    """Base of the errors that are told to the user; the message is in Spanish and complete.

    The command line prints it and ends with exit code 2, without a traceback.
    """

    def as_data(self) -> dict[str, object]:
        """The error as the value of ``error`` in the JSON answer of a command."""
        return {"mensaje": str(self)}


class UsageError(PrepError):
    """A command was asked for something it does not offer, or with arguments that do not go together."""


class InputError(PrepError):
    """A file holds something other than what it must hold.

    Args:
        file: the file, as the user named it.
        line: 1-based line in the file, header lines included; None when the fault is of the whole file.
        column: name of the column or key, or its 1-based number; None when it is of the whole line.
        expected: what had to be there, in Spanish, to follow «se esperaba»; empty when unknown.
        found: what was there, shown as is between «»; None when there is nothing to show.
        message: the whole explanation, in Spanish, in place of the sentence built from
            ``expected`` and ``found``.

    ``str()`` reads «archivo.csv, línea 12, columna SECCION: se esperaba …; se encontró «…»».
    """

    def __init__(
        self,
        file: str | PathLike[str],
        line: int | None = None,
        column: str | int | None = None,
        expected: str = "",
        found: object = None,
        *,
        message: str = "",
    ) -> None:
        self.file = fspath(file)
        self.line = line
        self.column = column
        self.expected = expected
        self.found = None if found is None else shown(found)
        self.message = message if len(message) <= LONGEST_MESSAGE else shown(message, LONGEST_MESSAGE)
        super().__init__(str(self))

    def __str__(self) -> str:
        place = self.file
        if self.line is not None:
            place += f", línea {self.line}"
        if self.column is not None:
            # What a TOML document has are keys; a number is a place in the line.
            keyed = self.file.endswith(".toml") and isinstance(self.column, str)
            place += f", {'clave' if keyed else 'columna'} {shown(self.column)}"
        return f"{place}: {self.reason}"

    @property
    def reason(self) -> str:
        """The explanation without the place."""
        if self.message:
            return self.message
        parts = []
        if self.expected:
            parts.append(f"se esperaba {self.expected}")
        if self.found is not None:
            parts.append(f"se encontró «{self.found}»")
        return "; ".join(parts) or "contenido no válido"

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries in replications; the default would call __init__ with the message.
        state = {"message": self.message}
        return (type(self), (self.file, self.line, self.column, self.expected, self.found), state)

    def as_data(self) -> dict[str, object]:
        """Adds the place and what was expected to the message."""
        return {
            "mensaje": str(self),
            "archivo": self.file,
            "linea": self.line,
            "columna": self.column,
            "esperado": self.expected or None,
            "encontrado": self.found,
        }
