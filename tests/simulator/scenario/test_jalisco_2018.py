"""The shipped night of 2018 follows the published curve hour by hour, by its mechanisms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from simulator.calibration.curve import captured_at, share_by
from simulator.scenario.document import Scenario
from simulator.scenario.file import load_scenario, open_scenario_catalog

# Percent of the 9,775 actas of gubernatura captured by each local hour of 1 and 2 July 2018, read between
# the published cuts of the PREP; the last one is the cut of 17:59.
PUBLISHED = {
    21: 0.4, 22: 3.5, 23: 9.5, 24: 15.7, 25: 21.8, 26: 27.7, 27: 33.5, 28: 39.1, 29: 44.3, 30: 49.2,
    31: 53.8, 32: 58.2, 33: 61.4, 34: 64.1, 35: 66.8, 42: 79.18,
}  # fmt: skip
START = 18
HOUR_MS = 3_600_000


@pytest.fixture
def path(repository: Path) -> Path:
    return repository / "scenarios" / "jalisco-2018" / "jornada.toml"


@pytest.mark.parametrize("seed", [2018, 1, 7, 99])
def test_the_night_of_2018_is_within_three_points_of_the_published_curve(path: Path, seed: int) -> None:
    differences = curve_differences(path, load_scenario(path).scenario, seed)
    assert max(abs(difference) for difference in differences) <= 3


def test_the_straight_line_of_the_night_is_a_saturated_centre(path: Path) -> None:
    scenario = load_scenario(path).scenario
    shifts = tuple(one.model_copy(update={"people": one.people * 2}) for one in scenario.staff.capturistas)
    more = scenario.model_copy(update={"staff": scenario.staff.model_copy(update={"capturistas": shifts})})
    differences = curve_differences(path, more, 1)
    # Twice the people: the night runs ahead of the published one, and ends the same.
    assert max(differences) > 10
    assert abs(differences[-1]) <= 3


def curve_differences(path: Path, scenario: Scenario, seed: int) -> list[float]:
    """Points by which the quick curve differs from the published one."""
    loaded = replace(load_scenario(path), scenario=scenario)
    catalog = open_scenario_catalog(loaded)
    marks = [(hour - START) * HOUR_MS for hour in PUBLISHED]
    shares = share_by(captured_at(catalog, scenario, seed), marks, len(catalog.actas))
    return [share - real for share, real in zip(shares, PUBLISHED.values(), strict=True)]
