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
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import Engine as Database

from core.domain.commands import AnyCommand
from core.errors import PrepError
from simulator.night.feed import Outcome, outcome_of

if TYPE_CHECKING:
    from core.operations.pulses import Pulse
    from core.publication.cut import CutReport


PULSES = "latidos"
"""What the other process is told before a list of pulses."""
NICE = 5
"""How much later than the model it gets its turn, where the machine is short."""


class OfficeError(PrepError):
    """The process that writes ended badly; what it had recorded is whole."""


class Office:
    """The other process, as the one that runs the model sees it. Only one thread may use it.

    `folder` is where cuts go, None for none; `lock` the open file that holds the folder of the run.
    Raises OfficeError when the process does not answer, and what it raised when it refused.
    """

    def __init__(self, database: Database, folder: Path | None, mode: str, lock: IO[bytes] | None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulator.live.office"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            pass_fds=() if lock is None else (lock.fileno(),),
        )
        url = database.url.render_as_string(hide_password=False)
        self._ask({"base": url, "folder": folder, "mode": mode})

    def execute(self, commands: list[AnyCommand], times: list[int]) -> Outcome:
        """Have a batch recorded; what became of it."""
        outcome: Outcome = self._ask((commands, times))
        return outcome

    def cut(self, at: int, *, last: bool, stopped: str = "") -> CutReport:
        """Have a cut published, or told as missed when the publisher is `stopped`."""
        report: CutReport = self._ask((at, (last, stopped)))
        return report

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


def _serve(asked: IO[bytes], said: IO[bytes]) -> None:
    """Open the database and answer until nobody asks."""
    from core.engine import Engine
    from core.operations.pulses import record_pulses
    from core.storage.database import open_existing
    from core.storage.store import Store

    first = pickle.load(asked)
    store = Store(open_existing(first["base"]))
    try:
        engine = Engine(store, store.load_catalog(), first["mode"])
        publisher = None
        if first["folder"] is not None:
            from core.publishing.assembly import publication
            from core.publishing.worker import signing_key

            key = signing_key(engine.catalog, engine.mode)
            publisher = publication(engine, store.database, first["folder"], key=key)
        result: Any = None
        while True:
            pickle.dump((True, result), said, protocol=pickle.HIGHEST_PROTOCOL)
            said.flush()
            try:
                one, other = pickle.load(asked)
            except EOFError:
                return
            if one == PULSES:
                record_pulses(store.database, other)
                result = None
            elif isinstance(one, list):
                result = outcome_of(engine.execute(one, other))
            else:
                assert publisher is not None
                last, stopped = other
                result = publisher.attempt(one, last=last, stopped=stopped)
    except Exception as error:
        pickle.dump((False, _portable(error)), said)
        said.flush()
        raise
    finally:
        store.close()
        store.database.dispose()


def _portable(error: Exception) -> Exception:
    """The error itself when it can cross to the other process, or one that says the same."""
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
    main()
