"""Named random streams: every draw of a night belongs to a name, and a name never moves another.

A stream is seeded by a hash of the root seed and its name, so adding one leaves the others as they
were, and whatever is drawn once per acta is drawn before the night and indexed by acta id: two
plans are compared on the same arrivals, the same handwriting, the same slow envelope. Normals come
from the inverse of the distribution function, one uniform each. It knows nothing of actas.

There is one set of numbers and two ways to draw it: one by one with `random.Random`, or whole arrays
with numpy's Mersenne twister seeded with the same words, several times faster. Lists come from
whichever is quicker; the arrays (`uniform_array` and the rest) are for `fast.plan`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import exp, log
from random import Random
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]

_INVERSE = NormalDist().inv_cdf
_LEAST = 2.0**-60
"""Uniforms may be exactly zero, where the inverse is not defined."""
_FEW = 512
"""Below this many numbers seeding an array generator costs more than it saves."""
_HALF_MARGIN = 1e-5
"""A duration this close to half a ms is worked out again with the C library's exp."""

# Coefficients of PPND16 (Wichura 1988, algorithm AS 241), from the highest power: above and below.
_CENTRE = (
    (
        2509.0809287301227,
        33430.57558358813,
        67265.7709270087,
        45921.95393154987,
        13731.69376550946,
        1971.5909503065513,
        133.14166789178438,
        3.3871328727963665,
    ),
    (
        5226.495278852854,
        28729.085735721943,
        39307.89580009271,
        21213.794301586597,
        5394.196021424751,
        687.1870074920579,
        42.31333070160091,
        1.0,
    ),
)
_TAIL = (
    (
        0.0007745450142783414,
        0.022723844989269184,
        0.2417807251774506,
        1.2704582524523684,
        3.6478483247632045,
        5.769497221460691,
        4.630337846156546,
        1.4234371107496835,
    ),
    (
        1.0507500716444169e-09,
        0.0005475938084995345,
        0.015198666563616457,
        0.14810397642748008,
        0.6897673349851,
        1.6763848301838038,
        2.053191626637759,
        1.0,
    ),
)
_FAR = (
    (
        2.0103343992922881e-07,
        2.7115555687434876e-05,
        0.0012426609473880784,
        0.026532189526576124,
        0.29656057182850487,
        1.7848265399172913,
        5.463784911164114,
        6.657904643501103,
    ),
    (
        2.0442631033899397e-15,
        1.421511758316446e-07,
        1.8463183175100548e-05,
        0.0007868691311456133,
        0.014875361290850615,
        0.1369298809227358,
        0.599832206555888,
        1.0,
    ),
)


class Seeds:
    """The streams of one night. `root` is the number given with `--semilla`."""

    def __init__(self, root: int) -> None:
        self.root = root

    def stream(self, name: str) -> Random:
        """The generator of a name; asking twice gives two generators in the same state."""
        return Random(self._number(name))

    def uniforms(self, name: str, count: int) -> list[float]:
        """`count` numbers in [0, 1)."""
        if count >= _FEW and _numpy() is not None:
            drawn: list[float] = self.uniform_array(name, count).tolist()
            return drawn
        draw = self.stream(name).random
        return [draw() for _ in range(count)]

    def normals(self, name: str, count: int) -> list[float]:
        """`count` standard normal numbers."""
        if count >= _FEW and _numpy() is not None:
            drawn: list[float] = self.normal_array(name, count).tolist()
            return drawn
        draw = self.stream(name).random
        return [_INVERSE(draw() or _LEAST) for _ in range(count)]

    def lognormal_ms(self, name: str, count: int, median_ms: float, sigma: float) -> list[int]:
        """`count` lognormal durations in whole ms, at least 1."""
        if count >= _FEW and _numpy() is not None:
            drawn: list[int] = self.lognormal_array(name, count, median_ms, sigma).tolist()
            return drawn
        return [max(1, round(median_ms * exp(sigma * z))) for z in self.normals(name, count)]

    def order(self, name: str, items: Sequence[int]) -> list[int]:
        """The items in a random order."""
        shuffled = list(items)
        self.stream(name).shuffle(shuffled)
        return shuffled

    def quota(self, name: str, items: Sequence[int], share: float) -> set[int]:
        """A random subset with exactly that share of the items, rounded."""
        size = round(share * len(items))
        if size <= 0:
            return set()
        return set(items) if size >= len(items) else set(self.order(name, items)[:size])

    # -- the same numbers as arrays ------------------------------------------------------------

    def uniform_array(self, name: str, count: int) -> Floats:
        """`uniforms` as a float64 array."""
        np = _numpy()
        # The twister is seeded with the 32-bit words of the number, least first, as Random does it.
        words = _words(self._number(name))
        drawn: Floats = np.random.RandomState(words).random_sample(count)
        return drawn

    def normal_array(self, name: str, count: int) -> Floats:
        """`normals` as a float64 array."""
        return inverse_normal(self.uniform_array(name, count))

    def lognormal_array(self, name: str, count: int, median_ms: float, sigma: float) -> Ints:
        """`lognormal_ms` as an int64 array."""
        return lognormal_of(self.normal_array(name, count), median_ms, sigma)

    def word_array(self, name: str, count: int) -> Any:
        """The first 32-bit words of a stream, which whole numbers and shuffles are made of, as uint32."""
        np = _numpy()
        state = np.random.RandomState(_words(self._number(name)))
        return state.randint(0, 1 << 32, count, dtype=np.uint32)

    def _number(self, name: str) -> int:
        digest = hashlib.sha256(f"{self.root}/{name}".encode()).digest()
        return int.from_bytes(digest[:16], "big")


