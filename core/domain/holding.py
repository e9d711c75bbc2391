"""What may happen to the publication besides its cuts: held by two persons, a cut missed, a notice issued.

Pure. `HOLD_TABLE` says which event of a hold may follow in which state; the engine decides by it and the
check of a ledger reads it back. When a cut is due is `core.publishing`; what a notice becomes in the public
log, `core.publication`.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from core.domain.commands import (
    AuthoriseHold,
    AuthoriseRelease,
    DismissHold,
    DismissRelease,
    IssueNotice,
    MissCut,
    NoticeType,
    ProposeHold,
    ProposeRelease,
)
from core.domain.events import Event, EventKind
from core.domain.refusals import Refusal, Rejection


class HoldState(StrEnum):
    """Whether cuts go out; the value is what people and screens read."""

    FREE = "sin_detener"
    PROPOSED = "propuesta"
    HELD = "detenida"
    RELEASE_PROPOSED = "reanudacion_propuesta"


class Hold(NamedTuple):
    """What is known of the last hold. `since` is when it took effect and `last_at` when it moved, ms UTC.

    `proposed_by` is whoever proposed what waits for a second person.
    """

    state: HoldState = HoldState.FREE
    key: str = ""
    reason: str = ""
    proposed_by: str = ""
    since: int = 0
    last_at: int = 0

    @property
    def held(self) -> bool:
        """True while no cut may go out."""
        return self.state in (HoldState.HELD, HoldState.RELEASE_PROPOSED)


class HoldMove(NamedTuple):
    """The state in which an event may come, and the one it leads to."""

    state: HoldState
    leads_to: HoldState


HOLD_TABLE: dict[EventKind, HoldMove] = {
    EventKind.HOLD_PROPOSED: HoldMove(HoldState.FREE, HoldState.PROPOSED),
    EventKind.HOLD_AUTHORISED: HoldMove(HoldState.PROPOSED, HoldState.HELD),
    EventKind.HOLD_DISMISSED: HoldMove(HoldState.PROPOSED, HoldState.FREE),
    EventKind.RELEASE_PROPOSED: HoldMove(HoldState.HELD, HoldState.RELEASE_PROPOSED),
    EventKind.RELEASE_AUTHORISED: HoldMove(HoldState.RELEASE_PROPOSED, HoldState.FREE),
    EventKind.RELEASE_DISMISSED: HoldMove(HoldState.RELEASE_PROPOSED, HoldState.HELD),
}
"""What may happen to a hold; anything else is `Refusal.PUBLICATION_STATE`."""

PUBLICATION_EVENTS = (*HOLD_TABLE, EventKind.CUT_MISSED, EventKind.NOTICE_ISSUED)
"""Every kind of event about the publication that is no cut."""

HoldStep: TypeAlias = (
    ProposeHold | AuthoriseHold | DismissHold | ProposeRelease | AuthoriseRelease | DismissRelease
)
"""Commands about a hold."""

KIND_OF_HOLD: dict[type[HoldStep], EventKind] = {
    ProposeHold: EventKind.HOLD_PROPOSED,
    AuthoriseHold: EventKind.HOLD_AUTHORISED,
    DismissHold: EventKind.HOLD_DISMISSED,
    ProposeRelease: EventKind.RELEASE_PROPOSED,
    AuthoriseRelease: EventKind.RELEASE_AUTHORISED,
    DismissRelease: EventKind.RELEASE_DISMISSED,
}
"""The event each of them causes."""

_AUTHORISED = (EventKind.HOLD_AUTHORISED, EventKind.RELEASE_AUTHORISED)


def refuse_hold(hold: Hold, used: frozenset[str], command: HoldStep) -> Rejection | None:
    """Why a command about a hold cannot follow; `used` are the keys of the holds there have been."""
    if not command.hold.strip():
        return Rejection(Refusal.NEEDS_REASON, "Una detención lleva su clave.")
    if (
        isinstance(command, ProposeHold | DismissHold | ProposeRelease | DismissRelease)
        and not command.reason.strip()
    ):
        return Rejection(Refusal.NEEDS_REASON)
    if hold.state is not HOLD_TABLE[KIND_OF_HOLD[type(command)]].state:
        return Rejection(Refusal.PUBLICATION_STATE, f"Está {_WORDS[hold.state]}.")
    if isinstance(command, ProposeHold):
        if command.hold in used:
            return Rejection(Refusal.PUBLICATION_STATE, f"La detención «{command.hold}» ya existió.")
        return None
    if command.hold != hold.key:
        return Rejection(Refusal.PUBLICATION_STATE, f"La detención en curso es «{hold.key}».")
    if isinstance(command, AuthoriseHold | AuthoriseRelease) and command.actor == hold.proposed_by:
        return Rejection(Refusal.SAME_PERSON, "Autoriza quien no la propuso.")
    return None


_WORDS = {
    HoldState.FREE: "sin detener",
    HoldState.PROPOSED: "propuesta su detención",
    HoldState.HELD: "detenida",
    HoldState.RELEASE_PROPOSED: "detenida, con su reanudación propuesta",
}


def follow_hold(hold: Hold, event: Event) -> Hold:
    """The hold after one of HOLD_TABLE."""
    at = max(hold.last_at, event.at)
    state = HOLD_TABLE[event.kind].leads_to
    if event.kind is EventKind.HOLD_PROPOSED:
        return Hold(state, event.data["hold"], event.data["reason"], event.actor, 0, at)
    if event.kind is EventKind.HOLD_AUTHORISED:
        return hold._replace(state=state, proposed_by="", since=at, last_at=at)
    proposer = event.actor if event.kind is EventKind.RELEASE_PROPOSED else ""
    return hold._replace(state=state, proposed_by=proposer, last_at=at)


def hold_may_follow(hold: Hold, used: frozenset[str], event: Event) -> bool:
    """True when a recorded event of a hold is one that the machine would have allowed.

    That the authoriser is another person is looked at apart (`held_by_same_person`).
    """
    if hold.state is not HOLD_TABLE[event.kind].state or event.at < hold.last_at:
        return False
    key = event.data["hold"]
    return key not in used if event.kind is EventKind.HOLD_PROPOSED else bool(key == hold.key)


def held_by_same_person(hold: Hold, event: Event) -> bool:
    """True when a recorded authorisation is by whoever had proposed it."""
    return event.kind in _AUTHORISED and event.actor == hold.proposed_by


def refuse_miss(last_missed: int, command: MissCut) -> Rejection | None:
    """Why a slot cannot be told as missed: no reason, or a slot already behind."""
    if not command.reason.strip():
        return Rejection(Refusal.NEEDS_REASON)
    if command.slot <= last_missed:
        return Rejection(Refusal.PUBLICATION_STATE, "Esa ranura ya se había dado por perdida.")
    return None


def refuse_notice(pending: int, command: IssueNotice) -> Rejection | None:
    """Why a notice cannot be issued. `pending` are the expected actas that are not registered."""
    if not command.reason.strip():
        return Rejection(Refusal.NEEDS_REASON)
    if command.since > command.until:
        return Rejection(Refusal.BAD_PERIOD, "Un aviso no termina antes de empezar.")
    if not _is_object(command.detail):
        return Rejection(Refusal.UNWRITABLE, "El detalle de un aviso es un objeto JSON.")
    if command.type is NoticeType.EARLY_CLOSE and pending:
        return Rejection(Refusal.NOT_COMPLETE, f"Faltan {pending}.")
    return None


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def notice_may_be(notices: int, event: Event) -> bool:
    """True when a recorded notice is one that `refuse_notice` would have allowed, numbered in order."""
    data = event.data
    return bool(
        data["number"] == notices + 1
        and data["type"] in set(NoticeType)
        and data["since"] <= data["until"]
        and _is_object(data["detail"])
    )
