"""Makes happen what a scenario says goes wrong, and what somebody makes go wrong while the night runs.

Faults of a fixed minute are planned before the night and their links already have them; those that
wait for a condition, and the injected ones, begin at the moment they do, through the same rules. Every
one of them is an incident the engine is told of. What a fault does to a link is `network`, to the
light `power`; who answers with which measure, `continuity`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from core.errors import UsageError
from simulator.night.centre import Centre
from simulator.night.conditions import begin_when
from simulator.night.continuity import ContinuityLog, Incident, at_ms
from simulator.night.links import Link
from simulator.night.model import NightModel, Process
from simulator.night.network import (
    LINK_SOURCE,
    Outage,
    Places,
    Spell,
    dark_limits,
    exercise_of,
    outage_of,
    planned_outages,
)
from simulator.night.power import Blackout, Cut, power_name, power_of
from simulator.night.repeated_images import RepeatedImages
from simulator.night.rushed_marks import Operator
from simulator.scenario.faults import ContestFault, Exercise, LinkFault, MassMarking, PowerFault

AnyFault: TypeAlias = LinkFault | PowerFault | ContestFault | MassMarking | Exercise


class CaptureWork(Protocol):
    """What a fault needs of the capture centre."""

    @property
    def backlog(self) -> int:
        """Digitized actas waiting for somebody."""

    def stop_work(self, catd: int | None = None) -> None:
        """Everybody there, or in a CATD that captures its own actas, stops with what he has in hand."""

    def resume_work(self, catd: int | None = None) -> None:
        """Undo one `stop_work`; stops inside stops are counted."""


class Faults:
    """Everything that goes wrong in one night. `links` and `centres` are by CATD id."""

    def __init__(
        self, model: NightModel, links: Sequence[Link], centres: Sequence[Centre], capture: CaptureWork
    ) -> None:
        self._model = model
        self._links = links
        self._centres = centres
        self._capture = capture
        self._places = Places(model.catalog, model.scenario)
        self._injected = 0
        self.log = ContinuityLog(model)
        self._spells: dict[int, list[tuple[int, str, Spell]]] = {}
        """Of every CATD, what faults of the links do to it: number of the incident, name, and spell."""
        model.sources["por_capturar"] = lambda: capture.backlog
        model.sources["en_enlaces"] = lambda: sum(centre.waiting for centre in centres)
        model.sources["catd_sin_enlace"] = lambda: sum(
            link.capacity(int(model.env.now)) == 0 for link in links
        )
        if model.scenario.duplicates.share:
            repeated = RepeatedImages(model)
            for centre in centres:
                centre.first_image = repeated.first_image

    @property
    def incidents(self) -> list[Incident]:
        """What has happened or is planned to, in order of time."""
        return self.log.incidents

    def start(self) -> None:
        """Schedule everything the scenario says; once, before the night runs.

        Raises UsageError when it names a contest or a CATD that the catalogue does not have.
        """
        model, scenario = self._model, self._model.scenario
        for outage in planned_outages(self._places, self._links, model.seeds):
            self._record_outage(outage)
        for number, fault in enumerate(scenario.link_faults):
            if fault.when is not None:
                begin_when(model, fault, self._beginning(fault, f"{LINK_SOURCE}{number}"))
        for number, power in enumerate(scenario.power_faults):
            name = power_name(number)
            if power.when is not None:
                begin_when(model, power, self._beginning(power, name))
            else:
                self._darken(self._blackout(power, name, None))
        for number, contest in enumerate(scenario.contest_faults):
            self._check(contest)
            begin_when(model, contest, self._beginning(contest, f"falla_contienda/{number}"))
        for number, marking in enumerate(scenario.mass_markings):
            begin_when(model, marking, self._beginning(marking, f"marcado_masivo/{number}"))
        for published in scenario.publication_faults:
            self._places.check(published.catds)
            start = at_ms(published.at_min)
            self.log.record(
                Incident(
                    f"publicacion_{published.kind}", published.name, start,
                    at_ms(published.at_min + published.minutes), len(published.catds), published.remedy,
                    cause=published.cause, catds=published.catds,
                )
            )  # fmt: skip

    def inject(self, fault: AnyFault) -> None:
        """Make a fault begin at the model's now, whatever moment it names.

        The same faults injected in the same order at the same moments do the same. Raises UsageError
        when it names a contest or a CATD that the catalogue does not have, and then nothing happens.
        """
        self._check(fault)
        self._injected += 1
        prefix = LINK_SOURCE if isinstance(fault, LinkFault) else ""
        self._begin(fault, f"{prefix}inyectada/{self._injected}")

    def restorable(self, catds: Sequence[int]) -> tuple[int, ...]:
        """Which of these CATDs have a fault of their link that has begun and would go on, in order.

        Raises UsageError when there is no such CATD.
        """
        self._places.check(catds)
        return tuple(sorted({catd for catd in catds if self._going(catd)}))

    def restore(self, catds: Sequence[int]) -> tuple[int, ...]:
        """The faults of the links of these CATDs that have begun end now; gives `restorable(catds)`.

        Power cuts and exercises of the plan go on. The engine is told of the incidents that this ends, at
        their end; who wants more on record says so. Raises UsageError when there is no such CATD.
        """
        places_back = self.restorable(catds)
        now = int(self._model.env.now)
        mended: dict[int, list[int]] = {}
        for catd in places_back:
            going = self._going(catd)
            self._links[catd].restore(now, {name for _, name, _ in going})
            for number, _, _ in going:
                mended.setdefault(number, []).append(catd)
        for number, places in mended.items():
            self.log.restore(number, places)
        return places_back

    def _going(self, catd: int) -> list[tuple[int, str, Spell]]:
        """The faults of the link of a CATD that have begun and have not ended."""
        now = int(self._model.env.now)
        return [
            (number, name, spell)
            for number, name, spell in self._spells.get(catd, ())
            if spell.start <= now < self.log.end_at(number, catd, spell.end)
        ]

    def _check(self, fault: AnyFault) -> None:
        contests = self._model.catalog.contests
        if isinstance(fault, LinkFault | PowerFault | MassMarking):
            self._places.check(fault.catds)
        if isinstance(fault, ContestFault) and fault.contest not in contests:
            raise UsageError(f"No hay una contienda «{fault.contest}»; las hay: {', '.join(contests)}.")

    # -- beginning -------------------------------------------------------------------------------

    def _beginning(self, fault: AnyFault, name: str) -> Callable[[], None]:
        return lambda: self._begin(fault, name)

    def _begin(self, fault: AnyFault, name: str) -> None:
        model = self._model
        now = int(model.env.now)
        if isinstance(fault, LinkFault):
            self._cut_links(outage_of(self._places, fault, name, self._links, model.seeds, now))
        elif isinstance(fault, Exercise):
            self._cut_links(exercise_of(model.catalog, fault, name, now))
        elif isinstance(fault, PowerFault):
            blackout = self._blackout(fault, name, now)
            for catd, limit in dark_limits(blackout):
                self._links[catd].add([limit], now)
            self._darken(blackout)
        elif isinstance(fault, ContestFault):
            model.env.process(self._block(fault))
        else:
            self._rush(fault, name)

    def _cut_links(self, outage: Outage) -> None:
        for spell in outage.spells:
            self._links[spell.catd].add(spell.limits, int(self._model.env.now))
        self._record_outage(outage)

    def _record_outage(self, outage: Outage) -> None:
        ends = {spell.catd: spell.end for spell in outage.spells}
        number = self.log.record(outage.incident, ends, silent=not outage.spells)
        if outage.name.startswith(LINK_SOURCE):
            for spell in outage.spells:
                self._spells.setdefault(spell.catd, []).append((number, outage.name, spell))

    def _blackout(self, fault: PowerFault, name: str, now: int | None) -> Blackout:
        model = self._model
        catds = self._places.touched(fault, name, model.seeds)
        return power_of(model.scenario, fault, name, model.seeds, catds, now)

    def _darken(self, blackout: Blackout) -> None:
        for cut in blackout.cuts:
            self._model.env.process(self._without_light(cut))
        self.log.record(blackout.incident, silent=not blackout.cuts)

    def _without_light(self, cut: Cut) -> Process:
        env = self._model.env
        if cut.start > env.now:
            yield env.timeout(cut.start - int(env.now))
        self._capture.stop_work(cut.catd)
        if cut.catd is not None:
            self._centres[cut.catd].stop_work()
        yield env.timeout(cut.working - int(env.now))
        self._capture.resume_work(cut.catd)
        if cut.catd is not None:
            self._centres[cut.catd].resume_work()

    def _block(self, fault: ContestFault) -> Process:
        model = self._model
        now, length = int(model.env.now), at_ms(fault.minutes)
        self.log.record(
            Incident(
                "falla_contienda", fault.name, now, now + length, 0,
                fault.remedy or "se volvieron a recibir las imágenes y se enviaron las retenidas",
                cause=fault.cause,
            )
        )  # fmt: skip
        model.block(fault.contest)
        yield model.env.timeout(length)
        if model.unblock(fault.contest):
            for centre in self._centres:
                centre.release()

    def _rush(self, fault: MassMarking, name: str) -> None:
        model = self._model
        places = self._places.touched(fault, name, model.seeds)
        if not places:
            return
        number = self.log.record(
            Incident(
                "marcado_masivo", fault.name, int(model.env.now), model.length_ms, len(places), "",
                fault.distritos, cause="marcas de sin acta sin autorización", catds=tuple(places),
            )
        )  # fmt: skip
        answers: list[tuple[int, int]] = []

        def done(accepted: int, refused: int) -> None:
            answers.append((accepted, refused))
            if len(answers) == len(places):
                marked, rejected = (sum(column) for column in zip(*answers, strict=True))
                self.log.finish(number, f"el sistema rechazó {rejected} marcas y admitió {marked}")

        for place in places:
            operator = f"{self._centres[place].station}-operador-{name.replace('/', '-')}"
            Operator(self._centres[place], operator[:64], fault.actas, round(fault.each_s * 1000), done)
