"""What a fault is and what its measure says: the common protocol, and plain values for the reports.

Nothing here injects or checks anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadtests.faults.drill import Drill

Signal = Callable[[], "str | None"]
"""Looks once: what was seen, in words, or None while there is nothing to see."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, whether it did, and what was seen."""

    name: str
    holds: bool
    seen: str = ""

    def as_data(self) -> dict[str, Any]:
        """With Spanish names."""
        return {"que": self.name, "se_cumple": self.holds, "visto": self.seen}


class Fault:
    """One way of going wrong. The runner calls, in this order: `prepare`, the `signals` (all of which must be
    silent), `inject`, the `signals` again, `during`, `recover`, `checks`; and `undo` at the end, whatever
    happened.

    Class attributes are what the documents say of it.
    """

    key: str
    """Short name, as in `--solo`."""
    family: str
    title: str
    what: str
    """What is done to the system, with which means."""
    promises: Mapping[str, tuple[str, ...]] = {}
    """What is kept, sentence by sentence, and the names of the checks that prove each: of those made of every
    case, or of those made at the end of the night. A sentence whose check was not made was not kept."""
    incident: str = ""
    """The kind of incident of the plan of continuity that it would be if it lasted; empty when none."""
    by_itself: bool = True
    """Whether it recovers with nobody doing anything."""
    short: bool = False
    """Whether it is in the short rehearsal."""
    needs: frozenset[str] = frozenset()
    """Of `postgres`, `sqlite`, `s3`, `sala`, `imagenes`: what the rehearsal must have."""
    detection_s: float = 90.0
    """After this long nobody noticed."""
    others_s: float = 0.0
    """How long after the first the others who may notice are still waited for."""
    since: float | None = None
    """When the cause was gone, monotonic; recovery is measured from there when `recover` says it."""

    @property
    def invariant(self) -> str:
        """What is kept, in one line."""
        return "; ".join(self.promises)

    def cases(self, short: bool) -> tuple[str, ...]:
        """Each is injected and measured apart."""
        return ("",)

    def prepare(self, drill: Drill, case: str) -> None:
        """What must be so before: not part of the fault and not timed. After it the signals can be asked."""

    def inject(self, drill: Drill, case: str) -> float:
        """Break it; the monotonic second at which it broke."""
        raise NotImplementedError

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        """Who may notice, by its name; the first one counts."""
        raise NotImplementedError

    def during(self, drill: Drill, case: str) -> list[Check]:
        """What must hold while it is broken."""
        return []

    def recover(self, drill: Drill, case: str) -> str:
        """Do what a person would, or nothing; return, in words, how it recovered once everything is whole."""
        raise NotImplementedError

    def checks(self, drill: Drill, case: str) -> list[Check]:
        """What must hold afterwards, besides what is asked after every fault."""
        return []

    def undo(self, drill: Drill, case: str) -> None:
        """Leave nothing of the fault behind."""


@dataclass(slots=True)
class Sample:
    """One injection, measured. Seconds are None when it never happened."""

    case: str
    detected_by: str = ""
    evidence: str = ""
    detected_s: float | None = None
    others: dict[str, float] = field(default_factory=dict)
    """Who else noticed, and after how many seconds."""
    recovered_how: str = ""
    recovered_s: float | None = None
    """From the fault when it recovers by itself; from the action of a person otherwise."""
    checks: list[Check] = field(default_factory=list)
    error: str = ""
    """The rehearsal itself failed here."""
    injected: bool = False
    """Whether it came to be broken."""

    @property
    def good(self) -> bool:
        """Detected, recovered, and every invariant held."""
        return (
            not self.error
            and self.detected_s is not None
            and self.recovered_s is not None
            and all(check.holds for check in self.checks)
        )

    def as_data(self) -> dict[str, Any]:
        """With Spanish names."""
        return {
            "caso": self.case,
            "correcto": self.good,
            "detectado_por": self.detected_by,
            "evidencia": self.evidence,
            "deteccion_s": _rounded(self.detected_s),
            "tambien": {name: round(seconds, 3) for name, seconds in self.others.items()},
            "recuperacion": self.recovered_how,
            "recuperacion_s": _rounded(self.recovered_s),
            "error": self.error,
            "comprobaciones": [check.as_data() for check in self.checks],
        }


@dataclass(slots=True)
class Result:
    """Everything measured of one fault. `skipped` is why it was not injected."""

    fault: Fault
    samples: list[Sample] = field(default_factory=list)
    skipped: str = ""
    final: list[Check] = field(default_factory=list)
    """Of those of the end of the night, the ones its promises rest on."""

    @property
    def injected(self) -> bool:
        """Whether anything was broken."""
        return any(sample.injected for sample in self.samples)

    @property
    def good(self) -> bool:
        """It was injected, every sample is good and every promise was proved."""
        return bool(self.samples) and all(sample.good for sample in self.samples) and not self.broken()

    def broken(self) -> dict[str, str]:
        """Each promise that was not kept, or not proved, and what was seen."""
        found: dict[str, str] = {}
        for sentence, names in self.fault.promises.items():
            for sample in self.samples:
                made = {check.name: check for check in (*self.final, *sample.checks)}
                lacking = [name for name in names if name not in made]
                wrong = [check for check in (*self.final, *sample.checks)
                         if check.name in names and not check.holds]  # fmt: skip
                if lacking or not names:
                    found[sentence] = f"no se comprobó: {(*lacking, 'nada')[0]}"
                elif wrong:
                    found[sentence] = f"{wrong[0].name}: {wrong[0].seen}"
        return found

    @property
    def detection(self) -> tuple[float, float] | None:
        """Median and longest, seconds; None when one was not noticed."""
        return _spread([sample.detected_s for sample in self.samples])

    @property
    def recovery(self) -> tuple[float, float] | None:
        """Median and longest, seconds; None when one did not recover."""
        return _spread([sample.recovered_s for sample in self.samples])

    def failed_checks(self) -> list[Check]:
        """Those that did not hold."""
        made = [check for sample in self.samples for check in sample.checks]
        return [check for check in (*made, *self.final) if not check.holds]

    def as_data(self) -> dict[str, Any]:
        """With Spanish names."""
        return {
            "clave": self.fault.key,
            "familia": self.fault.family,
            "titulo": self.fault.title,
            "que_se_hace": self.fault.what,
            "invariante": {sentence: list(names) for sentence, names in self.fault.promises.items()},
            "no_se_cumplio": self.broken(),
            "se_repone_sola": self.fault.by_itself,
            "omitida": self.skipped,
            "correcta": self.good,
            "deteccion_s": _pair(self.detection),
            "recuperacion_s": _pair(self.recovery),
            "muestras": [sample.as_data() for sample in self.samples],
        }


def _spread(seconds: list[float | None]) -> tuple[float, float] | None:
    known = [one for one in seconds if one is not None]
    if not known or len(known) < len(seconds):
        return None
    return median(known), max(known)


def _pair(spread: tuple[float, float] | None) -> dict[str, float] | None:
    return None if spread is None else {"mediana": round(spread[0], 2), "maximo": round(spread[1], 2)}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
