"""The shipped scenarios of 2021 end as the reports say, by their mechanisms."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.fast.replication import Replicator
from simulator.night.results import verdict_of
from simulator.night.run import catalog_of_the_night
from simulator.scenario.file import load_scenario, open_scenario_catalog
from tests.simulator.conftest import RunNight

SEED = 2021
NAMES = ("simulacro-1", "simulacro-2", "simulacro-3", "simulacro-4", "simulacro-5", "jornada")


@pytest.fixture
def folder(repository: Path) -> Path:
    return repository / "scenarios" / "jalisco-2021"


@pytest.mark.parametrize("name", ["simulacro-2", "simulacro-3"])
def test_a_shipped_night_ends_as_reported_in_the_fast_night(folder: Path, name: str) -> None:
    loaded = load_scenario(folder / f"{name}.toml")
    expected = loaded.scenario.expected
    assert expected.captured_pct is not None
    catalog = catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)
    night = Replicator(loaded.scenario, catalog).play(SEED)
    assert abs(night.share_pct_at(night.close_ms) - expected.captured_pct) <= expected.tolerance_points


@pytest.mark.parametrize("name", ["simulacro-1", "simulacro-4", "simulacro-5", "jornada"])
def test_a_shipped_night_ends_as_reported(run: RunNight, folder: Path, name: str) -> None:
    ran = run(folder / f"{name}.toml", SEED, batch=2000)
    verdict = verdict_of(ran.night.loaded.scenario.expected, ran.results)
    assert verdict
    assert [one for one in verdict if not one["cumple"]] == []
    assert ran.night.feed.refusals == {}
    if name == "jornada":
        # Nothing more to do at the close: what is missing never arrived.
        assert ran.night.capture.backlog == 0


@pytest.mark.parametrize("name", ["simulacro-1", "simulacro-5"])
def test_without_its_faults_a_shipped_night_ends_higher(folder: Path, name: str) -> None:
    loaded = load_scenario(folder / f"{name}.toml")
    whole = loaded.scenario.without_faults()
    reported = loaded.scenario.expected.captured_pct
    assert reported is not None
    night = Replicator(whole, catalog_of_the_night(open_scenario_catalog(loaded), whole)).play(SEED)
    assert night.share_pct_at(night.close_ms) > reported + 3.0


def test_the_reported_faults_are_in_the_scenarios(folder: Path) -> None:
    nights = {name: load_scenario(folder / f"{name}.toml").scenario for name in NAMES}
    assert any(fault.zone == "interior" for fault in nights["simulacro-1"].link_faults)
    assert [fault.kind for fault in nights["simulacro-1"].publication_faults] == ["sitio"]
    assert [fault.kind for fault in nights["simulacro-2"].publication_faults] == ["imagenes"]
    assert [fault.kind for fault in nights["simulacro-3"].publication_faults] == ["imagenes"]
    assert [fault.minutes for fault in nights["simulacro-4"].publication_faults] == [120]
    applied = {name: [e.distritos for e in night.continuity.exercises] for name, night in nights.items()}
    assert applied["simulacro-4"] == [(7, 9, 11)]
    assert applied["simulacro-5"] == [(4, 6, 8, 10, 12, 14)]
    # PREP Casilla was used for the first time in the fourth.
    assert [nights[f"simulacro-{n}"].phone.adoption > 0 for n in range(1, 6)] == [False] * 3 + [True] * 2
