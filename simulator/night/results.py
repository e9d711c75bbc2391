"""What a night ended like, read back from the database and compared with the sealed truth.

Counters come from the recorded results, never from the model's own idea of them. The comparison
says what double capture caught and what it let through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine as Database

from core.domain.catalog import Catalog
from core.domain.fields import count_sum
from core.storage.reading import SnapshotReader
from core.tally.snapshot import PublishedActa, Snapshot
from simulator.night.ballots import Content
from simulator.night.counts import Share, final_headers, pct, share_of, truth_headers
from simulator.night.facts import PHONE, facts_of
from simulator.night.run import Night
from simulator.night.score import Score, score_of
from simulator.night.tables import missing_of, tables
from simulator.scenario.document import Expected


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Recorded actas against the truth."""

    compared: int
    wrong_actas: int
    fields: int
    wrong_fields: int
    votes_moved: int
    """Sum over the fields of the difference in votes."""


@dataclass(frozen=True)
class Results:
    """The end of a night."""

    headers: dict[str, dict[str, str]]
    """The thirteen counters by contest, as the CSV header writes them."""
    truth_headers: dict[str, dict[str, str]]
    """The same counters if every acta had been captured without error."""
    total: Share
    by_contest: dict[str, Share]
    by_distrito: dict[int | None, Share]
    by_origin: dict[str, int]
    by_observation: dict[str, int]
    phone_actas: int
    accuracy: Accuracy
    score: Score
    tables: dict[str, Any]
    """See `tables.tables`."""


def results_of(night: Night, database: Database) -> Results:
    """Read the end of a night from its database."""
    catalog = night.catalog
    snapshot = SnapshotReader(database, len(catalog.actas)).read()
    facts = facts_of(database, len(catalog.actas))
    headers = final_headers(catalog, snapshot)
    captured = [acta for acta in snapshot.actas if acta is not None]
    origins = Counter("SIN ACTA" if acta.sin_acta else f"{acta.origin}/{acta.medium}" for acta in captured)
    return Results(
        headers=headers,
        truth_headers=truth_headers(catalog, night.truth),
        total=share_of(snapshot, range(len(catalog.actas))),
        by_contest={
            contest: share_of(snapshot, [entry.id for entry in catalog.actas_of(contest)])
            for contest in catalog.contests
        },
        by_distrito=_by_distrito(catalog, snapshot),
        by_origin=dict(sorted(origins.items())),
        by_observation=dict(sorted(Counter(code for acta in captured for code in acta.codes).items())),
        phone_actas=sum(acta.medium == PHONE for acta in captured),
        accuracy=_accuracy(captured, night.truth),
        score=score_of(catalog, night.truth, missing_of(night), facts, snapshot, headers),
        tables=tables(night, facts, snapshot),
    )


def verdict_of(expected: Expected, results: Results) -> list[dict[str, object]]:
    """Each expectation with what was seen: `{prueba, esperado, obtenido, tolerancia, cumple}`."""
    found: list[dict[str, object]] = []

    def check(name: str, wanted: float, seen: float, tolerance: float) -> None:
        found.append(
            {
                "prueba": name, "esperado": wanted, "obtenido": seen, "tolerancia": tolerance,
                "cumple": abs(seen - wanted) <= tolerance,
            }
        )  # fmt: skip

    points = expected.tolerance_points
    if expected.captured_pct is not None:
        seen = pct(results.total.captured, results.total.expected)
        check("capturadas_pct", expected.captured_pct, seen, points)
    for contest, wanted in expected.per_contest_pct.items():
        share = results.by_contest[contest]
        check(f"capturadas_pct {contest}", wanted, pct(share.captured, share.expected), points)
    if expected.phone_actas is not None:
        tolerance = expected.phone_actas * expected.phone_tolerance_pct / 100
        check("prep_casilla_actas", expected.phone_actas, results.phone_actas, tolerance)
    return found


def _by_distrito(catalog: Catalog, snapshot: Snapshot) -> dict[int | None, Share]:
    owned: dict[int | None, list[int]] = {}
    for entry in catalog.actas:
        owned.setdefault(catalog.casillas[entry.casilla].distrito, []).append(entry.id)
    order = sorted(owned, key=lambda distrito: (distrito is None, distrito or 0))
    return {distrito: share_of(snapshot, owned[distrito]) for distrito in order}


def _accuracy(captured: Sequence[PublishedActa], truth: Sequence[Content]) -> Accuracy:
    compared = wrong_actas = fields = wrong_fields = moved = 0
    for acta in captured:
        if acta.sin_acta:
            continue
        compared += 1
        content = truth[acta.acta]
        fields += len(acta.votes)
        different = [
            (mine, true) for mine, true in zip(acta.votes, content.votes, strict=True) if mine != true
        ]
        if different or acta.totals != content.totals:
            wrong_actas += 1
            wrong_fields += len(different)
            moved += sum(abs(count_sum((mine,)) - count_sum((true,))) for mine, true in different)
    return Accuracy(compared, wrong_actas, fields, wrong_fields, moved)
