"""The report of one rehearsal, block by block: every field asked of it, in Spanish.

It takes the summary and the rulings as they are and computes nothing but how they read. The charts
are `pictures`; what several rehearsals say together is `general`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.documents.document import (
    Block,
    Cell,
    Document,
    Heading,
    Items,
    Picture,
    Status,
    Table,
    Text,
    facts,
    numbers_from,
)
from simulator.rehearsal import pictures
from simulator.rehearsal.annexes import annexes
from simulator.rehearsal.data import Rehearsal
from simulator.rehearsal.general import comparison
from simulator.rehearsal.incidents import continuity, exactness, incidents
from simulator.rehearsal.labels import on_top
from simulator.rehearsal.verdict import REPORT_AND_DECIDE, Ruling, answer, passes, without_cuts
from simulator.rehearsal.words import NOTHING, clock, count, hour, minutes, pct, share_of, yes_no

TO_FILL = "Por llenar: lo da quien organiza el simulacro (opción --notas)."
_TREATMENT = {
    "S1": "registrada sin acta", "S2": "registrada sin acta", "S3": "registrada sin acta",
    "S4": "registrada sin acta", "C1": "aparte, sin sumar", "V1": "no se contabiliza",
    "V2": "no se contabiliza", "V3": "no se contabiliza", "V4": "no se contabiliza",
    "V5": "se contabiliza, con observación", "V6": "se contabiliza, con observación",
    "I1": "se contabiliza, con observación",
}  # fmt: skip
_NOTICE = "aviso interno; no cambia lo publicado"


def build(rehearsal: Rehearsal, rulings: Sequence[Ruling], earlier: Sequence[Rehearsal]) -> Document:
    """The whole report; `earlier` are the rehearsals before this one, in order."""
    data = rehearsal.data
    blocks: list[Block] = [
        *_verdict(rulings), *_general(rehearsal), *_actas(rehearsal), *_cuts(rehearsal), *_places(data),
        *_people(data), *_phases(data), *_planted(data), *continuity(data), *incidents(data),
        *exactness(data), *_watchers(rehearsal), *_compared(rehearsal, earlier),
        *_commitments(rehearsal, rulings), *annexes(rehearsal),
    ]  # fmt: skip
    incidents_on_top = f", con {', '.join(on_top(data))}" if on_top(data) else ""
    subtitle = (
        f"Escenario {data['escenario']}, semilla {data['semilla']}{incidents_on_top} · "
        f"{rehearsal.start:%d/%m/%Y}"
    )
    return Document(f"Informe del simulacro: {rehearsal.title}", subtitle, rehearsal.end, tuple(blocks))


def verdict_table(rulings: Sequence[Ruling]) -> Table:
    """Rule, answer, what was seen and source."""
    rows = tuple((one.rule, answer(one), one.seen, one.source) for one in rulings)
    return Table(("regla", "cumple", "qué se vio", "fuente"), rows, (5, 1.6, 8, 1.9))


def _verdict(rulings: Sequence[Ruling]) -> list[Block]:
    good = passes(rulings)
    words = (
        "El simulacro cumple todas las reglas."
        if good
        else f"El simulacro no cumple {sum(not one.met for one in rulings)} de las {len(rulings)} reglas."
    )
    tried_not = sum(not one.exercised for one in rulings)
    if tried_not:
        words += f" De ellas, {tried_not} no se ejercitó."
    return [Heading("Veredicto"), Text(words, strong=True), verdict_table(rulings)]


def _general(rehearsal: Rehearsal) -> list[Block]:
    data = rehearsal.data
    opening = data["base_en_ceros"]
    first, acta = opening["primer_evento"], opening["primera_acta"]
    rows: list[tuple[str, Cell]] = [
        ("base en ceros", yes_no(bool(opening["cumple"]))),
        (
            "hora de la base en ceros",
            f"{clock(first['hora'])}: evento {first['secuencia']} de la bitácora, apertura"
            if first
            else NOTHING,
        ),
        ("primera acta", f"{clock(acta['hora'])} (evento {acta['secuencia']})" if acta else NOTHING),
        ("inicio", f"{rehearsal.start:%d/%m/%Y %H:%M}"),
        ("término", f"{rehearsal.end:%d/%m/%Y %H:%M} (UTC{_offset(rehearsal)})"),
        ("duración", _length(data["comparacion"]["duracion_min"])),
        ("catálogo", f"{data['catalogo']['nombre']}; {count(len(data['por_catd']))} CATD"),
        ("huella del catálogo", data["catalogo"]["huella"]),
        ("huella del escenario", data["escenario_sha256"]),
        ("huella de la verdad sellada", data["verdad_sha256"]),
        ("huella del estado final", data["huella"]),
        ("primer eslabón de la bitácora", first["cadena"] if first else NOTHING),
        (
            "base comparada con el resumen",
            "sí, terminan igual" if rehearsal.checked else "no: la base no está en la carpeta",
        ),
    ]
    return [Heading("Datos generales"), facts(rows)]


def _offset(rehearsal: Rehearsal) -> str:
    return rehearsal.end.isoformat()[-6:]


def _length(minutes: int) -> str:
    return f"{minutes // 60} h {minutes % 60:02d} min"


_STAGES = (
    ("esperadas", "esperadas"), ("acopiadas", "acopiadas"), ("digitalizadas", "digitalizadas"),
    ("con_captura", "con captura"), ("verificadas", "verificadas"), ("publicadas", "publicadas"),
    ("sin_acta", "sin acta"),
)  # fmt: skip


def _actas(rehearsal: Rehearsal) -> list[Block]:
    data, total = rehearsal.data, rehearsal.data["total"]
    stages = [
        (name, *(count(share[key]) for key, _ in _STAGES))
        for name, share in data["etapas_por_contienda"].items()
    ]
    shares: list[tuple[Cell, ...]] = [
        (
            name, count(one["esperadas"]), count(one["capturadas"]), pct(one["capturadas_pct"]),
            count(one["contabilizadas"]), pct(one["contabilizadas_pct"]),
            count(one["capturadas_con_imagen"]), pct(one["capturadas_con_imagen_pct"]),
        )
        for name, one in [*data["por_contienda"].items(), ("total", total)]
    ]  # fmt: skip
    blocks: list[Block] = [
        Heading("Actas por elección"),
        Text(
            "Capturada es el acta verificada o registrada «sin acta»; contabilizada, la que suma votos; con "
            "imagen, la capturada que tiene su imagen. Por eso se dicen aparte."
        ),
        Table(
            ("elección", "esperadas", "capturadas", "%", "contabilizadas", "%", "con imagen", "%"),
            tuple(shares), (1.9, 1.6, 1.8, 1.6, 2.3, 1.6, 1.8, 1.6), numbers_from(1, 8),
        ),
        Table(
            ("elección", *(title for _, title in _STAGES)), tuple(stages),
            (2.2, 1.6, 1.6, 1.9, 1.7, 1.7, 1.7, 1.4), numbers_from(1, 8),
        ),
        Picture(pictures.progress(rehearsal)),
    ]  # fmt: skip
    if total["capturadas"] != total["esperadas"]:
        short = total["esperadas"] - total["capturadas"]
        blocks.append(Text(f"Faltaron {count(short)} actas por procesar. {REPORT_AND_DECIDE}", strong=True))
    return blocks


def _cuts(rehearsal: Rehearsal) -> list[Block]:
    data = rehearsal.data
    cuts = data["cortes_por_hora"]
    if without_cuts(data):
        return [Heading("Cortes publicados"), Text("Se corrió sin cortes (--sin-cortes): no hay qué juzgar.")]
    rows = tuple(
        (
            hour(one["desde"]), count(one["debidos"]), count(one["publicados"]),
            count(max(0, one["debidos"] - one["publicados"])),
            Status("hora incompleta", None) if one["cumple"] is None else yes_no(one["cumple"]),
        )
        for one in cuts["horas"]
    )  # fmt: skip
    gap = cuts["mayor_espera_min"]
    blocks: list[Block] = [
        Heading("Cortes publicados"),
        Text(
            f"Debidos {count(cuts['debidos'])}, publicados {count(cuts['publicados'])}, no publicados "
            f"{count(cuts['no_publicados'])}; mayor espera entre dos cortes: "
            f"{f'{gap} min' if gap is not None else 'no hubo dos cortes'}. El avance en cada corte está en "
            "el anexo A."
        ),
        Table(
            ("hora que empieza", "debidos", "publicados", "faltaron", f"al menos {cuts['minimo']}"), rows,
            (2, 1.2, 1.2, 1.2, 2), frozenset({1, 2, 3}),
        ),
    ]  # fmt: skip
    if data["cortes_no_publicados"]:
        blocks.append(
            Table(
                ("corte no publicado", "motivo"),
                tuple((hour(one["hora"]), one["motivo"]) for one in data["cortes_no_publicados"]),
                (2, 7),
            )
        )
    return blocks


def _places(data: dict[str, Any]) -> list[Block]:
    places = data["por_catd"]
    whole = sum(one["capturadas"] == one["esperadas"] for one in places)
    cut_off = [one for one in places if one["minutos_sin_enlace"]]
    return [
        Heading("Centros de acopio (CATD)"),
        Text(
            f"{count(whole)} de {count(len(places))} CATD terminaron con todas sus actas capturadas; "
            f"{count(len(cut_off))} estuvieron algún minuto sin enlace. La tabla completa está en el anexo B."
        ),
        Picture(pictures.places(places)),
    ]


def _people(data: dict[str, Any]) -> list[Block]:
    phone, origins = data["prep_casilla"], data["por_origen"]
    captured = sum(origins.values())
    return [
        Heading("Personal y PREP Casilla"),
        Table(
            ("función", "personas"),
            tuple((role.replace("_", " "), count(n)) for role, n in data["personal"].items()),
            (4, 2), frozenset({1}),
        ),
        Text(
            f"PREP Casilla: {count(phone['cae_que_la_usaron'])} de {count(phone['cae'])} CAE enviaron al "
            f"menos una imagen, de {count(phone['casillas_con_foto'])} de {count(phone['casillas'])} "
            f"casillas; {count(phone['actas_capturadas'])} actas capturadas "
            f"({pct(phone['actas_capturadas_pct'])} % de las capturadas)."
        ),
        Table(
            ("origen / medio", "actas", "% de las capturadas"),
            tuple((name, count(n), share_of(n, captured)) for name, n in origins.items()),
            (4, 2, 2), frozenset({1, 2}),
        ),
    ]  # fmt: skip


def _phases(data: dict[str, Any]) -> list[Block]:
    rows = tuple(
        (
            one["fase"], count(one["eventos"]), clock(one["primera"]), clock(one["ultima"]),
            yes_no(one["eventos"] > 0) if one["obligatoria"] or one["eventos"]
            else Status("no prevista", None),
        )
        for one in data["fases"]
    )  # fmt: skip
    lengths = tuple(
        (one["paso"], count(one["actas"]), *(minutes(one[key]) for key in _QUANTILES))
        for one in data["tiempos"]
    )
    return [
        Heading("Fases del proceso y sus tiempos"),
        Table(
            ("fase", "eventos", "primero", "último", "ejercitada"), rows, (4, 1.6, 1.6, 1.6, 2),
            frozenset({1, 2, 3}),
        ),
        Text("El empaquetado de las actas no deja eventos en la base: no se simula. Minutos de cada paso:"),
        Table(
            ("paso", "actas", "mediana", "p90", "p95"), lengths, (6, 1.5, 1.4, 1.4, 1.4), numbers_from(1, 5)
        ),
        Picture(pictures.steps(data["tiempos"])),
    ]  # fmt: skip


_QUANTILES = ("mediana_min", "p90_min", "p95_min")


def _planted(data: dict[str, Any]) -> list[Block]:
    rows = tuple(
        (
            one["codigo"], one["nombre"], count(one["sembradas"]), count(one["sembradas_en_las_publicadas"]),
            count(one["registradas"]), _TREATMENT.get(one["codigo"], _NOTICE),
        )
        for one in data["inconsistencias"]
    )  # fmt: skip
    provoked = [f"{code}: {n:,}" for code, n in data["rechazos_provocados"].items()]
    unprovoked = [f"{code}: {n:,}" for code, n in data["rechazos"].items()]
    return [
        Heading("Inconsistencias sembradas y su tratamiento"),
        Table(
            ("código", "inconsistencia", "sembradas", "en las publicadas", "registradas", "tratamiento"),
            rows,
            (1.1, 4.3, 1.3, 1.4, 1.3, 3.6), frozenset({2, 3, 4}), small=True,
        ),
        Text(
            f"Rechazos provocados a propósito: {', '.join(provoked) or 'ninguno'}. Rechazos no provocados: "
            f"{', '.join(unprovoked) or 'ninguno'}."
        ),
    ]  # fmt: skip


def _watchers(rehearsal: Rehearsal) -> list[Block]:
    notes, data = rehearsal.notes, rehearsal.data
    return [
        Heading("Difusores, auditoría y observaciones"),
        facts(
            [
                ("difusores conectados", notes.difusores or TO_FILL),
                ("verificación del ente auditor al inicio", notes.auditor or TO_FILL),
                (
                    "evidencia para el auditor",
                    "huellas de catálogo, escenario, verdad sellada y estado final; cadena de la bitácora "
                    f"desde el evento {data['base_en_ceros']['primer_evento']['secuencia']}"
                    if data["base_en_ceros"]["primer_evento"]
                    else NOTHING,
                ),
                ("observaciones", notes.remarks or TO_FILL),
            ]
        ),
    ]


def _compared(rehearsal: Rehearsal, earlier: Sequence[Rehearsal]) -> list[Block]:
    heading = Heading("Comparación con los simulacros anteriores")
    if not earlier:
        return [heading, Text("No se dio ningún simulacro anterior con que comparar.")]
    together = [*earlier, rehearsal]
    return [heading, *comparison(together), Picture(pictures.together(together))]


def _commitments(rehearsal: Rehearsal, rulings: Sequence[Ruling]) -> list[Block]:
    items = [one.commitment for one in rulings if not one.met]
    items += rehearsal.notes.commitments
    heading = Heading("Compromisos")
    if not items:
        return [heading, Text("Ninguna regla quedó sin cumplir y no se anotaron otros.")]
    return [heading, Items(tuple(items))]
