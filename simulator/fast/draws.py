"""The random numbers of a night as arrays, kept a while: plans compared on the same seed share them.

What is drawn depends on the root seed, the name of the stream and how many numbers it has, never on the
plan; so one table for the whole process serves every scenario (common random numbers cost nothing the
second time). The numbers are those of `simulator.seeds`, one for one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.fast.compiled import Kernels
from simulator.scenario.base import Service
from simulator.seeds import Seeds, lognormal_of

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


class _Weighs(Protocol):
    @property
    def nbytes(self) -> int: ...


Kept = TypeVar("Kept", bound=_Weighs)

KEPT_MB = 192
"""How much is kept of draws, and as much of what follows from them; what was used longest ago goes first."""

_kept: OrderedDict[int, dict[tuple[Any, ...], Any]] = OrderedDict()
_sizes: dict[int, int] = {}
_results: OrderedDict[tuple[Any, ...], Any] = OrderedDict()


class Draws:
    """The streams of one root seed. Arrays are shared: nobody writes on them."""

    def __init__(self, root: int, loops: Kernels) -> None:
        self.root = root
        self._loops = loops
        self.seeds = Seeds(root)

    def uniforms(self, name: str, count: int) -> Floats:
        """`Seeds.uniforms`."""
        found: Floats = self._get(("u", name, count), lambda: self.seeds.uniform_array(name, count))
        return found

    def normals(self, name: str, count: int) -> Floats:
        """`Seeds.normals`."""
        found: Floats = self._get(("z", name, count), lambda: self.seeds.normal_array(name, count))
        return found

    def lognormal(self, name: str, count: int, median_ms: float, sigma: float) -> Ints:
        """`Seeds.lognormal_ms`."""
        key = ("ms", name, count, median_ms, sigma)
        found: Ints = self._get(key, lambda: lognormal_of(self.normals(name, count), median_ms, sigma))
        return found

    def times(self, name: str, service: Service, count: int) -> Ints:
        """Service times in ms."""
        return self.lognormal(name, count, service.median_s * 1000, service.sigma)

    def quota(self, name: str, items: tuple[int, ...], size: int, share: float) -> Bools:
        """`Seeds.quota` as a mask of `size` positions."""

        def draw() -> Bools:
            mask = np.zeros(size, dtype=np.bool_)
            wanted = round(share * len(items))
            # Nothing or everything needs no luck: each stream is of its own quota alone.
            if wanted >= len(items):
                mask[list(items)] = True
            elif wanted > 0:
                mask[self._loops.order(self.seeds, name, np.array(items))[:wanted]] = True
            return mask

        found: Bools = self._get(("quota", name, items, size, share), draw)
        return found

    def kept(self, key: tuple[Any, ...], make: Callable[[], Kept]) -> Kept:
        """Anything else that follows from the seed and from what `key` says, if it is kept too."""
        place = (self.root, *key)
        found: Kept | None = _results.get(place)
        if found is None:
            found = make()
            _results[place] = found
            while sum(one.nbytes for one in _results.values()) > KEPT_MB << 20 and len(_results) > 1:
                _results.popitem(last=False)
        _results.move_to_end(place)
        return found

    def _get(self, key: tuple[Any, ...], draw: Callable[[], Any]) -> Any:
        found = _kept.setdefault(self.root, {}).get(key)
        if found is None:
            found = draw()
            _kept.setdefault(self.root, {})[key] = found
            _sizes[self.root] = _sizes.get(self.root, 0) + found.nbytes
            _kept.move_to_end(self.root)
            _make_room()
        return found


def forget() -> None:
    """Drop every number kept, so that a measure pays for drawing them."""
    _kept.clear()
    _sizes.clear()
    _results.clear()


def _make_room() -> None:
    while sum(_sizes.values()) > KEPT_MB << 20 and len(_kept) > 1:
        root, _ = _kept.popitem(last=False)
        del _sizes[root]
