"""The events of the ledger: what is known to have happened, in the past tense.

One event is one row. Its `data` holds only JSON values and fields; `EVENT_FIELDS` says which keys
each kind has. `docs/eventos.md` describes every kind and a test compares both lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from core.domain.fields import decode_fields


class EventKind(StrEnum):
    """Kinds of event; the value is what the ledger stores."""

    OPERATION_OPENED = "operation_opened"
    OPERATION_CLOSED = "operation_closed"
    ACTA_RECEIVED = "acta_received"
    ACTA_DIGITIZED = "acta_digitized"
    ACTA_CAPTURED = "acta_captured"
    ACTA_DISPUTED = "acta_disputed"
    CAPTURE_REQUESTED = "capture_requested"
    ACTA_VERIFIED = "acta_verified"
    SIN_ACTA_MARKED = "sin_acta_marked"
    IMAGE_REPLACED = "image_replaced"
    DUPLICATE_RECORDED = "duplicate_recorded"
    RECALL_REQUESTED = "recall_requested"
    RECALL_APPROVED = "recall_approved"
    RECALL_DISMISSED = "recall_dismissed"
    ACTA_COLLATED = "acta_collated"
    OUTSIDE_RECEIVED = "outside_received"
    OUTSIDE_IDENTIFIED = "outside_identified"
    CUT_PUBLISHED = "cut_published"
    CUT_REFUSED = "cut_refused"
    CUT_MISSED = "cut_missed"
    NOTICE_ISSUED = "notice_issued"
    HOLD_PROPOSED = "hold_proposed"
    HOLD_AUTHORISED = "hold_authorised"
    HOLD_DISMISSED = "hold_dismissed"
    RELEASE_PROPOSED = "release_proposed"
    RELEASE_AUTHORISED = "release_authorised"
    RELEASE_DISMISSED = "release_dismissed"
    INCIDENT_OPENED = "incident_opened"
    MEASURE_APPLIED = "measure_applied"
    INCIDENT_RESOLVED = "incident_resolved"
    INCIDENT_ATTENDED = "incident_attended"
    INCIDENT_ASSIGNED = "incident_assigned"
    INCIDENT_NOTED = "incident_noted"
    INCIDENT_CONTAINED = "incident_contained"
    INCIDENT_CLOSED = "incident_closed"
    INCIDENT_REOPENED = "incident_reopened"
    INCIDENT_MERGED = "incident_merged"
    MEASURE_PROPOSED = "measure_proposed"
    MEASURE_AUTHORISED = "measure_authorised"
    MEASURE_DISMISSED = "measure_dismissed"
    MEASURE_STEP_DONE = "measure_step_done"
    MEASURE_ENDED = "measure_ended"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    ALERT_SILENCED = "alert_silenced"


EVENT_FIELDS: dict[EventKind, tuple[str, ...]] = {
    EventKind.OPERATION_OPENED: ("starts_at", "ends_at"),
    EventKind.OPERATION_CLOSED: ("pending",),
    EventKind.ACTA_RECEIVED: ("origin", "mechanism", "flags"),
    EventKind.ACTA_DIGITIZED: ("image_hash", "medium", "document", "flags"),
    EventKind.ACTA_CAPTURED: ("votes", "totals", "letter_differs", "only_letter_or_number", "flags"),
    EventKind.ACTA_DISPUTED: ("fields",),
    EventKind.CAPTURE_REQUESTED: (),
    EventKind.ACTA_VERIFIED: (
        "basis",
        "chosen",
        "contabilizada",
        "inconsistent",
        "codes",
        "notices",
        "total",
    ),
    EventKind.SIN_ACTA_MARKED: ("reason", "supervisor", "authorised_at", "mechanism"),
    EventKind.IMAGE_REPLACED: ("image_hash", "medium", "document", "reason", "discarded"),
    EventKind.DUPLICATE_RECORDED: ("what", "image_hash", "owner"),
    EventKind.RECALL_REQUESTED: ("reason",),
    EventKind.RECALL_APPROVED: (),
    EventKind.RECALL_DISMISSED: ("reason",),
    EventKind.ACTA_COLLATED: ("cotejada",),
    EventKind.OUTSIDE_RECEIVED: (
        "outside",
        "contest",
        "claimed",
        "origin",
        "image_hash",
        "medium",
        "document",
    ),
    EventKind.OUTSIDE_IDENTIFIED: ("outside", "origin", "image_hash", "medium", "document", "received_at"),
    EventKind.CUT_PUBLISHED: ("number", "seq_high", "manifest_sha256", "last"),
    EventKind.CUT_REFUSED: ("number", "reason"),
    EventKind.CUT_MISSED: ("slot", "reason"),
    EventKind.NOTICE_ISSUED: ("number", "type", "since", "until", "reason", "slots", "detail"),
    EventKind.HOLD_PROPOSED: ("hold", "reason"),
    EventKind.HOLD_AUTHORISED: ("hold",),
    EventKind.HOLD_DISMISSED: ("hold", "reason"),
    EventKind.RELEASE_PROPOSED: ("hold", "reason"),
    EventKind.RELEASE_AUTHORISED: ("hold",),
    EventKind.RELEASE_DISMISSED: ("hold", "reason"),
    EventKind.INCIDENT_OPENED: ("incident", "kind", "title", "cause", "catds", "alert"),
    EventKind.MEASURE_APPLIED: (
        "incident",
        "measure",
        "authorised_by",
        "authorised_at",
        "active_at",
        "effect",
        "catds",
    ),
    EventKind.INCIDENT_RESOLVED: ("incident", "remedy"),
    EventKind.INCIDENT_ATTENDED: ("incident",),
    EventKind.INCIDENT_ASSIGNED: ("incident", "assignee"),
    EventKind.INCIDENT_NOTED: ("incident", "text"),
    EventKind.INCIDENT_CONTAINED: ("incident", "text"),
    EventKind.INCIDENT_CLOSED: ("incident", "cause"),
    EventKind.INCIDENT_REOPENED: ("incident", "reason"),
    EventKind.INCIDENT_MERGED: ("incident", "into"),
    EventKind.MEASURE_PROPOSED: ("activation", "incident", "measure", "catds", "effect", "steps"),
    EventKind.MEASURE_AUTHORISED: ("activation", "active_at"),
    EventKind.MEASURE_DISMISSED: ("activation", "reason"),
    EventKind.MEASURE_STEP_DONE: ("activation", "step", "note"),
    EventKind.MEASURE_ENDED: ("activation", "reason"),
    EventKind.ALERT_ACKNOWLEDGED: ("alert", "note"),
    EventKind.ALERT_SILENCED: ("rule", "catd", "reason", "until"),
}
"""Keys of `data` for each kind."""


class Event(NamedTuple):
    """One event. `acta` is None for those of the whole operation and of actas outside the catalogue.

    Three times, in milliseconds UTC: `at` when it happened, `device_at` what the device said,
    `recorded_at` when the engine recorded it.
    """

    kind: EventKind
    acta: int | None
    at: int
    device_at: int | None
    recorded_at: int
    actor: str
    station: str
    data: Mapping[str, Any]


def encode_data(data: Mapping[str, Any]) -> bytes:
    """Canonical JSON of an event's data: sorted keys, no spaces."""
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)


def decode_data(kind: EventKind, encoded: bytes | str) -> dict[str, Any]:
    """Read an event's data back from the ledger; fields become numbers and marks again."""
    data: dict[str, Any] = orjson.loads(encoded)
    if kind is EventKind.ACTA_CAPTURED:
        data["votes"] = decode_fields(data["votes"])
        data["totals"] = decode_fields(data["totals"])
    elif kind is EventKind.INCIDENT_OPENED:
        # Databases of version 0001 were written before incidents could come from an alert.
        data.setdefault("alert", "")
    return data
