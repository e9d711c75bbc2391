"""How figures and answers are written in the report of a rehearsal. It decides nothing."""

from __future__ import annotations

from core.documents.document import Status
from core.domain.counters import format_percent, percent

NOTHING = "—"


def yes_no(met: bool) -> Status:
    """The answer of a rule."""
    return Status("sí" if met else "no", met)


def count(value: int) -> str:
    """A whole number with thousands."""
    return f"{value:,}"


def pct(value: float) -> str:
    """A percentage of actas: four decimals, as everywhere in the PREP."""
    return f"{value:.4f}"


def share_of(part: int, whole: int) -> str:
    """A part as a percentage, with its four decimals."""
    return format_percent(percent(part, whole))


def clock(moment: str | None) -> str:
    """Hour, minute and second of an ISO date and time."""
    return moment[11:19] if moment else NOTHING


def hour(moment: str) -> str:
    """Hour and minute of an ISO date and time."""
    return moment[11:16]


def minutes(value: float | None) -> str:
    """Minutes with one decimal."""
    return NOTHING if value is None else f"{value:,.1f}"
