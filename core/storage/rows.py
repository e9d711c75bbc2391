"""Rows of the tables from the values of the domain, and back.

Only translation: one place that knows which slot holds which field.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.domain.acta import ActaState, RecallRequested, SinActa, Verified, captures_of, value_of
from core.domain.acta import Collated as CollatedState
from core.domain.contenders import MAX_COLUMNS
from core.domain.fields import Field, Mark
from core.domain.rules import SIN_ACTA_CODES
from core.tally.snapshot import PublishedActa

_LETTER = {Mark.ILEGIBLE: "I", Mark.SIN_DATO: "S", Mark.NO_APLICA: "N"}
_MARK = {letter: mark for mark, letter in _LETTER.items()}
_NUMBER = "."
_EMPTY_TOTALS: tuple[None, ...] = (None,) * 5
_PADDING: tuple[tuple[None, ...], ...] = tuple((None,) * (MAX_COLUMNS - n) for n in range(MAX_COLUMNS + 1))


def encode_marks(fields: Sequence[Field]) -> str:
    """One letter per field: a dot for a number, I, S or N for a mark."""
    return "".join(_LETTER[field] if isinstance(field, Mark) else _NUMBER for field in fields)


def decode_slots(values: Sequence[int | None], marks: str) -> tuple[Field, ...]:
    """Fields again from slots and marks."""
    if _NUMBER * len(marks) == marks:
        return tuple(values)  # type: ignore[arg-type]
    return tuple(
        value if letter == _NUMBER and value is not None else _MARK[letter]
        for value, letter in zip(values, marks, strict=True)
    )


def _slots(fields: Sequence[Field]) -> tuple[int | None, ...]:
    return tuple(None if isinstance(field, Mark) else field for field in fields)


def result_row(acta: int, state: ActaState) -> tuple[Any, ...] | None:
    """The row of `result` for an acta, None while it has nothing to publish."""
    if isinstance(state, SinActa):
        return (
            acta, False, False, SIN_ACTA_CODES[state.reason], 0, state.mechanism, "CATD", "ESCANER", "", "",
            None, state.marked_at, state.authorised_at, 0, "", *_EMPTY_TOTALS, *_PADDING[0],
        )  # fmt: skip
    value = value_of(state)
    if value is None:
        return None
    inner = state.previous if isinstance(state, RecallRequested) else state
    cotejada = inner.cotejada if isinstance(inner, CollatedState) else 0
    return _verified_row(acta, value, cotejada)


def _verified_row(acta: int, value: Verified, cotejada: int) -> tuple[Any, ...]:
    capture, arrival, image = value.value, value.arrival, value.image
    votes, totals = capture.votes, capture.totals
    return (
        acta, value.contabilizada, value.inconsistent, ",".join(value.codes), value.total,
        arrival.mechanism, arrival.origin, image.medium, image.document, image.sha256,
        arrival.received_at, value.captured_at, value.verified_at, cotejada,
        encode_marks(votes) + encode_marks(totals), *_slots(totals), *_slots(votes), *_PADDING[len(votes)],
    )  # fmt: skip


def published_acta(row: Sequence[Any]) -> PublishedActa:
    """The published data of an acta from its row of `result`."""
    marks: str = row[14]
    if not marks:
        votes: tuple[Field, ...] = ()
        totals: tuple[Field, ...] = ()
    else:
        width = len(marks) - 5
        totals = decode_slots(row[15:20], marks[width:])
        votes = decode_slots(row[20 : 20 + width], marks[:width])
    codes = tuple(row[3].split(",")) if row[3] else ()
    return PublishedActa(
        row[0], votes, totals, row[4], bool(row[1]), bool(row[2]), codes, row[5], row[6], row[7], row[8],
        row[9], row[10], row[11], row[12], row[13],
    )  # fmt: skip


def acta_times(state: ActaState) -> tuple[int | None, int | None, int | None, int | None]:
    """(received, digitized, captured, verified) of a state, in ms; None for what has not happened."""
    if isinstance(state, SinActa):
        return (None, None, state.marked_at, state.authorised_at)
    value = value_of(state)
    if value is not None:
        return (value.arrival.received_at, value.image.digitized_at, value.captured_at, value.verified_at)
    arrival = getattr(state, "arrival", None)
    image = getattr(state, "image", None)
    captures = captures_of(state)
    return (
        arrival.received_at if arrival is not None else None,
        image.digitized_at if image is not None else None,
        captures[0].at if captures else None,
        None,
    )
