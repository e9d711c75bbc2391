"""The memory of a witness: per log, the last checkpoint it cosigned, on disk before anybody is told.

A folder with one signed note for each log and, apart, the evidence of what was refused as another
story. It says nothing of what may be cosigned; only one process may hold it.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO
from urllib.parse import quote

from core.foreign_text import foreign_bytes
from core.transparency.errors import NoteError
from core.transparency.notes import Checkpoint, Note, Verifier, cosigned_at, parse_checkpoint, parse_note
from core.whole_file import write_whole
from core.witness.errors import WitnessError

LOCK = ".testigo"
SUFFIX = ".checkpoint"
EVIDENCE = "pruebas"
LAST_S = 253_402_300_799
"""The last second a date can say."""
MOST_EVIDENCE = 100
"""Conflicting notes kept for each log: one is proof enough, and nobody may fill the disk."""


class WitnessState:
    """The folder, taken for this process until `close`. Raises WitnessError when another one has it.

    `witness` is the key that signed what it holds: a damaged note, or one of another key, is never taken
    for «nothing cosigned yet», because starting again from zero is how a witness signs two stories.
    """

    def __init__(self, folder: str | Path, witness: Verifier) -> None:
        self._folder = Path(folder)
        self._witness = witness
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = _take(self._folder)
        try:
            self._notes = read_notes(self._folder, witness)
        except BaseException:
            self._lock.close()
            raise

    def last(self, origin: str) -> Checkpoint | None:
        """The last checkpoint cosigned of a log; None before the first."""
        note = self._notes.get(origin)
        return None if note is None else parse_checkpoint(note.text)

    def notes(self) -> dict[str, Note]:
        """By origin, the last note with the signature of the log and of this witness."""
        return dict(self._notes)

    def keep(self, origin: str, note: Note) -> None:
        """Replace what is kept of a log; on return it is on disk."""
        write_whole(self._folder / _name(origin), str(note).encode())
        self._notes[origin] = note

    def evidence(self, origin: str, note: Note) -> None:
        """Keep a checkpoint that a key of the log signed and that contradicts what was cosigned."""
        checkpoint = parse_checkpoint(note.text)
        folder = self._folder / EVIDENCE
        log = _name(origin).removesuffix(SUFFIX)
        name = f"{log}-{checkpoint.size}-{checkpoint.root.hex()[:16]}{SUFFIX}"
        kept = sum(path.name.rsplit("-", 2)[0] == log for path in evidence_of(self._folder))
        if not (folder / name).exists() and kept < MOST_EVIDENCE:
            write_whole(folder / name, str(note).encode())

    def close(self) -> None:
        """Let the folder go."""
        self._lock.close()


def read_notes(folder: Path, witness: Verifier | None = None) -> dict[str, Note]:
    """By origin, what is kept in a folder. Raises WitnessError when it is not what it must be."""
    found: dict[str, Note] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            note = parse_note(foreign_bytes(path))
            origin = parse_checkpoint(note.text).origin
            if cosigned_at(note.signatures[-1]) > LAST_S:
                raise NoteError("la hora de su firma no existe")
        except NoteError as error:
            raise WitnessError(f"{path}: el estado del testigo está dañado: {error}") from None
        if path.name != _name(origin):
            raise WitnessError(f"{path}: guarda un checkpoint de «{origin}», que va en otro archivo")
        if witness is not None and not any(witness.signed(note.text, one) for one in note.signatures):
            raise WitnessError(f"{path}: lo guardado no lleva la firma de «{witness.name}» con esta llave")
        found[origin] = note
    return found


def evidence_of(folder: Path) -> list[Path]:
    """The files of checkpoints that contradicted what was cosigned."""
    return sorted((folder / EVIDENCE).glob(f"*{SUFFIX}"))


def _name(origin: str) -> str:
    return quote(origin, safe="") + SUFFIX


def _take(folder: Path) -> IO[bytes]:
    handle = (folder / LOCK).open("ab")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise WitnessError(f"{folder}: otro testigo está usando esta carpeta de estado") from None
    return handle
