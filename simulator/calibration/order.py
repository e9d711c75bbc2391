"""In what order a centre captured its actas, and a pool that does not follow the order of arrival.

It measures and plays; what is made of it is decided by `simulator.calibration.fit`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.published.analysis import MINUTE_MS
from simulator.calibration.traced import Bools, Ints, Traced
from simulator.seeds import Seeds


@dataclass(frozen=True)
class Order:
    """How much of the (logarithm of the) way to capture is explained, adjusted R², from 0 to 1; and how many
    of the pairs of actas in hand together were captured in order of arrival, from 0 to 1.

    One statewide queue in order of arrival is explained by the hour alone and has nearly every pair in turn;
    queues by territory are not. `in_turn_apart` counts the pairs of one territory only.
    """

    hour: float
    with_territory: float
    with_medium: float
    in_turn: float
    in_turn_apart: float


def capture_order(traced: Traced, rows: Bools | None = None) -> Order:
    """Was it one queue in order of arrival? Of all the traced actas, or of some."""
    frame = pd.DataFrame(
        {
            "way": np.log((traced.captura - traced.acopio) / MINUTE_MS + 0.5),
            "hour": traced.hour(traced.acopio),
            "territory": traced.territory,
            "medium": traced.medium,
            "acopio": traced.acopio,
            "captura": traced.captura,
        }
    )
    if rows is not None:
        frame = frame[rows]

    def explained(*by: str) -> float:
        groups = frame.groupby(list(by))["way"]
        left = frame["way"] - groups.transform("mean")
        free = len(frame) - groups.ngroups
        total = float(((frame["way"] - frame["way"].mean()) ** 2).sum())
        if free <= 0 or total == 0:
            return 0.0
        return max(0.0, 1 - float((left**2).sum()) / free / (total / (len(frame) - 1)))

    apart = [_pairs(part) for _, part in frame.groupby("territory")]
    return Order(
        explained("hour"),
        explained("hour", "territory"),
        explained("hour", "medium"),
        _share([_pairs(frame)]),
        _share(apart),
    )


def _pairs(frame: pd.DataFrame) -> tuple[int, int]:
    """Pairs in turn, and pairs in all: the second acta came after the first and before its capture."""
    arrivals = frame["acopio"].to_numpy()
    done = frame["captura"].to_numpy()
    since = np.searchsorted(arrivals, arrivals, side="right")
    until = np.searchsorted(arrivals, done, side="left")
    inside = [int((done[a:b] > end).sum()) for a, b, end in zip(since, until, done, strict=True)]
    return sum(inside), int(np.maximum(0, until - since).sum())


def _share(counts: list[tuple[int, int]]) -> float:
    total = sum(pairs for _, pairs in counts)
    return sum(turn for turn, _ in counts) / total if total else 1.0


def at_random(arrivals: Ints, done: Ints, work_ms: int, seed: int, name: str) -> Ints:
    """The completions of the same pool when whoever becomes free takes any acta of those waiting.

    `arrivals` are sorted and `done` their completions in order of arrival, every acta of `work_ms` of work:
    as all take the same, the pool ends as many actas at the same moments, and only which ones changes.
    Work that a total stop froze counts as begun `work_ms` before it ended.
    """
    chance = Seeds(seed).stream(f"calibrar/turno/{name}")
    moments = np.sort(done)
    came = np.searchsorted(arrivals, moments - work_ms, side="right")
    answer = np.zeros(len(done), dtype="int64")
    waiting: list[int] = []
    entered = 0
    for moment, count in zip(moments.tolist(), came.tolist(), strict=True):
        # Whoever begins now was here: at least one acta more than those begun before.
        waiting.extend(range(entered, count))
        entered = max(entered, count)
        place = int(chance.random() * len(waiting))
        waiting[place], waiting[-1] = waiting[-1], waiting[place]
        answer[waiting.pop()] = moment
    return answer
