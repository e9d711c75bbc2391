"""The continuity plan against what goes wrong: which measures work, since when, and what is told.

An outage is cut short, or eased, by the steps of the plan that work. Everything that went wrong is an
incident of the engine: opened when it is noticed, answered with measures that say who authorised
them and since when they work, resolved when it ends. It changes no link: `network` and `faults` do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from core.domain.commands import ApplyMeasure, OpenIncident, ResolveIncident
from simulator.night.model import NightModel, Process
from simulator.scenario.base import MS_PER_MINUTE, ms_of
from simulator.scenario.faults import Measure

COORDINATOR = "coordinacion"
"""Who opens and closes the operation, and records incidents and measures."""
TOGETHER_MS = 5 * MS_PER_MINUTE
"""The same measure at several CATDs within this is told once."""
LONGEST_TEXT = 500
BACKUP = "Enlace de respaldo"
PLANT = "Planta de luz"

KINDS = {
    "sin_enlace": "enlace",
    "intermitente": "enlace",
    "latencia": "enlace",
    "ancho_de_banda": "enlace",
    "perdida": "enlace",
    "falla_electrica": "luz",
    "falla_contienda": "contienda",
    "marcado_masivo": "marcado",
    "continuidad": "ejercicio",
}
"""What the engine is told an incident is of; those of the publication are `publicacion`."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A measure that works at some CATDs. Times in ms since the start of the operation."""

    measure: str
    authorised_by: str
    authorised_ms: int
    active_ms: int
    effect: str
    catds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened to the operation, for the summary. Times in ms since the start."""

    kind: str
    name: str
    start_ms: int
    end_ms: int
    places: int
    """CATDs it touched; 0 when it is of the whole operation."""
    remedy: str
    distritos: tuple[int, ...] = ()
    detected_ms: int = -1
    """When it was noticed and opened; -1 when nobody did."""
    authorised_by: str = ""
    """Of the first measure that worked, as the four that follow."""
    authorised_ms: int = -1
    active_ms: int = -1
    effect: str = ""
    cause: str = ""
    catds: tuple[int, ...] = ()
    measures: tuple[Applied, ...] = ()
    """Every measure, the same one at several CATDs within five minutes together."""


def at_ms(minutes: float) -> int:
    """Minutes since the start as whole ms, never before it."""
    return max(0, ms_of(minutes))


def steps_against(
    start: float, end: float, least: float, steps: Sequence[tuple[Measure, float]]
) -> list[tuple[Measure, int]]:
    """The measures that work against one outage, and when each begins to (ms since the start).

    `start` and `end` are minutes, `least` what the link gives without any measure; every step comes with
    a number in [0, 1) that says whether it works this time. One that would give no more than there is
    already is not taken.
    """
    capacity = least
    working = []
    for measure, luck in steps:
        when = start + measure.after_min
        if when >= end or luck >= measure.success or measure.capacity <= capacity:
            continue
        capacity = measure.capacity
        working.append((measure, at_ms(when)))
    return working


def applied_at(catd: int, measure: Measure, active: int) -> Applied:
    """A measure at one CATD, with the moment it had to be authorised to work at `active`."""
    authorised = max(0, active - ms_of(measure.activation_min))
    effect = (
        "el enlace vuelve completo"
        if measure.capacity >= 1
        else f"el enlace da {100 * measure.capacity:.0f} % de su capacidad"
    )
    return Applied(measure.name, measure.authorised_by, authorised, active, effect, (catd,))


def together(applied: Iterable[Applied]) -> tuple[Applied, ...]:
    """The same measure at several CATDs within the same five minutes as one, in order of time."""
    groups: dict[tuple[int, str, str, str], list[Applied]] = {}
    for one in applied:
        window = one.active_ms // TOGETHER_MS
        groups.setdefault((window, one.measure, one.authorised_by, one.effect), []).append(one)
    joined = [
        Applied(
            measure, by, min(one.authorised_ms for one in group), max(one.active_ms for one in group), effect,
            tuple(sorted({catd for one in group for catd in one.catds})),
        )
        for (_, measure, by, effect), group in groups.items()
    ]  # fmt: skip
    return tuple(sorted(joined, key=lambda one: (one.active_ms, one.measure, one.catds)))


@dataclass
class _Told:
    """An incident on its way through the engine. `ends` is when it is over at each CATD."""

    key: str
    incident: Incident
    ends: dict[int, int]
    opened: bool = False
    resolved: bool = False
    measures_told: int = 0
    restored: set[int] = field(default_factory=set)


class ContinuityLog:
    """Tells the engine of every incident of the night, at its time.

    The commands are those of a person of the coordination; what is opened and does not end before the
    close stays open.
    """

    def __init__(self, model: NightModel) -> None:
        self._model = model
        self._told: list[_Told] = []
        self._detection_ms = ms_of(model.scenario.continuity.detection_min)

    @property
    def incidents(self) -> list[Incident]:
        """Everything that has happened or is planned to, in order of time."""
        found = [told.incident for told in self._told]
        return sorted(found, key=lambda incident: (incident.start_ms, incident.name))

    def record(self, incident: Incident, ends: dict[int, int] | None = None, *, silent: bool = False) -> int:
        """Tell of an incident as it goes; `ends` is when it is over at each CATD, if not at the same time.

        Returns its number, for `finish` and `restore`. A silent one (it touched no place it should) is
        only listed.
        """
        if silent:
            self._told.append(_Told("", incident, {}, resolved=True))
            return len(self._told) - 1
        noticed = incident.start_ms + self._detection_ms
        if incident.measures:
            # Who authorises a measure has noticed.
            noticed = min(noticed, min(one.authorised_ms for one in incident.measures))
        detected = max(incident.start_ms, min(noticed, incident.end_ms))
        incident = replace(incident, detected_ms=detected)
        if incident.measures:
            first = incident.measures[0]
            incident = replace(
                incident, authorised_by=first.authorised_by, authorised_ms=first.authorised_ms,
                active_ms=first.active_ms, effect=first.effect,
            )  # fmt: skip
        if ends is None:
            ends = dict.fromkeys(incident.catds, incident.end_ms)
        told = _Told(f"{incident.kind}-{len(self._told) + 1:03d}", incident, ends)
        self._told.append(told)
        self._model.env.process(self._tell(told))
        return len(self._told) - 1

    def finish(self, number: int, remedy: str) -> None:
        """An incident is over now, whatever was planned."""
        told = self._told[number]
        if told.resolved:
            return
        told.incident = replace(told.incident, end_ms=int(self._model.env.now), remedy=remedy)
        self._open(told)
        self._resolve(told)

    def end_at(self, number: int, catd: int, planned: int) -> int:
        """When an incident is over at a CATD; `planned` when it says nothing of it."""
        return self._told[number].ends.get(catd, planned)

    def restore(self, number: int, catds: Iterable[int]) -> None:
        """An incident is over now at some of its CATDs."""
        told = self._told[number]
        now = int(self._model.env.now)
        back = {catd for catd in catds if told.ends.get(catd, 0) > now}
        if not back or told.resolved:
            return
        told.restored |= back
        for catd in back:
            told.ends[catd] = now
        end = max(told.ends.values())
        remedy = "; ".join(part for part in (told.incident.remedy, "enlace restablecido") if part)
        if end <= now:
            self.finish(number, remedy)
        elif end < told.incident.end_ms:
            told.incident = replace(told.incident, end_ms=end, remedy=remedy)
            self._model.env.process(self._resolve_at(told, end))

    # -- telling ---------------------------------------------------------------------------------

    def _tell(self, told: _Told) -> Process:
        env, incident = self._model.env, told.incident
        steps = [(one.active_ms, one) for one in incident.measures]
        if incident.detected_ms > env.now:
            yield env.timeout(incident.detected_ms - int(env.now))
        self._open(told)
        for at, one in steps:
            if at > env.now:
                yield env.timeout(at - int(env.now))
            self._apply(told, one)
        end = told.incident.end_ms
        if end > env.now:
            yield env.timeout(end - int(env.now))
        if end == told.incident.end_ms:
            self._resolve(told)

    def _resolve_at(self, told: _Told, at: int) -> Process:
        yield self._model.env.timeout(at - int(self._model.env.now))
        if at == told.incident.end_ms:
            self._resolve(told)

    def _open(self, told: _Told) -> None:
        if told.opened or told.resolved:
            return
        told.opened = True
        model, incident = self._model, told.incident
        if incident.detected_ms > model.env.now:
            told.incident = replace(incident, detected_ms=int(model.env.now))
        model.send(
            OpenIncident(
                key=f"incidente-{told.key}", actor=COORDINATOR, station=COORDINATOR, at=model.now_utc,
                incident=told.key, kind=KINDS.get(incident.kind, incident.kind.split("_")[0]),
                title=incident.name[:LONGEST_TEXT], cause=incident.cause[:LONGEST_TEXT],
                catds=incident.catds,
            )
        )  # fmt: skip

    def _apply(self, told: _Told, one: Applied) -> None:
        catds = tuple(catd for catd in one.catds if catd not in told.restored)
        if told.resolved or (one.catds and not catds):
            return
        told.measures_told += 1
        model = self._model
        model.send(
            ApplyMeasure(
                key=f"medida-{told.key}-{told.measures_told:04d}", actor=COORDINATOR, station=COORDINATOR,
                at=model.now_utc, incident=told.key, measure=one.measure[:LONGEST_TEXT],
                authorised_by=one.authorised_by[:LONGEST_TEXT],
                authorised_at=model.start_ms + one.authorised_ms, active_at=model.start_ms + one.active_ms,
                effect=one.effect[:LONGEST_TEXT], catds=catds,
            )
        )  # fmt: skip

    def _resolve(self, told: _Told) -> None:
        if told.resolved:
            return
        told.resolved = True
        model = self._model
        remedy = told.incident.remedy or "terminó sin que hiciera falta nada más"
        model.send(
            ResolveIncident(
                key=f"resuelto-{told.key}", actor=COORDINATOR, station=COORDINATOR, at=model.now_utc,
                incident=told.key, remedy=remedy[:LONGEST_TEXT],
            )
        )  # fmt: skip
