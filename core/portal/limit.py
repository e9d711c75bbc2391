"""How much an address may ask for: buckets that fill again with time.

Many people share an address: the limits are for who insists, not for who looks. `RATE` leaves room for a
thousand open pages behind one address (docs/carga.md has the account). Whoever asks a little too fast is
made to wait, and only beyond that refused. It keeps no address on disk and forgets those that asked longest
ago.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from functools import lru_cache

RATE = 150
"""Requests per second of an address."""
BURST = 1500
"""Requests an address may make at once, after a while without asking."""
HEAVY = 64 * 1024
"""Bytes from which an answer is heavy: images, packages, databases."""
HEAVY_RATE = 3_000_000
"""Bytes per second of heavy answers of an address: 24 Mbit/s."""
HEAVY_BURST = 32_000_000
"""Bytes of heavy answers an address may take at once, and the most that one costs."""
PATIENCE_S = 2.0
"""Longest an answer waits for its turn; a request that would wait longer is refused."""
HEAVY_PATIENCE_S = 15.0
"""The same of a heavy one: half of what `verificar.py` and `difusor.py` wait for an answer."""
MOST = 20_000
"""Addresses remembered."""


@lru_cache(maxsize=4096)
def who(address: str) -> str:
    """Whom an address is: itself, or its /64 in IPv6, which is the least that anybody is given.

    >>> who("189.203.1.7"), who("::ffff:189.203.1.7"), who("2001:db8:0:7::1") == who("2001:db8:0:7:a::2")
    ('189.203.1.7', '189.203.1.7', True)
    """
    if ":" not in address:
        return address
    try:
        full = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if full.ipv4_mapped is not None:
        return str(full.ipv4_mapped)
    return full.packed[:8].hex()


class Limit:
    """A bucket by address: `rate` comes back each second, up to `burst`. A rate of 0 admits everything.

    With `patience` (seconds) the bucket may go that far below empty, and who takes it there waits.
    """

    def __init__(
        self, rate: float = RATE, burst: float = BURST, most: int = MOST, patience: float = 0.0
    ) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._most = most
        self._patience = patience
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def turn(
        self, address: str, now: float, cost: float = 1.0, patience: float | None = None
    ) -> float | None:
        """Take `cost` from the bucket of an address at `now` (seconds of any clock that does not go back).

        Seconds it must wait, usually 0; None, with nothing taken, when it is refused. It is admitted while
        anything is left, and what is owed is paid by those that follow; what costs more than the whole
        bucket costs the whole bucket, so that nobody is left out for minutes for one download. A `patience`
        here is instead of the usual one.

        >>> limit = Limit(rate=1, burst=2)
        >>> [limit.turn("a", 0.0) for _ in range(3)], limit.turn("b", 0.0), limit.turn("a", 1.0)
        ([0.0, 0.0, None], 0.0, 0.0)
        """
        if not self._rate:
            return 0.0
        wait, left = self._owed(address, now)
        admitted = wait <= (self._patience if patience is None else patience)
        self._left.pop(address, None)
        self._left[address] = (left - min(cost, self._burst) if admitted else left, now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return wait if admitted else None

    def wait(self, address: str, now: float) -> float:
        """Seconds after which an address would be attended without waiting, if it asks nothing until then."""
        return self._owed(address, now)[0] if self._rate else 0.0

    def _owed(self, address: str, now: float) -> tuple[float, float]:
        """Seconds until there is something in its bucket, and what is in it."""
        left, at = self._left.get(address, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        return max(0.0, 1.0 - left) / self._rate, left
