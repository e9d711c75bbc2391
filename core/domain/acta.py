"""The states of an acta, and how events change them.

One frozen dataclass per state, each with exactly what exists in that state. `evolve` folds an
event into a state and decides nothing; what is allowed is declared in `transitions`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from core.domain.events import Event, EventKind
from core.domain.fields import Field
from core.domain.rules import SinActaReason


class Status(StrEnum):
    """Name of each state, as stored and shown."""

    EXPECTED = "esperada"
    RECEIVED = "acopiada"
    DIGITIZED = "digitalizada"
    CAPTURED_ONCE = "capturada_una_vez"
    IN_DISPUTE = "en_disputa"
    AWAITING_CAPTURE = "espera_otra_captura"
    VERIFIED = "verificada"
    PUBLISHED = "publicada"
    COLLATED = "cotejada"
    SIN_ACTA = "sin_acta"
    RECALL_REQUESTED = "retiro_solicitado"
    RECALLED = "retirada"


@dataclass(frozen=True, slots=True)
class Arrival:
    """How the acta came in."""

    received_at: int
    origin: str
    mechanism: str
    identified_later: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """The image the captures are made from."""

    sha256: str
    medium: str
    document: str
    digitized_at: int


@dataclass(frozen=True, slots=True)
class CaptureRecord:
    """One person's blind capture."""

    actor: str
    at: int
    votes: tuple[Field, ...]
    totals: tuple[Field, ...]
    letter_differs: int = 0
    only_letter_or_number: int = 0

    def agrees_with(self, other: CaptureRecord) -> bool:
        """Same fields, all of them: votes and the five totals."""
        return self.votes == other.votes and self.totals == other.totals


@dataclass(frozen=True, slots=True)
class Expected:
    """In the catalogue, nothing has happened."""

    status = Status.EXPECTED


@dataclass(frozen=True, slots=True)
class Received:
    """The acta is at the CATD, or its shot was announced from the casilla."""

    arrival: Arrival
    modified: bool = False
    status = Status.RECEIVED


@dataclass(frozen=True, slots=True)
class Digitized:
    """There is an image; nobody has captured it."""

    arrival: Arrival
    image: Image
    modified: bool = False
    status = Status.DIGITIZED


@dataclass(frozen=True, slots=True)
class CapturedOnce:
    """One capture; a different person must make the second without seeing it."""

    arrival: Arrival
    image: Image
    first: CaptureRecord
    modified: bool = False
    status = Status.CAPTURED_ONCE


@dataclass(frozen=True, slots=True)
class InDispute:
    """Two captures or more, none equal to another; a resolver decides."""

    arrival: Arrival
    image: Image
    captures: tuple[CaptureRecord, ...]
    modified: bool = False
    status = Status.IN_DISPUTE


@dataclass(frozen=True, slots=True)
class AwaitingCapture:
    """The resolver asked for one more blind capture."""

    arrival: Arrival
    image: Image
    captures: tuple[CaptureRecord, ...]
    resolver: str
    modified: bool = False
    status = Status.AWAITING_CAPTURE


@dataclass(frozen=True, slots=True)
class Verified:
    """The definitive value, by agreement of two different persons or by a resolver's choice."""

    arrival: Arrival
    image: Image
    value: CaptureRecord
    captured_at: int
    verified_at: int
    contabilizada: bool
    inconsistent: bool
    codes: tuple[str, ...]
    total: int
    modified: bool = False
    status = Status.VERIFIED


@dataclass(frozen=True, slots=True)
class Published:
    """Verified and included in a cut."""

    verified: Verified
    cut: int
    status = Status.PUBLISHED


@dataclass(frozen=True, slots=True)
class Collated:
    """Compared with image and paper. `cotejada`: 1 accepted, 2 accepted after a change, 3 not accepted."""

    verified: Verified
    cotejada: int
    status = Status.COLLATED


@dataclass(frozen=True, slots=True)
class SinActa:
    """The acta will not arrive."""

    reason: SinActaReason
    marked_at: int
    marked_by: str
    supervisor: str | None
    authorised_at: int | None
    mechanism: str = ""
    status = Status.SIN_ACTA


@dataclass(frozen=True, slots=True)
class RecallRequested:
    """One person asks that the acta go back to capture; its value stands until a second agrees."""

    previous: Verified | Published | Collated
    requested_by: str
    reason: str
    status = Status.RECALL_REQUESTED


@dataclass(frozen=True, slots=True)
class Recalled:
    """Back to capture: the value is withdrawn, the image stays."""

    arrival: Arrival
    image: Image
    modified: bool = True
    status = Status.RECALLED


ActaState: TypeAlias = (
    Expected
    | Received
    | Digitized
    | CapturedOnce
    | InDispute
    | AwaitingCapture
    | Verified
    | Published
    | Collated
    | SinActa
    | RecallRequested
    | Recalled
)

EXPECTED = Expected()

