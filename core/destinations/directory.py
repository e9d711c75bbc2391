"""A folder as a destination: create-only copies and renames, compressed siblings, one pass to the disk.

Files are copied, never linked to those of the work folder: whoever may write where the public looks must
not reach what is signed and what feeds the other destinations. Nothing half written ever has a public
name. It deletes nothing but its own temporaries.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import count
from pathlib import Path

from core.destinations.compress import br, gz, has_siblings, is_shared
from core.destinations.target import BusyError, ConflictError, Entry, Item, Stored, VerificationError
from core.publication.archives import make_durable, sync
from core.publication.public_tree import POINTER, is_public

_TEMPORARY = ".prep-temporal"
_LOCK = ".prep-candado"
_PACKED = (".gz", ".br")
_BLOCK = 1 << 20
_FICLONE = 0x40049409
"""The ioctl of Linux that clones a file; elsewhere it is refused."""
_NO_LINK = {
    errno.EXDEV,
    errno.EPERM,
    errno.EMLINK,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.EACCES,
    errno.ENOSYS,
}


class DirectoryDestination:
    """A folder that a static server, or a shared disk, shows. It is made when it is not there."""

    width = 1

    def __init__(self, root: Path, name: str | None = None) -> None:
        self.root = root
        self.name = name or str(root)
        self.address = str(root)
        self._numbers = count()
        self._folders: set[Path] = set()
        self._written: list[Path] = []

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the folder's lock, which the system lets go of when the process dies."""
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(f"otro publicador está escribiendo en {self.address}") from None
            # Whoever held the lock before may have died with these half written.
            shutil.rmtree(self.root / _TEMPORARY, ignore_errors=True)
            self._folders.clear()
            yield
        finally:
            os.close(descriptor)

    def list(self) -> Iterator[Entry]:
        """Every public file; those written after the pointer are not settled."""
        try:
            since = (self.root / POINTER).stat().st_mtime_ns
        except FileNotFoundError:
            since = 0
        yield from self._list("", since)

    def put_new(self, item: Item) -> int:
        """Copy the file under its public name; its compressed siblings are there before it."""
        target = self._target(item.key)
        sent = 0
        if has_siblings(item.key, item.size):
            shared = item.shared or is_shared(item.key)
            sent += self._siblings(item.key, target, item.path.read_bytes(), shared, item.sha256)
        try:
            return sent + self._place(item, target)
        except FileExistsError:
            return sent + self._over(item, target)

    def verify(self, key: str, sha256: str, size: int) -> None:
        """Read the file back whole and compare."""
        found, length = _digest(self.root / key)
        if (found, length) != (sha256, size):
            raise VerificationError(
                f"{self.address}/{key}: se releyeron {length} bytes con SHA-256 {found}; "
                f"se esperaban {size} con {sha256}"
            )

    def get(self, key: str) -> Stored | None:
        """The content of a file; its version is its SHA-256."""
        try:
            data = (self.root / key).read_bytes()
        except FileNotFoundError:
            return None
        return Stored(data, sha256(data).hexdigest())

    def put_mutable(self, key: str, data: bytes, *, replacing: Stored | None) -> None:
        """Rename over the version that was read, and wait for the disk. Call it inside `exclusive`."""
        current = self.get(key)
        if (current and current.version) != (replacing and replacing.version):
            raise ConflictError(f"{self.address}/{key} cambió mientras se publicaba")
        target = self._target(key)
        self._siblings(key, target, data, is_shared(key), sha256(data).hexdigest())
        self._rename(data, target, durable=True)
        sync(target.parent)

    def settle(self) -> None:
        """One pass over the file system for everything written since the last."""
        if not self._written:
            return
        folders = {path.parent for path in self._written} | {self.root}
        make_durable(sorted(folders), [path for path in self._written if path.exists()])
        self._written.clear()

    def _list(self, folder: str, since: int) -> Iterator[Entry]:
        base = self.root / folder
        if not base.is_dir():
            return
        with os.scandir(base) as found:
            entries = list(found)
        status = {entry.name: entry.stat() for entry in entries if not entry.is_dir()}
        for entry in entries:
            if entry.name.startswith("."):
                continue
            key = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir():
                yield from self._list(key, since)
            elif is_public(key) and not entry.name.endswith(_PACKED):
                own = status[entry.name]
                # A file linked to that of the work folder has its hour: its compressed copy decides.
                dates = [own.st_mtime_ns]
                if has_siblings(key, own.st_size):
                    packed = status.get(f"{entry.name}.gz")
                    dates.append(packed.st_mtime_ns if packed else since + 1)
                yield Entry(key, own.st_size, settled=max(dates) <= since)

    def _target(self, key: str) -> Path:
        target = self.root / key
        if target.parent not in self._folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(target.parent)
        return target

    def _place(self, item: Item, target: Path) -> int:
        """The file under its name; raises FileExistsError when something has it."""
        temporary = self._temporary()
        _copy(item.path, temporary)
        try:
            _name_it(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
        self._written.append(target)
        return item.size

    def _over(self, item: Item, target: Path) -> int:
        """What to do with a name that is taken: nothing if it is this file; a torn copy is made again."""
        if target.samefile(item.path) or _digest(target) == (item.sha256, item.size):
            return 0
        pointer = self.root / POINTER
        if pointer.exists() and target.stat().st_mtime_ns <= pointer.stat().st_mtime_ns:
            raise ConflictError(f"{self.address}/{item.key} ya existe con otro contenido; no se toca")
        # No pointer ever announced it: the machine stopped before the copy was on disk.
        temporary = self._temporary()
        _copy(item.path, temporary)
        temporary.replace(target)
        self._written.append(target)
        return item.size

    def _siblings(self, key: str, target: Path, data: bytes, shared: bool, digest: str) -> int:
        """Write the compressed copies a file must have and take away those it must not."""
        wanted = has_siblings(key, len(data))
        sent = 0
        for suffix, needed in ((".gz", wanted), (".br", wanted and shared)):
            sibling = target.with_name(target.name + suffix)
            if not needed:
                # A page that got too small; what an immutable file has beside it stays.
                if not wanted:
                    sibling.unlink(missing_ok=True)
                continue
            packed = gz(data) if suffix == ".gz" else br(key, data)
            with suppress(FileNotFoundError):
                if sibling.read_bytes() == packed:
                    continue
            self._rename(packed, sibling, durable=False)
            self._written.append(sibling)
            sent += len(packed)
        return sent

    def _rename(self, data: bytes, target: Path, *, durable: bool) -> None:
        temporary = self._temporary()
        with temporary.open("wb") as stream:
            stream.write(data)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        temporary.replace(target)

    def _temporary(self) -> Path:
        folder = self.root / _TEMPORARY
        if folder not in self._folders:
            folder.mkdir(exist_ok=True)
            self._folders.add(folder)
        return folder / f"{os.getpid()}-{next(self._numbers)}"


def _copy(source: Path, target: Path) -> None:
    """Copy the bytes; where the file system can, both share the blocks until one is written."""
    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
        except OSError:
            shutil.copyfileobj(old, new, _BLOCK)


def _name_it(temporary: Path, target: Path) -> None:
    """Give a whole file its public name, only if nobody has it. Raises FileExistsError."""
    try:
        target.hardlink_to(temporary)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        # A file system without links: the lock keeps other publishers out between the two steps.
        if target.exists():
            raise FileExistsError(errno.EEXIST, "ya existe", str(target)) from None
        temporary.replace(target)


def _digest(path: Path) -> tuple[str, int]:
    """SHA-256 and length of a file."""
    digest, length = sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            length += len(block)
    return digest.hexdigest(), length
