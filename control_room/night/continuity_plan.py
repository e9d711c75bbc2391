"""The continuity plan as configured: the measures, in order, with when each applies and its checklist.

`read` checks the `[[continuidad.medidas]]` tables of the room's configuration; `ContinuityPlan` answers
which measures come next at a CATD. It activates nothing and knows nothing of the night: what is in use is
`continuity_view`, and who may authorise is the engine's business. (RE art. 348 and Anexo 13: the plan de
continuidad is known by everybody and part of the simulacros.)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import InputError

NEXT_SHOWN = 3
"""Measures told as the next ones of a CATD."""
LONGEST_ACTIVATION_MIN = 600
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class PlanMeasure:
    """One measure. `when` are kinds of incident; empty `catds` and `distritos` mean everywhere."""

    key: str
    title: str
    when: tuple[str, ...]
    authorises: str
    activation_min: int
    effect: str
    steps: tuple[str, ...]
    also: tuple[str, ...] = ()
    """Other names it may be recorded under."""
    catds: tuple[int, ...] = ()
    distritos: tuple[int, ...] = ()

    def serves(self, catd: int, distrito: int | None) -> bool:
        """Whether the plan offers it at a CATD."""
        if not self.catds and not self.distritos:
            return True
        return catd in self.catds or distrito in self.distritos


@dataclass(frozen=True)
class ContinuityPlan:
    """The measures in the order in which they are tried."""

    measures: tuple[PlanMeasure, ...] = ()
    _by_name: dict[str, PlanMeasure] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for one in self.measures:
            for name in (one.key, one.title, *one.also):
                self._by_name.setdefault(name.casefold(), one)

    def measure(self, name: str) -> PlanMeasure | None:
        """A measure by its key, its title or another name it is recorded under; None when there is none."""
        return self._by_name.get(name.casefold())

    def next_at(
        self, catd: int, distrito: int | None, failure: str, used: Collection[str]
    ) -> tuple[PlanMeasure, ...]:
        """What comes next at a CATD against one kind of failure, in order, `NEXT_SHOWN` at most.

        `used` are the measures proposed or applied there (keys or names): what comes next is after the
        last of them, as the plan is a ladder and not a menu. Empty when the plan has nothing more.
        """
        ladder = [one for one in self.measures if failure in one.when and one.serves(catd, distrito)]
        done = {one.key for name in used if (one := self.measure(name)) is not None}
        last = max((place for place, one in enumerate(ladder) if one.key in done), default=-1)
        return tuple(ladder[last + 1 : last + 1 + NEXT_SHOWN])

    def as_data(self) -> list[dict[str, Any]]:
        """The measures as JSON values, with the keys of the configuration."""
        return [
            {
                "clave": one.key,
                "nombre": one.title,
                "cuando": list(one.when),
                "autoriza": one.authorises,
                "activacion_min": one.activation_min,
                "efecto": one.effect,
                "pasos": list(one.steps),
                "catds": list(one.catds),
                "distritos": list(one.distritos),
            }
            for one in self.measures
        ]


def read(raw: Sequence[Mapping[str, Any]], source: str = "sala.toml") -> ContinuityPlan:
    """The plan of the `[[continuidad.medidas]]` tables.

    Raises InputError with the key and what was expected.
    """
    if isinstance(raw, Mapping) or not isinstance(raw, Sequence):
        raise InputError(source, None, "continuidad.medidas", "una lista de medidas", type(raw).__name__)
    measures: list[PlanMeasure] = []
    names: set[str] = set()
    for number, table in enumerate(raw, 1):
        one = _Table(source, f"continuidad.medidas[{number}]", table).measure()
        for name in {text.casefold() for text in (one.key, one.title, *one.also)}:
            if name in names:
                place = f"continuidad.medidas[{number}]"
                raise InputError(source, None, place, "un nombre que no lleve otra medida", name)
            names.add(name)
        measures.append(one)
    return ContinuityPlan(tuple(measures))


_KEYS = (
    "clave", "nombre", "tambien", "cuando", "autoriza", "activacion_min", "efecto", "pasos", "catds",
    "distritos",
)  # fmt: skip


@dataclass(frozen=True)
class _Table:
    """One table of the configuration being checked."""

    source: str
    place: str
    table: Mapping[str, Any]

    def measure(self) -> PlanMeasure:
        if not isinstance(self.table, Mapping):
            raise InputError(self.source, None, self.place, "una tabla", self.table)
        for key in self.table:
            if key not in _KEYS:
                raise self._error(key, f"una de: {', '.join(_KEYS)}", key)
        key = self._text("clave")
        if not _KEY.fullmatch(key):
            raise self._error("clave", "minúsculas sin acento, números y guiones, sin espacios", key)
        steps = self._texts("pasos")
        if not steps:
            raise self._error("pasos", "al menos un paso", "[]")
        when = self._texts("cuando")
        if not when:
            raise self._error("cuando", "al menos un tipo de incidente", "[]")
        return PlanMeasure(
            key, self._text("nombre"), when, self._text("autoriza"), self._minutes(),
            self._text("efecto", ""), steps, self._texts("tambien"), self._numbers("catds"),
            self._numbers("distritos"),
        )  # fmt: skip

    def _error(self, key: str, expected: str, found: object) -> InputError:
        return InputError(self.source, None, f"{self.place}.{key}", expected, found)

    def _text(self, key: str, default: str | None = None) -> str:
        value = self.table.get(key, default)
        if (
            not isinstance(value, str)
            or (default is None and not value.strip())
            or len(value) > _LONGEST_TEXT
        ):
            raise self._error(key, f"un texto de 1 a {_LONGEST_TEXT} caracteres", value)
        return value

    def _texts(self, key: str) -> tuple[str, ...]:
        values = self.table.get(key, [])
        if not isinstance(values, list) or not all(isinstance(one, str) and one.strip() for one in values):
            raise self._error(key, "una lista de textos", values)
        if any(len(one) > _LONGEST_TEXT for one in values):
            raise self._error(key, f"textos de {_LONGEST_TEXT} caracteres a lo más", max(values, key=len))
        return tuple(values)

    def _numbers(self, key: str) -> tuple[int, ...]:
        values = self.table.get(key, [])
        if not isinstance(values, list) or not all(type(one) is int and one >= 0 for one in values):
            raise self._error(key, "una lista de números", values)
        return tuple(values)

    def _minutes(self) -> int:
        value = self.table.get("activacion_min", 0)
        if type(value) is not int or not 0 <= value <= LONGEST_ACTIVATION_MIN:
            raise self._error("activacion_min", f"minutos enteros de 0 a {LONGEST_ACTIVATION_MIN}", value)
        return value
