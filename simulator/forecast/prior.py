"""What is believed of a night before it begins: broad priors made of other nights.

Levels come from `PAST`, each night left out of its own prior together with those of its day. How wide the
priors are is said here once, the same for every night. `model` learns from the night itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class PastNight:
    """What a known night was like, for the priors of the others. `day` is the date of the election.

    `hazard` is the share of the actas still to come that came each hour at full pace; `ramp_h` the hours
    after the close of the polls at which half of that pace was reached; `taper` the power of the share
    still to come that the pace follows (1: the last ones come as late as chance would have it; less: they
    come sooner, because every casilla ends some time); `missing` the share that never
    came; `capacity` the share of all the actas the centre could register in an hour while it had a queue.
    None where the published figures do not tell.
    """

    day: str
    hazard: float
    ramp_h: float
    taper: float
    missing: float | None
    capacity: float | None


PAST: dict[str, PastNight] = {
    "puebla-2024": PastNight("2024-06-02", 0.113, 5.5, 0.68, 0.126, 0.074),
    "qroo-2019": PastNight("2019-06-02", 0.371, 1.1, 1.12, 0.0, 0.187),
    "jalisco-2018": PastNight("2018-07-01", 0.097, 4.0, 0.55, 0.203, 0.061),
    "nacional-2018": PastNight("2018-07-01", 0.062, 3.9, 0.38, 0.055, None),
    "cdmx-2024": PastNight("2024-06-02", 0.093, 8.0, 0.59, 0.009, 0.058),
    "puebla-2024-simulacro-1": PastNight("2024-05-12", 0.255, 2.0, 0.56, None, 0.2),
}
"""Least-squares fits of hazard and ramp to the published hourly curves (docs/pronostico.md); missing and
capacity as read from them. The aborted rehearsal says nothing of the ceiling."""

COMPLETE = 0.01
"""A night lacking less than this was completed: whatever did not come was marked sin acta, and counts."""
HAZARD_SD, RAMP_SD, CAPACITY_SD = 0.7, 0.7, 0.7
"""Least spread (of the logarithm) of the priors, whatever the known nights say: half or double is usual."""
TAPER_SD = 0.25


@dataclass(frozen=True)
class Prior:
    """Means and standard deviations of the logarithms, and the second parameter of
    the Beta(1, b) of the share that never comes, and the chance that practically all of it comes."""

    hazard: tuple[float, float]
    ramp: tuple[float, float]
    taper: tuple[float, float]
    capacity: tuple[float, float]
    missing: float
    complete: float


def prior_without(name: str | None = None) -> Prior:
    """The prior made of every known night but `name` and those of its same day: a night is never judged
    with itself, nor with what nobody knew while it went on."""
    day = PAST[name].day if name in PAST else None
    nights = [night for night in PAST.values() if night.day != day]

    def spread(values: list[float], least: float) -> tuple[float, float]:
        logs = np.log(values)
        return float(logs.mean()), max(least, float(logs.std(ddof=1)))

    known = [night.missing for night in nights if night.missing is not None]
    complete = [share for share in known if share < COMPLETE]
    tapers = [night.taper for night in nights]
    missing = float(np.mean([share for share in known if share >= COMPLETE]))
    return Prior(
        spread([night.hazard for night in nights], HAZARD_SD),
        spread([night.ramp_h for night in nights], RAMP_SD),
        (float(np.mean(tapers)), max(TAPER_SD, float(np.std(tapers, ddof=1)))),
        spread([night.capacity for night in nights if night.capacity is not None], CAPACITY_SD),
        # Beta(1, b), the least that has the mean of the known nights: any share remains possible.
        1.0 / missing - 1.0,
        (len(complete) + 1) / (len(known) + 2),
    )
