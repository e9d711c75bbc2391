"""What is told to a night while it runs: faults, exercises, transfers, a link restored; and their record.

An instruction is a fragment of a scenario's document (and `restablecer`, which no scenario has). It is
checked against the models of the scenario and the catalogue, written to `instrucciones.jsonl` with the
virtual ms it takes effect at, and only then applied; a run that is continued applies the same ones at
the same ms. What each does to the night is `night.faults` and `night.transfers`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from pydantic import ValidationError

from core.catalogs.problems import Problems
from core.domain.catalog import Catalog
from core.domain.commands import ApplyMeasure
from core.errors import InputError, PrepError, UsageError
from core.foreign_text import foreign_bytes
from simulator.live.environment import plan
from simulator.scenario.base import MS_PER_MINUTE, Part, key, ms_of
from simulator.scenario.document import Scenario
from simulator.scenario.faults import ContestFault, Exercise, LinkFault, MassMarking, PowerFault
from simulator.scenario.file import LoadedScenario, ScenarioError, fault_of, names_not_there, shown
from simulator.scenario.overlays import Origin, Origins
from simulator.scenario.people import CaptureTransfer, Transfer

if TYPE_CHECKING:
    from simulator.night.faults import Faults
    from simulator.night.model import NightModel
    from simulator.night.run import Night
    from simulator.night.transfers import Transfers

RECORD = "instrucciones.jsonl"
_LISTS = (
    ("falla_enlace",), ("falla_electrica",), ("falla_contienda",), ("marcado_masivo",),
    ("continuidad", "ejercicios"), ("personal", "traslados"), ("personal", "traslados_captura"),
)  # fmt: skip
"""Where a fragment has lists of things that begin at some moment."""


class _Continuity(Part):
    exercises: tuple[Exercise, ...] = key("ejercicios", "activaciones del plan por distrito", ())


class _Staff(Part):
    transfers: tuple[Transfer, ...] = key("traslados", "personas que cambian de lugar", ())
    capture_transfers: tuple[CaptureTransfer, ...] = key(
        "traslados_captura", "captura que cambia de lugar", ()
    )


class Restore(Part):
    """The links of some CATDs are mended."""

    catds: tuple[int, ...] = key("catd", "números de CATD", min_length=1)


class Fragment(Part):
    """An instruction: any of these, at least one."""

    link_faults: tuple[LinkFault, ...] = key("falla_enlace", "fallas de enlace", ())
    power_faults: tuple[PowerFault, ...] = key("falla_electrica", "cortes de luz", ())
    contest_faults: tuple[ContestFault, ...] = key("falla_contienda", "fallas de una sola contienda", ())
    mass_markings: tuple[MassMarking, ...] = key("marcado_masivo", "marcas masivas de sin acta", ())
    continuity: _Continuity = key("continuidad", "ejercicios del plan de continuidad", _Continuity())
    staff: _Staff = key("personal", "traslados", _Staff())
    restore: Restore | None = key("restablecer", "enlaces que vuelven", None)

    @property
    def faults(self) -> tuple[LinkFault | PowerFault | ContestFault | MassMarking | Exercise, ...]:
        """Everything that goes to `Faults`."""
        return (
            *self.link_faults, *self.power_faults, *self.contest_faults, *self.mass_markings,
            *self.continuity.exercises,
        )  # fmt: skip

    @property
    def moves(self) -> tuple[Transfer | CaptureTransfer, ...]:
        """Everything that goes to `Transfers`."""
        return (*self.staff.transfers, *self.staff.capture_transfers)


class Source(NamedTuple):
    """Where a document came from, for the errors: the file as the user named it, and the line of each key."""

    file: str = "(instrucción)"
    lines: Mapping[str, int] = {}

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.file)

    @property
    def origins(self) -> Origins:
        """The same as the errors of a scenario want it."""
        return {place: (Origin(self.path, line),) for place, line in self.lines.items()}


def read_fragment(document: Mapping[str, Any], now_ms: int, source: Source | None = None) -> Fragment:
    """Check a document by its models; what says neither `a_los_min` nor `cuando` begins at `now_ms`.

    `now_ms` is in ms since the start. Raises ScenarioError with every fault found, by file, line and key.
    """
    source = source or Source()
    path = source.path
    try:
        fragment = Fragment.model_validate(_with_moments(document, now_ms / MS_PER_MINUTE))
    except ValidationError as error:
        raise ScenarioError([fault_of(path, source.origins, one) for one in error.errors()]) from error
    if not fragment.faults and not fragment.moves and fragment.restore is None:
        raise InputError(
            path, message="no dice nada que hacer; se esperaba una falla, un ejercicio o un traslado"
        )
    return fragment


def check_fragment(
    fragment: Fragment, scenario: Scenario, catalog: Catalog, now_ms: int, source: Source | None = None
) -> None:
    """Raises ScenarioError when a fragment names what the catalogue has not, or a moment that has passed."""
    source = source or Source()
    path = source.path
    problems = Problems()
    for number in fragment.restore.catds if fragment.restore is not None else ():
        if number not in {catd.id for catd in catalog.catds}:
            problems.add(
                path, source.lines.get("restablecer.catd"), "restablecer.catd", "un CATD del catálogo", number
            )
    for names in _LISTS:
        for number, item in enumerate(_items(fragment, names)):
            at = item.at_min
            if at is not None and ms_of(at) < now_ms:
                place = f"{'.'.join(names)}#{number}.a_los_min"
                problems.add(
                    path, source.lines.get(place), shown(place),
                    message=f"el minuto {at:g} ya pasó: la noche va en el {now_ms // MS_PER_MINUTE}",
                )  # fmt: skip
    asked = scenario.model_copy(
        update={
            "link_faults": fragment.link_faults,
            "power_faults": fragment.power_faults,
            "contest_faults": fragment.contest_faults,
            "mass_markings": fragment.mass_markings,
            "continuity": scenario.continuity.model_copy(update={"exercises": fragment.continuity.exercises}),
            "staff": scenario.staff.model_copy(
                update={
                    "transfers": fragment.staff.transfers,
                    "capture_transfers": fragment.staff.capture_transfers,
                }
            ),
        }
    )
    found = [
        *problems.found,
        *names_not_there(LoadedScenario(path, asked, "", origins=source.origins), catalog),
    ]
    if found:
        raise ScenarioError(found)


def refuse_idle(fragment: Fragment, faults: Faults) -> None:
    """Raises UsageError when all a fragment asks for is to mend links that nothing has cut."""
    if fragment.restore is None or fragment.faults or fragment.moves:
        return
    catds = fragment.restore.catds
    if not faults.restorable(catds):
        numbers = ", ".join(str(catd) for catd in catds)
        raise UsageError(
            f"Ninguno de esos CATD ({numbers}) está sin enlace ni con otra falla de enlace en curso. "
            "Los cortes de luz y los ejercicios del plan no se restablecen."
        )


def apply_document(
    document: Mapping[str, Any], at_ms: int, model: NightModel, faults: Faults, transfers: Transfers
) -> tuple[int, ...]:
    """Make an instruction take effect at the model's now, which is `at_ms`; the CATDs whose link is back.

    Raises PrepError.
    """
    from simulator.night.conditions import begin_when
    from simulator.night.continuity import COORDINATOR

    fragment = read_fragment(document, at_ms)
    for fault in fragment.faults:
        if _now(fault, at_ms):
            faults.inject(fault)
        else:
            begin_when(model, fault, lambda fault=fault: faults.inject(fault))  # type: ignore[misc]
    for move in fragment.moves:
        transfers.apply(move)
    if fragment.restore is None:
        return ()
    restored = faults.restore(fragment.restore.catds)
    if restored:
        # What still lasts elsewhere resolves no incident: who ordered this is on record all the same.
        now = model.now_utc
        model.send(
            ApplyMeasure(
                key=f"restablecido-{at_ms}", actor=COORDINATOR, station=COORDINATOR, at=now, incident="",
                measure="Enlace restablecido", authorised_by="coordinación", authorised_at=now,
                active_at=now, effect="terminan las fallas de enlace que había en esos CATD",
                catds=restored,
            )
        )  # fmt: skip
    return restored


def repeat(instructions: Sequence[Instruction], night: Night) -> None:
    """Make the instructions of a run that is continued take effect when they did. The night has not begun."""
    for one in instructions:
        plan(night.model.env, one.virtual_ms, partial(_apply_again, one, night))


def _apply_again(one: Instruction, night: Night) -> None:
    try:
        apply_document(one.document, one.virtual_ms, night.model, night.faults, night.transfers)
    except PrepError:
        # It could not be done then either, and whoever gave it was told.
        return


def _now(item: Any, at_ms: int) -> bool:
    return item.at_min is not None and ms_of(item.at_min) <= at_ms


def _items(fragment: Fragment, names: tuple[str, ...]) -> tuple[Any, ...]:
    found: Any = fragment
    for name in names:
        fields = type(found).model_fields
        (attribute,) = [one for one, field in fields.items() if field.alias == name]
        found = getattr(found, attribute)
    return tuple(found)


def _with_moments(document: Mapping[str, Any], now_min: float) -> dict[str, Any]:
    """A copy of a document in which everything that does not say when begins now."""

    def filled(item: Any) -> Any:
        if isinstance(item, Mapping) and "a_los_min" not in item and "cuando" not in item:
            return {**item, "a_los_min": now_min}
        return item

    def walk(value: Any, path: tuple[str, ...]) -> Any:
        if path in _LISTS:
            return [filled(item) for item in value] if isinstance(value, list) else value
        if isinstance(value, Mapping):
            return {name: walk(inside, (*path, str(name))) for name, inside in value.items()}
        return value

    return dict(walk(document, ()))


# -- the record ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction that took effect at a virtual ms (since the start)."""

    virtual_ms: int
    document: dict[str, Any]


class InstructionLog:
    """`instrucciones.jsonl` of a run: one line per instruction, in the order they took effect."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / RECORD
        self.recorded = self._read()
        self._descriptor: int | None = None

    def append(self, virtual_ms: int, document: Mapping[str, Any]) -> None:
        """Write one: it survives the death of the process; that of the machine, after `sync`."""
        line = orjson.dumps({"virtual_ms": virtual_ms, "document": dict(document)})
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(self._descriptor, line + b"\n")

    def sync(self) -> None:
        """Wait for the disk."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Let the file go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self) -> list[Instruction]:
        if not self.path.is_file():
            return []
        body = foreign_bytes(self.path)
        whole = body.rfind(b"\n") + 1
        if whole < len(body):
            # A line without its end was being written: it had taken no effect.
            with self.path.open("rb+") as stream:
                stream.truncate(whole)
        found = []
        for number, line in enumerate(body[:whole].splitlines(), start=1):
            try:
                entry = orjson.loads(line)
                found.append(Instruction(int(entry["virtual_ms"]), dict(entry["document"])))
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise UsageError(f"{self.path}, línea {number}: no es una instrucción registrada.") from error
        return found
