"""The one transition table of the acta: which command is allowed in which state, and what follows.

`decide` is a pure function `(state, command, facts) -> events | Rejection`. The table is also
data: the diagram in the docs and the random-walk test are made from `TRANSITIONS`.
Who may act from which screen (roles) is not decided here; that two captures come from different
persons is, because a definitive value would be worthless without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from core.domain.acta import (
    ActaState,
    AwaitingCapture,
    CapturedOnce,
    CaptureRecord,
    Collated,
    Digitized,
    Expected,
    InDispute,
    Published,
    Recalled,
    RecallRequested,
    Received,
    SinActa,
    Status,
    Verified,
    captures_of,
    evolve,
    value_of,
)
from core.domain.commands import (
    ActaCommand,
    ApproveRecall,
    Capture,
    Choice,
    Collate,
    Digitize,
    DismissRecall,
    Identify,
    MarkSinActa,
    Receive,
    ReplaceImage,
    RequestRecall,
    Resolve,
)
from core.domain.events import Event, EventKind
from core.domain.fields import MAX_VOTES_IN_A_FIELD, Field, Mark, valid_field
from core.domain.refusals import Refusal, Rejection
from core.domain.rules import ActaReading, judge


@dataclass(frozen=True, slots=True)
class Facts:
    """What is fixed about an acta, and what the engine knows besides its state.

    `applies` says which vote columns exist; `limit` see `rules.ActaReading`; `image_owner` is the
    acta of the same contest that already has the image of the command, if any (-1: one outside
    the catalogue); `recorded_at` is the engine's time.
    """

    applies: tuple[bool, ...]
    limit: int | None
    recorded_at: int
    image_owner: int | None = None
    outside: OutsideActa | None = None


@dataclass(frozen=True, slots=True)
class OutsideActa:
    """An acta fuera de catálogo, as received."""

    id: int
    contest: str
    received_at: int
    claimed: str
    origin: str
    image_hash: str
    medium: str
    document: str
    identified_as: int | None = None


Decision: TypeAlias = list[Event] | Rejection

_HEX = frozenset("0123456789abcdef")
CLOCK_TOLERANCE_MS = 120_000
"""A time this far after the engine's own is flagged: somebody's clock or typing is wrong."""


def valid_hash(text: str) -> bool:
    """True for 64 lower-case hexadecimal digits."""
    return len(text) == 64 and _HEX.issuperset(text)


def _event(kind: EventKind, command: ActaCommand, facts: Facts, **data: Any) -> Event:
    return Event(
        kind,
        command.acta,
        command.at,
        command.device_at,
        facts.recorded_at,
        command.actor,
        command.station,
        data,
    )


def _duplicate(
    what: str, command: ActaCommand, facts: Facts, image_hash: str | None = None, owner: int | None = None
) -> Event:
    """What came a second time, recorded and never counted; `owner` is the acta that had the image first."""
    return _event(EventKind.DUPLICATE_RECORDED, command, facts, what=what, image_hash=image_hash, owner=owner)


def _flags(command: ActaCommand, facts: Facts, not_before: int | None, name: str) -> list[str]:
    """Times out of order are flagged, never refused (real nights have them)."""
    flags = []
    if not_before is not None and command.at < not_before:
        flags.append(name)
    if command.at > facts.recorded_at + CLOCK_TOLERANCE_MS:
        flags.append("hora_adelantada")
    return flags


def _receive(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    assert isinstance(command, Receive)
    if isinstance(state, Expected | SinActa):
        return [
            _event(
                EventKind.ACTA_RECEIVED,
                command,
                facts,
                origin=command.origin.value,
                mechanism=command.mechanism,
                flags=_flags(command, facts, None, ""),
            )
        ]
    return [_duplicate("acopio", command, facts)]


def _digitize(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    assert isinstance(command, Digitize)
    if not valid_hash(command.image_hash):
        return Rejection(Refusal.BAD_HASH)
    if facts.image_owner is not None or not isinstance(state, Received):
        return [_duplicate("digitalizacion", command, facts, command.image_hash, facts.image_owner)]
    return [
        _event(
            EventKind.ACTA_DIGITIZED,
            command,
            facts,
            image_hash=command.image_hash,
            medium=command.medium.value,
            document=command.document,
            flags=_flags(command, facts, state.arrival.received_at, "digitalizacion_antes_de_acopio"),
        )
    ]


def check_fields(
    votes: tuple[Field, ...], totals: tuple[Field, ...], applies: tuple[bool, ...]
) -> Rejection | None:
    """Do captured fields fit the ballot? None when they do.

    One field per column; NO_APLICA exactly where the column does not exist on this acta.
    """
    if len(votes) != len(applies):
        return Rejection(Refusal.BAD_FIELDS, f"Se esperaban {len(applies)} campos y llegaron {len(votes)}.")
    no_aplica = Mark.NO_APLICA
    for position, (vote, exists) in enumerate(zip(votes, applies, strict=True)):
        # Nearly every field of the night is a number of a column that exists.
        if exists and type(vote) is int and 0 <= vote <= MAX_VOTES_IN_A_FIELD:
            continue
        if (vote is no_aplica) is exists:
            return Rejection(Refusal.FIELD_DOES_NOT_APPLY, f"Columna {position + 1}.")
        if not valid_field(vote):
            return Rejection(Refusal.BAD_FIELDS, f"Columna {position + 1}.")
    if not all(valid_field(field) for field in totals):
        return Rejection(Refusal.BAD_FIELDS, "Totales del acta.")
    return None


def _verify(
    captures: tuple[CaptureRecord, ...],
    chosen: int,
    basis: str,
    command: ActaCommand,
    facts: Facts,
    identified_later: bool,
) -> Event:
    value = captures[chosen]
    verdict = judge(
        ActaReading(
            value.votes,
            facts.limit,
            value.totals[4],
            value.totals[1],
            value.totals[2],
            value.totals[3],
            value.letter_differs,
            value.only_letter_or_number,
            identified_later,
        )
    )
    return _event(
        EventKind.ACTA_VERIFIED,
        command,
        facts,
        basis=basis,
        chosen=chosen,
        contabilizada=verdict.contabilizada,
        inconsistent=verdict.inconsistent,
        codes=list(verdict.codes),
        notices=list(verdict.notices),
        total=verdict.total,
    )


def _capture(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    assert isinstance(command, Capture)
    assert isinstance(state, Digitized | CapturedOnce | AwaitingCapture | Recalled)
    earlier = captures_of(state)
    actor = command.actor
    if any(capture.actor == actor for capture in earlier):
        return Rejection(Refusal.SAME_PERSON, "La segunda captura es ciega y de otra persona.")
    if isinstance(state, AwaitingCapture) and state.resolver == actor:
        return Rejection(Refusal.SAME_PERSON, "Quien resuelve no captura.")
    totals = command.totals.as_tuple()
    problem = check_fields(command.votes, totals, facts.applies)
    if problem is not None:
        return problem
    captured = _event(
        EventKind.ACTA_CAPTURED,
        command,
        facts,
        votes=command.votes,
        totals=totals,
        letter_differs=command.letter_differs,
        only_letter_or_number=command.only_letter_or_number,
        flags=_flags(command, facts, state.arrival.received_at, "captura_antes_de_acopio"),
    )
    if not earlier:
        return [captured]
    after = evolve(state, captured)
    assert isinstance(after, InDispute)
    new = after.captures[-1]
    for position, capture in enumerate(earlier):
        if capture.agrees_with(new):
            return [
                captured,
                _verify(
                    after.captures, position, "coincidencia", command, facts, state.arrival.identified_later
                ),
            ]
    different = sum(a != b for a, b in zip(earlier[-1].votes, new.votes, strict=True))
    different += sum(a != b for a, b in zip(earlier[-1].totals, new.totals, strict=True))
    return [captured, _event(EventKind.ACTA_DISPUTED, command, facts, fields=different)]


def _resolve(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    assert isinstance(command, Resolve)
    assert isinstance(state, InDispute)
    if any(capture.actor == command.actor for capture in state.captures):
        return Rejection(Refusal.SAME_PERSON, "Resuelve alguien que no capturó esa acta.")
    if command.choice is Choice.ASK_FOR_ANOTHER:
        if len(state.captures) > 2:
            return Rejection(Refusal.BAD_CHOICE, "Ya hay tres capturas; elige una.")
        return [_event(EventKind.CAPTURE_REQUESTED, command, facts)]
    chosen = command.choice.value
    if chosen >= len(state.captures):
        return Rejection(Refusal.BAD_CHOICE)
    return [_verify(state.captures, chosen, "resolucion", command, facts, state.arrival.identified_later)]


def _mark_sin_acta(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    assert isinstance(command, MarkSinActa)
    if command.supervisor == command.actor:
        return Rejection(Refusal.SAME_PERSON, "Nadie autoriza su propia marca.")
    return [
        _event(
            EventKind.SIN_ACTA_MARKED,
            command,
            facts,
            reason=command.reason.value,
            supervisor=command.supervisor,
            authorised_at=command.authorised_at,
            mechanism=command.mechanism,
        )
    ]


def _replace_image(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    assert isinstance(command, ReplaceImage)
    if not valid_hash(command.image_hash):
        return Rejection(Refusal.BAD_HASH)
    if not command.reason.strip():
        return Rejection(Refusal.NEEDS_REASON)
    if facts.image_owner is not None:
        return [_duplicate("imagen", command, facts, command.image_hash, facts.image_owner)]
    return [
        _event(
            EventKind.IMAGE_REPLACED,
            command,
            facts,
            image_hash=command.image_hash,
            medium=command.medium.value,
            document=command.document,
            reason=command.reason,
            discarded=len(captures_of(state)),
        )
    ]


def _request_recall(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    assert isinstance(command, RequestRecall)
    if not command.reason.strip():
        return Rejection(Refusal.NEEDS_REASON)
    return [_event(EventKind.RECALL_REQUESTED, command, facts, reason=command.reason)]


def _approve_recall(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    assert isinstance(state, RecallRequested)
    if command.actor == state.requested_by:
        return Rejection(Refusal.SAME_PERSON, "El retiro lo aprueba quien no lo pidió.")
    return [_event(EventKind.RECALL_APPROVED, command, facts)]


def _dismiss_recall(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    assert isinstance(command, DismissRecall)
    if not command.reason.strip():
        return Rejection(Refusal.NEEDS_REASON)
    return [_event(EventKind.RECALL_DISMISSED, command, facts, reason=command.reason)]


def _collate(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    assert isinstance(command, Collate)
    value = value_of(state)
    assert value is not None
    if command.actor == value.value.actor:
        return Rejection(Refusal.SAME_PERSON, "Coteja alguien que no capturó esa acta.")
    code = (2 if value.modified else 1) if command.accepted else 3
    return [_event(EventKind.ACTA_COLLATED, command, facts, cotejada=code)]


def _identify(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    assert isinstance(command, Identify)
    outside = facts.outside
    if outside is None or outside.identified_as is not None:
        return Rejection(Refusal.UNKNOWN_ACTA, "No hay un acta fuera de catálogo con ese número.")
    return [
        _event(
            EventKind.OUTSIDE_IDENTIFIED,
            command,
            facts,
            outside=outside.id,
            origin=outside.origin,
            image_hash=outside.image_hash,
            medium=outside.medium,
            document=outside.document,
            received_at=outside.received_at,
        )
    ]


Handler: TypeAlias = Callable[[ActaState, ActaCommand, Facts], Decision]


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table. `leads_to` lists every status an accepted command can end in."""

    states: tuple[type[Any], ...]
    command: type[ActaCommand]
    leads_to: tuple[Status, ...]
    handler: Handler


