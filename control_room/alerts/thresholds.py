"""The limits of the rules as configured: the `[alertas.*]` tables of the room's TOML over the defaults.

Only reads and checks; what each limit means is in `rules`. Every rule also takes `activa` (false: it is not
looked at), `demora_s` and `despeje_s` (how long the fault, or the return, must last).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from control_room.alerts.model import Limit, Limits, number_text
from control_room.alerts.rules import GENERAL, RULE, RULES
from core.errors import InputError

GENERAL_TABLE = "general"
DELAYS = (
    Limit("demora_s", 0, "s", "lo que debe durar la falta"),
    Limit("despeje_s", 0, "s", "lo que debe durar el regreso"),
)
ON = "activa"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The limits in force. `rules` has each rule's own, and with them `demora_s` and `despeje_s`."""

    general: Limits
    rules: Mapping[str, Limits]
    off: frozenset[str] = frozenset()

    def delay_ms(self, code: str) -> int:
        """How long the fault of a rule must last before it is told."""
        return int(self.rules[code]["demora_s"] * 1000)

    def clear_delay_ms(self, code: str) -> int:
        """How long all must be normal before the alert ends."""
        return int(self.rules[code]["despeje_s"] * 1000)


def read(mapping: Mapping[str, object], file: str = "sala.toml") -> Thresholds:
    """The limits of a TOML `alertas` table over the defaults.

    Raises:
        InputError: with the key and what was expected: an unknown rule or key, a value that is not a number
            or out of its range, limits of a rule that are not in order.
    """
    tables = {GENERAL_TABLE, *RULE}
    for name, table in mapping.items():
        if name not in tables:
            raise InputError(
                file, None, f"alertas.{name}", f"«general» o una regla, {RULES[0].code} a {RULES[-1].code}"
            )
        if not isinstance(table, Mapping):
            raise InputError(file, None, f"alertas.{name}", "una tabla", table)
    general = _limits(
        mapping.get(GENERAL_TABLE, {}),
        GENERAL,
        f"alertas.{GENERAL_TABLE}",
        file,
        (("suelta_distritos", "estado_distritos"),),
    )
    rules: dict[str, Limits] = {}
    off: set[str] = set()
    for rule in RULES:
        given = mapping.get(rule.code, {})
        assert isinstance(given, Mapping)
        table = dict(given)
        on = table.pop(ON, True)
        if not isinstance(on, bool):
            raise InputError(file, None, f"alertas.{rule.code}.{ON}", "true o false", on)
        if not on:
            off.add(rule.code)
        defaults = {"demora_s": rule.delay_s, "despeje_s": rule.clear_delay_s}
        delays = tuple(Limit(one.key, defaults[one.key], one.unit, one.text, most=86_400) for one in DELAYS)
        rules[rule.code] = _limits(
            table, (*rule.limits, *delays), f"alertas.{rule.code}", file, rule.ascending
        )
    return Thresholds(general, rules, frozenset(off))


@cache
def default_thresholds() -> Thresholds:
    """The limits when nothing is configured."""
    return read({})


def _limits(
    table: object, limits: Sequence[Limit], where: str, file: str, ascending: Sequence[Sequence[str]]
) -> dict[str, float]:
    assert isinstance(table, Mapping)
    by_key = {one.key: one for one in limits}
    found: dict[str, float] = {one.key: one.default for one in limits}
    for key, value in table.items():
        limit = by_key.get(key)
        if limit is None:
            raise InputError(file, None, f"{where}.{key}", f"una de estas claves: {', '.join(by_key)}")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not limit.least <= value <= limit.most:
            unit = f" ({limit.unit})" if limit.unit else ""
            span = f"de {number_text(limit.least)} a {number_text(limit.most)}"
            raise InputError(file, None, f"{where}.{key}", f"un número {span}{unit}", value)
        found[key] = value
    for chain in ascending:
        for low, high in pairwise(chain):
            if found[low] > found[high]:
                raise InputError(
                    file,
                    None,
                    f"{where}.{low}",
                    f"no más que {high} ({number_text(found[high])})",
                    number_text(found[low]),
                )
    return found
