"""How many requests an address may make: a bucket of tokens for each, as nginx does with the shipped file.

Many people share an address: the limit is for who insists, not for who looks. It keeps no address on disk
and forgets those that asked longest ago.
"""

from __future__ import annotations

from collections import OrderedDict

RATE = 60
"""Requests per second of an address."""
BURST = 300
"""Requests an address may make at once, after a while without asking."""
MOST = 20_000
"""Addresses remembered."""


class Limit:
    """Tokens by address: `rate` come back each second, up to `burst`. A rate of 0 admits everything."""

    def __init__(self, rate: float = RATE, burst: int = BURST, most: int = MOST) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._most = most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admits(self, address: str, now: float) -> bool:
        """Take a token of an address at `now` (seconds of any clock that does not go back).

        >>> limit = Limit(rate=1, burst=2)
        >>> [limit.admits("a", 0.0) for _ in range(3)], limit.admits("b", 0.0), limit.admits("a", 1.0)
        ([True, True, False], True, True)
        """
        if not self._rate:
            return True
        tokens, at = self._left.pop(address, (self._burst, now))
        tokens = min(self._burst, tokens + (now - at) * self._rate)
        admitted = tokens >= 1
        self._left[address] = (tokens - 1 if admitted else tokens, now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return admitted
