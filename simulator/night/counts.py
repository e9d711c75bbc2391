"""Counts of a finished night: shares of the expected actas, and the thirteen counters of each contest.

They are made of what was recorded, of the sealed truth, or of both; who compares them is `results` and
`score`. It reads no database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.domain.catalog import ActaEntry, Catalog
from core.domain.counters import CountedActa, count, percent
from core.domain.rules import ActaReading, judge
from core.tally.snapshot import PublishedActa, Snapshot
from simulator.night.ballots import Content


def pct(part: int, whole: int) -> float:
    """A part in percent, truncated to four decimals as everything published; 0 of nothing."""
    return percent(part, whole) / 10_000


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
            "capturadas_pct": pct(self.captured, self.expected),
            "contabilizadas": self.counted,
            "contabilizadas_pct": pct(self.counted, self.expected),
            "capturadas_con_imagen": self.with_image,
            "capturadas_con_imagen_pct": pct(self.with_image, self.expected),
        }


def share_of(snapshot: Snapshot, ids: Sequence[int]) -> Share:
    """What became of some actas."""
    captured = [acta for number in ids if (acta := snapshot.actas[number]) is not None]
    return Share(
        len(ids),
        len(captured),
        sum(acta.contabilizada for acta in captured),
        sum(not acta.sin_acta for acta in captured),
    )


def final_headers(catalog: Catalog, snapshot: Snapshot) -> dict[str, dict[str, str]]:
    """The thirteen counters of every contest as recorded, with the participation formula of the last cut."""

    def recorded(entry: ActaEntry) -> CountedActa | None:
        acta = snapshot.actas[entry.id]
        return None if acta is None else _recorded(catalog, entry, acta)

    return _headers(catalog, recorded, snapshot)


def truth_headers(catalog: Catalog, truth: Sequence[Content]) -> dict[str, dict[str, str]]:
    """The counters of a night in which every acta arrives and is captured as it is."""
    return _headers(catalog, lambda entry: _true(catalog, entry, truth), None)


def headers_of_the_same(
    catalog: Catalog, truth: Sequence[Content], snapshot: Snapshot
) -> dict[str, dict[str, str]]:
    """The counters of the actas that were published, had all been typed as they are."""

    def as_it_is(entry: ActaEntry) -> CountedActa | None:
        acta = snapshot.actas[entry.id]
        if acta is None:
            return None
        return _recorded(catalog, entry, acta) if acta.sin_acta else _true(catalog, entry, truth)

    return _headers(catalog, as_it_is, snapshot)


def _headers(
    catalog: Catalog, counted_as: Callable[[ActaEntry], CountedActa | None], snapshot: Snapshot | None
) -> dict[str, dict[str, str]]:
    """By contest, as the CSV header writes them; without a snapshot nothing came fuera de catálogo."""
    outside = snapshot.outside if snapshot is not None else ()
    return {
        contest: count(
            [one for entry in catalog.actas_of(contest) if (one := counted_as(entry)) is not None],
            esperadas=catalog.expected(contest),
            fuera_catalogo=sum(one.contest == contest for one in outside),
            last_cut=True,
        ).as_header()
        for contest in catalog.contests
    }


def _recorded(catalog: Catalog, entry: ActaEntry, acta: PublishedActa) -> CountedActa:
    casilla = catalog.casillas[entry.casilla]
    return acta.counted(casilla.lista_nominal, casilla.special)


def _true(catalog: Catalog, entry: ActaEntry, truth: Sequence[Content]) -> CountedActa:
    casilla = catalog.casillas[entry.casilla]
    verdict = judge(ActaReading(truth[entry.id].votes, entry.limit))
    return CountedActa(
        verdict.contabilizada, verdict.inconsistent, casilla.special, verdict.total, casilla.lista_nominal
    )
