"""Shifts of acopiadores and digitalizadores at some CATDs, on top of the people of every CATD.

Those of a shift begin at its minute and finish what they have in hand when it ends. The people a CATD
has all night come from its estimated actas (`people`); who moves from one place to another, `transfers`.
"""

from __future__ import annotations

from collections.abc import Sequence

from simulator.night.centre import Centre
from simulator.night.model import NightModel, Process
from simulator.scenario.base import ms_of
from simulator.scenario.people import PlaceShift


def start_place_shifts(model: NightModel, centres: Sequence[Centre]) -> None:
    """Make every shift of the scenario begin and end at its minutes."""
    for shift in model.scenario.staff.place_shifts:
        for centre in centres:
            if not shift.catds or centre.number in shift.catds:
                model.env.process(_work(model, centre, shift))


def _work(model: NightModel, centre: Centre, shift: PlaceShift) -> Process:
    yield model.env.timeout(ms_of(shift.from_min))
    centre.add_staff(shift.role, shift.people)
    yield model.env.timeout(ms_of(shift.until_min) - ms_of(shift.from_min))
    centre.remove_staff(shift.role, shift.people)
