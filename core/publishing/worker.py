"""The process that makes the cuts: it does one thing at a time and can be killed at any moment.

`core.publishing.watchdog` starts it, asks it and kills it when it takes too long; everything it does can be
interrupted without leaving anything half done (`Publisher.recover`). It decides nothing of when.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pickle
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from core.errors import PrepError, UsageError
from core.publication.times import iso
from core.publishing.config import ONLY_REHEARSAL
from core.publishing.failures import FolderBusyError, told

if TYPE_CHECKING:
    from core.domain.catalog import Catalog
    from core.publishing.office import PublicationOffice
    from core.transparency.keys import SigningKey

LOCK = ".publicando"
"""Held while this process lives: two never write the same folder, whatever their databases say."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class WorkerConfig:
    """What the process needs: the database, the folder and the key that signs (None: packages only)."""

    base: str
    workdir: Path
    mode: str
    key_file: Path | None = None
    passphrase: bytes | None = None
    images: str | None = None
    signed: bool = True
    witnesses: tuple[tuple[str, str], ...] = ()
    """Those of the log, (name, vkey), and how many of them are asked for."""
    threshold: int = 0
    rehearsal: str = ""
    """Name of the rehearsal, empty when nobody gave it one."""


def die_with_parent() -> None:
    """Ask the system to end this process when the one that started it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def take_folder(workdir: Path) -> IO[bytes]:
    """Take the folder for this process. Raises FolderBusyError when another one publishes into it."""
    workdir.mkdir(parents=True, exist_ok=True)
    handle = (workdir / LOCK).open("ab")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise FolderBusyError(f"Otro proceso está publicando en la carpeta «{workdir}».") from error
    return handle


def signing_key(
    catalog: Catalog,
    mode: str,
    key_file: Path | None = None,
    passphrase: bytes | None = None,
    *,
    rehearsal: str,
    workdir: Path | None = None,
) -> SigningKey:
    """The key of the public log: that of a file, or in a rehearsal one made for it.

    The one made depends on the catalogue and on `rehearsal`, its name, part of the origin of the log; without
    a name, that of the log there is in `workdir` goes on.

    Raises UsageError in official mode without a file, for a name where the key of a file says the origin,
    and when the log in `workdir` is of another rehearsal.
    """
    from core.transparency.keys import load_key, origin_of, rehearsal_key

    if rehearsal and (mode != "simulacro" or key_file is not None):
        raise UsageError(ONLY_REHEARSAL)
    if key_file is not None:
        return load_key(key_file, passphrase, mode=mode)
    if mode != "simulacro":
        raise UsageError("En modo oficial hace falta la llave que firma: --llave ARCHIVO.")
    origin = origin_of(catalog.entidad.abbreviation, catalog.election, mode, rehearsal)
    begun = "" if workdir is None else _origin_in(workdir)
    if begun and begun != origin:
        if rehearsal:
            raise UsageError(
                f"La carpeta «{workdir}» tiene la bitácora «{begun}», no «{origin}»: es de otro ensayo. Cada "
                "ensayo va en su carpeta."
            )
        if begun.startswith(origin.removesuffix(f"/{mode}") + ".") and begun.endswith(f"/{mode}"):
            origin = begun
    return rehearsal_key(origin, catalog.fingerprint())


def _origin_in(workdir: Path) -> str:
    """The origin of the public log of a folder, empty where there is none."""
    try:
        return (workdir / "checkpoint").read_text("utf-8").partition("\n")[0]
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def rehearsal_of(catalog: Catalog, starts_at: int) -> str:
    """The name of a rehearsal nobody named: the local date its operation opens (ms UTC)."""
    return iso(starts_at, catalog.entidad.utc_offset_minutes)[: len("2027-06-06")]


class Worker:
    """Answers what it is asked."""

    def __init__(self, config: WorkerConfig) -> None:
        from core.engine import Engine
        from core.storage.database import open_existing
        from core.storage.store import Store

        self._config = config
        self._lock = take_folder(config.workdir)
        self._store = Store(open_existing(config.base))
        self._engine = Engine(self._store, self._store.load_catalog(), config.mode)
        self._office, self._named = self._open()

    def _open(self) -> tuple[PublicationOffice, bool]:
        """What publishes, and whether it knows which log it goes into: a rehearsal without a name may have to
        wait for the operation to open, and nothing is signed until then."""
        from core.publishing.assembly import publication

        config, engine = self._config, self._engine
        name, opened = config.rehearsal, engine.operation.opened
        made = config.mode == "simulacro" and config.key_file is None and not name
        if made and opened and not _origin_in(config.workdir):
            name = rehearsal_of(engine.catalog, engine.operation.starts_at)
        key = None
        if config.signed:
            key = signing_key(
                engine.catalog, config.mode, config.key_file, config.passphrase, rehearsal=name,
                workdir=config.workdir,
            )  # fmt: skip
        images = None
        if config.images is not None:
            from core.images.store import ImageStore

            images = ImageStore(config.images)
        office = publication(
            engine, self._store.database, Path(config.workdir), key=key, images=images,
            witnesses=config.witnesses, threshold=config.threshold,
        )  # fmt: skip
        return office, opened or not made

    def answer(self, what: str, arguments: tuple[Any, ...]) -> Any:
        if not self._named and self._engine.operation.opened:
            self._office, self._named = self._open()
        office = self._office
        if what == "estado":
            return office.state(*arguments)
        if what == "corte":
            at, last, next_ms = arguments
            return office.cut(at, last=last, next_ms=next_ms)
        if what == "cofirmas":
            return office.attest(*arguments)
        if what == "perdidas":
            slots, at, reason, notice, failed = arguments
            return office.missed(slots, at, reason, notice=notice, failed=failed)
        if what == "detenido":
            return office.aborted(*arguments)
        if what == "cerrar":
            return office.close(*arguments)
        if what == "detencion":
            return office.tell_of_hold(*arguments)
        assert what == "cierre", what
        return office.close_early(*arguments)

    def close(self) -> None:
        self._store.close()
        self._store.database.dispose()
        self._lock.close()


def serve(asked: IO[bytes], said: IO[bytes]) -> None:
    """Answer until nobody asks. What goes wrong is handed over, and the process goes on."""

    def say(done: bool, result: Any) -> None:
        if isinstance(result, Exception):
            if not isinstance(result, PrepError | SQLAlchemyError | OSError):
                # A mistake of the program: where it was is for whoever mends it.
                traceback.print_exception(result)
            result = told(result)
        try:
            body = pickle.dumps((done, result))
            pickle.loads(body)
        except Exception:  # noqa: BLE001 - whatever an exception of a library raises when it is copied
            body = pickle.dumps((False, PrepError(str(result))))
        said.write(body)
        said.flush()

    try:
        worker = Worker(pickle.load(asked))
    except Exception as error:  # noqa: BLE001 - it is told to whoever asked
        say(False, error)
        return
    say(True, None)
    try:
        while True:
            try:
                what, arguments = pickle.load(asked)
            except EOFError:
                return
            try:
                result = worker.answer(what, arguments)
            except Exception as error:  # noqa: BLE001 - it is told to whoever asked
                say(False, error)
            else:
                say(True, result)
    finally:
        worker.close()


def main() -> None:
    """Be the process. The keyboard and SIGTERM are for the one that asks, which then lets this one end."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Nothing else may write where the answers go.
    said = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        serve(sys.stdin.buffer, said)
    except BrokenPipeError:
        os._exit(1)


if __name__ == "__main__":
    main()
