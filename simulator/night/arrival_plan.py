"""How many actas each CATD is to expect, hour by hour, as the scenario's own arrivals say.

The estimate is the mean of a few draws of the arrivals, set beside the plan the institute wrote in
`[plan]`. Nothing is received nor captured here: it is what comes to the door.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.catalog import Catalog
from simulator.night.arrivals import actas_by_catd, plan_arrivals
from simulator.scenario.base import MS_PER_HOUR, MS_PER_MINUTE
from simulator.scenario.document import Scenario
from simulator.seeds import Seeds

FIRST_SEED = 1


@dataclass(frozen=True)
class ArrivalPlan:
    """Mean actas by CATD and hour of the operation (hour 0 begins with it)."""

    seeds: int
    by_hour: list[list[float]]
    """By CATD id, then by hour: envelopes that come before the end."""
    by_phone: list[float]
    """By hour: photographs of PREP Casilla, which come to no CATD."""
    after_the_end: list[float]
    """By CATD id: envelopes that come when the operation is over."""
    never: list[float]
    """By CATD id: actas that nobody will have."""
    expected: list[int]
    """By CATD id: actas of the catalogue."""
    arrived_pct: dict[int, float]
    """By minute of `plan.acopiadas_pct`: percent of the expected that came by phone or envelope."""

    def total(self, catd: int) -> float:
        """Envelopes a CATD receives during the operation."""
        return sum(self.by_hour[catd])

    def peak(self, catd: int) -> tuple[int, float]:
        """(hour, actas) of the fullest hour of a CATD."""
        hours = self.by_hour[catd]
        hour = max(range(len(hours)), key=lambda one: (hours[one], -one))
        return hour, hours[hour]


def arrival_plan(catalog: Catalog, scenario: Scenario, seeds: int) -> ArrivalPlan:
    """The mean of the arrivals with seeds 1 to `seeds`."""
    length = scenario.calendar.length_ms
    hours = -(-length // MS_PER_HOUR)
    size = len(catalog.catds)
    by_hour = [[0.0] * hours for _ in range(size)]
    phone, late, never = [0.0] * hours, [0.0] * size, [0.0] * size
    minutes = sorted(int(minute) for minute in scenario.plan.arrived_pct)
    seen = dict.fromkeys(minutes, 0)
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        for package in plan_arrivals(catalog, scenario, Seeds(seed)):
            first = {photo.acta: photo.arrives_ms for photo in package.photos}
            for photo in package.photos:
                if photo.arrives_ms < length:
                    phone[photo.arrives_ms // MS_PER_HOUR] += 1
            never[package.catd] += len(package.missing)
            at = package.at_catd_ms
            if at is not None and at < length:
                by_hour[package.catd][at // MS_PER_HOUR] += len(package.envelopes)
            elif at is not None:
                late[package.catd] += len(package.envelopes)
            if at is not None:
                for acta in package.envelopes:
                    first[acta] = min(at, first.get(acta, at))
            for minute in minutes:
                seen[minute] += sum(when <= minute * MS_PER_MINUTE for when in first.values())
    whole = len(catalog.actas) * seeds
    return ArrivalPlan(
        seeds,
        [[count / seeds for count in row] for row in by_hour],
        [count / seeds for count in phone],
        [count / seeds for count in late],
        [count / seeds for count in never],
        actas_by_catd(catalog),
        {minute: 100 * count / whole for minute, count in seen.items()},
    )
