"""The sections of what went wrong: continuity plan, incidents, and errors against the sealed truth."""

from __future__ import annotations

from typing import Any

from core.documents.document import Block, Cell, Heading, Status, Table, Text, facts
from simulator.night.score import KIND_WORDS
from simulator.rehearsal.words import NOTHING, count, hour, pct, yes_no

MOST_MEASURES = 60
"""Measures listed; the ledger has them all."""
NOT_TRIED = Status("no se probó", None)
_TRIALS = (
    ("corte de energía en un CATD o CCV", ("falla_electrica",)),
    ("corte de enlace", ("sin_enlace", "intermitente", "perdida", "continuidad")),
    ("cortes de publicación detenidos", ("publicacion_cortes_detenidos",)),
    (
        "archivos, imágenes o paquetes dañados al publicar",
        ("publicacion_json_malformado", "publicacion_imagenes_faltantes", "publicacion_paquete_atrasado"),
    ),
)
"""Trials a report of rehearsal tells of, and the kinds of incident that are one."""


def continuity(data: dict[str, Any]) -> list[Block]:
    """The measures recorded, and which trials were made."""
    happened, names = data["incidentes"], {one["catd"]: one["nombre"] for one in data["por_catd"]}
    blocks: list[Block] = [Heading("Plan de continuidad")]
    rows = tuple(
        (
            one["medida"], one["incidente"] or "sin incidente", one["autorizo"], hour(one["autorizada"]),
            hour(one["activa"]), one["efecto"] or NOTHING, _where(one["catd"], names),
        )
        for one in data["medidas"][:MOST_MEASURES]
    )  # fmt: skip
    if rows:
        titles = ("medida", "incidente", "autorizó", "autorizada", "activa", "efecto", "CATD")
        blocks.append(Table(titles, rows, (2.4, 3.2, 2, 1.6, 1.2, 2.8, 2.4), small=True))
        if len(data["medidas"]) > len(rows):
            blocks.append(
                Text(
                    f"Van las primeras {len(rows)} de {count(len(data['medidas']))}; todas están en la "
                    "bitácora."
                )
            )
    else:
        blocks.append(Text("No se aplicó ninguna medida."))
    seen = {one["tipo"] for one in happened}
    tried: list[tuple[Cell, ...]] = [
        (trial, yes_no(True) if seen & set(kinds) else NOT_TRIED) for trial, kinds in _TRIALS
    ]
    moved = any(not one["incidente"] for one in data["medidas"])
    tried.append(("traslado de personas o de captura", yes_no(True) if moved else NOT_TRIED))
    return [*blocks, Table(("prueba", "se hizo"), tuple(tried), (5, 3))]


def _where(numbers: list[int], names: dict[int, str]) -> str:
    if len(numbers) > 3:
        return f"{len(numbers)} CATD"
    return ", ".join(names.get(number, str(number)) for number in numbers) or "toda la operación"


_MORE = (
    ("causa", "causa"), ("detectado", "detectado"), ("autorizado_por", "autorizó"),
    ("autorizado", "autorizado"), ("activo", "activo"), ("efecto", "efecto"),
)  # fmt: skip
"""What an incident may also carry, and how it is said."""


def incidents(data: dict[str, Any]) -> list[Block]:
    """What happened, when, what it touched and what was done."""
    rows = tuple(
        (
            str(number), one["desde"], one["hasta"], _what(one), _impact(one), one["remedio"] or NOTHING,
        )
        for number, one in enumerate(data["incidentes"], start=1)
    )  # fmt: skip
    links = data["enlaces"]
    if not rows:
        return [Heading("Incidentes"), Text("Ninguno.")]
    return [
        Heading("Incidentes"),
        Table(
            ("núm.", "de", "a", "qué pasó", "impacto", "remedio"), rows, (1.1, 1.3, 1.3, 4.6, 2.8, 3.4),
        ),
        Text(
            f"CATD con falla de enlace: {count(links['catd_con_falla'])}; minutos sin enlace, sumados: "
            f"{count(links['minutos_sin_enlace'])}; envíos que no salieron al cierre: "
            f"{count(links['sin_transmitir_al_fin'])}."
        ),
    ]  # fmt: skip


def _what(incident: dict[str, Any]) -> str:
    more = [f"{words}: {incident[key]}" for key, words in _MORE if incident.get(key) and key != "efecto"]
    return str(incident["nombre"]) + (f" ({'; '.join(more)})" if more else "")


def _impact(incident: dict[str, Any]) -> str:
    parts = []
    if incident["catd"]:
        parts.append(f"{count(incident['catd'])} CATD")
    if incident["distritos"]:
        parts.append("distritos " + ", ".join(str(one) for one in incident["distritos"]))
    if incident.get("efecto"):
        parts.append(str(incident["efecto"]))
    return "; ".join(parts) or "toda la operación"


def exactness(data: dict[str, Any]) -> list[Block]:
    """The score against the sealed truth."""
    score = data["puntuacion"]
    double, actas = score["doble_captura"], score["actas"]
    rows: list[tuple[str, Cell]] = [
        ("campos tecleados bien", f"{pct(score['exactitud_tecleada_pct'])} %"),
        ("campos publicados bien", f"{pct(score['exactitud_publicada_pct'])} %"),
        ("errores de captura por tipo", _kinds(score["tipos_de_error"])),
        ("actas con alguna captura errada", count(double["actas_con_alguna_captura_errada"])),
        ("detectadas por la doble captura", count(double["detectadas"])),
        ("pasaron: dos capturas iguales", count(double["pasaron_dos_iguales"])),
        ("pasaron: mal resueltas", count(double["pasaron_mal_resueltas"])),
        ("sin verificar al término", count(double["sin_verificar_al_fin"])),
        (
            "CONTABILIZADA correcta",
            f"{pct(actas['contabilizada_correcta_pct'])} % de {count(actas['publicadas'])}",
        ),
        (
            "OBSERVACIONES correctas",
            f"{pct(actas['observaciones_correctas_pct'])} % de {count(actas['publicadas'])}",
        ),
        ("sin acta con su causa", f"{count(actas['sin_acta_con_su_causa'])} de {count(actas['sin_acta'])}"),
    ]
    erring = [(name, one) for name, one in score["capturistas"].items() if one["con_error"]]
    erring.sort(key=lambda item: (-item[1]["con_error"], item[0]))
    people = tuple(
        (
            name, count(one["capturas"]), count(one["con_error"]), count(one["campos_con_error"]),
            pct(one["exactitud_pct"]), _kinds(one["tipos"]),
        )
        for name, one in erring[:10]
    )  # fmt: skip
    blocks: list[Block] = [Heading("Exactitud contra la verdad sellada"), facts(rows)]
    if people:
        blocks += [
            Text(f"Capturistas con más capturas erradas ({len(people)} de {len(score['capturistas'])}):"),
            Table(
                ("capturista", "capturas", "con error", "campos", "exactitud %", "tipos"), people,
                (2.2, 1.3, 1.3, 1.1, 1.5, 5), frozenset({1, 2, 3, 4}), small=True,
            ),
        ]  # fmt: skip
    return blocks


def _kinds(kinds: dict[str, int]) -> str:
    return ", ".join(f"{KIND_WORDS[kind]} {n:,}" for kind, n in kinds.items() if n) or "ninguno"
