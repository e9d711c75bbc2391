"""The users of the room and their passwords (scrypt), and the locks after too many failures.

Failures lock a user at the address they came from. Many of one address, or of one user from many addresses,
lock only whoever never entered from there: nobody elsewhere keeps another person out of his desk.

Knows nothing of cookies or requests. A user is never deleted: `remove` closes it, so that the log keeps
its meaning. Times are real ms UTC, given by the caller.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Engine, func, select, update
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from control_room.room_db import failures, sessions, users
from control_room.web.limits import AccessLimits
from control_room.web.roles import ROLES
from core.errors import PrepError, UsageError

SCRYPT = "scrypt:32768:8:1"
"""16 MiB·2 and about 0.1 s per attempt."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
_LONGEST_PASSWORD = 256
MS_PER_MINUTE = 60_000
AT_ONCE = 2
"""Passwords hashed at a time: each takes a core for a tenth of a second."""
IN_LINE = 2
"""Requests that wait for their turn to hash; one more is told to come back, and leaves its thread."""


class BusyError(PrepError):
    """Too many passwords are being looked at; answered with 503."""

    def __init__(self) -> None:
        super().__init__("Hay muchas entradas a la vez. Espere unos segundos y vuelva a intentar.")


@dataclass(frozen=True, slots=True)
class User:
    """A user that may enter."""

    user: str
    name: str
    role: str


class Verdict(NamedTuple):
    """What a login attempt gave: the user, or for how long more it is locked, or neither."""

    user: User | None
    locked_ms: int = 0
    locks_now: bool = False
    """This failure is the one that locked the user or the address."""


