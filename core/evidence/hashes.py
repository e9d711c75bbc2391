"""The acta de hashes: what is installed, and whether it is what an earlier acta says was.

Source: constancias by a third party with public faith (deliverable 30): hashes of the audited software
against those of the installed one, at the start, during and at the end.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection

from core.evidence import components
from core.evidence.common import HASHES, Constancia, heading
from core.evidence.read_only import revision, schema_fingerprint, schema_parts

_SINGLE = (
    ("catalogo_sha256", "huella del catálogo"),
    ("motor_de_base", "motor de base de datos"),
    ("modo", "modo"),
    ("llave", "llave pública"),
    ("eleccion", "elección"),
)


def hashes(
    connection: Connection, at_ms: int, vkey: str, packages: tuple[str, ...] | None = None
) -> Constancia:
    """The constancia. `vkey` is the public key it will be signed with; `packages`, those looked at."""
    made, _ = heading(connection, HASHES, at_ms)
    found = components.files(packages or components.PACKAGES)
    by_path = {one["ruta"]: one["sha256"] for one in found}
    listing = components.listing(found)
    made |= {
        "componentes": found,
        "componentes_sha256": hashlib.sha256(listing.encode()).hexdigest(),
        "compilacion": components.build(),
        "python": components.python(),
        "dependencias": components.dependencies(),
        "base": {
            "version": revision(connection),
            "esquema_sha256": schema_fingerprint(connection),
            "piezas": len(schema_parts(connection)),
        },
        "reglas": {"archivo": components.RULES, "sha256": by_path.get(components.RULES)},
        "llave": vkey,
    }
    return made


def differences(before: Constancia, after: Constancia) -> list[dict[str, str]]:
    """What is not the same in two actas de hashes: `que`, `clase` (cambió, falta, sobra), `antes`, `ahora`.

    When each was taken is not a difference. An empty list is «sin cambios».
    """
    found: list[dict[str, str]] = []
    found += _tables("componente", _paths(before), _paths(after))
    found += _tables("dependencia", _versions(before), _versions(after))
    for group in ("compilacion", "python", "base", "reglas"):
        found += _tables(group, _texts(before.get(group)), _texts(after.get(group)))
    for key, words in _SINGLE:
        if before.get(key) != after.get(key):
            found.append(_changed(words, str(before.get(key)), str(after.get(key))))
    return found


def _tables(what: str, before: dict[str, str], after: dict[str, str]) -> list[dict[str, str]]:
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        label = f"{what} {name}"
        if old is None:
            found.append({"que": label, "clase": "sobra", "antes": "", "ahora": str(new)})
        elif new is None:
            found.append({"que": label, "clase": "falta", "antes": old, "ahora": ""})
        else:
            found.append(_changed(label, old, new))
    return found


def _changed(what: str, old: str, new: str) -> dict[str, str]:
    return {"que": what, "clase": "cambió", "antes": old, "ahora": new}


def _paths(acta: Constancia) -> dict[str, str]:
    return {str(one["ruta"]): str(one["sha256"]) for one in acta["componentes"]}


def _versions(acta: Constancia) -> dict[str, str]:
    return {
        str(one["nombre"]): f"{one['version']} (registro {one['registro_sha256']})"
        for one in acta["dependencias"]
    }


def _texts(group: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in (group or {}).items()}