def normal_of(uniform: float) -> float:
    """The standard normal number of a uniform one."""
    return _INVERSE(uniform or _LEAST)


def lognormal_of(normals: Floats, median_ms: float, sigma: float) -> Ints:
    """Lognormal durations in whole ms, at least 1, of some standard normal numbers."""
    np = _numpy()
    longest: Ints = np.maximum(1, rounded_exp(median_ms, sigma, normals))
    return longest


def rounded_exp(scale: float | Floats, sigma: float, normals: Floats) -> Ints:
    """`round(scale * exp(sigma * z))` for every z, exactly as Python gives it.

    numpy's exp may differ from the C library's in the last bit, and differently on each machine:
    what falls so near half a ms that a bit could decide it is worked out again one by one.
    """
    np = _numpy()
    values = scale * np.exp(sigma * normals)
    whole = np.rint(values)
    doubtful = np.nonzero(np.abs(np.abs(values - whole) - 0.5) < _HALF_MARGIN)[0]
    if doubtful.size:
        scales = np.broadcast_to(np.asarray(scale, dtype=np.float64), values.shape)
        for position in doubtful.tolist():
            whole[position] = round(float(scales[position]) * exp(sigma * float(normals[position])))
    answer: Ints = whole.astype(np.int64)
    return answer


def inverse_normal(uniforms: Floats) -> Floats:
    """Wichura's PPND16 over an array, in the order of operations of `NormalDist.inv_cdf`.

    Sums, products, quotients and square roots are exact to the last bit; the logarithms of the tails
    come from the C library, one by one, because numpy's own may differ in it.
    """
    np = _numpy()
    p = np.where(uniforms == 0.0, _LEAST, uniforms)
    q = p - 0.5
    above, below = _horner(_CENTRE, 0.180625 - q * q)
    answer = above * q / below
    tails = np.nonzero(np.abs(q) > 0.425)[0]
    if tails.size:
        low = q[tails] <= 0.0
        nearest = np.where(low, p[tails], 1.0 - p[tails])
        r = np.sqrt([-log(one) for one in nearest.tolist()])
        above, below = _horner(_TAIL, r - 1.6)
        x = above / below
        far = r > 5.0
        if far.any():
            above, below = _horner(_FAR, r[far] - 5.0)
            x[far] = above / below
        answer[tails] = np.where(low, -x, x)
    # As inv_cdf ends: the mean plus the deviation times it.
    final: Floats = 0.0 + (answer * 1.0)
    return final


def _horner(polynomials: tuple[tuple[float, ...], tuple[float, ...]], r: Floats) -> tuple[Floats, Floats]:
    """Both polynomials at every r."""
    sums = []
    for first, *rest in polynomials:
        total = first * r
        for coefficient in rest[:-1]:
            total += coefficient
            total *= r
        total += rest[-1]
        sums.append(total)
    return sums[0], sums[1]


def _words(number: int) -> list[int]:
    words = []
    while True:
        words.append(number & 0xFFFFFFFF)
        number >>= 32
        if not number:
            return words


def _numpy() -> Any:
    """numpy, or None where it is not: the streams need only the standard library."""
    try:
        import numpy
    except ImportError:
        return None
    return numpy
