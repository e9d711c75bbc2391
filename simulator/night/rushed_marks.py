"""Operators who empty the queue by marking actas as sin acta, though they are there.

They use the same command as everybody, without a supervisor; the engine's limits refuse most of them.
Which ones is foreseen with the engine's own rule, so that a wrong guess shows up. It limits nobody.
"""

from __future__ import annotations

from collections.abc import Callable

from core.domain.commands import MarkSinActa
from core.domain.marking import MarkingRate
from core.domain.rules import SinActaReason
from simulator.night.centre import Centre, Outgoing
from simulator.night.model import Process
from simulator.scenario.base import MS_PER_MINUTE

NOTHING_YET_MS = MS_PER_MINUTE
"""With nothing to mark yet, the operator looks again after this."""


class Operator:
    """Somebody who marks up to `count` actas of a CATD, one every `each_ms`.

    What the engine accepts leaves the CATD as sin acta; what it refuses goes back to be scanned. `done`
    is called with how many were accepted and refused when the last one has its answer.
    """

    def __init__(
        self, centre: Centre, name: str, count: int, each_ms: int, done: Callable[[int, int], None]
    ) -> None:
        self._centre = centre
        self._model = centre.model
        self._name = name
        self._count = count
        self._each_ms = each_ms
        self._done = done
        # The same count of marks the engine keeps, to foresee its answers.
        self._rate = MarkingRate()
        self._tried: set[int] = set()
        self._unanswered = 0
        self._working = True
        self.accepted = 0
        self.refused = 0
        self._model.env.process(self._work())

    def _work(self) -> Process:
        centre = self._centre
        while len(self._tried) < self._count:
            yield from centre.work(self._each_ms)
            acta = centre.waits_to_be_scanned(self._tried)
            if acta is not None:
                self._tried.add(acta)
                self._mark(acta)
            elif self._tried:
                # The queue is empty, which is what they wanted.
                break
            else:
                yield from centre.work(NOTHING_YET_MS)
        self._working = False
        self._finish()

    def _mark(self, acta: int) -> None:
        model = self._model
        command = MarkSinActa(
            key=f"apurada-{self._name}-{acta}", actor=self._name, station=self._centre.station,
            at=model.now_utc, device_at=self._centre.device_clock(), acta=acta,
            reason=SinActaReason.PAQUETE_SIN_SOBRE,
        )  # fmt: skip
        self._unanswered += 1
        self._centre.outgoing.put(
            Outgoing(model.durations.message[acta], (command,), arrive=lambda: self._arrive(command))
        )

    def _arrive(self, command: MarkSinActa) -> None:
        model, acta = self._model, command.acta
        accepted = (
            self._rate.check(command.actor, command.station, command.at, False) is None
            and not model.has_image[acta]
            and acta not in model.sin_acta
        )
        model.send(command, provoked=not accepted)
        if accepted:
            self._rate.note(command.actor, command.station, command.at)
            self.accepted += 1
            model.sin_acta.add(acta)
            model.registered += 1
        else:
            self.refused += 1
            self._centre.scans.put(acta)
        self._unanswered -= 1
        self._finish()

    def _finish(self) -> None:
        if not self._working and not self._unanswered:
            self._done(self.accepted, self.refused)
