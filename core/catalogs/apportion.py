"""Deterministic sharing out of whole numbers, for catalogues that are modelled.

Integers only, no random generator: the same inputs give the same catalogue on every machine. It
knows nothing of elections.
"""

from __future__ import annotations

from collections.abc import Sequence

_MASK = (1 << 64) - 1


def mix(*values: int) -> int:
    """A well scattered 64-bit number that depends only on `values` (SplitMix64 finaliser)."""
    state = 0x9E3779B97F4A7C15
    for value in values:
        state = (state ^ value) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` in proportion to `weights`, exactly; ties of remainder go to the first.

    >>> largest_remainder(10, [1, 1, 1])
    [4, 3, 3]
    """
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("weights must add up to something")
    shares = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for position in order[: total - sum(shares)]:
        shares[position] += 1
    return shares


def highest_averages(total: int, weights: Sequence[int], start: Sequence[int]) -> list[int]:
    """Give out `total` units one by one, each to the highest weight / units already held (D'Hondt).

    `start` are the units held before; what is returned are only the new ones.
    """
    held = list(start)
    for _ in range(total):
        best = 0
        for i in range(1, len(weights)):
            # weights[i] / (held[i] + 1) > weights[best] / (held[best] + 1), without dividing
            if weights[i] * (held[best] + 1) > weights[best] * (held[i] + 1):
                best = i
        held[best] += 1
    return [after - before for after, before in zip(held, start, strict=True)]


def fit_total(values: Sequence[int], low: Sequence[int], high: Sequence[int], total: int) -> list[int]:
    """Move `values` within [low, high] so that they add up to `total`, each in proportion to its room.

    Raises ValueError when the bounds leave no room for it.
    """
    if not sum(low) <= total <= sum(high):
        raise ValueError(f"{total} is not between {sum(low)} and {sum(high)}")
    gap = total - sum(values)
    rooms = [(h - v) if gap > 0 else (v - lo) for v, lo, h in zip(values, low, high, strict=True)]
    if gap == 0:
        return list(values)
    sign = 1 if gap > 0 else -1
    moves = largest_remainder(abs(gap), rooms)
    return [value + sign * move for value, move in zip(values, moves, strict=True)]
