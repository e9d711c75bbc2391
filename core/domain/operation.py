"""The operation as a whole: open, closed, which cuts went out.

Pure, like the acta: `decide_operation` says what follows from a command and `fold` what is known
after an event. When a cut is due and what it contains is not decided here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.domain.commands import (
    ApplyMeasure,
    CloseOperation,
    Command,
    OpenIncident,
    OpenOperation,
    PublishCut,
    RefuseCut,
    ResolveIncident,
)
from core.domain.events import Event, EventKind
from core.domain.incidents import INCIDENT_EVENTS, follow_incident, refuse_incident
from core.domain.refusals import Refusal, Rejection

MAX_OPERATION_MS = 24 * 3_600_000
"""The PREP closes at most 24 hours after it starts (RE 353)."""

ALLOWANCE_MS = 2 * 3_600_000
"""Acopio may begin before publication does: the operating period may be this much longer."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What is known of the operation.

    `cuts` are (seq_high, number, seq) of the published cuts in order: the last sequence each one
    includes, its number, and the sequence of its own event. `incidents` says of each whether it is open.
    """

    opened: bool = False
    closed: bool = False
    starts_at: int = 0
    ends_at: int = 0
    cuts: tuple[tuple[int, int, int], ...] = field(default=())
    incidents: Mapping[str, bool] = field(default_factory=dict)

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
        return replace(operation, cuts=(*operation.cuts, (data["seq_high"], data["number"], seq)))
    if event.kind in INCIDENT_EVENTS:
        return replace(operation, incidents=follow_incident(operation.incidents, event))
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
    if not operation.running:
        return Rejection(Refusal.OPERATION_CLOSED)
    if isinstance(command, CloseOperation):
        if pending and command.at < operation.ends_at:
            return Rejection(Refusal.NOT_COMPLETE, f"Faltan {pending}.")
        return [_event(EventKind.OPERATION_CLOSED, command, recorded_at, pending=pending)]
    if isinstance(command, PublishCut):
        earlier = operation.cuts[-1][0] if operation.cuts else 0
        if command.number <= operation.last_cut or not earlier <= command.seq_high <= seq:
            return Rejection(Refusal.WRONG_CUT, f"El último es el {operation.last_cut}.")
        return [
            _event(
                EventKind.CUT_PUBLISHED,
                command,
                recorded_at,
                number=command.number,
                seq_high=command.seq_high,
                manifest_sha256=command.manifest_sha256,
                last=command.last,
            )
        ]
    if isinstance(command, OpenIncident | ApplyMeasure | ResolveIncident):
        return _decide_incident(operation, command, recorded_at)
    assert isinstance(command, RefuseCut)
    return [_event(EventKind.CUT_REFUSED, command, recorded_at, number=command.number, reason=command.reason)]


def _decide_incident(
    operation: Operation, command: OpenIncident | ApplyMeasure | ResolveIncident, recorded_at: int
) -> list[Event] | Rejection:
    if not operation.contains(command.at):
        return Rejection(Refusal.OUTSIDE_PERIOD)
    refused = refuse_incident(operation.incidents, command)
    if refused is not None:
        return refused
    if isinstance(command, OpenIncident):
        return [
            _event(
                EventKind.INCIDENT_OPENED,
                command,
                recorded_at,
                incident=command.incident,
                kind=command.kind,
                title=command.title,
                cause=command.cause,
                catds=list(command.catds),
            )
        ]
    if isinstance(command, ApplyMeasure):
        return [
            _event(
                EventKind.MEASURE_APPLIED,
                command,
                recorded_at,
                incident=command.incident,
                measure=command.measure,
                authorised_by=command.authorised_by,
                authorised_at=command.authorised_at,
                active_at=command.active_at,
                effect=command.effect,
                catds=list(command.catds),
            )
        ]
    return [
        _event(
            EventKind.INCIDENT_RESOLVED,
            command,
            recorded_at,
            incident=command.incident,
            remedy=command.remedy,
        )
    ]
