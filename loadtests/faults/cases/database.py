"""The database goes away under everybody: the server is killed, the file is locked, the file is moved."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from loadtests.faults import records
from loadtests.faults.cases.writer import BUSY, SAID_WHY, SAME_NIGHT, continue_night, ended
from loadtests.faults.checks import NOTHING_LOST, PUBLIC_VERIFIES, publication_verifies
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import RehearsalError, last_line, read_json, wait_until

LOCKED_S = 40.0
"""Longer than anybody waits for the file (30 s, `core.storage.database`)."""
TRIES_S = 30.0
"""How long the publisher is given to try the cut that is due, and to say that it cannot."""
QUIET_S = 90.0
NEAR_MS = 20_000
"""How long before a slot a fault begins."""
TRIED = "el publicador intenta el corte de la ranura y dice que no puede"
NO_CUT = "llega una ranura y no sale ningún corte sin base"
STILL_WHOLE = "prep verificar de lo público sin base"
RECORDED = "el corte público es el que asentó la bitácora"


class _Gone(Fault):
    """What is common: who notices that the database does not answer, and how everybody comes back."""

    family = "base"
    promises: Mapping[str, tuple[str, ...]] = {
        "lo asentado queda": (NOTHING_LOST,),
        "nadie publica de una base a medias": (TRIED, NO_CUT, STILL_WHOLE, RECORDED, PUBLIC_VERIFIES),
        "quien se detiene dice por qué": (SAID_WHY,),
        "la noche termina igual": SAME_NIGHT,
    }
    by_itself = False
    others_s = 12.0

    def prepare(self, drill: Drill, case: str) -> None:
        # What an earlier time left must not be what gives this one away; and then the night goes fast.
        for name, look in self.signals(drill, case).items():
            wait_until(f"calla «{name}»", partial(_silent, look), QUIET_S)
        drill.pace(BUSY)
        time.sleep(0.5)

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {
            "la corrida termina y lo dice": lambda: ended(drill.night),
            "alarma del publicador": lambda: alarm(drill, "servicio"),
            "alerta de la sala": lambda: drill.alert("A12"),
        }

    def come_hour(self, drill: Drill) -> None:
        """The hour of a cut comes for the publisher, with nothing behind it."""
        self._cut = drill.public_cut()
        drill.clock.set(drill.next_slot())

    def during(self, drill: Drill, case: str) -> list[Check]:
        assert drill.night is not None
        tried = ""
        with contextlib.suppress(RehearsalError):
            tried = wait_until(
                "el publicador lo intenta",
                lambda: alarm(drill, "servicio") or ended(drill.publisher),
                TRIES_S,
            )
        cut, said = drill.public_cut(), drill.night.said()
        whole = publication_verifies(drill.public, STILL_WHOLE)
        return [
            # Without it, that no cut came out proves nothing.
            Check(TRIED, bool(tried), str(tried)),
            Check(NO_CUT, cut == self._cut, f"era el {self._cut} y es el {cut}"),
            whole,
            Check(SAID_WHY, drill.night.alive or ended(drill.night) is not None, last_line(said)),
        ]

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

    def checks(self, drill: Drill, case: str) -> list[Check]:
        return [public_is_recorded(drill)]


class ServerKilled(_Gone):
    """PostgreSQL, every process of it, SIGKILL. The machine goes on: what it was given to write is kept."""

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
        self.come_hour(drill)
        return at

    def recover(self, drill: Drill, case: str) -> str:
        assert drill.postgres is not None
        drill.postgres.start()
        return f"se vuelve a arrancar PostgreSQL; {self.back(drill)}"


class FileLocked(_Gone):
    """Somebody keeps the write lock of the SQLite file."""

    key = "base-bloqueada"
    title = "La base queda bloqueada (SQLite)"
    what = (
        f"otra conexión, del ensayo, retiene {LOCKED_S:.0f} s o más el candado de escritura del archivo "
        "(noche a ×600)"
    )
    needs = frozenset({"sqlite"})

    def inject(self, drill: Drill, case: str) -> float:
        self._holder = sqlite3.connect(drill.base, isolation_level=None, timeout=30)
        self._holder.execute("BEGIN IMMEDIATE")
        self._at = time.monotonic()
        self.come_hour(drill)
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
    promises: Mapping[str, tuple[str, ...]] = {
        "lo asentado queda": (NOTHING_LOST,),
        "lo que salga mientras tanto está asentado en ella cuando vuelve": (
            STILL_WHOLE, RECORDED, PUBLIC_VERIFIES,
        ),
        "nadie empieza otra base en su lugar": ("no aparece otra base donde estaba",),
        "quien se detiene dice por qué": (SAID_WHY,),
        "la noche termina igual": SAME_NIGHT,
    }  # fmt: skip
    needs = frozenset({"sqlite", "sala"})

    def prepare(self, drill: Drill, case: str) -> None:
        drill.pace(1.0)
        if drill.next_slot() - drill.clock.right_ms() < 2 * NEAR_MS:
            drill.cut()
        drill.forward(drill.next_slot() - NEAR_MS)

    def inject(self, drill: Drill, case: str) -> float:
        for path in _files(drill):
            path.rename(path.with_name(f"{path.name}.movida"))
        at = time.monotonic()
        self.come_hour(drill)
        return at

    def during(self, drill: Drill, case: str) -> list[Check]:
        # Who had the file open goes on writing in it, whatever its name: a cut may go out, of that base.
        found = [check for check in super().during(drill, case) if check.name not in (TRIED, NO_CUT)]
        there = Path(drill.base).exists()
        return [*found, Check("no aparece otra base donde estaba", not there, drill.base)]

    def recover(self, drill: Drill, case: str) -> str:
        self.undo(drill, case)
        return f"se devuelven los archivos; {self.back(drill)}"

    def undo(self, drill: Drill, case: str) -> None:
        for path in _files(drill):
            moved = path.with_name(f"{path.name}.movida")
            if moved.exists():
                moved.replace(path)


def _silent(look: Signal) -> bool:
    return look() is None


def _files(drill: Drill) -> list[Path]:
    base = Path(drill.base)
    return [
        path
        for path in (base, Path(f"{base}-wal"), Path(f"{base}-shm"))
        if path.exists() or (path.with_name(f"{path.name}.movida").exists())
    ]


def public_is_recorded(drill: Drill) -> Check:
    """What the public sees is a cut of the log, by its number and manifest, and none was recorded twice."""
    pointer, cuts = read_json(drill.public / "corte.json"), records.cuts(drill.base)
    seen = (pointer.get("corte"), pointer.get("manifiesto_sha256"))
    once = [number for number, _ in cuts] == list(range(1, len(cuts) + 1))
    return Check(RECORDED, seen in cuts and once, f"{seen}; en la bitácora {[n for n, _ in cuts][-5:]}")


def alarm(drill: Drill, *keys: str) -> str | None:
    """An alarm of the publisher, in words."""
    for one in drill.publisher_state().get("alarmas", ()):
        if one["clave"] in keys:
            return f"alarma {one['clave']}: {one['texto']}"
    return None
