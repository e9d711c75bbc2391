"""How long the alerts take: the nights that make each one fire, seen again turn by turn, and their times.

The time to detect is the moment an alert is told minus the moment its fault began. Only what a database keeps
is seen again (ledger and heartbeats), with the plan worked out anew; what is not in it (forecast, portal,
machine, what is public) is put by hand over the facts of a quiet night, and each trial says so. It runs no
night: that is `benchmarks.alerts`, or `prep simular --latidos`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from control_room.alerts.book import AlertBook, CatdPlace
from control_room.alerts.thresholds import Thresholds, default_thresholds
from control_room.night.facts import Facts, PlatformFacts
from control_room.night.facts_of import facts
from control_room.night.state import CHUNK, NightState, Row, read_rows
from control_room.night.surroundings import Plan, Surroundings
from core.domain.catalog import Catalog
from core.operations.pulses import pulses_after
from core.storage.reading import read_catalog, reading

MINUTE = 60_000
NIGHT_STEP_MS = 10_000
"""Between two turns of a whole night; its times are at most this much longer than with the room's 2 s."""
ROOM_STEP_MS = 2_000
"""The room's own turn, at the speed of the clock."""
CUT_MS = 20 * MINUTE

Change = Callable[[Facts, int], Facts]
"""The facts with a fault put over them: given the facts and the ms since the fault began."""


def places_of(catalog: Catalog) -> dict[int, CatdPlace]:
    """Every CATD of a catalogue as the alerts name it."""
    return {catd.id: CatdPlace(catd.name, catd.distrito) for catd in catalog.catds}


def pictures(
    database: Database,
    plan: Plan | None,
    *,
    step_ms: int = NIGHT_STEP_MS,
    from_min: float = 0,
    until_min: float | None = None,
) -> Iterator[Facts]:
    """The facts of a finished night turn by turn; the minutes, from its start, choose a part of it."""
    with reading(database) as connection:
        state = NightState(read_catalog(connection))
        around = Surroundings(
            plan=plan, platform=PlatformFacts(2.0, 60.0, 0.0), cut_every_ms=CUT_MS
        )  # fmt: skip
        rows, pulses = _rows(connection), pulses_after(connection, -1)
        row, pulse = next(rows, None), next(pulses, None)
        now: int | None = None
        while row is not None or pulse is not None:
            if now is not None:
                while pulse is not None and pulse.recorded_at <= now:
                    state.pulse(pulse)
                    pulse = next(pulses, None)
            while row is not None and (now is None or row[4] <= now):
                state.apply(*row)
                row = next(rows, None)
                if now is None and state.opened:
                    now = state.starts_ms + round(from_min * MINUTE)
            if now is None or (until_min is not None and now > state.starts_ms + until_min * MINUTE):
                return
            yield facts(state, now, around)
            now += step_ms


def _rows(connection: Connection) -> Iterator[Row]:
    after = 0
    while True:
        rows = read_rows(connection, after)
        yield from rows
        if len(rows) < CHUNK:
            return
        after = rows[-1][0]


def transitions(
    seen: Iterable[Facts], places: Mapping[int, CatdPlace], thresholds: Thresholds | None = None
) -> list[dict[str, Any]]:
    """Everything that would have been written in the alert log of a night."""
    book = AlertBook(thresholds or default_thresholds(), places)
    return [change for one in seen for change in book.step(one, {}, ()).transitions]


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault that a rule must tell, and something like it that it must not.

    `night` is a key of `NIGHTS`; with `change` the fault is put over the facts of that night instead of being
    in it, and `calm` is the change that must raise nothing (None: the night `tranquila` has it). `catd`
    narrows it to the alerts that have that CATD; `minute` is when it begins, since the start.
    """

    rule: str
    fault: str
    not_fault: str
    night: str
    minute: float
    catd: int | None = None
    change: Change | None = None
    calm: Change | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a trial: seconds from the fault until it was told and until it was P1 (None: never),
    and how many times the rule spoke where it must not."""

    trial: Trial
    told_s: float | None
    priority: int | None
    first_s: float | None
    false_alarms: int


def measure(
    trial: Trial, fault: Sequence[Mapping[str, Any]], calm: Sequence[Mapping[str, Any]], start_ms: int
) -> Measured:
    """Look for the alert of a trial in what was told with its fault and in what was told without it."""
    begins = start_ms + round(trial.minute * MINUTE)
    mine = [one for one in fault if one["regla"] == trial.rule and one["ms"] >= begins and _about(trial, one)]
    told = next((one for one in mine if one["que"] == "activa"), None)
    first = next((one for one in mine if one["prioridad"] == 1), None)
    return Measured(
        trial,
        None if told is None else (told["ms"] - begins) / 1000,
        None if told is None else int(told["prioridad"]),
        None if first is None else (first["ms"] - begins) / 1000,
        sum(one["que"] == "activa" and one["regla"] == trial.rule and _about(trial, one) for one in calm),
    )


def _about(trial: Trial, change: Mapping[str, Any]) -> bool:
    return trial.catd is None or trial.catd in change["catds"]


def altered(seen: Iterable[Facts], change: Change, minute: float) -> Iterator[Facts]:
    """The facts with a change put over them from a minute of the night on."""
    for one in seen:
        since = one.now_ms - one.starts_ms - round(minute * MINUTE)
        yield one if since < 0 else change(one, since)
