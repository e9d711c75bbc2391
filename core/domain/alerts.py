"""What people answer to the alerts of the control room: seen, or silenced for a while.

Pure. Which alerts there are, and since when, is not known here: the room works them out from the night. A
silence always has a reason and an end, so that nobody can forget one.
"""

from __future__ import annotations

from core.domain.commands import AcknowledgeAlert, SilenceAlert
from core.domain.events import Event, EventKind
from core.domain.refusals import Refusal, Rejection

ALERT_EVENTS = (EventKind.ALERT_ACKNOWLEDGED, EventKind.ALERT_SILENCED)
"""Every kind of event about alerts."""

LONGEST_SILENCE_MS = 4 * 3_600_000
"""A silence ends at most this long after it is asked for."""


def refuse_alert(command: AcknowledgeAlert | SilenceAlert) -> Rejection | None:
    """Why an alert cannot be acknowledged or silenced."""
    if isinstance(command, AcknowledgeAlert):
        return None if command.alert.strip() else Rejection(Refusal.NEEDS_REASON, "Falta qué alerta es.")
    if not command.rule.strip() or not command.reason.strip():
        return Rejection(Refusal.NEEDS_REASON, "Un silencio lleva la regla y el motivo.")
    if not _expires(command.at, command.until):
        return Rejection(Refusal.BAD_SILENCE)
    return None


def alert_may_be(event: Event) -> bool:
    """True when a recorded event about alerts is one that `refuse_alert` would have allowed."""
    return event.kind is not EventKind.ALERT_SILENCED or _expires(event.at, event.data["until"])


def _expires(at: int, until: int) -> bool:
    return at < until <= at + LONGEST_SILENCE_MS
