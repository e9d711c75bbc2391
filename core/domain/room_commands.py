"""Commands of the control room: incidents, measures of the continuity plan, alerts.

They are part of `commands`, which is where everybody takes them from.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident(Command):
    """Something went wrong in the operation; `incident` is its key, unique in the database."""

    incident: str
    kind: str
    """What it is of: enlace, luz, publicacion, contienda, ejercicio… The control room groups by it."""
    title: str
    cause: str = ""
    catds: tuple[int, ...] = ()
    """CATDs it touches, by their number in the catalogue; empty when it is of the whole operation."""
    alert: str = ""
    """Alert of the control room it was opened from; empty when it came from elsewhere."""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyMeasure(Command):
    """A measure of the continuity plan, with who authorised it, since when it works and what it does."""

    incident: str
    """Key of an open incident; empty for a measure nothing forced."""
    measure: str
    authorised_by: str
    authorised_at: int
    active_at: int
    effect: str = ""
    catds: tuple[int, ...] = ()
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveIncident(Command):
    """An incident is over; `remedy` says what solved it."""

    incident: str
    remedy: str = ""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendIncident(Command):
    """Somebody took charge of an incident."""

    incident: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignIncident(Command):
    """An incident is given to somebody."""

    incident: str
    assignee: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteIncident(Command):
    """Something worth remembering of an incident; its state stays."""

    incident: str
    text: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainIncident(Command):
    """An incident does no more harm, though its cause is still there; `text` says how."""

    incident: str
    text: str = ""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIncident(Command):
    """A resolved incident is closed with the cause it turned out to have."""

    incident: str
    cause: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenIncident(Command):
    """An incident thought contained, resolved or closed is open again; `reason` says why."""

    incident: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeIncident(Command):
    """An incident is the same one as `into`, which goes on alone."""

    incident: str
    into: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeMeasure(Command):
    """First person of two: a measure of the plan should be activated. `activation` is its key, unique."""

    activation: str
    incident: str
    """Key of an incident that goes on; empty for a measure nothing forced."""
    measure: str
    catds: tuple[int, ...] = ()
    effect: str = ""
    steps: tuple[str, ...] = ()
    """The checklist, in order."""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoriseMeasure(Command):
    """Second person of two: the proposed measure is authorised and works from `active_at` on."""

    activation: str
    active_at: int
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissMeasure(Command):
    """A proposed measure is not activated, and why."""

    activation: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStep(Command):
    """A step of the checklist of an authorised measure is done; `step` is its position, from 0."""

    activation: str
    step: int
    note: str = ""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMeasure(Command):
    """An authorised measure is no longer applied, and why."""

    activation: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeAlert(Command):
    """Somebody saw an alert of the control room. The same one may fire, and be seen, again."""

    alert: str
    note: str = ""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceAlert(Command):
    """A rule makes no noise until a time, everywhere or at one CATD; it always expires."""

    rule: str
    catd: int | None
    reason: str
    until: int
    acta: None = None
