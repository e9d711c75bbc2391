"""The images of a publication in a folder or a bucket, each under the SHA-256 of its bytes.

`imagenes/<hh>/<sha256>.jpg` is the original exactly as received: its hash is the CODIGO_INTEGRIDAD of the
acta, so it is written once and never changed (reglas del PREP, numeral 1, fracción VII: hash). Its views
are beside it in `vistas/`, under the hash of the original. What is an image is said by `probe`; how the
views are made, by `derive`. Nothing is ever deleted.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore import exceptions
from obstore.store import LocalStore, S3Store, from_url

from core.domain.transitions import valid_hash
from core.errors import UsageError
from core.images.errors import CorruptImageError, MissingImageError, StoreError
from core.images.probe import FORMATS, probe
from core.whole_file import write_whole

if TYPE_CHECKING:
    from core.images.derive import Views

ORIGINALS = "imagenes"
VIEWS = "vistas"
VIEW_SUFFIX = ".webp"
THUMB_MARK = "_m"
CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
LIST_FROM = 256
"""Hashes in doubt from which listing the whole store is cheaper than asking one by one."""


class ImageStore:
    """The images of one publication. `root` is the folder, or `s3://bucket/prefix`, that holds `imagenes/`.

    A bucket may say `?endpoint=http://…&region=…`; its credentials are the AWS_* ones of the
    environment. Safe for several threads and processes: a key is created whole or not at all, and whoever
    comes second finds it there.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = os.fspath(root)
        self._remote = "://" in self.root
        self._store: Any = _open(self.root) if self._remote else None
        if not self._remote:
            Path(self.root).mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(Path(self.root).resolve(), mkdir=True)
        self._suffixes: dict[str, str] = {}

    def is_folder(self, folder: Path) -> bool:
        """Whether the images are in that very folder."""
        return not self._remote and Path(self.root).resolve() == Path(folder).resolve()

    # -- originals ---------------------------------------------------------------------------------

    def put(self, data: bytes) -> str:
        """Keep an original; returns its SHA-256 (hex). One that is there already and whole is left as it is.

        Only its header is looked at: `derive.keep` reads it whole. Raises an ImageError.
        """
        suffix = probe(data).suffix
        name = sha256(data).hexdigest()
        self._create(original_key(name, suffix), data, name)
        self._suffixes[name] = suffix
        return name

    def key(self, name: str) -> str | None:
        """Key of an original, None when it is not here. Raises ValueError when `name` is no SHA-256."""
        _check(name)
        suffix = self._suffixes.get(name)
        if suffix is None:
            found = (suffix for suffix in FORMATS.values() if self._exists(original_key(name, suffix)))
            suffix = next(found, None)
            if suffix is None:
                return None
            # What is here stays here: the answer is kept. What is missing may come.
            self._suffixes[name] = suffix
        return original_key(name, suffix)

    def has(self, name: str) -> bool:
        """Whether the original is here."""
        return self.key(name) is not None

    def present(self, names: Collection[str]) -> set[str]:
        """Which of those originals are here; many at once cost one listing."""
        here = {name for name in names if name in self._suffixes}
        doubtful = [name for name in names if name not in here]
        if len(doubtful) > LIST_FROM:
            self._list()
            return here | {name for name in doubtful if name in self._suffixes}
        return here | {name for name in doubtful if self.has(name)}

    def forget(self) -> None:
        """Ask the place itself again from here on, for whoever suspects that somebody deletes there."""
        self._suffixes.clear()

    def get(self, name: str) -> bytes:
        """The original as received. Raises MissingImageError, CorruptImageError, StoreError."""
        key = self.key(name)
        data = None if key is None else self._read(key)
        if data is None:
            raise MissingImageError(f"No hay una imagen con el código de integridad {name}.")
        if sha256(data).hexdigest() != name:
            raise CorruptImageError(f"La imagen {name} está dañada: su contenido tiene otro SHA-256.")
        return data

    # -- views -------------------------------------------------------------------------------------

    def put_views(self, name: str, views: Views) -> None:
        """Keep the views of an original; those that are there already are left as they are."""
        _check(name)
        # The thumbnail first: where there is a view there is everything.
        self._create(thumb_key(name), views.thumb)
        self._create(view_key(name), views.view)

    def has_views(self, name: str) -> bool:
        """Whether the views of an original are here, both."""
        _check(name)
        return self._exists(view_key(name))

    def view_sha256(self, name: str) -> str | None:
        """SHA-256 (hex) of the web view of an original; None when it is not here, or not whole."""
        _check(name)
        data = self._read(view_key(name))
        return sha256(data).hexdigest() if data is not None and whole_view(data) else None

    def view(self, name: str) -> bytes:
        """The web view of an original. Raises MissingImageError."""
        return self._view(view_key(name), name)

    def thumb(self, name: str) -> bytes:
        """The thumbnail of an original. Raises MissingImageError."""
        return self._view(thumb_key(name), name)

    @staticmethod
    def view_key(name: str) -> str:
        """Key of the web view of an original."""
        return view_key(name)

    @staticmethod
    def thumb_key(name: str) -> str:
        """Key of the thumbnail of an original."""
        return thumb_key(name)

    def _view(self, key: str, name: str) -> bytes:
        _check(name)
        data = self._read(key)
        if data is None:
            raise MissingImageError(f"No hay vista de la imagen {name}.")
        return data

    # -- the place ---------------------------------------------------------------------------------

    def _create(self, key: str, data: bytes, name: str | None = None) -> None:
        """Write a key that is not here; `name` is the SHA-256 what is here should have."""
        attributes = {"Content-Type": CONTENT_TYPES[Path(key).suffix]} if self._remote else None
        with self._told():
            try:
                obstore.put(self._store, key, data, mode="create", attributes=attributes)
            except exceptions.AlreadyExistsError:
                if not self._remote and _is_torn(Path(self.root, key), name):
                    write_whole(Path(self.root, key), data, durable=False)

    def _exists(self, key: str) -> bool:
        if not self._remote:
            return _has_bytes(Path(self.root, key))
        with self._told():
            try:
                obstore.head(self._store, key)
            except (exceptions.NotFoundError, FileNotFoundError):
                return False
            return True

    def _read(self, key: str) -> bytes | None:
        with self._told():
            try:
                if not self._remote:
                    return Path(self.root, key).read_bytes()
                return bytes(obstore.get(self._store, key).bytes())
            except (exceptions.NotFoundError, FileNotFoundError):
                return None

    def _list(self) -> None:
        known = {suffix: suffix for suffix in FORMATS.values()}
        if not self._remote:
            for folder in _scanned(Path(self.root, ORIGINALS)):
                for path in _scanned(folder):
                    if _has_bytes(path):
                        self._note(path.stem, known.get(path.suffix))
            return
        with self._told():
            for batch in obstore.list(self._store, prefix=ORIGINALS, chunk_size=1_000):
                for item in batch:
                    path = Path(item["path"])
                    self._note(path.stem, known.get(path.suffix))

    def _note(self, name: str, suffix: str | None) -> None:
        if suffix is not None and valid_hash(name):
            self._suffixes[name] = suffix

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (exceptions.BaseError, OSError) as error:
            raise StoreError(f"El almacén de imágenes «{self.root}» no responde: {_short(error)}") from error


