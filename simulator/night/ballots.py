"""The sealed truth: what every acta of the night says, decided before anybody works.

Votes follow a participation by casilla and shares by contender with correlation of territory
(distrito, municipio, sección). Defects of the acta itself belong to the truth: a box that cannot be
read is illegible for whoever looks. `seal` hashes it all, so that it can be told afterwards that the
night was not written to fit. Nothing here knows who captures, or when.

There are no images: an image is stood for by the SHA-256 of its identity (scenario, acta, attempt).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt
from random import Random

import orjson

from core.domain.catalog import ActaEntry, Catalog, Contest
from core.domain.commands import Totals
from core.domain.contenders import ContenderKind
from core.domain.fields import Field, Mark, count_sum
from simulator.scenario.actas import Inconsistencies, Votes
from simulator.seeds import Seeds, normal_of

_LEVELS = (("distrito", 0.7), ("municipio", 0.8), ("seccion", 0.5))
"""How much of `Votes.spread` each level of territory moves the preferences."""
SPECIAL_TURNOUT = 0.6
"""Part of its ballots a casilla especial uses, on average."""
WITHOUT_LIST = 40
"""Voters of an acta with neither lista nominal nor limit."""


@dataclass(frozen=True, slots=True)
class Content:
    """What one acta says when read with care."""

    votes: tuple[Field, ...]
    totals: tuple[Field, ...]
    """As `Totals.as_tuple`."""
    letter_differs: int
    only_letter_or_number: int

    def as_totals(self) -> Totals:
        """The five totals as a command carries them."""
        return Totals(*self.totals)


def seal(catalog: Catalog, contents: Sequence[Content]) -> str:
    """SHA-256 of the content of every acta, in catalogue order."""
    digest = hashlib.sha256()
    for entry, content in zip(catalog.actas, contents, strict=True):
        row = [entry.id, entry.key, content.votes, content.totals]
        digest.update(orjson.dumps([*row, content.letter_differs, content.only_letter_or_number]))
    return digest.hexdigest()


def image_hash(scenario_sha256: str, acta: str, attempt: str) -> str:
    """Stands for the SHA-256 of the image of an acta; there is no image behind it."""
    return hashlib.sha256(f"{scenario_sha256}/{acta}/{attempt}".encode()).hexdigest()


def write_actas(catalog: Catalog, votes: Votes, defects: Inconsistencies, seeds: Seeds) -> list[Content]:
    """The content of every expected acta, by acta id."""
    shares = _Preferences(catalog, votes, seeds)
    noise = seeds.normals("votacion/participacion", len(catalog.casillas))
    draw = seeds.stream("votacion/votos")
    kinds = _defects(catalog, defects, seeds)
    contents = []
    for entry in catalog.actas:
        ballots = _ballots(catalog, entry, votes, noise[entry.casilla])
        applies = catalog.layouts[entry.layout].applies
        counts = _share_out(ballots, shares.of(entry), applies, draw)
        contents.append(_write(entry, ballots, counts, kinds, seeds, catalog))
    return contents


def _ballots(catalog: Catalog, entry: ActaEntry, votes: Votes, z: float) -> int:
    casilla = catalog.casillas[entry.casilla]
    turnout = min(0.95, max(0.05, votes.turnout + votes.turnout_sigma * z))
    if casilla.lista_nominal:
        return round(casilla.lista_nominal * turnout)
    if entry.limit is not None:
        return round(entry.limit * min(0.95, max(0.05, SPECIAL_TURNOUT + votes.turnout_sigma * z)))
    return WITHOUT_LIST


class _Preferences:
    """Shares by contender for the acta of a casilla."""

    def __init__(self, catalog: Catalog, votes: Votes, seeds: Seeds) -> None:
        self._catalog = catalog
        self._votes = votes
        self._seeds = seeds
        self._base = {contest.id: self._base_of(contest) for contest in catalog.contests.values()}
        self._effects: dict[tuple[str, str, int], list[float]] = {}
        self._cache: dict[tuple[str, int | None, int | None, int | None], list[float]] = {}

    def of(self, entry: ActaEntry) -> list[float]:
        """Share of each column on this acta."""
        casilla = self._catalog.casillas[entry.casilla]
        place = (entry.contest, casilla.distrito, casilla.municipio, casilla.seccion)
        if place not in self._cache:
            self._cache[place] = self._combine(entry.contest, place[1:])
        return self._cache[place]

    def _base_of(self, contest: Contest) -> list[float]:
        votes = self._votes
        weights = []
        for column in contest.columns:
            if column.kind is ContenderKind.COMBINACION:
                members = sum(votes.preferences.get(party, 1.0) for party in column.parties)
                combinations = sum(c.kind is ContenderKind.COMBINACION for c in contest.columns)
                weights.append(members * votes.combination_share / max(1, combinations))
            elif column.kind in (ContenderKind.NO_REGISTRADAS, ContenderKind.NULOS):
                weights.append(0.0)
            else:
                weights.append(votes.preferences.get(column.code, 1.0))
        left = 1.0 - votes.null_share - votes.unregistered_share
        total = sum(weights) or 1.0
        fixed = {
            ContenderKind.NO_REGISTRADAS: votes.unregistered_share, ContenderKind.NULOS: votes.null_share
        }  # fmt: skip
        return [
            fixed.get(column.kind, weight * left / total)
            for column, weight in zip(contest.columns, weights, strict=True)
        ]

    def _effect(self, contest: str, level: str, number: int, columns: int) -> list[float]:
        name = (contest, level, number)
        if name not in self._effects:
            self._effects[name] = self._seeds.normals(f"votacion/{contest}/{level}/{number}", columns)
        return self._effects[name]

    def _combine(self, contest: str, place: tuple[int | None, ...]) -> list[float]:
        base = self._base[contest]
        logs = [0.0] * len(base)
        for (level, part), number in zip(_LEVELS, place, strict=True):
            if number is not None:
                scale = part * self._votes.spread
                for position, z in enumerate(self._effect(contest, level, number, len(base))):
                    logs[position] += scale * z
        weights = [share * exp(log) for share, log in zip(base, logs, strict=True)]
        total = sum(weights)
        return [weight / total for weight in weights]


def _share_out(
    ballots: int, shares: Sequence[float], applies: Sequence[bool], draw: Random
) -> list[int | None]:
    """Ballots among the columns that exist, with the noise of as many people choosing one by one."""
    left = ballots
    mass = sum(share for share, exists in zip(shares, applies, strict=True) if exists)
    counts: list[int | None] = []
    last = max((position for position, exists in enumerate(applies) if exists), default=0)
    for position, (share, exists) in enumerate(zip(shares, applies, strict=True)):
        if not exists:
            counts.append(None)
            continue
        part = min(1.0, share / mass) if mass > 0 else 0.0
        noise = normal_of(draw.random()) * sqrt(left * part * (1.0 - part))
        count = left if position == last else min(left, max(0, round(left * part + noise)))
        counts.append(count)
        left -= count
        mass -= share
    return counts


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Defects by acta id: at most one of the main ones, and the lesser ones apart."""

    main: list[str | None]
    letter: list[bool]
    only: list[bool]
    arithmetic: list[bool]


