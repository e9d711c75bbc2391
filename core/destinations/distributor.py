"""Sends each publication to its destinations, one thread for each, so that none waits for another.

What is missing goes first and is read back; then the pages, the tiles, the checkpoint and, last of
all, the pointer: a destination shows a whole cut or the one before. One that was down, empty or behind
catches up by itself. Results never wait for an image: one that is damaged stays behind alone, and is told.
It does not decide what is published or when, and deletes nothing.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

from core.destinations.inventory import Inventory
from core.destinations.outgoing import Checkpoint, Outgoing, OutgoingError, Pointer
from core.destinations.target import (
    BusyError,
    ConflictError,
    Destination,
    DestinationError,
    Stored,
    UnreachableError,
    VerificationError,
)
from core.errors import PrepError
from core.publication.public_tree import CHECKPOINT, POINTER
from core.transparency.log import LogReader

IMAGES = ("imagenes/", "vistas/")
"""What may be left out of a cut: originals of actas, each named by its SHA-256, and their views."""

_LOG = logging.getLogger(__name__)

UP_TO_DATE = "al_corriente"
BEHIND = "atrasado"
SILENT = "sin_respuesta"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how long, in seconds.

    `first_retry_s` doubles up to `last_retry_s`, each time shortened at random down to half, so that
    many publishers do not come back at once. `recheck_s`: how often a destination that is up to date is
    asked whether it still is. `silent_s`: without any progress in that time, it does not answer.
    """

    first_retry_s: float = 1.0
    last_retry_s: float = 30.0
    recheck_s: float = 60.0
    silent_s: float = 30.0


class _StoppedError(Exception):
    """The distributor is closing."""


class Distributor:
    """Keeps the destinations up with a work folder. Start it once; `announce` after each cut or notice.

    The threads do not keep the process alive. Raises ValueError for two destinations of one name.
    """

    def __init__(self, work: Path, destinations: Sequence[Destination], *, pace: Pace | None = None) -> None:
        names = [destination.name for destination in destinations]
        if len(set(names)) != len(names):
            raise ValueError(f"two destinations bear the same name: {names}")
        self._work = Path(work)
        self._stop = threading.Event()
        self._couriers = [Courier(self._work, item, pace or Pace(), self._stop) for item in destinations]
        for courier in self._couriers:
            courier.start()

    def announce(self) -> None:
        """There may be something new in the work folder. Returns at once."""
        for courier in self._couriers:
            courier.wake()

    def states(self) -> list[dict[str, Any]]:
        """State and lag of each destination, as `publicador.json` tells them. Never waits for one."""
        return [courier.state() for courier in self._couriers]

    def drain(self, timeout_s: float) -> bool:
        """Wait until every destination has what the work folder announces; False when time ran out."""
        limit = monotonic() + timeout_s
        self.announce()
        return all([courier.wait_until_current(limit - monotonic()) for courier in self._couriers])

    def close(self, timeout_s: float = 5.0) -> None:
        """Ask the threads to stop between two files, and wait for them no longer than that in all."""
        self._stop.set()
        limit = monotonic() + timeout_s
        for courier in self._couriers:
            courier.wake()
        for courier in self._couriers:
            courier.join(max(0.0, limit - monotonic()))

    def __enter__(self) -> Distributor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(slots=True)
class _Progress:
    """What a courier tells others; read and written under its lock."""

    confirmed: Pointer | None = None
    wanted: Pointer | None = None
    behind_since: float | None = None
    last_progress: float = field(default_factory=monotonic)
    busy: bool = False
    error: str | None = None
    left_out: str | None = None
    """What was not sent, in words; everything else was."""
    silent: bool = False
    files: int = 0
    sent: int = 0


