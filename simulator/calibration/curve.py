"""When the actas of a scenario get captured, worked out with the kernel: a night in a second, no engine.

For fitting and checking the curve of a scenario without faults. Arrivals are those of the scenario
(`arrivals.plan_arrivals`); the way from the door of the CATD to the centre takes the median times of the
scenario, and one statewide pool does both captures of an acta one after the other. It knows no queues
inside a CATD, links, absences, errors of capture, disputes or actas marked sin acta: the night itself
(`prep simular`) is what decides, and a test compares the two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.domain.catalog import Catalog
from simulator.fast.kernel import Pool, serve
from simulator.night.arrivals import Package, plan_arrivals
from simulator.scenario.document import Scenario
from simulator.seeds import Seeds

Ints = NDArray[np.int64]
MINUTE_MS = 60_000


def reach_centre(packages: list[Package], scenario: Scenario) -> Ints:
    """Moment (ms since the start) at which each acta that will ever be seen can be captured, in order."""
    times = scenario.times
    way = (times.receive.median_s + times.scan.median_s + scenario.links.image.median_s) * 1000
    first: dict[int, int] = {}
    for package in packages:
        for photo in package.photos:
            first[photo.acta] = photo.arrives_ms
        if package.at_catd_ms is not None:
            for place, acta in enumerate(package.envelopes):
                at = round(package.at_catd_ms + way + place * times.scan.median_s * 1000)
                first[acta] = min(at, first.get(acta, at))
    return np.sort(np.fromiter(first.values(), dtype="int64", count=len(first)))


def captured_at(catalog: Catalog, scenario: Scenario, seed: int) -> Ints:
    """Completion of the second capture of each acta, in ms since the start, sorted.

    The catalogue has `len(catalog.actas)` expected actas; those that never arrive are not here.
    """
    seeds = Seeds(seed)
    arrived = reach_centre(plan_arrivals(catalog, scenario, seeds), scenario)
    service = scenario.times.capture
    twice = [
        seeds.lognormal_ms(f"calibrar/captura/{n}", len(arrived), service.median_s * 1000, service.sigma)
        for n in (1, 2)
    ]
    work = [max(1, one + two) for one, two in zip(*twice, strict=True)]
    return np.sort(np.array(serve(arrived.tolist(), work, people_by_shift(scenario)), dtype="int64"))


def people_by_shift(scenario: Scenario) -> Pool:
    """The capturistas at work through the night, as servers of one pool (nobody after the end)."""
    change: dict[int, int] = {0: 0}
    for shift in scenario.staff.capturistas:
        for minute, sign in ((shift.from_min, 1), (shift.until_min, -1)):
            at = round(minute * MINUTE_MS)
            change[at] = change.get(at, 0) + sign * shift.people
    starts = sorted(change)
    servers = np.cumsum([change[at] for at in starts]).tolist()
    # The kernel wants every acta served: what nobody is there for is served when the night is long over.
    beyond = 10 * max(starts[-1], scenario.calendar.length_ms)
    return Pool((*servers, 1_000_000), (*starts, beyond))


def share_by(times: Ints, marks_ms: list[int], expected: int) -> list[float]:
    """Percent of the expected actas captured before each mark."""
    return [float(done) * 100 / expected for done in np.searchsorted(times, np.array(marks_ms))]
