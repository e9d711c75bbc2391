"""Carries out the rehearsal: one fault after the other, each detected, recovered, checked and timed.

What each fault does is its own; what a report looks like is `report`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from core.errors import PrepError
from loadtests.faults.checks import after_a_fault, at_the_end, mark
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Result, Sample, Signal

POLL_S = 0.02
TROUBLE = (PrepError, SQLAlchemyError, OSError, LookupError)
"""What may happen to whoever looks at a system that is broken: it is told, and the rehearsal goes on."""


@dataclass(slots=True)
class Budget:
    """Everything the rehearsal found."""

    results: list[Result] = field(default_factory=list)
    final: list[Check] = field(default_factory=list)
    final_error: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Nothing lost, nothing counted twice, everything noticed."""
        return (
            not self.final_error
            and all(result.good for result in self.results)
            and all(check.holds for check in self.final)
        )

    def as_data(self) -> dict[str, Any]:
        """With Spanish names."""
        return {
            "correcto": self.good,
            "segundos": round(self.seconds, 1),
            "fallas": [result.as_data() for result in self.results],
            "al_final": [
                {"que": check.name, "se_cumple": check.holds, "visto": check.seen} for check in self.final
            ],
            "error": self.final_error,
        }


def carry_out(
    drill: Drill,
    faults: Sequence[Fault],
    available: frozenset[str],
    *,
    short: bool,
    tell: Callable[[str], None] = lambda _: None,
) -> Budget:
    """Inject every fault, end the night and compare it with the one nobody broke."""
    budget = Budget()
    started = time.monotonic()
    for fault in faults:
        result = Result(fault)
        budget.results.append(result)
        missing = sorted(fault.needs - available)
        if missing:
            result.skipped = f"no hay {', '.join(missing)}"
            tell(f"{fault.title}: omitida ({result.skipped})")
            continue
        for case in fault.cases(short):
            sample = measure(drill, fault, case)
            result.samples.append(sample)
            tell(f"{fault.title}{f' ({case})' if case else ''}: {_told(sample)}")
    try:
        budget.final = at_the_end(drill, drill.reference(), drill.finish())
    except TROUBLE as error:
        budget.final_error = str(error) or type(error).__name__
    budget.seconds = time.monotonic() - started
    return budget


def measure(drill: Drill, fault: Fault, case: str) -> Sample:
    """Inject once, and say everything that was seen."""
    sample = Sample(case)
    try:
        fault.prepare(drill, case)
        before = mark(drill)
        broken_at = fault.inject(drill, case)
        _detect(sample, fault, fault.signals(drill, case), broken_at)
        sample.checks += fault.during(drill, case)
        fault.since = broken_at if fault.by_itself else time.monotonic()
        sample.recovered_how = fault.recover(drill, case)
        sample.recovered_s = time.monotonic() - fault.since
        sample.checks += [*after_a_fault(drill, before), *fault.checks(drill, case)]
    except TROUBLE as error:
        sample.error = str(error) or type(error).__name__
    finally:
        fault.undo(drill, case)
    return sample


def _detect(sample: Sample, fault: Fault, signals: Mapping[str, Signal], broken_at: float) -> None:
    """Wait until somebody notices, and a little for the others."""
    waiting = dict(signals)
    until = time.monotonic() + fault.detection_s
    while waiting and time.monotonic() < until:
        for name, look in list(waiting.items()):
            seen = look()
            if not seen:
                continue
            del waiting[name]
            seconds = time.monotonic() - broken_at
            if sample.detected_s is None:
                sample.detected_by, sample.evidence, sample.detected_s = name, seen[:300], seconds
                until = min(until, time.monotonic() + fault.others_s)
            else:
                sample.others[name] = seconds
        time.sleep(POLL_S)


def _told(sample: Sample) -> str:
    if sample.error:
        return f"NO SE PUDO: {sample.error}"
    detected = "NO DETECTADA" if sample.detected_s is None else f"detectada en {sample.detected_s:.1f} s"
    recovered = "" if sample.recovered_s is None else f", repuesta en {sample.recovered_s:.1f} s"
    wrong = [check for check in sample.checks if not check.holds]
    lost = f"; NO SE CUMPLE: {wrong[0].name} ({wrong[0].seen})" if wrong else ""
    return f"{detected} ({sample.detected_by}){recovered}{lost}"
