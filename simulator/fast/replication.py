"""Many nights of one scenario, fast: what `prep dimensionar` and `prep experimento` count on.

A `Replicator` is a scenario on a catalogue ready to be played with any seed by the fast night. What is
drawn depends on the seed alone, so two scenarios played with one seed share their luck. Playing many,
here or elsewhere, is `experiments.parallel`. It publishes nothing and goes through no engine: that is
`night.run`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.domain.catalog import Catalog
from core.errors import UsageError
from simulator.fast.arrivals import Ground
from simulator.fast.compiled import kernels
from simulator.fast.draws import Draws
from simulator.fast.kernel import NEVER
from simulator.fast.night import Centres, play_capture, play_centres
from simulator.fast.plan import plan_capture, plan_night, unsupported, upstream
from simulator.night.people import plan_people
from simulator.scenario.document import Scenario

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
R = TypeVar("R")

_SEED_BITS = 48


@dataclass(frozen=True)
class Outcome:
    """One night. Times are int64 arrays by acta id, ms since the start, `kernel.NEVER` when never.

    `close_ms` is the end of the operation by the calendar; the times may go past it.
    """

    seed: int
    close_ms: int
    arrived_ms: Ints
    digitized_ms: Ints
    registered_ms: Ints
    sin_acta: Bools
    catd: Ints
    captures: int
    disputes: int
    third_captures: int
    busy_ms: dict[str, int]
    """Work done by stage (acopio, digitalizacion, transmision, captura, resolucion), all servers."""

    @cached_property
    def _ordered(self) -> Ints:
        return np.sort(self.registered_ms)

    def registered_at(self, ms: int) -> int:
        """Actas registered up to a moment, that ms included."""
        return int(np.searchsorted(self._ordered, ms, side="right"))

    def curve_at(self, moments: Ints) -> Ints:
        """Actas registered up to each of some moments."""
        return np.searchsorted(self._ordered, moments, side="right").astype(np.int64)

    def share_pct_at(self, ms: int) -> float:
        """The same as a percentage of the expected actas."""
        return 100.0 * self.registered_at(ms) / self._ordered.size if self._ordered.size else 0.0

    def time_to(self, pct: float) -> int | None:
        """The ms at which that percentage of the expected actas is registered; None if never."""
        needed = -(-round(pct * 1_000_000) * self._ordered.size // 100_000_000)
        if needed <= 0:
            return 0
        if needed > self._ordered.size:
            return None
        at = int(self._ordered[needed - 1])
        return None if at >= NEVER else at

    def by_catd_at(self, ms: int) -> tuple[Ints, Ints]:
        """Actas registered up to a moment and expected, by CATD id (up to the last one with actas)."""
        expected = np.bincount(self.catd).astype(np.int64)
        done = np.bincount(self.catd[self.registered_ms <= ms], minlength=expected.size)
        return done.astype(np.int64), expected

    def fingerprint(self) -> str:
        """SHA-256 of the registration times (64-bit integers, least byte first)."""
        return hashlib.sha256(self.registered_ms.astype("<i8").tobytes()).hexdigest()


class Replicator:
    """A scenario on a catalogue, ready to be played. Can be pickled.

    `compiled` None takes the compiled loops where the extra `rapido` is installed; True demands them.
    Raises UsageError with what the fast night cannot express, or without the extra demanded.
    """

    def __init__(self, scenario: Scenario, catalog: Catalog, *, compiled: bool | None = None) -> None:
        self._set(scenario, Ground(catalog), compiled)

    def _set(self, scenario: Scenario, ground: Ground, compiled: bool | None) -> None:
        problems = unsupported(scenario)
        if problems:
            raise UsageError(
                "La simulación rápida no sabe de todo lo que trae el escenario: " + " ".join(problems)
            )
        kernels(compiled)
        self.scenario = scenario
        self.ground = ground
        self._compiled = compiled
        self._upstream = upstream(scenario)

    @property
    def catalog(self) -> Catalog:
        """The catalogue of every night."""
        return self.ground.catalog

    @property
    def compiled(self) -> bool:
        """Do the nights run on the compiled loops?"""
        return kernels(self._compiled).compiled

    def with_scenario(self, scenario: Scenario) -> Replicator:
        """Another scenario on the same catalogue; with the same seed it has the same luck."""
        other = Replicator.__new__(Replicator)
        other._set(scenario, self.ground, self._compiled)
        return other

    def play(self, seed: int, *, until_ms: int | None = None) -> Outcome:
        """The night of a seed. It goes on past the close until all work is done; with `until_ms` (since
        the start) nothing that would happen then or later happens."""
        loops, until = kernels(self._compiled), NEVER if until_ms is None else until_ms
        draws = Draws(seed, loops)
        people = plan_people(self.catalog, self.scenario, draws.seeds)

        def play() -> Centres:
            plan = plan_night(self.ground, self.scenario, draws, people)
            return play_centres(plan, loops, until)

        # Plans that differ only in the capture centre share what came to it.
        centres = draws.kept(("catd", self.ground.token, until, self._upstream), play)
        capture = plan_capture(self.ground, self.scenario, draws, people)
        captured = play_capture(capture, loops, centres, until)
        return Outcome(
            seed, self.scenario.calendar.length_ms, centres.arrived, centres.digitized,
            np.minimum(centres.marked, captured.registered), centres.marked < NEVER, self.ground.catd,
            captured.captures, captured.disputes, captured.third_captures,
            {**centres.busy_ms, **captured.busy_ms},
        )  # fmt: skip


def replica_seed(root: int, replica: int) -> int:
    """The seed of a replica: the root itself for number 0, then one from a hash. Fits `--semilla`."""
    if replica == 0:
        return root
    digest = hashlib.sha256(f"replica/{root}/{replica}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _SEED_BITS)


def summary_of(replicator: Replicator, summarise: Callable[[Outcome], R], seed: int) -> R:
    """What `summarise` makes of one night: the work that is spread over processes or a cluster."""
    return summarise(replicator.play(seed))
