"""Many nights give one answer whoever plays them, and plans are compared on the same luck."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from core.errors import UsageError
from simulator.experiments import parallel
from simulator.experiments.campaign import (
    TARGETS,
    Replica,
    compare,
    gather,
    mean_interval,
    share_interval,
    work_of,
)
from simulator.experiments.parallel import opened, spread
from simulator.experiments.plans import with_capturistas
from simulator.experiments.sizing import seeds_of
from simulator.fast.replication import Replicator
from tests.simulator.experiments.conftest import Make

SEEDS = seeds_of(7, 30)


def prints(replicas: list[Replica]) -> list[tuple[int, str, list[int]]]:
    return [(one.seed, one.fingerprint, one.curve.tolist()) for one in replicas]


def played(replicator: Replicator, seeds: list[int] = SEEDS) -> list[Replica]:
    return spread(work_of(replicator), seeds)


@pytest.mark.parametrize("workers", [2, 3])
def test_the_nights_are_the_same_on_any_number_of_processes(small: Make, workers: int) -> None:
    replicator = small()
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        apart = spread(work_of(replicator), SEEDS, pool)
    assert prints(apart) == prints(played(replicator))


def test_the_nights_are_the_same_on_a_dask_cluster_of_two_workers(small: Make) -> None:
    distributed = pytest.importorskip("distributed")
    replicator = small()
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster, opened(None, cluster.scheduler_address) as executor:  # fmt: skip
        apart = spread(work_of(replicator), SEEDS, executor)
    assert prints(apart) == prints(played(replicator))


def test_a_dask_cluster_that_is_not_there_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(parallel, "ANSWER_S", 0.5)
    with pytest.raises(UsageError, match="No hay un planificador"), opened(None, "tcp://127.0.0.1:9"):
        pass


def test_progress_is_told_until_the_last_night(small: Make) -> None:
    told: list[int] = []
    spread(work_of(small()), SEEDS, None, told.append)
    assert told == sorted(told)
    assert told[-1] == len(SEEDS)


def test_the_band_of_the_curve_widens_with_the_quantiles_and_never_goes_down(small: Make) -> None:
    replicator = small()
    campaign = gather(replicator, played(replicator))
    bands = campaign.bands()
    assert (np.diff(bands, axis=0) >= 0).all()
    assert (np.diff(bands, axis=1) >= 0).all()
    assert bands[:, 0].max() == 0.0
    assert bands[-1, -1] <= 100.0
    closing = campaign.at_close_pct()
    assert bands[3, -1] == pytest.approx(np.quantile(closing, 0.5))


def test_a_higher_percentage_is_reached_later_and_by_fewer_nights(small: Make) -> None:
    replicator = small(lambda scenario: with_capturistas(scenario, 30))
    campaign = gather(replicator, played(replicator))
    shares = [campaign.reach(target)[0] for target in TARGETS]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0
    middles = [campaign.reach(target)[1][1] for target in TARGETS]
    known = [minutes for minutes in middles if minutes is not None]
    assert known == sorted(known)


def test_more_capturistas_close_higher_and_the_interval_says_so(small: Make) -> None:
    few, many = (small(lambda scenario, n=n: with_capturistas(scenario, n)) for n in (2, 6))
    difference = compare(gather(few, played(few)), gather(many, played(many)))
    assert 0 < difference.at_close.low < difference.at_close.mean < difference.at_close.high
    assert difference.better_share == 1.0
    same = compare(gather(few, played(few)), gather(few, played(few)))
    assert (same.at_close.low, same.at_close.high, same.better_share) == (0.0, 0.0, 0.0)


def test_the_worst_catds_are_told_from_the_worst(small: Make) -> None:
    replicator = small()
    campaign = gather(replicator, played(replicator))
    worst = campaign.worst_catds(5)
    assert [row[2] for row in worst] == sorted(row[2] for row in worst)
    registered = sum(one.by_catd.sum() for one in campaign.replicas)
    assert registered == sum(one.registered for one in campaign.replicas)
    assert sum(campaign.expected_by_catd) == campaign.expected


def test_the_intervals_are_those_of_the_books() -> None:
    # Montgomery's example: 1.2 ± t(0.975, 4) * 0.1581 / sqrt(5).
    found = mean_interval(np.array([1.0, 1.1, 1.2, 1.3, 1.4]))
    assert (found.low, found.high) == pytest.approx((1.0037, 1.3963), abs=1e-4)
    # Clopper and Pearson for 4 of 20.
    assert share_interval(4, 20) == pytest.approx((0.0573, 0.4366), abs=1e-4)
    assert share_interval(0, 10)[0] == 0.0
    assert share_interval(10, 10)[1] == 1.0
