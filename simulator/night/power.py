"""Light: which places a power cut leaves without it, until when, and with what plant.

It only plans: who stops with what he has in hand and goes on when there is light is `floor`, and what
a CATD without light does to its link `network`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from simulator.night.continuity import PLANT, Applied, Incident, at_ms, together
from simulator.scenario.base import MS_PER_MINUTE
from simulator.scenario.document import Scenario
from simulator.scenario.faults import LinkFault, PowerFault
from simulator.seeds import Seeds


@dataclass(frozen=True, slots=True)
class Cut:
    """A place without light, in ms since the start; `catd` is None for the capture centre.

    Nobody works from `start` to `working`; the street has light again at `end`.
    """

    catd: int | None
    start: int
    working: int
    end: int
    plant: bool


@dataclass(frozen=True, slots=True)
class Blackout:
    """A power fault with every place it leaves in the dark, and the incident it is."""

    name: str
    cuts: tuple[Cut, ...]
    incident: Incident


def power_name(number: int) -> str:
    """The name of the streams of a power fault of the scenario."""
    return f"falla_electrica/{number}"


def start_and_length(fault: LinkFault | PowerFault, draw: Random, now: int | None) -> tuple[float, float]:
    """When a fault begins at one place and how long it lasts there, in minutes, with its variation.

    With `now` (ms since the start) it begins at that moment, whatever the fault says. Two draws.
    """
    start = (fault.at_min or 0.0) * (1 + fault.jitter * (2 * draw.random() - 1))
    length = fault.minutes * (1 + fault.jitter * (2 * draw.random() - 1))
    return (start if now is None else now / MS_PER_MINUTE), length


def power_of(
    scenario: Scenario,
    fault: PowerFault,
    name: str,
    seeds: Seeds,
    catds: Sequence[int],
    now: int | None = None,
) -> Blackout:
    """What a power fault does at the CATDs it falls on, or in the capture centre.

    With `now` (ms since the start) it begins at that moment, whatever the fault says.
    """
    places: list[int | None] = [None] if fault.place == "captura" else [*catds]
    cuts = []
    applied = []
    for place in places:
        draw = seeds.stream(f"{name}/{'captura' if place is None else place}")
        start, length = start_and_length(fault, draw, now)
        end = start + length
        light = start + fault.plant_min
        plant = draw.random() < fault.plant_share and light < end
        if not plant:
            light = end
        cuts.append(Cut(place, at_ms(start), at_ms(light + fault.restart_min), at_ms(end), plant))
        if plant:
            applied.append(
                Applied(
                    PLANT, "automático", at_ms(start), at_ms(light),
                    f"hay luz; los equipos trabajan a los {fault.restart_min:g} min",
                    () if place is None else (place,),
                )
            )  # fmt: skip
    plants = sum(cut.plant for cut in cuts)
    where = "la captura" if fault.place == "captura" else f"{len(cuts)} CATD"
    remedy = f"volvió la luz en {where}"
    if plants:
        remedy = f"{PLANT}: {plants}; {remedy}"
    incident = Incident(
        "falla_electrica", fault.name, min((cut.start for cut in cuts), default=0),
        max((max(cut.end, cut.working) for cut in cuts), default=0),
        sum(cut.catd is not None for cut in cuts), remedy, fault.distritos, cause=fault.cause,
        catds=tuple(cut.catd for cut in cuts if cut.catd is not None), measures=together(applied),
    )  # fmt: skip
    return Blackout(name, tuple(cuts), incident)