class Courier:
    """The thread of one destination."""

    def __init__(
        self, work: Path, destination: Destination, pace: Pace, stop: threading.Event | None = None
    ) -> None:
        self._work = work
        self._destination = destination
        self._pace = pace
        self._stop = stop or threading.Event()
        self._inventory = Inventory()
        self._pages: dict[str, str] = {}
        self._damaged: dict[str, str] = {}
        """Images that are not what their name says, and what is wrong with each."""
        self._changed = threading.Condition()
        self._awake = False
        self._progress = _Progress()
        self._thread = threading.Thread(target=self._run, name=f"destino {destination.name}", daemon=True)

    def start(self) -> None:
        """Start with what the work folder has."""
        self.wake()
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to end."""
        self._thread.join(timeout_s)

    def wake(self) -> None:
        """Look at the work folder again."""
        wanted = self._wanted()
        with self._changed:
            if wanted is not None:
                self._want(wanted)
            self._awake = True
            self._changed.notify_all()

    def wait_until_current(self, timeout_s: float) -> bool:
        """True as soon as the destination has the pointer of the work folder."""
        with self._changed:
            return self._changed.wait_for(self._is_current, max(0.0, timeout_s))

    def state(self) -> dict[str, Any]:
        """One element of `destinos`."""
        with self._changed:
            now, about = monotonic(), self._progress
            stuck = about.busy and now - about.last_progress > self._pace.silent_s
            current = self._is_current()
            there = about.confirmed.cut if about.confirmed else None
            wanted = about.wanted.cut if about.wanted else 0
            return {
                "nombre": self._destination.name,
                "estado": UP_TO_DATE if current else SILENT if stuck or about.silent else BEHIND,
                "corte": there,
                "atraso_cortes": max(0, wanted - (there or 0)),
                "atraso_s": 0 if about.behind_since is None else int(now - about.behind_since),
                "error": "no hay avance: el destino no responde"
                if stuck and not about.error
                else about.error or about.left_out,
                "subidos": about.files,
                "bytes": about.sent,
            }

    def _is_current(self) -> bool:
        about = self._progress
        if about.error is not None:
            return False
        if about.wanted is None:
            return not self._awake and not about.busy
        return about.confirmed is not None and about.confirmed.data == about.wanted.data

    def _wanted(self) -> Pointer | None:
        with suppress(OSError, ValueError):
            return Pointer.parse((self._work / POINTER).read_bytes())
        return None

    def _want(self, wanted: Pointer) -> None:
        about = self._progress
        about.wanted = wanted
        if about.confirmed is not None and about.confirmed.data == wanted.data:
            about.behind_since = None
        elif about.behind_since is None:
            about.behind_since = monotonic()

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            with self._changed:
                self._awake = False
                self._progress.busy = True
                self._progress.last_progress = monotonic()
            error: Exception | None = None
            try:
                self.round()
            except _StoppedError:
                break
            except (PrepError, OSError) as found:
                error = found
            except Exception as found:  # noqa: BLE001 - a thread that dies would leave its destination behind, mute
                _LOG.exception("destino %s", self._destination.name)
                error = DestinationError(f"error interno: {type(found).__name__}: {found}")
            failures = failures + 1 if error is not None else 0
            self._tell(error)
            self._sleep(self._delay(failures), interruptible=error is None)

    def _delay(self, failures: int) -> float:
        if not failures:
            pace = self._pace
            return min(pace.recheck_s, pace.last_retry_s) if self._damaged else pace.recheck_s
        wait = min(self._pace.last_retry_s, self._pace.first_retry_s * 2.0 ** min(failures - 1, 20))
        return wait * random.uniform(0.5, 1.0)

    def _sleep(self, seconds: float, *, interruptible: bool) -> None:
        """Wait; an announcement shortens the wait only of a destination that works."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stop.is_set() or (interruptible and self._awake), max(0.0, seconds)
            )

    def _tell(self, error: Exception | None) -> None:
        with self._changed:
            about = self._progress
            about.busy = False
            if error is None:
                about.error, about.silent = None, False
            else:
                about.error = str(error)
                # What answers and refuses is behind; what does not answer at all is silent.
                about.silent = isinstance(error, OSError | UnreachableError)
                # Whatever failed, the destination may not be as it was last seen.
                if not isinstance(error, BusyError | OutgoingError):
                    self._inventory.forget()
                    self._pages.clear()
            self._changed.notify_all()

    def round(self) -> None:
        """Bring the destination to what the work folder announces, in the one safe order."""
        with self._destination.exclusive():
            out = Outgoing.read(self._work)
            if out.pointer is not None:
                with self._changed:
                    self._want(out.pointer)
            there = self._destination.get(POINTER)
            self._advance()
            if self._already(out, there):
                return
            newer = self._never_back(out, there)
            if not self._inventory.listed:
                self._inventory.load(self._destination.list())
                self._advance()
            self._damaged.clear()
            self._send(out, out.immutable)
            self._tell_of_damaged()
            self._send(out, out.tiles)
            for key in out.pages:
                self._page(out, key)
            self._destination.settle()
            self._advance()
            if out.pointer is None or out.checkpoint is None:
                return
            self._note(out.checkpoint)
            if not newer and (there is None or there.data != out.pointer.data):
                self._swap(POINTER, out.pointer.data, there)
        self._confirm(out.pointer)

    def _already(self, out: Outgoing, there: Stored | None) -> bool:
        """True when the pointer is the same and nothing else that may change did."""
        if out.pointer is None or out.checkpoint is None or there is None or there.data != out.pointer.data:
            # Somebody emptied it, or put another one: what was known of it is not true any more.
            confirmed = self._progress.confirmed
            if confirmed is not None and (there is None or there.data != confirmed.data):
                self._inventory.forget()
                self._pages.clear()
            return False
        if (
            self._damaged
            or not self._inventory.listed
            or any(self._pages.get(key) != _file_sha256(out.work / key) for key in out.pages)
        ):
            return False
        note = self._destination.get(CHECKPOINT)
        if note is None or note.data != out.checkpoint.data:
            return False
        self._confirm(out.pointer)
        return True

    def _never_back(self, out: Outgoing, there: Stored | None) -> bool:
        """Raise ConflictError when the destination has something newer, or of another election.

        True when its pointer tells the same cut and was only written again later: it stays.
        """
        if there is None:
            return False
        name = self._destination.name
        try:
            found = Pointer.parse(there.data)
        except ValueError as error:
            raise ConflictError(f"el corte.json de {name} no se entiende; no se toca") from error
        if out.pointer is None:
            raise ConflictError(f"{name} ya tiene el corte {found.cut} y aquí no hay ninguno; no se toca")
        mine = out.pointer
        if (found.mode, found.election, found.origin) != (mine.mode, mine.election, mine.origin):
            raise ConflictError(
                f"{name} es de otra publicación ({found.origin}, modo {found.mode}); no se toca"
            )
        if found.order > mine.order:
            raise ConflictError(
                f"{name} ya tiene algo más nuevo: corte {found.cut}, bitácora de {found.size}; "
                f"aquí, corte {mine.cut}, bitácora de {mine.size}"
            )
        if found.size > mine.size or (found.size == mine.size and found.root != mine.root):
            raise ConflictError(f"la bitácora de {name} no es el principio de la de aquí; no se toca")
        if found.size < mine.size and _root_of(out, found.size) != found.root:
            raise ConflictError(
                f"{name} tiene {found.size} entradas de otra historia de esta bitácora: no son las primeras "
                "de las de aquí; no se toca"
            )
        return found.order == mine.order and found.generated_ms > mine.generated_ms

    def _send(self, out: Outgoing, keys: Iterable[str]) -> None:
        """Upload and read back every file the destination does not have."""
        missing = [key for key in dict.fromkeys(keys) if not self._inventory.has(key, out.size(key))]

        def deliver(key: str) -> None:
            if self._stop.is_set():
                raise _StoppedError
            try:
                item = out.item(key)
            except OutgoingError as error:
                if not key.startswith(IMAGES):
                    raise
                self._damaged[key] = str(error)
                return
            sent = self._destination.put_new(item)
            self._destination.verify(key, item.sha256, item.size)
            self._inventory.add(key, item.size)
            self._advance(1, sent)

        in_parallel(deliver, missing, self._destination.width)

    def _tell_of_damaged(self) -> None:
        text = None
        if self._damaged:
            text = f"{len(self._damaged)} imágenes dañadas no se publican" if len(self._damaged) > 1 else ""
            text = ": ".join(part for part in (text, min(self._damaged.values())) if part)
        with self._changed:
            self._progress.left_out = text

    def _page(self, out: Outgoing, key: str) -> None:
        data = (out.work / key).read_bytes()
        digest = sha256(data).hexdigest()
        if self._pages.get(key) == digest:
            return
        there = self._destination.get(key)
        if there is None or there.data != data:
            self._swap(key, data, there)
        self._pages[key] = digest

    def _note(self, mine: Checkpoint) -> None:
        """Put the checkpoint, unless the one there has a longer log or more signatures of this one."""
        there = self._destination.get(CHECKPOINT)
        if there is not None:
            try:
                found = Checkpoint.parse(there.data)
            except (ValueError, IndexError) as error:
                raise ConflictError(
                    f"el checkpoint de {self._destination.name} no se entiende; no se toca"
                ) from error
            if found.origin != mine.origin or found.size > mine.size:
                raise ConflictError(
                    f"el checkpoint de {self._destination.name} es de {found.origin} con {found.size} "
                    f"entradas; aquí, {mine.origin} con {mine.size}"
                )
            if there.data == mine.data or (found.size == mine.size and found.signatures > mine.signatures):
                return
        self._swap(CHECKPOINT, mine.data, there)

    def _swap(self, key: str, data: bytes, there: Stored | None) -> None:
        self._destination.put_mutable(key, data, replacing=there)
        found = self._destination.get(key)
        if found is None or found.data != data:
            raise VerificationError(f"{key} de {self._destination.name} no es lo que se acaba de escribir")
        self._advance(1, len(data))

    def _advance(self, files: int = 0, sent: int = 0) -> None:
        if self._stop.is_set():
            raise _StoppedError
        with self._changed:
            self._progress.last_progress = monotonic()
            self._progress.files += files
            self._progress.sent += sent

    def _confirm(self, pointer: Pointer) -> None:
        wanted = self._wanted()
        with self._changed:
            self._progress.confirmed = pointer
            self._progress.error, self._progress.silent = None, False
            self._want(wanted or pointer)
            self._changed.notify_all()


def in_parallel(work: Callable[[str], None], keys: Sequence[str], width: int) -> None:
    """Do `work` for each key, `width` at a time; the first error stops the rest and is raised.

    The threads are daemons, unlike those of a pool: a server that hangs does not keep the process alive.
    """
    if width <= 1 or len(keys) <= 1:
        for key in keys:
            work(key)
        return
    pending = iter(keys)
    lock = threading.Lock()
    errors: list[BaseException] = []

    def run() -> None:
        while not errors:
            with lock:
                key = next(pending, None)
            if key is None:
                return
            try:
                work(key)
            except BaseException as error:  # noqa: BLE001 - it is raised again in the caller's thread
                errors.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(min(width, len(keys)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _root_of(out: Outgoing, size: int) -> str:
    """Root (hex) of the first entries of the log of the work folder. Raises LogError, OSError."""
    assert out.checkpoint is not None
    reader = LogReader(lambda key: (out.work / key).read_bytes(), out.checkpoint.size)
    return reader.root(size).hex()


def _file_sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


__all__ = ["Destination", "DestinationError", "Distributor", "Pace", "in_parallel"]
