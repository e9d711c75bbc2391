"""The log of emissions: an append-only file tree with tiles, entry bundles and a signed checkpoint.

`EmissionLog` writes it in the work folder, one writer at a time, so that a process may die at any
moment: what is about to be appended is put on disk first, with its checkpoint already signed, and
whoever opens the folder next finishes it with the same bytes. `LogReader` reads one from anywhere.
What an entry says, and when one is due, belong to the publication.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from core.transparency import keyring
from core.transparency.entries import Apertura, Aviso, Cierre, Emision, Entry, Llave, canonical, parse
from core.transparency.errors import ForkError, FrozenLogError, LogError, NoteError, RetiredKeyError
from core.transparency.files import locked, sync_folder, write_whole
from core.transparency.keys import SigningKey
from core.transparency.merkle import Tree, consistency_proof, inclusion_proof, leaf_hash, root_of
from core.transparency.notes import (
    Checkpoint,
    Note,
    Verifier,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_signatures,
)
from core.transparency.tiles import (
    HEIGHT,
    WIDTH,
    bundle,
    node_getter,
    read_bundle,
    tile_path,
    tiles_for,
    width_at,
)

CHECKPOINT = "checkpoint"
LOCK = ".bitacora.candado"
PENDING = ".bitacora.pendiente"
HANDOVERS = "relevos"
"""Folder of the notes that both keys signed, one for each change of key."""
PATIENCE_S = 10.0
"""Seconds to wait for another process that is appending; an append takes milliseconds."""


def handover_key(index: int) -> str:
    """Public name of the note both keys signed when the key changed, at that entry of the log."""
    return f"{HANDOVERS}/{index:04d}.txt"


class LogReader:
    """A log read by its public names.

    `get` gives the bytes of a name and raises KeyError or FileNotFoundError. `size` is how many entries
    to see; without it, those of its checkpoint, whose signature is NOT checked here (`checkpoint` does).
    """

    def __init__(self, get: Callable[[str], bytes], size: int | None = None) -> None:
        self._read = get
        self.size = parse_checkpoint(self.note().text).size if size is None else size
        self._get = node_getter(get, self.size)

    def note(self) -> Note:
        """The latest checkpoint with its signatures. Raises LogError when there is none, NoteError."""
        try:
            return parse_note(self._read(CHECKPOINT))
        except (KeyError, FileNotFoundError):
            raise LogError("no hay registro público: falta el archivo «checkpoint»") from None

    def checkpoint(self, verifiers: Sequence[Verifier]) -> Checkpoint:
        """The latest checkpoint, which one of these keys must have signed. Raises NoteError."""
        return open_checkpoint(str(self.note()), verifiers)[0]

    def entries(self, start: int = 0, stop: int | None = None) -> list[bytes]:
        """The entries [start, stop). Raises LogError when a bundle is missing or damaged."""
        stop = self.size if stop is None else min(stop, self.size)
        found: list[bytes] = []
        for number in range(start // WIDTH, -(-stop // WIDTH)):
            entries = read_bundle(self._read, number, width_at(0, number, self.size))
            base = number * WIDTH
            found += entries[max(0, start - base) : stop - base]
        return found

    def root(self, size: int | None = None) -> bytes:
        """Root of the first `size` entries, from the tiles."""
        return root_of(self.size if size is None else size, self._get)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Proof that an entry is in the log of `size` entries."""
        return inclusion_proof(self.size if size is None else size, index, self._get)

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """Proof that the log of `new` entries begins with that of `old`."""
        return consistency_proof(old, self.size if new is None else new, self._get)


