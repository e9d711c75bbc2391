"""Who works this night: names, places, hours and how fast and careful each person is.

Capacity is the number of people at work, never a number set by hand. Who is absent, when each one
rests first and who may come from the reserve are decided here, before the night; what they do is
`centre` and `capture`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, exp

from core.domain.catalog import Catalog
from core.errors import UsageError
from simulator.night.arrivals import actas_by_catd
from simulator.night.keying import carelessness
from simulator.scenario.base import MS_PER_MINUTE, ms_of
from simulator.scenario.document import Scenario
from simulator.scenario.people import Rests, Shift
from simulator.seeds import Seeds

FEWEST_CAPTURISTAS = 2
"""An acta needs two persons, so absence never leaves a pool with fewer."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who captures. Times in ms since the start; `speed` multiplies service times."""

    name: str
    station: str
    from_ms: int
    until_ms: int
    speed: float
    carelessness: float
    first_rest_ms: int | None = None
    """When the first rest falls due; None for whoever does not rest."""


@dataclass(frozen=True, slots=True)
class CentreStaff:
    """How many work at one CATD."""

    receivers: int
    scanners: int


@dataclass(frozen=True)
class People:
    """Everybody. `capturistas` has one list per capture pool: one, or one per CATD by its id."""

    centres: list[CentreStaff]
    capturistas: list[list[Person]]
    resolvers: list[str]
    collators: list[str]
    reinforcements: dict[str, int] = field(default_factory=dict)
    """Acopiadores and digitalizadores of the shifts by CATD, all shifts counted."""

    def by_role(self) -> dict[str, int]:
        """How many of each role, for the summary."""
        return {
            "acopiadores": sum(centre.receivers for centre in self.centres)
            + self.reinforcements.get("acopiadores", 0),
            "digitalizadores": sum(centre.scanners for centre in self.centres)
            + self.reinforcements.get("digitalizadores", 0),
            "capturistas": sum(len(pool) for pool in self.capturistas),
            "resolutores": len(self.resolvers),
            "cotejadores": len(self.collators),
        }


def plan_people(catalog: Catalog, scenario: Scenario, seeds: Seeds) -> People:
    """Staff by the estimated actas of each CATD, and the shifts of the capture centre.

    Raises UsageError when the plan estimates a CATD that the catalogue does not have.
    """
    staff = scenario.staff
    estimated = estimated_actas(catalog, scenario.plan.by_catd)
    size = len(catalog.catds)
    absent = (
        seeds.uniforms("personal/ausencia/acopio", size),
        seeds.uniforms("personal/ausencia/escaner", size),
    )
    centres = [
        CentreStaff(
            _present(ceil(actas / staff.actas_per_receiver), staff.absent, absent[0][number]),
            _present(ceil(actas / staff.actas_per_scanner), staff.absent, absent[1][number]),
        )
        for number, actas in enumerate(estimated)
    ]
    pools: list[list[Person]]
    if staff.capture_place == "estatal":
        pools = [_pool("cap", "captura", staff.capturistas, scenario, seeds)]
    else:
        pools = [
            _pool(
                f"catd{number:03d}-cap", f"catd-{number:03d}",
                (Shift(people=staff.at_a_catd(actas)),), scenario, seeds,
            )
            for number, actas in enumerate(estimated)
        ]  # fmt: skip
    return People(
        centres,
        pools,
        [f"res-{number:03d}" for number in range(1, staff.resolvers + 1)],
        [f"cot-{number:03d}" for number in range(1, staff.collators + 1)],
        _reinforcements(catalog, scenario),
    )


def _reinforcements(catalog: Catalog, scenario: Scenario) -> dict[str, int]:
    found: dict[str, int] = {}
    for shift in scenario.staff.place_shifts:
        places = len(shift.catds or catalog.catds)
        found[shift.role] = found.get(shift.role, 0) + shift.people * places
    return found


def estimated_actas(catalog: Catalog, planned: Mapping[str, int]) -> list[int]:
    """Actas estimated by CATD, which is what staff is planned on: the plan's, or those of the catalogue."""
    estimated = actas_by_catd(catalog)
    for name, actas in planned.items():
        if not name.isdecimal() or int(name) >= len(estimated):
            raise UsageError(
                f"plan.actas_por_catd: «{name}» no es un CATD del catálogo; van de 0 a {len(estimated) - 1}."
            )
        estimated[int(name)] = actas
    return estimated


def reinforcements(
    scenario: Scenario, seeds: Seeds, first: int, count: int, station: str, at_ms: int
) -> list[Person]:
    """People of the reserve, from the number `first` on, at work from `at_ms` to the end of the night."""
    speeds = seeds.normals("personal/reserva/velocidad", first + count)
    cares = seeds.normals("personal/reserva/cuidado", first + count)
    until = scenario.calendar.length_ms
    return [
        Person(
            f"reserva-{number + 1:04d}",
            f"{station}-r{number + 1:04d}",
            at_ms,
            until,
            exp(scenario.staff.speed_sigma * speeds[number]),
            carelessness(scenario.keying.person_sigma, cares[number]),
            _first_rest(scenario.staff.rests, at_ms, number - first, count),
        )
        for number in range(first, first + count)
    ]


def _first_rest(rests: Rests, from_ms: int, number: int, of: int) -> int | None:
    """The first rests of those who begin together are spread over the time between rests."""
    if not rests.every_min:
        return None
    return from_ms + round(rests.every_min * MS_PER_MINUTE * (number + 1) / of)


def _present(planned: int, absent: float, luck: float) -> int:
    """Planned people less the absent ones; the fraction of a person is decided by luck."""
    planned = max(1, planned)
    present = planned * (1 - absent)
    whole = int(present)
    return max(1, whole + (luck < present - whole))


def _pool(
    prefix: str, place: str, shifts: tuple[Shift, ...], scenario: Scenario, seeds: Seeds
) -> list[Person]:
    count = sum(shift.people for shift in shifts)
    speeds = seeds.normals(f"personal/{prefix}/velocidad", count)
    cares = seeds.normals(f"personal/{prefix}/cuidado", count)
    here = _who_came(scenario.staff.absent_capture, seeds.uniforms(f"personal/{prefix}/ausencia", count))
    people: list[Person] = []
    number = 0
    for shift in shifts:
        from_ms = ms_of(shift.from_min)
        for position in range(shift.people):
            if number in here:
                people.append(
                    Person(
                        f"{prefix}-{number + 1:04d}",
                        f"{place}-{number + 1:04d}",
                        from_ms,
                        ms_of(shift.until_min),
                        exp(scenario.staff.speed_sigma * speeds[number]),
                        carelessness(scenario.keying.person_sigma, cares[number]),
                        _first_rest(scenario.staff.rests, from_ms, position, shift.people),
                    )
                )
            number += 1
    return people


def _who_came(absent: float, luck: list[float]) -> set[int]:
    """Each person stays away on his own luck, so a larger share only adds absences."""
    luckiest = sorted(range(len(luck)), key=lambda number: -luck[number])
    here = {number for number in luckiest if luck[number] >= absent}
    return here | set(luckiest[:FEWEST_CAPTURISTAS])
