"""The streams: arrays and lists are the numbers of `random.Random` and `statistics.NormalDist`."""

from __future__ import annotations

import hashlib
from math import exp
from random import Random
from statistics import NormalDist

import numpy as np
import pytest

from simulator.fast.compiled import compiled_here, kernels
from simulator.seeds import Seeds, inverse_normal, rounded_exp

MANY = 100_000


def reference(root: int, name: str) -> Random:
    """The definition of a stream."""
    digest = hashlib.sha256(f"{root}/{name}".encode()).digest()
    return Random(int.from_bytes(digest[:16], "big"))


@pytest.mark.parametrize("root", [0, 1, 2021])
@pytest.mark.parametrize("count", [3, 511, 512, MANY])
def test_uniforms_are_those_of_the_standard_generator(root: int, count: int) -> None:
    draw = reference(root, "llegada").random
    expected = [draw() for _ in range(count)]
    assert Seeds(root).uniforms("llegada", count) == expected
    assert Seeds(root).uniform_array("llegada", count).tolist() == expected


def test_a_stream_whose_number_has_fewer_words_is_the_same_too() -> None:
    class Small(Seeds):
        def _number(self, name: str) -> int:
            return int(name)

    for number in (0, 1, 2**32 - 1, 2**32, 2**96):
        draw = Random(number).random
        assert Small(0).uniform_array(str(number), 5).tolist() == [draw() for _ in range(5)]


def test_normals_are_those_of_the_inverse_distribution_to_the_last_bit_or_the_next() -> None:
    inverse = NormalDist().inv_cdf
    uniforms = Seeds(7).uniforms("traslado", MANY)
    expected = np.array([inverse(one) for one in uniforms])
    drawn = Seeds(7).normal_array("traslado", MANY)
    assert np.all(np.abs(drawn - expected) <= np.spacing(np.abs(expected)))
    assert drawn.tolist() == Seeds(7).normals("traslado", MANY)


def test_the_tails_of_the_normal_are_right_and_zero_is_not_an_infinity() -> None:
    inverse = NormalDist().inv_cdf
    edges = [2.0**-53, 1e-300, 1e-12, 1e-6, 0.075, 0.5, 0.925, 1 - 1e-6, 1 - 2.0**-53]
    drawn = inverse_normal(np.array([*edges, 0.0]))
    assert drawn[:-1].tolist() == pytest.approx([inverse(one) for one in edges], rel=1e-15, abs=1e-15)
    assert drawn[-1] == pytest.approx(inverse(2.0**-60), rel=1e-15)


@pytest.mark.parametrize("sigma", [0.0, 0.4, 1.5])
def test_durations_are_the_same_whole_ms_drawn_one_by_one_or_together(sigma: float) -> None:
    inverse = NormalDist().inv_cdf
    draw = reference(3, "captura").random
    expected = [max(1, round(75_000.0 * exp(sigma * inverse(draw())))) for _ in range(MANY)]
    assert Seeds(3).lognormal_ms("captura", MANY, 75_000.0, sigma) == expected
    assert Seeds(3).lognormal_array("captura", MANY, 75_000.0, sigma).tolist() == expected


def test_a_duration_of_exactly_half_a_ms_is_rounded_as_python_rounds() -> None:
    zeros = np.zeros(4)
    assert rounded_exp(np.array([0.5, 1.5, 2.5, 3.4]), 1.0, zeros).tolist() == [0, 2, 2, 3]


@pytest.mark.parametrize("compiled", [False, True] if compiled_here() else [False])
def test_the_order_of_a_stream_is_its_shuffle(compiled: bool) -> None:
    for count in (1, 2, 33, 9_903):
        expected = list(range(count))
        reference(5, "sobres").shuffle(expected)
        assert Seeds(5).order("sobres", range(count)) == expected
        assert kernels(compiled).order(Seeds(5), "sobres", np.arange(count)).tolist() == expected


def test_a_quota_takes_exactly_its_share() -> None:
    items = range(1_000)
    some = Seeds(1).quota("a", items, 0.25)
    assert len(some) == 250
    assert some == set(Seeds(1).order("a", items)[:250])
    assert Seeds(1).quota("a", items, 0.0) == set()
    assert Seeds(1).quota("a", items, 1.0) == set(items)
