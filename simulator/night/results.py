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
from core.domain.counters import CountedActa, count, percent
from core.domain.fields import count_sum
from core.domain.rules import ActaReading, judge
from core.storage.reading import SnapshotReader
from core.tally.snapshot import PublishedActa, Snapshot
from simulator.night.ballots import Content
from simulator.night.facts import facts_of
from simulator.night.run import Night
from simulator.night.score import Score, score_of
from simulator.rehearsal.facts import missing_of, tables
from simulator.scenario.document import Expected


@dataclass(frozen=True, slots=True)
class Share:
    """Of some expected actas: how many are captured, counted, and captured with an image."""

    expected: int
    captured: int
    counted: int
    with_image: int

    def as_data(self) -> dict[str, object]:
        """Numbers and percentages for the summary."""
        return {
            "esperadas": self.expected,
            "capturadas": self.captured,
            "capturadas_pct": _pct(self.captured, self.expected),
            "contabilizadas": self.counted,
            "contabilizadas_pct": _pct(self.counted, self.expected),
            "capturadas_con_imagen": self.with_image,
            "capturadas_con_imagen_pct": _pct(self.with_image, self.expected),
        }


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
    """See `rehearsal_facts.tables`."""


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
        total=_share(snapshot, range(len(catalog.actas))),
        by_contest={
            contest: _share(snapshot, [entry.id for entry in catalog.actas_of(contest)])
            for contest in catalog.contests
        },
        by_distrito=_by_distrito(catalog, snapshot),
        by_origin=dict(sorted(origins.items())),
        by_observation=dict(sorted(Counter(code for acta in captured for code in acta.codes).items())),
        phone_actas=sum(acta.medium == "MOVIL" for acta in captured),
        accuracy=_accuracy(captured, night.truth),
        score=score_of(catalog, night.truth, missing_of(night), facts, snapshot, headers),
        tables=tables(night, facts, snapshot),
    )


def final_headers(catalog: Catalog, snapshot: Snapshot) -> dict[str, dict[str, str]]:
    """The thirteen counters of every contest, with the participation formula of the last cut."""
    headers = {}
    for contest in catalog.contests:
        counted = []
        for entry in catalog.actas_of(contest):
            acta = snapshot.actas[entry.id]
            if acta is not None:
                casilla = catalog.casillas[entry.casilla]
                counted.append(acta.counted(casilla.lista_nominal, casilla.special))
        headers[contest] = count(
            counted,
            esperadas=catalog.expected(contest),
            fuera_catalogo=sum(one.contest == contest for one in snapshot.outside),
            last_cut=True,
        ).as_header()
    return headers


def truth_headers(catalog: Catalog, truth: Sequence[Content]) -> dict[str, dict[str, str]]:
    """The counters of a night in which every acta arrives and is captured as it is."""
    headers = {}
    for contest in catalog.contests:
        counted = []
        for entry in catalog.actas_of(contest):
            casilla = catalog.casillas[entry.casilla]
            verdict = judge(ActaReading(truth[entry.id].votes, entry.limit))
            counted.append(
                CountedActa(
                    verdict.contabilizada, verdict.inconsistent, casilla.special, verdict.total,
                    casilla.lista_nominal,
                )
            )  # fmt: skip
        headers[contest] = count(
            counted, esperadas=catalog.expected(contest), fuera_catalogo=0, last_cut=True
        ).as_header()
    return headers


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
        seen = _pct(results.total.captured, results.total.expected)
        check("capturadas_pct", expected.captured_pct, seen, points)
    for contest, wanted in expected.per_contest_pct.items():
        share = results.by_contest[contest]
        check(f"capturadas_pct {contest}", wanted, _pct(share.captured, share.expected), points)
    if expected.phone_actas is not None:
        tolerance = expected.phone_actas * expected.phone_tolerance_pct / 100
        check("prep_casilla_actas", expected.phone_actas, results.phone_actas, tolerance)
    return found


def _pct(part: int, whole: int) -> float:
    return percent(part, whole) / 10_000


def _share(snapshot: Snapshot, ids: Sequence[int]) -> Share:
    captured = [acta for number in ids if (acta := snapshot.actas[number]) is not None]
    return Share(
        len(ids),
        len(captured),
        sum(acta.contabilizada for acta in captured),
        sum(not acta.sin_acta for acta in captured),
    )


def _by_distrito(catalog: Catalog, snapshot: Snapshot) -> dict[int | None, Share]:
    owned: dict[int | None, list[int]] = {}
    for entry in catalog.actas:
        owned.setdefault(catalog.casillas[entry.casilla].distrito, []).append(entry.id)
    order = sorted(owned, key=lambda distrito: (distrito is None, distrito or 0))
    return {distrito: _share(snapshot, owned[distrito]) for distrito in order}


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
