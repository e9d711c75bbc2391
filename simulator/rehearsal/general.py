"""What several rehearsals say together: the comparison, and the general report (entregable 27).

It compares the figures each summary already has. One rehearsal alone is `sections`.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.documents.document import (
    Block,
    Cell,
    Document,
    Heading,
    Items,
    Picture,
    Table,
    Text,
    numbers_from,
)
from simulator.rehearsal import pictures
from simulator.rehearsal.data import Rehearsal
from simulator.rehearsal.labels import distinct, on_top
from simulator.rehearsal.verdict import Ruling, answer, passes, without_cuts
from simulator.rehearsal.words import NOTHING, count, minutes, pct, yes_no

LEAST_REHEARSALS = 3
"""Rehearsals there must be (Reglamento de Elecciones, art. 349)."""
_MILESTONES = ("25", "50", "75", "80", "90", "95", "100")


def build(rehearsals: Sequence[Rehearsal], rulings: Sequence[Sequence[Ruling]]) -> Document:
    """The general report on all of them, in order of date."""
    good = sum(passes(one) for one in rulings)
    held = distinct(rehearsals)
    runs = "simulacros" if held == len(rehearsals) else "corridas"
    words = f"{good} de {len(rehearsals)} {runs} cumplen todas las reglas. "
    if held < len(rehearsals):
        words += (
            f"Las corridas de un mismo escenario en una misma fecha cuentan como un simulacro: son {held}. "
        )
    words += (
        f"Se hicieron al menos {LEAST_REHEARSALS}, como pide el artículo 349."
        if held >= LEAST_REHEARSALS
        else f"El artículo 349 pide al menos {LEAST_REHEARSALS}; este informe cubre {held}."
    )
    blocks: list[Block] = [
        Heading("Resultado general"),
        Text(words, strong=True),
        _who(rehearsals),
        _rules(rehearsals, rulings),
        Heading("Comparación"),
        *comparison(rehearsals),
        Picture(pictures.together(rehearsals)),
        Heading("Minutos para alcanzar cada porcentaje capturado"),
        _reached(rehearsals),
        Heading("Incidentes de todos los simulacros"),
        _incidents(rehearsals),
        Heading("Lo que quedó pendiente"),
        *_pending(rehearsals, rulings),
    ]
    first, last = rehearsals[0], rehearsals[-1]
    subtitle = f"{len(rehearsals)} {runs}, del {first.start:%d/%m/%Y} al {last.start:%d/%m/%Y}"
    return Document("Informe general de los simulacros", subtitle, last.end, tuple(blocks))


def _who(rehearsals: Sequence[Rehearsal]) -> Table:
    """Which run each name is, and which file tells of it."""
    rows = tuple(
        (
            one.name, one.title, f"{one.start:%d/%m/%Y}", str(one.data["semilla"]),
            ", ".join(on_top(one.data)) or NOTHING, one.file or NOTHING,
        )
        for one in rehearsals
    )  # fmt: skip
    titles = ("simulacro", "título", "fecha", "semilla", "incidencias puestas encima", "archivo")
    return Table(titles, rows, (2.4, 3.2, 1.6, 1.2, 2, 3), frozenset({3}), small=True)


def comparison(rehearsals: Sequence[Rehearsal]) -> list[Block]:
    """One column per rehearsal."""
    rows: list[tuple[Cell, ...]] = []

    def row(name: str, values: Sequence[str]) -> None:
        rows.append((name, *values))

    datas = [one.data for one in rehearsals]
    row("fecha", [f"{one.start:%d/%m/%Y}" for one in rehearsals])
    row("duración (min)", [count(data["comparacion"]["duracion_min"]) for data in datas])
    for name, key in (
        ("capturadas %", "capturadas_pct"),
        ("contabilizadas %", "contabilizadas_pct"),
        ("con imagen %", "capturadas_con_imagen_pct"),
    ):
        row(name, [pct(data["total"][key]) for data in datas])
    row("actas por PREP Casilla", [count(data["prep_casilla"]["actas_capturadas"]) for data in datas])
    row("CAE con PREP Casilla", [count(data["prep_casilla"]["cae_que_la_usaron"]) for data in datas])
    row("capturistas", [count(data["personal"].get("capturistas", 0)) for data in datas])
    for name, key in (("cortes publicados", "publicados"), ("cortes no publicados", "no_publicados")):
        row(
            name,
            ["sin cortes" if without_cuts(data) else count(data["cortes_por_hora"][key]) for data in datas],
        )
    row("incidentes", [count(len(data["incidentes"])) for data in datas])
    row("minutos sin enlace", [count(data["enlaces"]["minutos_sin_enlace"]) for data in datas])
    last_steps = [
        next((s for s in data["tiempos"] if s["paso"] == "acopio → verificación"), None) for data in datas
    ]
    medians = [minutes(step["mediana_min"] if step else None) for step in last_steps]
    row("acopio a verificación, mediana (min)", medians)
    row("campos publicados bien %", [pct(data["puntuacion"]["exactitud_publicada_pct"]) for data in datas])
    titles = ("dato", *(one.name for one in rehearsals))
    weights = (3.2, *(1.8 for _ in rehearsals))
    return [Table(titles, tuple(rows), weights, numbers_from(1, len(titles)), small=len(titles) > 5)]


def _rules(rehearsals: Sequence[Rehearsal], rulings: Sequence[Sequence[Ruling]]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (rule.rule, *(answer(one[at]) for one in rulings)) for at, rule in enumerate(rulings[0])
    ]
    rows.append(("Todas", *(yes_no(passes(one)) for one in rulings)))
    titles = ("regla", *(one.name for one in rehearsals))
    return Table(titles, tuple(rows), (4.5, *(1.6 for _ in rehearsals)), small=len(titles) > 5)


def _reached(rehearsals: Sequence[Rehearsal]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for percent in _MILESTONES:
        values = [one.data["comparacion"]["minuto_en_que_se_alcanza_pct"].get(percent) for one in rehearsals]
        rows.append((f"{percent} %", *("no" if value is None else count(value) for value in values)))
    titles = ("capturadas", *(one.name for one in rehearsals))
    return Table(titles, tuple(rows), (2, *(1.6 for _ in rehearsals)), numbers_from(1, len(titles)))


def _incidents(rehearsals: Sequence[Rehearsal]) -> Table | Text:
    rows: list[tuple[Cell, ...]] = [
        (
            one.name,
            incident["desde"],
            incident["hasta"],
            incident["nombre"],
            incident["remedio"] or NOTHING,
        )
        for one in rehearsals
        for incident in one.data["incidentes"]
    ]
    if not rows:
        return Text("Ninguno.")
    return Table(("simulacro", "de", "a", "qué pasó", "remedio"), tuple(rows), (2, 1, 1, 5, 4.5), small=True)


def _pending(rehearsals: Sequence[Rehearsal], rulings: Sequence[Sequence[Ruling]]) -> list[Block]:
    items = [
        f"{one.name}: {ruling.commitment}"
        for one, found in zip(rehearsals, rulings, strict=True)
        for ruling in found
        if not ruling.met
    ]
    items += [f"{one.name}: {words}" for one in rehearsals for words in one.notes.commitments]
    return [Items(tuple(items))] if items else [Text("Nada: todas las reglas se cumplieron en todos.")]
