"""Serving the room: the web process (granian, one worker, eight threads) and its writer, together.

The parent only supervises. The writer is a child `prep sala escritor`: it is started again if it dies. Each
child goes away by itself when its parent does, however the parent ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from control_room.web.context import RoomOptions
from core.errors import PrepError

THREADS = 8
STOP_S = 2
"""How long the web process and the writer may take to leave before they are made to."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0
"""Before starting the writer again: longer each time it dies soon."""
LIVED_S = 30.0
WATCH_S = 0.5
CHILD = "PREP_SALA_HIJO"
"""In the environment of a writer that `prep sala` started: the process it belongs to."""


def leave_with_parent(parent: int) -> None:
    """End this process when the one that started it is gone, even if it was killed before this was called."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_S)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_S)
        os._exit(1)

    threading.Thread(target=watch, name="padre", daemon=True).start()


class WriterChild:
    """The writer as a child process that is started again while the room serves."""

    def __init__(self, command: Sequence[str], note: Callable[[str], None]) -> None:
        self._command = list(command)
        self._note = note
        self._process: subprocess.Popen[bytes] | None = None
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="escritor", daemon=True)

    def start(self) -> None:
        """Start it, and start looking after it."""
        self._spawn()
        self._thread.start()

    def ask_to_leave(self) -> subprocess.Popen[bytes] | None:
        """Tell it to leave, without waiting; its process, when there is one."""
        self._leaving.set()
        with self._lock:
            process = self._process
        if process is not None:
            process.terminate()
        return process

    def close(self) -> None:
        """Stop it: politely, and then not."""
        process = self.ask_to_leave()
        if process is None:
            return
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _spawn(self) -> None:
        with self._lock:
            if not self._leaving.is_set():
                # Out of reach of the keyboard: it leaves when it is told to, with the children of its own.
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                    env={**os.environ, CHILD: str(os.getpid())},
                )

    def _keep(self) -> None:
        pause, started = FIRST_PAUSE_S, time.monotonic()
        while True:
            assert self._process is not None
            code = self._process.wait()
            if self._leaving.is_set():
                return
            pause = FIRST_PAUSE_S if time.monotonic() - started > LIVED_S else min(2 * pause, LONGEST_PAUSE_S)
            self._note(f"El escritor terminó (código {code}); se vuelve a arrancar en {pause:.0f} s.")
            if self._leaving.wait(pause):
                return
            started = time.monotonic()
            self._spawn()


def writer_command(options: RoomOptions) -> list[str]:
    """The command line of the writer of a room."""
    start = "from core.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", start, "sala", "escritor", "--base", options.base]
    command += ["--sala", str(options.folder)]
    for name, value in (
        ("--config", options.config),
        ("--escenario", options.scenario),
        ("--corrida", options.run_folder),
        ("--publico", options.public),
    ):
        if value is not None:
            command += [name, str(value)]
    return command


def load(options: RoomOptions, parent: int, _target: str) -> Any:
    """In the worker: the application. The worker leaves when its parent does."""
    from control_room.app import application

    leave_with_parent(parent)
    return application(options)


def serve(
    options: RoomOptions,
    writer: WriterChild | None,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Serve until interrupted. The writer, when there is one, starts before and stops after."""
    import multiprocessing

    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    # A copy of this process would share its threads and its connections half made.
    multiprocessing.set_start_method("spawn", force=True)

    class RoomServer(Server):  # type: ignore[valid-type, misc]
        """Granian, which tells the writer to leave at the same time as its own worker."""

        def shutdown(self, exit_code: int = 0) -> None:
            if writer is not None:
                writer.ask_to_leave()
            super().shutdown(exit_code)

    server = RoomServer(
        "control_room",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        log_level=LogLevels.error,
        workers_kill_timeout=STOP_S,
        respawn_failed_workers=True,
        ssl_cert=certificate,
        ssl_key=key,
    )
    if writer is not None:
        server.on_startup(writer.start)
    try:
        server.serve(target_loader=partial(load, options, os.getpid()), wrap_loader=True)
    except SystemExit as error:
        raise PrepError("El proceso web de la sala terminó solo; lo que dijo está arriba.") from error
    finally:
        if writer is not None:
            writer.close()
