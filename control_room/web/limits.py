"""The limits of access: how many failures lock a user, how long a session lasts. From `[acceso]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from core.errors import InputError


@dataclass(frozen=True, slots=True)
class AccessLimits:
    """What `[acceso]` of the configuration may change; the names are its keys.

    Minutes unless said. A wall (role `lectura`) has its own length and no idle limit.
    """

    fallos_usuario: int = 5
    """Failures of one user from one address within the window that lock that user there."""
    fallos_direccion: int = 20
    """Failures from one address, or of one user from any, within the window that lock them.

    Neither locks a user at an address it entered from before.
    """
    ventana_min: int = 15
    bloqueo_min: int = 5
    sesion_horas: int = 12
    inactividad_min: int = 60
    muro_horas: int = 72
    contrasena_minima: int = 12
    """Fewest characters of a password."""


def read(raw: Mapping[str, Any], file: str = "sala.toml") -> AccessLimits:
    """The limits of a `[acceso]` table. Raises InputError with the key when one is not a positive integer."""
    known = {one.name for one in fields(AccessLimits)}
    for key, value in raw.items():
        if key not in known:
            expected = f"una de las claves {', '.join(sorted(known))}"
            raise InputError(file, column=f"acceso.{key}", expected=expected)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InputError(
                file, column=f"acceso.{key}", expected="un número entero de 1 en adelante", found=value
            )
    return AccessLimits(**raw)
