"""Why the engine says no: stable codes and the text each one has for people.

Nothing here decides; `transitions`, `operation` and `marking` give these answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why a command was not accepted. The value is stable: other people's programs read it."""

    STATE = "ESTADO_NO_PERMITE"
    OPERATION_CLOSED = "OPERACION_CERRADA"
    OPERATION_OPEN = "OPERACION_ABIERTA"
    OUTSIDE_PERIOD = "HORA_FUERA_DE_PERIODO"
    SAME_PERSON = "MISMA_PERSONA"
    UNKNOWN_ACTA = "ACTA_DESCONOCIDA"
    UNKNOWN_CONTEST = "CONTIENDA_DESCONOCIDA"
    BAD_FIELDS = "CAMPOS_INVALIDOS"
    FIELD_DOES_NOT_APPLY = "CAMPO_NO_APLICA"
    BAD_HASH = "CODIGO_DE_INTEGRIDAD_INVALIDO"
    BAD_CHOICE = "ELECCION_INVALIDA"
    NEEDS_SUPERVISOR = "REQUIERE_SUPERVISOR"
    NEEDS_REASON = "REQUIERE_MOTIVO"
    TOO_FAST = "RITMO_EXCEDIDO"
    KEY_REUSED = "CLAVE_REUTILIZADA"
    NOT_COMPLETE = "NO_ESTA_AL_100"
    WRONG_CUT = "CORTE_FUERA_DE_ORDEN"
    BAD_PERIOD = "PERIODO_INVALIDO"
    UNKNOWN_CATD = "CATD_DESCONOCIDO"
    INCIDENT_STATE = "INCIDENTE_NO_PERMITE"
    MEASURE_STATE = "MEDIDA_NO_PERMITE"
    BAD_SILENCE = "SILENCIO_INVALIDO"
    PUBLICATION_STATE = "PUBLICACION_NO_PERMITE"
    UNWRITABLE = "ORDEN_NO_ASENTABLE"


REFUSAL_TEXTS: dict[Refusal, str] = {
    Refusal.STATE: "El acta no está en un estado que permita esa acción.",
    Refusal.OPERATION_CLOSED: "La operación del PREP no está abierta.",
    Refusal.OPERATION_OPEN: "La operación del PREP ya está abierta.",
    Refusal.OUTSIDE_PERIOD: "La hora queda fuera del periodo de operación.",
    Refusal.SAME_PERSON: "Debe hacerlo una persona distinta.",
    Refusal.UNKNOWN_ACTA: "El acta no está en el catálogo.",
    Refusal.UNKNOWN_CONTEST: "La contienda no está en el catálogo.",
    Refusal.BAD_FIELDS: "Los campos capturados no corresponden a la boleta.",
    Refusal.FIELD_DOES_NOT_APPLY: "Se capturó un campo que no existe en esa boleta.",
    Refusal.BAD_HASH: "El código de integridad no es un SHA-256 en minúsculas.",
    Refusal.BAD_CHOICE: "Se eligió una captura que no existe.",
    Refusal.NEEDS_SUPERVISOR: "Hace falta la autorización de otra persona con supervisión.",
    Refusal.NEEDS_REASON: "Hace falta un motivo.",
    Refusal.TOO_FAST: "Se marcaron demasiadas actas sin acta en poco tiempo.",
    Refusal.KEY_REUSED: "La clave ya se usó para una orden distinta.",
    Refusal.NOT_COMPLETE: "No se puede cerrar antes de la hora: faltan actas por registrar.",
    Refusal.WRONG_CUT: "El corte no sigue al último publicado.",
    Refusal.BAD_PERIOD: "El periodo de operación no es válido.",
    Refusal.UNKNOWN_CATD: "El CATD no está en el catálogo.",
    Refusal.INCIDENT_STATE: "El incidente no permite esa acción.",
    Refusal.MEASURE_STATE: "La medida del plan no permite esa acción.",
    Refusal.BAD_SILENCE: "El silencio de una alerta siempre vence, a lo más cuatro horas después.",
    Refusal.PUBLICATION_STATE: "La publicación no permite esa acción.",
    Refusal.UNWRITABLE: "La orden tiene un dato que no se puede asentar.",
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """A typed no. `detail` completes the standard text of the code."""

    code: Refusal
    detail: str = ""

    @property
    def message(self) -> str:
        """Text for the person, in Spanish."""
        text = REFUSAL_TEXTS[self.code]
        return f"{text} {self.detail}" if self.detail else text
