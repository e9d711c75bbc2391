"""Files written by somebody else: their bytes, and their TOML or JSON, with one kind of error for each.

The parsers of the standard library let other errors go by: a number of more digits than Python turns
into an integer, or a nesting deeper than its stack. And they take what another reader would understand
otherwise: NaN, numbers that are infinite, an object with the same key twice. And whoever opens a path may
find a pipe nobody writes in, or a device that never ends. Those who read here say the name of the file and
the place of what is wrong.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from core.system_reasons import UnusableFileError

TOO_DEEP = "hay demasiados niveles uno dentro de otro"
TOO_LONG = "hay un número con demasiadas cifras"
NO_NUMBER = "hay un número que no es finito"
TWICE = "hay una clave repetida en el mismo objeto"
NO_TEXT = "hay un texto que no se puede escribir"
MOST_DIGITS = 15
"""Of a quantity of a PREP: no count of anything comes near."""


MOST_BYTES = 256 << 20
"""Of a document that is read whole; tables of results have their own."""


_GIVEN = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")
"""Pipes that whoever runs the program opened and gave to it."""
_BLOCK = 1 << 20


def foreign_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of an ordinary file of `most` at the most, or of a pipe that was given (`<(zcat x)`).

    Raises UnusableFileError for another pipe, a device or a socket, which could keep who reads waiting for
    ever, and for more bytes than that; and what `Path.read_bytes` does.
    """
    given = os.fspath(path).startswith(_GIVEN)
    waits = 0 if given else getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, os.O_RDONLY | waits | getattr(os, "O_BINARY", 0))
    try:
        seen = os.fstat(descriptor)
        if stat.S_ISDIR(seen.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(seen.st_mode) and not (given and stat.S_ISFIFO(seen.st_mode)):
            raise UnusableFileError(errno.EINVAL, "no es un archivo ordinario", str(path))
        if seen.st_size > most:
            raise UnusableFileError(errno.EFBIG, f"mide {seen.st_size:,} bytes; caben {most:,}", str(path))
        stream = os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
    with stream:
        # Room for as much as the file has: asking for all that is admitted would take it.
        data = stream.read(seen.st_size + 1)
        while len(data) <= most and (more := stream.read(_BLOCK)):
            data += more
    if len(data) > most:
        raise UnusableFileError(errno.EFBIG, f"tiene más de {most:,} bytes", str(path))
    return data


def foreign_str(path: Path) -> str:
    """The text of an ordinary file in UTF-8, with the line ends of `Path.read_text`.

    Raises OSError as `foreign_bytes`, and UnicodeDecodeError.
    """
    return foreign_bytes(path).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def toml_of(text: str) -> dict[str, Any]:
    """The document of a TOML text. Raises tomllib.TOMLDecodeError, and nothing else."""
    try:
        found = tomllib.loads(text)
        _in_range(found)
        return found
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError(TOO_DEEP) from None
    except ValueError:
        raise tomllib.TOMLDecodeError(TOO_LONG) from None


_TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")(?P<key>\s*:)?|(?P<number>-?\d[\d.eE+-]*)|(?P<constant>NaN|-?Infinity)|[{}]',
    re.DOTALL,
)
_LONG = re.compile(r"\d{19}")
"""What a number that does not fit in 64 bits has; the rest of the texts need no second look."""
_LONE = re.compile(
    r"\\u[dD][89abAB][\da-fA-F]{2}(?!\\u[dD][c-fC-F])|"
    r"(?<!\\u[dD][89abAB][\da-fA-F]{2})\\u[dD][c-fC-F][\da-fA-F]{2}"
)


class _NotTakenError(ValueError):
    """Well formed, and refused; where, is looked for afterwards."""


def _in_range(value: object) -> None:
    """Raises ValueError for a whole number that TOML has not: its integers are of 64 bits."""
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError(value.bit_length())
    elif isinstance(value, dict):
        for one in value.values():
            _in_range(one)
    elif isinstance(value, list):
        for one in value:
            _in_range(one)


def json_of(data: bytes | str) -> Any:
    """The value of a JSON text in UTF-8. Raises json.JSONDecodeError with its place, and nothing else.

    Besides what is not JSON, it refuses NaN and infinities, integers that do not fit in 64 bits, a key
    twice in an object, and texts that are no text (half of a surrogate pair): nothing could write them again.
    """
    if isinstance(data, str):
        text = data.removeprefix("\ufeff")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = data[: error.start].decode("utf-8-sig", "replace")
            raise json.JSONDecodeError("no está en UTF-8", before, len(before)) from None
    try:
        value = json.loads(
            text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_all_different
        )
        if _LONG.search(text):
            _refuse(text)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except json.JSONDecodeError:
        raise
    except UnicodeEncodeError:
        lone = _LONE.search(text)
        raise json.JSONDecodeError(NO_TEXT, text, lone.start() if lone else 0) from None
    except RecursionError:
        raise json.JSONDecodeError(TOO_DEEP, "", 0) from None
    except ValueError:
        _refuse(text)
        raise json.JSONDecodeError(TOO_LONG, "", 0) from None


def json_place(error: json.JSONDecodeError) -> str:
    """What is wrong with a JSON text and where, in Spanish; the place goes first."""
    ours = (TOO_DEEP, TOO_LONG, NO_NUMBER, TWICE, NO_TEXT, "no está en UTF-8")
    what = error.msg if error.msg in ours else "no es JSON bien formado"
    return f"línea {error.lineno}, posición {error.colno}: {what}"


def _no_constant(text: str) -> None:
    raise _NotTakenError(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _NotTakenError(text)
    return value


def _all_different(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotTakenError("key")
    return found


def _refuse(text: str) -> None:
    """Raises json.JSONDecodeError at the first thing of a well formed text that is not taken, if any."""
    seen: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        why = None
        if token["key"]:
            key = json.loads(token["text"])
            why = TWICE if key in seen[-1] else None
            seen[-1].add(key)
        elif token["number"]:
            why = _number_fault(token["number"])
        elif token["constant"]:
            why = NO_NUMBER
        elif token[0] == "{":
            seen.append(set())
        elif token[0] == "}":
            seen.pop()
        if why is not None:
            raise json.JSONDecodeError(why, text, token.start())


def _number_fault(text: str) -> str | None:
    if text.removeprefix("-").isdigit():
        fits = len(text) <= 20 and -(2**63) <= int(text) < 2**63
        return None if fits else TOO_LONG
    return None if math.isfinite(float(text)) else NO_NUMBER


def whole_of(text: str) -> int | None:
    """The number written with ASCII digits only, MOST_DIGITS at the most; None of any other text.

    `str.isdigit` also takes «²» and «٣», and a number of thousands of digits cannot be read at all.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
