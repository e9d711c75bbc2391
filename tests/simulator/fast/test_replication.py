"""Replications: one answer whoever plays them, and an outcome that says what it says."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from core.domain.catalog import Catalog
from core.errors import UsageError
from simulator.experiments.parallel import spread
from simulator.experiments.sizing import seeds_of
from simulator.fast import compiled as compiled_module
from simulator.fast.draws import forget
from simulator.fast.kernel import NEVER
from simulator.fast.replication import Outcome, Replicator, replica_seed, summary_of
from simulator.scenario.document import Scenario
from simulator.scenario.file import load_scenario, open_scenario_catalog
from simulator.scenario.people import Shift
from tests.simulator.conftest import DATA
from tests.simulator.pythons import other_pythons

ROOT = Path(__file__).parents[3]


def summary(outcome: Outcome) -> tuple[int, str, int]:
    """What the tests keep of each night."""
    return outcome.seed, outcome.fingerprint(), outcome.registered_at(outcome.close_ms)


@pytest.fixture(scope="module")
def small() -> tuple[Scenario, Catalog]:
    loaded = load_scenario(DATA / "chica.toml")
    return loaded.scenario, open_scenario_catalog(loaded)


def test_one_two_and_three_workers_and_none_give_the_same_answers_in_order(
    small: tuple[Scenario, Catalog],
) -> None:
    replicator = Replicator(*small, compiled=False)
    told: list[int] = []
    work, seeds = partial(summary_of, replicator, summary), seeds_of(5, 12)
    alone = spread(work, seeds, progress=told.append)
    assert told == list(range(1, 13))
    assert [seed for seed, _, _ in alone] == [replica_seed(5, number) for number in range(12)]
    assert len({print_ for _, print_, _ in alone}) == 12
    for workers in (1, 2, 3):
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
            told.clear()
            assert spread(work, seeds, executor, told.append) == alone
            assert told[-1] == 12


def test_replica_zero_is_the_root_and_the_others_are_apart() -> None:
    seeds = [replica_seed(2027, number) for number in range(2_000)]
    assert seeds[0] == 2027
    assert len(set(seeds)) == 2_000
    assert all(0 <= seed < 2**48 for seed in seeds[1:])
    assert set(seeds[1:]).isdisjoint(replica_seed(2028, number) for number in range(1, 2_000))


def test_two_plans_with_one_seed_share_their_luck(small: tuple[Scenario, Catalog]) -> None:
    scenario, catalog = small
    more = scenario.staff.model_copy(update={"capturistas": (Shift(people=40),)})
    base = Replicator(scenario, catalog)
    other = base.with_scenario(scenario.model_copy(update={"staff": more}))
    ours, theirs = base.play(3), other.play(3)
    assert (ours.digitized_ms == theirs.digitized_ms).all()
    assert ours.fingerprint() != theirs.fingerprint()
    # What is kept from one to the other changes nothing.
    forget()
    assert other.play(3).fingerprint() == theirs.fingerprint()
    assert Replicator(scenario, catalog).play(3).fingerprint() == ours.fingerprint()


def test_another_catalogue_or_another_plan_of_the_catds_is_played_anew(
    small: tuple[Scenario, Catalog],
) -> None:
    scenario, catalog = small
    base = Replicator(scenario, catalog)
    slow = base.with_scenario(scenario.without_faults())
    assert (base.play(3).digitized_ms != slow.play(3).digitized_ms).any()


def test_a_replicator_survives_being_pickled(small: tuple[Scenario, Catalog]) -> None:
    replicator = Replicator(*small)
    copy = pickle.loads(pickle.dumps(replicator))
    assert copy.play(8).fingerprint() == replicator.play(8).fingerprint()


def test_an_outcome_counts_what_its_times_say(small: tuple[Scenario, Catalog]) -> None:
    outcome = Replicator(*small).play(1)
    times = outcome.registered_ms
    ever = np.sort(times[times < NEVER])
    half = int(ever[len(ever) // 2])
    assert outcome.registered_at(half) == (times <= half).sum()
    assert outcome.share_pct_at(half) == pytest.approx(100 * (times <= half).sum() / len(times))
    needed = -(-len(times) // 2)
    assert outcome.time_to(50) == ever[needed - 1]
    assert outcome.time_to(0) == 0
    assert outcome.time_to(100) == (int(ever[-1]) if len(ever) == len(times) else None)
    done, expected = outcome.by_catd_at(half)
    assert done.sum() == outcome.registered_at(half)
    assert expected.sum() == len(times)
    assert (outcome.arrived_ms <= outcome.digitized_ms).all()
    captured = ~outcome.sin_acta & (times < NEVER)
    assert (outcome.digitized_ms[captured] < times[captured]).all()
    assert outcome.captures >= 2 * captured.sum()


def test_a_night_cut_short_is_the_beginning_of_the_whole_one(small: tuple[Scenario, Catalog]) -> None:
    replicator = Replicator(*small)
    whole = replicator.play(2)
    at = whole.close_ms // 2
    part = replicator.play(2, until_ms=at)
    assert (part.registered_ms == np.where(whole.registered_ms < at, whole.registered_ms, NEVER)).all()
    assert 0 < part.registered_at(at) < whole.registered_at(NEVER - 1)


def test_compiled_loops_demanded_without_the_extra_are_refused(
    small: tuple[Scenario, Catalog], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    compiled_module.kernels.cache_clear()
    try:
        with pytest.raises(UsageError, match="rapido"):
            Replicator(*small, compiled=True)
        assert not Replicator(*small).compiled
    finally:
        compiled_module.kernels.cache_clear()


NIGHT = """
import sys
sys.path.insert(0, sys.argv[1])
from simulator.fast.kernel import Pool, fingerprint, tandem
from simulator.seeds import Seeds
seeds = Seeds(2027)
size = 3000
arrivals = [int(20_000_000 * u) for u in seeds.uniforms("llegada", size)]
stages = [
    (seeds.lognormal_ms("captura", size, 90_000, 0.5), Pool((20, 9, 20), (0, 9_000_000, 15_000_000))),
    (seeds.lognormal_ms("verificacion", size, 25_000, 0.7), Pool((7,), (0,), ((5_000_000, 6_000_000),))),
]
order = seeds.order("orden", range(size))
print(fingerprint([*tandem(arrivals, stages), order]))
"""


def test_streams_and_kernel_are_the_same_under_another_python() -> None:
    """Without numpy there: the numbers of `random.Random` one by one against those of the arrays here."""
    others = other_pythons()
    if not others:
        pytest.skip("no hay otra versión de Python en esta máquina")

    def played(python: str) -> str:
        command = [python, "-c", NIGHT, str(ROOT)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    here = played(sys.executable)
    assert len(here.strip()) == 64
    assert {played(python) for python in others} == {here}
