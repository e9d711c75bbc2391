"""The score of a night against its sealed truth: who erred, in what, what double capture caught.

A published value is right when it is the one on the acta. The thirteen counters are compared with
those of the truth of the same actas, so that the effect of capture errors is told apart from what
did not arrive. It reads the night that was, and changes nothing of it.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.catalog import ActaEntry, Catalog
from core.domain.fields import Field, Mark, count_sum
from core.domain.rules import SIN_ACTA_CODES, ActaReading, SinActaReason, judge
from core.domain.spreadsheet import safe_cell
from core.storage.schema import TOTAL_SLOTS
from core.tally.snapshot import PublishedActa, Snapshot
from simulator.night.ballots import Content
from simulator.night.counts import headers_of_the_same, pct
from simulator.night.facts import ActaFacts, NightFacts

LOST_DIGIT, SWAP, ROW, OMISSION, MARK, OTHER = (
    "digito_perdido", "transposicion", "renglon", "omision", "marca", "otro",
)  # fmt: skip
KINDS = (LOST_DIGIT, SWAP, ROW, OMISSION, MARK, OTHER)
"""Kinds of error, as the summary names them."""
KIND_WORDS = dict(
    zip(KINDS, ("dígito perdido", "transposición", "renglón", "omisión", "marca", "otro"), strict=True)
)
"""The same for people."""
CSV_NAME = "puntuacion.csv"


@dataclass(slots=True)
class Typing:
    """Captures of one person. A swap of two rows is one error in two fields."""

    captures: int = 0
    wrong: int = 0
    fields: int = 0
    wrong_fields: int = 0
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class FieldScore:
    """One column of a contest: as typed, and as published."""

    typed: int = 0
    typed_wrong: int = 0
    published: int = 0
    published_wrong: int = 0
    votes_moved: int = 0


@dataclass(slots=True)
class DoubleCapture:
    """Actas in which somebody erred, by what became of them; and how many disputes there were."""

    with_error: int = 0
    caught: int = 0
    both_alike: int = 0
    """Let through: two people typed the same wrong value."""
    chosen_wrong: int = 0
    """Let through: who resolved chose a wrong capture."""
    unsettled: int = 0
    """Not verified when the night ended."""
    disputes: int = 0
    disputes_right: int = 0


@dataclass(slots=True)
class Decisions:
    """Published actas whose CONTABILIZADA and OBSERVACIONES are those the truth asks for."""

    published: int = 0
    right_counted: int = 0
    right_observations: int = 0
    sin_acta: int = 0
    sin_acta_right: int = 0
    """Marked with the reason for which they were really missing."""


@dataclass(frozen=True)
class Score:
    """Everything the sealed truth says about the night."""

    people: dict[str, Typing]
    fields: dict[str, dict[str, FieldScore]]
    """By contest and column, totals last."""
    double: DoubleCapture
    decisions: Decisions
    headers: dict[str, dict[str, str]]
    """The counters recorded at the end, by contest."""
    right_headers: dict[str, dict[str, str]]
    """The counters of the same actas with nothing mistyped."""

    def as_data(self) -> dict[str, object]:
        """The score as `resumen.json` holds it."""
        double, decisions = self.double, self.decisions
        people = list(self.people.values())
        kinds: Counter[str] = Counter()
        for person in people:
            kinds.update(person.kinds)
        fields = [one for columns in self.fields.values() for one in columns.values()]
        return {
            "campos": {
                contest: {name: _field(one) for name, one in columns.items()}
                for contest, columns in self.fields.items()
            },
            "exactitud_tecleada_pct": _right(
                sum(f.typed_wrong for f in fields), sum(f.typed for f in fields)
            ),
            "exactitud_publicada_pct": _right(
                sum(f.published_wrong for f in fields), sum(f.published for f in fields)
            ),
            "tipos_de_error": {kind: kinds[kind] for kind in KINDS},
            "capturistas": {name: _typing(one) for name, one in self.people.items()},
            "doble_captura": {
                "actas_con_alguna_captura_errada": double.with_error,
                "detectadas": double.caught,
                "pasaron_dos_iguales": double.both_alike,
                "pasaron_mal_resueltas": double.chosen_wrong,
                "sin_verificar_al_fin": double.unsettled,
                "diferencias": double.disputes,
                "diferencias_bien_resueltas": double.disputes_right,
            },
            "actas": {
                "publicadas": decisions.published,
                "contabilizada_correcta": decisions.right_counted,
                "contabilizada_correcta_pct": pct(decisions.right_counted, decisions.published),
                "observaciones_correctas": decisions.right_observations,
                "observaciones_correctas_pct": pct(decisions.right_observations, decisions.published),
                "sin_acta": decisions.sin_acta,
                "sin_acta_con_su_causa": decisions.sin_acta_right,
            },
            "contadores": {
                contest: {
                    name: {"registrado": value, "verdad_de_las_mismas": self.right_headers[contest][name]}
                    for name, value in header.items()
                }
                for contest, header in self.headers.items()
            },
        }


def score_of(
    catalog: Catalog,
    truth: Sequence[Content],
    missing: Mapping[int, SinActaReason],
    facts: NightFacts,
    snapshot: Snapshot,
    headers: dict[str, dict[str, str]],
) -> Score:
    """Score a finished night.

    `missing` are the actas that nobody could have, with the reason; `headers` the counters recorded
    at its end.
    """
    fields = {
        contest.id: {name: FieldScore() for name in (*contest.codes, *TOTAL_SLOTS)}
        for contest in catalog.contests.values()
    }
    people: dict[str, Typing] = {}
    double, decisions = DoubleCapture(), Decisions()
    for entry in catalog.actas:
        content, told = truth[entry.id], facts.actas[entry.id]
        columns = list(fields[entry.contest].values())
        wrong = [
            _capture(people, columns, content, made.actor, made.votes, made.totals) for made in told.captures
        ]
        published = snapshot.actas[entry.id]
        _judge_double(double, told, content, any(wrong), published)
        if published is not None:
            _judge_published(decisions, columns, entry, content, missing, published)
    return Score(
        dict(sorted(people.items())), fields, double, decisions, headers,
        headers_of_the_same(catalog, truth, snapshot),
    )  # fmt: skip


def errors_between(true: Sequence[Field], typed: Sequence[Field]) -> list[str]:
    """The kind of each error of a capture; two rows swapped are one error.

    >>> errors_between((120, 7), (12, 7))
    ['digito_perdido']
    >>> errors_between((120, 7), (7, 120))
    ['renglon']
    """
    different = [position for position in range(len(true)) if true[position] != typed[position]]
    kinds = []
    while different:
        position = different.pop(0)
        other = next(
            (
                one for one in different
                if true[one] == typed[position] and true[position] == typed[one]
                and not isinstance(true[one], Mark) and not isinstance(true[position], Mark)
            ),
            None,
        )  # fmt: skip
        if other is None:
            kinds.append(_kind(true[position], typed[position]))
        else:
            different.remove(other)
            kinds.append(ROW)
    return kinds


def _kind(true: Field, typed: Field) -> str:
    if isinstance(true, Mark):
        return MARK if isinstance(typed, Mark) else OTHER
    if isinstance(typed, Mark):
        return OMISSION if typed is Mark.SIN_DATO else MARK
    digits = str(true)
    if len(digits) > 1:
        if any(int(digits[:at] + digits[at + 1 :]) == typed for at in range(len(digits))):
            return LOST_DIGIT
        swaps = (
            digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :] for at in range(len(digits) - 1)
        )
        if any(int(swapped) == typed for swapped in swaps):
            return SWAP
    return OTHER


def _capture(
    people: dict[str, Typing],
    columns: list[FieldScore],
    content: Content,
    actor: str,
    votes: tuple[Field, ...],
    totals: tuple[Field, ...],
) -> bool:
    person = people.setdefault(actor, Typing())
    true, typed = (*content.votes, *content.totals), (*votes, *totals)
    person.captures += 1
    wrong = 0
    for column, right, seen in zip(columns, true, typed, strict=True):
        if right is Mark.NO_APLICA:
            continue
        person.fields += 1
        column.typed += 1
        if right != seen:
            wrong += 1
            column.typed_wrong += 1
    if wrong:
        person.wrong += 1
        person.wrong_fields += wrong
        person.kinds.update(errors_between(true, typed))
    return wrong > 0


def _judge_double(
    double: DoubleCapture, told: ActaFacts, content: Content, erred: bool, published: PublishedActa | None
) -> None:
    settled = published is not None and not published.sin_acta
    right = settled and published is not None and _is_true(published, content)
    if told.disputed:
        double.disputes += 1
        double.disputes_right += right
    if not erred:
        return
    double.with_error += 1
    if not settled:
        double.unsettled += 1
    elif right:
        double.caught += 1
    elif told.basis == "resolucion":
        double.chosen_wrong += 1
    else:
        double.both_alike += 1


def _is_true(published: PublishedActa, content: Content) -> bool:
    return published.votes == content.votes and published.totals == content.totals


def _judge_published(
    decisions: Decisions,
    columns: list[FieldScore],
    entry: ActaEntry,
    content: Content,
    missing: Mapping[int, SinActaReason],
    published: PublishedActa,
) -> None:
    decisions.published += 1
    if published.sin_acta:
        decisions.sin_acta += 1
        reason = missing.get(entry.id)
        right = reason is not None and published.codes == (SIN_ACTA_CODES[reason],)
        decisions.sin_acta_right += right
        decisions.right_counted += right
        decisions.right_observations += right
        return
    verdict = judge(ActaReading(content.votes, entry.limit))
    decisions.right_counted += published.contabilizada == verdict.contabilizada
    decisions.right_observations += published.codes == verdict.codes
    for column, right_one, seen in zip(
        columns, (*content.votes, *content.totals), (*published.votes, *published.totals), strict=True
    ):
        if right_one is Mark.NO_APLICA:
            continue
        column.published += 1
        if right_one != seen:
            column.published_wrong += 1
            column.votes_moved += abs(count_sum((seen,)) - count_sum((right_one,)))


def write_score(folder: Path, score: Score) -> Path:
    """Write the table of people as `puntuacion.csv` and return its path."""
    path = folder / CSV_NAME
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(
            ["capturista", "capturas", "con_error", "campos", "campos_con_error", "exactitud_pct", *KINDS]
        )
        for name, one in score.people.items():
            exact = f"{_right(one.wrong_fields, one.fields):.4f}"
            out.writerow(
                [safe_cell(name), one.captures, one.wrong, one.fields, one.wrong_fields, exact]
                + [one.kinds[kind] for kind in KINDS]
            )
    return path


def _right(wrong: int, whole: int) -> float:
    """Exactness, truncated; 100 where there was nothing to get wrong."""
    return pct(whole - wrong, whole) if whole else 100.0


def _field(one: FieldScore) -> dict[str, object]:
    return {
        "tecleados": one.typed,
        "tecleados_con_error": one.typed_wrong,
        "publicados": one.published,
        "publicados_con_error": one.published_wrong,
        "exactitud_pct": _right(one.published_wrong, one.published),
        "votos_mal_puestos": one.votes_moved,
    }


def _typing(one: Typing) -> dict[str, object]:
    return {
        "capturas": one.captures,
        "con_error": one.wrong,
        "campos": one.fields,
        "campos_con_error": one.wrong_fields,
        "exactitud_pct": _right(one.wrong_fields, one.fields),
        "tipos": {kind: one.kinds[kind] for kind in KINDS if one.kinds[kind]},
    }
