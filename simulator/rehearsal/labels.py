"""How each run is called when several are told together, and the files its report goes to.

A scenario that was run once goes by its name. Runs of one scenario carry their seed, the incidents put
on top and whether the cuts were off; those still alike are numbered. Labels and file names are made of
the same parts, so that a column can be matched to its file. It also says how many different rehearsals
the runs are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from simulator.rehearsal.data import Rehearsal
from simulator.rehearsal.verdict import without_cuts

REPORT = "informe"
GENERAL = "informe-general"


def on_top(data: dict[str, Any]) -> list[str]:
    """Short names of what was put on top of the scenario: «x04», or the file's name without ending."""
    return [
        str(one.get("clave") or str(one["archivo"]).removesuffix(".toml")).lower()
        for one in data.get("encima", ())
    ]


def distinct(rehearsals: Sequence[Rehearsal]) -> int:
    """How many different rehearsals: runs of one scenario on one date are the same one."""
    return len({(one.data["escenario"], one.start.date()) for one in rehearsals})


def labelled(rehearsals: Sequence[Rehearsal]) -> list[Rehearsal]:
    """The same, in the same order, each with a label and a file name that no other has."""
    scenarios = Counter(one.data["escenario"] for one in rehearsals)
    labels, files = [], []
    for one in rehearsals:
        name, seed, incidents = one.data["escenario"], one.data["semilla"], on_top(one.data)
        label, file = name, f"{REPORT}-{name}"
        if scenarios[name] > 1:
            words, parts = [f"semilla {seed}"], [file, f"s{seed}"]
            if incidents:
                words.append(f"con {_joined(incidents)}")
                parts += ["con", *map(_slug, incidents)]
            if without_cuts(one.data):
                words.append("sin cortes")
                parts.append("sin-cortes")
            label, file = f"{name} ({', '.join(words)})", "-".join(parts)
        labels.append(label)
        files.append(file)
    named = [
        replace(one, label=label, file=file)
        for one, label, file in zip(
            rehearsals, _numbered(labels, " n.º {}"), _numbered(files, "-n{}", GENERAL), strict=True
        )
    ]
    return [replace(named[0], file=REPORT)] if len(named) == 1 else named


def _joined(words: Sequence[str]) -> str:
    return " y ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _slug(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-") or "x"


def _numbered(names: Sequence[str], ending: str, taken: str = "") -> list[str]:
    """Names that are alike get a number each, in order."""
    times, seen = Counter([*names, taken]), Counter[str]()
    used, found = {name for name in times if times[name] == 1}, []
    for name in names:
        unique = name
        while times[name] > 1 and (unique == name or unique in used):
            seen[name] += 1
            unique = name + ending.format(seen[name])
        used.add(unique)
        found.append(unique)
    return found
