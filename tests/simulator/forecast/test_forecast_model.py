"""The model behind `prep pronostico`, on nights made up here."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.fast.kernel import Pool, serve
from simulator.forecast.model import (
    CELL_H,
    CELL_MS,
    Filter,
    Paths,
    arrivals,
    registered,
)
from simulator.forecast.prior import PAST, PastNight, prior_without


def paths_of(cells: int, capacity: float, queue: float = 0.0) -> Paths:
    """One replica in which nothing is left to luck."""
    one, row = np.ones(1), np.ones((1, cells))
    zero = np.zeros((1, cells))
    return Paths(
        hazard=zero, deviation=zero, capacity=capacity * row, through=one, ceiling=one, taper=one,
        arrived=0 * one, queue=queue * one, noise=row, luck=np.zeros((2, 1, cells)),
    )  # fmt: skip


def test_the_cells_and_the_kernel_register_the_same_actas() -> None:
    rng = np.random.default_rng(5)
    times = np.sort(rng.gamma(6.0, 20 * 60_000.0, 3_000)).astype("int64")
    servers, work_ms, cells = 8, 40_000, 48
    done = np.sort(serve(times.tolist(), [work_ms] * len(times), Pool((servers,))))
    edges = CELL_MS * np.arange(cells + 1)
    came = np.histogram(times, edges)[0][None, :].astype(float)
    mine = registered(came, np.full((1, cells), servers * CELL_MS / work_ms), paths_of(cells, 0.0))[0]
    exact = np.searchsorted(done, edges[1:], side="right")
    queue = np.searchsorted(times, edges[1:], side="right") - exact
    assert queue.max() > 500, "el caso debe tener cola"
    # What a cell cannot see is when inside it the queue began: a few actas, once, and the pace is the same.
    cell = servers * CELL_MS / work_ms
    difference = (mine - exact)[queue > 300]
    assert np.abs(mine - exact).max() <= cell / 2
    assert np.abs(difference).max() <= cell / 5
    assert np.ptp(difference) <= servers


def test_the_prior_of_a_night_does_not_move_with_that_night(monkeypatch: pytest.MonkeyPatch) -> None:
    before, with_all = prior_without("qroo-2019"), prior_without()
    monkeypatch.setitem(PAST, "qroo-2019", PastNight("2019-06-02", 3.0, 0.1, 0.3, 0.5, 0.9))
    assert prior_without("qroo-2019") == before
    assert prior_without() != with_all


def test_the_prior_of_a_night_uses_no_other_of_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    before = prior_without("jalisco-2018")
    monkeypatch.setitem(PAST, "nacional-2018", PastNight("2018-07-01", 3.0, 0.1, 0.3, 0.5, 0.9))
    assert prior_without("jalisco-2018") == before


def test_the_same_seed_gives_the_same_night_and_another_seed_another() -> None:
    def run(seed: int) -> np.ndarray:
        beliefs = Filter(2_000, prior_without(), seed, count=500)
        for cell in range(24):
            beliefs.step(3 + cell * CELL_H, 20, 25)
        paths = beliefs.forward(7.0, 30, 60)
        return registered(arrivals(paths), paths.capacity, paths)

    assert np.array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


def forecast_after(cells: list[tuple[int, int]]) -> np.ndarray:
    """Actas registered in the six hours that follow some cells of (arrived, registered) from hour 5."""
    beliefs = Filter(9_000, prior_without(), 1, count=4_000)
    for number, (came, done) in enumerate(cells):
        beliefs.step(5 + (number + 0.5) * CELL_H, done, came)
    beliefs.know(sum(came for came, _ in cells), sum(came - done for came, done in cells))
    paths = beliefs.forward(5 + len(cells) * CELL_H, 36, 400)
    return np.asarray(registered(arrivals(paths), paths.capacity, paths)[:, -1])


def test_a_total_stop_does_not_teach_a_slow_pace() -> None:
    usual = [(150, 150)] * 12
    stopped = [*usual, (30, 30), (0, 0), (0, 0), (60, 60)]
    went_on = np.median(forecast_after(usual))
    after_stop = np.median(forecast_after(stopped))
    slow = np.median(forecast_after([*usual, *[(30, 30)] * 4]))
    assert abs(after_stop / went_on - 1) < 0.1
    assert slow < 0.95 * min(went_on, after_stop)


def test_a_stop_that_goes_on_now_holds_the_next_minutes() -> None:
    beliefs = Filter(9_000, prior_without(), 1, count=2_000)
    for number in range(12):
        beliefs.step(5 + number * CELL_H, 150, 150)
    running = beliefs.forward(7.0, 6, 400).capacity[:, 0].mean()
    beliefs.step(7.0, 0, 0)
    assert beliefs.stopped == 1
    assert beliefs.forward(7.0 + CELL_H, 6, 400).capacity[:, 0].mean() < 0.2 * running


def test_with_a_queue_the_pool_sets_the_pace_and_without_it_the_arrivals() -> None:
    saturated = Filter(20_000, prior_without(), 1, count=4_000)
    for number in range(18):
        saturated.step(5 + number * CELL_H, 100, 300)
    paths = saturated.forward(8.0, 6, 400)
    done = registered(arrivals(paths), paths.capacity, paths)
    assert 450 < np.median(done[:, -1]) < 750
    assert np.percentile(done[:, -1], 90) < 1_100


def test_the_band_covers_nights_drawn_from_the_prior_itself() -> None:
    source = Filter(6_000, prior_without(), 77, count=400)
    cells, seen = 72, 36
    paths = source.forward(3.0, cells, 16)
    came = arrivals(paths)
    done = np.diff(registered(came, paths.capacity, paths), axis=1, prepend=0.0)
    inside = []
    for night in range(16):
        if done[night, :seen].sum() < 60:
            continue
        beliefs = Filter(6_000, prior_without(), night, count=3_000)
        for cell in range(seen):
            beliefs.step(3 + (cell + 0.5) * CELL_H, int(done[night, cell]), int(came[night, cell]))
        ahead = beliefs.forward(3 + seen * CELL_H, cells - seen, 200)
        mine = registered(arrivals(ahead), ahead.capacity, ahead)
        low, high = np.percentile(mine, (10, 90), axis=0)
        real = np.cumsum(done[night, seen:])
        inside.append(float(((real >= low) & (real <= high)).mean()))
    assert len(inside) >= 10
    assert 0.70 <= np.mean(inside) <= 1.0
