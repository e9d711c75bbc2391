"""Carries out the rehearsal: one fault after the other, each detected, recovered, checked and timed.

What each fault does is its own; what a report looks like is `report`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import PrepError
from loadtests.faults.checks import after_a_fault, at_the_end, mark
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Result, Sample, Signal
from loadtests.faults.processes import RehearsalError

POLL_S = 0.02
LACKING = {
    "postgres": "es de PostgreSQL y la base de este ensayo es SQLite",
    "sqlite": "es de SQLite y la base de este ensayo es PostgreSQL",
    "s3": "aquí no está SeaweedFS",
}
"""Why a fault that needs each thing cannot be injected."""
QUIET_S = 60.0
"""How long what an earlier fault left may go on being said before another one is injected."""


@dataclass(slots=True)
class Budget:
    """Everything the rehearsal found."""

    results: list[Result] = field(default_factory=list)
    final: list[Check] = field(default_factory=list)
    final_error: str = ""
    seconds: float = 0.0

    @property
    def injected(self) -> int:
        """How many faults were."""
        return sum(result.injected for result in self.results)

    @property
    def skipped(self) -> list[Result]:
        """Those that were not, for lack of something."""
        return [result for result in self.results if result.skipped]

    @property
    def good(self) -> bool:
        """Something was broken; nothing lost, nothing counted twice, everything noticed."""
        return (
            self.injected > 0
            and not self.final_error
            and bool(self.final)
            and all(result.good for result in self.results if not result.skipped)
            and all(check.holds for check in self.final)
        )

    def as_data(self) -> dict[str, Any]:
        """With Spanish names."""
        return {
            "correcto": self.good,
            "inyectadas": self.injected,
            "previstas": len(self.results),
            "omitidas": [result.fault.key for result in self.skipped],
            "segundos": round(self.seconds, 1),
            "fallas": [result.as_data() for result in self.results],
            "al_final": [check.as_data() for check in self.final],
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
            result.skipped = " y ".join(LACKING.get(one, f"aquí no hay {one}") for one in missing)
            tell(f"{fault.title}: OMITIDA ({result.skipped})")
            continue
        for case in fault.cases(short):
            sample = measure(drill, fault, case)
            result.samples.append(sample)
            tell(f"{fault.title}{f' ({case})' if case else ''}: {_told(sample)}")
    try:
        budget.final = at_the_end(drill, drill.reference(), drill.finish())
    except Exception as error:  # noqa: BLE001 - whatever it was, what was found before is told
        budget.final_error = _in_words(error)
    for result in budget.results:
        rests_on = {name for names in result.fault.promises.values() for name in names}
        result.final = [check for check in budget.final if check.name in rests_on]
    budget.seconds = time.monotonic() - started
    return budget


def measure(drill: Drill, fault: Fault, case: str) -> Sample:
    """Inject once, and say everything that was seen.

    What may happen to whoever looks at a system that is broken is anything: it is told as an error of the
    sample, and the rehearsal goes on.
    """
    sample = Sample(case)
    try:
        if "sala" in fault.needs:
            drill.wait_room()
        fault.prepare(drill, case)
        _wait_quiet(fault.signals(drill, case))
        before = mark(drill)
        broken_at = fault.inject(drill, case)
        sample.injected = True
        _detect(sample, fault, fault.signals(drill, case), broken_at)
        sample.checks += fault.during(drill, case)
        fault.since = broken_at if fault.by_itself else time.monotonic()
        sample.recovered_how = fault.recover(drill, case)
        sample.recovered_s = time.monotonic() - fault.since
        sample.checks += [*after_a_fault(drill, before), *fault.checks(drill, case)]
    except Exception as error:  # noqa: BLE001 - see above
        sample.error = _in_words(error)
    try:
        fault.undo(drill, case)
    except Exception as error:  # noqa: BLE001 - see above
        sample.error = sample.error or f"no se pudo deshacer: {_in_words(error)}"
    if sample.error:
        with contextlib.suppress(Exception):
            drill.stand_up()
    return sample


def _wait_quiet(signals: Mapping[str, Signal]) -> None:
    """Nobody says beforehand what will count as having noticed. Raises RehearsalError when somebody does."""
    until = time.monotonic() + QUIET_S
    for name, look in signals.items():
        while seen := look():
            if time.monotonic() > until:
                raise RehearsalError(f"«{name}» ya lo decía antes de romper nada: {seen[:200]}")
            time.sleep(POLL_S)


def _in_words(error: Exception) -> str:
    said = str(error) or "sin mensaje"
    return said if isinstance(error, PrepError) else f"{type(error).__name__}: {said}"


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
