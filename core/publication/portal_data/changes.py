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
_IMAGE = {"imagen_archivo": None, "imagen_vista": None}
_APART = {"cotejada": 0, **_IMAGE}
"""What may change in a published acta without any correction of its data."""
_KINDS = ("nuevas", "corregidas", "retiradas", "cotejadas")

Where = tuple[int | None, int | None, str, int]
"""An acta: its territory, its section, its key and its leaf (keys are shared where there is no section)."""


@dataclass(slots=True)
class PublishedTree:
    """Names of the objects of one contest in a published cut."""

    root: str | None = None
    territories: dict[int | None, str] = field(default_factory=dict)
    sections: dict[SectionKey, str] = field(default_factory=dict)


@dataclass(slots=True)
class Changes:
    """What is different in one contest: sections with an acta that changed, and actas of each kind."""

    sections: dict[int | None, list[list[int | None]]] = field(default_factory=dict)
    """By territory: each section, and how many of its actas are new, corrected, withdrawn and collated."""
    nuevas: int = 0
    corregidas: int = 0
    retiradas: int = 0
    cotejadas: int = 0
    corrected: list[Where] = field(default_factory=list)
    withdrawn: list[Where] = field(default_factory=list)

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
    captured: dict[int | None, dict[str, int]] = {}
    for key, name in now.sections.items():
        old = before.sections.get(key)
        if old == name:
            continue
        if old is None:
            # Nothing to compare with: how many are captured is in the territory, and the section is not read.
            if key.territory not in captured:
                captured[key.territory] = _captured(store, now.territories[key.territory])
            if found := captured[key.territory][name]:
                changes.sections.setdefault(key.territory, []).append([key.seccion, found, 0, 0, 0])
                changes.nuevas += found
            continue
        new_actas = orjson.loads(store.get(name))["actas"]
        # A section without actas that changed can still bear another name (the formula of the last cut).
        known = {acta["hoja"]: acta for acta in orjson.loads(store.get(old))["actas"]}
        counts = [0, 0, 0, 0]
        for acta in new_actas:
            what = kind_of(known.get(acta["hoja"]), acta)
            if what is None:
                continue
            counts[_KINDS.index(what)] += 1
            where = (key.territory, key.seccion, acta["acta"], acta["hoja"])
            if what == "corregidas":
                changes.corrected.append(where)
            elif what == "retiradas":
                changes.withdrawn.append(where)
        if any(counts):
            changes.sections.setdefault(key.territory, []).append([key.seccion, *counts])
            for what, n in zip(_KINDS, counts, strict=True):
                setattr(changes, what, getattr(changes, what) + n)
    return changes


def _captured(store: ObjectStore, territory: str) -> dict[str, int]:
    """Captured actas of each section of a territory, by the name of its object."""
    rows = orjson.loads(store.get(territory))["secciones"]
    return {name: captured for _, name, _, captured, _ in rows}


def kind_of(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> str | None:
    """What happened to one acta: one of «nuevas», «corregidas», «retiradas», «cotejadas»; None for nothing.

    The arrival of an image alone is nothing: the data are the same.
    """
    is_now = new["estado"] != _NOT_CAPTURED
    if old is None or old["estado"] == _NOT_CAPTURED:
        return "nuevas" if is_now else None
    if {**old, **_IMAGE} == {**new, **_IMAGE}:
        return None
    if not is_now:
        return "retiradas"
    return "cotejadas" if {**old, **_APART} == {**new, **_APART} else "corregidas"
