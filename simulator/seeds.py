"""Named random streams: every draw of a night belongs to a name, and a name never moves another.

A stream is seeded by a hash of the root seed and its name, so adding one leaves the others as they
were, and whatever is drawn once per acta is drawn before the night and indexed by acta id: two
plans are compared on the same arrivals, the same handwriting, the same slow envelope. Normals come
from the inverse of the distribution function, one uniform each. It knows nothing of actas.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import exp
from random import Random
from statistics import NormalDist

_INVERSE = NormalDist().inv_cdf
_LEAST = 2.0**-60
"""Uniforms may be exactly zero, where the inverse is not defined."""


class Seeds:
    """The streams of one night. `root` is the number given with `--semilla`."""

    def __init__(self, root: int) -> None:
        self.root = root

    def stream(self, name: str) -> Random:
        """The generator of a name; asking twice gives two generators in the same state."""
        digest = hashlib.sha256(f"{self.root}/{name}".encode()).digest()
        return Random(int.from_bytes(digest[:16], "big"))

    def uniforms(self, name: str, count: int) -> list[float]:
        """`count` numbers in [0, 1)."""
        draw = self.stream(name).random
        return [draw() for _ in range(count)]

    def normals(self, name: str, count: int) -> list[float]:
        """`count` standard normal numbers."""
        draw = self.stream(name).random
        return [_INVERSE(draw() or _LEAST) for _ in range(count)]

    def lognormal_ms(self, name: str, count: int, median_ms: float, sigma: float) -> list[int]:
        """`count` lognormal durations in whole ms, at least 1."""
        return [max(1, round(median_ms * exp(sigma * z))) for z in self.normals(name, count)]

    def order(self, name: str, items: Sequence[int]) -> list[int]:
        """The items in a random order."""
        shuffled = list(items)
        self.stream(name).shuffle(shuffled)
        return shuffled

    def quota(self, name: str, items: Sequence[int], share: float) -> set[int]:
        """A random subset with exactly that share of the items, rounded."""
        return set(self.order(name, items)[: round(share * len(items))])


def normal_of(uniform: float) -> float:
    """The standard normal number of a uniform one."""
    return _INVERSE(uniform or _LEAST)
