"""The quality of what is captured: inconsistencies, CATDs and capturistas against limits, disputes, the gap.

`QualityFold` takes the events of the ledger one by one; `quality` turns it into the part `calidad` of the
snapshot; `People` says who is behind each number of capturista, for those who may know. It raises no
alerts (`alerts.rules` does) and judges no acta: the verdicts are those the engine recorded.

A limit is the most that chance explains: with the rate of the whole state, 99 of 100 places of that size
would stay at or below it. With many places some will pass it by chance alone; `quality` says how many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

import orjson
from scipy.special import bdtr
from sqlalchemy import Engine, select

from core.domain.events import EventKind
from core.domain.rules import FUERA_DE_CATALOGO, SIN_ACTA_CODES, SinActaReason
from core.storage import schema

LEVEL = 0.99
"""Share of places of the same size that stay at or below the limit when only chance is at work."""
FEWEST = 20
"""Below this many actas or captures nobody is compared with a limit."""
MOST_ROWS = 15
"""Rows of each table in the snapshot: the worst ones."""


class _Capture(NamedTuple):
    """One capture waiting for the definitive value of its acta."""

    actor: str
    data: bytes | str


@dataclass(slots=True)
class ActorCount:
    """One capturista: `number` is the order of his first capture, from 1.

    `captures` are those whose acta has a definitive value; `errors` those that differ from it.
    """

    number: int
    captures: int = 0
    errors: int = 0


@dataclass(slots=True)
class QualityFold:
    """What the ledger says about quality, kept up event by event.

    Captures are kept only until their acta is verified. A recall takes back the codes of an acta, not the
    errors that were found by its value.
    """

    codes: Counter[str] = field(default_factory=Counter)
    """Standing actas by code: observations and notices of those verified, situations of the others."""
    actors: dict[str, ActorCount] = field(default_factory=dict)
    open_disputes: int = 0
    settled_disputes: int = 0
    captures: int = 0
    errors: int = 0
    _pending: dict[int, list[_Capture]] = field(default_factory=dict)
    _disputed: set[int] = field(default_factory=set)
    _codes_of: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def apply(self, kind: str, acta: int | None, actor: str, data: bytes | str) -> None:
        """One event, in ledger order. `data` is decoded only where it is needed."""
        if acta is None:
            if kind == EventKind.OUTSIDE_RECEIVED:
                self.codes[FUERA_DE_CATALOGO] += 1
            return
        if kind == EventKind.ACTA_CAPTURED:
            if actor not in self.actors:
                self.actors[actor] = ActorCount(len(self.actors) + 1)
            self._pending.setdefault(acta, []).append(_Capture(actor, data))
        elif kind == EventKind.ACTA_VERIFIED:
            self._verified(acta, data)
        elif kind == EventKind.ACTA_DISPUTED:
            if acta not in self._disputed:
                self._disputed.add(acta)
                self.open_disputes += 1
        elif kind == EventKind.SIN_ACTA_MARKED:
            self._stands(acta, (SIN_ACTA_CODES[SinActaReason(orjson.loads(data)["reason"])],))
        elif kind == EventKind.OUTSIDE_IDENTIFIED:
            self.codes[FUERA_DE_CATALOGO] -= 1
            self._withdraw(acta)
        elif kind in (EventKind.RECALL_APPROVED, EventKind.ACTA_RECEIVED):
            # One that comes after it was given for lost is not without acta any more.
            self._withdraw(acta)
        elif kind == EventKind.IMAGE_REPLACED:
            # What was typed from the image that is thrown away is nobody's error.
            self._pending.pop(acta, None)
            if acta in self._disputed:
                self._disputed.discard(acta)
                self.open_disputes -= 1

    def _verified(self, acta: int, data: bytes | str) -> None:
        verdict = orjson.loads(data)
        self._stands(acta, (*verdict["codes"], *verdict["notices"]))
        captures = self._pending.pop(acta, [])
        wrong: Sequence[bool] = [False] * len(captures)
        if acta in self._disputed:
            self._disputed.discard(acta)
            self.open_disputes -= 1
            self.settled_disputes += 1
            values = [_value(capture.data) for capture in captures]
            chosen = values[verdict["chosen"]]
            wrong = [value != chosen for value in values]
        for capture, is_wrong in zip(captures, wrong, strict=True):
            count = self.actors[capture.actor]
            count.captures += 1
            count.errors += is_wrong
        self.captures += len(captures)
        self.errors += sum(wrong)

    def _stands(self, acta: int, codes: tuple[str, ...]) -> None:
        self._withdraw(acta)
        if codes:
            self._codes_of[acta] = codes
            self.codes.update(codes)

    def _withdraw(self, acta: int) -> None:
        for code in self._codes_of.pop(acta, ()):
            self.codes[code] -= 1


def binomial_limit(n: int, share: float, level: float = LEVEL) -> int:
    """The least k with P(X ≤ k) ≥ level, where X is binomial: what `n` tries show by chance at `share`.

    Raises ValueError when `share` is not between 0 and 1 or `n` is negative.
    """
    if n < 0 or not 0 <= share <= 1:
        raise ValueError(f"binomial_limit({n}, {share}): n ≥ 0 and 0 ≤ share ≤ 1")
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if float(bdtr(middle, n, share)) >= level:
            high = middle
        else:
            low = middle + 1
    return low


def quality(
    fold: QualityFold,
    catds: Iterable[tuple[int, int, int]],
    contests: Iterable[tuple[str, str, int, int]],
) -> dict[str, Any]:
    """The part `calidad` of the snapshot, plain JSON.

    `catds` are (id, actas reviewed, inconsistent); `contests` (id, name, actas captured, counted).
    Percentages are numbers with two decimals, for screens: those that are published are others.
    """
    catds = list(catds)
    reviewed, inconsistent = sum(one[1] for one in catds), sum(one[2] for one in catds)
    rate = inconsistent / reviewed if reviewed else 0.0
    error_rate = fold.errors / fold.captures if fold.captures else 0.0
    places = [
        {"catd": id_, "revisadas": n, "inconsistentes": bad, **_against(n, bad, rate)}
        for id_, n, bad in catds
    ]
    people = [
        {"n": one.number, "capturas": one.captures, "errores": one.errors,
         **_against(one.captures, one.errors, error_rate)}
        for one in fold.actors.values()
    ]  # fmt: skip
    ended = fold.open_disputes + fold.settled_disputes
    return {
        "codigos": {code: count for code, count in sorted(fold.codes.items()) if count},
        "estado": {
            "revisadas": reviewed,
            "inconsistentes": inconsistent,
            "pct": _pct(inconsistent, reviewed),
            "capturas": fold.captures,
            "errores": fold.errors,
            "errores_pct": _pct(fold.errors, fold.captures),
        },
        "nivel_pct": LEVEL * 100,
        "minimo": FEWEST,
        "catd": _worst(places, "catd"),
        "catd_fuera": _outside(places),
        "catd_comparados": sum(one["limite_pct"] is not None for one in places),
        "capturistas": _worst(people, "n"),
        "capturistas_fuera": _outside(people),
        "capturistas_comparados": sum(one["limite_pct"] is not None for one in people),
        "disputas": {
            "abiertas": fold.open_disputes,
            "resueltas": fold.settled_disputes,
            "tasa_pct": _pct(fold.settled_disputes, ended),
        },
        "brecha": [
            {
                "contienda": id_,
                "nombre": name,
                "capturadas": captured,
                "contabilizadas": counted,
                "brecha": captured - counted,
                "pct": _pct(captured - counted, captured),
            }
            for id_, name, captured, counted in contests
        ],
    }


class People:
    """Who is behind each number of capturista. One per process: it reads only what is new.

    Numbers are those of `QualityFold`: the order of the first capture in the ledger. Whoever calls it has
    checked the permission to see names.
    """

    def __init__(self, database: Engine) -> None:
        self._database = database
        self._seq = 0
        self._numbers: dict[str, int] = {}
        self._lock = Lock()

    def names(self) -> dict[str, dict[str, str]]:
        """`{"personas": {"1": actor, …}}`."""
        ledger = schema.ledger.c
        with self._lock, self._database.connect() as connection:
            rows = connection.execution_options(stream_results=True, yield_per=5_000).execute(
                select(ledger.seq, ledger.actor)
                .where(ledger.seq > self._seq, ledger.kind == EventKind.ACTA_CAPTURED.value)
                .order_by(ledger.seq)
            )
            for seq, actor in rows:
                self._numbers.setdefault(actor, len(self._numbers) + 1)
                self._seq = seq
            return {"personas": {str(number): actor for actor, number in self._numbers.items()}}


def _value(data: bytes | str) -> tuple[Any, Any]:
    capture = orjson.loads(data)
    return capture["votes"], capture["totals"]


def _against(n: int, bad: int, rate: float) -> dict[str, Any]:
    """Its percentage and, when there is enough to compare, its limit and whether it is beyond."""
    if n < FEWEST:
        return {"pct": _pct(bad, n), "limite_pct": None, "fuera": False}
    limit = binomial_limit(n, rate)
    return {"pct": _pct(bad, n), "limite_pct": _pct(limit, n), "fuera": bad > limit}


def _worst(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Those beyond their limit first, then those that can be compared, by percentage."""

    def rank(row: dict[str, Any]) -> tuple[bool, bool, float, int]:
        return (not row["fuera"], row["limite_pct"] is None, -(row["pct"] or 0.0), row[name])

    return sorted(rows, key=rank)[:MOST_ROWS]


def _outside(rows: list[dict[str, Any]]) -> int:
    return sum(row["fuera"] for row in rows)


def _pct(part: int, whole: int) -> float | None:
    """With two decimals, truncated as the wall does: the same figure may not look two."""
    return part * 10_000 // whole / 100 if whole else None
