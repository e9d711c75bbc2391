"""What the engine refuses of incidents, measures of the continuity plan and alerts. Data for a test."""

from __future__ import annotations

from collections.abc import Callable

from core.domain.commands import AnyCommand
from core.domain.refusals import Refusal
from tests.core.domain.small import MINUTE, START, Orders

NOW = START + 5 * MINUTE

Scenario = Callable[[Orders], list[AnyCommand]]
"""Commands of which only the last must be refused, after the operation is opened."""


def free(orders: Orders) -> AnyCommand:
    """A measure that no incident forced."""
    return orders.propose(incident="")


ROOM_SCENARIOS: list[tuple[str, Refusal, Scenario]] = [
    ("attention of no known incident", Refusal.INCIDENT_STATE, lambda o: [o.attend()]),
    ("assignment of no known incident", Refusal.INCIDENT_STATE, lambda o: [o.assign()]),
    ("a note of no known incident", Refusal.INCIDENT_STATE, lambda o: [o.note()]),
    ("containment of no known incident", Refusal.INCIDENT_STATE, lambda o: [o.contain()]),
    ("closing of no known incident", Refusal.INCIDENT_STATE, lambda o: [o.close_incident()]),
    ("reopening of no known incident", Refusal.INCIDENT_STATE, lambda o: [o.reopen()]),
    ("a merge of no known incident", Refusal.INCIDENT_STATE, lambda o: [o.merge()]),
    ("a proposal of no known incident", Refusal.INCIDENT_STATE, lambda o: [o.propose()]),
    ("authorisation of no known activation", Refusal.MEASURE_STATE, lambda o: [o.authorise()]),
    ("dismissal of no known activation", Refusal.MEASURE_STATE, lambda o: [o.dismiss_measure()]),
    ("a step of no known activation", Refusal.MEASURE_STATE, lambda o: [o.step()]),
    ("an end of no known activation", Refusal.MEASURE_STATE, lambda o: [o.end_measure()]),
    (
        "an incident closed before it is resolved", Refusal.INCIDENT_STATE,
        lambda o: [o.incident(), o.close_incident()],
    ),
    (
        "an incident back without reopening", Refusal.INCIDENT_STATE,
        lambda o: [o.incident(), o.contain(), o.attend()],
    ),
    ("an incident merged with itself", Refusal.INCIDENT_STATE, lambda o: [o.incident(), o.merge("i1", "i1")]),
    (
        "an incident merged into one that is over", Refusal.INCIDENT_STATE,
        lambda o: [o.incident(), o.incident("i2"), o.resolve_incident("i2"), o.merge()],
    ),
    (
        "a note on an incident that was merged", Refusal.INCIDENT_STATE,
        lambda o: [o.incident(), o.incident("i2"), o.merge(), o.note()],
    ),
    (
        "an incident closed without its cause", Refusal.NEEDS_REASON,
        lambda o: [o.incident(), o.resolve_incident(), o.close_incident(cause=" ")],
    ),
    (
        "an incident reopened for nothing", Refusal.NEEDS_REASON,
        lambda o: [o.incident(), o.resolve_incident(), o.reopen(reason="")],
    ),
    ("an incident assigned to nobody", Refusal.NEEDS_REASON, lambda o: [o.incident(), o.assign(assignee="")]),
    ("an empty note", Refusal.NEEDS_REASON, lambda o: [o.incident(), o.note(text="  ")]),
    (
        "an incident step before the start", Refusal.OUTSIDE_PERIOD,
        lambda o: [o.incident(), o.attend(at=START - 1)],
    ),
    (
        "an incident step of the future", Refusal.OUTSIDE_PERIOD,
        lambda o: [o.incident(), o.attend(at=NOW + 3 * MINUTE)],
    ),
    ("a measure proposed twice", Refusal.MEASURE_STATE, lambda o: [free(o), free(o)]),
    (
        "a measure authorised by whoever proposed it", Refusal.SAME_PERSON,
        lambda o: [o.incident(), o.propose(), o.authorise(actor="opera")],
    ),
    (
        "a measure authorised twice", Refusal.MEASURE_STATE,
        lambda o: [free(o), o.authorise(), o.authorise(actor="carla")],
    ),
    (
        "a measure authorised once its incident is over", Refusal.INCIDENT_STATE,
        lambda o: [o.incident(), o.propose(), o.resolve_incident(), o.authorise()],
    ),
    (
        "a measure authorised for the past", Refusal.NEEDS_REASON,
        lambda o: [free(o), o.authorise(active_at=START)],
    ),
    (
        "an authorisation of the future", Refusal.OUTSIDE_PERIOD,
        lambda o: [free(o), o.authorise(at=NOW + 3 * MINUTE)],
    ),
    (
        "a measure proposed at no known CATD", Refusal.UNKNOWN_CATD,
        lambda o: [o.propose(incident="", catds=(9,))],
    ),
    ("a measure without a name", Refusal.NEEDS_REASON, lambda o: [o.propose(incident="", measure="")]),
    ("a step without text", Refusal.NEEDS_REASON, lambda o: [o.propose(incident="", steps=("uno", " "))]),
    ("a step too long", Refusal.UNWRITABLE, lambda o: [o.propose(incident="", steps=("a" * 501,))]),
    ("too many steps", Refusal.UNWRITABLE, lambda o: [o.propose(incident="", steps=("a",) * 101)]),
    ("a step nobody can write", Refusal.UNWRITABLE, lambda o: [o.propose(incident="", steps=("a\0",))]),
    ("a step before the authorisation", Refusal.MEASURE_STATE, lambda o: [free(o), o.step()]),
    ("a step before the first", Refusal.MEASURE_STATE, lambda o: [free(o), o.authorise(), o.step(step=-1)]),
    ("a step after the last", Refusal.MEASURE_STATE, lambda o: [free(o), o.authorise(), o.step(step=3)]),
    (
        "a step ticked twice", Refusal.MEASURE_STATE,
        lambda o: [free(o), o.authorise(), o.step(), o.step()],
    ),
    (
        "a measure dismissed once authorised", Refusal.MEASURE_STATE,
        lambda o: [free(o), o.authorise(), o.dismiss_measure()],
    ),
    ("a measure ended before it is applied", Refusal.MEASURE_STATE, lambda o: [free(o), o.end_measure()]),
    (
        "a measure ended for nothing", Refusal.NEEDS_REASON,
        lambda o: [free(o), o.authorise(), o.end_measure(reason="")],
    ),
    ("an alert without a name", Refusal.NEEDS_REASON, lambda o: [o.acknowledge("")]),
    ("a silence without reason", Refusal.NEEDS_REASON, lambda o: [o.silence(reason="")]),
    ("a silence at no known CATD", Refusal.UNKNOWN_CATD, lambda o: [o.silence(catd=2)]),
    ("a silence that is over", Refusal.BAD_SILENCE, lambda o: [o.silence(until=o.at)]),
    (
        "a silence of more than four hours", Refusal.BAD_SILENCE,
        lambda o: [o.silence(until=o.at + 240 * MINUTE + 1)],
    ),
]  # fmt: skip