class Users:
    """Users in `sala.db`. Every method may be called from any thread."""

    def __init__(self, room: Engine, limits: AccessLimits, method: str = SCRYPT) -> None:
        self._room = room
        self._limits = limits
        self._method = method
        self._nobody = generate_password_hash("nadie", method)
        # A storm of attempts must leave threads for the walls: few hash, few wait, the rest go away.
        self._hashing = threading.BoundedSemaphore(AT_ONCE)
        self._line = threading.BoundedSemaphore(AT_ONCE + IN_LINE)

    def list(self) -> list[dict[str, object]]:
        """Every user, those that were closed too, without their hashes."""
        query = select(users).order_by(users.c.usuario)
        with self._room.connect() as connection:
            return [
                {
                    "usuario": row.usuario,
                    "nombre": row.nombre,
                    "rol": row.rol,
                    "alta_ms": row.alta_ms,
                    "baja_ms": row.baja_ms,
                }
                for row in connection.execute(query)
            ]

    def get(self, user: str) -> User | None:
        """A user that may enter; None when there is none of that name."""
        query = select(users).where(users.c.usuario == user, users.c.baja_ms.is_(None))
        with self._room.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else User(row.usuario, row.nombre, row.rol)

    def add(self, user: str, name: str, role: str, password: str, now_ms: int) -> None:
        """A new user. Raises UsageError when the name, the role or the password will not do."""
        if not _NAME.fullmatch(user):
            raise UsageError(
                "El usuario lleva de 2 a 32 letras minúsculas sin acento, números, punto, guion o guion bajo."
            )
        if not name.strip() or len(name) > 80 or not name.isprintable():
            raise UsageError("El nombre lleva de 1 a 80 caracteres.")
        self._check_role(role)
        self._check_password(user, password)
        row = {
            "usuario": user,
            "nombre": name.strip(),
            "rol": role,
            "clave": self._hash(password),
            "alta_ms": now_ms,
        }
        try:
            with self._room.begin() as connection:
                connection.execute(users.insert(), row)
        except IntegrityError as error:
            raise UsageError(f"Ya hay un usuario «{user}» (o lo hubo: no se reutilizan).") from error

    def remove(self, user: str, now_ms: int) -> None:
        """Close a user for good. Raises UsageError when there is none, or it is the last administrator."""
        self._keep_an_administrator(user)
        self._change(user, baja_ms=now_ms)

    def set_role(self, user: str, role: str) -> None:
        """Give a user another role. Raises UsageError as `remove`."""
        self._check_role(role)
        if role != "administracion":
            self._keep_an_administrator(user)
        self._change(user, rol=role)

    def set_password(self, user: str, password: str) -> None:
        """Give a user another password. Raises UsageError when there is no such user or it is weak."""
        self._check_password(user, password)
        self._change(user, clave=self._hash(password))

    def attempt(self, user: str, password: str, address: str, now_ms: int) -> Verdict:
        """Try to enter. While locked, not even the right password does. Raises BusyError."""
        locked = self._locked_ms(user, address, now_ms)
        if locked:
            return Verdict(None, locked)
        if self._matches(user, password):
            self._forgive(user, address)
            return Verdict(self.get(user))
        with self._room.begin() as connection:
            connection.execute(failures.insert(), {"ms_real": now_ms, "usuario": user, "direccion": address})
            # What is older than any window is of no use to anybody.
            connection.execute(failures.delete().where(failures.c.ms_real < now_ms - 24 * 60 * MS_PER_MINUTE))
        locked = self._locked_ms(user, address, now_ms)
        return Verdict(None, locked, locked > 0)

    def matches(self, user: str, password: str) -> bool:
        """Whether that is the password of a user that may enter."""
        return self._matches(user, password)

    # ------------------------------------------------------------------------------------------

    def _matches(self, user: str, password: str) -> bool:
        query = select(users.c.clave).where(users.c.usuario == user, users.c.baja_ms.is_(None))
        with self._room.connect() as connection:
            found = connection.execute(query).scalar_one_or_none()
        with self._turn():
            # Somebody who does not exist takes as long to be refused as somebody who does.
            right = check_password_hash(found or self._nobody, password[:_LONGEST_PASSWORD])
        return right and found is not None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise BusyError
        try:
            with self._hashing:
                yield
        finally:
            self._line.release()

    def _forgive(self, user: str, address: str) -> None:
        """Whoever got it right in the end had only mistyped."""
        mine = (failures.c.usuario == user) & (failures.c.direccion == address)
        with self._room.connect() as connection:
            any_of_mine = connection.execute(select(failures.c.id).where(mine).limit(1)).first() is not None
        if any_of_mine:
            with self._room.begin() as connection:
                connection.execute(failures.delete().where(mine))

    def _locked_ms(self, user: str, address: str, now_ms: int) -> int:
        """For how long more that user is locked at that address; 0 when it is not."""
        limits = self._limits
        longest = 0
        of_user, of_address = failures.c.usuario == user, failures.c.direccion == address
        locks: list[tuple[ColumnElement[bool], int]] = [(of_user & of_address, limits.fallos_usuario)]
        with self._room.connect() as connection:
            entered = select(sessions.c.huella).where(
                sessions.c.usuario == user, sessions.c.direccion == address
            )
            if connection.execute(entered.limit(1)).first() is None:
                # A whole office may share one address: who works there is not locked by what others try.
                locks += [(of_address, limits.fallos_direccion), (of_user, limits.fallos_direccion)]
            for which, limit in locks:
                since = now_ms - max(limits.ventana_min, limits.bloqueo_min) * MS_PER_MINUTE
                times = (
                    connection.execute(
                        select(failures.c.ms_real)
                        .where(which, failures.c.ms_real > since)
                        .order_by(failures.c.ms_real.desc())
                        .limit(limit)
                    )
                    .scalars()
                    .all()
                )
                if len(times) == limit and times[0] - times[-1] <= limits.ventana_min * MS_PER_MINUTE:
                    longest = max(longest, times[0] + limits.bloqueo_min * MS_PER_MINUTE - now_ms)
        return longest

    def _hash(self, password: str) -> str:
        with self._turn():
            return generate_password_hash(password, self._method)

    def _change(self, user: str, **values: object) -> None:
        query = update(users).where(users.c.usuario == user, users.c.baja_ms.is_(None)).values(**values)
        with self._room.begin() as connection:
            if connection.execute(query).rowcount != 1:
                raise UsageError(f"No hay un usuario «{user}».")

    def _keep_an_administrator(self, user: str) -> None:
        query = select(func.count()).where(
            users.c.rol == "administracion", users.c.baja_ms.is_(None), users.c.usuario != user
        )
        found = self.get(user)
        if found is None or found.role != "administracion":
            return
        with self._room.connect() as connection:
            if connection.execute(query).scalar_one() == 0:
                raise UsageError(f"«{user}» es la única cuenta de administración: no se puede quitar.")

    def _check_role(self, role: str) -> None:
        if role not in ROLES:
            raise UsageError(f"No hay un rol «{role}»; los hay: {', '.join(ROLES)}.")

    def _check_password(self, user: str, password: str) -> None:
        least = self._limits.contrasena_minima
        if not least <= len(password) <= _LONGEST_PASSWORD:
            raise UsageError(f"La contraseña lleva de {least} a {_LONGEST_PASSWORD} caracteres.")
        if user in password.lower() or len(set(password)) < 5:
            raise UsageError("La contraseña no puede contener el usuario ni repetir casi el mismo carácter.")
