"""What the ledger of a finished night says of every acta: when, by whom, and what each cut held.

One pass over the ledger, so that the score and the tables of the report are made from the same
reading. It judges nothing and knows no truth; times are ms UTC.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine as Database

from core.domain.events import Event, EventKind
from core.domain.fields import Field
from core.storage.reading import ledger_events, reading

SCANNER = "ESCANER"
PHONE = "MOVIL"
_OF_AN_ACTA = (EventKind.ACTA_RECEIVED, EventKind.ACTA_DIGITIZED, EventKind.SIN_ACTA_MARKED)


@dataclass(frozen=True, slots=True)
class TypedCapture:
    """One capture as recorded."""

    actor: str
    at: int
    votes: tuple[Field, ...]
    totals: tuple[Field, ...]


@dataclass(slots=True)
class ActaFacts:
    """What happened to one acta; None where it did not happen.

    `captures` are those in force: the ones a better image discarded are not there.
    """

    received_at: int | None = None
    digitized_at: int | None = None
    transmitted_at: int | None = None
    """When the record of its image reached the centre."""
    medium: str = ""
    captures: list[TypedCapture] = field(default_factory=list)
    disputed: bool = False
    verified_at: int | None = None
    published_seq: int = 0
    """Where it was verified or marked sin acta; 0 while it is neither."""
    basis: str = ""
    """How its value was agreed: `coincidencia` or `resolucion`."""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """Actas published, counted and published with image."""

    captured: int
    counted: int
    with_image: int


@dataclass(frozen=True, slots=True)
class CutFacts:
    """A cut as the ledger has it. `at` is when it was due, ms UTC."""

    number: int
    at: int
    seq_high: int
    last: bool
    progress: Progress


@dataclass(frozen=True, slots=True)
class Opening:
    """How the ledger begins: the evidence that the base held nothing.

    `acta_events_before` are events about actas recorded before the operation was opened.
    """

    first_seq: int
    first_kind: str
    first_at: int
    first_hash: str
    opened_seq: int | None
    acta_events_before: int
    first_acta_seq: int | None
    first_acta_at: int | None
    """When the first acta was received, digitized or marked, ms UTC."""
    first_acta_recorded_at: int | None


@dataclass(frozen=True, slots=True)
class MeasureFacts:
    """A measure of the continuity plan as recorded; `incident` is empty when nothing forced it."""

    measure: str
    incident: str
    authorised_by: str
    authorised_at: int
    active_at: int
    effect: str
    catds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """How often something happened, and when first and last."""

    events: int
    first_at: int
    last_at: int


@dataclass(frozen=True)
class NightFacts:
    """The night by acta id, by cut and by kind of event."""

    actas: list[ActaFacts]
    cuts: list[CutFacts]
    opening: Opening | None
    spans: dict[EventKind, Span]
    phone: Span | None
    """Images taken at the casilla."""
    phone_people: int
    """CAE who sent at least one image."""
    outside: Counter[str]
    """Actas fuera de catálogo by contest."""
    measures: list[MeasureFacts]

    def first_cut_of(self, seq: int) -> CutFacts | None:
        """The first cut that holds what was recorded with that sequence."""
        position = bisect_left(self.cuts, seq, key=lambda cut: cut.seq_high)
        return self.cuts[position] if position < len(self.cuts) else None


def facts_of(database: Database, size: int) -> NightFacts:
    """Read the ledger; `size` is the number of actas of the catalogue."""
    with reading(database) as connection:
        return gather(((seq, event, chained) for seq, event, chained in ledger_events(connection)), size)


def gather(ledger: Iterable[tuple[int, Event, bytes]], size: int) -> NightFacts:
    """The facts of (sequence, event, hash of the row), in the order of the ledger."""
    reader = _Reader(size)
    for seq, event, chained in ledger:
        reader.take(seq, event, chained)
    return reader.result()


class _Reader:
    def __init__(self, size: int) -> None:
        self.actas = [ActaFacts() for _ in range(size)]
        self.spans: dict[EventKind, Span] = {}
        self.phone: Span | None = None
        self.people: set[str] = set()
        self.outside: Counter[str] = Counter()
        self._state: dict[int, tuple[bool, bool]] = {}
        self._counted = 0
        self._with_image = 0
        self._seqs: list[int] = [0]
        self._totals: list[Progress] = [Progress(0, 0, 0)]
        self._cuts: list[tuple[int, Event]] = []
        self._incidents: dict[str, str] = {}
        self._measures: list[MeasureFacts] = []
        self._first: tuple[int, Event, bytes] | None = None
        self._opened: int | None = None
        self._before = 0
        self._first_acta: tuple[int, Event] | None = None

    def take(self, seq: int, event: Event, chained: bytes) -> None:
        """One row of the ledger."""
        kind = event.kind
        if self._first is None:
            self._first = (seq, event, chained)
        self.spans[kind] = _grown(self.spans.get(kind), event.at)
        if kind is EventKind.OPERATION_OPENED:
            self._opened = self._opened or seq
        elif kind is EventKind.CUT_PUBLISHED:
            self._cuts.append((seq, event))
        elif kind is EventKind.OUTSIDE_RECEIVED:
            self.outside[event.data["contest"]] += 1
        elif kind is EventKind.INCIDENT_OPENED:
            self._incidents[event.data["incident"]] = event.data["title"]
        elif kind is EventKind.MEASURE_APPLIED:
            self._measure(event.data)
        if event.acta is None:
            return
        if self._opened is None:
            self._before += 1
        if self._first_acta is None and kind in _OF_AN_ACTA:
            self._first_acta = (seq, event)
        self._acta(seq, event, event.acta)

    def _measure(self, data: Mapping[str, Any]) -> None:
        self._measures.append(
            MeasureFacts(
                data["measure"], self._incidents.get(data["incident"], ""), data["authorised_by"],
                data["authorised_at"], data["active_at"], data["effect"], tuple(data["catds"]),
            )
        )  # fmt: skip

    def _acta(self, seq: int, event: Event, number: int) -> None:
        acta, kind = self.actas[number], event.kind
        if kind is EventKind.ACTA_RECEIVED:
            acta.received_at = event.at
        elif kind is EventKind.ACTA_DIGITIZED:
            acta.digitized_at, acta.transmitted_at = event.at, event.recorded_at
            acta.medium = event.data["medium"]
            if acta.medium == PHONE:
                self.phone = _grown(self.phone, event.at)
                self.people.add(event.actor)
        elif kind is EventKind.IMAGE_REPLACED:
            acta.captures.clear()
        elif kind is EventKind.ACTA_CAPTURED:
            acta.captures.append(
                TypedCapture(event.actor, event.at, event.data["votes"], event.data["totals"])
            )
        elif kind is EventKind.ACTA_DISPUTED:
            acta.disputed = True
        elif kind is EventKind.ACTA_VERIFIED:
            acta.verified_at, acta.basis = event.at, event.data["basis"]
            acta.notices = tuple(event.data["notices"])
            self._publish(seq, number, event.data["contabilizada"], image=True)
        elif kind is EventKind.SIN_ACTA_MARKED:
            self._publish(seq, number, False, image=False)
        elif kind is EventKind.RECALL_APPROVED:
            acta.verified_at, acta.published_seq = None, 0
            self._withdraw(number)
            self._note(seq)

    def _publish(self, seq: int, number: int, counted: bool, *, image: bool) -> None:
        self._withdraw(number)
        self.actas[number].published_seq = seq
        self._state[number] = (counted, image)
        self._counted += counted
        self._with_image += image
        self._note(seq)

    def _withdraw(self, number: int) -> None:
        counted, image = self._state.pop(number, (False, False))
        self._counted -= counted
        self._with_image -= image

    def _note(self, seq: int) -> None:
        self._seqs.append(seq)
        self._totals.append(Progress(len(self._state), self._counted, self._with_image))

    def result(self) -> NightFacts:
        """Everything that was taken."""
        cuts = []
        for _, event in self._cuts:
            high = int(event.data["seq_high"])
            progress = self._totals[bisect_right(self._seqs, high) - 1]
            cuts.append(CutFacts(event.data["number"], event.at, high, bool(event.data["last"]), progress))
        return NightFacts(
            self.actas, cuts, self._opening(), self.spans, self.phone, len(self.people), self.outside,
            self._measures,
        )  # fmt: skip

    def _opening(self) -> Opening | None:
        if self._first is None:
            return None
        seq, event, chained = self._first
        acta = self._first_acta
        return Opening(
            seq, event.kind.value, event.at, chained.hex(), self._opened, self._before,
            acta[0] if acta else None, acta[1].at if acta else None,
            acta[1].recorded_at if acta else None,
        )  # fmt: skip


def _grown(span: Span | None, at: int) -> Span:
    if span is None:
        return Span(1, at, at)
    return Span(span.events + 1, min(span.first_at, at), max(span.last_at, at))
