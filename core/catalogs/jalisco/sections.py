"""Secciones of Jalisco: their municipio, distrito, kind of place and how many casillas each has.

Reads the compact table of facts beside it and models the rest with whole numbers. Everything is
deterministic. It makes no casilla.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.catalogs.apportion import fit_total, highest_averages, largest_remainder, mix

HERE = Path(__file__).parent

_MOST_CASILLAS = 24
_CONTIGUAS, _LISTA, _EXTRA, _SPREAD = 1, 2, 3, 4
"""Streams of the scatter, one per quantity modelled, so that changing one moves no other."""


@dataclass(frozen=True, slots=True)
class Municipio:
    """A municipio of Jalisco; `id` is the INE code, `distrito` None where it is split."""

    id: int
    name: str
    population: int
    distrito: int | None
    secciones: tuple[int, ...]


@dataclass(slots=True)
class Section:
    """A sección and what the catalogue needs to make its casillas. `voters` leaves out those of E."""

    number: int
    municipio: int
    distrito: int
    order: int
    """Position among the secciones of its municipio."""
    urban: bool
    contiguas: int = 0
    extraordinarias: int = 0
    especiales: int = 0
    voters: int = 0


def read_municipios() -> list[Municipio]:
    """The 125 municipios, by INE code."""
    with (HERE / "municipios.csv").open(encoding="utf-8", newline="") as file:
        return [
            Municipio(
                int(row["id"]),
                row["nombre"],
                int(row["poblacion"]),
                int(row["distrito"]) if row["distrito"] else None,
                _ranges(row["secciones"]),
            )
            for row in csv.DictReader(file)
        ]


def _ranges(text: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in text.split():
        first, _, last = part.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return tuple(numbers)


def build_sections(municipios: Sequence[Municipio], facts: Mapping[str, Any], year: int) -> list[Section]:
    """Every sección of a year, in order of municipio and number, with its casillas counted."""
    totals = facts["casillas"]
    numbers = _with_later_sections(municipios, totals)
    sections: list[Section] = []
    for municipio, owned in zip(municipios, numbers, strict=True):
        distritos = _distritos_of(municipio, len(owned), facts["divididos"])
        urban = len(owned) * _urban_share(municipio.population, facts["urbanas"]["escalones"]) // 100
        for order, number in enumerate(owned):
            sections.append(Section(number, municipio.id, distritos[order], order, order < max(1, urban)))
    _share_contiguas(sections, municipios, totals)
    _place_extraordinarias(sections, totals["extraordinarias"])
    _place_especiales(sections, municipios, facts)
    _share_voters(sections, facts["lista_nominal"][str(year)], totals)
    return sections


def extraordinaria_voters(section: int, ordinal: int) -> int:
    """Lista nominal of a casilla extraordinaria: 228 to 737 in the sample of 2018, 542 on average."""
    return 360 + mix(_EXTRA, section, ordinal) % 361


def _with_later_sections(municipios: Sequence[Municipio], totals: Mapping[str, Any]) -> list[list[int]]:
    known = [list(municipio.secciones) for municipio in municipios]
    missing = totals["basicas"] - sum(len(owned) for owned in known)
    shares = highest_averages(missing, [m.population for m in municipios], [len(owned) for owned in known])
    following = totals["ultima_seccion"] + 1
    for owned, share in zip(known, shares, strict=True):
        owned.extend(range(following, following + share))
        following += share
    return known


def _distritos_of(municipio: Municipio, count: int, split: Mapping[str, Any]) -> list[int]:
    if municipio.distrito is not None:
        return [municipio.distrito] * count
    parts = split[str(municipio.id)]
    blocks = largest_remainder(count, [share for _, share in parts])
    return [distrito for (distrito, _), size in zip(parts, blocks, strict=True) for _ in range(size)]


def _urban_share(population: int, steps: Sequence[Sequence[int]]) -> int:
    return next(percent for least, percent in steps if population >= least)


def _share_contiguas(
    sections: list[Section], municipios: Sequence[Municipio], totals: Mapping[str, Any]
) -> None:
    """Contiguas by municipio as its voters ask for beyond its básicas, and unevenly inside it."""
    owned: dict[int, list[Section]] = {}
    for section in sections:
        owned.setdefault(section.municipio, []).append(section)
    population = sum(m.population for m in municipios)
    casillas = totals["basicas"] + totals["contiguas"]
    # A sección fills its last casilla half way on average: that half is not voters asking for one more.
    asked = [max(0, 2 * casillas * m.population - len(owned[m.id]) * population) for m in municipios]
    for municipio, share in zip(municipios, largest_remainder(totals["contiguas"], asked), strict=True):
        own = owned[municipio.id]
        # The cube makes few secciones large, as in real lists (the largest of Puebla has 25 casillas).
        weights = [(30 + mix(_CONTIGUAS, s.number) % 100) ** 3 for s in own]
        for section, contiguas in zip(own, largest_remainder(share, weights), strict=True):
            section.contiguas = min(contiguas, _MOST_CASILLAS)
        left = share - sum(s.contiguas for s in own)
        for section in own:
            more = min(left, _MOST_CASILLAS - section.contiguas)
            section.contiguas += more
            left -= more


def _place_extraordinarias(sections: list[Section], total: int) -> None:
    """In secciones not urban, up to three in one (extraordinaria and its contiguas)."""
    rural = sorted((s for s in sections if not s.urban), key=lambda s: mix(_SPREAD, s.number))
    left = total
    for position, section in enumerate(rural):
        if left == 0:
            return
        section.extraordinarias = min(left, 1 + (position % 5 == 0) + (position % 25 == 0))
        left -= section.extraordinarias


def _place_especiales(
    sections: list[Section], municipios: Sequence[Municipio], facts: Mapping[str, Any]
) -> None:
    """One in the seat of each distrito and the rest by population; one per sección, in the first ones."""
    index = {municipio.id: position for position, municipio in enumerate(municipios)}
    owned: dict[tuple[int, int], list[Section]] = {}
    for section in sections:
        owned.setdefault((section.municipio, section.distrito), []).append(section)
    held = [0] * len(municipios)
    used: dict[int, int] = {}

    def place(own: list[Section]) -> None:
        free = [s for s in own if s.especiales == 0 and s.urban] or [s for s in own if s.especiales == 0]
        chosen = min(free, key=lambda s: mix(_SPREAD, s.number, 7))
        chosen.especiales = 1
        held[index[chosen.municipio]] += 1
        used[chosen.distrito] = used.get(chosen.distrito, 0) + 1

    for distrito, seat in enumerate(facts["distritos"]["cabeceras"], start=1):
        place(owned[seat, distrito])
    rest = facts["casillas"]["especiales"] - sum(held)
    extra = highest_averages(rest, [m.population for m in municipios], held)
    for municipio, count in zip(municipios, extra, strict=True):
        for _ in range(count):
            parts = [own for (owner, _), own in owned.items() if owner == municipio.id]
            place(min(parts, key=lambda own: used.get(own[0].distrito, 0)))


def _share_voters(sections: list[Section], total: int, totals: Mapping[str, Any]) -> None:
    """Voters of each sección: all its casillas but the last are full, the last takes what is left.

    That is the rule by which casillas are approved (one more past each 750), so a sección with n
    casillas has more than 750(n-1) voters and at most 750n. Casillas of one sección then share them evenly.
    """
    cap, least = totals["tope_lista_nominal"], totals["minimo_lista_nominal"]
    apart = sum(extraordinaria_voters(s.number, i) for s in sections for i in range(s.extraordinarias))
    low = [cap * s.contiguas + (1 if s.contiguas else least) for s in sections]
    high = [cap * (s.contiguas + 1) for s in sections]
    drawn = [
        lo + mix(_LISTA, s.number) % (hi - lo + 1) for s, lo, hi in zip(sections, low, high, strict=True)
    ]
    for section, voters in zip(sections, fit_total(drawn, low, high, total - apart), strict=True):
        section.voters = voters
