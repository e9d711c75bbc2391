"""What a place to publish in can do, the same for a folder and for a bucket, and how one is named.

Immutable files are written once and never again; the few that change are swapped only over the
version that was read, so that two publishers cannot interleave. It does not decide what to send
nor in which order: that is `distributor`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import PrepError


class DestinationError(PrepError):
    """A destination could not take what it was given; it keeps the previous cut."""


class UnreachableError(DestinationError):
    """The destination does not answer, or not in time."""


class BusyError(DestinationError):
    """Another publisher is writing there at this moment."""


class ConflictError(DestinationError):
    """What is there is not what this publisher wrote or read: it is left as it is."""


class VerificationError(DestinationError):
    """What was read back is not what was sent."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file of the work folder on its way out. `shared`: everybody who visits asks for it."""

    key: str
    path: Path
    sha256: str
    size: int
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A file a destination lists.

    `size` is None where what is kept is compressed. `settled` is False when the machine may have
    stopped before the file was on disk: only its content tells whether it is whole.
    """

    key: str
    size: int | None
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that was read from a destination, and the mark by which a swap knows nobody changed it."""

    data: bytes
    version: str


class Destination(Protocol):
    """A place where a publication is put. Every method may raise DestinationError or OSError."""

    name: str
    address: str
    """To show to people; it has no credentials."""
    width: int
    """How many files at a time are worth sending."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep other publishers out for as long as it lasts. Raises BusyError when one is in."""

    def list(self) -> Iterator[Entry]:
        """Every public file that is there."""

    def put_new(self, item: Item) -> int:
        """Write a file that must not exist; returns the bytes sent, 0 if the same one was there.

        Raises ConflictError when another content has that name.
        """

    def verify(self, key: str, sha256: str, size: int) -> None:
        """Read a file back whole. Raises VerificationError when it is not that content."""

    def get(self, key: str) -> Stored | None:
        """The content of a file, None when it is not there."""

    def put_mutable(self, key: str, data: bytes, *, replacing: Stored | None) -> None:
        """Swap a file in one step, only over the version that was read (None: only if there is none).

        Raises ConflictError when what is there is another.
        """

    def settle(self) -> None:
        """Return when everything written so far survives the death of the machine."""
