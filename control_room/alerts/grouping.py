"""Which alerts are told as one: a storm of CATDs under one rule is one line of its district or of the state.

Pure. A line that exists goes on as long as one of its alerts does (that of the state, while it is of several
districts), so
that a storm that grows and shrinks is always the same alert. What follows from something else (inhibition)
is here too; the life of each alert is in `book`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from control_room.alerts.model import Limits, Place, Rule, Scope

STATE = Place(Scope.ESTADO)


class CatdPlace(NamedTuple):
    """What the alerts need to know of a CATD."""

    name: str
    distrito: int | None = None


def line_places(
    ids: Iterable[int], catds: Mapping[int, CatdPlace], open_lines: frozenset[Place], general: Limits
) -> dict[int, Place]:
    """For each CATD with an alert of one rule, the place of the line in which it is told.

    `open_lines` are the group lines of that rule that already exist. In more districts than some it is one
    line of the state, whatever there is in each: nobody reads a wall of lines.
    """
    members = sorted(set(ids))
    by_district = Counter(_district(catds, one) for one in members)
    without = by_district.pop(None, 0)
    touched = len(by_district) + without
    if touched > general["suelta_distritos" if STATE in open_lines else "estado_distritos"]:
        return dict.fromkeys(members, STATE)
    places: dict[int, Place] = {}
    for one in members:
        district = _district(catds, one)
        group = Place(Scope.DISTRITO, district)
        enough = by_district[district] >= general["agrupa_catd"] or group in open_lines
        places[one] = group if district is not None and enough else Place(Scope.CATD, one)
    return places


def _district(catds: Mapping[int, CatdPlace], one: int) -> int | None:
    return catds[one].distrito if one in catds else None


def title(rule: Rule, place: Place, ids: Iterable[int], catds: Mapping[int, CatdPlace]) -> str:
    """«9 CATD sin señal · distrito 9», «CATD sin señal · CATD-013 (D2)», «Rezago creciente»."""
    if place.scope is Scope.CATD:
        found = catds.get(place.id or 0)
        name = f"CATD {place.id}" if found is None else found.name
        district = "" if found is None or found.distrito is None else f" (D{found.distrito})"
        return f"{rule.title} · {name}{district}"
    if rule.scope is not Scope.CATD:
        return rule.title
    members = list(ids)
    where = f"distrito {place.id}"
    if place.scope is Scope.ESTADO:
        districts = len({_district(catds, one) for one in members})
        where = f"{districts} distritos" if districts > 1 else "un distrito"
    return f"{rule.title if len(members) == 1 else rule.many.format(n=len(members))} · {where}"


def inhibited(rule: str, place: Place, silent: frozenset[int], total: int, general: Limits) -> bool:
    """Whether the alert only says again what A01 says of the `silent` CATDs: of its own, or of so many."""
    if rule == "A02":
        return place.id in silent
    return rule == "A04" and len(silent) * 100 >= general["inhibe_pct"] * total > 0
