"""Generated nights for the benchmarks: the commands of an election that nobody modelled.

They have the shape of a night (each acta waits between one step and the next, a few captures
disagree, a few actas never arrive) and cost next to nothing to make, so that what is measured is the
engine. They say nothing about how people work: that is the simulator.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from random import Random

from core.domain.catalog import Catalog
from core.domain.commands import (
    AnyCommand,
    Capture,
    Choice,
    Digitize,
    MarkSinActa,
    Medium,
    OpenOperation,
    Origin,
    Receive,
    Resolve,
    Totals,
)
from core.domain.fields import Field, Mark
from core.domain.rules import SinActaReason

START_MS = 1_623_024_000_000
"""2021-06-07 00:00 UTC."""
NIGHT_MS = 20 * 3_600_000
"""From the first arrival to the last step, whatever the number of actas."""
DISPUTED = 0.03
SIN_ACTA = 0.04

# How many arrivals later each step of an acta happens.
_DIGITIZED, _FIRST, _SECOND, _RESOLVED = 30, 80, 140, 200
_WEIGHTS = (31, 2, 17, 3, 23, 5, 11, 1, 7, 4, 13, 2, 6, 3, 9, 1)


def opening() -> OpenOperation:
    """The command every night begins with."""
    return OpenOperation(
        key="apertura", actor="coordinacion", station="coordinacion", at=START_MS, starts_at=START_MS,
        ends_at=START_MS + 24 * 3_600_000,
    )  # fmt: skip


class GeneratedNight:
    """The commands of a night in order of time; `commands` gives them one by one, without keeping them.

    3 % of the actas get captures that differ and a resolver; 4 % are marked sin acta.
    """

    def __init__(self, catalog: Catalog, seed: int = 2021) -> None:
        self._catalog = catalog
        dice = Random(seed)
        size = len(catalog.actas)
        self._order = list(range(size))
        dice.shuffle(self._order)
        self._fate = bytearray(size)
        for acta in range(size):
            drawn = dice.random()
            self._fate[acta] = 2 if drawn < SIN_ACTA else 1 if drawn < SIN_ACTA + DISPUTED else 0
        self._here = [
            tuple(position for position, exists in enumerate(layout.applies) if exists)
            for layout in catalog.layouts
        ]
        self._blank: list[list[Field]] = [
            [0 if exists else Mark.NO_APLICA for exists in layout.applies] for layout in catalog.layouts
        ]

    def commands(self) -> Iterator[AnyCommand]:
        """Every command after the opening, in order of time."""
        order, fate = self._order, self._fate
        size = len(order)
        step = NIGHT_MS / (size + _RESOLVED)
        for place in range(size + _RESOLVED):
            at = START_MS + int(place * step)
            if place < size:
                yield self._arrive(order[place], at)
            if (acta := self._at(place - _DIGITIZED)) is not None:
                yield Digitize(
                    key=f"d{acta}", actor=f"escaner-{acta % 97}", station=f"catd-{acta % 97}", at=at,
                    acta=acta, image_hash=sha256(b"%d" % acta).hexdigest(), medium=Medium.ESCANER,
                    document="ACTA PREP",
                )  # fmt: skip
            if (acta := self._at(place - _FIRST)) is not None:
                yield self._capture(acta, "a", at, False)
            if (acta := self._at(place - _SECOND)) is not None:
                yield self._capture(acta, "b", at, fate[acta] == 1)
            if (acta := self._at(place - _RESOLVED)) is not None and fate[acta] == 1:
                yield Resolve(
                    key=f"x{acta}", actor="supervision-1", station="ccv", at=at, acta=acta,
                    choice=Choice.FIRST,
                )  # fmt: skip

    def _at(self, place: int) -> int | None:
        """The acta that arrived in that place, None where there is none or it has nothing to capture."""
        if not 0 <= place < len(self._order):
            return None
        acta = self._order[place]
        return None if self._fate[acta] == 2 else acta

    def _arrive(self, acta: int, at: int) -> AnyCommand:
        station = f"catd-{acta % 97}"
        if self._fate[acta] == 2:
            return MarkSinActa(
                key=f"s{acta}", actor=f"acopio-{acta % 97}", station=station, at=at, acta=acta,
                reason=SinActaReason.PAQUETE_NO_ENTREGADO, supervisor="supervision-2", authorised_at=at,
            )  # fmt: skip
        return Receive(
            key=f"r{acta}", actor=f"acopio-{acta % 97}", station=station, at=at, acta=acta,
            origin=Origin.CATD, mechanism="D",
        )  # fmt: skip

    def _capture(self, acta: int, turn: str, at: int, differs: bool) -> Capture:
        entry = self._catalog.actas[acta]
        ballots = (entry.limit or 60) * (35 + acta % 31) // 100
        votes = self._blank[entry.layout].copy()
        here = self._here[entry.layout]
        rest = ballots
        for position in here[:-1]:
            part = ballots * _WEIGHTS[(position + acta) % 16] // 160
            if part > rest:
                part = rest
            votes[position] = part
            rest -= part
        last = here[-1]
        votes[last] = rest % 40
        total = ballots - rest + rest % 40
        if differs:
            votes[last] = rest % 40 + 1
        return Capture(
            key=f"{turn}{acta}", actor=f"capturista-{turn}{acta % 211}", station="ccv", at=at, acta=acta,
            votes=tuple(votes), totals=Totals(300, max(0, total - 4), min(4, total), total, total),
        )  # fmt: skip


def batched(commands: Iterator[AnyCommand], size: int) -> Iterator[list[AnyCommand]]:
    """Commands in lists of `size`, the last one shorter."""
    batch: list[AnyCommand] = []
    for command in commands:
        batch.append(command)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def times_of(commands: Sequence[AnyCommand]) -> list[int]:
    """When the engine records each command: at once."""
    return [command.at for command in commands]


@contextmanager
def without_pauses() -> Iterator[None]:
    """Collect what is left from before, so that the garbage of one side is not charged to the other."""
    gc.collect()
    yield
    gc.collect()
