"""What a destination is known to have, so that each cut asks and sends only what is new.

It starts from the destination's own list and grows with what was verified there. After any doubt
it is forgotten and listed again. It does not say that the content is right: the distributor does,
before it adds a name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.destinations.target import Entry


@dataclass(slots=True)
class Inventory:
    """The verified files of a destination. `listed` is False until they have been asked for."""

    listed: bool = False
    _sizes: dict[str, int | None] = field(default_factory=dict)

    def load(self, entries: Iterable[Entry]) -> None:
        """Start again from what the destination lists; what may be torn does not count as there."""
        self._sizes = {entry.key: entry.size for entry in entries if entry.settled}
        self.listed = True

    def has(self, key: str, size: int) -> bool:
        """True when that file is there, and of that size where the destination can tell."""
        if key not in self._sizes:
            return False
        known = self._sizes[key]
        return known is None or known == size

    def add(self, key: str, size: int) -> None:
        """One more file was verified there."""
        self._sizes[key] = size

    def forget(self) -> None:
        """Ask again next time: somebody else may have touched the destination."""
        self.listed = False
        self._sizes.clear()

    def __len__(self) -> int:
        return len(self._sizes)
