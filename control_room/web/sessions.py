"""Sessions on the server's side, and the log of who entered and what was denied.

The cookie holds a random token; the database only its SHA-256. A session ends by itself (absolute length,
and idle for those that are not a wall), by leaving, or because somebody ended it. Nothing here reads a
request. Times are real ms UTC given by the caller, except `ms` of the log, which is of the night.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Engine, select, update
from sqlalchemy.exc import SQLAlchemyError

from control_room.room_db import access_log, sessions, users
from control_room.web.flood import Flood
from control_room.web.limits import AccessLimits
from control_room.web.roles import LECTURA
from control_room.web.users import MS_PER_MINUTE, User

LOG = logging.getLogger("prep.sala")
MS_PER_HOUR = 60 * MS_PER_MINUTE
REMEMBERED_MS = 5_000
"""How long a session is believed without reading it again: longer than two polls of a page.

What another process ends is seen by then; what this one ends, at once.
"""
TOUCH_MS = 30_000
"""The last use is written no more often than this."""
OF_ANYBODY = frozenset({"falla", "bloqueo"})
"""Lines of the access log that somebody without a session may cause."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who is behind a request."""

    digest: str
    user: str
    name: str
    role: str
    csrf: str
    origin: str
    """`local` or `oidc`."""
    started_ms: int
    last_ms: int
    expires_ms: int


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    """Sessions in `sala.db`, with the last ones remembered. Every method may be called from any thread."""

    def __init__(self, room: Engine, limits: AccessLimits) -> None:
        self._room = room
        self._limits = limits
        self._remembered: dict[str, tuple[int, Session]] = {}
        """When it was read, and what was read."""
        self._endings = 0
        self._lock = threading.Lock()

    def start(self, user: User, address: str, now_ms: int, origin: str = "local") -> tuple[str, Session]:
        """A new session; the token for the cookie and what it stands for."""
        token = secrets.token_urlsafe(32)
        hours = self._limits.muro_horas if user.role == LECTURA else self._limits.sesion_horas
        session = Session(
            _digest(token), user.user, user.name, user.role, secrets.token_urlsafe(24), origin,
            now_ms, now_ms, now_ms + hours * MS_PER_HOUR,
        )  # fmt: skip
        row = {
            "huella": session.digest,
            "usuario": session.user,
            "nombre": session.name,
            "rol": session.role,
            "origen": origin,
            "csrf": session.csrf,
            "inicio_ms": now_ms,
            "ultima_ms": now_ms,
            "vence_ms": session.expires_ms,
            "direccion": address,
        }
        with self._room.begin() as connection:
            connection.execute(sessions.insert(), row)
        return token, session

    def find(self, token: str, now_ms: int, *, touch: bool) -> Session | None:
        """The living session of a token; None when there is none.

        `touch` says that a person did something, which puts off the idle end. The page's own polling does
        not: it would keep a forgotten desk open for ever.
        """
        digest = _digest(token)
        with self._lock:
            seen = self._remembered.get(digest)
            endings = self._endings
        read_ms = now_ms
        if seen is not None and 0 <= now_ms - seen[0] < REMEMBERED_MS:
            read_ms = seen[0]
            session: Session | None = seen[1]
        else:
            session = self._read(digest)
        if session is None or not self._alive(session, now_ms):
            self._forget(digest)
            return None
        if touch and now_ms - session.last_ms >= TOUCH_MS:
            session = replace(session, last_ms=now_ms)
            with self._room.begin() as connection:
                connection.execute(
                    update(sessions).where(sessions.c.huella == digest).values(ultima_ms=now_ms)
                )
        if seen is None or session is not seen[1]:
            with self._lock:
                # What was read before a session ended says nothing of it after.
                if endings == self._endings:
                    self._remembered[digest] = (read_ms, session)
        return session

    def end(self, digest: str, now_ms: int, why: str) -> None:
        """End one session."""
        self._end(sessions.c.huella == digest, now_ms, why)

    def end_all(self, user: str, now_ms: int, why: str, but: str = "") -> int:
        """End every session of a user, except the one with digest `but`; how many there were."""
        living = (sessions.c.usuario == user) & (sessions.c.huella != but) & (sessions.c.vence_ms > now_ms)
        return self._end(living, now_ms, why)

    def last_role(self, user: str) -> str | None:
        """The role a person has, or had the last time it entered; None when it never did."""
        with self._room.connect() as connection:
            own = connection.execute(select(users.c.rol).where(users.c.usuario == user)).scalar_one_or_none()
            if own is not None:
                return str(own)
            found = connection.execute(
                select(sessions.c.rol)
                .where(sessions.c.usuario == user)
                .order_by(sessions.c.inicio_ms.desc())
                .limit(1)
            ).scalar_one_or_none()
        return None if found is None else str(found)

    # ------------------------------------------------------------------------------------------

    def _end(self, which: ColumnElement[bool], now_ms: int, why: str) -> int:
        query = update(sessions).where(which, sessions.c.cerrada_ms.is_(None))
        with self._room.begin() as connection:
            ended = connection.execute(query.values(cerrada_ms=now_ms, cierre=why)).rowcount
        with self._lock:
            self._endings += 1
            self._remembered.clear()
        return ended

    def _forget(self, digest: str) -> None:
        with self._lock:
            self._remembered.pop(digest, None)

    def _alive(self, session: Session, now_ms: int) -> bool:
        if now_ms >= session.expires_ms:
            return False
        idle_ms = self._limits.inactividad_min * MS_PER_MINUTE
        return session.role == LECTURA or now_ms - session.last_ms < idle_ms

    def _read(self, digest: str) -> Session | None:
        # The role of a local user is the one it has today, and one that was closed has none.
        query = (
            select(sessions, users.c.rol.label("hoy"), users.c.baja_ms)
            .select_from(sessions.outerjoin(users, sessions.c.usuario == users.c.usuario))
            .where(sessions.c.huella == digest, sessions.c.cerrada_ms.is_(None))
        )
        with self._room.connect() as connection:
            row = connection.execute(query).first()
        if row is None or (row.origen == "local" and (row.hoy is None or row.baja_ms is not None)):
            return None
        role = row.hoy if row.origen == "local" else row.rol
        return Session(
            row.huella, row.usuario, row.nombre, role, row.csrf, row.origen,
            row.inicio_ms, row.ultima_ms, row.vence_ms,
        )  # fmt: skip


