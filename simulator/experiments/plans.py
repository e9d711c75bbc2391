"""What can be changed of a plan to ask «what if»: people, scanners, links, phones, and by how much.

Each `Resource` is a ladder of levels, from little to plenty, and a way of putting a level into a
scenario. It plays nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from core.domain.catalog import Catalog
from simulator.night.arrivals import actas_by_catd
from simulator.scenario.base import Part, Service
from simulator.scenario.document import Scenario
from simulator.scenario.people import Shift

P = TypeVar("P", bound=Part)

MOST_CAPTURISTAS = 20_000
"""Nobody hires more: where this is not enough, people are not what is missing."""

SCANNER_LEVELS = (2000, 1400, 1000, 700, 500, 350, 250, 180, 120, 90, 60, 40, 30, 20, 15, 10)
"""Actas per digitalizador of a CATD, from few people to many."""
LINK_LEVELS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0)
"""Times the speed the scenario gives to the links."""
SHARE_LEVELS = tuple(step / 20 for step in range(21))


@dataclass(frozen=True)
class Resource:
    """Something a plan may have more of. `words` says a level for people; `units` how many that is."""

    key: str
    name: str
    levels: Sequence[float]
    put: Callable[[Scenario, float], Scenario]
    words: Callable[[float, Catalog], str]
    units: Callable[[float, Catalog], float]

    def __reduce__(self) -> tuple[Callable[[str], Resource], tuple[str]]:
        # Functions without a name do not travel to other processes; the key of the resource does.
        return resource_of, (self.key,)


def changed(part: P, **update: object) -> P:
    """A copy of a table of a scenario with some values changed; the copy is checked like the original."""
    return type(part).model_validate({**dict(part), **update})


def peak_capturistas(scenario: Scenario) -> int:
    """Most capturistas at work at one time in the plan of a statewide capture centre."""
    staff = scenario.staff
    return max((staff.at_the_centre(shift.from_min) for shift in staff.capturistas), default=0)


def with_capturistas(scenario: Scenario, count: float) -> Scenario:
    """The plan with that many capturistas at its peak, shifts in proportion; or one shift if it had one."""
    staff = scenario.staff
    count = int(count)
    peak = peak_capturistas(scenario)
    if len(staff.capturistas) <= 1 or not peak:
        shifts = [Shift(people=max(2, count))]
        if staff.capturistas:
            shifts = [changed(staff.capturistas[0], people=max(2, count))]
    else:
        shifts = [
            changed(shift, people=max(1, round(shift.people * count / peak))) for shift in staff.capturistas
        ]
    return _with_staff(scenario, capture_place="estatal", capturistas=tuple(shifts))


def with_actas_per_capturista(scenario: Scenario, actas: float) -> Scenario:
    """The plan with capture by CATD and that many estimated actas per capturista."""
    return _with_staff(scenario, actas_per_capturista=int(actas))


def _with_staff(scenario: Scenario, **update: object) -> Scenario:
    return scenario.model_copy(update={"staff": changed(scenario.staff, **update)})


def _with_scanners(scenario: Scenario, actas: float) -> Scenario:
    return _with_staff(scenario, actas_per_scanner=int(actas))


def _with_links(scenario: Scenario, times: float) -> Scenario:
    links = scenario.links

    def faster(service: Service) -> Service:
        return Service(median_s=service.median_s / times, sigma=service.sigma)

    new = changed(links, image=faster(links.image), message=faster(links.message))
    return scenario.model_copy(update={"links": new})


def _with_backup(scenario: Scenario, share: float) -> Scenario:
    return scenario.model_copy(update={"links": changed(scenario.links, backup_share=share)})


def _with_adoption(scenario: Scenario, share: float) -> Scenario:
    return scenario.model_copy(update={"phone": changed(scenario.phone, adoption=share)})


def _scanners(actas: float, catalog: Catalog) -> int:
    return sum(max(1, ceil(size / actas)) for size in actas_by_catd(catalog))


def _capturistas_by_catd(actas: float, catalog: Catalog) -> int:
    return sum(max(2, ceil(size / actas)) for size in actas_by_catd(catalog))


CAPTURISTAS = Resource(
    "capturistas", "capturistas", range(2, MOST_CAPTURISTAS + 1), with_capturistas,
    lambda level, _: f"{int(level):,} capturistas", lambda level, _: level,
)  # fmt: skip
CAPTURISTAS_BY_CATD = Resource(
    "capturistas_por_catd", "capturistas", tuple(sorted({*SCANNER_LEVELS, *range(10, 200)}, reverse=True)),
    with_actas_per_capturista,
    lambda level, catalog: (
        f"{_capturistas_by_catd(level, catalog):,} capturistas (uno por cada {int(level)} actas)"
    ),
    _capturistas_by_catd,
)  # fmt: skip
DIGITALIZADORES = Resource(
    "digitalizadores", "digitalizadores", SCANNER_LEVELS, _with_scanners,
    lambda level, catalog: f"{_scanners(level, catalog):,} digitalizadores (uno por cada {int(level)} actas)",
    _scanners,
)  # fmt: skip
ENLACES = Resource(
    "enlaces", "velocidad de los enlaces", LINK_LEVELS, _with_links,
    lambda level, _: "la velocidad del plan" if level == 1 else f"{level:g} veces la velocidad del plan",
    lambda level, _: level,
)  # fmt: skip
RESPALDO = Resource(
    "respaldo", "CATD con segundo enlace", SHARE_LEVELS, _with_backup,
    lambda level, catalog: f"{round(level * len(catalog.catds)):,} CATD con segundo enlace",
    lambda level, catalog: round(level * len(catalog.catds)),
)  # fmt: skip
ADOPCION = Resource(
    "adopcion", "adopción de PREP Casilla", SHARE_LEVELS, _with_adoption,
    lambda level, _: f"{level * 100:.3g} % de las casillas con PREP Casilla", lambda level, _: level,
)  # fmt: skip
OTHERS = (DIGITALIZADORES, ENLACES, RESPALDO, ADOPCION)


def resource_of(key: str) -> Resource:
    """The resource of a key."""
    return {one.key: one for one in (CAPTURISTAS, CAPTURISTAS_BY_CATD, *OTHERS)}[key]


def capturistas_of(scenario: Scenario) -> Resource:
    """The ladder of capturistas of a plan: statewide or by CATD, as it says."""
    return CAPTURISTAS if scenario.staff.capture_place == "estatal" else CAPTURISTAS_BY_CATD


def all_at_start(scenario: Scenario) -> Scenario:
    """The rehearsal in which every acta is at its CATD when the operation starts, and none is missing."""
    arrivals = changed(
        scenario.arrivals, base_min=0.0, per_ballot_min=0.0, travel_urban_min=0.0, travel_rural_min=0.0,
        late_share=0.0, abroad_min=0.0,
    )  # fmt: skip
    envelopes = changed(scenario.envelopes, without_envelope={}, not_delivered=0.0, not_installed=0.0)
    return scenario.model_copy(update={"arrivals": arrivals, "envelopes": envelopes})


# -- factors of the sensitivity --------------------------------------------------------------------


@dataclass(frozen=True)
class Factor:
    """An input of the scenario moved by a multiplier between `low` and `high`."""

    key: str
    name: str
    low: float
    high: float
    put: Callable[[Scenario, float], Scenario]


def _times(name: str) -> Callable[[Scenario, float], Scenario]:
    def put(scenario: Scenario, by: float) -> Scenario:
        service: Service = getattr(scenario.times, name)
        slower = Service(median_s=service.median_s * by, sigma=service.sigma)
        return scenario.model_copy(update={"times": changed(scenario.times, **{name: slower})})

    return put


def _count(scenario: Scenario, by: float) -> Scenario:
    plan = scenario.arrivals
    new = changed(plan, base_min=plan.base_min * by, per_ballot_min=plan.per_ballot_min * by)
    return scenario.model_copy(update={"arrivals": new})


def _travel(scenario: Scenario, by: float) -> Scenario:
    plan = scenario.arrivals
    new = changed(
        plan, travel_urban_min=plan.travel_urban_min * by, travel_rural_min=plan.travel_rural_min * by
    )
    return scenario.model_copy(update={"arrivals": new})


def _people(scenario: Scenario, by: float) -> Scenario:
    if scenario.staff.capture_place == "estatal":
        return with_capturistas(scenario, max(2, round(peak_capturistas(scenario) * by)))
    return with_actas_per_capturista(scenario, max(1, round(scenario.staff.actas_per_capturista / by)))


def _errors(scenario: Scenario, by: float) -> Scenario:
    keying = scenario.keying
    new = changed(keying, per_capture=min(1.0, keying.per_capture * by))
    return scenario.model_copy(update={"keying": new})


def _adoption(scenario: Scenario, by: float) -> Scenario:
    return _with_adoption(scenario, min(1.0, scenario.phone.adoption * by))


FACTORS = (
    Factor("conteo", "tiempo de conteo en la casilla", 0.7, 1.3, _count),
    Factor("traslado", "tiempo de traslado", 0.7, 1.3, _travel),
    Factor("capturistas", "capturistas", 0.7, 1.3, _people),
    Factor("captura", "tiempo de captura", 0.7, 1.3, _times("capture")),
    Factor("digitalizacion", "tiempo de digitalización", 0.7, 1.3, _times("scan")),
    Factor("acopio", "tiempo de acopio", 0.7, 1.3, _times("receive")),
    Factor("enlaces", "velocidad de los enlaces", 0.7, 1.3, _with_links),
    Factor("errores", "errores de captura", 0.5, 2.0, _errors),
    Factor("adopcion", "adopción de PREP Casilla", 0.5, 1.5, _adoption),
)
