"""The vocabulary of the alerts: a rule, its limits, a place, and what a rule says of a place.

Types only. The rules are in `rules`, what they compute in `flow` and `watch`, their life in `book`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from control_room.night.facts import Facts, Phase

KEEP = 1
"""As `held`: whatever priority the alert has, it keeps; nothing says that it is over."""

Limits = Mapping[str, float]
"""The limits of one rule by key, in the unit of each."""


class Scope(StrEnum):
    """What an alert is about."""

    CATD = "catd"
    DISTRITO = "distrito"
    ESTADO = "estado"
    PUBLICACION = "publicacion"
    PLATAFORMA = "plataforma"


class Place(NamedTuple):
    """Where a rule applies; `id` is None for what there is only one of."""

    scope: Scope
    id: int | None = None

    @property
    def key(self) -> str:
        """«catd:12», «estado»: the second half of an alert's id."""
        return self.scope.value if self.id is None else f"{self.scope.value}:{self.id}"


class Reading(NamedTuple):
    """What a rule says of one place at one moment, with its working.

    `raised` is the priority (1 to 3) that the limits to raise give, `held` the one that the limits to clear
    give: never less severe than `raised`, None when all is normal. Between both lies the hysteresis. `value`
    and `limit` are what was seen and what it was compared with, for people. `sure` needs no second look.
    """

    place: Place
    raised: int | None
    held: int | None
    value: str
    limit: str
    sure: bool = False


Judge = Callable[[Facts, Limits], Iterable[Reading]]
"""A rule as a function. Places it does not mention are normal there."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One number that can be configured: its key in `[alertas.Axx]`, default, unit and what it means."""

    key: str
    default: float
    unit: str
    text: str
    least: float = 0
    most: float = 1_000_000

    def shown(self, value: float | None = None) -> str:
        """The number as a person writes it, with its unit."""
        number = number_text(self.default if value is None else value)
        return f"{number} {self.unit}" if self.unit else number


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the catalogue.

    `raises`, `clears` and `priority` are sentences in which `{key}` stands for a limit. `title` names one
    alert; `many` names a storm, with `{n}`. `ascending` are chains of keys whose values must not decrease.
    `phases` are those in which the rule is looked at: out of them its alerts end. With `ledger` the rule
    reads the database's ledger, and stands still while the database does not answer.
    """

    code: str
    title: str
    many: str
    scope: Scope
    raises: str
    clears: str
    priority: str
    delay_s: int
    clear_delay_s: int
    limits: tuple[Limit, ...]
    source: str
    judge: Judge
    ascending: tuple[tuple[str, ...], ...] = ()
    phases: frozenset[Phase] = frozenset({Phase.OPEN})
    ledger: bool = True

    def sentence(self, template: str, limits: Limits | None = None) -> str:
        """A sentence of the rule with the limits written in it; the defaults unless told."""
        return template.format(
            **{one.key: one.shown(None if limits is None else limits[one.key]) for one in self.limits}
        )


def number_text(value: float) -> str:
    """5 rather than 5.0; at most three decimals."""
    return f"{value:.0f}" if value == int(value) else f"{value:.3f}".rstrip("0").rstrip(".")