REGISTERED: frozenset[Status] = frozenset(
    {Status.VERIFIED, Status.PUBLISHED, Status.COLLATED, Status.RECALL_REQUESTED, Status.SIN_ACTA}
)
"""Statuses that count as ACTAS_CAPTURADAS: the acta has a value, or will never have one."""


class ImpossibleEventError(Exception):
    """The ledger holds an event that its acta's state cannot have: corruption, not bad input."""


def value_of(state: ActaState) -> Verified | None:
    """The definitive value of an acta, or None while it has none."""
    if isinstance(state, RecallRequested):
        state = state.previous
    if isinstance(state, Verified):
        return state
    if isinstance(state, Published | Collated):
        return state.verified
    return None


def published_in(state: ActaState, cut: int) -> ActaState:
    """The state after a cut that includes it; only a verified acta changes."""
    if isinstance(state, Verified):
        return Published(state, cut)
    if isinstance(state, RecallRequested) and isinstance(state.previous, Verified):
        return replace(state, previous=Published(state.previous, cut))
    return state


def _capture_of(event: Event) -> CaptureRecord:
    data = event.data
    return CaptureRecord(
        event.actor,
        event.at,
        data["votes"],
        data["totals"],
        data["letter_differs"],
        data["only_letter_or_number"],
    )


def captures_of(state: ActaState) -> tuple[CaptureRecord, ...]:
    """The captures made so far on the present image."""
    if isinstance(state, CapturedOnce):
        return (state.first,)
    if isinstance(state, InDispute | AwaitingCapture):
        return state.captures
    return ()


def evolve(state: ActaState, event: Event) -> ActaState:
    """The state after an event of this acta.

    Raises ImpossibleEventError when the event cannot follow the state, which only a damaged
    ledger can cause.
    """
    kind, data = event.kind, event.data
    if kind is EventKind.ACTA_RECEIVED and isinstance(state, Expected | SinActa):
        return Received(Arrival(event.at, data["origin"], data["mechanism"]))
    if kind is EventKind.ACTA_DIGITIZED and isinstance(state, Received):
        image = Image(data["image_hash"], data["medium"], data["document"], event.at)
        return Digitized(state.arrival, image, state.modified)
    if kind is EventKind.ACTA_CAPTURED:
        capture = _capture_of(event)
        if isinstance(state, Digitized | Recalled):
            return CapturedOnce(state.arrival, state.image, capture, state.modified)
        if isinstance(state, CapturedOnce | AwaitingCapture):
            captures = (*captures_of(state), capture)
            return InDispute(state.arrival, state.image, captures, state.modified)
    if kind is EventKind.ACTA_DISPUTED and isinstance(state, InDispute):
        return state
    if kind is EventKind.CAPTURE_REQUESTED and isinstance(state, InDispute):
        return AwaitingCapture(state.arrival, state.image, state.captures, event.actor, state.modified)
    if kind is EventKind.ACTA_VERIFIED and isinstance(state, InDispute):
        return Verified(
            state.arrival,
            state.image,
            state.captures[data["chosen"]],
            state.captures[0].at,
            event.at,
            data["contabilizada"],
            data["inconsistent"],
            tuple(data["codes"]),
            data["total"],
            state.modified,
        )
    if kind is EventKind.SIN_ACTA_MARKED and isinstance(state, Expected | Received):
        return SinActa(
            SinActaReason(data["reason"]),
            event.at,
            event.actor,
            data["supervisor"],
            data["authorised_at"],
            data["mechanism"],
        )
    if kind is EventKind.IMAGE_REPLACED and isinstance(
        state, Digitized | CapturedOnce | InDispute | AwaitingCapture | Recalled
    ):
        image = Image(data["image_hash"], data["medium"], data["document"], event.at)
        return Digitized(state.arrival, image, state.modified)
    if kind is EventKind.DUPLICATE_RECORDED:
        return state
    if kind is EventKind.RECALL_REQUESTED and isinstance(state, Verified | Published | Collated):
        return RecallRequested(state, event.actor, data["reason"])
    if kind is EventKind.RECALL_DISMISSED and isinstance(state, RecallRequested):
        return state.previous
    if kind is EventKind.RECALL_APPROVED and isinstance(state, RecallRequested):
        value = value_of(state)
        if value is not None:
            return Recalled(value.arrival, value.image)
    if kind is EventKind.ACTA_COLLATED and isinstance(state, Verified | Published | Collated):
        value = value_of(state)
        if value is not None:
            return Collated(value, data["cotejada"])
    if kind is EventKind.OUTSIDE_IDENTIFIED and isinstance(state, Expected | SinActa):
        arrival = Arrival(data["received_at"], data["origin"], "", identified_later=True)
        image = Image(data["image_hash"], data["medium"], data["document"], event.at)
        return Digitized(arrival, image)
    raise ImpossibleEventError(f"{kind.value} after {state.status.value} (acta {event.acta})")
