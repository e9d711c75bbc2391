"""What the service tells of what it published, and never waits for: destinations, witnesses, time-stampers.

Only how they are spoken to; what they do is `core.destinations` and `core.witness`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from core.witness.attestors import Attested


class Announcer(Protocol):
    """Takes what was published to where people read it; never waits."""

    def announce(self) -> None:
        """There is something new."""

    def states(self) -> list[dict[str, Any]]:
        """How each destination is."""


class Attesting(Protocol):
    """Asks witnesses and time-stampers for what was published (`core.witness.attestors`); never waits."""

    def wake(self) -> None:
        """There is something new."""

    def take(self) -> Attested | None:
        """What has come and is not published."""

    def done(self, found: Attested) -> None:
        """It was published, or cannot be."""

    def witness_states(self) -> dict[str, Any]:
        """How each witness is."""

    def stamp_state(self) -> dict[str, Any]:
        """How the timestamp is."""
