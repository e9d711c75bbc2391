"""Commands about the publication: cuts, notices, and two persons who hold it or let it go on.

They are part of `commands`, which is where everybody takes them from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.domain.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishCut(Command):
    """A verified package left; issued by the publisher, never by a person."""

    number: int
    seq_high: int
    """Last ledger sequence the cut includes."""
    manifest_sha256: str
    last: bool
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseCut(Command):
    """A package did not pass its own check; the previous cut stays."""

    number: int
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MissCut(Command):
    """A cut that was due at `slot` (ms UTC) did not go out in its time, and why; issued by the publisher."""

    slot: int
    reason: str
    acta: None = None


class NoticeType(StrEnum):
    """What a notice of the publication tells the public."""

    GAP = "hueco"
    HELD = "detenida"
    RELEASED = "reanudada"
    EARLY_CLOSE = "cierre_anticipado"
    CORRECTION = "correccion"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueNotice(Command):
    """A notice for the public log: what it is about, from when until when, and the slots it touches (ms UTC).

    `detail` is the text of a JSON object. The engine gives the notice its number.
    """

    type: NoticeType
    since: int
    until: int
    reason: str
    slots: tuple[int, ...] = ()
    detail: str = "{}"
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeHold(Command):
    """First person of two: no cut should go out from here on. `hold` is its key, unique."""

    hold: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoriseHold(Command):
    """Second person of two: the publication is held."""

    hold: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissHold(Command):
    """A proposed hold does not take place, and why."""

    hold: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeRelease(Command):
    """First person of two: cuts should go out again, and why."""

    hold: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoriseRelease(Command):
    """Second person of two: cuts go out again."""

    hold: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissRelease(Command):
    """A proposed release does not take place; the publication goes on held."""

    hold: str
    reason: str
    acta: None = None
