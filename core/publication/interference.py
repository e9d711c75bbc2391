"""The places of a cut where a test or a rehearsal may spoil something, to see that it is noticed.

The real publisher has none. Nothing here spoils anything: whoever wants to inherits and overrides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.tally.snapshot import Snapshot

STEPS = (
    "imagenes",
    "objetos",
    "construido",
    "anexo",
    "antes_de_confirmar",
    "confirmado",
    "registrado",
    "bitacora",
    "emision",
    "difusion",
    "apuntado",
    "ultimo",
)
"""The steps of a cut, in order; each name says what has just been done.

`imagenes`: just before images are looked for. `objetos`: the JSON objects, before they are read back.
`construido`: the files of the package, before index and manifest. `anexo`: the acta tree and the objects of
the portal, before they are read back; only with a key. `antes_de_confirmar`: everything is
checked. `confirmado`: the folder is in its place. `registrado`: in the ledger. `bitacora`: in the
log. `emision`, `difusion`: the files of those names. `apuntado`: `corte.json`. `ultimo`: the link.
"""


@dataclass(frozen=True, slots=True)
class CutStep:
    """The cut being made. `directory` is its folder, hidden until `confirmado`; `at` in ms UTC."""

    number: int
    at: int
    last: bool
    workdir: Path
    directory: Path
    objects: Callable[[], list[Path]] = field(default=list)
    """The JSON objects this cut wrote, in order of name; known from `objetos` on."""


class Interference:
    """Does nothing. Whatever `at` raises goes up as if the publisher had failed there."""

    def snapshot(self, about: CutStep, found: Snapshot) -> Snapshot:
        """What the cut will be made from, given what was read."""
        return found

    def at(self, step: str, about: CutStep) -> None:
        """Told when a step of STEPS is done."""
