"""Did the rehearsal do what art. 349 asks of one? One answer per rule, with what was seen.

Captured, counted and captured with image are told apart: 100 % captured by marking actas sin acta is
not a pass. The rules look only at the summary; how they are shown is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.documents.document import Status
from simulator.rehearsal.words import clock, hour, yes_no

MINIMUM_WITH_IMAGE = 90.0
"""Share of the actas of every election that must have an image, in percent: a criterion of this
program, not of the rules. Simulacros taken as good had 91.5 % or more; one that reached 100 % by
marking actas sin acta had 61 %."""

REPORT_AND_DECIDE = (
    "El artículo 349 del Reglamento de Elecciones pide decirlo en este informe; la autoridad decide si "
    "hace un simulacro adicional."
)


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule and what was seen. `commitment` is what to do when it is not met.

    A rule that could not be seen because the run left it out on purpose is not `exercised`, nor met.
    """

    key: str
    rule: str
    met: bool
    seen: str
    source: str
    commitment: str
    exercised: bool = True

    def as_data(self) -> dict[str, object]:
        """For `informe.json`."""
        return {
            "regla": self.key, "pregunta": self.rule, "cumple": self.met, "ejercitada": self.exercised,
            "visto": self.seen, "fuente": self.source,
        }  # fmt: skip


def judge(data: dict[str, Any], minimum_with_image: float = MINIMUM_WITH_IMAGE) -> list[Ruling]:
    """Every rule on one summary, in the order they are shown."""
    return [
        _processed(data, minimum_with_image),
        _phases(data["fases"]),
        _continuity(data),
        _cuts(data),
        _zero(data["base_en_ceros"]),
    ]


def passes(rulings: Sequence[Ruling]) -> bool:
    """Every rule is met."""
    return all(ruling.met for ruling in rulings)


def answer(ruling: Ruling) -> Status:
    """The answer of a rule, as it is shown."""
    return yes_no(ruling.met) if ruling.exercised else Status("no se ejercitó", False)


def without_cuts(data: dict[str, Any]) -> bool:
    """Was it run with the cuts turned off? A cut that was due is otherwise published or told as missed."""
    return not data["cortes_por_hora"]["publicados"] and not data["cortes_no_publicados"]


def _processed(data: dict[str, Any], minimum: float) -> Ruling:
    total, actas = data["total"], data["puntuacion"]["actas"]
    expected, captured = total["esperadas"], total["capturadas"]
    apart = (
        f"con imagen {total['capturadas_con_imagen']:,} ({total['capturadas_con_imagen_pct']:.4f} %), "
        f"contabilizadas {total['contabilizadas']:,} ({total['contabilizadas_pct']:.4f} %)"
    )
    few = {
        name: share["con_imagen_pct"]
        for name, share in data["etapas_por_contienda"].items()
        if share["con_imagen_pct"] < minimum
    }
    baseless = actas["sin_acta"] - actas["sin_acta_con_su_causa"]
    whole = captured == expected
    if not whole:
        seen = (
            f"No se procesó el 100 % de las actas esperadas: capturadas {captured:,} de {expected:,} "
            f"({total['capturadas_pct']:.4f} %), {apart}. {REPORT_AND_DECIDE}"
        )
    elif few or baseless:
        reasons = [f"{name} solo tiene imagen en {share:.4f} %" for name, share in few.items()]
        if baseless:
            reasons.append(f"{baseless:,} marcas sin acta no tienen causa")
        seen = (
            f"Se capturó el 100 %, pero {'; '.join(reasons)} ({apart}): 100 % capturado por sin acta no es "
            f"aprobar. {REPORT_AND_DECIDE}"
        )
    else:
        without = (
            f"{actas['sin_acta']:,} sin acta, todas por su causa" if actas["sin_acta"] else "ninguna sin acta"
        )
        seen = f"Se procesaron {captured:,} de {expected:,} actas: {apart}; {without}."
    return Ruling(
        "procesado", "¿Se procesó el 100 % de las actas esperadas, sin suplirlas con «sin acta»?",
        whole and not few and not baseless, seen, "RE 349 (c)",
        "Procesar el 100 % de las actas esperadas: decidir si se hace un simulacro adicional.",
    )  # fmt: skip


