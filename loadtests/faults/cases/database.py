"""The database goes away under everybody: the server is killed, the file is locked, the file is moved."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from loadtests.faults.cases.writer import BUSY, continue_night, night_ended
from loadtests.faults.drill import Drill
from loadtests.faults.model import Fault, Signal
from loadtests.faults.processes import wait_until

LOCKED_S = 40.0
"""Longer than anybody waits for the file (30 s, `core.storage.database`)."""


class _Gone(Fault):
    """What is common: who notices that the database does not answer, and how everybody comes back."""

    family = "base"
    invariant = "lo asentado queda; nadie publica de una base a medias; la noche termina igual"
    by_itself = False
    others_s = 12.0

    def prepare(self, drill: Drill, case: str) -> None:
        drill.pace(BUSY)
        time.sleep(0.5)

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {
            "la corrida termina y lo dice": lambda: night_ended(drill),
            "alarma del publicador": lambda: alarm(drill, "servicio"),
            "alerta de la sala": lambda: drill.alert("A12"),
        }

    def back(self, drill: Drill) -> str:
        """Everybody at work again after the database is there."""
        self.since = time.monotonic()
        how = "el publicador y la sala siguen solos"
        assert drill.night is not None and drill.publisher is not None
        if not drill.publisher.alive:
            drill.start_publisher()
            how = "se vuelve a arrancar el publicador; la sala sigue sola"
        wait_until("el publicador vuelve", lambda: alarm(drill, "servicio") is None, 60)
        if "sala" in drill.size.parts:
            wait_until("la sala vuelve", lambda: drill.health().get("ok"), 60)
        if drill.night.alive:
            drill.pace(1.0)
            drill.cut()
            return f"{how}; la corrida también"
        continue_night(drill)
        return f"{how}; la corrida, con `--continuar`"


class ServerKilled(_Gone):
    """PostgreSQL, every process of it, SIGKILL."""

    key = "base-muerta"
    title = "Muere el servidor de la base (PostgreSQL)"
    what = "SIGKILL a PostgreSQL y a todos sus procesos, con órdenes en camino (noche a ×600)"
    needs = frozenset({"postgres", "sala"})

    def cases(self, short: bool) -> tuple[str, ...]:
        return ("primera", "segunda")

    def inject(self, drill: Drill, case: str) -> float:
        assert drill.postgres is not None
        at = time.monotonic()
        drill.postgres.kill()
        return at

    def recover(self, drill: Drill, case: str) -> str:
        assert drill.postgres is not None
        drill.postgres.start()
        return f"se vuelve a arrancar PostgreSQL; {self.back(drill)}"


class FileLocked(_Gone):
    """Somebody keeps the write lock of the SQLite file."""

    key = "base-bloqueada"
    title = "La base queda bloqueada (SQLite)"
    what = f"otro proceso retiene {LOCKED_S:.0f} s el candado de escritura del archivo (noche a ×600)"
    needs = frozenset({"sqlite"})

    def inject(self, drill: Drill, case: str) -> float:
        self._holder = sqlite3.connect(drill.base, isolation_level=None, timeout=30)
        self._holder.execute("BEGIN IMMEDIATE")
        self._at = time.monotonic()
        return self._at

    def recover(self, drill: Drill, case: str) -> str:
        time.sleep(max(0.0, self._at + LOCKED_S - time.monotonic()))
        self.undo(drill, case)
        return f"se suelta el candado; {self.back(drill)}"

    def undo(self, drill: Drill, case: str) -> None:
        with contextlib.suppress(AttributeError, sqlite3.Error):
            self._holder.rollback()
            self._holder.close()


class FileMoved(_Gone):
    """Somebody moves the SQLite file and later puts it back."""

    key = "base-movida"
    title = "Se mueve el archivo de la base (SQLite)"
    what = "se cambian de nombre la base y sus archivos -wal y -shm; luego se devuelven"
    needs = frozenset({"sqlite", "sala"})

    def inject(self, drill: Drill, case: str) -> float:
        drill.pace(1.0)
        drill.come_slot()
        for path in _files(drill):
            path.rename(path.with_name(f"{path.name}.movida"))
        return time.monotonic()

    def recover(self, drill: Drill, case: str) -> str:
        self.undo(drill, case)
        return f"se devuelven los archivos; {self.back(drill)}"

    def undo(self, drill: Drill, case: str) -> None:
        for path in _files(drill):
            moved = path.with_name(f"{path.name}.movida")
            if moved.exists():
                moved.replace(path)


def _files(drill: Drill) -> list[Path]:
    base = Path(drill.base)
    return [
        path
        for path in (base, Path(f"{base}-wal"), Path(f"{base}-shm"))
        if path.exists() or (path.with_name(f"{path.name}.movida").exists())
    ]


def alarm(drill: Drill, *keys: str) -> str | None:
    """An alarm of the publisher, in words; also that it ended."""
    for one in drill.publisher_state().get("alarmas", ()):
        if one["clave"] in keys:
            return f"alarma {one['clave']}: {one['texto']}"
    return None