def whole_view(data: bytes) -> bool:
    """Whether the bytes of a view are all there: a WebP says its own length."""
    return data[:4] == b"RIFF" and len(data) == int.from_bytes(data[4:8], "little") + 8


def original_key(name: str, suffix: str) -> str:
    """Key of an original; `suffix` as in FORMATS."""
    return f"{ORIGINALS}/{name[:2]}/{name}{suffix}"


def view_key(name: str) -> str:
    """Key of the web view of an original."""
    return f"{VIEWS}/{name[:2]}/{name}{VIEW_SUFFIX}"


def thumb_key(name: str) -> str:
    """Key of the thumbnail of an original."""
    return f"{VIEWS}/{name[:2]}/{name}{THUMB_MARK}{VIEW_SUFFIX}"


def _open(url: str) -> Any:
    if not url.startswith(("s3://", "memory://")):
        raise UsageError(f"Las imágenes se guardan en una carpeta o en s3://CUBO/PREFIJO; se pidió «{url}».")
    if url.startswith("memory://"):
        return from_url(url)
    place = urlsplit(url)
    asked = dict(parse_qsl(place.query))
    unknown = sorted(set(asked) - {"endpoint", "region"})
    if not place.netloc or unknown:
        raise UsageError(
            f"No se entiende el almacén «{url}»: se esperaba s3://CUBO/PREFIJO, con ?endpoint=… y region=… "
            "si el servidor es propio."
        )
    endpoint = asked.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL")
    region = asked.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    config: Any = {"region": region or "us-east-1"}
    if endpoint:
        config |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
    # A server of the institute's own may speak plain HTTP inside its network; a public one never does.
    return S3Store(
        place.netloc,
        prefix=place.path.strip("/") or None,
        client_options={"allow_http": (endpoint or "").startswith("http://")},
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        **config,
    )


def _scanned(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _has_bytes(path: Path) -> bool:
    """Whether there is a file with something in it: a cut of power leaves names of files never written."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return S_ISREG(found.st_mode) and found.st_size > 0


def _is_torn(path: Path, name: str | None) -> bool:
    return not _has_bytes(path) or (name is not None and sha256(path.read_bytes()).hexdigest() != name)


def _check(name: str) -> None:
    if not valid_hash(name):
        raise ValueError(f"not a SHA-256 in lower case hexadecimal: {name!r}")


def _short(error: Exception) -> str:
    # The errors of the client bring the whole answer of the server; people need its first line.
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
