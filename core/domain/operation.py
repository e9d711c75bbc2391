"""The operation as a whole: open, closed, which cuts went out.

Pure, like the acta: `decide_operation` says what follows from a command and `fold` what is known
after an event. When a cut is due and what it contains is not decided here.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, get_args

from core.domain.alerts import ALERT_EVENTS, refuse_alert
from core.domain.commands import (
    AcknowledgeAlert,
    ApplyMeasure,
    AuthoriseMeasure,
    CheckStep,
    CloseOperation,
    Command,
    DismissMeasure,
    EndMeasure,
    IssueNotice,
    MissCut,
    OpenIncident,
    OpenOperation,
    ProposeMeasure,
    PublishCut,
    RefuseCut,
    SilenceAlert,
)
from core.domain.continuity import (
    CONTINUITY_EVENTS,
    KIND_OF_MEASURE,
    MEASURE_TABLE,
    Activations,
    MeasureStep,
    applied_data,
    follow_measure,
    refuse_measure_step,
    refuse_proposal,
)
from core.domain.events import EVENT_FIELDS, Event, EventKind
from core.domain.holding import (
    HOLD_TABLE,
    KIND_OF_HOLD,
    Hold,
    HoldStep,
    follow_hold,
    refuse_hold,
    refuse_miss,
    refuse_notice,
)
from core.domain.incidents import (
    INCIDENT_EVENTS,
    INCIDENT_TABLE,
    KIND_OF_STEP,
    Incidents,
    IncidentStep,
    follow_incident,
    refuse_measure,
    refuse_opening,
    refuse_step,
)
from core.domain.refusals import Refusal, Rejection
from core.domain.transitions import CLOCK_TOLERANCE_MS

MAX_OPERATION_MS = 24 * 3_600_000
"""The PREP closes at most 24 hours after it starts (RE 353)."""

ALLOWANCE_MS = 2 * 3_600_000
"""Acopio may begin before publication does: the operating period may be this much longer."""


ROOM_EVENTS = (*INCIDENT_EVENTS, *CONTINUITY_EVENTS, *ALERT_EVENTS)
"""Events of incidents, of the continuity plan and of alerts: about no acta, from no cut."""

AFTER_CLOSING = frozenset({*INCIDENT_TABLE, *ALERT_EVENTS, *MEASURE_TABLE} - {EventKind.MEASURE_AUTHORISED})
"""What may also be told when the operation is closed: how what was begun in it went on and ended."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What is known of the operation.

    `cuts` are (seq_high, number, seq) of the published cuts in order: the last sequence each one
    includes, its number, and the sequence of its own event. `incidents` says of each whether it is open.
    `finished` is True after the last cut: nothing more is published. `notices` counts them, `missed` are
    the slots told as missed, in order (ms UTC), `holds` the keys of the holds there have been, and
    `released` those that took effect and ended, in order, each with `last_at` as its end.
    """

    opened: bool = False
    closed: bool = False
    starts_at: int = 0
    ends_at: int = 0
    cuts: tuple[tuple[int, int, int], ...] = field(default=())
    incidents: Incidents = field(default_factory=dict)
    activations: Activations = field(default_factory=dict)
    finished: bool = False
    hold: Hold = field(default_factory=Hold)
    holds: frozenset[str] = frozenset()
    released: tuple[Hold, ...] = ()
    notices: int = 0
    missed: tuple[int, ...] = ()
    last_cut_at: int = 0
    """Instant of the last published cut, ms UTC, 0 before the first."""

    @property
    def last_missed(self) -> int:
        """The latest slot told as missed, ms UTC, 0 before the first."""
        return self.missed[-1] if self.missed else 0

    @property
    def held(self) -> bool:
        """True while two persons hold the publication: no cut is taken."""
        return self.hold.held

    @property
    def running(self) -> bool:
        """Open and not closed."""
        return self.opened and not self.closed

    @property
    def last_cut(self) -> int:
        """Number of the last published cut, 0 before the first."""
        return self.cuts[-1][1] if self.cuts else 0

    def contains(self, at: int) -> bool:
        """True when a time falls inside the operating period."""
        return self.starts_at <= at <= self.ends_at

    def allows(self, kind: EventKind, at: int, recorded_at: int) -> bool:
        """True when an event of ROOM_EVENTS may have happened then (ms UTC).

        What follows from something else may come after the operating period, never from the future.
        """
        if self.contains(at):
            return True
        return kind in AFTER_CLOSING and self.ends_at < at <= recorded_at + CLOCK_TOLERANCE_MS

    def cut_including(self, seq: int, before: int | None = None) -> int | None:
        """Number of the first cut that includes a ledger sequence, None if none does.

        With `before`, only cuts recorded before that sequence count.
        """
        position = bisect_left(self.cuts, (seq, 0, 0))
        if position == len(self.cuts):
            return None
        _, number, recorded = self.cuts[position]
        return number if before is None or recorded < before else None


def fold(operation: Operation, event: Event, seq: int) -> Operation:
    """The operation after the event with that sequence; events of single actas change nothing."""
    data = event.data
    if event.kind is EventKind.OPERATION_OPENED:
        return replace(operation, opened=True, starts_at=data["starts_at"], ends_at=data["ends_at"])
    if event.kind is EventKind.OPERATION_CLOSED:
        return replace(operation, closed=True)
    if event.kind is EventKind.CUT_PUBLISHED:
        return replace(
            operation,
            cuts=(*operation.cuts, (data["seq_high"], data["number"], seq)),
            finished=operation.finished or bool(data["last"]),
            last_cut_at=event.at,
        )
    if event.kind in HOLD_TABLE:
        hold = follow_hold(operation.hold, event)
        ended = (hold,) if event.kind is EventKind.RELEASE_AUTHORISED else ()
        return replace(
            operation,
            hold=hold,
            holds=operation.holds | {str(data["hold"])},
            released=(*operation.released, *ended),
        )
    if event.kind is EventKind.NOTICE_ISSUED:
        return replace(operation, notices=operation.notices + 1)
    if event.kind is EventKind.CUT_MISSED:
        return replace(operation, missed=(*operation.missed, int(data["slot"])))
    if event.kind in INCIDENT_EVENTS:
        return replace(operation, incidents=follow_incident(operation.incidents, event))
    if event.kind in CONTINUITY_EVENTS:
        return replace(operation, activations=follow_measure(operation.activations, event))
    return operation


def _event(what: EventKind, command: Command, recorded_at: int, /, **data: Any) -> Event:
    return Event(what, None, command.at, command.device_at, recorded_at, command.actor, command.station, data)


def decide_operation(
    operation: Operation, command: Command, recorded_at: int, pending: int, seq: int
) -> list[Event] | Rejection:
    """What an operation command does.

    `pending` is how many expected actas are not registered yet; `seq` the last sequence of the
    ledger, which no cut can go beyond.
    """
    if isinstance(command, OpenOperation):
        if operation.opened:
            return Rejection(Refusal.OPERATION_OPEN if operation.running else Refusal.OPERATION_CLOSED)
        length = command.ends_at - command.starts_at
        if not 0 < length <= MAX_OPERATION_MS + ALLOWANCE_MS:
            return Rejection(Refusal.BAD_PERIOD, "Dura a lo más 24 horas (RE 353).")
        return [
            _event(
                EventKind.OPERATION_OPENED,
                command,
                recorded_at,
                starts_at=command.starts_at,
                ends_at=command.ends_at,
            )
        ]
    if isinstance(command, _TOLD_AFTER):
        return _decide_after(operation, command, recorded_at)
    if isinstance(command, _OF_PUBLICATION):
        return _decide_publication(operation, command, recorded_at, pending, seq)
    if not operation.running:
        return Rejection(Refusal.OPERATION_CLOSED)
    if isinstance(command, CloseOperation):
        if pending and command.at < operation.ends_at:
            return Rejection(Refusal.NOT_COMPLETE, f"Faltan {pending}.")
        return [_event(EventKind.OPERATION_CLOSED, command, recorded_at, pending=pending)]
    assert isinstance(command, _TOLD_DURING)
    return _decide_during(operation, command, recorded_at)


# -- the publication -------------------------------------------------------------------------------

_Publication: TypeAlias = PublishCut | RefuseCut | MissCut | IssueNotice | HoldStep

_OF_PUBLICATION = get_args(_Publication)
_CUTS = (PublishCut, RefuseCut)
_HOLDS = get_args(HoldStep)


def _decide_publication(
    operation: Operation, command: _Publication, recorded_at: int, pending: int, seq: int
) -> list[Event] | Rejection:
    """Cuts, missed cuts, notices and holds. After the closing only what the last cut still needs."""
    if not operation.opened or (
        operation.closed and isinstance(command, PublishCut) and not (command.last and not operation.finished)
    ):
        return Rejection(Refusal.OPERATION_CLOSED)
    if isinstance(command, _CUTS):
        return _decide_cut(operation, command, recorded_at, seq)
    if operation.finished:
        return Rejection(Refusal.PUBLICATION_STATE, "Ya salió el último corte.")
    refused = _from_the_future(command, recorded_at)
    if refused is not None:
        return refused
    if isinstance(command, MissCut):
        refused = refuse_miss(operation.last_missed, command)
        if refused is None and not operation.starts_at <= command.slot <= recorded_at + CLOCK_TOLERANCE_MS:
            refused = Rejection(Refusal.OUTSIDE_PERIOD)
        return refused or _told(EventKind.CUT_MISSED, command, recorded_at)
    if isinstance(command, IssueNotice):
        return refuse_notice(pending, command) or [
            _event(
                EventKind.NOTICE_ISSUED, command, recorded_at, number=operation.notices + 1,
                type=command.type.value, since=command.since, until=command.until, reason=command.reason,
                slots=list(command.slots), detail=command.detail,
            )
        ]  # fmt: skip
    assert isinstance(command, _HOLDS)
    refused = refuse_hold(operation.hold, operation.holds, command)
    if refused is not None:
        return refused
    told = _told(KIND_OF_HOLD[type(command)], command, recorded_at)
    return [_moved(event, max(command.at, operation.hold.last_at)) for event in told]


def _decide_cut(
    operation: Operation, command: PublishCut | RefuseCut, recorded_at: int, seq: int
) -> list[Event] | Rejection:
    if isinstance(command, RefuseCut):
        return _told(EventKind.CUT_REFUSED, command, recorded_at)
    if operation.finished:
        return Rejection(Refusal.WRONG_CUT, "Ya salió el último corte.")
    if operation.held:
        return Rejection(Refusal.PUBLICATION_STATE, "Está detenida.")
    earlier = operation.cuts[-1][0] if operation.cuts else 0
    if command.number <= operation.last_cut or not earlier <= command.seq_high <= seq:
        return Rejection(Refusal.WRONG_CUT, f"El último es el {operation.last_cut}.")
    return _told(EventKind.CUT_PUBLISHED, command, recorded_at)


# -- incidents, measures, alerts -------------------------------------------------------------------

_During: TypeAlias = OpenIncident | ApplyMeasure | ProposeMeasure | AuthoriseMeasure
_After: TypeAlias = IncidentStep | MeasureStep | AcknowledgeAlert | SilenceAlert

# Unions are built once: in `isinstance` they would be built anew on every call.
_TOLD_DURING = get_args(_During)
_MEASURE_STEPS = (CheckStep, DismissMeasure, EndMeasure)
_ALERTS = (AcknowledgeAlert, SilenceAlert)
_TOLD_AFTER = get_args(_After)


def _decide_during(operation: Operation, command: _During, recorded_at: int) -> list[Event] | Rejection:
    """What begins something: only while the operation is open, inside its period."""
    if not operation.contains(command.at):
        return Rejection(Refusal.OUTSIDE_PERIOD)
    incidents, activations = operation.incidents, operation.activations
    if isinstance(command, OpenIncident):
        return refuse_opening(incidents, command) or _told(EventKind.INCIDENT_OPENED, command, recorded_at)
    if isinstance(command, ApplyMeasure):
        return refuse_measure(incidents, command) or _told(EventKind.MEASURE_APPLIED, command, recorded_at)
    if isinstance(command, ProposeMeasure):
        refused = refuse_proposal(activations, incidents, command)
        return refused or _told(EventKind.MEASURE_PROPOSED, command, recorded_at)
    return _authorise(operation, command, recorded_at)


def _authorise(operation: Operation, command: AuthoriseMeasure, recorded_at: int) -> list[Event] | Rejection:
    incidents, activations = operation.incidents, operation.activations
    refused = refuse_measure_step(activations, incidents, command) or _from_the_future(command, recorded_at)
    if refused is not None:
        return refused
    at = max(command.at, activations[command.activation].last_at)
    active_at = max(command.active_at, at)
    authorised = _event(
        EventKind.MEASURE_AUTHORISED, command, recorded_at, activation=command.activation, active_at=active_at
    )
    data = applied_data(activations, incidents, command.activation, command.actor, at, active_at)
    applied = _event(EventKind.MEASURE_APPLIED, command, recorded_at, **data)
    return [_moved(authorised, at), _moved(applied, at)]


def _decide_after(operation: Operation, command: _After, recorded_at: int) -> list[Event] | Rejection:
    """What follows from something that is known, or is said of an alert; it may come after the closing."""
    if not operation.opened:
        return Rejection(Refusal.OPERATION_CLOSED)
    if isinstance(command, _ALERTS):
        of_alert = (
            EventKind.ALERT_SILENCED if isinstance(command, SilenceAlert) else EventKind.ALERT_ACKNOWLEDGED
        )
        refused, kind, last_at = refuse_alert(command), of_alert, command.at
    elif isinstance(command, _MEASURE_STEPS):
        refused = refuse_measure_step(operation.activations, operation.incidents, command)
        kind = KIND_OF_MEASURE[type(command)]
        activation = operation.activations.get(command.activation)
        last_at = command.at if activation is None else activation.last_at
    else:
        refused, kind = refuse_step(operation.incidents, command), KIND_OF_STEP[type(command)]
        known = operation.incidents.get(command.incident)
        last_at = command.at if known is None else known.last_at
    if refused is None and not operation.allows(kind, command.at, recorded_at):
        refused = Rejection(Refusal.OUTSIDE_PERIOD)
    refused = refused or _from_the_future(command, recorded_at)
    if refused is not None:
        return refused
    return [_moved(event, max(command.at, last_at)) for event in _told(kind, command, recorded_at)]


def _from_the_future(command: Command, recorded_at: int) -> Rejection | None:
    # Whatever followed would have to wait for that time: one wrong clock would stop an incident.
    if command.at <= recorded_at + CLOCK_TOLERANCE_MS:
        return None
    return Rejection(Refusal.OUTSIDE_PERIOD, "Va por delante del reloj del motor.")


def _told(what: EventKind, command: Command, recorded_at: int) -> list[Event]:
    """The event whose data are the attributes of its command with the same names."""
    data = {name: getattr(command, name) for name in EVENT_FIELDS[what]}
    for name, value in data.items():
        if isinstance(value, tuple):
            data[name] = list(value)
    return [_event(what, command, recorded_at, **data)]


def _moved(event: Event, at: int) -> Event:
    """The same event not before the one it follows; what its own clock said is kept as a device's."""
    if at == event.at:
        return event
    return event._replace(at=at, device_at=event.at if event.device_at is None else event.device_at)
