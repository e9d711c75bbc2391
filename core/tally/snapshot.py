"""What a cut is made of: the published data of every acta at one point of the ledger.

Values only. `core.storage.reading` fills them from the database; `core.publication` prints them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.domain.counters import CountedActa
from core.domain.fields import Field


class PublishedActa(NamedTuple):
    """One captured acta of the catalogue (verified, or sin acta).

    `votes` has a field per column of the contest and `totals` the five of `commands.Totals`; both
    are empty for an acta sin acta. `codes` are codes of `rules`. Times in ms UTC, None when there
    is none. `cotejada` is 0 until collated.
    """

    acta: int
    votes: tuple[Field, ...]
    totals: tuple[Field, ...]
    total: int
    contabilizada: bool
    inconsistent: bool
    codes: tuple[str, ...]
    mechanism: str
    origin: str
    medium: str
    document: str
    image_hash: str
    received_at: int | None
    captured_at: int | None
    verified_at: int | None
    cotejada: int

    @property
    def sin_acta(self) -> bool:
        """The acta will not arrive; it is captured but has no data."""
        return not self.votes

    def counted(self, lista_nominal: int, special: bool) -> CountedActa:
        """What the header counters need."""
        return CountedActa(self.contabilizada, self.inconsistent, special, self.total, lista_nominal)


class PublishedOutside(NamedTuple):
    """One acta fuera de catálogo that nobody has identified."""

    id: int
    contest: str
    claimed: str
    origin: str
    medium: str
    document: str
    image_hash: str
    received_at: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything published at one point of the ledger.

    `actas` is indexed by acta id, None while not captured. `changed` are the ids that differ from
    the snapshot the reader was asked to refresh from; None means all of them.
    """

    seq_high: int
    actas: Sequence[PublishedActa | None]
    outside: Sequence[PublishedOutside]
    changed: frozenset[int] | None