def _defects(catalog: Catalog, defects: Inconsistencies, seeds: Seeds) -> _Kinds:
    size = len(catalog.actas)
    steps = (
        ("todos_ilegibles", defects.all_illegible), ("todos_sin_dato", defects.all_empty),
        ("excede", defects.exceeds), ("ilegible", defects.some_illegible), ("sin_dato", defects.some_empty),
    )  # fmt: skip
    main: list[str | None] = []
    for number in seeds.uniforms("actas/defecto", size):
        found = None
        for name, share in steps:
            if number < share:
                found = name
                break
            number -= share
        main.append(found)

    def flags(name: str, share: float) -> list[bool]:
        return [number < share for number in seeds.uniforms(f"actas/{name}", size)]

    return _Kinds(
        main,
        flags("letra", defects.letter_differs),
        flags("solo", defects.only_one),
        flags("totales", defects.arithmetic),
    )


def _write(
    entry: ActaEntry, ballots: int, counts: list[int | None], kinds: _Kinds, seeds: Seeds, catalog: Catalog
) -> Content:
    votes: list[Field] = [Mark.NO_APLICA if count is None else count for count in counts]
    casilla = catalog.casillas[entry.casilla]
    representatives = min(ballots, 4)
    issued = (entry.limit if entry.limit is not None else ballots) or ballots
    totals: list[Field] = [
        max(0, issued - ballots),
        ballots - representatives,
        representatives,
        ballots,
        ballots,
    ]
    main = kinds.main[entry.id]
    letter, only = int(kinds.letter[entry.id]), int(kinds.only[entry.id])
    if main is None and not kinds.arithmetic[entry.id]:
        return Content(tuple(votes), tuple(totals), letter, only)
    draw = seeds.stream(f"actas/detalle/{casilla.key}/{entry.key}/{entry.id}")
    here = [position for position, vote in enumerate(votes) if vote is not Mark.NO_APLICA]
    if main in ("todos_ilegibles", "todos_sin_dato"):
        mark = Mark.ILEGIBLE if main == "todos_ilegibles" else Mark.SIN_DATO
        for position in here:
            votes[position] = mark
        return Content(tuple(votes), (mark,) * 5, 0, 0)
    if main in ("ilegible", "sin_dato"):
        mark = Mark.ILEGIBLE if main == "ilegible" else Mark.SIN_DATO
        # People leave empty the boxes of whoever got nothing; any box can be illegible.
        small = sorted(here, key=lambda position: (count_sum((votes[position],)), position))
        pool = here if mark is Mark.ILEGIBLE else small[: max(1, len(small) // 2)]
        for position in draw.sample(pool, min(len(pool) - 1 or 1, draw.randint(1, 3))):
            votes[position] = mark
        if len(here) == 1:
            totals[4] = mark
    if main == "excede" and entry.limit is not None:
        position = max(here, key=lambda one: count_sum((votes[one],)))
        votes[position] = count_sum((votes[position],)) + entry.limit
    if kinds.arithmetic[entry.id]:
        chosen = draw.choice((0, 1, 3, 4))
        value = totals[chosen]
        wrong = (value if isinstance(value, int) else 0) + draw.choice((-3, -2, -1, 1, 2, 3, 10))
        totals[chosen] = Mark.SIN_DATO if draw.random() < 0.3 else max(0, wrong)
    return Content(tuple(votes), tuple(totals), letter, only)
