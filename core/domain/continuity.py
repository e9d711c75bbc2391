"""Measures of the continuity plan that two persons activate, with their checklist.

Pure. One person proposes, another authorises: from then on the measure is applied, its steps are ticked one
by one, and it ends. `MEASURE_TABLE` says what may follow in which state; the engine decides by it and the
check of a ledger reads it back. Which measures there are and whose role may do what is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from core.domain.commands import (
    AuthoriseMeasure,
    CheckStep,
    DismissMeasure,
    EndMeasure,
    ProposeMeasure,
)
from core.domain.events import Event, EventKind
from core.domain.incidents import Incidents, refuse_of_ended, survivor
from core.domain.refusals import Refusal, Rejection


class MeasureState(StrEnum):
    """Where an activation is; the value is what people and screens read."""

    PROPOSED = "propuesta"
    AUTHORISED = "autorizada"
    ENDED = "terminada"
    DISMISSED = "descartada"


class Activation(NamedTuple):
    """What is known of an activation. `done` are the positions of the steps ticked; `last_at` in ms UTC."""

    state: MeasureState
    incident: str
    measure: str
    catds: tuple[int, ...]
    effect: str
    steps: int
    proposed_by: str
    last_at: int
    done: frozenset[int] = frozenset()


Activations: TypeAlias = Mapping[str, Activation]


class MeasureMove(NamedTuple):
    """The state in which an event may come, and the one it leads to."""

    state: MeasureState
    leads_to: MeasureState


MEASURE_TABLE: dict[EventKind, MeasureMove] = {
    EventKind.MEASURE_AUTHORISED: MeasureMove(MeasureState.PROPOSED, MeasureState.AUTHORISED),
    EventKind.MEASURE_DISMISSED: MeasureMove(MeasureState.PROPOSED, MeasureState.DISMISSED),
    EventKind.MEASURE_STEP_DONE: MeasureMove(MeasureState.AUTHORISED, MeasureState.AUTHORISED),
    EventKind.MEASURE_ENDED: MeasureMove(MeasureState.AUTHORISED, MeasureState.ENDED),
}
"""What may happen to an activation once it is proposed; anything else is `Refusal.MEASURE_STATE`."""

CONTINUITY_EVENTS = (EventKind.MEASURE_PROPOSED, *MEASURE_TABLE)
"""Every kind of event that tells of an activation."""

MeasureStep: TypeAlias = DismissMeasure | CheckStep | EndMeasure
"""Commands about a known activation that may also come when the operation is closed."""

KIND_OF_MEASURE: dict[type[MeasureStep | AuthoriseMeasure], EventKind] = {
    AuthoriseMeasure: EventKind.MEASURE_AUTHORISED,
    DismissMeasure: EventKind.MEASURE_DISMISSED,
    CheckStep: EventKind.MEASURE_STEP_DONE,
    EndMeasure: EventKind.MEASURE_ENDED,
}
"""The event each of them causes."""


def refuse_proposal(known: Activations, incidents: Incidents, command: ProposeMeasure) -> Rejection | None:
    """Why a measure cannot be proposed."""
    if not command.activation or not command.measure:
        return Rejection(Refusal.NEEDS_REASON, "Una activación lleva clave y el nombre de la medida.")
    if any(not step.strip() for step in command.steps):
        return Rejection(Refusal.NEEDS_REASON, "Cada paso de la lista lleva texto.")
    if command.activation in known:
        return Rejection(Refusal.MEASURE_STATE, f"«{command.activation}» ya se había propuesto.")
    return refuse_of_ended(incidents, command.incident)


def refuse_measure_step(
    known: Activations, incidents: Incidents, command: MeasureStep | AuthoriseMeasure
) -> Rejection | None:
    """Why a command about a known activation cannot follow."""
    if isinstance(command, DismissMeasure | EndMeasure) and not command.reason.strip():
        return Rejection(Refusal.NEEDS_REASON)
    activation = known.get(command.activation)
    if activation is None:
        return Rejection(Refusal.MEASURE_STATE, f"«{command.activation}» no se ha propuesto.")
    if activation.state is not MEASURE_TABLE[KIND_OF_MEASURE[type(command)]].state:
        return Rejection(Refusal.MEASURE_STATE, f"«{command.activation}» está {activation.state.value}.")
    if isinstance(command, CheckStep):
        return _refuse_check(activation, command)
    if isinstance(command, AuthoriseMeasure):
        if command.actor == activation.proposed_by:
            return Rejection(Refusal.SAME_PERSON, "Una medida la autoriza quien no la propuso.")
        if command.active_at < command.at:
            return Rejection(Refusal.NEEDS_REASON, "Una medida no puede activarse antes de autorizarse.")
        return refuse_of_ended(incidents, survivor(incidents, activation.incident))
    return None


def _refuse_check(activation: Activation, command: CheckStep) -> Rejection | None:
    if not 0 <= command.step < activation.steps:
        return Rejection(
            Refusal.MEASURE_STATE, f"Tiene {activation.steps} pasos; no hay un paso {command.step}."
        )
    if command.step in activation.done:
        return Rejection(Refusal.MEASURE_STATE, f"El paso {command.step} ya estaba hecho.")
    return None


def follow_measure(known: Activations, event: Event) -> Activations:
    """What is known of the activations after one of CONTINUITY_EVENTS."""
    data = event.data
    key = data["activation"]
    if event.kind is EventKind.MEASURE_PROPOSED:
        proposed = Activation(
            MeasureState.PROPOSED, data["incident"], data["measure"], tuple(data["catds"]), data["effect"],
            len(data["steps"]), event.actor, event.at,
        )  # fmt: skip
        return {**known, key: proposed}
    activation = known.get(key)
    if activation is None:
        return known
    done = activation.done
    if event.kind is EventKind.MEASURE_STEP_DONE:
        done |= {data["step"]}
    moved = activation._replace(
        state=MEASURE_TABLE[event.kind].leads_to, last_at=max(activation.last_at, event.at), done=done
    )
    return {**known, key: moved}


def measure_may_follow(known: Activations, incidents: Incidents, event: Event) -> bool:
    """True when a recorded event of an activation is one that the machine would have allowed.

    That the authoriser is another person is looked at apart (`same_person`).
    """
    data = event.data
    activation = known.get(data["activation"])
    if event.kind is EventKind.MEASURE_PROPOSED:
        return activation is None and refuse_of_ended(incidents, data["incident"]) is None
    if (
        activation is None
        or activation.state is not MEASURE_TABLE[event.kind].state
        or event.at < activation.last_at
    ):
        return False
    if event.kind is EventKind.MEASURE_STEP_DONE:
        return 0 <= data["step"] < activation.steps and data["step"] not in activation.done
    if event.kind is EventKind.MEASURE_AUTHORISED:
        incident = survivor(incidents, activation.incident)
        return bool(data["active_at"] >= event.at) and refuse_of_ended(incidents, incident) is None
    return True


def same_person(known: Activations, event: Event) -> bool:
    """True when a recorded authorisation is by whoever had proposed the measure."""
    if event.kind is not EventKind.MEASURE_AUTHORISED:
        return False
    activation = known.get(event.data["activation"])
    return activation is not None and activation.proposed_by == event.actor


def applied_data(
    known: Activations, incidents: Incidents, activation: str, authorised_by: str, at: int, active_at: int
) -> dict[str, object]:
    """The data of the `measure_applied` that follows the authorisation of a known activation."""
    found = known[activation]
    return {
        "incident": survivor(incidents, found.incident),
        "measure": found.measure,
        "authorised_by": authorised_by,
        "authorised_at": at,
        "active_at": active_at,
        "effect": found.effect,
        "catds": list(found.catds),
    }
