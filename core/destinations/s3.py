"""A bucket of any S3 service as a destination: conditional writes, read back whole, its own headers.

The server must honour `If-None-Match` and `If-Match`; one that does not is refused before anything
is published, because nothing would keep two publishers apart. Credentials come from the
environment or from a file that only its owner reads: never from the address, never into a message.
"""

from __future__ import annotations

import configparser
import os
import re
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from core.destinations.compress import decoded, gz, sent_encoded
from core.destinations.target import (
    ConflictError,
    DestinationError,
    Entry,
    Item,
    Stored,
    UnreachableError,
    VerificationError,
)
from core.errors import InputError, UsageError
from core.publication.public_tree import headers, is_public

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from obstore import PutMode
    from obstore.store import S3Config

CREDENTIALS_VARIABLE = "PREP_S3_CREDENCIALES"
PROBE = ".prep-escritura-unica"
"""An empty object with which the server shows, once, that it obeys conditions."""

_OPTIONS = ("endpoint", "region", "credenciales", "perfil")
_SECRET = re.compile(r"secret|access_?key|token|password|clave", re.IGNORECASE)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_CONNECTION = (
    ("operation timed out", "no contestó a tiempo"),
    ("error sending request", "no hay conexión"),
)
"""What the library says of a connection, among much else, and how people say it."""
_CONNECT_S = 5
_REQUEST_S = 60
_TRIES = 2
IN_FLIGHT = 32 * 1024 * 1024
"""Bytes of files that are read and sent at the same time, however many connections there are."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who writes. `repr` never shows them."""

    access_key_id: str
    secret_access_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"