def _phases(phases: list[dict[str, Any]]) -> Ruling:
    absent = [one["fase"] for one in phases if one["obligatoria"] and not one["eventos"]]
    seen = (
        f"No se ejercitó: {', '.join(absent)}."
        if absent
        else "Se ejercitaron " + ", ".join(one["fase"] for one in phases if one["eventos"]) + "."
    )
    return Ruling(
        "fases", "¿Se ejercitaron todas las fases del proceso técnico operativo?", not absent, seen,
        "RE 349 (a)", f"Ejercitar en el siguiente simulacro: {', '.join(absent)}.",
    )  # fmt: skip


CONTINUITY_KINDS = ("continuidad",)


def exercises(incidents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The incidents that are the continuity plan exercised on purpose."""
    return [one for one in incidents if one["tipo"] in CONTINUITY_KINDS]


def _continuity(data: dict[str, Any]) -> Ruling:
    planned, used = exercises(data["incidentes"]), data["medidas"]
    catds = len(data["por_catd"])
    touched = max((one["catd"] for one in planned), default=0)
    if planned:
        extent = "total" if touched >= catds else "parcial"
        seen = f"Aplicación {extent}: " + "; ".join(one["nombre"] for one in planned) + "."
        if used:
            seen += f" Medidas registradas en la bitácora: {len(used):,} ({_names(used)})."
    elif used:
        seen = f"Aplicación parcial: {len(used):,} medidas registradas en la bitácora ({_names(used)})."
    else:
        seen = "El plan de continuidad no se aplicó, ni en total ni en parte."
    return Ruling(
        "continuidad", "¿Se aplicó el plan de continuidad, total o parcialmente?", bool(planned or used),
        seen, "RE 349 (b)", "Incluir la aplicación total o parcial del plan de continuidad.",
    )  # fmt: skip


def _names(used: Sequence[dict[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(one["medida"] for one in used))


def _cuts(data: dict[str, Any]) -> Ruling:
    cuts = data["cortes_por_hora"]
    rule = f"¿Hubo al menos {cuts['minimo']} cortes por hora?"
    if without_cuts(data):
        return Ruling(
            "cortes", rule, False, "No se ejercitó: se corrió sin cortes (--sin-cortes).", "RE 339",
            "Correr el simulacro con cortes: sin ellos no se sabe si la publicación cumple.", exercised=False,
        )  # fmt: skip
    failed = [one for one in cuts["horas"] if one["cumple"] is False]
    seen = f"Publicados {cuts['publicados']:,} de {cuts['debidos']:,} cortes"
    if not cuts["publicados"]:
        seen += "; la corrida no publicó."
    elif failed:
        listed = ", ".join(f"{hour(one['desde'])} ({one['publicados']})" for one in failed)
        seen += f"; con menos de {cuts['minimo']} en la hora que empieza a las {listed}."
    else:
        seen += f"; al menos {cuts['minimo']} en cada hora completa."
    return Ruling(
        "cortes", rule, bool(cuts["cumple"]), seen, "RE 339",
        "Corregir lo que impidió publicar y repetir la prueba de publicación.",
    )  # fmt: skip


def _zero(opening: dict[str, Any]) -> Ruling:
    first = opening["primer_evento"]
    if first is None:
        seen = "La bitácora no tiene eventos."
    elif opening["cumple"]:
        seen = (
            f"El primer evento de la bitácora es el {first['secuencia']}, la apertura, a las "
            f"{clock(first['hora'])}; antes no hay ningún acta."
        )
    else:
        seen = (
            f"El primer evento es el {first['secuencia']} ({first['tipo']}) y hay "
            f"{opening['actas_antes_de_abrir']:,} eventos de actas antes de la apertura."
        )
    return Ruling(
        "ceros", "¿La base estaba en ceros al inicio?", bool(opening["cumple"]), seen, "E26, E30",
        "Poner la base en ceros y dejar constancia antes de abrir.",
    )  # fmt: skip
