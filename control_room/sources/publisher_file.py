"""What the publisher says of itself in `publicador.json`, as the room shows it.

The file is the service's own word, rewritten every few seconds; the room believes no more of it than its
shape. Whether what is public is right is for `canary`, and what happened, for the ledger.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from control_room.files import read_json

NAME = "publicador.json"
MOST = 50
"""Lines of a list that are shown; the ledger has them all."""
STATES = (
    "esperando", "publicando", "detenida", "cerrada", "fuera_de_horario", "en_reserva", "desconocido",
)  # fmt: skip
DESTINATION_STATES = ("al_corriente", "atrasado", "sin_respuesta", "desconocido")
_LONGEST = 300


def read_publisher(run_folder: Path | None) -> dict[str, Any] | None:
    """The state of the publisher of a run, None where no publisher left one. Times in ms UTC.

    What is missing or is not what it should be is None, zero or «desconocido»: never an error.
    """
    found = None if run_folder is None else read_json(run_folder / NAME)
    if found is None or found.get("formato") != 1:
        return None
    witnesses = _object(found.get("testigos"))
    return {
        "estado": _one_of(found.get("estado"), STATES),
        "corte": _count(found.get("corte")) or 0,
        "instante_ms": _count(found.get("instante_ms")),
        "siguiente_ms": _count(found.get("siguiente_ms")),
        "generado_ms": _count(found.get("generado_ms")),
        "perdidas": [one for one in map(_count, _list(found.get("perdidas"))) if one is not None],
        "alarmas": [
            {
                "clave": _text(one.get("clave")),
                "texto": _text(one.get("texto")),
                "desde_ms": _count(one.get("desde_ms")),
            }
            for one in map(_object, _list(found.get("alarmas")))
        ],
        "destinos": [_destination(one) for one in map(_object, _list(found.get("destinos")))],
        "testigos": {
            "de": _count(witnesses.get("de")) or 0,
            "con": _count(witnesses.get("con")) or 0,
            "umbral": _count(witnesses.get("umbral")),
        },
        "sello": _text(_object(found.get("sello")).get("estado")) or None,
    }


def publisher_age_s(run_folder: Path | None, real_ms: int) -> float | None:
    """How long ago, at `real_ms` of this machine's clock, the publisher of a run wrote its file."""
    if run_folder is None:
        return None
    try:
        wrote = (run_folder / NAME).stat().st_mtime
    except OSError:
        return None
    return max(0.0, real_ms / 1000 - wrote)


def _destination(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "nombre": _text(one.get("nombre")),
        "estado": _one_of(one.get("estado"), DESTINATION_STATES),
        "corte": _count(one.get("corte")),
        "atraso_cortes": _count(one.get("atraso_cortes")) or 0,
        "atraso_s": _count(one.get("atraso_s")) or 0,
        "error": _text(one.get("error")),
    }


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value[-MOST:] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 53:
        return None
    return int(value)


def _one_of(value: object, words: tuple[str, ...]) -> str:
    return value if isinstance(value, str) and value in words else words[-1]