class EmissionLog:
    """The log of a work folder, open for appending with a key.

    Opening finishes an append that was cut off and checks every entry against the checkpoint. Raises
    LogError (damaged, of another origin), NoteError (the checkpoint is not signed by this key) and
    RetiredKeyError. `durable` waits for the disk at each step.
    """

    def __init__(self, folder: str | Path, key: SigningKey, *, durable: bool = True) -> None:
        self._folder = Path(folder)
        self._key = key
        self._durable = durable
        self._text: str | None = None
        self._forget()
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self._refresh()

    @property
    def key(self) -> SigningKey:
        """The key that signs."""
        return self._key

    @property
    def size(self) -> int:
        """Entries."""
        return len(self._tree)

    @property
    def root(self) -> bytes:
        """Root of all the entries."""
        return self._tree.root()

    @property
    def frozen(self) -> bool:
        """True after the closing entry."""
        return isinstance(self._last, Cierre)

    def entries(self) -> list[bytes]:
        """The bytes of every entry, in order."""
        return list(self._entries)

    def index_of(self, entry: bytes) -> int | None:
        """Where an entry is; None when it is not in the log."""
        return self._index.get(leaf_hash(entry))

    def checkpoint(self) -> str:
        """The latest checkpoint with all its signatures. Raises LogError in an empty log."""
        if self._text is None:
            raise LogError(f"{self._folder}: el registro está vacío; todavía no hay checkpoint")
        return self._text

    def note_at(self, size: int) -> str:
        """The checkpoint of any moment with the signature of this key alone: always the same bytes."""
        text = Checkpoint(self._key.origin, size, self._tree.root(size)).text
        return f"{text}\n{self._key.sign(text)}"

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Proof that an entry is in the log of `size` entries (all of them by default)."""
        return inclusion_proof(self._bounded(size), index, self._tree.get)

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """Proof that the log of `new` entries begins with that of `old`."""
        return consistency_proof(old, self._bounded(new), self._tree.get)

    def append(self, entry: bytes) -> int:
        """Add an entry; returns its index. One that is already there is not added again.

        On return entry, tiles and checkpoint are in the folder. Raises EntryError, FrozenLogError,
        ForkError (another entry of the same number is there), RetiredKeyError, LogBusyError.
        """
        parsed = parse(entry)
        with self._locked():
            self._refresh()
            known = self.index_of(entry)
            if known is not None:
                return known
            if isinstance(parsed, Llave):
                raise LogError("una llave se cambia con «prep llave rotar»: hacen falta las dos")
            self._admit(parsed)
            return self._commit(entry, [self._key])

    def rotate(self, new: SigningKey, reason: str, at_ms: int) -> int:
        """Hand the log over to another key; returns the index of the entry that says so.

        Its checkpoint bears the signatures of both keys; the ones after it, only that of the new one,
        and this log refuses to go on with the old one. Raises LogError when the origins differ.
        """
        if new.origin != self._key.origin or new.vkey == self._key.vkey:
            raise LogError(f"la llave nueva debe ser otra y del mismo origen: «{self._key.origin}»")
        entry = Llave(self._key.vkey, new.vkey, reason, at_ms)
        encoded = entry.encode()
        with self._locked():
            self._refresh()
            self._admit(entry)
            index = self._commit(encoded, [self._key, new])
            self._key = new
            return index

    def add_cosignatures(
        self, lines: Iterable[str], *, of: str | None = None, witnesses: Sequence[Verifier] | None = None
    ) -> int:
        """Add signature lines of witnesses to the checkpoint; returns how many were not there.

        `of` is the checkpoint (or its text) they signed: when the log has grown since, they are left
        out and the answer is 0. `witnesses` are the known ones; by default, those of `llaves.json`.
        Raises NoteError for a line of somebody unknown, or that does not hold.
        """
        given = parse_signatures(line.rstrip("\n") for line in lines)
        with self._locked():
            self._refresh()
            note = parse_note(self.checkpoint())
            if of is not None and (parse_note(of).text if "\n\n" in of else of) != note.text:
                return 0
            if witnesses is None:
                ring = keyring.read(self._folder)
                witnesses = ring.witness_verifiers if ring else []
            there = {(one.name, one.key_id) for one in note.signatures}
            added = []
            for one in given:
                known = [each for each in witnesses if (each.name, each.key_id) == (one.name, one.key_id)]
                if not known:
                    raise NoteError(f"«{one.name}» no es un testigo de este registro, o usa otra llave")
                if not known[0].signed(note.text, one):
                    raise NoteError(f"la firma del testigo «{one.name}» no es de este checkpoint")
                if (one.name, one.key_id) not in there:
                    there.add((one.name, one.key_id))
                    added.append(one)
            if added:
                text = str(Note(note.text, (*note.signatures, *added)))
                self._put(CHECKPOINT, text.encode())
                self._text = text
            return len(added)

    def _bounded(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise LogError(f"el registro tiene {self.size} entradas; se pidieron {size}")
        return size

    def _locked(self) -> AbstractContextManager[None]:
        return locked(self._folder / LOCK, PATIENCE_S)

    def _forget(self) -> None:
        self._tree = Tree()
        self._entries: list[bytes] = []
        self._index: dict[bytes, int] = {}
        self._seen: set[tuple[object, ...]] = set()
        self._last: Entry | None = None
        self._last_cut = self._emissions = self._last_notice = 0
        self._in_use: str | None = None

    def _take(self, encoded: bytes, entry: Entry) -> None:
        """Keep in memory an entry that is in the folder."""
        leaf = leaf_hash(encoded)
        self._index[leaf] = self._tree.append(leaf)
        self._entries.append(encoded)
        self._seen.add(entry.identity)
        self._last = entry
        if isinstance(entry, Emision):
            self._last_cut = entry.corte
            self._emissions += 1
        elif isinstance(entry, Aviso):
            self._last_notice = entry.numero
        elif isinstance(entry, Llave):
            self._in_use = entry.nueva

    def _refresh(self) -> None:
        """Finish what was cut off, and read again what another process wrote."""
        pending = self._folder / PENDING
        if pending.exists():
            self._finish(pending)
        try:
            text = (self._folder / CHECKPOINT).read_text("utf-8")
        except FileNotFoundError:
            if (self._folder / "tile").exists() or self._text is not None:
                raise LogError(f"{self._folder}: hay registro pero falta su «checkpoint»") from None
            return
        if text != self._text:
            self._load(text)
            self._text = text
        if self._in_use is not None and self._in_use != self._key.vkey:
            raise RetiredKeyError(f"la llave «{self._key.vkey}» fue sustituida; firma «{self._in_use}»")
        open_checkpoint(text, [self._key.verifier])

    def _load(self, text: str) -> None:
        checkpoint = parse_checkpoint(parse_note(text).text)
        if checkpoint.origin != self._key.origin:
            raise LogError(
                f"{self._folder}: el registro es de «{checkpoint.origin}» y la llave, de «{self._key.origin}»"
            )
        old, old_root, known = self.size, self._tree.root(), vars(self).copy()
        self._forget()
        try:
            for encoded in LogReader(self._read, checkpoint.size).entries():
                self._take(encoded, parse(encoded))
            if self._tree.root() != checkpoint.root:
                raise LogError(
                    f"{self._folder}: las entradas no dan la raíz del checkpoint: fueron alteradas"
                )
            if checkpoint.size < old or self._tree.root(old) != old_root:
                raise ForkError(f"{self._folder}: el registro ya no continúa el que este proceso conocía")
        except BaseException:
            # What this process knew is how a fork is told: a reading that fails must not make it forget.
            vars(self).update(known)
            raise

    def _admit(self, entry: Entry) -> None:
        """Refuse what may not follow."""
        if self.frozen:
            raise FrozenLogError("el registro está cerrado: después del cierre no se añade nada")
        if isinstance(entry, Apertura) != (self.size == 0):
            raise LogError("un registro empieza por su «apertura», y solo por ella")
        if entry.identity in self._seen:
            kind, *number = entry.identity
            name = " ".join(map(str, (kind, *number)))
            raise ForkError(f"el registro ya tiene otra entrada «{name}», con otro contenido")
        if isinstance(entry, Apertura | Emision | Aviso | Cierre) and entry.modo != self._key.mode:
            raise LogError(f"la entrada es de modo {entry.modo} y el registro, de {self._key.mode}")
        if isinstance(entry, Apertura) and entry.origen != self._key.origin:
            raise LogError(f"la apertura es de «{entry.origen}» y la llave, de «{self._key.origin}»")
        if isinstance(entry, Emision) and self._emissions and entry.corte < self._last_cut:
            raise ForkError(f"el corte {entry.corte} no puede ir después del {self._last_cut}")
        if isinstance(entry, Aviso) and entry.numero < self._last_notice:
            raise ForkError(f"el aviso {entry.numero} no puede ir después del {self._last_notice}")
        if isinstance(entry, Cierre) and (entry.ultimo_corte, entry.emisiones) != (
            self._last_cut,
            self._emissions,
        ):
            raise LogError(
                f"el cierre dice {entry.emisiones} emisiones hasta el corte {entry.ultimo_corte}; "
                f"el registro tiene {self._emissions}, hasta el {self._last_cut}"
            )

    def _commit(self, encoded: bytes, signers: Sequence[SigningKey]) -> int:
        index = self.size
        tree = Tree([*map(leaf_hash, self._entries), leaf_hash(encoded)])
        text = Checkpoint(self._key.origin, index + 1, tree.root()).text
        note = f"{text}\n" + "".join(key.sign(text) for key in signers)
        intent = {"entrada": base64.b64encode(encoded).decode(), "hoja": index, "checkpoint": note}
        self._put(PENDING, canonical(intent))
        self._finish(self._folder / PENDING)
        self._text = note
        self._take(encoded, parse(encoded))
        return index

    def _finish(self, pending: Path) -> None:
        """Put in the folder what an intent says: entries and tiles, then the checkpoint that shows them."""
        intent = json.loads(pending.read_bytes())
        index, note = int(intent["hoja"]), str(intent["checkpoint"])
        entry = base64.b64decode(intent["entrada"])
        try:
            size = parse_checkpoint(parse_note(self._read(CHECKPOINT)).text).size
        except FileNotFoundError:
            size = 0
        if size == index:
            before = LogReader(self._read, index).entries()
            tree = Tree(leaf_hash(one) for one in (*before, entry))
            if tree.root() != parse_checkpoint(parse_note(note).text).root:
                raise LogError(f"{pending}: lo que quedó a medias no continúa el registro")
            first = index // WIDTH * WIDTH
            width = index + 1 - first
            self._put(tile_path("entries", index // WIDTH, width), bundle([*before[first:], entry]))
            for level, number, wide in tiles_for(index, index + 1):
                start = number * WIDTH
                data = b"".join(tree.get(HEIGHT * level, start + one) for one in range(wide))
                self._put(tile_path(level, number, wide), data)
            if isinstance(parse(entry), Llave):
                # The checkpoint loses the old signature with the next entry; who trusts the old key needs it.
                self._put(handover_key(index), note.encode())
            self._put(CHECKPOINT, note.encode())
        elif size != index + 1:
            raise LogError(f"{pending}: lo que quedó a medias no continúa el registro")
        pending.unlink()
        if self._durable:
            sync_folder(self._folder)

    def _read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def _put(self, name: str, data: bytes) -> None:
        write_whole(self._folder / name, data, durable=self._durable)
