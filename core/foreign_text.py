"""TOML and JSON written by somebody else, parsed with one kind of error for whatever may be wrong with them.

The parsers of the standard library let other errors go by: a number of more digits than Python turns
into an integer, or a nesting deeper than its stack. Those who read a file here answer with its name and
place; this module knows no file.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any

TOO_DEEP = "hay demasiados niveles uno dentro de otro"
TOO_LONG = "hay un número con demasiadas cifras"
MOST_DIGITS = 15
"""Of a quantity of a PREP: no count of anything comes near."""


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
    """The value of a JSON text in UTF-8. Raises json.JSONDecodeError, and nothing else.

    Texts that are no text (half of a surrogate pair) are refused: nothing could write them again.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        value = json.loads(text)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError:
        raise json.JSONDecodeError("no está en UTF-8", "", 0) from None
    except UnicodeEncodeError:
        raise json.JSONDecodeError("hay un texto que no se puede escribir", "", 0) from None
    except RecursionError:
        raise json.JSONDecodeError(TOO_DEEP, "", 0) from None
    except ValueError:
        raise json.JSONDecodeError(TOO_LONG, "", 0) from None


def whole_of(text: str) -> int | None:
    """The number written with ASCII digits only, MOST_DIGITS at the most; None of any other text.

    `str.isdigit` also takes «²» and «٣», and a number of thousands of digits cannot be read at all.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
