"""Incidents of the operation: opened, answered with measures of the continuity plan, resolved.

Pure. It says whether one command may follow what is known; who may authorise a measure is the
institute's business and is only recorded. An incident changes no acta.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.commands import ApplyMeasure, OpenIncident, ResolveIncident
from core.domain.events import Event, EventKind
from core.domain.refusals import Refusal, Rejection

INCIDENT_EVENTS = (EventKind.INCIDENT_OPENED, EventKind.MEASURE_APPLIED, EventKind.INCIDENT_RESOLVED)


def refuse_incident(
    known: Mapping[str, bool], command: OpenIncident | ApplyMeasure | ResolveIncident
) -> Rejection | None:
    """Why an incident command cannot follow; `known` says of every incident whether it is open.

    A measure may belong to no incident: a transfer of people that nothing forced.
    """
    if isinstance(command, OpenIncident):
        if not command.incident or not command.title:
            return Rejection(Refusal.NEEDS_REASON, "Un incidente lleva clave y nombre.")
        if command.incident in known:
            return Rejection(Refusal.INCIDENT_STATE, f"«{command.incident}» ya se había abierto.")
        return None
    if isinstance(command, ApplyMeasure):
        if not command.measure or not command.authorised_by:
            return Rejection(Refusal.NEEDS_REASON, "Una medida lleva nombre y quién la autoriza.")
        if command.active_at < command.authorised_at:
            return Rejection(Refusal.NEEDS_REASON, "Una medida no puede activarse antes de autorizarse.")
        if not command.incident:
            return None
    state = known.get(command.incident)
    if state is None:
        return Rejection(Refusal.INCIDENT_STATE, f"«{command.incident}» no se ha abierto.")
    if not state:
        return Rejection(Refusal.INCIDENT_STATE, f"«{command.incident}» ya se había resuelto.")
    return None


def follow_incident(known: Mapping[str, bool], event: Event) -> Mapping[str, bool]:
    """What is known of the incidents after one of INCIDENT_EVENTS."""
    if event.kind is EventKind.MEASURE_APPLIED:
        return known
    return {**known, event.data["incident"]: event.kind is EventKind.INCIDENT_OPENED}


def may_follow(known: Mapping[str, bool], event: Event) -> bool:
    """True when a recorded incident event is one that `refuse_incident` would have allowed."""
    incident = event.data["incident"]
    if event.kind is EventKind.INCIDENT_OPENED:
        return incident not in known
    return known.get(incident, False) or (event.kind is EventKind.MEASURE_APPLIED and not incident)
