"""Who works this night: names, places, hours and how fast and careful each person is.

Capacity is the number of people at work, never a number set by hand. What they do is `centre` and
`capture`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp

from core.domain.catalog import Catalog
from simulator.keying import carelessness
from simulator.scenario import MS_PER_MINUTE, Scenario, Shift
from simulator.seeds import Seeds


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who captures. Times in ms since the start; `speed` multiplies service times."""

    name: str
    station: str
    from_ms: int
    until_ms: int
    speed: float
    carelessness: float


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

    def by_role(self) -> dict[str, int]:
        """How many of each role, for the summary."""
        return {
            "acopiadores": sum(centre.receivers for centre in self.centres),
            "digitalizadores": sum(centre.scanners for centre in self.centres),
            "capturistas": sum(len(pool) for pool in self.capturistas),
            "resolutores": len(self.resolvers),
            "cotejadores": len(self.collators),
        }


def plan_people(catalog: Catalog, scenario: Scenario, seeds: Seeds) -> People:
    """Staff by the estimated actas of each CATD, and the shifts of the capture centre."""
    staff = scenario.staff
    estimated = [0] * len(catalog.catds)
    for entry in catalog.actas:
        estimated[catalog.casillas[entry.casilla].catd] += 1
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
                (Shift(people=max(2, ceil(actas / staff.actas_per_capturista))),), scenario, seeds,
            )
            for number, actas in enumerate(estimated)
        ]  # fmt: skip
    return People(
        centres,
        pools,
        [f"res-{number:03d}" for number in range(1, staff.resolvers + 1)],
        [f"cot-{number:03d}" for number in range(1, staff.collators + 1)],
    )


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
    people: list[Person] = []
    for shift in shifts:
        for _ in range(shift.people):
            number = len(people)
            people.append(
                Person(
                    f"{prefix}-{number + 1:04d}",
                    f"{place}-{number + 1:04d}",
                    round(shift.from_min * MS_PER_MINUTE),
                    round(shift.until_min * MS_PER_MINUTE),
                    exp(scenario.staff.speed_sigma * speeds[number]),
                    carelessness(scenario.keying.person_sigma, cares[number]),
                )
            )
    return people