class AccessLog:
    """Append-only: who entered, failed, was locked, was denied, changed users, acted. In `sala.db`.

    What anybody may cause without a session is bounded (`flood`): past so many lines a minute they are
    counted, and the count is a line of its own when the minute is over. A process that is killed loses the
    count of its last minute.
    """

    def __init__(self, room: Engine, night_ms: Callable[[], int], real_ms: Callable[[], int]) -> None:
        self._room = room
        self._night_ms = night_ms
        self._real_ms = real_ms
        self._flood = Flood()

    def write(self, what: str, user: str, role: str, address: str, detail: str = "") -> bool:
        """One line: `what` is a word (entra, falla, bloqueo, sale, negado, accion…).

        False when it was only counted.
        """
        now = self._real_ms()
        self.settle(now)
        if what in OF_ANYBODY and not self._flood.admits(what, address, now):
            return False
        self._append(what, user, role, address, detail)
        return True

    def settle(self, now_ms: int | None = None) -> None:
        """Write the counts of a minute that is over. It costs nothing while there are none."""
        for one in self._flood.ended(self._real_ms() if now_ms is None else now_ms):
            where = "" if one.address else ", desde otras direcciones"
            text = f"{one.lines:,} más en el mismo minuto{where}"
            try:
                self._append(one.what, "", "", one.address, text)
            except SQLAlchemyError as error:
                # Whoever came by has nothing to do with it.
                LOG.error("no se pudo escribir «%s» en el registro de accesos", text, exc_info=error)

    def close(self) -> None:
        """Write the counts of the minute that goes on."""
        self.settle(self._real_ms() + MS_PER_MINUTE)

    def _append(self, what: str, user: str, role: str, address: str, detail: str) -> None:
        row = {
            "ms": self._night_ms(),
            "ms_real": self._real_ms(),
            "que": what,
            "usuario": user[:64],
            "rol": role,
            "direccion": address,
            "detalle": detail[:500],
        }
        with self._room.begin() as connection:
            connection.execute(access_log.insert(), row)
