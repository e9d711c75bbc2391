"""Whom a test may ask: this machine, or somebody else's with its owner's written word.

A load test against a server whose owner does not know of it is an attack, whatever the intention: without
`--objetivo-ajeno` and a file with the owner's confirmation nothing is sent to another machine, not even
the first question. The addresses that were judged are the ones that are asked, whatever the name means a
moment later: the name only travels in the request. It measures nothing.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.catalogs.problems import Problems
from core.catalogs.toml_file import TomlFile, TomlTable
from core.errors import InputError, PrepError, UsageError
from core.foreign_text import json_of
from loadtests.bounded import MOST_BYTES, MOST_S, SMALL_BYTES, answers
from loadtests.reasons import why

TIMEOUT_S = 15.0
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TargetError(PrepError):
    """The target may not be asked, does not answer, or is not the one the test is meant for."""


class _Plain(http.client.HTTPConnection):
    """A connection to given addresses, the first that answers, whatever the name of the site."""

    def __init__(self, target: Target, timeout_s: float, most: int, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=timeout_s)
        self.response_class = answers(most, seconds)  # type: ignore[assignment]
        self._target = target

    def connect(self) -> None:
        """Open it."""
        self.sock = self._target.open(float(self.timeout or TIMEOUT_S))


class _Secure(http.client.HTTPSConnection):
    """The same with TLS, which does say the name. Certificates are not judged: that is not tested."""

    def __init__(self, target: Target, timeout_s: float, most: int, seconds: float) -> None:
        self._mine = ssl.create_default_context()
        self._mine.check_hostname = False
        self._mine.verify_mode = ssl.CERT_NONE
        super().__init__(target.host, target.port, timeout=timeout_s, context=self._mine)
        self.response_class = answers(most, seconds)  # type: ignore[assignment]
        self._target = target

    def connect(self) -> None:
        """Open it."""
        plain = self._target.open(float(self.timeout or TIMEOUT_S))
        self.sock = self._mine.wrap_socket(plain, server_hostname=self.host)


@dataclass(frozen=True, slots=True)
class Target:
    """A place: scheme, host and port; whether it is this machine, and the addresses that were judged."""

    scheme: str
    host: str
    port: int
    own: bool
    loopback: bool
    addresses: tuple[str, ...] = ()
    """The only ones that are asked, in order; empty: whatever the host means."""

    @property
    def netloc(self) -> str:
        """Host and, when it is not the scheme's, port: what goes in `Host`."""
        return self._at(self.host)

    @property
    def url(self) -> str:
        """The address without final slash; the port only when it is not the scheme's."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def pinned_url(self) -> str:
        """The same with the first address that was judged in place of the name: `Host` must say the name."""
        return f"{self.scheme}://{self._at(self.addresses[0] if self.addresses else self.host)}"

    def _at(self, host: str) -> str:
        name = f"[{host}]" if ":" in host else host
        usual = {"http": 80, "https": 443}[self.scheme]
        return name if self.port == usual else f"{name}:{self.port}"

    def open(self, timeout_s: float = TIMEOUT_S) -> socket.socket:
        """A connection to the first address that answers. Raises OSError when none does."""
        wrong: OSError | None = None
        for address in self.addresses or (self.host,):
            try:
                return socket.create_connection((address, self.port), timeout_s)
            except OSError as error:
                wrong = wrong or error
        assert wrong is not None
        raise wrong

    def answering(self, timeout_s: float = 5.0) -> Target:
        """This target with only the addresses that accept a connection. Raises TargetError when none does.

        Of this machine's loopback, those of IPv4 alone when there are: only 127/8 has many addresses.
        """
        found = []
        for address in self.addresses or (self.host,):
            with contextlib.suppress(OSError), replace(self, addresses=(address,)).open(timeout_s):
                found.append(address)
        if not found:
            raise TargetError(f"{self.url} no contesta en {', '.join(self.addresses) or self.host}.")
        fourth = [one for one in found if ":" not in one]
        return replace(self, addresses=tuple(fourth if self.loopback and fourth else found))

    def connect(
        self, timeout_s: float = TIMEOUT_S, most: int = MOST_BYTES, seconds: float = MOST_S
    ) -> http.client.HTTPConnection:
        """A connection to it, not yet open, whose answers are of `most` bytes and `seconds` at the most."""
        return (_Secure if self.scheme == "https" else _Plain)(self, timeout_s, most, seconds)

    def get(
        self, path: str, headers: dict[str, str] | None = None, most: int = MOST_BYTES
    ) -> tuple[int, dict[str, str], bytes]:
        """One answer: status, headers (names in lower case) and body. Raises TargetError without one, and
        when it is of more than `most` bytes or does not end."""
        connection = self.connect(most=most)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise TargetError(f"{self.url}{path} no se pudo leer: {why(error)}.") from error
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
        raise UsageError(f"--objetivo «{url}» no es una dirección.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--objetivo «{url}»: se esperaba http://… o https://…")
    if parts.username or parts.password:
        raise UsageError("--objetivo no lleva usuario ni contraseña.")
    if parts.path not in ("", "/") or parts.query:
        raise UsageError(f"--objetivo es la raíz del sitio, sin ruta; se pidió «{parts.path}».")
    found = _addresses(parts.hostname)
    loopback = all(one.is_loopback for one in found)
    return Target(
        parts.scheme,
        parts.hostname,
        port or {"http": 80, "https": 443}[parts.scheme],
        loopback or all(map(_is_own, found)),
        loopback,
        tuple(map(str, found)),
    )


def _addresses(host: str) -> Sequence[Address]:
    """The addresses of a host, each once, in the order of the system. None may be of many machines."""
    try:
        told = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(_plain(ipaddress.ip_address(str(one[4][0]))) for one in told))
    except (OSError, UnicodeError, ValueError) as error:
        raise TargetError(f"no se encuentra «{host}»: {why(error)}.") from error
    for one in found:
        if one.is_multicast or one.is_unspecified or str(one) == "255.255.255.255":
            raise TargetError(f"«{host}» es {one}, que no es la dirección de una máquina.")
    return found


def _plain(address: Address) -> Address:
    """An IPv4 address said as one of IPv6 (`::ffff:127.0.0.1`) is that IPv4 address."""
    return getattr(address, "ipv4_mapped", None) or address


def _is_own(address: Address) -> bool:
    """Whether an address is of this machine: only to it does the system go from that same address.

    Nothing is sent. Being able to listen on it proves nothing: with `ip_nonlocal_bind` (usual in a balancer)
    one can on any. A broadcast address is refused by the system.
    """
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        try:
            one.connect((str(address), 9))
            return ipaddress.ip_address(str(one.getsockname()[0])) == address
        except OSError:
            return False


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
    try:
        meant = parse(word.target).url
    except PrepError as error:
        raise InputError(permission, column="objetivo", message=str(error)) from error
    if meant != target.url:
        raise InputError(permission, column="objetivo", expected=target.url, found=word.target)
    if not word.since <= now <= word.until:
        window = f"del {_said(word.since, word)} al {_said(word.until, word)}"
        raise TargetError(f"{permission}: la autorización es {window}; ahora es el {_said(now, word)}.")
    if now + timedelta(seconds=before_s + seconds) > word.until:
        raise TargetError(
            f"{permission}: la autorización es hasta el {_said(word.until, word)} y una prueba de "
            f"{seconds} s terminaría después (ahora es el {_said(now, word)})."
        )
    if users > word.users:
        raise TargetError(f"{permission}: se autorizaron {word.users} usuarios y se piden {users}.")
    if seconds > word.seconds:
        raise TargetError(f"{permission}: se autorizaron {word.seconds} s y se piden {seconds}.")
    if abuse and not word.abuse:
        raise TargetError(f"{permission}: no autoriza clientes abusivos (negacion = true).")
    return word


def _said(moment: datetime, word: Permission) -> str:
    """A moment to the second, in the hour of the owner's word."""
    return f"{moment.astimezone(word.since.tzinfo):%d/%m/%Y, %H:%M:%S %Z}"


def pointer_of(target: Target) -> dict[str, Any]:
    """The `corte.json` of a target. Raises TargetError when it is not a publication with a cut."""
    status, _, body = target.get("/corte.json", most=SMALL_BYTES)
    if status == 404:
        raise TargetError(f"{target.url} no tiene corte.json: no es un portal o todavía no hay cortes.")
    if status != 200:
        raise TargetError(f"{target.url}/corte.json respondió {status}.")
    try:
        found = json_of(body)
    except ValueError as error:
        raise TargetError(f"{target.url}/corte.json no es JSON: {why(error)}.") from error
    if not isinstance(found, dict) or not isinstance(found.get("corte"), int):
        raise TargetError(f"{target.url}/corte.json no es el de una publicación.")
    return found
