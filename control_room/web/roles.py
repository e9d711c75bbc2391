"""Who may do what: the roles of the room, its permissions, and the check every action and page makes.

The table is the rule; the menu only repeats it. Nothing here knows about passwords or cookies: the
identity of the request is put in `flask.g.session` by `web.gate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import PrepError

if TYPE_CHECKING:
    from control_room.web.sessions import Session

LECTURA = "lectura"
OPERADOR = "operador"
COORDINADOR = "coordinador"
PUBLICACION = "publicacion"
INSTRUCTOR = "instructor"
AUDITOR = "auditor"
ADMINISTRACION = "administracion"

ROLES: dict[str, str] = {
    LECTURA: "Lectura (muro)",
    OPERADOR: "Operador",
    COORDINADOR: "Coordinador",
    PUBLICACION: "Publicación",
    INSTRUCTOR: "Instructor",
    AUDITOR: "Auditor",
    ADMINISTRACION: "Administración",
}
"""Every role and how people read it."""

_ALL = frozenset(ROLES)

PERMISSIONS: dict[str, frozenset[str]] = {
    "ver": _ALL,
    "reconocer": frozenset({OPERADOR, COORDINADOR, PUBLICACION}),
    "silenciar": frozenset({OPERADOR, COORDINADOR}),
    "incidente": frozenset({OPERADOR, COORDINADOR, PUBLICACION}),
    "incidente_coordinar": frozenset({COORDINADOR}),
    "medida_proponer": frozenset({OPERADOR, COORDINADOR}),
    "medida_autorizar": frozenset({OPERADOR, COORDINADOR}),
    "publicacion_proponer": frozenset({PUBLICACION}),
    "publicacion_autorizar": frozenset({COORDINADOR}),
    "publicacion_descartar": frozenset({PUBLICACION, COORDINADOR}),
    "simulacro": frozenset({INSTRUCTOR}),
    "bitacora": _ALL - {LECTURA},
    "bitacora_exportar": frozenset({AUDITOR, COORDINADOR, ADMINISTRACION}),
    "calidad_personas": frozenset({COORDINADOR, AUDITOR, ADMINISTRACION}),
    "pronosticar": frozenset({OPERADOR, COORDINADOR, INSTRUCTOR, AUDITOR}),
    "usuarios": frozenset({ADMINISTRACION}),
    "cuenta": _ALL - {LECTURA},
}
"""Each permission and the roles that have it. `cuenta` is changing one's own password: the wall is shared."""

REHEARSAL_ONLY = frozenset({"simulacro"})
"""Permissions nobody has in an official night."""


class ForbiddenError(PrepError):
    """The person has a session but not the permission; answered with 403."""

    def __init__(self, permission: str) -> None:
        self.permission = permission
        super().__init__("No tiene permiso para esa acción.")


class NoSessionError(PrepError):
    """Nobody is behind the request; answered with 401."""

    def __init__(self) -> None:
        super().__init__("Hace falta entrar con su usuario.")


def allows(role: str, permission: str, mode: str) -> bool:
    """Whether a role has a permission in a mode. Raises KeyError for a permission that does not exist."""
    if permission in REHEARSAL_ONLY and mode != "simulacro":
        return False
    return role in PERMISSIONS[permission]


def permissions_of(role: str, mode: str) -> list[str]:
    """The permissions of a role in a mode, sorted."""
    return sorted(name for name in PERMISSIONS if allows(role, name, mode))


def current_session() -> Session:
    """The session of the request. Raises NoSessionError when there is none."""
    from flask import g, has_request_context

    session: Session | None = g.get("session") if has_request_context() else None
    if session is None:
        raise NoSessionError
    return session


def require(permission: str) -> Session:
    """The session of the request, if it has the permission.

    Raises NoSessionError (401) or ForbiddenError (403); the application answers them.
    """
    from control_room.web.context import current_room

    session = current_session()
    if not allows(session.role, permission, current_room().mode):
        raise ForbiddenError(permission)
    return session
