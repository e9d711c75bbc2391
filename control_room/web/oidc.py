"""Entering with the institution's identity provider (OpenID Connect), when `[oidc]` configures one.

The provider says who somebody is and which groups he is of; the role is the one the configuration gives
to those groups, never one the provider names. A person of the provider is always `name@proveedor`, so that
nobody passes for a user of the room. Authorisation code with PKCE, state and nonce (Authlib).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from control_room.web.roles import ROLES
from control_room.web.users import User
from core.errors import InputError, PrepError

if TYPE_CHECKING:
    from flask import Flask

_KEYS = ("emisor", "cliente", "secreto_archivo", "reclamo", "reclamo_usuario", "nombre", "alcances", "roles")


class NotAdmittedError(PrepError):
    """The provider vouches for the person, but the room has no role for him."""


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """The provider: `roles` gives a role to each group found in `claim`."""

    issuer: str
    client: str
    secret: str
    claim: str
    user_claim: str
    label: str
    scopes: str
    roles: tuple[tuple[str, str], ...]

    def user_of(self, claims: Mapping[str, Any]) -> User:
        """The person of some claims. Raises NotAdmittedError when no group of his has a role.

        With several groups the first one of the configuration counts.
        """
        subject = claims.get(self.user_claim) or claims.get("sub")
        if isinstance(subject, str) and self.user_claim != "sub":
            # Providers take «Ana» for «ana»: they may not be two persons here.
            subject = unicodedata.normalize("NFKC", subject).casefold()
        if not isinstance(subject, str) or not subject.isprintable() or not 0 < len(subject) <= 48:
            raise NotAdmittedError("El proveedor de identidad no dijo quién es.")
        found = claims.get(self.claim)
        groups = {found} if isinstance(found, str) else set(found) if isinstance(found, list) else set()
        for group, role in self.roles:
            if group in groups:
                name = claims.get("name")
                shown = name if isinstance(name, str) and name.isprintable() and name.strip() else subject
                return User(f"{subject}@{self.label}", shown[:80], role)
        raise NotAdmittedError("Su cuenta existe, pero no tiene un rol en esta sala.")


def read(raw: Mapping[str, Any], path: Path) -> OidcConfig | None:
    """The provider of an `[oidc]` table; None when it names none. Raises InputError with file and key."""
    if not raw.get("emisor"):
        return None
    for key in raw:
        if key not in _KEYS:
            raise InputError(path, column=f"oidc.{key}", expected=f"una de las claves {', '.join(_KEYS)}")
    texts = {
        "cliente": "",
        "secreto_archivo": "",
        "reclamo": "groups",
        "reclamo_usuario": "preferred_username",
        "nombre": "oidc",
        "alcances": "openid profile",
    }
    for key in ("emisor", *texts):
        value = raw.get(key, texts.get(key))
        if not isinstance(value, str):
            raise InputError(path, column=f"oidc.{key}", expected="un texto entre comillas", found=value)
        texts[key] = value
    issuer = texts["emisor"]
    try:
        address = urlsplit(issuer)
    except ValueError as error:
        raise InputError(path, column="oidc.emisor", expected="una dirección https", found=issuer) from error
    local = address.scheme == "http" and address.hostname in ("127.0.0.1", "localhost")
    if not (address.scheme == "https" and address.hostname) and not local:
        raise InputError(path, column="oidc.emisor", expected="una dirección https", found=issuer)
    if not texts["cliente"]:
        raise InputError(path, column="oidc.cliente", expected="el nombre de la sala en el proveedor")
    if not texts["nombre"].isalnum() or len(texts["nombre"]) > 12:
        raise InputError(
            path, column="oidc.nombre", expected="de 1 a 12 letras o números", found=texts["nombre"]
        )
    return OidcConfig(
        issuer.rstrip("/"), texts["cliente"], _secret(texts["secreto_archivo"], path), texts["reclamo"],
        texts["reclamo_usuario"], texts["nombre"], texts["alcances"], _roles(raw.get("roles"), path),
    )  # fmt: skip


def _roles(raw: object, path: Path) -> tuple[tuple[str, str], ...]:
    if not isinstance(raw, Mapping) or not raw:
        raise InputError(path, column="oidc.roles", expected="una tabla «grupo = rol»")
    for group, role in raw.items():
        if role not in ROLES:
            raise InputError(
                path, column=f"oidc.roles.{group}", expected=f"uno de {', '.join(ROLES)}", found=role
            )
    return tuple((str(group), str(role)) for group, role in raw.items())


def _secret(name: str, path: Path) -> str:
    if not name:
        return ""
    file = path.parent / name
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            path, column="oidc.secreto_archivo", expected="un archivo de texto que se pueda leer", found=file
        ) from error


def client_of(app: Flask, config: OidcConfig) -> Any:
    """The Authlib client of the provider, bound to an application."""
    from authlib.integrations.flask_client import OAuth  # type: ignore[import-untyped]

    return OAuth(app).register(
        "sala",
        client_id=config.client,
        client_secret=config.secret or None,
        server_metadata_url=f"{config.issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": config.scopes, "code_challenge_method": "S256", "timeout": 10},
    )
