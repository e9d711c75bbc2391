"""When and how every acta gets out of its casilla, decided before the night.

The actas of one casilla travel together in one package; those photographed with PREP Casilla are
seen earlier and their envelopes still arrive later. What never arrives, and why, is here too. What
happens after the door of the CATD is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from core.domain.catalog import WITHOUT_SECTION, Catalog
from core.domain.rules import SinActaReason
from simulator.scenario.base import MS_PER_MINUTE
from simulator.scenario.document import Arrivals, Scenario
from simulator.seeds import Seeds

URBAN = 1
ABROAD_SIGMA = 0.1
"""Dispersion of the time at which the actas of no section are counted."""


@dataclass(frozen=True, slots=True)
class Photo:
    """An acta photographed at its casilla: when the shot was made and when it is received."""

    acta: int
    shot_ms: int
    arrives_ms: int


@dataclass(frozen=True, slots=True)
class Package:
    """What leaves one casilla. Times are ms since the start; `at_catd_ms` None when it never arrives."""

    casilla: int
    catd: int
    at_catd_ms: int | None
    mechanism: str
    photos: tuple[Photo, ...]
    envelopes: tuple[int, ...]
    """Actas whose envelope travels with the package."""
    missing: tuple[tuple[int, SinActaReason], ...]
    """Actas that nobody will have, neither by phone nor on paper, and why."""


def actas_by_catd(catalog: Catalog) -> list[int]:
    """Expected actas of each CATD, by its id."""
    sizes = [0] * len(catalog.catds)
    for entry in catalog.actas:
        sizes[catalog.casillas[entry.casilla].catd] += 1
    return sizes


def plan_arrivals(catalog: Catalog, scenario: Scenario, seeds: Seeds) -> list[Package]:
    """One package per casilla that has actas, in casilla order."""
    casillas = catalog.casillas
    size = len(catalog.actas)
    owned: list[list[int]] = [[] for _ in casillas]
    for entry in catalog.actas:
        owned[entry.casilla].append(entry.id)
    ids = [casilla.id for casilla in casillas if owned[casilla.id]]
    phone, envelopes = scenario.phone, scenario.envelopes
    counted = _count_ends(catalog, scenario.arrivals, seeds)
    arrived = _arrivals_at_catd(catalog, scenario.arrivals, counted, seeds)
    mechanisms = _mechanisms(scenario.arrivals, seeds, len(casillas))
    with_phone = seeds.quota("prep_casilla/casillas", ids, phone.adoption)
    works = [number < phone.success for number in seeds.uniforms("prep_casilla/exito", size)]
    shot = seeds.lognormal_ms("prep_casilla/toma", size, phone.shot.median_s * 1000, phone.shot.sigma)
    network = seeds.lognormal_ms("prep_casilla/red", size, phone.network.median_s * 1000, phone.network.sigma)
    apart = seeds.uniforms("sobres/faltan", size)
    metropolitan = set(scenario.metropolitan)
    not_installed = seeds.quota("sobres/no_instaladas", ids, envelopes.not_installed)
    not_delivered = seeds.quota("sobres/no_entregados", ids, envelopes.not_delivered) - not_installed
    packages = []
    for number in ids:
        actas = owned[number]
        photos: list[Photo] = []
        if number in with_phone and number not in not_installed:
            at = counted[number]
            for acta in actas:
                at += shot[acta]
                if works[acta]:
                    photos.append(Photo(acta, at, at + network[acta]))
        seen = {photo.acta for photo in photos}
        travelling: list[int] = []
        missing: list[tuple[int, SinActaReason]] = []
        factor = envelopes.metropolitan_factor if casillas[number].municipio in metropolitan else 1.0
        for acta in actas:
            share = min(1.0, factor * envelopes.without_envelope.get(catalog.actas[acta].contest, 0.0))
            if number in not_installed:
                missing.append((acta, SinActaReason.CASILLA_NO_INSTALADA))
            elif number in not_delivered:
                if acta not in seen:
                    missing.append((acta, SinActaReason.PAQUETE_NO_ENTREGADO))
            elif apart[acta] < share:
                if acta not in seen:
                    missing.append((acta, SinActaReason.PAQUETE_SIN_SOBRE))
            else:
                travelling.append(acta)
        arrives = number not in not_installed and number not in not_delivered
        packages.append(
            Package(
                number, casillas[number].catd, arrived[number] if arrives else None, mechanisms[number],
                tuple(photos), tuple(travelling), tuple(missing),
            )
        )  # fmt: skip
    return packages


def _count_ends(catalog: Catalog, plan: Arrivals, seeds: Seeds) -> list[int]:
    """When the count of each casilla ends: longer with more ballots, with more voters, out of town.

    Actas of no section (voters abroad, voto anticipado, prisión preventiva) are counted apart, at their
    own time.
    """
    mean = (plan.base_min + plan.per_ballot_min * plan.ballots) * MS_PER_MINUTE
    listed = [casilla.lista_nominal for casilla in catalog.casillas if casilla.lista_nominal]
    usual = sum(listed) / len(listed) if listed else 1.0
    ends = []
    for casilla, z in zip(catalog.casillas, seeds.normals("conteo", len(catalog.casillas)), strict=True):
        if casilla.tipo in WITHOUT_SECTION:
            ends.append(round(plan.abroad_min * MS_PER_MINUTE * exp(ABROAD_SIGMA * z)))
            continue
        size = 0.8 + 0.2 * (casilla.lista_nominal or usual) / usual
        rural = 1.0 if casilla.ubicacion == URBAN else plan.rural_factor
        special = plan.special_factor if casilla.special else 1.0
        ends.append(round(mean * size * rural * special * exp(plan.count_sigma * z)))
    return ends


def _arrivals_at_catd(catalog: Catalog, plan: Arrivals, counted: list[int], seeds: Seeds) -> list[int]:
    size = len(catalog.casillas)
    travel = seeds.normals("traslado", size)
    late = [number < plan.late_share for number in seeds.uniforms("traslado/tardia", size)]
    delay = seeds.lognormal_ms("traslado/atraso", size, max(plan.late_min, 1e-3) * MS_PER_MINUTE, 0.5)
    arrived = []
    for casilla, z in zip(catalog.casillas, travel, strict=True):
        if casilla.tipo in WITHOUT_SECTION:
            # They are counted where they are gathered.
            arrived.append(counted[casilla.id])
            continue
        median = plan.travel_urban_min if casilla.ubicacion == URBAN else plan.travel_rural_min
        trip = round(median * MS_PER_MINUTE * exp(plan.travel_sigma * z))
        arrived.append(counted[casilla.id] + trip + (delay[casilla.id] if late[casilla.id] else 0))
    return arrived


def _mechanisms(plan: Arrivals, seeds: Seeds, size: int) -> list[str]:
    names = sorted(plan.mechanisms)
    weights = [plan.mechanisms[name] for name in names]
    if not sum(weights):
        return [""] * size
    draw = seeds.stream("traslado/mecanismo")
    return draw.choices(names, weights, k=size)
