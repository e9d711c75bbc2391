"""Failed requests as a person reads them: by HTTP status, or why there was no answer. It judges nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_WRAPPED = re.compile(r"^\w+\((['\"])(.*)\1,?\)$", re.DOTALL)
_STATUS = re.compile(r"(?:^|: )([1-5]\d\d)\b")
STATUSES = {
    "301": "redirección",
    "302": "redirección",
    "307": "redirección",
    "308": "redirección",
    "400": "el servidor no entendió la petición",
    "401": "falta entrar",
    "403": "no se permite",
    "404": "no está",
    "408": "el servidor se cansó de esperar",
    "409": "choca con otra acción",
    "413": "petición demasiado grande",
    "429": "límite de peticiones por dirección",
    "431": "cabeceras demasiado grandes",
    "500": "error interno del servidor",
    "502": "quien está detrás contestó mal",
    "503": "servidor ocupado o detenido",
    "504": "quien está detrás no contestó a tiempo",
}
"""What the statuses that are seen in a test mean."""


def plain(found: str) -> str:
    """What happened, in Spanish, of what the generator noted.

    >>> plain("CatchResponseError('500')"), plain("CatchResponseError('sin respuesta: cortó la conexión')")
    ('500, error interno del servidor', 'sin respuesta: cortó la conexión')
    """
    wrapped = _WRAPPED.match(found)
    text = wrapped[2] if wrapped else found
    return f"{text}, {STATUSES[text]}" if text in STATUSES else text


def by_status(failures: Sequence[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """Of failures (name, what, how many): HTTP status, or why there is none, what it means, how many."""
    found: Counter[tuple[str, str]] = Counter()
    for _, what, many in failures:
        text = plain(what)
        status = _STATUS.search(text)
        if status is not None:
            found[status[1], STATUSES.get(status[1], "")] += many
        else:
            kind, _, why = text.partition(": ")
            found[kind, why] += many
    return sorted((kind, means, many) for (kind, means), many in found.items())
