"""What a person types when looking at an acta: the truth through errors of the hand and the eye.

A digit is lost, two are swapped, a number lands in the next row, a field is skipped, an illegible
box is taken for an empty one; and now and then everybody misreads the same figure. Each error is
drawn for (acta, attempt), so it does not depend on the order of the night; how often somebody errs
depends on who it is. A form whose boxes are swapped is another thing: it makes everybody wrong alike,
so double capture cannot see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from random import Random

from core.domain.catalog import Catalog
from core.domain.commands import Totals
from core.domain.fields import Field, Mark
from core.errors import UsageError
from simulator.night.ballots import Content
from simulator.scenario.actas import Keying
from simulator.seeds import Seeds

ATTEMPTS = 3
"""Captures an acta can have on one image."""
_REPEATS = 20
"""Tries at drawing an error that changes something; a swap of two equal digits is not an error."""


@dataclass(frozen=True, slots=True)
class Typed:
    """One person's capture."""

    votes: tuple[Field, ...]
    totals: tuple[Field, ...]

    def as_totals(self) -> Totals:
        """The five totals as a command carries them."""
        return Totals(*self.totals)


class Typist:
    """Turns the truth of an acta into a capture. `size` is the number of actas."""

    def __init__(self, keying: Keying, seeds: Seeds, size: int) -> None:
        self._keying = keying
        self._seeds = seeds
        self._errs = [seeds.uniforms(f"tecleo/error/{attempt}", size) for attempt in range(ATTEMPTS)]
        self._marks = [seeds.uniforms(f"tecleo/marcas/{attempt}", size) for attempt in range(ATTEMPTS)]
        self._shared = [number < keying.shared for number in seeds.uniforms("tecleo/comun", size)]
        self._kinds = list(keying.weights)
        self._weights = [keying.weights[kind] for kind in self._kinds]
        self._totals = [
            seeds.uniforms(f"tecleo/totales/{attempt}", size) if keying.totals else []
            for attempt in range(ATTEMPTS)
        ]
        self._swaps: list[tuple[int, int] | None] = []

    def use_form(self, catalog: Catalog) -> None:
        """Learn from the catalogue which boxes of the form are swapped (`columnas_cambiadas`).

        Raises UsageError when a contest, or a contender of it, does not exist.
        """
        if self._keying.swapped:
            swaps = {
                contest: _columns(catalog, contest, pair) for contest, pair in self._keying.swapped.items()
            }
            self._swaps = [swaps.get(entry.contest) for entry in catalog.actas]

    def read(self, acta: int, truth: Content) -> Typed:
        """What everybody reads in the acta: the truth, unless its writing or the form misleads all."""
        return self._on_the_form(acta, self._read(acta, truth))

    def _on_the_form(self, acta: int, typed: Typed) -> Typed:
        swap = self._swaps[acta] if self._swaps else None
        if swap is None:
            return typed
        one, other = swap
        votes = list(typed.votes)
        # Where one of them does not take part the form of that place has no such box to swap.
        if Mark.NO_APLICA in (votes[one], votes[other]):
            return typed
        votes[one], votes[other] = votes[other], votes[one]
        return Typed(tuple(votes), typed.totals)

    def _read(self, acta: int, truth: Content) -> Typed:
        typed = Typed(truth.votes, truth.totals)
        if self._shared[acta]:
            return self._mistake(typed, self._seeds.stream(f"tecleo/comun/{acta}"))
        return typed

    def type(self, acta: int, truth: Content, attempt: int, carelessness: float) -> Typed:
        """The capture number `attempt` (0, 1, 2) of an acta by a person; 1.0 is average carelessness."""
        typed = self._read(acta, truth)
        attempt = min(attempt, ATTEMPTS - 1)
        if self._errs[attempt][acta] < self._keying.per_capture * carelessness:
            typed = self._mistake(typed, self._seeds.stream(f"tecleo/{acta}/{attempt}"))
        if self._marks[attempt][acta] < self._keying.marks:
            typed = _confuse_a_mark(typed)
        if self._keying.totals and self._totals[attempt][acta] < self._keying.totals * carelessness:
            draw = self._seeds.stream(f"tecleo/totales/{acta}/{attempt}")
            typed = Typed(typed.votes, self._wrong(typed.totals, draw))
        return self._on_the_form(acta, typed)

    def _mistake(self, typed: Typed, draw: Random) -> Typed:
        return Typed(self._wrong(typed.votes, draw), typed.totals)

    def _wrong(self, fields: tuple[Field, ...], draw: Random) -> tuple[Field, ...]:
        """The fields with one error; as they were when no error of these kinds can change them."""
        for _ in range(_REPEATS):
            if not sum(self._weights):
                return fields
            kind = draw.choices(self._kinds, self._weights)[0]
            wrong = _apply(kind, list(fields), draw)
            if wrong != fields:
                return wrong
        return fields


def _columns(catalog: Catalog, contest: str, pair: tuple[str, ...]) -> tuple[int, int]:
    if contest not in catalog.contests:
        raise UsageError(
            f"captura_errores.columnas_cambiadas: no existe la contienda «{contest}»; "
            f"las hay: {', '.join(catalog.contests)}."
        )
    codes = catalog.contests[contest].codes
    for code in pair:
        if code not in codes:
            raise UsageError(
                f"captura_errores.columnas_cambiadas: «{code}» no es de {contest}; "
                f"sus columnas son {', '.join(codes)}."
            )
    return codes.index(pair[0]), codes.index(pair[1])


def carelessness(sigma: float, z: float) -> float:
    """How much more often than average a person errs, mean 1."""
    return exp(sigma * z - sigma * sigma / 2)


def _apply(kind: str, votes: list[Field], draw: Random) -> tuple[Field, ...]:
    numbers = [position for position, vote in enumerate(votes) if not isinstance(vote, Mark)]
    if not numbers:
        return tuple(votes)
    chosen = draw.randrange(len(numbers))
    position = numbers[chosen]
    value = votes[position]
    assert isinstance(value, int)
    if kind == "omision":
        votes[position] = Mark.SIN_DATO
    elif kind == "renglon" and len(numbers) > 1:
        other = numbers[chosen - 1]
        votes[position], votes[other] = votes[other], votes[position]
    elif kind == "digito" and value > 9:
        digits = str(value)
        lost = draw.randrange(len(digits))
        votes[position] = int(digits[:lost] + digits[lost + 1 :])
    elif kind == "transposicion" and value > 9:
        digits = str(value)
        at = draw.randrange(len(digits) - 1)
        votes[position] = int(digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :])
    return tuple(votes)


def _confuse_a_mark(typed: Typed) -> Typed:
    other = {Mark.ILEGIBLE: Mark.SIN_DATO, Mark.SIN_DATO: Mark.ILEGIBLE}
    votes = list(typed.votes)
    for position, vote in enumerate(votes):
        if isinstance(vote, Mark) and vote in other:
            votes[position] = other[vote]
            return Typed(tuple(votes), typed.totals)
    return typed
