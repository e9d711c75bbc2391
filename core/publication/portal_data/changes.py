"""What changed from one published cut to the next, found by comparing their objects.

The comparison is made on what was published and nothing else, so a publisher that starts again in the middle
of the night finds the same. It writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from core.publication.json_levels import JsonLevels
from core.publication.objects import ObjectStore
from core.tally.levels import SectionKey

_NOT_CAPTURED = "no_capturada"
_APART = {"cotejada": 0, "imagen_archivo": None}
"""What may change in a published acta without any correction of its data."""


@dataclass(slots=True)
class PublishedTree:
    """Names of the objects of one contest in a published cut."""

    root: str | None = None
    territories: dict[int | None, str] = field(default_factory=dict)
    sections: dict[SectionKey, str] = field(default_factory=dict)


@dataclass(slots=True)
class Changes:
    """What is different in one contest: sections with an acta that changed, and actas of each kind."""

    sections: dict[int | None, list[int | None]] = field(default_factory=dict)
    nuevas: int = 0
    corregidas: int = 0
    retiradas: int = 0
    cotejadas: int = 0
    corrected: list[str] = field(default_factory=list)
    """Keys of the actas corrected or withdrawn."""

    def counts(self) -> dict[str, int]:
        """The numbers, as the history tells them."""
        return {
            "secciones": sum(map(len, self.sections.values())),
            "nuevas": self.nuevas,
            "corregidas": self.corregidas,
            "retiradas": self.retiradas,
            "cotejadas": self.cotejadas,
        }


def load_tree(store: ObjectStore, root: str | None) -> PublishedTree:
    """The names under the root of a published cut; an empty tree for None."""
    tree = PublishedTree(root)
    if root is None:
        return tree
    for territory, name in orjson.loads(store.get(root))["territorios"]:
        tree.territories[territory] = name
        for seccion, child, *_ in orjson.loads(store.get(name))["secciones"]:
            tree.sections[SectionKey(territory, seccion)] = child
    return tree


def tree_of(levels: JsonLevels, root: str) -> PublishedTree:
    """The names of what was just written."""
    return PublishedTree(root, dict(levels.territory_names), dict(levels.section_names))


def new_names(before: PublishedTree, now: PublishedTree) -> Iterator[str]:
    """Objects of a cut that the one before did not have in the same place."""
    for key, name in now.sections.items():
        if before.sections.get(key) != name:
            yield name
    for territory, name in now.territories.items():
        if before.territories.get(territory) != name:
            yield name
    if now.root is not None and now.root != before.root:
        yield now.root


def compare(store: ObjectStore, before: PublishedTree, now: PublishedTree) -> Changes:
    """What changed from a published cut to the one being made."""
    changes = Changes()
    for key, name in now.sections.items():
        old = before.sections.get(key)
        if old == name:
            continue
        new_actas = orjson.loads(store.get(name))["actas"]
        # A section without actas that changed can still bear another name (the formula of the last cut).
        old_actas: list[Mapping[str, Any]] = [] if old is None else orjson.loads(store.get(old))["actas"]
        known = {acta["hoja"]: acta for acta in old_actas}
        differs = False
        for acta in new_actas:
            differs |= _count(changes, known.get(acta["hoja"]), acta)
        if differs:
            changes.sections.setdefault(key.territory, []).append(key.seccion)
    changes.corrected.sort()
    return changes


def _count(changes: Changes, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> bool:
    """Count one acta; False when it is as it was."""
    was = old is not None and old["estado"] != _NOT_CAPTURED
    is_now = new["estado"] != _NOT_CAPTURED
    if not was:
        changes.nuevas += is_now
        return bool(is_now)
    if old is not None and {**old, "imagen_archivo": None} == {**new, "imagen_archivo": None}:
        # The image arrived: the data are the same.
        return False
    if not is_now:
        changes.retiradas += 1
        changes.corrected.append(new["acta"])
    elif old is not None and {**old, **_APART} == {**new, **_APART}:
        changes.cotejadas += 1
    else:
        changes.corregidas += 1
        changes.corrected.append(new["acta"])
    return True
