"""The long tables at the end of a rehearsal's report: cuts, CATDs, fields and counters."""

from __future__ import annotations

from typing import Any

from core.documents.document import Block, Heading, PageBreak, Table, Text, numbers_from
from simulator.rehearsal.data import Rehearsal
from simulator.rehearsal.verdict import without_cuts
from simulator.rehearsal.words import count, hour, pct


def annexes(rehearsal: Rehearsal) -> list[Block]:
    """Every annex, from a new page on."""
    data = rehearsal.data
    return [PageBreak(), *_cuts(data), *_places(data), *_exactness(data), *_counters(data)]


def _cuts(data: dict[str, Any]) -> list[Block]:
    cuts = tuple(
        (
            str(one["numero"]), hour(one["hora"]), count(one["capturadas"]), pct(one["capturadas_pct"]),
            count(one["contabilizadas"]), pct(one["contabilizadas_pct"]), count(one["con_imagen"]),
            pct(one["con_imagen_pct"]),
        )
        for one in data["avance_por_corte"]
    )  # fmt: skip
    heading = Heading("Anexo A. Avance en cada corte")
    if not cuts:
        return [
            heading,
            Text("Se corrió sin cortes." if without_cuts(data) else "La corrida no publicó cortes."),
        ]
    return [
        heading,
        Table(
            ("corte", "hora", "capturadas", "%", "contabilizadas", "%", "con imagen", "%"), cuts,
            (1, 1.1, 1.6, 1.6, 1.9, 1.6, 1.6, 1.6), numbers_from(0, 8), small=True,
        ),
    ]  # fmt: skip


def _places(data: dict[str, Any]) -> list[Block]:
    places = tuple(
        (
            one["nombre"].removeprefix("CATD "), count(one["esperadas"]), count(one["acopiadas"]),
            count(one["digitalizadas"]), count(one["capturadas"]), count(one["contabilizadas"]),
            count(one["con_imagen"]), pct(one["capturadas_pct"]), count(one["minutos_sin_enlace"]),
        )
        for one in data["por_catd"]
    )  # fmt: skip
    return [
        Heading("Anexo B. Por CATD"),
        Table(
            (
                "CATD", "esperadas", "acopiadas", "digitalizadas", "capturadas", "contabilizadas",
                "con imagen", "capturadas %", "min sin enlace",
            ),
            places, (3.6, 1.6, 1.6, 1.9, 1.75, 2.0, 1.4, 1.75, 1.3), numbers_from(1, 9), small=True,
        ),
    ]  # fmt: skip


def _exactness(data: dict[str, Any]) -> list[Block]:
    blocks: list[Block] = [Heading("Anexo C. Exactitud por campo")]
    for contest, columns in data["puntuacion"]["campos"].items():
        blocks += [Heading(contest, 2), _fields(columns)]
    return blocks


def _counters(data: dict[str, Any]) -> list[Block]:
    blocks: list[Block] = [
        Heading("Anexo D. Contadores contra la verdad"),
        Text(
            "Al cierre, lo registrado; «las mismas actas», sin errores de captura; «si llegara todo», la "
            "verdad de todas las esperadas. La primera diferencia es de la captura; la segunda, de lo "
            "que no llegó."
        ),
    ]
    for contest, header in data["contiendas"].items():
        same = data["puntuacion"]["contadores"][contest]
        all_of_them = data["contiendas_verdad"][contest]
        rows = tuple(
            (name, value, same[name]["verdad_de_las_mismas"], all_of_them[name])
            for name, value in header.items()
        )
        blocks += [
            Heading(contest, 2),
            Table(
                ("contador", "al cierre", "las mismas actas", "si llegara todo"), rows, (5, 2, 2, 2),
                numbers_from(1, 4), small=True,
            ),
        ]  # fmt: skip
    return blocks


def _fields(columns: dict[str, dict[str, Any]]) -> Table:
    rows = tuple(
        (
            name, count(one["tecleados"]), count(one["tecleados_con_error"]), count(one["publicados"]),
            count(one["publicados_con_error"]), pct(one["exactitud_pct"]), count(one["votos_mal_puestos"]),
        )
        for name, one in columns.items()
    )  # fmt: skip
    return Table(
        ("campo", "tecleados", "con error", "publicados", "con error", "exactitud %", "votos mal puestos"),
        rows,
        (3.4, 1.4, 1.3, 1.5, 1.3, 1.6, 1.5), numbers_from(1, 7), small=True,
    )  # fmt: skip
