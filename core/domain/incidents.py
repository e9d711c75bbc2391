"""Incidents of the operation, from the moment somebody opens one until it is closed with its cause.

Pure. `INCIDENT_TABLE` says which event may follow in which state and where it leads: the engine decides by
it and the check of a ledger reads it back. Who may do what is the control room's business, measures of the
continuity plan with two persons are `continuity`, and an incident changes no acta.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from core.domain.commands import (
    ApplyMeasure,
    AssignIncident,
    AttendIncident,
    CloseIncident,
    ContainIncident,
    MergeIncident,
    NoteIncident,
    OpenIncident,
    ReopenIncident,
    ResolveIncident,
)
from core.domain.events import Event, EventKind
from core.domain.refusals import Refusal, Rejection


class IncidentState(StrEnum):
    """Where an incident is; the value is what people and screens read."""

    OPEN = "abierto"
    ATTENDED = "atendido"
    CONTAINED = "contenido"
    RESOLVED = "resuelto"
    CLOSED = "cerrado"
    MERGED = "fusionado"


UNRESOLVED = (IncidentState.OPEN, IncidentState.ATTENDED, IncidentState.CONTAINED)
"""While an incident is in one of these, measures may be applied to it."""


class IncidentRecord(NamedTuple):
    """What is known of an incident; `last_at` is when it last moved (ms UTC), `into` what it merged into."""

    state: IncidentState
    last_at: int
    into: str = ""

    @property
    def going_on(self) -> bool:
        """True until it is resolved, closed or merged."""
        return self.state in UNRESOLVED


Incidents: TypeAlias = Mapping[str, IncidentRecord]


class Move(NamedTuple):
    """States in which an event may come, and the one it leads to (None: it stays)."""

    states: tuple[IncidentState, ...]
    leads_to: IncidentState | None


INCIDENT_TABLE: dict[EventKind, Move] = {
    EventKind.INCIDENT_ATTENDED: Move((IncidentState.OPEN,), IncidentState.ATTENDED),
    EventKind.INCIDENT_ASSIGNED: Move((*UNRESOLVED, IncidentState.RESOLVED), None),
    EventKind.INCIDENT_NOTED: Move((*UNRESOLVED, IncidentState.RESOLVED, IncidentState.CLOSED), None),
    EventKind.INCIDENT_CONTAINED: Move((IncidentState.OPEN, IncidentState.ATTENDED), IncidentState.CONTAINED),
    EventKind.INCIDENT_RESOLVED: Move(UNRESOLVED, IncidentState.RESOLVED),
    EventKind.INCIDENT_CLOSED: Move((IncidentState.RESOLVED,), IncidentState.CLOSED),
    EventKind.INCIDENT_REOPENED: Move(
        (IncidentState.CONTAINED, IncidentState.RESOLVED, IncidentState.CLOSED), IncidentState.OPEN
    ),
    EventKind.INCIDENT_MERGED: Move((*UNRESOLVED, IncidentState.RESOLVED), IncidentState.MERGED),
}
"""What may happen to an incident once it is open; anything else is `Refusal.INCIDENT_STATE`."""

INCIDENT_EVENTS = (EventKind.INCIDENT_OPENED, EventKind.MEASURE_APPLIED, *INCIDENT_TABLE)
"""Every kind of event that tells of an incident."""

IncidentStep: TypeAlias = (
    AttendIncident
    | AssignIncident
    | NoteIncident
    | ContainIncident
    | ResolveIncident
    | CloseIncident
    | ReopenIncident
    | MergeIncident
)
"""Commands about an incident that is known; they may also come when the operation is closed."""

KIND_OF_STEP: dict[type[IncidentStep], EventKind] = {
    AttendIncident: EventKind.INCIDENT_ATTENDED,
    AssignIncident: EventKind.INCIDENT_ASSIGNED,
    NoteIncident: EventKind.INCIDENT_NOTED,
    ContainIncident: EventKind.INCIDENT_CONTAINED,
    ResolveIncident: EventKind.INCIDENT_RESOLVED,
    CloseIncident: EventKind.INCIDENT_CLOSED,
    ReopenIncident: EventKind.INCIDENT_REOPENED,
    MergeIncident: EventKind.INCIDENT_MERGED,
}
"""The event each of them causes."""


def refuse_opening(known: Incidents, command: OpenIncident) -> Rejection | None:
    """Why an incident cannot be opened."""
    if not command.incident or not command.title:
        return Rejection(Refusal.NEEDS_REASON, "Un incidente lleva clave y nombre.")
    if command.incident in known:
        return Rejection(Refusal.INCIDENT_STATE, f"«{command.incident}» ya se había abierto.")
    return None


def refuse_step(known: Incidents, command: IncidentStep) -> Rejection | None:
    """Why a command about a known incident cannot follow."""
    missing = _missing_text(command)
    if missing is not None:
        return Rejection(Refusal.NEEDS_REASON, missing)
    record = known.get(command.incident)
    if record is None:
        return Rejection(Refusal.INCIDENT_STATE, f"«{command.incident}» no se ha abierto.")
    if record.state not in INCIDENT_TABLE[KIND_OF_STEP[type(command)]].states:
        return Rejection(Refusal.INCIDENT_STATE, told(command.incident, record))
    if isinstance(command, MergeIncident):
        target = known.get(command.into)
        if target is None:
            return Rejection(Refusal.INCIDENT_STATE, f"«{command.into}» no se ha abierto.")
        if command.into == command.incident:
            return Rejection(Refusal.INCIDENT_STATE, "Un incidente no se fusiona consigo mismo.")
        if not target.going_on:
            return Rejection(Refusal.INCIDENT_STATE, told(command.into, target))
    return None


def refuse_of_ended(known: Incidents, incident: str) -> Rejection | None:
    """Why a measure cannot be for an incident: it is unknown or is over. Empty is for none, and may be."""
    if not incident:
        return None
    record = known.get(incident)
    if record is None:
        return Rejection(Refusal.INCIDENT_STATE, f"«{incident}» no se ha abierto.")
    return None if record.going_on else Rejection(Refusal.INCIDENT_STATE, told(incident, record))


def refuse_measure(known: Incidents, command: ApplyMeasure) -> Rejection | None:
    """Why a measure that was authorised elsewhere cannot be recorded."""
    if not command.measure or not command.authorised_by:
        return Rejection(Refusal.NEEDS_REASON, "Una medida lleva nombre y quién la autoriza.")
    if command.active_at < command.authorised_at:
        return Rejection(Refusal.NEEDS_REASON, "Una medida no puede activarse antes de autorizarse.")
    return refuse_of_ended(known, command.incident)


def survivor(known: Incidents, incident: str) -> str:
    """The incident that goes on for one that was merged, perhaps more than once; itself when it was not."""
    record = known.get(incident)
    while record is not None and record.into:
        incident = record.into
        record = known.get(incident)
    return incident


def told(incident: str, record: IncidentRecord) -> str:
    """The state of an incident, for people."""
    if record.state is IncidentState.MERGED:
        return f"«{incident}» se fusionó en «{record.into}»."
    return f"«{incident}» está {record.state.value}."


def follow_incident(known: Incidents, event: Event) -> Incidents:
    """What is known of the incidents after one of INCIDENT_EVENTS."""
    data = event.data
    if event.kind is EventKind.MEASURE_APPLIED:
        return known
    incident = data["incident"]
    if event.kind is EventKind.INCIDENT_OPENED:
        return {**known, incident: IncidentRecord(IncidentState.OPEN, event.at)}
    record = known.get(incident)
    if record is None:
        return known
    return {
        **known,
        incident: IncidentRecord(
            INCIDENT_TABLE[event.kind].leads_to or record.state,
            max(record.last_at, event.at),
            data["into"] if event.kind is EventKind.INCIDENT_MERGED else record.into,
        ),
    }


def may_follow(known: Incidents, event: Event) -> bool:
    """True when a recorded incident event is one that the machine would have allowed, at a time it allows."""
    data = event.data
    incident = data["incident"]
    if event.kind is EventKind.INCIDENT_OPENED:
        return incident not in known
    record = known.get(incident)
    if event.kind is EventKind.MEASURE_APPLIED:
        return not incident or (record is not None and record.going_on)
    if record is None or record.state not in INCIDENT_TABLE[event.kind].states or event.at < record.last_at:
        return False
    if event.kind is EventKind.INCIDENT_MERGED:
        into = known.get(data["into"])
        return data["into"] != incident and into is not None and into.going_on
    return True


def _missing_text(command: IncidentStep) -> str | None:
    if isinstance(command, AssignIncident) and not command.assignee.strip():
        return "Un incidente se asigna a alguien."
    if isinstance(command, NoteIncident) and not command.text.strip():
        return "Una nota lleva texto."
    if isinstance(command, CloseIncident) and not command.cause.strip():
        return "Un incidente se cierra con su causa."
    if isinstance(command, ReopenIncident) and not command.reason.strip():
        return "Un incidente se reabre con un motivo."
    return None
