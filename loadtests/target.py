"""Whom a test may ask: this machine, or somebody else's with its owner's written word.

A load test against a server whose owner does not know of it is an attack, whatever the intention: without
`--objetivo-ajeno` and a file with the owner's confirmation nothing is sent to another machine, not even
the first question. It measures nothing.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.catalogs.problems import Problems
from core.catalogs.toml_file import TomlFile, TomlTable
from core.errors import InputError, PrepError, UsageError

TIMEOUT_S = 15.0


class TargetError(PrepError):
    """The target may not be asked, does not answer, or is not the one the test is meant for."""


@dataclass(frozen=True, slots=True)
class Target:
    """A place: scheme, host and port; whether it is this machine."""

    scheme: str
    host: str
    port: int
    own: bool
    loopback: bool

    @property
    def url(self) -> str:
        """The address without final slash; the port only when it is not the scheme's."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{host}" + ("" if self.port == usual else f":{self.port}")

    def connect(self, timeout_s: float = TIMEOUT_S) -> http.client.HTTPConnection:
        """A connection to it, not yet open. Certificates are not judged: that is not what is tested."""
        if self.scheme == "https":
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout_s, context=context)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        """One answer: status, headers (names in lower case) and body. Raises TargetError without one."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise TargetError(f"{self.url} no contesta: {error}") from error
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Permission:
    """What the owner of another machine allows."""

    owner: str
    target: str
    since: datetime
    until: datetime
    users: int
    seconds: int
    abuse: bool


def parse(url: str) -> Target:
    """The target of an address. Raises UsageError when it is not one of a site, TargetError when unknown."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"--objetivo «{url}» no es una dirección: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--objetivo «{url}»: se esperaba http://… o https://…")
    if parts.username or parts.password:
        raise UsageError("--objetivo no lleva usuario ni contraseña.")
    if parts.path not in ("", "/") or parts.query:
        raise UsageError(f"--objetivo es la raíz del sitio, sin ruta; se pidió «{parts.path}».")
    addresses = _addresses(parts.hostname)
    loopback = all(one.startswith("127.") or one == "::1" for one in addresses)
    own = loopback or all(map(_is_own, addresses))
    return Target(
        parts.scheme, parts.hostname, port or {"http": 80, "https": 443}[parts.scheme], own, loopback
    )


def _addresses(host: str) -> list[str]:
    try:
        return sorted({str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError) as error:
        raise TargetError(f"no se encuentra «{host}»: {error}") from error


def _is_own(address: str) -> bool:
    """Whether an address is of this machine: nobody can listen on somebody else's."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        try:
            one.bind((address, 0))
        except OSError:
            return False
    return True


def read_permission(path: Path) -> Permission:
    """The owner's confirmation. Raises InputError with its file, line and key."""
    problems = Problems()
    file = TomlFile(path, problems)
    found = _permission(file.root) if file.root is not None else None
    problems.raise_if_any()
    assert found is not None
    return found


def _permission(root: TomlTable) -> Permission | None:
    root.only(
        "formato", "responsable", "cargo", "contacto", "objetivo", "desde", "hasta", "usuarios_max",
        "duracion_max_s", "negacion",
    )  # fmt: skip
    root.whole("formato", 1, 1)
    texts = [root.text(key) for key in ("responsable", "cargo", "contacto", "objetivo")]
    since, until = _moment(root, "desde"), _moment(root, "hasta")
    users, seconds = root.whole("usuarios_max", 1, 1_000_000), root.whole("duracion_max_s", 1, 7 * 86_400)
    abuse = root.flag("negacion", False)
    if since is not None and until is not None and until <= since:
        root.fault("hasta", f"una hora posterior a {since.isoformat()}", until.isoformat())
    if root.file.problems.found:
        return None
    assert all(texts) and since and until and users and seconds
    return Permission(f"{texts[0]}, {texts[1]}", str(texts[3]), since, until, users, seconds, abuse)


def _moment(root: TomlTable, key: str) -> datetime | None:
    value = root.data.get(key)
    if not isinstance(value, datetime) or value.tzinfo is None:
        root.fault(key, "una fecha con hora y huso, como 2027-06-06T20:00:00-06:00", value)
        return None
    return value


def allow(
    target: Target,
    permission: Path | None,
    foreign: bool,
    *,
    users: int,
    seconds: int,
    abuse: bool,
    now: datetime,
    before_s: float = 0.0,
) -> Permission | None:
    """Whether a test that begins after `before_s` may be made, to its end. None for this machine.

    Raises TargetError when it may not.
    """
    if target.own:
        return None
    if not foreign or permission is None:
        raise TargetError(
            f"{target.url} no es esta máquina. Para probar un sitio ajeno hacen falta --objetivo-ajeno y "
            "--confirmacion ARCHIVO, con la autorización de su responsable (docs/carga.md)."
        )
    word = read_permission(permission)
    if parse(word.target).url != target.url:
        raise InputError(permission, column="objetivo", expected=target.url, found=word.target)
    if not word.since <= now <= word.until:
        window = f"del {word.since.isoformat()} al {word.until.isoformat()}"
        raise TargetError(f"{permission}: la autorización es {window}; son las {now.isoformat()}.")
    if now + timedelta(seconds=before_s + seconds) > word.until:
        raise TargetError(
            f"{permission}: la autorización es hasta las {word.until.isoformat()} y una prueba de "
            f"{seconds} s terminaría después (son las {now.isoformat()})."
        )
    if users > word.users:
        raise TargetError(f"{permission}: se autorizaron {word.users} usuarios y se piden {users}.")
    if seconds > word.seconds:
        raise TargetError(f"{permission}: se autorizaron {word.seconds} s y se piden {seconds}.")
    if abuse and not word.abuse:
        raise TargetError(f"{permission}: no autoriza clientes abusivos (negacion = true).")
    return word


def pointer_of(target: Target) -> dict[str, Any]:
    """The `corte.json` of a target. Raises TargetError when it is not a publication with a cut."""
    status, _, body = target.get("/corte.json")
    if status == 404:
        raise TargetError(f"{target.url} no tiene corte.json: no es un portal o todavía no hay cortes.")
    if status != 200:
        raise TargetError(f"{target.url}/corte.json respondió {status}.")
    try:
        found = json.loads(body)
    except ValueError as error:
        raise TargetError(f"{target.url}/corte.json no es JSON: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("corte"), int):
        raise TargetError(f"{target.url}/corte.json no es el de una publicación.")
    return found
