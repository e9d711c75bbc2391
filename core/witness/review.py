"""A witness that goes and looks by itself: reads a publication once and cosigns what goes on from before.

For whoever cannot have a server: what it signs is kept and shown, and does not get into the checkpoint of
the portal. The checks are those of `witness`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError
from core.foreign_text import foreign_bytes
from core.transparency.log import CHECKPOINT, LogReader
from core.transparency.notes import Checkpoint, parse_checkpoint, parse_note
from core.witness.client import TIMEOUT_S
from core.witness.errors import BadProofError, StaleError
from core.witness.http import getter
from core.witness.state import WitnessState
from core.witness.witness import Request, Witness


@dataclass(frozen=True, slots=True)
class Review:
    """What was seen: how many entries had been signed before, what is there, and what came of it.

    `note` is the checkpoint with both signatures, or empty; `against` is why it was not signed, or empty.
    """

    before: int
    seen: Checkpoint
    note: str
    against: str


def open_publication(place: str) -> Callable[[str], bytes]:
    """Reads public names from an http(s) address or a folder. Raises UsageError."""
    if place.startswith(("http://", "https://")):
        return getter(place, TIMEOUT_S)
    folder = Path(place)
    if not folder.is_dir():
        raise UsageError(f"«{place}» no es una dirección http(s) ni una carpeta")
    return lambda name: foreign_bytes(folder / name)


def review(witness: Witness, state: WitnessState, get: Callable[[str], bytes]) -> Review:
    """Look once. Raises NoteError, LogError, SilentError, UsageError and RefusedError."""
    try:
        note = parse_note(get(CHECKPOINT))
    except FileNotFoundError:
        raise UsageError(f"ahí no hay una bitácora pública: falta {CHECKPOINT}") from None
    seen = parse_checkpoint(note.text)
    last = state.last(seen.origin)
    before = 0 if last is None else last.size
    if before > seen.size:
        return Review(before, seen, "", f"ya se habían firmado {before} entradas y ahí hay {seen.size}")
    proof = tuple(LogReader(get, seen.size).consistency(before))
    try:
        witness.add_checkpoint(Request(before, proof, note, seen).encode())
    except (BadProofError, StaleError) as error:
        return Review(before, seen, "", error.text)
    return Review(before, seen, str(witness.notes()[seen.origin]), "")
