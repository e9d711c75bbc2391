"""The engine and the publisher of a live night, in a process of their own.

Deciding commands and building cuts would keep the model from its turn if they shared an interpreter
with it. `Office` starts `python -m simulator.live.office` and asks it one thing at a time; the process ends
when nobody asks any more, and holds the folder of the run until then, so that a restart waits for it.
The order of things is decided by whoever asks.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from core.domain.commands import AnyCommand
from core.errors import PrepError
from simulator.night.feed import Outcome, outcome_of

if TYPE_CHECKING:
    from core.operations.pulses import Pulse
    from core.publication.cut import CutReport
    from core.publishing.office import PublicationOffice
    from simulator.night.publication_faults import Spoiling
    from simulator.night.showing import Showing

PULSES = "latidos"
"""What the other process is told before a list of pulses."""
DRAIN = "destinos"
"""The same before how long the destinations are waited for, in seconds."""
NICE = 5
"""How much later than the model it gets its turn, where the machine is short."""


class OfficeError(PrepError):
    """The process that writes ended badly; what it had recorded is whole."""


class Office:
    """The other process, as the one that runs the model sees it. Only one thread may use it.

    `folder` is where cuts go, None for none, and `destinations` the addresses they are taken to; `images`
    is the part of the actas whose image is in it, None without images, and `spoiling` what of the scenario
    spoils what is published; `rehearsal` names the public log of the night, and `lock` is the open file that
    holds the folder of the run.
    Raises OfficeError when the process does not answer, and what it raised when it refused.
    """

    def __init__(
        self,
        database: Database,
        folder: Path | None,
        mode: str,
        lock: IO[bytes] | None,
        *,
        destinations: Sequence[str] = (),
        images: float | None = None,
        spoiling: Spoiling | None = None,
        rehearsal: str = "",
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulator.live.office"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            pass_fds=() if lock is None else (lock.fileno(),),
        )
        url = database.url.render_as_string(hide_password=False)
        self._ask(
            {
                "base": url, "folder": folder, "mode": mode, "destinations": tuple(destinations),
                "images": images, "spoiling": spoiling, "rehearsal": rehearsal,
            }
        )  # fmt: skip

    def execute(self, commands: list[AnyCommand], times: list[int]) -> Outcome:
        """Have a batch recorded; what became of it."""
        outcome: Outcome = self._ask((commands, times))
        return outcome

    def cut(self, at: int, *, stopped: str, next_ms: int | None) -> CutReport:
        """Have a cut published, or told as missed when the publisher is `stopped`; the last has no next."""
        report: CutReport = self._ask((at, (stopped, next_ms)))
        return report

    def drain(self, timeout_s: float) -> tuple[bool, list[dict[str, Any]]]:
        """Wait for the destinations, at most that long: whether all are up to date, and how each is."""
        found: tuple[bool, list[dict[str, Any]]] = self._ask((DRAIN, timeout_s))
        return found

    def pulses(self, pulses: list[Pulse]) -> None:
        """Have pulses recorded."""
        self._ask((PULSES, pulses))

    def close(self) -> None:
        """Let it end, with what it is doing done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            # It may be dead, with something still on its way to it.
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, what: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL))
            self._process.stdin.flush()
            done, result = pickle.load(self._process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise OfficeError(
                "El proceso que escribe en la base terminó; lo guardado está completo y --continuar sigue."
            ) from error
        if not done:
            raise result
        return result


class _Desk:
    """What the process has open: the database, the publisher and what takes its cuts away."""

    def __init__(self, first: dict[str, Any]) -> None:
        from core.engine import Engine
        from core.storage.database import open_existing
        from core.storage.store import Store

        self._store = Store(open_existing(first["base"]))
        self._engine = Engine(self._store, self._store.load_catalog(), first["mode"])
        self._publisher: PublicationOffice | None = None
        self._showing: Showing | None = None
        if first["folder"] is not None:
            self._publish_into(
                first["folder"], first["destinations"], first["images"], first["spoiling"], first["rehearsal"]
            )

    def answer(self, one: Any, other: Any) -> Any:
        """Do one thing. Raises what went wrong."""
        if one == PULSES:
            from core.operations.pulses import record_pulses

            return record_pulses(self._store.database, other)
        if isinstance(one, list):
            if self._showing is not None and other:
                self._showing.hour(other[-1])
            return outcome_of(self._engine.execute(one, other))
        assert self._showing is not None
        if one == DRAIN:
            return self._showing.drain(other)
        assert self._publisher is not None
        stopped, next_ms = other
        self._showing.begins(one)
        report = self._publisher.attempt(one, last=next_ms is None, stopped=stopped, next_ms=next_ms)
        self._showing.reported(report, next_ms, stopped=stopped)
        return report

    def close(self) -> None:
        """Let everything go."""
        try:
            if self._showing is not None:
                self._showing.close()
        finally:
            self._store.close()
            self._store.database.dispose()

    def _publish_into(
        self,
        folder: Path,
        specs: Sequence[str],
        images: float | None,
        spoiling: Spoiling | None,
        rehearsal: str,
    ) -> None:
        from core.publishing.assembly import publication
        from core.publishing.worker import signing_key
        from simulator.night.publication_faults import interference_of
        from simulator.night.showing import open_showing

        engine = self._engine
        store = None
        if images is not None:
            from core.images.store import ImageStore

            store = ImageStore(folder)
        key = signing_key(engine.catalog, engine.mode, rehearsal=rehearsal)
        self._publisher = publication(
            engine, self._store.database, folder, key=key, images=store,
            interfere=interference_of(spoiling, engine.catalog, store),
        )  # fmt: skip
        self._showing = open_showing(folder, specs, engine.mode, engine.operation, all_images=images == 1)


def _serve(asked: IO[bytes], said: IO[bytes]) -> None:
    """Open the database and answer until nobody asks."""
    desk = None
    try:
        desk = _Desk(pickle.load(asked))
        result: Any = None
        while True:
            pickle.dump((True, result), said, protocol=pickle.HIGHEST_PROTOCOL)
            said.flush()
            try:
                one, other = pickle.load(asked)
            except EOFError:
                return
            result = desk.answer(one, other)
    except Exception as error:
        told = _portable(error)
        pickle.dump((False, told), said)
        said.flush()
        if not isinstance(told, PrepError):
            raise
    finally:
        if desk is not None:
            desk.close()


def _portable(error: Exception) -> Exception:
    """The error itself when it can cross to the other process, or one that says the same."""
    if isinstance(error, SQLAlchemyError):
        line = str(error).strip().partition("\n")[0]
        return OfficeError(
            f"La base de datos no responde: {line}. Lo guardado está completo y --continuar sigue."
        )
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever an exception of a library raises when it is copied
        return OfficeError(f"{type(error).__name__}: {error}")
    return error


def main() -> None:
    """Be the process. The keyboard stops the one that runs the model, which then lets this one end."""
    from core.cli import collect_less_often

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Where there is not enough machine for both, the clock goes first and the database follows.
    os.nice(NICE)
    collect_less_often()
    # Nothing else may write where the answers go.
    said = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        _serve(sys.stdin.buffer, said)
    except BrokenPipeError:
        # Whoever asked was killed.
        os._exit(1)


if __name__ == "__main__":
    # By its own name: what goes to the other process must be of a module it can find.
    from simulator.live import office

    office.main()
