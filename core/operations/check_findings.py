"""What the check of a database can find, each with its code.

Values only: what is compared with what is in `rebuild` and `compare`. `docs/eventos.md` lists the
codes for people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CHECKS: dict[str, str] = {
    "K01": "Falta o sobra una fila de la bitácora",
    "K02": "Una fila de la bitácora no produce su huella",
    "K03": "Una fila de la bitácora no se puede leer",
    "K04": "Un evento no puede seguir al estado de su acta",
    "K05": "Un evento está fuera de la operación",
    "K06": "Un corte no sigue al anterior",
    "K07": "Una persona coincidió consigo misma",
    "K08": "El veredicto registrado no es el de las reglas",
    "K09": "El valor definitivo no sale de una coincidencia ni de una resolución",
    "K10": "El estado guardado de un acta no es el de la bitácora",
    "K11": "La tabla de actas no es la del catálogo",
    "K12": "El resultado guardado de un acta no es el de la bitácora",
    "K13": "Falta o sobra un resultado",
    "K14": "Un acta fuera de catálogo no es la de la bitácora",
    "K15": "El dueño de una imagen no es el de la bitácora",
    "K16": "Las órdenes y los eventos no se corresponden",
    "K17": "Los contadores de la tabla no son los de la bitácora",
    "K18": "Los votos por territorio no son los de la bitácora, o no suman su total",
    "K19": "Las actas por estado no son las de la bitácora",
    "K20": "El catálogo o los datos fijos de la base no concuerdan",
    "K21": "Un incidente no sigue a los suyos",
    "K22": "Una activación del plan no sigue a las suyas, o un silencio no vence",
    "K23": "Un aviso, una detención o un corte perdido no sigue a los suyos",
    "K24": "Una ranura de publicación no concuerda con los cortes de la bitácora",
}
"""Title of each finding."""

MAX_FINDINGS = 1_000
"""Findings kept with their detail; beyond it they are only counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `key` is CLAVE_ACTA, the sequence, or what identifies the row in its table."""

    code: str
    table: str
    key: str
    column: str
    expected: str | None
    found: str | None
    message: str

    def as_data(self) -> dict[str, object]:
        """With the Spanish names of the JSON answer."""
        return {
            "codigo": self.code,
            "tabla": self.table,
            "clave": self.key,
            "columna": self.column,
            "esperado": self.expected,
            "encontrado": self.found,
            "mensaje": self.message,
        }


def shown(value: object) -> str | None:
    """A value as the report shows it: booleans as 1 and 0, bytes as hex."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)


@dataclass(slots=True)
class Findings:
    """What was found so far."""

    listed: list[Finding] = field(default_factory=list)
    total: int = 0

    def add(
        self, code: str, table: str, key: object, column: str, expected: Any, found: Any, what: str = ""
    ) -> None:
        """Record one difference; the message is built from its parts and `what`."""
        self.total += 1
        if len(self.listed) >= MAX_FINDINGS:
            return
        wanted, seen = shown(expected), shown(found)
        message = f"{CHECKS[code]}: tabla {table}, {key}, {column}"
        if what:
            message += f": {what}"
        message += f"; se esperaba «{_or_nothing(wanted)}» y hay «{_or_nothing(seen)}»."
        self.listed.append(Finding(code, table, str(key), column, wanted, seen, message))


def _or_nothing(text: str | None) -> str:
    return "nada" if text is None else text
