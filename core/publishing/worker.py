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

import orjson
from sqlalchemy.exc import SQLAlchemyError

from core.errors import PrepError, UsageError
from core.publishing.failures import FolderBusyError, told

if TYPE_CHECKING:
    from core.domain.catalog import Catalog
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


def check_folder(workdir: Path, last_cut: int) -> None:
    """See that the public log of the folder goes on from the cuts of the database.

    Raises UsageError when it has not the last one: a log begun again would be another history with the same
    signature, and everybody who kept a copy would say so.
    """
    from core.transparency.log import LogReader

    if not last_cut:
        return
    numbers = set()
    if (workdir / "checkpoint").is_file():
        entries = LogReader(lambda key: (workdir / key).read_bytes()).entries()
        numbers = {one["corte"] for one in map(orjson.loads, entries) if one["clase"] == "emision"}
    if last_cut not in numbers:
        raise UsageError(
            f"La base ya tiene {last_cut} cortes y la bitácora pública de la carpeta «{workdir}» no tiene el "
            "último. Publique en la carpeta donde se publicaron, o traiga a esta una copia de un destino."
        )


def signing_key(
    catalog: Catalog,
    mode: str,
    key_file: Path | None = None,
    passphrase: bytes | None = None,
    *,
    seed_text: str | None = None,
) -> SigningKey:
    """The key of the public log: that of a file, or in a rehearsal one made for it.

    The one made depends on `seed_text`, by default the fingerprint of the catalogue.

    Raises UsageError in official mode without a file.
    """
    from core.transparency.keys import load_key, origin_of, rehearsal_key

    if key_file is not None:
        return load_key(key_file, passphrase, mode=mode)
    if mode != "simulacro":
        raise UsageError("En modo oficial hace falta la llave que firma: --llave ARCHIVO.")
    origin = origin_of(catalog.entidad.abbreviation, catalog.election, mode)
    return rehearsal_key(origin, seed_text or catalog.fingerprint())


class Worker:
    """Answers what it is asked."""

    def __init__(self, config: WorkerConfig) -> None:
        from core.engine import Engine
        from core.publishing.assembly import publication
        from core.storage.database import open_existing
        from core.storage.store import Store

        self._lock = take_folder(config.workdir)
        self._store = Store(open_existing(config.base))
        catalog = self._store.load_catalog()
        engine = Engine(self._store, catalog, config.mode)
        key = signing_key(catalog, config.mode, config.key_file, config.passphrase) if config.signed else None
        images = None
        if config.images is not None:
            from core.images.store import ImageStore

            images = ImageStore(config.images)
        self._office = publication(
            engine, self._store.database, Path(config.workdir), key=key, images=images,
            witnesses=config.witnesses, threshold=config.threshold,
        )  # fmt: skip
        if key is not None:
            # After the publisher finished what another one left half done.
            check_folder(Path(config.workdir), engine.operation.last_cut)

    def answer(self, what: str, arguments: tuple[Any, ...]) -> Any:
        office = self._office
        if what == "estado":
            return office.state(*arguments)
        if what == "corte":
            at, last, next_ms = arguments
            return office.cut(at, last=last, next_ms=next_ms)
        if what == "cofirmas":
            return office.attest(*arguments)
        if what == "perdidas":
            slots, at, reason, notice = arguments
            return office.missed(slots, at, reason, notice=notice)
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