@dataclass(frozen=True, slots=True)
class S3Address:
    """`s3://bucket/prefix?endpoint=…&region=…&credenciales=ARCHIVO&perfil=NOMBRE`, taken apart."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str
    credentials_file: Path | None
    profile: str

    def __str__(self) -> str:
        where = f" en {self.endpoint}" if self.endpoint else ""
        return f"s3://{self.bucket}{'/' if self.prefix else ''}{self.prefix}{where}"


def parse_address(spec: str) -> S3Address:
    """Take apart the address of a bucket. Raises UsageError, which never repeats what may be a secret."""
    parts = urlsplit(spec)
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise UsageError(_not_here("el destino s3://"))
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS:
            if _SECRET.search(name):
                raise UsageError(_not_here(f"la opción «{name}» del destino s3://"))
            raise UsageError(
                f"el destino s3:// no tiene la opción «{name}»; las que hay son {', '.join(_OPTIONS)}"
            )
    if not _BUCKET.fullmatch(parts.netloc):
        raise UsageError(
            f"«{parts.netloc}» no sirve de nombre de cubo; se esperaba s3://cubo/prefijo?endpoint=…"
        )
    endpoint = options.get("endpoint")
    if endpoint:
        server = urlsplit(endpoint)
        if server.scheme not in ("http", "https") or not server.hostname:
            raise UsageError(
                "«endpoint» del destino s3:// debe ser la dirección http:// o https:// del servidor"
            )
        if server.username is not None or server.password is not None:
            raise UsageError(_not_here("«endpoint» del destino s3://"))
    file = options.get("credenciales")
    return S3Address(
        parts.netloc,
        unquote(parts.path).strip("/"),
        endpoint or None,
        options.get("region") or os.environ.get("AWS_REGION") or "us-east-1",
        Path(file) if file else None,
        options.get("perfil") or "default",
    )


def find_credentials(address: S3Address, environment: Mapping[str, str]) -> Credentials:
    """The credentials of an address: its file, else the file of the environment, else its variables.

    Raises UsageError when there are none and InputError when the file does not have them or others
    may read it.
    """
    file = address.credentials_file
    if file is None and environment.get(CREDENTIALS_VARIABLE):
        file = Path(environment[CREDENTIALS_VARIABLE])
    if file is not None:
        return _from_file(file, address.profile)
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if not key or not secret:
        raise UsageError(
            f"faltan las credenciales de {address}: ponga AWS_ACCESS_KEY_ID y AWS_SECRET_ACCESS_KEY en el "
            f"entorno, o la ruta de un archivo en {CREDENTIALS_VARIABLE} o en «credenciales=» del destino"
        )
    return Credentials(key, secret, environment.get("AWS_SESSION_TOKEN"))


def _from_file(file: Path, profile: str) -> Credentials:
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            file, message=f"no se pueden leer las credenciales: {type(error).__name__}"
        ) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(
            file, message="otros usuarios pueden leer las credenciales; quíteles el permiso (chmod 600)"
        )
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
        section = parser[profile]
        return Credentials(
            section["aws_access_key_id"], section["aws_secret_access_key"], section.get("aws_session_token")
        )
    except (configparser.Error, KeyError):
        # Neither the text nor the cause: both may carry the secret.
        raise InputError(
            file, expected=f"[{profile}] con aws_access_key_id y aws_secret_access_key"
        ) from None


class Weight:
    """Lets threads in while what they carry together is at most `most` bytes; what weighs more goes alone."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most
        self._changed = threading.Condition()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Carry that many bytes, once they fit."""
        size = min(size, self._most)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= size)
            self._left -= size
        try:
            yield
        finally:
            with self._changed:
                self._left += size
                self._changed.notify_all()


class S3Destination:
    """A prefix of a bucket. Opening it asks nothing of the server; the first publication does.

    `timeout_s` is the longest wait for one answer.
    """

    width = 16

    def __init__(
        self,
        address: S3Address,
        credentials: Credentials,
        name: str | None = None,
        *,
        timeout_s: float = _REQUEST_S,
    ) -> None:
        self.address = str(address)
        self.name = name or f"s3://{address.bucket}{'/' if address.prefix else ''}{address.prefix}"
        self._secrets = [
            text
            for text in (credentials.secret_access_key, credentials.token, credentials.access_key_id)
            if text
        ]
        config: S3Config = {
            "region": address.region,
            "access_key_id": credentials.access_key_id,
            "secret_access_key": credentials.secret_access_key,
            "virtual_hosted_style_request": False,
        }
        if credentials.token:
            config["session_token"] = credentials.token
        if address.endpoint:
            config["endpoint"] = address.endpoint
        wait = timedelta(seconds=timeout_s)
        self._store = S3Store(
            address.bucket,
            prefix=address.prefix or None,
            config=config,
            client_options={
                "allow_http": (address.endpoint or "").startswith("http://"),
                "timeout": wait,
                "connect_timeout": min(wait, timedelta(seconds=_CONNECT_S)),
            },
            # The distributor tries again; here, only what a lost connection needs.
            retry_config={"max_retries": _TRIES, "retry_timeout": wait},
        )
        self._checked = False
        self._weight = Weight(IN_FLIGHT)

    def exclusive(self) -> AbstractContextManager[None]:
        """Nothing to hold: every swap is conditional on the version that was read."""
        if not self._checked:
            self._check_conditions()
            self._checked = True
        return nullcontext()

    def list(self) -> Iterator[Entry]:
        """Every public object; the size of a compressed one says nothing."""
        with self._explained("la lista"):
            for chunk in obstore.list(self._store):
                for found in chunk:
                    key = found["path"]
                    if is_public(key):
                        size = found["size"]
                        # What may be kept compressed shows another size.
                        yield Entry(key, None if sent_encoded(key, max(size, 1 << 20)) else size)

    def put_new(self, item: Item) -> int:
        """Create the object with its headers; one that is there must have the same content."""
        with self._weight.holding(item.size):
            return self._put_new(item)

    def _put_new(self, item: Item) -> int:
        data, attributes = _packed(item.key, item.path.read_bytes())
        try:
            with self._explained(item.key):
                obstore.put(self._store, item.key, data, attributes=attributes, mode="create")
        except AlreadyExistsError:
            found = self.get(item.key)
            if found is not None and sha256(found.data).hexdigest() == item.sha256:
                return 0
            raise ConflictError(
                f"{item.key} ya existe en {self.address} con otro contenido; no se toca"
            ) from None
        except FileNotFoundError:
            raise DestinationError(f"no existe el cubo de {self.address}") from None
        return len(data)

    def verify(self, key: str, sha256: str, size: int) -> None:
        """Read the object back whole, as a visitor would, and compare."""
        with self._weight.holding(size):
            found = self.get(key)
            if found is None:
                raise VerificationError(f"{key} no está en {self.address} después de subirlo")
            digest, length = _hash(found.data), len(found.data)
        if (digest, length) != (sha256, size):
            raise VerificationError(
                f"{key} de {self.address}: se releyeron {length} bytes con SHA-256 {digest}; "
                f"se esperaban {size} con {sha256}"
            )

    def get(self, key: str) -> Stored | None:
        """The content of an object, decompressed; its version is its ETag."""
        try:
            with self._explained(key):
                answer = obstore.get(self._store, key)
                data = bytes(answer.bytes())
        except FileNotFoundError:
            return None
        try:
            data = decoded(data, answer.attributes.get("Content-Encoding"))
        except ValueError:
            raise VerificationError(f"{key} de {self.address} no se puede descomprimir") from None
        return Stored(data, answer.meta["e_tag"] or "")

    def put_mutable(self, key: str, data: bytes, *, replacing: Stored | None) -> None:
        """Swap the object if it still has the ETag that was read."""
        packed, attributes = _packed(key, data)
        mode: PutMode = "create" if replacing is None else {"e_tag": replacing.version}
        try:
            with self._explained(key):
                obstore.put(self._store, key, packed, attributes=attributes, mode=mode)
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            raise ConflictError(f"{key} de {self.address} cambió mientras se publicaba") from None

    def settle(self) -> None:
        """Nothing to wait for: a server that answered has the object."""

    def _check_conditions(self) -> None:
        """Make the server show that it refuses a second creation and a swap over another version."""
        attempts: tuple[tuple[PutMode, bool], ...] = (
            ("create", True),
            ("create", False),
            ({"e_tag": '"00000000000000000000000000000000"'}, False),
        )
        for mode, may_work in attempts:
            try:
                with self._explained("la escritura condicional"):
                    obstore.put(self._store, PROBE, b"", mode=mode)
            except (AlreadyExistsError, PreconditionError):
                continue
            except FileNotFoundError:
                raise DestinationError(f"no existe el cubo de {self.address}") from None
            if not may_work:
                raise DestinationError(
                    f"el servidor de {self.address} no respeta la escritura condicional "
                    "(If-None-Match, If-Match): dos publicadores podrían mezclarse; use otro servidor"
                )

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turns the errors of the library into ours, without what may be secret in them."""
        try:
            yield
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            raise
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise DestinationError(
                f"{self.address} no acepta las credenciales para {what}: {self._short(error)}"
            ) from None
        except (BaseError, OSError, ValueError) as error:
            raise UnreachableError(f"{self.address} no responde ({what}): {self._short(error)}") from None

    def _short(self, error: Exception) -> str:
        """The code the server gave, what happened to the connection, or the first line; without secrets."""
        text = str(error)
        code = re.search(r"<Code>(\w+)</Code>", text)
        if code:
            return code.group(1)
        for words, said in _CONNECTION:
            if words in text:
                return said
        line = text.strip().partition("\n")[0]
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return line[:300]


def _packed(key: str, data: bytes) -> tuple[bytes, dict[str, str]]:
    """What is sent for a file, and its headers."""
    attributes = headers(key)
    if sent_encoded(key, len(data)):
        return gz(data), {**attributes, "Content-Encoding": "gzip"}
    return data, attributes


def _hash(data: bytes) -> str:
    return sha256(data).hexdigest()


def _not_here(what: str) -> str:
    return (
        f"{what} no debe llevar credenciales: quedan a la vista en la lista de procesos. Use el entorno "
        f"(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) o un archivo ({CREDENTIALS_VARIABLE}, «credenciales=»)"
    )
