"""The catalogue of Jalisco that ships with the project, for 2021, 2024 and the plan of 2027.

Facts (municipios, distritos, secciones, totals) come from the two files beside this module; which
casilla is where and how many voters it has is modelled, because no list of casillas of Jalisco was
found. The provenance of the catalogue says which is which. It knows no candidates by name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from core.catalogs.assembly import Allowance, ContestPlan, assemble
from core.catalogs.ballots import casilla_key
from core.catalogs.columns import Coalition, Field
from core.catalogs.jalisco.sections import (
    HERE,
    Municipio,
    Section,
    build_sections,
    extraordinaria_voters,
    read_municipios,
)
from core.domain.catalog import Casilla, Catalog, Catd, Contest, Entidad, Scope, Territory

ENTIDAD = Entidad(14, "JALISCO", "JAL", -360)

YEARS = (2021, 2024, 2027)

_FACTS = (
    "125 municipios, 20 distritos y 3,570 secciones con su municipio; 10,903 casillas aprobadas en 2024 "
    "(3,785 básicas, 6,783 contiguas, 281 extraordinarias, 54 especiales); tope de 750 en lista nominal; "
    "padrón de 6,619,341 en 2024; qué distritos tocan cada municipio dividido; "
    "un CATD por municipio y por distrito"
)
_MODELLED = (
    "las 215 secciones que faltan para 3,785 básicas; casillas y lista nominal de cada sección; "
    "secciones urbanas; dónde están las extraordinarias y las especiales; secciones de cada distrito en "
    "Guadalajara, Zapopan, Tlaquepaque, Tonalá y Tlajomulco; cabeceras; qué CATD recibe cada sección; "
    "representaciones (2 por partido) y 1,000 boletas por casilla especial; coaliciones en todo el estado, "
    "sin candidaturas independientes ni comunes"
)
_BY_YEAR = {
    2021: "Hecho en 2021: partidos. Modelado en 2021: total de casillas (el de 2024, porque el de 2021 no "
    "se encontró; en 2018 fueron 9,775), lista nominal (96 % del padrón de 2024) y ausencia de coaliciones.",
    2024: "Hecho en 2024: partidos, las dos coaliciones y 10,917 actas de gubernatura. Modelado en 2024: a "
    "qué tipo pertenecen las 14 actas de gubernatura que no son de casilla; el padrón hace de lista nominal.",
    2027: "Modelado en 2027: todo lo que el plan aún no fija: casillas (las de 2024), lista nominal (104 % "
    "del padrón de 2024), partidos y coalición.",
}


def jalisco(year: int) -> Catalog:
    """The catalogue of a year in `YEARS`: two contests in 2021 and 2027, three in 2024.

    Raises ValueError for another year.
    """
    if year not in YEARS:
        raise ValueError(f"no Jalisco catalogue for {year}")
    facts = tomllib.loads((HERE / "jalisco.toml").read_text(encoding="utf-8"))
    municipios = read_municipios()
    names = {municipio.id: municipio.name for municipio in municipios}
    sections = build_sections(municipios, facts, year)
    seats: list[int] = facts["distritos"]["cabeceras"]
    catds, catd_of = _catds(sections, municipios, seats, facts["catds"])
    casillas = _casillas(sections, catd_of)
    votes_in: dict[int, frozenset[str]] = {}
    election = facts["eleccion"][str(year)]
    if "GUB" in election["contiendas"]:
        _without_section(casillas, facts["casillas"]["sin_seccion_2024"], votes_in)
    plans = [
        _plan(code, facts["contienda"][code], election, facts["partidos"]) for code in election["contiendas"]
    ]
    filled, layouts, actas = assemble(
        casillas, plans, Allowance(special_ballots=facts["casillas"]["boletas_especial"]), votes_in
    )
    return Catalog(
        entidad=ENTIDAD,
        election=election["nombre"],
        distritos={
            number: Territory(number, f"DISTRITO {number:02d} {names[seat]}")
            for number, seat in enumerate(seats, start=1)
        },
        municipios={municipio.id: Territory(municipio.id, municipio.name) for municipio in municipios},
        catds=catds,
        casillas=filled,
        contests={plan.contest.id: plan.contest for plan in plans},
        layouts=layouts,
        actas=actas,
        provenance=f"Hecho: {_FACTS}. Modelado: {_MODELLED}. {_BY_YEAR[year]}",
    )


def _plan(
    code: str, facts: Mapping[str, Any], election: Mapping[str, Any], names: Mapping[str, str]
) -> ContestPlan:
    field = Field(
        parties=tuple(election["partidos"]),
        names=names,
        coalitions=tuple(Coalition(tuple(parties)) for parties in election["coaliciones"]),
    )
    contest = Contest(code, facts["nombre"], Scope(facts["ambito"]), field.columns())
    return ContestPlan(
        contest,
        facts["acta"],
        facts["acta_especial"],
        facts.get("acta_especial_rp"),
        lambda territory, rp: field.mask(contest.columns, territory, rp),
    )


def _catds(
    sections: Sequence[Section],
    municipios: Sequence[Municipio],
    seats: Sequence[int],
    rule: Mapping[str, int],
) -> tuple[list[Catd], dict[int, int]]:
    """One CATD per municipio, then one per distrito; and the CATD of each sección by its number."""
    share: dict[int, dict[int, int]] = {}
    for section in sections:
        counts = share.setdefault(section.municipio, {})
        counts[section.distrito] = counts.get(section.distrito, 0) + 1
    catds: list[Catd] = []
    municipal: dict[int, int] = {}
    for municipio in municipios:
        counts = share[municipio.id]
        main = max(counts, key=lambda distrito: (counts[distrito], -distrito))
        municipal[municipio.id] = len(catds)
        name = f"CATD municipal {municipio.id:03d} {municipio.name}"
        catds.append(Catd(len(catds), name, main, municipio.id))
    names = {municipio.id: municipio.name for municipio in municipios}
    distrital: dict[int, int] = {}
    for distrito, seat in enumerate(seats, start=1):
        distrital[distrito] = len(catds)
        catds.append(Catd(len(catds), f"CATD distrital {distrito:02d} {names[seat]}", distrito, seat))
    split = {municipio.id for municipio in municipios if municipio.distrito is None}
    catd_of: dict[int, int] = {}
    for section in sections:
        every = 1
        if section.municipio in split:
            every = rule["una_de_cada_municipio_dividido"]
        elif seats[section.distrito - 1] == section.municipio:
            every = rule["una_de_cada_otras_sedes"]
        own = section.order % every == 0
        catd_of[section.number] = municipal[section.municipio] if own else distrital[section.distrito]
    return catds, catd_of


def _casillas(sections: Sequence[Section], catd_of: Mapping[int, int]) -> list[Casilla]:
    """Casillas of every sección in order of distrito and number, without representatives."""
    result: list[Casilla] = []
    for section in sorted(sections, key=lambda item: (item.distrito, item.number)):
        catd = catd_of[section.number]
        count = section.contiguas + 1
        each, left = divmod(section.voters, count)
        made = [("B", 1, 0, each + (left > 0))]
        made += [("C", n, 0, each + (n < left)) for n in range(1, count)]
        made += [
            ("E", 1, n, extraordinaria_voters(section.number, n)) for n in range(section.extraordinarias)
        ]
        made += [("S", 1, 0, 0)] * section.especiales
        for tipo, numero, ext, voters in made:
            result.append(
                Casilla(
                    len(result),
                    casilla_key(ENTIDAD.id, section.number, tipo, numero, ext),
                    section.number,
                    tipo,
                    numero,
                    ext,
                    1 if section.urban else 2,
                    voters,
                    None,
                    section.distrito,
                    section.municipio,
                    catd,
                )
            )
    return result


def _without_section(
    casillas: list[Casilla], counts: Mapping[str, int], votes_in: dict[int, frozenset[str]]
) -> None:
    """Rows of voters abroad, in advance and in prison: only gubernatura, gathered in the capital."""
    home = next(casilla.catd for casilla in casillas if casilla.distrito == 8)
    voters = {"M": 3_000, "A": 40, "P": 120}
    for tipo, count in counts.items():
        for numero in range(1, count + 1):
            number = len(casillas)
            votes_in[number] = frozenset({"GUB"})
            place = None if tipo == "M" else numero
            casillas.append(
                Casilla(
                    number,
                    casilla_key(ENTIDAD.id, None, tipo, 0 if tipo == "M" else 1, 0),
                    None,
                    tipo,
                    0 if tipo == "M" else 1,
                    0,
                    1,
                    voters[tipo],
                    None,
                    place,
                    None,
                    home,
                )
            )