ALL_STATES: tuple[type[Any], ...] = (
    Expected,
    Received,
    Digitized,
    CapturedOnce,
    InDispute,
    AwaitingCapture,
    Verified,
    Published,
    Collated,
    SinActa,
    RecallRequested,
    Recalled,
)

_ARRIVED = tuple(state for state in ALL_STATES if state not in (Expected, SinActa))
_DIGITIZED = tuple(state for state in _ARRIVED if state is not Received)


def _staying(
    states: tuple[type[Any], ...], command: type[ActaCommand], handler: Handler, *or_to: Status
) -> tuple[Transition, ...]:
    """One row per state, whose command leaves it as it is or leads to `or_to`."""
    return tuple(
        Transition((state,), command, tuple(dict.fromkeys((*or_to, state.status))), handler)
        for state in states
    )


TRANSITIONS: tuple[Transition, ...] = (
    Transition((Expected, SinActa), Receive, (Status.RECEIVED,), _receive),
    *_staying(_ARRIVED, Receive, _receive),
    Transition((Received,), Digitize, (Status.DIGITIZED, Status.RECEIVED), _digitize),
    *_staying(_DIGITIZED, Digitize, _digitize),
    Transition((Digitized, Recalled), Capture, (Status.CAPTURED_ONCE,), _capture),
    Transition((CapturedOnce,), Capture, (Status.VERIFIED, Status.IN_DISPUTE), _capture),
    Transition((AwaitingCapture,), Capture, (Status.VERIFIED, Status.IN_DISPUTE), _capture),
    Transition((InDispute,), Resolve, (Status.VERIFIED, Status.AWAITING_CAPTURE), _resolve),
    Transition((Expected, Received), MarkSinActa, (Status.SIN_ACTA,), _mark_sin_acta),
    *_staying(
        (Digitized, CapturedOnce, InDispute, AwaitingCapture, Recalled),
        ReplaceImage,
        _replace_image,
        Status.DIGITIZED,
    ),
    Transition((Verified, Published, Collated), RequestRecall, (Status.RECALL_REQUESTED,), _request_recall),
    Transition((RecallRequested,), ApproveRecall, (Status.RECALLED,), _approve_recall),
    Transition(
        (RecallRequested,),
        DismissRecall,
        (Status.VERIFIED, Status.PUBLISHED, Status.COLLATED),
        _dismiss_recall,
    ),
    Transition((Verified, Published, Collated), Collate, (Status.COLLATED,), _collate),
    Transition((Expected, SinActa), Identify, (Status.DIGITIZED,), _identify),
)
"""Every allowed pair of state and command; anything else is `Refusal.STATE`."""

_TABLE: dict[tuple[type[Any], type[ActaCommand]], Handler] = {
    (state, row.command): row.handler for row in TRANSITIONS for state in row.states
}


def decide(state: ActaState, command: ActaCommand, facts: Facts) -> Decision:
    """What a command does to an acta in a state: the events that follow, or a typed rejection."""
    handler = _TABLE.get((type(state), type(command)))
    if handler is None:
        return Rejection(Refusal.STATE, f"Está «{state.status.value}».")
    return handler(state, command, facts)
