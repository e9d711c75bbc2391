"""What decides the outcome is found where one knows it beforehand."""

from __future__ import annotations

from simulator.experiments.plans import with_capturistas
from simulator.experiments.sensitivity import Question, screen, share_out, usable
from simulator.experiments.sizing import seeds_of
from simulator.scenario.document import Scenario
from tests.simulator.experiments.conftest import Make

SEEDS = seeds_of(11, 2)


def starved(scenario: Scenario) -> Scenario:
    return with_capturistas(scenario.without_faults(), 2)


def test_with_too_few_capturistas_capture_decides_and_scanning_does_not(small: Make) -> None:
    replicator = small(starved)
    rows = screen(replicator, Question(None), SEEDS, 6)
    order = [row.factor.key for row in rows]
    assert set(order[:2]) == {"capturistas", "captura"} or order[0] == "captura"
    effects = {row.factor.key: row.effect for row in rows}
    assert effects["captura"] > 5 * effects["digitalizacion"]
    kept = [row.factor for row in rows if row.factor.key in ("captura", "digitalizacion")]
    shared = share_out(replicator, Question(None), SEEDS, kept, 16)
    assert shared[0].factor.key == "captura"
    assert shared[0].total > 0.8


def test_the_same_seed_gives_the_same_figures(small: Make) -> None:
    replicator = small()
    assert screen(replicator, Question(80), SEEDS, 3) == screen(replicator, Question(80), SEEDS, 3)


def test_a_scenario_without_phones_is_not_asked_about_phones(small: Make) -> None:
    scenario = small().scenario
    without = scenario.model_copy(update={"phone": scenario.phone.model_copy(update={"adoption": 0.0})})
    assert "adopcion" in [factor.key for factor in usable(scenario)]
    assert "adopcion" not in [factor.key for factor in usable(without)]
